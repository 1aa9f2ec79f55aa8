//! What permits and projects say of a place on a day. Approval alone is not enough: place, time and content must match.

use geo::BooleanOps;
use geo_types::{MultiPolygon, Polygon};
use jiff::civil::Date;
use shorewatch_domain::law::assessment::{Language, PermitStatus};
use shorewatch_domain::law::explanation::PermitFinding;
use shorewatch_domain::law::layer::{Facts, LayerKind, MiningPermit, Project, ProjectStage};
use shorewatch_domain::law::period::{Period, Standing};
use shorewatch_domain::law::place::{Hit, Place};
use shorewatch_domain::law::wording::Wording;

use crate::explain::object_class_name;
use crate::rules::Settings;

/// The layers that approve something.
const APPROVING: [LayerKind; 2] = [LayerKind::MiningPermit, LayerKind::Project];

/// What all permits and projects together say.
#[derive(Clone, PartialEq, Debug)]
pub struct Judgement {
    /// Whether it is permitted, and if not, why.
    pub status: PermitStatus,
    /// The permit or project that decided.
    pub permit_id: Option<String>,
    /// Share outside of all that hold, where one that holds is met (0..1).
    pub outside_share: Option<f64>,
    /// What each says by itself, largest share first.
    pub findings: Vec<PermitFinding>,
}

impl Judgement {
    /// What the permits and projects that a place meets say of what is seen there on a day.
    ///
    /// Those that hold count together: a patch may lie in two neighbours. Where none holds, the one with the largest share says
    /// why. One that is hardly touched decides nothing.
    #[must_use]
    pub fn of(place: &Place, object_class: &str, day: Date, settings: &Settings) -> Self {
        // what would permit it: without that layer nothing is known, whatever the other one says
        let permitting = if settings.mining_permit_object_classes.contains(object_class) {
            LayerKind::MiningPermit
        } else {
            LayerKind::Project
        };
        let in_force = place.met(permitting).is_some();
        let mut findings: Vec<PermitFinding> = APPROVING
            .iter()
            .flat_map(|layer| place.met(*layer).unwrap_or_default())
            .filter_map(|hit| finding(hit, object_class, day, settings))
            .collect();
        findings.sort_by(|a, b| b.share.total_cmp(&a.share).then_with(|| a.code.cmp(&b.code)));
        let counted: Vec<&PermitFinding> =
            findings.iter().filter(|finding| finding.share >= settings.permit_touched_share_min).collect();
        let holding = counted.iter().filter(|finding| finding.status == PermitStatus::Permitted);
        let inside = holding.clone().map(|finding| finding.share).sum::<f64>().min(1.0);
        let best = holding.clone().next();
        let (status, decided, outside_share) = match (best, counted.first()) {
            (Some(best), _) if inside >= settings.permit_inside_share_min => {
                (PermitStatus::Permitted, Some(best.code.clone()), Some(1.0 - inside))
            }
            (Some(best), _) => (PermitStatus::PartlyOutside, Some(best.code.clone()), Some(1.0 - inside)),
            (None, Some(largest)) => (largest.status, Some(largest.code.clone()), None),
            (None, None) if in_force => (PermitStatus::None, None, None),
            (None, None) => (PermitStatus::Unknown, None, None),
        };
        Self { status, permit_id: decided, outside_share, findings }
    }

    /// Codes of those that hold.
    pub fn holding(&self) -> impl Iterator<Item = (LayerKind, &str)> {
        self.findings
            .iter()
            .filter(|finding| finding.status == PermitStatus::Permitted)
            .map(|finding| (finding.layer, finding.code.as_str()))
    }
}

/// The part of an outline outside of some areas; `None` where nothing is left.
#[must_use]
pub fn outside<'a>(
    outline: &Polygon<f64>,
    areas: impl IntoIterator<Item = &'a MultiPolygon<f64>>,
) -> Option<MultiPolygon<f64>> {
    let left = areas.into_iter().fold(MultiPolygon(vec![outline.clone()]), |left, area| left.difference(area));
    (!left.0.is_empty()).then_some(left)
}

/// What one feature says by itself.
fn finding(hit: &Hit, object_class: &str, day: Date, settings: &Settings) -> Option<PermitFinding> {
    let (layer, (status, because)) = match &hit.facts {
        Facts::MiningPermit(permit) => (LayerKind::MiningPermit, mining(permit, object_class, day, settings)),
        Facts::Project(project) => (LayerKind::Project, of_project(project, object_class, day)),
        _ => return None,
    };
    Some(PermitFinding { layer, code: hit.code.clone(), name: hit.name.clone(), share: hit.share, status, because })
}

fn mining(permit: &MiningPermit, object_class: &str, day: Date, settings: &Settings) -> (PermitStatus, Wording) {
    if let Some(fault) = out_of_time(&permit.valid, day) {
        return fault;
    }
    if let Some(season) = permit.forbidden_seasons.iter().find(|season| season.holds(day)) {
        return (PermitStatus::ForbiddenSeason, Wording::same(season.to_string()));
    }
    if !settings.mining_permit_object_classes.contains(object_class) {
        return (PermitStatus::OtherContent, other_content(&Wording::new("sand mining", "采砂"), object_class));
    }
    (PermitStatus::Permitted, Wording::same(permit.valid.to_string()))
}

fn of_project(project: &Project, object_class: &str, day: Date) -> (PermitStatus, Wording) {
    match project.stage {
        ProjectStage::Applied => return (PermitStatus::Applied, Wording::new("applied", "已申请")),
        ProjectStage::Withdrawn => return (PermitStatus::Withdrawn, Wording::new("withdrawn", "已撤销")),
        ProjectStage::Approved | ProjectStage::UnderConstruction | ProjectStage::Complete => {}
    }
    if let Some(fault) = out_of_time(&project.valid, day) {
        return fault;
    }
    if !project.object_classes.is_empty() && !project.object_classes.iter().any(|class| class == object_class) {
        let classes = |language: Language| {
            let names = project.object_classes.iter().map(|class| object_class_name(class, language));
            names.collect::<Vec<_>>().join(language.of(", ", "、"))
        };
        let approved = Wording::new(classes(Language::English), classes(Language::Chinese));
        return (PermitStatus::OtherContent, other_content(&approved, object_class));
    }
    (PermitStatus::Permitted, Wording::same(project.valid.to_string()))
}

/// What is approved, and what is seen.
fn other_content(approved: &Wording, object_class: &str) -> Wording {
    let seen = |language| object_class_name(object_class, language);
    Wording::new(
        format!("{} ≠ {}", approved.english, seen(Language::English)),
        format!("{} ≠ {}", approved.chinese, seen(Language::Chinese)),
    )
}

fn out_of_time(valid: &Period, day: Date) -> Option<(PermitStatus, Wording)> {
    match valid.standing(day) {
        Standing::InForce => None,
        Standing::NotYet => Some((PermitStatus::NotYetValid, Wording::same(valid.to_string()))),
        Standing::Over => Some((PermitStatus::Expired, Wording::same(valid.to_string()))),
    }
}
