//! The layers in force, put together as look-ups need them.

use std::collections::BTreeMap;

use shorewatch_domain::law::layer::Feature;
use shorewatch_domain::law::office::{Chief, Department};
use shorewatch_domain::law::place::{NamedPlace, Versions};
use shorewatch_domain::law::record::{ReachRecord, Record};
use shorewatch_domain::law::water::{KilometrePoint, Water, WaterKind};

use super::record_of;
use crate::error::StoreError;
use crate::store::Store;

/// Everything that is in force.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct LayersInForce {
    /// Areas, in order of layer and code.
    pub features: Vec<Feature>,
    /// Waters with their reaches and kilometre points, in order of code.
    pub waters: Vec<Water>,
    /// Named places.
    pub places: Vec<NamedPlace>,
    /// Chiefs, with all their periods.
    pub chiefs: Vec<Chief>,
    /// Departments.
    pub departments: Vec<Department>,
    /// Kilometre points whose reach is not in force, by their code and the code of that reach.
    pub stray_kilometre_points: Vec<(String, String)>,
    /// The versions that these are, by the name of the layer.
    pub versions: Versions,
    /// Layers that are withdrawn, by name, with the version that says so.
    pub withdrawn: Versions,
}

impl LayersInForce {
    /// What a run notes: the versions in force, and the withdrawals.
    #[must_use]
    pub fn noted(&self) -> Versions {
        self.versions.iter().chain(&self.withdrawn).map(|(layer, version)| (layer.clone(), *version)).collect()
    }
}

impl Store {
    /// Reads every layer in force.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn layers_in_force(&self) -> Result<LayersInForce, StoreError> {
        let during = "read the layers in force";
        let mut all = LayersInForce {
            versions: self.rows(during, "SELECT layer, version FROM layer_versions WHERE in_force", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?,
            withdrawn: self.rows(
                during,
                "SELECT layer, max(version) FROM layer_versions GROUP BY layer
                 HAVING max(in_force) = 0 AND max(version) = max(CASE WHEN withdrawn_reason IS NOT NULL THEN version END)",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?,
            ..LayersInForce::default()
        };
        let (mut waters, mut reaches) = (BTreeMap::new(), Vec::new());
        let mut kilometre_points = Vec::new();
        for (table, geom) in [
            ("layer_features", "geom"),
            ("waters", "geom"),
            ("water_reaches", "geom"),
            ("kilometre_points", "geom"),
            ("named_places", "geom"),
            ("chiefs", "NULL AS geom"),
            ("departments", "NULL AS geom"),
        ] {
            let sql = format!("SELECT {geom}, record FROM {table} ORDER BY content, code");
            for record in self.rows::<Record, Vec<_>>(during, &sql, [], record_of)? {
                match record {
                    Record::Feature(feature) => all.features.push(feature),
                    Record::Water(water) => {
                        waters.insert(water.code.clone(), water);
                    }
                    Record::Reach(reach) => reaches.push(reach),
                    Record::KilometrePoint(point) => kilometre_points.push(point),
                    Record::NamedPlace(place) => all.places.push(place),
                    Record::Chief(chief) => all.chiefs.push(chief.chief),
                    Record::Department(department) => all.departments.push(department),
                }
            }
        }
        let mut points: BTreeMap<String, Vec<(String, KilometrePoint)>> = BTreeMap::new();
        for point in kilometre_points {
            points.entry(point.reach_code).or_default().push((point.code, point.point));
        }
        for mut reach in reaches {
            let of_reach = points.remove(&reach.reach.code).unwrap_or_default();
            reach.reach.kilometre_points = of_reach.into_iter().map(|(_, point)| point).collect();
            let water = waters.entry(reach.water_code.clone()).or_insert_with(|| water_of(&reach));
            water.reaches.push(reach.reach);
        }
        for (reach_code, of_reach) in points {
            all.stray_kilometre_points.extend(of_reach.into_iter().map(|(code, _)| (code, reach_code.clone())));
        }
        all.waters = waters.into_values().collect();
        for water in &mut all.waters {
            water.reaches.sort_by(|a, b| a.starts_at_m.total_cmp(&b.starts_at_m).then_with(|| a.code.cmp(&b.code)));
        }
        Ok(all)
    }
}

/// A water by what its reach says of it.
fn water_of(reach: &ReachRecord) -> Water {
    Water {
        code: reach.water_code.clone(),
        name: reach.water_name.clone().unwrap_or_else(|| reach.water_code.clone()),
        kind: reach.water_kind.unwrap_or(WaterKind::River),
        class: None,
        basin: None,
        reaches: Vec::new(),
        surface: None,
    }
}
