//! Every route × role × scope: what the table of rights says is what the server does.

mod client;
mod scene;

use axum::http::StatusCode;
use client::Client;
use serde_json::json;
use shorewatch_domain::access::{Right, Role};
use shorewatch_review::access::routes::{Access, ROUTES};
use tempfile::TempDir;

/// A path with something in each place of a name.
fn filled(path: &str, patch_id: &str, pass_id: &str) -> String {
    path.replace("{patch_id}", patch_id)
        .replace("{pass_id}", pass_id)
        .replace("{bands}", "natural")
        .replace("{level}", "6")
        .replace("{column}", "14250")
        .replace("{row}", "-781")
        .replace("{date}", "before")
        .replace("{photo_id}", "none")
        .replace("{account}", "nobody-1")
        .replace("{collection}", "patches")
        .replace("{feature}", patch_id)
        .replace("{*path}", "icon.svg")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_route_answers_whom_the_table_lets_in_and_nobody_else() {
    let folder = TempDir::new().expect("a folder");
    let scene = scene::build(folder.path(), 12);
    let client = Client::of(&scene);
    let patch_id = &scene.patch_ids[0];
    let mut checked = 0;
    for route in ROUTES {
        let path = filled(route.path, patch_id, &scene.pass_ids[0]);
        // a body that no route takes: what is let in fails on it without changing anything
        let body = (route.method != "GET" && route.method != "DELETE").then(|| json!({ "unknown": true }));
        let nobody = client.ask(None, route.method, &path, body.clone()).await;
        if route.access == Access::Public {
            assert_ne!(nobody.status, StatusCode::FORBIDDEN, "{} {path}", route.method);
            assert!(nobody.status != StatusCode::UNAUTHORIZED, "{} {path}", route.method);
            continue;
        }
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "{} {path} without a session", route.method);
        assert_eq!(nobody.header("cache-control"), "no-store");
        for (code, role, scope) in scene::ACCOUNTS {
            // logging out would end the session of the next ones
            if route.access == Access::Session && route.method == "DELETE" {
                continue;
            }
            let got = client.ask(Some(code), route.method, &path, body.clone()).await;
            let allowed = match route.access {
                Access::Needs(right) => role.may(right),
                _ => true,
            };
            let told = format!("{} {path} as {code} ({role}, {scope}): {} {}", route.method, got.status, got.text());
            assert_eq!(got.status == StatusCode::FORBIDDEN && got.json()["code"] == "right", !allowed, "{told}");
            assert!(!got.status.is_server_error(), "{told}");
            let of_patch = route.path.contains("{patch_id}");
            // a body is read before the patch is looked for; without one, what lies outside is not there
            if allowed && of_patch && scope == "unit:990000" && body.is_none() {
                assert_eq!(got.status, StatusCode::NOT_FOUND, "{told}");
            }
            checked += 1;
        }
    }
    assert!(checked > 250, "{checked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_outside_the_scope_is_not_there() {
    let folder = TempDir::new().expect("a folder");
    let scene = scene::build(folder.path(), 12);
    let client = Client::of(&scene);
    let mine = client.ask(Some("county-1"), "GET", "/api/queue?limit=200", None).await.json();
    let mine: Vec<String> = mine["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["patch_id"].as_str().expect("an id").to_owned())
        .collect();
    assert_eq!(mine.len(), 6);
    for patch_id in &scene.patch_ids {
        let inside = mine.contains(patch_id);
        let expected = if inside { StatusCode::OK } else { StatusCode::NOT_FOUND };
        for path in ["", "/layers", "/field"] {
            let path = format!("/api/patches/{patch_id}{path}");
            assert_eq!(client.ask(Some("county-1"), "GET", &path, None).await.status, expected, "{path}");
        }
        let item = format!("/ogc/collections/patches/items/{patch_id}");
        assert_eq!(client.ask(Some("county-1"), "GET", &item, None).await.status, expected, "{item}");
        let tile = format!("/api/patches/{patch_id}/tiles/{}/natural/6/0/0", scene.pass_ids[0]);
        let status = client.ask(Some("county-1"), "GET", &tile, None).await.status;
        assert_eq!(status, if inside { StatusCode::BAD_REQUEST } else { StatusCode::NOT_FOUND }, "{tile}");
        let decision = json!({ "decision_id": format!("scope-{patch_id}"), "verdict": "problem", "on_version": 0 });
        let decided =
            client.ask(Some("county-1"), "POST", &format!("/api/patches/{patch_id}/decisions"), Some(decision)).await;
        let expected = if inside { StatusCode::CONFLICT } else { StatusCode::NOT_FOUND };
        assert_eq!(decided.status, expected, "{}", decided.text());
    }
    for (path, key) in
        [("/api/map/patches?bbox=100,10,120,30", "features"), ("/ogc/collections/patches/items?limit=500", "features")]
    {
        let all = client.ask(Some("county-1"), "GET", path, None).await.json();
        assert_eq!(all[key].as_array().expect("features").len(), 6, "{path}");
        let none = client.ask(Some("nowhere-1"), "GET", path, None).await.json();
        assert_eq!(none[key].as_array().expect("features").len(), 0, "{path}");
    }
    for collection in ["cases", "reaches", "coverage"] {
        let path = format!("/ogc/collections/{collection}/items");
        let none = client.ask(Some("nowhere-1"), "GET", &path, None).await.json();
        assert_eq!(none["features"].as_array().expect("features").len(), 0, "{path}");
        let some = client.ask(Some("county-1"), "GET", &path, None).await.json();
        assert!(!some["features"].as_array().expect("features").is_empty(), "{path}");
    }
    // a supervisor of nowhere decides nothing in bulk
    let bad = json!({ "batch_id": "bad-imagery-1" });
    let path = format!("/api/passes/{}/bad-imagery", scene.pass_ids[1]);
    let decided = client.ask(Some("nowhere-1"), "POST", &path, Some(bad)).await;
    assert_eq!(decided.json()["decided"], 0, "{}", decided.text());
    let bulk = json!({ "batch_id": "selection-1", "verdict": "problem", "patches": [{ "patch_id": scene.patch_ids[0], "on_version": 0 }] });
    assert_eq!(client.ask(Some("nowhere-1"), "POST", "/api/bulk", Some(bulk)).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn officials_are_named_to_those_only_who_act() {
    let folder = TempDir::new().expect("a folder");
    let scene = scene::build(folder.path(), 4);
    let client = Client::of(&scene);
    let queue = client.ask(Some("county-1"), "GET", "/api/queue", None).await.json();
    let path = format!("/api/patches/{}", queue["rows"][0]["patch_id"].as_str().expect("an id"));
    for (code, role, _) in scene::ACCOUNTS.into_iter().filter(|(_, _, scope)| *scope == "all") {
        let answer = client.ask(Some(code), "GET", &path, None).await.text();
        assert!(answer.contains("no permit covers it"), "{code}: the rest of the explanation is for everybody");
        let told = answer.contains("Chief of the county");
        assert_eq!(told, role.may(Right::SeeOfficials), "{code}");
    }
    assert!(!Role::Viewer.may(Right::SeeOfficials));
}
