//! Sensor profiles from files: read, checked, each fault with its line.

use std::collections::BTreeMap;
use std::path::Path;

use shorewatch_domain::sensor::{BandProfile, Layout, Radiometry, SensorProfile};

use super::built_in;
use super::document::{Document, Value, at};
use super::faults::ConfigurationFault;

/// A sensor as configured: how its files are read, and which products are taken for it.
#[derive(Clone, PartialEq, Debug)]
pub struct Sensor {
    /// How files and bands are read.
    pub profile: SensorProfile,
    /// Patterns (`*`, `?`) of product names. Where there are any, one must match some folder or file name on a pass's
    /// path: products that look alike and are scaled differently are told apart by it.
    pub product_names: Vec<String>,
}

/// The key of [`Sensor::product_names`] in a profile's file. It says which files are meant, not how they are read, so
/// it is no part of [`SensorProfile`].
const PRODUCT_NAMES: &str = "product_names";

/// The built-in profiles and those of a folder, by name.
pub(super) fn load(folder: Option<&Path>, faults: &mut Vec<ConfigurationFault>) -> BTreeMap<String, Sensor> {
    let mut sensors = BTreeMap::new();
    for (name, text) in built_in::SENSORS {
        let file = Path::new("built-in").join(format!("{name}.toml"));
        if let Some(document) = Document::parse(&file, text, faults) {
            take(&document, name, &mut sensors, faults);
        }
    }
    let Some(folder) = folder else { return sensors };
    let listing = super::glob::expand(&folder.join("*.toml")).unwrap_or_else(|error| {
        let message = format!("the folder of sensor profiles cannot be listed: {error}");
        faults.push(ConfigurationFault::of_file(folder, message, "check its permissions"));
        Vec::new()
    });
    for file in listing {
        if let Some(document) = Document::read(&file, faults) {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            take(&document, &name, &mut sensors, faults);
        }
    }
    sensors
}

/// The profile of one file.
pub(super) fn load_file(file: &Path, faults: &mut Vec<ConfigurationFault>) -> Option<Sensor> {
    let document = Document::read(file, faults)?;
    let mut sensors = BTreeMap::new();
    take(&document, &file.file_stem().unwrap_or_default().to_string_lossy(), &mut sensors, faults);
    sensors.into_values().next()
}

/// A built-in profile by its name.
#[must_use]
pub fn built_in_sensor(name: &str) -> Option<SensorProfile> {
    let mut sensors = load(None, &mut Vec::new());
    sensors.remove(name).map(|sensor| sensor.profile)
}

fn take(
    document: &Document,
    file_stem: &str,
    sensors: &mut BTreeMap<String, Sensor>,
    faults: &mut Vec<ConfigurationFault>,
) {
    let before = faults.len();
    if let Some(sensor) = read(document, faults) {
        check(&sensor.profile, document, file_stem, faults);
        if faults.len() == before {
            sensors.insert(sensor.profile.name.clone(), sensor);
        }
    }
}

fn read(document: &Document, faults: &mut Vec<ConfigurationFault>) -> Option<Sensor> {
    let mut product_names = Vec::new();
    if let Some(node) = document.node(at![PRODUCT_NAMES]) {
        let names: Option<Vec<String>> = match &node.value {
            Value::Array(items) => items
                .iter()
                .map(|item| if let Value::String(text) = &item.value { Some(text.clone()) } else { None })
                .collect(),
            _ => None,
        };
        match names {
            Some(names) => product_names = names,
            None => faults.push(document.fault(
                at![PRODUCT_NAMES],
                format!("`{PRODUCT_NAMES}`: expected a list of strings, got {}", node.kind()),
                "give patterns of product names, such as [\"*_N05*\"]",
            )),
        }
    }
    match toml::from_str(&without_product_names(document)) {
        Ok(profile) => Some(Sensor { profile, product_names }),
        Err(error) => {
            let help = "see the built-in profiles in configs/sensors for the form".to_owned();
            let message = error.message().trim().replace('\n', " ");
            faults.push(document.fault_at_span(error.span().unwrap_or(0..0), message, Some(help)));
            None
        }
    }
}

