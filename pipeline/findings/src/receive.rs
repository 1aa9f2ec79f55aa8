//! The way back: a server for signed reports of issue systems, for reports of places, and for pictures by link.
//!
//! A report is believed where a secret of its target signed it within five minutes, and taken once. Each target may send so many
//! and no more (429 with `Retry-After`), so that one that went mad does not keep the others from reporting. What no secret signed
//! counts for nobody: it costs one look at a bounded message.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use shorewatch_domain::finding::IssueState;
use shorewatch_domain::tasking;
use shorewatch_store::Store;
use shorewatch_store::outbox::issues::{IssueReport, Taken};
use shorewatch_store::outbox::tasking::PublicReport;

use crate::FindingsError;
use crate::event::geometry::GeoJsonPolygon;
use crate::event::picture::{ROLES, file_of, inside, link_holds, media_type};
use crate::rate::Rates;
use crate::secret::{Secret, SecretSource};
use crate::settings::Settings;
use crate::signature;

/// Longest report.
const MOST_BYTES: usize = 256 << 10;

/// What an issue system reports.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct IssueStateReport {
    /// The finding, by the id that it was sent with; or …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding_id: Option<String>,
    /// … by the id of the issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// `accepted`, `dispatched`, `rectifying`, `closure_requested`, `closed` or `returned`.
    pub state: String,
    /// Outcome code, kept as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// What else there is to say; no names, no telephone numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it came about; the time of sending where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
}

/// A place that somebody reported: a polygon, or a point with a radius.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PlaceReport {
    /// Outline (GeoJSON).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polygon: Option<GeoJsonPolygon>,
    /// Longitude and latitude.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<[f64; 2]>,
    /// Around the point, in metres; 100 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub radius_m: Option<f64>,
    /// Where it comes from ("hotline", "patrol").
    pub source: String,
    /// How urgent it is held to be, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// What it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When; the time of sending where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
}

impl PlaceReport {
    /// As the store takes it.
    ///
    /// # Errors
    /// It has neither a polygon nor a point, or a radius that makes no sense.
    pub fn taken(self, report_id: String, now: Timestamp) -> Result<PublicReport, String> {
        let radius_m = self.radius_m.unwrap_or(100.0);
        if !(1.0..=10_000.0).contains(&radius_m) {
            return Err(format!("radius_m: expected 1 to 10000, got {radius_m}"));
        }
        let outline = match (&self.polygon, self.point) {
            (Some(polygon), None) => polygon.outline().ok_or("polygon: it has no ring")?,
            (None, Some([longitude, latitude])) if longitude.abs() <= 180.0 && latitude.abs() <= 90.0 => {
                tasking::around(longitude, latitude, radius_m)
            }
            (None, Some(_)) => return Err("point: expected longitude and latitude in degrees".to_owned()),
            _ => return Err("expected a polygon or a point, got both or none".to_owned()),
        };
        Ok(PublicReport {
            report_id,
            outline,
            source: self.source,
            level: self.level.unwrap_or(1),
            note: self.note,
            reported_at: self.at.unwrap_or(now),
        })
    }
}

struct Server {
    store: Mutex<Store>,
    settings: Settings,
    secrets: BTreeMap<String, Vec<Secret>>,
    link_secret: Option<Secret>,
    rates: Mutex<Rates>,
}

impl Server {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The server's routes, over an open store.
///
/// # Errors
/// A secret cannot be read.
pub fn router(store: Store, settings: Settings) -> Result<Router, FindingsError> {
    let read = |sources: &[SecretSource]| sources.iter().map(SecretSource::read).collect::<Result<Vec<_>, _>>();
    let secrets = settings.targets.iter().map(|target| Ok((target.name.clone(), read(&target.report_secrets)?)));
    let secrets = secrets.collect::<Result<_, FindingsError>>()?;
    let link_secret = settings.links.as_ref().map(|links| links.secret.read()).transpose()?;
    let server = Arc::new(Server { store: Mutex::new(store), settings, secrets, link_secret, rates: Mutex::default() });
    Ok(Router::new()
        .route("/reports/{target}", post(report))
        .route("/places/{target}", post(place))
        .route("/pictures/{patch_id}/{role}", get(picture))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .with_state(server))
}

/// Serves until the process is told to end.
///
/// # Errors
/// The address cannot be listened at; a secret cannot be read.
pub fn serve(store: Store, settings: Settings) -> Result<(), FindingsError> {
    let address = settings.listen;
    let app = router(store, settings)?;
    let failed =
        |fault: std::io::Error| FindingsError::Machinery { during: "serve", reason: format!("{address}: {fault}") };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await.map_err(failed)?;
        tracing::info!("listening at http://{address}; put TLS in front of it");
        let ended = crate::signals::told_to_end()?;
        axum::serve(listener, app).with_graceful_shutdown(ended).await.map_err(failed)
    })
}

