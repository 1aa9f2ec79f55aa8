//! Decisions: appended for good, one a decision whatever is repeated, never on what somebody changed meanwhile, and read by the
//! queue, by training, and by the law.

mod common;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{at, filled, make_older, now, publication, square};
use jiff::SignedDuration;
use rusqlite::Connection;
use shorewatch_domain::access::Scope;
use shorewatch_domain::classes::IssueClass;
use shorewatch_domain::decision::state::{ReviewState, TwoPersonRule};
use shorewatch_domain::decision::{Correction, Decision, DecisionSource, DecisionVerdict, RejectionReason};
use shorewatch_domain::law::assessment::{Severity, SubType};
use shorewatch_domain::review::Verdict;
use shorewatch_store::decisions::figures::YieldBy;
use shorewatch_store::decisions::queue::QueueFilter;
use shorewatch_store::features::{FeatureLayer, FeatureQuery};
use shorewatch_store::{DecisionRules, PatchFilter, Refusal, Store, StoreError};
use tempfile::TempDir;

fn decision(id: &str, patch_id: &str, reviewer: &str, verdict: DecisionVerdict, on_version: u64) -> Decision {
    Decision {
        decision_id: format!("decision-{id}"),
        patch_id: patch_id.to_owned(),
        case_id: None,
        verdict: Some(verdict),
        reason: (verdict == DecisionVerdict::NotAProblem).then_some(RejectionReason::WaterLevel),
        note: String::new(),
        corrected: Correction::default(),
        duplicate_of: None,
        reviewer: reviewer.to_owned(),
        decided_at: at("2024-06-02T08:00:00Z"),
        on_version,
        seconds: Some(9.5),
        source: DecisionSource::Desk,
    }
}

fn undo(id: &str, of: &Decision, on_version: u64) -> Decision {
    Decision {
        verdict: None,
        reason: None,
        corrected: Correction::default(),
        ..Decision { decision_id: format!("decision-{id}"), on_version, ..of.clone() }
    }
}

/// A store with so many patches, and their ids in the order of the queue.
fn with_patches(path: &Path, count: usize) -> (Store, Vec<String>) {
    let (mut store, pass, run) = filled(path);
    store.publish(&publication(&run, &pass, "a", count), now()).expect("published");
    let ids = queue(&store, "r-1", &everything());
    (store, ids)
}

fn everything() -> QueueFilter {
    QueueFilter { scope: Scope::all(), ..QueueFilter::default() }
}

fn queue(store: &Store, account: &str, filter: &QueueFilter) -> Vec<String> {
    store.queue(filter, account, now(), 1000).expect("a queue").into_iter().map(|row| row.patch_id).collect()
}

fn refused(result: Result<impl std::fmt::Debug, StoreError>) -> Refusal {
    match result.expect_err("refused") {
        StoreError::Refused { source, .. } => *source,
        other => panic!("{other}"),
    }
}

#[test]
fn a_decision_leaves_the_queue_and_comes_back_when_it_is_taken_back() {
    let folder = TempDir::new().expect("a folder");
    let (mut store, ids) = with_patches(&folder.path().join("s.gpkg"), 5);
    let rules = DecisionRules::default();
    let problem = decision("1", &ids[0], "r-1", DecisionVerdict::Problem, 0);
    let recorded = store.record_decision(&problem, &rules, now()).expect("recorded");
    assert_eq!((recorded.now.state, recorded.now.version, recorded.repeated), (ReviewState::Decided, 1, false));
    assert_eq!(recorded.now.held_until, Some(at("2024-06-01T08:10:00Z")));
    assert_eq!(queue(&store, "r-1", &everything()), ids[1..]);
    assert_eq!(store.reviewed_sites().expect("sites")[0].patch_id, ids[0]);
    assert_eq!(store.reviews().expect("reviews")[0].verdict, Verdict::Confirmed);
    assert_eq!(store.last_decision_of("r-1").expect("read"), Some(problem.clone()));

    let again = store.record_decision(&problem, &rules, now()).expect("a no-op");
    assert!(again.repeated && again.now == recorded.now);
    assert_eq!(store.decisions_on(&ids[0]).expect("decisions").len(), 1);

    let back = store.record_decision(&undo("2", &problem, 1), &rules, now()).expect("taken back");
    assert_eq!((back.now.state, back.now.verdict, back.now.version), (ReviewState::Open, None, 2));
    assert_eq!(queue(&store, "r-1", &everything()), ids);
    assert_eq!(store.reviewed_sites().expect("sites"), []);
    assert_eq!(store.reviews().expect("reviews")[0].verdict, Verdict::Unsure);
    assert_eq!(store.last_decision_of("r-1").expect("read"), None);
    assert!(matches!(refused(store.record_decision(&undo("3", &problem, 2), &rules, now())), Refusal::Invalid { .. }));
}

