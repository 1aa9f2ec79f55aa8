//! `shorewatch eval`: how good a bundle is, measured through the very path that a run takes (admission, sensor profile,
//! halo, 8-bit scores), on what its training never saw, beside simpler means on the same pixels.
//!
//! | module | holds |
//! |---|---|
//! | [`holdout`] | which chips and textures were held out |
//! | [`chips`] | labelled chips, placed on a grid and read as passes |
//! | [`land_cover`] | the land-cover head, MNDWI and a random forest against the labels |
//! | [`composites`] | planted objects against the object head |
//! | [`outcome`] | the figures by name, as `eval.json` holds them, and the goals |
//! | [`page`] | `eval.html` |

pub mod chips;
pub mod composites;
pub mod holdout;
pub mod land_cover;
pub mod outcome;
pub mod page;

use std::path::PathBuf;
use std::time::Instant;

use jiff::Timestamp;
use rayon::prelude::*;

use shorewatch_domain::sensor::SensorProfile;
use shorewatch_models::{Bundle, Format, Options, Segmenter, load};

use self::chips::{Chip, ChipReader};
use self::composites::{ObjectTally, Textures};
use self::holdout::{Holdout, Part, Split};
use self::land_cover::{Answer, BandSetFigures, LandCover, Tally};
use crate::configuration;
use crate::failure::Failure;
use crate::progress::Progress;

/// What is to be evaluated, and on what.
#[derive(Debug, Clone)]
pub struct Request {
    /// Folder of the bundles.
    pub bundles: PathBuf,
    /// Name of the bundle.
    pub bundle: String,
    /// Folder with `worldcover-chips` and `mining-gallery`.
    pub data: PathBuf,
    /// The list of what was held out; by default `holdout.json` of the bundle.
    pub holdout: Option<PathBuf>,
    /// Which form of the weights; by default the first that this program can run.
    pub format: Option<Format>,
    /// The library of ONNX Runtime, where it is not found by itself.
    pub onnxruntime_library: Option<PathBuf>,
}

/// Everything that was measured.
pub struct Measured {
    /// The bundle.
    pub bundle: Bundle,
    /// The form of the weights that ran.
    pub format: Format,
    /// When it began.
    pub started: Timestamp,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// One for each of [`Split::ALL`].
    pub splits: Vec<SplitMeasured>,
    /// Name, bands and figures of each set of bands, on the chips held out by mask.
    pub band_sets: Vec<(String, Vec<String>, BandSetFigures)>,
    /// Objects, where the model has a head for them.
    pub objects: Option<ObjectTally>,
    /// The chips of [`Split::UnseenPlaces`] with their answers, for pictures.
    pub answers: Vec<(Chip, Answer)>,
}

/// One hold-out.
pub struct SplitMeasured {
    /// Which.
    pub split: Split,
    /// Chips in it.
    pub chips: usize,
    /// Places that they show.
    pub places: usize,
    /// Counts.
    pub tally: Tally,
}

