//! One function a command; each reads from top to bottom.

use std::fmt::Write as _;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use indicatif::MultiProgress;
use rayon::ThreadPoolBuilder;
use serde_json::json;

use shorewatch_domain::crs::Epsg;
use shorewatch_domain::patch::Patch;
use shorewatch_imagery::export;
use shorewatch_models::Bundle;
use shorewatch_store::{AddedPass, PatchFilter, Store};

use crate::cli::{Cli, Command, ConfigFile, ExportFormat, ModelCommand, PassesCommand, ReachesCommand, Scene};
use crate::configuration::{self, ReachSettings, RunSettings};
use crate::failure::{ExitCode, Failure};
use crate::progress::Progress;
use crate::run::session::{Purpose, Session, create_folder_of};
use crate::run::{self, publish, work};
use crate::{register, reporting, scene, score};

/// Does what was asked for.
///
/// # Errors
/// Whatever stopped it, with its exit code.
pub fn run(cli: &Cli, bars: MultiProgress) -> Result<ExitCode, Failure> {
    let progress = Progress::new(bars, cli.quiet);
    let out = Out { json: cli.json };
    match &cli.command {
        Command::Init { file } => init(&out, file),
        Command::Passes(PassesCommand::Add { config, files, sensor, name, time, assign_epsg }) => {
            let asked =
                Asked { files, sensor, name: name.as_deref(), time: time.as_deref(), assign_epsg: *assign_epsg };
            passes_add(&out, config, &asked)
        }
        Command::Passes(PassesCommand::List(config)) => passes_list(&out, config),
        Command::Reaches(ReachesCommand::Import {
            config,
            file,
            layer,
            id_field,
            name_field,
            buffer_m,
            assign_epsg,
        }) => {
            let source = ReachSettings {
                file: file.clone(),
                layer: layer.clone(),
                id_field: id_field.clone(),
                name_field: name_field.clone(),
                buffer_m: *buffer_m,
                assigned_epsg: assign_epsg.map(Epsg),
            };
            reaches_import(&out, config, &source)
        }
        Command::Reaches(ReachesCommand::List(config)) => reaches_list(&out, config),
        Command::Run(config) => run_all(&out, config, &progress),
        Command::Plan(config) => plan(&out, config),
        Command::Work { config, units } => work_units(&out, config, units),
        Command::Publish(config) => publish_staged(&out, config),
        Command::Status(config) => status(&out, config),
        Command::Export { config, format, out: folder } => export_patches(&out, config, format, folder.as_deref()),
        Command::Report { config, out: file, truth } => report(&out, config, file.as_deref(), truth.as_deref()),
        Command::Synth { out: folder, scene, seed } => synth(&out, folder, *scene, *seed),
        Command::Score { config, truth, out: file } => score_run(&out, config, truth, file.as_deref()),
        Command::Model(ModelCommand::Inspect { name, folder }) => model_inspect(&out, folder, name),
        Command::Model(ModelCommand::Verify { name, folder }) => model_verify(&out, folder, name),
        Command::Schema => out.text(&configuration::json_schema()),
        Command::Completions { shell } => completions(*shell),
        Command::Man { out: folder } => man(&out, folder),
    }
}

/// Standard output.
struct Out {
    json: bool,
}

impl Out {
    fn text(&self, text: &str) -> Result<ExitCode, Failure> {
        let mut stdout = std::io::stdout().lock();
        match writeln!(stdout, "{}", text.trim_end_matches('\n')) {
            // the reader has seen enough (`| head`)
            Err(fault) if fault.kind() == std::io::ErrorKind::BrokenPipe => Ok(ExitCode::Done),
            other => other.map(|()| ExitCode::Done).map_err(Failure::from),
        }
    }

    /// One form for machines, one for people.
    fn either(&self, json: &serde_json::Value, text: &str) -> Result<ExitCode, Failure> {
        if self.json { self.text(&format!("{json:#}")) } else { self.text(text) }
    }
}

