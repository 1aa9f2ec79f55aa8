//! Stories of the outbox.

use jiff::ToSpan;
use shorewatch_domain::case::CaseRules;
use tempfile::TempDir;

use super::deliveries::{Attempt, Due, Ended, TargetTrouble};
use super::issues::{IssueReport, Taken};
use super::journal::Journal;
use super::worker::DeliveryWorker;
use super::*;

const TARGET: &str = "tracker";

fn start() -> Timestamp {
    "2024-06-01T00:00:00Z".parse().expect("a time")
}

/// A store, and the worker that delivers from it.
struct Office {
    folder: TempDir,
    store: Store,
    worker: DeliveryWorker,
    journal: Journal,
    now: Timestamp,
    decisions: usize,
}

impl Office {
    fn open() -> Self {
        let folder = TempDir::new().expect("a folder");
        Self::at(folder)
    }

    fn at(folder: TempDir) -> Self {
        let now = start();
        let path = folder.path().join("s.gpkg");
        let mut store = Store::create_or_open(&path, now).expect("a store");
        store.connection.pragma_update(None, "foreign_keys", false).expect("a setting");
        let worker = store.become_delivery_worker("test", now).expect("a worker");
        let journal = Journal::open(&path, now).expect("a journal");
        Self { folder, store, worker, journal, now, decisions: 0 }
    }

    fn decide(&mut self, patch_id: &str, verdict: &str, hold_minutes: i64) {
        self.decisions += 1;
        let decided = Decided {
            decision_id: format!("decision-{}", self.decisions),
            patch_id: patch_id.to_owned(),
            verdict: DecisionVerdict::ALL.into_iter().find(|known| verdict.split(' ').next() == Some(known.name())),
            corrected: serde_json::json!({ "severity": verdict.split(' ').nth(1) }),
            decided_at: self.now,
            ..Decided::default()
        };
        self.store.decide_findings(&[decided], self.now + hold_minutes.minutes(), self.now).expect("decided");
    }

    fn due(&mut self) -> Vec<Due> {
        while self.store.fan_out(&self.worker, TARGET).expect("deliveries") > 0 {}
        self.store.claim(&self.worker, TARGET, 100, self.now).expect("due")
    }

    fn end(&mut self, due: &Due, ended: Ended) {
        let attempt = Attempt {
            event: due.event,
            event_id: due.event_id.clone(),
            finding_id: due.finding_id.clone(),
            ended,
            status_code: None,
            error: None,
            external_id: None,
        };
        let trouble = TargetTrouble::default();
        self.store
            .settle_attempts(&self.worker, &mut self.journal, TARGET, &[attempt], &trouble, self.now)
            .expect("written");
    }

    /// Sends all that is due, until nothing is; tells what the receiver heard.
    fn sent(&mut self) -> Vec<String> {
        let mut heard = Vec::new();
        loop {
            let due = self.due();
            if due.is_empty() {
                return heard;
            }
            for one in due {
                heard.push(format!("{} {}", one.finding_id.trim_start_matches("finding-"), one.kind.name()));
                self.end(&one, Ended::Delivered);
            }
        }
    }

    fn wait(&mut self, minutes: i64) {
        self.now += minutes.minutes();
    }

    fn report(&mut self, report_id: &str, state: IssueState) -> Taken {
        let report = IssueReport {
            report_id: report_id.to_owned(),
            target: TARGET.to_owned(),
            finding_id: Some("finding-p1".to_owned()),
            external_id: None,
            state,
            outcome: None,
            note: None,
            reported_at: self.now,
        };
        self.store.take_report(&report, &[30], self.now).expect("taken")
    }

    /// A pass that follows up a patch.
    fn pass(&mut self, day: &str, patch_id: &str, observed: f64, present: Option<f64>, changed: Option<f64>) {
        let id = Digest::of_bytes(day.as_bytes());
        let acquired_at: Timestamp = format!("2024-{day}T03:00:00Z").parse().expect("a time");
        self.store
            .connection
            .execute(
                "INSERT INTO publications (publication_id, run_id, pass_id, grid_epsg, pixel_size_m, grid_origin_x,
                     grid_origin_y, post_date, is_current, patch_count) VALUES (?1, ?1, ?1, 4490, 1, 0, 0, ?2, 1, 0)",
                params![Hex(id), Utc(acquired_at)],
            )
            .expect("a publication");
        self.store
            .connection
            .execute(
                "INSERT INTO follow_ups (publication_id, pass_id, patch_id, observed_fraction, present_fraction, changed_fraction)
                 VALUES (?1, ?1, ?2, ?3, ?4, ?5)",
                params![Hex(id), patch_id, observed, present, changed],
            )
            .expect("a follow-up");
    }

    fn judged(&mut self) -> u64 {
        self.store.judge_closures(&CaseRules::default(), self.now).expect("judged")
    }

    fn requests(&self) -> Vec<String> {
        self.store.rows("read", "SELECT reason FROM review_requests ORDER BY fid", [], |row| row.get(0)).expect("rows")
    }
}

