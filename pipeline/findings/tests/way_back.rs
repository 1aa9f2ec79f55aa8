//! The way back: signed reports, once each; places; packages of evidence.

mod common;

use common::{SECRET_TEXT, decided, set_secret, settings, store, webhook};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shorewatch_findings::evidence::{Extra, pack, verify};
use shorewatch_findings::receive::router;
use shorewatch_findings::secret::Secret;
use shorewatch_findings::signature;
use shorewatch_store::Store;
use tempfile::TempDir;

/// A server over a store with one finding.
fn server() -> (TempDir, String) {
    set_secret();
    let folder = TempDir::new().expect("a folder");
    let mut office = store(folder.path());
    let now = Timestamp::now();
    office.decide_findings(&[decided(1, "p1", "problem", "general")], now, now).expect("decided");
    let settings = settings(folder.path(), vec![webhook("tracker", "http://127.0.0.1:9/hook")], Vec::new());
    let app = router(office, settings).expect("a router");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || runtime.block_on(async move { axum::serve(listener, app).await }));
    (folder, address)
}

/// Posts a signed message: status and what was said.
fn post(url: &str, id: &str, secret: &str, at: Timestamp, body: &Value) -> (u16, String) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let text = body.to_string();
    let signed = signature::sign(&[Secret::new(secret)], id, at, text.as_bytes());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let answer = reqwest::Client::new()
            .post(url)
            .header(signature::ID, id)
            .header(signature::TIMESTAMP, at.as_second().to_string())
            .header(signature::SIGNATURE, signed)
            .body(text)
            .send()
            .await
            .expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("a text"))
    })
}

