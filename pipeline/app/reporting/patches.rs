//! Patches as cards.

use shorewatch_domain::classes::IssueClass as DomainIssueClass;
use shorewatch_domain::patch::Patch;
use shorewatch_report::{IssueClass, PairReference, PatchCard};

use super::reference;
use crate::failure::Failure;
use crate::run::session::Session;

pub(super) fn card(session: &Session, patch: &Patch) -> Result<PatchCard, Failure> {
    let (before, after) = patch.change_type.split_once("_to_").unwrap_or((&patch.change_type, &patch.change_type));
    let mut notes = Vec::new();
    if patch.valid_fraction < 0.8 {
        notes.push(format!(
            "Only {:.0} % of the patch and its surroundings were observed on both dates.",
            100.0 * patch.valid_fraction
        ));
    }
    Ok(PatchCard {
        patch_id: patch.patch_id.clone(),
        rank: 0,
        object_class: patch.object_class.replace('_', " "),
        from_class: before.replace('_', " "),
        to_class: after.replace('_', " "),
        issue_class: issue_class(patch.suspected_issue_class),
        area_m2: patch.area_m2,
        review_score: patch.review_score,
        confidence: patch.confidence,
        change_score: patch.change_score,
        evidence: patch.evidence.clone(),
        coreg_rmse_px: patch.coreg_rmse_px,
        valid_fraction: patch.valid_fraction,
        pair: PairReference {
            pre: reference(session, &patch.pre_pass_id)?,
            post: reference(session, &patch.post_pass_id)?,
        },
        longitude_deg: patch.centre.0,
        latitude_deg: patch.centre.1,
        reach_id: patch.reach_id.clone(),
        notes,
        chips: None,
    })
}

/// `None` where it can't be told.
pub(super) const fn issue_class(class: DomainIssueClass) -> Option<IssueClass> {
    match class {
        DomainIssueClass::Occupation => Some(IssueClass::Occupation),
        DomainIssueClass::Mining => Some(IssueClass::Mining),
        DomainIssueClass::Dumping => Some(IssueClass::Dumping),
        DomainIssueClass::Construction => Some(IssueClass::Construction),
        DomainIssueClass::Undetermined => None,
    }
}
