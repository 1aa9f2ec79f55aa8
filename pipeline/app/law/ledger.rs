//! The ledger of offices: what was assessed, by the columns of the configuration, in the formats that offices open.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use geo::Intersects;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use shorewatch_domain::decision::DecisionVerdict;
use shorewatch_domain::law::assessment::{Assessment, Language};
use shorewatch_domain::patch::Patch;
use shorewatch_findings::event::picture::pictures_of;
use shorewatch_findings::settings::Pictures;
use shorewatch_imagery::export::ExportFormat;
use shorewatch_imagery::export::shapes::{FieldKind, FieldValue, ShapeFormat, ShapeRow, ShapeTable, write_shapes};
use shorewatch_imagery::redrawn::redrawn;
use shorewatch_law::rules::{LedgerColumn, Rules, ledger};
use shorewatch_report::{Cell, Ledger, ledger_csv, ledger_workbook, rounded};
use shorewatch_store::outbox::ledger::{PatchIssue, ReportedPlace};
use shorewatch_store::{PatchFilter, Store, StoredPatch};

use super::assess::as_of;
use super::fields::{self, Origin, Told};
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
    /// The patch, as it is stored; where the reviewer drew another outline, with that one and its area.
    pub stored: StoredPatch,
    /// What is said of it.
    pub assessment: Assessment,
    /// What a reviewer decided.
    pub verdict: Option<DecisionVerdict>,
    /// Where the issue system has it.
    pub issue: Option<PatchIssue>,
}

impl Assessed {
    /// The patch.
    #[must_use]
    pub const fn patch(&self) -> &Patch {
        &self.stored.patch
    }
}

/// Every assessed patch of current publications, by priority.
///
/// # Errors
/// The store can't be read, or an outline that was drawn not be measured.
pub fn assessed(store: &Store) -> Result<Vec<Assessed>, Failure> {
    let mut patches: BTreeMap<String, StoredPatch> = store
        .patches(&PatchFilter::default())?
        .into_iter()
        .map(|stored| (stored.patch.patch_id.clone(), stored))
        .collect();
    let mut issues = store.patch_issues()?;
    let mut verdicts: BTreeMap<String, DecisionVerdict> = BTreeMap::new();
    for site in store.reviewed_sites()? {
        if let Some(stored) = patches.get_mut(&site.patch_id).filter(|_| site.redrawn) {
            stored.patch = redrawn(&stored.patch, site.outline)?;
        }
        verdicts.insert(site.patch_id, site.verdict);
    }
    let assessments = store.assessments()?.into_iter();
    Ok(assessments
        .filter_map(|stored| {
            let patch = patches.remove(&stored.assessment.patch_id)?;
            let (verdict, issue) = (verdicts.get(&patch.patch.patch_id).copied(), issues.remove(&patch.patch.patch_id));
            Some(Assessed { stored: patch, assessment: stored.assessment, verdict, issue })
        })
        .collect())
}

/// Writes the ledger into a folder. `pictures` is the folder that pictures of patches lie below: their hashes are told.
///
/// # Errors
/// Nothing was assessed yet; the store can't be read, or the folder not be written to.
pub fn write(
    store: &Store,
    rules: &Rules,
    pictures: &Path,
    folder: &Path,
    wanted: &Wanted<'_>,
) -> Result<Written, Failure> {
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
    let known = Known::of(store, rules)?;
    let hashes = columns.iter().any(|column| column.field.ends_with("_sha256"));
    let cells = |one: &Assessed, language| -> Vec<Cell> {
        let origin = known.origin(one.patch());
        let pictures = if hashes { pictures_of(&one.stored, pictures, Pictures::None, None) } else { Vec::new() };
        let told = Told {
            patch: one.patch(),
            assessment: &one.assessment,
            verdict: one.verdict,
            issue: one.issue.as_ref(),
            origin: &origin,
            pictures: &pictures,
            today: known.today,
        };
        columns
            .iter()
            .map(|column| fields::value(&column.field, &told, rules, language).unwrap_or(Cell::Missing))
            .collect()
    };
    let values: Vec<Vec<Cell>> = rows.iter().map(|one| cells(one, wanted.language)).collect();
    let table = Ledger {
        title: wanted.language.of("ledger", "疑似问题台账").to_owned(),
        notice: notice(wanted).to_owned(),
        headers: columns.iter().map(|column| wanted.language.of(&column.english, &column.chinese).to_owned()).collect(),
        rows: values,
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
                geopackage(&file, &columns, &rows, &table.rows)?;
                file
            }
        };
        files.push(file);
    }
    Ok(Written { rows: rows.len(), left_out, files })
}

/// What is known from elsewhere of the ground of patches.
struct Known {
    reported: Vec<ReportedPlace>,
    /// National patches, by the patch of ours that answers each.
    national: BTreeMap<String, Vec<String>>,
    today: Date,
}

impl Known {
    fn of(store: &Store, rules: &Rules) -> Result<Self, Failure> {
        let mut national: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let (theirs, answers) = super::national::answer(store, rules)?;
        for (patch, answer) in theirs.into_iter().zip(answers) {
            if let Some(ours) = answer.patch_id {
                national.entry(ours).or_default().push(patch.national_id);
            }
        }
        Ok(Self { reported: store.reported_places()?, national, today: as_of(store, rules)? })
    }

    /// A report that came after the imagery did not lead anybody to the place.
    fn origin(&self, patch: &Patch) -> Origin {
        let led = |report: &&ReportedPlace| {
            report.reported_at <= patch.post_date && report.outline.intersects(&patch.geometry)
        };
        Origin {
            reports: self.reported.iter().filter(led).cloned().collect(),
            national: self.national.get(&patch.patch_id).cloned().unwrap_or_default(),
        }
    }
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
fn geopackage(file: &Path, columns: &[&LedgerColumn], rows: &[&Assessed], values: &[Vec<Cell>]) -> Result<(), Failure> {
    let kind = |field: &str| if fields::is_number(field) { FieldKind::Real } else { FieldKind::Text };
    let fields: Vec<(String, FieldKind)> =
        columns.iter().map(|column| (column.field.clone(), kind(&column.field))).collect();
    let as_of = rows.iter().map(|one| one.patch().post_date).max().unwrap_or(Timestamp::UNIX_EPOCH);
    let rows = rows
        .iter()
        .zip(values)
        .map(|(one, values)| {
            let values = values.iter().map(|cell| match cell {
                Cell::Text(text) => FieldValue::Text(text.clone()),
                Cell::Number(number, decimals) => FieldValue::Real(rounded(*number, *decimals)),
                Cell::Missing => FieldValue::Missing,
            });
            ShapeRow { geometry: Some(one.patch().geometry.clone().into()), values: values.collect() }
        })
        .collect();
    let table = ShapeTable { layer: "ledger", fields, rows, as_of };
    Ok(write_shapes(file, ShapeFormat::Export(ExportFormat::GeoPackage), &table)?)
}
