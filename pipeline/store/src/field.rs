//! What field checks bring back: photographs with time and place. The files lie beside the store; here is what they say.

use jiff::Timestamp;
use rusqlite::params;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::geopackage;
use crate::store::Store;
use crate::values::Utc;

/// A photograph of a field check.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FieldPhoto {
    /// Digest of its bytes.
    pub photo_id: String,
    /// The patch.
    pub patch_id: String,
    /// Who was there.
    pub account: String,
    /// Its file, relative to the store's folder.
    pub file: String,
    /// Its size.
    pub size_bytes: u64,
    /// When it was taken, in the words of the camera (local time).
    pub taken_at: Option<String>,
    /// Where it was taken (longitude, latitude; WGS 84), as the camera says.
    pub position: Option<(f64, f64)>,
    /// When it arrived.
    pub added_at: Timestamp,
}

impl Store {
    /// Records a photograph; the same bytes again are a no-op.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn add_field_photo(&mut self, photo: &FieldPhoto) -> Result<bool, StoreError> {
        self.write("record the photograph", |transaction| {
            let added = transaction.execute(
                "INSERT INTO field_photos (photo_id, patch_id, account, file, size_bytes, taken_at, longitude, latitude, added_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (photo_id) DO NOTHING",
                params![
                    photo.photo_id,
                    photo.patch_id,
                    photo.account,
                    photo.file,
                    photo.size_bytes,
                    photo.taken_at,
                    photo.position.map(|(longitude, _)| longitude),
                    photo.position.map(|(_, latitude)| latitude),
                    Utc(photo.added_at)
                ],
            )?;
            geopackage::touch(transaction, "field_photos", photo.added_at)?;
            Ok(added > 0)
        })
    }

    /// Photographs of a patch, in the order in which they arrived.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn field_photos(&self, patch_id: &str) -> Result<Vec<FieldPhoto>, StoreError> {
        let sql = "SELECT * FROM field_photos WHERE patch_id = ?1 ORDER BY fid";
        self.rows("read the photographs", sql, [patch_id], |row| {
            let longitude: Option<f64> = row.get("longitude")?;
            Ok(FieldPhoto {
                photo_id: row.get("photo_id")?,
                patch_id: row.get("patch_id")?,
                account: row.get("account")?,
                file: row.get("file")?,
                size_bytes: row.get("size_bytes")?,
                taken_at: row.get("taken_at")?,
                position: longitude.zip(row.get("latitude")?),
                added_at: row.get::<_, Utc>("added_at")?.0,
            })
        })
    }
}
