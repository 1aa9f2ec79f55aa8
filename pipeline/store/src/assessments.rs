//! What layers, rules and earlier sites say of each current patch, and the numbers that patches were given.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Row, Transaction, params};
use serde::{Deserialize, Serialize};
use shorewatch_domain::digest::Digest;
use shorewatch_domain::law::assessment::{
    Assessment, IdleProject, PermitStatus, Severity, StockFlag, SubType, SuppressedReason, Unit,
};
use shorewatch_domain::law::layer::WaterSourceLevel;
use shorewatch_domain::law::water::Bank;

use crate::decisions::rows::corrected_of;
use crate::error::{Refusal, StoreError};
use crate::store::Store;
use crate::values::{Hex, Json, Utc, named};
use crate::{geopackage, patches};

/// An assessment on its way into the store, with its explanation in words.
#[derive(Clone, PartialEq, Debug)]
pub struct NewAssessment {
    /// What is said.
    pub assessment: Assessment,
    /// Its explanation in English.
    pub text: String,
    /// Its explanation in Chinese.
    pub text_zh: String,
}

/// An assessment in the store.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StoredAssessment {
    /// What is said.
    pub assessment: Assessment,
    /// Its explanation in English.
    pub text: String,
    /// Its explanation in Chinese.
    pub text_zh: String,
    /// When it was made.
    pub assessed_at: Timestamp,
}

/// What the store holds of assessments.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct AssessmentCounts {
    /// Current patches with an assessment.
    pub assessed: u64,
    /// Written now, since what they are a function of changed.
    pub written: u64,
    /// In the reviewer's queue.
    pub shown: u64,
    /// Kept out of it, by reason.
    pub suppressed: BTreeMap<String, u64>,
    /// Numbers given now.
    pub numbers_given: u64,
    /// Approved projects that are idle.
    pub idle_projects: u64,
}

/// What one assessment of everything changes.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct AssessmentUpdate {
    /// Assessments that are new or differ.
    pub assessments: Vec<NewAssessment>,
    /// Numbers that were given now: patch and number.
    pub numbers: Vec<(String, String)>,
    /// All projects that are idle; `None` leaves those of before.
    pub idle_projects: Option<Vec<IdleProject>>,
}

impl Store {
    /// Writes what an assessment changed, in one transaction: after it all of it is there, or nothing. Assessments of patches that
    /// are not current any more go; the numbers of these stay.
    ///
    /// # Errors
    /// A patch that is not current, a number that another patch has; a fault of the file.
    pub fn update_assessments(
        &mut self,
        update: &AssessmentUpdate,
        now: Timestamp,
    ) -> Result<AssessmentCounts, StoreError> {
        self.write("store the assessments", |transaction| {
            let gone = transaction
                .execute("DELETE FROM assessments WHERE patch_id NOT IN (SELECT patch_id FROM patches)", [])?;
            for (patch_id, number) in &update.numbers {
                transaction
                    .prepare_cached(
                        "INSERT OR REPLACE INTO patch_numbers (patch_id, number, given_at) VALUES (?1, ?2, ?3)",
                    )?
                    .execute(params![patch_id, number, Utc(now)])?;
            }
            for new in &update.assessments {
                let patch_id = &new.assessment.patch_id;
                let known: bool = transaction
                    .prepare_cached("SELECT EXISTS (SELECT 1 FROM patches WHERE patch_id = ?1)")?
                    .query_row([patch_id], |row| row.get(0))?;
                if !known {
                    let next = "it was superseded meanwhile: assess again";
                    return Err(Refusal::Unknown { kind: "current patch", selector: patch_id.clone(), next }.into());
                }
                insert(transaction, new, now)?;
            }
            if let Some(idle) = &update.idle_projects {
                replace_idle(transaction, idle, now)?;
            }
            if gone > 0 || !update.assessments.is_empty() {
                geopackage::touch(transaction, "assessments", now)?;
            }
            if !update.numbers.is_empty() {
                geopackage::touch(transaction, "patch_numbers", now)?;
            }
            let mut counts = counts(transaction)?;
            counts.written = update.assessments.len() as u64;
            counts.numbers_given = update.numbers.len() as u64;
            Ok(counts)
        })
    }

