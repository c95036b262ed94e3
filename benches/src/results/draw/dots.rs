//! Dots: a label has one for each series, by its value in percent.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::{FAINT_INK, GRID, INK, Series, colour, rule, text, title};

/// A plot of dots.
pub(in super::super) struct Dots {
    pub(in super::super) title: String,
    pub(in super::super) about: String,
    /// From top to bottom.
    pub(in super::super) labels: Vec<String>,
    pub(in super::super) series: Vec<Series>,
}

const WIDTH: i32 = 860;
const LEFT: i32 = 210;
const RIGHT: i32 = WIDTH - 30;
const TOP: i32 = 96;
const ROW: i32 = 32;

/// Draws dots to a file.
pub(in super::super) fn dots(file: &Path, dots: &Dots) -> Result<(), String> {
    let bottom = TOP + ROW * dots.labels.len() as i32;
    let area = SVGBackend::new(file, (WIDTH as u32, (bottom + 48) as u32)).into_drawing_area();
    area.fill(&WHITE).map_err(|error| error.to_string())?;
    title(&area, &dots.title, &dots.about)?;
    let x = |value: f64| LEFT + (f64::from(RIGHT - LEFT) * value / 100.0).round() as i32;
    for mark in (0..=100).step_by(10) {
        rule(&area, (x(f64::from(mark)), TOP), (x(f64::from(mark)), bottom), GRID)?;
        text(&area, &format!("{mark}"), (x(f64::from(mark)), bottom + 12), 12, FAINT_INK, HPos::Center)?;
    }
    text(&area, "hits, % of calls", ((LEFT + RIGHT) / 2, bottom + 32), 13, FAINT_INK, HPos::Center)?;
    let mut left = LEFT;
    for (number, series) in dots.series.iter().enumerate() {
        dot(&area, (left + 6, TOP - 22), number, &series.name)?;
        text(&area, &series.name, (left + 17, TOP - 22), 13, INK, HPos::Left)?;
        left += 36 + 7 * series.name.len() as i32;
    }
    for (index, label) in dots.labels.iter().enumerate() {
        let middle = TOP + ROW * index as i32 + ROW / 2;
        rule(&area, (LEFT, middle), (RIGHT, middle), GRID)?;
        text(&area, label, (LEFT - 10, middle), 13, INK, HPos::Right)?;
        // Ours comes last, over the others; each has a height of its own, so that equal ones are seen.
        for (number, series) in dots.series.iter().enumerate().rev() {
            let height = (2 * number as i32 + 1 - dots.series.len() as i32) * 2;
            if series.values[index].is_finite() {
                dot(&area, (x(series.values[index]), middle + height), number, &series.name)?;
            }
        }
    }
    area.present().map_err(|error| error.to_string())
}

fn dot(area: &super::Area<'_>, at: (i32, i32), number: usize, name: &str) -> Result<(), String> {
    let fill = colour(name, number).filled();
    let drawn = match number % 3 {
        0 => area.draw(&Circle::new(at, 5, fill)),
        1 => area.draw(&TriangleMarker::new(at, 6, fill)),
        _ => area.draw(&Rectangle::new([(at.0 - 4, at.1 - 4), (at.0 + 4, at.1 + 4)], fill)),
    };
    drawn.map_err(|error| error.to_string())
}
