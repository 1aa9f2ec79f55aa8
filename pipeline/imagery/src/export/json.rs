//! GeoJSON by RFC 7946.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use geo::{BoundingRect, Orient, orient::Direction};
use geo_types::{Polygon, Rect};
use serde_json::{Map, Value as Json, json};
use shorewatch_domain::crs::Epsg;

use super::fields::{Kind, Value};
use super::{Row, Rows};
use crate::crs::Transform;
use crate::error::ImageryError;
use crate::write::atomically;

pub(super) fn write(path: &Path, rows: &Rows<'_>) -> Result<(), ImageryError> {
    let to_wgs84 = Transform::new(Epsg::CGCS2000, Epsg::WGS84)?;
    let outlines =
        rows.rows.iter().map(|row| to_wgs84.polygon(&row.patch.geometry, None)).collect::<Result<Vec<_>, _>>()?;
    atomically(path, |temporary| {
        let io = |error| ImageryError::io(path, "write", error);
        let mut file = BufWriter::new(File::create(temporary).map_err(io)?);
        write_to(&mut file, rows, &outlines).map_err(io)?;
        file.flush().map_err(io)
    })
}

/// One feature a line, so that the file can be read and compared line by line.
fn write_to(file: &mut impl Write, rows: &Rows<'_>, outlines: &[Polygon<f64>]) -> std::io::Result<()> {
    write!(file, "{{\"type\":\"FeatureCollection\",\"name\":\"{}\",", super::LAYER)?;
    let all = outlines.iter().filter_map(BoundingRect::bounding_rect).reduce(|a, b| {
        let (min, max) = (a.min(), a.max());
        Rect::new((min.x.min(b.min().x), min.y.min(b.min().y)), (max.x.max(b.max().x), max.y.max(b.max().y)))
    });
    if let Some(all) = all {
        write!(file, "\"bbox\":{},", bounding_box(&all))?;
    }
    write!(file, "\"features\":[")?;
    for (i, (row, outline)) in rows.rows.iter().zip(outlines).enumerate() {
        file.write_all(if i == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *file, &feature(&rows.fields, row, outline))?;
    }
    file.write_all(b"\n]}\n")
}

fn feature(fields: &[(&'static str, Kind)], row: &Row<'_>, outline: &Polygon<f64>) -> Json {
    // outer rings run counter-clockwise, holes clockwise
    let outline = outline.orient(Direction::Default);
    let rings: Vec<Vec<[f64; 2]>> = std::iter::once(outline.exterior())
        .chain(outline.interiors())
        .map(|ring| ring.coords().map(|point| [point.x, point.y]).collect())
        .collect();
    let properties: Map<String, Json> = fields
        .iter()
        .zip(&row.values)
        .map(|((name, _), value)| {
            let value = match value {
                Value::Text(text) => Json::from(text.as_str()),
                Value::Real(number) => Json::from(*number),
                Value::Integer(number) => Json::from(*number),
                Value::Time(time) => Json::from(time.to_string()),
                Value::Missing => Json::Null,
            };
            ((*name).to_owned(), value)
        })
        .collect();
    let mut feature = json!({
        "type": "Feature",
        "id": row.patch.patch_id,
        "geometry": { "type": "Polygon", "coordinates": rings },
        "properties": properties,
    });
    if let (Some(bounds), Some(members)) = (outline.bounding_rect(), feature.as_object_mut()) {
        members.insert("bbox".to_owned(), bounding_box(&bounds));
    }
    feature
}

fn bounding_box(bounds: &Rect<f64>) -> Json {
    json!([bounds.min().x, bounds.min().y, bounds.max().x, bounds.max().y])
}
