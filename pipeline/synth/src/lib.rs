//! Paints deterministic, believable passes of a river landscape, with truth beside them.
//!
//! A [`Scenario`] names the seed, the grid, the passes and the events; [`paint`] gives a [`Series`]:
//! for each pass reflectance in five bands, quality flags and the painted class map, then the
//! [`TruthEvent`]s and the managed [`SyntheticReach`]es. Nothing is read or written, and no clock is
//! asked: the same scenario gives the same bits on every machine and with any number of threads.
//!
//! How a pass comes to be:
//!
//! 1. the *landscape* is a function of the place in metres (river with bars, lake, woods, fields,
//!    meadows, town, roads) and of the moment (season, water level, growth of the bars);
//! 2. *events* lie over it from their first pass on;
//! 3. the *sensor* samples that function twice a pixel along each axis on its own, slightly shifted grid, blurs it,
//!    and adds cloud shadow, haze, cloud, radiometric drift and noise.
//!
//! The reflectance of the materials follows [`CLASS_MEDIANS`], which were measured on real imagery.
//! [`sample_layers`] gives the layers of a made-up office for the scene: scopes, zones, permits, units, chiefs.
//! Beside whole passes, [`plant`] paints single objects into given reflectance, with exact masks.
//!
//! These passes are for demonstration and tests; whoever shows them must say that they are synthetic.

mod clouds;
mod cover;
mod error;
mod events;
mod fields;
mod lake;
mod landscape;
mod noise;
mod paint;
mod placing;
pub mod plant;
mod relief;
mod river;
pub mod sample_layers;
mod scenario;
mod sensor;
mod series;
mod spectra;
mod town;

pub use error::SynthError;
pub use paint::paint;
pub use scenario::{EventPlan, PassPlan, Scenario, Site};
pub use series::{
    BANDS, EventKind, OBSERVABLE_SHARE, QUALITY_CLOUD, QUALITY_CLOUD_SHADOW, QUALITY_FILL, Series, SurfaceClass,
    SyntheticPass, SyntheticReach, SyntheticRiver, TruthEvent,
};
pub use spectra::CLASS_MEDIANS;
