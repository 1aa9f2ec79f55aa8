//! Packages of evidence: everything that is known of a finding in one zip file, with a manifest that anybody can verify.
//!
//! `manifest.json` lists every other file with its length and SHA-256; its own SHA-256 is what a record of the package should
//! keep. The same content gives the same bytes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use shorewatch_store::Store;
use shorewatch_store::outbox::records::FindingRecord;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use crate::FindingsError;
use crate::event::geometry::{Cgcs2000, GeoJsonPolygon};
use crate::event::picture::{ROLES, file_of, inside};

/// The form of packages.
pub const FORMAT: &str = "shorewatch evidence package 1";

/// Most bytes of one file of a package that are believed.
const MOST_BYTES: u64 = 512 << 20;

/// Most files of a package.
const MOST_FILES: usize = 10_000;

/// The manifest of a package.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// The finding.
    pub finding_id: String,
    /// When it was packed.
    pub packed_at: Timestamp,
    /// The program.
    pub program: String,
    /// True where the imagery is painted, not real.
    pub synthetic: bool,
    /// Every other file, by name.
    pub files: BTreeMap<String, FileEntry>,
}

/// A file of a package.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FileEntry {
    /// Length.
    pub bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

/// What goes into a package beside what the store knows: cut-outs of imagery, by name.
pub type Extra = BTreeMap<String, Vec<u8>>;

/// Packs a finding. Returns the manifest and its SHA-256.
///
/// # Errors
/// No such finding; the file cannot be written.
pub fn pack(
    store: &Store,
    selector: &str,
    pictures: &Path,
    extra: Extra,
    synthetic: bool,
    now: Timestamp,
    out: &Path,
) -> Result<(Manifest, String), FindingsError> {
    let record = store.finding_or_refuse(selector)?;
    let files = contents(store, &record, pictures, extra)?;
    let entries = files.iter().map(|(name, bytes)| {
        (name.clone(), FileEntry { bytes: bytes.len() as u64, sha256: format!("{:x}", Sha256::digest(bytes)) })
    });
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        finding_id: record.finding_id.clone(),
        packed_at: now,
        program: format!("shorewatch {}", env!("CARGO_PKG_VERSION")),
        synthetic,
        files: entries.collect(),
    };
    let text = pretty(&json!(manifest));
    let written = write(out, &text, &files);
    written.map_err(|reason| FindingsError::Package { path: out.to_path_buf(), reason })?;
    Ok((manifest, format!("{:x}", Sha256::digest(&text))))
}

/// The files of a package by name.
fn contents(
    store: &Store,
    record: &FindingRecord,
    pictures: &Path,
    extra: Extra,
) -> Result<BTreeMap<String, Vec<u8>>, FindingsError> {
    let mut files = BTreeMap::new();
    let patch_ids: Vec<&str> = record.decisions.iter().map(|decision| decision.patch_id.as_str()).collect();
    let mut history = Vec::new();
    for patch_id in &patch_ids {
        history.extend(store.decisions_on(patch_id)?);
        let Some(stored) = store.patch_anywhere(patch_id)? else { continue };
        files.insert(format!("patches/{patch_id}.json"), pretty(&json!(stored)));
        let geometry = json!({
            "type": "Feature",
            "geometry": GeoJsonPolygon::of(&stored.patch.geometry),
            "properties": { "patch_id": patch_id, "cgcs2000": Cgcs2000::of(&stored.patch.geometry, Some(stored.patch.centre)) },
        });
        files.insert(format!("geometry/{patch_id}.geojson"), pretty(&geometry));
        for role in ROLES {
            let Some(path) = inside(pictures, &file_of(&stored, role)) else { continue };
            let ending = path.extension().map_or("png".into(), |ending| ending.to_string_lossy().into_owned());
            match std::fs::read(&path) {
                Ok(bytes) => {
                    files.insert(format!("pictures/{patch_id}-{role}.{ending}"), bytes);
                }
                // painted for the best patches of a run only
                Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(FindingsError::Io { path, during: "read the picture", source }),
            }
        }
    }
    let mut finding = serde_json::to_value(record).unwrap_or_default();
    if let Some(fields) = finding.as_object_mut() {
        fields.remove("patch");
        // chiefs are personal data, and explanations name them: a package may go to anybody
        if let Some(assessment) = fields.get_mut("assessment").and_then(Value::as_object_mut) {
            assessment.retain(|name, _| !(name.starts_with("chief_") || name.starts_with("explanation")));
        }
    }
    files.insert("finding.json".to_owned(), pretty(&finding));
    files.insert("decisions.json".to_owned(), pretty(&json!(history)));
    files.insert("told.json".to_owned(), pretty(&json!(store.told_of(&record.finding_id)?)));
    files.extend(extra);
    Ok(files)
}

