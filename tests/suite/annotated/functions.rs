//! Free functions, sync and async.

use cachex::cached;

use super::Loads;

#[test]
fn a_blocking_function_loads_once() {
    static LOADS: Loads = Loads::new();

    #[cached(ttl = "1m")]
    fn double(n: u64) -> u64 {
        LOADS.note();
        n * 2
    }

    assert_eq!([double(2), double(2)], [4, 4]);
    LOADS.check(1);
    assert_eq!(double(3), 6);
    LOADS.check(2);
}

#[tokio::test]
async fn an_async_function_loads_once() {
    static LOADS: Loads = Loads::new();

    #[cached(ttl = "1m")]
    async fn rate(currency: &str) -> String {
        tokio::task::yield_now().await;
        LOADS.note();
        format!("1 {currency}")
    }

    assert_eq!(rate("EUR").await, "1 EUR");
    assert_eq!(rate("EUR").await, "1 EUR");
    LOADS.check(1);
}

#[test]
fn a_function_without_arguments_has_one_entry() {
    static LOADS: Loads = Loads::new();

    #[cached]
    fn settings() -> Vec<String> {
        LOADS.note();
        vec!["dark".to_owned()]
    }

    assert_eq!(settings(), settings());
    LOADS.check(1);
}

#[tokio::test]
async fn the_future_is_send_when_the_body_is() {
    fn assert_send<T: Send>(value: T) -> T {
        value
    }

    #[cached(ttl = "1m", tags = ["rates", "rate:{currency}"])]
    async fn rate(currency: String, amount: &u64) -> Result<Option<u64>, String> {
        tokio::task::yield_now().await;
        Ok(Some(currency.len() as u64 * amount))
    }

    assert_eq!(assert_send(rate("EUR".to_owned(), &2)).await, Ok(Some(6)));
    assert!(!format!("{:?}", rate_key(&"EUR".to_owned(), &2)).is_empty());
    let removed: bool = assert_send(rate_remove(&"EUR".to_owned(), &2)).await;
    assert!(removed);
    assert_send(rate_prime(&"EUR".to_owned(), &2, &Ok(None))).await;
    assert_eq!(tokio::spawn(async { rate("EUR".to_owned(), &2).await }).await.unwrap(), Ok(None));
}

#[test]
fn attributes_of_the_item_are_kept() {
    #[cached(ttl = "1m")]
    #[cfg(not(test))]
    fn absent() -> NoSuchType {
        unreachable!()
    }

    #[cfg(test)]
    #[cached(ttl = "1m")]
    #[must_use]
    #[expect(clippy::needless_return, reason = "an expectation about the body stays with the body")]
    fn present() -> u8 {
        return 7;
    }

    assert_eq!(present(), 7);
}

#[test]
fn visibility_is_shared_with_the_companions() {
    mod inner {
        #[cachex::cached(ttl = "1m")]
        pub(super) fn seven() -> u8 {
            7
        }
    }

    assert_eq!(inner::seven(), inner::seven_uncached());
    assert_eq!(inner::seven_key(), inner::seven_key());
}
