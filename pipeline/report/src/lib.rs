//! Before/after chips, the map picture of a run, and two self-contained HTML pages: the report of a run and the
//! evaluation of a model.
//!
//! Everything here is a pure function over plain structs: no files, no network, no clock, no system
//! fonts. The caller fills the structs and writes the bytes that come back.
//!
//! - [`render_pair`] paints one patch at both dates with the same stretch ([`ChipPair`] → [`RenderedPair`]).
//! - [`render_series`] paints one place at many dates ([`Series`] → JPEG pictures), [`render_backdrop`] the imagery under a map of
//!   a document ([`Backdrop`] → a JPEG picture).
//! - [`render_overview`] paints the map of a run ([`Overview`] → [`RenderedOverview`]).
//! - [`render_report`] writes the page of a run ([`Report`] → HTML text).
//! - [`render_document`] writes reports of a period, briefs and dossiers ([`Document`] → HTML text).
//! - [`ledger_csv`], [`ledger_workbook`] write the ledger of suspected problems ([`Ledger`] → bytes).
//! - [`render_evaluation`] writes the page of a model's scores ([`Evaluation`] → HTML text).
//!
//! Pixels are arrays in the order (band, row, column); geometry is (x, y) in *pixel-corner*
//! coordinates, x = column and y = row, so that the top left corner of the first pixel is (0, 0).
//! North is up. A pixel that was not observed is drawn as a hatch, never as a colour.

mod backdrop;
mod chip;
mod document;
mod error;
mod evaluation;
mod ledger;
mod overview;
mod paint;
mod report;
mod series;

pub use backdrop::{Backdrop, BackdropPass, render_backdrop};
pub use chip::{ChipDate, ChipPair, RenderedPair, render_pair};
pub use document::{
    Area, Bars, Block, Document, DocumentCell, DocumentFigure, DocumentTable, Dot, Frame, Key, MapDrawing, PlaceDate,
    PlaceSeries, Section, Sheet, Strip, StripMark, Tone, Underlay, render_document,
};
pub use error::{RenderError, ReportError, ReportFault};
pub use evaluation::{
    BandSetScore, Baseline, ClassScore, Evaluation, EvaluationPicture, EvaluationRun, FindingSizeScore, Goal,
    GoalBound, HoldOut, LegendEntry, ObjectKindScore, ObjectScores, ObjectSizeScore, PictureGroup, PictureLegend,
    PicturePanel, PrecisionRecallCurve, ReliabilityBin, WaterScore, render_evaluation,
};
pub use ledger::{Cell, Ledger, LedgerError, ledger_csv, ledger_workbook, rounded, safe_text};
pub use overview::{Coverage, Marker, Overview, OverviewPatch, OverviewReach, RenderedOverview, render_overview};
pub use paint::stretch::{HIGH_PERCENTILE, LOW_PERCENTILE, Stretch};
pub use report::format::{count, number};
pub use report::{
    CaseEvent, CaseMoment, CasePicture, CaseRow, CaseState, Cause, CoverageRow, DEFAULT_MAX_CASES_LISTED,
    DEFAULT_MAX_CASES_PICTURED, DEFAULT_MAX_PATCHES_LISTED, DEFAULT_MAX_PATCHES_WITH_CHIPS, GridSummary, HarmlessEvent,
    IssueClass, KeptBackRow, MapPicture, Overdue, OverdueRow, PairReference, PassReference, PassRow, PassStatus,
    PatchCard, ReachRow, Report, RunSummary, TruthEvent, TruthOutcome, TruthTable, rank_cases, rank_patches,
    render_report,
};
pub use series::{Series, render_series};