fn pretty(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

/// Writes beside the place and moves it there.
fn write(out: &Path, manifest: &[u8], files: &BTreeMap<String, Vec<u8>>) -> Result<(), String> {
    let mut name = out.as_os_str().to_owned();
    name.push(".part");
    let part = Path::new(&name);
    let all = || -> Result<(), Box<dyn std::error::Error>> {
        let mut writer = ZipWriter::new(File::create(part)?);
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644);
        writer.start_file("manifest.json", options)?;
        writer.write_all(manifest)?;
        for (name, bytes) in files {
            writer.start_file(name.as_str(), options)?;
            writer.write_all(bytes)?;
        }
        writer.finish()?.sync_all()?;
        Ok(std::fs::rename(part, out)?)
    };
    all().map_err(|fault| {
        // what is half-written is of no use to anybody
        let _ = std::fs::remove_file(part);
        fault.to_string()
    })
}

/// Verifies a package: every file is as the manifest has it, none is missing, none is there beside. Returns the manifest
/// and its SHA-256.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify(path: &Path) -> Result<(Manifest, String), FindingsError> {
    let wrong = |reason: String| FindingsError::Package { path: path.to_path_buf(), reason };
    let file =
        File::open(path).map_err(|source| FindingsError::Io { path: path.to_path_buf(), during: "open", source })?;
    let mut archive = ZipArchive::new(file).map_err(|fault| wrong(format!("it is no zip file: {fault}")))?;
    if archive.len() > MOST_FILES {
        return Err(wrong(format!("{} files are more than any package has", archive.len())));
    }
    let text = read(&mut archive, "manifest.json").map_err(wrong)?;
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|fault| wrong(format!("manifest.json is none: {fault}")))?;
    if manifest.format != FORMAT {
        return Err(wrong(format!("expected {FORMAT:?}, got {:?}", manifest.format)));
    }
    for (name, entry) in &manifest.files {
        let bytes = read(&mut archive, name).map_err(wrong)?;
        let got = FileEntry { bytes: bytes.len() as u64, sha256: format!("{:x}", Sha256::digest(&bytes)) };
        if got != *entry {
            return Err(wrong(format!(
                "{name} was changed: expected {} bytes with SHA-256 {}, got {} with {}",
                entry.bytes, entry.sha256, got.bytes, got.sha256
            )));
        }
    }
    let stray = archive.file_names().find(|name| *name != "manifest.json" && !manifest.files.contains_key(*name));
    match stray {
        Some(name) => Err(wrong(format!("{name} is not in the manifest"))),
        None => Ok((manifest, format!("{:x}", Sha256::digest(&text)))),
    }
}

fn read<R: Read + Seek>(archive: &mut ZipArchive<R>, name: &str) -> Result<Vec<u8>, String> {
    let file = archive.by_name(name).map_err(|_| format!("{name} is missing"))?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|fault| format!("{name}: {fault}"))?;
    if bytes.len() as u64 > MOST_BYTES { Err(format!("{name} is larger than {MOST_BYTES} bytes")) } else { Ok(bytes) }
}