#[test]
fn who_decided_gets_it_again_when_imagery_contradicts_the_closure() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("s.gpkg");
    let (mut store, ids) = with_patches(&path, 2);
    let problem = decision("1", &ids[0], "r-1", DecisionVerdict::Problem, 0);
    store.record_decision(&problem, &DecisionRules::default(), now()).expect("recorded");
    assert_eq!(queue(&store, "r-1", &everything()), ids[1..]);
    let connection = Connection::open(&path).expect("the store");
    let sql = "INSERT INTO review_requests (patch_id, finding_id, reason, pass_id, created_at)
               VALUES (?1, 'finding-1', 'closure_contradicted', 'p', '2024-07-01T00:00:00.000Z')";
    connection.execute(sql, [&ids[0]]).expect("asked");
    assert_eq!(queue(&store, "r-1", &everything()), ids, "an office of one reviewer sees it too");
}

#[test]
fn who_decides_on_what_another_changed_is_told_so_and_nothing_is_written() {
    let folder = TempDir::new().expect("a folder");
    let (mut store, ids) = with_patches(&folder.path().join("s.gpkg"), 2);
    let rules = DecisionRules::default();
    store.record_decision(&decision("1", &ids[0], "r-1", DecisionVerdict::Problem, 0), &rules, now()).expect("first");
    let late = decision("2", &ids[0], "r-2", DecisionVerdict::NotAProblem, 0);
    assert_eq!(
        refused(store.record_decision(&late, &rules, now())),
        Refusal::Stale { what: format!("patch {}", ids[0]), seen: 0, now: 1 }
    );
    // another one under an id that is taken
    let stolen = decision("1", &ids[1], "r-2", DecisionVerdict::Problem, 0);
    assert!(matches!(refused(store.record_decision(&stolen, &rules, now())), Refusal::Invalid { .. }));
    // all or none of several
    let several = [decision("4", &ids[1], "r-2", DecisionVerdict::Problem, 0), late];
    assert!(matches!(refused(store.record_decisions(&several, &rules, now())), Refusal::Stale { .. }));
    assert_eq!(store.recorded_decisions().expect("decisions").len(), 1);
}

#[test]
fn decisions_and_the_log_of_access_can_not_be_edited() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("s.gpkg");
    let (mut store, ids) = with_patches(&path, 1);
    let made = decision("1", &ids[0], "r-1", DecisionVerdict::Problem, 0);
    store.record_decision(&made, &DecisionRules::default(), now()).expect("recorded");
    drop(store);
    let connection = Connection::open(&path).expect("opened");
    connection
        .execute("INSERT INTO access_log (at, account, what, detail) VALUES ('', '', '', '')", [])
        .expect("added");
    for sql in [
        "UPDATE decisions SET verdict = 'not_a_problem'",
        "DELETE FROM decisions",
        "UPDATE access_log SET account = 'x'",
        "DELETE FROM access_log",
    ] {
        let refused = connection.execute(sql, []).expect_err("append-only").to_string();
        assert!(refused.contains("only appended"), "{sql}: {refused}");
    }
}

