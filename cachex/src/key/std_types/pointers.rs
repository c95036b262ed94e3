//! Owners and references, which are written as what they lead to; and what may be absent.

use std::borrow::Cow;
use std::convert::Infallible;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use crate::key::{CacheKey, KeyWriter};

macro_rules! as_its_target {
    ($($ty:ty;)*) => {$(
        impl<T: CacheKey + ?Sized> CacheKey for $ty {
            #[inline(always)]
            fn encode(&self, out: &mut KeyWriter<'_>) {
                (**self).encode(out);
            }
        }
    )*};
}

as_its_target! {
    &T;
    &mut T;
    Box<T>;
    Rc<T>;
    Arc<T>;
}

impl<T: CacheKey + ToOwned + ?Sized> CacheKey for Cow<'_, T> {
    #[inline(always)]
    fn encode(&self, out: &mut KeyWriter<'_>) {
        (**self).encode(out);
    }
}

impl<T: CacheKey> CacheKey for Option<T> {
    #[inline(always)]
    fn encode(&self, out: &mut KeyWriter<'_>) {
        match self {
            Some(value) => out.write_some(value),
            None => out.write_none(),
        }
    }
}

impl<T: CacheKey, E: CacheKey> CacheKey for Result<T, E> {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        match self {
            Ok(value) => {
                out.write_variant("Ok", 1);
                value.encode(out);
            }
            Err(error) => {
                out.write_variant("Err", 1);
                error.encode(out);
            }
        }
    }
}

impl<T: ?Sized> CacheKey for PhantomData<T> {
    #[inline(always)]
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_unit();
    }
}

impl CacheKey for Infallible {
    fn encode(&self, _out: &mut KeyWriter<'_>) {
        match *self {}
    }
}