/// Measures a bundle.
///
/// # Errors
/// Bundle, data or list of held-out chips are missing or do not fit each other.
pub fn measure(request: &Request, progress: &Progress) -> Result<Measured, Failure> {
    let (started, clock) = (Timestamp::now(), Instant::now());
    let bundle = Bundle::load(&request.bundles, &request.bundle)?;
    let format = match request.format {
        Some(format) => format,
        None => first_format(&bundle)?,
    };
    let options = Options { onnxruntime_library: request.onnxruntime_library.clone(), ..Options::cpu(format) };
    let segmenter = load::load(&bundle, &options)?;
    let land_cover = LandCover::of(segmenter.as_ref())?;
    let list = request.holdout.clone().unwrap_or_else(|| request.bundles.join(&request.bundle).join("holdout.json"));
    let holdout = Holdout::read(&list)?;
    let chips_folder = request.data.join("worldcover-chips");
    if !chips_folder.is_dir() {
        return Err(Failure::input(format!(
            "{}: expected the folder of the labelled chips, found none; give the folder above it with --data or \
             SHOREWATCH_DATA",
            chips_folder.display()
        )));
    }

    let read = |names: Vec<&str>| -> Result<Vec<Chip>, Failure> {
        names.par_iter().map(|name| Chip::read(&chips_folder, name)).collect()
    };
    progress.say("growing the random forest on the training chips");
    let forest = land_cover::grow_forest(&read(holdout.of_part(Part::Train).collect())?)?;

    let held: Vec<&str> = holdout
        .chips
        .iter()
        .filter(|(_, chip)| Split::ALL.iter().any(|split| split.holds(chip)))
        .map(|(name, _)| name.as_str())
        .collect();
    let profile = sensor_profile()?;
    let scratch = tempfile::tempdir()?;
    let description = segmenter.description();
    let reader = ChipReader::new(&profile, scratch.path(), description.halo_px);
    let roles = description.band_set(&description.bands)?.roles.clone();
    let bar = progress.units(held.len(), "held-out chips");
    let answered: Vec<(Chip, Answer)> = read(held)?
        .into_par_iter()
        .map(|chip| {
            let answer = land_cover.answer(&chip, &reader, &roles)?;
            bar.advance();
            Ok((chip, answer))
        })
        .collect::<Result<_, Failure>>()?;
    bar.finish();

    let mut splits = Vec::new();
    for split in Split::ALL {
        let mut tally = Tally::new();
        let of_split: Vec<_> = answered.iter().filter(|(chip, _)| split.holds(&holdout.chips[&chip.name])).collect();
        for (chip, answer) in &of_split {
            tally.add(chip, answer, &forest)?;
        }
        let mut places: Vec<u32> = of_split.iter().map(|(chip, _)| holdout.chips[&chip.name].place).collect();
        places.sort_unstable();
        places.dedup();
        splits.push(SplitMeasured { split, chips: of_split.len(), places: places.len(), tally });
    }

    let of = |split: Split| -> Vec<&Chip> {
        answered.iter().map(|(chip, _)| chip).filter(|chip| split.holds(&holdout.chips[&chip.name])).collect()
    };
    let by_mask = of(Split::ByMask);
    let bar = progress.units(description.band_sets.len(), "sets of bands");
    let band_sets = description
        .band_sets
        .par_iter()
        .map(|set| {
            let figures = land_cover::with_bands(&land_cover, &by_mask, &reader, &set.roles)?;
            bar.advance();
            Ok((set.name.clone(), set.roles.iter().map(ToString::to_string).collect(), figures))
        })
        .collect::<Result<_, Failure>>()?;
    bar.finish();

    progress.say("planting objects on chips of places never seen");
    let objects = measure_objects(segmenter.as_ref(), request, &holdout, &of(Split::UnseenPlaces), &reader)?;
    let answers =
        answered.into_iter().filter(|(chip, _)| Split::UnseenPlaces.holds(&holdout.chips[&chip.name])).collect();
    let seconds = clock.elapsed().as_secs_f64();
    Ok(Measured { bundle, format, started, seconds, splits, band_sets, objects, answers })
}

fn measure_objects(
    segmenter: &dyn Segmenter,
    request: &Request,
    holdout: &Holdout,
    chips: &[&Chip],
    reader: &ChipReader<'_>,
) -> Result<Option<ObjectTally>, Failure> {
    let Some(ids) = composites::object_ids(segmenter) else { return Ok(None) };
    let textures = Textures::read(&request.data.join("mining-gallery"), &holdout.galleries)?;
    let description = segmenter.description();
    let roles = &description.band_set(&description.bands)?.roles;
    let parts = chips
        .par_iter()
        .map(|chip| composites::tally(segmenter, &ids, chip, reader, roles, &textures))
        .collect::<Result<Vec<_>, Failure>>()?;
    Ok(Some(ObjectTally::sum(parts.into_iter())))
}

/// The first form of a bundle's weights that this program can run.
pub(crate) fn first_format(bundle: &Bundle) -> Result<Format, Failure> {
    let formats = bundle.manifest().weights.iter().map(|weights| weights.format);
    formats.clone().find(|format| load::formats_of_this_build().contains(format)).ok_or_else(|| {
        let held: Vec<_> = formats.map(Format::name).collect();
        Failure::input(format!(
            "bundle {}: holds {}, and this program was built without what runs any of it",
            bundle.manifest().name,
            held.join(", ")
        ))
    })
}

fn sensor_profile() -> Result<SensorProfile, Failure> {
    configuration::built_in_sensor(chips::SENSOR)
        .ok_or_else(|| Failure::internal(format!("no built-in sensor profile {}", chips::SENSOR)))
}
