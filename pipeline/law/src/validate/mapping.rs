//! Which field of a source is which field of a layer, and what its words mean.

use std::collections::BTreeMap;

use shorewatch_domain::law::layer::LayerKind;
use shorewatch_domain::law::record::LayerContent;

/// How a source is read.
#[derive(Clone, PartialEq, Debug)]
pub struct Mapping {
    /// What it holds.
    pub content: LayerContent,
    /// Columns of the source by field of the layer; a field that is not named here is looked for under its own name.
    pub fields: BTreeMap<String, String>,
    /// Meanings of the words of the source, by field of the layer.
    pub values: BTreeMap<String, BTreeMap<String, String>>,
    /// Values of fields that the source has no column for.
    pub constants: BTreeMap<String, String>,
    /// Metres by which lines of the source were widened: scopes of it are stand-ins.
    pub buffer_m: Option<f64>,
}

impl Mapping {
    /// A mapping of fields under their own names.
    #[must_use]
    pub fn plain(content: LayerContent) -> Self {
        let (fields, values, constants) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { content, fields, values, constants, buffer_m: None }
    }

    /// Everything that is wrong with it, seen with the columns of the source.
    #[must_use]
    pub fn faults(&self, columns: &[String]) -> Vec<String> {
        let known = fields_of(self.content);
        let mut faults = Vec::new();
        let named = self.fields.keys().map(|field| ("fields", field));
        let worded = self.values.keys().map(|field| ("values", field));
        let fixed = self.constants.keys().map(|field| ("constants", field));
        for (part, field) in named.chain(worded).chain(fixed) {
            if !known.contains(&field.as_str()) {
                let content = self.content.name();
                faults.push(format!("{part}: a {content} has no field {field:?}; it has {}", known.join(", ")));
            }
        }
        for (field, column) in &self.fields {
            if !columns.contains(column) {
                faults.push(format!("{field} = {column:?}: no such column; the source has {}", columns.join(", ")));
            }
            if self.constants.contains_key(field) {
                faults.push(format!("{field} is a column ({column:?}) and a constant; remove one of them"));
            }
        }
        for field in required(self.content) {
            let there = self.constants.contains_key(*field)
                || self.fields.contains_key(*field)
                || columns.iter().any(|column| column == field);
            if !there {
                let has = columns.join(", ");
                faults.push(format!("no column for {field}: name it in [layers.fields]; the source has {has}"));
            }
        }
        faults
    }
}

/// Fields of a content.
#[must_use]
pub const fn fields_of(content: LayerContent) -> &'static [&'static str] {
    match content {
        LayerContent::Areas(kind) => match kind {
            LayerKind::ManagementScope | LayerKind::ProtectionScope => {
                &["code", "name", "source", "buffer_m", "water_code"]
            }
            LayerKind::ShorelineZone => &["code", "name", "zone"],
            LayerKind::WaterSourceZone => &["code", "name", "level"],
            LayerKind::Wetland => &["code", "name", "grade"],
            LayerKind::BlueLine => &["code", "name"],
            LayerKind::MiningPermit => &["code", "name", "valid_from", "valid_to", "volume_m3", "forbidden_seasons"],
            LayerKind::Project => {
                &["code", "name", "valid_from", "valid_to", "stage", "object_classes", "change_expected_by"]
            }
            LayerKind::AdministrativeUnit => &["code", "name", "level", "parent"],
            LayerKind::KnownProblem => &["code", "name", "status", "area_m2", "found_on"],
        },
        LayerContent::Water => &["code", "name", "kind", "class", "basin"],
        LayerContent::WaterReach => {
            &["code", "name", "water_code", "water_name", "water_kind", "starts_at_m", "ends_at_m"]
        }
        LayerContent::KilometrePoint => &["code", "reach_code", "chainage_m", "longitude", "latitude"],
        LayerContent::NamedPlace => &["code", "name", "longitude", "latitude"],
        LayerContent::Chief => {
            &["code", "name", "level", "in_charge_of", "title", "telephone", "valid_from", "valid_to"]
        }
        LayerContent::Department => {
            &["code", "name", "serves", "role", "issue_classes", "zones", "valid_from", "valid_to"]
        }
    }
}

/// Fields without which no row can be read.
const fn required(content: LayerContent) -> &'static [&'static str] {
    match content {
        LayerContent::Areas(kind) => match kind {
            LayerKind::ShorelineZone => &["code", "zone"],
            LayerKind::WaterSourceZone | LayerKind::AdministrativeUnit => &["code", "level"],
            LayerKind::MiningPermit => &["code", "valid_to"],
            LayerKind::Project => &["code", "stage"],
            LayerKind::KnownProblem => &["code", "status"],
            LayerKind::ManagementScope | LayerKind::ProtectionScope | LayerKind::Wetland | LayerKind::BlueLine => {
                &["code"]
            }
        },
        LayerContent::Water => &["code", "name", "kind"],
        LayerContent::WaterReach => &["code", "water_code"],
        LayerContent::KilometrePoint => &["reach_code", "chainage_m"],
        LayerContent::NamedPlace => &["name"],
        LayerContent::Chief => &["name", "level", "in_charge_of"],
        LayerContent::Department => &["code", "name", "serves", "role"],
    }
}
