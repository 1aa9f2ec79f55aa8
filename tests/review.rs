//! `shorewatch review`: from a finished run to a served page, with the real binary.

mod common;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use common::{Place, text};
use serde_json::{Value, json};

/// A served page; killed if the test ends early.
struct Served {
    process: Child,
    first: Value,
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.process.kill());
    }
}

impl Served {
    fn begin(place: &Place, config: &str) -> Self {
        let arguments = ["review", "serve", "--config", config, "--listen", "127.0.0.1:0", "--json"];
        let mut process = place.command(&arguments).stdout(Stdio::piped()).spawn().expect("the binary runs");
        let mut output = BufReader::new(process.stdout.take().expect("its output"));
        let (mut told, mut first) = (String::new(), Value::Null);
        while first.is_null() {
            let read = output.read_line(&mut told).expect("a line");
            assert!(read > 0, "it ended: {told}");
            first = serde_json::from_str(&told).unwrap_or_default();
        }
        Self { process, first }
    }

    fn ask(&self, method: &str, path: &str, headers: &str, body: &Value) -> (u16, String, Value) {
        let host = self.first["page"].as_str().expect("an address").trim_start_matches("http://");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(host).expect("connected");
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: application/json\r\n"
        );
        write!(stream, "{head}{headers}content-length: {length}\r\n\r\n{body}").expect("asked");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
        (status, head.to_owned(), serde_json::from_str(body).unwrap_or_default())
    }

    fn end(mut self) {
        let pid = self.process.id().to_string();
        assert!(std::process::Command::new("kill").arg(pid).status().expect("kill runs").success());
        assert!(self.process.wait().expect("ended").success());
    }
}

#[test]
fn a_run_is_reviewed_through_the_served_page() {
    let place = Place::painted();
    let config = place.configure("review.toml", "state");
    let run = place.run(&["run", "--config", &config]);
    assert!(run.status.success(), "{}", text(&run));
    let added =
        place.run(&["review", "account", "add", "review-7", "--role", "reviewer", "--config", &config, "--json"]);
    assert!(added.status.success(), "{}", text(&added));
    let added: Value = serde_json::from_slice(&added.stdout).expect("JSON");
    let again = place.run(&["review", "account", "add", "review-7", "--role", "reviewer", "--config", &config]);
    assert!(!again.status.success() && text(&again).contains("code that is free"), "{}", text(&again));
    let named = place.run(&["review", "account", "add", "王小明", "--role", "reviewer", "--config", &config]);
    assert_eq!(named.status.code(), Some(2), "{}", text(&named));

    let served = Served::begin(&place, &config);
    assert!(served.first["first_account"].is_null(), "there is an account already");
    let log_in = json!({ "account": "review-7", "password": added["password"] });
    let (status, head, session) = served.ask("POST", "/api/session", "", &log_in);
    assert_eq!((status, session["password_due"].clone()), (200, json!(true)), "{head}");
    let headers = |head: &str, session: &Value| {
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
        let cookie = cookie.split(';').next().expect("its value");
        format!("cookie: {cookie}\r\nx-csrf-token: {}\r\n", session["csrf"].as_str().expect("a token"))
    };
    let new = json!({ "old": added["password"], "new": "quiet water under bridges" });
    let (status, head, session) = served.ask("POST", "/api/password", &headers(&head, &session), &new);
    assert_eq!(status, 200, "{session}");
    let headers = headers(&head, &session);
    let (status, _, next) = served.ask("POST", "/api/next", &headers, &json!({}));
    assert_eq!(status, 200, "{next}");
    let patch_id = next["patch"]["patch_id"].as_str().expect("a patch").to_owned();
    let decision = json!({ "decision_id": "decided-by-test", "verdict": "problem", "on_version": 0 });
    let (status, _, decided) = served.ask("POST", &format!("/api/patches/{patch_id}/decisions"), &headers, &decision);
    assert_eq!((status, decided["review"]["state"].clone()), (200, json!("decided")), "{decided}");
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
    let served = Served::begin(&place, &config);
    let first = served.first["first_account"].clone();
    let log_in = json!({ "account": first["account"], "password": first["password"] });
    let (status, _, session) = served.ask("POST", "/api/session", "", &log_in);
    assert_eq!((status, session["role"].clone()), (200, json!("administrator")), "{session}");
    served.end();
    let served = Served::begin(&place, &config);
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
    let served = Served::begin(&place, &config);
    let (status, _, told) = served.ask("GET", "/api/session/provider", "", &Value::Null);
    assert_eq!((status, told), (200, json!({ "name": "OpenID Connect" })));
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
