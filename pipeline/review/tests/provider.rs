//! Logging in by an identity provider, and everything that must not let anybody in. The provider is a real one on this machine.

mod client;
mod identity_provider;
mod scene;

use std::net::SocketAddr;
use std::time::Duration;

use axum::http::StatusCode;
use client::{Answer, Client};
use identity_provider::{CLIENT_ID, CLIENT_SECRET, IdentityProvider, Signing};
use jiff::Timestamp;
use openidconnect::url::Url;
use scene::{PASSWORD, Scene};
use serde_json::{Value, json};
use shorewatch_domain::access::Role;
use shorewatch_review::access::provider::settings::{MappedRole, ProviderSettings, UnknownUsers};
use tempfile::TempDir;

const CALLBACK: &str = "/api/session/provider/callback";

/// A server that one provider lets people in to.
struct Served {
    _folder: TempDir,
    provider: IdentityProvider,
    client: Client,
}

fn settings(issuer: &str) -> ProviderSettings {
    identity_provider::settings(issuer, "https://review.test")
}

fn map() -> Vec<MappedRole> {
    [("county-reviewers", Role::Reviewer, "unit:460102"), ("chiefs", Role::Supervisor, "all")]
        .into_iter()
        .map(|(value, role, scope)| MappedRole {
            value: value.to_owned(),
            role,
            scope: scope.parse().expect("a scope"),
        })
        .collect()
}

fn client_of(scene: &Scene, provider: ProviderSettings) -> Client {
    Client::with(scene, shorewatch_review::Settings { provider: Some(provider), ..scene.settings() })
}

async fn served(change: impl FnOnce(&mut ProviderSettings)) -> Served {
    let folder = TempDir::new().expect("a folder");
    let scene = scene::build(folder.path(), 2);
    let provider = IdentityProvider::begin().await;
    let mut settings = settings(&provider.issuer);
    change(&mut settings);
    let client = client_of(&scene, settings);
    Served { _folder: folder, provider, client }
}

impl Served {
    /// Begins: the cookie, and where the browser goes.
    async fn begin(&self) -> (String, Url) {
        let begun = self.client.send("POST", "/api/session/provider", &[], None).await;
        assert_eq!(begun.status, StatusCode::OK, "{}", begun.text());
        let address = begun.json()["address"].as_str().expect("an address").parse().expect("an address");
        (cookies(&begun)[0].split(';').next().expect("a cookie").to_owned(), address)
    }

    /// What the browser comes back with.
    async fn at_provider(&self, address: &Url) -> String {
        let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build();
        let answer = browser.expect("a browser").get(address.as_str()).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 303);
        let back = answer.headers()["location"].to_str().expect("an address");
        back.strip_prefix("https://review.test").expect("back to the server").to_owned()
    }

    async fn back(&self, cookie: &str, path: &str) -> Answer {
        let answer = self.client.send("GET", path, &[("cookie".to_owned(), cookie.to_owned())], None).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        answer
    }

    /// All the way.
    async fn log_in(&self) -> Result<String, String> {
        let (cookie, address) = self.begin().await;
        let path = self.at_provider(&address).await;
        outcome(&self.back(&cookie, &path).await)
    }

    async fn link(&self, account: &str) {
        let path = format!("/api/accounts/{account}");
        let linked = self.client.ask(Some("admin-1"), "PATCH", &path, Some(json!({ "linked": true }))).await;
        assert_eq!(
            (linked.status, linked.json()["linked"].clone()),
            (StatusCode::OK, json!(true)),
            "{}",
            linked.text()
        );
    }

    async fn session(&self, cookie: &str) -> Answer {
        self.client.send("GET", "/api/session", &[("cookie".to_owned(), cookie.to_owned())], None).await
    }

    async fn account(&self, code: &str) -> Value {
        let all = self.client.ask(Some("admin-1"), "GET", "/api/accounts", None).await.json();
        let found = all["accounts"].as_array().expect("accounts").iter().find(|one| one["account"] == code);
        found.cloned().unwrap_or_default()
    }

    fn person(&self, claims: Value) {
        self.provider.says().claims = claims;
    }
}

