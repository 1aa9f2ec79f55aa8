//! The folder of an export: it appears whole, or not at all.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A temporary folder beside the target. Dropped before [`NewFolder::publish`], it goes without a trace.
pub struct NewFolder {
    target: PathBuf,
    room: PathBuf,
    published: bool,
}

impl NewFolder {
    /// Refuses a target that exists and is not an empty folder.
    ///
    /// # Errors
    /// Something is there already, or the name is none of a folder.
    pub fn check(target: &Path) -> Result<(), Failure> {
        let refused = |got: &str| {
            Err(Failure::usage(format!(
                "--out {}: expected a folder that does not exist or is empty, got {got}; name another one, or move this away",
                target.display()
            )))
        };
        if target.file_name().is_none() {
            return refused("a path without a name of its own");
        }
        match fs::read_dir(target) {
            Ok(mut entries) => match entries.next() {
                Some(_) => refused("a folder with files in it"),
                None => Ok(()),
            },
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(fault) if fault.kind() == std::io::ErrorKind::NotADirectory => refused("a file"),
            Err(fault) => Err(failed("look into", target)(fault)),
        }
    }

    /// Makes the temporary folder, and the folders above the target.
    ///
    /// # Errors
    /// As [`NewFolder::check`]; or the operating system refuses.
    pub fn beside(target: &Path) -> Result<Self, Failure> {
        Self::check(target)?;
        let target = std::path::absolute(target).map_err(failed("find", target))?;
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(Failure::usage(format!("--out {}: it names no folder", target.display())));
        };
        fs::create_dir_all(parent).map_err(failed("make", parent))?;
        let room = parent.join(format!(".{}-{}.tmp", name.to_string_lossy(), std::process::id()));
        fs::create_dir(&room).map_err(failed("make", &room))?;
        Ok(Self { room, target, published: false })
    }

    /// Where to write until the folder is published.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.room
    }

    /// Brings the folder to the disk and gives it its name.
    ///
    /// # Errors
    /// The operating system refuses, or something appeared under the name meanwhile.
    pub fn publish(mut self) -> Result<(), Failure> {
        Self::check(&self.target)?;
        let sync = |folder: &Path| {
            File::open(folder).and_then(|opened| opened.sync_all()).map_err(failed("bring to the disk", folder))
        };
        sync(&self.room)?;
        fs::rename(&self.room, &self.target).map_err(failed("rename into place", &self.target))?;
        self.published = true;
        if let Some(parent) = self.target.parent() {
            sync(parent)?;
        }
        Ok(())
    }
}

/// Says what could not be done with which folder.
fn failed(action: &'static str, folder: &Path) -> impl Fn(std::io::Error) -> Failure {
    move |fault| {
        let Failure { code, text } = Failure::from(fault);
        let next = "check that you may write there and that the disk is not full";
        Failure { code, text: format!("cannot {action} the folder {}: {text}; {next}", folder.display()) }
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        if !self.published
            && let Err(fault) = fs::remove_dir_all(&self.room)
        {
            tracing::warn!(folder = %self.room.display(), %fault, "the unfinished folder could not be removed");
        }
    }
}
