//! A store with many patches, written through the store's own code.

use std::collections::BTreeMap;
use std::path::Path;

use geo_types::{Polygon, polygon};
use jiff::{SignedDuration, Timestamp};
use shorewatch_domain::access::{Role, Scope};
use shorewatch_domain::classes::IssueClass;
use shorewatch_domain::crs::Epsg;
use shorewatch_domain::digest::Digest;
use shorewatch_domain::grid::Grid;
use shorewatch_domain::pass::{AcquisitionTime, Pass, PassFile, PassState, TimePrecision, TimeSource};
use shorewatch_domain::patch::Patch;
use shorewatch_imagery::crs::Transform;
use shorewatch_review::access::first::new_account;
use shorewatch_store::accounts::Account;
use shorewatch_store::{NewPatch, PlanCounts, RunStart, Store};

use crate::scene;

/// Patches of one pass.
const OF_A_PASS: usize = 20_000;

/// A small generator: the same store every time.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Somewhere along a winding river of some hundred kilometres.
pub(crate) fn place(chance: &mut Chance) -> (f64, f64) {
    let along = chance.next() * 4.0;
    (107.0 + along, 18.0 + 0.3 * (along * 5.0).sin() + 0.1 * chance.next())
}

/// Fills a store, unless it is there with as many patches.
pub(crate) fn fill(path: &Path, patches: usize, reviewers: usize) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    let now = Timestamp::now();
    if path.is_file() {
        let known = Store::open_read_only(path).ok().and_then(|store| {
            let publications = store.publications().ok()?;
            Some(publications.iter().map(|publication| publication.patch_count as usize).sum::<usize>())
        });
        if known == Some(patches) {
            return;
        }
        std::fs::remove_file(path).expect("removed");
    }
    let mut store = Store::create_or_open(path, now).expect("a store");
    let run = RunStart {
        run_id: Digest::of_bytes(b"run"),
        started_at: now,
        program_version: "0.1.0".to_owned(),
        model_name: "shoreland".to_owned(),
        model_version: "0.3.0".to_owned(),
        model_digest: Digest::of_bytes(b"model"),
        configuration_digest: Digest::of_bytes(b"configuration"),
        configuration: String::new(),
        synthetic: true,
        plan: PlanCounts { passes: 1, reaches: 1, publications: 1, units_up_to_date: 0 },
        units_total: 1,
    };
    store.begin_run(&run).expect("begun");
    let to_degrees = Transform::new(scene::EPSG, Epsg::CGCS2000).expect("a transformation");
    let grid = Grid::new(scene::EPSG, 10.0);
    let mut chance = Chance::new(7);
    let before = pass(0, now);
    store.add_pass(&before, now).expect("added");
    for number in 0..patches.div_ceil(OF_A_PASS) {
        let pass = pass(number + 1, now);
        store.add_pass(&pass, now).expect("added");
        let count = OF_A_PASS.min(patches - number * OF_A_PASS);
        let found = (0..count).map(|i| patch(&mut chance, &before, &pass, number * OF_A_PASS + i)).collect();
        let publication = scene::publication(&run, &pass, &before, &grid, found, &to_degrees);
        store.publish(&publication, now).expect("published");
    }
    let hashed = new_account("any", Role::Reviewer, Scope::all(), scene::PASSWORD).expect("a hash");
    for i in 0..reviewers {
        let code = format!("load-{i}");
        let account = Account { account: code.clone(), one_time: false, ..hashed.clone() };
        store.add_account(&account, "load", now).expect("added");
        scene::add_token(&mut store, &code, &format!("token of {code}"));
    }
    drop(store);
    assess(path, patches);
}

