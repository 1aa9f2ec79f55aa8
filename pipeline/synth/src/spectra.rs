//! Surface reflectance of what the landscape is made of.
//!
//! [`CLASS_MEDIANS`] holds measured values: the median over chips of the median in the chip, of 306
//! Landsat chips with ESA WorldCover labels (the set `worldcover-chips`: surface reflectance × 10⁴,
//! pixels that its quality band calls clear). The materials below them are set around those medians
//! and within the chips' 5th–95th percentiles, so that large surfaces look to a model trained on real
//! reflectance like the class they are.

use crate::noise::lerp;

/// Reflectance × 10⁴ in the order of [`BANDS`](crate::BANDS): blue, green, red, nir, swir1.
pub(crate) type Spectrum = [f64; 5];

/// Measured medians (blue, green, red, nir, swir1; reflectance × 10⁴) of the six classes, in the
/// order of [`SurfaceClass`](crate::SurfaceClass): water, trees, low vegetation, crops, built-up, bare.
pub const CLASS_MEDIANS: [[f64; 5]; 6] = [
    [454.5, 837.0, 1035.0, 433.0, 89.0],
    [349.5, 567.5, 636.5, 1990.0, 1727.0],
    [504.0, 823.0, 918.0, 2764.5, 2534.0],
    [552.0, 933.0, 1148.0, 2367.0, 2335.0],
    [673.0, 1026.5, 1113.0, 2197.0, 2378.5],
    [793.0, 1278.0, 1550.0, 2088.0, 2821.0],
];

pub(crate) const RIVER_WATER: Spectrum = [440.0, 790.0, 930.0, 400.0, 85.0];
pub(crate) const LAKE_WATER: Spectrum = [300.0, 520.0, 420.0, 230.0, 60.0];
pub(crate) const POND_WATER: Spectrum = [480.0, 860.0, 900.0, 420.0, 110.0];
pub(crate) const TREES: Spectrum = [270.0, 470.0, 430.0, 2150.0, 1480.0];
pub(crate) const GRASS: Spectrum = [480.0, 800.0, 830.0, 2750.0, 2420.0];
pub(crate) const REED: Spectrum = [400.0, 680.0, 660.0, 2450.0, 1850.0];
pub(crate) const SAND: Spectrum = [930.0, 1420.0, 1720.0, 2230.0, 2850.0];
pub(crate) const SOIL: Spectrum = [793.0, 1278.0, 1550.0, 2088.0, 2821.0];
pub(crate) const ASPHALT: Spectrum = [800.0, 1090.0, 1220.0, 1950.0, 2200.0];
pub(crate) const CONCRETE: Spectrum = [1300.0, 1650.0, 1850.0, 2500.0, 2700.0];
pub(crate) const CLOUD: Spectrum = [5300.0, 5250.0, 5350.0, 5900.0, 3900.0];
pub(crate) const HAZE: Spectrum = [1250.0, 1080.0, 950.0, 900.0, 450.0];

/// Roofs: grey, red tile, white sheet, blue steel, dark.
pub(crate) const ROOFS: [Spectrum; 5] = [
    [960.0, 1270.0, 1400.0, 2280.0, 2500.0],
    [860.0, 1210.0, 1580.0, 2420.0, 2800.0],
    [2250.0, 2500.0, 2600.0, 3050.0, 2900.0],
    [1800.0, 1780.0, 1620.0, 2380.0, 2300.0],
    [660.0, 900.0, 1010.0, 1850.0, 2100.0],
];

/// A field of middling growth: between the median and the upper quartile of real crops.
pub(crate) const FIELD: Spectrum = [640.0, 1020.0, 1270.0, 2420.0, 2800.0];

/// What a dump is made of: rubble, plastics, ash, ochre soil.
pub(crate) const RUBBISH: [Spectrum; 4] = [
    [1350.0, 1650.0, 1800.0, 2250.0, 2650.0],
    [2300.0, 2450.0, 2500.0, 2850.0, 2550.0],
    [600.0, 760.0, 850.0, 1200.0, 1550.0],
    [900.0, 1300.0, 1700.0, 2300.0, 2950.0],
];

/// A field through its year: share of the growing cycle and the spectrum there, ploughed to stubble.
pub(crate) const CROP_STAGES: [(f64, Spectrum); 7] = [
    (0.00, [740.0, 1130.0, 1480.0, 2250.0, 3050.0]),
    (0.20, [680.0, 1060.0, 1330.0, 2350.0, 2850.0]),
    (0.38, [430.0, 790.0, 700.0, 3100.0, 2150.0]),
    (0.60, [360.0, 700.0, 520.0, 3600.0, 1900.0]),
    (0.76, [590.0, 980.0, 1160.0, 2750.0, 2650.0]),
    (0.88, [750.0, 1160.0, 1520.0, 2550.0, 3200.0]),
    (1.00, [740.0, 1130.0, 1480.0, 2250.0, 3050.0]),
];

/// The spectrum of a field at a share of its growing cycle (`stage` wraps at 1).
pub(crate) fn crop(stage: f64) -> Spectrum {
    let stage = stage - stage.floor();
    let after = CROP_STAGES.iter().position(|(at, _)| *at > stage).unwrap_or(CROP_STAGES.len() - 1).max(1);
    let (low, from) = &CROP_STAGES[after - 1];
    let (high, to) = &CROP_STAGES[after];
    blend(from, to, (stage - low) / (high - low))
}

/// A mixture: `from` at share 0, `to` at share 1.
pub(crate) fn blend(from: &Spectrum, to: &Spectrum, share: f64) -> Spectrum {
    std::array::from_fn(|band| lerp(from[band], to[band], share))
}

/// Every band times `factor`.
pub(crate) fn scaled(spectrum: &Spectrum, factor: f64) -> Spectrum {
    spectrum.map(|value| value * factor)
}

/// Shifts along the axis between dry (0, as given) and lush: more near infrared, less red and short-wave.
pub(crate) fn greened(spectrum: &Spectrum, share: f64) -> Spectrum {
    let [blue, green, red, nir, swir1] = *spectrum;
    [
        blue * (1.0 - 0.20 * share),
        green * (1.0 - 0.08 * share),
        red * (1.0 - 0.30 * share),
        nir * (1.0 + 0.15 * share),
        swir1 * (1.0 - 0.14 * share),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_green_in_mid_cycle_and_bare_at_its_ends() {
        let index = |stage| {
            let [_, _, red, nir, _] = crop(stage);
            (nir - red) / (nir + red)
        };
        assert!(index(0.6) > 0.7);
        assert!(index(0.0) < 0.25);
        assert_eq!(crop(0.0), crop(1.0));
        assert_eq!(crop(0.25), crop(3.25));
    }
}
