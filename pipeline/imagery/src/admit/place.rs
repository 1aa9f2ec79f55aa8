//! Where a pass lies on the earth.

use shorewatch_domain::crs::Epsg;
use shorewatch_domain::sensor::{Layout, SensorProfile};

use super::delivery::file_name;
use crate::crs::Transform;
use crate::error::{FileFault, ImageryError};
use crate::open::{Georeference, OpenedFile};

/// Pieces into which an edge of the image is divided: its straight line is a curve in longitude and latitude.
const PIECES: usize = 16;

/// Metres of a degree of latitude, to a percent.
const METRES_A_DEGREE: f64 = 111_320.0;

/// How many times larger or smaller than the profile's the pixels may be before it is worth a warning.
const RESOLUTION_FACTOR: f64 = 2.0;

/// The outline of the first file in WGS 84 as a closed ring (longitude, latitude). Longitudes run on beyond ±180 where
/// it crosses the 180th meridian. Every other file must overlap it.
pub(super) fn footprint(
    files: &[(OpenedFile, Georeference)],
    profile: &SensorProfile,
    warnings: &mut Vec<String>,
) -> Result<Vec<(f64, f64)>, ImageryError> {
    let outlines = files.iter().map(|(file, place)| outline(file, place)).collect::<Result<Vec<_>, _>>()?;
    let (first, others) = outlines
        .split_first()
        .ok_or_else(|| ImageryError::Profile { profile: profile.name.clone(), problem: "reads no file".to_owned() })?;
    for (other, (file, _)) in others.iter().zip(&files[1..]) {
        if !overlap(&bounds(first), &bounds(other)) {
            return super::fault(file, FileFault::Elsewhere { other: file_name(&files[0].0.path) });
        }
    }
    let (file, place) = &files[0];
    let [min_x, _, max_x, _] = bounds(first);
    if min_x < -180.0 || max_x > 180.0 {
        warnings
            .push(format!("{}: crosses the 180th meridian; reaches beyond it are not found", file_name(&file.path)));
    }
    if profile.layout == Layout::OneFile {
        let got = pixel_size_m(place, first)?;
        let expected = profile.ground_sampling_distance_m;
        if got > expected * RESOLUTION_FACTOR || got < expected / RESOLUTION_FACTOR {
            let name = file_name(&file.path);
            warnings.push(format!("{name}: pixels of {got:.2} m, the profile {} says {expected} m", profile.name));
        }
    }
    Ok(first.clone())
}

fn outline(file: &OpenedFile, place: &Georeference) -> Result<Vec<(f64, f64)>, ImageryError> {
    let misplaced = |detail: String| ImageryError::file(&file.path, FileFault::Misplaced { detail });
    let (rows, cols) = (file.size.0 as f64, file.size.1 as f64);
    let corners = [(0.0, 0.0), (0.0, rows), (cols, rows), (cols, 0.0), (0.0, 0.0)];
    let mut pixels = Vec::with_capacity(4 * PIECES + 1);
    for pair in corners.windows(2) {
        let ((col, row), (next_col, next_row)) = (pair[0], pair[1]);
        pixels.extend((0..PIECES).map(|piece| {
            let t = piece as f64 / PIECES as f64;
            (col + (next_col - col) * t, row + (next_row - row) * t)
        }));
    }
    pixels.push(corners[0]);
    let g = place.geotransform;
    let at = |(col, row): (f64, f64)| (g[0] + col * g[1] + row * g[2], g[3] + col * g[4] + row * g[5]);
    let (mut x, mut y): (Vec<f64>, Vec<f64>) = pixels.into_iter().map(at).unzip();
    let transform = Transform::new(&place.crs, Epsg::WGS84)?;
    transform.points(&mut x, &mut y).map_err(|error| misplaced(error.to_string()))?;
    if let Some(latitude) = y.iter().find(|latitude| latitude.abs() > 90.0) {
        return Err(misplaced(format!("a corner is at latitude {latitude} in {}", place.crs)));
    }
    if let Some(longitude) = x.iter().find(|longitude| longitude.abs() > 360.0) {
        return Err(misplaced(format!("a corner is at longitude {longitude} in {}", place.crs)));
    }
    for i in 1..x.len() {
        x[i] -= 360.0 * ((x[i] - x[i - 1]) / 360.0).round();
    }
    Ok(x.into_iter().zip(y).collect())
}

/// [min x, min y, max x, max y].
fn bounds(ring: &[(f64, f64)]) -> [f64; 4] {
    ring.iter().fold([f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY], |[a, b, c, d], &(x, y)| {
        [a.min(x), b.min(y), c.max(x), d.max(y)]
    })
}

fn overlap(a: &[f64; 4], b: &[f64; 4]) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

/// Edge of a pixel in metres: the root of its area.
fn pixel_size_m(place: &Georeference, outline: &[(f64, f64)]) -> Result<f64, ImageryError> {
    let [_, xc, xr, _, yc, yr] = place.geotransform;
    let area = (xc * yr - xr * yc).abs();
    Ok(match place.crs.metres_per_unit()? {
        Some(metres) => area.sqrt() * metres,
        None => {
            let [_, south, _, north] = bounds(outline);
            (area * ((south + north) / 2.0).to_radians().cos()).sqrt() * METRES_A_DEGREE
        }
    })
}
