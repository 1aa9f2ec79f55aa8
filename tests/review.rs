//! `shorewatch review`: from a finished run to a served page, with the real binary.

mod common;

use common::served::Served;
use common::{Place, text};
use serde_json::{Value, json};

#[test]
fn a_run_is_reviewed_through_the_served_page() {
    let place = Place::painted();
    let config = place.configure("review.toml", "state");
    let run = place.run(&["run", "--config", &config]);
    assert!(run.status.success(), "{}", text(&run));
    let pictures = || -> Vec<_> {
        let folder = std::fs::read_dir(place.path("state/first-pictures")).expect("left beside the store");
        let told = folder.map(|entry| entry.expect("an entry"));
        told.map(|entry| (entry.path(), entry.metadata().expect("told").modified().expect("a time"))).collect()
    };
    let left = pictures();
    let repeated = place.json(0, &["run", "--config", &config]);
    let (again, patches) = (pictures(), repeated["patches_current"].as_u64().expect("a number") as usize);
    assert_eq!(repeated["first_pictures"], 0, "{repeated}");
    assert!(
        patches > 0 && left.len() == 3 * patches && left == again,
        "a run repeated cuts nothing: {left:?} {again:?}"
    );
    let added =
        place.run(&["review", "account", "add", "review-7", "--role", "reviewer", "--config", &config, "--json"]);
    assert!(added.status.success(), "{}", text(&added));
    let added: Value = serde_json::from_slice(&added.stdout).expect("JSON");
    let again = place.run(&["review", "account", "add", "review-7", "--role", "reviewer", "--config", &config]);
    assert!(!again.status.success() && text(&again).contains("code that is free"), "{}", text(&again));
    let named = place.run(&["review", "account", "add", "王小明", "--role", "reviewer", "--config", &config]);
    assert_eq!(named.status.code(), Some(2), "{}", text(&named));

    let mut served = Served::begin(&place, &config);
    assert!(served.first["first_account"].is_null(), "there is an account already");
    let headers = served.log_in("review-7", &added["password"]);
    let next = served.ask("POST", "/api/next", &headers, &json!({}));
    assert_eq!(next.status, 200, "{}", next.json);
    let patch_id = next.json["patch"]["patch_id"].as_str().expect("a patch").to_owned();
    let first = served.ask("GET", &format!("/api/patches/{patch_id}/chips/before"), &headers, &Value::Null);
    let own = |path: &std::path::Path| {
        path.file_name().is_some_and(|name| {
            let name = name.to_string_lossy();
            name.starts_with(&patch_id) && name.ends_with("before.png")
        })
    };
    let own = left.iter().find(|(path, _)| own(path)).expect("a first picture of the patch");
    assert_eq!(first.body, std::fs::read(&own.0).expect("a picture"), "what the run left is shown");
    let decision = json!({ "decision_id": "decided-by-test", "verdict": "problem", "on_version": 0 });
    let decided = served.ask("POST", &format!("/api/patches/{patch_id}/decisions"), &headers, &decision);
    assert_eq!((decided.status, &decided.json["review"]["state"]), (200, &json!("decided")), "{}", decided.json);
    served.end();

    let state = place.path("state");
    let beside: Vec<_> = std::fs::read_dir(&state)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with("-wal") || name.ends_with("-shm") || name.ends_with("-journal"))
        .collect();
    assert!(beside.is_empty(), "at rest the store is one file: {beside:?}");
    let disabled = place.run(&["review", "account", "disable", "review-7", "--config", &config]);
    assert!(disabled.status.success(), "{}", text(&disabled));
    let listed = place.run(&["review", "account", "list", "--config", &config]);
    assert!(text(&listed).contains("disabled"), "{}", text(&listed));
}

#[test]
fn the_first_start_makes_an_administrator_and_tells_the_password_once() {
    let place = Place::painted();
    let config = place.configure("review.toml", "state");
    let served = place.run(&["review", "serve", "--config", &config]);
    assert_eq!(served.status.code(), Some(4), "without a store: {}", text(&served));
    let added = place.run(&[
        "reaches",
        "import",
        "imagery/reaches.geojson",
        "--id-field",
        "reach_id",
        "--name-field",
        "name",
        "--config",
        &config,
    ]);
    assert!(added.status.success(), "{}", text(&added));
    let mut served = Served::begin(&place, &config);
    let first = served.first["first_account"].clone();
    let log_in = json!({ "account": first["account"], "password": first["password"] });
    let session = served.ask("POST", "/api/session", "", &log_in);
    assert_eq!((session.status, &session.json["role"]), (200, &json!("administrator")), "{}", session.json);
    served.end();
    let mut served = Served::begin(&place, &config);
    assert!(served.first["first_account"].is_null());
    served.end();
    let origin = place.run(&["review", "serve", "--config", &config, "--origin", "review.example.org/page"]);
    assert_eq!(origin.status.code(), Some(2), "{}", text(&origin));

    // an identity provider that is never asked: nobody logs in by it
    let link = |what: &str| place.run(&["review", "account", what, "administrator", "--config", &config]);
    assert!(text(&link("link")).contains("[review.open_id_connect]"), "{}", text(&link("link")));
    let provider = "[review.open_id_connect]\nissuer = \"https://login.example.org\"\nclient_id = \"shorewatch\"\n\
                    client_secret_file = \"secret\"\n";
    let plain = std::fs::read_to_string(place.path(&config)).expect("the configuration");
    std::fs::write(place.path(&config), format!("{plain}{provider}")).expect("written");
    let without = place.run(&["review", "serve", "--config", &config, "--origin", "https://review.example.org"]);
    assert!(without.status.code() == Some(2) && text(&without).contains("client secret"), "{}", text(&without));
    std::fs::write(place.path("secret"), "hush").expect("written");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(place.path("secret"), std::fs::Permissions::from_mode(0o600)).expect("a mode");
    }
    let nowhere = place.run(&["review", "serve", "--config", &config]);
    assert!(nowhere.status.code() == Some(2) && text(&nowhere).contains("redirect_base"), "{}", text(&nowhere));
    std::fs::write(place.path(&config), format!("{plain}{provider}redirect_base = \"https://review.example.org\"\n"))
        .expect("written");
    let mut served = Served::begin(&place, &config);
    let told = served.ask("GET", "/api/session/provider", "", &Value::Null);
    assert_eq!((told.status, told.json), (200, json!({ "name": "OpenID Connect" })));
    served.end();
    let list = || text(&place.run(&["review", "account", "list", "--config", &config]));
    assert!(link("link").status.success() && list().contains("(identity provider)"), "{}", list());
    for (what, told) in
        [("link", "comes first under this code"), ("unlink", "linked no more"), ("unlink", "not linked")]
    {
        let done = link(what);
        assert!(text(&done).contains(told), "{}", text(&done));
    }
}