    /// Every assessment as reviewers corrected it, by priority from the highest, then by number.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn assessments(&self) -> Result<Vec<StoredAssessment>, StoreError> {
        let sql = format!("{CORRECTED} WHERE a.explanation IS NOT NULL ORDER BY a.priority DESC, a.number, a.patch_id");
        self.rows("read the assessments", &sql, [], assessment_of)
    }

    /// The assessment of a patch as a reviewer corrected it, by the patch's id or its number.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn assessment(&self, selector: &str) -> Result<Option<StoredAssessment>, StoreError> {
        let sql = format!("{CORRECTED} WHERE (a.patch_id = ?1 OR a.number = ?1) AND a.explanation IS NOT NULL");
        let found: Vec<_> = self.rows("read the assessment", &sql, [selector], assessment_of)?;
        Ok(found.into_iter().next())
    }

    /// Digests of what the stored assessments follow from, by patch.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn assessment_digests(&self) -> Result<BTreeMap<String, Digest>, StoreError> {
        let sql = "SELECT patch_id, inputs_digest FROM assessments WHERE inputs_digest IS NOT NULL AND explanation IS NOT NULL";
        self.rows("read the digests of assessments", sql, [], |row| {
            Ok((row.get("patch_id")?, row.get::<_, Hex>("inputs_digest")?.0))
        })
    }

    /// Every number that was given, by patch.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn patch_numbers(&self) -> Result<BTreeMap<String, String>, StoreError> {
        self.rows("read the numbers of patches", "SELECT patch_id, number FROM patch_numbers", [], |row| {
            Ok((row.get("patch_id")?, row.get("number")?))
        })
    }

    /// Approved projects that are idle, by code.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn idle_projects(&self) -> Result<Vec<IdleProject>, StoreError> {
        self.rows("read the idle projects", "SELECT * FROM idle_projects ORDER BY code", [], |row| {
            Ok(IdleProject {
                code: row.get("code")?,
                name: row.get("name")?,
                expected_by: row.get::<_, Day>("expected_by")?.0,
                observed_on: row.get::<_, Day>("observed_on")?.0,
                observed_share: row.get("observed_share")?,
                adcd: row.get("adcd")?,
                river_code: row.get("river_code")?,
                reach_code: row.get("reach_code")?,
                chiefs: row.get::<_, Json<_>>("chiefs")?.0,
            })
        })
    }
}

fn counts(connection: &rusqlite::Connection) -> rusqlite::Result<AssessmentCounts> {
    let one = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, u64>(0));
    let suppressed = connection
        .prepare_cached(
            "SELECT suppressed_reason, count(*) FROM assessments WHERE suppressed_reason IS NOT NULL GROUP BY 1",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(AssessmentCounts {
        assessed: one("SELECT count(*) FROM assessments")?,
        shown: one("SELECT count(*) FROM assessments WHERE shown")?,
        suppressed,
        idle_projects: one("SELECT count(*) FROM idle_projects")?,
        ..AssessmentCounts::default()
    })
}

/// Assessments with what the decision that counts corrected.
const CORRECTED: &str = "SELECT a.*, s.issue_class AS corrected_issue_class, s.sub_type AS corrected_sub_type,
        s.severity AS corrected_severity
    FROM assessments a LEFT JOIN decision_state s ON s.patch_id = a.patch_id AND s.state = 'decided'";

