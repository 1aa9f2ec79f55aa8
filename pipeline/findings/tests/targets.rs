//! Targets that answer in every way that HTTP knows: rows 24 to 28 and 36 of the table of faults.

mod common;

use std::sync::Arc;
use std::time::Instant;

use common::receiver::Receiver;
use common::{decided, set_secret, settings, store, webhook};
use jiff::{SignedDuration, Timestamp};
use shorewatch_findings::deliver::{Mode, Summary, deliver};
use shorewatch_findings::settings::{Settings, Target, TargetKind};
use shorewatch_store::Store;
use tempfile::TempDir;

fn queue(folder: &TempDir, verdicts: &[(&str, &str)]) {
    let mut store = store(folder.path());
    let known = store.confirmed_patches().expect("patches").len() * 100;
    for (number, (patch_id, verdict)) in verdicts.iter().enumerate() {
        let now = Timestamp::now();
        let number = known + number + (now.as_millisecond() % 1_000_000) as usize * 100;
        store.decide_findings(&[decided(number, patch_id, verdict, "general")], now, now).expect("decided");
    }
}

fn send(folder: &TempDir, settings: &Settings) -> Summary {
    let store = Store::open_existing(folder.path().join("shorewatch.gpkg"), Timestamp::now()).expect("a store");
    deliver(store, settings.clone(), Mode::Once, Arc::default()).expect("done")
}

