//! What reviewers decided, for training.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;

use super::{Out, settings};
use crate::cli::ConfigFile;
use crate::failure::{ExitCode, Failure};
use crate::labels;
use crate::labels::folder::NewFolder;
use crate::run::session::{Purpose, Session};

pub(super) fn export(out: &Out, config: &ConfigFile, folder: &Path) -> Result<ExitCode, Failure> {
    NewFolder::check(folder)?;
    let session = Session::open(settings(config)?, Purpose::Read)?;
    let exported = labels::export(&session, folder)?;
    let mut text = format!(
        "{} confirmed and {} rejected of {} reviewed patches, {} chips: {}",
        exported.confirmed,
        exported.rejected,
        exported.reviewed,
        exported.chips,
        folder.display()
    );
    for left in &exported.left_out {
        let _ = write!(text, "\nleft out: {} {}: {}", left.verdict.name(), left.patch_id, left.reason);
    }
    for fault in &exported.faults {
        let _ = write!(text, "\n{fault}");
    }
    let code = exported.exit_code();
    let mut json = json!(exported);
    json["folder"] = json!(folder);
    json["exit_code"] = json!(code as u8);
    out.either(&json, &text)?;
    Ok(code)
}
