//! The integration suite of cachex lives in `suite/`.