/// A receiver that answers the next requests by script, the first of them last in the list.
fn scripted(answers: &[(u16, &'static str, &str)]) -> (TempDir, Receiver, Settings) {
    set_secret();
    let folder = TempDir::new().expect("a folder");
    let receiver = Receiver::start(0);
    let script = answers.iter().rev().map(|(status, name, value)| (*status, vec![(*name, (*value).to_owned())]));
    *receiver.script.lock().expect("a script") = script.collect();
    let mut settings = settings(folder.path(), vec![webhook("tracker", &receiver.url())], vec![receiver.host()]);
    settings.targets[0].concurrency = 1;
    (folder, receiver, settings)
}

fn requests(receiver: &Receiver) -> u64 {
    receiver.kept.lock().expect("kept").requests
}

fn wait(summary: &Summary) {
    let _ = summary;
    std::thread::sleep(std::time::Duration::from_millis(500));
}

#[test]
fn row_24_errors_are_tried_again_redirects_are_failures_and_retry_after_is_heeded() {
    for (status, name, value) in
        [(500, "x-none", "1"), (503, "x-none", "1"), (302, "location", "http://127.0.0.1:1/x"), (401, "x-none", "1")]
    {
        let (folder, receiver, settings) = scripted(&[(status, name, value)]);
        queue(&folder, &[("p1", "problem")]);
        let first = send(&folder, &settings);
        assert_eq!((first.targets[0].waiting, first.targets[0].delivered), (1, 0), "{status}");
        let error = first.targets[0].last_error.clone().unwrap_or_default();
        let word = match status {
            302 => "redirect",
            401 => "secret",
            _ => "status 50",
        };
        assert!(error.contains(word), "{status}: {error}");
        wait(&first);
        let second = send(&folder, &settings);
        assert_eq!((second.targets[0].waiting, second.targets[0].delivered), (0, 1), "{status}");
        assert_eq!(requests(&receiver), 2, "{status}: the redirect was not followed");
    }
    let (folder, receiver, settings) = scripted(&[(429, "retry-after", "2")]);
    queue(&folder, &[("p1", "problem"), ("p2", "problem")]);
    let first = send(&folder, &settings);
    let until = first.targets[0].paused_until.expect("the target is left alone");
    assert!(until.duration_since(Timestamp::now()) > SignedDuration::from_millis(800), "{until}");
    wait(&first);
    send(&folder, &settings);
    assert_eq!(requests(&receiver), 1, "nothing is sent before it may be");
    std::thread::sleep(std::time::Duration::from_millis(1_800));
    assert_eq!(send(&folder, &settings).targets[0].delivered, 2);
}

#[test]
fn row_26_a_poison_message_is_a_dead_letter_and_410_switches_the_target_off() {
    let (folder, receiver, settings) = scripted(&[(422, "x-none", "1")]);
    queue(&folder, &[("p1", "problem"), ("p2", "problem"), ("p3", "problem")]);
    let sent = send(&folder, &settings);
    assert_eq!((sent.targets[0].dead, sent.targets[0].delivered), (1, 2));
    assert!(sent.alarms[0].contains("dead letters"), "{:?}", sent.alarms);
    let mut open = store(folder.path());
    let letter = open.dead_letters(10).expect("letters").remove(0);
    assert_eq!((letter.status_code, letter.kind.as_str()), (Some(422), "finding.confirmed"));
    assert_eq!(open.replay("tracker", Some(&letter.event_id), Timestamp::now()).expect("replayed"), 1);
    drop(open);
    assert_eq!(send(&folder, &settings).targets[0].delivered, 3);
    assert_eq!(receiver.kept.lock().expect("kept").issues.len(), 3);

    receiver.script.lock().expect("a script").push((410, Vec::new()));
    queue(&folder, &[("p4", "problem"), ("p5", "problem")]);
    let off = send(&folder, &settings);
    assert!(off.targets[0].disabled_reason.is_some() && off.targets[0].waiting == 2, "{off:?}");
    let before = requests(&receiver);
    send(&folder, &settings);
    assert_eq!(requests(&receiver), before, "nothing is sent to a target that wants nothing");
    store(folder.path()).replay("tracker", None, Timestamp::now()).expect("switched on");
    wait(&off);
    assert_eq!(send(&folder, &settings).targets[0].delivered, 5);
}

#[test]
fn row_27_what_was_undone_before_it_was_sent_is_not_heard_of_and_afterwards_it_is_withdrawn() {
    let (folder, receiver, settings) = scripted(&[]);
    queue(&folder, &[("p1", "problem"), ("p1", "not_a_problem"), ("p2", "problem")]);
    send(&folder, &settings);
    queue(&folder, &[("p2", "not_a_problem")]);
    send(&folder, &settings);
    let kept = receiver.kept.lock().expect("kept");
    assert!(!kept.issues.contains_key("finding-p1"));
    assert_eq!(kept.issues["finding-p2"].told, ["finding.confirmed", "finding.withdrawn"]);
}

#[test]
fn one_target_that_is_down_holds_up_no_other() {
    let (folder, receiver, mut settings) = scripted(&[]);
    // nobody listens there
    settings.targets.insert(0, webhook("down", "http://127.0.0.1:9/hook"));
    settings.hosts.private.push("127.0.0.1:9".to_owned());
    queue(&folder, &[("p1", "problem"), ("p2", "problem")]);
    let sent = send(&folder, &settings);
    let [down, tracker] = &sent.targets[..] else { panic!("two targets: {sent:?}") };
    assert_eq!((down.name.as_str(), down.waiting, tracker.delivered), ("down", 2, 2));
    assert_eq!(receiver.kept.lock().expect("kept").issues.len(), 2);
    // what surely did not arrive is still joined with what came after: at the other target it is withdrawn
    queue(&folder, &[("p1", "not_a_problem")]);
    wait(&sent);
    let sent = send(&folder, &settings);
    assert_eq!((sent.targets[0].joined, sent.targets[0].waiting, sent.targets[1].delivered), (2, 1, 3));
}

#[test]
fn row_36_a_target_that_is_not_listed_gets_nothing() {
    let (folder, receiver, mut settings) = scripted(&[]);
    queue(&folder, &[("p1", "problem")]);
    settings.hosts.private = vec!["127.0.0.1:1".to_owned()];
    let sent = send(&folder, &settings);
    assert!(sent.not_ready[0].contains("administrator's list"), "{:?}", sent.not_ready);
    assert_eq!(requests(&receiver), 0);
    // a name that leads into the own network is none of the public ones
    settings.hosts.public = vec!["localhost:1443".to_owned()];
    settings.targets = vec![webhook("tracker", "https://localhost:1443/hook")];
    let sent = send(&folder, &settings);
    let error = sent.targets[0].last_error.clone().unwrap_or_default();
    assert!(error.contains("private network"), "{error}");
}

/// A server with a certificate that nobody knows.
fn with_own_certificate(folder: &TempDir) -> (u16, std::path::PathBuf) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let authority = folder.path().join("authority.pem");
    std::fs::write(&authority, made.cert.pem()).expect("written");
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let configuration = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a configuration");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(configuration));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        runtime.block_on(async move {
            use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut buffer = [0_u8; 65_536];
                let _ = stream.read(&mut buffer).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
                let _ = stream.shutdown().await;
            }
        });
    });
    (port, authority)
}