fn cookies(answer: &Answer) -> Vec<String> {
    let all = answer.headers.get_all("set-cookie");
    all.into_iter().map(|value| value.to_str().expect("a cookie").to_owned()).collect()
}

/// The cookie of the session, or why there is none.
fn outcome(answer: &Answer) -> Result<String, String> {
    match answer.header("location") {
        "/" => {
            let session = cookies(answer).into_iter().find(|cookie| cookie.starts_with("shorewatch_session="));
            Ok(session.expect("a session").split(';').next().expect("a cookie").to_owned())
        }
        place => {
            assert!(cookies(answer).is_empty(), "{place}");
            Err(place.strip_prefix("/#refused=").expect("the page, and nothing else").to_owned())
        }
    }
}

fn refused(code: &str) -> Result<String, String> {
    Err(code.to_owned())
}

async fn password(client: &Client, account: &str) -> Answer {
    client.send("POST", "/api/session", &[], Some(json!({ "account": account, "password": PASSWORD }))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_linked_gets_an_ordinary_session() {
    let served = served(|_| {}).await;
    let told = served.client.send("GET", "/api/session/provider", &[], None).await.json();
    assert_eq!(told, json!({ "name": "Water login" }));
    assert_eq!(served.log_in().await, refused("provider_unknown"), "not before an administrator linked the account");
    served.link("review-1").await;
    let (cookie, address) = served.begin().await;
    let asked: std::collections::HashMap<_, _> = address.query_pairs().into_owned().collect();
    for (name, least) in [("state", 20), ("nonce", 20), ("code_challenge", 43)] {
        assert!(asked[name].len() >= least, "{name}");
    }
    assert_eq!((asked["code_challenge_method"].as_str(), asked["scope"].as_str()), ("S256", "openid profile"));
    assert!(!address.as_str().contains("secret") && asked["redirect_uri"] == format!("https://review.test{CALLBACK}"));
    let path = served.at_provider(&address).await;
    let answer = served.back(&cookie, &path).await;
    let (session, all) = (outcome(&answer).expect("a session"), cookies(&answer));
    for word in ["HttpOnly", "SameSite=Strict", "Path=/;", "Max-Age=43200", "Secure"] {
        assert!(all[0].contains(word), "{all:?}");
    }
    assert!(all[1].starts_with("shorewatch_log_in=;") && all[1].contains("Max-Age=0"), "{all:?}");
    let shown = served.session(&session).await.json();
    assert_eq!(
        (&shown["account"], &shown["role"], &shown["scope"]),
        (&json!("review-1"), &json!("reviewer"), &json!("all"))
    );
    // roles count as they do for everybody, and so does the token against other sites
    let headers =
        |csrf: &str| vec![("cookie".to_owned(), session.clone()), ("x-csrf-token".to_owned(), csrf.to_owned())];
    let csrf = shown["csrf"].as_str().expect("a token");
    let accounts = served.client.send("GET", "/api/accounts", &headers(csrf), None).await;
    assert_eq!((accounts.status, accounts.json()["code"].clone()), (StatusCode::FORBIDDEN, json!("right")));
    assert_eq!(served.client.send("DELETE", "/api/sessions", &headers("x"), None).await.json()["code"], "csrf");
    let second = served.log_in().await.expect("a session");
    let out = served.client.send("DELETE", "/api/sessions", &headers(csrf), None).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    for ended in [&session, &second] {
        assert_eq!(served.session(ended).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(password(&served.client, "review-1").await.status, StatusCode::OK, "passwords go on");
    assert!(served.log_in().await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_flow_has_a_cookie_of_its_own() {
    let served = served(|_| {}).await;
    let begun = served.client.send("POST", "/api/session/provider", &[], None).await;
    let cookie = &cookies(&begun)[0];
    for word in ["HttpOnly", "SameSite=Lax", "Secure", "Max-Age=600", &format!("Path={CALLBACK};")] {
        assert!(cookie.contains(word), "{cookie}");
    }
    let lured = [("origin".to_owned(), "https://elsewhere.example".to_owned())];
    let foreign = served.client.send("POST", "/api/session/provider", &lured, None).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_can_not_be_trusted_let_nobody_in() {
    let served = served(|_| {}).await;
    served.link("review-1").await;
    let now = Timestamp::now().as_second();
    for (what, claims) in [
        ("the nonce of another log-in", json!({ "nonce": "another" })),
        ("no nonce", json!({ "nonce": null })),
        ("for another client", json!({ "aud": "another" })),
        ("for another client, too", json!({ "aud": [CLIENT_ID, "another"] })),
        ("of another issuer", json!({ "iss": "https://elsewhere.example" })),
        ("of a longer issuer", json!({ "iss": format!("{}/", served.provider.issuer) })),
        ("over for more than a minute", json!({ "iat": now - 400, "exp": now - 90 })),
        ("not begun yet", json!({ "iat": now + 300, "exp": now + 600 })),
        ("to be used later", json!({ "nbf": now + 300 })),
        ("made long ago", json!({ "iat": now - 3600 })),
        ("without an end", json!({ "exp": null })),
        ("without a subject", json!({ "sub": null })),
        ("with an empty subject", json!({ "sub": "" })),
    ] {
        served.person(claims);
        assert_eq!(served.log_in().await, refused("provider_token"), "{what}");
    }
    served.person(json!({}));
    for signing in [
        Signing::Forged,
        Signing::Changed,
        Signing::Unsigned,
        Signing::Secret,
        Signing::PublicAsSecret,
        // a key that the provider does not tell of
        Signing::Rsa(1),
    ] {
        served.provider.says().signing = signing;
        assert_eq!(served.log_in().await, refused("provider_token"), "{signing:?}");
    }
    assert_eq!(served.account("review-1").await["bound"], false, "nothing of it left a trace");
    for signing in [Signing::Rsa(0), Signing::Curve] {
        served.provider.says().signing = signing;
        assert!(served.log_in().await.is_ok(), "{signing:?}");
    }
    // clocks differ a little
    for claims in [json!({ "iat": now - 310, "exp": now - 10 }), json!({ "iat": now + 30 })] {
        served.person(claims);
        assert!(served.log_in().await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_ends_once_and_in_the_browser_that_began_it() {
    let served = served(|_| {}).await;
    served.link("review-1").await;
    let (cookie, address) = served.begin().await;
    let path = served.at_provider(&address).await;
    let answer = async |cookie: &str, path: &str| outcome(&served.back(cookie, path).await);
    assert_eq!(answer("", &path).await, refused("provider_not_begun"), "without the cookie");
    assert_eq!(answer("shorewatch_log_in=guessed", &path).await, refused("provider_not_begun"), "with another cookie");
    let (other_cookie, other_address) = served.begin().await;
    assert_eq!(answer(&other_cookie, &path).await, refused("provider_not_begun"), "in another browser");
    let state = address.query_pairs().find(|(name, _)| name == "state").expect("a state").1.into_owned();
    let wrong = path.replace(&state, "guessed");
    assert!(wrong != path);
    assert_eq!(answer(&cookie, &wrong).await, refused("provider_not_begun"), "with another state");
    for path in [CALLBACK.to_owned(), format!("{CALLBACK}?code=a&code=b&state={state}"), format!("{CALLBACK}?code=a")] {
        assert_eq!(answer(&cookie, &path).await, refused("provider_not_begun"), "{path}");
    }
    assert_eq!(served.provider.heard("token"), 0, "nothing of that reached the provider");
    // guesses ended nobody's log-in
    assert!(answer(&cookie, &path).await.is_ok());
    assert_eq!(answer(&cookie, &path).await, refused("provider_not_begun"), "a second time");

    // the code of one log-in, brought into another: the provider wants the verifier of its own
    let other_path = served.at_provider(&other_address).await;
    let (third_cookie, third_address) = served.begin().await;
    let third_path = served.at_provider(&third_address).await;
    let code = |path: &str| {
        let pairs = Url::parse(&format!("https://review.test{path}")).expect("an address");
        pairs.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned()
    };
    let injected = third_path.replace(&code(&third_path), &code(&other_path));
    assert_eq!(answer(&third_cookie, &injected).await, refused("provider_refused"), "an injected code");
    let asked = served.provider.says().heard.iter().rev().find(|(path, _)| path == "token").expect("asked").1.clone();
    assert!(asked.contains("code_verifier="), "{asked}");
    assert_eq!(answer(&other_cookie, &other_path).await, refused("provider_refused"), "the code was used");
    // the answer of another provider, mixed up
    let (cookie, address) = served.begin().await;
    let path = served.at_provider(&address).await;
    let mixed = format!("{}&iss=https://elsewhere.example", path.replace("iss=", "was="));
    assert_eq!(answer(&cookie, &mixed).await, refused("provider_token"), "another provider");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_the_provider_are_not_repeated() {
    let served = served(|_| {}).await;
    for (error, code) in [("access_denied", "provider_denied"), ("<script>alert(1)</script>", "provider_refused")] {
        served.provider.says().error = Some((error, "<img src=x onerror=alert(1)>//elsewhere.example"));
        let (cookie, address) = served.begin().await;
        let path = served.at_provider(&address).await;
        let answer =
            served.back(&cookie, &format!("{path}&redirect=https://elsewhere.example&next=//elsewhere.example")).await;
        assert_eq!(answer.header("location"), format!("/#refused={code}"));
        assert!(answer.bytes.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_of_an_account_is_no_key_to_it() {
    let served = served(|settings| {
        (settings.roles, settings.unknown_users) = (map(), UnknownUsers::Add);
    })
    .await;
    let person = |subject: &str, code: &str, roles: &[&str]| {
        served.person(json!({ "sub": subject, "preferred_username": code, "realm_access": { "roles": roles } }));
    };
    // whoever may choose a name at the provider
    person("mallory", "admin-1", &["chiefs"]);
    assert_eq!(served.log_in().await, refused("provider_unknown"));
    assert_eq!(served.account("admin-1").await["role"], "administrator");
    // one account, one person
    served.link("review-1").await;
    person("person-1", "review-1", &["chiefs"]);
    assert!(served.log_in().await.is_ok());
    person("mallory", "review-1", &["chiefs"]);
    assert_eq!(served.log_in().await, refused("provider_unknown"));
    // a person keeps the account whatever they are called meanwhile
    person("person-1", "review-2", &["chiefs"]);
    let session = served.log_in().await.expect("a session");
    assert_eq!(served.session(&session).await.json()["account"], "review-1");
    // linked anew for somebody else: who was there before is out
    served.link("review-1").await;
    assert_eq!(served.session(&session).await.status, StatusCode::UNAUTHORIZED);
    person("person-2", "review-1", &["chiefs"]);
    assert!(served.log_in().await.is_ok());
    let unlinked =
        served.client.ask(Some("admin-1"), "PATCH", "/api/accounts/review-1", Some(json!({ "linked": false }))).await;
    assert_eq!(unlinked.json()["linked"], false);
    assert_eq!(served.log_in().await, refused("provider_unknown"));
    for code in ["no code", "13900000000", "a.name@water.example", ""] {
        person("person-3", code, &["chiefs"]);
        assert_eq!(served.log_in().await, refused("provider_no_code"), "{code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_follow_the_provider_at_each_log_in() {
    let served = served(|settings| {
        (settings.roles, settings.unknown_users) = (map(), UnknownUsers::Add);
    })
    .await;
    let person =
        |roles: Value| served.person(json!({ "preferred_username": "new-1", "realm_access": { "roles": roles } }));
    person(json!(["bakers"]));
    assert_eq!(served.log_in().await, refused("provider_no_role"));
    assert_eq!(served.account("new-1").await, Value::Null, "nobody without a role gets an account");
    person(json!(["bakers", "county-reviewers"]));
    let first = served.log_in().await.expect("a session");
    let shown = served.session(&first).await.json();
    assert_eq!((&shown["role"], &shown["scope"]), (&json!("reviewer"), &json!("unit:460102")));
    assert_eq!(password(&served.client, "new-1").await.status, StatusCode::UNAUTHORIZED, "no password opens it");
    let empty = json!({ "account": "new-1", "password": "" });
    assert_eq!(served.client.send("POST", "/api/session", &[], Some(empty)).await.status, StatusCode::UNAUTHORIZED);
    person(json!(["chiefs"]));
    let second = served.log_in().await.expect("a session");
    assert_eq!(served.session(&second).await.json()["role"], "supervisor");
    assert_eq!(served.session(&first).await.status, StatusCode::UNAUTHORIZED, "sessions of the old role ended");
    person(json!([]));
    assert_eq!(served.log_in().await, refused("provider_no_role"));
    assert_eq!(served.session(&second).await.status, StatusCode::UNAUTHORIZED, "and so do those of no role");
    let log = served.client.ask(Some("admin-1"), "GET", "/api/access-log", None).await.text();
    assert!(log.contains("account added: new-1") && log.contains("account changed: new-1"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_unknown_or_disabled_here_stays_out() {
    let served = served(|settings| settings.local_passwords = false).await;
    served.person(json!({ "preferred_username": "new-1" }));
    assert_eq!(served.log_in().await, refused("provider_unknown"));
    assert_eq!(served.account("new-1").await, Value::Null);
    served.link("review-1").await;
    served.person(json!({}));
    let session = served.log_in().await.expect("a session");
    let passwords = password(&served.client, "review-1").await;
    assert_eq!((passwords.status, passwords.json()["code"].clone()), (StatusCode::FORBIDDEN, json!("provider_only")));
    assert_eq!(password(&served.client, "review-2").await.status, StatusCode::OK, "that is for linked accounts only");
    // a one-time password is of no concern to who gives none
    let reset = served.client.ask(Some("admin-1"), "POST", "/api/accounts/review-1/reset", None).await;
    assert_eq!(reset.status, StatusCode::OK);
    let anew = served.log_in().await.expect("a session");
    assert_eq!(served.session(&anew).await.json()["password_due"], false);
    let queue = served.client.send("GET", "/api/queue", &[("cookie".to_owned(), anew.clone())], None).await;
    assert_eq!(queue.status, StatusCode::OK);
    let disabled = json!({ "disabled": true });
    served.client.ask(Some("admin-1"), "PATCH", "/api/accounts/review-1", Some(disabled)).await;
    assert_eq!(served.log_in().await, refused("provider_disabled"));
    for ended in [&session, &anew] {
        assert_eq!(served.session(ended).await.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_kept_and_read_again_where_one_is_unknown() {
    let served = served(|_| {}).await;
    served.link("review-1").await;
    assert_eq!(served.provider.heard("metadata"), 0, "nothing is asked before somebody logs in");
    for _ in 0..3 {
        assert!(served.log_in().await.is_ok());
    }
    assert_eq!((served.provider.heard("metadata"), served.provider.heard("jwks")), (1, 1));
    {
        let mut says = served.provider.says();
        (says.signing, says.keys) = (Signing::Rsa(1), vec![1]);
    }
    assert!(served.log_in().await.is_ok(), "the provider has a new key");
    assert_eq!(served.provider.heard("jwks"), 2);
    served.provider.says().signing = Signing::Rsa(0);
    assert_eq!(served.log_in().await, refused("provider_token"), "the old one is no longer told of");
    assert_eq!(served.provider.heard("jwks"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_provider_keeps_nobody_from_logging_in_with_a_password() {
    let folder = TempDir::new().expect("a folder");
    let scene = scene::build(folder.path(), 2);
    let kept = std::net::TcpListener::bind("127.0.0.1:0").expect("an address");
    let address: SocketAddr = kept.local_addr().expect("an address");
    drop(kept);
    let client = client_of(&scene, settings(&format!("http://{address}")));
    let begin = async || client.send("POST", "/api/session/provider", &[], None).await;
    let silent = begin().await;
    assert_eq!(
        (silent.status, silent.json()["code"].clone()),
        (StatusCode::SERVICE_UNAVAILABLE, json!("provider_unreachable"))
    );
    assert!(!silent.text().contains("127.0.0.1"), "{}", silent.text());
    assert_eq!(password(&client, "review-1").await.status, StatusCode::OK);
    let provider = IdentityProvider::begin_at(address).await;
    assert_eq!(begin().await.status, StatusCode::SERVICE_UNAVAILABLE, "it is left alone for a moment");
    assert_eq!(provider.heard("metadata"), 0);
    tokio::time::sleep(Duration::from_millis(5200)).await;
    assert_eq!(begin().await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_to_anybody_but_the_issuer() {
    let elsewhere = IdentityProvider::begin().await;
    for (name, path) in [("jwks_uri", "jwks"), ("token_endpoint", "token")] {
        let served = served(|_| {}).await;
        served.link("review-1").await;
        served.provider.says().metadata = json!({ name: format!("{}/{path}", elsewhere.issuer) });
        let begun = served.client.send("POST", "/api/session/provider", &[], None).await;
        if name == "jwks_uri" {
            assert_eq!(begun.json()["code"], "provider_unreachable", "{name}");
        } else {
            assert_eq!(served.log_in().await, refused("provider_unreachable"), "{name}");
        }
    }
    for metadata in
        [json!({ "issuer": elsewhere.issuer }), json!({ "authorization_endpoint": "http://elsewhere.example/" })]
    {
        let served = served(|_| {}).await;
        served.provider.says().metadata = metadata.clone();
        let begun = served.client.send("POST", "/api/session/provider", &[], None).await;
        assert_eq!(begun.json()["code"], "provider_unreachable", "{metadata}");
    }
    assert!(elsewhere.says().heard.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_are_limited_and_there_is_no_provider_where_none_is_configured() {
    let folder = TempDir::new().expect("a folder");
    let scene = scene::build(folder.path(), 2);
    let provider = IdentityProvider::begin().await;
    let limited = shorewatch_review::Settings {
        provider: Some(settings(&provider.issuer)),
        log_ins_per_minute: 3,
        ..scene.settings()
    };
    let client = Client::with(&scene, limited);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(client.send("POST", "/api/session/provider", &[], None).await.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 429]);
    let back = client.send("GET", &format!("{CALLBACK}?code=a&state=b"), &[], None).await;
    assert_eq!(back.header("location"), "/#refused=too_many");
    drop(client);

    let client = Client::of(&scene);
    assert_eq!(client.send("GET", "/api/session/provider", &[], None).await.json(), json!({ "name": null }));
    assert_eq!(client.send("POST", "/api/session/provider", &[], None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(client.send("GET", CALLBACK, &[], None).await.status, StatusCode::NOT_FOUND);
    let linked = client.ask(Some("admin-1"), "PATCH", "/api/accounts/review-1", Some(json!({ "linked": true }))).await;
    assert_eq!(linked.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[test]
fn settings_that_would_give_secrets_away_are_refused() {
    use shorewatch_review::access::provider::Provider;
    let told = |change: &dyn Fn(&mut ProviderSettings), origin: Option<&str>| {
        let mut settings = settings("https://login.example.org/realms/water");
        change(&mut settings);
        Provider::new(settings, origin).err().unwrap_or_default()
    };
    assert_eq!(told(&|_| {}, None), "");
    assert_eq!(told(&|settings| settings.redirect_base = None, Some("https://review.test")), "");
    assert!(
        told(&|settings| settings.issuer = "http://login.example.org".to_owned(), None)
            .contains("issuer: expected https")
    );
    assert!(told(&|settings| settings.redirect_base = None, None).contains("expected redirect_base or --origin"));
    assert!(told(&|_| {}, Some("https://other.test")).contains("expected https://other.test"));
    assert!(
        told(&|settings| settings.certificate_authority = Some("/nowhere/ca.pem".into()), None)
            .contains("/nowhere/ca.pem")
    );
    assert!(!format!("{:?}", settings("https://login.example.org")).contains(CLIENT_SECRET));
}
