//! What is counted of the second tier.

use super::counters::Counter;

macro_rules! remote_counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What is counted of the second tier, as it goes on.
        #[derive(Debug, Default)]
        pub(crate) struct RemoteCounters {
            $(pub(crate) $name: Counter,)*
        }

        /// What was counted of the second tier since the cache was made, and how it stands.
        ///
        /// # Examples
        ///
        /// ```
        /// let stats = cachex::RemoteStats::default();
        /// assert_eq!((stats.hits, stats.is_up), (0, false));
        /// ```
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct RemoteStats {
            /// Whether the store can be reached, as far as is known.
            pub is_up: bool,
            /// Whether the notices of other processes come in.
            pub is_listening: bool,
            /// Invalidations and writes on their way to the store. Of what can't be delivered 10 000 things are kept, and 100 000 of what is about to be; then
            /// everything is invalidated in their place. A process that ends takes them along.
            pub undelivered: u64,
            /// Notices of invalidations (one for up to 512 tags, or for a key) and of writes by hand that others were sent, as far as is known.
            pub published: u64,
            /// What failed last, with what to do about it where that is known. It stays when all is well again.
            pub last_error: Option<String>,
            /// What is unsafe about the settings, as long as they are so.
            pub warning: Option<String>,
            $($(#[$doc])* pub $name: u64,)*
        }

        impl RemoteCounters {
            /// Reads all of them.
            pub(crate) fn read(&self) -> RemoteStats {
                RemoteStats { $($name: self.$name.get(),)* ..RemoteStats::default() }
            }
        }
    };
}

remote_counters! {
    /// Values found in the second tier.
    hits,
    /// Look-ups there that found no value of use, each counted once: who waits for the load of another process looks again and again.
    misses,
    /// Look-ups that were left out, because the store could not be reached.
    bypasses,
    /// Look-ups that failed.
    errors,
    /// Look-ups that were given up, because they or the load of another process took too long.
    impatience,
    /// Waits for the load of another process, each until it is looked again whether there is a value.
    waits,
    /// Loaded values stored.
    stores,
    /// Loaded values not stored, because of an invalidation during the load.
    rejected_stores,
    /// Loaded values of which it is not known whether they were stored.
    store_errors,
    /// Values written by hand.
    writes,
    /// Values written by hand that did not arrive; their keys are invalidated instead.
    write_errors,
    /// Values that could not be read: altered, of another type, or written by another version.
    refused,
    /// Invalidations delivered: tags, methods and keys.
    invalidations,
    /// Attempts to deliver invalidations that failed.
    invalidation_errors,
    /// Notices of other processes.
    notices,
    /// Messages that were left out, because the callback of a subscription was too slow.
    unheard,
    /// Notices that could not be read.
    unreadable,
    /// Times at which a notice was found to be lost.
    gaps,
    /// Times at which everything in memory became wrong, because notices may have been lost.
    flushes,
    /// Times at which a key was noted in the index.
    indexed,
    /// Times at which it was not, because too much had to be noted at once, or the store did not take it.
    unindexed,
    /// Values removed because a tag of theirs had been invalidated, before they expired.
    reclaimed,
    /// Invalidations of tags whose values were left to expire, because there was too much to do, or the store did not take it.
    unreclaimed,
    /// Connections to the store that were made.
    connects,
    /// Connections to the store that broke.
    disconnects,
}
