//! Every permit case.

use super::*;

#[test]
fn each_permit_case_has_its_status_and_its_class() {
    let world = World::plain();
    let with = |share: f64, facts: LayerFacts| {
        world.assess(&pit(), &place([(LayerKind::MiningPermit, vec![hit("P1", share, facts)])]))
    };
    let spring = Season { from: YearDay { month: 2, day: 1 }, to: YearDay { month: 6, day: 30 } };

    let inside = with(0.97, permit(year(2024), vec![]));
    assert_eq!((inside.permit_status, inside.permit_id.as_deref()), (PermitStatus::Permitted, Some("P1")));
    assert_eq!((inside.shown, inside.suppressed_reason), (false, Some(SuppressedReason::Permitted)));
    assert!(inside.explanation.notes.contains(&Note::VolumeNotJudged { permit: "P1".to_owned() }));

    for (told, expected, sub_type) in [
        (with(0.6, permit(year(2024), vec![])), PermitStatus::PartlyOutside, "2b"),
        (with(1.0, permit(year(2023), vec![])), PermitStatus::Expired, "2b"),
        (with(1.0, permit(year(2025), vec![])), PermitStatus::NotYetValid, "2b"),
        (with(1.0, permit(year(2024), vec![spring])), PermitStatus::ForbiddenSeason, "2c"),
        (with(0.01, permit(year(2024), vec![])), PermitStatus::None, "2a"),
    ] {
        assert_eq!(told.permit_status, expected);
        assert_eq!(told.sub_type.map(SubType::code), Some(sub_type), "{expected:?}");
        assert!(told.shown && told.suppressed_reason.is_none());
    }
    let outside = with(0.6, permit(year(2024), vec![]));
    assert!((outside.outside_share.expect("a share") - 0.4).abs() < 1e-12);
    let building = world.assess(
        &patch("building", "trees_to_built_up"),
        &place([(LayerKind::MiningPermit, vec![hit("P1", 1.0, permit(year(2024), vec![]))])]),
    );
    assert_eq!(
        (building.permit_status, building.sub_type),
        (PermitStatus::OtherContent, Some(SubType::UnapprovedProject))
    );
    let nothing = world.assess(&pit(), &place([]));
    assert_eq!(nothing.permit_status, PermitStatus::Unknown, "no layer is loaded");
    let projects_only = world.assess(&pit(), &place([(LayerKind::Project, vec![])]));
    assert_eq!(projects_only.permit_status, PermitStatus::Unknown, "projects do not tell of mining permits");
    let not_met = world.assess(&pit(), &place([(LayerKind::MiningPermit, vec![])]));
    assert_eq!(not_met.permit_status, PermitStatus::None);
}

#[test]
fn projects_are_judged_by_stage_and_content() {
    let world = World::plain();
    let of = |share: f64, facts| {
        let told = world.assess(
            &patch("building", "trees_to_built_up"),
            &place([(LayerKind::Project, vec![hit("X", share, facts)])]),
        );
        (told.permit_status, told.sub_type.map(SubType::code))
    };
    assert_eq!(of(1.0, project(ProjectStage::Approved, &[])), (PermitStatus::Permitted, Some("4b")));
    assert_eq!(of(1.0, project(ProjectStage::UnderConstruction, &["building"])).0, PermitStatus::Permitted);
    assert_eq!(of(1.0, project(ProjectStage::Approved, &["pier"])), (PermitStatus::OtherContent, Some("4b")));
    assert_eq!(of(1.0, project(ProjectStage::Applied, &[])), (PermitStatus::Applied, Some("4b")));
    assert_eq!(of(1.0, project(ProjectStage::Withdrawn, &[])), (PermitStatus::Withdrawn, Some("4b")));
    assert_eq!(of(0.5, project(ProjectStage::Approved, &[])), (PermitStatus::PartlyOutside, Some("4a")));
}

#[test]
fn neighbouring_permits_count_together() {
    let world = World::plain();
    let two = vec![hit("A", 0.5, permit(year(2024), vec![])), hit("B", 0.48, permit(year(2024), vec![]))];
    let told = world.assess(&pit(), &place([(LayerKind::MiningPermit, two)]));
    assert_eq!((told.permit_status, told.permit_id.as_deref()), (PermitStatus::Permitted, Some("A")));
}

#[test]
fn the_outside_part_is_drawn() {
    let mut world = World::plain();
    let area = square(107.999, 21.999, 0.001_5);
    let feature = Feature {
        code: "P1".to_owned(),
        name: "P1".to_owned(),
        geometry: MultiPolygon(vec![area]),
        facts: permit(year(2024), vec![]),
        other: Default::default(),
        repairs: vec![],
    };
    let versions = [("mining_permit".to_owned(), 1)].into();
    world.layers = LayerIndex::new(Layers { features: vec![feature], versions, ..Layers::default() });
    let patch = pit();
    let told = world.assess(&patch, &world.layers.place(&patch.geometry));
    assert_eq!(told.permit_status, PermitStatus::PartlyOutside);
    let outside = told.explanation.outside.expect("an area");
    let whole = crate::ellipsoid::polygon_area(&patch.geometry);
    let share = crate::ellipsoid::area(&outside) / whole;
    assert!((share - told.outside_share.expect("a share")).abs() < 1e-6 && (share - 0.75).abs() < 1e-3, "{share}");
}
