use cachex::cached;

#[derive(Clone, Copy)]
struct User {
    id: u64,
}

#[cached(tags = ["users", "user:{idd}"])]
fn slip(id: u64) -> u64 {
    id
}

#[cached(tags = ["user:{something_else}"])]
fn stranger(id: u64, name: &str) -> u64 {
    id + name.len() as u64
}

#[cached(tags = ["user:{id}"])]
fn without_arguments() -> u64 {
    1
}

#[cached(tags = ["tenant:{self.tenant}"])]
fn without_self(id: u64) -> u64 {
    id
}

#[cached(tags = ["user:{id"])]
fn open(id: u64) -> u64 {
    id
}

#[cached(tags = ["user:id}"])]
fn closed(id: u64) -> u64 {
    id
}

#[cached(tags = ["user:{}"])]
fn empty(id: u64) -> u64 {
    id
}

#[cached(tags = ["user:{id:?}"])]
fn format(id: u64) -> u64 {
    id
}

#[cached(tags = ["user:{id + 1}"])]
fn expression(id: u64) -> u64 {
    id
}

#[cached(tags = ["user:{0.id}"])]
fn position(user: User) -> u64 {
    user.id
}

#[cached(tags = [""])]
fn nameless(id: u64) -> u64 {
    id
}

#[cached(tags = ["trace:{trace}"], skip(trace))]
fn skipped(id: u64, trace: u64) -> u64 {
    id + trace
}

#[cached(tags = ["user:{id}"])]
fn pattern(all @ User { id }: User) -> u64 {
    id + all.id
}

fn main() {}
