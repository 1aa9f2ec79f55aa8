//! Looking for the imagery: from the entries of passes to the files of each pass.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use shorewatch_domain::crs::Epsg;
use shorewatch_domain::pass::AcquisitionTime;
use shorewatch_domain::sensor::{Layout, SensorProfile};

use super::document::at;
use super::faults::{ConfigurationFault, ConfigurationFaults};
use super::glob;
use super::sensors::Sensor;
use super::settings::{PassSettings, RunSettings};

/// A pass whose files are there. Nothing has been read from them yet.
#[derive(Clone, PartialEq, Debug)]
pub struct FoundPass {
    /// Its name: as configured, or the stem of its first file, or its folder without `.SAFE`.
    pub name: String,
    /// Name of the sensor.
    pub sensor: String,
    /// Its files: the one file; or one for each band in the profile's order, then the quality file. Bands whose file is
    /// missing are left out: whether the model needs them is found out when its manifest is known.
    pub files: Vec<PathBuf>,
    /// Time by the operator, where given.
    pub time: Option<AcquisitionTime>,
    /// Reference system by the operator, where given.
    pub assigned_epsg: Option<Epsg>,
}

/// What the watched folders hold.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct WatchedPasses {
    /// Passes whose files are complete.
    pub passes: Vec<FoundPass>,
    /// Files and folders that are left for the next time, and why.
    pub waiting: Vec<(PathBuf, String)>,
    /// What can't be a pass, in words.
    pub faults: Vec<String>,
}

impl RunSettings {
    /// Looks into the watched folders. One bad delivery stands in the way of no other.
    ///
    /// `unfinished` says why a file or folder is not complete yet. It is asked before anything is looked for inside: a
    /// product that is still being copied lacks bands, and that is nobody's fault.
    #[must_use]
    pub fn find_watched(&self, unfinished: &dyn Fn(&Path) -> Option<String>) -> WatchedPasses {
        let mut watched = WatchedPasses::default();
        for watch in &self.schedule.watch {
            let Some(sensor) = self.sensors.get(&watch.entry.sensor) else { continue };
            let place = watch.folder.display();
            if !watch.folder.is_dir() {
                watched.faults.push(format!(
                    "there is no watched folder {place}: make or mount it, or correct [[schedule.watch]]"
                ));
                continue;
            }
            let mut messages = Vec::new();
            let (matches, _) = matched(&watch.entry, &mut messages);
            let (mut complete, mut waits_for_file) = (Vec::new(), false);
            for path in matches {
                match unfinished(&path) {
                    Some(reason) => {
                        waits_for_file |= path.is_file();
                        watched.waiting.push((path, reason));
                    }
                    None => complete.push(path),
                }
            }
            // files of bands that lie side by side are one pass: it is complete when all of them are
            if waits_for_file && sensor.profile.layout == Layout::FilePerBand {
                complete.retain(|path| !path.is_file());
            }
            watched.passes.extend(interpreted(&watch.entry, sensor, complete, &mut messages));
            let fault = |(message, help): Message| format!("watched folder {place}: {message}; {help}");
            watched.faults.extend(messages.into_iter().map(fault));
        }
        watched
    }

    /// Looks for the files of all entries of passes, in the order of the entries and of the file names.
    ///
    /// # Errors
    /// All at once: patterns that match nothing, products without any band or without the quality file that the profile requires, products that are not the
    /// profile's, a name or time for an entry that is several passes, two passes of one name, a file in two passes.
    pub fn find_passes(&self) -> Result<Vec<FoundPass>, ConfigurationFaults> {
        let mut faults = Vec::new();
        let mut found: Vec<(usize, FoundPass)> = Vec::new();
        for (i, entry) in self.passes.iter().enumerate() {
            let Some(sensor) = self.sensors.get(&entry.sensor) else { continue };
            match entry_passes(entry, sensor) {
                Ok(passes) => found.extend(passes.into_iter().map(|pass| (i, pass))),
                Err(messages) => {
                    let place =
                        |(message, help): Message| self.document.fault(at!["passes", i, "files"], message, help);
                    faults.extend(messages.into_iter().map(place));
                }
            }
        }
        faults.extend(self.twins(&found));
        ConfigurationFaults::unless_empty(faults, found.into_iter().map(|(_, pass)| pass).collect())
    }

