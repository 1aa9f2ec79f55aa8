//! National patches: read from any file, matched with ours, and written back with outcome codes.

use std::collections::BTreeMap;
use std::path::Path;

use geo_types::{Geometry, MultiPolygon};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use shorewatch_domain::decision::DecisionVerdict;
use shorewatch_domain::law::assessment::PermitStatus;
use shorewatch_imagery::export::shapes::{
    FieldKind, FieldValue, ShapeFormat, ShapeRow, ShapeTable, TextEncoding, write_shapes,
};
use shorewatch_imagery::table::{TableSource, Wanted, read_table};
use shorewatch_law::national::{Answer, NationalPatch, Nearness, Ours, answers};
use shorewatch_law::rules::{NationalFile, Rules};
use shorewatch_store::national::{NationalImport, StoredNationalPatch};
use shorewatch_store::{PatchFilter, Store};

use crate::failure::Failure;

/// Where national patches come from.
#[derive(Debug, Clone)]
pub struct Source<'a> {
    /// The file.
    pub file: &'a Path,
    /// Layer, where it has several.
    pub layer: Option<String>,
    /// Reference system for a file that has none.
    pub assigned_epsg: Option<u32>,
    /// Encoding of its texts, where the file does not say it.
    pub encoding: Option<String>,
}

/// What was written.
#[derive(Debug, Clone, Serialize)]
pub struct Answered {
    /// National patches.
    pub patches: usize,
    /// By outcome.
    pub outcomes: BTreeMap<&'static str, usize>,
}

/// Reads a file into the store, all or none.
///
/// # Errors
/// Every faulty feature of the file; a field of the mapping that it lacks; the store can't be written.
pub fn import(
    store: &mut Store,
    rules: &Rules,
    source: &Source<'_>,
    now: Timestamp,
) -> Result<NationalImport, Failure> {
    let mapping = &rules.national;
    let table = read_table(
        source.file,
        &TableSource {
            may_be_empty: false,
            layer: source.layer.clone(),
            assigned_epsg: source.assigned_epsg,
            encoding: source.encoding.clone(),
            wanted: Wanted::Areas { buffer_m: None },
            point_columns: None,
            code_column: Some(mapping.id_field.clone()),
        },
    )?;
    let mut faults: Vec<String> =
        table.faults.iter().map(|fault| format!("{}: {}", fault.feature, fault.problem)).collect();
    for field in
        [Some(&mapping.id_field), mapping.date_field.as_ref(), mapping.verdict_field.as_ref()].into_iter().flatten()
    {
        if !table.columns.contains(field) {
            faults.push(format!(
                "{} has no field {field:?}; it has {}: correct national.toml",
                table.origin,
                table.columns.join(", ")
            ));
        }
    }
    let mut patches = Vec::with_capacity(table.rows.len());
    for row in table.rows {
        match national(row.values, row.geometry, mapping, &table.origin) {
            Ok(mut patch) => {
                // a column that is empty goes back with the others
                for column in &table.columns {
                    patch.fields.entry(column.clone()).or_default();
                }
                patches.push(patch);
            }
            Err(problem) => faults.push(format!("{}: {problem}", row.label)),
        }
    }
    if !faults.is_empty() {
        return Err(Failure::input(format!(
            "{} has {} faults, and nothing was imported:\n  {}",
            table.origin,
            faults.len(),
            faults.join("\n  ")
        )));
    }
    Ok(store.import_national(&patches, now)?)
}

fn national(
    fields: BTreeMap<String, String>,
    geometry: Option<Geometry<f64>>,
    mapping: &NationalFile,
    origin: &str,
) -> Result<StoredNationalPatch, String> {
    let national_id = fields.get(&mapping.id_field).cloned().ok_or_else(|| format!("{} is empty", mapping.id_field))?;
    let geometry = match geometry {
        Some(Geometry::Polygon(polygon)) => MultiPolygon(vec![polygon]),
        Some(Geometry::MultiPolygon(polygons)) => polygons,
        _ => return Err("expected a polygon".to_owned()),
    };
    let field = |name: &Option<String>| name.as_ref().and_then(|name| fields.get(name));
    let image_date = field(&mapping.date_field).map(|text| day(text)).transpose()?;
    let verdict = field(&mapping.verdict_field).cloned();
    Ok(StoredNationalPatch { national_id, geometry, image_date, verdict, fields, origin: origin.to_owned() })
}

/// A day as offices write it.
fn day(text: &str) -> Result<Date, String> {
    // as layers read it; an open end is none
    shorewatch_law::validate::day(text)
        .flatten()
        .ok_or_else(|| format!("{text:?} is no day; expected 2024-03-15, 20240315 or 2024/03/15"))
}

