//! What lies around a patch: scopes, neighbours, what was kept back; and the map of all patches.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};
use shorewatch_store::features::{ContextFeature, Feature, FeatureLayer, FeatureQuery};

use super::{rings, visible};
use crate::access::identity::Identity;
use crate::problem::Problem;
use crate::server::App;

/// Degrees around a patch.
const AROUND: f64 = 0.03;

/// Features of one layer.
const MOST_FEATURES: usize = 300;

fn feature_json(feature: &Feature) -> Value {
    let polygons: Vec<_> = feature.geometry.iter().map(rings).collect();
    json!({ "type": "Feature", "id": feature.id, "properties": feature.properties,
        "geometry": { "type": "MultiPolygon", "coordinates": polygons } })
}

/// Under what the page switches a layer that decides.
fn group_of(layer: &str) -> &'static str {
    match layer {
        "mining_permit" | "project" => "permits",
        "known_problem" => "known",
        "administrative_unit" => "units",
        _ => "zones",
    }
}

fn context_json(feature: &ContextFeature) -> Value {
    let polygons: Vec<_> = feature.geometry.iter().map(rings).collect();
    let properties = json!({ "layer": feature.layer, "name": feature.name, "valid_from": feature.valid.0, "valid_to": feature.valid.1 });
    json!({ "type": "Feature", "id": feature.code, "properties": properties,
        "geometry": { "type": "MultiPolygon", "coordinates": polygons } })
}

/// GeoJSON of the layers around a patch, by name: reaches, neighbours, cases, coverage; zones, permits, known problems, units.
#[utoipa::path(get, path = "/api/patches/{patch_id}/layers", tag = "patches", params(("patch_id" = String, Path)), responses(
    (status = 200, description = "A FeatureCollection a layer", body = Object)))]
pub async fn around(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(patch_id): Path<String>,
) -> Result<Json<Value>, Problem> {
    visible(&app, &identity, &patch_id).await?;
    let scope = identity.scope().clone();
    let read = app.stores.read(move |store| {
        let Some(stored) = store.current_patch(&patch_id)? else { return Ok(None) };
        let (x, y) = stored.patch.centre;
        let bbox = Some([x - AROUND, y - AROUND, x + AROUND, y + AROUND]);
        let mut layers = serde_json::Map::new();
        for layer in FeatureLayer::ALL {
            let query = FeatureQuery { scope: scope.clone(), bbox, ..FeatureQuery::default() };
            let page = store.feature_page(layer, &query, MOST_FEATURES)?;
            let others = page.features.iter().filter(|feature| feature.id != patch_id);
            let features: Vec<Value> = others.map(feature_json).collect();
            layers.insert(layer.name().to_owned(), json!({ "type": "FeatureCollection", "features": features }));
        }
        let mut context: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        let around = [x - AROUND, y - AROUND, x + AROUND, y + AROUND];
        for feature in &store.context_features(around, MOST_FEATURES as u32)? {
            context.entry(group_of(&feature.layer)).or_default().push(context_json(feature));
        }
        for (group, features) in context {
            layers.insert(group.to_owned(), json!({ "type": "FeatureCollection", "features": features }));
        }
        Ok(Some(Value::Object(layers)))
    });
    read.await?.map(Json).ok_or_else(|| Problem::not_found("patch"))
}

/// Which part of the map.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MapQuery {
    /// west,south,east,north in degrees (CGCS2000).
    bbox: String,
}

/// A box in degrees.
///
/// # Errors
/// It is none.
pub fn bbox_of(text: &str) -> Result<[f64; 4], Problem> {
    let bad = || {
        Problem::bad(
            "bbox: expected four numbers west,south,east,north (or six with heights) in degrees, south not above north",
        )
    };
    let numbers: Result<Vec<f64>, _> = text.split(',').map(|part| part.trim().parse::<f64>()).collect();
    let numbers = numbers.map_err(|_| bad())?;
    let ([west, south, east, north] | [west, south, _, east, north, _]) = numbers[..] else { return Err(bad()) };
    let fine = [west, south, east, north].iter().all(|number| number.is_finite())
        && south <= north
        && west.abs() <= 360.0
        && east.abs() <= 360.0
        && south.abs() <= 90.0
        && north.abs() <= 90.0;
    if fine { Ok([west, south, east, north]) } else { Err(bad()) }
}

/// Patches within a box: id, class, and a point each, 300 at most.
#[utoipa::path(get, path = "/api/map/patches", tag = "patches", params(MapQuery), responses((status = 200, description = "A FeatureCollection", body = Object),
    (status = 400, description = "No such box", body = Problem)))]
pub async fn map(
    State(app): State<Arc<App>>,
    identity: Identity,
    query: Result<Query<MapQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query?;
    let bbox = Some(bbox_of(&query.bbox)?);
    let scope = identity.scope().clone();
    let query = FeatureQuery { scope, bbox, ..FeatureQuery::default() };
    let page = app.stores.read(move |store| store.feature_page(FeatureLayer::Patches, &query, MOST_FEATURES)).await?;
    let features: Vec<Value> = page.features.iter().map(feature_json).collect();
    Ok(Json(json!({ "type": "FeatureCollection", "features": features, "more": page.more })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_that_are_none_are_refused() {
        assert_eq!(bbox_of("108,21,109,22").ok(), Some([108.0, 21.0, 109.0, 22.0]));
        assert_eq!(bbox_of("108,21,0,109,22,9").ok(), Some([108.0, 21.0, 109.0, 22.0]));
        for text in
            ["", "1,2,3", "NaN,0,1,1", "inf,0,1,1", "0,5,1,4", "0,0,1,91", "1,2,3,4,5", "1;DROP TABLE patches,2,3,4"]
        {
            assert!(bbox_of(text).is_err(), "{text}");
        }
    }
}
