//! Hand-made places: every rule path, every permit case, stock and increment, boundaries, chiefs on the day, known sites.

use geo_types::{MultiPolygon, Polygon, Rect, coord};
use jiff::civil::date;
use shorewatch_domain::classes::IssueClass;
use shorewatch_domain::crs::Epsg;
use shorewatch_domain::decision::DecisionVerdict;
use shorewatch_domain::law::assessment::{Language, SubType};
use shorewatch_domain::law::layer::*;
use shorewatch_domain::law::office::{Chief, Department, DepartmentRole};
use shorewatch_domain::law::period::{Period, Season, YearDay};
use shorewatch_domain::law::water::{Bank, Position, WaterKind};

use super::*;
use crate::index::Layers;
use crate::known::ReviewedSite;
use crate::{ellipsoid, explain, idle, number};

mod inputs;
mod offices;
mod permits;

fn square(x: f64, y: f64, edge: f64) -> Polygon<f64> {
    Rect::new(coord! { x: x, y: y }, coord! { x: x + edge, y: y + edge }).to_polygon()
}

/// A square of some 110 m, 10,000 m² by its exact pixels.
fn patch(object_class: &str, change_type: &str) -> Patch {
    Patch {
        patch_id: "20240315-00000001".to_owned(),
        reach_id: "R".to_owned(),
        reach_name: "Reach".to_owned(),
        object_class: object_class.to_owned(),
        change_type: change_type.to_owned(),
        suspected_issue_class: IssueClass::Mining,
        geometry: square(108.0, 22.0, 0.001),
        area_m2: 10_000.0,
        perimeter_m: 400.0,
        centre: (108.000_5, 22.000_5),
        confidence: 0.6,
        confidence_max: 0.9,
        valid_fraction: 1.0,
        review_score: Some(0.8),
        change_score: None,
        evidence: [("core".to_owned(), 1.5)].into(),
        coreg_rmse_px: None,
        pre_date: "2023-03-10T03:00:00Z".parse().expect("a time"),
        post_date: "2024-03-15T03:00:00Z".parse().expect("a time"),
        pre_pass_id: Digest::of_bytes(b"pre"),
        post_pass_id: Digest::of_bytes(b"post"),
        pre_sensor: "s".to_owned(),
        post_sensor: "s".to_owned(),
        grid_epsg: Epsg(4524),
        ground_sampling_distance_m: 10.0,
        pixel_count: 100,
        model_name: "m".to_owned(),
        model_version: "1".to_owned(),
        model_digest: Digest::of_bytes(b"model"),
        configuration_digest: Digest::of_bytes(b"configuration"),
        program_version: "0.1.0".to_owned(),
    }
}

/// Two of three of the model's words: what the patch of most tests shows.
fn pit() -> Patch {
    patch("pit", "no_object_to_pit")
}

fn hit(code: &str, share: f64, facts: LayerFacts) -> Hit {
    Hit { code: code.to_owned(), name: code.to_owned(), share, area_m2: share * 1e4, share_of_feature: 0.5, facts }
}

fn place(hits: impl IntoIterator<Item = (LayerKind, Vec<Hit>)>) -> Place {
    Place { hits: hits.into_iter().collect(), ..Place::default() }
}

fn rules() -> Rules {
    with(|_| ())
}

fn with(change: impl FnOnce(&mut crate::rules::Files)) -> Rules {
    let mut files = crate::rules::tests::files();
    change(&mut files);
    Rules::check(&files).expect("rules")
}

struct World {
    layers: LayerIndex,
    offices: Offices,
    sites: Sites,
    rules: Rules,
}

impl World {
    fn plain() -> Self {
        Self::of(rules())
    }

    fn of(rules: Rules) -> Self {
        Self { layers: LayerIndex::new(Layers::default()), offices: Offices::default(), sites: Sites::default(), rules }
    }

    fn context(&self) -> Context<'_> {
        Context {
            layers: &self.layers,
            offices: &self.offices,
            sites: &self.sites,
            rules: &self.rules,
            as_of: date(2024, 3, 25),
        }
    }

    fn assess(&self, patch: &Patch, place: &Place) -> Assessment {
        super::assess(patch, place, "450702-20240315-0001", &self.context(), Digest::of_bytes(b"d"))
    }
}

