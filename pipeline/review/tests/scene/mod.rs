//! A store to review: painted passes of a river (not real), with patches at the events that were painted and at places where
//! nothing happened.

// each test binary takes what it needs
#![allow(dead_code, reason = "shared by several test binaries and an example, none of which uses all of it")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use geo::{Area as _, InteriorPoint as _, MapCoords as _};
use geo_types::{LineString, MultiPolygon, Polygon};
use jiff::Timestamp;
use ndarray::{Array3, Axis, concatenate};
use shorewatch_domain::access::{Role, Scope};
use shorewatch_domain::case::CaseRules;
use shorewatch_domain::classes::IssueClass;
use shorewatch_domain::crs::Epsg;
use shorewatch_domain::digest::Digest;
use shorewatch_domain::grid::{Cell, Grid};
use shorewatch_domain::observed::Coverage;
use shorewatch_domain::pass::Pass;
use shorewatch_domain::patch::Patch;
use shorewatch_domain::reach::{Reach, ScopeSource};
use shorewatch_domain::sensor::SensorProfile;
use shorewatch_domain::unit::{Before, ChoiceReason, ChosenPass, Unit, UnitContext, UnitSummary};
use shorewatch_imagery::admit::{AdmitOptions, admit};
use shorewatch_imagery::crs::Transform;
use shorewatch_imagery::write::{Colour, GeoTiffOptions, write_geotiff};
use shorewatch_review::Settings;
use shorewatch_review::access::first::new_account;
use shorewatch_store::accounts::{Account, Session, SessionKind};
use shorewatch_store::{NewPatch, PlanCounts, Publication, PublishedUnit, ReachObservation, RunStart, Store};
use shorewatch_synth::{BANDS, EventKind, Scenario, Series, paint};

/// In the Gulf of Tonkin, where nobody takes a painted river for a place; CGCS2000, zone 36.
pub(crate) const EPSG: Epsg = Epsg(4524);
const LEFT_M: f64 = 36_480_000.0;
const TOP_M: f64 = 2_000_000.0;

/// The password of every account of the scene.
pub(crate) const PASSWORD: &str = "several words by the river";

/// Accounts of the scene: code, role, scope.
pub(crate) const ACCOUNTS: [(&str, Role, &str); 8] = [
    ("admin-1", Role::Administrator, "all"),
    ("super-1", Role::Supervisor, "all"),
    ("review-1", Role::Reviewer, "all"),
    ("review-2", Role::Reviewer, "all"),
    ("viewer-1", Role::Viewer, "all"),
    ("field-1", Role::Field, "all"),
    ("county-1", Role::Reviewer, "unit:460102"),
    ("nowhere-1", Role::Supervisor, "unit:990000"),
];

/// What a scene is made of.
pub(crate) struct Scene {
    /// The store.
    pub(crate) store: PathBuf,
    /// Ids of its patches.
    pub(crate) patch_ids: Vec<String>,
    /// Ids of its passes, earliest first.
    pub(crate) pass_ids: Vec<String>,
}

impl Scene {
    /// Settings of a server on it.
    pub(crate) fn settings(&self) -> Settings {
        let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/sensors/synthetic.toml"));
        let sensor: SensorProfile = toml::from_str(text).expect("a sensor profile");
        Settings { sensors: vec![sensor], log_ins_per_minute: 1000, ..Settings::of_store(self.store.clone()) }
    }
}

