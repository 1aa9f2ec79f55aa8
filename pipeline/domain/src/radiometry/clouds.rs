//! Cloud, thick haze and the shadows of clouds on either of two dates, for products that come without a quality band,
//! display pictures included.
//!
//! Two dates say more about a cloud than one does (Hagolle et al. 2010, MTCD of MAJA; Zhu & Woodcock 2014, Tmask): what
//! was ground on one date and is brighter in every visible band on the other, in the blue as much as in the red, white,
//! no darker in the near infrared than in the visible, without the ground's own texture, large, and without a sharp
//! edge, is cloud. Bare fields, sand and roofs fail at one of these. A shadow darkens, as new water does, and only what
//! lies at the one offset from the clouds of its date at which shadows fall is called shadow (Zhu & Woodcock 2012,
//! Fmask). Two things differ from those papers: thresholds are in ranges of the scene rather than in absolute
//! reflectance, and edges are looked at. What is not found stays for the evidence of change to judge: precision comes
//! first.
//!
//! **Levels of the dates.** Both dates are given as they are. With clouds over a third of a date,
//! [`Normalisation`](super::Normalisation) finds gains of up to 23, since what "did not change" is then cloud; here
//! each band's gain and offset are those under which most blocks agree (`levels`), which a third of clouds does not
//! move.
//!
//! **Tiling.** Size, edges and the way that shadows fall depend on far more than a pixel's neighbours. The map is
//! therefore made once for the whole overlap of a pair, on blocks of some pixels ([`PairBlocks`], which windows are
//! added to one after the other), kept with what else was fitted to the pair, and looked up pixel by pixel
//! ([`CloudMap::at`]). Made of a single window instead, it needs a margin of the largest cloud to be expected and of
//! the reach of its shadow.
//!
//! It cannot tell snow, sun glint with a near infrared as bright, or white plastic over hundreds of pixels with ragged
//! edges from cloud, and finds no cirrus or thin haze that leaves the ground in sight, nor what lies under cloud on
//! both dates.

mod blocks;
mod brightening;
mod compared;
mod levels;
mod regions;
mod shadows;
#[cfg(test)]
mod tests;

use ndarray::Array2;

use crate::observed::Causes;
use crate::sensor::BandRole;

pub use blocks::PairBlocks;

use brightening::brightened;
use compared::Compared;
use levels::{Level, SAMPLE, level, spread};
use regions::{dilated, grown, large, soft_edged};
use shadows::shadows;

/// What black and white are in the numbers of one date: an object of even reflectance is white where all its bands are
/// alike on this scale.
#[derive(Clone, Debug, PartialEq)]
pub struct WhiteScale {
    /// Number of each band that stands for black.
    pub black: Vec<f32>,
    /// Number of each band that stands for white: what an opaque cloud is.
    pub white: Vec<f32>,
}

impl WhiteScale {
    /// The scale of reflectance: 0, and 0.6 as of a middling opaque cloud. Not of pictures that were stretched band by
    /// band and then brought to nominal reflectance: there, what the stored numbers 0 and 255 were brought to.
    #[must_use]
    pub fn reflectance(bands: usize) -> Self {
        Self { black: vec![0.0; bands], white: vec![0.6; bands] }
    }

    /// What brings the numbers of a band there.
    fn level(&self, band: usize) -> Level {
        let (black, white) = (self.black[band], self.white[band]);
        let gain = if white > black { (white - black).recip() } else { 0.0 };
        Level { gain, offset: -black * gain }
    }
}

