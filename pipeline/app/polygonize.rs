//! Polygons of a label raster, on all cores: strips are traced in parallel and merged in order.
//!
//! What a region is, and how it is traced, lies in [`shorewatch_domain::extract`]; here are only the threads.
//! Results do not depend on the number of threads, nor on where the strips are cut.

use ndarray::{Array2, ArrayView2, s};
use rayon::prelude::*;
use shorewatch_domain::extract::{ExtractError, Region, RegionMerger, TracedStrip, trace_strip};

/// Rows of a strip where the caller has no reason for another number: low enough that a strip of a Sentinel-2
/// tile (10980 columns) and its corners stay in the cache, high enough that few regions cross its seams.
pub const DEFAULT_STRIP_ROWS: usize = 256;

/// A strip of whole rows that a stream hands over.
#[derive(Debug, Clone)]
pub struct LabelStrip {
    /// Labels, (row, col).
    pub labels: Array2<u8>,
    /// Values to be summed up for each region, (row, col), of the same shape.
    pub values: Option<Array2<u8>>,
    /// Grid row of its first row.
    pub first_row: i64,
    /// Grid column of its first column.
    pub first_col: i64,
}

impl LabelStrip {
    fn trace(&self, background: Option<u8>) -> Result<TracedStrip, ExtractError> {
        let values = self.values.as_ref().map(|values| values.view());
        trace_strip(self.labels.view(), values, self.first_row, self.first_col, background)
    }
}

/// All 4-connected regions of equal label in a raster (row, col) held in memory, `background` left out.
///
/// Rows and columns count from 0. The regions are ordered by the row where they end, then by their first corner.
///
/// # Errors
/// As [`trace_strip`]: `values` of another shape, or a strip too large.
#[expect(clippy::needless_pass_by_value, reason = "a view is a reference")]
pub fn polygonize(
    labels: ArrayView2<'_, u8>,
    values: Option<ArrayView2<'_, u8>>,
    background: Option<u8>,
    strip_rows: usize,
) -> Result<Vec<Region>, ExtractError> {
    if let Some(values) = values
        && values.dim() != labels.dim()
    {
        return Err(ExtractError::ShapeMismatch {
            first_row: 0,
            labels: labels.dim().into(),
            values: values.dim().into(),
        });
    }
    let strip_rows = strip_rows.max(1);
    let traced: Vec<TracedStrip> = (0..labels.nrows().div_ceil(strip_rows))
        .into_par_iter()
        .map(|index| {
            let rows = index * strip_rows..labels.nrows().min((index + 1) * strip_rows);
            trace_strip(
                labels.slice(s![rows.clone(), ..]),
                values.as_ref().map(|values| values.slice(s![rows.clone(), ..])),
                rows.start as i64,
                0,
                background,
            )
        })
        .collect::<Result<_, _>>()?;

    let mut merger = RegionMerger::new();
    let mut regions = Vec::with_capacity(traced.iter().map(TracedStrip::complete_count).sum());
    for strip in traced {
        regions.extend(merger.push(strip)?);
    }
    regions.extend(merger.finish());
    Ok(regions)
}

/// The same for a raster that comes strip by strip, from the first row to the last: hands each region to `emit`
/// as soon as no later strip can touch it.
///
/// Holds a batch of strips (two for each thread) and the regions that are still open.
///
/// # Errors
/// The first error of the stream, of the strips ([`ExtractError`]) or of `emit`; no region is emitted after it.
pub fn polygonize_strips<E>(
    strips: impl IntoIterator<Item = Result<LabelStrip, E>>,
    background: Option<u8>,
    mut emit: impl FnMut(Region) -> Result<(), E>,
) -> Result<(), E>
where
    E: From<ExtractError> + Send,
{
    let batch_size = 2 * rayon::current_num_threads();
    let mut strips = strips.into_iter();
    let mut merger = RegionMerger::new();
    loop {
        let batch: Vec<LabelStrip> = strips.by_ref().take(batch_size).collect::<Result<_, _>>()?;
        if batch.is_empty() {
            break;
        }
        let traced: Vec<TracedStrip> =
            batch.into_par_iter().map(|strip| strip.trace(background)).collect::<Result<_, _>>()?;
        for strip in traced {
            for region in merger.push(strip)? {
                emit(region)?;
            }
        }
    }
    merger.finish().into_iter().try_for_each(emit)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks, stripes and single pixels, so that regions of all sizes cross the seams.
    fn labels() -> Array2<u8> {
        Array2::from_shape_fn((97, 143), |(row, col)| {
            let block = (row / 9 + col / 13) % 3;
            let grain = (row * 7919 + col * 104_729) % 17 == 0;
            if grain { 3 } else { block as u8 }
        })
    }

    #[test]
    fn strips_and_whole_raster_give_the_same_regions_in_the_same_order() {
        let labels = labels();
        let values = labels.mapv(|label| label * 50);
        let whole = polygonize(labels.view(), Some(values.view()), Some(0), 1000).expect("a raster that fits");
        let pixels: u64 = whole.iter().map(|region| region.pixel_count).sum();
        assert_eq!(pixels, labels.iter().filter(|label| **label != 0).count() as u64);
        for strip_rows in [1, 8, 31, 96] {
            let cut = polygonize(labels.view(), Some(values.view()), Some(0), strip_rows).expect("a raster that fits");
            assert_eq!(whole, cut);

            let strips = (0..labels.nrows()).step_by(strip_rows).map(|row| {
                let rows = row..labels.nrows().min(row + strip_rows);
                Ok::<_, ExtractError>(LabelStrip {
                    labels: labels.slice(s![rows.clone(), ..]).to_owned(),
                    values: Some(values.slice(s![rows, ..]).to_owned()),
                    first_row: row as i64,
                    first_col: 0,
                })
            });
            let mut streamed = Vec::new();
            polygonize_strips(strips, Some(0), |region| {
                streamed.push(region);
                Ok(())
            })
            .expect("strips in order");
            assert_eq!(whole, streamed);
        }
    }

    #[test]
    fn an_error_of_the_stream_ends_it() {
        let strips = [Err(ExtractError::Tolerance { got: -1.0 })];
        let ended = polygonize_strips(strips, None, |_| Ok(()));
        assert_eq!(ended, Err(ExtractError::Tolerance { got: -1.0 }));
    }
}