/// Paints the passes, fills the store with `patches` patches, and adds the accounts.
pub(crate) fn build(folder: &Path, patches: usize) -> Scene {
    std::fs::create_dir_all(folder).expect("a folder");
    let series = paint(&Scenario::small()).expect("a painted scene");
    let grid = Grid { epsg: EPSG, pixel_size_m: series.pixel_size_m, origin_x: 0.0, origin_y: 0.0 };
    let store_path = folder.join("shorewatch.gpkg");
    let now = Timestamp::now();
    let mut store = Store::create_or_open(&store_path, now).expect("a store");
    let passes: Vec<Pass> = series.passes.iter().map(|pass| written(folder, pass, &grid)).collect();
    for pass in &passes {
        store.add_pass(pass, now).expect("added");
    }
    let to_degrees = Transform::new(EPSG, Epsg::CGCS2000).expect("a transformation");
    let on_ground = |polygon: &Polygon<f64>| -> Polygon<f64> {
        polygon.map_coords(|at| (LEFT_M + at.x * grid.pixel_size_m, TOP_M - at.y * grid.pixel_size_m).into())
    };
    let reaches: Vec<Reach> = series
        .reaches
        .iter()
        .map(|reach| Reach {
            id: reach.id.clone(),
            name: reach.name.clone(),
            scope: MultiPolygon(vec![to_degrees.polygon(&on_ground(&reach.polygon), Some(200.0)).expect("degrees")]),
            scope_source: ScopeSource::Polygon,
            origin: "painted".to_owned(),
            repairs: Vec::new(),
        })
        .collect();
    store.import_reaches(&reaches, now).expect("imported");
    let places = places(&series, patches);
    let run = run_start();
    store.begin_run(&run).expect("begun");
    for (i, pass) in passes.iter().enumerate().skip(1) {
        let found: Vec<NewPatch> = places
            .iter()
            .filter(|place| place.pass == i)
            .map(|place| patch(place, &passes[i - 1], pass, &grid, &on_ground(&place.outline), &to_degrees, &series))
            .collect();
        store.publish(&publication(&run, pass, &passes[i - 1], &grid, found, &to_degrees), now).expect("published");
    }
    store.rebuild_cases(&CaseRules::default(), now).expect("cases");
    add_accounts(&mut store, now);
    let patch_ids = store
        .patches(&shorewatch_store::PatchFilter::default())
        .expect("patches")
        .into_iter()
        .map(|stored| stored.patch.patch_id)
        .collect();
    drop(store);
    let scene =
        Scene { store: store_path, patch_ids, pass_ids: passes.iter().map(|pass| pass.id.to_string()).collect() };
    assess(&scene);
    scene
}

/// What layers and rules would say of some of the patches: the county of the first half, a grave one, and words with an attack.
fn assess(scene: &Scene) {
    let store = Store::open_existing(&scene.store, Timestamp::now()).expect("a store");
    let order = store
        .queue(
            &shorewatch_store::decisions::queue::QueueFilter { scope: Scope::all(), ..Default::default() },
            "nobody",
            Timestamp::now(),
            10_000,
        )
        .expect("a queue");
    drop(store);
    let connection = rusqlite::Connection::open(&scene.store).expect("opened");
    for (i, row) in order.iter().enumerate().filter(|(i, _)| i % 2 == 0) {
        let severity = ["general", "serious", "major"][i / 2 % 3];
        let text = format!(
            "Changed from vegetation to {} within the management scope of the Painted river (管理范围); no permit covers it. \
             <script>alert({i})</script>\nchief, county Chief of the county",
            row.object_class
        );
        connection
            .execute(
                "INSERT INTO assessments (patch_id, severity, adcd, county, river_name, priority, shown, chief_county, explanation,
                     explanation_text)
                 VALUES (?1, ?2, '460102001', '460102', 'Painted river', ?3, 1, 'Chief of the county', '[]', ?4)",
                rusqlite::params![row.patch_id, severity, 2.0 - i as f64 / 1000.0, text],
            )
            .expect("assessed");
    }
}

fn add_accounts(store: &mut Store, now: Timestamp) {
    // hashing is slow on purpose: once for all of them
    let first = new_account("any", Role::Viewer, Scope::all(), PASSWORD).expect("a hash");
    for (code, role, scope) in ACCOUNTS {
        let scope = scope.parse().expect("a scope");
        let account = Account { account: code.to_owned(), role, scope, one_time: false, ..first.clone() };
        store.add_account(&account, "scene", now).expect("added");
    }
}

/// Adds a bearer token `secret` to an account.
pub(crate) fn add_token(store: &mut Store, account: &str, secret: &str) {
    let now = Timestamp::now();
    let digest = shorewatch_review::access::password::token_digest(secret);
    if store.session(&digest, now).expect("asked").is_some() {
        return;
    }
    let session = Session {
        token_digest: digest,
        account: account.to_owned(),
        kind: SessionKind::Token,
        label: "test".to_owned(),
        csrf: String::new(),
        created_at: now,
        expires_at: now + jiff::SignedDuration::from_hours(24),
    };
    store.begin_session(&session).expect("begun");
}