fn said(status: StatusCode, text: impl Into<String>) -> Response {
    let body = serde_json::json!({ "result": text.into() }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Believes a message, or says why not; gives its id and what it says.
fn believed<T: DeserializeOwned>(
    server: &Server,
    target: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(String, T), Response> {
    let secrets = server.secrets.get(target).filter(|secrets| !secrets.is_empty());
    let Some(secrets) = secrets else {
        return Err(said(StatusCode::NOT_FOUND, "no such target, or it has no secret for reports"));
    };
    // before the target's allowance is touched: what anybody can send in its name must not use that up. What a signature costs is
    // bounded by the longest body and by how many signatures are looked at
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let id = signature::verify(secrets, header, body, Timestamp::now())
        .map_err(|fault| said(StatusCode::UNAUTHORIZED, fault.to_string()))?;
    let waits = server.rates.lock().unwrap_or_else(PoisonError::into_inner).take(target, Instant::now());
    if let Err(seconds) = waits {
        let mut answer = said(StatusCode::TOO_MANY_REQUESTS, format!("too many reports; again in {seconds} s"));
        answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        return Err(answer);
    }
    let unreadable =
        |fault: serde_json::Error| said(StatusCode::BAD_REQUEST, format!("not as the schema has it: {fault}"));
    // bare, or as the data of a CloudEvent
    let value: serde_json::Value = serde_json::from_slice(body).map_err(unreadable)?;
    let inner = if value.get("specversion").is_some() { value["data"].clone() } else { value };
    serde_json::from_value(inner).map(|message| (id, message)).map_err(unreadable)
}

async fn report(
    State(server): State<Arc<Server>>,
    Path(target): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (id, message): (String, IssueStateReport) = match believed(&server, &target, &headers, &body) {
        Ok(message) => message,
        Err(answer) => return answer,
    };
    let Some(state) = IssueState::from_name(&message.state) else {
        let known: Vec<_> = IssueState::ALL.iter().map(|state| state.name()).collect();
        return said(
            StatusCode::BAD_REQUEST,
            format!("state: expected one of {}, got {:?}", known.join(", "), message.state),
        );
    };
    let now = Timestamp::now();
    let report = IssueReport {
        report_id: id,
        target,
        finding_id: message.finding_id,
        external_id: message.external_id,
        state,
        outcome: message.outcome,
        note: message.note,
        reported_at: message.at.unwrap_or(now).min(now),
    };
    let taken =
        tokio::task::block_in_place(|| server.store().take_report(&report, &server.settings.look_back_days, now));
    match taken {
        Ok(Taken::UnknownFinding) => said(StatusCode::NOT_FOUND, "no such finding"),
        Ok(Taken::Applied) => said(StatusCode::OK, "applied"),
        Ok(Taken::Repeated) => said(StatusCode::OK, "repeated"),
        Ok(Taken::Stale) => said(StatusCode::OK, "stale"),
        Err(fault) => trouble(&fault),
    }
}

async fn place(
    State(server): State<Arc<Server>>,
    Path(target): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (id, message): (String, PlaceReport) = match believed(&server, &target, &headers, &body) {
        Ok(message) => message,
        Err(answer) => return answer,
    };
    let now = Timestamp::now();
    let report = match message.taken(format!("{target}:{id}"), now) {
        Ok(report) => report,
        Err(fault) => return said(StatusCode::BAD_REQUEST, fault),
    };
    match tokio::task::block_in_place(|| server.store().take_public_report(&report, now)) {
        Ok(Some(area)) => said(StatusCode::OK, area),
        Ok(None) => said(StatusCode::OK, "repeated"),
        Err(fault) => trouble(&fault),
    }
}

fn trouble(fault: &shorewatch_store::StoreError) -> Response {
    if fault.is_retryable() {
        return (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "10")]).into_response();
    }
    if let shorewatch_store::StoreError::Refused { source, .. } = fault {
        return said(StatusCode::BAD_REQUEST, source.to_string());
    }
    tracing::error!("{fault}");
    said(StatusCode::INTERNAL_SERVER_ERROR, "see the log")
}

#[derive(Deserialize)]
struct Link {
    expires: i64,
    code: String,
}

async fn picture(
    State(server): State<Arc<Server>>,
    Path((patch_id, role)): Path<(String, String)>,
    Query(Link { expires, code }): Query<Link>,
) -> Response {
    let holds = server
        .link_secret
        .as_ref()
        .is_some_and(|secret| link_holds(secret, &patch_id, &role, expires, &code, Timestamp::now()));
    if !holds {
        return said(StatusCode::FORBIDDEN, "the link does not hold, or not any more");
    }
    let found = tokio::task::block_in_place(|| server.store().patch_anywhere(&patch_id));
    let file = match found {
        Ok(stored) => stored.filter(|_| ROLES.contains(&role.as_str())).map(|stored| file_of(&stored, &role)),
        Err(fault) => return trouble(&fault),
    };
    let path = file.and_then(|file| inside(&server.settings.picture_folder, &file));
    let bytes = path.as_ref().and_then(|path| std::fs::read(path).ok());
    match (path, bytes) {
        (Some(path), Some(bytes)) => {
            let headers = [(header::CONTENT_TYPE, media_type(&path)), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
            (headers, bytes).into_response()
        }
        _ => said(StatusCode::NOT_FOUND, "there is no such picture"),
    }
}
