//! One function a command; each reads from top to bottom.
//!
//! | module | commands |
//! |---|---|
//! | `registry` | `passes`, `reaches` |
//! | `inspection` | `run`, `plan`, `work`, `publish` |
//! | `scheduled` | `run --due`, `status` |
//! | `results` | `export`, `report`, `score`, `synth` |
//! | `change` | `change` |
//! | `labels` | `labels` |
//! | `review` | `review serve`, `review account` |
//! | `law` | `assess`, `explain`, `ledger`, `national`, `report --period` |
//! | `layers` | `layers` |
//! | `evaluation` | `eval` |
//! | `findings` | `deliver`, `evidence`, `doctor` |
//! | `program` | `init`, `model`, `completions`, `man` |

mod change;
mod evaluation;
mod findings;
mod inspection;
mod labels;
mod law;
mod layers;
mod program;
mod registry;
mod results;
mod review;
mod scheduled;

use std::io::Write;
use std::time::Duration;

use indicatif::MultiProgress;
use rayon::ThreadPoolBuilder;

use shorewatch_domain::crs::Epsg;

use shorewatch_models::Device;

use crate::cli::{Cli, Command, ConfigFile, LabelsCommand, ModelCommand, PassesCommand, ReachesCommand};
use crate::configuration::{self, ReachSettings, RunSettings};
use crate::failure::{ExitCode, Failure};
use crate::progress::Progress;
use program::BenchSettings;
use registry::Asked;

/// Does what was asked for.
///
/// # Errors
/// Whatever stopped it, with its exit code.
pub fn run(cli: &Cli, bars: MultiProgress) -> Result<ExitCode, Failure> {
    let progress = Progress::new(bars, cli.quiet);
    let out = Out { json: cli.json };
    match &cli.command {
        Command::Init { file } => program::init(&out, file),
        Command::Passes(PassesCommand::Add { config, files, sensor, name, time, assign_epsg }) => {
            let asked =
                Asked { files, sensor, name: name.as_deref(), time: time.as_deref(), assign_epsg: *assign_epsg };
            registry::passes_add(&out, config, &asked)
        }
        Command::Passes(PassesCommand::List(config)) => registry::passes_list(&out, config),
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
            registry::reaches_import(&out, config, &source)
        }
        Command::Reaches(ReachesCommand::List(config)) => registry::reaches_list(&out, config),
        Command::Layers(command) => layers::run(&out, command),
        Command::Run { config, due: false, .. } => inspection::run_all(&out, config, &progress),
        Command::Run { config, due: true, today } => scheduled::run_due(&out, config, *today, &progress),
        Command::Plan(config) => inspection::plan(&out, config),
        Command::Work { config, units } => inspection::work_units(&out, config, units),
        Command::Publish(config) => inspection::publish_staged(&out, config),
        Command::Status { config, since, today } => scheduled::status(&out, config, *since, *today),
        Command::Assess(config) => law::assess(&out, config),
        Command::Explain(arguments) => law::explain(&out, arguments),
        Command::Ledger(arguments) => law::write_ledger(&out, arguments),
        Command::National(command) => law::national(&out, command),
        Command::Review(command) => review::review(&out, command),
        Command::Export { config, format, out: folder, public } => {
            results::export_patches(&out, config, format, folder.as_deref(), *public)
        }
        Command::Report { config, period, out: file, truth, today } => match period.period {
            None => results::report(&out, config, file.as_deref(), truth.as_deref(), *today),
            Some(kind) => law::periodic(&out, config, kind, period, file.as_deref()),
        },
        Command::Synth { out: folder, scene, seed } => results::synth(&out, folder, *scene, *seed),
        Command::Score { config, truth, out: file } => results::score_run(&out, config, truth, file.as_deref()),
        Command::Change(arguments) => change::score(&out, arguments),
        Command::Labels(LabelsCommand::Export { config, out: folder }) => labels::export(&out, config, folder),
        Command::Deliver(arguments) => findings::deliver(&out, arguments),
        Command::Evidence(command) => findings::evidence(&out, command),
        Command::Doctor(config) => findings::doctor(&out, config),
        Command::Model(ModelCommand::Inspect(bundle)) => program::model_inspect(&out, bundle),
        Command::Model(ModelCommand::Verify(bundle)) => program::model_verify(&out, bundle),
        Command::Model(ModelCommand::Bench { bundle, workers, window_px, seconds, cuda, half_precision }) => {
            let cores = || std::thread::available_parallelism().unwrap_or(std::num::NonZeroUsize::MIN);
            let with = BenchSettings {
                workers: workers.unwrap_or_else(cores).get(),
                window_px: usize::from(*window_px),
                duration: Duration::from_secs(u64::from(*seconds)),
                device: if *cuda { Device::Cuda } else { Device::Cpu },
                half_precision: *half_precision,
            };
            program::model_bench(&out, bundle, &with)
        }
        Command::Eval(arguments) => evaluation::evaluate(&out, arguments, &progress),
        Command::Schema => out.text(&configuration::json_schema()),
        Command::Completions { shell } => program::completions(*shell),
        Command::Man { out: folder } => program::man(&out, folder),
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
