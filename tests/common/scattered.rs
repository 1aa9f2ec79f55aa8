//! A store of patches that are scattered over a square of the country, with layers under them: made without a pixel, by chance that
//! is the same everywhere.

// the bench and the test take what they need
#![allow(dead_code, reason = "shared by a bench and a test, neither of which uses all of it")]

use std::collections::BTreeMap;
use std::path::Path;

use geo_types::{Coord, MultiPolygon, Polygon, Rect};
use jiff::Timestamp;
use jiff::civil::date;
use shorewatch_domain::classes::IssueClass;
use shorewatch_domain::crs::Epsg;
use shorewatch_domain::decision::{Correction, Decision, DecisionSource, DecisionVerdict, RejectionReason};
use shorewatch_domain::digest::Digest;
use shorewatch_domain::grid::{Cell, Grid};
use shorewatch_domain::law::layer::{
    AdministrativeLevel, BoundarySource, Facts, Feature, KnownProblem, LayerKind, MiningPermit, Project, ProjectStage,
    WaterSourceLevel,
};
use shorewatch_domain::law::period::Period;
use shorewatch_domain::law::record::{LayerContent, Record};
use shorewatch_domain::observed::Coverage;
use shorewatch_domain::pass::{AcquisitionTime, Pass, PassFile, PassState, TimePrecision, TimeSource};
use shorewatch_domain::patch::Patch;
use shorewatch_domain::reach::{Reach, ScopeSource};
use shorewatch_domain::unit::{Before, ChoiceReason, ChosenPass, Unit, UnitContext, UnitSummary};
use shorewatch_law::rules::{Files, Rules};
use shorewatch_store::{
    DecisionRules, NewLayer, NewPatch, PlanCounts, Publication, PublishedUnit, ReachObservation, RunStart, Store,
};

const REACH: &str = "450702-001";
/// South-western corner of the square, degrees.
const CORNER: Coord<f64> = Coord { x: 108.0, y: 22.0 };
/// Units of a pass, along each edge of the square.
const UNITS: i64 = 20;

/// A store that grows.
pub(crate) struct Scattered {
    pub(crate) store: Store,
    run: RunStart,
    chance: Chance,
    /// Edge of the square, degrees.
    edge: f64,
    decisions: u64,
}

/// Chance that is the same everywhere (splitmix64).
struct Chance(u64);

impl Chance {
    /// Between 0 and 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// The rules that the program carries with it, after `change`.
pub(crate) fn rules(change: impl FnOnce(&mut Files)) -> Rules {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/configs/rules"));
    fn read<T: serde::de::DeserializeOwned>(folder: &Path, name: &str) -> T {
        toml::from_str(&std::fs::read_to_string(folder.join(name)).expect(name)).expect(name)
    }
    let mut files = Files {
        vocabulary: read(folder, "vocabulary.toml"),
        issues: read(folder, "issues.toml"),
        severity: read(folder, "severity.toml"),
        offices: read(folder, "offices.toml"),
        assessment: read(folder, "assessment.toml"),
        ledger: read(folder, "ledger.toml"),
        national: read(folder, "national.toml"),
    };
    change(&mut files);
    Rules::check(&files).expect("rules that hold together")
}

fn rectangle(at: Coord<f64>, width: f64, height: f64) -> Polygon<f64> {
    Rect::new(at, Coord { x: at.x + width, y: at.y + height }).to_polygon()
}

impl Scattered {
    /// A store with a reach over the whole square, `edge` degrees wide, and nothing else.
    pub(crate) fn new(path: &Path, edge: f64) -> Self {
        let now = at("2024-06-01T08:00:00Z");
        let mut store = Store::create_or_open(path, now).expect("a store");
        let reach = Reach {
            id: REACH.to_owned(),
            name: "钦江".to_owned(),
            scope: MultiPolygon(vec![rectangle(CORNER, edge, edge)]),
            scope_source: ScopeSource::BufferedCentreline { buffer_m: 150.0 },
            origin: "hand-made".to_owned(),
            repairs: Vec::new(),
        };
        store.import_reaches(&[reach], now).expect("a reach");
        let run = RunStart {
            run_id: Digest::of_bytes(b"run"),
            started_at: now,
            program_version: "0.1.0".to_owned(),
            model_name: "unet".to_owned(),
            model_version: "1".to_owned(),
            model_digest: Digest::of_bytes(b"model"),
            configuration_digest: Digest::of_bytes(b"configuration"),
            configuration: String::new(),
            synthetic: true,
            plan: PlanCounts { passes: 1, reaches: 1, publications: 1, units_up_to_date: 0 },
            units_total: (UNITS * UNITS) as u64,
        };
        store.begin_run(&run).expect("begun");
        Self { store, run, chance: Chance(20_240_418), edge, decisions: 0 }
    }

