//! What the options of `#[invalidates]` and `#[updates]` mean for this function: checked.

use proc_macro2::Span;

use super::args::{Args, Entry};
use crate::attribute::function::Function;
use crate::attribute::template::Template;
use crate::diag::Mistakes;
use crate::runtime::Runtime;

/// Which of the two attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// `#[invalidates]`.
    Invalidates,
    /// `#[updates]`.
    Updates,
}

impl Effect {
    /// The attribute's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Invalidates => "invalidates",
            Self::Updates => "updates",
        }
    }
}

/// A writing function and what it does to the cache.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) function: Function,
    pub(crate) args: Args,
    pub(crate) tags: Vec<Template>,
    pub(crate) runtime: Runtime,
    /// The entry that gets the returned value.
    pub(crate) updated: Option<Entry>,
}

impl Model {
    /// Checks the options against the function.
    pub(crate) fn new(effect: Effect, mut args: Args, function: Function, mistakes: &mut Mistakes) -> Self {
        let tags = args.tags.iter().filter_map(|literal| Template::parse(literal, &function, mistakes)).collect();
        let runtime = args.root.as_ref().map_or_else(Runtime::new, Runtime::at);
        let updated = match effect {
            Effect::Updates => updated(&mut args, mistakes),
            Effect::Invalidates => {
                if args.entries.is_empty() && args.tags.is_empty() && mistakes.is_empty() {
                    mistakes.at(
                        Span::call_site(),
                        "nothing is invalidated; name an entry, `Self::find(id)`, or a tag, `tags = [\"user:{id}\"]`",
                    );
                }
                None
            }
        };
        for entry in args.entries.iter().chain(&updated) {
            check_self(entry, &function, mistakes);
        }
        Self { function, args, tags, runtime, updated }
    }
}

/// Takes the one entry that gets the value.
fn updated(args: &mut Args, mistakes: &mut Mistakes) -> Option<Entry> {
    let mut entries = std::mem::take(&mut args.entries).into_iter();
    let first = entries.next();
    if first.is_none() && mistakes.is_empty() {
        mistakes.at(Span::call_site(), "no entry is updated; name one: `#[updates(Self::find(id))]`");
    }
    for other in entries {
        let message = "the returned value becomes one entry; name the others in `#[invalidates(…)]`";
        match other {
            Entry::Path(_, call) => mistakes.under(call, message),
            Entry::Method(call) => mistakes.under(call, message),
        }
    }
    first
}

fn check_self(entry: &Entry, function: &Function, mistakes: &mut Mistakes) {
    if let Entry::Method(call) = entry
        && function.receiver.is_none()
        && let syn::Expr::Path(path) = &*call.receiver
        && path.path.is_ident("self")
    {
        mistakes.under(
            &call.receiver,
            "this function has no `self`; name a value, or a path such as `Users::find(&users, id)`",
        );
    }
}
