//! Gathers the evidence of one window of a pair.

use std::path::Path;

use ndarray::{Array2, Array3, ArrayView3, Axis, Zip, s};

use shorewatch_domain::evidence::{ClassEvidence, ClassRoles, Evidence, SMOOTHING_RADIUS_PX};
use shorewatch_domain::registration::Apart;
use shorewatch_domain::sensor::BandRole;
use shorewatch_models::{
    Bundle, ChangeNetwork, ClassDefinition, ClassGroup, Options, Segmenter, SegmenterDescription, load,
};

use super::fit::{PairFit, Radiometry, SHIFT_MARGIN_PX, both};
use super::pair::PairWindow;
use crate::evaluation::first_format;
use crate::failure::Failure;

/// Beyond this shift, after correction, dates are held and not compared, in pixels.
pub const GATE_PX: f32 = 2.0;

/// What tells change: a segmenter, a network that is shown both dates, and what needs no model.
pub struct ChangeScorer {
    segmenter: Option<Box<dyn Segmenter>>,
    network: Option<ChangeNetwork>,
    roles: Vec<BandRole>,
    margin_px: usize,
    /// What could not be used, and why.
    pub notes: Vec<String>,
}

/// Bundles and how they are run.
pub struct Models<'a> {
    /// Folder of the bundles.
    pub folder: &'a Path,
    /// Name of the segmentation bundle.
    pub segmentation: &'a str,
    /// Name of the bitemporal bundle.
    pub bitemporal: &'a str,
}

/// The models that tell change in a window of a pair, as far as there are any that fit.
pub struct Judges<'a> {
    /// Tells what covers the ground.
    pub segmenter: Option<&'a dyn Segmenter>,
    /// Is shown both dates.
    pub network: Option<&'a ChangeNetwork>,
    /// The bands of the pair.
    pub roles: &'a [BandRole],
}

/// The evidence of a window without its margin.
pub struct WindowEvidence {
    /// Term by term.
    pub evidence: Evidence,
    /// Whether both dates observed the pixel (row, col).
    pub observed: Array2<bool>,
    /// How far the dates lie apart after correction; `None` where that can't be told.
    pub apart: Option<Apart>,
}

impl ChangeScorer {
    /// Loads the models that fit a pair's bands and pixel size. One that does not fit is left out, with a note.
    ///
    /// # Errors
    /// A bundle is missing or not what its manifest says.
    pub fn open(models: &Models<'_>, roles: &[BandRole], ground_sampling_distance_m: f64) -> Result<Self, Failure> {
        let mut notes = Vec::new();
        let mut fits = |name: &str, description: &SegmenterDescription| {
            let fault = description.check_fits(roles, ground_sampling_distance_m).err();
            notes.extend(fault.iter().map(|fault| format!("{name} has no say: {fault}")));
            fault.is_none()
        };
        let open = |name: &str| -> Result<(Bundle, Options), Failure> {
            let bundle = Bundle::load(models.folder, name)?;
            let format = first_format(&bundle)?;
            Ok((bundle, Options::cpu(format)))
        };
        let (bundle, options) = open(models.segmentation)?;
        let segmenter = load::load(&bundle, &options)?;
        let segmenter = fits(models.segmentation, segmenter.description()).then_some(segmenter);
        let (bundle, options) = open(models.bitemporal)?;
        let network = ChangeNetwork::load(&bundle, &options)?;
        let network = fits(models.bitemporal, network.description()).then_some(network);
        let mut scorer = Self { segmenter, network, roles: roles.to_vec(), margin_px: 0, notes };
        scorer.margin_px = scorer.judges().margin_px();
        Ok(scorer)
    }

    /// Pixels around a window that [`ChangeScorer::evidence`] needs.
    #[must_use]
    pub const fn margin_px(&self) -> usize {
        self.margin_px
    }

    /// What judges a window.
    fn judges(&self) -> Judges<'_> {
        Judges { segmenter: self.segmenter.as_deref(), network: self.network.as_ref(), roles: &self.roles }
    }

    /// The evidence of a window, which covers [`ChangeScorer::margin_px`] pixels more on every side.
    ///
    /// # Errors
    /// A model failed.
    pub fn evidence(&self, window: &PairWindow, fit: &PairFit) -> Result<WindowEvidence, Failure> {
        self.judges().evidence(window, fit)
    }

    /// The plain difference of the classes of two dates as they come, `1 − Σ p_before · p_after` over the first head, without the
    /// margin; NaN where either date is unobserved. What ours is held against: nothing is moved or smoothed.
    ///
    /// # Errors
    /// The model failed.
    pub fn class_difference(&self, window: &PairWindow) -> Result<Option<Array2<f32>>, Failure> {
        let Some(segmenter) = &self.segmenter else { return Ok(None) };
        let (bands, keep) = shown(segmenter.description(), &self.roles)?;
        let observed = both(window.before.causes.view(), window.after.causes.view());
        let segment = |pixels: &Array3<f32>| {
            segmenter.segment_window(&bands, pixels.select(Axis(0), &keep).view(), observed.view(), self.margin_px)
        };
        let (earlier, later) = (segment(&window.before.pixels)?, segment(&window.after.pixels)?);
        let (rows, cols) = observed.dim();
        let margin = self.margin_px;
        let inner = observed.slice(s![margin..rows - margin, margin..cols - margin]);
        let mut difference = Array2::zeros(inner.dim());
        for class in segmenter.description().heads.first().cloned().unwrap_or(0..0) {
            Zip::from(&mut difference)
                .and(earlier.index_axis(Axis(0), class))
                .and(later.index_axis(Axis(0), class))
                .for_each(|sum: &mut f32, &before, &after| *sum += f32::from(before) * f32::from(after));
        }
        Zip::from(&mut difference).and(inner).for_each(|value, &observed| {
            *value = if observed { 1.0 - *value / (255.0 * 255.0) } else { f32::NAN };
        });
        Ok(Some(difference))
    }
}

