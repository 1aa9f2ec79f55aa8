//! Watched folders: what is complete in them becomes passes; what is still being copied waits for the next run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::Serialize;

use shorewatch_imagery::admit::{UNFINISHED, is_named_unfinished};
use shorewatch_store::{AddedPass, Store};

use crate::configuration::{FoundPass, RunSettings, WatchedPasses};
use crate::failure::Failure;
use crate::register::{self, Taken};

/// What the watched folders brought.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub struct Deliveries {
    /// Names of the passes that are new, or new in their bytes.
    pub taken: Vec<String>,
    /// What is left for the next run.
    pub waiting: Vec<Waiting>,
    /// What can't be registered, in words.
    pub faults: Vec<String>,
}

/// A file or folder that is not complete yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The file or folder, or the first file of the pass.
    pub path: PathBuf,
    /// Why it waits.
    pub reason: String,
}

/// Registers every complete pass of the watched folders that is not registered yet. One bad delivery stops no other.
///
/// # Errors
/// The patterns of `[[passes]]` match nothing, the store can't be written, the disk is full.
pub fn take_deliveries(settings: &RunSettings, store: &mut Store) -> Result<Deliveries, Failure> {
    let listed = settings.find_passes().map_err(|faults| Failure::usage(faults.render(120, false)))?;
    let settle = Duration::from_secs_f64(settings.limits.settle_seconds);
    let now = SystemTime::now();
    let WatchedPasses { passes, waiting, faults } = settings.find_watched(&|path| unfinished(path, settle, now));
    let mut deliveries = Deliveries { faults, ..Deliveries::default() };
    for (path, reason) in waiting {
        deliveries.wait(path, reason);
    }
    let known = store.passes()?;
    let mut names: BTreeMap<String, FoundPass> = listed.into_iter().map(|pass| (pass.name.clone(), pass)).collect();
    for pass in passes {
        let (name, first) = (pass.name.clone(), pass.files[0].clone());
        match names.get(&name) {
            // two patterns that meet in the same files mean the same pass
            Some(twin) if twin.files == pass.files && twin.sensor == pass.sensor => continue,
            Some(twin) => {
                deliveries.faults.push(format!(
                    "two passes are called {name:?}: {} and {}; the second was not registered, for it would count as a new revision of the first: give one of them another name",
                    twin.files[0].display(),
                    first.display()
                ));
                continue;
            }
            None => names.insert(name.clone(), pass.clone()),
        };
        match register::take(settings, store, &known, pass)? {
            Taken::Unchanged => {}
            Taken::Registered(AddedPass::AlreadyThere) => {}
            Taken::Registered(_) => deliveries.taken.push(name),
            Taken::Refused(fault) => deliveries.faults.push(format!("pass {name} was not registered: {fault}")),
            Taken::NotYet(reason) => deliveries.wait(first, reason),
        }
    }
    Ok(deliveries)
}

impl Deliveries {
    /// Leaves something for the next run, and says so once.
    fn wait(&mut self, path: PathBuf, reason: String) {
        tracing::info!(path = %path.display(), reason, "not complete yet: left for the next run");
        self.waiting.push(Waiting { path, reason });
    }
}

/// Why a file, or the folder of a product, is not complete yet; `None` where it seems to be. What can't be looked at seems
/// so too: registering it tells the reason.
fn unfinished(path: &Path, settle: Duration, now: SystemTime) -> Option<String> {
    let mut files = vec![path.to_owned()];
    if path.is_dir() {
        files_below(path, &mut files);
    }
    files.iter().find_map(|file| {
        if is_named_unfinished(file) {
            return Some(format!("the name of {} says that it is still being written", file.display()));
        }
        if let Some(marker) = marker_beside(file) {
            return Some(format!("{} says that it is still being copied", marker.display()));
        }
        let modified = std::fs::metadata(file).and_then(|data| data.modified()).ok()?;
        // what was modified in the future counts as old: clocks differ
        let age = now.duration_since(modified).ok()?;
        (age < settle).then(|| {
            format!(
                "{} was modified {:.0} s ago; it counts as complete when it stood still for {} s ([limits] settle_seconds)",
                file.display(),
                age.as_secs_f64(),
                settle.as_secs_f64()
            )
        })
    })
}

/// `X.part` and the like beside `X`.
fn marker_beside(path: &Path) -> Option<PathBuf> {
    UNFINISHED.iter().find_map(|ending| {
        let mut marker = path.as_os_str().to_owned();
        marker.push(".");
        marker.push(ending);
        Some(PathBuf::from(marker)).filter(|marker| marker.exists())
    })
}

fn files_below(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            files_below(&path, out);
        } else {
            out.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_copy_that_is_under_way_is_told_by_its_age_its_name_or_its_neighbour() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("X.SAFE/inside")).expect("a folder");
        for name in ["a.tif", "b.tif", "b.tif.filepart", "c.tif.part", "X.SAFE/inside/1.jp2"] {
            fs::write(at(name), "x").expect("a file");
        }
        let settle = Duration::from_secs(60);
        let later = SystemTime::now() + settle * 2;
        let check = |name: &str, now, expected: Option<&str>| match (unfinished(&at(name), settle, now), expected) {
            (None, None) => {}
            (Some(got), Some(expected)) if got.contains(expected) => {}
            (got, expected) => panic!("{name}: expected {expected:?}, got {got:?}"),
        };
        check("a.tif", SystemTime::now(), Some("stood still for 60 s"));
        check("a.tif", later, None);
        check("a.tif", SystemTime::UNIX_EPOCH, None);
        check("b.tif", later, Some("b.tif.filepart"));
        check("c.tif.part", later, Some("still being written"));
        check("X.SAFE", later, None);
        fs::write(at("X.SAFE/inside/2.jp2.tmp"), "x").expect("a file");
        check("X.SAFE", later, Some("2.jp2.tmp"));
        check("nowhere.tif", later, None);
    }
}
