//! `deliver`, `evidence`, `doctor`.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;
use shorewatch_findings::deliver::{self, Mode};
use shorewatch_findings::receive::PlaceReport;
use shorewatch_findings::{FindingsError, evidence, receive};
use shorewatch_store::Store;

use super::{Out, settings};
use crate::cli::{ConfigFile, DeliverArguments, DeliverCommand, EvidenceCommand};
use crate::configuration::RunSettings;
use crate::failure::{ExitCode, Failure};
use crate::findings::{cut_outs, stray_pictures};

/// Dead letters and orphans that are shown.
const MOST_SHOWN: u32 = 50;

impl From<FindingsError> for Failure {
    fn from(error: FindingsError) -> Self {
        let retryable = error.is_retryable();
        match error {
            FindingsError::Store(fault) => Self::from(fault),
            other => {
                let code = if retryable { ExitCode::Retryable } else { ExitCode::Refused };
                let cause = std::error::Error::source(&other).map_or_else(String::new, |cause| format!(": {cause}"));
                Self { code, text: format!("{other}{cause}") }
            }
        }
    }
}

fn open(settings: &RunSettings) -> Result<Store, Failure> {
    Ok(Store::open_existing(&settings.store_file, Timestamp::now())?)
}

pub(super) fn deliver(out: &Out, arguments: &DeliverArguments) -> Result<ExitCode, Failure> {
    match &arguments.command {
        None => {
            let config = arguments.config.clone().ok_or_else(|| Failure::usage("--config is missing"))?;
            send(out, &settings(&ConfigFile { config })?, arguments.watch)
        }
        Some(DeliverCommand::Status { config, metrics }) => status(out, &settings(config)?, *metrics),
        Some(DeliverCommand::Replay { config, target, event }) => {
            let settings = settings(config)?;
            let count = open(&settings)?.replay(target, event.as_deref(), Timestamp::now())?;
            out.either(
                &json!({ "replayed": count }),
                &format!("{count} dead letters wait again; {target} is switched on"),
            )
        }
        Some(DeliverCommand::Receive { config }) => {
            let settings = settings(config)?;
            receive::serve(open(&settings)?, settings.delivery)?;
            Ok(ExitCode::Done)
        }
        Some(DeliverCommand::Report { config, point, radius_m, source, level, note, at }) => {
            let report = PlaceReport {
                polygon: None,
                point: Some([point.longitude, point.latitude]),
                radius_m: Some(*radius_m),
                source: source.clone(),
                level: Some(*level),
                note: note.clone(),
                at: *at,
            };
            let now = Timestamp::now();
            let identity = shorewatch_domain::digest::Digest::of_bytes(format!("{report:?}|{now}").as_bytes());
            let report = report.taken(format!("hand:{}", identity.short()), now).map_err(Failure::usage)?;
            let area = open(&settings(config)?)?.take_public_report(&report, now)?.unwrap_or_default();
            out.either(&json!({ "area": area }), &format!("{area}: the next run looks there first"))
        }
    }
}

fn send(out: &Out, settings: &RunSettings, watch: bool) -> Result<ExitCode, Failure> {
    if settings.delivery.targets.is_empty() {
        return Err(Failure::usage("no target is configured; add [[delivery.targets]]"));
    }
    let store = open(settings)?;
    let mode = if watch { Mode::Watch } else { Mode::Once };
    let summary = deliver::deliver(store, settings.delivery.clone(), mode, Arc::default())?;
    let mut text = String::new();
    for target in &summary.targets {
        let _ = writeln!(
            text,
            "{}: {} delivered, {} waiting, {} joined, {} dead",
            target.name, target.delivered, target.waiting, target.joined, target.dead
        );
    }
    for line in &summary.not_ready {
        let _ = writeln!(text, "not sent to: {line}");
    }
    for alarm in &summary.alarms {
        let _ = writeln!(text, "alarm: {alarm}");
    }
    out.either(&json!(summary), &text)?;
    Ok(match (summary.alarms.is_empty(), summary.not_ready.is_empty()) {
        (false, _) => ExitCode::Alarm,
        (true, false) => ExitCode::Partial,
        (true, true) => ExitCode::Done,
    })
}

