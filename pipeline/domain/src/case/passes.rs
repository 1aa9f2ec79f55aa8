//! Records of passes, put in order and freed of what is said twice.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{FollowUp, PassRecord, PatchRecord};
use crate::digest::Digest;

/// Records by acquisition and id, one a pass, each with its patches and follow-ups in order of patch id. A patch that comes
/// twice counts where it came first; of two follow-ups of one patch in one pass, the one that saw more.
pub(super) fn in_order(records: impl IntoIterator<Item = PassRecord>) -> Vec<PassRecord> {
    let mut by_pass: BTreeMap<Digest, PassRecord> = BTreeMap::new();
    for record in records {
        match by_pass.get_mut(&record.pass_id) {
            Some(known) => {
                known.acquired_at = known.acquired_at.min(record.acquired_at);
                known.patches.extend(record.patches);
                known.follow_ups.extend(record.follow_ups);
            }
            None => {
                by_pass.insert(record.pass_id, record);
            }
        }
    }
    let by_time: BTreeMap<(Timestamp, Digest), PassRecord> =
        by_pass.into_values().map(|record| ((record.acquired_at, record.pass_id), record)).collect();
    let mut passes: Vec<_> = by_time.into_values().collect();
    let mut known = BTreeSet::new();
    for pass in &mut passes {
        pass.patches.sort_by(patch_order);
        pass.patches.retain(|patch| known.insert(patch.patch_id.clone()));
        pass.follow_ups.sort_by(follow_up_order);
        pass.follow_ups.dedup_by(|next, kept| next.patch_id == kept.patch_id);
    }
    passes
}

fn patch_order(a: &PatchRecord, b: &PatchRecord) -> std::cmp::Ordering {
    a.patch_id.cmp(&b.patch_id).then_with(|| b.area_m2.total_cmp(&a.area_m2))
}

/// By patch; what saw more of its ground first, then what can tell, then what shows more of it, by classes and then by evidence.
fn follow_up_order(a: &FollowUp, b: &FollowUp) -> std::cmp::Ordering {
    let present = |follow_up: &FollowUp| follow_up.present_fraction.unwrap_or(-1.0);
    let score = |follow_up: &FollowUp| follow_up.review_score.unwrap_or(-1.0);
    a.patch_id
        .cmp(&b.patch_id)
        .then_with(|| b.observed_fraction.total_cmp(&a.observed_fraction))
        .then_with(|| present(b).total_cmp(&present(a)))
        .then_with(|| score(b).total_cmp(&score(a)))
}
