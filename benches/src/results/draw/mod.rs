//! How plots are drawn: on a white ground, so that they are read on any page.
//!
//! Reading order: this file (what all have), [`bars`](mod@bars), [`dots`](mod@dots), [`lines`](mod@lines).

mod bars;
mod dots;
mod lines;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub(super) use bars::{Bars, bars};
pub(super) use dots::{Dots, dots};
pub(super) use lines::{Line, Lines, Scale, lines};

/// Values of one kind, one for each label; what there is none of is not a number.
pub(super) struct Series {
    pub(super) name: String,
    pub(super) values: Vec<f64>,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const INK: RGBColor = RGBColor(36, 41, 47);
const FAINT_INK: RGBColor = RGBColor(101, 109, 118);
const GRID: RGBColor = RGBColor(225, 228, 232);
const LIMIT: RGBColor = RGBColor(140, 149, 159);
const OURS: RGBColor = RGBColor(213, 94, 0);

/// Colours that are told apart by all.
///
/// Source: Okabe and Ito, "Color universal design", 2008; and two more.
const OTHERS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(90, 90, 90),
    RGBColor(140, 86, 75),
];

/// Returns the colour of a subject among others.
fn colour(subject: &str, index: usize) -> RGBColor {
    if subject == "cachex" { OURS } else { OTHERS[index % OTHERS.len()] }
}

fn text(area: &Area<'_>, words: &str, at: (i32, i32), size: i32, colour: RGBColor, from: HPos) -> Result<(), String> {
    let style = ("sans-serif", size).into_font().color(&colour).pos(Pos::new(from, VPos::Center));
    area.draw(&Text::new(words.to_owned(), at, style)).map_err(|error| error.to_string())
}

fn rule(area: &Area<'_>, from: (i32, i32), to: (i32, i32), colour: RGBColor) -> Result<(), String> {
    area.draw(&PathElement::new(vec![from, to], colour.stroke_width(1))).map_err(|error| error.to_string())
}

/// Draws what stands above a plot.
fn title(area: &Area<'_>, title: &str, about: &str) -> Result<(), String> {
    text(area, title, (16, 22), 18, INK, HPos::Left)?;
    text(area, about, (16, 44), 13, FAINT_INK, HPos::Left)
}

/// Returns marks from 0 to at least `greatest`, at round numbers.
fn marks(greatest: f64) -> Vec<f64> {
    let rough = (greatest / 6.0).max(f64::MIN_POSITIVE);
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| *step >= rough);
    let step = step.unwrap_or(10.0 * power);
    (0..).map(|index| f64::from(index) * step).take_while(|mark| *mark < greatest + step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_reach_the_greatest_value() {
        assert_eq!(marks(254.0), [0.0, 50.0, 100.0, 150.0, 200.0, 250.0, 300.0]);
        assert_eq!(marks(100.0), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
    }
}
