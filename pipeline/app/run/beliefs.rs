//! What is believed of the ground before a pass: kept beside the scores, square by square, and made from them again where it is
//! missing. One more pass costs one update, however long the history is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shorewatch_domain::belief::{Belief, Tracked, ZonedPriors};
use shorewatch_domain::digest::{Digest, DigestBuilder};
use shorewatch_domain::grid::{Grid, Window};
use shorewatch_domain::raster::Scores;
use shorewatch_imagery::layers::{read_layers, write_layers};

use super::context::RunContext;
use super::ground::Ground;
use super::staged::layers_path;
use super::work::{Reading, scores};
use crate::failure::Failure;

/// One step of a history: what was believed before, and the pass that came then.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// The belief before; `None` where the pass was the first.
    pub before: Option<Digest>,
    /// The pass.
    pub pass_id: Digest,
}

/// The histories of all squares: each belief by its id, with the step that led to it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Histories(BTreeMap<Digest, Step>);

impl Histories {
    /// Takes the next step of a square, and gives the id of the belief after it. `reading` is how the pass is read, `square`
    /// what tells the ground apart from other ground.
    pub fn step(&mut self, before: Option<Digest>, pass_id: Digest, reading: &Digest, square: &Digest) -> Digest {
        let builder = DigestBuilder::new("belief").digest("square", square).digest("pass", &pass_id);
        let builder =
            before.iter().fold(builder.digest("reading", reading), |builder, id| builder.digest("before", id));
        let id = builder.finish();
        self.0.insert(id, Step { before, pass_id });
        id
    }

    /// The belief with an id, over `window` of a ground. `known`: scores of passes that were read already.
    ///
    /// # Errors
    /// The id is of another plan; a pass can't be read any more, or the model failed.
    pub fn belief(
        &self,
        context: &RunContext,
        ground: &Ground,
        window: Window,
        id: &Digest,
        tracked: &Tracked,
        known: &[(Digest, Scores)],
    ) -> Result<Belief, Failure> {
        let grid = ground.grid;
        let mut missing = Vec::new();
        let mut at = Some(*id);
        let mut belief = Belief::unknown(grid, window, tracked);
        while let Some(id) = at {
            if let Some(kept) = kept(context, grid, window, &id, tracked) {
                belief = kept;
                break;
            }
            let step = self.0.get(&id).ok_or_else(|| {
                Failure::input(format!("belief {} is in no history of this plan; make a new plan", id.short()))
            })?;
            missing.push((id, *step));
            at = step.before;
        }
        let zones = (!missing.is_empty()).then(|| ground.zones.rows(window)).flatten();
        let zones = zones.map(|rows| ZonedPriors::new(window, rows, ground.zones.priors(), tracked, &context.classes));
        let last = missing.first().map(|(id, _)| *id);
        for (id, step) in missing.into_iter().rev() {
            let read;
            let told = match known.iter().find(|(pass_id, _)| *pass_id == step.pass_id) {
                Some((_, known)) => known,
                None => {
                    read = scores(context, grid, window, &step.pass_id, Reading::Once)?.0;
                    &read
                }
            };
            belief.update(told, tracked, zones.as_ref());
            // what lies between is quickly made again, and what begins a history are the scores themselves
            if Some(id) == last && step.before.is_some() {
                keep(context, &belief, &id)?;
            }
        }
        Ok(belief)
    }
}

fn path(context: &RunContext, window: Window, id: &Digest) -> std::path::PathBuf {
    let name = DigestBuilder::new("belief window")
        .digest("belief", id)
        .field("window", format!("{} {} {} {}", window.row, window.col, window.rows, window.cols))
        .finish();
    layers_path(&context.work_folder, "beliefs", &name)
}

fn kept(context: &RunContext, grid: Grid, window: Window, id: &Digest, tracked: &Tracked) -> Option<Belief> {
    let path = path(context, window, id);
    if !path.exists() {
        return None;
    }
    match read_layers(&path) {
        Ok(layers) if layers.window == window && layers.values.dim().0 == tracked.planes() => {
            Some(Belief { grid, window, planes: layers.values })
        }
        Ok(_) => None,
        Err(fault) => {
            tracing::warn!(path = %path.display(), %fault, "a kept belief can't be used and is made again");
            None
        }
    }
}

fn keep(context: &RunContext, belief: &Belief, id: &Digest) -> Result<(), Failure> {
    let names: Vec<String> = (0..belief.planes.dim().0).map(|plane| format!("belief_{plane}")).collect();
    let layers: Vec<_> = names.iter().map(String::as_str).zip(belief.planes.outer_iter()).collect();
    write_layers(&path(context, belief.window, id), belief.grid, belief.window, &layers, "{}")?;
    Ok(())
}
