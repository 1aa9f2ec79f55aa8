//! Which file is which band, whether the files are complete, and what they are (digests).

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use regex::Regex;
use sha2::Digest as _;
use shorewatch_domain::digest::Digest;
use shorewatch_domain::pass::PassFile;
use shorewatch_domain::sensor::{BandRole, Layout, SensorProfile};

use crate::error::{FileFault, ImageryError};
use crate::open::local_file;

/// Endings of files that somebody is still writing, without the dot.
pub const UNFINISHED: [&str; 6] = ["part", "partial", "filepart", "crdownload", "tmp", "download"];

/// Endings of files that hold the checksum of their neighbour.
const CHECKSUMS: [&str; 2] = ["sha256", "blake3"];

/// A file that looks half-copied counts as still being copied for this many times the settling time.
const STALLED_AFTER: u32 = 30;

/// What one band of a file is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    Reflectance(BandRole),
    Alpha,
    Quality,
}

/// Files in the profile's order, and what their bands are for.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) files: Vec<PathBuf>,
    /// (file, band from 1, purpose).
    uses: Vec<(usize, usize, Purpose)>,
    pub(super) warnings: Vec<String>,
}

impl Delivery {
    /// (band from 1, purpose) of one file.
    pub(super) fn uses_of(&self, file: usize) -> Vec<(usize, Purpose)> {
        self.uses.iter().filter(|(number, ..)| *number == file).map(|&(_, band, purpose)| (band, purpose)).collect()
    }

    fn add(&mut self, path: &Path, band: usize, purpose: Purpose) {
        let number = self.files.iter().position(|known| known == path).unwrap_or_else(|| {
            self.files.push(path.to_owned());
            self.files.len() - 1
        });
        self.uses.push((number, band, purpose));
    }
}

/// Refuses a profile that no file could satisfy.
pub(super) fn check_profile(profile: &SensorProfile) -> Result<(), ImageryError> {
    let refused = |problem: String| Err(ImageryError::Profile { profile: profile.name.clone(), problem });
    if profile.bands.is_empty() {
        return refused("has no bands".to_owned());
    }
    for (number, band) in profile.bands.iter().enumerate() {
        if band.index == 0 {
            return refused(format!("band {} has index 0; bands count from 1", band.name));
        }
        if profile.layout == Layout::FilePerBand && band.file_pattern.is_none() {
            return refused(format!("band {} has no file_pattern, which the layout file_per_band needs", band.name));
        }
        if profile.bands[..number].iter().any(|other| other.role == band.role) {
            return refused(format!("two bands have the role {}", band.role));
        }
    }
    if profile.layout == Layout::FilePerBand && profile.alpha_index.is_some() {
        return refused("alpha_index needs the layout one_file".to_owned());
    }
    if let Some(pattern) = &profile.time.file_name_pattern
        && let Err(error) = Regex::new(pattern)
    {
        return refused(format!("time.file_name_pattern is no regular expression: {error}"));
    }
    Ok(())
}

