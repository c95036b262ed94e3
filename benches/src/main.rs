//! Figures: `cargo run --release -p cachex-bench -- <suite>`.

use std::process::ExitCode;

fn main() -> ExitCode {
    cachex_bench::main()
}