    /// Names and files that stand in two passes.
    fn twins(&self, found: &[(usize, FoundPass)]) -> Vec<ConfigurationFault> {
        let mut faults = Vec::new();
        let mut names: BTreeMap<&str, &FoundPass> = BTreeMap::new();
        let mut files: BTreeMap<&Path, &FoundPass> = BTreeMap::new();
        for (i, pass) in found {
            let shared = pass.files.iter().find_map(|file| files.insert(file, pass).map(|twin| (file, twin)));
            if let Some((file, twin)) = shared {
                let message = format!("{} stands in two passes, {:?} and {:?}", file.display(), twin.name, pass.name);
                faults.push(self.document.fault(at!["passes", *i, "files"], message, "let the patterns not overlap"));
            } else if let Some(twin) = names.insert(&pass.name, pass) {
                let message = format!(
                    "two passes are called {:?}: {} and {}",
                    pass.name,
                    twin.files[0].display(),
                    pass.files[0].display()
                );
                let help = "the second would count as a new revision of the first: give it a name of its own";
                faults.push(self.document.fault(at!["passes", *i, "files"], message, help));
            }
        }
        faults
    }
}

/// What is wrong, and what to do.
type Message = (String, &'static str);

fn entry_passes(entry: &PassSettings, sensor: &Sensor) -> Result<Vec<FoundPass>, Vec<Message>> {
    let mut messages = Vec::new();
    let (matches, empty) = matched(entry, &mut messages);
    for pattern in empty {
        let message = format!("nothing matches {}", pattern.display());
        messages.push((message, "paths are relative to the folder of the configuration file"));
    }
    let passes = interpreted(entry, sensor, matches, &mut messages);
    if messages.is_empty() { Ok(passes) } else { Err(messages) }
}

/// The files and folders that an entry's patterns match, in order of name, and the patterns that match nothing.
fn matched<'a>(entry: &'a PassSettings, messages: &mut Vec<Message>) -> (Vec<PathBuf>, Vec<&'a Path>) {
    let (mut matches, mut empty) = (Vec::new(), Vec::new());
    for pattern in &entry.patterns {
        match glob::expand(pattern) {
            Ok(paths) if paths.is_empty() => empty.push(pattern.as_path()),
            Ok(paths) => matches.extend(paths),
            Err(error) => {
                messages.push((format!("{} cannot be listed: {error}", pattern.display()), "check its permissions"));
            }
        }
    }
    matches.sort();
    matches.dedup();
    (matches, empty)
}

/// What files and folders are as passes of the entry's sensor. What can't be one is told, and left out.
fn interpreted(
    entry: &PassSettings,
    sensor: &Sensor,
    mut matches: Vec<PathBuf>,
    messages: &mut Vec<Message>,
) -> Vec<FoundPass> {
    matches.retain(|path| {
        let fits = is_product(path, &sensor.product_names);
        if !fits {
            messages.push((
                format!(
                    "{} is no product of {}: no part of its path matches {}",
                    path.display(),
                    sensor.profile.name,
                    sensor.product_names.join(" or ")
                ),
                "take the profile that fits, or one of your own without `product_names` if you know the product to be right",
            ));
        }
        fits
    });
    let passes: Vec<FoundPass> = match sensor.profile.layout {
        Layout::OneFile => {
            let (files, folders): (Vec<_>, Vec<_>) = matches.into_iter().partition(|path| path.is_file());
            for folder in folders {
                messages.push((format!("{} is a folder", folder.display()), "add `/*.tif` to the pattern"));
            }
            files.into_iter().map(|file| found(entry, stem(&file), vec![file])).collect()
        }
        Layout::FilePerBand => file_per_band(entry, &sensor.profile, matches, messages),
    };
    if passes.len() > 1 && entry.name.is_some() {
        messages
            .push((format!("`name` is given for {} passes", passes.len()), "make an entry for each, or leave it out"));
    }
    if passes.len() > 1 && entry.time.is_some() {
        messages
            .push((format!("`time` is given for {} passes", passes.len()), "make an entry for each, or leave it out"));
    }
    passes
}

