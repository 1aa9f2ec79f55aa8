//! Layers that decide: which files hold them, and what their fields and words mean.
//!
//! The comments of what was typed become the descriptions in the JSON Schema.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shorewatch_domain::crs::Epsg;
use shorewatch_domain::law::record::LayerContent;
use shorewatch_law::validate::mapping::{Mapping, fields_of};

use super::document::at;
use super::resolve::Resolver;
use super::schema::suggestion;

/// A layer that decides what a patch may be in law, and whose it is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LayerEntry {
    /// What it holds: `water`, `water_reach`, `kilometre_point`, `named_place`, `administrative_unit`, `management_scope`,
    /// `protection_scope`, `shoreline_zone`, `water_source_zone`, `wetland`, `blue_line`, `mining_permit`, `project`,
    /// `known_problem`, `chief` or `department`.
    #[schemars(length(min = 1))]
    pub kind: String,
    /// Name of the part, where the kind comes from several files ("buffer", "east").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub part: Option<String>,
    /// The file: GeoPackage, Shapefile, GeoJSON, FlatGeobuf, KML, file geodatabase; CSV for tables and points.
    #[schemars(length(min = 1))]
    pub file: String,
    /// The layer in the file; must be given where the file has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub layer: Option<String>,
    /// EPSG code for files that carry no reference system. Recorded as the operator's claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1024, max = 998_999))]
    pub assigned_epsg: Option<u32>,
    /// Encoding of the texts ("GBK", "UTF-8"), where the file does not say it, or says it wrongly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub encoding: Option<String>,
    /// Metres on each side by which lines are widened into scopes. Such scopes are stand-ins and say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.1, max = 50_000.0))]
    pub buffer_m: Option<f64>,
    /// Take it even where it lies far from every managed reach.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub anywhere: bool,
    /// Columns of the file by field. A field that is not named here is looked for under its own name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// Meanings of the words of the file, by field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, BTreeMap<String, String>>,
    /// Values of fields that the file has no column for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub constants: BTreeMap<String, String>,
}

/// A layer that decides.
#[derive(Clone, PartialEq, Debug)]
pub struct LayerSettings {
    /// Its name: the kind, with `/part` where there is one.
    pub name: String,
    /// The file.
    pub file: PathBuf,
    /// The layer in the file, where given.
    pub layer: Option<String>,
    /// Reference system by the operator, where given.
    pub assigned_epsg: Option<Epsg>,
    /// Encoding of the texts, where given.
    pub encoding: Option<String>,
    /// Whether it may lie far from every managed reach.
    pub anywhere: bool,
    /// What its fields and words mean.
    pub mapping: Mapping,
    /// Everything above but the file, as JSON: with the bytes of the file it decides what is imported.
    pub reading: String,
}

/// The layers in the order in which they are imported: what is referred to comes first.
pub(super) fn resolve(typed: &[LayerEntry], resolver: &mut Resolver<'_>) -> Vec<LayerSettings> {
    let mut layers: Vec<LayerSettings> = Vec::new();
    for (i, entry) in typed.iter().enumerate() {
        let file = resolver.path(at!["layers", i, "file"], &entry.file);
        let Some(content) = LayerContent::of_name(&entry.kind) else {
            let help = suggestion(&entry.kind, LayerContent::ALL.iter().map(|content| content.name()));
            resolver.refuse(at!["layers", i, "kind"], format!("no kind of layer is called {:?}", entry.kind), &help);
            continue;
        };
        if entry.part.as_ref().is_some_and(|part| part.contains('/')) {
            resolver.refuse(at!["layers", i, "part"], "a part has no slash in its name", "use a dash");
        }
        let name = match &entry.part {
            Some(part) => format!("{}/{part}", content.name()),
            None => content.name().to_owned(),
        };
        if layers.iter().any(|other| other.name == name) {
            let help = "give each file of a kind a part: part = \"east\"";
            resolver.refuse(at!["layers", i], format!("the layer {name} stands here twice"), help);
        }
        for (table, keys) in [
            ("fields", entry.fields.keys().collect::<Vec<_>>()),
            ("values", entry.values.keys().collect()),
            ("constants", entry.constants.keys().collect()),
        ] {
            for key in keys.into_iter().filter(|key| !fields_of(content).contains(&key.as_str())) {
                let help = suggestion(key, fields_of(content).iter().copied());
                let message = format!("a {} has no field {key:?}", content.name());
                resolver.refuse(at!["layers", i, table, key.as_str()], message, &help);
            }
        }
        let takes_lines = matches!(content, LayerContent::Areas(_));
        if entry.buffer_m.is_some() && !takes_lines {
            let message = format!("a {} is not widened", content.name());
            resolver.refuse(at!["layers", i, "buffer_m"], message, "remove it");
        }
        let bare = LayerEntry { file: String::new(), anywhere: false, ..entry.clone() };
        layers.push(LayerSettings {
            name,
            file,
            layer: entry.layer.clone(),
            assigned_epsg: entry.assigned_epsg.map(Epsg),
            encoding: entry.encoding.clone(),
            anywhere: entry.anywhere,
            mapping: Mapping {
                content,
                fields: entry.fields.clone(),
                values: entry.values.clone(),
                constants: entry.constants.clone(),
                buffer_m: entry.buffer_m,
            },
            reading: serde_json::to_string(&bare).expect("plain data with text keys"),
        });
    }
    let rank = |layer: &LayerSettings| LayerContent::ALL.iter().position(|one| *one == layer.mapping.content);
    layers.sort_by_key(rank);
    layers
}
