//! Chiefs: periods that overlap or leave gaps, and who has none.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use shorewatch_domain::law::layer::Facts;
use shorewatch_domain::law::office::Chief;

use super::{Defect, DefectKind, Inputs};

pub(super) fn defects(chiefs: &[Chief], inputs: &Inputs<'_>) -> Vec<Defect> {
    let mut found = periods(chiefs);
    let units: BTreeSet<&str> = inputs
        .features
        .iter()
        .filter(|feature| matches!(feature.facts, Facts::AdministrativeUnit { .. }))
        .map(|feature| feature.code.as_str())
        .collect();
    let waters: BTreeSet<&str> = inputs.waters.iter().map(|water| water.code.as_str()).collect();
    let reaches = || inputs.waters.iter().flat_map(|water| water.reaches.iter().map(move |reach| (water, reach)));
    let known: BTreeSet<&str> =
        units.iter().chain(&waters).copied().chain(reaches().map(|(_, reach)| reach.code.as_str())).collect();
    // without a register nothing can be said of what chiefs are in charge of
    if !known.is_empty() {
        let strangers: BTreeSet<&str> =
            chiefs.iter().map(|chief| chief.in_charge_of.as_str()).filter(|code| !known.contains(code)).collect();
        found.extend(strangers.into_iter().map(|code| {
            let text = format!("a chief is in charge of {code:?}, which is no reach, water or unit of the register");
            defect(DefectKind::ChiefOfNothing, vec![code.to_owned()], text)
        }));
    }
    let has_chief = |code: &str| chiefs.iter().any(|chief| chief.in_charge_of == code && chief.valid.holds(inputs.day));
    for (water, reach) in reaches() {
        if !has_chief(&reach.code) && !has_chief(&water.code) {
            let text = format!("{} ({}) has no chief on {}", reach.name, water.name, inputs.day);
            found.push(defect(DefectKind::WithoutChief, vec![reach.code.clone()], text));
        }
    }
    // units have chiefs of their own only where the office works by units
    let by_units = chiefs.iter().any(|chief| units.contains(chief.in_charge_of.as_str()));
    for feature in inputs.features.iter().filter(|feature| by_units && units.contains(feature.code.as_str())) {
        if !has_chief(&feature.code) {
            let text = format!("{} has no chief on {}", feature.name, inputs.day);
            found.push(defect(DefectKind::WithoutChief, vec![feature.code.clone()], text));
        }
    }
    found
}

fn defect(kind: DefectKind, codes: Vec<String>, text: String) -> Defect {
    let layer = "chief".to_owned();
    Defect { kind, layer, codes, text, area_m2: None, length_m: None, geometry: None }
}

/// Overlaps and gaps between the periods of one office. Names stay out: a report of defects may be passed on.
fn periods(chiefs: &[Chief]) -> Vec<Defect> {
    let mut offices: BTreeMap<(&str, &str), Vec<(Date, Date)>> = BTreeMap::new();
    for chief in chiefs {
        let period = (chief.valid.from.unwrap_or(Date::MIN), chief.valid.to.unwrap_or(Date::MAX));
        offices.entry((&chief.in_charge_of, chief.level.name())).or_default().push(period);
    }
    let mut found = Vec::new();
    for ((code, level), mut held) in offices {
        held.sort_unstable();
        let mut until = held[0].1;
        for (from, to) in held.into_iter().skip(1) {
            let codes = vec![code.to_owned(), level.to_owned()];
            if from <= until {
                let end = until.min(to);
                let end = if end == Date::MAX { "without end".to_owned() } else { format!("to {end}") };
                let text = format!("{code} has two chiefs of the level {level} from {from} {end}");
                found.push(defect(DefectKind::ChiefsOverlap, codes, text));
            } else if until.tomorrow().is_ok_and(|next| next < from) {
                let (first, last) = (until.tomorrow().unwrap_or(until), from.yesterday().unwrap_or(from));
                let text = format!("{code} had no chief of the level {level} from {first} to {last}");
                found.push(defect(DefectKind::ChiefGap, codes, text));
            }
            until = until.max(to);
        }
    }
    found
}
