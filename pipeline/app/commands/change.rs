//! The change between two passes.

use std::fmt::Write as _;

use serde_json::json;

use super::Out;
use crate::change::{Request, Summary, score as score_pair, write};
use crate::cli::ChangeArguments;
use crate::failure::{ExitCode, Failure};

pub(super) fn score(out: &Out, arguments: &ChangeArguments) -> Result<ExitCode, Failure> {
    let request = Request {
        before: arguments.before.clone(),
        earlier: arguments.earlier.clone(),
        after: arguments.after.clone(),
        sensor: arguments.sensor.clone(),
        before_sensor: arguments.before_sensor.clone(),
        sensors: arguments.sensors.clone(),
        models: arguments.models.clone(),
        segmentation: arguments.bundle.clone(),
        bitemporal: arguments.change_bundle.clone(),
    };
    let scored = score_pair(&request)?;
    write(&arguments.out, &scored)?;
    for note in &scored.summary.notes {
        tracing::warn!("{note}");
    }
    let said = json!({ "file": arguments.out, "summary": scored.summary });
    out.either(&said, &format!("{}wrote {}", text(&scored.summary), arguments.out.display()))?;
    let whole = scored.summary.held_windows == 0 && scored.summary.notes.is_empty();
    Ok(if whole { ExitCode::Done } else { ExitCode::Partial })
}

fn text(summary: &Summary) -> String {
    let mut text = format!("{:.1} % of {} pixels compared", 100.0 * summary.observed_share, summary.pixels);
    match (summary.shift_x_px, summary.shift_y_px, summary.coreg_rmse_px) {
        (Some(right), Some(down), Some(left)) => {
            let _ = write!(
                text,
                "; the earlier pass lay {right:+.2} px right and {down:+.2} px below, {left:.2} px are left"
            );
        }
        _ => text.push_str("; how the passes lie on each other can't be told, nothing was moved"),
    }
    if let Some(off) = summary.held_off_px {
        let windows = summary.held_windows;
        let _ = write!(text, "; held: {windows} windows lie up to {off:.1} px apart and were not compared");
    }
    text.push('\n');
    text
}
