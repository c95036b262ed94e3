//! Which durations fit together: the checks of `#[cached]` that need two options.

use std::time::Duration;

use proc_macro2::Span;
use syn::{Expr, ExprLit, Lit};

use super::args::{Args, TimeSpans};
use crate::attribute::time_span::TimeSpan;
use crate::diag::Mistakes;

/// The spread of expiries.
#[derive(Debug)]
pub(crate) enum Spread {
    /// A share of the TTL, 0.0 to 1.0, and where it stands.
    Share(f64, Span),
    /// At most this.
    Span(TimeSpan),
    /// An expression of type `Jitter`.
    Expression(Box<Expr>),
}

/// Notes the durations that contradict each other or can have no effect.
pub(crate) fn check(args: &Args, spread: Option<&Spread>, mistakes: &mut Mistakes) {
    let TimeSpans { ttl, tti, soft_ttl, grace, timeout, soft_timeout, refresh_ahead, .. } = &args.spans;
    let has_ttl = ttl.is_some() || args.ttl_with.is_some();
    shorter("soft_ttl", soft_ttl, "ttl", ttl, "to disable staleness", mistakes);
    shorter("refresh_ahead", refresh_ahead, "ttl", ttl, "to disable refreshing", mistakes);
    shorter("soft_timeout", soft_timeout, "timeout", timeout, "to wait for the load", mistakes);
    if let (Some(ahead), Some(_)) = (refresh_ahead, soft_ttl) {
        mistakes.at(ahead.span(), "`refresh_ahead` and `soft_ttl` both say when an entry is stale; remove one of them");
    }
    if let (Some(ahead), false) = (refresh_ahead, has_ttl) {
        mistakes.at(ahead.span(), "`refresh_ahead` counts back from the TTL, and there is none; add `ttl = \"…\"`");
    }
    if let (Some(soft), None) = (soft_timeout, grace) {
        mistakes.at(
            soft.span(),
            "`soft_timeout` answers with an expired entry, and without `grace` none is kept; add `grace = \"…\"`",
        );
    }
    if let (Some(grace), false) = (grace, has_ttl || tti.is_some()) {
        mistakes.at(grace.span(), "`grace` begins when an entry expires, and these never do; add `ttl = \"…\"`");
    }
    if let Some(spread) = spread {
        check_spread(spread, ttl.as_ref(), has_ttl, mistakes);
    }
    if let (Some((false, _)), Some(share)) = (args.single_flight, args.share_err) {
        mistakes
            .at(share, "`share_err` has no effect, as `single_flight = false` lets nobody wait; remove one of them");
    }
}

/// Returns whether a duration is known to the compiler only, which then checks the rest.
pub(crate) fn has_expressions(spans: &TimeSpans) -> bool {
    let TimeSpans { ttl, soft_ttl, timeout, soft_timeout, refresh_ahead, tti, grace, negative_ttl } = spans;
    [ttl, soft_ttl, timeout, soft_timeout, refresh_ahead, tti, grace, negative_ttl]
        .into_iter()
        .any(|span| matches!(span, Some(TimeSpan::Expression(_))))
}

fn shorter(
    name: &str,
    short: &Option<TimeSpan>,
    bound: &str,
    long: &Option<TimeSpan>,
    purpose: &str,
    mistakes: &mut Mistakes,
) {
    let (Some(short), Some(long)) = (short, long) else { return };
    let (Some(known), Some(limit)) = (short.known(), long.known()) else { return };
    if known >= limit {
        let limit = humantime::format_duration(limit);
        mistakes.at(
            short.span(),
            format!("`{name}` must be shorter than `{bound}` ({limit}); lower it, or remove it {purpose}"),
        );
    }
}

fn check_spread(spread: &Spread, ttl: Option<&TimeSpan>, has_ttl: bool, mistakes: &mut Mistakes) {
    let (span, known) = match spread {
        Spread::Share(_, span) => (*span, None),
        Spread::Span(limit) => (limit.span(), limit.known()),
        Spread::Expression(expression) => (syn::spanned::Spanned::span(&**expression), None),
    };
    if !has_ttl {
        mistakes.at(span, "`jitter` shortens the TTL, and there is none; add `ttl = \"…\"`");
    }
    let limit: Option<Duration> = ttl.and_then(TimeSpan::known);
    if let (Some(known), Some(limit)) = (known, limit)
        && known >= limit
    {
        let limit = humantime::format_duration(limit);
        mistakes.at(span, format!("`jitter` must be shorter than `ttl` ({limit}); lower it"));
    }
}

/// Reads `jitter`: `"10%"`, a duration, or an expression of type `Jitter`.
pub(crate) fn spread(value: Expr, mistakes: &mut Mistakes) -> Option<Spread> {
    let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &value else {
        if let Expr::Lit(_) = &value {
            mistakes.under(&value, "`jitter` is a share or a duration: `jitter = \"10%\"`, `jitter = \"30s\"`");
            return None;
        }
        return Some(Spread::Expression(Box::new(value)));
    };
    let written = text.value();
    let Some(percent) = written.trim().strip_suffix('%') else {
        return match humantime::parse_duration(&written) {
            Ok(Duration::ZERO) => {
                mistakes.at(text.span(), "`jitter` must be more than zero; remove it to switch it off");
                None
            }
            Ok(span) => Some(Spread::Span(TimeSpan::Known(span, text.span()))),
            Err(_) => {
                mistakes.at(
                    text.span(),
                    format!("`{written}` is neither a share nor a duration; write `\"10%\"` or `\"30s\"`"),
                );
                None
            }
        };
    };
    match percent.trim().parse::<f64>() {
        Ok(percent) if percent > 0.0 && percent <= 100.0 => Some(Spread::Share(percent / 100.0, text.span())),
        _ => {
            mistakes.at(text.span(), "a share is more than 0% and at most 100%; write `\"10%\"`");
            None
        }
    }
}
