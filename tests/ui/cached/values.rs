use cachex::cached;

#[cached(tags = "users")]
fn one_tag(n: u64) -> u64 {
    n
}

#[cached(tags = [])]
fn no_tag(n: u64) -> u64 {
    n
}

#[cached(tags = [format!("user:{n}")])]
fn made_tag(n: u64) -> u64 {
    n
}

#[cached(name = users)]
fn name(n: u64) -> u64 {
    n
}

#[cached(name = "")]
fn no_name(n: u64) -> u64 {
    n
}

#[cached(version = "2")]
fn version(n: u64) -> u64 {
    n
}

#[cached(version = -1)]
fn below_zero(n: u64) -> u64 {
    n
}

#[cached(single_flight = "off")]
fn single_flight(n: u64) -> u64 {
    n
}

#[cached(single_flight)]
fn no_value(n: u64) -> u64 {
    n
}

#[cached(local = true)]
fn flag(n: u64) -> u64 {
    n
}

#[cached(crate = "cachex")]
fn path(n: u64) -> u64 {
    n
}

#[cached(skip = n)]
fn skip(n: u64) -> u64 {
    n
}

#[cached(skip)]
fn skip_nothing(n: u64) -> u64 {
    n
}

#[cached(skip())]
fn skip_none(n: u64) -> u64 {
    n
}

#[cached(skip(n + 1))]
fn skip_sum(n: u64) -> u64 {
    n
}

fn main() {}