fn permit(valid: Period, seasons: Vec<Season>) -> LayerFacts {
    LayerFacts::MiningPermit(MiningPermit { valid, volume_m3: Some(500.0), forbidden_seasons: seasons })
}

fn project(stage: ProjectStage, classes: &[&str]) -> LayerFacts {
    LayerFacts::Project(Project {
        valid: Period::default(),
        stage,
        object_classes: classes.iter().map(|class| (*class).to_owned()).collect(),
        change_expected_by: None,
    })
}

fn year(year: i16) -> Period {
    Period { from: Some(date(year, 1, 1)), to: Some(date(year, 12, 31)) }
}

#[test]
fn every_issue_row_fires_on_what_it_is_for() {
    let world = World::plain();
    let water = |kind| Position {
        water_code: "W".to_owned(),
        water_name: "W".to_owned(),
        water_kind: kind,
        basin: None,
        reach_code: "WR".to_owned(),
        reach_name: "WR".to_owned(),
        bank: Some(Bank::Left),
        chainage_m: 12_345.0,
        distance_m: 10.0,
    };
    let lake = Place { position: Some(water(WaterKind::Lake)), ..Place::default() };
    let zone = |word: &str| {
        place([(LayerKind::ShorelineZone, vec![hit("Z", 0.5, LayerFacts::ShorelineZone { zone: word.to_owned() })])])
    };
    let (none, protected) = (place([]), zone("岸线保护区"));
    let cases: [(&str, &str, &Place, Option<&str>, &str); 14] = [
        ("pit", "no_object_to_pit", &protected, Some("2c"), "mining_in_forbidden_area"),
        ("bare_ground", "trees_to_bare", &none, Some("2d"), "soil_taking"),
        ("stockpile", "no_object_to_stockpile", &none, Some("2a"), "mining_without_permit"),
        ("heap", "water_to_bare", &none, Some("3c"), "heap_in_water"),
        ("heap", "no_object_to_dump", &none, Some("3b"), "heap"),
        ("reclaimed_land", "water_to_crops", &lake, Some("1a"), "lake_reclamation"),
        ("dike", "no_object_to_dike", &none, Some("1b"), "river_reclamation"),
        ("cropland", "bare_to_crops", &none, Some("1d"), "planting"),
        ("cage", "no_object_to_fish_cage", &none, Some("1c"), "occupied_water"),
        ("building", "water_to_built_up", &none, Some("4c"), "built_in_water"),
        ("building", "crops_to_built_up", &protected, Some("4b"), "unapproved_project"),
        ("unclassified", "trees_to_bare", &none, None, "cannot_be_told"),
        ("greenhouse", "no_object_to_greenhouse", &none, Some("1c"), "occupied_water"),
        ("structure_in_water", "water_to_built_up", &none, Some("1c"), "occupied_water"),
    ];
    for (object_class, change_type, place, sub_type, row) in cases {
        let told = world.assess(&patch(object_class, change_type), place);
        assert_eq!(told.sub_type.map(SubType::code), sub_type, "{object_class} {change_type}");
        let fired: Vec<&str> = told
            .explanation
            .rules
            .iter()
            .filter(|trace| trace.fired && trace.table == shorewatch_domain::law::explanation::RuleTable::Issues)
            .map(|trace| trace.name.as_str())
            .collect();
        assert_eq!(fired, [row]);
    }
}

#[test]
fn what_no_rule_knows_keeps_the_class_of_the_table_and_says_so() {
    let told = World::plain().assess(&patch("castle", "moon_to_castle"), &place([]));
    assert_eq!((told.issue_class, told.sub_type), (IssueClass::Mining, None));
    assert!(told.explanation.notes.contains(&Note::ClassOfTheTable));
    assert!(told.explanation.notes.contains(&Note::UnknownObjectClass { object_class: "castle".to_owned() }));
}