impl Judges<'_> {
    /// Pixels around a window that [`Judges::evidence`] needs.
    #[must_use]
    pub fn margin_px(&self) -> usize {
        let descriptions = [self.segmenter.map(Segmenter::description), self.network.map(ChangeNetwork::description)];
        let of = |number: fn(&SegmenterDescription) -> usize| {
            descriptions.iter().flatten().map(|description| number(description)).max()
        };
        let halo = of(|description| description.halo_px).unwrap_or(0);
        let step = of(|description| description.alignment_px).unwrap_or(1).max(1);
        (halo.max(SMOOTHING_RADIUS_PX) + SHIFT_MARGIN_PX + SMOOTHING_RADIUS_PX).next_multiple_of(step)
    }

    /// The evidence of a window, which covers [`Judges::margin_px`] pixels more on every side.
    ///
    /// # Errors
    /// A model failed.
    pub fn evidence(&self, window: &PairWindow, fit: &PairFit) -> Result<WindowEvidence, Failure> {
        let margin = self.margin_px();
        let Radiometry { magnitude, alteration, .. } = fit.radiometry(window, margin);
        let (before, observed) = fit.laid_on(window, window.after.window);
        let after = window.after.pixels.view();
        let (rows, cols) = observed.dim();
        let inner = s![margin..rows - margin, margin..cols - margin];
        let apart = Apart::of(after, before.view(), observed.view());
        let classes = match self.segmenter {
            Some(segmenter) => {
                let (bands, keep) = shown(segmenter.description(), self.roles)?;
                let crop = margin - SMOOTHING_RADIUS_PX;
                let segment = |pixels: ArrayView3<'_, f32>| {
                    segmenter.segment_window(&bands, pixels.select(Axis(0), &keep).view(), observed.view(), crop)
                };
                let (earlier, later) = (segment(before.view())?, segment(after)?);
                let seen = observed.slice(s![crop..rows - crop, crop..cols - crop]);
                let roles = class_roles(segmenter.description());
                let found = ClassEvidence::of(earlier.view(), later.view(), seen, &roles);
                Some(found.without_edge(SMOOTHING_RADIUS_PX))
            }
            None => None,
        };
        let learned = match self.network {
            Some(network) => {
                let (bands, keep) = shown(network.description(), self.roles)?;
                let normalised = fit.normalised(before.view(), observed.view());
                let (earlier, later) = (normalised.select(Axis(0), &keep), after.select(Axis(0), &keep));
                let mut changed =
                    network.changed_window(&bands, earlier.view(), later.view(), observed.view(), margin)?;
                Zip::from(&mut changed).and(observed.slice(inner)).for_each(|value, &observed| {
                    *value = if observed { *value } else { f32::NAN };
                });
                Some(changed)
            }
            None => None,
        };
        let observed = observed.slice(inner).to_owned();
        Ok(WindowEvidence { evidence: Evidence { magnitude, alteration, classes, learned }, observed, apart })
    }
}

/// The bands of a pair that a model is shown, and their planes among `roles`.
///
/// # Errors
/// The model takes no set of these.
pub fn shown(description: &SegmenterDescription, roles: &[BandRole]) -> Result<(Vec<BandRole>, Vec<usize>), Failure> {
    let bands = description.band_set(roles)?.roles.clone();
    let keep = bands.iter().filter_map(|band| roles.iter().position(|role| role == band)).collect();
    Ok((bands, keep))
}

/// Which of a model's classes mean what.
#[must_use]
pub fn class_roles(description: &SegmenterDescription) -> ClassRoles {
    let id = |is: &dyn Fn(&ClassDefinition) -> bool| description.classes.iter().position(is);
    ClassRoles {
        land_cover: description.heads.first().cloned().unwrap_or(0..0),
        water: id(&|class| class.group == ClassGroup::Water && class.name == "water"),
        no_object: id(&|class| class.name == "no_object"),
    }
}
