//! Figures: `cargo run --release -p cachex-bench -- <suite>`.
//!
//! Reading order: `program` (the list of suites), `args` (the command line), `row` (what a suite returns and how it is
//! shown); `service` (annotated methods), `peers` (other crates), `random` (what is asked for), `measure` (how time is
//! taken); then a module for each suite: `hit`, `miss`, `scale`, `ratio`, `memory`, `invalidate`, `l2`, `diesel`, `compile`;
//! and `results` (the page made of a run's rows), `machine` (what they were measured on).

mod args;
mod compile;
mod diesel;
mod hit;
mod invalidate;
mod l2;
mod machine;
mod measure;
mod memory;
mod miss;
mod peers;
mod program;
mod random;
mod ratio;
mod results;
mod row;
mod scale;
mod service;

pub use memory::count;
pub use program::main;
