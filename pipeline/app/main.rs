//! The Shorewatch program: parse, do, exit with a documented code.

use std::process::ExitCode;

use clap::Parser;
use shorewatch::cli::Cli;
use shorewatch::{commands, logging};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let bars = logging::start(&cli);
    let code = match commands::run(&cli, bars) {
        Ok(code) => code,
        Err(failure) => {
            logging::last_words(&failure, cli.json);
            failure.code
        }
    };
    ExitCode::from(code as u8)
}
