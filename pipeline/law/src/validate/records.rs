//! What each content takes from a row. `None` where too much is missing; the row then knows what.

use shorewatch_domain::law::layer::{
    BoundarySource, Facts, Feature, KnownProblem, LayerKind, MiningPermit, Project, ProjectStage,
};
use shorewatch_domain::law::office::{Chief, Department};
use shorewatch_domain::law::place::NamedPlace;
use shorewatch_domain::law::record::{ChiefRecord, KilometrePointRecord, LayerContent, ReachRecord, Record};
use shorewatch_domain::law::water::{KilometrePoint, Water, WaterReach};

use super::row::Row;
use super::words::{self, Source};
use crate::ellipsoid;

pub(super) fn of(row: &mut Row<'_>, content: LayerContent) -> Option<Record> {
    match content {
        LayerContent::Areas(kind) => feature(row, kind).map(Record::Feature),
        LayerContent::Water => water(row).map(Record::Water),
        LayerContent::WaterReach => reach(row).map(Record::Reach),
        LayerContent::KilometrePoint => kilometre_point(row).map(Record::KilometrePoint),
        LayerContent::NamedPlace => named_place(row).map(Record::NamedPlace),
        LayerContent::Chief => chief(row).map(Record::Chief),
        LayerContent::Department => department(row).map(Record::Department),
    }
}

fn feature(row: &mut Row<'_>, kind: LayerKind) -> Option<Feature> {
    let (code, name) = (row.code(), row.name());
    let geometry = row.areas();
    let facts = match kind {
        LayerKind::ManagementScope => {
            let (source, water_code) = (boundary_source(row), row.text("water_code"));
            source.map(|source| Facts::ManagementScope { source, water_code })
        }
        LayerKind::ProtectionScope => {
            let (source, water_code) = (boundary_source(row), row.text("water_code"));
            source.map(|source| Facts::ProtectionScope { source, water_code })
        }
        LayerKind::ShorelineZone => row.needed("zone").map(|zone| Facts::ShorelineZone { zone }),
        LayerKind::WaterSourceZone => {
            row.needed_word("level", words::WATER_SOURCE_LEVELS).map(|level| Facts::WaterSourceZone { level })
        }
        LayerKind::Wetland => Some(Facts::Wetland { grade: row.text("grade") }),
        LayerKind::BlueLine => Some(Facts::BlueLine),
        LayerKind::MiningPermit => {
            let (valid, volume_m3) = (row.period(), row.amount("volume_m3"));
            let forbidden_seasons = row.seasons("forbidden_seasons");
            Some(Facts::MiningPermit(MiningPermit { valid, volume_m3, forbidden_seasons }))
        }
        LayerKind::Project => project(row).map(Facts::Project),
        LayerKind::AdministrativeUnit => {
            let (level, parent) = (row.needed_word("level", words::ADMINISTRATIVE_LEVELS), row.text("parent"));
            level.map(|level| Facts::AdministrativeUnit { level, parent })
        }
        LayerKind::KnownProblem => {
            let (status, found_on) = (row.needed("status"), row.day("found_on"));
            let drawn = geometry.as_ref().map_or(0.0, ellipsoid::area);
            let area_m2 = row.amount("area_m2").unwrap_or(drawn);
            status.map(|status| Facts::KnownProblem(KnownProblem { status, area_m2, found_on }))
        }
    };
    let (other, repairs) = (row.other(), row.repairs().to_vec());
    Some(Feature { code: code?, name, geometry: geometry?, facts: facts?, other, repairs })
}

/// Where a scope comes from: what the row says; else a stand-in where lines were widened, and official otherwise.
fn boundary_source(row: &mut Row<'_>) -> Option<BoundarySource> {
    let widened = row.buffer_m();
    let given = row.text("source").is_some();
    let source = if given { row.word("source", words::SOURCES)? } else { Source::Official };
    let buffer_m = row.amount("buffer_m").or(widened);
    match (source, buffer_m) {
        (Source::Official, Some(buffer_m)) if !given => Some(BoundarySource::Buffer { buffer_m }),
        (Source::Official, _) => Some(BoundarySource::Official),
        (Source::Buffer, Some(buffer_m)) => Some(BoundarySource::Buffer { buffer_m }),
        (Source::Buffer, None) => {
            row.fault("buffer_m", "the metres of the buffer", "nothing");
            None
        }
    }
}

