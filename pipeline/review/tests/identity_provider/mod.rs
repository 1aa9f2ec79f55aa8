//! An identity provider (OpenID Connect) at an address of this machine, that signs with keys made here. It keeps the rules that a
//! provider has to keep (client, redirect, one use of a code, PKCE), and says whatever a test wants it to say.

// each test binary takes what it needs
#![allow(dead_code, reason = "shared by several test binaries and an example, none of which uses all of it")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use argon2::password_hash::rand_core::{OsRng, RngCore as _};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use openidconnect::url::form_urlencoded;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use rsa::pkcs1v15::SigningKey;
use rsa::sha2::{Digest as _, Sha256};
use rsa::signature::{SignatureEncoding as _, Signer as _};
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};
use shorewatch_review::access::provider::settings::{ClientSecret, ProviderSettings, UnknownUsers};

/// What the provider calls the server under test.
pub(crate) const CLIENT_ID: &str = "shorewatch";

/// A secret that does not survive being written into a form as it is.
pub(crate) const CLIENT_SECRET: &str = "a secret: 50 % & more";

/// Two RSA keys, and one that the provider never told of.
static RSA_KEYS: LazyLock<[SigningKey<Sha256>; 3]> = LazyLock::new(|| {
    std::array::from_fn(|_| SigningKey::new(rsa::RsaPrivateKey::new(&mut OsRng, 2048).expect("a key")))
});

static CURVE_KEY: LazyLock<EcdsaKeyPair> = LazyLock::new(|| {
    let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, ring::rand::SystemRandom::new());
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
    EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).expect("a key")
});

/// How ID tokens are signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Signing {
    /// RS256 with one of the keys.
    Rsa(usize),
    /// ES256.
    Curve,
    /// RS256 with a key that nobody was told of, under the name of one that everybody was.
    Forged,
    /// Signed, then changed.
    Changed,
    /// `alg: none`.
    Unsigned,
    /// HS256 with the client secret.
    Secret,
    /// HS256 with the public key, which everybody knows.
    PublicAsSecret,
}

/// What the provider says and heard.
pub(crate) struct Says {
    /// Claims beside those of every token, or in their place; null takes one away.
    pub(crate) claims: Value,
    /// How it signs.
    pub(crate) signing: Signing,
    /// Names of the keys that it tells of.
    pub(crate) keys: Vec<usize>,
    /// What it says of itself beside the usual, or in its place.
    pub(crate) metadata: Value,
    /// The error in the place of a code.
    pub(crate) error: Option<(&'static str, &'static str)>,
    /// Whether people see a page on which they go on.
    pub(crate) page: bool,
    /// Paths that were asked for, with what was sent along.
    pub(crate) heard: Vec<(String, String)>,
    codes: HashMap<String, HashMap<String, String>>,
}

/// A provider at work.
#[derive(Clone)]
pub(crate) struct IdentityProvider {
    /// Its address.
    pub(crate) issuer: String,
    says: Arc<Mutex<Says>>,
}

impl IdentityProvider {
    /// Begins to answer.
    pub(crate) async fn begin() -> Self {
        Self::begin_at(([127, 0, 0, 1], 0).into()).await
    }

    /// Begins to answer at a port that a test keeps for it.
    pub(crate) async fn begin_at(address: SocketAddr) -> Self {
        Self::on(tokio::net::TcpListener::bind(address).await.expect("the address"), "127.0.0.1")
    }

    /// Begins to answer as another site than the page, and with a page of its own.
    pub(crate) async fn begin_for_browsers() -> Self {
        let provider = Self::on(tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("an address"), "localhost");
        provider.says().page = true;
        provider
    }

    fn on(listener: tokio::net::TcpListener, host: &str) -> Self {
        let says = Says {
            claims: json!({}),
            signing: Signing::Rsa(0),
            keys: vec![0],
            metadata: json!({}),
            error: None,
            page: false,
            heard: Vec::new(),
            codes: HashMap::new(),
        };
        let issuer = format!("http://{host}:{}", listener.local_addr().expect("an address").port());
        let provider = Self { issuer, says: Arc::new(Mutex::new(says)) };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(keys))
            .route("/authorize", get(authorize))
            .route("/token", post(give_token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    /// What it says and heard.
    pub(crate) fn says(&self) -> MutexGuard<'_, Says> {
        self.says.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often a path was asked for.
    pub(crate) fn heard(&self, path: &str) -> usize {
        self.says().heard.iter().filter(|(known, _)| known == path).count()
    }
}

/// How a server is told of it.
pub(crate) fn settings(issuer: &str, redirect_base: &str) -> ProviderSettings {
    ProviderSettings {
        name: "Water login".to_owned(),
        issuer: issuer.to_owned(),
        client_id: CLIENT_ID.to_owned(),
        client_secret: Some(ClientSecret::new(CLIENT_SECRET.to_owned())),
        redirect_base: Some(redirect_base.to_owned()),
        scopes: vec!["profile".to_owned()],
        user_claim: "preferred_username".to_owned(),
        role_claim: "realm_access.roles".to_owned(),
        roles: Vec::new(),
        unknown_users: UnknownUsers::Refuse,
        local_passwords: true,
        certificate_authority: None,
        timeout: Duration::from_secs(5),
    }
}

async fn metadata(State(provider): State<IdentityProvider>) -> Json<Value> {
    let issuer = &provider.issuer;
    let mut told = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
        "code_challenge_methods_supported": ["S256"],
    });
    let mut says = provider.says();
    says.heard.push(("metadata".to_owned(), String::new()));
    merge(&mut told, &says.metadata);
    Json(told)
}

