//! The program itself: configuration, models, completions, man pages.

use std::io::Write;
use std::path::Path;

use clap::CommandFactory;
use serde_json::json;

use shorewatch_models::Bundle;

use super::Out;
use crate::cli::Cli;
use crate::configuration;
use crate::failure::{ExitCode, Failure};

pub(super) fn init(out: &Out, file: &Path) -> Result<ExitCode, Failure> {
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

pub(super) fn model_inspect(out: &Out, folder: &Path, name: &str) -> Result<ExitCode, Failure> {
    let bundle = Bundle::load(folder, name)?;
    out.either(&json!(bundle.manifest()), &bundle.describe())
}

pub(super) fn model_verify(out: &Out, folder: &Path, name: &str) -> Result<ExitCode, Failure> {
    let bundle = Bundle::load(folder, name)?;
    shorewatch_models::verify(&bundle)?;
    let text = format!("{name}: manifest, digest and shapes are right ({})", bundle.digest());
    out.either(&json!({ "name": name, "digest": bundle.digest(), "verified": true }), &text)
}

pub(super) fn completions(shell: clap_complete::Shell) -> Result<ExitCode, Failure> {
    clap_complete::generate(shell, &mut Cli::command(), "shorewatch", &mut std::io::stdout());
    Ok(ExitCode::Done)
}

pub(super) fn man(out: &Out, folder: &Path) -> Result<ExitCode, Failure> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Cli::command(), folder)?;
    out.either(&json!({ "folder": folder }), &format!("wrote man pages to {}", folder.display()))
}