    fn somewhere(&mut self) -> Coord<f64> {
        let (east, north) = (self.chance.next(), self.chance.next());
        Coord { x: CORNER.x + east * self.edge * 0.99, y: CORNER.y + north * self.edge * 0.99 }
    }

    /// Publishes a pass with so many patches, and tells their ids. It observed the whole square.
    pub(crate) fn add_pass(&mut self, name: &str, acquired: &str, patches: usize) -> Vec<String> {
        let files = vec![PassFile {
            path: format!("imagery/{name}.tif"),
            digest: Digest::of_bytes(name.as_bytes()),
            size_bytes: 1,
            modified_ns: 1,
        }];
        let time = AcquisitionTime { at: at(acquired), precision: TimePrecision::Second, source: TimeSource::Metadata };
        let square = rectangle(CORNER, self.edge, self.edge);
        let pass = Pass {
            id: Pass::identity("gf2_pms", Some(&time), None, &files),
            name: name.to_owned(),
            revision: 0,
            sensor: "gf2_pms".to_owned(),
            acquired: Some(time),
            files,
            assigned_epsg: Some(4524),
            fitted: Vec::new(),
            footprint: square.exterior().0.iter().map(|corner| (corner.x, corner.y)).collect(),
            state: PassState::Ready,
            warnings: Vec::new(),
        };
        self.store.add_pass(&pass, self.run.started_at).expect("added");
        let patches: Vec<NewPatch> = (0..patches).map(|number| self.patch(&pass, number)).collect();
        let ids = patches.iter().map(|new| new.patch.patch_id.clone()).collect();
        let publication = self.publication(&pass, patches);
        self.store.publish(&publication, self.run.started_at).expect("published");
        ids
    }

    fn patch(&mut self, pass: &Pass, number: usize) -> NewPatch {
        let at_corner = self.somewhere();
        let (width, height) = (0.000_2 + self.chance.next() * 0.001, 0.000_2 + self.chance.next() * 0.001);
        let kinds = [
            ("building", "vegetation_to_built_up", IssueClass::Construction),
            ("pit", "no_object_to_pit", IssueClass::Mining),
            ("cage", "no_object_to_fish_cage", IssueClass::Occupation),
        ];
        let (object_class, change_type, suspected_issue_class) = kinds[number % kinds.len()];
        let patch = Patch {
            patch_id: format!("{}-{number:06}", pass.id.short()),
            reach_id: REACH.to_owned(),
            reach_name: "钦江".to_owned(),
            object_class: object_class.to_owned(),
            change_type: change_type.to_owned(),
            suspected_issue_class,
            geometry: rectangle(at_corner, width, height),
            area_m2: width * height * 1.1e10,
            perimeter_m: 2.0 * (width + height) * 1.1e5,
            centre: (at_corner.x + width / 2.0, at_corner.y + height / 2.0),
            confidence: 0.5 + self.chance.next() / 2.0,
            confidence_max: 1.0,
            valid_fraction: 1.0,
            review_score: Some(self.chance.next()),
            change_score: None,
            evidence: BTreeMap::from([("alteration".to_owned(), 1.5)]),
            coreg_rmse_px: None,
            pre_date: at("2023-03-12T03:20:00Z"),
            post_date: pass.acquired.expect("a time").at,
            pre_pass_id: Digest::of_bytes(b"earlier"),
            post_pass_id: pass.id,
            pre_sensor: "gf1_pms".to_owned(),
            post_sensor: pass.sensor.clone(),
            grid_epsg: Epsg(4524),
            ground_sampling_distance_m: 10.0,
            pixel_count: 26,
            model_name: "unet".to_owned(),
            model_version: "1".to_owned(),
            model_digest: self.run.model_digest,
            configuration_digest: self.run.configuration_digest,
            program_version: "0.1.0".to_owned(),
        };
        NewPatch { patch, rank: Some(number as u32 + 1), chip_before: None, chip_after: None }
    }

