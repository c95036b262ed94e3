//! Which plots there are, and of which rows.

use std::path::Path;

use super::draw::{self, Bars, Dots, Line, Lines, Scale, Series};
use super::{Figures, short};
use crate::row::Row;

/// A plot that is on disk.
pub(super) struct Drawn {
    pub(super) file: &'static str,
    pub(super) title: &'static str,
}

/// Draws all plots that there are rows for.
pub(super) fn draw(figures: &Figures, folder: &Path) -> Result<Vec<Drawn>, String> {
    let mut drawn = Vec::new();
    for (plot, bars) in bars(figures) {
        if !bars.labels.is_empty() {
            draw::bars(&folder.join(plot.file), &bars)?;
            drawn.push(plot);
        }
    }
    for (plot, panels) in lines(figures) {
        if panels.iter().all(|panel| !panel.lines.is_empty()) {
            draw::lines(&folder.join(plot.file), &panels)?;
            drawn.push(plot);
        }
    }
    let (plot, dots) = ratios(figures);
    if !dots.labels.is_empty() {
        draw::dots(&folder.join(plot.file), &dots)?;
        drawn.push(plot);
    }
    drawn.sort_by_key(|plot| plot.file.trim_end_matches(".svg"));
    Ok(drawn)
}

fn bars(figures: &Figures) -> Vec<(Drawn, Bars)> {
    let of = |suite: &str, case: &str, entries: usize| {
        let rows = figures.of(suite).into_iter();
        rows.filter(|row| row.case == case && row.entries == entries).collect::<Vec<_>>()
    };
    let threads: &[(&str, Select)] =
        &[("1 thread", |row| row.threads == 1), ("2 threads at once", |row| row.threads == 2)];
    let churned: Vec<_> = figures.of("memory").into_iter().filter(|row| row.case == "bytes churned").collect();
    vec![
        (
            Drawn { file: "hit.svg", title: "A hit beside other caches" },
            grouped(
                "A hit: nanoseconds for one call",
                "u64 key, value in an Arc, 1 tag, TTL; 1000 entries; shorter is better; grey: nothing is evicted, nothing expires",
                "ns",
                &without(of("hit", "1 tag", 1_000), &["uncached"]),
                threads,
            ),
        ),
        (
            Drawn { file: "miss.svg", title: "A miss beside other caches" },
            grouped(
                "A miss: nanoseconds for one load that evicts",
                "a full cache of 1000 entries, a new key with each call; shorter is better; alone: without single flight",
                "ns",
                &without(of("miss", "evicting", 1_000), &["uncached"]),
                threads,
            ),
        ),
        (
            Drawn { file: "memory.svg", title: "Bytes for each entry" },
            grouped(
                "Memory: bytes for each entry beside its value",
                "u64 key, value in an Arc; a full cache after four times its capacity went through; shorter is better",
                "bytes",
                &churned,
                &[("", |_| true)],
            ),
        ),
    ]
}

/// What keeps everything for ever.
const LIMITS: [&str; 4] = ["hashmap", "papaya", "cached unbounded", "concurrent_cached unbounded"];

type Select = fn(&Row) -> bool;

/// Makes a bar for each subject and series; the shortest of the first series is on top.
fn grouped(title: &str, about: &str, unit: &str, rows: &[&Row], series: &[(&str, Select)]) -> Bars {
    let mut labels: Vec<&str> = Vec::new();
    for row in rows {
        if !labels.contains(&row.subject.as_ref()) {
            labels.push(&row.subject);
        }
    }
    let value = |label: &str, select: Select| {
        rows.iter().find(|row| row.subject == label && select(row)).map_or(f64::NAN, |row| row.value)
    };
    if let Some((_, first)) = series.first() {
        labels.sort_by(|left, right| value(left, *first).total_cmp(&value(right, *first)));
    }
    let series = series.iter().map(|(name, select)| Series {
        name: (*name).to_owned(),
        values: labels.iter().map(|label| value(label, *select)).collect(),
    });
    Bars {
        title: title.to_owned(),
        about: about.to_owned(),
        unit: unit.to_owned(),
        series: series.collect(),
        labels: labels.into_iter().map(str::to_owned).collect(),
        limits: &LIMITS,
    }
}

fn without<'a>(mut rows: Vec<&'a Row>, subjects: &[&str]) -> Vec<&'a Row> {
    rows.retain(|row| !subjects.contains(&row.subject.as_ref()));
    rows
}

