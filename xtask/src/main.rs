//! placeholder of the crate

fn main() {}
