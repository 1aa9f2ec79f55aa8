//! What is common to all windows of a pair of passes, and what their pixels show without asking any model.

use ndarray::{Array2, Array3, ArrayView2, ArrayView3, Zip, s};

use shorewatch_domain::evidence::SMOOTHING_RADIUS_PX;
use shorewatch_domain::observed::Causes;
use shorewatch_domain::radiometry::sample::stride_for;
use shorewatch_domain::radiometry::{ChangeVector, Mad, MadSettings, Normalisation, PairSample, smoothed};
use shorewatch_domain::registration::{self, Registration};

use super::pair::PairWindow;
use crate::failure::Failure;

/// Pixels of all windows together that the statistics of a pair are drawn from, about.
const SAMPLE_PX: usize = 20_000;

/// Pixels that a shift of the earlier date may need beyond a window: the search range of the registration and the reach of
/// its interpolation.
pub const SHIFT_MARGIN_PX: usize = 10;

/// What is common to all windows of a pair.
#[derive(Clone, Debug)]
pub struct PairFit {
    /// How the earlier date lies on the later one; `None` where it can't be told, and nothing is moved.
    pub registration: Option<Registration>,
    /// Radiometry of the earlier date brought to the later one's.
    pub normalisation: Option<Normalisation>,
    /// Standardisation of the change vector.
    change_vector: ChangeVector,
    /// Multivariate alteration.
    mad: Option<Mad>,
}

/// What the pixels of a window show.
pub struct Radiometry {
    /// The earlier date laid on the later one (band, row, col), with the margin.
    pub before: Array3<f32>,
    /// Whether both dates observed the pixel (row, col), with the margin.
    pub observed: Array2<bool>,
    /// Length of the change vector (row, col), without the margin.
    pub magnitude: Array2<f32>,
    /// Multivariate alteration over its degrees of freedom (row, col), without the margin.
    pub alteration: Option<Array2<f32>>,
}

impl PairFit {
    /// What is common to a pair, from some of its windows.
    ///
    /// # Errors
    /// Hardly anything was observed on both dates.
    pub fn of(windows: &[PairWindow]) -> Result<Self, Failure> {
        let registrations = windows.iter().filter_map(|window| {
            let observed = both(window.before.causes.view(), window.after.causes.view());
            registration::register(window.after.pixels.view(), window.before.pixels.view(), observed.view())
        });
        let registration = consensus(registrations.collect());
        let bands = windows.first().map_or(0, |window| window.after.roles.len());
        let mut sample = PairSample::new(bands);
        for window in windows {
            let (before, observed) = laid_on(window, registration.as_ref());
            let seen = observed.iter().filter(|observed| **observed).count();
            let stride = stride_for(seen, SAMPLE_PX / windows.len() + 1);
            sample.add(before.view(), window.after.pixels.view(), observed.view(), stride);
        }
        if sample.is_empty() {
            return Err(Failure::input("no pixel was observed on both dates: there is nothing to compare"));
        }
        let mad = Mad::of(&sample, &MadSettings::default());
        let normalisation = Normalisation::of(&sample, mad.as_ref());
        Ok(Self { registration, normalisation, change_vector: ChangeVector::of(&sample), mad })
    }

    /// What the pixels of a window show; of `window` `margin` pixels on every side are left off.
    #[must_use]
    pub fn radiometry(&self, window: &PairWindow, margin: usize) -> Radiometry {
        let (before, observed) = laid_on(window, self.registration.as_ref());
        let after = window.after.pixels.view();
        let (rows, cols) = observed.dim();
        // the mean needs no more around it
        let edge = margin - SMOOTHING_RADIUS_PX;
        let near = s![edge..rows - edge, edge..cols - edge];
        let near_bands = s![.., edge..rows - edge, edge..cols - edge];
        let (b, a, o) = (before.slice(near_bands), after.slice(near_bands), observed.slice(near));
        let smooth = |values: Array2<f32>| {
            let (rows, cols) = values.dim();
            let smooth = smoothed(values.view(), o, SMOOTHING_RADIUS_PX);
            let inner = SMOOTHING_RADIUS_PX;
            smooth.slice(s![inner..rows - inner, inner..cols - inner]).to_owned()
        };
        let magnitude = smooth(self.change_vector.magnitude(b, a, o));
        let alteration = self.mad.as_ref().map(|mad| {
            let degrees = mad.degrees().max(1) as f32;
            smooth(mad.apply(b, a, o).chi_square / degrees)
        });
        Radiometry { before, observed, magnitude, alteration }
    }

    /// Reflectance of the earlier date with the radiometry of the later one (band, row, col).
    #[must_use]
    pub fn normalised(&self, before: ArrayView3<'_, f32>, observed: ArrayView2<'_, bool>) -> Array3<f32> {
        self.normalisation.as_ref().map_or_else(|| before.to_owned(), |line| line.apply(before, observed))
    }
}

/// Where both dates are observed (row, col).
#[must_use]
pub fn both(before: ArrayView2<'_, Causes>, after: ArrayView2<'_, Causes>) -> Array2<bool> {
    Zip::from(before).and(after).map_collect(|before, after| before.is_observed() && after.is_observed())
}

/// The earlier date of a window laid on the later one, and where both are observed.
#[must_use]
pub fn laid_on(window: &PairWindow, registration: Option<&Registration>) -> (Array3<f32>, Array2<bool>) {
    let seen = window.before.causes.mapv(Causes::is_observed);
    let (before, seen) = match registration {
        Some(shift) => registration::moved(window.before.pixels.view(), seen.view(), shift.dx_px, shift.dy_px),
        None => (window.before.pixels.clone(), seen),
    };
    let observed =
        Zip::from(&seen).and(&window.after.causes).map_collect(|before, after| *before && after.is_observed());
    (before, observed)
}

/// The shift of a pair from those of its windows: of each axis the median, weighted by the tiles that agreed.
fn consensus(found: Vec<Registration>) -> Option<Registration> {
    let median = |of: fn(&Registration) -> f32| {
        let mut values: Vec<(f32, usize)> = found.iter().map(|one| (of(one), one.tiles_used)).collect();
        values.sort_by(|one, other| one.0.total_cmp(&other.0));
        let half = values.iter().map(|(_, weight)| weight).sum::<usize>().div_ceil(2);
        let mut passed = 0;
        values
            .iter()
            .find(|(_, weight)| {
                passed += weight;
                passed >= half
            })
            .map(|(value, _)| *value)
    };
    Some(Registration {
        dx_px: median(|one| one.dx_px)?,
        dy_px: median(|one| one.dy_px)?,
        residual_rmse_px: median(|one| one.residual_rmse_px)?,
        tiles_used: found.iter().map(|one| one.tiles_used).sum(),
        tiles_tried: found.iter().map(|one| one.tiles_tried).sum(),
    })
}
