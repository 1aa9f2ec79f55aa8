//! Runs: what was started with which model and configuration, and how it ended.

use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlResult, ValueRef};
use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};
use shorewatch_domain::digest::Digest;

use crate::error::{Refusal, StoreError};
use crate::geopackage;
use crate::store::Store;
use crate::values::{Hex, Utc, named};

/// A run as it starts.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RunStart {
    /// Digest of the plan: the same plan again is the same run.
    pub run_id: Digest,
    /// When this attempt started.
    pub started_at: Timestamp,
    /// Version of the program.
    pub program_version: String,
    /// Model name.
    pub model_name: String,
    /// Model version.
    pub model_version: String,
    /// Digest of the model bundle.
    pub model_digest: Digest,
    /// Digest of the configuration that decides.
    pub configuration_digest: Digest,
    /// The configuration itself, as text.
    pub configuration: String,
    /// True where any input was painted, not photographed.
    pub synthetic: bool,
    /// What the plan holds.
    pub plan: PlanCounts,
    /// Units to do.
    pub units_total: u64,
}

/// Numbers of a plan.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct PlanCounts {
    /// Passes that are looked at.
    pub passes: u64,
    /// Reaches that are looked at.
    pub reaches: u64,
    /// Publications to make.
    pub publications: u64,
    /// Units that were published before and need no work.
    pub units_up_to_date: u64,
}

/// Where a run stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// At work, or ended without a word (killed).
    Started,
    /// All units done.
    Finished,
    /// Ended with units left undone.
    Partial,
}

impl RunState {
    const ALL: [Self; 3] = [Self::Started, Self::Finished, Self::Partial];

    /// The name in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Finished => "finished",
            Self::Partial => "partial",
        }
    }
}

impl FromSql for RunState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        named(value, &Self::ALL, Self::name)
    }
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct RunEnd {
    /// When.
    pub finished_at: Timestamp,
    /// [`RunState::Finished`] or [`RunState::Partial`].
    pub state: RunState,
    /// Exit code of the program.
    pub exit_code: i32,
    /// Units done in this attempt.
    pub units_done: u64,
    /// Time of the attempt in seconds.
    pub seconds: f64,
}

/// A run in the store.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Its latest attempt as it started.
    pub start: RunStart,
    /// Where it stands.
    pub state: RunState,
    /// How its latest attempt ended; `None` while it works, or where it was killed.
    pub end: Option<RunEnd>,
    /// When its first attempt started.
    pub first_started_at: Timestamp,
    /// Number of attempts.
    pub attempts: u64,
}

impl Store {
    /// Records that a run starts. The same plan again is another attempt of the same run.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn begin_run(&mut self, start: &RunStart) -> Result<(), StoreError> {
        self.write("begin the run", |transaction| {
            transaction.execute(
                "INSERT INTO runs (run_id, first_started_at, started_at, attempts, state, program_version, model_name,
                     model_version, model_digest, configuration_digest, configuration, synthetic, plan_passes,
                     plan_reaches, plan_publications, plan_units_up_to_date, units_total)
                 VALUES (?1, ?2, ?2, 1, 'started', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
                 ON CONFLICT (run_id) DO UPDATE SET
                     started_at = excluded.started_at, attempts = attempts + 1, state = excluded.state,
                     program_version = excluded.program_version, model_name = excluded.model_name,
                     model_version = excluded.model_version, model_digest = excluded.model_digest,
                     configuration_digest = excluded.configuration_digest, configuration = excluded.configuration,
                     synthetic = excluded.synthetic, plan_passes = excluded.plan_passes,
                     plan_reaches = excluded.plan_reaches, plan_publications = excluded.plan_publications,
                     plan_units_up_to_date = excluded.plan_units_up_to_date, units_total = excluded.units_total,
                     finished_at = NULL, units_done = NULL, seconds = NULL, exit_code = NULL",
                params![
                    Hex(start.run_id),
                    Utc(start.started_at),
                    start.program_version,
                    start.model_name,
                    start.model_version,
                    Hex(start.model_digest),
                    Hex(start.configuration_digest),
                    start.configuration,
                    start.synthetic,
                    start.plan.passes,
                    start.plan.reaches,
                    start.plan.publications,
                    start.plan.units_up_to_date,
                    start.units_total,
                ],
            )?;
            Ok(geopackage::touch(transaction, "runs", start.started_at)?)
        })
    }

    /// Records how a run ended.
    ///
    /// # Errors
    /// No such run; a state that is no end; a fault of the file.
    pub fn finish_run(&mut self, run_id: &Digest, end: &RunEnd) -> Result<(), StoreError> {
        self.write("finish the run", |transaction| {
            if end.state == RunState::Started || !end.seconds.is_finite() {
                return Err(Refusal::Invalid {
                    what: format!("end of run {}", run_id.short()),
                    expected: "finished or partial, after a finite number of seconds".to_owned(),
                    got: format!("{} after {} s", end.state.name(), end.seconds),
                    next: "this is a fault of the program: report it",
                }
                .into());
            }
            let changed = transaction.execute(
                "UPDATE runs SET finished_at = ?2, state = ?3, exit_code = ?4, units_done = ?5, seconds = ?6 WHERE run_id = ?1",
                params![Hex(*run_id), Utc(end.finished_at), end.state.name(), end.exit_code, end.units_done, end.seconds],
            )?;
            if changed == 0 {
                return Err(unknown(run_id).into());
            }
            Ok(geopackage::touch(transaction, "runs", end.finished_at)?)
        })
    }

    /// All runs, the one that started latest first.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn runs(&self) -> Result<Vec<Run>, StoreError> {
        self.rows("read the runs", "SELECT * FROM runs ORDER BY started_at DESC, fid DESC", [], run_of)
    }
}

pub(crate) fn unknown(run_id: &Digest) -> Refusal {
    Refusal::Unknown { kind: "run", selector: run_id.to_string(), next: "begin the run first" }
}

fn run_of(row: &Row<'_>) -> rusqlite::Result<Run> {
    let digest = |column: &str| row.get::<_, Hex>(column).map(|Hex(digest)| digest);
    let time = |column: &str| row.get::<_, Utc>(column).map(|Utc(time)| time);
    let state: RunState = row.get("state")?;
    let finished_at: Option<Utc> = row.get("finished_at")?;
    let end = match finished_at {
        Some(Utc(finished_at)) => Some(RunEnd {
            finished_at,
            state,
            exit_code: row.get("exit_code")?,
            units_done: row.get("units_done")?,
            seconds: row.get("seconds")?,
        }),
        None => None,
    };
    Ok(Run {
        start: RunStart {
            run_id: digest("run_id")?,
            started_at: time("started_at")?,
            program_version: row.get("program_version")?,
            model_name: row.get("model_name")?,
            model_version: row.get("model_version")?,
            model_digest: digest("model_digest")?,
            configuration_digest: digest("configuration_digest")?,
            configuration: row.get("configuration")?,
            synthetic: row.get("synthetic")?,
            plan: PlanCounts {
                passes: row.get("plan_passes")?,
                reaches: row.get("plan_reaches")?,
                publications: row.get("plan_publications")?,
                units_up_to_date: row.get("plan_units_up_to_date")?,
            },
            units_total: row.get("units_total")?,
        },
        state,
        end,
        first_started_at: time("first_started_at")?,
        attempts: row.get("attempts")?,
    })
}
