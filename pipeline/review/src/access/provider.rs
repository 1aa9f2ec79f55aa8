//! Logging in by an identity provider (OpenID Connect Core 1.0), where one is configured: authorization code flow with PKCE,
//! state and nonce. What comes of it is an ordinary session of an account of ours.
//!
//! | module | holds |
//! |---|---|
//! | [`settings`] | what the server is told of the provider |
//! | `client` | requests: to the issuer, and to nobody else |
//! | `flows` | log-ins under way |
//! | `token` | what an ID token must be like |
//! | [`claims`] | who somebody is and what they may do, by the claims of the token |
//! | [`admission`] | whether they get in, and as which account |
//! | [`refused`] | why they don't |

pub mod admission;
pub mod claims;
mod client;
mod flows;
pub mod refused;
pub mod settings;
mod token;

use std::sync::Arc;
use std::time::{Duration, Instant};

use openidconnect::core::{CoreAuthenticationFlow, CoreClientAuthMethod, CoreErrorResponseType, CoreProviderMetadata};
use openidconnect::url::Url;
use openidconnect::{
    AuthType, AuthorizationCode, ClientId, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, Nonce,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, StandardErrorResponse,
};
use serde::Deserialize;
use shorewatch_domain::causes::with_causes;
use tokio::sync::Mutex;

use self::claims::Claims;
use self::client::Client;
use self::flows::{Flow, Flows};
use self::refused::Refused;
use self::settings::{ProviderSettings, address_fault};
use self::token::IdToken;
use super::password::token as random;

/// Where the provider sends browsers back to.
pub const CALLBACK: &str = "/api/session/provider/callback";

/// How long a log-in at the provider may take.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// How long what the provider says of itself, and its keys, are taken for up to date. An unknown key is asked for at once.
const METADATA_HOLD: Duration = Duration::from_secs(3600);

/// How long a provider that did not answer is left alone.
const PAUSE: Duration = Duration::from_secs(5);

type OpenIdClient = openidconnect::Client<
    token::AllClaims,
    openidconnect::core::CoreAuthDisplay,
    openidconnect::core::CoreGenderClaim,
    openidconnect::core::CoreJweContentEncryptionAlgorithm,
    openidconnect::core::CoreJsonWebKey,
    openidconnect::core::CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    token::TokenAnswer,
    openidconnect::core::CoreTokenIntrospectionResponse,
    openidconnect::core::CoreRevocableToken,
    openidconnect::core::CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The provider, and the log-ins under way there.
pub struct Provider {
    /// What the server was told.
    pub settings: ProviderSettings,
    issuer: IssuerUrl,
    redirect: RedirectUrl,
    client: Client,
    known: Mutex<Known>,
    flows: Flows,
}

/// What the provider said of itself last.
#[derive(Default)]
struct Known {
    metadata: Option<(Arc<CoreProviderMetadata>, Instant)>,
    silent_since: Option<Instant>,
}

/// A log-in that began.
pub struct Begun {
    /// Where the browser goes.
    pub address: Url,
    /// What its cookie holds until it comes back.
    pub cookie: String,
}

/// What a browser brings back from the provider.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Answer {
    /// The code, where the provider let somebody in.
    pub code: Option<String>,
    /// What the log-in began with.
    pub state: Option<String>,
    /// Why the provider did not (RFC 6749, 4.1.2.1).
    pub error: Option<String>,
    /// Who answers (RFC 9207), where the provider says it.
    pub iss: Option<String>,
}