/// The text with the extra key blanked out, so that all other places stay as they are.
fn without_product_names(document: &Document) -> String {
    let Value::Table(entries) = &document.root.value else { return document.text().to_owned() };
    let Some((key, node)) = entries.get(PRODUCT_NAMES) else { return document.text().to_owned() };
    let text = document.text();
    let blank: String = text[key.start..node.span.end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
    format!("{}{}{}", &text[..key.start], blank, &text[node.span.end..])
}

/// What serde cannot see.
fn check(profile: &SensorProfile, document: &Document, file_stem: &str, faults: &mut Vec<ConfigurationFault>) {
    let mut refuse = |steps: &[super::document::Step<'_>], message: String, help: &str| {
        faults.push(document.fault(steps, message, help));
    };
    if profile.schema_version != 1 {
        refuse(
            at!["schema_version"],
            format!("expected version 1, got {}", profile.schema_version),
            "this program knows version 1",
        );
    }
    if profile.name != file_stem {
        refuse(
            at!["name"],
            format!("the profile is called {:?}, its file {file_stem:?}", profile.name),
            "give both the same name: passes refer to it",
        );
    }
    if !(profile.ground_sampling_distance_m > 0.0 && profile.ground_sampling_distance_m.is_finite()) {
        refuse(at!["ground_sampling_distance_m"], "must be above 0 metres".to_owned(), "give the product's pixel size");
    }
    if profile.bands.is_empty() {
        refuse(at!["bands"], "a profile needs at least one band".to_owned(), "add [[bands]]");
    }
    for (i, band) in profile.bands.iter().enumerate() {
        for (key, message, help) in band_faults(band, &profile.bands[..i], profile.layout) {
            refuse(at!["bands", i, key], format!("band {:?}: {message}", band.name), help);
        }
    }
    let band_indexes: Vec<usize> = match profile.layout {
        Layout::OneFile => profile.bands.iter().map(|band| band.index).collect(),
        Layout::FilePerBand => Vec::new(),
    };
    if let Some(alpha) = profile.alpha_index
        && (profile.layout == Layout::FilePerBand || alpha == 0 || band_indexes.contains(&alpha))
    {
        refuse(
            at!["alpha_index"],
            format!("{alpha} cannot be the alpha band"),
            "alpha is a band of its own, counted from 1, in a product of one file",
        );
    }
    if let (Some(nodata), Some(saturated)) = (profile.nodata, profile.saturated_from)
        && nodata >= saturated
    {
        refuse(
            at!["saturated_from"],
            format!("saturation from {saturated} swallows the fill value {nodata}"),
            "check both",
        );
    }
    if let Some(quality) = &profile.quality {
        if quality.flags.is_empty() {
            refuse(
                at!["quality", "flags"],
                "a quality band without meanings masks nothing".to_owned(),
                "add [[quality.flags]]",
            );
        }
        if quality.file_pattern.is_none() && profile.layout == Layout::FilePerBand {
            refuse(
                at!["quality"],
                "the quality band needs a file_pattern".to_owned(),
                "bands lie in files of their own here",
            );
        }
        if quality.index == 0 || (quality.file_pattern.is_none() && band_indexes.contains(&quality.index)) {
            refuse(
                at!["quality", "index"],
                format!("{} cannot be the quality band", quality.index),
                "it is a band of its own, counted from 1",
            );
        }
        for (i, flag) in quality.flags.iter().enumerate() {
            if flag.mask == 0 || flag.equals & !flag.mask != 0 {
                refuse(
                    at!["quality", "flags", i, "equals"],
                    format!("{:?}: value & {} == {} can never or always hold", flag.meaning, flag.mask, flag.equals),
                    "`equals` may only use bits of `mask`, and `mask` must have some",
                );
            }
        }
    }
}

type BandFault = (&'static str, String, &'static str);

fn band_faults(band: &BandProfile, earlier: &[BandProfile], layout: Layout) -> Vec<BandFault> {
    let mut faults: Vec<BandFault> = Vec::new();
    if earlier.iter().any(|twin| twin.role == band.role) {
        faults.push((
            "role",
            format!("another band is {} already", band.role),
            "one band a role: keep the one that models should get",
        ));
    }
    if !(band.wavelength_um > 0.0 && band.wavelength_um.is_finite()) {
        faults.push(("wavelength_um", "must be above 0 micrometres".to_owned(), "give the centre wavelength"));
    }
    match (layout, &band.file_pattern) {
        (Layout::OneFile, Some(_)) => {
            faults.push((
                "file_pattern",
                "all bands lie in one file".to_owned(),
                "remove it, or set layout = \"file_per_band\"",
            ));
        }
        (Layout::FilePerBand, None) => {
            faults.push((
                "name",
                "file_pattern is missing".to_owned(),
                "say which file holds the band, such as \"*_B04.jp2\"",
            ));
        }
        _ => {}
    }
    let taken = layout == Layout::OneFile && earlier.iter().any(|twin| twin.index == band.index);
    if band.index == 0 || taken {
        faults.push(("index", format!("index {} is taken or 0", band.index), "bands of a file are counted from 1"));
    }
    match band.radiometry {
        Radiometry::Linear { scale, offset } if !(scale > 0.0 && scale.is_finite() && offset.is_finite()) => {
            faults.push((
                "radiometry",
                "scale must be above 0 and offset finite".to_owned(),
                "reflectance = stored × scale + offset",
            ));
        }
        Radiometry::DisplayStretch { low_reflectance, high_reflectance }
            if !(0.0 <= low_reflectance && low_reflectance < high_reflectance && high_reflectance <= 1.0) =>
        {
            faults.push((
                "radiometry",
                "low_reflectance must be below high_reflectance, both within 0 to 1".to_owned(),
                "they stand for the 2nd and 98th percentile",
            ));
        }
        Radiometry::Linear { .. } | Radiometry::DisplayStretch { .. } => {}
    }
    faults
}
