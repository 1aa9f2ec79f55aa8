//! What the open country is covered with, and how each cover varies from place to place.

use crate::fields::{Farmland, Farms};
use crate::landscape::{Moment, Surface};
use crate::noise::{Noise, ramp};
use crate::relief::Relief;
use crate::series::SurfaceClass;
use crate::spectra::{GRASS, LAKE_WATER, REED, RIVER_WATER, SAND, SOIL, Spectrum, TREES, blend, greened, scaled};

/// The layers of variation that the covers share.
#[derive(Debug, Clone)]
pub(crate) struct Layers {
    /// Where woods stand: broad stands, and groves and clearings.
    stands: Relief,
    groves: Relief,
    /// How far the floodplain reaches.
    pub(crate) reach: Relief,
    /// Dry and moist ground.
    moisture: Relief,
    /// Plumes of silt.
    silt: Relief,
    /// Tufts, shrubs, ripples: everything near the size of a pixel.
    tufts: Relief,
    farms: Farms,
    crowns: Noise,
}

impl Layers {
    /// The layers of a scene of `size_m` (width, height).
    pub(crate) fn new(noise: Noise, size_m: (f64, f64)) -> Self {
        let layer = |number, feature_m, octaves| Relief::new(noise.branch(number), size_m, feature_m, octaves);
        Self {
            stands: layer(1, 1_100.0, 5),
            groves: layer(2, 260.0, 4),
            reach: layer(3, 640.0, 5),
            moisture: layer(4, 420.0, 5),
            silt: layer(5, 600.0, 5),
            tufts: layer(6, 64.0, 3),
            farms: Farms::new(noise.branch(9), size_m),
            crowns: noise.branch(13),
        }
    }

    /// How strongly a place is wooded, about -0.6 to 0.6.
    pub(crate) fn wood_at(&self, x: f64, y: f64) -> f64 {
        0.68 * self.stands.at(x, y) + 0.42 * self.groves.at(x, y)
    }

    /// The river's channel: water, wet and dry sand, reed on the higher bars. `bed` is the height of
    /// the ground in metres above mean water.
    pub(crate) fn channel(&self, x: f64, y: f64, bed: f64, moment: Moment) -> Surface {
        let above = bed - moment.water_level_m;
        if above < 0.0 {
            let deep = scaled(&RIVER_WATER, 1.0 + 0.10 * self.silt.at(x, 2.2 * y));
            // in the shallowest half metre the bottom shines through
            let bottom = 0.30 * ramp(-0.5, 0.0, above);
            return Surface { class: SurfaceClass::Water, spectrum: blend(&deep, &SAND, bottom) };
        }
        if bed > 1.65 + 1.6 * self.groves.at(x, y) {
            return self.meadow(&REED, x, y, moment);
        }
        let damp = 0.68 + 0.32 * ramp(0.0, 0.6, above);
        let grain = 1.0 + 0.09 * self.tufts.at(x, y) + 0.10 * self.moisture.at(x, y);
        Surface { class: SurfaceClass::Bare, spectrum: scaled(&SAND, damp * grain) }
    }

    /// The lake and its shore. `bed` is the height of the ground in metres above the lake's level.
    pub(crate) fn lake_shore(&self, x: f64, y: f64, bed: f64, moment: Moment) -> Surface {
        if bed < 0.0 {
            let deep = scaled(&LAKE_WATER, 1.0 + 0.16 * self.silt.at(x, y));
            let bottom = 0.22 * ramp(-0.6, 0.0, bed);
            return Surface { class: SurfaceClass::Water, spectrum: blend(&deep, &SOIL, bottom) };
        }
        if bed < 0.10 {
            return Surface { class: SurfaceClass::Bare, spectrum: scaled(&SOIL, 0.72) };
        }
        self.meadow(&REED, x, y, moment)
    }

    /// Closed woods: stands of their own tone, crowns with a lit and a shaded side.
    pub(crate) fn wood(&self, x: f64, y: f64, moment: Moment) -> Surface {
        let stand = self.moisture.at(x, y);
        let crowns = self.crowns;
        let relief = crowns.smooth(x / 15.0, y / 15.0) - crowns.smooth((x + 8.0) / 15.0, (y + 6.0) / 15.0);
        let tone = greened(&TREES, 0.5 * stand + 0.35 * moment.lushness());
        let light = 1.0 + 0.22 * stand + 0.12 * self.tufts.at(x, y) + 0.13 * relief;
        Surface { class: SurfaceClass::Trees, spectrum: scaled(&tone, light) }
    }

    /// Grass or reed: drier and greener patches, a bush here and there.
    pub(crate) fn meadow(&self, of: &Spectrum, x: f64, y: f64, moment: Moment) -> Surface {
        let moist = self.moisture.at(x, y) + 0.6 * self.groves.at(x, y);
        let tufts = self.tufts.at(x, y);
        let tone = greened(of, 0.7 * moist + 0.40 * moment.lushness());
        let bush = 0.7 * ramp(0.28, 0.55, 0.5 * tufts + 0.7 * self.groves.at(x, y));
        let spectrum = scaled(&blend(&tone, &TREES, bush), 1.0 + 0.10 * tufts - 0.09 * moist);
        Surface { class: SurfaceClass::LowVegetation, spectrum }
    }

    /// Farmland: parcels, verges, hedges.
    pub(crate) fn field(&self, x: f64, y: f64, moment: Moment) -> Surface {
        let moist = self.moisture.at(x, y);
        let spectrum = match self.farms.at(x, y, moment.season) {
            Farmland::Parcel(spectrum) => {
                scaled(&greened(&spectrum, 0.35 * moist), 1.0 - 0.13 * moist + 0.05 * self.tufts.at(x, y))
            }
            Farmland::Verge => greened(&GRASS, 0.3 * moment.lushness() + 0.3 * moist),
            Farmland::Hedge => {
                return Surface { class: SurfaceClass::Trees, spectrum: TREES };
            }
        };
        Surface { class: SurfaceClass::Crops, spectrum }
    }
}
