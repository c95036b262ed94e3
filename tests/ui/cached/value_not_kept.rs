use cachex::cached;

struct User;

#[derive(Clone)]
struct Session;

#[cached(ttl = "1m")]
fn user(id: u64) -> Result<Option<User>, String> {
    let _ = id;
    Ok(None)
}

#[cached(ttl = "1m")]
async fn session(id: u64) -> Vec<Session> {
    let _ = id;
    Vec::new()
}

#[cached(ttl = "1m", local)]
fn local(id: u64) -> Option<std::rc::Rc<u64>> {
    Some(id.into())
}

fn main() {}