#[test]
fn two_persons_decide_a_grave_one_and_nobody_gets_his_own_again() {
    let folder = TempDir::new().expect("a folder");
    let (mut store, ids) = with_patches(&folder.path().join("s.gpkg"), 3);
    let rules = DecisionRules { two_persons: TwoPersonRule::From(Severity::Serious), ..DecisionRules::default() };
    let grave = |id: &str, reviewer: &str, verdict, on_version| Decision {
        corrected: Correction { severity: Some(Severity::Major), ..Correction::default() },
        ..decision(id, &ids[0], reviewer, verdict, on_version)
    };
    let first = store.record_decision(&grave("1", "r-1", DecisionVerdict::Problem, 0), &rules, now()).expect("first");
    assert_eq!((first.now.state, first.now.held_until), (ReviewState::SecondOpinion, None));
    assert_eq!(store.reviewed_sites().expect("sites"), []);
    assert!(!queue(&store, "r-1", &everything()).contains(&ids[0]), "his own");
    assert!(queue(&store, "r-2", &everything()).contains(&ids[0]), "label-studio#831: the second one gets it");
    let second = grave("2", "r-2", DecisionVerdict::NotAProblem, 1);
    let second = store.record_decision(&second, &rules, now()).expect("second");
    assert_eq!(second.now.state, ReviewState::ThirdOpinion);
    assert_eq!(store.reviews().expect("reviews")[0].verdict, Verdict::Unsure, "nothing is learned from a dispute");
    let third = store.record_decision(&grave("3", "r-3", DecisionVerdict::Problem, 2), &rules, now()).expect("third");
    assert_eq!((third.now.state, third.now.verdict), (ReviewState::Decided, Some(DecisionVerdict::Problem)));
    let agreements = store.agreements(&Scope::all()).expect("figures");
    assert_eq!(
        agreements.iter().map(|told| (told.same.hits, told.same.of)).collect::<Vec<_>>(),
        [(1, 2), (0, 2), (1, 2)]
    );
}

#[test]
fn corrections_count_in_the_queue_and_for_the_law() {
    let folder = TempDir::new().expect("a folder");
    let (mut store, ids) = with_patches(&folder.path().join("s.gpkg"), 1);
    let drawn = square(108.5, 21.8, 0.0003);
    let corrected = Correction {
        issue_class: Some(IssueClass::Dumping),
        sub_type: Some(SubType::SolidWaste),
        severity: Some(Severity::General),
        geometry: Some(drawn.clone()),
    };
    let made = Decision { corrected, ..decision("1", &ids[0], "r-1", DecisionVerdict::UnderWatch, 0) };
    store.record_decision(&made, &DecisionRules::default(), now()).expect("recorded");
    assert_eq!(store.reviewed_sites().expect("sites")[0].outline, drawn);
    assert_eq!(store.decisions_on(&ids[0]).expect("decisions"), [made]);
    let done = store.queue(&QueueFilter { decided: true, ..everything() }, "r-1", now(), 10).expect("a queue");
    assert_eq!((done[0].issue_class.as_str(), done[0].severity.as_deref()), ("dumping", Some("general")));
    let far = Correction { geometry: Some(square(500_000.0, 2_400_000.0, 10.0)), ..Correction::default() };
    let far = Decision { corrected: far, ..decision("2", &ids[0], "r-1", DecisionVerdict::Problem, 1) };
    assert!(matches!(refused(store.record_decision(&far, &DecisionRules::default(), now())), Refusal::Invalid { .. }));
}

