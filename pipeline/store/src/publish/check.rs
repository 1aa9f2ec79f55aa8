//! Checks of a publication against itself, before anything is written.

use std::collections::HashSet;
use std::fmt::Display;

use shorewatch_domain::case::FollowUp;
use shorewatch_domain::patch::SuppressedPlace;

use crate::error::Refusal;
use crate::geometry;
use crate::publish::{NewPatch, Publication, PublishedUnit, ReachObservation};

const FAULT_OF_THE_PROGRAM: &str = "this is a fault of the program: report it";

/// The first contradiction, if there is one.
pub(super) fn publication(publication: &Publication) -> Result<(), Refusal> {
    let mut units = HashSet::new();
    for published in &publication.units {
        unit(published, publication)?;
        unique(units.insert(published.unit.id), "unit", published.unit.id.short())?;
    }
    let mut reaches = HashSet::new();
    for seen in &publication.observations {
        observation(seen)?;
        unique(reaches.insert(&seen.reach_id), "observation of reach", &seen.reach_id)?;
    }
    let mut patches = HashSet::new();
    for new in &publication.patches {
        patch(new, publication)?;
        unique(patches.insert(&new.patch.patch_id), "patch", &new.patch.patch_id)?;
    }
    let mut followed = HashSet::new();
    for told in &publication.follow_ups {
        follow_up(told)?;
        unique(followed.insert(&told.patch_id), "follow-up of patch", &told.patch_id)?;
        if patches.contains(&told.patch_id) {
            let got = "one that this publication raised itself".to_owned();
            return Err(invalid(format!("follow-up of patch {}", told.patch_id), "an earlier patch".to_owned(), got));
        }
    }
    publication.suppressed.iter().enumerate().try_for_each(|(i, place)| suppressed(i + 1, place))
}

fn follow_up(told: &FollowUp) -> Result<(), Refusal> {
    let fractions = [
        ("observed fraction", Some(told.observed_fraction)),
        ("present fraction", told.present_fraction),
        ("changed fraction", told.changed_fraction),
        ("review score", told.review_score),
    ];
    for (field, value) in fractions.into_iter().filter_map(|(field, value)| value.map(|value| (field, value))) {
        if !(0.0..=1.0).contains(&value) {
            let what = format!("follow-up of patch {}, {field}", told.patch_id);
            return Err(invalid(what, "0 to 1".to_owned(), value.to_string()));
        }
    }
    Ok(())
}

fn suppressed(number: usize, place: &SuppressedPlace) -> Result<(), Refusal> {
    let name = format!("suppressed place {number}");
    if place.reason.trim().is_empty() {
        return Err(invalid(format!("{name}, reason"), "words".to_owned(), "none".to_owned()));
    }
    finite(&name, "area in m²", place.area_m2)?;
    finite(&name, "confidence", place.confidence)?;
    place.review_score.map_or(Ok(()), |score| finite(&name, "review score", score))?;
    geometry::fault([&place.geometry]).map_or(Ok(()), |fault| Err(bad_outline(&name, fault)))
}

fn unit(PublishedUnit { unit, outline, .. }: &PublishedUnit, publication: &Publication) -> Result<(), Refusal> {
    let name = format!("unit {}", unit.id.short());
    equal(&name, "pass", &publication.pass_id, &unit.pass_id)?;
    if unit.grid != publication.grid {
        return Err(invalid(format!("{name}, grid"), format!("{:?}", publication.grid), format!("{:?}", unit.grid)));
    }
    geometry::fault([outline]).map_or(Ok(()), |fault| Err(bad_outline(&name, fault)))
}

fn observation(seen: &ReachObservation) -> Result<(), Refusal> {
    let coverage = &seen.coverage;
    let sum = coverage.observed_px + coverage.unobserved_px.iter().sum::<u64>();
    let name = format!("observation of reach {:?}", seen.reach_id);
    equal(&name, "observed and unobserved pixels", &coverage.scope_px, &sum)?;
    if coverage.compared_px > coverage.observed_px {
        let expected = format!("at most the {} that were observed", coverage.observed_px);
        return Err(invalid(format!("{name}, compared pixels"), expected, coverage.compared_px.to_string()));
    }
    finite(&name, "pixel area in m²", seen.pixel_area_m2)
}

fn patch(NewPatch { patch, .. }: &NewPatch, publication: &Publication) -> Result<(), Refusal> {
    let name = format!("patch {}", patch.patch_id);
    equal(&name, "later pass", &publication.pass_id, &patch.post_pass_id)?;
    equal(&name, "grid", &publication.grid.epsg, &patch.grid_epsg)?;
    for (field, value) in [
        ("area in m²", patch.area_m2),
        ("perimeter in m", patch.perimeter_m),
        ("longitude of the centre", patch.centre.0),
        ("latitude of the centre", patch.centre.1),
        ("confidence", patch.confidence),
        ("highest confidence", patch.confidence_max),
        ("valid fraction", patch.valid_fraction),
        ("ground sampling distance in m", patch.ground_sampling_distance_m),
    ] {
        finite(&name, field, value)?;
    }
    let known = [
        ("review score", patch.review_score),
        ("change score", patch.change_score),
        ("co-registration in pixels", patch.coreg_rmse_px),
    ];
    for (field, value) in known.into_iter().filter_map(|(field, value)| value.map(|value| (field, value))) {
        finite(&name, field, value)?;
    }
    geometry::fault([&patch.geometry]).map_or(Ok(()), |fault| Err(bad_outline(&name, fault)))
}

fn equal<T: PartialEq + Display>(name: &str, field: &str, expected: &T, got: &T) -> Result<(), Refusal> {
    if expected == got {
        Ok(())
    } else {
        Err(invalid(format!("{name}, {field}"), expected.to_string(), got.to_string()))
    }
}

fn finite(name: &str, field: &str, value: f64) -> Result<(), Refusal> {
    if value.is_finite() {
        Ok(())
    } else {
        Err(invalid(format!("{name}, {field}"), "a finite number".to_owned(), value.to_string()))
    }
}

fn unique(is_new: bool, kind: &str, name: impl Display) -> Result<(), Refusal> {
    if is_new {
        Ok(())
    } else {
        Err(invalid(format!("{kind} {name}"), "once".to_owned(), "twice in one publication".to_owned()))
    }
}

fn bad_outline(name: &str, fault: String) -> Refusal {
    invalid(format!("{name}, outline"), "closed rings in degrees".to_owned(), fault)
}

fn invalid(what: String, expected: String, got: String) -> Refusal {
    Refusal::Invalid { what, expected, got, next: FAULT_OF_THE_PROGRAM }
}
