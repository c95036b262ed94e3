//! Where loads in the background run.

use std::time::Duration;

/// Sleeps for real time.
pub(crate) async fn sleep(span: Duration) {
    tokio::time::sleep(span).await;
}
