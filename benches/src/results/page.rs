//! The page.

use super::bars::{Bar, Limit, bars};
use super::pivot::{Label, table};
use super::plots::Drawn;
use super::{Figures, digits, short};
use crate::machine;
use crate::row::Row;
use crate::service::CONSTANT;

const SUBJECT: Label = |row| row.subject.to_string();
const CASE: Label = |row| row.case.to_string();
const SIZE: Label = |row| short(row.entries);
const THREADS: Label = |row| format!("{} thread{}", row.threads, if row.threads == 1 { "" } else { "s" });
const TASKS: Label = |row| format!("{} task{}", row.threads, if row.threads == 1 { "" } else { "s" });
const CASE_AND_SIZE: Label = |row| format!("{}, {}", row.case, short(row.entries));
const SIZE_AND_THREADS: Label = |row| format!("{}, {}", SIZE(row), THREADS(row));

/// Writes the page.
pub(super) fn text(figures: &Figures, drawn: &[Drawn]) -> String {
    let sections = [
        introduction(figures),
        bar_table(&bars(figures)),
        hits(figures, drawn),
        misses(figures, drawn),
        ratios(figures, drawn),
        memory(figures, drawn),
        invalidations(figures),
        scale(figures, drawn),
        second_tier(figures),
        diesel(figures),
        compile(figures),
    ];
    let mut text = sections.concat().trim_end().to_owned();
    text.push('\n');
    text
}

fn introduction(figures: &Figures) -> String {
    let mut text = "# Results\n\n\
        Made from the rows of a run of each suite by `cargo run --release -p cachex-bench -- results`; don't edit. What each suite \
        does, and what peers do without, is said at the beginning of its module in `benches/src`.\n\n\
        Times are nanoseconds for one call, as the thread that calls sees it, and medians; subjects were measured in turns. \
        In brackets is how many times what cachex takes.\n\n\
        Peers do of a cached method's work what they can. `moka`, `cached`, `concurrent_cached` and `hitbox` have a capacity and \
        a TTL, `quick_cache` and `foyer` a capacity only; `hashmap`, `papaya` and what is `unbounded` keep everything for \
        ever. None has tags, and maps and caches don't build keys from arguments. The tags of `cachex constant` are constants, which a \
        method has and not each entry; where both stand together, those of `cachex` are made from the arguments.\n\n\
        | measured on | |\n|---|---|\n"
        .to_owned();
    for row in figures.of(machine::SUITE) {
        let amount = if row.unit.is_empty() { String::new() } else { format!(", {} {}", row.value, row.unit) };
        let tick = if row.case == "command" { "`" } else { "" };
        text.push_str(&format!("| {} | {tick}{}{tick}{amount} |\n", row.case, row.subject));
    }
    text.push('\n');
    text
}

fn bar_table(bars: &[Bar]) -> String {
    let mut text = "## Bars\n\nWhere one stands for several cases, the worst of them counts.\n\n\
        | what | bar | reached | |\n|---|--:|--:|---|\n"
        .to_owned();
    for bar in bars {
        let with_unit = |value| format!("{} {}", digits(value), bar.unit).trim_end().replace(" x", "x");
        let limit = match bar.limit {
            Limit::AtMost(limit) => format!("≤ {}", with_unit(limit)),
            Limit::AtLeast(limit) => format!("≥ {}", with_unit(limit)),
        };
        let verdict = match bar.is_reached() {
            Some(true) => "reached",
            Some(false) => "**missed**",
            None => "not measured in this run",
        };
        let reached = bar.worst().map_or_else(String::new, with_unit);
        text.push_str(&format!("| {} | {limit} | {reached} | {verdict} |\n", bar.what));
    }
    text.push('\n');
    text
}

