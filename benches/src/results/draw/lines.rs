//! Lines: one for each subject, with its name at its end. The height is logarithmic where values differ much.

use std::path::Path;

use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::super::{digits, short};
use super::{Area, FAINT_INK, GRID, INK, colour, text};

/// A panel with lines.
pub(in super::super) struct Lines {
    pub(in super::super) title: String,
    pub(in super::super) x: String,
    pub(in super::super) y: String,
    pub(in super::super) scale: Scale,
    pub(in super::super) lines: Vec<Line>,
}

/// How the width is divided.
#[derive(Clone, Copy)]
pub(in super::super) enum Scale {
    Linear,
    Logarithmic,
}

/// What a subject took, by something.
pub(in super::super) struct Line {
    pub(in super::super) name: String,
    pub(in super::super) points: Vec<(f64, f64)>,
}

/// The size of a panel.
const PANEL: (u32, u32) = (560, 380);
/// The room for names at the ends of lines.
const NAMES: i32 = 190;
const BOTTOM: i32 = 46;
const TOP: i32 = 44;
/// From which proportion on the height is logarithmic.
const FAR: f64 = 10.0;
/// The least distance of two names.
const APART: i32 = 15;

/// Draws panels to a file, two beside each other.
pub(in super::super) fn lines(file: &Path, panels: &[Lines]) -> Result<(), String> {
    let columns = panels.len().min(2);
    let rows = panels.len().div_ceil(2);
    let size = if panels.len() == 1 { (860, 460) } else { (PANEL.0 * columns as u32, PANEL.1 * rows as u32) };
    let area = SVGBackend::new(file, size).into_drawing_area();
    area.fill(&WHITE).map_err(|error| error.to_string())?;
    for (area, panel) in area.split_evenly((rows, columns)).iter().zip(panels) {
        draw(area, panel)?;
    }
    area.present().map_err(|error| error.to_string())
}

fn draw(area: &Area<'_>, panel: &Lines) -> Result<(), String> {
    text(area, &panel.title, (16, 20), 16, INK, HPos::Left)?;
    let points = || panel.lines.iter().flat_map(|line| &line.points);
    let least = |of: fn(&(f64, f64)) -> f64| points().map(of).fold(f64::INFINITY, f64::min);
    let greatest = |of: fn(&(f64, f64)) -> f64| points().map(of).fold(f64::NEG_INFINITY, f64::max);
    let x = least(|point| point.0)..greatest(|point| point.0);
    let (low, high) = (least(|point| point.1), greatest(|point| point.1));
    let is_far = high / low > FAR;
    let up = if is_far { format!("{}, logarithmic", panel.y) } else { panel.y.clone() };
    let frame = Frame { area, panel, up };
    match (panel.scale, is_far) {
        (Scale::Linear, false) => frame.chart(x, 0.0..high * 1.1),
        (Scale::Linear, true) => frame.chart(x, (below(low)..above(high)).log_scale()),
        (Scale::Logarithmic, false) => frame.chart(x.log_scale(), 0.0..high * 1.1),
        (Scale::Logarithmic, true) => frame.chart(x.log_scale(), (below(low)..above(high)).log_scale()),
    }
}

/// Where a panel is drawn, and what stands beside its height.
struct Frame<'a, 'b> {
    area: &'a Area<'b>,
    panel: &'a Lines,
    up: String,
}