/// What counts as cloud; ranges of a band are those between the 2nd and 98th percentile of the date that has the smaller one.
///
/// The defaults were chosen on two real series without clouds (uint8 pictures of 90 m and 5 m), as they are and with clouds
/// painted over one date. In blocks of 4 pixels nothing was called cloud on any of their 87 pairs without clouds. Of what
/// clouds hide by more than half, 0.92 (90 m) and 0.77 (5 m) were found in the mean, 0.27 on the worst pair. Every date was
/// among those that something was chosen on, so other scenes may be worse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CloudSettings {
    /// Pixels that a cloud must have; objects of concern have up to 400.
    pub least_px: usize,
    /// Every visible band rises by at least this share of its range.
    pub brightening: f32,
    /// The visible bands differ among themselves by at most this share of their mean.
    pub whiteness: f32,
    /// The mean of the visible bands is at least this share of the other date's 98th percentile.
    pub brightness: f32,
    /// The near infrared is at least this share of the mean of the visible bands.
    pub near_infrared: f32,
    /// By how much the near infrared may lie below the mixture of ground and white that the visible bands tell of, in
    /// its range: vegetation that became bare loses it.
    pub infrared_deficit: f32,
    /// Slope of the local detail of one date on that of the other, above which the ground is in sight.
    pub detail: f32,
    /// Share of sharp places along its edge that a cloud may have, one of less than four times `least_px` and a larger
    /// one.
    pub sharp_edge: [f32; 2],
    /// By how many pixels clouds and shadows are widened, rounded up to blocks.
    pub dilation_px: usize,
    /// How far from a cloud its shadow is looked for, in pixels along each axis.
    pub shadow_reach_px: usize,
}

impl Default for CloudSettings {
    fn default() -> Self {
        Self {
            least_px: 600,
            brightening: 0.35,
            whiteness: 0.12,
            brightness: 0.95,
            near_infrared: 0.97,
            infrared_deficit: 0.3,
            detail: 0.6,
            sharp_edge: [0.78, 0.88],
            dilation_px: 4,
            shadow_reach_px: 200,
        }
    }
}

/// What hides the ground on one date; arrays (row, col) of blocks, false where either date is unobserved.
#[derive(Clone, Debug, PartialEq)]
pub struct Sky {
    /// Cloud or thick haze.
    pub cloud: Array2<bool>,
    /// The shadow of a cloud, without what is cloud as well.
    pub shadow: Array2<bool>,
    /// Share of the observed blocks that are cloud.
    pub cloud_share: f32,
    /// Share of the observed blocks that are shadow.
    pub shadow_share: f32,
    /// Where shadows fall: blocks (down, right) from cloud to shadow; `None` where no shadows were found.
    pub shadow_offset: Option<(isize, isize)>,
}

/// Clouds and their shadows on both dates of a pair.
#[derive(Clone, Debug, PartialEq)]
pub struct CloudMap {
    /// Edge of a block in pixels.
    pub block_px: usize,
    /// The earlier date.
    pub before: Sky,
    /// The later date.
    pub after: Sky,
}

impl CloudMap {
    /// The map of a pair.
    ///
    /// `roles` are the bands in the order of the blocks, `scales` what is black and white on the earlier and the later
    /// date. `None` where clouds cannot be told: fewer than two of the bands blue, green and red, no near infrared (a
    /// bare grey field is as white as a cloud), or no blocks observed on both dates.
    ///
    /// # Panics
    /// Roles or scales are of another number of bands than the blocks.
    #[must_use]
    pub fn of(
        blocks: &PairBlocks,
        roles: &[BandRole],
        scales: [&WhiteScale; 2],
        settings: &CloudSettings,
    ) -> Option<Self> {
        assert_eq!(roles.len(), blocks.bands(), "a role for each band");
        for scale in scales {
            assert!(scale.black.len() == roles.len() && scale.white.len() == roles.len(), "a scale for each band");
        }
        let bands = Bands::of(roles)?;
        let sample = spread(blocks.observed(), SAMPLE);
        let of_band = |band: usize| {
            let value = |date: usize, at| scales[date].level(band).applied(blocks.mean(date, band, at));
            level(&sample.iter().map(|&at| [value(0, at), value(1, at)]).collect::<Vec<_>>())
        };
        let levels: Vec<Level> = (0..roles.len()).map(of_band).collect::<Option<_>>()?;
        let back: Vec<Level> = levels.iter().map(Level::inverse).collect();
        let dates = [Compared::of(blocks, 0, scales, &back, &bands), Compared::of(blocks, 1, scales, &levels, &bands)];
        let clouds = dates.each_ref().map(|date| date.clouds(settings));
        let sky = |this: usize| dates[this].sky(&clouds[this], &clouds[1 - this], settings);
        Some(Self { block_px: blocks.block_px(), before: sky(0), after: sky(1) })
    }