#[test]
fn a_signed_report_is_taken_once_and_no_other_is() {
    let (folder, address) = server();
    let (url, now) = (format!("{address}/reports/tracker"), Timestamp::now());
    let report = |state: &str| json!({ "finding_id": "finding-p1", "state": state, "outcome": "3-2" });
    let said = |id: &str, secret: &str, at, body: &Value| post(&url, id, secret, at, body);
    assert_eq!(said("m1", SECRET_TEXT, now, &report("accepted")), (200, r#"{"result":"applied"}"#.to_owned()));
    assert_eq!(said("m1", SECRET_TEXT, now, &report("accepted")), (200, r#"{"result":"repeated"}"#.to_owned()));
    assert_eq!(said("m2", "whsec_b3RoZXI=", now, &report("closed")).0, 401);
    let old = said("m3", SECRET_TEXT, now - SignedDuration::from_mins(9), &report("closed"));
    assert!(old.0 == 401 && old.1.contains("clock"), "{old:?}");
    assert_eq!(said("m4", SECRET_TEXT, now, &report("melted")).0, 400);
    assert_eq!(said("m5", SECRET_TEXT, now, &json!({ "finding_id": "finding-x", "state": "closed" })).0, 404);
    assert_eq!(post(&format!("{address}/reports/nobody"), "m6", SECRET_TEXT, now, &report("closed")).0, 404);
    let event = json!({ "specversion": "1.0", "data": report("closure_requested") });
    assert_eq!(said("m7", SECRET_TEXT, Timestamp::now(), &event).0, 200);
    let office = store(folder.path());
    let finding = office.finding("p1").expect("read").expect("a finding");
    assert_eq!(
        (finding.issue_state.map(shorewatch_domain::finding::IssueState::name), finding.outcome.as_deref()),
        (Some("closure_requested"), Some("3-2"))
    );
    assert_eq!(office.reimaging_list().expect("places").len(), 1);
}

/// Posts `count` messages of one text with one set of headers over one connection, up to the first one that is told to wait: how many
/// were sent, and after how many seconds it may go on.
fn flood(url: &str, count: usize, headers: &[(&str, String)], body: &str) -> (usize, Option<String>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let client = reqwest::Client::new();
        for sent in 1..=count {
            let asked = headers.iter().fold(client.post(url), |asked, (name, value)| asked.header(*name, value));
            let answer = asked.body(body.to_owned()).send().await.expect("an answer");
            if answer.status().as_u16() == 429 {
                let after = answer.headers().get("retry-after").and_then(|after| after.to_str().ok());
                return (sent, after.map(str::to_owned));
            }
        }
        (count, None)
    })
}

/// A report with the headers of its signature by a secret.
fn signed(secret: &str, id: &str) -> (Vec<(&'static str, String)>, String) {
    let (at, body) = (Timestamp::now(), json!({ "finding_id": "finding-p1", "state": "accepted" }).to_string());
    let signature = signature::sign(&[Secret::new(secret)], id, at, body.as_bytes());
    let headers = [(signature::ID, id.to_owned()), (signature::TIMESTAMP, at.as_second().to_string())];
    (headers.into_iter().chain([(signature::SIGNATURE, signature)]).collect(), body)
}

#[test]
fn a_target_that_went_mad_is_told_to_wait() {
    let (_folder, address) = server();
    let (headers, body) = signed(SECRET_TEXT, "again and again");
    let (sent, after) = flood(&format!("{address}/reports/tracker"), 2_000, &headers, &body);
    assert!(sent > 300 && after.as_deref() == Some("1"), "{sent} {after:?}");
}

#[test]
fn a_flood_that_nobody_signed_does_not_make_the_target_wait() {
    let (_folder, address) = server();
    let url = format!("{address}/reports/tracker");
    let (headers, body) = signed("whsec_b3RoZXI=", "forged");
    assert_eq!(flood(&url, 800, &headers, &body), (800, None), "refused each time, and not counted");
    assert_eq!(flood(&url, 800, &[], "{}"), (800, None));
    let now = Timestamp::now();
    let report = json!({ "finding_id": "finding-p1", "state": "accepted" });
    assert_eq!(post(&url, "genuine", SECRET_TEXT, now, &report), (200, r#"{"result":"applied"}"#.to_owned()));
}

#[test]
fn places_that_people_report_become_areas() {
    let (folder, address) = server();
    let (url, now) = (format!("{address}/places/tracker"), Timestamp::now());
    let place = |longitude: f64, level: u8| json!({ "point": [longitude, 21.9], "radius_m": 80, "source": "hotline", "level": level });
    assert_eq!(post(&url, "a", SECRET_TEXT, now, &place(108.6, 1)).0, 200);
    assert_eq!(post(&url, "a", SECRET_TEXT, now, &place(108.6, 1)).1, r#"{"result":"repeated"}"#);
    assert_eq!(post(&url, "b", SECRET_TEXT, now, &place(108.6002, 2)).0, 200);
    assert_eq!(post(&url, "c", SECRET_TEXT, now, &json!({ "source": "hotline" })).0, 400);
    let polygon = json!({ "polygon": { "type": "Polygon", "coordinates": [[[108.7, 21.9], [108.71, 21.9], [108.71, 21.91], [108.7, 21.9]]] }, "source": "patrol" });
    assert_eq!(post(&url, "d", SECRET_TEXT, now, &polygon).0, 200);
    let areas = store(folder.path()).open_tasking_areas().expect("areas");
    assert_eq!(areas.iter().map(|area| (area.level, area.reports)).collect::<Vec<_>>(), [(2, 2), (1, 1)]);
}

#[test]
fn a_package_is_verified_and_every_change_is_found() {
    let folder = TempDir::new().expect("a folder");
    let mut office: Store = store(folder.path());
    let now = Timestamp::now();
    office.decide_findings(&[decided(1, "p1", "problem", "general")], now, now).expect("decided");
    let file = folder.path().join("evidence.zip");
    let extra: Extra = [("imagery/p1-after.tif".to_owned(), vec![7; 1000])].into();
    let packed = pack(&office, "p1", folder.path(), extra.clone(), true, now, &file).expect("packed");
    assert!(packed.0.files.contains_key("finding.json") && packed.0.files.contains_key("imagery/p1-after.tif"));
    assert_eq!(verify(&file).expect("verified"), packed);
    // the same content gives the same bytes
    let again = folder.path().join("again.zip");
    pack(&office, "p1", folder.path(), extra, true, now, &again).expect("packed");
    let bytes = std::fs::read(&file).expect("bytes");
    assert_eq!(bytes, std::fs::read(&again).expect("bytes"));
    assert!(pack(&office, "nobody", folder.path(), Extra::new(), true, now, &again).is_err());
    // a byte anywhere in it
    let tampered = folder.path().join("tampered.zip");
    let mut unnoticed = Vec::new();
    for place in (0..bytes.len()).step_by(7) {
        let mut other = bytes.clone();
        other[place] ^= 0x40;
        std::fs::write(&tampered, &other).expect("written");
        if verify(&tampered).is_ok_and(|told| told != packed) {
            unnoticed.push(place);
        }
    }
    assert!(unnoticed.is_empty(), "changes were believed at {unnoticed:?}");
    std::fs::write(&tampered, &bytes[..bytes.len() / 2]).expect("written");
    assert!(verify(&tampered).is_err());
}
