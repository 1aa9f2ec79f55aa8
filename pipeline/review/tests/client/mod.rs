//! Asks a server without a network: requests go straight into the router.

// each test binary takes what it needs
#![allow(dead_code, reason = "shared by several test binaries, none of which uses all of it")]

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use jiff::Timestamp;
use serde_json::Value;
use shorewatch_review::{App, Settings, router};
use shorewatch_store::Store;
use tower::ServiceExt as _;

use crate::scene::{ACCOUNTS, Scene, add_token};

/// A client with a bearer token of every account of the scene.
pub(crate) struct Client {
    pub(crate) router: Router,
    pub(crate) app: Arc<App>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

fn secret(code: &str) -> String {
    format!("secret of {code}")
}

impl Client {
    pub(crate) fn of(scene: &Scene) -> Self {
        Self::with(scene, scene.settings())
    }

    pub(crate) fn with(scene: &Scene, settings: Settings) -> Self {
        let mut store = Store::open_existing(&scene.store, Timestamp::now()).expect("a store");
        for (code, ..) in ACCOUNTS {
            add_token(&mut store, code, &secret(code));
        }
        drop(store);
        let app = App::open(settings, Timestamp::now()).expect("a server");
        Self { router: router(Arc::clone(&app)), app }
    }

    /// By bearer token of an account, or without one.
    pub(crate) async fn ask(&self, account: Option<&str>, method: &str, path: &str, body: Option<Value>) -> Answer {
        let mut headers = Vec::new();
        if let Some(code) = account {
            headers.push(("authorization".to_owned(), format!("Bearer {}", secret(code))));
        }
        self.send(method, path, &headers, body).await
    }

    /// With these headers.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "review.test");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.raw(request.body(body).expect("a request")).await
    }

    /// As it is.
    pub(crate) async fn raw(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 26).await.expect("a body").to_vec();
        Answer { status, headers, bytes }
    }
}
