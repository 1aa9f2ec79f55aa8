//! Findings while everything breaks: a receiver that fails, and a sender that is killed again and again.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;
use shorewatch_findings::deliver::{Mode, deliver};
use shorewatch_store::Store;

use super::receiver::{Fault, Receiver};
use super::{Dice, decided, set_secret, settings, store, webhook};

/// Tells a process that it is the sender: folder of the store, address of the receiver.
pub const SENDER: &str = "SHOREWATCH_TEST_SENDER";

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    pub findings: usize,
    pub events: u64,
    pub kills: u32,
    pub requests: u64,
    pub repeated_requests: u64,
    pub faults: u64,
    pub lost: usize,
    pub doubled: usize,
    pub out_of_order: usize,
    pub redirects_followed: u64,
    pub seconds: f64,
}

/// The life of a sender process: delivers until it is killed, or until its parent is gone.
pub fn be_sender() -> bool {
    let Ok(what) = std::env::var(SENDER) else { return false };
    let (folder, address) = what.split_once('|').expect("folder|address");
    let folder = Path::new(folder);
    let store = Store::open_existing(folder.join("shorewatch.gpkg"), Timestamp::now()).expect("a store");
    let url = format!("http://{address}/hook");
    let settings = settings(folder, vec![webhook("tracker", &url)], vec![address.to_owned()]);
    let stop = Arc::new(AtomicBool::new(false));
    let parent = std::os::unix::process::parent_id();
    let watched = Arc::clone(&stop);
    std::thread::spawn(move || {
        while std::os::unix::process::parent_id() == parent {
            std::thread::sleep(Duration::from_millis(200));
        }
        watched.store(true, Ordering::Relaxed);
    });
    deliver(store, settings, Mode::Watch, stop).expect("delivered until it was stopped");
    true
}

/// This program once more, as the sender: `arguments` lead it to [`be_sender`].
pub fn own_sender(arguments: &[&str]) -> impl Fn(&Path, &str) -> Command + use<> {
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    move |folder: &Path, address: &str| {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(&arguments).env(SENDER, format!("{}|{address}", folder.display()));
        command
    }
}

fn spawn(command: &mut Command) -> Child {
    let quiet = std::env::var_os("SHOREWATCH_TEST_LOUD").is_none();
    if quiet {
        command.stdout(Stdio::null()).stderr(Stdio::null());
    }
    command.spawn().expect("a sender")
}

/// Sends `findings` findings, each decided on up to four times, and kills the sender every `kill_after` or so.
pub fn storm(folder: &Path, findings: usize, kill_after: Duration, sender: &dyn Fn(&Path, &str) -> Command) -> Figures {
    set_secret();
    let begun = Instant::now();
    let receiver = Receiver::start(180);
    let mut office = store(folder);
    let mut child = spawn(&mut sender(folder, &receiver.host()));
    let (mut kills, mut dice, mut last_kill) = (0, Dice(11), Instant::now());
    let mut next_kill = kill_after;
    let mut keep_killing = |child: &mut Child, dice: &mut Dice| {
        if last_kill.elapsed() >= next_kill {
            child.kill().expect("killed (SIGKILL)");
            child.wait().expect("gone");
            kills += 1;
            *child = spawn(&mut sender(folder, &receiver.host()));
            last_kill = Instant::now();
            next_kill = kill_after.mul_f64(0.5 + dice.roll(100) as f64 / 100.0);
        }
    };
    let truth = decide(&mut office, findings, &mut dice, &mut |dice| keep_killing(&mut child, dice));
    let patience = Instant::now();
    loop {
        keep_killing(&mut child, &mut dice);
        std::thread::sleep(Duration::from_millis(100));
        let standing = office.target_standings().expect("standings").into_iter().next();
        let done = standing.is_some_and(|standing| standing.waiting == 0 && standing.dead == 0);
        if done || patience.elapsed() > Duration::from_secs(1_800) {
            break;
        }
    }
    child.kill().expect("killed");
    child.wait().expect("gone");
    let kept = receiver.kept.lock().expect("kept");
    let mut figures = Figures {
        findings,
        events: kept.ids.len() as u64,
        kills,
        requests: kept.requests,
        repeated_requests: kept.repeats,
        faults: kept.faults.iter().filter(|(fault, _)| **fault != Fault::None).map(|(_, count)| count).sum(),
        lost: 0,
        doubled: 0,
        out_of_order: 0,
        redirects_followed: kept.strays,
        seconds: begun.elapsed().as_secs_f64(),
    };
    for (finding_id, wanted) in &truth {
        let issue = kept.issues.get(finding_id).cloned().unwrap_or_default();
        let got = issue.stands.then(|| issue.severity.clone());
        figures.lost += usize::from(got != *wanted);
        // an issue is opened once for each time that it was confirmed after having been withdrawn
        let confirmed = issue.told.iter().filter(|kind| *kind == "finding.confirmed").count();
        let withdrawn = issue.told.iter().filter(|kind| *kind == "finding.withdrawn").count();
        figures.doubled += usize::from(confirmed > withdrawn + 1 || issue.opened as usize != confirmed);
        figures.out_of_order += usize::from(!(issue.times.is_sorted() && issue.revisions.is_sorted()));
    }
    assert_eq!(kept.bad_signatures, 0, "signatures hold");
    figures
}

