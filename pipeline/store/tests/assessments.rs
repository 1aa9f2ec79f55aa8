//! Assessments: what goes in comes out, numbers stay, and what was superseded goes.

mod common;

use common::{at, digest, filled, now, publication, square};
use geo_types::MultiPolygon;
use jiff::civil::date;
use shorewatch_domain::classes::IssueClass;
use shorewatch_domain::decision::{Correction, Decision, DecisionSource, DecisionVerdict};
use shorewatch_domain::law::assessment::{
    Assessment, IdleProject, PermitStatus, Severity, StockFlag, SubType, SuppressedReason, Unit,
};
use shorewatch_domain::law::explanation::{Explanation, LayerHit, Note, Provenance, RuleTable, StockTrace};
use shorewatch_domain::law::layer::{LayerKind, WaterSourceLevel};
use shorewatch_domain::law::water::Bank;
use shorewatch_domain::patch::Patch;
use shorewatch_store::{AssessmentUpdate, DecisionRules, NewAssessment, PatchFilter, Refusal, Store, StoreError};
use tempfile::TempDir;

fn unit(code: &str) -> Unit {
    Unit { code: code.to_owned(), name: format!("县 {code}") }
}

/// One in which every field is filled, or as few as may be.
fn told(patch: &Patch, number: &str, full: bool) -> NewAssessment {
    let some = |text: &str| full.then(|| text.to_owned());
    let assessment = Assessment {
        patch_id: patch.patch_id.clone(),
        number: number.to_owned(),
        detected_on: date(2024, 3, 15),
        issue_class: IssueClass::Mining,
        sub_type: full.then_some(SubType::ForbiddenMining),
        severity: Severity::Major,
        stock_flag: StockFlag::Increment,
        permit_status: PermitStatus::PartlyOutside,
        permit_id: some("P1"),
        outside_share: full.then_some(0.25),
        river_name: some("青龙河"),
        river_code: some("FBA100000000"),
        reach_code: some("450702000001"),
        bank: full.then_some(Bank::Left),
        chainage_m: full.then_some(12_345.6),
        adcd: some("450702001"),
        city: full.then(|| unit("450700")),
        county: full.then(|| unit("450702")),
        town: full.then(|| unit("450702001")),
        village: None,
        nearest_place: full.then(|| ("桥".to_owned(), 120.5)),
        shoreline_zone: some("岸线保护区"),
        source_zone: full.then_some(WaterSourceLevel::Second),
        in_mgmt: full.then_some(true),
        chief_city: some("甲"),
        chief_county: some("乙"),
        chief_town: some("丙"),
        chief_village: some("丁"),
        lead_department: some("水利局"),
        supporting_departments: if full { vec!["公安局".to_owned()] } else { vec![] },
        co_notified: if full { vec![unit("450703")] } else { vec![] },
        deadline: full.then_some(date(2024, 3, 22)),
        priority: 0.5,
        shown: !full,
        suppressed_reason: full.then_some(SuppressedReason::KnownProblem),
        linked_site: some("ledger:K1"),
        explanation: Explanation {
            object_class: patch.object_class.clone(),
            change_type: patch.change_type.clone(),
            area_m2: patch.area_m2,
            evidence: patch.evidence.clone(),
            layers: vec![LayerHit {
                layer: LayerKind::Wetland,
                code: "M".to_owned(),
                name: "m".to_owned(),
                share: 1.0 / 3.0,
                area_m2: 1.0,
            }],
            layers_not_met: vec![LayerKind::BlueLine],
            layers_not_in_force: vec![],
            zones: vec!["wetland".to_owned()],
            permits: vec![],
            outside: full.then(|| MultiPolygon(vec![square(108.5, 21.8, 0.000_1)])),
            rules: vec![],
            stock: StockTrace {
                flag: StockFlag::Increment,
                baseline: Some(date(2018, 12, 31)),
                earlier: date(2023, 1, 1),
                later: date(2024, 3, 15),
                observed_share: 1.0,
            },
            priority: vec![],
            sites: vec![],
            notes: vec![Note::NoUnit],
            provenance: Provenance {
                pre_pass_id: patch.pre_pass_id,
                post_pass_id: patch.post_pass_id,
                post_date: patch.post_date,
                pre_date: patch.pre_date,
                pre_sensor: "s".to_owned(),
                post_sensor: "s".to_owned(),
                model: "m 1".to_owned(),
                model_digest: patch.model_digest,
                configuration_digest: patch.configuration_digest,
                rules_digest: digest("rules"),
                layer_versions: [("wetland".to_owned(), 3)].into(),
                program_version: "0.1.0".to_owned(),
            },
        },
        inputs: digest(number),
    };
    NewAssessment { assessment, text: "why".to_owned(), text_zh: "原因".to_owned() }
}

fn current(store: &Store) -> Vec<Patch> {
    store.patches(&PatchFilter::default()).expect("patches").into_iter().map(|stored| stored.patch).collect()
}