fn project(row: &mut Row<'_>) -> Option<Project> {
    let (valid, stage) = (row.period(), row.needed_word("stage", words::PROJECT_STAGES));
    let (object_classes, change_expected_by) = (row.list("object_classes"), row.day("change_expected_by"));
    let holds_nothing = matches!(stage, Some(ProjectStage::Applied | ProjectStage::Withdrawn));
    if let Some(by) = change_expected_by.filter(|_| holds_nothing) {
        row.fault("change_expected_by", "nothing for a project that may not be built", &by.to_string());
    }
    Some(Project { valid, stage: stage?, object_classes, change_expected_by })
}

fn water(row: &mut Row<'_>) -> Option<Water> {
    let (code, name) = (row.code(), row.name());
    let kind = row.needed_word("kind", words::WATER_KINDS);
    let (class, basin, surface) = (row.text("class"), row.text("basin"), row.surface());
    Some(Water { code: code?, name, kind: kind?, class, basin, reaches: Vec::new(), surface })
}

fn reach(row: &mut Row<'_>) -> Option<ReachRecord> {
    let (code, name) = (row.code(), row.name());
    let (water_code, water_name) = (row.needed("water_code"), row.text("water_name"));
    let water_kind = row.word("water_kind", words::WATER_KINDS);
    let (starts_at_m, ends_at_m) = (row.chainage("starts_at_m"), row.chainage("ends_at_m"));
    let starts_at_m = starts_at_m.unwrap_or(0.0);
    if ends_at_m.is_some_and(|end| end == starts_at_m) {
        row.fault("ends_at_m", "another chainage than that of the start", &starts_at_m.to_string());
    }
    let centreline = row.line()?;
    let reach = WaterReach { code: code?, name, centreline, starts_at_m, ends_at_m, kilometre_points: Vec::new() };
    Some(ReachRecord { water_code: water_code?, water_name, water_kind, reach })
}

fn kilometre_point(row: &mut Row<'_>) -> Option<KilometrePointRecord> {
    let (reach_code, chainage_m) = (row.needed("reach_code"), row.chainage("chainage_m"));
    if chainage_m.is_none() && row.text("chainage_m").is_none() {
        row.fault("chainage_m", "a chainage", "nothing");
    }
    let location = row.point();
    let (reach_code, chainage_m) = (reach_code?, chainage_m?);
    let code = row.code_or(|| format!("{reach_code}@{chainage_m}"));
    Some(KilometrePointRecord { code, reach_code, point: KilometrePoint { location: location?, chainage_m } })
}

fn named_place(row: &mut Row<'_>) -> Option<NamedPlace> {
    let (name, location) = (row.needed("name"), row.point());
    let (name, location) = (name?, location?);
    let code = row.code_or(|| format!("{name}@{:.5},{:.5}", location.x(), location.y()));
    Some(NamedPlace { code, name, location })
}

fn chief(row: &mut Row<'_>) -> Option<ChiefRecord> {
    let (name, level) = (row.needed("name"), row.needed_word("level", words::ADMINISTRATIVE_LEVELS));
    let (in_charge_of, valid) = (row.needed("in_charge_of"), row.period());
    let (title, telephone) = (row.text("title"), row.text("telephone"));
    let (name, level, in_charge_of) = (name?, level?, in_charge_of?);
    let from = valid.from.map_or_else(|| "always".to_owned(), |day| day.to_string());
    let code = row.code_or(|| format!("{}@{in_charge_of}@{from}", level.name()));
    Some(ChiefRecord { code, chief: Chief { level, in_charge_of, name, title, telephone, valid } })
}

fn department(row: &mut Row<'_>) -> Option<Department> {
    let (code, name) = (row.code(), row.name());
    let (serves, role) = (row.needed("serves"), row.needed_word("role", words::DEPARTMENT_ROLES));
    let (issue_classes, zones, valid) = (row.list("issue_classes"), row.list("zones"), row.period());
    Some(Department { code: code?, name, serves: serves?, role: role?, issue_classes, zones, valid })
}