async fn keys(State(provider): State<IdentityProvider>) -> Json<Value> {
    let mut says = provider.says();
    says.heard.push(("jwks".to_owned(), String::new()));
    let number = |number: &rsa::BigUint| URL_SAFE_NO_PAD.encode(number.to_bytes_be());
    let mut told: Vec<Value> = says
        .keys
        .iter()
        .map(|i| {
            let key: &rsa::RsaPrivateKey = RSA_KEYS[*i].as_ref();
            json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": format!("rsa-{i}"), "n": number(key.n()), "e": number(key.e()) })
        })
        .collect();
    // 0x04, then both coordinates
    let point = CURVE_KEY.public_key().as_ref();
    let coordinate = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&point[range]);
    told.push(json!({ "kty": "EC", "crv": "P-256", "use": "sig", "kid": "curve", "x": coordinate(1..33), "y": coordinate(33..65) }));
    Json(json!({ "keys": told }))
}

async fn authorize(State(provider): State<IdentityProvider>, Query(asked): Query<HashMap<String, String>>) -> Response {
    let word = |name: &str| asked.get(name).map_or("", String::as_str);
    if word("client_id") != CLIENT_ID
        || word("response_type") != "code"
        || word("code_challenge_method") != "S256"
        || !word("scope").split(' ').any(|scope| scope == "openid")
    {
        return (StatusCode::BAD_REQUEST, format!("not a request of this client: {asked:?}")).into_response();
    }
    let mut says = provider.says();
    says.heard.push(("authorize".to_owned(), String::new()));
    let mut back = form_urlencoded::Serializer::new(String::new());
    back.append_pair("state", word("state")).append_pair("iss", &provider.issuer);
    match says.error {
        Some((error, description)) => {
            back.append_pair("error", error).append_pair("error_description", description);
        }
        None => {
            let code = random();
            back.append_pair("code", &code);
            says.codes.insert(code, asked.clone());
        }
    }
    let address = format!("{}?{}", word("redirect_uri"), back.finish());
    if says.page {
        let link = address.replace('&', "&amp;");
        return Html(format!("<!doctype html><title>Provider</title><a id=\"go-on\" href=\"{link}\">Go on</a>"))
            .into_response();
    }
    (StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response()
}

async fn give_token(State(provider): State<IdentityProvider>, headers: HeaderMap, body: String) -> Response {
    let refuse = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response();
    let sent: HashMap<String, String> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let mut says = provider.says();
    says.heard.push(("token".to_owned(), body));
    if !is_client(&headers) {
        return refuse("invalid_client");
    }
    let Some(asked) = sent.get("code").and_then(|code| says.codes.remove(code)) else { return refuse("invalid_grant") };
    let challenge = sent.get("code_verifier").map(|verifier| URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)));
    if challenge.as_ref() != asked.get("code_challenge") || sent.get("redirect_uri") != asked.get("redirect_uri") {
        return refuse("invalid_grant");
    }
    let now = Timestamp::now().as_second();
    let mut claims = json!({
        "iss": provider.issuer, "sub": "person-1", "aud": CLIENT_ID, "iat": now, "exp": now + 300,
        "nonce": asked.get("nonce"), "preferred_username": "review-1", "name": "Somebody",
    });
    merge(&mut claims, &says.claims);
    let id_token = signed(&claims, says.signing);
    Json(json!({ "access_token": random(), "token_type": "Bearer", "expires_in": 300, "id_token": id_token }))
        .into_response()
}

/// Name and secret as RFC 6749 (2.3.1) wants them: as in a form, then in base64.
fn is_client(headers: &HeaderMap) -> bool {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or("");
    let pair = value.strip_prefix("Basic ").and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    pair == format!("{}:{}", encoded(CLIENT_ID), encoded(CLIENT_SECRET)).into_bytes()
}

fn signed(claims: &Value, signing: Signing) -> String {
    let (algorithm, key) = match signing {
        Signing::Rsa(i) => ("RS256", format!("rsa-{i}")),
        Signing::Forged | Signing::Changed => ("RS256", "rsa-0".to_owned()),
        Signing::Curve => ("ES256", "curve".to_owned()),
        Signing::Unsigned => ("none", "rsa-0".to_owned()),
        Signing::Secret | Signing::PublicAsSecret => ("HS256", "rsa-0".to_owned()),
    };
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(&json!({ "alg": algorithm, "kid": key, "typ": "JWT" }));
    let text = format!("{head}.{}", part(claims));
    let shared = |secret: &[u8]| {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
        ring::hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
    };
    let signature = match signing {
        Signing::Rsa(i) => RSA_KEYS[i].sign(text.as_bytes()).to_vec(),
        Signing::Changed => RSA_KEYS[0].sign(text.as_bytes()).to_vec(),
        Signing::Forged => RSA_KEYS[2].sign(text.as_bytes()).to_vec(),
        Signing::Curve => {
            let signature = CURVE_KEY.sign(&ring::rand::SystemRandom::new(), text.as_bytes()).expect("signed");
            signature.as_ref().to_vec()
        }
        Signing::Unsigned => Vec::new(),
        Signing::Secret => shared(CLIENT_SECRET.as_bytes()),
        Signing::PublicAsSecret => {
            let key: &rsa::RsaPrivateKey = RSA_KEYS[0].as_ref();
            shared(&key.n().to_bytes_be())
        }
    };
    let text = match signing {
        Signing::Changed => {
            let mut claims = claims.clone();
            claims["sub"] = json!("somebody-else");
            format!("{head}.{}", part(&claims))
        }
        _ => text,
    };
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn merge(into: &mut Value, more: &Value) {
    for (name, value) in more.as_object().into_iter().flatten() {
        into[name] = value.clone();
    }
    if let Some(all) = into.as_object_mut() {
        all.retain(|_, value| !value.is_null());
    }
}

fn random() -> String {
    let mut bytes = [0; 24];
    OsRng.fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}