fn status(out: &Out, settings: &RunSettings, metrics: bool) -> Result<ExitCode, Failure> {
    let store = Store::open_read_only(&settings.store_file)?;
    let (now, targets) = (Timestamp::now(), store.target_standings()?);
    if metrics {
        return out.text(&deliver::metrics(&targets, now));
    }
    let dead = store.dead_letters(MOST_SHOWN)?;
    let (reimaging, areas) = (store.reimaging_list()?, store.open_tasking_areas()?);
    let alarms = deliver::alarms(&store, &targets, &settings.delivery, now)?;
    let mut text = String::new();
    for target in &targets {
        let _ = write!(
            text,
            "{}: {} waiting ({} behind dead letters), {} delivered, {} joined, {} dead, {} tries",
            target.name,
            target.waiting,
            target.behind_dead,
            target.delivered,
            target.joined,
            target.dead,
            target.attempts
        );
        if let Some(error) = &target.last_error {
            let _ = write!(text, "; last error: {error}");
        }
        if let Some(until) = target.paused_until.filter(|until| *until > now) {
            let _ = write!(text, "; left alone until {until}");
        }
        text.push('\n');
    }
    for letter in &dead {
        let error = letter.error.as_deref().unwrap_or("no reason");
        let _ = writeln!(
            text,
            "dead: {} {} {} at {}: {error}",
            letter.event_id, letter.kind, letter.finding_id, letter.target
        );
    }
    for place in &reimaging {
        let _ = writeln!(text, "to be imaged again ({}): {} since {}", place.reason, place.finding_id, place.since);
    }
    for area in &areas {
        let _ = writeln!(text, "reported place {} of level {}: {} reports", area.area_id, area.level, area.reports);
    }
    for alarm in &alarms {
        let _ = writeln!(text, "alarm: {alarm}");
    }
    let json =
        json!({ "targets": targets, "dead_letters": dead, "reimaging": reimaging, "places": areas, "alarms": alarms });
    out.either(&json, &text)?;
    Ok(if alarms.is_empty() { ExitCode::Done } else { ExitCode::Alarm })
}

pub(super) fn evidence(out: &Out, command: &EvidenceCommand) -> Result<ExitCode, Failure> {
    let (file, (manifest, digest)) = match command {
        EvidenceCommand::Pack { config, finding, out: file } => {
            let settings = settings(config)?;
            let store = Store::open_read_only(&settings.store_file)?;
            let record = store.finding_or_refuse(finding)?;
            let extra = cut_outs(&settings, &record)?;
            let (pictures, synthetic) = (&settings.delivery.picture_folder, settings.synthetic);
            (file, evidence::pack(&store, finding, pictures, extra, synthetic, Timestamp::now(), file)?)
        }
        EvidenceCommand::Verify { file } => (file, evidence::verify(file)?),
    };
    let text = format!(
        "{}: {} files of {}, each as the manifest has it\nSHA-256 of the manifest: {digest}",
        file.display(),
        manifest.files.len(),
        manifest.finding_id
    );
    out.either(&json!({ "manifest": manifest, "manifest_sha256": digest }), &text)
}

pub(super) fn doctor(out: &Out, config: &ConfigFile) -> Result<ExitCode, Failure> {
    let settings = settings(config)?;
    let store = Store::open_read_only(&settings.store_file)?;
    let unknown = store.unknown_deliveries(MOST_SHOWN as usize)?;
    let stray = stray_pictures(&store, &settings.output_folder)?;
    let mut text = String::new();
    for (event_id, target, at) in &unknown {
        let _ = writeln!(text, "delivered to {target} at {at}, and not in this store: {event_id}");
    }
    for picture in &stray {
        let _ = writeln!(text, "a picture of no patch of this store: {}", picture.display());
    }
    let fine = unknown.is_empty() && stray.is_empty();
    text += if fine {
        "everything fits together"
    } else {
        "the store is older than what lies beside it: was a backup restored? What was delivered is not sent again; \
         decide anew on what was lost, and run `shorewatch run` to publish what is missing"
    };
    let strays: Vec<&Path> = stray.iter().map(std::path::PathBuf::as_path).collect();
    out.either(&json!({ "unknown_deliveries": unknown, "stray_pictures": strays }), &text)?;
    Ok(if fine { ExitCode::Done } else { ExitCode::Partial })
}
