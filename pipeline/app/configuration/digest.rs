//! The part of the settings that decides results, as a digest.

use serde::Serialize;
use shorewatch_domain::classes::ClassTable;
use shorewatch_domain::digest::{Digest, DigestBuilder};
use shorewatch_domain::sensor::SensorProfile;

use super::settings::{GridChoice, RunSettings};

impl RunSettings {
    /// Digest of what decides results: grid, look-back, outline tolerance, table of changes, backend.
    ///
    /// Not in it: paths, threads, the edge of units (a unit carries its own), limits (they decide which files are
    /// read, not what is read from them), pictures, the entries of passes and reaches (a unit names its passes, its
    /// reaches and, by [`sensor_digest`], how each pass is read), titles, sources and reasons for people.
    #[must_use]
    pub fn result_digest(&self) -> Digest {
        let builder = DigestBuilder::new("configuration")
            .number("look_back_passes", self.look_back_passes as f64)
            .number("simplify_tolerance_px", self.patches.simplify_tolerance_px)
            .field("backend", self.model.backend.name())
            .number("grid_pixel_size_m", self.grid.pixel_size_m)
            .number("grid_origin_x", self.grid.origin_x_m)
            .number("grid_origin_y", self.grid.origin_y_m)
            .digest("classes", &class_table_digest(self.classes.table()));
        let builder = self.reference_passes.iter().fold(builder, |builder, name| builder.field("reference_pass", name));
        match self.grid.choice {
            GridChoice::Zones(family) => builder.field("grid_zones", exact(&family)),
            GridChoice::Fixed(epsg) => builder.number("grid_epsg", f64::from(epsg.0)),
        }
        .finish()
    }
}

/// Digest of a profile by what decides how files are read; titles, sources and meanings for people do not count.
#[must_use]
pub fn sensor_digest(profile: &SensorProfile) -> Digest {
    let mut bare = profile.clone();
    bare.title.clear();
    bare.source.clear();
    for band in &mut bare.bands {
        band.wavelength_um = 0.0;
    }
    for flag in bare.quality.iter_mut().flat_map(|quality| &mut quality.flags) {
        flag.meaning.clear();
    }
    DigestBuilder::new("sensor").field("profile", exact(&bare)).finish()
}

/// Digest of a table by what decides patches; reasons for people do not count. The order of rows does: of two rows that
/// fit a pixel equally well the first is taken.
fn class_table_digest(table: &ClassTable) -> Digest {
    let mut bare = table.clone();
    for row in &mut bare.transitions {
        row.reason.clear();
    }
    // reasons of natural changes do count: they are stored with the places
    DigestBuilder::new("classes").field("table", exact(&bare)).finish()
}

/// A text that two values share only when they are equal: JSON prints numbers so that they read back the same.
fn exact(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("profiles and tables are plain data with text keys")
}
