//! Return values: plain, `Option`, `Result`, aliases, and what is kept of each.

use std::collections::HashMap;
use std::sync::Arc;

use cachex::cached;

use super::Loads;

type Outcome<T> = Result<T, String>;
type Maybe = Option<u64>;
type Found = Outcome<Maybe>;

#[test]
fn the_return_type_is_known_by_any_name() {
    static LOADS: Loads = Loads::new();

    #[cached(ttl = "1m")]
    fn alias(n: u64) -> Outcome<u64> {
        LOADS.note();
        if n == 0 { Err("zero".to_owned()) } else { Ok(n) }
    }

    #[cached(ttl = "1m")]
    fn maybe(n: u64) -> Maybe {
        LOADS.note();
        n.checked_sub(1)
    }

    #[cached(ttl = "1m", unless = Option::is_none)]
    fn found(n: u64) -> Found {
        LOADS.note();
        Ok(n.checked_sub(1))
    }

    assert_eq!([alias(1), alias(1)], [Ok(1), Ok(1)]);
    LOADS.check(1);
    assert_eq!(alias(0), Err("zero".to_owned()));
    assert_eq!(alias(0), Err("zero".to_owned()));
    LOADS.check(3);
    assert_eq!([maybe(0), maybe(0)], [None, None]);
    LOADS.check(4);
    assert_eq!([found(0), found(0)], [Ok(None), Ok(None)]);
    LOADS.check(6);
    assert_eq!([found(2), found(2)], [Ok(Some(1)), Ok(Some(1))]);
    LOADS.check(7);
}

#[test]
fn a_shared_value_is_shared() {
    #[cached(ttl = "1m")]
    fn list(n: u64) -> Arc<[u64]> {
        (0..n).collect()
    }

    assert!(Arc::ptr_eq(&list(3), &list(3)));
}

#[test]
fn a_value_that_is_not_serializable_is_kept_locally() {
    #[derive(Clone, Debug, PartialEq)]
    struct Handle(u64);

    #[cached(ttl = "1m", local)]
    fn open(n: u64) -> Result<Handle, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Handle(n))
    }

    #[cached(ttl = "1m", local)]
    fn name(n: u64) -> &'static str {
        if n == 0 { "zero" } else { "many" }
    }

    assert_eq!(open(1).unwrap(), Handle(1));
    assert_eq!([name(0), name(1)], ["zero", "many"]);
}

#[tokio::test]
async fn question_marks_and_returns_work_in_every_body() {
    #[cached(ttl = "1m")]
    async fn parse(text: &str) -> Result<HashMap<String, i32>, Box<dyn std::error::Error + Send + Sync>> {
        if text.is_empty() {
            return Err("empty".into());
        }
        let n: i32 = text.parse()?;
        Ok(HashMap::from([(text.to_owned(), n)]))
    }

    assert_eq!(parse("7").await.unwrap()["7"], 7);
    assert_eq!(parse("").await.unwrap_err().to_string(), "empty");
    assert!(parse("x").await.unwrap_err().is::<std::num::ParseIntError>());
}
