//! Sessions, decisions, pictures and features, asked as browsers and machines ask.

mod client;
mod scene;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use client::{Answer, Client};
use jiff::Timestamp;
use scene::PASSWORD;
use serde_json::{Value, json};
use shorewatch_review::App;
use shorewatch_review::imagery::Bands;
use shorewatch_store::Store;
use tempfile::TempDir;

fn served(patches: usize) -> (TempDir, scene::Scene, Client) {
    let folder = TempDir::new().expect("a folder");
    let scene = scene::build(folder.path(), patches);
    let client = Client::of(&scene);
    (folder, scene, client)
}

async fn log_in(client: &Client, account: &str, password: &str, headers: &[(String, String)]) -> Answer {
    client.send("POST", "/api/session", headers, Some(json!({ "account": account, "password": password }))).await
}

/// Cookie and token of a session.
fn session_of(answer: &Answer) -> (String, String) {
    let cookie = answer.header("set-cookie").split(';').next().unwrap_or("").to_owned();
    (cookie, answer.json()["csrf"].as_str().unwrap_or("").to_owned())
}

fn header(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_begins_lasts_and_ends_everywhere() {
    let (_folder, _scene, client) = served(2);
    let first = log_in(&client, "review-1", PASSWORD, &[]).await;
    assert_eq!(first.status, StatusCode::OK);
    for word in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(first.header("set-cookie").contains(word), "{}", first.header("set-cookie"));
    }
    let (cookie, csrf) = session_of(&first);
    let (other, _) = session_of(&log_in(&client, "review-1", PASSWORD, &[]).await);
    assert_ne!(cookie, other);
    let show = |cookie: &str| {
        let headers = [header("cookie", cookie)];
        let client = &client;
        async move { client.send("GET", "/api/session", &headers, None).await.status }
    };
    assert_eq!((show(&cookie).await, show(&other).await), (StatusCode::OK, StatusCode::OK));
    let out =
        client.send("DELETE", "/api/sessions", &[header("cookie", &cookie), header("x-csrf-token", &csrf)], None).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert_eq!((show(&cookie).await, show(&other).await), (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_changes_nothing() {
    let (_folder, scene, client) = served(2);
    let (cookie, csrf) = session_of(&log_in(&client, "review-1", PASSWORD, &[]).await);
    let lease = format!("/api/patches/{}/lease", scene.patch_ids[0]);
    let with = |more: Vec<(String, String)>| {
        let headers: Vec<_> = std::iter::once(header("cookie", &cookie)).chain(more).collect();
        let (client, lease) = (&client, &lease);
        async move { client.send("POST", lease, &headers, None).await }
    };
    let code = |answer: &Answer| answer.json()["code"].clone();
    let without = with(vec![]).await;
    assert_eq!((without.status, code(&without)), (StatusCode::FORBIDDEN, json!("csrf")));
    let wrong = with(vec![header("x-csrf-token", "guessed")]).await;
    assert_eq!(code(&wrong), "csrf");
    let foreign = with(vec![header("x-csrf-token", &csrf), header("origin", "https://elsewhere.example")]).await;
    assert_eq!((foreign.status, code(&foreign)), (StatusCode::FORBIDDEN, json!("origin")));
    let cross = with(vec![header("x-csrf-token", &csrf), header("sec-fetch-site", "cross-site")]).await;
    assert_eq!(code(&cross), "origin");
    let own = with(vec![header("x-csrf-token", &csrf), header("origin", "http://review.test")]).await;
    assert_eq!(own.status, StatusCode::OK, "{}", own.text());
    let lured = log_in(&client, "review-1", PASSWORD, &[header("origin", "https://elsewhere.example")]).await;
    assert_eq!(lured.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_the_place_of_a_password_only_reads() {
    use base64::Engine as _;
    let (_folder, scene, client) = served(2);
    let pair = base64::engine::general_purpose::STANDARD.encode("review-1:secret of review-1");
    let headers = [header("authorization", &format!("Basic {pair}"))];
    let read = client.send("GET", "/ogc/collections/patches/items", &headers, None).await;
    assert_eq!((read.status, read.json()["numberReturned"].clone()), (StatusCode::OK, json!(2)));
    let lease = format!("/api/patches/{}/lease", scene.patch_ids[0]);
    assert_eq!(client.send("POST", &lease, &headers, None).await.json()["code"], "csrf");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_lock_an_account_and_tell_nothing() {
    let (_folder, _scene, client) = served(2);
    for _ in 0..5 {
        let wrong = log_in(&client, "review-1", "not the password", &[]).await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
        let unknown = log_in(&client, "nobody-9", "not the password", &[]).await;
        assert_eq!(wrong.json(), unknown.json(), "whether there is such an account is not told");
    }
    let locked = log_in(&client, "review-1", PASSWORD, &[]).await;
    assert_eq!((locked.status, locked.json()["code"].clone()), (StatusCode::TOO_MANY_REQUESTS, json!("locked_out")));
    assert_eq!(log_in(&client, "review-2", PASSWORD, &[]).await.status, StatusCode::OK);
    let log = client.ask(Some("admin-1"), "GET", "/api/access-log", None).await;
    assert!(log.text().contains("locked out"));
    assert!(!log.text().contains("password hash") && !log.text().contains("$argon2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_from_one_address_and_requests_of_one_account_are_limited() {
    let folder = TempDir::new().expect("a folder");
    let scene = scene::build(folder.path(), 2);
    let mut settings = scene.settings();
    (settings.log_ins_per_minute, settings.requests_per_second) = (3, 2);
    let client = Client::with(&scene, settings);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(log_in(&client, "review-1", PASSWORD, &[]).await.status);
    }
    assert_eq!(statuses.last(), Some(&StatusCode::TOO_MANY_REQUESTS));
    let mut limited = 0;
    for _ in 0..30 {
        let answer = client.ask(Some("viewer-1"), "GET", "/api/queue/counts", None).await;
        limited += usize::from(answer.status == StatusCode::TOO_MANY_REQUESTS && answer.header("retry-after") == "5");
    }
    assert!((5..=12).contains(&limited), "{limited}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_made_used_and_disabled() {
    let (_folder, _scene, client) = served(2);
    let made = client
        .ask(
            Some("admin-1"),
            "POST",
            "/api/accounts",
            Some(json!({ "account": "review-9", "role": "reviewer", "scope": "unit:4601" })),
        )
        .await;
    let password = made.json()["password"].as_str().expect("a password").to_owned();
    let begun = log_in(&client, "review-9", &password, &[]).await;
    assert_eq!(begun.json()["password_due"], true);
    let (cookie, csrf) = session_of(&begun);
    let headers = vec![header("cookie", &cookie), header("x-csrf-token", &csrf)];
    let early = client.send("GET", "/api/queue", &headers, None).await;
    assert_eq!(early.json()["code"], "password_due");
    for weak in ["short", "aaaaaaaaaaaaaaaa", "my review-9 words"] {
        let refused =
            client.send("POST", "/api/password", &headers, Some(json!({ "old": password, "new": weak }))).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{weak}");
    }
    let new = json!({ "old": password, "new": "quiet water under bridges" });
    let (cookie, _) = session_of(&client.send("POST", "/api/password", &headers, Some(new)).await);
    let shown = client.send("GET", "/api/queue", &[header("cookie", &cookie)], None).await;
    assert_eq!(shown.status, StatusCode::OK);
    assert_eq!(
        client.send("GET", "/api/queue", &headers, None).await.status,
        StatusCode::UNAUTHORIZED,
        "the old session ended"
    );
    let disable = Some(json!({ "disabled": true }));
    assert_eq!(
        client.ask(Some("admin-1"), "PATCH", "/api/accounts/review-9", disable.clone()).await.status,
        StatusCode::OK
    );
    assert_eq!(
        client.send("GET", "/api/queue", &[header("cookie", &cookie)], None).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(log_in(&client, "review-9", "quiet water under bridges", &[]).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        client.ask(Some("admin-1"), "PATCH", "/api/accounts/admin-1", disable).await.status,
        StatusCode::CONFLICT
    );
    for (account, role, scope) in [
        ("王小明", "reviewer", "all"),
        ("review-9", "reviewer", "all"),
        ("x-1", "king", "all"),
        ("x-1", "viewer", "unit:x"),
    ] {
        let body = json!({ "account": account, "role": role, "scope": scope });
        let refused = client.ask(Some("admin-1"), "POST", "/api/accounts", Some(body)).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{account} {role} {scope}");
    }
}

async fn lease(client: &Client, account: &str, patch_id: &str) -> StatusCode {
    client.ask(Some(account), "POST", &format!("/api/patches/{patch_id}/lease"), None).await.status
}

async fn decide(client: &Client, account: &str, patch_id: &str, body: Value) -> Answer {
    client.ask(Some(account), "POST", &format!("/api/patches/{patch_id}/decisions"), Some(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_taken_once_however_often_it_is_sent() {
    let (_folder, scene, client) = served(4);
    let patch_id = &scene.patch_ids[0];
    let body = json!({ "decision_id": "double-click", "verdict": "problem", "on_version": 0, "seconds": 3.5 });
    assert_eq!(decide(&client, "review-1", patch_id, body.clone()).await.json()["code"], "lease_expired");
    assert_eq!(lease(&client, "review-1", patch_id).await, StatusCode::OK);
    assert_eq!(lease(&client, "review-2", patch_id).await, StatusCode::CONFLICT);
    let taken = decide(
        &client,
        "review-2",
        patch_id,
        json!({ "decision_id": "too-late-1", "verdict": "unsure", "on_version": 0 }),
    )
    .await;
    assert_eq!((taken.status, taken.json()["code"].clone()), (StatusCode::CONFLICT, json!("leased")));
    let answers = futures(&client, patch_id, &body).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::OK), "{}", answers[0].text());
    assert_eq!(answers.iter().filter(|answer| answer.json()["repeated"] == false).count(), 1);
    let detail = client.ask(Some("viewer-1"), "GET", &format!("/api/patches/{patch_id}"), None).await.json();
    assert_eq!(detail["decisions"].as_array().expect("decisions").len(), 1);
    assert_eq!(lease(&client, "review-2", patch_id).await, StatusCode::OK);
    let stale = decide(
        &client,
        "review-2",
        patch_id,
        json!({ "decision_id": "too-late-2", "verdict": "unsure", "on_version": 0 }),
    )
    .await;
    assert_eq!((stale.status, stale.json()["code"].clone()), (StatusCode::CONFLICT, json!("stale")));
    assert_eq!(stale.json()["current"]["verdict"], "problem");
    let undo = json!({ "decision_id": "undo-of-it" });
    let back = client.ask(Some("review-1"), "POST", "/api/undo", Some(undo)).await;
    assert_eq!((back.status, back.json()["review"]["state"].clone()), (StatusCode::OK, json!("open")));
    let nothing = client.ask(Some("review-1"), "POST", "/api/undo", Some(json!({ "decision_id": "undo-again" }))).await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
}

/// The same request eight times at once.
async fn futures(client: &Client, patch_id: &str, body: &Value) -> Vec<Answer> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (router, app) = (client.router.clone(), std::sync::Arc::clone(&client.app));
        let (patch_id, body) = (patch_id.to_owned(), body.clone());
        tasks.spawn(async move { decide(&Client { router, app }, "review-1", &patch_id, body).await });
    }
    tasks.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_in_words() {
    let (_folder, scene, client) = served(4);
    let patch_id = &scene.patch_ids[0];
    lease(&client, "review-1", patch_id).await;
    let crossed = json!({ "type": "Polygon", "coordinates": [[[107.8, 18.0], [107.81, 18.01], [107.81, 18.0], [107.8, 18.01], [107.8, 18.0]]] });
    for (more, word) in [
        (json!({ "verdict": "not_a_problem" }), "reason"),
        (json!({ "verdict": "not_a_problem", "reason": "other" }), "note"),
        (json!({ "verdict": "guilty" }), "verdict"),
        (json!({ "verdict": "duplicate", "duplicate_of": patch_id }), "itself"),
        (json!({ "verdict": "duplicate", "duplicate_of": "nowhere" }), "no patch"),
        (json!({ "verdict": "problem", "corrected": { "severity": "awful" } }), "severity"),
        (json!({ "verdict": "problem", "corrected": { "geometry": crossed } }), "geometry"),
        (
            json!({ "verdict": "problem", "corrected": { "geometry": { "type": "Point", "coordinates": [1, 2] } } }),
            "Polygon",
        ),
        (json!({ "verdict": "problem", "seconds": -1 }), "seconds"),
        (json!({ "verdict": "problem", "unknown": 1 }), "unknown"),
    ] {
        let mut body = json!({ "decision_id": "nonsense-1", "on_version": 0 });
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let refused = decide(&client, "review-1", patch_id, body).await;
        assert!(
            refused.status.is_client_error() && refused.status != StatusCode::CONFLICT,
            "{more}: {}",
            refused.status
        );
        assert!(refused.text().contains(word), "{more}: {}", refused.text());
        assert_eq!(refused.header("content-type"), "application/problem+json");
    }
    for path in [
        "/api/queue?class=x%27%20OR%201=1",
        "/api/queue?after=1_2;DROP",
        "/api/queue?unknown=1",
        "/api/map/patches?bbox=NaN,0,1,1",
        "/ogc/collections/patches/items?bbox=1,2,3",
        "/ogc/collections/patches/items?limit=0",
        "/ogc/collections/patches/items?limit=-5",
        "/ogc/collections/patches/items?unknown=1",
        "/ogc/collections/patches/items?datetime=yesterday",
        "/ogc/collections/patches/items?crs=EPSG:3857",
    ] {
        let answer = client.ask(Some("viewer-1"), "GET", path, None).await;
        let harmless = path.contains("OR%201") && answer.status == StatusCode::OK && answer.json()["rows"] == json!([]);
        assert!(answer.status == StatusCode::BAD_REQUEST || harmless, "{path}: {}", answer.text());
    }
    let many = client.ask(Some("viewer-1"), "GET", "/ogc/collections/patches/items?limit=1000000000", None).await;
    assert_eq!(many.json()["numberReturned"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_pictures_that_a_run_left_are_those_that_the_server_cuts_and_are_shown_where_they_fit() {
    let (_folder, scene, client) = served(2);
    let store = Store::open_read_only(&scene.store).expect("a store");
    let passes = store.passes().expect("passes");
    let patch = store.current_patch(&scene.patch_ids[0]).expect("read").expect("a patch").patch;
    let pass = |id| passes.iter().find(|pass| pass.id == id).expect("a pass");
    let pair = [pass(patch.pre_pass_id), pass(patch.post_pass_id)];
    let (address, date) = (format!("/api/patches/{}", patch.patch_id), "before");
    let first = format!("{address}/chips/{date}");
    let (column, row) = {
        let bounds = client.ask(Some("viewer-1"), "GET", &address, None).await.json()["bounds"].clone();
        let tile = 256.0 * patch.ground_sampling_distance_m;
        let at = |i: usize| bounds[i].as_f64().expect("a bound");
        ((at(0) / tile).floor() as i64, (-at(3) / tile).floor() as i64)
    };
    let tile = format!("{address}/tiles/{}/natural/6/{column}/{row}", patch.pre_pass_id);
    let cut = [
        client.ask(Some("viewer-1"), "GET", &first, None).await.bytes,
        client.ask(Some("viewer-1"), "GET", &tile, None).await.bytes,
    ];
    assert!(cut[0].starts_with(b"\x89PNG"));

    let leaving = App::open(scene.settings(), Timestamp::now());
    let imagery = &leaving.expect("a server").imagery;
    let (files, fresh) = imagery.leave_first(&patch, pair).expect("left");
    assert!(fresh && files.len() == 3 && files.iter().all(|file| file.is_file()), "{files:?}");
    assert_eq!(std::fs::read(&files[0]).expect("a picture"), cut[0], "as the server cuts it");
    assert!(!imagery.leave_first(&patch, pair).expect("left").1, "what is there stays");
    let again = Client::of(&scene);
    let shown = [
        again.ask(Some("viewer-1"), "GET", &first, None).await.bytes,
        again.ask(Some("viewer-1"), "GET", &tile, None).await.bytes,
    ];
    assert_eq!(shown, cut, "the same stretch for pictures that were left and tiles that are cut");

    std::fs::write(&files[0], b"from the folder").expect("written");
    assert_eq!(client.ask(Some("viewer-1"), "GET", &first, None).await.bytes, b"from the folder");
    // a profile that reads the bands another way: what was left is of something else
    let mut settings = scene.settings();
    settings.sensors[0].bands[0].name = "another band of the file".to_owned();
    let other = App::open(settings, Timestamp::now()).expect("a server");
    let named = other.imagery.first_files(&patch, pair, Bands::Natural).expect("names");
    assert!(named.iter().all(|file| !file.exists()), "{named:?}");

    imagery.keep_only_first(&std::collections::BTreeSet::new()).expect("tidied");
    assert!(files.iter().all(|file| !file.exists()));
    assert_eq!(client.ask(Some("viewer-1"), "GET", &first, None).await.bytes, cut[0], "cut again");
}

#[tokio::test(flavor = "multi_thread")]
async fn tiles_come_from_passes_of_the_store_near_the_patch_only() {
    let (_folder, scene, client) = served(4);
    let patch_id = &scene.patch_ids[0];
    let detail = client.ask(Some("viewer-1"), "GET", &format!("/api/patches/{patch_id}"), None).await.json();
    let bounds: Vec<f64> = serde_json::from_value(detail["bounds"].clone()).expect("bounds");
    let (column, row) = ((bounds[0] / 2560.0).floor() as i64, (-bounds[3] / 2560.0).floor() as i64);
    let tile = |pass: &str, bands: &str, level: u32, column: i64, row: i64| {
        let path = format!("/api/patches/{patch_id}/tiles/{pass}/{bands}/{level}/{column}/{row}");
        let client = &client;
        async move { client.ask(Some("viewer-1"), "GET", &path, None).await }
    };
    let (pre, post) =
        (detail["pre"]["pass_id"].as_str().expect("a pass"), detail["post"]["pass_id"].as_str().expect("a pass"));
    let before = tile(pre, "natural", 6, column, row).await;
    assert_eq!((before.status, before.header("content-type")), (StatusCode::OK, "image/png"), "{}", before.text());
    let picture = image::load_from_memory(&before.bytes).expect("a picture");
    assert_eq!((picture.width(), picture.height()), (256, 256));
    let after = tile(post, "infrared", 6, column, row).await;
    assert_ne!(before.bytes, after.bytes);
    assert_eq!(tile("../../etc/passwd", "natural", 6, column, row).await.status, StatusCode::NOT_FOUND);
    assert_eq!(tile("https:", "natural", 6, column, row).await.status, StatusCode::NOT_FOUND);
    assert_eq!(tile(pre, "thermal", 6, column, row).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(tile(pre, "natural", 60, column, row).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(tile(pre, "natural", 6, column + 40, row).await.status, StatusCode::BAD_REQUEST, "far away");
    assert_eq!(tile(pre, "natural", 6, i64::MAX, row).await.status, StatusCode::BAD_REQUEST);
    // what lies outside the pass is hatched, not black
    let outside = tile(pre, "natural", 4, column / 4, row / 4 - 1).await;
    let picture = image::load_from_memory(&outside.bytes).expect("a picture").into_rgb8();
    assert!(picture.pixels().filter(|pixel| pixel.0 == [224, 220, 234]).count() > 1000);
    // the files are gone: the page is told so
    for entry in std::fs::read_dir(scene.store.parent().expect("a folder")).expect("a folder") {
        let path = entry.expect("a file").path();
        if path.extension().is_some_and(|ending| ending == "tif") {
            std::fs::remove_file(path).expect("removed");
        }
    }
    let fresh = Client::of(&scene);
    let path = format!("/api/patches/{patch_id}/tiles/{pre}/natural/6/{column}/{row}");
    let gone = fresh.ask(Some("viewer-1"), "GET", &path, None).await;
    assert_eq!(gone.status, StatusCode::GONE);
    assert!(!gone.text().contains(".tif"), "no path is told: {}", gone.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn features_page_by_page_in_each_axis_order() {
    let (_folder, scene, client) = served(23);
    let get = |path: String| {
        let client = &client;
        async move { client.ask(Some("viewer-1"), "GET", &path, None).await }
    };
    let (mut next, mut seen) = (Some("/ogc/collections/patches/items?limit=5".to_owned()), Vec::new());
    while let Some(path) = next {
        let page = get(path).await.json();
        assert_eq!(page["numberMatched"], 23);
        seen.extend(
            page["features"]
                .as_array()
                .expect("features")
                .iter()
                .map(|feature| feature["id"].as_str().expect("an id").to_owned()),
        );
        let links = page["links"].as_array().expect("links");
        next = links
            .iter()
            .find(|link| link["rel"] == "next")
            .map(|link| link["href"].as_str().expect("an address").trim_start_matches("http://review.test").to_owned());
    }
    seen.sort();
    let mut all = scene.patch_ids.clone();
    all.sort();
    assert_eq!(seen, all);
    let one = |crs: &str| get(format!("/ogc/collections/patches/items/{}{crs}", all[0]));
    let (plain, turned) = (one("").await, one("?crs=http://www.opengis.net/def/crs/EPSG/0/4490").await);
    let corner = |answer: &Answer| answer.json()["geometry"]["coordinates"][0][0].clone();
    assert_eq!(corner(&plain)[0], corner(&turned)[1]);
    assert_eq!(turned.header("content-crs"), "<http://www.opengis.net/def/crs/EPSG/0/4490>");
    let (x, y) = (corner(&plain)[0].as_f64().expect("x"), corner(&plain)[1].as_f64().expect("y"));
    let small = format!("{},{},{},{}", x - 1e-5, y - 1e-5, x + 1e-5, y + 1e-5);
    let swapped = format!("{},{},{},{}", y - 1e-5, x - 1e-5, y + 1e-5, x + 1e-5);
    let matched = |answer: Answer| answer.json()["numberMatched"].as_u64().expect("a count");
    let near = matched(get(format!("/ogc/collections/patches/items?bbox={small}")).await);
    let same = matched(
        get(format!(
            "/ogc/collections/patches/items?bbox={swapped}&bbox-crs=http://www.opengis.net/def/crs/EPSG/0/4490"
        ))
        .await,
    );
    assert!(near >= 1 && near == same, "{near} {same}");
    let old = matched(get("/ogc/collections/patches/items?datetime=../2000-01-01T00:00:00Z".to_owned()).await);
    assert_eq!(old, 0);
    let collections = get("/ogc/collections".to_owned()).await.json();
    assert_eq!(collections["collections"].as_array().expect("collections").len(), 4);
    assert_eq!(collections["collections"][0]["storageCrs"], "http://www.opengis.net/def/crs/EPSG/0/4490");
}

#[tokio::test(flavor = "multi_thread")]
async fn photographs_are_limited_and_kept_as_they_are() {
    let (folder, scene, client) = served(2);
    let patch_id = &scene.patch_ids[0];
    let send = |account: &'static str, bytes: Vec<u8>| {
        let (client, path) = (&client, format!("/api/patches/{patch_id}/photos"));
        async move {
            let mut body =
                b"--x\r\ncontent-disposition: form-data; name=\"photo\"; filename=\"../../evil.sh\"\r\n\r\n".to_vec();
            body.extend(bytes);
            body.extend(b"\r\n--x--\r\n");
            let request =
                Request::builder().method("POST").uri(path).header("content-type", "multipart/form-data; boundary=x");
            let request = request.header("authorization", format!("Bearer secret of {account}"));
            client.raw(request.body(Body::from(body)).expect("a request")).await
        }
    };
    let mut photo = vec![0xFF, 0xD8, 0xFF, 0xE0];
    photo.extend(vec![7; 1000]);
    let added = send("field-1", photo.clone()).await;
    assert_eq!(added.status, StatusCode::OK, "{}", added.text());
    let id = added.json()["photo_id"].as_str().expect("an id").to_owned();
    let back = client.ask(Some("viewer-1"), "GET", &format!("/api/patches/{patch_id}/photos/{id}"), None).await;
    assert_eq!((back.bytes, back.status), (photo, StatusCode::OK));
    assert_eq!(send("field-1", b"#!/bin/sh".to_vec()).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let mut large = vec![0xFF, 0xD8, 0xFF];
    large.extend(vec![0; 13 << 20]);
    assert_eq!(send("field-1", large).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(send("viewer-1", vec![0xFF, 0xD8, 0xFF]).await.status, StatusCode::FORBIDDEN);
    let kept: Vec<_> = std::fs::read_dir(folder.path().join("field-photos")).expect("a folder").collect();
    assert_eq!(kept.len(), 1);
    let other =
        client.ask(Some("viewer-1"), "GET", &format!("/api/patches/{}/photos/{id}", scene.patch_ids[1]), None).await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_keeps_the_page_to_itself_and_figures_are_counted() {
    let (_folder, _scene, client) = served(2);
    for path in ["/", "/assets/desk.js", "/api/session", "/nowhere", "/health"] {
        let answer = client.ask(None, "GET", path, None).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    }
    assert_eq!(client.ask(None, "GET", "/assets/..%2f..%2fCargo.toml", None).await.status, StatusCode::NOT_FOUND);
    let text = client.ask(Some("viewer-1"), "GET", "/metrics", None).await.text();
    assert!(
        text.contains("shorewatch_review_answers_total{method=\"GET\",route=\"/health\",status=\"200\"} 1"),
        "{text}"
    );
    assert!(text.contains("shorewatch_review_answer_seconds_bucket{le=\"+Inf\"}"));
}

#[test]
fn the_committed_description_of_the_interface_is_the_programs_own() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let own = shorewatch_review::api::document() + "\n";
    if std::env::var_os("SHOREWATCH_WRITE_OPENAPI").is_some() {
        std::fs::write(path, &own).expect("written");
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == own,
        "{path} is not up to date: run this test with SHOREWATCH_WRITE_OPENAPI=1 and look at the difference"
    );
}
