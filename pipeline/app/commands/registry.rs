//! Passes and reaches: what is registered.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::json;

use shorewatch_domain::crs::Epsg;
use shorewatch_store::{AddedPass, Store};

use super::{Out, settings};
use crate::cli::ConfigFile;
use crate::configuration::{self, ReachSettings};
use crate::failure::{ExitCode, Failure};
use crate::register;
use crate::run::session::create_folder_of;

/// A pass as asked for on the command line.
pub(super) struct Asked<'a> {
    pub(super) files: &'a [PathBuf],
    pub(super) sensor: &'a str,
    pub(super) name: Option<&'a str>,
    pub(super) time: Option<&'a str>,
    pub(super) assign_epsg: Option<u32>,
}

pub(super) fn passes_add(out: &Out, config: &ConfigFile, asked: &Asked<'_>) -> Result<ExitCode, Failure> {
    let settings = settings(config)?;
    let time = asked.time.map(configuration::operator_time).transpose().map_err(Failure::usage)?;
    let stem = asked.files[0].file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = asked.name.map(str::to_owned).or(stem).unwrap_or_default();
    let now = jiff::Timestamp::now();
    create_folder_of(&settings.store_file)?;
    let mut store = Store::create_or_open(&settings.store_file, now)?;
    let _lease = store.try_lease("shorewatch", now)?;
    let registered = register::register(
        &settings,
        &mut store,
        &register::Delivery {
            files: asked.files.to_vec(),
            sensor: asked.sensor.to_owned(),
            name,
            time,
            assigned_epsg: asked.assign_epsg.map(Epsg),
        },
    )?;
    let pass = &registered.pass;
    let happened = match &registered.added {
        AddedPass::New => "added".to_owned(),
        AddedPass::AlreadyThere => "already there, nothing added".to_owned(),
        AddedPass::Improved { .. } => "was there and is usable now".to_owned(),
        AddedPass::Revision { number, .. } => {
            format!("added as revision {number}; the former content is kept, superseded")
        }
    };
    let reason = pass.state.reason().map_or_else(String::new, |reason| format!(": {reason}"));
    let text = format!("pass {}: {happened}; {}{reason}", pass.name, pass.state.name());
    out.either(&json!({ "pass": pass, "happened": happened }), &text)?;
    Ok(if pass.state.reason().is_some() { ExitCode::Partial } else { ExitCode::Done })
}

pub(super) fn passes_list(out: &Out, config: &ConfigFile) -> Result<ExitCode, Failure> {
    let passes = Store::open_read_only(&settings(config)?.store_file)?.passes()?;
    let mut text = String::new();
    for pass in &passes {
        let acquired = pass.acquired.map_or_else(|| "unknown".to_owned(), |time| time.label());
        let reason = pass.state.reason().unwrap_or_default();
        let _ = writeln!(
            text,
            "{}  {:<22} {:<20} revision {}  {:<11} {}  {reason}",
            pass.id.short(),
            acquired,
            pass.sensor,
            pass.revision,
            pass.state.name(),
            pass.name
        );
    }
    if passes.is_empty() {
        text.push_str("no passes yet; add one with `shorewatch passes add`");
    }
    out.either(&json!(passes), &text)
}

pub(super) fn reaches_import(out: &Out, config: &ConfigFile, source: &ReachSettings) -> Result<ExitCode, Failure> {
    let settings = settings(config)?;
    let now = jiff::Timestamp::now();
    create_folder_of(&settings.store_file)?;
    let mut store = Store::create_or_open(&settings.store_file, now)?;
    let _lease = store.try_lease("shorewatch", now)?;
    let import = register::import_reaches(&settings, &mut store, source)?;
    let text = format!("{} added, {} changed, {} unchanged", import.added, import.changed, import.unchanged);
    out.either(&json!({ "added": import.added, "changed": import.changed, "unchanged": import.unchanged }), &text)
}

pub(super) fn reaches_list(out: &Out, config: &ConfigFile) -> Result<ExitCode, Failure> {
    let reaches = Store::open_read_only(&settings(config)?.store_file)?.reaches()?;
    let mut text = String::new();
    for reach in &reaches {
        let _ = writeln!(text, "{:<16} {}  (from {}{})", reach.id, reach.name, reach.origin, repaired(&reach.repairs));
    }
    if reaches.is_empty() {
        text.push_str("no reaches yet; import some with `shorewatch reaches import`");
    }
    out.either(&json!(reaches), &text)
}

fn repaired(repairs: &[String]) -> String {
    if repairs.is_empty() { String::new() } else { format!("; repaired: {}", repairs.join("; ")) }
}