/// Finds the file of every band.
pub(super) fn assign(files: &[PathBuf], profile: &SensorProfile) -> Result<Delivery, ImageryError> {
    if let Some(path) = files.iter().find(|path| is_named_unfinished(path)) {
        let detail = "its name says that it is still being written".to_owned();
        return Err(ImageryError::NotComplete { path: path.clone(), detail });
    }
    let mut left: Vec<&PathBuf> = files.iter().filter(|path| !extension_in(path, &CHECKSUMS)).collect();
    left.sort();
    left.dedup();
    let given: Vec<String> = left.iter().map(|path| file_name(path)).collect();
    let mut delivery = Delivery { files: Vec::new(), uses: Vec::new(), warnings: Vec::new() };
    let find = |pattern: &str, band: &str| -> Result<Option<&PathBuf>, ImageryError> {
        let matching: Vec<&PathBuf> =
            left.iter().copied().filter(|path| name_matches(pattern, &file_name(path))).collect();
        match matching.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            several => Err(ImageryError::AmbiguousBand {
                profile: profile.name.clone(),
                band: band.to_owned(),
                pattern: pattern.to_owned(),
                files: several.iter().map(|path| file_name(path)).collect(),
            }),
        }
    };
    let missing = |band: &str, role: &str, pattern: &str| ImageryError::MissingBand {
        profile: profile.name.clone(),
        band: band.to_owned(),
        role: role.to_owned(),
        pattern: pattern.to_owned(),
        files: given.clone(),
    };
    let quality_pattern = profile.quality.as_ref().and_then(|quality| quality.file_pattern.as_deref());
    let quality_file = quality_pattern.map(|pattern| find(pattern, "quality")).transpose()?.flatten();
    match profile.layout {
        Layout::OneFile => {
            let first = left.iter().copied().find(|path| Some(*path) != quality_file);
            let first = first.ok_or_else(|| missing(&profile.bands[0].name, profile.bands[0].role.name(), "*"))?;
            for band in &profile.bands {
                delivery.add(first, band.index, Purpose::Reflectance(band.role));
            }
            if let Some(index) = profile.alpha_index {
                delivery.add(first, index, Purpose::Alpha);
            }
            if let (Some(quality), None) = (&profile.quality, quality_pattern) {
                delivery.add(first, quality.index, Purpose::Quality);
            }
        }
        Layout::FilePerBand => {
            for band in &profile.bands {
                let pattern = band.file_pattern.as_deref().unwrap_or("*");
                let file = find(pattern, &band.name)?.ok_or_else(|| missing(&band.name, band.role.name(), pattern))?;
                delivery.add(file, band.index, Purpose::Reflectance(band.role));
            }
        }
    }
    if let (Some(quality), Some(pattern)) = (&profile.quality, quality_pattern) {
        match quality_file {
            Some(file) => delivery.add(file, quality.index, Purpose::Quality),
            None if quality.required => return Err(missing("quality", "quality", pattern)),
            None => {
                delivery.warnings.push(format!("no quality file ({pattern}): clouds and their shadows are not masked"));
            }
        }
    }
    let extra: Vec<String> =
        left.iter().filter(|path| !delivery.files.contains(path)).map(|path| file_name(path)).collect();
    if !extra.is_empty() {
        let expected = match profile.layout {
            Layout::OneFile => "one file with all bands; add other files as passes of their own".to_owned(),
            Layout::FilePerBand => "one file a band, all of one pass".to_owned(),
        };
        return Err(ImageryError::ExtraFiles { profile: profile.name.clone(), files: extra, expected });
    }
    Ok(delivery)
}

/// True where a file name matches a pattern: `*` stands for any text, the case of ASCII letters does not count.
#[must_use]
pub fn name_matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_ascii_lowercase(), name.to_ascii_lowercase());
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let tail = parts.pop().unwrap_or_default();
    for part in parts {
        // the leftmost place leaves the most room for what follows
        let Some(at) = name.find(part) else { return false };
        name = &name[at + part.len()..];
    }
    name.ends_with(tail)
}

/// Returns when no file was modified within the last `settle`: waits once, and refuses what changed meanwhile.
pub(super) fn wait_until_settled(files: &[PathBuf], settle: Duration) -> Result<(), ImageryError> {
    let look = || files.iter().map(|path| state(path)).collect::<Result<Vec<_>, _>>();
    let before = look()?;
    let Some(youngest) = before.iter().filter_map(|(_, modified)| age(*modified)).min().filter(|age| *age < settle)
    else {
        return Ok(());
    };
    std::thread::sleep(settle.saturating_sub(youngest));
    let after = look()?;
    for ((path, was), is) in files.iter().zip(&before).zip(&after) {
        if was != is {
            let detail = format!("it changed while it was watched ({} bytes, then {} bytes)", was.0, is.0);
            return Err(ImageryError::NotComplete { path: path.clone(), detail });
        }
    }
    Ok(())
}

/// True where a file was modified so recently that a copy may have stalled rather than failed. What lies in the future
/// counts as old: clocks differ.
pub(super) fn is_recent(path: &Path, settle: Duration) -> bool {
    state(path).ok().and_then(|(_, modified)| age(modified)).is_some_and(|age| age < settle * STALLED_AFTER)
}

fn age(modified: SystemTime) -> Option<Duration> {
    SystemTime::now().duration_since(modified).ok()
}

