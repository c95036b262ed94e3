//! What is run, in which order: cheap steps first, and steps that share what they build beside each other.

use std::time::Duration;

use crate::step::{Program, Step, Work};
use crate::workspace::Workspace;
use crate::{dependencies, instructions, setup};

/// Longer than any step takes on a slow machine with nothing built.
const LIMIT: Duration = Duration::from_secs(20 * 60);

fn step(name: &'static str, programs: Vec<Program>) -> Step {
    Step { name, work: Work::Run(programs), limit: LIMIT }
}

fn cargo(name: &'static str, arguments: &str) -> Step {
    step(name, vec![Program::cargo(arguments)])
}

/// Everything.
pub(crate) fn all(workspace: &Workspace) -> Result<Vec<Step>, String> {
    let mut steps = vec![
        cargo("format", "fmt --all --check"),
        Step { name: "dependencies", work: Work::Check(dependencies::check), limit: LIMIT },
        cargo("clippy", "clippy --workspace --all-targets --all-features -- -D warnings"),
        step("features", features(workspace)),
        // The examples are built here as well, with the same features, so that their step only runs them.
        step("build", vec![Program::cargo("test --workspace --all-features --lib --bins --tests --examples --no-run")]),
        cargo("tests", "test --workspace --all-features --lib --bins --tests"),
        valkey(),
        cargo("doc-tests", "test --workspace --all-features --doc"),
        step("docs", vec![docs()]),
        step("examples", examples(workspace)),
        instructions(),
    ];
    if workspace.has_loom {
        steps.push(step("loom", vec![loom()]));
    }
    steps.push(miri());
    Ok(steps)
}

/// The inner loop.
pub(crate) fn fast(_workspace: &Workspace) -> Result<Vec<Step>, String> {
    Ok(vec![
        cargo("format", "fmt --all --check"),
        cargo("clippy", "clippy --workspace --all-targets -- -D warnings"),
        cargo("tests", "test --workspace --lib --bins --tests"),
    ])
}

/// What cargo-deny checks.
pub(crate) fn deny() -> Vec<Step> {
    vec![cargo("deny", "deny --all-features check")]
}

/// Every crate of ours without features, with each alone (or those together that it names), and with its default; with all it is seen by `clippy`.
fn features(workspace: &Workspace) -> Vec<Program> {
    let mut programs = Vec::new();
    for package in &workspace.members {
        if package.features.is_empty() {
            continue;
        }
        let mut check = |features: &str| {
            let name = &package.name;
            let line = format!("clippy --package {name} --lib {features} -- -D warnings");
            programs.push(Program::cargo(&line));
        };
        check("--no-default-features");
        if package.has_default {
            check("");
        }
        for feature in if package.checked.is_empty() { &package.features } else { &package.checked } {
            check(&format!("--no-default-features --features {feature}"));
        }
    }
    programs
}

fn docs() -> Program {
    Program::cargo("doc --workspace --all-features --no-deps").variable("RUSTDOCFLAGS", "-D warnings")
}

/// Every example; the quickstart as the README says, and for a short time.
fn examples(workspace: &Workspace) -> Vec<Program> {
    let mut programs = Vec::new();
    for example in &workspace.examples {
        programs.push(match example.as_str() {
            "quickstart" => Program::cargo("run --example quickstart -- --seconds 2"),
            name => Program::cargo(&format!("run --all-features --example {name}")),
        });
    }
    programs
}

/// What a hit costs.
fn instructions() -> Step {
    let work = match instructions::IS_POSSIBLE {
        true => Work::Check(instructions::check),
        false => Work::Skip("callgrind counts instructions on Linux only"),
    };
    Step { name: "instructions", work, limit: LIMIT }
}

/// The tests with a server of Redis, with one of Valkey.
fn valkey() -> Step {
    let work = match setup::valkey() {
        true => Work::Run(vec![
            Program::cargo("test --workspace --all-features --test suite redis::")
                .variable("CACHEX_TESTS_REDIS_SERVER", "valkey-server"),
        ]),
        false => Work::Skip("there is no valkey-server, and this system has no package of it"),
    };
    Step { name: "valkey", work, limit: LIMIT }
}

/// The tests of the only unsafe code, by an interpreter that sees what it must not do. It belongs to a nightly toolchain, which
/// not every machine can have.
fn miri() -> Step {
    let work = match setup::miri() {
        true => Work::Run(vec![
            Program::new("rustup run nightly cargo miri test --package cachex --lib --target-dir target/miri raw::")
                // The tests of properties write what failed.
                .variable("MIRIFLAGS", "-Zmiri-disable-isolation"),
        ]),
        false => Work::Skip(
            "Miri can't be installed; type: rustup toolchain install nightly --component miri --component rust-src",
        ),
    };
    Step { name: "miri", work, limit: LIMIT }
}

/// The model checks, with what they build apart: their flags would make everything else be built anew.
fn loom() -> Program {
    Program::cargo("test --package cachex --lib --release --target-dir target/loom loom_")
        .variable("RUSTFLAGS", "--cfg cachex_loom")
        .variable("CARGO_PROFILE_RELEASE_LTO", "off")
        .variable("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
}
