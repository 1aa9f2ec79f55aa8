//! Management scopes held against the water that passes saw.
//!
//! | module | holds |
//! |---|---|
//! | `squares` | what passes saw, from the pixels that runs staged |
//! | `around` | the ground around one scope |
//! | `told` | what scopes were held against, for people and programs |

mod around;
mod squares;
mod told;

use std::collections::BTreeSet;

use geo::{BoundingRect, MapCoordsInPlace};
use geo_types::MultiPolygon;
use rstar::RTree;
use rstar::primitives::{GeomWithData, Rectangle};

use shorewatch_domain::crs::Epsg;
use shorewatch_domain::digest::Digest;
use shorewatch_domain::grid::Grid;
use shorewatch_domain::law::layer::{Facts, Feature};
use shorewatch_imagery::crs::Transform;
use shorewatch_law::defects::Defect;
use shorewatch_law::defects::seen_water::{AgainstWater, Thresholds, against_water};
use shorewatch_store::Store;

use self::around::{Around, ground_of};
use self::squares::{Squares, grounds};
pub use self::told::{Imagery, UntoldScope};
use crate::configuration::RunSettings;
use crate::failure::Failure;
use crate::run::model::Model;

/// Defects of the scopes among `features` against the water that passes saw, and what they were held against.
///
/// # Errors
/// The store can't be read, or a defect can't be brought back into degrees.
pub fn against_imagery(
    settings: &RunSettings,
    store: &Store,
    features: &[Feature],
) -> Result<(Vec<Defect>, Imagery), Failure> {
    let scopes: Vec<&Feature> =
        features.iter().filter(|feature| matches!(feature.facts, Facts::ManagementScope { .. })).collect();
    if scopes.is_empty() {
        return Ok(Imagery::none("no management scope is in force"));
    }
    let grounds = grounds(store)?;
    if grounds.is_empty() {
        return Ok(Imagery::none("no pass has been worked; `shorewatch run` works them"));
    }
    let water = match Model::describe(settings) {
        Ok(description) => description.model_classes().id("water").and_then(|id| u8::try_from(id).ok()),
        Err(fault) => return Ok(Imagery::none(format!("which class is water can't be read from the model: {fault}"))),
    };
    let Some(water) = water else { return Ok(Imagery::none("the model has no class called water")) };

    shorewatch_imagery::open::init();
    let check = &settings.boundary_check;
    let thresholds =
        Thresholds { ring_m: check.ring_m, outside_min_m2: check.outside_min_m2, shift_min_m: check.shift_min_m };
    let grounds: Vec<Squares<'_>> =
        grounds.into_iter().map(|(grid, units)| Squares::new(grid, units, water, settings)).collect();
    let index = RTree::bulk_load(
        scopes.iter().filter_map(|scope| Some(GeomWithData::new(bounds(&scope.geometry)?, *scope))).collect(),
    );
    let mut told = Imagery { scopes: scopes.len(), ..Imagery::default() };
    let (mut defects, mut unseen_m) = (Vec::new(), 0.0);
    for scope in scopes {
        let Some((squares, scope_px)) = ground_of(scope, &grounds, check.ring_m) else {
            told.scopes_not_looked_at += 1;
            continue;
        };
        let around = Around::new(scope, squares, &index, check.ring_m);
        let held = against_water(&scope_px, squares.grid.pixel_size_m, &around, &thresholds);
        told.edge_km += held.edge_m / 1000.0;
        unseen_m += held.not_looked_at_m;
        told.scopes_not_looked_at += usize::from(held.edge_m > 0.0 && held.not_looked_at_m >= held.edge_m);
        told.untold.extend(held.untold(scope).map(|text| UntoldScope { code: scope.code.clone(), text }));
        defects.extend(held.defects(scope, in_degrees(&held, &squares.grid)?));
    }
    if told.edge_km > 0.0 {
        told.not_looked_at_share = unseen_m / (told.edge_km * 1000.0);
    }
    let passes: BTreeSet<Digest> = grounds.iter().flat_map(Squares::passes).collect();
    told.passes = passes.len();
    told.units_gone = grounds.iter().map(Squares::units_gone).sum();
    Ok(match told.passes {
        0 if told.units_gone > 0 => {
            Imagery::none("the work folder no longer holds what passes saw; run again to look at it")
        }
        0 => Imagery::none("no pass shows the ground of a management scope"),
        _ => (defects, told),
    })
}

/// Bounds in an index.
type Bounds = Rectangle<[f64; 2]>;

fn bounds(shape: &MultiPolygon<f64>) -> Option<Bounds> {
    let bounds = shape.bounding_rect()?;
    Some(Rectangle::from_corners([bounds.min().x, bounds.min().y], [bounds.max().x, bounds.max().y]))
}

/// The water outside of a scope in CGCS2000 (longitude, latitude).
fn in_degrees(held: &AgainstWater, grid: &Grid) -> Result<MultiPolygon<f64>, Failure> {
    let mut outside = held.outside_px.clone();
    outside.map_coords_in_place(|place| grid.to_projected(place.x, place.y).into());
    Ok(Transform::new(grid.epsg, Epsg::CGCS2000)?.multi_polygon(&outside, None)?)
}
