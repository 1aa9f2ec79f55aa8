//! Synthetic scenes on disk: painted passes as GeoTIFF, reaches and truth as GeoJSON. Not real imagery, and said so in
//! every file. Beside them the layers of a made-up office.

mod sample_layers;

use std::path::Path;

use geo::MapCoordsInPlace;
use geo_types::{LineString, MultiPolygon, Polygon};
use ndarray::{Array3, Axis, concatenate};
use serde_json::{Value, json};

use shorewatch_domain::crs::Epsg;
use shorewatch_domain::grid::Grid;
use shorewatch_imagery::crs::Transform;
use shorewatch_imagery::write::{Colour, GeoTiffOptions, atomically, write_geotiff};
use shorewatch_synth::{BANDS, Scenario, Series, paint};

use crate::cli::Scene;
use crate::failure::Failure;
use crate::run::session::create_folder_of;

/// Where painted scenes lie: beside latitude 0, longitude 0 in the Gulf of Guinea, where nobody takes them for a place.
const EPSG: Epsg = Epsg(32631);
const LEFT_M: f64 = 166_000.0;
const TOP_M: f64 = 20_000.0;

/// What was painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Painted {
    /// Number of passes.
    pub passes: usize,
    /// Number of known events, harmless ones included.
    pub events: usize,
    /// Number of layers of a made-up office.
    pub layers: usize,
}

/// Paints a scene into a folder: `<pass>.tif`, `reaches.geojson`, `truth.geojson`, and `layers/` with the layers of an office.
///
/// # Errors
/// The folder can't be written to.
pub fn paint_into(folder: &Path, which: Scene, seed: Option<u64>) -> Result<Painted, Failure> {
    let mut scenario = match which {
        Scene::Demo => Scenario::demo(),
        Scene::Small => Scenario::small(),
        Scene::Closures => Scenario::closures(),
    };
    if let Some(seed) = seed {
        scenario.seed = seed;
    }
    let series = paint(&scenario).map_err(|fault| Failure::input(fault.to_string()))?;
    std::fs::create_dir_all(folder)?;
    let grid = Grid { epsg: EPSG, pixel_size_m: series.pixel_size_m, origin_x: LEFT_M, origin_y: TOP_M };
    for pass in &series.passes {
        let quality = pass.quality.mapv(u16::from).insert_axis(Axis(0));
        let bands: Array3<u16> = concatenate(Axis(0), &[pass.pixels.view(), quality.view()])
            .map_err(|fault| Failure::internal(fault.to_string()))?;
        let names = BANDS.iter().copied().chain(["quality"]);
        let options = GeoTiffOptions {
            nodata: None,
            bands: names.map(|name| (name.to_owned(), Colour::Undefined)).collect(),
            metadata: vec![
                (String::new(), "ACQUISITION_TIME".to_owned(), pass.acquired_at.clone()),
                (String::new(), "SYNTHETIC".to_owned(), "painted by shorewatch synth; not real imagery".to_owned()),
            ],
            ..GeoTiffOptions::default()
        };
        let geotransform = [LEFT_M, grid.pixel_size_m, 0.0, TOP_M, 0.0, -grid.pixel_size_m];
        write_geotiff(&folder.join(format!("{}.tif", pass.name)), bands.view(), Some((geotransform, EPSG)), &options)?;
    }
    let to_wgs84 = Transform::new(EPSG, Epsg::WGS84)?;
    let geographic = |polygon: &Polygon<f64>| -> Result<Value, Failure> { geometry(polygon, &grid, &to_wgs84) };
    write_collection(&folder.join("reaches.geojson"), &reach_features(&series, geographic)?)?;
    write_collection(&folder.join("truth.geojson"), &truth_features(&series, geographic)?)?;
    let layers = sample_layers::write(folder, &series, &grid, &to_wgs84)?;
    Ok(Painted { passes: series.passes.len(), events: series.truth.len(), layers })
}

fn reach_features(
    series: &Series,
    geometry: impl Fn(&Polygon<f64>) -> Result<Value, Failure>,
) -> Result<Vec<Value>, Failure> {
    series
        .reaches
        .iter()
        .map(|reach| {
            let properties = json!({ "reach_id": reach.id, "name": reach.name, "synthetic": true });
            Ok(json!({ "type": "Feature", "properties": properties, "geometry": geometry(&reach.polygon)? }))
        })
        .collect()
}

fn truth_features(
    series: &Series,
    geometry: impl Fn(&Polygon<f64>) -> Result<Value, Failure>,
) -> Result<Vec<Value>, Failure> {
    series
        .truth
        .iter()
        .map(|event| {
            let properties = json!({
                "event_id": event.id,
                "kind": event.kind.name(),
                "suspected": event.suspected,
                "harmless_because": event.harmless_because,
                "description": event.description,
                "first_date": series.passes[event.first_pass].acquired_at,
                "first_seen": event.first_seen().map(|pass| series.passes[pass].acquired_at.clone()),
                "synthetic": true,
            });
            Ok(json!({ "type": "Feature", "properties": properties, "geometry": geometry(&event.polygon)? }))
        })
        .collect()
}

/// A polygon in pixel-corner coordinates as GeoJSON (RFC 7946: WGS 84, exterior counter-clockwise).
fn geometry(polygon: &Polygon<f64>, grid: &Grid, to_wgs84: &Transform) -> Result<Value, Failure> {
    use geo::orient::{Direction, Orient};
    let mut polygon = polygon.clone();
    polygon.map_coords_in_place(|point| grid.to_projected(point.x, point.y).into());
    let polygons = to_wgs84.multi_polygon(&MultiPolygon::from(polygon), None)?.orient(Direction::Default);
    let polygon = polygons.0.first().ok_or_else(|| Failure::internal("a polygon vanished in projection"))?;
    let ring = |ring: &LineString<f64>| -> Vec<[f64; 2]> { ring.coords().map(|point| [point.x, point.y]).collect() };
    let rings: Vec<_> = std::iter::once(polygon.exterior()).chain(polygon.interiors()).map(ring).collect();
    Ok(json!({ "type": "Polygon", "coordinates": rings }))
}

fn write_collection(file: &Path, features: &[Value]) -> Result<(), Failure> {
    let collection = json!({ "type": "FeatureCollection", "features": features });
    write_whole(file, format!("{collection:#}\n").as_bytes())
}

/// Writes a file whole or not at all.
///
/// # Errors
/// The folder can't be written to, or the disk is full; what was there before is left.
pub fn write_whole(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    create_folder_of(file)?;
    atomically(file, |temporary| {
        std::fs::write(temporary, bytes)
            .map_err(|fault| shorewatch_imagery::ImageryError::io(temporary, "write", fault))
    })?;
    Ok(())
}