/// All columns in the order of [`insert`].
const COLUMNS: &str = "patch_id, number, detected_on, issue_class, sub_type, severity, stock_flag, permit_status, permit_id, \
     outside_share, river_name, river_code, reach_code, bank, chainage_m, adcd, city, city_code, county, county_code, town, \
     town_code, village, village_code, nearest_place, nearest_place_m, shoreline_zone, source_zone, in_mgmt, chief_city, \
     chief_county, chief_town, chief_village, lead_department, supporting_departments, co_notified, deadline, priority, shown, \
     suppressed_reason, linked_site, explanation, explanation_text, explanation_text_zh, assessed_at, digest, inputs_digest";

fn insert(transaction: &Transaction<'_>, new: &NewAssessment, now: Timestamp) -> rusqlite::Result<()> {
    let places = (1..=COLUMNS.split(',').count()).map(|i| format!("?{i}")).collect::<Vec<_>>().join(", ");
    let told = &new.assessment;
    let name = |unit: &Option<Unit>| unit.as_ref().map(|unit| unit.name.clone());
    let code = |unit: &Option<Unit>| unit.as_ref().map(|unit| unit.code.clone());
    transaction.prepare_cached(&format!("INSERT OR REPLACE INTO assessments ({COLUMNS}) VALUES ({places})"))?.execute(
        params![
            told.patch_id,
            told.number,
            told.detected_on.to_string(),
            told.issue_class.name(),
            told.sub_type.map(SubType::code),
            told.severity.name(),
            told.stock_flag.name(),
            told.permit_status.name(),
            told.permit_id,
            told.outside_share,
            told.river_name,
            told.river_code,
            told.reach_code,
            told.bank.map(Bank::name),
            told.chainage_m,
            told.adcd,
            name(&told.city),
            code(&told.city),
            name(&told.county),
            code(&told.county),
            name(&told.town),
            code(&told.town),
            name(&told.village),
            code(&told.village),
            told.nearest_place.as_ref().map(|(name, _)| name),
            told.nearest_place.as_ref().map(|(_, distance_m)| distance_m),
            told.shoreline_zone,
            told.source_zone.map(WaterSourceLevel::name),
            told.in_mgmt,
            told.chief_city,
            told.chief_county,
            told.chief_town,
            told.chief_village,
            told.lead_department,
            Json(&told.supporting_departments),
            Json(&told.co_notified),
            told.deadline.map(|day| day.to_string()),
            told.priority,
            told.shown,
            told.suppressed_reason.map(SuppressedReason::name),
            told.linked_site,
            Json(&told.explanation),
            new.text,
            new.text_zh,
            Utc(now),
            Hex(told.content()),
            Hex(told.inputs),
        ],
    )?;
    Ok(())
}

fn replace_idle(transaction: &Transaction<'_>, idle: &[IdleProject], now: Timestamp) -> rusqlite::Result<()> {
    let mut first_raised: BTreeMap<String, String> = transaction
        .prepare("SELECT code, first_raised_at FROM idle_projects")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    transaction.execute("DELETE FROM idle_projects", [])?;
    let now_text: String = transaction.query_row("SELECT ?1", [Utc(now)], |row| row.get(0))?;
    for project in idle {
        let raised = first_raised.remove(&project.code).unwrap_or_else(|| now_text.clone());
        transaction
            .prepare_cached(
                "INSERT INTO idle_projects (code, name, expected_by, observed_on, observed_share, adcd, river_code, reach_code,
                     chiefs, first_raised_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute(params![
                project.code,
                project.name,
                project.expected_by.to_string(),
                project.observed_on.to_string(),
                project.observed_share,
                project.adcd,
                project.river_code,
                project.reach_code,
                Json(&project.chiefs),
                raised,
            ])?;
    }
    geopackage::touch(transaction, "idle_projects", now)
}

/// A day as YYYY-MM-DD.
struct Day(Date);

impl FromSql for Day {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map(Self).map_err(FromSqlError::other)
    }
}

/// A value that stands in its column by name.
struct Word<T>(T);