fn written(folder: &Path, painted: &shorewatch_synth::SyntheticPass, grid: &Grid) -> Pass {
    let quality = painted.quality.mapv(u16::from).insert_axis(Axis(0));
    let bands: Array3<u16> = concatenate(Axis(0), &[painted.pixels.view(), quality.view()]).expect("of one size");
    let names = BANDS.iter().copied().chain(["quality"]);
    let options = GeoTiffOptions {
        bands: names.map(|name| (name.to_owned(), Colour::Undefined)).collect(),
        metadata: vec![(String::new(), "ACQUISITION_TIME".to_owned(), painted.acquired_at.clone())],
        ..GeoTiffOptions::default()
    };
    let path = folder.join(format!("{}.tif", painted.name));
    let geotransform = [LEFT_M, grid.pixel_size_m, 0.0, TOP_M, 0.0, -grid.pixel_size_m];
    write_geotiff(&path, bands.view(), Some((geotransform, EPSG)), &options).expect("written");
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/sensors/synthetic.toml"));
    let profile: SensorProfile = toml::from_str(text).expect("a sensor profile");
    let options = AdmitOptions { settle: Duration::ZERO, ..AdmitOptions::default() };
    admit(&[path], &profile, &options).expect("admitted")
}

/// Where a patch is to be: outline in pixels of the scene.
struct Place {
    outline: Polygon<f64>,
    pass: usize,
    object_class: &'static str,
    issue_class: IssueClass,
    score: f64,
}

/// The events that were painted, then places where nothing happened.
fn places(series: &Series, count: usize) -> Vec<Place> {
    let mut places: Vec<Place> = series
        .truth
        .iter()
        .filter(|event| event.first_pass > 0 && event.polygon.unsigned_area() > 9.0)
        .map(|event| {
            let (object_class, issue_class) = match event.kind {
                EventKind::Occupation => ("dike", IssueClass::Occupation),
                EventKind::SandPit => ("pit", IssueClass::Mining),
                EventKind::Dump => ("stockpile", IssueClass::Dumping),
                EventKind::Building => ("building", IssueClass::Construction),
                EventKind::Ploughing | EventKind::BarGrowth => ("bare_ground", IssueClass::Undetermined),
            };
            Place {
                outline: event.polygon.clone(),
                pass: event.first_seen().unwrap_or(event.first_pass),
                object_class,
                issue_class,
                score: if event.suspected { 0.97 } else { 0.7 },
            }
        })
        .take(count)
        .collect();
    let (rows, cols) = series.passes[0].quality.dim();
    let mut state = 7_u64;
    let mut chance = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31)
    };
    while places.len() < count {
        let (x, y) = (20.0 + chance() * (cols as f64 - 40.0), 20.0 + chance() * (rows as f64 - 40.0));
        let radius = 4.0 + 8.0 * chance();
        let ring: Vec<(f64, f64)> = (0..12)
            .map(|i| {
                let (angle, far) = (f64::from(i) / 12.0 * std::f64::consts::TAU, radius * (0.7 + 0.5 * chance()));
                (x + far * angle.cos(), y + far * angle.sin())
            })
            .collect();
        let mut ring: LineString<f64> = ring.into();
        ring.close();
        let kind = places.len();
        places.push(Place {
            outline: Polygon::new(ring, vec![]),
            pass: 1 + kind % (series.passes.len() - 1),
            object_class: ["bare_ground", "greenhouse", "building", "stockpile"][kind % 4],
            issue_class: IssueClass::ALL[kind % 5],
            score: 0.3 + 0.3 * chance(),
        });
    }
    places
}

