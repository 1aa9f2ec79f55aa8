//! What comes out, and synthetic scenes to try it on.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;
use serde_json::json;

use shorewatch_domain::law::assessment::Assessment;
use shorewatch_domain::patch::Patch;
use shorewatch_imagery::export;
use shorewatch_store::{PatchFilter, Store};

use super::{Out, settings};
use crate::cli::{ConfigFile, ExportFormat, Scene};
use crate::failure::{ExitCode, Failure};
use crate::run::session::{Purpose, Session};
use crate::{reporting, scene, schedule, score};

pub(super) fn export_patches(
    out: &Out,
    config: &ConfigFile,
    formats: &[ExportFormat],
    folder: Option<&Path>,
    public: bool,
) -> Result<ExitCode, Failure> {
    let settings = settings(config)?;
    let folder = folder.unwrap_or(&settings.output_folder);
    std::fs::create_dir_all(folder)?;
    let store = Store::open_read_only(&settings.store_file)?;
    let mut assessments: BTreeMap<String, Assessment> = store
        .assessments()?
        .into_iter()
        .map(|stored| (stored.assessment.patch_id.clone(), stored.assessment))
        .collect();
    let stored = store.patches(&PatchFilter::default())?.into_iter();
    let patches: Vec<(Patch, Option<Assessment>)> = stored
        .map(|stored| {
            let told = assessments.remove(&stored.patch.patch_id);
            (stored.patch, told)
        })
        .collect();
    let mut files = Vec::new();
    for format in formats {
        let (name, format) = match format {
            ExportFormat::Geojson => ("patches.geojson", export::ExportFormat::GeoJson),
            ExportFormat::Gpkg => ("patches.gpkg", export::ExportFormat::GeoPackage),
            ExportFormat::Fgb => ("patches.fgb", export::ExportFormat::FlatGeobuf),
            ExportFormat::Csv => ("patches.csv", export::ExportFormat::Csv),
        };
        let file = folder.join(name);
        export::export_assessed(&file, format, &patches, public)?;
        files.push(file);
    }
    let names: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    out.either(
        &json!({ "patches": patches.len(), "files": files }),
        &format!("{} patches: {}", patches.len(), names.join(", ")),
    )
}

pub(super) fn report(
    out: &Out,
    config: &ConfigFile,
    file: Option<&Path>,
    truth: Option<&Path>,
    today: Option<Date>,
) -> Result<ExitCode, Failure> {
    let session = Session::open(settings(config)?, Purpose::Read)?;
    let default = session.settings.output_folder.join("report.html");
    let file = file.unwrap_or(&default);
    let page = reporting::page(&session, truth, schedule::today(today))?;
    scene::write_whole(file, page.as_bytes())?;
    out.either(&json!({ "file": file }), &format!("wrote {}", file.display()))
}

pub(super) fn synth(out: &Out, folder: &Path, which: Scene, seed: Option<u64>) -> Result<ExitCode, Failure> {
    let painted = scene::paint_into(folder, which, seed)?;
    let text = format!(
        "painted {} synthetic passes (not real imagery) with {} known events and {} made-up layers in {}",
        painted.passes,
        painted.events,
        painted.layers,
        folder.display()
    );
    out.either(
        &json!({ "passes": painted.passes, "events": painted.events, "layers": painted.layers, "synthetic": true }),
        &text,
    )
}

pub(super) fn score_run(
    out: &Out,
    config: &ConfigFile,
    truth: &Path,
    file: Option<&Path>,
) -> Result<ExitCode, Failure> {
    let settings = settings(config)?;
    let store = Store::open_read_only(&settings.store_file)?;
    let score = score::score(&store, truth)?;
    let default = settings.output_folder.join("score.json");
    let file = file.unwrap_or(&default);
    let json = serde_json::to_value(&score).map_err(|fault| Failure::internal(fault.to_string()))?;
    scene::write_whole(file, format!("{json:#}\n").as_bytes())?;
    out.either(&json, &score.to_string())
}
