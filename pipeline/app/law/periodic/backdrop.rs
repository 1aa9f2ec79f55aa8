//! Imagery under the maps: of each place the latest pass until the end of the period that covers it.

use std::collections::BTreeSet;

use geo::MapCoords;
use ndarray::{Array2, Array3};

use shorewatch_domain::crs::Epsg;
use shorewatch_domain::grid::{Grid, Window};
use shorewatch_domain::observed::Causes;
use shorewatch_domain::rasterise;
use shorewatch_imagery::crs::Transform;
use shorewatch_report::{Backdrop, BackdropPass, Frame, render_backdrop};
use shorewatch_store::PublicationRecord;

use super::Material;
use crate::failure::Failure;
use crate::run::readers::NATURAL;

/// Pixels of the picture a pixel of the map, along each edge: paper is finer than a screen.
const SHARPNESS: f64 = 1.5;

/// Passes of a picture, at most: each is read in overview.
const MOST_PASSES: usize = 12;

/// Metres of a degree of latitude.
const METRES_PER_DEGREE: f64 = 111_320.0;

/// Where a pass has no ground: there an earlier one is shown.
const NO_GROUND: Causes = Causes(Causes::OUTSIDE.0 | Causes::NODATA.0 | Causes::TRANSPARENT.0);

/// The picture under a map.
pub(super) struct Laid {
    /// The picture (JPEG), to the edges of the map.
    pub jpeg: Vec<u8>,
    /// Which passes it shows, the latest first.
    pub passes: Vec<String>,
    /// Passes that should be there and can't be read.
    pub unreadable: Vec<String>,
}

/// Paints what lies under a map; `None` where no pass covers it.
pub(super) fn lay(material: &Material<'_>, frame: &Frame) -> Result<Option<Laid>, Failure> {
    let edge = |length: f64| ((length * SHARPNESS).round() as usize).max(1);
    let lattice = Window { row: 0, col: 0, rows: edge(frame.height), cols: edge(frame.width) };
    let in_scope = in_scope(material, frame, lattice);
    let mut missing = in_scope.clone();
    let (mut layers, mut passes, mut unreadable, mut asked) = (Vec::new(), Vec::new(), Vec::new(), BTreeSet::new());
    for publication in &material.publications {
        if layers.len() == MOST_PASSES || !missing.iter().any(|missing| *missing) {
            break;
        }
        if !asked.insert(publication.pass_id) {
            continue;
        }
        let pass = material.readers.pass(&publication.pass_id)?;
        match look(material, publication, frame, lattice) {
            Ok(Some(layer)) if layer.covered.iter().zip(&missing).any(|(covered, missing)| *covered && *missing) => {
                ndarray::Zip::from(&mut missing).and(&layer.covered).for_each(|missing, covered| *missing &= !covered);
                passes.push(format!("{} {}", material.rules.local_day(publication.post_date), pass.sensor));
                layers.push(layer);
            }
            Ok(_) => {}
            Err(fault) => {
                tracing::warn!(%fault, "a pass is left out of the map: {}", pass.name);
                unreadable.push(pass.name.clone());
            }
        }
    }
    if layers.is_empty() {
        return Ok(None);
    }
    let jpeg = render_backdrop(&Backdrop { passes: layers, in_scope })
        .map_err(|fault| Failure::internal(format!("report: {fault}")))?;
    Ok(Some(Laid { jpeg, passes, unreadable }))
}

/// Managed ground on the lattice of the picture.
fn in_scope(material: &Material<'_>, frame: &Frame, lattice: Window) -> Array2<bool> {
    let mut in_scope = Array2::from_elem(lattice.shape(), false);
    for reach in &material.reaches {
        let scope = reach.scope.map_coords(|point| {
            let (x, y) = frame.place((point.x, point.y));
            (x * SHARPNESS, y * SHARPNESS).into()
        });
        rasterise::for_each_run(&scope, lattice, |row, cols| in_scope.slice_mut(ndarray::s![row, cols]).fill(true));
    }
    in_scope
}

/// What a pass shows of the map; `None` where it lies elsewhere.
fn look(
    material: &Material<'_>,
    publication: &PublicationRecord,
    frame: &Frame,
    lattice: Window,
) -> Result<Option<BackdropPass>, Failure> {
    let readers = &material.readers;
    let pass = readers.pass(&publication.pass_id)?;
    let [west, south, east, north] = frame.extent;
    // the pixels of the picture whose centres lie in the bounds of the pass
    let bounds = pass.footprint.iter().fold(
        [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY],
        |[west, south, east, north], (x, y)| [west.min(*x), south.min(*y), east.max(*x), north.max(*y)],
    );
    let (mut places, mut x, mut y) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..lattice.rows {
        let latitude = north - (row as f64 + 0.5) / lattice.rows as f64 * (north - south);
        for col in 0..lattice.cols {
            let longitude = west + (col as f64 + 0.5) / lattice.cols as f64 * (east - west);
            if longitude >= bounds[0] && longitude <= bounds[2] && latitude >= bounds[1] && latitude <= bounds[3] {
                places.push((row, col));
                x.push(longitude);
                y.push(latitude);
            }
        }
    }
    if places.is_empty() {
        return Ok(None);
    }
    Transform::new(Epsg::CGCS2000, publication.grid.epsg)?.points(&mut x, &mut y)?;
    let metres = (north - south) / lattice.rows as f64 * METRES_PER_DEGREE;
    let factor = (metres / publication.grid.pixel_size_m).round().max(1.0);
    let grid = Grid { pixel_size_m: publication.grid.pixel_size_m * factor, ..publication.grid };
    let pixels: Vec<(i64, i64)> = x
        .iter()
        .zip(&y)
        .map(|(x, y)| {
            let (col, row) = grid.to_pixel(*x, *y);
            (row.floor() as i64, col.floor() as i64)
        })
        .collect();
    let span = |of: fn(&(i64, i64)) -> i64| {
        let (first, last) = (pixels.iter().map(of).min().unwrap_or(0), pixels.iter().map(of).max().unwrap_or(0));
        (first, (last - first + 1) as usize)
    };
    let ((row, rows), (col, cols)) = (span(|(row, _)| *row), span(|(_, col)| *col));
    let window = Window { row, col, rows, cols };
    let roles = readers.display_roles(pass)?;
    let raster = readers.reader_of(&pass.id, &roles)?.read(grid, window)?.raster;
    let mut layer = BackdropPass {
        pixels: Array3::zeros((3, lattice.rows, lattice.cols)),
        observed: Array2::from_elem(lattice.shape(), false),
        covered: Array2::from_elem(lattice.shape(), false),
        natural_colour: roles == NATURAL,
    };
    for (place, (row, col)) in places.into_iter().zip(pixels) {
        let from = ((row - window.row) as usize, (col - window.col) as usize);
        let causes = raster.causes[from];
        layer.observed[place] = causes.is_observed();
        layer.covered[place] = causes.0 & NO_GROUND.0 == 0;
        for band in 0..3 {
            layer.pixels[(band, place.0, place.1)] = raster.pixels[(band, from.0, from.1)];
        }
    }
    Ok(Some(layer))
}