#[test]
fn severity_follows_area_class_and_zone() {
    let world = World::plain();
    let of = |area_m2: f64, place: &Place| {
        world.assess(&Patch { area_m2, ..patch("cage", "no_object_to_fish_cage") }, place).severity
    };
    let none = place([]);
    assert_eq!(of(999.99, &none), Severity::General);
    assert_eq!(of(1000.0, &none), Severity::Serious);
    assert_eq!(of(5000.0, &none), Severity::Serious);
    assert_eq!(of(5000.01, &none), Severity::Major);
    let source =
        |level| place([(LayerKind::WaterSourceZone, vec![hit("S", 0.1, LayerFacts::WaterSourceZone { level })])]);
    assert_eq!(of(1.0, &source(WaterSourceLevel::First)), Severity::Major);
    assert_eq!(of(1.0, &source(WaterSourceLevel::Second)), Severity::Serious);
    assert_eq!(of(1.0, &source(WaterSourceLevel::Quasi)), Severity::General);
    let told = world.assess(&pit(), &source(WaterSourceLevel::First));
    assert_eq!((told.source_zone, told.sub_type), (Some(WaterSourceLevel::First), Some(SubType::ForbiddenMining)));
    assert_eq!(told.deadline, Some(date(2024, 3, 22)), "a major one within 7 days");
}

#[test]
fn increment_needs_an_earlier_look_on_or_after_the_baseline() {
    let of = |baseline: Option<&str>, tolerance: u32, valid_fraction: f64| {
        let world = World::of(with(|files| {
            files.assessment.baseline_date = baseline.map(str::to_owned);
            files.assessment.baseline_tolerance_days = tolerance;
        }));
        world.assess(&Patch { valid_fraction, ..pit() }, &place([])).stock_flag
    };
    // passes of 2023-03-10 and 2024-03-15
    assert_eq!(of(None, 0, 1.0), StockFlag::Unknown);
    assert_eq!(of(Some("2023-03-10"), 0, 1.0), StockFlag::Increment);
    assert_eq!(of(Some("2023-03-11"), 0, 1.0), StockFlag::Unknown, "it may have come before the baseline");
    assert_eq!(of(Some("2023-03-11"), 1, 1.0), StockFlag::Increment);
    assert_eq!(of(Some("2024-03-15"), 0, 1.0), StockFlag::Stock);
    assert_eq!(of(Some("2023-03-10"), 0, 0.5), StockFlag::Unknown, "hardly observed");
}

#[test]
fn shares_across_a_boundary_are_kept_and_the_largest_leads() {
    let unit = |code: &str, share: f64, level| hit(code, share, LayerFacts::AdministrativeUnit { level, parent: None });
    let place = place([(
        LayerKind::AdministrativeUnit,
        vec![
            unit("4507", 1.0, AdministrativeLevel::City),
            unit("450702", 0.7, AdministrativeLevel::County),
            unit("450703", 0.28, AdministrativeLevel::County),
            unit("450721", 0.02, AdministrativeLevel::County),
        ],
    )]);
    let told = World::plain().assess(&pit(), &place);
    assert_eq!(told.county.as_ref().map(|unit| unit.code.as_str()), Some("450702"));
    assert_eq!(told.adcd.as_deref(), Some("450702"));
    let others: Vec<&str> = told.co_notified.iter().map(|unit| unit.code.as_str()).collect();
    assert_eq!(others, ["450703"], "2 % is the noise of drawing");
    let shares: Vec<f64> = told.explanation.layers.iter().map(|hit| hit.share).collect();
    assert_eq!(shares, [1.0, 0.7, 0.28, 0.02], "all shares are kept");
    assert_eq!(unit_code(&place, &rules()), "450702");
    assert_eq!(unit_code(&Place::default(), &rules()), "000000");
}