/// What layers and rules say of half of them.
fn assess(path: &Path, patches: usize) {
    let mut connection = rusqlite::Connection::open(path).expect("opened");
    let transaction = connection.transaction().expect("begun");
    let mut statement = transaction
        .prepare(
            "INSERT INTO assessments (patch_id, severity, adcd, river_code, priority, shown, explanation, explanation_text)
             VALUES (?1, ?2, ?3, 'HF0000000001', ?4, 1, '[]', 'why')",
        )
        .expect("prepared");
    for i in (0..patches).step_by(2) {
        let severity = ["general", "general", "serious", "major"][i / 2 % 4];
        let unit = format!("4601{:02}001", i / 2 % 30);
        let priority = (i as f64 * 0.618_033_988_75).fract();
        statement.execute(rusqlite::params![patch_id(i), severity, unit, priority]).expect("assessed");
    }
    drop(statement);
    transaction.commit().expect("committed");
    connection.execute_batch("ANALYZE").expect("analysed");
}

fn patch_id(i: usize) -> String {
    format!("load-{i:08}")
}

fn pass(number: usize, now: Timestamp) -> Pass {
    let bytes = format!("pass {number}");
    let age = SignedDuration::from_hours(24 * (1 + 3 * number as i64));
    let acquired = AcquisitionTime {
        at: now.checked_sub(age).expect("a time"),
        precision: TimePrecision::Second,
        source: TimeSource::Operator,
    };
    let files = vec![PassFile {
        path: format!("{bytes}.tif"),
        digest: Digest::of_bytes(bytes.as_bytes()),
        size_bytes: 1,
        modified_ns: 0,
    }];
    Pass {
        id: Pass::identity("synthetic", Some(&acquired), None, &files),
        name: bytes,
        revision: 1,
        sensor: "synthetic".to_owned(),
        acquired: Some(acquired),
        files,
        assigned_epsg: None,
        fitted: vec![],
        footprint: vec![(106.0, 17.0), (112.0, 17.0), (112.0, 19.0), (106.0, 19.0), (106.0, 17.0)],
        state: PassState::Ready,
        warnings: vec![],
    }
}

fn patch(chance: &mut Chance, pre: &Pass, post: &Pass, i: usize) -> NewPatch {
    let (x, y) = place(chance);
    let edge = 0.000_4;
    let geometry: Polygon<f64> =
        polygon![(x: x, y: y), (x: x + edge, y: y), (x: x + edge, y: y + edge), (x: x, y: y + edge)];
    let date = |pass: &Pass| pass.acquired.expect("a time").at;
    let patch = Patch {
        patch_id: patch_id(i),
        reach_id: format!("LOAD-R{:02}", i % 20),
        reach_name: format!("Reach {}", i % 20),
        object_class: ["building", "pit", "stockpile", "greenhouse"][i % 4].to_owned(),
        change_type: "low_vegetation_to_built_up".to_owned(),
        suspected_issue_class: IssueClass::ALL[i % 5],
        geometry,
        area_m2: 1_800.0,
        perimeter_m: 170.0,
        centre: (x + edge / 2.0, y + edge / 2.0),
        confidence: 0.5 + 0.5 * chance.next(),
        confidence_max: 0.99,
        valid_fraction: 1.0,
        review_score: Some(chance.next()),
        change_score: Some(0.8),
        evidence: BTreeMap::new(),
        coreg_rmse_px: Some(0.2),
        pre_date: date(pre),
        post_date: date(post),
        pre_pass_id: pre.id,
        post_pass_id: post.id,
        pre_sensor: pre.sensor.clone(),
        post_sensor: post.sensor.clone(),
        grid_epsg: scene::EPSG,
        ground_sampling_distance_m: 10.0,
        pixel_count: 18,
        model_name: "shoreland".to_owned(),
        model_version: "0.3.0".to_owned(),
        model_digest: Digest::of_bytes(b"model"),
        configuration_digest: Digest::of_bytes(b"configuration"),
        program_version: "0.1.0".to_owned(),
    };
    NewPatch { patch, rank: None, chip_before: None, chip_after: None }
}
