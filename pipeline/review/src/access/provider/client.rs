//! Requests to the provider: to the issuer's own host alone, without redirects or proxies, within a time, and of answers only so
//! much is read.

use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use openidconnect::url::{Origin, Url};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, http};
use reqwest::redirect;
use shorewatch_domain::causes::with_causes;

/// Most of an answer that is read.
const MOST_ANSWER: usize = 1 << 20;

/// A client for one issuer.
pub(super) struct Client {
    client: reqwest::Client,
    issuer: Origin,
}

/// No answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NoAnswer(String);

impl Client {
    pub(super) fn new(issuer: &Url, timeout: Duration, authority: Option<&Path>) -> Result<Self, String> {
        // the second call in a process finds it installed
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("shorewatch/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(timeout)
            .timeout(timeout);
        if let Some(path) = authority {
            let told = |fault: &dyn std::fmt::Display| format!("certificate_authority {}: {fault}", path.display());
            let pem = std::fs::read(path).map_err(|fault| told(&fault))?;
            let certificates = reqwest::Certificate::from_pem_bundle(&pem).map_err(|fault| told(&fault))?;
            builder = builder.tls_certs_merge(certificates);
        }
        let client = builder.build().map_err(|fault| with_causes(&fault))?;
        Ok(Self { client, issuer: issuer.origin() })
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
        let request = reqwest::Request::try_from(request).map_err(|fault| NoAnswer(with_causes(&fault)))?;
        if request.url().origin() != self.issuer {
            let (host, issuer) = (request.url().origin().ascii_serialization(), self.issuer.ascii_serialization());
            return Err(NoAnswer(format!(
                "nothing is sent to {host}: the provider's addresses have to lie on {issuer}"
            )));
        }
        let mut answer = self.client.execute(request).await.map_err(|fault| NoAnswer(with_causes(&fault)))?;
        let mut taken = http::Response::builder().status(answer.status());
        if let Some(headers) = taken.headers_mut() {
            *headers = answer.headers().clone();
        }
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|fault| NoAnswer(with_causes(&fault)))? {
            if body.len() + part.len() > MOST_ANSWER {
                return Err(NoAnswer(format!("the answer is longer than {MOST_ANSWER} bytes")));
            }
            body.extend_from_slice(&part);
        }
        taken.body(body).map_err(|fault| NoAnswer(fault.to_string()))
    }
}

impl<'c> AsyncHttpClient<'c> for Client {
    type Error = NoAnswer;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, NoAnswer>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