macro_rules! by_name {
    ($type:ty, $all:expr, $name:expr) => {
        impl FromSql for Word<$type> {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                named(value, &$all, $name).map(Self)
            }
        }
    };
}

by_name!(SubType, SubType::ALL, SubType::code);
by_name!(Severity, Severity::ALL, Severity::name);
by_name!(StockFlag, StockFlag::ALL, StockFlag::name);
by_name!(PermitStatus, PermitStatus::ALL, PermitStatus::name);
by_name!(SuppressedReason, SuppressedReason::ALL, SuppressedReason::name);
by_name!(Bank, [Bank::Left, Bank::Right], Bank::name);
by_name!(WaterSourceLevel, WaterSourceLevel::ALL, WaterSourceLevel::name);

fn assessment_of(row: &Row<'_>) -> rusqlite::Result<StoredAssessment> {
    let unit = |name: &str, code: &str| -> rusqlite::Result<Option<Unit>> {
        let (name, code): (Option<String>, Option<String>) = (row.get(name)?, row.get(code)?);
        Ok(name.zip(code).map(|(name, code)| Unit { code, name }))
    };
    let nearest: (Option<String>, Option<f64>) = (row.get("nearest_place")?, row.get("nearest_place_m")?);
    let mut stored = StoredAssessment {
        assessment: Assessment {
            patch_id: row.get("patch_id")?,
            number: row.get("number")?,
            detected_on: row.get::<_, Day>("detected_on")?.0,
            issue_class: row.get::<_, patches::Named>("issue_class")?.0,
            sub_type: row.get::<_, Option<Word<SubType>>>("sub_type")?.map(|word| word.0),
            severity: row.get::<_, Word<Severity>>("severity")?.0,
            stock_flag: row.get::<_, Word<StockFlag>>("stock_flag")?.0,
            permit_status: row.get::<_, Word<PermitStatus>>("permit_status")?.0,
            permit_id: row.get("permit_id")?,
            outside_share: row.get("outside_share")?,
            river_name: row.get("river_name")?,
            river_code: row.get("river_code")?,
            reach_code: row.get("reach_code")?,
            bank: row.get::<_, Option<Word<Bank>>>("bank")?.map(|word| word.0),
            chainage_m: row.get("chainage_m")?,
            adcd: row.get("adcd")?,
            city: unit("city", "city_code")?,
            county: unit("county", "county_code")?,
            town: unit("town", "town_code")?,
            village: unit("village", "village_code")?,
            nearest_place: nearest.0.zip(nearest.1),
            shoreline_zone: row.get("shoreline_zone")?,
            source_zone: row.get::<_, Option<Word<WaterSourceLevel>>>("source_zone")?.map(|word| word.0),
            in_mgmt: row.get("in_mgmt")?,
            chief_city: row.get("chief_city")?,
            chief_county: row.get("chief_county")?,
            chief_town: row.get("chief_town")?,
            chief_village: row.get("chief_village")?,
            lead_department: row.get("lead_department")?,
            supporting_departments: row.get::<_, Json<_>>("supporting_departments")?.0,
            co_notified: row.get::<_, Json<_>>("co_notified")?.0,
            deadline: row.get::<_, Option<Day>>("deadline")?.map(|day| day.0),
            priority: row.get("priority")?,
            shown: row.get("shown")?,
            suppressed_reason: row.get::<_, Option<Word<SuppressedReason>>>("suppressed_reason")?.map(|word| word.0),
            linked_site: row.get("linked_site")?,
            explanation: row.get::<_, Json<_>>("explanation")?.0,
            inputs: row.get::<_, Hex>("inputs_digest")?.0,
        },
        text: row.get("explanation_text")?,
        text_zh: row.get("explanation_text_zh")?,
        assessed_at: row.get::<_, Utc>("assessed_at")?.0,
    };
    stored.assessment.correct(&corrected_of(row)?);
    Ok(stored)
}
