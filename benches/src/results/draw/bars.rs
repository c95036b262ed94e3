//! Bars that lie: a label has one for each series.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::super::digits;
use super::{FAINT_INK, GRID, INK, LIMIT, OTHERS, OURS, Series, marks, rule, text, title};

/// A plot of bars.
pub(in super::super) struct Bars {
    pub(in super::super) title: String,
    pub(in super::super) about: String,
    pub(in super::super) unit: String,
    /// From top to bottom.
    pub(in super::super) labels: Vec<String>,
    pub(in super::super) series: Vec<Series>,
    /// Labels that stand for a limit rather than for a rival.
    pub(in super::super) limits: &'static [&'static str],
}

const WIDTH: i32 = 860;
/// Where bars begin and may end.
const LEFT: i32 = 220;
const RIGHT: i32 = WIDTH - 70;
const TOP: i32 = 92;
const BAR: i32 = 15;
const GAP: i32 = 11;

/// Draws bars to a file.
pub(in super::super) fn bars(file: &Path, bars: &Bars) -> Result<(), String> {
    let group = BAR * bars.series.len() as i32 + GAP;
    let bottom = TOP + group * bars.labels.len() as i32;
    let area = SVGBackend::new(file, (WIDTH as u32, (bottom + 48) as u32)).into_drawing_area();
    area.fill(&WHITE).map_err(|error| error.to_string())?;
    title(&area, &bars.title, &bars.about)?;
    let values = bars.series.iter().flat_map(|series| &series.values).copied();
    let marks = marks(values.filter(|value| value.is_finite()).fold(0.0, f64::max));
    let end = marks.last().copied().unwrap_or(1.0);
    let x = |value: f64| LEFT + (f64::from(RIGHT - LEFT) * value / end).round() as i32;
    for mark in &marks {
        rule(&area, (x(*mark), TOP - 6), (x(*mark), bottom), GRID)?;
        text(&area, &format!("{mark}"), (x(*mark), bottom + 12), 12, FAINT_INK, HPos::Center)?;
    }
    text(&area, &bars.unit, ((LEFT + RIGHT) / 2, bottom + 32), 13, FAINT_INK, HPos::Center)?;
    legend(&area, bars)?;
    for (index, label) in bars.labels.iter().enumerate() {
        let top = TOP + group * index as i32 + GAP / 2;
        let ink = if label.starts_with("cachex") { OURS } else { INK };
        text(&area, label, (LEFT - 10, top + (group - GAP) / 2), 14, ink, HPos::Right)?;
        for (number, series) in bars.series.iter().enumerate() {
            let value = series.values[index];
            if !value.is_finite() {
                continue;
            }
            let top = top + BAR * number as i32;
            let bar = Rectangle::new(
                [(LEFT, top), (x(value), top + BAR - 2)],
                shade(full(label, bars.limits), number).filled(),
            );
            area.draw(&bar).map_err(|error| error.to_string())?;
            text(&area, &digits(value), (x(value) + 6, top + BAR / 2), 12, INK, HPos::Left)?;
        }
    }
    area.present().map_err(|error| error.to_string())
}

/// Draws what the series are, if there are several.
fn legend(area: &super::Area<'_>, bars: &Bars) -> Result<(), String> {
    if bars.series.len() < 2 {
        return Ok(());
    }
    let mut left = LEFT;
    for (number, series) in bars.series.iter().enumerate() {
        let square = Rectangle::new([(left, TOP - 30), (left + 12, TOP - 18)], shade(OTHERS[0], number).filled());
        area.draw(&square).map_err(|error| error.to_string())?;
        text(area, &series.name, (left + 18, TOP - 24), 13, INK, HPos::Left)?;
        left += 40 + 8 * series.name.len() as i32;
    }
    Ok(())
}

fn full(label: &str, limits: &[&str]) -> RGBColor {
    match label {
        ours if ours.starts_with("cachex") => OURS,
        limit if limits.contains(&limit) => LIMIT,
        _ => OTHERS[0],
    }
}

/// Returns the colour of a bar: fainter for each further series.
fn shade(full: RGBColor, number: usize) -> RGBColor {
    let fade = |part: u8| part + ((255.0 - f64::from(part)) * 0.45 * number as f64) as u8;
    RGBColor(fade(full.0), fade(full.1), fade(full.2))
}
