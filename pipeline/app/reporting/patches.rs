//! Patches as cards.

use shorewatch_domain::classes::IssueClass as DomainIssueClass;
use shorewatch_domain::law::assessment::{Assessment, Language, Unit};
use shorewatch_domain::patch::Patch;
use shorewatch_law::explain;
use shorewatch_report::{IssueClass, PairReference, PatchCard};

use super::reference;
use crate::failure::Failure;
use crate::run::session::Session;

pub(super) fn card(session: &Session, patch: &Patch, assessment: Option<&Assessment>) -> Result<PatchCard, Failure> {
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
        said: assessment.map(said).unwrap_or_default(),
        notes,
        chips: None,
    })
}

/// What layers and rules say of a patch. Names of officials stay out: the page is handed around.
fn said(told: &Assessment) -> Vec<(String, String)> {
    let language = Language::English;
    let mut rows = vec![("Number".to_owned(), told.number.clone())];
    let mut add = |label: &str, value: Option<String>| rows.extend(value.map(|value| (label.to_owned(), value)));
    add("Sub-type", told.sub_type.map(|sub_type| format!("{} {}", sub_type.code(), sub_type.text(language))));
    add("Severity", Some(told.severity.text(language).to_owned()));
    add("Permit", Some(told.permit_status.text(language).to_owned()));
    add("Stock or increment", Some(told.stock_flag.text(language).to_owned()));
    add(
        "Water",
        told.river_name.as_ref().map(|river| {
            let bank = told.bank.map_or("", |bank| explain::bank_name(bank, language));
            format!("{river} {bank} {}", told.chainage_m.map(explain::chainage).unwrap_or_default())
        }),
    );
    let units: Vec<&Unit> =
        [&told.city, &told.county, &told.town, &told.village].into_iter().filter_map(Option::as_ref).collect();
    let names = units.iter().map(|unit| unit.name.as_str()).collect::<Vec<_>>().join(" ");
    add("Unit", (!units.is_empty()).then_some(names));
    add("Function zone", told.shoreline_zone.clone());
    add("Lead", told.lead_department.clone());
    add("Deadline", told.deadline.map(|day| day.to_string()));
    add("Priority", Some(format!("{:.3}", told.priority)));
    add("Not in the queue", told.suppressed_reason.map(|reason| reason.text(language).to_owned()));
    rows
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