fn lines(figures: &Figures) -> Vec<(Drawn, Vec<Lines>)> {
    let by_entries = |suite: &str, case: &str, title: &str, y: &str| {
        let x = "entries";
        let rows: Vec<_> = figures.of(suite).into_iter().filter(|row| row.case == case && row.threads == 1).collect();
        panel(title, x, y, Scale::Logarithmic, &without(rows, &["uncached", LIMITS[2], LIMITS[3]]), |row| {
            Some(row.entries as f64)
        })
    };
    let scale = |title: &str, x: &str, y: &str, wanted: fn(&Row) -> bool, of: fn(&Row) -> Option<f64>| {
        let rows: Vec<_> = figures.of("scale").into_iter().filter(|row| wanted(row)).collect();
        panel(title, x, y, Scale::Linear, &rows, of)
    };
    let tags = |row: &Row| row.case.split_once(", ")?.1.split(' ').next()?.parse().ok();
    vec![
        (
            Drawn { file: "hit-entries.svg", title: "A hit, by the number of entries" },
            vec![by_entries("hit", "zipf 0.99", "A hit by entries, Zipf 0.99, 1 thread", "ns")],
        ),
        (
            Drawn { file: "scale.svg", title: "How times grow" },
            vec![
                scale(
                    "A hit by threads, 1k entries",
                    "threads",
                    "ns",
                    |row| row.case == "hit" && row.entries == 1_000,
                    |row| Some(row.threads as f64),
                ),
                scale("A hit by tags, 1k entries", "tags of an entry", "ns", |row| row.case.starts_with("hit, "), tags),
                by_entries("scale", "insert", "An insertion by entries", "ns"),
                by_entries("scale", "invalidate", "The end of all entries, by entries", "ns"),
                by_entries("scale", "bytes", "Bytes for each entry by entries", "bytes"),
                scale(
                    "Bytes for each entry by tags",
                    "tags of an entry",
                    "bytes",
                    |row| row.case.starts_with("bytes, "),
                    tags,
                ),
            ],
        ),
    ]
}

/// Makes a panel with a line for each subject; `x` says where a row is.
fn panel(title: &str, about_x: &str, y: &str, scale: Scale, rows: &[&Row], x: impl Fn(&Row) -> Option<f64>) -> Lines {
    let mut lines: Vec<Line> = Vec::new();
    for row in rows {
        let Some(x) = x(row) else { continue };
        match lines.iter_mut().find(|line| line.name == row.subject) {
            Some(line) => line.points.push((x, row.value)),
            None => lines.push(Line { name: row.subject.to_string(), points: vec![(x, row.value)] }),
        }
    }
    Lines { title: title.to_owned(), x: about_x.to_owned(), y: y.to_owned(), scale, lines }
}

fn ratios(figures: &Figures) -> (Drawn, Dots) {
    const SUBJECTS: [&str; 6] = ["cachex", "cachex lfu", "cachex lru", "moka", "quick_cache", "foyer s3-fifo"];
    let rows = figures.of("ratio");
    let mut traces: Vec<(&str, usize)> = Vec::new();
    for row in &rows {
        if !traces.iter().any(|(trace, _)| *trace == row.case) {
            traces.push((&row.case, row.entries));
        }
    }
    let series = SUBJECTS.map(|subject| Series {
        name: subject.to_owned(),
        values: traces
            .iter()
            .map(|(trace, entries)| figures.value("ratio", trace, subject, 1, *entries).unwrap_or(f64::NAN))
            .collect(),
    });
    let labels = traces.iter().map(|(trace, entries)| format!("{trace} ({})", short(*entries))).collect();
    let dots = Dots {
        title: "Hit ratio by what is asked for".to_owned(),
        about: "percent of calls; in brackets the capacity in entries; to the right is better".to_owned(),
        labels,
        series: series.into(),
    };
    (Drawn { file: "ratio.svg", title: "Hit ratios" }, dots)
}

#[cfg(test)]
mod tests {
    use super::super::figure;
    use super::*;

    #[test]
    fn the_shortest_bar_is_on_top_and_what_is_missing_has_none() {
        let rows = [
            figure("hit", "1 tag", "slow", (1, 1), 9.0),
            figure("hit", "1 tag", "fast", (1, 1), 3.0),
            figure("hit", "1 tag", "slow", (2, 1), 12.0),
        ];
        let rows: Vec<_> = rows.iter().collect();
        let bars = grouped("", "", "ns", &rows, &[("1", |row| row.threads == 1), ("2", |row| row.threads == 2)]);
        assert_eq!(bars.labels, ["fast", "slow"]);
        assert_eq!(bars.series[0].values, [3.0, 9.0]);
        assert!(bars.series[1].values[0].is_nan());
        assert_eq!(bars.series[1].values[1], 12.0);
    }

    #[test]
    fn each_plot_is_drawn_from_the_rows_of_its_suite() {
        let rows = ["cachex", "peer"].into_iter().flat_map(|subject| {
            let hits = [1, 2].map(|threads| figure("hit", "1 tag", subject, (threads, 1_000), 20.0));
            hits.into_iter().chain([figure("ratio", "zipf", subject, (1, 100), 60.0)])
        });
        let folder = std::env::temp_dir().join(format!("cachex-bench-plots-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let drawn = draw(&Figures { rows: rows.collect() }, &folder).unwrap();
        let files: Vec<_> = drawn.iter().map(|plot| plot.file).collect();
        assert_eq!(files, ["hit.svg", "ratio.svg"]);
        let hit = std::fs::read_to_string(folder.join("hit.svg")).unwrap();
        assert!(hit.contains("cachex") && hit.contains("2 threads at once"), "{hit}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
