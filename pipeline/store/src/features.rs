//! Layers page by page and by bounding box, as OGC API Features hands them out.

use geo_types::{MultiPolygon, Polygon};
use jiff::Timestamp;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Row, params_from_iter};
use serde::{Deserialize, Serialize};
use shorewatch_domain::access::{Scope, ScopePart};

use crate::error::StoreError;
use crate::geometry::Shape;
use crate::scope::Condition;
use crate::store::Store;

/// A layer that can be handed out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureLayer {
    /// Current patches.
    Patches,
    /// Cases.
    Cases,
    /// Managed reaches.
    Reaches,
    /// Squares that were looked at, and how much of each was observed.
    Coverage,
}

impl FeatureLayer {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Patches, Self::Cases, Self::Reaches, Self::Coverage];

    /// The name under which it is handed out.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Patches => "patches",
            Self::Cases => "cases",
            Self::Reaches => "reaches",
            Self::Coverage => "coverage",
        }
    }

    const fn table(self) -> &'static str {
        match self {
            Self::Coverage => "tiles",
            other => other.name(),
        }
    }

    /// The column that names a feature.
    const fn id_column(self) -> &'static str {
        match self {
            Self::Patches => "patch_id",
            Self::Cases => "case_id",
            Self::Reaches => "reach_id",
            Self::Coverage => "fid",
        }
    }

    /// The column with the time of acquisition.
    const fn time_column(self) -> Option<&'static str> {
        match self {
            Self::Patches | Self::Coverage => Some("post_date"),
            Self::Cases => Some("last_seen"),
            Self::Reaches => None,
        }
    }

    fn in_time(self, query: &FeatureQuery, condition: &mut Condition) {
        let Some(column) = self.time_column() else { return };
        for (sign, time) in [(">=", query.since), ("<=", query.until)] {
            let text = time.map(|time| time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string());
            condition.and_if(&format!("t.{column} {sign} ?"), text.as_ref());
        }
    }

    /// Columns that stay inside: paths, digests of the machinery, what is long.
    const fn hidden(self) -> &'static [&'static str] {
        match self {
            Self::Patches => &["fid", "geom", "chip_before", "chip_after", "configuration_digest", "evidence", "rank"],
            Self::Reaches => &["fid", "geom", "digest", "repairs", "origin"],
            Self::Cases => &["fid", "geom", "parents"],
            Self::Coverage => &["fid", "geom", "unobserved"],
        }
    }

    /// What lies in a scope, of rows under the name `t`.
    fn in_scope(self, scope: &Scope, condition: &mut Condition) {
        if scope.is_all() {
            return;
        }
        let mut inner = Condition::default();
        inner.and_in(scope);
        match self {
            Self::Patches => condition.and(
                format!("EXISTS (SELECT 1 FROM review_queue q WHERE q.fid = t.fid AND {})", inner.sql()),
                inner.values,
            ),
            Self::Cases => condition.and(
                format!(
                    "EXISTS (SELECT 1 FROM case_events e JOIN review_queue q ON q.patch_id = e.patch_id
                         WHERE e.case_id = t.case_id AND {})",
                    inner.sql()
                ),
                inner.values,
            ),
            Self::Reaches => reach_in_scope("t", scope, condition),
            Self::Coverage => {
                let mut of_reach = Condition::default();
                reach_in_scope("r", scope, &mut of_reach);
                condition.and(
                    format!(
                        "EXISTS (SELECT 1 FROM reaches r JOIN rtree_reaches_geom a ON a.id = r.fid
                             JOIN rtree_tiles_geom b ON b.id = t.fid
                             WHERE a.minx <= b.maxx AND a.maxx >= b.minx AND a.miny <= b.maxy AND a.maxy >= b.miny AND {})",
                        of_reach.sql()
                    ),
                    of_reach.values,
                );
            }
        }
    }
}

/// A reach lies in a scope that names it, in the unit that its code begins with, and where its patches lie.
fn reach_in_scope(alias: &str, scope: &Scope, condition: &mut Condition) {
    let mut parts = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    for part in &scope.0 {
        match part {
            ScopePart::Reach(id) => {
                parts.push(format!("{alias}.reach_id = ?"));
                values.push(id.clone().into());
            }
            ScopePart::Unit(code) => {
                parts.push(format!("substr({alias}.reach_id, 1, length(?)) = ?"));
                values.extend([code.clone().into(), code.clone().into()]);
            }
            ScopePart::All | ScopePart::Water(_) => {}
        }
    }
    let mut inner = Condition::default();
    inner.and_in(scope);
    parts
        .push(format!("EXISTS (SELECT 1 FROM review_queue q WHERE q.reach_id = {alias}.reach_id AND {})", inner.sql()));
    values.extend(inner.values);
    condition.and(format!("({})", parts.join(" OR ")), values);
}

