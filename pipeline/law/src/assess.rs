//! One patch: what layers, rules and earlier sites say of it. A pure function of its arguments.

use std::collections::BTreeSet;

use jiff::civil::Date;
use shorewatch_domain::digest::Digest;
use shorewatch_domain::law::assessment::{Assessment, PermitStatus, Severity, StockFlag, SuppressedReason};
use shorewatch_domain::law::explanation::{Explanation, Factor, LayerHit, Note, Provenance, StockTrace};
use shorewatch_domain::law::layer::{BoundarySource, Facts as LayerFacts, LayerKind, WaterSourceLevel};
use shorewatch_domain::law::place::{Hit, Place};
use shorewatch_domain::patch::Patch;

use crate::index::LayerIndex;
use crate::known::{self, Sites};
use crate::permits::{self, Judgement};
use crate::responsibility::{self, Matter, Offices, Units};
use crate::rules::{Dimension, Facts, Rules};

mod age;
pub(crate) mod inputs;

pub use inputs::Inputs;

/// Everything that decides but the patch itself.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The layers in force.
    pub layers: &'a LayerIndex,
    /// Chiefs and departments.
    pub offices: &'a Offices,
    /// Sites that were reviewed.
    pub sites: &'a Sites,
    /// The rules.
    pub rules: &'a Rules,
    /// The day that ages are reckoned to: that of the latest pass.
    pub as_of: Date,
}

/// What is said of a patch. `number` is the one that it was given; [`unit_code`] tells what a new one begins with.
#[must_use]
pub fn assess(patch: &Patch, place: &Place, number: &str, context: &Context<'_>, inputs: Digest) -> Assessment {
    let (rules, settings) = (context.rules, &context.rules.settings);
    let mut notes = Vec::new();
    let day = rules.local_day(patch.post_date);
    let units = Units::of(place, settings.zone_share_min, &mut notes);
    let zones = zones(place, rules, &mut notes);
    let permit = Judgement::of(place, &patch.object_class, day, settings);
    let mut facts = facts(patch, place, &zones, permit.status, rules, &mut notes);
    let (issue, mut traces) = rules.issues.decide(&facts);
    let (issue_class, sub_type) =
        issue.map_or((patch.suspected_issue_class, None), |row| (row.outcome.issue_class, row.outcome.sub_type));
    if issue.is_none() {
        notes.push(Note::ClassOfTheTable);
    }
    facts.insert(Dimension::IssueClasses, [issue_class.name().to_owned()].into());
    facts.insert(Dimension::SubTypes, sub_type.iter().map(|sub_type| sub_type.code().to_owned()).collect());
    let (breaks, severity_traces) = rules.severity.decide(&facts);
    traces.extend(severity_traces);
    // checked: every class has a row without further conditions
    let severity = breaks.map_or(Severity::General, |row| row.outcome.severity(patch.area_m2));
    let position = place.position.as_ref();
    let chiefs = responsibility::chiefs(&context.offices.chiefs, position, &units, day, &mut notes);
    let zone_words = zone_words(place, &zones, settings.zone_share_min);
    let matter = Matter { issue_class, severity, zone_words: &zone_words, facts: &facts, position, units: &units, day };
    let handling = responsibility::handling(context.offices, rules, &matter, &mut notes);
    traces.extend(handling.traces);
    let link = known::link(&patch.patch_id, &patch.geometry, patch.area_m2, place, context.sites, settings);
    let suppressed_reason =
        if permit.status == PermitStatus::Permitted { Some(SuppressedReason::Permitted) } else { link.suppressed };
    let stock = stock(patch, place, day, rules);
    let factors = priority(patch, severity, &zones, day, context);
    let best = |layer| place.met(layer).and_then(<[Hit]>::first);
    let shares = |layer| place.share_in(layer).map(|share| share >= settings.zone_share_min);
    notes_on_layers(place, &permit, &mut notes);
    let outside = (permit.status == PermitStatus::PartlyOutside)
        .then(|| {
            let areas = permit.holding().filter_map(|(layer, code)| context.layers.area_of(layer, code));
            permits::outside(&patch.geometry, areas)
        })
        .flatten();
    let deadline_days = match severity {
        Severity::General => settings.deadline_days.general,
        Severity::Serious => settings.deadline_days.serious,
        Severity::Major => settings.deadline_days.major,
    };
    let chief = |level: usize| chiefs[level].map(|chief| chief.name.clone());
    Assessment {
        patch_id: patch.patch_id.clone(),
        number: number.to_owned(),
        detected_on: day,
        issue_class,
        sub_type,
        severity,
        stock_flag: stock.flag,
        permit_status: permit.status,
        permit_id: permit.permit_id.clone(),
        outside_share: permit.outside_share,
        river_name: position.map(|position| position.water_name.clone()),
        river_code: position.map(|position| position.water_code.clone()),
        reach_code: position.map(|position| position.reach_code.clone()),
        bank: position.and_then(|position| position.bank),
        chainage_m: position.map(|position| position.chainage_m),
        adcd: units.adcd.clone(),
        city: units.lead[0].clone(),
        county: units.lead[1].clone(),
        town: units.lead[2].clone(),
        village: units.lead[3].clone(),
        nearest_place: place.nearest_place.clone(),
        shoreline_zone: best(LayerKind::ShorelineZone).and_then(|hit| match &hit.facts {
            LayerFacts::ShorelineZone { zone } => Some(zone.clone()),
            _ => None,
        }),
        source_zone: place.met(LayerKind::WaterSourceZone).and_then(|hits| strictest(hits, settings.zone_share_min)),
        in_mgmt: shares(LayerKind::ManagementScope),
        chief_city: chief(0),
        chief_county: chief(1),
        chief_town: chief(2),
        chief_village: chief(3),
        lead_department: handling.lead,
        supporting_departments: handling.supporting,
        co_notified: units.others.clone(),
        deadline: day.checked_add(jiff::Span::new().days(i64::from(deadline_days))).ok(),
        priority: factors.iter().map(|factor| factor.value).product(),
        shown: suppressed_reason.is_none(),
        suppressed_reason,
        linked_site: link.site,
        explanation: Explanation {
            object_class: patch.object_class.clone(),
            change_type: patch.change_type.clone(),
            area_m2: patch.area_m2,
            evidence: patch.evidence.clone(),
            layers: layers_hit(place),
            layers_not_met: layers_where(place, |hits| hits.is_some_and(<[Hit]>::is_empty)),
            layers_not_in_force: layers_where(place, |hits| hits.is_none()),
            zones: zones.into_iter().collect(),
            permits: permit.findings,
            outside,
            rules: traces,
            stock,
            priority: factors,
            sites: link.traces,
            notes,
            provenance: provenance(patch, place, rules),
        },
        inputs,
    }
}

