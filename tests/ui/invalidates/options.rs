use cachex::{cached, invalidates, updates};

#[cached]
fn find(id: u64) -> u64 {
    id
}

#[invalidates(tag = ["a"])]
fn slip(id: u64) {
    let _ = id;
}

#[invalidates(find)]
fn without_arguments(id: u64) {
    let _ = id;
}

#[invalidates("user:{id}")]
fn bare_tag(id: u64) {
    let _ = id;
}

#[invalidates(tags("user:{id}"))]
fn list(id: u64) {
    let _ = id;
}

#[invalidates(tags)]
fn no_value(id: u64) {
    let _ = id;
}

#[invalidates(tags = ["a"], tags = ["b"])]
fn twice(id: u64) {
    let _ = id;
}

#[invalidates(tags = ["user:{idd}"])]
fn template(id: u64) {
    let _ = id;
}

#[invalidates((find)(id))]
fn callee(id: u64) {
    let _ = id;
}

#[invalidates(self.find(id))]
fn without_self(id: u64) {
    let _ = id;
}

#[updates(find(id), find(id + 1))]
fn two(id: u64) -> u64 {
    id
}

#[updates("user")]
fn not_an_entry(id: u64) -> u64 {
    id
}

fn main() {
    slip(1);
    let _ = two(not_an_entry(1));
}
