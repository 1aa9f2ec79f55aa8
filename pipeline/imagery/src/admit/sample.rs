//! A look at the pixels: is the scale that of the profile, is anything there, and how is a display stretch undone?
//!
//! The sample is the same for the same file: rows and columns at regular distances, whatever overviews there are.

use ndarray::Array2;
use shorewatch_domain::pass::FittedBand;
use shorewatch_domain::sensor::{BandProfile, DataType, NodataRule, Radiometry, SensorProfile};

use super::delivery::{Purpose, file_name};
use crate::error::{FileFault, ImageryError};
use crate::open::OpenedFile;
use crate::runtime;

/// Rows and columns of the sample.
const EDGE: usize = 512;

/// Images up to this many pixels are sampled evenly; of larger ones only some squares are decoded.
const EVEN_UP_TO_PIXELS: usize = 16 << 20;

/// Fewest and most squares a side, for large images.
const SQUARES: (usize, usize) = (4, 16);

/// Pixels of whole blocks that the sample of a large image may decode.
const DECODED_PIXELS: usize = 16 << 20;

/// Plausible reflectance: bright roofs, glint and clouds exceed 1, noise and terrain correction go below 0.
const PLAUSIBLE: (f64, f64) = (-0.2, 1.6);

/// Share of implausible reflectances from which on the scale is taken to be wrong.
const WRONG_SCALE_FROM: f64 = 0.5;

/// Alpha values from here on are opaque.
const OPAQUE_FROM: f64 = 128.0;

/// The percentiles that a display stretch is fitted to.
const STRETCH: (f64, f64) = (0.02, 0.98);

/// Checks the reflectances of one file and fits its display stretches.
pub(super) fn examine(
    file: &OpenedFile,
    uses: &[(usize, Purpose)],
    profile: &SensorProfile,
    warnings: &mut Vec<String>,
) -> Result<Vec<FittedBand>, ImageryError> {
    let name = file_name(&file.path);
    let (reflectance, alpha) = split(uses, profile);
    if reflectance.is_empty() {
        return Ok(Vec::new());
    }
    let indices: Vec<usize> = reflectance.iter().map(|(index, _)| *index).chain(alpha).collect();
    let sample = Sample::read(file, &indices);
    if sample.unreadable > 0 {
        warnings.push(format!(
            "{name}: {} of {} sampled places cannot be decoded: their blocks stay unobserved ({})",
            sample.unreadable,
            sample.places,
            sample.words.join("; ")
        ));
    }
    let valid = valid_pixels(&sample.values, reflectance.len(), profile);
    if valid.is_empty() {
        warnings.push(format!(
            "{name}: no valid pixel among {} sampled ones: nothing will be observed in it",
            sample.values.ncols()
        ));
    }
    let mut fitted = Vec::new();
    for (row, (index, band)) in reflectance.iter().enumerate() {
        let mut stored: Vec<f64> = valid.iter().map(|&pixel| f64::from(sample.values[(row, pixel)])).collect();
        stored.retain(|value| value.is_finite());
        stored.sort_by(f64::total_cmp);
        match band.radiometry {
            Radiometry::Linear { scale, offset } => {
                let values: Vec<f64> = stored.iter().map(|value| value * scale + offset).collect();
                check_scale(&values, band, profile, warnings, &name).map_err(|mut fault| {
                    if let FileFault::WrongScale { band, .. } = &mut fault {
                        *band = *index;
                    }
                    ImageryError::file(&file.path, fault)
                })?;
            }
            Radiometry::DisplayStretch { low_reflectance, high_reflectance } => {
                let (low, high) = stretch(&stored, profile.data_type);
                if !stored.is_empty() && high - low < 2.0 {
                    warnings.push(format!("{name}: band {} has next to no contrast ({low} to {high})", band.role));
                }
                let scale = (high_reflectance - low_reflectance) / (high - low).max(1.0);
                fitted.push(FittedBand { role: band.role, scale, offset: low_reflectance - low * scale });
            }
        }
    }
    Ok(fitted)
}

type Split<'a> = (Vec<(usize, &'a BandProfile)>, Option<usize>);

/// The reflectance bands with their profiles, and the alpha band.
fn split<'a>(uses: &[(usize, Purpose)], profile: &'a SensorProfile) -> Split<'a> {
    let (mut reflectance, mut alpha) = (Vec::new(), None);
    for &(index, purpose) in uses {
        match purpose {
            Purpose::Reflectance(role) => reflectance.extend(profile.band(role).map(|band| (index, band))),
            Purpose::Alpha => alpha = Some(index),
            Purpose::Quality => {}
        }
    }
    (reflectance, alpha)
}