#[test]
fn what_goes_in_comes_out_and_is_counted() {
    let folder = TempDir::new().expect("a folder");
    let (mut store, pass, run) = filled(&folder.path().join("s.gpkg"));
    store.publish(&publication(&run, &pass, "a", 2), now()).expect("published");
    let patches = current(&store);
    let new = [told(&patches[0], "450702-20240315-0001", true), told(&patches[1], "450702-20240315-0002", false)];
    let idle = IdleProject {
        code: "X".to_owned(),
        name: "quay".to_owned(),
        expected_by: date(2023, 12, 31),
        observed_on: date(2024, 3, 15),
        observed_share: 0.9,
        adcd: None,
        river_code: Some("FBA100000000".to_owned()),
        reach_code: None,
        chiefs: vec!["张三".to_owned(), "李四".to_owned()],
    };
    let update = AssessmentUpdate {
        assessments: new.to_vec(),
        numbers: new.iter().map(|new| (new.assessment.patch_id.clone(), new.assessment.number.clone())).collect(),
        idle_projects: Some(vec![idle.clone()]),
    };
    let counts = store.update_assessments(&update, now()).expect("stored");
    assert_eq!((counts.assessed, counts.written, counts.shown, counts.numbers_given), (2, 2, 1, 2));
    assert_eq!((counts.suppressed["known_problem"], counts.idle_projects), (1, 1));
    for new in &new {
        let by_number = store.assessment(&new.assessment.number).expect("read").expect("there");
        assert_eq!(by_number.assessment, new.assessment);
        assert_eq!((by_number.text.as_str(), by_number.text_zh.as_str()), ("why", "原因"));
        assert_eq!(store.assessment(&new.assessment.patch_id).expect("read"), Some(by_number));
    }
    assert_eq!(store.assessments().expect("read").len(), 2);
    assert_eq!(store.idle_projects().expect("read"), [idle]);
    assert_eq!(store.assessment("no such").expect("read"), None);
    let again = AssessmentUpdate { idle_projects: None, ..AssessmentUpdate::default() };
    let counts = store.update_assessments(&again, now()).expect("nothing to do");
    assert_eq!((counts.assessed, counts.written, counts.idle_projects), (2, 0, 1));
}

#[test]
fn a_reviewer_is_right_where_the_rules_said_otherwise() {
    let folder = TempDir::new().expect("a folder");
    let (mut store, pass, run) = filled(&folder.path().join("s.gpkg"));
    store.publish(&publication(&run, &pass, "a", 1), now()).expect("published");
    let new = told(&current(&store)[0], "450702-20240315-0001", true);
    let patch_id = new.assessment.patch_id.clone();
    let update = AssessmentUpdate { assessments: vec![new.clone()], ..AssessmentUpdate::default() };
    store.update_assessments(&update, now()).expect("stored");
    let mut decide = |version: u64, corrected: Option<Correction>| {
        let made = Decision {
            decision_id: format!("decision-{version}"),
            patch_id: patch_id.clone(),
            case_id: None,
            verdict: corrected.is_some().then_some(DecisionVerdict::Problem),
            reason: None,
            note: String::new(),
            corrected: corrected.unwrap_or_default(),
            duplicate_of: None,
            reviewer: "r-1".to_owned(),
            decided_at: at("2024-06-02T08:00:00Z"),
            on_version: version,
            seconds: None,
            source: DecisionSource::Desk,
        };
        store.record_decision(&made, &DecisionRules::default(), now()).expect("recorded");
        store.assessments().expect("read").remove(0).assessment
    };

    // the class alone: the sub-type of mining goes with it
    let class = Correction { issue_class: Some(IssueClass::Dumping), ..Correction::default() };
    let corrected = decide(0, Some(class));
    assert_eq!((corrected.issue_class, corrected.sub_type), (IssueClass::Dumping, None));
    assert_eq!(corrected.severity, Severity::Major);
    let reason = corrected.explanation.reason(RuleTable::Issues).expect("a reason");
    assert_eq!(reason.english, "Corrected by a reviewer; the rules said mining 2c.");
    assert_eq!(reason.chinese, "复核人员修正；规则判定为乱采 2c。");
    assert_eq!(decide(1, None), new.assessment, "it was taken back");

    let all =
        Correction { sub_type: Some(SubType::SolidWaste), severity: Some(Severity::General), ..Correction::default() };
    let corrected = decide(2, Some(all));
    assert_eq!((corrected.issue_class, corrected.sub_type), (IssueClass::Dumping, Some(SubType::SolidWaste)));
    let reason = corrected.explanation.reason(RuleTable::Severity).expect("a reason");
    assert_eq!((corrected.severity, reason.chinese.as_str()), (Severity::General, "复核人员修正；规则判定为重大。"));

    // a correction that says what the rules say changes nothing, and "why" stays theirs
    let same = Correction { sub_type: Some(SubType::ForbiddenMining), ..Correction::default() };
    decide(3, None);
    assert_eq!(decide(4, Some(same)), new.assessment);
}

#[test]
fn numbers_outlive_their_patches_and_assessments_do_not() {
    let folder = TempDir::new().expect("a folder");
    let (mut store, pass, run) = filled(&folder.path().join("s.gpkg"));
    store.publish(&publication(&run, &pass, "a", 2), now()).expect("published");
    let second = |patch: &Patch| patch.patch_id.ends_with("000001");
    let patch = current(&store).into_iter().find(second).expect("the second patch");
    let new = told(&patch, "450702-20240315-0001", true);
    let number = (patch.patch_id.clone(), new.assessment.number.clone());
    let update = AssessmentUpdate { assessments: vec![new], numbers: vec![number.clone()], idle_projects: None };
    store.update_assessments(&update, now()).expect("stored");
    store.publish(&publication(&run, &pass, "b", 1), now()).expect("published");
    let counts = store.update_assessments(&AssessmentUpdate::default(), now()).expect("stored");
    assert_eq!(counts.assessed, 0);
    assert_eq!(store.patch_numbers().expect("read").get(&number.0), Some(&number.1));

    let stale = AssessmentUpdate { numbers: vec![], ..update };
    let refused = store.update_assessments(&stale, now()).expect_err("it is not current");
    let StoreError::Refused { source, .. } = &refused else { panic!("{refused}") };
    assert!(matches!(**source, Refusal::Unknown { .. }), "{refused}");
    assert_eq!(store.assessments().expect("read"), [], "nothing half-written");
}