#[test]
fn known_sites_are_linked_and_shown_again_only_when_they_grew() {
    let mut world = World::plain();
    let ledger = |status: &str, area_m2: f64, share: f64| {
        let facts = LayerFacts::KnownProblem(KnownProblem { status: status.to_owned(), area_m2, found_on: None });
        let mut hit = hit("K1", share, facts);
        hit.share_of_feature = share;
        place([(LayerKind::KnownProblem, vec![hit])])
    };
    let known = world.assess(&pit(), &ledger("未处理", 9000.0, 0.9));
    assert_eq!((known.shown, known.suppressed_reason), (false, Some(SuppressedReason::KnownProblem)));
    assert_eq!(known.linked_site.as_deref(), Some("ledger:K1"));
    let grown = world.assess(&pit(), &ledger("未处理", 8000.0, 0.9));
    assert_eq!((grown.shown, grown.linked_site.as_deref()), (true, Some("ledger:K1")), "10,000 m² are more than 9,600");
    let relapse = world.assess(&pit(), &ledger("已销号", 9000.0, 0.9));
    assert_eq!((relapse.shown, relapse.linked_site.is_some()), (true, true));
    let beside = world.assess(&pit(), &ledger("未处理", 9000.0, 0.2));
    assert_eq!((beside.shown, beside.linked_site), (true, None));

    let site = |verdict, patch_id: &str, area_m2| ReviewedSite {
        patch_id: patch_id.to_owned(),
        outline: square(108.0, 22.0, 0.000_95),
        area_m2,
        verdict,
    };
    let mut of = |site| {
        world.sites = Sites::new(vec![site]);
        let told = world.assess(&pit(), &place([]));
        (told.shown, told.linked_site)
    };
    assert_eq!(of(site(DecisionVerdict::NotAProblem, "old", 9000.0)), (false, Some("patch:old".to_owned())));
    assert_eq!(of(site(DecisionVerdict::NotAProblem, "old", 5000.0)), (true, Some("patch:old".to_owned())));
    assert_eq!(of(site(DecisionVerdict::Unsure, "old", 9000.0)), (true, Some("patch:old".to_owned())));
    assert_eq!(
        of(site(DecisionVerdict::NotAProblem, "20240315-00000001", 9000.0)),
        (true, None),
        "its own review is not earlier"
    );
}

#[test]
fn priority_is_the_product_of_its_factors() {
    let told = World::plain().assess(&pit(), &place([]));
    let factors: Vec<(&str, f64)> =
        told.explanation.priority.iter().map(|factor| (factor.name.as_str(), factor.value)).collect();
    assert_eq!(factors, [("probability", 0.8), ("severity", 1.0), ("zone", 0.7), ("age", 1.0)]);
    assert!((told.priority - 0.56).abs() < 1e-12);
}

#[test]
fn an_assessment_is_a_function_of_its_inputs() {
    let world = World::plain();
    let place = place([(LayerKind::Wetland, vec![hit("M", 0.4, LayerFacts::Wetland { grade: None })])]);
    assert_eq!(world.assess(&pit(), &place), world.assess(&pit(), &place));
}

#[test]
fn the_explanation_names_everything_in_both_languages() {
    let place = place([
        (LayerKind::ShorelineZone, vec![hit("Z", 0.4, LayerFacts::ShorelineZone { zone: "玩耍区".to_owned() })]),
        (LayerKind::MiningPermit, vec![]),
    ]);
    let told = World::plain().assess(&pit(), &place);
    let english = explain::text(&told, Language::English);
    for part in [
        "suspected mining 2a",
        "core +1.50",
        "40.0 %",
        "not met: sand-mining permit",
        "wetland",
        "✔ issue class / mining_without_permit",
        "· issue class / mining_in_forbidden_season: did not fire, permit: wants forbidden_season, got none",
        "玩耍区",
        "0.5600 = probability 0.800",
        "rules ",
        "decided: mining 2a. Pits, stockpiles, ponds of dredges and dredgers.",
    ] {
        assert!(english.contains(part), "{part:?} is not in\n{english}");
    }
    let chinese = explain::text(&told, Language::Chinese);
    for part in [
        "疑似 乱采 2a",
        "未经许可在河道管理范围内采砂",
        "岸线功能区",
        "疑似不等于认定",
        "水利局",
        "✔ 问题类型 / 无证采砂（mining_without_permit）：判定：乱采 2a",
        "。采坑、堆料、采砂坑塘或采砂船。",
        "· 问题类型 / 禁采期采砂（mining_in_forbidden_season）：未触发，许可状态要求：",
        "0.5600 = 概率 0.800",
    ] {
        assert!(chinese.contains(part), "{part:?} is not in\n{chinese}");
    }
}

/// Explanations of stores that were written when a reason was one text are read as before.
#[test]
fn a_reason_of_an_older_store_stands_for_both_languages() {
    let told = World::plain().assess(&pit(), &place([]));
    let mut stored = serde_json::to_value(&told.explanation).expect("JSON");
    let fired = stored["rules"].as_array_mut().expect("rules").iter_mut().find(|rule| rule["fired"] == true);
    let fired = fired.expect("a rule that decided");
    fired["reason"] = "Pits.".into();
    fired["outcome"] = "mining 2a".into();
    let explanation: Explanation = serde_json::from_value(stored).expect("an explanation");
    let text = explain::text(&Assessment { explanation, ..told }, Language::Chinese);
    assert!(text.contains("判定：mining 2a。Pits."), "{text}");
}