#[test]
fn a_wrong_certificate_is_refused_and_a_listed_authority_is_believed() {
    let (folder, _, mut settings) = scripted(&[]);
    let (port, authority) = with_own_certificate(&folder);
    settings.hosts.private = vec![format!("localhost:{port}")];
    settings.targets = vec![webhook("tracker", &format!("https://localhost:{port}/hook"))];
    queue(&folder, &[("p1", "problem")]);
    let refused = send(&folder, &settings);
    let error = refused.targets[0].last_error.clone().unwrap_or_default();
    assert!(refused.targets[0].delivered == 0 && error.to_lowercase().contains("certificate"), "{error}");
    settings.targets[0].certificate_authority = Some(authority);
    wait(&refused);
    let believed = send(&folder, &settings);
    assert_eq!(believed.targets[0].delivered, 1, "{believed:?}");
}

#[test]
fn an_office_without_an_interface_gets_files_and_acknowledges_them() {
    let (folder, _, mut settings) = scripted(&[]);
    let drop_folder = folder.path().join("drop");
    std::fs::create_dir_all(drop_folder.join("acknowledgements")).expect("folders");
    settings.targets = vec![Target {
        kind: TargetKind::Folder { path: drop_folder.clone(), batch: 2 },
        ..webhook("office", "http://unused")
    }];
    queue(&folder, &[("p1", "problem"), ("p2", "problem"), ("p3", "problem")]);
    assert_eq!(send(&folder, &settings).targets[0].delivered, 3);
    let files = |ending: &str| {
        let mut names: Vec<_> = std::fs::read_dir(&drop_folder)
            .expect("files")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|known| known == ending))
            .collect();
        names.sort();
        names
    };
    assert_eq!((files("ready").len(), files("csv").len(), files("geojson").len(), files("part").len()), (2, 2, 2, 0));
    let geopackage = std::fs::read(&files("gpkg")[0]).expect("a GeoPackage");
    assert!(geopackage.starts_with(b"SQLite format 3\0"), "a GeoPackage is an SQLite file");
    assert_eq!(files("gpkg").len(), 2);
    let table = std::fs::read_to_string(&files("csv")[0]).expect("a table");
    assert_eq!(table.lines().count(), 3, "{table}");
    let collection: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&files("geojson")[0]).expect("text")).expect("GeoJSON");
    assert_eq!(collection["features"].as_array().expect("features").len(), 2);

    let acknowledged =
        "finding_id,state,outcome\nfinding-p1,accepted,A1\nfinding-p2,nonsense,\nfinding-p2,closure_requested,\n";
    std::fs::write(drop_folder.join("acknowledgements/a.csv"), acknowledged).expect("written");
    send(&folder, &settings);
    let open = store(folder.path());
    let finding = open.finding("p1").expect("read").expect("a finding");
    assert_eq!(
        (finding.issue_state.map(shorewatch_domain::finding::IssueState::name), finding.outcome.as_deref()),
        (Some("accepted"), Some("A1"))
    );
    assert_eq!(open.reimaging_list().expect("places")[0].finding_id, "finding-p2");
    assert!(drop_folder.join("acknowledgements/read/a.csv").is_file());
    // the office reads what was wrong with its file, line by line
    let reply = drop_folder.join("acknowledgements/a.reply.txt");
    let told = std::fs::read_to_string(&reply).expect("a reply");
    assert!(told.contains("a.csv line 3: state \"nonsense\"") && !told.contains("line 2"), "{told}");
    // another file of that name takes the place of neither, and one without faults takes the reply away
    std::fs::write(drop_folder.join("acknowledgements/a.csv"), "finding_id,state\nfinding-p3,accepted\n")
        .expect("written");
    send(&folder, &settings);
    let read =
        |name: &str| std::fs::read_to_string(drop_folder.join("acknowledgements/read").join(name)).expect("read");
    assert_eq!(read("a.csv"), acknowledged);
    assert!(read("a-1.csv").contains("finding-p3") && !reply.exists());
}

#[test]
fn at_least_500_events_a_second() {
    let folder = TempDir::new().expect("a folder");
    let events_per_s = common::storm::throughput(folder.path(), 2_000);
    assert!(events_per_s > 500.0, "{events_per_s:.0} events/s");
}

#[test]
fn an_alarm_stands_where_a_message_waits_for_too_long() {
    let (folder, _, mut settings) = scripted(&[(500, "x-none", "1")]);
    queue(&folder, &[("p1", "problem")]);
    settings.alarm_after = SignedDuration::ZERO;
    let begun = Instant::now();
    let sent = send(&folder, &settings);
    assert!(sent.alarms.iter().any(|alarm| alarm.contains("the oldest of 1 messages")), "{:?}", sent.alarms);
    assert!(begun.elapsed().as_secs() < 10);
}
