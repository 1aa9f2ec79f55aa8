//! Numbers, columns and codes.

use jiff::civil::Date;
use jiff::tz::Offset;

use super::super::conditions::{Dimension, Facts};
use super::super::files::{AssessmentFile, Files};
use super::super::{Settings, ledger};
use super::{Faults, RuleFile, Step};
use crate::national;

pub(super) fn settings(files: &Files, universe: &Facts, faults: &mut Faults) -> Option<Settings> {
    let file: &AssessmentFile = &files.assessment;
    let mut refuse = |at: &[Step], message: String, help: &str| faults.add(RuleFile::Assessment, at, message, help);
    let local_time = Offset::from_hours(file.local_time_ahead_hours);
    if let Err(fault) = &local_time {
        refuse(&[Step::Key("local_time_ahead_hours")], fault.to_string(), "8 is the time of Beijing");
    }
    let baseline = file.baseline_date.as_deref().map(|text| text.parse::<Date>().map_err(|fault| (text, fault)));
    if let Some(Err((text, fault))) = &baseline {
        refuse(&[Step::Key("baseline_date")], format!("{text:?} is no date: {fault}"), "write it as 2018-12-31");
    }
    if file.permit_touched_share_min >= file.permit_inside_share_min {
        let message = format!(
            "permit_touched_share_min {} is not below permit_inside_share_min {}",
            file.permit_touched_share_min, file.permit_inside_share_min
        );
        refuse(&[Step::Key("permit_touched_share_min")], message, "partly outside lies between the two");
    }
    let age = &file.priority.age;
    let ordered = age.windows(2).all(|pair| match (pair[0].up_to_days, pair[1].up_to_days) {
        (Some(first), Some(second)) => first < second,
        (Some(_), None) => true,
        (None, _) => false,
    });
    if !ordered || age.last().is_none_or(|last| last.up_to_days.is_some()) {
        let message = "the ages must rise, and the last row must have no up_to_days".to_owned();
        refuse(&[Step::Key("priority"), Step::Key("age")], message, "a row behind one without an end can never count");
    }
    let zones: Vec<String> = file.priority.zone.iter().map(|zone| zone.zone.clone()).collect();
    for (number, zone) in zones.iter().enumerate() {
        let at = [Step::Key("priority"), Step::Key("zone"), Step::Item(number)];
        if !universe[&Dimension::Zones].contains(zone) {
            let known = universe[&Dimension::Zones].iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            refuse(&at, format!("{zone:?} is no zone"), &format!("known here: {known}"));
        } else if zones[..number].contains(zone) {
            refuse(&at, format!("{zone:?} stands here twice"), "remove one");
        }
    }
    let objects = &file.mining_permit_object_classes;
    faults.words(
        RuleFile::Assessment,
        &[],
        "mining_permit_object_classes",
        objects,
        &universe[&Dimension::ObjectClasses],
    );
    Some(Settings {
        local_time: local_time.ok()?,
        baseline: baseline.transpose().ok()?,
        baseline_tolerance_days: file.baseline_tolerance_days,
        observed_share_min: file.observed_share_min,
        zone_share_min: file.zone_share_min,
        permit_inside_share_min: file.permit_inside_share_min,
        permit_touched_share_min: file.permit_touched_share_min,
        mining_permit_object_classes: objects.iter().cloned().collect(),
        same_site_share_min: file.same_site_share_min,
        growth_share_min: file.growth_share_min,
        closed_statuses: file.closed_statuses.iter().cloned().collect(),
        fallback_unit_code: file.fallback_unit_code.clone(),
        idle_observed_share_min: file.idle_observed_share_min,
        priority: file.priority.clone(),
        deadline_days: files.offices.deadline_days,
    })
}

pub(super) fn columns(files: &Files, faults: &mut Faults) {
    let columns = &files.ledger.columns;
    for (number, column) in columns.iter().enumerate() {
        let at = [Step::Key("columns"), Step::Item(number)];
        if ledger::is_personal(&column.field).is_none() {
            let known = ledger::FIELDS.iter().chain(&ledger::RECKONED).map(|(name, _)| *name).collect::<Vec<_>>();
            let message = format!("{:?} is no field of the ledger", column.field);
            faults.add(RuleFile::Ledger, &at, message, format!("known here: {}", known.join(", ")));
        }
        let twin = columns[..number].iter().find(|earlier| {
            earlier.field == column.field || earlier.english == column.english || earlier.chinese == column.chinese
        });
        if let Some(twin) = twin {
            let message = format!("{:?} and {:?} share a field or a header", twin.field, column.field);
            faults.add(RuleFile::Ledger, &at, message, "each field and each header once");
        }
    }
    if columns.is_empty() {
        faults.add(
            RuleFile::Ledger,
            &[Step::Key("columns")],
            "there is no column",
            "leave the file out: one is built in",
        );
    }
}

pub(super) fn outcome_codes(files: &Files, faults: &mut Faults) {
    let codes = &files.national.outcome_codes;
    let known = national::Outcome::ALL.map(national::Outcome::name);
    for (number, code) in codes.iter().enumerate() {
        let at = [Step::Key("outcome_codes"), Step::Item(number)];
        if !known.contains(&code.outcome.as_str()) {
            let help = format!("known here: {}", known.join(", "));
            faults.add(RuleFile::National, &at, format!("{:?} is no outcome", code.outcome), help);
        } else if codes[..number].iter().any(|earlier| earlier.outcome == code.outcome) {
            faults.add(RuleFile::National, &at, format!("{:?} has two codes", code.outcome), "keep one of them");
        }
    }
    for outcome in known.into_iter().filter(|outcome| codes.iter().all(|code| code.outcome != *outcome)) {
        let at = [Step::Key("outcome_codes")];
        faults.add(RuleFile::National, &at, format!("{outcome:?} has no code"), "every outcome goes back with one");
    }
}
