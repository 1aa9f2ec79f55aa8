//! The ledger of offices: what was assessed, by the columns of the configuration, in the formats that offices open.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use geo_types::MultiPolygon;
use jiff::Timestamp;
use serde::Serialize;

use shorewatch_domain::decision::DecisionVerdict;
use shorewatch_domain::law::assessment::{Assessment, Language};
use shorewatch_domain::patch::Patch;
use shorewatch_imagery::export::{LedgerKind, LedgerValue, export_ledger};
use shorewatch_law::rules::{LedgerColumn, Rules, ledger};
use shorewatch_report::{Cell, Ledger, ledger_csv, ledger_workbook};
use shorewatch_store::{PatchFilter, Store};

use super::fields::{self, Told};
use crate::cli::law::LedgerFormat;
use crate::failure::Failure;
use crate::scene;

/// What to write.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Formats.
    pub formats: &'a [LedgerFormat],
    /// Without what is personal.
    pub public: bool,
    /// With patches that were kept out of the queue.
    pub all: bool,
    /// Language.
    pub language: Language,
}

/// What was written.
#[derive(Debug, Clone, Serialize)]
pub struct Written {
    /// Rows.
    pub rows: usize,
    /// Assessed patches that were left out, by reason.
    pub left_out: BTreeMap<String, usize>,
    /// Files.
    pub files: Vec<PathBuf>,
}

/// An assessed patch with what was decided on it.
#[derive(Debug, Clone)]
pub struct Assessed {
    /// The patch.
    pub patch: Patch,
    /// What is said of it.
    pub assessment: Assessment,
    /// What a reviewer decided.
    pub verdict: Option<DecisionVerdict>,
}

impl Assessed {
    /// The three together.
    #[must_use]
    pub const fn told(&self) -> Told<'_> {
        Told { patch: &self.patch, assessment: &self.assessment, verdict: self.verdict }
    }
}

/// Every assessed patch of current publications, by priority.
///
/// # Errors
/// The store can't be read.
pub fn assessed(store: &Store) -> Result<Vec<Assessed>, Failure> {
    let mut patches: BTreeMap<String, Patch> = store
        .patches(&PatchFilter::default())?
        .into_iter()
        .map(|stored| (stored.patch.patch_id.clone(), stored.patch))
        .collect();
    let verdicts: BTreeMap<String, DecisionVerdict> =
        store.reviewed_sites()?.into_iter().map(|site| (site.patch_id, site.verdict)).collect();
    let assessments = store.assessments()?.into_iter();
    Ok(assessments
        .filter_map(|stored| {
            let patch = patches.remove(&stored.assessment.patch_id)?;
            let verdict = verdicts.get(&patch.patch_id).copied();
            Some(Assessed { patch, assessment: stored.assessment, verdict })
        })
        .collect())
}

/// Writes the ledger into a folder.
///
/// # Errors
/// Nothing was assessed yet; the store can't be read, or the folder not be written to.
pub fn write(store: &Store, rules: &Rules, folder: &Path, wanted: &Wanted<'_>) -> Result<Written, Failure> {
    let assessed = assessed(store)?;
    if assessed.is_empty() && !store.patches(&PatchFilter::default())?.is_empty() {
        return Err(Failure::input("no patch was assessed yet; use `shorewatch assess` first"));
    }
    std::fs::create_dir_all(folder)?;
    let mut left_out: BTreeMap<String, usize> = BTreeMap::new();
    let mut rows = Vec::new();
    for one in &assessed {
        match one.assessment.suppressed_reason {
            Some(reason) if !wanted.all => *left_out.entry(reason.name().to_owned()).or_default() += 1,
            _ => rows.push(one),
        }
    }
    let columns: Vec<&LedgerColumn> = rules.ledger.iter().filter(|column| !hidden(column, wanted.public)).collect();
    let cells = |one: &Assessed, language| -> Vec<Cell> {
        let told = one.told();
        columns
            .iter()
            .map(|column| fields::value(&column.field, &told, rules, language).unwrap_or(Cell::Missing))
            .collect()
    };
    let table = Ledger {
        title: wanted.language.of("ledger", "疑似问题台账").to_owned(),
        notice: notice(wanted).to_owned(),
        headers: columns.iter().map(|column| wanted.language.of(&column.english, &column.chinese).to_owned()).collect(),
        rows: rows.iter().map(|one| cells(one, wanted.language)).collect(),
    };
    let stem = if wanted.public { "ledger-public" } else { "ledger" };
    let failed = |fault: &dyn std::fmt::Display| Failure::internal(format!("ledger: {fault}"));
    let mut files = Vec::new();
    for format in wanted.formats {
        let file = match format {
            LedgerFormat::Csv => {
                let file = folder.join(format!("{stem}.csv"));
                scene::write_whole(&file, &ledger_csv(&table).map_err(|fault| failed(&fault))?)?;
                file
            }
            LedgerFormat::Xlsx => {
                let file = folder.join(format!("{stem}.xlsx"));
                scene::write_whole(&file, &ledger_workbook(&table).map_err(|fault| failed(&fault))?)?;
                file
            }
            LedgerFormat::Gpkg => {
                let file = folder.join(format!("{stem}.gpkg"));
                let values: Vec<Vec<Cell>> = rows.iter().map(|one| cells(one, wanted.language)).collect();
                geopackage(&file, &columns, &rows, values)?;
                file
            }
        };
        files.push(file);
    }
    Ok(Written { rows: rows.len(), left_out, files })
}

fn hidden(column: &LedgerColumn, public: bool) -> bool {
    public && ledger::is_personal(&column.field).unwrap_or(true)
}

fn notice(wanted: &Wanted<'_>) -> &'static str {
    match (wanted.public, wanted.language) {
        (false, Language::English) => {
            "Suspected, not verdicts: a person decides. Holds names of officials: not for the public."
        }
        (false, Language::Chinese) => "疑似问题，非认定结论，须经人工复核。含人员信息，不得公开。",
        (true, Language::English) => "Suspected, not verdicts: a person decides.",
        (true, Language::Chinese) => "疑似问题，非认定结论，须经人工复核。",
    }
}

/// Fields keep their names there: programs read them.
fn geopackage(
    file: &Path,
    columns: &[&LedgerColumn],
    rows: &[&Assessed],
    values: Vec<Vec<Cell>>,
) -> Result<(), Failure> {
    let kind = |field: &str| if fields::is_number(field) { LedgerKind::Real } else { LedgerKind::Text };
    let fields: Vec<(String, LedgerKind)> =
        columns.iter().map(|column| (column.field.clone(), kind(&column.field))).collect();
    let rounded =
        |number: f64, decimals: u8| format!("{number:.*}", usize::from(decimals)).parse::<f64>().unwrap_or(number);
    let as_of = rows.iter().map(|one| one.patch.post_date).max().unwrap_or(Timestamp::UNIX_EPOCH);
    let rows: Vec<_> = rows
        .iter()
        .zip(values)
        .map(|(one, values)| {
            let values = values.into_iter().map(|cell| match cell {
                Cell::Text(text) => LedgerValue::Text(text),
                Cell::Number(number, decimals) => LedgerValue::Real(rounded(number, decimals)),
                Cell::Missing => LedgerValue::Missing,
            });
            (MultiPolygon(vec![one.patch.geometry.clone()]), values.collect())
        })
        .collect();
    Ok(export_ledger(file, &fields, &rows, as_of)?)
}
