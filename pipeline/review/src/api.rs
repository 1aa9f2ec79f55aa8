//! The routes of the page.

pub mod accounts;
pub mod bulk;
pub mod chips;
pub mod decisions;
pub mod field;
pub mod figures;
pub mod layers;
pub mod leases;
mod openapi;
pub mod patches;
pub mod provider;
pub mod queue;
pub mod sessions;

use std::sync::{Arc, LazyLock};

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use geo_types::{LineString, Polygon};
use serde_json::{Value, json};

pub use openapi::document;

use crate::access::identity::Identity;
use crate::problem::Problem;
use crate::server::App;

/// Whether the server and its store answer.
#[utoipa::path(get, path = "/health", tag = "machine", responses((status = 200, description = "It answers", body = Object)))]
pub async fn health(State(app): State<Arc<App>>) -> Result<Json<Value>, Problem> {
    app.stores.read(|store| store.patch_review("")).await?;
    Ok(Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })))
}

/// What this server counts, for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "machine", responses((status = 200, description = "Text format of Prometheus", body = String, content_type = "text/plain")))]
pub async fn metrics(State(app): State<Arc<App>>, _identity: Identity) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics.text())
}

/// This interface, described.
#[utoipa::path(get, path = "/openapi.json", tag = "machine", responses((status = 200, description = "OpenAPI 3.1", body = Object, content_type = "application/vnd.oai.openapi+json")))]
pub async fn openapi() -> impl IntoResponse {
    // made once: it is asked for without logging in
    static DOCUMENT: LazyLock<String> = LazyLock::new(document);
    ([(header::CONTENT_TYPE, "application/vnd.oai.openapi+json;version=3.1")], DOCUMENT.as_str())
}

/// A patch that the account may see; whatever lies outside its scope is not there.
///
/// # Errors
/// There is no such patch in the scope.
pub async fn visible(app: &Arc<App>, identity: &Identity, patch_id: &str) -> Result<(), Problem> {
    let missing = || Problem::not_found("patch");
    if identity.only_patch().is_some_and(|only| only != patch_id) {
        return Err(missing());
    }
    let (id, scope) = (patch_id.to_owned(), identity.scope().clone());
    match app.stores.read(move |store| store.patch_in_scope(&id, &scope)).await? {
        Some(true) => Ok(()),
        _ => Err(missing()),
    }
}

/// GeoJSON of a polygon (longitude, latitude).
#[must_use]
pub fn polygon_json(polygon: &Polygon<f64>) -> Value {
    json!({ "type": "Polygon", "coordinates": rings(polygon) })
}

/// The rings of a polygon as GeoJSON has them.
#[must_use]
pub fn rings(polygon: &Polygon<f64>) -> Vec<Vec<[f64; 2]>> {
    std::iter::once(polygon.exterior())
        .chain(polygon.interiors())
        .map(|ring| ring.coords().map(|corner| [corner.x, corner.y]).collect())
        .collect()
}

/// A polygon from GeoJSON.
///
/// # Errors
/// It is none, it has too many corners, or it crosses itself.
pub fn polygon_of(value: &Value) -> Result<Polygon<f64>, Problem> {
    const MOST_CORNERS: usize = 20_000;
    let bad = |what: &str| Problem::bad(format!("geometry: {what}"));
    if value.get("type").and_then(Value::as_str) != Some("Polygon") {
        return Err(bad("expected a GeoJSON Polygon"));
    }
    let coordinates = value.get("coordinates").cloned().unwrap_or_default();
    let rings: Vec<Vec<[f64; 2]>> =
        serde_json::from_value(coordinates).map_err(|_| bad("expected rings of [longitude, latitude]"))?;
    if rings.iter().map(Vec::len).sum::<usize>() > MOST_CORNERS {
        return Err(bad("too many corners"));
    }
    let mut rings = rings.into_iter().map(|ring| {
        let mut ring: LineString<f64> = ring.into_iter().map(|[x, y]| (x, y)).collect();
        ring.close();
        ring
    });
    let exterior = rings.next().ok_or_else(|| bad("expected at least one ring"))?;
    let polygon = Polygon::new(exterior, rings.collect());
    use geo::Validation as _;
    polygon.check_validation().map_err(|fault| bad(&format!("{fault}; draw it again")))?;
    Ok(polygon)
}
