//! How good a bundle is.

use std::fmt::Write as _;
use std::path::Path;

use shorewatch_models::Format;
use shorewatch_report::GoalBound;

use super::Out;
use crate::cli::{EvaluateArguments, WeightsFormat};
use crate::evaluation::{Measured, Request, measure, page};
use crate::failure::{ExitCode, Failure};
use crate::progress::Progress;
use crate::scene;

pub(super) fn evaluate(out: &Out, arguments: &EvaluateArguments, progress: &Progress) -> Result<ExitCode, Failure> {
    let request = Request {
        bundles: arguments.folder.clone(),
        bundle: arguments.bundle.clone(),
        data: arguments.data.clone(),
        holdout: arguments.holdout.clone(),
        format: arguments.format.map(|format| match format {
            WeightsFormat::Torchscript => Format::TorchScript,
            WeightsFormat::Onnx => Format::Onnx,
            WeightsFormat::OnnxInt8 => Format::OnnxInt8,
        }),
        onnxruntime_library: arguments.onnxruntime_library.clone(),
    };
    let measured = measure(&request, progress)?;
    // both, or neither
    let (json, page) = (measured.json(), page::page(&measured)?);
    let (json_file, page_file) = (arguments.out.join("eval.json"), arguments.out.join("eval.html"));
    scene::write_whole(&json_file, format!("{json:#}\n").as_bytes())?;
    scene::write_whole(&page_file, page.as_bytes())?;
    out.either(&json, &text(&measured, &json_file, &page_file))
}

fn text(measured: &Measured, json_file: &Path, page_file: &Path) -> String {
    let manifest = measured.bundle.manifest();
    let mut text = format!("{} {} ({}), {:.0} s\n", manifest.name, manifest.version, measured.format, measured.seconds);
    let _ = writeln!(text, "{:<76} {:>8}  wanted", "", "reached");
    for goal in measured.goals() {
        let reached = goal.reached.map_or_else(|| "not measured".to_owned(), |value| format!("{value:.3}"));
        let wanted = match goal.wanted {
            GoalBound::AtLeast(bound) => format!("at least {bound:.2}"),
            GoalBound::AtMost(bound) => format!("at most {bound:.2}"),
        };
        let missed = if goal.is_met() { "" } else { "   <- missed" };
        let _ = writeln!(text, "{:<76} {reached:>8}  {wanted}{missed}", goal.what);
    }
    let _ = write!(text, "wrote {} and {}", json_file.display(), page_file.display());
    text
}
