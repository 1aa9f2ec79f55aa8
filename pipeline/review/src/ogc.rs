//! OGC API – Features 1.0: core, GeoJSON, OpenAPI 3, and part 2 (reference systems).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::IntoResponse;
use geo_types::MultiPolygon;
use jiff::Timestamp;
use serde_json::{Value, json};
use shorewatch_store::features::{Feature, FeatureLayer, FeatureQuery};

use crate::access::identity::Identity;
use crate::api::layers::bbox_of;
use crate::api::rings;
use crate::problem::Problem;
use crate::server::App;

/// Longitude first.
const CRS84: &str = "http://www.opengis.net/def/crs/OGC/1.3/CRS84";
/// Latitude first, as the registry has it.
const CGCS2000: &str = "http://www.opengis.net/def/crs/EPSG/0/4490";
/// Latitude first.
const WGS84: &str = "http://www.opengis.net/def/crs/EPSG/0/4326";

/// Features of a page without a word about it, and at most.
const LIMITS: (usize, usize) = (10, 1_000);

const CONFORMS: [&str; 4] = [
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
];

/// Where this server is reached.
pub(crate) fn base(app: &App, headers: &HeaderMap) -> String {
    app.settings.origin.clone().unwrap_or_else(|| {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let plain = |host: &&str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
        format!("http://{}", host.filter(plain).unwrap_or("localhost"))
    })
}

fn link(href: String, rel: &str, kind: &str, title: &str) -> Value {
    json!({ "href": href, "rel": rel, "type": kind, "title": title })
}

fn geojson(body: &Value, crs: &str) -> impl IntoResponse + use<> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/geo+json"));
    if let Ok(crs) = HeaderValue::try_from(format!("<{crs}>")) {
        headers.insert("content-crs", crs);
    }
    (headers, body.to_string())
}

/// Where the interface begins.
#[utoipa::path(get, path = "/ogc", tag = "features", responses((status = 200, description = "Links", body = Object)))]
pub async fn landing(State(app): State<Arc<App>>, headers: HeaderMap) -> Json<Value> {
    let base = base(&app, &headers);
    Json(json!({
        "title": "Shorewatch",
        "description": "Suspected-problem patches, cases, managed reaches, and what was observed of them",
        "links": [
            link(format!("{base}/ogc"), "self", "application/json", "this document"),
            link(format!("{base}/ogc/api"), "service-desc", "application/vnd.oai.openapi+json;version=3.1", "the interface"),
            link(format!("{base}/ogc/conformance"), "conformance", "application/json", "what it conforms to"),
            link(format!("{base}/ogc/collections"), "data", "application/json", "the collections"),
        ],
    }))
}

/// What the interface conforms to.
#[utoipa::path(get, path = "/ogc/conformance", tag = "features", responses((status = 200, description = "Classes", body = Object)))]
pub async fn conformance() -> Json<Value> {
    Json(json!({ "conformsTo": CONFORMS }))
}

const fn words(layer: FeatureLayer) -> (&'static str, &'static str) {
    match layer {
        FeatureLayer::Patches => ("Patches", "Suspected-problem patches (疑似问题图斑); suspected is not a verdict"),
        FeatureLayer::Cases => ("Cases", "What several passes say about one place"),
        FeatureLayer::Reaches => ("Reaches", "Management scopes (管理范围) of the managed shoreline"),
        FeatureLayer::Coverage => ("Coverage", "Squares that were looked at, and how much of each was observed"),
    }
}

fn collection_json(base: &str, layer: FeatureLayer, bounds: Option<[f64; 4]>) -> Value {
    let (title, description) = words(layer);
    let here = format!("{base}/ogc/collections/{}", layer.name());
    let mut collection = json!({
        "id": layer.name(),
        "title": title,
        "description": description,
        "itemType": "feature",
        "crs": [CRS84, CGCS2000, WGS84],
        "storageCrs": CGCS2000,
        "links": [
            link(here.clone(), "self", "application/json", title),
            link(format!("{here}/items"), "items", "application/geo+json", "its features"),
        ],
    });
    if let Some(bounds) = bounds {
        collection["extent"] = json!({ "spatial": { "bbox": [bounds], "crs": CRS84 } });
    }
    collection
}

/// The collections.
#[utoipa::path(get, path = "/ogc/collections", tag = "features", responses((status = 200, description = "Collections", body = Object)))]
pub async fn collections(
    State(app): State<Arc<App>>,
    _identity: Identity,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let base = base(&app, &headers);
    let bounds = app.stores.read(|store| {
        FeatureLayer::ALL.into_iter().map(|layer| store.layer_bounds(layer)).collect::<Result<Vec<_>, _>>()
    });
    let collections: Vec<Value> = FeatureLayer::ALL
        .into_iter()
        .zip(bounds.await?)
        .map(|(layer, bounds)| collection_json(&base, layer, bounds))
        .collect();
    let own = link(format!("{base}/ogc/collections"), "self", "application/json", "this document");
    Ok(Json(json!({ "links": [own], "crs": [CRS84, CGCS2000, WGS84], "collections": collections })))
}

