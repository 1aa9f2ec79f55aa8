//! What layers and rules say of patches, and what offices take away.

use std::fmt::Write as _;
use std::path::Path;

use jiff::Timestamp;
use serde_json::json;

use shorewatch_domain::decision::Decision;
use shorewatch_domain::law::assessment::{Assessment, Language};
use shorewatch_imagery::redrawn::redrawn;
use shorewatch_law::explain::{Redrawn, decided_text};
use shorewatch_store::{AssessmentCounts, Store};

use super::{Out, settings};
use crate::cli::ConfigFile;
use crate::cli::law::{ExplainArguments, LedgerArguments, NationalCommand, PeriodArguments, ReportPeriod};
use crate::failure::{ExitCode, Failure};
use crate::law::assess::assess_all;
use crate::law::ledger::{self, Wanted};
use crate::law::periodic::scope::Scope;
use crate::law::periodic::{self, span};
use crate::law::{national, pdf};
use crate::run::session::create_folder_of;
use crate::scene;

pub(super) fn assess(out: &Out, config: &ConfigFile) -> Result<ExitCode, Failure> {
    let settings = settings(config)?;
    let now = Timestamp::now();
    let mut store = Store::open_existing(&settings.store_file, now)?;
    let _lease = store.try_lease("shorewatch", now)?;
    let counts = assess_all(&mut store, &settings.rules, &settings.work_folder, now)?.counts;
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
    let decisions = store.decisions_on(&stored.assessment.patch_id)?;
    let redrawn = outline_that_stands(&store, &stored.assessment, &decisions)?;
    let language = Language::from(arguments.language);
    let mut text = match language {
        Language::English => stored.text.clone(),
        Language::Chinese => stored.text_zh.clone(),
    };
    text.push_str(&decided_text(&decisions, redrawn, &settings.rules, language));
    let mut told = json!(stored);
    told["decisions"] = json!(decisions);
    told["redrawn"] = json!(redrawn);
    out.either(&told, text.trim_end())
}

/// The outline that a reviewer drew, against the one that was found, by the decision that counts.
fn outline_that_stands(
    store: &Store,
    assessment: &Assessment,
    decisions: &[Decision],
) -> Result<Option<Redrawn>, Failure> {
    let counts = store.patch_review(&assessment.patch_id)?.decision_id;
    let decision = decisions.iter().find(|decision| Some(&decision.decision_id) == counts.as_ref());
    let Some(outline) = decision.and_then(|decision| decision.corrected.geometry.clone()) else { return Ok(None) };
    let Some(stored) = store.patch_anywhere(&assessment.patch_id)? else { return Ok(None) };
    let drawn_m2 = redrawn(&stored.patch, outline)?.area_m2;
    Ok(Some(Redrawn { found_m2: stored.patch.area_m2, drawn_m2 }))
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
    let written = ledger::write(&store, &settings.rules, &settings.delivery.picture_folder, folder, &wanted)?;
    let files: Vec<_> = written.files.iter().map(|file| file.display().to_string()).collect();
    let mut text = format!("{} rows: {}", written.rows, files.join(", "));
    for (reason, count) in &written.left_out {
        let _ = write!(text, "\nleft out: {count} {reason} (--all takes them in)");
    }
    out.either(&json!(written), &text)
}

pub(super) fn periodic(
    out: &Out,
    config: &ConfigFile,
    kind: ReportPeriod,
    arguments: &PeriodArguments,
    file: Option<&Path>,
) -> Result<ExitCode, Failure> {
    let scope = Scope::of(arguments.of.as_deref())?;
    let settings = settings(config)?;
    let store = Store::open_read_only(&settings.store_file)?;
    let (kind, name) = match kind {
        ReportPeriod::Week => (span::Kind::Week, "week"),
        ReportPeriod::Month => (span::Kind::Month, "month"),
        ReportPeriod::Quarter => (span::Kind::Quarter, "quarter"),
        ReportPeriod::Year => (span::Kind::Year, "year"),
    };
    let wanted = periodic::Wanted {
        kind,
        until: arguments.until,
        scope,
        language: arguments.language.into(),
        public: arguments.public,
    };
    let (page, idle) = periodic::page(&settings, &store, &wanted)?;
    let default = settings.output_folder.join(format!("report-{name}.html"));
    let file = file.unwrap_or(&default);
    scene::write_whole(file, page.as_bytes())?;
    let mut text = format!("wrote {}", file.display());
    let mut json = json!({ "file": file, "idle_projects": idle });
    let mut code = ExitCode::Done;
    if arguments.pdf {
        let pdf_file = file.with_extension("pdf");
        match pdf::browser() {
            Some(browser) => {
                pdf::print(&browser, file, &pdf_file)?;
                let _ = write!(text, "\nwrote {}", pdf_file.display());
                json["pdf"] = json!(pdf_file);
            }
            None => {
                let because = format!(
                    "no PDF was written: Chromium is not installed (Debian: apt install chromium; another place: {})",
                    pdf::VARIABLE
                );
                let _ = write!(text, "\n{because}");
                json["pdf"] = json!(null);
                json["pdf_skipped"] = json!(because);
                code = ExitCode::Partial;
            }
        }
    }
    if idle > 0 {
        let _ = write!(text, "\nalarm: {idle} approved projects are idle (占而不用)");
        code = ExitCode::Idle;
    }
    out.either(&json, &text)?;
    Ok(code)
}

pub(super) fn national(out: &Out, command: &NationalCommand) -> Result<ExitCode, Failure> {
    match command {
        NationalCommand::Import { config, file, layer, assign_epsg, encoding } => {
            let settings = settings(config)?;
            let now = Timestamp::now();
            let mut store = Store::open_existing(&settings.store_file, now)?;
            let _lease = store.try_lease("shorewatch", now)?;
            let source = national::Source {
                file,
                layer: layer.clone(),
                assigned_epsg: *assign_epsg,
                encoding: encoding.clone(),
            };
            let done = national::import(&mut store, &settings.rules, &source, now)?;
            let text = format!(
                "{} national patches added, {} changed, {} as before",
                done.added, done.changed, done.unchanged
            );
            out.either(&json!(done), &text)
        }
        NationalCommand::Export { config, out: file, encoding } => {
            let settings = settings(config)?;
            let store = Store::open_read_only(&settings.store_file)?;
            let default = settings.output_folder.join("national.gpkg");
            let file = file.as_deref().unwrap_or(&default);
            create_folder_of(file)?;
            let answered = national::export(&store, &settings.rules, file, (*encoding).into())?;
            let outcomes: Vec<_> = answered.outcomes.iter().map(|(name, count)| format!("{count} {name}")).collect();
            let mut json = json!(answered);
            json["file"] = json!(file);
            let text = format!("{} national patches ({}): {}", answered.patches, outcomes.join(", "), file.display());
            out.either(&json, &text)
        }
    }
}
