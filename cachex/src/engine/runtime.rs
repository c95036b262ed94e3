//! Where loads in the background run.

use std::time::Duration;

/// Sleeps for real time.
#[expect(clippy::disallowed_methods, reason = "this is where the clock of the machine sleeps")]
pub(crate) async fn sleep(span: Duration) {
    tokio::time::sleep(span).await;
}