/// What the number of a place begins with.
#[must_use]
pub fn unit_code(place: &Place, rules: &Rules) -> String {
    let settings = &rules.settings;
    Units::of(place, settings.zone_share_min, &mut Vec::new()).number_code(&settings.fallback_unit_code).to_owned()
}

/// Zones that hold, in the words of the rules.
fn zones(place: &Place, rules: &Rules, notes: &mut Vec<Note>) -> BTreeSet<String> {
    let least = rules.settings.zone_share_min;
    let mut zones = BTreeSet::new();
    for layer in [LayerKind::ManagementScope, LayerKind::ProtectionScope, LayerKind::Wetland, LayerKind::BlueLine] {
        if place.share_in(layer).is_some_and(|share| share > 0.0 && share >= least) {
            zones.insert(layer.name().to_owned());
        }
    }
    for layer in [LayerKind::ShorelineZone, LayerKind::WaterSourceZone] {
        for hit in place.met(layer).unwrap_or_default().iter().filter(|hit| hit.share >= least) {
            match &hit.facts {
                LayerFacts::ShorelineZone { zone } => match rules.vocabulary.shoreline_zones.get(zone.trim()) {
                    Some(name) => drop(zones.insert(format!("shoreline:{name}"))),
                    None => notes.push(Note::UnknownZoneWord { word: zone.clone() }),
                },
                LayerFacts::WaterSourceZone { level } => drop(zones.insert(format!("water_source:{}", level.name()))),
                _ => {}
            }
        }
    }
    zones
}

/// Words of function zones as layers have them, beside those of the rules.
fn zone_words(place: &Place, zones: &BTreeSet<String>, least_share: f64) -> BTreeSet<String> {
    let of_layer = place.met(LayerKind::ShorelineZone).unwrap_or_default().iter().filter_map(|hit| match &hit.facts {
        LayerFacts::ShorelineZone { zone } if hit.share >= least_share => Some(zone.clone()),
        _ => None,
    });
    zones.iter().cloned().chain(of_layer).collect()
}

fn facts(
    patch: &Patch,
    place: &Place,
    zones: &BTreeSet<String>,
    permit: PermitStatus,
    rules: &Rules,
    notes: &mut Vec<Note>,
) -> Facts {
    let sides = rules.vocabulary.sides(&patch.change_type);
    if sides.is_none() {
        notes.push(Note::UnknownChangeType { change_type: patch.change_type.clone() });
    }
    if !rules.vocabulary.object_classes.contains(&patch.object_class) {
        notes.push(Note::UnknownObjectClass { object_class: patch.object_class.clone() });
    }
    let one = |word: Option<&str>| word.into_iter().map(str::to_owned).collect::<BTreeSet<String>>();
    [
        (Dimension::From, one(sides.map(|(from, _)| from))),
        (Dimension::To, one(sides.map(|(_, to)| to))),
        (Dimension::ObjectClasses, one(Some(&patch.object_class))),
        (Dimension::Waters, one(place.position.as_ref().map(|position| position.water_kind.name()))),
        (Dimension::Zones, zones.clone()),
        (Dimension::Permit, one(Some(permit.name()))),
    ]
    .into()
}

