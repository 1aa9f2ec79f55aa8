//! Checks that every picture makes before it paints.

use geo::CoordsIter;
use geo_types::MultiPolygon;
use ndarray::{Array2, Array3};

use crate::error::RenderError;

/// Rows and columns of pixels that are known to be a picture.
pub(crate) fn check_pixels(
    what: &str,
    pixels: &Array3<f32>,
    observed: &Array2<bool>,
) -> Result<(usize, usize), RenderError> {
    let (bands, rows, columns) = pixels.dim();
    if bands != 3 {
        return Err(RenderError::Bands { what: what.to_owned(), got: bands });
    }
    if rows == 0 || columns == 0 {
        return Err(RenderError::Empty { what: what.to_owned() });
    }
    check_shape(what, "the observed mask", (rows, columns), observed.dim())?;
    Ok((rows, columns))
}

/// Refuses an array whose (rows, columns) differ from the picture's.
pub(crate) fn check_shape(
    what: &str,
    array: &'static str,
    expected: (usize, usize),
    got: (usize, usize),
) -> Result<(), RenderError> {
    if expected == got {
        return Ok(());
    }
    Err(RenderError::Shape { what: what.to_owned(), array, expected, got })
}

/// Refuses a ground sampling distance that is not a positive number of metres.
pub(crate) fn check_gsd(what: &str, gsd_m: f64) -> Result<(), RenderError> {
    if gsd_m.is_finite() && gsd_m > 0.0 {
        return Ok(());
    }
    Err(RenderError::GroundSamplingDistance { what: what.to_owned(), got: gsd_m })
}

/// Refuses polygons with NaN or infinite coordinates.
pub(crate) fn check_polygon(what: &str, polygon: &str, shape: &MultiPolygon<f64>) -> Result<(), RenderError> {
    match shape.coords_iter().find(|at| !(at.x.is_finite() && at.y.is_finite())) {
        None => Ok(()),
        Some(at) => {
            Err(RenderError::Coordinate { what: what.to_owned(), polygon: polygon.to_owned(), x: at.x, y: at.y })
        }
    }
}