#[test]
fn pages_of_the_queue_add_up_and_keep_the_order() {
    let folder = TempDir::new().expect("a folder");
    let (store, ids) = with_patches(&folder.path().join("s.gpkg"), 137);
    let mut filter = everything();
    let mut seen = Vec::new();
    loop {
        let page = store.queue(&filter, "r-1", now(), 10).expect("a page");
        let Some(last) = page.last() else { break };
        filter.after = Some(last.key);
        seen.extend(page.into_iter().map(|row| row.patch_id));
    }
    assert_eq!(seen, ids);
    let mining = QueueFilter { issue_class: Some("mining".to_owned()), ..everything() };
    assert_eq!(queue(&store, "r-1", &mining).len(), 68);
    let told = |scope: &str| store.queue_values(&scope.parse().expect("a scope")).expect("values");
    assert_eq!(told("all"), told("reach:450702-001"));
    assert!(told("all").contains(&("issue_class".to_owned(), "mining".to_owned(), 68)), "{:?}", told("all"));
    let nowhere = QueueFilter { scope: "unit:450702".parse().expect("a scope"), ..QueueFilter::default() };
    assert_eq!(queue(&store, "r-1", &nowhere), Vec::<String>::new(), "no layer tells where they lie");
    let reach = QueueFilter { scope: "reach:450702-001".parse().expect("a scope"), ..QueueFilter::default() };
    assert_eq!(queue(&store, "r-1", &reach).len(), 137);
}

#[test]
fn the_queue_follows_assessments_and_publications() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("s.gpkg");
    let (mut store, pass, run) = filled(&path);
    store.publish(&publication(&run, &pass, "a", 3), now()).expect("published");
    let ids = queue(&store, "r-1", &everything());
    let connection = Connection::open(&path).expect("opened");
    let assess = |patch_id: &str, priority: f64, shown: bool| {
        let sql = "INSERT OR REPLACE INTO assessments (patch_id, priority, shown, adcd, severity, explanation, explanation_text)
                   VALUES (?1, ?2, ?3, '450702001002', 'major', '{}', '')";
        connection.execute(sql, rusqlite::params![patch_id, priority, shown]).expect("assessed");
    };
    assess(&ids[2], 9.0, true);
    assess(&ids[0], 1.0, false);
    assert_eq!(queue(&store, "r-1", &everything()), [ids[2].clone(), ids[1].clone()]);
    let city = QueueFilter { scope: "unit:4507".parse().expect("a scope"), ..QueueFilter::default() };
    assert_eq!(queue(&store, "r-1", &city), [ids[2].clone()]);
    let many = (0..20).map(|number| format!("reach:other-{number}")).collect::<Vec<_>>().join(",");
    for others in ["unit:4507,unit:450702", "unit:46,unit:4507", many.as_str()] {
        let scope = format!("{others},reach:450702-001").parse().expect("a scope");
        let filter = QueueFilter { scope, ..QueueFilter::default() };
        assert_eq!(queue(&store, "r-1", &filter), queue(&store, "r-1", &everything()), "once each, in order: {others}");
        let first = store.queue(&filter, "r-1", now(), 1).expect("a queue");
        let rest = QueueFilter { after: first.first().map(|row| row.key), ..filter };
        assert_eq!(queue(&store, "r-1", &rest), [ids[1].clone()]);
    }
    assert_eq!(store.patch_in_scope(&ids[2], &city.scope).expect("asked"), Some(true));
    assert_eq!(store.patch_in_scope(&ids[1], &city.scope).expect("asked"), Some(false));
    assert_eq!(store.patch_in_scope("nowhere", &city.scope).expect("asked"), None);
    assess(&ids[2], 0.0, true);
    assert_eq!(queue(&store, "r-1", &everything()), [ids[1].clone(), ids[2].clone()]);
    store.publish(&publication(&run, &pass, "b", 1), now()).expect("published");
    assert_eq!(queue(&store, "r-1", &everything()).len(), 0, "the one that is left is not shown");
}

