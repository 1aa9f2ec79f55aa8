//! National patches as they came, current until a later import of the same id.

use std::collections::BTreeMap;

use geo_types::MultiPolygon;
use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::params;
use serde::{Deserialize, Serialize};

use crate::error::{Refusal, StoreError};
use crate::geometry::{Shape, fault};
use crate::geopackage;
use crate::store::Store;
use crate::values::{Json, Utc};

/// A national patch in the store.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StoredNationalPatch {
    /// Its id, as it came.
    pub national_id: String,
    /// Its outline (CGCS2000: longitude, latitude).
    pub geometry: MultiPolygon<f64>,
    /// The day of its later image.
    pub image_date: Option<Date>,
    /// The verdict that came with it.
    pub verdict: Option<String>,
    /// All its fields.
    pub fields: BTreeMap<String, String>,
    /// File (name only) and layer that it came from.
    pub origin: String,
}

/// What an import of national patches did.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct NationalImport {
    /// New ids.
    pub added: usize,
    /// Known ids that say something else now.
    pub changed: usize,
    /// Known ids that say the same.
    pub unchanged: usize,
}

impl Store {
    /// Imports national patches, all or none. One of a known id takes the place of the earlier one.
    ///
    /// # Errors
    /// An id that comes twice, an outline that can't be stored; a fault of the file.
    pub fn import_national(
        &mut self,
        patches: &[StoredNationalPatch],
        now: Timestamp,
    ) -> Result<NationalImport, StoreError> {
        let known: BTreeMap<String, StoredNationalPatch> =
            self.national_patches()?.into_iter().map(|patch| (patch.national_id.clone(), patch)).collect();
        self.write("import the national patches", |transaction| {
            let mut done = NationalImport::default();
            let mut seen = std::collections::BTreeSet::new();
            for patch in patches {
                let refuse = |expected: &str, got: String| Refusal::Invalid {
                    what: format!("national patch {:?}", patch.national_id),
                    expected: expected.to_owned(),
                    got,
                    next: "correct the file, or id_field in national.toml",
                };
                if !seen.insert(&patch.national_id) {
                    return Err(refuse("an id that comes once", "one that comes twice".to_owned()).into());
                }
                if let Some(got) = fault(&patch.geometry) {
                    return Err(refuse("polygons in degrees", got).into());
                }
                match known.get(&patch.national_id) {
                    Some(before) if before == patch => {
                        done.unchanged += 1;
                        continue;
                    }
                    Some(_) => done.changed += 1,
                    None => done.added += 1,
                }
                transaction
                    .prepare_cached(
                        "INSERT OR REPLACE INTO national_patches
                             (national_id, geom, image_date, verdict, fields, origin, imported_at)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    )?
                    .execute(params![
                        patch.national_id,
                        Shape(&patch.geometry),
                        patch.image_date.map(|day| day.to_string()),
                        patch.verdict,
                        Json(&patch.fields),
                        patch.origin,
                        Utc(now),
                    ])?;
            }
            if done.added + done.changed > 0 {
                geopackage::touch(transaction, "national_patches", now)?;
            }
            Ok(done)
        })
    }

    /// Every national patch, in order of its id.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn national_patches(&self) -> Result<Vec<StoredNationalPatch>, StoreError> {
        let sql = "SELECT * FROM national_patches ORDER BY national_id";
        self.rows("read the national patches", sql, [], |row| {
            let day: Option<String> = row.get("image_date")?;
            Ok(StoredNationalPatch {
                national_id: row.get("national_id")?,
                geometry: row.get::<_, Shape<_>>("geom")?.0,
                // written by us as a date: one that is not is told as missing
                image_date: day.and_then(|text| text.parse().ok()),
                verdict: row.get("verdict")?,
                fields: row.get::<_, Json<_>>("fields")?.0,
                origin: row.get("origin")?,
            })
        })
    }
}