/// Which features, and from where on.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FeatureQuery {
    /// Where the account may look.
    pub scope: Scope,
    /// Only those that meet this box: [west, south, east, north] in degrees.
    pub bbox: Option<[f64; 4]>,
    /// Only the one of this name.
    pub id: Option<String>,
    /// After the feature with this row number.
    pub after: i64,
    /// Acquired at this time or after it; reaches have no time, and meet any.
    pub since: Option<Timestamp>,
    /// Acquired at this time or before it.
    pub until: Option<Timestamp>,
}

/// One feature.
#[derive(Clone, PartialEq, Debug)]
pub struct Feature {
    /// Its row number: where a page goes on.
    pub fid: i64,
    /// Its name within the layer.
    pub id: String,
    /// Its area (CGCS2000: longitude, latitude).
    pub geometry: MultiPolygon<f64>,
    /// What else it says.
    pub properties: serde_json::Map<String, serde_json::Value>,
}

/// A feature of a layer that decides.
#[derive(Clone, PartialEq, Debug)]
pub struct ContextFeature {
    /// The layer.
    pub layer: String,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// From which and until which day it holds, where that is told.
    pub valid: (Option<String>, Option<String>),
    /// Its area (CGCS2000: longitude, latitude).
    pub geometry: MultiPolygon<f64>,
}

/// A page of features.
#[derive(Clone, PartialEq, Debug)]
pub struct FeaturePage {
    /// In order of row number.
    pub features: Vec<Feature>,
    /// True where more follow.
    pub more: bool,
}

/// A box that meets more features than this is walked in order of row number instead of collected and sorted.
const FEW: usize = 20_000;