/// Size in bytes and time of modification.
fn state(path: &Path) -> Result<(u64, SystemTime), ImageryError> {
    local_file(path)?;
    let data = std::fs::metadata(path).map_err(|error| ImageryError::io(path, "find", error))?;
    let modified =
        data.modified().map_err(|error| ImageryError::io(path, "read the time of modification of", error))?;
    Ok((data.len(), modified))
}

/// Digests every file, and compares those that have a checksum beside them. The first wrong checksum comes as second
/// part: it is the file's fault.
pub(super) fn digest_all(
    files: &[PathBuf],
    settle: Duration,
) -> Result<(Vec<PassFile>, Option<ImageryError>), ImageryError> {
    let (mut digested, mut wrong) = (Vec::new(), None);
    for path in files {
        let (file, sha256) = digest(path)?;
        for kind in CHECKSUMS {
            let got = if kind == "sha256" { &sha256 } else { &file.digest.to_string() };
            let Some((sidecar, expected)) = checksum_beside(path, kind)? else { continue };
            if !expected.eq_ignore_ascii_case(got) {
                if is_recent(path, settle) {
                    let detail = format!("{sidecar} names another checksum");
                    return Err(ImageryError::NotComplete { path: path.clone(), detail });
                }
                let kind = if kind == "sha256" { "SHA-256" } else { "BLAKE3" };
                let fault = FileFault::Checksum { kind, sidecar, expected, got: got.clone() };
                wrong.get_or_insert_with(|| ImageryError::file(path, fault));
            }
        }
        digested.push(file);
    }
    Ok((digested, wrong))
}

/// Digest of the bytes with size and time, and the SHA-256 in hexadecimal (only where a sidecar asks for it).
pub(super) fn digest(path: &Path) -> Result<(PassFile, String), ImageryError> {
    const CHUNK: usize = 1 << 20;
    let before = state(path)?;
    let failed = |error| ImageryError::io(path, "read", error);
    let mut file = File::open(path).map_err(|error| ImageryError::io(path, "open", error))?;
    let mut sha256 = sidecar(path, "sha256").exists().then(sha2::Sha256::new);
    let (mut hasher, mut chunk, mut size_bytes) = (blake3::Hasher::new(), vec![0; CHUNK], 0);
    loop {
        let count = match file.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(error)),
        };
        hasher.update(&chunk[..count]);
        if let Some(sha256) = &mut sha256 {
            sha256.update(&chunk[..count]);
        }
        size_bytes += count as u64;
    }
    if state(path)? != before || before.0 != size_bytes {
        let detail = "it changed while it was read".to_owned();
        return Err(ImageryError::NotComplete { path: path.to_owned(), detail });
    }
    let modified = before.1.duration_since(SystemTime::UNIX_EPOCH);
    let modified_ns =
        modified.map_or_else(|early| -(early.duration().as_nanos() as i128), |since| since.as_nanos() as i128);
    let digest = Digest::from_raw(*hasher.finalize().as_bytes());
    let sha256 = sha256.map(|sha256| sha256.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
    Ok((
        PassFile { path: path.to_string_lossy().into_owned(), digest, size_bytes, modified_ns },
        sha256.unwrap_or_default(),
    ))
}

fn sidecar(path: &Path, kind: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(kind);
    PathBuf::from(name)
}

/// The checksum in the file beside: its first word, as `sha256sum` and `b3sum` write it.
fn checksum_beside(path: &Path, kind: &str) -> Result<Option<(String, String)>, ImageryError> {
    let beside = sidecar(path, kind);
    match std::fs::read_to_string(&beside) {
        Ok(text) => {
            let word = text.split_whitespace().next().unwrap_or_default();
            Ok(Some((file_name(&beside), word.trim_start_matches('\\').to_owned())))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ImageryError::io(&beside, "read", error)),
    }
}

/// True where the name of a file says that somebody is still writing it.
#[must_use]
pub fn is_named_unfinished(path: &Path) -> bool {
    extension_in(path, &UNFINISHED)
}

fn extension_in(path: &Path, endings: &[&str]) -> bool {
    path.extension().is_some_and(|extension| endings.iter().any(|ending| extension.eq_ignore_ascii_case(ending)))
}

pub(super) fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