/// Sampled pixels that are neither fill, nor transparent, nor NaN.
fn valid_pixels(values: &Array2<f32>, reflectance_bands: usize, profile: &SensorProfile) -> Vec<usize> {
    let is_valid = |pixel: &usize| {
        let column = values.column(*pixel);
        let bands = || column.iter().take(reflectance_bands).map(|value| f64::from(*value));
        let transparent = column.iter().skip(reflectance_bands).any(|alpha| f64::from(*alpha) < OPAQUE_FROM);
        let is_fill = |value: f64| profile.nodata.is_some_and(|nodata| value == nodata);
        let fill = match profile.nodata_rule {
            NodataRule::AllBands => bands().all(is_fill),
            NodataRule::AnyBand => bands().any(is_fill),
        };
        !transparent && !fill && bands().all(f64::is_finite)
    };
    (0..values.ncols()).filter(is_valid).collect()
}

/// `sorted` are reflectances in ascending order.
fn check_scale(
    sorted: &[f64],
    band: &BandProfile,
    profile: &SensorProfile,
    warnings: &mut Vec<String>,
    name: &str,
) -> Result<(), FileFault> {
    if sorted.is_empty() {
        return Ok(());
    }
    let share =
        |test: &dyn Fn(f64) -> bool| sorted.iter().filter(|value| test(**value)).count() as f64 / sorted.len() as f64;
    let (low, high) = PLAUSIBLE;
    let outside = share(&|value| value < low || value > high);
    if outside > WRONG_SCALE_FROM {
        return Err(FileFault::WrongScale {
            band: band.index,
            role: band.role.to_string(),
            profile: profile.name.clone(),
            percent: outside * 100.0,
            low,
            high,
            median: percentile(sorted, 0.5),
        });
    }
    let negative = share(&|value| value < 0.0);
    if negative > WRONG_SCALE_FROM {
        let percent = negative * 100.0;
        warnings.push(format!(
            "{name}: {percent:.0} % of the sampled reflectances of {} are negative: is the offset right?",
            band.role
        ));
    }
    Ok(())
}

/// The stored values that a display stretch is tied to; those of the whole type where no pixel is valid.
fn stretch(sorted: &[f64], data_type: DataType) -> (f64, f64) {
    if sorted.is_empty() {
        let highest = match data_type {
            DataType::Uint8 => 255.0,
            DataType::Uint16 => 65535.0,
            DataType::Int16 => 32767.0,
            DataType::Float32 => 1.0,
        };
        return (0.0, highest);
    }
    (percentile(sorted, STRETCH.0), percentile(sorted, STRETCH.1))
}

/// The value at a share of ascending values, by the nearest rank.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let rank = (share * (sorted.len() - 1) as f64).round() as usize;
    sorted[rank.min(sorted.len() - 1)]
}

/// Stored values of some bands at the same pixels.
struct Sample {
    /// (band, pixel).
    values: Array2<f32>,
    /// How many rows or squares were tried.
    places: usize,
    /// How many of them could not be decoded.
    unreadable: usize,
    /// GDAL's words for it, some of them.
    words: Vec<String>,
}

impl Sample {
    fn read(file: &OpenedFile, bands: &[usize]) -> Self {
        let block = bands.first().map_or((1, 1), |&band| file.bands[band - 1].block_size);
        let places = places(file.size, block);
        let mut pixels: Vec<Vec<f32>> = vec![Vec::new(); bands.len()];
        let (mut unreadable, mut words): (usize, Vec<String>) = (0, Vec::new());
        for place in &places {
            let (read, messages) = runtime::collect_messages(|| {
                bands.iter().map(|&band| place.read(file, band)).collect::<Result<Vec<_>, _>>()
            });
            match read {
                Ok(parts) => pixels.iter_mut().zip(parts).for_each(|(pixels, part)| pixels.extend(part)),
                Err(error) => {
                    unreadable += 1;
                    if words.is_empty() {
                        words.push(runtime::words(&messages, &error));
                    }
                }
            }
        }
        let count = pixels.first().map_or(0, Vec::len);
        let values = Array2::from_shape_fn((bands.len(), count), |(band, pixel)| pixels[band][pixel]);
        Self { values, places: places.len(), unreadable, words }
    }
}