#[test]
fn a_verdict_that_is_undone_in_time_is_never_heard_of() {
    let mut office = Office::open();
    office.decide("p1", "problem", 10);
    assert_eq!(office.sent(), [""; 0]);
    office.wait(5);
    office.decide("p1", "undo", 10);
    office.wait(60);
    assert_eq!(office.sent(), [""; 0]);
    office.decide("p1", "problem general", 0);
    office.decide("p1", "problem serious", 0);
    assert_eq!(office.sent(), ["p1 finding.confirmed"]);
    office.decide("p1", "problem major", 0);
    office.decide("p1", "not_a_problem", 0);
    assert_eq!(office.sent(), ["p1 finding.withdrawn"]);
    office.decide("p2", "not_a_problem", 0);
    office.decide("p3", "under_watch", 0);
    assert_eq!(office.sent(), ["p3 finding.confirmed"]);
}

#[test]
fn what_may_have_arrived_is_not_joined() {
    let mut office = Office::open();
    office.decide("p1", "problem", 0);
    let due = office.due();
    office.end(&due[0], Ended::Again { at: office.now, certain: false });
    office.decide("p1", "undo", 0);
    assert_eq!(office.sent(), ["p1 finding.confirmed", "p1 finding.withdrawn"]);
    office.decide("p2", "problem", 0);
    let due = office.due();
    office.end(&due[0], Ended::Again { at: office.now, certain: true });
    office.decide("p2", "undo", 0);
    assert_eq!(office.sent(), [""; 0]);
}

#[test]
fn a_dead_letter_holds_up_its_own_finding_alone() {
    let mut office = Office::open();
    office.decide("p1", "problem", 0);
    office.decide("p2", "problem", 0);
    let due = office.due();
    office.end(&due[0], Ended::Dead { certain: false });
    office.end(&due[1], Ended::Delivered);
    office.decide("p1", "problem major", 0);
    office.decide("p2", "problem major", 0);
    assert_eq!(office.sent(), ["p2 finding.updated"]);
    let standing = office.store.target_standings().expect("standings").remove(0);
    assert_eq!((standing.dead, standing.behind_dead, standing.waiting, standing.delivered), (1, 1, 1, 2));
    assert_eq!(office.store.dead_letters(10).expect("letters")[0].finding_id, "finding-p1");
    assert_eq!(office.store.replay(TARGET, None, office.now).expect("replayed"), 1);
    assert_eq!(office.sent(), ["p1 finding.confirmed", "p1 finding.updated"]);
    assert!(office.store.replay(TARGET, Some("evt_none"), office.now).is_err());
}

#[test]
fn a_worker_that_was_replaced_writes_nothing() {
    let mut office = Office::open();
    office.decide("p1", "problem", 0);
    let due = office.due();
    let second = office.store.become_delivery_worker("other", office.now).expect_err("held");
    assert!(matches!(second, StoreError::LeaseHeld { .. }), "{second}");
    let newer = office.store.take_over_delivery(office.now);
    let (old, trouble) = (std::mem::replace(&mut office.worker, newer), TargetTrouble::default());
    let stale = office.store.settle_attempts(&old, &mut office.journal, TARGET, &[], &trouble, office.now);
    assert!(stale.expect_err("refused").to_string().contains("cannot"), "it says what it could not do");
    assert!(office.store.claim(&old, TARGET, 1, office.now).is_err());
    // what the first one had claimed is sent by the second one, as the same event
    let again = office.due();
    assert_eq!((again.len(), &again[0].event_id, again[0].attempt), (1, &due[0].event_id, 2));
}

