//! `shorewatch review serve`, killed again and again while several reviewers decide: none lost, none doubled.
#![allow(clippy::print_stdout, reason = "it says what the kills met")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use common::served::{Served, ask};
use common::{Place, text};
use jiff::Timestamp;
use serde_json::{Value, json};
use shorewatch_domain::decision::DecisionVerdict;
use shorewatch_store::{DecisionRules, PatchFilter, Store};

const KILLS: u64 = 25;
const REVIEWERS: [&str; 4] = ["review-1", "review-2", "review-3", "review-4"];

/// What a client was told to be recorded: patch, decision, verdict (null: taken back).
type Told = (String, String, Value);

/// Between the clients and who kills the server.
struct Stage {
    /// Where the server listens, while it does.
    host: Mutex<String>,
    enough: AtomicBool,
    /// Requests that got no answer and were sent again.
    unanswered: AtomicUsize,
    /// Decisions that the server already had when they were sent again.
    repeated: AtomicUsize,
}

impl Stage {
    /// Asks until there is an answer: the same request each time.
    fn surely(&self, path: &str, headers: &str, body: &Value) -> Value {
        loop {
            let host = self.host.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(answer) = ask(&host, "POST", path, headers, body) {
                assert_eq!(answer.status, 200, "{path} {body}: {}", answer.json);
                self.repeated.fetch_add(usize::from(answer.json["repeated"] == json!(true)), Ordering::Relaxed);
                return answer.json;
            }
            self.unanswered.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Decides on patches in turn, and takes every fourth decision back, until it is enough.
    fn decide(&self, reviewer: &str, headers: &str, patch_ids: &[String]) -> Vec<Told> {
        let verdicts = [json!("problem"), json!("not_a_problem"), json!("under_watch"), Value::Null];
        let mut told = Vec::new();
        let mut versions = vec![0; patch_ids.len()];
        for turn in 0.. {
            if self.enough.load(Ordering::Relaxed) {
                break;
            }
            let at = turn % patch_ids.len();
            let address = format!("/api/patches/{}", patch_ids[at]);
            let decision_id = format!("{reviewer}-decides-{turn}");
            let verdict = &verdicts[turn / patch_ids.len() % verdicts.len()];
            let answer = if verdict.is_null() {
                self.surely(&format!("{address}/undo"), headers, &json!({ "decision_id": decision_id }))
            } else {
                self.surely(&format!("{address}/lease"), headers, &json!({}));
                let reason = if verdict == "not_a_problem" { json!("permitted") } else { Value::Null };
                let body = json!({ "decision_id": decision_id, "verdict": verdict, "reason": reason, "on_version": versions[at] });
                self.surely(&format!("{address}/decisions"), headers, &body)
            };
            versions[at] += 1;
            assert_eq!(answer["review"]["version"], json!(versions[at]), "one event more, never two: {answer}");
            told.push((patch_ids[at].clone(), decision_id, verdict.clone()));
        }
        told
    }
}

/// Decisions and verdicts of each patch, in order.
fn by_patch(all: impl IntoIterator<Item = Told>) -> BTreeMap<String, Vec<(String, Value)>> {
    let mut found: BTreeMap<String, Vec<(String, Value)>> = BTreeMap::new();
    for (patch_id, decision_id, verdict) in all {
        found.entry(patch_id).or_default().push((decision_id, verdict));
    }
    found
}

/// What follows from decisions: what is to be told, of which findings, and where each patch stands. Without times.
fn consequences(store: &Path) -> Vec<Vec<String>> {
    let store = rusqlite::Connection::open(store).expect("the store opens");
    [
        "SELECT event_id, finding_id, kind, patch_id, cause, details FROM outbox_events ORDER BY fid",
        "SELECT finding_id, standing, revision, content, patch_id FROM findings ORDER BY finding_id",
        "SELECT patch_id, finding_id, opens, verdict, decision_id FROM finding_patches ORDER BY patch_id",
        "SELECT patch_id, version, state, verdict, decision_id FROM decision_state ORDER BY patch_id",
        "SELECT patch_id, waiting, state, verdict FROM review_queue ORDER BY patch_id",
        "SELECT patch_id, verdict, reason FROM reviews ORDER BY fid",
    ]
    .iter()
    .map(|query| {
        let mut statement = store.prepare(query).expect("the table is there");
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            let cells: rusqlite::Result<Vec<_>> =
                (0..columns).map(|i| row.get::<_, rusqlite::types::Value>(i)).collect();
            Ok(format!("{:?}", cells?))
        });
        rows.expect("rows").collect::<rusqlite::Result<_>>().expect("rows")
    })
    .collect()
}

