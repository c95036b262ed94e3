//! The four shapes of a return type.

use std::marker::PhantomData;

use super::Shape;

macro_rules! shapes {
    ($($(#[$doc:meta])* $name:ident<$($param:ident),*>;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<$($param),*>(PhantomData<fn() -> ($($param,)*)>);

        impl<$($param),*> $name<$($param),*> {
            pub(crate) const fn new() -> Self {
                Self(PhantomData)
            }
        }

        impl<$($param),*> Clone for $name<$($param),*> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<$($param),*> Copy for $name<$($param),*> {}
    )*};
}

shapes! {
    /// Any type but the ones below: all of it is kept.
    Plain<R>;
    /// An `Option`: kept, `None` as a negative entry.
    Optional<T>;
    /// A `Result`: its `Ok` is kept.
    Fallible<T, E>;
    /// A `Result` of an `Option`: its `Ok` is kept, `Ok(None)` as a negative entry.
    FallibleOptional<T, E>;
}

impl<R> Shape for Plain<R> {
    type Output = R;
    type Value = R;
    type Loaded = R;

    fn value(self, output: &R) -> Option<&R> {
        Some(output)
    }

    fn output(self, value: R) -> R {
        value
    }

    fn loaded(self, value: &R) -> Option<&R> {
        Some(value)
    }

    fn is_negative(self, _: &R) -> bool {
        false
    }

    fn is_failure(self, _: &R) -> bool {
        false
    }
}

impl<T> Shape for Optional<T> {
    type Output = Option<T>;
    type Value = Option<T>;
    type Loaded = Option<T>;

    fn value(self, output: &Option<T>) -> Option<&Option<T>> {
        Some(output)
    }

    fn output(self, value: Option<T>) -> Option<T> {
        value
    }

    fn loaded(self, value: &Option<T>) -> Option<&Option<T>> {
        Some(value)
    }

    fn is_negative(self, value: &Option<T>) -> bool {
        value.is_none()
    }

    fn is_failure(self, _: &Option<T>) -> bool {
        false
    }
}

impl<T, E> Shape for Fallible<T, E> {
    type Output = Result<T, E>;
    type Value = T;
    type Loaded = T;

    fn value(self, output: &Result<T, E>) -> Option<&T> {
        output.as_ref().ok()
    }

    fn output(self, value: T) -> Result<T, E> {
        Ok(value)
    }

    fn loaded(self, value: &T) -> Option<&T> {
        Some(value)
    }

    fn is_negative(self, _: &T) -> bool {
        false
    }

    fn is_failure(self, output: &Result<T, E>) -> bool {
        output.is_err()
    }
}

impl<T, E> Shape for FallibleOptional<T, E> {
    type Output = Result<Option<T>, E>;
    type Value = Option<T>;
    type Loaded = Option<T>;

    fn value(self, output: &Result<Option<T>, E>) -> Option<&Option<T>> {
        output.as_ref().ok()
    }

    fn output(self, value: Option<T>) -> Result<Option<T>, E> {
        Ok(value)
    }

    fn loaded(self, value: &Option<T>) -> Option<&Option<T>> {
        Some(value)
    }

    fn is_negative(self, value: &Option<T>) -> bool {
        value.is_none()
    }

    fn is_failure(self, output: &Result<Option<T>, E>) -> bool {
        output.is_err()
    }
}
