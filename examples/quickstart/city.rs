//! What the repository answers with.

use std::cmp::Ordering;

use cachex::CacheKey;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::database::cities;

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Queryable, Selectable, Insertable)]
#[diesel(table_name = cities)]
pub(crate) struct City {
    pub(crate) id: i32,
    pub(crate) country: String,
    pub(crate) name: String,
    /// Degrees, north of the equator.
    pub(crate) latitude: f64,
    /// Degrees, east of Greenwich.
    pub(crate) longitude: f64,
    /// Metres above the sea.
    pub(crate) altitude: f64,
    /// The number of the commit that wrote the row last.
    pub(crate) version: i64,
}

impl City {
    /// Returns where it is.
    pub(crate) fn place(&self) -> Point {
        Point { latitude: self.latitude, longitude: self.longitude }
    }
}

/// A city and how far it is from where one asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Neighbour {
    pub(crate) kilometres: f64,
    pub(crate) city: City,
}

impl Neighbour {
    /// Orders by distance.
    pub(crate) fn nearer(&self, other: &Self) -> Ordering {
        self.kilometres.total_cmp(&other.kilometres).then(self.city.id.cmp(&other.city.id))
    }
}

/// A place on the earth, in degrees.
#[derive(Clone, Copy, Debug, CacheKey)]
pub(crate) struct Point {
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
}

/// The mean radius of the earth.
const EARTH_KILOMETRES: f64 = 6371.0;

impl Point {
    /// Returns the distance on the sphere, by the haversine formula.
    pub(crate) fn kilometres_to(self, other: Self) -> f64 {
        let (here, there) = (self.latitude.to_radians(), other.latitude.to_radians());
        let north = (there - here) / 2.0;
        let east = (other.longitude - self.longitude).to_radians() / 2.0;
        let half_chord = north.sin().powi(2) + here.cos() * there.cos() * east.sin().powi(2);
        2.0 * EARTH_KILOMETRES * half_chord.sqrt().min(1.0).asin()
    }

    /// Returns a box that holds every place within a distance.
    pub(crate) fn surroundings(self, kilometres: f64) -> Surroundings {
        let angle = kilometres / EARTH_KILOMETRES;
        let degrees = angle.to_degrees();
        let (south, north) = (self.latitude - degrees, self.latitude + degrees);
        // Around a pole, every longitude is near; so it is taken to be where the box crosses the date line.
        let reach = (angle.sin() / self.latitude.to_radians().cos()).asin().to_degrees();
        let (west, east) = (self.longitude - reach, self.longitude + reach);
        let is_plain = south > -90.0 && north < 90.0 && west >= -180.0 && east <= 180.0;
        Surroundings { latitudes: (south, north), longitudes: is_plain.then_some((west, east)) }
    }
}

/// A box on the earth, in degrees.
pub(crate) struct Surroundings {
    /// From south to north.
    pub(crate) latitudes: (f64, f64),
    /// From west to east; all of them if nothing.
    pub(crate) longitudes: Option<(f64, f64)>,
}
