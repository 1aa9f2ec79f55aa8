//! The store: a GeoPackage (a SQLite file that QGIS opens as it is) that holds everything Shorewatch knows.
//!
//! | module | holds |
//! |---|---|
//! | [`store`] | [`Store`]: opening, creating, transactions |
//! | [`schema`] | our tables and their version; migrations |
//! | [`passes`], [`reaches`], [`runs`] | what went in, and what was done with it |
//! | [`publish`] | what one run publishes of one pass, in one transaction |
//! | [`published`] | publications, units, tiles and observations as they are read back |
//! | [`patches`] | patches as they are read back, with filters |
//! | [`suppressed`] | places that were kept back, each with a reason |
//! | [`held`] | ground that was not compared, since passes lie too far apart there |
//! | [`follow_ups`] | what a pass shows of the ground of earlier patches |
//! | [`cases`] | what several passes say about one place: made from patches and follow-ups, and read back |
//! | [`assessments`] | what layers and rules say of each patch, and numbers of patches |
//! | [`reviews`] | what reviewers decided on patches |
//! | [`outbox`] | findings, what has to reach the issue system, and what came back |
//! | [`national`] | national patches as they came |
//! | [`layers`] | the layers that decide, version by version, and what is in force |
//! | [`decisions`] | decisions of reviewers, the queue, leases, figures |
//! | [`accounts`] | accounts and sessions of the review server |
//! | [`account_links`] | which accounts an identity provider lets in, and as whom |
//! | [`features`] | layers page by page, as OGC API Features hands them out |
//! | [`field`] | what field checks bring back |
//! | [`serving`] | many readers and one writer at a time |
//! | [`lease`] | one run at a time |
//! | [`error`] | what can go wrong, by what to do next |
//!
//! # Tables
//! Layers, geometry in EPSG:4490 (CGCS2000, stored as longitude, latitude): `patches`, `patches_suppressed`, `cases`,
//! `reaches`, `tiles`, `passes`, `layer_features`, `waters`, `water_reaches`, `kilometre_points`, `named_places`. Tables:
//! `layer_versions`, `layer_rows_superseded`, `run_layers`, `chiefs`, `departments`, `observations`, `follow_ups`, `case_events`, `publications`, `runs`, `units`,
//! `patches_superseded`, `reviews`, `shorewatch_schema`. Reaches and footprints come in WGS 84; the two systems agree to
//! centimetres, far below any pixel, so that the numbers are stored as they are. Times are UTC, to the millisecond (GeoPackage's DATETIME); lists and nested records are JSON text.
//!
//! # What holds after a crash
//! Every change is one transaction in SQLite's rollback journal (`journal_mode = DELETE`, `synchronous = FULL`): at rest
//! the store is one file, readers need no side files (a copy, a read-only folder or a network share opens in QGIS), and
//! after a power cut or `kill -9` the file is as before the change or as after it. Write-ahead logging would let readers
//! go on during a commit, but leaves two more files beside the store and does not work across machines; publishing is rare
//! and short. Row numbers (`fid`) depend only on the sequence of changes that were committed.
//!
//! No clock: times come in as arguments.

pub mod account_links;
pub mod accounts;
pub mod assessments;
pub mod cases;
pub mod decisions;
pub mod error;
pub mod features;
pub mod field;
pub mod follow_ups;
mod geometry;
mod geopackage;
pub mod held;
pub mod layers;
pub mod lease;
pub mod national;
pub mod outbox;
pub mod passes;
pub mod patches;
pub mod publish;
pub mod published;
pub mod reaches;
pub mod reviews;
pub mod runs;
pub mod schema;
mod scope;
pub mod serving;
pub mod store;
pub mod suppressed;
mod values;

pub use assessments::{AssessmentCounts, AssessmentUpdate, NewAssessment, StoredAssessment};
pub use cases::{CaseCounts, StoredCase};
pub use decisions::requests::ReviewRequest;
pub use decisions::sites::ReviewedSite;
pub use decisions::splits::part_id;
pub use decisions::{DecisionRules, PatchReview, RecordedDecision};
pub use error::{Refusal, StoreError};
pub use follow_ups::StoredFollowUp;
pub use held::HeldPair;
pub use layers::{LayerImport, LayerVersion, LayersInForce, NewLayer};
pub use lease::Lease;
pub use passes::AddedPass;
pub use patches::{PatchFilter, StoredPatch};
pub use publish::{NewPatch, Publication, Published, PublishedUnit, ReachObservation};
pub use published::{Observation, PublicationRecord, Tile, UnitRecord};
pub use reaches::ReachImport;
pub use runs::{PlanCounts, Run, RunEnd, RunStart, RunState};
pub use store::Store;
pub use suppressed::StoredSuppressedPlace;
