//! What a vector file *is*: the digest of its bytes, with those of the files that belong to it.

use std::fs::File;
use std::path::{Path, PathBuf};

use shorewatch_domain::digest::{Digest, DigestBuilder};

use crate::error::ImageryError;
use crate::vector::file_name;

/// Endings of the files beside a shapefile that decide what is read from it.
const BESIDE_SHAPEFILE: [&str; 4] = ["shx", "dbf", "prj", "cpg"];

/// The digest of a vector file or table: of all of its parts, whatever folder it lies in.
///
/// # Errors
/// A part can't be read.
pub fn digest_of(path: &Path) -> Result<Digest, ImageryError> {
    let mut parts = vec![path.to_owned()];
    let is = |ending: &str| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(ending));
    if path.is_dir() {
        let entries = std::fs::read_dir(path).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
        let entries = entries.map_err(|error| ImageryError::io(path, "read", error))?;
        parts = entries.into_iter().map(|entry| entry.path()).filter(|part| part.is_file()).collect();
    } else if is("shp") {
        let beside = |ending: &&str| [path.with_extension(ending), path.with_extension(ending.to_uppercase())];
        parts.extend(BESIDE_SHAPEFILE.iter().flat_map(beside).filter(|part| part.is_file()));
    }
    parts.sort();
    parts.dedup();
    let mut builder = DigestBuilder::new("vector file");
    for part in &parts {
        builder = builder.field("part", file_name(part)).digest("bytes", &bytes_of(part)?);
    }
    Ok(builder.finish())
}

fn bytes_of(path: &PathBuf) -> Result<Digest, ImageryError> {
    let mut hasher = blake3::Hasher::new();
    let hashed = File::open(path).and_then(|file| hasher.update_reader(file).map(|_| ()));
    hashed.map_err(|error| ImageryError::io(path, "read", error))?;
    Ok(Digest::from_raw(*hasher.finalize().as_bytes()))
}
