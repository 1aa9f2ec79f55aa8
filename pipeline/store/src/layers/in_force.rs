//! The layers in force, put together as look-ups need them.

use std::collections::{BTreeMap, BTreeSet};

use geo_types::Rect;
use rusqlite::params;
use shorewatch_domain::law::layer::{Feature, LayerKind};
use shorewatch_domain::law::office::{Chief, Department};
use shorewatch_domain::law::place::{NamedPlace, Versions};
use shorewatch_domain::law::record::{LayerContent, ReachRecord, Record};
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

/// Which areas in force are read.
#[derive(Clone, Copy, Debug)]
pub enum Areas<'a> {
    /// Every one.
    All,
    /// Those of one kind.
    Of(LayerKind),
    /// Those whose bounds may meet one of some boxes (longitude, latitude): all that a look-up inside of these boxes can meet.
    Near(&'a [Rect<f64>]),
}

impl Store {
    /// Reads every layer in force.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn layers_in_force(&self) -> Result<LayersInForce, StoreError> {
        Ok(LayersInForce { features: self.areas_in_force(Areas::All)?, ..self.layers_in_force_without_areas()? })
    }

    /// Reads areas in force, in order of layer and code.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn areas_in_force(&self, which: Areas<'_>) -> Result<Vec<Feature>, StoreError> {
        let during = "read the areas in force";
        let records: Vec<Record> = match which {
            Areas::All => {
                let sql = "SELECT geom, record FROM layer_features ORDER BY content, code";
                self.rows(during, sql, [], record_of)?
            }
            Areas::Of(kind) => {
                let sql = "SELECT geom, record FROM layer_features WHERE content = ?1 ORDER BY code";
                self.rows(during, sql, [LayerContent::Areas(kind).name()], record_of)?
            }
            Areas::Near(boxes) => {
                let mut met = BTreeSet::new();
                for one in boxes {
                    let (min, max) = (one.min(), one.max());
                    // the index keeps bounds in 32 bits, rounded outwards
                    let near: Vec<i64> = self.rows(
                        during,
                        "SELECT id FROM rtree_layer_features_geom
                         WHERE maxx >= ?1 AND minx <= ?2 AND maxy >= ?3 AND miny <= ?4",
                        params![min.x, max.x, min.y, max.y],
                        |row| row.get(0),
                    )?;
                    met.extend(near);
                }
                let mut found: Vec<(String, String, Record)> = Vec::with_capacity(met.len());
                for fid in met {
                    let sql = "SELECT content, code, geom, record FROM layer_features WHERE fid = ?1";
                    found.extend(self.rows::<_, Vec<_>>(during, sql, [fid], |row| {
                        Ok((row.get("content")?, row.get("code")?, record_of(row)?))
                    })?);
                }
                found.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
                found.into_iter().map(|(_, _, record)| record).collect()
            }
        };
        let feature = |record| if let Record::Feature(feature) = record { Some(feature) } else { None };
        Ok(records.into_iter().filter_map(feature).collect())
    }

    /// Reads every layer in force but the areas, which are by far the most: there are none in what it returns.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn layers_in_force_without_areas(&self) -> Result<LayersInForce, StoreError> {
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
                    // they stand in a table of their own
                    Record::Feature(_) => {}
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
