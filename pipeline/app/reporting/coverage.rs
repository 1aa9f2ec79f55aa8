//! What was compared, and why the rest was not.

use shorewatch_domain::digest::Digest;
use shorewatch_report::{Cause, CoverageRow, PairReference};

use super::reference;
use crate::failure::Failure;
use crate::run::session::Session;

/// One row a reach and pass that has an earlier one; the pair names the latest earlier pass.
pub(super) fn coverage_rows(session: &Session) -> Result<Vec<CoverageRow>, Failure> {
    let mut rows = Vec::new();
    let held_px = session.store.held_px()?;
    for observation in session.store.observations()? {
        let acquired = |id: &Digest| session.context.pass(id).ok().and_then(|pass| pass.acquired).map(|time| time.at);
        let (pass_id, observation) = (observation.pass_id, observation.seen);
        // the first pass of a place was compared with nothing
        let Some(latest) = observation.earlier_pass_ids.iter().max_by_key(|id| (acquired(id), **id)) else { continue };
        let area = |px: u64| px as f64 * observation.pixel_area_m2;
        let coverage = &observation.coverage;
        let mut unobserved: Vec<_> = coverage.by_cause().map(|(name, px)| (cause(name), area(px))).collect();
        let uncompared = coverage.observed_px - coverage.compared_px;
        let held = held_px.get(&(pass_id, observation.reach_id.clone())).copied().unwrap_or(0).min(uncompared);
        for (cause, px) in [("no earlier observation", uncompared - held), ("held: the passes lie too far apart", held)]
        {
            if px > 0 {
                unobserved.push((Cause::Other(cause.to_owned()), area(px)));
            }
        }
        rows.push(CoverageRow {
            pair: PairReference { pre: reference(session, latest)?, post: reference(session, &pass_id)? },
            reach_id: observation.reach_id.clone(),
            scope_m2: area(coverage.scope_px),
            observed_both_m2: area(coverage.compared_px),
            unobserved_m2: unobserved,
        });
    }
    Ok(rows)
}

fn cause(name: &str) -> Cause {
    match name {
        "cloud" => Cause::Cloud,
        "cloud_shadow" => Cause::CloudShadow,
        "nodata" => Cause::NoData,
        "outside" => Cause::OutsidePass,
        "unreadable" => Cause::CorruptBlock,
        "saturated" => Cause::Saturated,
        other => Cause::Other(other.replace('_', " ")),
    }
}