/// A part of the image that is decoded at once, and which of its rows and columns count.
#[derive(Debug)]
struct Place {
    row: usize,
    col: usize,
    rows: usize,
    cols: usize,
    /// Rows that count, from the first one of the part.
    wanted: Vec<usize>,
    /// Every `step`-th column counts.
    step: usize,
}

impl Place {
    fn read(&self, file: &OpenedFile, band: usize) -> Result<Vec<f32>, gdal::errors::GdalError> {
        let offset = (self.col as isize, self.row as isize);
        let size = (self.cols, self.rows);
        let buffer = file.dataset.rasterband(band)?.read_as::<f32>(offset, size, size, None)?;
        let line = |row: &usize| &buffer.data()[row * self.cols..(row + 1) * self.cols];
        Ok(self.wanted.iter().flat_map(|row| line(row).iter().copied().step_by(self.step)).collect())
    }
}

/// The middle of the `i`-th of `n` equal parts of a length.
const fn middle(i: usize, n: usize, length: usize) -> usize {
    (2 * i + 1) * length / (2 * n)
}

/// Where to look in an image of (rows, cols) that is stored in blocks of (rows, cols). No block is decoded twice for a
/// small image; of a large one only as many as are quickly decoded: all of a scene takes seconds.
fn places(size: (usize, usize), block: (usize, usize)) -> Vec<Place> {
    if size.0.saturating_mul(size.1) <= EVEN_UP_TO_PIXELS {
        even_lines(size, block.0.max(1))
    } else {
        squares(size, block)
    }
}

/// Lines at equal distances, grouped by the row of blocks in which they are stored.
fn even_lines((rows, cols): (usize, usize), block_rows: usize) -> Vec<Place> {
    let (lines, step) = (rows.min(EDGE), cols.div_ceil(EDGE).max(1));
    let mut places: Vec<Place> = Vec::new();
    for row in (0..lines).map(|i| middle(i, lines, rows)) {
        match places.last_mut().filter(|place| place.row / block_rows == row / block_rows) {
            Some(place) => {
                place.rows = row - place.row + 1;
                place.wanted.push(row - place.row);
            }
            None => places.push(Place { row, col: 0, rows: 1, cols, wanted: vec![0], step }),
        }
    }
    places
}

/// A lattice of squares, the fewer the larger the blocks are.
fn squares((rows, cols): (usize, usize), block: (usize, usize)) -> Vec<Place> {
    let affordable = ((DECODED_PIXELS / (block.0 * block.1).max(1)) as f64).sqrt() as usize;
    let side = affordable.clamp(SQUARES.0, SQUARES.1);
    let edge = EDGE / side;
    let (height, width) = (edge.min(rows), edge.min(cols));
    let start = |i, length: usize, part: usize| middle(i, side, length).saturating_sub(part / 2).min(length - part);
    (0..side * side)
        .map(|i| {
            let (row, col) = (start(i / side, rows, height), start(i % side, cols, width));
            Place { row, col, rows: height, cols: width, wanted: (0..height).collect(), step: 1 }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(size: (usize, usize), block: (usize, usize), expected_places: usize) {
        let places = places(size, block);
        assert_eq!(places.len(), expected_places);
        let inside = |place: &Place| place.row + place.rows <= size.0 && place.col + place.cols <= size.1;
        assert!(places.iter().all(inside), "{places:?}");
        assert!(places.iter().all(|place| place.wanted.iter().all(|row| *row < place.rows)));
        let count: usize = places.iter().map(|place| place.wanted.len() * place.cols.div_ceil(place.step)).sum();
        let least = size.0.min(EDGE / 2) * size.1.min(EDGE / 2);
        assert!((least..=EDGE * EDGE).contains(&count), "{count} samples");
    }

    #[test]
    fn samples_lie_inside_and_decode_little() {
        check((1, 1), (1, 1), 1);
        check((4, 4), (1, 4), 4);
        check((723, 934), (512, 512), 2);
        check((4000, 4000), (4000, 4000), 1);
        check((3, 5_000_000), (1, 5_000_000), 3);
        check((10_980, 10_980), (512, 512), 64);
        check((10_980, 10_980), (1024, 1024), 16);
        check((10_980, 10_980), (1, 10_980), 256);
        check((20_000, 20_000), (20_000, 20_000), 16);
    }

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let values: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!(
            (percentile(&values, 0.02), percentile(&values, 0.98), percentile(&values, 1.0)),
            (2.0, 98.0, 100.0)
        );
        assert_eq!(percentile(&[7.0], 0.5), 7.0);
    }
}
