//! Requests: only to listed hosts, without redirects or proxies, within a time, and of answers only so much is read.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response, Url, redirect};

use crate::hosts::{AllowedHosts, ListedNames};

/// Most of an answer that is read.
const MOST_ANSWER: usize = 1 << 20;

/// How long the rest of an answer is waited for that has said "taken" already.
const PATIENCE: Duration = Duration::from_millis(500);

/// A client for one target.
#[derive(Clone, Debug)]
pub struct Client {
    client: reqwest::Client,
    hosts: Arc<AllowedHosts>,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// Status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body, as far as it was wanted.
    pub body: Vec<u8>,
}

/// No answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoReply {
    /// What went wrong.
    pub error: String,
    /// Whether nothing was taken for sure.
    pub certain: bool,
}

/// A request before it is checked.
#[derive(Clone, Debug)]
pub struct Request {
    /// Method.
    pub method: String,
    /// Address.
    pub url: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Option<Vec<u8>>,
}

impl Client {
    /// Builds a client.
    pub(crate) fn new(hosts: &Arc<AllowedHosts>, timeout: Duration, authority: Option<&Path>) -> Result<Self, String> {
        // the second call in a process finds it installed
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("shorewatch/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .dns_resolver(ListedNames(Arc::clone(hosts)))
            .connect_timeout(timeout.min(Duration::from_secs(10)))
            .timeout(timeout);
        if let Some(path) = authority {
            let told = |fault: &dyn std::fmt::Display| format!("certificate authority {}: {fault}", path.display());
            let pem = std::fs::read(path).map_err(|fault| told(&fault))?;
            let certificates = reqwest::Certificate::from_pem_bundle(&pem).map_err(|fault| told(&fault))?;
            builder = builder.tls_certs_merge(certificates);
        }
        let client = builder.build().map_err(|fault| chain(&fault))?;
        Ok(Self { client, hosts: Arc::clone(hosts) })
    }

    /// Whether an address may be sent to.
    pub(crate) fn allowed(&self, url: &str) -> Result<Url, String> {
        let url: Url = url.parse().map_err(|fault| format!("{url:?} is no address: {fault}"))?;
        self.hosts.check(&url).map(|()| url)
    }

    /// Sends a request. Where `whole`, the body of the answer is read; else it is only waited for a moment, so that the
    /// connection can be used again.
    pub(crate) async fn send(&self, request: &Request, whole: bool) -> Result<Reply, NoReply> {
        let sure = |error: String| NoReply { error, certain: true };
        let url = self.allowed(&request.url).map_err(sure)?;
        let method: Method = request.method.parse().map_err(|_| sure(format!("{:?} is no method", request.method)))?;
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let header = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value).ok());
            let Some((name, mut value)) = header else { return Err(sure(format!("header {name:?} is none"))) };
            value.set_sensitive(name == reqwest::header::AUTHORIZATION);
            headers.insert(name, value);
        }
        let mut building = self.client.request(method, url).headers(headers);
        if let Some(body) = &request.body {
            building = building.body(body.clone());
        }
        let response =
            building.send().await.map_err(|fault| NoReply { certain: fault.is_connect(), error: chain(&fault) })?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = if whole {
            read(response).await?
        } else {
            tokio::time::timeout(PATIENCE, read(response)).await.ok().and_then(Result::ok).unwrap_or_default()
        };
        Ok(Reply { status, headers, body })
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, NoReply> {
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|fault| NoReply { error: chain(&fault), certain: false })? {
        if body.len() + part.len() > MOST_ANSWER {
            return Err(NoReply { error: format!("the answer is longer than {MOST_ANSWER} bytes"), certain: false });
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

/// An error with its causes, without the address (it may hold what belongs to the target alone).
fn chain(fault: &reqwest::Error) -> String {
    let mut text = if fault.is_timeout() { "no answer in time".to_owned() } else { String::new() };
    let mut source = std::error::Error::source(fault);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    if text.is_empty() { fault.to_string() } else { text }
}
