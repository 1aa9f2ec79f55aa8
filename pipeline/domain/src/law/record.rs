//! What an imported layer is made of, whatever it is about.

use geo_types::{Geometry, LineString, MultiPolygon, Point};
use serde::{Deserialize, Serialize};

use super::layer::{Feature, LayerKind};
use super::office::{Chief, Department};
use super::period::Period;
use super::place::NamedPlace;
use super::water::{KilometrePoint, Water, WaterKind, WaterReach};

/// What a layer holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum LayerContent {
    /// Areas that patches are joined with.
    Areas(LayerKind),
    /// Waters of the register (河湖名录), with their surface where it is known.
    Water,
    /// Reaches (河段): centrelines.
    WaterReach,
    /// Kilometre points (里程桩) on them.
    KilometrePoint,
    /// Named places (地名).
    NamedPlace,
    /// Chiefs (河长).
    Chief,
    /// Departments (责任部门).
    Department,
}

impl LayerContent {
    /// All of them, in the order in which they are imported: what is referred to comes first.
    pub const ALL: [Self; 16] = [
        Self::Water,
        Self::WaterReach,
        Self::KilometrePoint,
        Self::NamedPlace,
        Self::Areas(LayerKind::AdministrativeUnit),
        Self::Areas(LayerKind::ManagementScope),
        Self::Areas(LayerKind::ProtectionScope),
        Self::Areas(LayerKind::ShorelineZone),
        Self::Areas(LayerKind::WaterSourceZone),
        Self::Areas(LayerKind::Wetland),
        Self::Areas(LayerKind::BlueLine),
        Self::Areas(LayerKind::MiningPermit),
        Self::Areas(LayerKind::Project),
        Self::Areas(LayerKind::KnownProblem),
        Self::Chief,
        Self::Department,
    ];

    /// The name in configurations and stores.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Areas(kind) => kind.name(),
            Self::Water => "water",
            Self::WaterReach => "water_reach",
            Self::KilometrePoint => "kilometre_point",
            Self::NamedPlace => "named_place",
            Self::Chief => "chief",
            Self::Department => "department",
        }
    }

    /// What a layer holds, by its name: that of its content, with `/part` where the content comes from several files.
    #[must_use]
    pub fn of_layer(layer: &str) -> Option<Self> {
        Self::of_name(layer.split_once('/').map_or(layer, |(content, _)| content))
    }

    /// What a name stands for.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|content| content.name() == name)
    }
}

/// One row of a layer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// An area.
    Feature(Feature),
    /// A water; its reaches are rows of their own.
    Water(Water),
    /// A reach.
    Reach(ReachRecord),
    /// A kilometre point.
    KilometrePoint(KilometrePointRecord),
    /// A named place.
    NamedPlace(NamedPlace),
    /// A chief.
    Chief(ChiefRecord),
    /// A department.
    Department(Department),
}

/// A reach as a row, with what it says of its water: enough where the register has no layer of waters.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ReachRecord {
    /// Code of its water.
    pub water_code: String,
    /// Name of its water.
    pub water_name: Option<String>,
    /// Kind of its water.
    pub water_kind: Option<WaterKind>,
    /// The reach, without kilometre points.
    pub reach: WaterReach,
}

/// A kilometre point as a row.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct KilometrePointRecord {
    /// Code, unique in its layer.
    pub code: String,
    /// Code of its reach.
    pub reach_code: String,
    /// The point.
    pub point: KilometrePoint,
}

/// A chief as a row.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ChiefRecord {
    /// Code, unique in its layer: made of level, charge and first day where the source has none.
    pub code: String,
    /// The chief.
    pub chief: Chief,
}