impl Provider {
    /// Checks the settings; nothing is asked of the provider yet. `origin` is how browsers reach the page, where a proxy stands
    /// before it.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn new(settings: ProviderSettings, origin: Option<&str>) -> Result<Self, String> {
        if let Some(fault) = address_fault(&settings.issuer) {
            return Err(format!("issuer: {fault}"));
        }
        let issuer = IssuerUrl::new(settings.issuer.clone()).map_err(|fault| format!("issuer: {fault}"))?;
        let base = match (settings.redirect_base.as_deref(), origin) {
            (Some(base), Some(origin)) if base != origin => {
                return Err(format!("redirect_base: expected {origin}, as --origin says, or none; got {base}"));
            }
            (Some(base), _) | (None, Some(base)) => base,
            (None, None) => {
                let need = "expected redirect_base or --origin: the provider sends browsers back there";
                return Err(need.to_owned());
            }
        };
        if let Some(fault) = address_fault(base) {
            return Err(format!("redirect_base: {fault}"));
        }
        let redirect =
            RedirectUrl::new(format!("{base}{CALLBACK}")).map_err(|fault| format!("redirect_base: {fault}"))?;
        let client = Client::new(issuer.url(), settings.timeout, settings.certificate_authority.as_deref())?;
        Ok(Self { settings, issuer, redirect, client, known: Mutex::default(), flows: Flows::default() })
    }

    /// Begins a log-in.
    ///
    /// # Errors
    /// The provider does not answer.
    pub async fn begin(&self) -> Result<Begun, Refused> {
        let metadata = self.metadata(METADATA_HOLD).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = self.openid_client(&metadata);
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let scopes = self.settings.scopes.iter().cloned().map(Scope::new);
        let (address, state, nonce) = client
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .add_scopes(scopes)
            .set_pkce_challenge(challenge)
            .url();
        let cookie = random();
        self.flows.begin(&cookie, Flow::new(state.secret(), nonce, verifier), Instant::now());
        Ok(Begun { address, cookie })
    }

    /// Ends a log-in: what the provider says of who came back. A log-in ends once.
    ///
    /// # Errors
    /// Why that can't be taken; the log tells more than the browser hears.
    pub async fn finish(&self, cookie: Option<&str>, answer: Answer) -> Result<Claims, Refused> {
        let state = answer.state.as_deref().unwrap_or("");
        let flow = cookie.and_then(|cookie| self.flows.take(cookie, state, Instant::now())).ok_or(Refused::NotBegun)?;
        if answer.iss.is_some_and(|issuer| issuer != *self.issuer) {
            tracing::warn!("an answer of another provider came back from a log-in");
            return Err(Refused::Token);
        }
        let code = match (answer.code, answer.error) {
            (Some(code), None) => AuthorizationCode::new(code),
            (_, error) => {
                let error = error.unwrap_or_default();
                tracing::warn!(error = shortened(&error), "the identity provider let nobody in");
                return Err(if error == "access_denied" { Refused::Denied } else { Refused::Provider });
            }
        };
        let metadata = self.metadata(METADATA_HOLD).await?;
        let id_token = self.exchange(&metadata, code, flow.verifier).await?;
        match token::verified(&id_token, &self.openid_client(&metadata), &metadata, &flow.nonce) {
            Err(token::Fault::UnknownKey) => {
                // the provider may have a new key: its list is read again, once
                let metadata = self.metadata(Duration::ZERO).await?;
                token::verified(&id_token, &self.openid_client(&metadata), &metadata, &flow.nonce)
            }
            told => told,
        }
        .map_err(|fault| {
            tracing::warn!(fault = shortened(&fault.to_string()), "the ID token of the identity provider is refused");
            Refused::Token
        })
    }

    async fn exchange(
        &self,
        metadata: &CoreProviderMetadata,
        code: AuthorizationCode,
        verifier: PkceCodeVerifier,
    ) -> Result<IdToken, Refused> {
        let client = self.openid_client(metadata);
        let request = client.exchange_code(code).map_err(|fault| {
            tracing::warn!(%fault, "the identity provider names no token endpoint");
            Refused::Provider
        })?;
        let answer = request.set_pkce_verifier(verifier).request_async(&self.client).await.map_err(|fault| {
            let (told, refused) = match &fault {
                RequestTokenError::Request(fault) => (fault.to_string(), Refused::Unreachable),
                RequestTokenError::ServerResponse(answer) => (answer.error().to_string(), Refused::Provider),
                RequestTokenError::Parse(fault, _) => {
                    (format!("an answer that can't be read: {fault}"), Refused::Token)
                }
                other => (other.to_string(), Refused::Provider),
            };
            tracing::warn!(fault = shortened(&told), "the identity provider gives no token for a code");
            refused
        })?;
        token::of(&answer).ok_or_else(|| {
            tracing::warn!("the identity provider gives no ID token: is the scope `openid` allowed to this client?");
            Refused::Token
        })
    }

    fn openid_client(&self, metadata: &CoreProviderMetadata) -> OpenIdClient {
        let (id, secret) = (ClientId::new(self.settings.client_id.clone()), self.settings.client_secret.clone());
        let methods = metadata.token_endpoint_auth_methods_supported();
        let by_post = methods.is_some_and(|methods| {
            !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
                && methods.contains(&CoreClientAuthMethod::ClientSecretPost)
        });
        let client: OpenIdClient = openidconnect::Client::from_provider_metadata(metadata.clone(), id, secret)
            .set_redirect_uri(self.redirect.clone());
        if by_post { client.set_auth_type(AuthType::RequestBody) } else { client }
    }

    /// What the provider says of itself and its keys. Where it does not answer, what it said before still holds.
    async fn metadata(&self, hold: Duration) -> Result<Arc<CoreProviderMetadata>, Refused> {
        let mut known = self.known.lock().await;
        let before = known.metadata.as_ref().map(|(metadata, read_at)| (Arc::clone(metadata), read_at.elapsed()));
        let rests = known.silent_since.is_some_and(|since| since.elapsed() < PAUSE);
        match before {
            Some((metadata, age)) if age < hold || rests => return Ok(metadata),
            None if rests => return Err(Refused::Unreachable),
            _ => {}
        }
        let read = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.client).await;
        let read = read.map_err(|fault| with_causes(&fault)).and_then(|metadata| {
            match address_fault(metadata.authorization_endpoint().as_str()) {
                Some(fault) => Err(format!("authorization_endpoint: {fault}")),
                None => Ok(Arc::new(metadata)),
            }
        });
        match read {
            Ok(metadata) => {
                *known = Known { metadata: Some((Arc::clone(&metadata), Instant::now())), silent_since: None };
                Ok(metadata)
            }
            Err(fault) => {
                tracing::warn!(issuer = %self.settings.issuer, fault = shortened(&fault), "the identity provider can't be asked");
                known.silent_since = Some(Instant::now());
                before.map(|(metadata, _)| metadata).ok_or(Refused::Unreachable)
            }
        }
    }
}

/// A text from outside, for the log: not longer than a line, and without what moves a cursor.
fn shortened(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(300).collect()
}