impl Store {
    /// A page of at most `limit` features.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn feature_page(
        &self,
        layer: FeatureLayer,
        query: &FeatureQuery,
        limit: usize,
    ) -> Result<FeaturePage, StoreError> {
        let during = "read the features";
        let mut condition = Condition::default();
        condition.and("t.fid > ?", [query.after.into()]);
        if let Some(id) = &query.id {
            condition.and(format!("CAST(t.{} AS TEXT) = ?", layer.id_column()), [id.clone().into()]);
            if layer != FeatureLayer::Coverage {
                condition.and(format!("t.{} = ?", layer.id_column()), [id.clone().into()]);
            }
        }
        let table = layer.table();
        let mut source = format!("{table} t");
        if let Some(bbox) = query.bbox {
            let boxed = "b.minx <= ? AND b.maxx >= ? AND b.miny <= ? AND b.maxy >= ?";
            let bounds = [bbox[2], bbox[0], bbox[3], bbox[1]].map(Value::from);
            let few: Vec<i64> = self.rows(
                during,
                &format!("SELECT b.id FROM rtree_{table}_geom b WHERE {boxed} LIMIT {}", FEW + 1),
                params_from_iter(bounds.clone()),
                |row| row.get(0),
            )?;
            if few.len() > FEW {
                source = format!("{table} t CROSS JOIN rtree_{table}_geom b ON b.id = t.fid");
                condition.and(boxed, bounds);
            } else {
                let mut few = few;
                few.retain(|fid| *fid > query.after);
                few.sort_unstable();
                source = format!("json_each(?) j CROSS JOIN {table} t ON t.fid = j.value");
                let list = serde_json::to_string(&few).unwrap_or_default();
                condition.values.insert(0, list.into());
            }
        }
        layer.in_time(query, &mut condition);
        layer.in_scope(&query.scope, &mut condition);
        let sql = format!("SELECT t.* FROM {source} WHERE {} ORDER BY t.fid LIMIT {}", condition.sql(), limit + 1);
        // a list that is sorted already need not be sorted again
        let sql = if source.starts_with("json_each") { sql.replace("ORDER BY t.fid ", "") } else { sql };
        let mut features: Vec<Feature> =
            self.rows(during, &sql, params_from_iter(condition.values), |row| feature_of(row, layer))?;
        let more = features.len() > limit;
        features.truncate(limit);
        Ok(FeaturePage { features, more })
    }

    /// How many features a query meets; `None` where that are more than can be counted quickly.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn count_features(&self, layer: FeatureLayer, query: &FeatureQuery) -> Result<Option<u64>, StoreError> {
        let table = layer.table();
        let mut condition = Condition::default();
        let mut source = format!("{table} t");
        if let Some([west, south, east, north]) = query.bbox {
            source = format!("rtree_{table}_geom b CROSS JOIN {table} t ON t.fid = b.id");
            condition.and(
                "b.minx <= ? AND b.maxx >= ? AND b.miny <= ? AND b.maxy >= ?",
                [east.into(), west.into(), north.into(), south.into()],
            );
        }
        layer.in_time(query, &mut condition);
        layer.in_scope(&query.scope, &mut condition);
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {source} WHERE {} LIMIT {})", condition.sql(), FEW + 1);
        let counts: Vec<u64> =
            self.rows("count the features", &sql, params_from_iter(condition.values), |row| row.get(0))?;
        Ok(counts.first().copied().filter(|count| *count <= FEW as u64))
    }

    /// Bounds of a layer in degrees, [west, south, east, north]; `None` where it is empty.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn layer_bounds(&self, layer: FeatureLayer) -> Result<Option<[f64; 4]>, StoreError> {
        let sql = "SELECT min_x, min_y, max_x, max_y FROM gpkg_contents WHERE table_name = ?1 AND min_x IS NOT NULL";
        let bounds: Vec<[f64; 4]> = self.rows("read the bounds of the layer", sql, [layer.table()], |row| {
            Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
        })?;
        Ok(bounds.into_iter().next())
    }

    /// Features of the layers that decide (zones, scopes, permits, projects, units, known problems) that meet a box, as they are in
    /// force; at most `limit`.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn context_features(
        &self,
        [west, south, east, north]: [f64; 4],
        limit: u32,
    ) -> Result<Vec<ContextFeature>, StoreError> {
        let sql = "SELECT t.layer, t.code, t.name, t.valid_from, t.valid_to, t.geom
             FROM rtree_layer_features_geom b CROSS JOIN layer_features t ON t.fid = b.id
             WHERE b.minx <= ?1 AND b.maxx >= ?2 AND b.miny <= ?3 AND b.maxy >= ?4 LIMIT ?5";
        self.rows("read the layers", sql, rusqlite::params![east, west, north, south, limit], |row| {
            Ok(ContextFeature {
                layer: row.get("layer")?,
                code: row.get("code")?,
                name: row.get("name")?,
                valid: (row.get("valid_from")?, row.get("valid_to")?),
                geometry: row.get::<_, Shape<MultiPolygon<f64>>>("geom")?.0,
            })
        })
    }

    /// What the law's rules say of a patch, column by column; nothing where it was not assessed.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn assessment_of(
        &self,
        patch_id: &str,
    ) -> Result<Option<serde_json::Map<String, serde_json::Value>>, StoreError> {
        let sql = "SELECT * FROM assessments WHERE patch_id = ?1";
        let found: Vec<_> = self.rows("read the assessment", sql, [patch_id], |row| values_of(row, &["fid"]))?;
        Ok(found.into_iter().next())
    }

    /// The case that a patch belongs to; of several the latest.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn case_of_patch(&self, patch_id: &str) -> Result<Option<String>, StoreError> {
        let sql = "SELECT case_id FROM case_events WHERE patch_id = ?1 ORDER BY fid DESC LIMIT 1";
        let found: Vec<String> = self.rows("look for the case", sql, [patch_id], |row| row.get(0))?;
        Ok(found.into_iter().next())
    }

    /// One current patch.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn current_patch(&self, patch_id: &str) -> Result<Option<crate::StoredPatch>, StoreError> {
        let sql = "SELECT * FROM patches WHERE patch_id = ?1";
        let found: Vec<_> = self.rows("read the patch", sql, [patch_id], crate::patches::patch_of)?;
        Ok(found.into_iter().next())
    }
}

fn feature_of(row: &Row<'_>, layer: FeatureLayer) -> rusqlite::Result<Feature> {
    let blob = row.get_ref("geom")?;
    let geometry = <Shape<Polygon<f64>> as rusqlite::types::FromSql>::column_result(blob)
        .map(|shape| MultiPolygon(vec![shape.0]))
        .or_else(|_| {
            <Shape<MultiPolygon<f64>> as rusqlite::types::FromSql>::column_result(blob).map(|shape| shape.0)
        })?;
    let id = match row.get_ref(layer.id_column())? {
        ValueRef::Integer(number) => number.to_string(),
        other => other.as_str()?.to_owned(),
    };
    Ok(Feature { fid: row.get("fid")?, id, geometry, properties: values_of(row, layer.hidden())? })
}

fn values_of(row: &Row<'_>, hidden: &[&str]) -> rusqlite::Result<serde_json::Map<String, serde_json::Value>> {
    let statement: &rusqlite::Statement<'_> = row.as_ref();
    let mut values = serde_json::Map::new();
    for i in 0..statement.column_count() {
        let name = statement.column_name(i)?;
        if hidden.contains(&name) {
            continue;
        }
        let value = match row.get_ref(i)? {
            ValueRef::Null => serde_json::Value::Null,
            ValueRef::Integer(number) => number.into(),
            ValueRef::Real(number) => number.into(),
            ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned().into(),
            ValueRef::Blob(_) => continue,
        };
        values.insert(name.to_owned(), value);
    }
    Ok(values)
}
