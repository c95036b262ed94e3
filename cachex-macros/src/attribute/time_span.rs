//! Durations in options: `"5m"`, `"1h30m"`, or a constant expression.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit};

use super::ours_at;
use crate::diag::Mistakes;
use crate::runtime::Runtime;

/// The longest duration that the runtime takes: 100 years, of 365.25 days each.
const LONGEST: Duration = Duration::from_secs(100 * 31_557_600);

/// A duration in an option.
#[derive(Clone, Debug)]
pub(crate) enum TimeSpan {
    /// Known now.
    Known(Duration, Span),
    /// Known to the compiler only.
    Expression(Box<Expr>),
}

impl TimeSpan {
    /// Reads the value of an option; zero and what is no duration are mistakes.
    pub(crate) fn parse(name: &Ident, value: Expr, mistakes: &mut Mistakes) -> Option<Self> {
        match &value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => match humantime::parse_duration(&text.value()) {
                Ok(Duration::ZERO) => {
                    mistakes.at(text.span(), zero(name));
                    None
                }
                Ok(span) if span > LONGEST => {
                    mistakes.at(text.span(), format!("`{name}` is longer than 100 years; shorten it, or remove it"));
                    None
                }
                Ok(span) => Some(Self::Known(span, text.span())),
                Err(_) => {
                    mistakes.at(
                        text.span(),
                        format!("`{}` is not a duration; write `\"90s\"`, `\"5m\"` or `\"1h30m\"`", text.value()),
                    );
                    None
                }
            },
            Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => {
                let digits = number.base10_digits();
                mistakes.at(number.span(), format!("a duration needs a unit: `{name} = \"{digits}s\"`"));
                None
            }
            Expr::Lit(_) => {
                mistakes.under(
                    &value,
                    format!("`{name}` is a duration: `\"5m\"`, or a constant expression of type `Duration`"),
                );
                None
            }
            _ => Some(Self::Expression(Box::new(value))),
        }
    }

    /// Returns the duration if it is known now.
    pub(crate) fn known(&self) -> Option<Duration> {
        match self {
            Self::Known(span, _) => Some(*span),
            Self::Expression(_) => None,
        }
    }

    /// Returns where the value stands.
    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Known(_, span) => *span,
            Self::Expression(value) => value.span(),
        }
    }

    /// Spells the duration as an expression of type `Duration`.
    pub(crate) fn tokens(&self, runtime: &Runtime) -> TokenStream {
        match self {
            Self::Known(known, span) => {
                let span = ours_at(*span);
                let duration = runtime.private_at("Duration", span);
                let (seconds, nanos) = (known.as_secs(), known.subsec_nanos());
                quote_spanned!(span=> #duration::new(#seconds, #nanos))
            }
            Self::Expression(value) => value.to_token_stream(),
        }
    }
}

fn zero(name: &Ident) -> String {
    match name.to_string().as_str() {
        "negative_ttl" => {
            "`negative_ttl` must be longer than zero; to keep no negative entries write `unless = Option::is_none`"
                .into()
        }
        "ttl" => "`ttl` must be longer than zero; to keep nothing remove the attribute, or write `when = false`".into(),
        _ => format!("`{name}` must be longer than zero; remove it to switch it off"),
    }
}