#[test]
fn row_38_after_a_restored_backup_nothing_is_sent_again() {
    let mut office = Office::open();
    office.decide("p1", "problem", 0);
    let store = office.folder.path().join("s.gpkg");
    let backup = office.folder.path().join("backup.gpkg");
    std::fs::copy(&store, &backup).expect("a backup");
    assert_eq!(office.sent(), ["p1 finding.confirmed"]);
    office.decide("p2", "problem", 0);
    assert_eq!(office.sent(), ["p2 finding.confirmed"]);

    let Office { folder, store: open, worker, journal, .. } = office;
    drop((open, worker, journal));
    std::fs::copy(&backup, &store).expect("restored");
    let mut office = Office::at(folder);
    assert_eq!(office.store.catch_up(&office.worker, &office.journal).expect("read"), 2);
    assert_eq!(office.sent(), [""; 0]);
    let unknown = office.store.unknown_deliveries(10).expect("unknown");
    assert_eq!(unknown.len(), 1, "the event of p2 is not in this store: {unknown:?}");
    // read once more it says nothing new
    assert_eq!(office.store.catch_up(&office.worker, &office.journal).expect("read"), 0);
}

#[test]
fn a_crash_between_journal_and_store_sends_nothing_twice() {
    let mut office = Office::open();
    office.decide("p1", "problem", 0);
    let due = office.due();
    office.journal.append([(due[0].event_id.as_str(), TARGET)], office.now).expect("written");
    let Office { folder, store, worker, mut journal, now, .. } = office;
    // … and a line that was cut off
    let path = journal::path_of(store.path());
    drop((store, worker));
    std::fs::write(&path, [std::fs::read(&path).expect("bytes"), b"evt_cut\ttrack".to_vec()].concat()).expect("cut");
    journal = {
        drop(journal);
        Journal::open(&folder.path().join("s.gpkg"), now).expect("a journal")
    };
    drop(journal);
    let mut office = Office::at(folder);
    assert_eq!(office.store.catch_up(&office.worker, &office.journal).expect("read"), 1);
    assert_eq!(office.sent(), [""; 0]);
}

#[test]
fn a_batch_that_broke_off_is_written_again_as_it_was() {
    let mut office = Office::open();
    office.decide("p1", "problem", 0);
    office.decide("p2", "problem", 0);
    while office.store.fan_out(&office.worker, TARGET).expect("deliveries") > 0 {}
    let (name, due) = office.store.claim_batch(&office.worker, TARGET, 10, office.now).expect("read").expect("a batch");
    assert_eq!(due.len(), 2);
    office.decide("p3", "problem", 0);
    while office.store.fan_out(&office.worker, TARGET).expect("deliveries") > 0 {}
    let again = office.store.claim_batch(&office.worker, TARGET, 10, office.now).expect("read").expect("a batch");
    assert_eq!((again.0, again.1.len()), (name, 2));
    for one in &due {
        office.end(one, Ended::Delivered);
    }
    let next = office.store.claim_batch(&office.worker, TARGET, 10, office.now).expect("read").expect("a batch");
    assert_eq!(next.1.iter().map(|one| one.finding_id.as_str()).collect::<Vec<_>>(), ["finding-p3"]);
}

#[test]
fn a_closure_is_contradicted_then_supported_and_looked_back_at() {
    let mut office = Office::open();
    office.decide("p1", "problem", 0);
    office.sent();
    assert_eq!(office.report("r1", IssueState::Accepted), Taken::Applied);
    office.pass("06-01", "p1", 1.0, Some(0.0), Some(0.9));
    office.wait(24 * 60);
    assert_eq!(office.report("r2", IssueState::ClosureRequested), Taken::Applied);
    assert_eq!(office.report("r2", IssueState::ClosureRequested), Taken::Repeated);
    assert_eq!(office.judged(), 0, "no pass since then");
    office.pass("06-05", "p1", 0.1, None, None);
    office.pass("06-10", "p1", 0.9, Some(0.8), Some(0.1));
    office.now = "2024-06-10T12:00:00Z".parse().expect("a time");
    assert_eq!(office.judged(), 2);
    assert_eq!(office.judged(), 0);
    assert_eq!(office.sent(), ["p1 finding.unobserved", "p1 finding.closure_contradicted"]);
    assert_eq!(office.requests(), ["finding.closure_contradicted"]);

    office.report("r3", IssueState::Returned);
    office.wait(24 * 60);
    office.report("r4", IssueState::ClosureRequested);
    office.pass("06-20", "p1", 0.9, Some(0.1), Some(0.9));
    office.judged();
    assert_eq!(office.sent(), ["p1 finding.closure_supported"]);
    office.now = "2024-06-21T00:00:00Z".parse().expect("a time");
    office.report("r5", IssueState::Closed);
    // a report that was late changes nothing
    office.now = "2024-06-15T00:00:00Z".parse().expect("a time");
    assert_eq!(office.report("r6", IssueState::Rectifying), Taken::Stale);
    assert_eq!(office.store.reimaging_list().expect("places").len(), 1);
    office.pass("07-10", "p1", 1.0, Some(1.0), Some(0.1));
    assert_eq!(office.judged(), 0, "30 days have not passed");
    office.pass("07-25", "p1", 1.0, Some(1.0), Some(0.1));
    office.now = "2024-07-25T12:00:00Z".parse().expect("a time");
    office.judged();
    assert_eq!(office.sent(), ["p1 finding.recurred"]);
    let finding = office.store.finding("p1").expect("read").expect("a finding");
    assert_eq!((finding.occurrence, finding.issue_state), (2, None));
    let unknown = IssueReport {
        report_id: "r9".to_owned(),
        target: TARGET.to_owned(),
        finding_id: Some("finding-nobody".to_owned()),
        external_id: None,
        state: IssueState::Closed,
        outcome: None,
        note: None,
        reported_at: office.now,
    };
    assert_eq!(office.store.take_report(&unknown, &[], office.now).expect("read"), Taken::UnknownFinding);
}