    /// Whether nothing is hidden on either date.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        [&self.before, &self.after].iter().all(|sky| sky.cloud_share == 0.0 && sky.shadow_share == 0.0)
    }

    /// What hides a pixel of the overlap on the earlier and on the later date: none, [`Causes::CLOUD`] or
    /// [`Causes::CLOUD_SHADOW`]. None outside the map.
    #[must_use]
    pub fn at(&self, row: usize, col: usize) -> [Causes; 2] {
        let block = (row / self.block_px, col / self.block_px);
        [&self.before, &self.after].map(|sky| {
            let holds = |mask: &Array2<bool>| mask.get(block).copied().unwrap_or(false);
            match () {
                () if holds(&sky.cloud) => Causes::CLOUD,
                () if holds(&sky.shadow) => Causes::CLOUD_SHADOW,
                () => Causes::OBSERVED,
            }
        })
    }
}

/// By how many blocks clouds grow into their thin parts before their edges are looked at, and again after.
const GROWTH_TO_EDGE: usize = 3;
const GROWTH: usize = 6;

/// Which band is what.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bands {
    /// Blue, green and red, as far as there are any: two at least.
    visible: Vec<usize>,
    near_infrared: usize,
    /// Near and shortwave infrared.
    infrared: Vec<usize>,
}

impl Bands {
    fn of(roles: &[BandRole]) -> Option<Self> {
        let of = |wanted: &[BandRole]| -> Vec<usize> {
            wanted.iter().filter_map(|wanted| roles.iter().position(|role| role == wanted)).collect()
        };
        let visible = of(&[BandRole::Blue, BandRole::Green, BandRole::Red]);
        let infrared = of(&[BandRole::Nir, BandRole::Swir1, BandRole::Swir2]);
        let near_infrared = roles.iter().position(|&role| role == BandRole::Nir)?;
        (visible.len() >= 2).then_some(Self { visible, near_infrared, infrared })
    }

    /// Mean over the visible bands.
    fn visible_mean(&self, value: impl Fn(usize) -> f32) -> f32 {
        self.visible.iter().map(|&band| value(band)).sum::<f32>() / self.visible.len() as f32
    }
}

impl Compared<'_> {
    fn least_blocks(&self, settings: &CloudSettings) -> usize {
        settings.least_px.div_ceil(self.block_px() * self.block_px()).max(1)
    }

    /// Clouds, not yet widened.
    fn clouds(&self, settings: &CloudSettings) -> Array2<bool> {
        let found = brightened(self, settings);
        let least = self.least_blocks(settings);
        if found.surely.iter().filter(|surely| **surely).count() < least {
            return Array2::from_elem(found.surely.dim(), false);
        }
        let clouds = grown(large(&found.surely, least), &found.maybe, GROWTH_TO_EDGE);
        let clouds = soft_edged(&clouds, |at| self.visible_rise(at), self.observed(), least, settings.sharp_edge);
        grown(clouds, &found.maybe, GROWTH)
    }

    fn sky(&self, clouds: &Array2<bool>, of_other_date: &Array2<bool>, settings: &CloudSettings) -> Sky {
        let radius = settings.dilation_px.div_ceil(self.block_px());
        let reach = settings.shadow_reach_px / self.block_px();
        let (mut shadow, shadow_offset) = match shadows(self, clouds, of_other_date, reach, self.least_blocks(settings))
        {
            Some((shadow, offset)) => (dilated(&shadow, radius), Some(offset)),
            None => (Array2::from_elem(clouds.dim(), false), None),
        };
        let mut cloud = if clouds.iter().any(|cloud| *cloud) { dilated(clouds, radius) } else { clouds.clone() };
        cloud.zip_mut_with(self.observed(), |cloud, &observed| *cloud &= observed);
        ndarray::Zip::from(&mut shadow).and(&cloud).and(self.observed()).for_each(|shadow, &cloud, &observed| {
            *shadow &= observed && !cloud;
        });
        let share = |mask: &Array2<bool>| {
            let of = |mask: &Array2<bool>| mask.iter().filter(|&&holds| holds).count() as f32;
            of(mask) / of(self.observed()).max(1.0)
        };
        Sky { cloud_share: share(&cloud), shadow_share: share(&shadow), cloud, shadow, shadow_offset }
    }
}