fn layer_of(name: &str) -> Result<FeatureLayer, Problem> {
    let found = FeatureLayer::ALL.into_iter().find(|layer| layer.name() == name);
    found.ok_or_else(|| Problem::not_found("collection"))
}

/// One collection.
#[utoipa::path(get, path = "/ogc/collections/{collection}", tag = "features", params(("collection" = String, Path)), responses(
    (status = 200, description = "The collection", body = Object), (status = 404, description = "None of that name", body = Problem)))]
pub async fn collection(
    State(app): State<Arc<App>>,
    _identity: Identity,
    headers: HeaderMap,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let layer = layer_of(&name)?;
    let bounds = app.stores.read(move |store| store.layer_bounds(layer)).await?;
    Ok(Json(collection_json(&base(&app, &headers), layer, bounds)))
}

/// What a request for features asks, checked.
struct Asked {
    query: FeatureQuery,
    limit: usize,
    crs: &'static str,
    /// All that was asked but where to begin, for the link to the next page.
    again: Vec<(String, String)>,
}

fn crs_of(name: &str, text: Option<&String>) -> Result<&'static str, Problem> {
    let Some(text) = text else { return Ok(CRS84) };
    let found = [CRS84, CGCS2000, WGS84].into_iter().find(|known| known == text);
    found.ok_or_else(|| Problem::bad(format!("{name}: expected one of {CRS84}, {CGCS2000}, {WGS84}")))
}

fn asked(identity: &Identity, given: &BTreeMap<String, String>) -> Result<Asked, Problem> {
    const KNOWN: [&str; 6] = ["limit", "bbox", "bbox-crs", "crs", "datetime", "after"];
    if let Some(unknown) = given.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(Problem::bad(format!("{unknown}: expected one of {}", KNOWN.join(", "))));
    }
    let limit = match given.get("limit") {
        None => LIMITS.0,
        Some(text) => {
            let number: u64 = text.parse().map_err(|_| Problem::bad("limit: expected a number from 1 on"))?;
            if number == 0 {
                return Err(Problem::bad("limit: expected a number from 1 on"));
            }
            usize::try_from(number).unwrap_or(LIMITS.1).min(LIMITS.1)
        }
    };
    let bbox_crs = crs_of("bbox-crs", given.get("bbox-crs"))?;
    let swapped = |text: &String| -> Result<[f64; 4], Problem> {
        if bbox_crs == CRS84 {
            return bbox_of(text);
        }
        let parts: Vec<&str> = text.split(',').collect();
        match parts[..] {
            [south, west, north, east] => bbox_of(&[west, south, east, north].join(",")),
            _ => bbox_of(text),
        }
    };
    let bbox = given.get("bbox").map(swapped).transpose()?;
    let (since, until) = given.get("datetime").map_or(Ok((None, None)), |text| interval(text))?;
    let after = match given.get("after") {
        None => 0,
        Some(text) => text.parse().map_err(|_| Problem::bad("after: expected what the page before gave"))?,
    };
    let scope = identity.scope().clone();
    let again =
        given.iter().filter(|(name, _)| name.as_str() != "after").map(|(name, value)| (name.clone(), value.clone()));
    Ok(Asked {
        query: FeatureQuery { scope, bbox, id: None, after, since, until },
        limit,
        crs: crs_of("crs", given.get("crs"))?,
        again: again.collect(),
    })
}

/// An instant, or two with a slash between; `..` or nothing is open.
fn interval(text: &str) -> Result<(Option<Timestamp>, Option<Timestamp>), Problem> {
    let bad = || Problem::bad("datetime: expected an instant (RFC 3339), or two with a slash between, `..` for open");
    let end = |part: &str| match part {
        "" | ".." => Ok(None),
        part => part.parse::<Timestamp>().map(Some).map_err(|_| bad()),
    };
    match text.split_once('/') {
        Some((from, to)) => {
            let (from, to) = (end(from)?, end(to)?);
            if from.zip(to).is_some_and(|(from, to)| from > to) { Err(bad()) } else { Ok((from, to)) }
        }
        None => {
            let at = end(text)?.ok_or_else(bad)?;
            Ok((Some(at), Some(at)))
        }
    }
}

fn feature_json(feature: &Feature, crs: &str) -> Value {
    json!({ "type": "Feature", "id": feature.id, "geometry": geometry_json(&feature.geometry, crs), "properties": feature.properties })
}

