//! Logs on standard error: text for people, JSON for machines; bars and lines share the terminal.

use std::io::{IsTerminal, Write};

use indicatif::MultiProgress;
use tracing_indicatif::IndicatifLayer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::cli::{Cli, LogFormat};
use crate::failure::Failure;

/// Starts logging, and gives the bars that progress draws on.
#[must_use]
pub fn start(cli: &Cli) -> MultiProgress {
    let level = match (cli.quiet, cli.verbose) {
        (true, _) => "warn",
        (false, 0) => "info",
        (false, 1) => "shorewatch=debug,info",
        (false, _) => "trace",
    };
    let filter = EnvFilter::try_from_env("SHOREWATCH_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let bars = IndicatifLayer::new();
    let writer = bars.get_stderr_writer();
    let lines = tracing_subscriber::fmt::layer().with_ansi(std::io::stderr().is_terminal()).with_writer(writer);
    let lines = match cli.log_format {
        LogFormat::Text => lines.with_target(false).without_time().boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    // A second start (in tests) keeps the first.
    let started = tracing_subscriber::registry().with(bars).with(lines).with(filter).try_init();
    if let Err(fault) = started {
        tracing::debug!(%fault, "logging was already started");
    }
    MultiProgress::new()
}

/// Tells why the program stops: on standard error, and as JSON on standard output where a machine listens.
pub fn last_words(failure: &Failure, json: bool) {
    let mut stderr = std::io::stderr().lock();
    // Nobody is left to tell if this fails.
    drop(writeln!(stderr, "error: {}", failure.text));
    if json {
        let words = serde_json::json!({ "error": failure.text, "exit_code": failure.code as u8 });
        drop(writeln!(std::io::stdout().lock(), "{words}"));
    }
}