impl Frame<'_, '_> {
    fn chart<X, Y>(&self, x: X, y: Y) -> Result<(), String>
    where
        X: AsRangedCoord<Value = f64>,
        X::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
        Y: AsRangedCoord<Value = f64>,
        Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
    {
        let Self { area, panel, up } = self;
        let failed = |error: DrawingAreaErrorKind<_>| error.to_string();
        let mut chart = ChartBuilder::on(area)
            .margin_top(TOP)
            .margin_left(8)
            .margin_right(NAMES)
            .x_label_area_size(BOTTOM)
            .y_label_area_size(58)
            .build_cartesian_2d(x, y)
            .map_err(failed)?;
        let style = ("sans-serif", 12).into_font().color(&FAINT_INK);
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(FAINT_INK)
            .x_desc(&panel.x)
            .y_desc(up)
            .x_labels(5)
            .y_labels(8)
            .label_style(style.clone())
            .axis_desc_style(("sans-serif", 13).into_font().color(&FAINT_INK))
            .x_label_formatter(&|x| short(x.round() as usize))
            .y_label_formatter(&|y| written(*y))
            .draw()
            .map_err(failed)?;
        let mut names = Vec::new();
        for (index, line) in panel.lines.iter().enumerate() {
            let colour = colour(&line.name, index);
            let width = if line.name == "cachex" { 3 } else { 2 };
            let points = line.points.iter().copied();
            chart.draw_series(LineSeries::new(points.clone(), colour.stroke_width(width))).map_err(failed)?;
            chart.draw_series(points.map(|point| Circle::new(point, 3, colour.filled()))).map_err(failed)?;
            if let Some(last) = line.points.last() {
                names.push((chart.backend_coord(last).1, line, colour));
            }
        }
        self.names(names)
    }

    /// Writes the names of lines beside their ends, whose heights in the file are given.
    fn names(&self, mut names: Vec<(i32, &Line, RGBColor)>) -> Result<(), String> {
        let (_, top) = self.area.get_base_pixel();
        let right = self.area.dim_in_pixel().0 as i32 - NAMES;
        names.sort_by_key(|name| name.0);
        let heights = spread(&names.iter().map(|name| name.0 - top).collect::<Vec<_>>());
        for ((_, line, colour), height) in names.into_iter().zip(heights) {
            let last = line.points.last().map_or(f64::NAN, |point| point.1);
            let words = format!("{} {}", line.name, written(last));
            text(self.area, &words, (right + 10, height), 12, colour, HPos::Left)?;
        }
        Ok(())
    }
}

/// Returns a round number that is not above a value.
fn below(value: f64) -> f64 {
    let power = 10_f64.powf(value.max(1e-3).log10().floor());
    [5.0, 2.0].into_iter().map(|factor| factor * power).find(|round| *round <= value).unwrap_or(power)
}

/// Returns a round number that is not below a value.
fn above(value: f64) -> f64 {
    let power = 10_f64.powf(value.max(1e-3).log10().floor());
    [1.0, 2.0, 5.0].into_iter().map(|factor| factor * power).find(|round| *round >= value).unwrap_or(10.0 * power)
}

/// Writes a time in nanoseconds, of long ones in thousands or millions.
fn written(value: f64) -> String {
    let (value, unit) = match value {
        1e6.. => (value / 1e6, "M"),
        1e4.. => (value / 1e3, "k"),
        _ => (value, ""),
    };
    match value.fract() {
        0.0 => format!("{value}{unit}"),
        _ => format!("{}{unit}", digits(value)),
    }
}

/// Moves heights, which are in order, so far apart that names at them don't overlap.
fn spread(heights: &[i32]) -> Vec<i32> {
    let mut heights = heights.to_vec();
    // From the top down, then back by half of what the last one was moved.
    let before = heights.last().copied().unwrap_or(0);
    for index in 1..heights.len() {
        heights[index] = heights[index].max(heights[index - 1] + APART);
    }
    let back = (heights.last().copied().unwrap_or(0) - before) / 2;
    let mut limit = i32::MIN;
    for height in &mut heights {
        *height = (*height - back).max(limit);
        limit = *height + APART;
    }
    heights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_at_one_height_are_moved_apart() {
        assert_eq!(spread(&[100, 200]), [100, 200]);
        assert_eq!(spread(&[100, 100, 100]), [85, 100, 115]);
        assert_eq!(spread(&[]), Vec::<i32>::new());
    }

    #[test]
    fn the_height_ends_at_round_numbers() {
        assert_eq!([5.8, 14.0, 20.0, 749.0].map(below), [5.0, 10.0, 20.0, 500.0]);
        assert_eq!([5.8, 14.0, 20.0, 749.0].map(above), [10.0, 20.0, 20.0, 1_000.0]);
    }

    #[test]
    fn long_times_are_written_shortly() {
        assert_eq!([0.5, 950.0, 63_674.0, 224_949_283.0, 1e7].map(written), ["0.50", "950", "63.7k", "225M", "10M"]);
    }
}