#[test]
fn killed_at_any_moment_the_server_loses_no_decision_and_doubles_none() {
    let place = Place::painted();
    let config = place.configure("review.toml", "state");
    let run = place.run(&["run", "--config", &config]);
    assert!(run.status.success(), "{}", text(&run));
    let passwords = REVIEWERS.map(|account| {
        let added = place.json(0, &["review", "account", "add", account, "--role", "reviewer", "--config", &config]);
        added["password"].clone()
    });
    let path = place.path("state/store.gpkg");
    std::fs::copy(&path, place.path("undisturbed.gpkg")).expect("a copy");
    let patches = Store::open_read_only(&path).expect("a store").patches(&PatchFilter::default()).expect("patches");
    assert!(patches.len() >= REVIEWERS.len(), "{} patches", patches.len());

    let mut served = Served::begin(&place, &config);
    let sessions: Vec<String> =
        REVIEWERS.iter().zip(&passwords).map(|(account, password)| served.log_in(account, password)).collect();
    let stage = Stage {
        host: Mutex::new(served.host().to_owned()),
        enough: AtomicBool::new(false),
        unanswered: AtomicUsize::new(0),
        repeated: AtomicUsize::new(0),
    };
    let told: Vec<Told> = std::thread::scope(|scope| {
        let clients: Vec<_> = REVIEWERS
            .iter()
            .zip(&sessions)
            .enumerate()
            .map(|(i, (reviewer, headers))| {
                // nobody decides behind the back of another: the versions that a client counts are those of its patches
                let own = patches.iter().skip(i).step_by(REVIEWERS.len());
                let own: Vec<String> = own.map(|stored| stored.patch.patch_id.clone()).collect();
                let stage = &stage;
                scope.spawn(move || stage.decide(reviewer, headers, &own))
            })
            .collect();
        for round in 0..KILLS {
            // 20 to 250 ms, in no order
            std::thread::sleep(Duration::from_millis(20 + round * 7919 % 231));
            served.kill();
            served = Served::begin(&place, &config);
            served.host().clone_into(&mut stage.host.lock().unwrap_or_else(PoisonError::into_inner));
        }
        stage.enough.store(true, Ordering::Relaxed);
        clients.into_iter().flat_map(|client| client.join().expect("a client")).collect()
    });
    served.end();

    let unanswered = stage.unanswered.load(Ordering::Relaxed);
    let repeated = stage.repeated.load(Ordering::Relaxed);
    println!(
        "{KILLS} kills, {} decisions, {unanswered} requests unanswered, {repeated} known when sent again",
        told.len()
    );
    assert!(unanswered > 0, "no kill met a request");
    let store = Store::open_existing(&path, Timestamp::now()).expect("the store opens");
    let recorded = store.recorded_decisions().expect("decisions");
    let verdict = |verdict: Option<DecisionVerdict>| json!(verdict.map(DecisionVerdict::name));
    let in_store = recorded.iter().map(|made| (made.patch_id.clone(), made.decision_id.clone(), verdict(made.verdict)));
    let in_store = by_patch(in_store);
    assert_eq!(in_store, by_patch(told), "what was answered is there once, and in its order");
    for (patch_id, events) in &in_store {
        let review = store.patch_review(patch_id).expect("where it stands");
        assert_eq!(review.version, events.len() as u64, "{patch_id}");
        let last = &events.last().expect("an event").1;
        assert!(last.is_null() || verdict(review.verdict) == *last, "{patch_id}: the last event counts");
    }
    drop(store);

    // the same decisions on the same store, in one go and by nobody killed
    let undisturbed = place.path("undisturbed.gpkg");
    let mut store = Store::open_existing(&undisturbed, Timestamp::now()).expect("the copy opens");
    store.record_decisions(&recorded, &DecisionRules::default(), Timestamp::now()).expect("recorded");
    drop(store);
    let names = ["outbox", "findings", "their patches", "states", "queue", "labels"];
    let (killed, whole) = (consequences(&path), consequences(&undisturbed));
    assert!(!whole[0].is_empty(), "something is to be told");
    for (name, (killed, whole)) in names.iter().zip(killed.iter().zip(&whole)) {
        assert_eq!(killed, whole, "{name}");
    }
}
