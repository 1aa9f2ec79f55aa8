//! The Shorewatch program: parse, do, exit with a documented code.

use clap::Parser;
use shorewatch::cli::Cli;
use shorewatch::{commands, logging, process};

fn main() {
    process::settle_allocator();
    let cli = Cli::parse();
    let bars = logging::start(&cli);
    let code = match commands::run(&cli, bars) {
        Ok(code) => code,
        Err(failure) => {
            logging::last_words(&failure, cli.json);
            failure.code
        }
    };
    process::leave(code as u8)
}
