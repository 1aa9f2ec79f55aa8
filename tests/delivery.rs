//! The real binary delivers, tells how deliveries stand, and finds what a restored backup left behind.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use jiff::Timestamp;
use shorewatch_domain::decision::DecisionVerdict;
use shorewatch_store::Store;
use shorewatch_store::outbox::Decided;
use tempfile::TempDir;

fn shorewatch(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shorewatch"));
    command.args(arguments).env("SHOREWATCH_CONFIG", folder.join("run.toml"));
    command.env("SHOREWATCH_TEST_HOOK_SECRET", "whsec_c2hvcmV3YXRjaA==").output().expect("the program")
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A receiver that takes everything; gives its address and, for each request, a line.
fn receiver() -> (String, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let (sender, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let (mut bytes, mut part) = (Vec::new(), [0_u8; 4096]);
            let body = loop {
                let count = stream.read(&mut part).unwrap_or(0);
                bytes.extend_from_slice(&part[..count]);
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let length =
                    head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                if count == 0 || body.len() >= length.unwrap_or(0_usize) {
                    break body.to_owned();
                }
            };
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let _ = sender.send(body);
        }
    });
    (address, lines)
}

fn configure(folder: &Path, address: &str) {
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/models");
    let text = format!(
        r#"schema_version = 1
[store]
file = "shorewatch.gpkg"
[work]
folder = "work"
[output]
folder = "out"
[model]
folder = "{models}"
bundle = "shoreland"
[grid]
zones = "utm"
ground_sampling_distance_m = 10.0
[delivery]
allowed_private_hosts = ["{address}"]
[[delivery.targets]]
name = "tracker"
kind = "webhook"
url = "http://{address}/hook"
secret_env = "SHOREWATCH_TEST_HOOK_SECRET"
"#
    );
    fs::write(folder.join("run.toml"), text).expect("written");
}

fn confirm(folder: &Path, patch_id: &str) {
    let now = Timestamp::now();
    let mut store = Store::create_or_open(folder.join("shorewatch.gpkg"), now).expect("a store");
    let decided = Decided {
        decision_id: format!("decision-{patch_id}"),
        patch_id: patch_id.to_owned(),
        verdict: Some(DecisionVerdict::Problem),
        decided_at: now,
        ..Decided::default()
    };
    assert_eq!(store.decide_findings(&[decided], now, now).expect("decided"), 1);
}

#[test]
fn row_38_doctor_lists_what_a_restored_backup_does_not_know_and_nothing_is_sent_again() {
    let folder = TempDir::new().expect("a folder");
    let folder = folder.path();
    let (address, lines) = receiver();
    configure(folder, &address);
    confirm(folder, "p1");
    let store = folder.join("shorewatch.gpkg");
    fs::copy(&store, folder.join("backup.gpkg")).expect("a backup");

    let sent = shorewatch(folder, &["deliver"]);
    assert!(sent.status.success(), "{}", told(&sent));
    confirm(folder, "p2");
    assert!(shorewatch(folder, &["deliver"]).status.success());
    assert_eq!(lines.try_iter().count(), 2);
    let fine = shorewatch(folder, &["doctor"]);
    assert!(fine.status.success() && told(&fine).contains("everything fits together"), "{}", told(&fine));

    fs::copy(folder.join("backup.gpkg"), &store).expect("restored");
    fs::create_dir_all(folder.join("out/chips")).expect("a folder");
    fs::write(folder.join("out/chips/p2_after.png"), b"newer than the store").expect("written");
    let ill = shorewatch(folder, &["doctor"]);
    assert_eq!(ill.status.code(), Some(3), "{}", told(&ill));
    assert!(told(&ill).contains("delivered to tracker") && told(&ill).contains("p2_after.png"), "{}", told(&ill));
    let again = shorewatch(folder, &["deliver"]);
    assert!(again.status.success(), "{}", told(&again));
    assert_eq!(lines.try_iter().count(), 0, "nothing is sent again");
    confirm(folder, "p3");
    assert!(shorewatch(folder, &["deliver"]).status.success());
    let news: Vec<String> = lines.try_iter().collect();
    assert!(news.len() == 1 && news[0].contains("finding-p3"), "{news:?}");
}

#[test]
fn status_tells_of_a_target_that_is_not_there_and_an_alarm_has_its_own_exit_code() {
    let folder = TempDir::new().expect("a folder");
    let folder = folder.path();
    // nobody listens there any more
    let address = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").to_string();
    configure(folder, &address);
    let unknown = shorewatch(folder, &["evidence", "pack", "p1", "--out", "x.zip"]);
    assert!(!unknown.status.success());
    confirm(folder, "p1");
    let sent = shorewatch(folder, &["deliver"]);
    assert!(sent.status.success(), "it is tried again later, and not old enough for an alarm: {}", told(&sent));
    let status = shorewatch(folder, &["deliver", "status"]);
    assert!(told(&status).contains("tracker: 1 waiting") && told(&status).contains("last error"), "{}", told(&status));
    let figures = shorewatch(folder, &["deliver", "status", "--metrics"]);
    assert!(told(&figures).contains("shorewatch_delivery_waiting{target=\"tracker\"} 1"), "{}", told(&figures));
    let replay = shorewatch(folder, &["deliver", "replay", "nobody"]);
    assert!(!replay.status.success() && told(&replay).contains("nobody"), "{}", told(&replay));
    let reported =
        shorewatch(folder, &["deliver", "report", "--point", "108.6,21.9", "--source", "hotline", "--level", "2"]);
    assert!(reported.status.success() && told(&reported).contains("area-"), "{}", told(&reported));
    let unlisted =
        fs::read_to_string(folder.join("run.toml")).expect("text").replace("allowed_private_hosts", "allowed_hosts");
    fs::write(folder.join("run.toml"), unlisted).expect("written");
    let refused = shorewatch(folder, &["deliver"]);
    assert!(refused.status.code() == Some(3) && told(&refused).contains("https"), "{}", told(&refused));
}
