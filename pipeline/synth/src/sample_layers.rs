//! Layers of a made-up office for a painted scene: register, scopes, zones, permits, projects, units, chiefs, departments.
//!
//! Names, numbers and persons are invented; the codes begin with 99, which no province has. The samples are laid so that the
//! events of the scene meet different fates, and some defects are planted for `shorewatch layers check`
//! ([`PLANTED_DEFECTS`]).

mod offices;
mod shapes;
mod zones;

use geo_types::{Coord, LineString, Polygon};

use crate::series::{EventKind, Series, TruthEvent};

/// Defects that the samples have on purpose, by kind and layer: the stand-in scope does not reach up to the official one, between
/// two shoreline zones lies a gap, an office of a chief stood empty for two weeks, and a village has no chief. In other scenes the
/// stand-in scope may have more.
pub const PLANTED_DEFECTS: [(&str, &str); 4] =
    [("gap", "management_scope"), ("gap", "shoreline_zone"), ("chief_gap", "chief"), ("without_chief", "chief")];

/// Code of the painted river.
pub(crate) const RIVER: &str = "990100000001";
/// Code of the painted lake.
pub(crate) const LAKE: &str = "99010001";

/// A layer.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleLayer {
    /// Stem of its file.
    pub name: &'static str,
    /// Its rows; all of them have a shape, or none has.
    pub rows: Vec<SampleRow>,
}

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleRow {
    /// Shape in pixel-corner coordinates of the unshifted grid (x = column, y = row).
    pub shape: Option<SampleShape>,
    /// Values by column.
    pub values: Vec<(&'static str, String)>,
}

/// A shape.
#[derive(Debug, Clone, PartialEq)]
pub enum SampleShape {
    /// An area.
    Area(Polygon<f64>),
    /// A line.
    Line(LineString<f64>),
    /// A place.
    Point(Coord<f64>),
}

pub(crate) fn row(shape: impl Into<Option<SampleShape>>, values: &[(&'static str, &str)]) -> SampleRow {
    let values = values.iter().map(|(column, value)| (*column, (*value).to_owned())).collect();
    SampleRow { shape: shape.into(), values }
}

pub(crate) fn area(polygon: Polygon<f64>) -> SampleShape {
    SampleShape::Area(polygon)
}

/// The layers for a scene.
#[must_use]
pub fn sample_layers(series: &Series) -> Vec<SampleLayer> {
    let mut layers = register(series);
    layers.extend(zones::layers(series));
    layers.extend(offices::layers(series));
    layers
}

/// The suspected events of a kind, in the order of the scenario; those within the managed shoreline first.
pub(crate) fn events(series: &Series, kind: EventKind) -> Vec<&TruthEvent> {
    series.truth.iter().filter(|event| event.kind == kind && event.suspected).collect()
}

fn register(series: &Series) -> Vec<SampleLayer> {
    let (river, line) = (&series.river, &series.river.centreline.0);
    let middle = line.len() / 2;
    let surface = shapes::band(line, river.half_width);
    let waters = vec![
        row(
            area(surface),
            &[("编码", RIVER), ("名称", "青川"), ("类型", "河流"), ("等级", "二级"), ("流域", "青川流域")],
        ),
        row(area(series.lake.clone()), &[("编码", LAKE), ("名称", "镜湖"), ("类型", "湖泊"), ("流域", "青川流域")]),
    ];
    let lengths = shapes::lengths_m(line, series.pixel_size_m);
    let chainage = |vertex: usize| format!("{:.1}", 12_000.0 + lengths[vertex]);
    let reach = |code: &str, name: &str, from: usize, to: usize| {
        let shape = SampleShape::Line(LineString(line[from..=to].to_vec()));
        let (start, end) = (chainage(from), chainage(to));
        row(
            shape,
            &[("code", code), ("name", name), ("water_code", RIVER), ("starts_at_m", &start), ("ends_at_m", &end)],
        )
    };
    let reaches =
        vec![reach("990101000001", "青川上段", 0, middle), reach("990102000001", "青川下段", middle, line.len() - 1)];
    let mut points = Vec::new();
    for kilometre in 1.. {
        let Some(vertex) = lengths.iter().position(|length| *length >= f64::from(kilometre) * 1000.0) else { break };
        let code = if vertex <= middle { "990101000001" } else { "990102000001" };
        let stone = format!("K{}+{:03.0}", 12 + kilometre, lengths[vertex] - f64::from(kilometre) * 1000.0);
        let name = format!("{code}-{kilometre}");
        let values = [("code", name.as_str()), ("reach_code", code), ("桩号", stone.as_str())];
        points.push(row(SampleShape::Point(line[vertex]), &values));
    }
    let beside = |vertex: usize, side: f64| {
        SampleShape::Point(shapes::beside(line, vertex.min(line.len() - 2), side * river.corridor_half * 1.4))
    };
    let places = ["沙洲村", "渡口村", "柳岸村", "石桥镇", "青川大桥"];
    let places = places.iter().enumerate().map(|(i, name)| {
        let code = format!("P{}", i + 1);
        let vertex = line.len() * (2 * i + 1) / 10;
        row(beside(vertex, if i % 2 == 0 { 1.0 } else { -1.0 }), &[("code", code.as_str()), ("name", name)])
    });
    vec![
        SampleLayer { name: "waters", rows: waters },
        SampleLayer { name: "water_reaches", rows: reaches },
        SampleLayer { name: "kilometre_points", rows: points },
        SampleLayer { name: "named_places", rows: places.collect() },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Scenario, paint};

    #[test]
    fn every_layer_has_rows_and_every_shape_lies_in_the_scene() {
        let scenario = Scenario::small();
        let series = paint(&scenario).expect("painted");
        let layers = sample_layers(&series);
        assert_eq!(layers.len(), 17);
        for layer in &layers {
            assert!(!layer.rows.is_empty(), "{} is empty", layer.name);
            let shaped = layer.rows.iter().filter(|row| row.shape.is_some()).count();
            assert!(shaped == 0 || shaped == layer.rows.len(), "{}", layer.name);
            for row in &layer.rows {
                let places = match &row.shape {
                    Some(SampleShape::Area(polygon)) => polygon.exterior().0.clone(),
                    Some(SampleShape::Line(line)) => line.0.clone(),
                    Some(SampleShape::Point(place)) => vec![*place],
                    None => Vec::new(),
                };
                // a permit may reach over the edge of the picture, but not far
                let near = |value: f64, size: usize| (-60.0..size as f64 + 60.0).contains(&value);
                let inside = places.iter().all(|at| near(at.x, scenario.cols) && near(at.y, scenario.rows));
                assert!(inside, "{}: {:?}", layer.name, row.values);
            }
        }
        assert_eq!(sample_layers(&series), layers, "the same scene gives the same layers");
    }
}
