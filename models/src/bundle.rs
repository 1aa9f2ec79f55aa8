//! A model as it travels: a folder with `manifest.toml` and the weights that it names.
//!
//! TorchScript is code. So weights are compared with the size and digest of the manifest, and only the very bytes that
//! were compared are given to a backend: nothing can change between the check and the use.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use shorewatch_domain::digest::{Digest, DigestBuilder};

use crate::error::ModelError;
use crate::manifest::{Format, Kind, Manifest, Weights};
use crate::manifest_faults::is_plain_name;

/// Name of the manifest in a bundle.
pub const MANIFEST_FILE: &str = "manifest.toml";

/// Version of this program, as manifests ask for it.
pub const PROGRAM_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Manifests are a few kilobytes.
const MANIFEST_LIMIT_BYTES: u64 = 1 << 20;

/// A manifest and weights that belong together.
#[derive(Clone, Debug)]
pub struct Bundle {
    folder: PathBuf,
    manifest: Manifest,
    digest: Digest,
}

impl Bundle {
    /// Reads the manifest of the bundle `name` in `folder` and verifies every form of its weights.
    ///
    /// # Errors
    /// The name is no plain name, there is no such bundle, a link leads out of the folder, the manifest has faults, or
    /// the weights' size or digest is not the manifest's.
    pub fn load(folder: &Path, name: &str) -> Result<Self, ModelError> {
        if !is_plain_name(name) {
            return Err(ModelError::Name { name: name.to_owned() });
        }
        let models = folder.canonicalize().map_err(read_error(folder))?;
        if !models.join(name).join(MANIFEST_FILE).is_file() {
            return Err(ModelError::NotFound {
                name: name.to_owned(),
                folder: folder.to_owned(),
                known: Self::names(folder)?,
            });
        }
        let home = inside(&models, name)?;
        let manifest_path = inside(&home, MANIFEST_FILE)?;
        let manifest_bytes = read_manifest(&manifest_path)?;
        let manifest = parse(&manifest_path, &manifest_bytes, name)?;
        let builder = DigestBuilder::new("model").field("manifest", &manifest_bytes);
        let digest = manifest.weights.iter().fold(builder, |builder, form| builder.digest("weights", &form.blake3));
        let bundle = Self { folder: home, digest: digest.finish(), manifest };
        for form in &bundle.manifest.weights {
            bundle.read(form)?;
        }
        tracing::debug!(model = name, digest = %bundle.digest.short(), "bundle verified");
        Ok(bundle)
    }

    /// The names of the bundles in `folder`, in order: folders with a manifest, not judged further.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn names(folder: &Path) -> Result<Vec<String>, ModelError> {
        let mut names = Vec::new();
        for entry in folder.read_dir().map_err(read_error(folder))? {
            let entry = entry.map_err(read_error(folder))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if is_plain_name(&name) && entry.path().join(MANIFEST_FILE).is_file() {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// The folder of the bundle, all links resolved.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the model says of itself.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Refuses a model that does something else than what is asked for; reads nothing.
    ///
    /// # Errors
    /// The bundle is of another kind.
    pub fn expect_kind(&self, expected: Kind) -> Result<(), ModelError> {
        let got = self.manifest.kind;
        if got == expected {
            return Ok(());
        }
        Err(ModelError::Kind { model: self.manifest.name.clone(), expected, got })
    }

    /// The weights in one form, verified as they are read.
    ///
    /// # Errors
    /// The bundle has no such form, or the file is not that of the manifest any more.
    pub fn weights(&self, format: Format) -> Result<Vec<u8>, ModelError> {
        let form = self.manifest.weights_in(format).ok_or_else(|| ModelError::FormatMissing {
            model: self.manifest.name.clone(),
            format,
            has: self.manifest.weights.iter().map(|form| form.format).collect(),
        })?;
        self.read(form)
    }

    fn read(&self, form: &Weights) -> Result<Vec<u8>, ModelError> {
        read_weights(&inside(&self.folder, &form.file)?, form)
    }

    /// What the model *is*: a digest over the bytes of its manifest and its weights.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }
}

fn parse(path: &Path, bytes: &[u8], name: &str) -> Result<Manifest, ModelError> {
    let faults_error = |faults| ModelError::ManifestFaults { path: path.to_owned(), faults };
    let text = std::str::from_utf8(bytes).map_err(|error| faults_error(vec![format!("expected UTF-8: {error}")]))?;
    let manifest = Manifest::parse(text)
        .map_err(|source| ModelError::ManifestSyntax { path: path.to_owned(), source: Box::new(source) })?;
    let mut faults = manifest.faults(PROGRAM_VERSION);
    if manifest.name != name {
        faults.push(format!("name: expected {name:?} as its folder is called, got {:?}", manifest.name));
    }
    if faults.is_empty() { Ok(manifest) } else { Err(faults_error(faults)) }
}

fn read_manifest(path: &Path) -> Result<Vec<u8>, ModelError> {
    let (file, got_bytes) = open(path)?;
    if got_bytes > MANIFEST_LIMIT_BYTES {
        return Err(ModelError::ManifestSize { path: path.to_owned(), limit_bytes: MANIFEST_LIMIT_BYTES, got_bytes });
    }
    read(path, file, MANIFEST_LIMIT_BYTES)
}

fn read_weights(path: &Path, form: &Weights) -> Result<Vec<u8>, ModelError> {
    let expected_bytes = form.size_bytes;
    let size_error = |got_bytes| ModelError::WeightsSize { path: path.to_owned(), expected_bytes, got_bytes };
    let (file, got_bytes) = open(path)?;
    if got_bytes != expected_bytes {
        return Err(size_error(got_bytes));
    }
    // one byte more than expected, so that a file that grew meanwhile is noticed
    let weights = read(path, file, expected_bytes + 1)?;
    if weights.len() as u64 != expected_bytes {
        return Err(size_error(weights.len() as u64));
    }
    let got = Digest::of_bytes(&weights);
    if got != form.blake3 {
        return Err(ModelError::WeightsDigest { path: path.to_owned(), expected: form.blake3, got });
    }
    Ok(weights)
}

/// Opens a file and gives its size in bytes.
fn open(path: &Path) -> Result<(File, u64), ModelError> {
    let file = File::open(path).map_err(read_error(path))?;
    let size_bytes = file.metadata().map_err(read_error(path))?.len();
    Ok((file, size_bytes))
}

fn read(path: &Path, file: File, limit_bytes: u64) -> Result<Vec<u8>, ModelError> {
    let mut bytes = Vec::new();
    file.take(limit_bytes).read_to_end(&mut bytes).map_err(read_error(path))?;
    Ok(bytes)
}

/// `folder/name` with all links resolved; refused where that lies outside `folder` (itself resolved).
fn inside(folder: &Path, name: &str) -> Result<PathBuf, ModelError> {
    let path = folder.join(name);
    let resolved = path.canonicalize().map_err(read_error(&path))?;
    if !resolved.starts_with(folder) {
        return Err(ModelError::OutsideFolder { path, resolved, folder: folder.to_owned() });
    }
    Ok(resolved)
}

fn read_error(path: &Path) -> impl FnOnce(std::io::Error) -> ModelError + use<'_> {
    move |source| ModelError::Read { path: path.to_owned(), source }
}