    fn publication(&self, pass: &Pass, patches: Vec<NewPatch>) -> Publication {
        let grid = Grid::new(Epsg(4524), 10.0);
        let context = UnitContext { model: self.run.model_digest, configuration: self.run.configuration_digest };
        let coverage = Coverage { scope_px: 100, observed_px: 100, compared_px: 100, unobserved_px: [0; 8] };
        let edge = self.edge / UNITS as f64;
        let cells = (0..UNITS).flat_map(|row| (0..UNITS).map(move |col| (row, col)));
        let units: Vec<PublishedUnit> = cells
            .map(|(row, col)| {
                let latest = ChosenPass {
                    pass_id: Digest::of_bytes(b"earlier"),
                    reason: ChoiceReason::Latest,
                    years: 1.0,
                    season_days: 0.0,
                    water_difference: None,
                };
                let chosen = vec![latest];
                let before = Before { chosen: chosen.clone(), belief: None };
                let corner = Coord { x: CORNER.x + col as f64 * edge, y: CORNER.y + row as f64 * edge };
                PublishedUnit {
                    unit: Unit::new(grid, Cell { row, col }, 512, pass.id, before, Vec::new(), &context),
                    summary: UnitSummary {
                        coverage: [(REACH.to_owned(), coverage.clone())].into(),
                        chosen,
                        ..UnitSummary::default()
                    },
                    outline: rectangle(corner, edge, edge),
                }
            })
            .collect();
        Publication {
            id: Publication::identity(&pass.id, &grid, units.iter().map(|published| published.unit.id)),
            run_id: self.run.run_id,
            pass_id: pass.id,
            grid,
            post_date: pass.acquired.expect("a time").at,
            units,
            observations: vec![ReachObservation {
                reach_id: REACH.to_owned(),
                earlier_pass_ids: vec![Digest::of_bytes(b"earlier")],
                pixel_area_m2: 100.0,
                coverage,
                class_px: Vec::new(),
            }],
            patches,
            follow_ups: Vec::new(),
            suppressed: Vec::new(),
        }
    }

    /// Puts a layer of so many areas in force, in place of the one of its kind before.
    pub(crate) fn import_layer(&mut self, kind: LayerKind, areas: usize) {
        let reach_of_each = self.edge / (areas as f64).sqrt();
        let rows: Vec<Record> = (0..areas)
            .map(|number| {
                let at = self.somewhere();
                let (width, height) = (self.chance.next() * reach_of_each, self.chance.next() * reach_of_each);
                Record::Feature(Feature {
                    code: format!("4{number:05}"),
                    name: format!("{} {number}", kind.name()),
                    geometry: MultiPolygon(vec![rectangle(at, width + 1e-5, height + 1e-5)]),
                    facts: facts(kind, number),
                    other: BTreeMap::new(),
                    repairs: Vec::new(),
                })
            })
            .collect();
        let content = LayerContent::Areas(kind);
        let layer = NewLayer {
            may_be_empty: false,
            layer: content.name().to_owned(),
            content,
            file: "hand-made".to_owned(),
            digest: Digest::of_bytes(format!("{kind:?} {:?}", self.chance.next()).as_bytes()),
            mapping: "{}".to_owned(),
            rows,
            repairs: Vec::new(),
        };
        self.store.import_layer(&layer, self.run.started_at).expect("imported");
    }

    /// Somebody's verdict on a patch; `None` takes the one before back.
    pub(crate) fn decide(&mut self, patch_id: &str, verdict: Option<DecisionVerdict>) {
        self.decisions += 1;
        let decision = Decision {
            decision_id: format!("decision-{}", self.decisions),
            patch_id: patch_id.to_owned(),
            case_id: None,
            verdict,
            reason: (verdict == Some(DecisionVerdict::NotAProblem)).then_some(RejectionReason::WaterLevel),
            note: String::new(),
            corrected: Correction::default(),
            duplicate_of: None,
            reviewer: "r-1".to_owned(),
            decided_at: at("2024-06-02T08:00:00Z"),
            on_version: self.store.patch_review(patch_id).expect("a patch").version,
            seconds: None,
            source: DecisionSource::Desk,
        };
        self.store.record_decision(&decision, &DecisionRules::default(), self.run.started_at).expect("recorded");
    }
}

fn facts(kind: LayerKind, number: usize) -> Facts {
    let (valid, water_code) = (Period::default(), None);
    match kind {
        LayerKind::ManagementScope => Facts::ManagementScope { source: BoundarySource::Official, water_code },
        LayerKind::ProtectionScope => Facts::ProtectionScope { source: BoundarySource::Official, water_code },
        LayerKind::ShorelineZone => Facts::ShorelineZone { zone: "保护区".to_owned() },
        LayerKind::WaterSourceZone => Facts::WaterSourceZone { level: WaterSourceLevel::Second },
        LayerKind::Wetland => Facts::Wetland { grade: None },
        LayerKind::BlueLine => Facts::BlueLine,
        LayerKind::MiningPermit => {
            Facts::MiningPermit(MiningPermit { valid, volume_m3: None, forbidden_seasons: Vec::new() })
        }
        LayerKind::Project => Facts::Project(Project {
            valid,
            stage: ProjectStage::Approved,
            object_classes: Vec::new(),
            change_expected_by: number.is_multiple_of(2).then_some(date(2024, 1, 2)),
        }),
        LayerKind::AdministrativeUnit => Facts::AdministrativeUnit { level: AdministrativeLevel::County, parent: None },
        LayerKind::KnownProblem => {
            Facts::KnownProblem(KnownProblem { status: "挂账监管".to_owned(), area_m2: 1000.0, found_on: None })
        }
    }
}
