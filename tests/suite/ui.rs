//! What the compiler says to wrong annotations, and that it says nothing to right ones.
//!
//! Each file of `ui/` is a program; the `.stderr` beside it is what the compiler says. `TRYBUILD=overwrite cargo test -p
//! cachex-tests ui` writes them anew: read them before they are committed.

#[test]
fn messages_point_at_the_token_and_say_what_to_write() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/cached/*.rs");
    cases.compile_fail("ui/invalidates/*.rs");
    cases.pass("ui/pass/*.rs");
}