#[test]
fn what_cannot_be_told_asks_a_person() {
    let mut office = Office::open();
    office.decide("p1", "problem", 0);
    office.sent();
    office.report("r1", IssueState::ClosureRequested);
    office.pass("06-10", "p1", 0.9, Some(0.35), None);
    office.judged();
    assert_eq!(office.sent(), ["p1 finding.unobserved"]);
    assert_eq!(office.requests(), ["closure_cannot_be_told"]);
    // the reviewer's decision answers the request
    office.decide("p1", "problem", 0);
    let open: Vec<String> = office
        .store
        .rows("read", "SELECT reason FROM review_requests WHERE done_at IS NULL", [], |row| row.get(0))
        .expect("rows");
    assert!(open.is_empty());
}

#[test]
fn a_deadline_is_escalated_once_and_changed_rules_are_told() {
    let mut office = Office::open();
    office.decide("p1", "problem", 0);
    office.sent();
    let assess = |office: &Office, digest: &str| {
        office
            .store
            .connection
            .execute(
                "INSERT OR REPLACE INTO assessments (patch_id, deadline, digest) VALUES ('p1', '2024-06-20', ?1)",
                [digest],
            )
            .expect("a row");
    };
    assess(&office, "a");
    assert_eq!(office.store.refresh_findings(office.now).expect("read"), 0);
    assess(&office, "b");
    assert_eq!(office.store.refresh_findings(office.now).expect("read"), 1);
    assert_eq!(office.sent(), ["p1 finding.updated"]);
    let escalate = |office: &mut Office, day: &str| {
        office.store.escalate_overdue(day.parse().expect("a day"), office.now).expect("read")
    };
    assert_eq!(escalate(&mut office, "2024-06-20"), 0);
    assert_eq!(escalate(&mut office, "2024-06-21"), 1);
    assert_eq!(escalate(&mut office, "2024-06-22"), 0);
    assert_eq!(office.sent(), ["p1 finding.updated"]);
}

#[test]
fn reports_of_one_place_are_one_area() {
    use shorewatch_domain::tasking::around;
    let mut office = Office::open();
    let report = |id: &str, longitude: f64, level: u8| tasking::PublicReport {
        report_id: id.to_owned(),
        outline: around(longitude, 21.9, 100.0),
        source: "hotline".to_owned(),
        level,
        note: None,
        reported_at: start(),
    };
    let mut take = |report: &tasking::PublicReport| office.store.take_public_report(report, start()).expect("taken");
    let first = take(&report("a", 108.6, 1)).expect("an area");
    assert_eq!(take(&report("a", 108.6, 1)), None);
    assert_eq!(take(&report("b", 108.6004, 3)), Some(first.clone()));
    assert_ne!(take(&report("c", 108.61, 2)), Some(first.clone()));
    let areas = office.store.open_tasking_areas().expect("areas");
    assert_eq!(areas.iter().map(|area| (area.level, area.reports)).collect::<Vec<_>>(), [(3, 2), (2, 1)]);
    let bad = tasking::PublicReport { source: " ".to_owned(), ..report("d", 108.7, 1) };
    assert!(office.store.take_public_report(&bad, start()).is_err());
}