fn hits(figures: &Figures, drawn: &[Drawn]) -> String {
    let (by_size, kinds): (Vec<&Row>, Vec<&Row>) =
        figures.of("hit").into_iter().partition(|row| ["uniform", "zipf 0.99"].contains(&row.case.as_ref()));
    let mut text = heading("Hit", "An annotated method that hits, ns.", "hit", drawn);
    for (threads, title) in [(1, "One thread"), (2, "Two threads at once")] {
        let kinds: Vec<_> = kinds.iter().copied().filter(|row| row.threads == threads).collect();
        text.push_str(&format!("{title}, 1k entries, uniform:\n\n"));
        text.push_str(&table("subject", &kinds, SUBJECT, CASE, true));
    }
    for popularity in ["uniform", "zipf 0.99"] {
        let rows: Vec<_> = by_size.iter().copied().filter(|row| row.case == popularity).collect();
        text.push_str(&format!("By entries and threads, {popularity}:\n\n"));
        text.push_str(&table("subject", &rows, SUBJECT, SIZE_AND_THREADS, true));
    }
    text
}

fn misses(figures: &Figures, drawn: &[Drawn]) -> String {
    let rows = figures.of("miss");
    let mut text = heading("Miss", "A load that evicts, ns, by capacity and threads.", "miss", drawn);
    for case in ["evicting", "evicting, 1 tag", "evicting, 3 tags", "same keys", "insert"] {
        let rows: Vec<_> = rows.iter().copied().filter(|row| row.case == case).collect();
        text.push_str(&format!("`{case}`:\n\n"));
        text.push_str(&table("subject", &rows, SUBJECT, SIZE_AND_THREADS, true));
    }
    text
}

fn ratios(figures: &Figures, drawn: &[Drawn]) -> String {
    let rows = figures.of("ratio");
    let mut text =
        heading("Hit ratio", "Hits in percent of calls; the capacity in percent of the keys.", "ratio", drawn);
    text.push_str(&table("trace", &rows, CASE, SUBJECT, false));
    text
}

fn memory(figures: &Figures, drawn: &[Drawn]) -> String {
    let (counts, amounts): (Vec<&Row>, Vec<&Row>) =
        figures.of("memory").into_iter().partition(|row| row.unit == "allocs");
    let mut text = heading(
        "Memory",
        "Bytes for each entry, the value itself (48 bytes) left out, and values that are alive after churn.",
        "memory",
        drawn,
    );
    text.push_str(&table("subject", &amounts, SUBJECT, CASE, false));
    text.push_str("Allocations for one call, those of the load left out:\n\n");
    text.push_str(&table("call", &counts, CASE, SUBJECT, false));
    text
}

fn invalidations(figures: &Figures) -> String {
    let mut text = heading("Invalidation", "Of one tag, and the calls after it, ns, by entries with the tag.", "", &[]);
    for (subject, title) in [("cachex", "A tag that each entry carries"), (CONSTANT, "A constant tag of the method")] {
        let rows: Vec<_> = figures.of("invalidate").into_iter().filter(|row| row.subject == subject).collect();
        text.push_str(&format!("{title}:\n\n"));
        text.push_str(&table("what", &rows, CASE, SIZE, false));
    }
    text
}

fn scale(figures: &Figures, drawn: &[Drawn]) -> String {
    let rows = figures.of("scale");
    let mut text = heading("Scale", "How times grow, ns, and bytes for each entry.", "scale", drawn);
    let of = |wanted: fn(&Row) -> bool| rows.iter().copied().filter(|row| wanted(row)).collect::<Vec<_>>();
    text.push_str("A hit, by entries and threads:\n\n");
    text.push_str(&table("subject", &of(|row| row.case == "hit"), SUBJECT, SIZE_AND_THREADS, true));
    text.push_str("A hit, by tags of its entry:\n\n");
    text.push_str(&table("subject", &of(|row| row.case.starts_with("hit, ")), SUBJECT, CASE, true));
    text.push_str("A look-up in the memory tier by itself, with and without all keys on one hash:\n\n");
    text.push_str(&table("subject", &of(|row| row.case.starts_with("get")), SUBJECT, CASE, false));
    for (case, title) in
        [("insert, ", "An insertion, by tags of its entry"), ("invalidate, ", "An invalidation, by tags")]
    {
        let rows: Vec<_> = rows.iter().copied().filter(|row| row.case.starts_with(case)).collect();
        text.push_str(&format!("{title}:\n\n"));
        text.push_str(&table("subject", &rows, SUBJECT, CASE, false));
    }
    for (case, title) in [("insert", "An insertion, by entries in the end"), ("invalidate", "The end of all entries")] {
        let rows: Vec<_> = rows.iter().copied().filter(|row| row.case == case).collect();
        text.push_str(&format!("{title}:\n\n"));
        text.push_str(&table("subject", &rows, SUBJECT, SIZE, true));
    }
    text.push_str("Bytes for each entry after churn, by entries and by tags:\n\n");
    text.push_str(&table("subject", &of(|row| row.case == "bytes"), SUBJECT, SIZE, true));
    text.push_str(&table("subject", &of(|row| row.case.starts_with("bytes, ")), SUBJECT, CASE, false));
    text
}

