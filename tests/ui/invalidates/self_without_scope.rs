use cachex::invalidates;

struct Users;

impl Users {
    #[invalidates(tags = ["users"])]
    async fn rename(&self, id: u64) {
        let _ = id;
    }
}

fn main() {}