#[test]
fn the_server_hands_out_the_next_free_patch_and_a_lease_ends_by_itself() {
    let folder = TempDir::new().expect("a folder");
    let (mut store, ids) = with_patches(&folder.path().join("s.gpkg"), 3);
    let duration = SignedDuration::from_mins(10);
    let mut next = |account: &str, time: &str| {
        let next = store.next_in_queue(&everything(), account, duration, at(time)).expect("asked");
        next.map(|(row, _)| row.patch_id)
    };
    assert_eq!(next("r-1", "2024-06-01T08:00:00Z").as_ref(), Some(&ids[0]));
    assert_eq!(next("r-2", "2024-06-01T08:01:00Z").as_ref(), Some(&ids[1]), "maproulette-frontend#1109");
    assert_eq!(next("r-1", "2024-06-01T08:02:00Z").as_ref(), Some(&ids[0]), "renewed");
    assert_eq!(next("r-3", "2024-06-01T08:03:00Z").as_ref(), Some(&ids[2]));
    assert_eq!(next("r-4", "2024-06-01T08:04:00Z"), None);
    assert_eq!(next("r-4", "2024-06-01T08:11:30Z").as_ref(), Some(&ids[1]), "nobody heard of r-2 any more");
    let held = store.take_lease(&ids[1], "r-2", duration, at("2024-06-01T08:12:00Z")).expect("asked");
    assert_eq!(held.account, "r-4");
    store.give_lease_back(&ids[1], "r-4").expect("given back");
    assert_eq!(store.lease_of(&ids[1], at("2024-06-01T08:12:00Z")).expect("asked"), None);
}

#[test]
fn figures_carry_their_intervals_and_a_sample_is_nobodys_choice() {
    let folder = TempDir::new().expect("a folder");
    let (mut store, ids) = with_patches(&folder.path().join("s.gpkg"), 40);
    for (i, patch_id) in ids.iter().enumerate() {
        let verdict = if i % 4 == 0 { DecisionVerdict::Problem } else { DecisionVerdict::NotAProblem };
        let made = decision(&format!("{i}"), patch_id, "r-1", verdict, 0);
        store.record_decision(&made, &DecisionRules::default(), now()).expect("recorded");
    }
    for by in YieldBy::ALL {
        let yields = store.yields(by, &Scope::all(), None, None).expect("figures");
        assert_eq!(yields.iter().map(|told| told.confirmed.of).sum::<u64>(), 40, "{by:?}");
        assert_eq!(yields.iter().map(|told| told.confirmed.hits).sum::<u64>(), 10, "{by:?}");
        assert!(yields.iter().all(|told| told.median_seconds == Some(9.5) && told.confirmed.low < told.confirmed.high));
    }
    let sample = |seed| store.audit_sample(&Scope::all(), "s-1", 0.5, seed, true).expect("a sample");
    assert!(sample("a") == sample("a") && sample("a") != sample("b"));
    assert!((5..26).contains(&sample("a").len()), "{}", sample("a").len());
    assert_eq!(store.audit_sample(&Scope::all(), "r-1", 1.0, "a", false).expect("a sample"), Vec::<String>::new());
    let counts = store.queue_counts(&Scope::all(), "r-1", at("2024-06-02T10:00:00Z")).expect("counts");
    assert_eq!((counts.waiting, counts.decided, counts.mine_today), (0, 40, 40));
}

#[test]
fn features_page_by_page_add_up_within_a_box_and_a_scope() {
    let folder = TempDir::new().expect("a folder");
    let (store, _) = with_patches(&folder.path().join("s.gpkg"), 250);
    let scope: Scope = "reach:450702-001".parse().expect("a scope");
    let bbox = Some([108.5, 21.8, 108.5205, 21.8015]);
    let query = |after| FeatureQuery { scope: scope.clone(), bbox, after, ..FeatureQuery::default() };
    let mut seen = Vec::new();
    loop {
        let after = seen.last().copied().unwrap_or(0);
        let page = store.feature_page(FeatureLayer::Patches, &query(after), 7).expect("a page");
        seen.extend(page.features.iter().map(|feature| feature.fid));
        if !page.more {
            break;
        }
    }
    assert!(seen.is_sorted() && seen.len() == 42, "{}", seen.len());
    assert_eq!(store.count_features(FeatureLayer::Patches, &query(0)).expect("a count"), Some(42));
    let elsewhere = FeatureQuery { scope: "reach:other".parse().expect("a scope"), bbox, ..FeatureQuery::default() };
    for layer in FeatureLayer::ALL {
        assert!(store.feature_page(layer, &elsewhere, 10).expect("a page").features.is_empty(), "{layer:?}");
        assert_eq!(store.count_features(layer, &elsewhere).expect("a count"), Some(0));
        store.feature_page(layer, &query(0), 10).expect("a page");
    }
    let one = FeatureQuery { scope: Scope::all(), id: Some("nowhere".to_owned()), ..FeatureQuery::default() };
    assert!(store.feature_page(FeatureLayer::Patches, &one, 1).expect("a page").features.is_empty());
}