fn found(entry: &PassSettings, name: String, files: Vec<PathBuf>) -> FoundPass {
    FoundPass {
        name: entry.name.clone().unwrap_or(name),
        sensor: entry.sensor.clone(),
        files,
        time: entry.time,
        assigned_epsg: entry.assigned_epsg,
    }
}

fn file_per_band(
    entry: &PassSettings,
    profile: &SensorProfile,
    matches: Vec<PathBuf>,
    messages: &mut Vec<Message>,
) -> Vec<FoundPass> {
    let (folders, files): (Vec<_>, Vec<_>) = matches.into_iter().partition(|path| path.is_dir());
    let mut products: Vec<(Option<String>, String, Vec<PathBuf>)> = Vec::new();
    for folder in folders {
        match glob::files_below(&folder) {
            Ok(inside) => products.push((Some(stem(&folder)), folder.display().to_string(), inside)),
            Err(error) => {
                messages.push((format!("{} cannot be listed: {error}", folder.display()), "check its permissions"));
            }
        }
    }
    if !files.is_empty() {
        products.push((None, "the files".to_owned(), files));
    }
    let mut passes = Vec::new();
    for (name, place, files) in products {
        match by_band(profile, &place, &files) {
            Ok(chosen) => {
                let name = name.unwrap_or_else(|| stem(&chosen[0]));
                passes.push(found(entry, name, chosen));
            }
            Err(mut faults) => messages.append(&mut faults),
        }
    }
    passes
}

/// The file of each band in the profile's order, then the quality file.
fn by_band(profile: &SensorProfile, place: &str, files: &[PathBuf]) -> Result<Vec<PathBuf>, Vec<Message>> {
    let mut messages = Vec::new();
    let mut chosen = Vec::new();
    let mut choose = |what: &str, pattern: Option<&str>| {
        let pattern = pattern.unwrap_or("*");
        let candidates: Vec<&PathBuf> = files.iter().filter(|file| fits(pattern, file)).collect();
        if let [first, _, ..] = candidates.as_slice() {
            messages.push((
                format!("{place}: {} files match {pattern:?} ({what}), first {}", candidates.len(), first.display()),
                "one pass has one file a band: give each product's folder, not the folder above",
            ));
        }
        chosen.extend(candidates.first().copied().cloned());
        !candidates.is_empty()
    };
    let mut found_any = false;
    for band in &profile.bands {
        found_any |= choose(&format!("band {}", band.name), band.file_pattern.as_deref());
    }
    let quality = profile.quality.as_ref();
    let found_quality = quality.is_none_or(|quality| choose("quality", quality.file_pattern.as_deref()));
    if !found_any {
        let patterns: Vec<&str> = profile.bands.iter().filter_map(|band| band.file_pattern.as_deref()).collect();
        messages.push((
            format!("{place}: holds no band of {}: no file name matches {}", profile.name, patterns.join(" or ")),
            "give the product's folder, or the file of every band",
        ));
    } else if let Some(quality) = quality.filter(|quality| quality.required && !found_quality) {
        let pattern = quality.file_pattern.as_deref().unwrap_or("*");
        messages.push((
            format!("{place}: the quality file is missing: no file name matches {pattern:?}"),
            "without it cloud cannot be masked; fetch it, or take a profile of your own with `required = false`",
        ));
    }
    if messages.is_empty() { Ok(chosen) } else { Err(messages) }
}

/// True for a band's file; GDAL's and QGIS's companions (statistics, overviews) carry its name too.
fn fits(pattern: &str, file: &Path) -> bool {
    let Some(name) = file.file_name().and_then(|name| name.to_str()) else { return false };
    let companion = [".aux.xml", ".ovr", ".msk"].iter().any(|ending| name.ends_with(ending));
    !companion && glob::matches(pattern, name)
}

fn is_product(path: &Path, patterns: &[String]) -> bool {
    let fits = |name: &str| patterns.iter().any(|pattern| glob::matches(pattern, name));
    patterns.is_empty() || path.components().any(|part| part.as_os_str().to_str().is_some_and(fits))
}

fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match name.rsplit_once('.') {
        Some((stem, extension)) if path.is_file() || extension == "SAFE" => stem.to_owned(),
        _ => name.into_owned(),
    }
}
