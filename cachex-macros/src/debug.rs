//! Shows what an annotation expands to: `CACHEX_MACROS_DEBUG=find cargo check`, or `*` for all.

use std::io::Write;
use std::process::{Command, Stdio};

use proc_macro2::{Ident, TokenStream};

/// Prints the expansion to standard error if the environment asks for this function.
pub(crate) fn print(function: &Ident, expansion: &TokenStream) {
    let Ok(wanted) = std::env::var("CACHEX_MACROS_DEBUG") else { return };
    if wanted == "*" || function == wanted.as_str() {
        let plain = expansion.to_string();
        let text = formatted(&plain).unwrap_or(plain);
        eprintln!("expansion of `{function}`:\n{text}");
    }
}

/// Formats with `rustfmt`, which stands beside every compiler; nothing if it does not.
fn formatted(plain: &str) -> Option<String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    rustfmt.stdin.take()?.write_all(plain.as_bytes()).ok()?;
    let output = rustfmt.wait_with_output().ok()?;
    output.status.success().then(|| String::from_utf8(output.stdout).ok()).flatten()
}