/// Stock or increment. The change came between both passes: it is increment where the earlier one saw the place without it on the
/// baseline date or later, stock where the later one saw it by then. In between no pass tells; nor where the place was hardly
/// observed.
fn stock(patch: &Patch, place: &Place, later: Date, rules: &Rules) -> StockTrace {
    let settings = &rules.settings;
    let earlier = rules.local_day(patch.pre_date);
    let flag = settings.baseline.map_or(StockFlag::Unknown, |baseline| {
        let tolerance = jiff::Span::new().days(i64::from(settings.baseline_tolerance_days));
        let from = baseline.checked_sub(tolerance).unwrap_or(baseline);
        let on_ledger = place.met(LayerKind::KnownProblem).unwrap_or_default().iter().any(|hit| {
            matches!(&hit.facts, LayerFacts::KnownProblem(problem)
                if hit.share >= settings.same_site_share_min && problem.found_on.is_some_and(|found| found <= baseline))
        });
        if later <= baseline || on_ledger {
            StockFlag::Stock
        } else if earlier >= from && patch.valid_fraction >= settings.observed_share_min {
            StockFlag::Increment
        } else {
            StockFlag::Unknown
        }
    });
    StockTrace { flag, baseline: settings.baseline, earlier, later, observed_share: patch.valid_fraction }
}

/// Probability × severity × zone × age.
fn priority(
    patch: &Patch,
    severity: Severity,
    zones: &BTreeSet<String>,
    day: Date,
    context: &Context<'_>,
) -> Vec<Factor> {
    let weights = &context.rules.settings.priority;
    let (probability, from) =
        patch.review_score.map_or((patch.confidence, "confidence"), |score| (score, "review_score"));
    let of_severity = match severity {
        Severity::General => weights.severity.general,
        Severity::Serious => weights.severity.serious,
        Severity::Major => weights.severity.major,
    };
    let (zone, of_zone) = weights
        .zone
        .iter()
        .filter(|zone| zones.contains(&zone.zone))
        .map(|zone| (zone.zone.as_str(), zone.weight))
        .max_by(|a, b| a.1.total_cmp(&b.1).then_with(|| b.0.cmp(a.0)))
        .unwrap_or(("elsewhere", weights.elsewhere));
    let age = age::row(&weights.age, day, context.as_of);
    let of_age = age.map_or(1.0, |row| weights.age[row].weight);
    let factor = |name: &str, value, from: &str| Factor { name: name.to_owned(), value, from: from.to_owned() };
    vec![
        factor("probability", probability, from),
        factor("severity", of_severity, severity.name()),
        factor("zone", of_zone, zone),
        factor("age", of_age, &age::words(&weights.age, age)),
    ]
}

/// The strictest level with a share that counts.
fn strictest(hits: &[Hit], least_share: f64) -> Option<WaterSourceLevel> {
    let levels = hits.iter().filter(|hit| hit.share >= least_share).filter_map(|hit| match hit.facts {
        LayerFacts::WaterSourceZone { level } => Some(level),
        _ => None,
    });
    levels.min()
}

fn notes_on_layers(place: &Place, permit: &Judgement, notes: &mut Vec<Note>) {
    let by_buffer = place.met(LayerKind::ManagementScope).and_then(<[Hit]>::first).is_some_and(|hit| {
        matches!(&hit.facts, LayerFacts::ManagementScope { source: BoundarySource::Buffer { .. }, .. })
    });
    if by_buffer {
        notes.push(Note::BufferScope);
    }
    for hit in place.met(LayerKind::MiningPermit).unwrap_or_default() {
        let LayerFacts::MiningPermit(mining) = &hit.facts else { continue };
        if mining.volume_m3.is_some() && permit.permit_id.as_deref() == Some(hit.code.as_str()) {
            notes.push(Note::VolumeNotJudged { permit: hit.code.clone() });
        }
    }
}

fn layers_hit(place: &Place) -> Vec<LayerHit> {
    let of_layer = |(layer, hits): (&LayerKind, &Vec<Hit>)| {
        let layer = *layer;
        hits.iter()
            .map(move |hit| LayerHit {
                layer,
                code: hit.code.clone(),
                name: hit.name.clone(),
                share: hit.share,
                area_m2: hit.area_m2,
            })
            .collect::<Vec<_>>()
    };
    place.hits.iter().flat_map(of_layer).collect()
}

fn layers_where(place: &Place, holds: impl Fn(Option<&[Hit]>) -> bool) -> Vec<LayerKind> {
    LayerKind::ALL.into_iter().filter(|layer| holds(place.met(*layer))).collect()
}

fn provenance(patch: &Patch, place: &Place, rules: &Rules) -> Provenance {
    Provenance {
        pre_pass_id: patch.pre_pass_id,
        post_pass_id: patch.post_pass_id,
        post_date: patch.post_date,
        pre_date: patch.pre_date,
        pre_sensor: patch.pre_sensor.clone(),
        post_sensor: patch.post_sensor.clone(),
        model: format!("{} {}", patch.model_name, patch.model_version),
        model_digest: patch.model_digest,
        configuration_digest: patch.configuration_digest,
        rules_digest: rules.digest,
        layer_versions: place.versions.clone(),
        program_version: patch.program_version.clone(),
    }
}

#[cfg(test)]
mod tests;
