//! A real Roundup receives findings, through a connection that loses answers; `scripts/check-roundup` starts it. Without
//! `SHOREWATCH_ROUNDUP` (address of a tracker whose administrator is admin/hush) nothing is tested and the test says so.

mod common;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use common::{decided, settings, store, webhook};
use jiff::Timestamp;
use serde_json::{Value, json};
use shorewatch_domain::finding::IssueState;
use shorewatch_findings::deliver::{Mode, Summary, deliver};
use shorewatch_findings::secret::SecretSource;
use shorewatch_findings::settings::{Settings, Target, TargetKind};
use shorewatch_findings::target::template::RestTemplate;
use shorewatch_store::Store;
use tempfile::TempDir;

/// Hands requests on, and loses the answers of those that make or change something for as long as `to_lose` lasts.
fn lossy(upstream: &str, to_lose: &Arc<AtomicU32>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let (upstream, to_lose) = (upstream.to_owned(), Arc::clone(to_lose));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(mut stream), upstream, to_lose) = (stream, upstream.clone(), Arc::clone(&to_lose)) else {
                continue;
            };
            std::thread::spawn(move || {
                let Some(request) = request(&mut stream, &upstream) else { return };
                let mut server = TcpStream::connect(&upstream).expect("the tracker");
                server.write_all(&request).expect("sent");
                let mut answer = Vec::new();
                server.read_to_end(&mut answer).expect("an answer");
                let changes = !request.starts_with(b"GET");
                let lost = changes
                    && to_lose.try_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
                if !lost {
                    let _ = stream.write_all(&answer);
                }
            });
        }
    });
    format!("http://{address}")
}

/// One request, with the wish to close afterwards, and the server's own name in it.
fn request(stream: &mut TcpStream, upstream: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut part) = (Vec::new(), [0_u8; 4096]);
    loop {
        let count = stream.read(&mut part).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&part[..count]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
        if bytes.len() >= end + 4 + length.unwrap_or(0) {
            let head = String::from_utf8_lossy(&bytes[..end]);
            let kept: Vec<&str> = head.lines().filter(|line| !line.to_lowercase().starts_with("host:")).collect();
            let head = format!("{}\r\nHost: {upstream}", kept.join("\r\n"));
            return Some([head.as_bytes(), b"\r\nConnection: close\r\n\r\n", &bytes[end + 4..]].concat());
        }
    }
}

struct Tracker {
    base: String,
    runtime: Mutex<tokio::runtime::Runtime>,
}

impl Tracker {
    fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = self.runtime.lock().expect("a runtime");
        runtime.block_on(async {
            let url = format!("{}/rest/data/{path}", self.base);
            let mut asked = reqwest::Client::new()
                .request(method.parse().expect("a method"), url)
                .basic_auth("admin", Some("hush"))
                .header("X-Requested-With", "rest")
                .header("Accept", "application/json")
                .header("Origin", &self.base)
                .header("Referer", format!("{}/", self.base));
            if let Some(body) = body {
                asked = asked.header("Content-Type", "application/json").body(body.to_string());
            }
            let answer = asked.send().await.expect("an answer").text().await.expect("a text");
            serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{method} {path}: {answer}"))
        })
    }

    fn issues(&self, finding: &str) -> Vec<Value> {
        let found = self.ask("GET", &format!("issue?title={finding}&@fields=title,messages,status"), None);
        found["data"]["collection"].as_array().cloned().unwrap_or_default()
    }

    fn set_status(&self, issue: &str, status: &str) {
        let etag = self.ask("GET", &format!("issue/{issue}"), None)["data"]["@etag"].clone();
        let set = self.ask("PUT", &format!("issue/{issue}"), Some(json!({ "status": status, "@etag": etag })));
        assert!(set.get("data").is_some(), "{set}");
    }
}

fn send(folder: &TempDir, settings: &Settings) -> Summary {
    let mut last = Summary::default();
    // lost answers are tried again
    for _ in 0..12 {
        let store = Store::open_existing(folder.path().join("shorewatch.gpkg"), Timestamp::now()).expect("a store");
        last = deliver(store, settings.clone(), Mode::Once, Arc::default()).expect("done");
        if last.targets[0].waiting == 0 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(450));
    }
    assert_eq!((last.targets[0].waiting, last.targets[0].dead), (0, 0), "{last:?}");
    last
}

#[test]
#[ignore = "run by scripts/check-roundup: it needs a Roundup"]
fn row_25_a_real_roundup_has_each_finding_once_whatever_answers_are_lost() {
    let base = std::env::var("SHOREWATCH_ROUNDUP").expect("SHOREWATCH_ROUNDUP, as scripts/check-roundup sets it");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let tracker = Tracker { base: base.trim_end_matches('/').to_owned(), runtime: Mutex::new(runtime) };
    let to_lose = Arc::new(AtomicU32::new(0));
    let proxy = lossy(tracker.base.trim_start_matches("http://"), &to_lose);
    let folder = TempDir::new().expect("a folder");
    let password = folder.path().join("password");
    std::fs::write(&password, "hush").expect("written");
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).expect("a mode");
    let template = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/targets/roundup.toml"));
    let mut template = RestTemplate::parse(&template.expect("a file")).expect("templates");
    for variable in ["origin", "referer"] {
        template.variables.insert(variable.to_owned(), tracker.base.clone());
    }
    let kind = TargetKind::Rest {
        base: proxy.clone(),
        template: Box::new(template),
        user: Some("admin".to_owned()),
        token: Some(SecretSource::File(password)),
    };
    let target = Target { kind, concurrency: 4, ..webhook("roundup", "http://unused") };
    let hosts = vec![proxy.trim_start_matches("http://").to_owned()];
    let mut settings = settings(folder.path(), vec![target], hosts);
    settings.timeout = std::time::Duration::from_secs(20);

    let mut office = store(folder.path());
    let run = Timestamp::now().as_millisecond();
    let patch = |number: usize| format!("p{run}x{number}");
    let mut number = 0;
    let mut decide = |patch_id: &str, verdict: &str, severity: &str| {
        number += 1;
        let now = Timestamp::now();
        office.decide_findings(&[decided(number, patch_id, verdict, severity)], now, now).expect("decided");
    };
    for finding in 0..6 {
        decide(&patch(finding), "problem", "general");
    }
    // answers to the making of messages and of issues are lost
    to_lose.store(8, Ordering::SeqCst);
    send(&folder, &settings);
    to_lose.store(5, Ordering::SeqCst);
    decide(&patch(0), "problem", "major");
    decide(&patch(1), "not_a_problem", "general");
    send(&folder, &settings);
    for finding in 0..6 {
        let issues = tracker.issues(&format!("finding-{}", patch(finding)));
        assert_eq!(issues.len(), 1, "finding {finding}: {issues:?}");
        let messages = issues[0]["messages"].as_array().map_or(0, Vec::len);
        assert_eq!(messages, if finding < 2 { 2 } else { 1 }, "finding {finding}: {issues:?}");
    }
    assert_eq!(to_lose.load(Ordering::SeqCst), 0, "answers were lost");

    // the way back: the tracker is asked
    let issue = tracker.issues(&format!("finding-{}", patch(2)))[0]["id"].as_str().expect("an id").to_owned();
    tracker.set_status(&issue, "testing");
    send(&folder, &settings);
    let office = store(folder.path());
    let finding = office.finding(&patch(2)).expect("read").expect("a finding");
    assert_eq!(finding.issue_state, Some(IssueState::ClosureRequested));
    assert_eq!(office.reimaging_list().expect("places")[0].finding_id, finding.finding_id);
}