fn second_tier(figures: &Figures) -> String {
    let (gets, others): (Vec<&Row>, Vec<&Row>) =
        figures.of("l2").into_iter().partition(|row| row.case.starts_with("get"));
    let about = "Values in a Redis of the same machine: an annotated call that finds nothing in memory, ns, by tasks that ask at once.";
    let mut text = heading("Second tier", about, "", &[]);
    for (case, title) in
        [("get", "Over the thread of cachex"), ("get, runtime", "By connections of the callers' runtime")]
    {
        let rows: Vec<_> = gets.iter().copied().filter(|row| row.case == case).collect();
        text.push_str(&format!("{title}:\n\n"));
        text.push_str(&table("subject", &rows, SUBJECT, TASKS, true));
    }
    text.push_str("A hit in memory, a value set by hand, and, as the server sees it, an invalidation:\n\n");
    text.push_str(&table("what", &others, CASE_AND_SIZE, SUBJECT, false));
    text
}

fn diesel(figures: &Figures) -> String {
    let about = "Operations of a connection of Diesel, ns, with the wrapper and without it; `cached, …`: a query whose rows are kept, and the same, asked.";
    let mut text = heading("Diesel", about, "", &[]);
    text.push_str(&table("operation", &figures.of("diesel"), CASE, SUBJECT, true));
    text
}

fn compile(figures: &Figures) -> String {
    let rows = figures.of("compile");
    let mut text = heading("Compile time", "Of a clean `cargo check`, ms, and what one annotation adds.", "", &[]);
    text.push_str(&table("subject", &rows, SUBJECT, CASE, false));
    text
}

/// Begins a section, with the plots whose names begin with `plot`.
fn heading(title: &str, about: &str, plot: &str, drawn: &[Drawn]) -> String {
    let mut text = format!("## {title}\n\n{about}\n\n");
    for plot in drawn.iter().filter(|drawn| drawn.file.starts_with(plot)) {
        text.push_str(&format!("![{}](plots/{})\n\n", plot.title, plot.file));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::figure;
    use super::*;

    #[test]
    fn the_page_has_the_rows_of_every_suite() {
        for suite in crate::program::SUITES.iter().map(|suite| suite.name) {
            let case = match suite {
                "hit" => "1 tag",
                "miss" => "evicting",
                "scale" => "hit",
                "l2" => "get",
                _ => "a case",
            };
            let text = text(&Figures { rows: vec![figure(suite, case, "cachex", (1, 1_000), 4711.0)] }, &[]);
            assert!(text.contains("4711 |"), "{suite}: {text}");
        }
    }

    #[test]
    fn the_page_says_what_was_reached_and_what_was_not_measured() {
        let rows = vec![
            figure(machine::SUITE, "command", "cargo run", (1, 0), 1.0),
            figure("hit", "1 tag", "cachex", (1, 1_000), 30.0),
            figure("hit", "1 tag", "hashmap", (1, 1_000), 10.0),
        ];
        let text = text(&Figures { rows }, &[]);
        assert!(text.contains("time beside `hashmap` | ≤ 2.00x | 3.00x | **missed** |"), "{text}");
        assert!(text.contains("| not measured in this run |"), "{text}");
        assert!(text.contains("| hashmap | 10.0 (0.33x) |"), "{text}");
    }
}
