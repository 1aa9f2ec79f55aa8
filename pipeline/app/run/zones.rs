//! Function zones of the shoreline on a grid: where the belief has other transition priors than those of the classes.

use geo::{BoundingRect, Intersects, MapCoordsInPlace};
use geo_types::{MultiPolygon, Rect};
use ndarray::{Array2, s};

use shorewatch_domain::classes::ZonePrior;
use shorewatch_domain::crs::Epsg;
use shorewatch_domain::digest::{Digest, DigestBuilder};
use shorewatch_domain::grid::{Grid, Window};
use shorewatch_domain::law::layer::{Facts, Feature};
use shorewatch_domain::rasterise;
use shorewatch_imagery::crs::Transform;
use shorewatch_law::rules::Vocabulary;

use super::ground::bounding_window;
use crate::failure::Failure;

/// Zones farther than this from every reach touch no pixel that is looked at, in degrees.
const NEAR_DEGREES: f64 = 0.5;

/// The zones with priors of their own, in pixels of a grid.
#[derive(Clone, Debug, Default)]
pub struct Zones {
    /// The table.
    priors: Vec<ZonePrior>,
    /// By row of the table, the last first, so that the first is painted over the others.
    placed: Vec<Placed>,
}

#[derive(Clone, Debug)]
struct Placed {
    /// Number of the row of the table, from 1.
    row: u8,
    bounds: Window,
    outline: MultiPolygon<f64>,
}

impl Zones {
    /// Lays those of `features` that a row of `priors` is about on a grid; `near` are the bounds (longitude, latitude) of what is
    /// looked at, and the vocabulary tells the kind of zone by the word of the layer.
    ///
    /// # Errors
    /// A zone can't be projected.
    pub fn lay(
        features: &[Feature],
        priors: &[ZonePrior],
        vocabulary: &Vocabulary,
        grid: &Grid,
        near: &[Rect<f64>],
    ) -> Result<Self, Failure> {
        let transform = Transform::new(Epsg::CGCS2000, grid.epsg)?;
        let mut placed = Vec::new();
        for feature in features {
            let Facts::ShorelineZone { zone } = &feature.facts else { continue };
            let kind = vocabulary.shoreline_zones.get(zone.trim());
            let row = priors.iter().zip(1_u8..).find(|(prior, _)| Some(&prior.zone) == kind);
            let is_near = feature
                .geometry
                .bounding_rect()
                .is_some_and(|bounds| near.iter().any(|reach| grown(*reach).intersects(&bounds)));
            let (Some((_, row)), true) = (row, is_near) else { continue };
            let mut outline = transform.multi_polygon(&feature.geometry, None)?;
            outline.map_coords_in_place(|point| grid.to_pixel(point.x, point.y).into());
            if let Some(bounds) = bounding_window(&outline) {
                placed.push(Placed { row, bounds, outline });
            }
        }
        placed.sort_by_key(|placed| std::cmp::Reverse(placed.row));
        Ok(Self { priors: priors.to_vec(), placed })
    }

    /// The table.
    #[must_use]
    pub fn priors(&self) -> &[ZonePrior] {
        &self.priors
    }

    /// Number of the row of the table, from 1, that counts at each pixel (row, col); 0 outside of every zone. `None` where no
    /// pixel of the window lies in one.
    #[must_use]
    pub fn rows(&self, window: Window) -> Option<Array2<u8>> {
        let mut rows = None;
        for placed in self.placed.iter().filter(|placed| placed.bounds.intersection(&window).is_some()) {
            rasterise::for_each_run(&placed.outline, window, |row, cols| {
                let rows = rows.get_or_insert_with(|| Array2::zeros(window.shape()));
                rows.slice_mut(s![row, cols]).fill(placed.row);
            });
        }
        rows
    }

    /// Digest of the priors of the pixels of a window: of nothing else in the layer or in the table. `None` where no pixel has
    /// one of its own.
    #[must_use]
    pub fn digest(&self, window: Window) -> Option<Digest> {
        let rows = self.rows(window)?;
        let mut counts = vec![0_u64; self.priors.len() + 1];
        rows.iter().for_each(|row| counts[usize::from(*row)] += 1);
        let builder = DigestBuilder::new("zones").field("rows", rows.iter().copied().collect::<Vec<u8>>());
        let met = self.priors.iter().zip(1_u8..).filter(|(_, row)| counts[usize::from(*row)] > 0);
        let builder = met.fold(builder, |builder, (prior, row)| {
            let builder = builder.field("row", [row]);
            prior
                .becomes
                .iter()
                .fold(builder, |builder, (class, factor)| builder.field("class", class).number("factor", *factor))
        });
        Some(builder.finish())
    }
}

