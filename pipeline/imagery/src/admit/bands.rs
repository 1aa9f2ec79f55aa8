//! Do the bands of a file fit the profile: their number, type, order, and are their blocks all there?

use std::collections::BTreeSet;
use std::time::Duration;

use gdal::Metadata;
use gdal::raster::{ColorInterpretation, GdalDataType};
use shorewatch_domain::sensor::{BandProfile, BandRole, DataType, SensorProfile};

use super::delivery::{Purpose, file_name, is_recent};
use crate::error::{FileFault, ImageryError};
use crate::open::OpenedFile;

/// Checks number, type and order of the bands that are read.
pub(super) fn check(
    file: &OpenedFile,
    uses: &[(usize, Purpose)],
    profile: &SensorProfile,
    warnings: &mut Vec<String>,
) -> Result<(), ImageryError> {
    let highest = uses.iter().map(|(band, _)| *band).max().unwrap_or(1);
    if file.bands.len() < highest {
        let (profile, got) = (profile.name.clone(), file.bands.len());
        return super::fault(file, FileFault::BandCount { profile, expected: highest, got });
    }
    let unread = file.bands.len() - uses.iter().map(|(band, _)| band).collect::<BTreeSet<_>>().len();
    if unread > 0 {
        warnings.push(format!(
            "{}: {unread} band(s) that the profile {} does not read",
            file_name(&file.path),
            profile.name
        ));
    }
    for &(band, purpose) in uses {
        let found = &file.bands[band - 1];
        if matches!(purpose, Purpose::Reflectance(_)) && found.data_type != gdal_type(profile.data_type) {
            let (expected, got) = (type_name(profile.data_type), found.data_type.name());
            return super::fault(file, FileFault::DataType { band, profile: profile.name.clone(), expected, got });
        }
    }
    match contradiction(file, uses, profile) {
        Some((band, expected, got)) => {
            super::fault(file, FileFault::BandOrder { band, profile: profile.name.clone(), expected, got })
        }
        None => Ok(()),
    }
}

const fn gdal_type(data_type: DataType) -> GdalDataType {
    match data_type {
        DataType::Uint8 => GdalDataType::UInt8,
        DataType::Uint16 => GdalDataType::UInt16,
        DataType::Int16 => GdalDataType::Int16,
        DataType::Float32 => GdalDataType::Float32,
    }
}

const fn type_name(data_type: DataType) -> &'static str {
    match data_type {
        DataType::Uint8 => "Byte",
        DataType::Uint16 => "UInt16",
        DataType::Int16 => "Int16",
        DataType::Float32 => "Float32",
    }
}

/// The first band of which the file says something else than the profile: (band, profile's words, file's words).
///
/// Red, green and blue of a false-colour picture are channels of the screen, not of the sensor: they only count where
/// the profile says that these bands *are* red, green and blue in some order. Alpha always counts, and so do names.
fn contradiction(
    file: &OpenedFile,
    uses: &[(usize, Purpose)],
    profile: &SensorProfile,
) -> Option<(usize, String, String)> {
    let role_of = |band: usize| {
        uses.iter().find_map(|&(index, purpose)| match purpose {
            Purpose::Reflectance(role) if index == band => Some(role),
            _ => None,
        })
    };
    let coloured = (1..=file.bands.len()).filter(|&band| colour(&file.bands[band - 1].colour).is_some());
    let natural = coloured.clone().all(|band| role_of(band).is_none_or(is_visible));
    for &(band, purpose) in uses {
        let found = &file.bands[band - 1];
        let is_alpha = found.colour == ColorInterpretation::AlphaBand;
        match purpose {
            Purpose::Alpha if !is_alpha => return Some((band, "alpha".to_owned(), found.colour.name().to_lowercase())),
            Purpose::Reflectance(role) if is_alpha => return Some((band, role.to_string(), "alpha".to_owned())),
            Purpose::Reflectance(role) => {
                if let Some(said) = colour(&found.colour)
                    && natural
                    && said != role
                {
                    return Some((band, role.to_string(), said.to_string()));
                }
                if let Some(said) = described(&found.description, profile)
                    && said != role
                {
                    return Some((band, role.to_string(), format!("{said} ({:?})", found.description)));
                }
            }
            Purpose::Alpha | Purpose::Quality => {}
        }
    }
    None
}

const fn colour(interpretation: &ColorInterpretation) -> Option<BandRole> {
    match interpretation {
        ColorInterpretation::RedBand => Some(BandRole::Red),
        ColorInterpretation::GreenBand => Some(BandRole::Green),
        ColorInterpretation::BlueBand => Some(BandRole::Blue),
        _ => None,
    }
}

const fn is_visible(role: BandRole) -> bool {
    matches!(role, BandRole::Red | BandRole::Green | BandRole::Blue)
}

/// The role that a band's name in the file stands for: a role's own name, or the name of a band of the profile.
fn described(description: &str, profile: &SensorProfile) -> Option<BandRole> {
    const ROLES: [BandRole; 9] = [
        BandRole::Coastal,
        BandRole::Blue,
        BandRole::Green,
        BandRole::Red,
        BandRole::RedEdge,
        BandRole::Nir,
        BandRole::Swir1,
        BandRole::Swir2,
        BandRole::Panchromatic,
    ];
    let name = description.trim();
    let by_profile = |band: &&BandProfile| band.name.eq_ignore_ascii_case(name);
    let role = ROLES.into_iter().find(|role| role.name().eq_ignore_ascii_case(name));
    role.or_else(|| profile.bands.iter().find(by_profile).map(|band| band.role))
}

/// Counts the blocks of a TIFF that lie beyond the end of the file. Of a file that was just modified that means that the
/// copy still runs; of an old one, that these blocks will be unobserved.
pub(super) fn check_blocks(
    file: &OpenedFile,
    uses: &[(usize, Purpose)],
    settle: Duration,
    warnings: &mut Vec<String>,
) -> Result<(), ImageryError> {
    let (mut blocks, mut beyond) = (BTreeSet::new(), 0);
    for &(band, _) in uses {
        let info = &file.bands[band - 1];
        let raster = file
            .dataset
            .rasterband(band)
            .map_err(|error| ImageryError::gdal(&file.path, "read the header of", error))?;
        let (block_rows, block_cols) = (info.block_size.0.max(1), info.block_size.1.max(1));
        for row in 0..file.size.0.div_ceil(block_rows) {
            for col in 0..file.size.1.div_ceil(block_cols) {
                let number = |key: &str| {
                    raster
                        .metadata_item(&format!("{key}_{col}_{row}"), "TIFF")
                        .and_then(|text| text.parse::<u64>().ok())
                };
                // sparse blocks have no bytes; bands that are interleaved by pixel share theirs
                if let (Some(offset), Some(bytes)) = (number("BLOCK_OFFSET"), number("BLOCK_SIZE"))
                    && blocks.insert(offset)
                    && offset.saturating_add(bytes) > file.file_bytes
                {
                    beyond += 1;
                }
            }
        }
    }
    if beyond == 0 {
        return Ok(());
    }
    let detail =
        format!("{beyond} of {} blocks lie beyond the end of the file ({} bytes)", blocks.len(), file.file_bytes);
    if is_recent(&file.path, settle) {
        return Err(ImageryError::NotComplete { path: file.path.clone(), detail });
    }
    warnings.push(format!("{}: {detail}: they stay unobserved", file_name(&file.path)));
    Ok(())
}