/// Decides, in batches, on findings that are being sent already. Returns how each one must stand in the end: its severity, or
/// that it does not.
fn decide(
    office: &mut Store,
    findings: usize,
    dice: &mut Dice,
    meanwhile: &mut dyn FnMut(&mut Dice),
) -> BTreeMap<String, Option<String>> {
    let mut truth = BTreeMap::new();
    let mut number = 0;
    for batch in 0..findings.div_ceil(50) {
        let mut decisions = Vec::new();
        for finding in batch * 50..((batch + 1) * 50).min(findings) {
            let patch_id = format!("patch-{finding:06}");
            number += 1;
            decisions.push(decided(number, &patch_id, "problem", "general"));
            truth.insert(format!("finding-{patch_id}"), Some("general".to_owned()));
        }
        // and news of earlier ones
        for _ in 0..25 {
            let patch_id = format!("patch-{:06}", dice.roll(((batch + 1) * 50).min(findings) as u64));
            let (verdict, severity) = match dice.roll(4) {
                0 => ("not_a_problem", "none"),
                1 => ("problem", "major"),
                2 => ("problem", "serious"),
                _ => ("under_watch", "general"),
            };
            number += 1;
            decisions.push(decided(number, &patch_id, verdict, severity));
            let stands = verdict != "not_a_problem";
            truth.insert(format!("finding-{patch_id}"), stands.then(|| severity.to_owned()));
        }
        let now = Timestamp::now();
        office.decide_findings(&decisions, now, now).expect("decided");
        meanwhile(dice);
        // so that some of it is on its way when there is news of it
        std::thread::sleep(Duration::from_millis(20));
    }
    truth
}

/// Events a second to a receiver without fault, in this process.
pub fn throughput(folder: &Path, findings: usize) -> f64 {
    set_secret();
    let receiver = Receiver::start(0);
    let mut office = store(folder);
    queue(&mut office, findings);
    let settings = settings(folder, vec![webhook("tracker", &receiver.url())], vec![receiver.host()]);
    let begun = Instant::now();
    deliver(office, settings, Mode::Once, Arc::default()).expect("delivered");
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!(receiver.kept.lock().expect("kept").issues.len(), findings);
    findings as f64 / seconds
}

/// Queues confirmations.
pub fn queue(office: &mut Store, findings: usize) {
    for batch in 0..findings.div_ceil(10_000) {
        let numbers = batch * 10_000..((batch + 1) * 10_000).min(findings);
        let decisions: Vec<_> =
            numbers.map(|number| decided(number, &format!("patch-{number:07}"), "problem", "general")).collect();
        let now = Timestamp::now();
        office.decide_findings(&decisions, now, now).expect("decided");
    }
}

/// Most memory in MiB that a sender takes which works on a queue for a while, and what it delivered meanwhile.
pub fn memory(
    folder: &Path,
    queued: usize,
    while_for: Duration,
    sender: &dyn Fn(&Path, &str) -> Command,
) -> (f64, usize) {
    set_secret();
    let receiver = Receiver::start(0);
    let mut office = store(folder);
    queue(&mut office, queued);
    drop(office);
    let mut child = spawn(&mut sender(folder, &receiver.host()));
    let (begun, mut most) = (Instant::now(), 0.0_f64);
    while begun.elapsed() < while_for {
        std::thread::sleep(Duration::from_millis(200));
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: f64 = line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or_default();
        most = most.max(kib / 1024.0);
    }
    child.kill().expect("killed");
    child.wait().expect("gone");
    let delivered = receiver.kept.lock().expect("kept").issues.len();
    (most, delivered)
}
