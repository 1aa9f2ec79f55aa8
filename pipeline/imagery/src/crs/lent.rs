//! Transformations between systems of the registry, kept for the next who needs the same: PROJ looks for the way between two
//! systems for 25 ms each time.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use gdal::spatial_ref::CoordTransform;
use shorewatch_domain::crs::Epsg;

use crate::error::ImageryError;

/// From one system to another.
type Pair = (Epsg, Epsg);

/// Most that wait for one pair; more threads at once make their own.
const MOST_OF_PAIR: usize = 8;

/// Most pairs that are kept: a province has a handful.
const MOST_PAIRS: usize = 64;

static WAITING: Mutex<BTreeMap<Pair, Vec<Movable>>> = Mutex::new(BTreeMap::new());

#[derive(Debug)]
struct Movable(CoordTransform);

// SAFETY: a coordinate transformation may move between threads as long as one uses it at a time (GDAL binds it to the PROJ
// context of the calling thread on every call); whoever takes one out of the list is alone with it.
unsafe impl Send for Movable {}

/// A transformation that goes back to the list when it is dropped.
#[derive(Debug)]
pub(super) struct Lent {
    /// Always there until it is dropped.
    inner: Option<Movable>,
    pair: Option<Pair>,
}

impl Lent {
    /// The transformation of a pair of systems that have codes, made by `make` where none waits; others are made and not kept.
    pub(super) fn of(
        pair: Option<Pair>,
        make: impl FnOnce() -> Result<CoordTransform, ImageryError>,
    ) -> Result<Self, ImageryError> {
        let waiting = pair.and_then(|pair| lists().get_mut(&pair).and_then(Vec::pop));
        let inner = waiting.map_or_else(|| make().map(Movable), Ok)?;
        Ok(Self { inner: Some(inner), pair })
    }
}

impl Deref for Lent {
    type Target = CoordTransform;

    fn deref(&self) -> &CoordTransform {
        #[expect(clippy::expect_used, reason = "taken out by drop alone")]
        &self.inner.as_ref().expect("not dropped yet").0
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let (Some(inner), Some(pair)) = (self.inner.take(), self.pair) else { return };
        let mut lists = lists();
        if lists.len() < MOST_PAIRS || lists.contains_key(&pair) {
            let list = lists.entry(pair).or_default();
            if list.len() < MOST_OF_PAIR {
                list.push(inner);
            }
        }
    }
}

fn lists() -> std::sync::MutexGuard<'static, BTreeMap<Pair, Vec<Movable>>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}