fn patch(
    place: &Place,
    pre: &Pass,
    post: &Pass,
    grid: &Grid,
    on_ground: &Polygon<f64>,
    to_degrees: &Transform,
    series: &Series,
) -> NewPatch {
    let geometry = to_degrees.polygon(on_ground, None).expect("degrees");
    let centre = geometry.interior_point().expect("a point inside");
    let date = |pass: &Pass| pass.acquired.expect("a time").at;
    let key = format!("{:?}", on_ground.exterior().0[0]);
    let reach = &series.reaches[0];
    let patch = Patch {
        patch_id: format!("{}-{}", date(post).strftime("%Y%m%d"), Digest::of_bytes(key.as_bytes()).short()),
        reach_id: reach.id.clone(),
        reach_name: reach.name.clone(),
        object_class: place.object_class.to_owned(),
        change_type: format!("low_vegetation_to_{}", place.object_class),
        suspected_issue_class: place.issue_class,
        area_m2: (on_ground.unsigned_area() * 100.0).round() / 100.0,
        perimeter_m: 400.0,
        centre: (centre.x(), centre.y()),
        geometry,
        confidence: place.score,
        confidence_max: 0.99,
        valid_fraction: 1.0,
        review_score: Some(place.score),
        change_score: Some(0.8),
        evidence: BTreeMap::from([
            ("contrast".to_owned(), 3.2),
            ("prior".to_owned(), -4.8),
            ("learned".to_owned(), 0.9),
        ]),
        coreg_rmse_px: Some(0.25),
        pre_date: date(pre),
        post_date: date(post),
        pre_pass_id: pre.id,
        post_pass_id: post.id,
        pre_sensor: pre.sensor.clone(),
        post_sensor: post.sensor.clone(),
        grid_epsg: grid.epsg,
        ground_sampling_distance_m: grid.pixel_size_m,
        pixel_count: (on_ground.unsigned_area() / grid.pixel_area_m2()) as u64,
        model_name: "shoreland".to_owned(),
        model_version: "0.3.0".to_owned(),
        model_digest: Digest::of_bytes(b"model"),
        configuration_digest: Digest::of_bytes(b"configuration"),
        program_version: "0.1.0".to_owned(),
    };
    NewPatch { patch, rank: None, chip_before: None, chip_after: None }
}

fn run_start() -> RunStart {
    RunStart {
        run_id: Digest::of_bytes(b"run"),
        started_at: Timestamp::now(),
        program_version: "0.1.0".to_owned(),
        model_name: "shoreland".to_owned(),
        model_version: "0.3.0".to_owned(),
        model_digest: Digest::of_bytes(b"model"),
        configuration_digest: Digest::of_bytes(b"configuration"),
        configuration: String::new(),
        synthetic: true,
        plan: PlanCounts { passes: 3, reaches: 2, publications: 2, units_up_to_date: 0 },
        units_total: 2,
    }
}

/// A publication of one unit around the scene.
pub(crate) fn publication(
    run: &RunStart,
    pass: &Pass,
    before: &Pass,
    grid: &Grid,
    patches: Vec<NewPatch>,
    to_degrees: &Transform,
) -> Publication {
    let context = UnitContext { model: Digest::of_bytes(b"model"), configuration: Digest::of_bytes(b"configuration") };
    let coverage = Coverage {
        scope_px: 100_000,
        observed_px: 90_000,
        compared_px: 80_000,
        unobserved_px: [0, 0, 0, 0, 10_000, 0, 0, 0],
    };
    let (right, bottom) = (LEFT_M + 5_000.0, TOP_M - 4_000.0);
    let square: LineString<f64> =
        vec![(LEFT_M, TOP_M), (right, TOP_M), (right, bottom), (LEFT_M, bottom), (LEFT_M, TOP_M)].into();
    let outline = to_degrees.polygon(&Polygon::new(square, vec![]), Some(500.0)).expect("degrees");
    let chosen = ChosenPass {
        pass_id: before.id,
        reason: ChoiceReason::Latest,
        years: 0.5,
        season_days: 180.0,
        water_difference: None,
    };
    let earlier = Before { chosen: vec![chosen.clone()], belief: None };
    let unit = PublishedUnit {
        unit: Unit::new(*grid, Cell { row: 0, col: 0 }, 512, pass.id, earlier, vec![], &context),
        summary: UnitSummary {
            coverage: [("SYN-R01".to_owned(), coverage.clone())].into(),
            class_px: [("SYN-R01".to_owned(), vec![90_000])].into(),
            chosen: vec![chosen],
            ..UnitSummary::default()
        },
        outline,
    };
    Publication {
        id: Publication::identity(&pass.id, grid, [unit.unit.id]),
        run_id: run.run_id,
        pass_id: pass.id,
        grid: *grid,
        post_date: pass.acquired.expect("a time").at,
        units: vec![unit],
        observations: vec![ReachObservation {
            reach_id: "SYN-R01".to_owned(),
            earlier_pass_ids: vec![before.id],
            pixel_area_m2: grid.pixel_area_m2(),
            coverage,
            class_px: vec![90_000],
        }],
        patches,
        follow_ups: vec![],
        suppressed: vec![],
    }
}