/// GeoJSON in the axis order of the system.
fn geometry_json(geometry: &MultiPolygon<f64>, crs: &str) -> Value {
    let turned = |ring: Vec<[f64; 2]>| -> Vec<[f64; 2]> {
        if crs == CRS84 { ring } else { ring.into_iter().map(|[x, y]| [y, x]).collect() }
    };
    let polygons: Vec<Vec<Vec<[f64; 2]>>> =
        geometry.iter().map(|polygon| rings(polygon).into_iter().map(turned).collect()).collect();
    match &polygons[..] {
        [one] => json!({ "type": "Polygon", "coordinates": one }),
        _ => json!({ "type": "MultiPolygon", "coordinates": polygons }),
    }
}

/// Features of a collection within the scope, page by page.
#[utoipa::path(get, path = "/ogc/collections/{collection}/items", tag = "features", params(("collection" = String, Path),
    ("limit" = Option<u32>, Query, description = "Features of a page", minimum = 1, maximum = 1000),
    ("bbox" = Option<String>, Query, description = "Four numbers"), ("bbox-crs" = Option<String>, Query), ("crs" = Option<String>, Query),
    ("datetime" = Option<String>, Query), ("after" = Option<i64>, Query, description = "From the link to the next page")),
    responses((status = 200, description = "A FeatureCollection", body = Object, content_type = "application/geo+json"),
    (status = 400, description = "A parameter that means nothing", body = Problem)))]
pub async fn items(
    State(app): State<Arc<App>>,
    identity: Identity,
    headers: HeaderMap,
    Path(name): Path<String>,
    given: Result<Query<BTreeMap<String, String>>, QueryRejection>,
) -> Result<impl IntoResponse, Problem> {
    let Query(given) = given?;
    let layer = layer_of(&name)?;
    let Asked { query, limit, crs, again } = asked(&identity, &given)?;
    let read = app.stores.read(move |store| {
        let page = store.feature_page(layer, &query, limit)?;
        Ok((page, store.count_features(layer, &query)?))
    });
    let (page, matched) = read.await?;
    let here = format!("{}/ogc/collections/{name}/items", base(&app, &headers));
    let address = |more: Option<i64>| {
        let after = more.map(|fid| ("after".to_owned(), fid.to_string()));
        let pairs: Vec<String> =
            again.iter().chain(after.as_ref()).map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        if pairs.is_empty() { here.clone() } else { format!("{here}?{}", pairs.join("&")) }
    };
    let mut links = vec![
        link(address(None), "self", "application/geo+json", "this page"),
        link(here.trim_end_matches("/items").to_owned(), "collection", "application/json", "the collection"),
    ];
    if let Some(last) = page.features.last().filter(|_| page.more) {
        links.push(link(address(Some(last.fid)), "next", "application/geo+json", "the next page"));
    }
    let mut body = json!({
        "type": "FeatureCollection",
        "timeStamp": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "numberReturned": page.features.len(),
        "features": page.features.iter().map(|feature| feature_json(feature, crs)).collect::<Vec<_>>(),
        "links": links,
    });
    if let Some(matched) = matched {
        body["numberMatched"] = matched.into();
    }
    Ok(geojson(&body, crs))
}

fn escaped(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:/,".contains(byte);
    text.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// One feature.
#[utoipa::path(get, path = "/ogc/collections/{collection}/items/{feature}", tag = "features", params(("collection" = String, Path), ("feature" = String, Path),
    ("crs" = Option<String>, Query)), responses((status = 200, description = "The feature", body = Object, content_type = "application/geo+json"),
    (status = 404, description = "None of that name in the scope", body = Problem)))]
pub async fn item(
    State(app): State<Arc<App>>,
    identity: Identity,
    headers: HeaderMap,
    Path((name, feature)): Path<(String, String)>,
    given: Result<Query<BTreeMap<String, String>>, QueryRejection>,
) -> Result<impl IntoResponse, Problem> {
    let Query(given) = given?;
    let layer = layer_of(&name)?;
    if given.keys().any(|name| name != "crs") {
        return Err(Problem::bad("expected no parameter but crs"));
    }
    let crs = crs_of("crs", given.get("crs"))?;
    let query = FeatureQuery { scope: identity.scope().clone(), id: Some(feature), ..FeatureQuery::default() };
    let page = app.stores.read(move |store| store.feature_page(layer, &query, 1)).await?;
    let found = page.features.first().ok_or_else(|| Problem::not_found("feature"))?;
    let mut body = feature_json(found, crs);
    let here = format!("{}/ogc/collections/{name}", base(&app, &headers));
    body["links"] = json!([
        link(format!("{here}/items/{}", escaped(&found.id)), "self", "application/geo+json", "this feature"),
        link(here, "collection", "application/json", "the collection"),
    ]);
    Ok(geojson(&body, crs))
}
