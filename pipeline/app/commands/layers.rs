//! `shorewatch layers`: import, withdraw, list, check, diff.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;
use shorewatch_law::diff::{Change, Changes, changes};
use shorewatch_store::{LayerVersion, Store};

use super::{Out, settings};
use crate::cli::ConfigFile;
use crate::cli::layers::LayersCommand;
use crate::configuration::RunSettings;
use crate::failure::{ExitCode, Failure};
use crate::layers::{check, import_layer, withdrawn};
use crate::run::session::create_folder_of;

/// Rows of each kind that are listed for people; `--json` has all.
const LISTED: usize = 20;

pub(super) fn run(out: &Out, command: &LayersCommand) -> Result<ExitCode, Failure> {
    match command {
        LayersCommand::Import { config, layers, empty } => import(out, config, layers, *empty),
        LayersCommand::Withdraw { config, layer, reason } => withdraw(out, config, layer, reason),
        LayersCommand::List { config, all } => list(out, config, *all),
        LayersCommand::Check { config, out: file, day } => check_layers(out, config, file.as_deref(), *day),
        LayersCommand::Diff { config, layer, to, from } => diff(out, config, layer, *from, *to),
    }
}

fn import(out: &Out, config: &ConfigFile, wanted: &[String], may_be_empty: bool) -> Result<ExitCode, Failure> {
    let settings = settings(config)?;
    check_names(&settings, wanted)?;
    let now = Timestamp::now();
    create_folder_of(&settings.store_file)?;
    let mut store = Store::create_or_open(&settings.store_file, now)?;
    let _lease = store.try_lease("shorewatch", now)?;
    let reaches = store.reaches()?;
    let withdrawn = withdrawn(&store)?;
    let (mut imported, mut faults, mut text) = (Vec::new(), Vec::new(), String::new());
    for layer in settings.layers.iter().filter(|layer| wanted.is_empty() || wanted.contains(&layer.name)) {
        if let Some(reason) = withdrawn.get(&layer.name).filter(|_| wanted.is_empty()) {
            let _ = writeln!(text, "{}: withdrawn ({reason}); name it to import it again", layer.name);
            continue;
        }
        match import_layer(layer, &reaches, may_be_empty, &mut store) {
            Ok(done) => {
                let what = if done.is_new { summary(&done.changes) } else { "unchanged".to_owned() };
                let _ = writeln!(text, "{}: version {} in force, {} rows; {what}", done.layer, done.version, done.rows);
                for repair in &done.repairs {
                    let _ = writeln!(text, "  repaired: {repair}");
                }
                imported.push(done);
            }
            Err(fault) if fault.code == ExitCode::Refused => {
                let _ = writeln!(text, "{}: not imported: {fault}", layer.name);
                faults.push(json!({ "layer": layer.name, "fault": fault.text }));
            }
            Err(fault) => return Err(fault),
        }
    }
    if settings.layers.is_empty() {
        text.push_str("the configuration lists no [[layers]]");
    }
    out.either(&json!({ "imported": imported, "faults": faults }), &text)?;
    Ok(if faults.is_empty() { ExitCode::Done } else { ExitCode::Partial })
}

fn withdraw(out: &Out, config: &ConfigFile, layer: &str, reason: &str) -> Result<ExitCode, Failure> {
    let now = Timestamp::now();
    let mut store = Store::open_existing(&settings(config)?.store_file, now)?;
    let _lease = store.try_lease("shorewatch", now)?;
    let version = store.withdraw_layer(layer, reason, now)?;
    let text = format!("{layer}: withdrawn with version {version}; `shorewatch layers import {layer}` brings it back");
    out.either(&json!({ "layer": layer, "version": version, "reason": reason }), &text)
}

fn check_names(settings: &RunSettings, wanted: &[String]) -> Result<(), Failure> {
    let names: Vec<&str> = settings.layers.iter().map(|layer| layer.name.as_str()).collect();
    match wanted.iter().find(|name| !names.contains(&name.as_str())) {
        None => Ok(()),
        Some(unknown) => {
            let text = format!("the configuration has no layer {unknown:?}; it has {}", names.join(", "));
            Err(Failure::usage(text))
        }
    }
}

fn summary(changes: &Changes) -> String {
    let Changes { added, removed, changed, unchanged } = changes;
    format!("{} added, {} removed, {} changed, {unchanged} as before", added.len(), removed.len(), changed.len())
}

