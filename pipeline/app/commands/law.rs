//! What layers and rules say of patches, and what offices take away.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::json;

use shorewatch_domain::law::assessment::Language;
use shorewatch_store::{AssessmentCounts, Store};

use super::{Out, settings};
use crate::cli::ConfigFile;
use crate::cli::law::{ExplainArguments, LedgerArguments, TextLanguage};
use crate::failure::{ExitCode, Failure};
use crate::law::assess::assess_all;
use crate::law::ledger::{self, Wanted};

pub(super) fn assess(out: &Out, config: &ConfigFile) -> Result<ExitCode, Failure> {
    let settings = settings(config)?;
    let now = Timestamp::now();
    let mut store = Store::open_existing(&settings.store_file, now)?;
    let _lease = store.try_lease("shorewatch", now)?;
    let counts = assess_all(&mut store, &settings.rules, now)?;
    out.either(&json!(counts), &told(&counts))
}

/// What an assessment did, in words.
pub(super) fn told(counts: &AssessmentCounts) -> String {
    let mut text = format!(
        "{} patches assessed ({} anew), {} in the reviewer's queue",
        counts.assessed, counts.written, counts.shown
    );
    for (reason, count) in &counts.suppressed {
        let _ = write!(text, ", {count} kept out: {reason}");
    }
    if counts.idle_projects > 0 {
        let _ = write!(text, "\nalarm: {} approved projects are idle (占而不用)", counts.idle_projects);
    }
    text
}

pub(super) fn explain(out: &Out, arguments: &ExplainArguments) -> Result<ExitCode, Failure> {
    let settings = settings(&arguments.config)?;
    let store = Store::open_read_only(&settings.store_file)?;
    let stored = store.assessment(&arguments.patch)?.ok_or_else(|| {
        Failure::input(format!(
            "no current patch {:?} has been assessed; give the id of a patch or its number, and use `shorewatch assess` first",
            arguments.patch
        ))
    })?;
    let text = match arguments.language {
        TextLanguage::En => &stored.text,
        TextLanguage::Zh => &stored.text_zh,
    };
    out.either(&json!(stored), text)
}

pub(super) fn write_ledger(out: &Out, arguments: &LedgerArguments) -> Result<ExitCode, Failure> {
    let settings = settings(&arguments.config)?;
    let store = Store::open_read_only(&settings.store_file)?;
    let folder = arguments.out.as_deref().unwrap_or(&settings.output_folder);
    let wanted = Wanted {
        formats: &arguments.format,
        public: arguments.public,
        all: arguments.all,
        language: Language::from(arguments.language),
    };
    let written = ledger::write(&store, &settings.rules, folder, &wanted)?;
    let files: Vec<_> = written.files.iter().map(|file| file.display().to_string()).collect();
    let mut text = format!("{} rows: {}", written.rows, files.join(", "));
    for (reason, count) in &written.left_out {
        let _ = write!(text, "\nleft out: {count} {reason} (--all takes them in)");
    }
    out.either(&json!(written), &text)
}
