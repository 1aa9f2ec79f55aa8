//! The program itself: configuration, models, completions, man pages.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use clap::CommandFactory;
use serde_json::json;

use shorewatch_models::{Bundle, ChangeNetwork, Device, Format, Kind, Options, bench, load};

use super::Out;
use crate::cli::{BundleName, Cli};
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

pub(super) fn model_inspect(out: &Out, which: &BundleName) -> Result<ExitCode, Failure> {
    let bundle = Bundle::load(&which.folder, &which.name)?;
    out.either(&json!(bundle.manifest()), &bundle.describe())
}

pub(super) fn model_verify(out: &Out, which: &BundleName) -> Result<ExitCode, Failure> {
    let bundle = Bundle::load(&which.folder, &which.name)?;
    let forms = shorewatch_models::verify(&bundle, which.onnxruntime_library.clone())?;
    let mut text = format!("{}: manifest and digests are right ({})", which.name, bundle.digest());
    for form in &forms {
        let _ = match (form.largest_difference, form.agreement) {
            (Some(difference), Some(agreement)) => write!(
                text,
                "\n{}: shapes and halo are right; probabilities within {difference:.1e} of the first form, {:.2} % of classes the same",
                form.format,
                100.0 * agreement
            ),
            _ => write!(text, "\n{}: digest only, this program was built without what runs it", form.format),
        };
    }
    let forms: Vec<_> = forms
        .iter()
        .map(|form| {
            json!({
                "format": form.format,
                "ran": form.largest_difference.is_some(),
                "largest_difference": form.largest_difference,
                "agreement": form.agreement,
            })
        })
        .collect();
    out.either(&json!({ "name": which.name, "digest": bundle.digest(), "verified": true, "forms": forms }), &text)
}

/// What `model bench` measures with.
pub(super) struct BenchSettings {
    pub(super) workers: usize,
    pub(super) window_px: usize,
    pub(super) duration: Duration,
    pub(super) device: Device,
    pub(super) half_precision: bool,
}

pub(super) fn model_bench(out: &Out, which: &BundleName, with: &BenchSettings) -> Result<ExitCode, Failure> {
    let bundle = Bundle::load(&which.folder, &which.name)?;
    let kind = bundle.manifest().kind;
    let mut text = format!(
        "{}: Mpx/s on {}{} of windows of {} px{}, {} workers of one thread, at least {:.0} s each",
        which.name,
        with.device.name(),
        if with.half_precision { " in half precision" } else { "" },
        with.window_px,
        if kind == Kind::Bitemporal { " (of one date, each of two)" } else { "" },
        with.workers,
        with.duration.as_secs_f64()
    );
    let mut measured = serde_json::Map::new();
    for weights in &bundle.manifest().weights {
        let format = weights.format;
        if !load::formats_of_this_build().contains(&format) {
            let _ = write!(text, "\n  {:<12} not run: this program was built without what runs it", format.name());
            continue;
        }
        if with.device == Device::Cuda && format != Format::TorchScript {
            let _ = write!(text, "\n  {:<12} not run: on the processor only", format.name());
            continue;
        }
        let &BenchSettings { workers, window_px, duration, device, half_precision } = with;
        let onnxruntime_library = which.onnxruntime_library.clone();
        let options = Options { device, half_precision, onnxruntime_library, ..Options::cpu(format) };
        let speed = match kind {
            Kind::Segmentation => {
                bench::throughput(load::load(&bundle, &options)?.as_ref(), workers, window_px, duration)
            }
            Kind::Bitemporal => {
                bench::change_throughput(&ChangeNetwork::load(&bundle, &options)?, workers, window_px, duration)
            }
        }?;
        let _ = write!(text, "\n  {:<12} {:.2}", format.name(), speed.megapixels_per_second);
        measured.insert(format.name().to_owned(), json!(speed.megapixels_per_second));
    }
    let json = json!({
        "name": which.name,
        "version": bundle.manifest().version,
        "kind": kind,
        "device": with.device.name(),
        "half_precision": with.half_precision,
        "workers": with.workers,
        "window_px": with.window_px,
        "mpx_per_s": measured,
    });
    out.either(&json, &text)
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
