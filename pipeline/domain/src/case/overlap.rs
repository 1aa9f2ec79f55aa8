//! Which outlines lie over each other.

use geo::{Area, BooleanOps, BoundingRect};
use geo_types::Polygon;
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

/// An outline's bounds (longitude, latitude; degrees) and the number of its case.
type Entry = GeomWithData<Rectangle<[f64; 2]>, usize>;

/// Finds the cases whose bounds meet those of an outline.
#[derive(Default)]
pub(super) struct Outlines(RTree<Entry>);

impl Outlines {
    /// Adds the outline of a case; an empty one lies over nothing.
    pub(super) fn insert(&mut self, case: usize, outline: &Polygon<f64>) {
        if let Some(entry) = entry(case, outline) {
            self.0.insert(entry);
        }
    }

    /// Removes the outline of a case, given as it was added.
    pub(super) fn remove(&mut self, case: usize, outline: &Polygon<f64>) {
        if let Some(entry) = entry(case, outline) {
            self.0.remove(&entry);
        }
    }

    /// Numbers of the cases that may lie over an outline, in order.
    pub(super) fn near(&self, outline: &Polygon<f64>) -> Vec<usize> {
        let Some(bounds) = outline.bounding_rect() else { return Vec::new() };
        let bounds = AABB::from_corners(bounds.min().into(), bounds.max().into());
        let mut cases: Vec<_> = self.0.locate_in_envelope_intersecting(&bounds).map(|entry| entry.data).collect();
        cases.sort_unstable();
        cases
    }
}

fn entry(case: usize, outline: &Polygon<f64>) -> Option<Entry> {
    let bounds = outline.bounding_rect()?;
    Some(Entry::new(Rectangle::from_corners(bounds.min().into(), bounds.max().into()), case))
}

/// The share of the smaller one of two outlines (longitude, latitude) that lies over the other (0..1). A ratio of areas of
/// one small place: the same in degrees as in metres.
pub(super) fn of_smaller(a: &Polygon<f64>, b: &Polygon<f64>) -> f64 {
    let smaller = a.unsigned_area().min(b.unsigned_area());
    if smaller > 0.0 { a.intersection(b).unsigned_area() / smaller } else { 0.0 }
}
