//! What is common to all windows of a pair of passes, and what their pixels show without asking any model.

use ndarray::{Array2, Array3, ArrayView2, ArrayView3, Zip, s};

use shorewatch_domain::evidence::SMOOTHING_RADIUS_PX;
use shorewatch_domain::grid::Window;
use shorewatch_domain::observed::Causes;
use shorewatch_domain::radiometry::sample::stride_for;
use shorewatch_domain::radiometry::{
    ChangeVector, Mad, MadSettings, Normalisation, PairSample, line_of, smoothed_lines,
};
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
    /// The same of each of the windows that the pair was fitted on, by itself.
    pub registrations: Vec<Option<Registration>>,
    /// Radiometry of the earlier date brought to the later one's.
    pub normalisation: Option<Normalisation>,
    /// Standardisation of the change vector.
    change_vector: ChangeVector,
    /// Multivariate alteration.
    mad: Option<Mad>,
}

/// What the pixels of a window show; arrays (row, col), without the margin.
pub struct Radiometry {
    /// Whether both dates observed the pixel, the earlier one laid on the later one.
    pub observed: Array2<bool>,
    /// Length of the change vector.
    pub magnitude: Array2<f32>,
    /// Multivariate alteration over its degrees of freedom.
    pub alteration: Option<Array2<f32>>,
}

impl PairFit {
    /// What is common to a pair, from some of its windows.
    ///
    /// # Errors
    /// Hardly anything was observed on both dates.
    pub fn of(windows: &[PairWindow]) -> Result<Self, Failure> {
        let of_window = |window: &PairWindow| {
            let observed = both(window.before.causes.view(), window.after.causes.view());
            registration::register(window.after.pixels.view(), window.before.pixels.view(), observed.view())
        };
        let registrations: Vec<Option<Registration>> = windows.iter().map(of_window).collect();
        let registration = consensus(registrations.iter().flatten().copied().collect());
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
        Ok(Self { registration, registrations, normalisation, change_vector: ChangeVector::of(&sample), mad })
    }

    /// What the pixels of a window show; of `window` `margin` pixels on every side are left off.
    #[must_use]
    pub fn radiometry(&self, window: &PairWindow, margin: usize) -> Radiometry {
        const EDGE: usize = SMOOTHING_RADIUS_PX;
        // the mean needs no more around it
        let near = window.after.window.shrunk(margin - EDGE);
        let (before, observed) = self.laid_on(window, near);
        let (rows, cols) = window.after.window.ranges_of(&near);
        let after = window.after.pixels.slice(s![.., rows, cols]);
        let vector = |row: usize, line: &mut [f32]| {
            self.change_vector.line(&line_of(&before, row), &line_of(&after, row), line);
        };
        let (magnitude, alteration) = match &self.mad {
            Some(mad) => {
                let degrees = mad.degrees().max(1) as f32;
                let [magnitude, alteration] =
                    smoothed_lines(observed.view(), SMOOTHING_RADIUS_PX, EDGE, |row, [magnitude, alteration]| {
                        vector(row, magnitude);
                        mad.line(&line_of(&before, row), &line_of(&after, row), alteration);
                        alteration.iter_mut().for_each(|value| *value /= degrees);
                    });
                (magnitude, Some(alteration))
            }
            None => {
                let [magnitude] =
                    smoothed_lines(observed.view(), SMOOTHING_RADIUS_PX, EDGE, |row, [line]| vector(row, line));
                (magnitude, None)
            }
        };
        let (rows, cols) = observed.dim();
        let observed = observed.slice(s![EDGE..rows - EDGE, EDGE..cols - EDGE]).to_owned();
        Radiometry { observed, magnitude, alteration }
    }

    /// The earlier date laid on the later one (band, row, col) in a part of a window, and where both are observed (row, col). The
    /// window reaches [`SHIFT_MARGIN_PX`] farther on every side.
    #[must_use]
    pub fn laid_on(&self, window: &PairWindow, part: Window) -> (Array3<f32>, Array2<bool>) {
        laid_on_part(window, part, self.registration.as_ref())
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
    laid_on_part(window, window.after.window, registration)
}

fn laid_on_part(window: &PairWindow, part: Window, registration: Option<&Registration>) -> (Array3<f32>, Array2<bool>) {
    let whole = window.after.window;
    let (rows, cols) = whole.ranges_of(&part);
    let causes_after = window.after.causes.slice(s![rows.clone(), cols.clone()]);
    let both = |seen: ArrayView2<'_, bool>| {
        Zip::from(seen).and(causes_after).map_collect(|before, after| *before && after.is_observed())
    };
    let Some(shift) = registration else {
        let seen = window.before.causes.slice(s![rows.clone(), cols.clone()]).mapv(Causes::is_observed);
        return (window.before.pixels.slice(s![.., rows, cols]).to_owned(), both(seen.view()));
    };
    let around = part.grown(SHIFT_MARGIN_PX).intersection(&whole).unwrap_or(part);
    let (rows, cols) = whole.ranges_of(&around);
    let seen = window.before.causes.slice(s![rows.clone(), cols.clone()]).mapv(Causes::is_observed);
    let pixels = window.before.pixels.slice(s![.., rows, cols]);
    let (before, seen) = registration::moved(pixels, seen.view(), shift.dx_px, shift.dy_px);
    let (rows, cols) = around.ranges_of(&part);
    let observed = both(seen.slice(s![rows.clone(), cols.clone()]));
    (before.slice_move(s![.., rows, cols]), observed)
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