fn settings(config: &ConfigFile) -> Result<RunSettings, Failure> {
    let settings = configuration::load(&config.config).map_err(|faults| Failure::usage(faults.render(120, false)))?;
    let threads = settings.threads.get();
    // The pool is made once; a second command in the same process (tests) keeps it.
    if let Err(fault) = ThreadPoolBuilder::new().num_threads(threads).build_global() {
        tracing::debug!(%fault, "the thread pool was already made");
    }
    Ok(settings)
}

fn init(out: &Out, file: &Path) -> Result<ExitCode, Failure> {
    let mut new = std::fs::File::create_new(file).map_err(|fault| match fault.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::usage(format!("{} is already there and is left as it is; name another file", file.display()))
        }
        _ => Failure::from(fault),
    })?;
    new.write_all(configuration::template().as_bytes())?;
    let text = format!("wrote {}; edit it, then: shorewatch run --config {}", file.display(), file.display());
    out.either(&json!({ "file": file }), &text)
}

/// A pass as asked for on the command line.
struct Asked<'a> {
    files: &'a [PathBuf],
    sensor: &'a str,
    name: Option<&'a str>,
    time: Option<&'a str>,
    assign_epsg: Option<u32>,
}

fn passes_add(out: &Out, config: &ConfigFile, asked: &Asked<'_>) -> Result<ExitCode, Failure> {
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

fn passes_list(out: &Out, config: &ConfigFile) -> Result<ExitCode, Failure> {
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

fn reaches_import(out: &Out, config: &ConfigFile, source: &ReachSettings) -> Result<ExitCode, Failure> {
    let settings = settings(config)?;
    let now = jiff::Timestamp::now();
    create_folder_of(&settings.store_file)?;
    let mut store = Store::create_or_open(&settings.store_file, now)?;
    let _lease = store.try_lease("shorewatch", now)?;
    let import = register::import_reaches(&settings, &mut store, source)?;
    let text = format!("{} added, {} changed, {} unchanged", import.added, import.changed, import.unchanged);
    out.either(&json!({ "added": import.added, "changed": import.changed, "unchanged": import.unchanged }), &text)
}

fn reaches_list(out: &Out, config: &ConfigFile) -> Result<ExitCode, Failure> {
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

fn run_all(out: &Out, config: &ConfigFile, progress: &Progress) -> Result<ExitCode, Failure> {
    let mut session = Session::open(settings(config)?, Purpose::Write)?;
    let summary = run::run(&mut session, progress)?;
    let code = summary.exit_code();
    let mut text = format!(
        "run {}: {} of {} units worked, {} passes published, {} new patches ({} current), {} pictures, {:.1} s",
        &summary.run_id[..12],
        summary.units_worked,
        summary.units_planned,
        summary.publications,
        summary.patches_new,
        summary.patches_current,
        summary.chips,
        summary.seconds
    );
    for reach in &summary.reaches_outside_every_pass {
        let _ = write!(text, "\nnot looked at: reach {reach} lies outside every pass");
    }
    for pass in &summary.passes_without_reach {
        let _ = write!(text, "\npass {pass} meets no reach");
    }
    for fault in &summary.faults {
        let _ = write!(text, "\n{fault}");
    }
    let mut json = json!(summary);
    json["exit_code"] = json!(code as u8);
    out.either(&json, &text)?;
    Ok(code)
}

fn plan(out: &Out, config: &ConfigFile) -> Result<ExitCode, Failure> {
    let session = Session::open(settings(config)?, Purpose::Write)?;
    let plan = session.plan()?;
    let todo = run::not_published(&plan, &session.store)?;
    let units: Vec<_> = todo.iter().flat_map(|publication| &publication.units).collect();
    let mut text = String::new();
    for unit in &units {
        let _ = writeln!(text, "{}", unit.id);
    }
    out.either(&json!({ "run_id": plan.run_id, "units": units }), &text)
}

fn work_units(out: &Out, config: &ConfigFile, wanted: &[String]) -> Result<ExitCode, Failure> {
    let session = Session::open(settings(config)?, Purpose::Read)?;
    let plan = session.plan()?;
    let mut names = Vec::new();
    for name in wanted {
        if name == "-" {
            for line in std::io::stdin().lock().lines() {
                names.extend(line?.split_whitespace().map(str::to_owned));
            }
        } else {
            names.push(name.clone());
        }
    }
    let mut worked = 0;
    for name in &names {
        let matching: Vec<_> =
            plan.units().filter(|(_, unit)| unit.id.to_string().starts_with(name.as_str())).collect();
        let [(publication, unit)] = matching.as_slice() else {
            let found = if matching.is_empty() { "no unit" } else { "more than one unit" };
            return Err(Failure::usage(format!("{found} of the plan begins with {name:?}; see `shorewatch plan`")));
        };
        worked += usize::from(work::work(&session.context, &session.grounds[publication.ground], unit)?);
    }
    let text = format!("{worked} worked, {} were staged already", names.len() - worked);
    out.either(&json!({ "worked": worked, "staged_before": names.len() - worked }), &text)
}

fn publish_staged(out: &Out, config: &ConfigFile) -> Result<ExitCode, Failure> {
    let mut session = Session::open(settings(config)?, Purpose::Write)?;
    let plan = session.plan()?;
    let todo = run::not_published(&plan, &session.store)?;
    if todo.is_empty() {
        return out.either(&json!({ "published": 0, "waiting": 0 }), "nothing to publish");
    }
    session.store.begin_run(&run::run_start(
        &session,
        &plan,
        todo.iter().map(|publication| publication.units.len()).sum(),
    )?)?;
    let (mut published, mut waiting, mut patches) = (0, 0, 0);
    for publication in todo {
        let staged =
            |unit: &&shorewatch_domain::unit::Unit| work::staged_path(&session.context.work_folder, &unit.id).exists();
        if publication.units.iter().filter(staged).count() < publication.units.len() {
            waiting += 1;
            continue;
        }
        let ground = &session.grounds[publication.ground];
        patches += publish::publish(&session.context, ground, publication, plan.run_id, &mut session.store)?.patches;
        published += 1;
    }
    let text = format!("{published} passes published with {patches} patches; {waiting} wait for units");
    out.either(&json!({ "published": published, "patches": patches, "waiting": waiting }), &text)?;
    Ok(if waiting > 0 { ExitCode::Partial } else { ExitCode::Done })
}

fn status(out: &Out, config: &ConfigFile) -> Result<ExitCode, Failure> {
    let session = Session::open(settings(config)?, Purpose::Read)?;
    let plan = session.plan()?;
    let todo = run::not_published(&plan, &session.store)?;
    let units: usize = todo.iter().map(|publication| publication.units.len()).sum();
    let patches = session.store.patches(&PatchFilter::default())?.len();
    let observations = session.store.observations()?;
    let mut text = format!(
        "{} reaches, {} passes ready, {patches} suspected patches; {} passes ({units} units) wait for work\n",
        session.grounds.iter().map(|ground| ground.reaches.len()).sum::<usize>(),
        session.ready_passes(),
        todo.len()
    );
    for row in &observations {
        let seen = &row.seen;
        let share = seen.observed_fraction().unwrap_or(1.0);
        if share < 1.0 {
            let causes: Vec<_> = seen
                .coverage
                .by_cause()
                .map(|(cause, px)| format!("{cause} {:.1} ha", px as f64 * seen.pixel_area_m2 / 1e4))
                .collect();
            let _ = writeln!(
                text,
                "not observed: reach {} on {}: {:.1} % ({})",
                seen.reach_id,
                row.post_date.strftime("%Y-%m-%d"),
                100.0 * (1.0 - share),
                causes.join(", ")
            );
        }
    }
    for reach in &plan.reaches_outside_every_pass {
        let _ = writeln!(text, "not looked at: reach {reach} lies outside every pass");
    }
    for fault in &session.faults {
        let _ = writeln!(text, "{fault}");
    }
    let json = json!({
        "patches": patches,
        "publications_waiting": todo.len(),
        "units_waiting": units,
        "reaches_outside_every_pass": plan.reaches_outside_every_pass,
        "faults": session.faults,
    });
    out.either(&json, &text)
}

fn export_patches(
    out: &Out,
    config: &ConfigFile,
    formats: &[ExportFormat],
    folder: Option<&Path>,
) -> Result<ExitCode, Failure> {
    let settings = settings(config)?;
    let folder = folder.unwrap_or(&settings.output_folder);
    std::fs::create_dir_all(folder)?;
    let stored = Store::open_read_only(&settings.store_file)?.patches(&PatchFilter::default())?;
    let patches: Vec<Patch> = stored.into_iter().map(|stored| stored.patch).collect();
    let mut files = Vec::new();
    for format in formats {
        let (name, format) = match format {
            ExportFormat::Geojson => ("patches.geojson", export::ExportFormat::GeoJson),
            ExportFormat::Gpkg => ("patches.gpkg", export::ExportFormat::GeoPackage),
            ExportFormat::Fgb => ("patches.fgb", export::ExportFormat::FlatGeobuf),
            ExportFormat::Csv => ("patches.csv", export::ExportFormat::Csv),
        };
        let file = folder.join(name);
        export::export(&file, format, &patches)?;
        files.push(file);
    }
    let names: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    out.either(
        &json!({ "patches": patches.len(), "files": files }),
        &format!("{} patches: {}", patches.len(), names.join(", ")),
    )
}

fn report(out: &Out, config: &ConfigFile, file: Option<&Path>, truth: Option<&Path>) -> Result<ExitCode, Failure> {
    let session = Session::open(settings(config)?, Purpose::Read)?;
    let default = session.settings.output_folder.join("report.html");
    let file = file.unwrap_or(&default);
    let page = reporting::page(&session, truth)?;
    scene::write_whole(file, page.as_bytes())?;
    out.either(&json!({ "file": file }), &format!("wrote {}", file.display()))
}

fn synth(out: &Out, folder: &Path, which: Scene, seed: Option<u64>) -> Result<ExitCode, Failure> {
    let painted = scene::paint_into(folder, which, seed)?;
    let text = format!(
        "painted {} synthetic passes (not real imagery) with {} known events in {}",
        painted.passes,
        painted.events,
        folder.display()
    );
    out.either(&json!({ "passes": painted.passes, "events": painted.events, "synthetic": true }), &text)
}

fn score_run(out: &Out, config: &ConfigFile, truth: &Path, file: Option<&Path>) -> Result<ExitCode, Failure> {
    let settings = settings(config)?;
    let store = Store::open_read_only(&settings.store_file)?;
    let score = score::score(&store, truth)?;
    let default = settings.output_folder.join("score.json");
    let file = file.unwrap_or(&default);
    let json = serde_json::to_value(&score).map_err(|fault| Failure::internal(fault.to_string()))?;
    scene::write_whole(file, format!("{json:#}\n").as_bytes())?;
    out.either(&json, &score.to_string())
}

fn model_inspect(out: &Out, folder: &Path, name: &str) -> Result<ExitCode, Failure> {
    let bundle = Bundle::load(folder, name)?;
    out.either(&json!(bundle.manifest()), &bundle.describe())
}

fn model_verify(out: &Out, folder: &Path, name: &str) -> Result<ExitCode, Failure> {
    let bundle = Bundle::load(folder, name)?;
    shorewatch_models::verify(&bundle)?;
    let text = format!("{name}: manifest, digest and shapes are right ({})", bundle.digest());
    out.either(&json!({ "name": name, "digest": bundle.digest(), "verified": true }), &text)
}

fn completions(shell: clap_complete::Shell) -> Result<ExitCode, Failure> {
    clap_complete::generate(shell, &mut Cli::command(), "shorewatch", &mut std::io::stdout());
    Ok(ExitCode::Done)
}

fn man(out: &Out, folder: &Path) -> Result<ExitCode, Failure> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Cli::command(), folder)?;
    out.either(&json!({ "folder": folder }), &format!("wrote man pages to {}", folder.display()))
}