fn grown(bounds: Rect<f64>) -> Rect<f64> {
    let by = NEAR_DEGREES;
    Rect::new((bounds.min().x - by, bounds.min().y - by), (bounds.max().x + by, bounds.max().y + by))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use geo_types::polygon;

    use super::*;

    fn zone(word: &str, (left, right): (f64, f64)) -> Feature {
        // beside the central meridian of the zone: a hundred-thousandth of a degree is about a metre
        let outline = polygon![
            (x: 117.0 + left, y: 30.0), (x: 117.0 + right, y: 30.0),
            (x: 117.0 + right, y: 30.01), (x: 117.0 + left, y: 30.01)
        ];
        Feature {
            code: format!("{word}-{left}"),
            name: String::new(),
            geometry: outline.into(),
            facts: Facts::ShorelineZone { zone: word.to_owned() },
            other: BTreeMap::new(),
            repairs: Vec::new(),
        }
    }

    fn prior(zone: &str, factor: f64) -> ZonePrior {
        ZonePrior { zone: zone.to_owned(), becomes: BTreeMap::from([("built_up".to_owned(), factor)]) }
    }

    fn laid(features: &[Feature], priors: &[ZonePrior]) -> (Zones, Window) {
        let grid = Grid::new(Epsg(32650), 10.0);
        let words = [("保护区", "protection"), ("保留区", "reserve"), ("开发利用区", "development")];
        let vocabulary = Vocabulary {
            classes: BTreeSet::new(),
            object_classes: BTreeSet::new(),
            shoreline_zones: words.map(|(word, kind)| (word.to_owned(), kind.to_owned())).into(),
            local_words: BTreeMap::new(),
        };
        let near = Rect::new((117.0, 30.0), (117.02, 30.01));
        let zones = Zones::lay(features, priors, &vocabulary, &grid, &[near]).expect("laid");
        let (x, y) = Transform::new(Epsg::CGCS2000, grid.epsg).expect("known").point(117.0, 30.005).expect("a place");
        let (col, row) = grid.to_pixel(x, y);
        (zones, Window { row: row as i64, col: col as i64, rows: 1, cols: 180 })
    }

    #[test]
    fn of_zones_that_overlap_the_first_row_counts_and_zones_without_a_row_are_left_out() {
        let features =
            [zone("保护区", (0.0, 0.01)), zone("开发利用区", (0.005, 0.015)), zone("保留区", (0.012, 0.018))];
        let (zones, window) = laid(&features, &[prior("protection", 0.2), prior("development", 3.0)]);
        let rows = zones.rows(window).expect("zones");
        let at = |degrees: f64| rows[(0, (degrees / 0.018 * 173.0) as usize)];
        assert_eq!([0.002, 0.007, 0.012, 0.017].map(at), [1, 1, 2, 0], "{rows:?}");
        let (swapped, _) = laid(&features, &[prior("development", 3.0), prior("protection", 0.2)]);
        assert_eq!(swapped.rows(window).expect("zones")[(0, (0.007 / 0.018 * 173.0) as usize)], 1);
        assert_eq!(zones.rows(Window { col: window.col + 4000, ..window }), None);
    }

    #[test]
    fn only_what_lies_in_a_window_enters_its_digest() {
        let priors = [prior("protection", 0.2), prior("development", 3.0)];
        let here = zone("保护区", (0.0, 0.005));
        let (zones, window) = laid(std::slice::from_ref(&here), &priors);
        let window = Window { cols: 60, ..window };
        let digest = zones.digest(window).expect("a zone");
        let of = |features: &[Feature], priors: &[ZonePrior]| laid(features, priors).0.digest(window);
        let elsewhere = zone("开发利用区", (0.012, 0.018));
        assert_eq!(
            of(&[elsewhere.clone(), here.clone()], &priors),
            Some(digest),
            "a zone elsewhere makes no difference"
        );
        let other = [prior("protection", 0.2), prior("development", 1.5)];
        assert_eq!(of(&[here.clone(), elsewhere.clone()], &other), Some(digest), "nor does its prior");
        let renamed = Feature { code: "another".to_owned(), ..here.clone() };
        assert_eq!(of(&[renamed], &priors), Some(digest), "nor what a zone is called");
        assert_ne!(of(&[zone("保护区", (0.0, 0.004))], &priors), Some(digest));
        assert_ne!(of(&[here], &[prior("protection", 0.3)]), Some(digest));
        assert_eq!(of(&[elsewhere], &priors), None);
    }
}
