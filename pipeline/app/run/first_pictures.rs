//! What a reviewer sees first of a patch, cut before the page asks for it: of the patches that are looked at next.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use rayon::prelude::*;

use shorewatch_domain::access::Scope;
use shorewatch_domain::pass::Pass;
use shorewatch_domain::patch::Patch;
use shorewatch_review::imagery::Imagery;
use shorewatch_store::decisions::queue::QueueFilter;

use super::session::Session;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::register;

/// Leaves the first pictures of the patches that wait, up to the configured number and in the order of review, in the folder of
/// the store, and removes those of all others. Gives of how many patches they were cut now. A picture that can't be cut stops
/// nothing: the server tries again when it is asked for.
///
/// # Errors
/// The store can't be read, or the folder can't be tidied.
pub(super) fn leave(session: &Session, progress: &Progress) -> Result<usize, Failure> {
    let settings = &session.settings;
    let context = &session.context;
    let filter = QueueFilter { scope: Scope::all(), ..QueueFilter::default() };
    let most = settings.patches.chip_count_max as usize;
    let mut wanted: Vec<(Patch, [&Pass; 2])> = Vec::new();
    for row in session.store.queue(&filter, "", Timestamp::now(), most)? {
        let Some(stored) = session.store.current_patch(&row.patch_id)? else { continue };
        let patch = stored.patch;
        let pair = [context.pass(&patch.pre_pass_id)?, context.pass(&patch.post_pass_id)?];
        wanted.push((patch, pair));
    }
    let imagery = Imagery::new(
        settings.sensors.values().map(|sensor| sensor.profile.clone()).collect(),
        register::limits(settings),
        shorewatch_review::Settings::of_store(settings.store_file.clone()).folder(),
        context.readers.cache(),
    );
    let bar = progress.units(wanted.len(), "first pictures");
    let cut = AtomicUsize::new(0);
    let kept: BTreeSet<_> = wanted
        .par_iter()
        .flat_map_iter(|(patch, pair)| {
            let left = imagery.leave_first(patch, *pair);
            bar.advance();
            let (files, fresh) = left.unwrap_or_else(|problem| {
                let patch = &patch.patch_id;
                tracing::warn!(patch, why = %problem.detail, "its first pictures were not cut; the server will try when it is asked");
                (Vec::new(), false)
            });
            cut.fetch_add(usize::from(fresh), Ordering::Relaxed);
            files
        })
        .collect();
    bar.finish();
    imagery.keep_only_first(&kept)?;
    Ok(cut.into_inner())
}