fn list(out: &Out, config: &ConfigFile, all: bool) -> Result<ExitCode, Failure> {
    let store = Store::open_read_only(&settings(config)?.store_file)?;
    let withdrawn = withdrawn(&store)?;
    // a layer that is withdrawn is listed with the version that says so
    let is_withdrawal =
        |version: &LayerVersion| version.withdrawn_reason.is_some() && withdrawn.contains_key(&version.layer);
    let mut versions = store.layer_versions()?;
    if !all {
        let latest: BTreeMap<String, u32> =
            versions.iter().map(|version| (version.layer.clone(), version.version)).collect();
        versions.retain(|one| one.in_force || is_withdrawal(one) && latest[&one.layer] == one.version);
    }
    let mut text = String::new();
    for version in &versions {
        let force = match (&version.withdrawn_reason, version.in_force) {
            (Some(_), _) => "withdrawn",
            (None, true) => "in force",
            (None, false) => "superseded",
        };
        let repairs = match version.repairs.len() {
            0 => String::new(),
            count => format!(", {count} repaired"),
        };
        let reason = version.withdrawn_reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        let _ = writeln!(
            text,
            "{:<28} version {:<3} {force:<10} {:>7} rows  {}  {}{repairs}{reason}",
            version.layer,
            version.version,
            version.row_count,
            version.imported_at.strftime("%Y-%m-%d %H:%M"),
            version.file
        );
    }
    if versions.is_empty() {
        text.push_str("no layers yet; list them under [[layers]] and import them with `shorewatch layers import`");
    }
    out.either(&json!(versions), &text)
}

fn check_layers(out: &Out, config: &ConfigFile, file: Option<&Path>, day: Option<Date>) -> Result<ExitCode, Failure> {
    let settings = settings(config)?;
    let store = Store::open_read_only(&settings.store_file)?;
    let day = day.unwrap_or_else(|| Timestamp::now().to_zoned(TimeZone::UTC).date());
    let (defects, imagery) = check::defects_in_force(&settings, &store, day)?;
    if let Some(file) = file {
        create_folder_of(file)?;
        check::write(file, &defects)?;
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut text = String::new();
    for defect in &defects {
        *counts.entry(defect.kind.name()).or_default() += 1;
        let _ = writeln!(text, "{:<29} {:<20} {}", defect.kind.name(), defect.layer, defect.text);
    }
    let _ = match defects.len() {
        0 => writeln!(text, "no defects found"),
        count => writeln!(text, "{count} defects; they are reported, nothing was mended"),
    };
    let _ = writeln!(text, "{}", imagery.line());
    imagery.untold.iter().take(LISTED).for_each(|untold| {
        let _ = writeln!(text, "  {}", untold.text);
    });
    more(&mut text, imagery.untold.len(), "like these");
    let summary = json!({ "day": day.to_string(), "counts": counts, "defects": defects, "imagery": imagery });
    out.either(&summary, &text)
}

fn diff(out: &Out, config: &ConfigFile, layer: &str, from: Option<u32>, to: Option<u32>) -> Result<ExitCode, Failure> {
    let store = Store::open_read_only(&settings(config)?.store_file)?;
    let versions = store.layer_versions()?;
    let of_layer: Vec<&LayerVersion> = versions.iter().filter(|version| version.layer == layer).collect();
    let numbers: Vec<u32> = of_layer.iter().map(|version| version.version).collect();
    let in_force = of_layer.iter().find(|version| version.in_force).map(|version| version.version);
    let Some(to) = to.or(in_force) else {
        let mut names: Vec<&str> = versions.iter().map(|version| version.layer.as_str()).collect();
        names.dedup();
        let text = format!("the store has no layer {layer:?}; it has {}", names.join(", "));
        return Err(Failure::usage(text));
    };
    // before the first version there is nothing
    let from = from.unwrap_or_else(|| to.saturating_sub(1));
    if let Some(unknown) = [from, to].into_iter().find(|number| *number != 0 && !numbers.contains(number)) {
        return Err(Failure::usage(format!("{layer} has no version {unknown}; it has {numbers:?}")));
    }
    let changes = changes(&store.layer_rows(layer, from)?, &store.layer_rows(layer, to)?);
    let mut text = format!("{layer}, version {from} to {to}: {}\n", summary(&changes));
    for (what, codes) in [("added", &changes.added), ("removed", &changes.removed)] {
        codes.iter().take(LISTED).for_each(|code| {
            let _ = writeln!(text, "  {what} {code}");
        });
        more(&mut text, codes.len(), what);
    }
    changes.changed.iter().take(LISTED).for_each(|change| tell(&mut text, change));
    more(&mut text, changes.changed.len(), "changed");
    out.either(&json!({ "layer": layer, "from": from, "to": to, "changes": changes }), &text)
}

fn more(text: &mut String, count: usize, what: &str) {
    if count > LISTED {
        let _ = writeln!(text, "  … and {} more {what} (--json lists all)", count - LISTED);
    }
}

fn tell(text: &mut String, change: &Change) {
    let _ = writeln!(text, "  changed {}", change.code);
    for (field, (before, after)) in &change.fields {
        let _ = writeln!(text, "    {field}: {before:?} → {after:?}");
    }
    if let Some(moved) = &change.moved {
        let _ = match (moved.gained_m2, moved.lost_m2, moved.distance_m) {
            (Some(gained), Some(lost), _) => writeln!(
                text,
                "    moved: {:.2} m² → {:.2} m² ({gained:.2} m² gained, {lost:.2} m² lost)",
                moved.before, moved.after
            ),
            (_, _, Some(distance_m)) => writeln!(text, "    moved by {distance_m:.1} m"),
            _ => writeln!(text, "    redrawn: {:.1} → {:.1}", moved.before, moved.after),
        };
    }
}