#[test]
fn a_store_of_version_3_gets_its_queue() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("s.gpkg");
    let (store, ids) = with_patches(&path, 12);
    drop(store);
    make_older(&path, 2);
    let store = Store::open_existing(&path, now()).expect("brought up to date");
    let mut again = queue(&store, "r-1", &everything());
    let mut ids = ids;
    again.sort();
    ids.sort();
    assert_eq!(again, ids);
}

#[test]
fn a_served_store_is_one_file_again_afterwards() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("s.gpkg");
    let (mut store, ids) = with_patches(&path, 2);
    store.begin_serving().expect("begun");
    let reader = Store::open_read_only(&path).expect("a reader");
    assert_eq!(reader.patches(&PatchFilter::default()).expect("patches").len(), 2);
    let made = decision("1", &ids[0], "r-1", DecisionVerdict::Problem, 0);
    store.record_decision(&made, &DecisionRules::default(), now()).expect("recorded");
    assert_eq!(reader.decisions_on(&ids[0]).expect("decisions").len(), 1);
    drop(reader);
    assert!(store.end_serving().expect("ended"));
    drop(store);
    let files: Vec<_> =
        std::fs::read_dir(folder.path()).expect("a folder").map(|file| file.expect("a file").file_name()).collect();
    assert_eq!(files, ["s.gpkg"]);
}

const PATH: &str = "SHOREWATCH_STORE_UNDER_TEST";

/// Not a test of its own: decides on one patch after the other, says so, and is killed meanwhile.
#[test]
#[ignore = "run by decisions_survive_a_kill in a process of its own"]
fn child_that_decides() {
    use std::io::Write as _;
    let Some(path) = std::env::var_os(PATH) else { return };
    let mut store = Store::open_existing(Path::new(&path), now()).expect("a store");
    store.begin_serving().expect("begun");
    for patch_id in queue(&store, "r-1", &everything()) {
        let made = decision(&patch_id, &patch_id, "r-1", DecisionVerdict::Problem, 0);
        store.record_decision(&made, &DecisionRules::default(), now()).expect("recorded");
        let mut out = std::io::stdout().lock();
        writeln!(out, "decided {patch_id}").and_then(|()| out.flush()).expect("told");
    }
}

#[test]
fn decisions_survive_a_kill_none_lost_and_none_doubled() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("s.gpkg");
    drop(with_patches(&path, 400));
    let mut told = Vec::new();
    let mut kills = 0;
    for round in 0..6_u64 {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--ignored", "--exact", "child_that_decides", "--nocapture"])
            .env(PATH, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a child process");
        std::thread::sleep(Duration::from_millis(40 + 30 * round));
        child.kill().expect("killed");
        let output = child.wait_with_output().expect("ended");
        kills += usize::from(!output.status.success());
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        // a line without its end was not told
        let whole = lines.rsplit_once('\n').map_or("", |(whole, _)| whole);
        told.extend(whole.lines().filter_map(|line| line.rsplit_once("decided ").map(|(_, id)| id.to_owned())));
    }
    assert!(kills > 0 && !told.is_empty(), "{kills} kills, {} told", told.len());
    let store = Store::open_existing(&path, now()).expect("opened");
    let recorded = store.recorded_decisions().expect("decisions");
    let ids: std::collections::BTreeSet<_> = recorded.iter().map(|made| made.patch_id.clone()).collect();
    assert_eq!(ids.len(), recorded.len(), "none doubled");
    assert!(told.iter().all(|patch_id| ids.contains(patch_id)), "none lost");
    assert_eq!(store.recorded_reviews().expect("reviews").len(), recorded.len());
    assert_eq!(store.reviewed_sites().expect("sites").len(), recorded.len());
}