#[test]
fn numbers_stay_and_new_ones_continue() {
    let wanted =
        |id: &str| number::Wanted { patch_id: id.to_owned(), unit_code: "450702".to_owned(), day: date(2024, 3, 15) };
    let first = number::assign(&[], &[wanted("b"), wanted("a")]);
    let numbers: Vec<(&str, &str)> =
        first.iter().map(|given| (given.patch_id.as_str(), given.number.as_str())).collect();
    assert_eq!(numbers, [("a", "450702-20240315-0001"), ("b", "450702-20240315-0002")]);
    assert_eq!(first, number::assign(&[], &[wanted("a"), wanted("b"), wanted("a")]), "whatever the order");
    assert!(number::assign(&first, &[wanted("a"), wanted("b")]).is_empty(), "those that have one keep it");
    let more = number::assign(&first, &[wanted("0"), wanted("a")]);
    assert_eq!(more[0].number, "450702-20240315-0003", "also one that sorts first");
}

#[test]
fn a_project_is_idle_only_where_it_was_observed() {
    let feature = |stage| Feature {
        code: "X".to_owned(),
        name: "quay".to_owned(),
        geometry: MultiPolygon(vec![square(108.0, 22.0, 0.001)]),
        facts: LayerFacts::Project(Project {
            valid: Period { from: Some(date(2022, 1, 1)), to: None },
            stage,
            object_classes: vec![],
            change_expected_by: Some(date(2023, 12, 31)),
        }),
        other: Default::default(),
        repairs: vec![],
    };
    let unit = Digest::of_bytes(b"unit");
    let look = |day, observed_share| idle::Look { unit, day, square: square(107.9, 21.9, 0.2), observed_share };
    let managed = [MultiPolygon(vec![square(107.9, 21.9, 0.2)])];
    let of = |stage, looks: &[idle::Look], changes: &[idle::Change], managed: &[MultiPolygon<f64>]| {
        idle::idle([&feature(stage)], looks, changes, managed, &|_, _| None, 0.8).len()
    };
    let (seen, approved) = ([look(date(2024, 3, 15), Some(0.9))], ProjectStage::Approved);
    assert_eq!(of(approved, &seen, &[], &managed), 1);
    assert_eq!(of(approved, &[look(date(2023, 6, 1), Some(1.0))], &[], &managed), 0, "observed too early");
    assert_eq!(of(approved, &[look(date(2024, 3, 15), Some(0.2))], &[], &managed), 0, "clouded");
    assert_eq!(of(approved, &[look(date(2024, 3, 15), None)], &[], &managed), 0, "out of scope");
    assert_eq!(of(approved, &seen, &[], &[]), 0, "no scope holds it");
    assert_eq!(of(ProjectStage::Complete, &seen, &[], &managed), 0);
    let change = |x| idle::Change { day: date(2023, 5, 1), outline: square(x, 22.0, 0.000_5) };
    assert_eq!(of(approved, &seen, &[change(108.0)], &managed), 0, "something changed there");
    assert_eq!(of(approved, &seen, &[change(108.002)], &managed), 1, "beside it");
    // what was seen of its own ground goes before what was seen of the square
    let own = |share: f64, of_square: f64| {
        let looks = [look(date(2024, 2, 1), Some(0.5)), look(date(2024, 3, 15), Some(of_square))];
        let seen = |look: &idle::Look, part: &MultiPolygon<f64>| {
            assert!((ellipsoid::area(part) / ellipsoid::area(&feature(approved).geometry) - 1.0).abs() < 1e-6);
            (look.day == date(2024, 3, 15)).then_some(share)
        };
        idle::idle([&feature(approved)], &looks, &[], &managed, &seen, 0.8)
    };
    let found = own(0.95, 0.1);
    assert_eq!(found[0].observed_on, date(2024, 3, 15), "the square was clouded elsewhere");
    assert!((found[0].observed_share - 0.95).abs() < 1e-6, "{}", found[0].observed_share);
    assert!(own(0.0, 0.99).is_empty(), "clouded where it lies");
}