/// The answers to all national patches of the store.
///
/// # Errors
/// The store can't be read.
pub fn answer(store: &Store, rules: &Rules) -> Result<(Vec<NationalPatch>, Vec<Answer>), Failure> {
    let national: Vec<NationalPatch> = store
        .national_patches()?
        .into_iter()
        .map(|patch| NationalPatch {
            national_id: patch.national_id,
            geometry: patch.geometry,
            image_date: patch.image_date,
            verdict: patch.verdict,
            fields: patch.fields,
        })
        .collect();
    let verdicts: BTreeMap<String, DecisionVerdict> =
        store.reviewed_sites()?.into_iter().map(|site| (site.patch_id, site.verdict)).collect();
    let permitted: BTreeMap<String, bool> = store
        .assessments()?
        .into_iter()
        .map(|stored| (stored.assessment.patch_id.clone(), stored.assessment.permit_status == PermitStatus::Permitted))
        .collect();
    let ours: Vec<Ours> = store
        .patches(&PatchFilter::default())?
        .into_iter()
        .map(|stored| Ours {
            day: rules.local_day(stored.patch.post_date),
            verdict: verdicts.get(&stored.patch.patch_id).copied(),
            permitted: permitted.get(&stored.patch.patch_id).copied().unwrap_or(false),
            outline: stored.patch.geometry,
            patch_id: stored.patch.patch_id,
        })
        .collect();
    let nearness = Nearness { share_min: rules.national.share_min, days_max: rules.national.days_max };
    let answers = answers(&national, &ours, &nearness);
    Ok((national, answers))
}

/// Writes all national patches back, with their own fields and ours behind them, in the format of the file's ending.
///
/// # Errors
/// There is none, an ending that stands for no format, the store can't be read, or the file not be written.
pub fn export(store: &Store, rules: &Rules, file: &Path, encoding: TextEncoding) -> Result<Answered, Failure> {
    let format = ShapeFormat::of_path(file, encoding).ok_or_else(|| {
        let file = file.display();
        Failure::usage(format!("{file}: expected a name that ends in .gpkg, .geojson, .fgb, .csv or .shp; rename it"))
    })?;
    let (national, answers) = answer(store, rules)?;
    if national.is_empty() {
        return Err(Failure::input("the store holds no national patch; use `shorewatch national import` first"));
    }
    let names: std::collections::BTreeSet<&String> = national.iter().flat_map(|patch| patch.fields.keys()).collect();
    let own = ["sw_outcome", "sw_code", "sw_text", "sw_patch", "sw_share", "sw_days"];
    let kind = |name: &str| if matches!(name, "sw_share" | "sw_days") { FieldKind::Real } else { FieldKind::Text };
    let fields: Vec<(String, FieldKind)> = names
        .iter()
        .map(|name| ((*name).clone(), FieldKind::Text))
        .chain(own.map(|name| (name.to_owned(), kind(name))))
        .collect();
    let text = |text: Option<&String>| {
        text.filter(|text| !text.is_empty()).map_or(FieldValue::Missing, |text| FieldValue::Text(text.clone()))
    };
    let mut outcomes: BTreeMap<&'static str, usize> = BTreeMap::new();
    let rows: Vec<ShapeRow> = national
        .iter()
        .zip(&answers)
        .map(|(patch, answer)| {
            *outcomes.entry(answer.outcome.name()).or_default() += 1;
            let code = rules.national.outcome_codes.iter().find(|code| code.outcome == answer.outcome.name());
            let mut values: Vec<FieldValue> = names.iter().map(|name| text(patch.fields.get(*name))).collect();
            values.extend([
                FieldValue::Text(answer.outcome.name().to_owned()),
                text(code.map(|code| &code.code)),
                text(code.map(|code| &code.text)),
                text(answer.patch_id.as_ref()),
                answer.patch_id.as_ref().map_or(FieldValue::Missing, |_| FieldValue::Real(answer.share)),
                answer.days.map_or(FieldValue::Missing, |days| FieldValue::Real(f64::from(days))),
            ]);
            ShapeRow { geometry: Some(patch.geometry.clone().into()), values }
        })
        .collect();
    let latest = store.publications()?.iter().map(|one| one.post_date).max();
    let as_of = latest.unwrap_or(Timestamp::UNIX_EPOCH);
    let table = ShapeTable { layer: "national", fields, rows, as_of };
    write_shapes(file, format, &table)?;
    Ok(Answered { patches: table.rows.len(), outcomes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn days_are_read_as_offices_write_them() {
        for text in ["2024-03-15", "20240315", "2024/03/15", "2024-03-15T00:00:00"] {
            assert_eq!(day(text), Ok(date(2024, 3, 15)), "{text}");
        }
        assert!(day("spring").is_err() && day("20241315").is_err());
    }
}
