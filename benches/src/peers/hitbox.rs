//! `#[cached]` of hitbox-fn, over its moka backend.
//!
//! The function returns the payload itself: hitbox keeps bytes, and reads a value from them for each caller. They are in
//! bincode, the fastest of its formats.

use hitbox::concurrency::NoopConcurrencyManager;
use hitbox_backend::PassthroughCompressor;
use hitbox_backend::format::BincodeFormat;
use hitbox_fn::prelude::*;
use hitbox_moka::MokaBackend;

use super::TTL;
use crate::service::Payload;

pub(crate) struct Hitbox(Cache<MokaBackend<BincodeFormat, PassthroughCompressor>, NoopConcurrencyManager>);

#[cached]
async fn by_number(id: u64) -> Payload {
    Payload::numbered(id)
}

impl Hitbox {
    pub(crate) const NAME: &'static str = "hitbox";

    /// Makes a cache for as many entries.
    pub(crate) fn bounded(capacity: usize) -> Self {
        let backend = MokaBackend::builder().max_entries(capacity as u64).value_format(BincodeFormat).build();
        let policy = PolicyConfig::builder().ttl(TTL).build();
        Self(Cache::builder().backend(backend).policy(policy).build())
    }

    pub(crate) async fn call(&self, id: u64) -> Payload {
        by_number(id).cache(&self.0).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_call_hits() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let hitbox = Hitbox::bounded(10);
            for status in [CacheStatus::Miss, CacheStatus::Hit] {
                let (value, context) = by_number(7).cache(&hitbox.0).with_context().await;
                assert_eq!((value, context.status), (Payload::numbered(7), status));
            }
        });
    }
}