impl Record {
    /// Code, unique among the rows of the same content.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Feature(feature) => &feature.code,
            Self::Water(water) => &water.code,
            Self::Reach(reach) => &reach.reach.code,
            Self::KilometrePoint(point) => &point.code,
            Self::NamedPlace(place) => &place.code,
            Self::Chief(chief) => &chief.code,
            Self::Department(department) => &department.code,
        }
    }

    /// Name for people; empty where there is none.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Feature(feature) => &feature.name,
            Self::Water(water) => &water.name,
            Self::Reach(reach) => &reach.reach.name,
            Self::KilometrePoint(_) => "",
            Self::NamedPlace(place) => &place.name,
            Self::Chief(chief) => &chief.chief.name,
            Self::Department(department) => &department.name,
        }
    }

    /// What it is.
    #[must_use]
    pub const fn content(&self) -> LayerContent {
        match self {
            Self::Feature(feature) => LayerContent::Areas(feature.layer()),
            Self::Water(_) => LayerContent::Water,
            Self::Reach(_) => LayerContent::WaterReach,
            Self::KilometrePoint(_) => LayerContent::KilometrePoint,
            Self::NamedPlace(_) => LayerContent::NamedPlace,
            Self::Chief(_) => LayerContent::Chief,
            Self::Department(_) => LayerContent::Department,
        }
    }

    /// When it holds, where it says so.
    #[must_use]
    pub fn period(&self) -> Option<Period> {
        match self {
            Self::Feature(feature) => feature.facts.period(),
            Self::Chief(chief) => Some(chief.chief.valid),
            Self::Department(department) => Some(department.valid),
            Self::Water(_) | Self::Reach(_) | Self::KilometrePoint(_) | Self::NamedPlace(_) => None,
        }
    }

    /// The shape on the ground, for what has one.
    #[must_use]
    pub fn geometry(&self) -> Option<Geometry<f64>> {
        match self {
            Self::Feature(feature) => Some(feature.geometry.clone().into()),
            Self::Water(water) => water.surface.clone().map(Geometry::from),
            Self::Reach(reach) => Some(reach.reach.centreline.clone().into()),
            Self::KilometrePoint(point) => Some(point.point.location.into()),
            Self::NamedPlace(place) => Some(place.location.into()),
            Self::Chief(_) | Self::Department(_) => None,
        }
    }

    /// The record with an empty shape in place of its own: what it says, without where.
    #[must_use]
    pub fn without_geometry(&self) -> Self {
        let mut bare = self.clone();
        match &mut bare {
            Self::Feature(feature) => feature.geometry = MultiPolygon(Vec::new()),
            Self::Water(water) => water.surface = None,
            Self::Reach(reach) => reach.reach.centreline = LineString(Vec::new()),
            Self::KilometrePoint(point) => point.point.location = Point::new(0.0, 0.0),
            Self::NamedPlace(place) => place.location = Point::new(0.0, 0.0),
            Self::Chief(_) | Self::Department(_) => {}
        }
        bare
    }

    /// The record with a shape in the place of its own; as it is where it takes no such shape.
    #[must_use]
    pub fn with_geometry(mut self, geometry: Geometry<f64>) -> Self {
        match (&mut self, geometry) {
            (Self::Feature(feature), Geometry::MultiPolygon(shape)) => feature.geometry = shape,
            (Self::Water(water), Geometry::MultiPolygon(shape)) => water.surface = Some(shape),
            (Self::Reach(reach), Geometry::LineString(line)) => reach.reach.centreline = line,
            (Self::KilometrePoint(point), Geometry::Point(location)) => point.point.location = location,
            (Self::NamedPlace(place), Geometry::Point(location)) => place.location = location,
            _ => {}
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_for_one_content_each() {
        for content in LayerContent::ALL {
            assert_eq!(LayerContent::of_name(content.name()), Some(content));
        }
        assert_eq!(LayerContent::of_name("management"), None);
        assert!(LayerKind::ALL.into_iter().all(|kind| LayerContent::ALL.contains(&LayerContent::Areas(kind))));
    }

    #[test]
    fn a_shape_is_taken_off_and_put_on_again() {
        let place =
            NamedPlace { code: "P1".to_owned(), name: "沙洲村".to_owned(), location: Point::new(110.1, 30.2) };
        let record = Record::NamedPlace(place);
        let bare = record.without_geometry();
        assert_ne!(bare, record);
        assert_eq!(bare.with_geometry(record.geometry().expect("a point")), record);
    }
}
