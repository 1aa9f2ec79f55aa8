//! From patches to suspected problems with an address, by the real binary on a painted scene: layers and offices are put into its
//! store, and what offices take away is read by other programs.
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

#[path = "law/boundaries.rs"]
mod boundaries;
mod common;
#[path = "law/corrected.rs"]
mod corrected;
#[path = "law/national.rs"]
mod national;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use common::{Place, text};
use geo_types::{Coord, LineString, MultiPolygon, Rect};
use jiff::Timestamp;
use jiff::civil::date;
use serde_json::Value;
use shorewatch_domain::decision::DecisionVerdict;
use shorewatch_domain::digest::Digest;
use shorewatch_domain::finding::IssueState;
use shorewatch_domain::law::layer::*;
use shorewatch_domain::law::office::Chief;
use shorewatch_domain::law::period::Period;
use shorewatch_domain::law::record::{ChiefRecord, LayerContent, ReachRecord, Record};
use shorewatch_domain::law::water::{WaterKind, WaterReach};
use shorewatch_domain::patch::Patch;
use shorewatch_store::outbox::Decided;
use shorewatch_store::outbox::issues::IssueReport;
use shorewatch_store::outbox::tasking::PublicReport;
use shorewatch_store::{NewLayer, PatchFilter, Store};

const NOW: &str = "2024-11-01T00:00:00Z";

fn now() -> Timestamp {
    NOW.parse().expect("a time")
}

fn store(place: &Place) -> Store {
    Store::open_existing(place.path("state/store.gpkg"), now()).expect("the store opens")
}

/// The current patches: those that touch no other one first, from west to east.
fn patches(place: &Place) -> Vec<Patch> {
    let stored = store(place).patches(&PatchFilter::default()).expect("patches");
    let mut all: Vec<Patch> = stored.into_iter().map(|stored| stored.patch).collect();
    all.sort_by(|a, b| a.centre.0.total_cmp(&b.centre.0));
    let alone = |patch: &Patch| {
        all.iter().filter(|other| geo::Intersects::intersects(&other.geometry, &patch.geometry)).count() == 1
    };
    let (alone, touching): (Vec<Patch>, Vec<Patch>) = all.iter().cloned().partition(alone);
    assert!(alone.len() >= 4, "{} of {} patches touch no other one", alone.len(), all.len());
    alone.into_iter().chain(touching).collect()
}

/// Western edge of the easternmost patch that touches no other: the border between two counties.
fn border(patches: &[Patch]) -> (usize, f64) {
    let alone = patches.windows(2).take_while(|pair| pair[0].centre.0 <= pair[1].centre.0).count();
    (alone, geo::BoundingRect::bounding_rect(&patches[alone].geometry).expect("bounds").min().x)
}

fn rectangle(west: f64, south: f64, east: f64, north: f64) -> MultiPolygon<f64> {
    MultiPolygon(vec![Rect::new(Coord { x: west, y: south }, Coord { x: east, y: north }).to_polygon()])
}

fn feature(code: &str, name: &str, geometry: MultiPolygon<f64>, facts: Facts) -> Record {
    Record::Feature(Feature {
        code: code.to_owned(),
        name: name.to_owned(),
        geometry,
        facts,
        other: BTreeMap::new(),
        repairs: vec![],
    })
}

fn import(store: &mut Store, content: LayerContent, rows: Vec<Record>) {
    let layer = NewLayer {
        may_be_empty: false,
        layer: content.name().to_owned(),
        content,
        file: "hand-made".to_owned(),
        digest: Digest::of_bytes(format!("{rows:?}").as_bytes()),
        mapping: "{}".to_owned(),
        rows,
        repairs: vec![],
    };
    store.import_layer(&layer, now()).expect("imported");
}

fn ground(patch: &Patch) -> MultiPolygon<f64> {
    MultiPolygon(vec![patch.geometry.clone()])
}

/// Two counties side by side, a river between them, a permit around the first patch, a known problem on the second, chiefs.
fn import_layers(place: &Place, patches: &[Patch]) {
    let mut store = store(place);
    let (_, middle) = border(patches);
    let unit = |code: &str, name: &str, level, geometry| {
        feature(code, name, geometry, Facts::AdministrativeUnit { level, parent: None })
    };
    import(
        &mut store,
        LayerContent::Areas(LayerKind::AdministrativeUnit),
        vec![
            unit("450700", "钦州市", AdministrativeLevel::City, rectangle(-1.0, -1.0, 1.0, 1.0)),
            unit("450702", "=甲县", AdministrativeLevel::County, rectangle(-1.0, -1.0, middle, 1.0)),
            unit("450703", "乙县", AdministrativeLevel::County, rectangle(middle, -1.0, 1.0, 1.0)),
        ],
    );
    let permit = MiningPermit {
        valid: Period { from: Some(date(2024, 1, 1)), to: Some(date(2024, 12, 31)) },
        volume_m3: None,
        forbidden_seasons: vec![],
    };
    let project = Project {
        valid: Period { from: Some(date(2024, 1, 1)), to: None },
        stage: ProjectStage::Approved,
        object_classes: vec![],
        change_expected_by: None,
    };
    import(
        &mut store,
        LayerContent::Areas(LayerKind::MiningPermit),
        vec![feature("P1", "sand", ground(&patches[0]), Facts::MiningPermit(permit))],
    );
    import(
        &mut store,
        LayerContent::Areas(LayerKind::Project),
        vec![feature("X1", "works", ground(&patches[0]), Facts::Project(project))],
    );
    let known = KnownProblem { status: "未处理".to_owned(), area_m2: 1e9, found_on: None };
    import(
        &mut store,
        LayerContent::Areas(LayerKind::KnownProblem),
        vec![feature("K1", "heap", ground(&patches[1]), Facts::KnownProblem(known))],
    );
    let reach = WaterReach {
        code: "450702000001".to_owned(),
        name: "上段".to_owned(),
        centreline: LineString(vec![Coord { x: -0.01, y: 0.167 }, Coord { x: 0.03, y: 0.167 }]),
        starts_at_m: 0.0,
        ends_at_m: None,
        kilometre_points: vec![],
    };
    import(
        &mut store,
        LayerContent::WaterReach,
        vec![Record::Reach(ReachRecord {
            water_code: "FBA100000000".to_owned(),
            water_name: Some("青龙河".to_owned()),
            water_kind: Some(WaterKind::River),
            reach,
        })],
    );
    let chief = Chief {
        level: AdministrativeLevel::County,
        in_charge_of: "FBA100000000".to_owned(),
        name: "张三".to_owned(),
        title: None,
        telephone: Some("13800138000".to_owned()),
        valid: Period::default(),
    };
    import(&mut store, LayerContent::Chief, vec![Record::Chief(ChiefRecord { code: "C1".to_owned(), chief })]);
}

fn assessed() -> (Place, String, Vec<Patch>) {
    let place = Place::painted();
    let config = place.configure("small.toml", "state");
    place.json(0, &["run", "--config", &config]);
    let patches = patches(&place);
    import_layers(&place, &patches);
    (place, config, patches)
}

fn explained(place: &Place, config: &str, patch: &Patch) -> Value {
    place.json(0, &["explain", "--config", config, &patch.patch_id])["assessment"].clone()
}

#[test]
fn layers_rules_and_the_ledger_give_patches_an_address() {
    let (place, config, patches) = assessed();
    let before = explained(&place, &config, &patches[2]);
    assert_eq!(before["permit_status"], "unknown", "no layer was there when the run ended");
    assert!(before["number"].as_str().expect("a number").starts_with("000000-"));

    let counts = place.json(0, &["assess", "--config", &config]);
    assert_eq!(counts["written"], patches.len());
    let permitted = explained(&place, &config, &patches[0]);
    assert_eq!((&permitted["permit_status"], &permitted["shown"]), (&"permitted".into(), &false.into()));
    let known = explained(&place, &config, &patches[1]);
    assert_eq!((&known["suppressed_reason"], &known["linked_site"]), (&"known_problem".into(), &"ledger:K1".into()));
    let last = explained(&place, &config, &patches[border(&patches).0]);
    assert_eq!((&last["permit_status"], &last["county"]["code"]), (&"none".into(), &"450703".into()));
    assert_eq!((&last["river_name"], &last["chief_county"]), (&"青龙河".into(), &"张三".into()));
    let number = last["number"].as_str().expect("a number").to_owned();
    assert!(number.starts_with("450703-2024"), "the provisional number gave way: {number}");

    // again: nothing to do, and every number stays
    let again = place.json(0, &["assess", "--config", &config]);
    assert_eq!((&again["written"], &again["numbers_given"]), (&0.into(), &0.into()));
    let rows = place.rows("state/store.gpkg", "assessments");
    place.json(0, &["run", "--config", &config]);
    assert_eq!(rows, place.rows("state/store.gpkg", "assessments"), "a run with nothing new changes nothing");

    let told = text(&place.run(&["explain", "--config", &config, &number, "--language", "zh"]));
    assert!(told.contains("青龙河") && told.contains("河长，县级 张三") && told.contains("乙县 450703"), "{told}");
    // reasons come in the language of the reader: in explanations and in ledgers
    let fired = |told: &str, mark: &str| told.lines().filter(|line| line.contains(mark)).collect::<Vec<_>>().join("\n");
    let decided = fired(&told, "判定：");
    let in_english = text(&place.run(&["explain", "--config", &config, &number]));
    let in_english = fired(&in_english, "decided: ");
    let reasons: Vec<&Value> =
        last["explanation"]["rules"].as_array().expect("rules").iter().map(|rule| &rule["reason"]).collect();
    let reasons: Vec<&Value> = reasons.into_iter().filter(|reason| !reason.is_null()).collect();
    assert_eq!(reasons.len(), 3, "class, severity, department: {reasons:?}");
    for reason in &reasons {
        let of = |language: &str| reason[language].as_str().expect("a reason");
        assert!(decided.contains(of("chinese")) && !decided.contains(of("english")), "{decided}");
        assert!(in_english.contains(of("english")) && !in_english.contains(of("chinese")), "{in_english}");
    }
    for (language, key) in [("zh", "chinese"), ("en", "english")] {
        place.json(0, &["ledger", "--config", &config, "--format", "csv", "--language", language]);
        let csv = fs::read_to_string(place.path("state/out/ledger.csv")).expect("read");
        assert!(reasons[..2].iter().all(|reason| csv.contains(reason[key].as_str().expect("a reason"))), "{csv}");
    }
    let unknown = place.run(&["explain", "--config", &config, "no-such"]);
    assert_eq!(unknown.status.code(), Some(4));
}

#[test]
fn other_rules_judge_anew_and_a_faulty_folder_is_refused_with_its_line() {
    let (place, config, patches) = assessed();
    place.json(0, &["assess", "--config", &config]);
    fs::create_dir(place.path("rules")).expect("a folder");
    let table = fs::read_to_string(common::root().join("configs/rules/assessment.toml")).expect("read");
    let table = table.replace("# baseline_date = \"2018-12-31\"", "baseline_date = \"2024-01-01\"");
    fs::write(place.path("rules/assessment.toml"), &table).expect("written");
    let text_of = fs::read_to_string(place.path(&config)).expect("read");
    fs::write(place.path(&config), text_of + "[rules]\nfolder = \"rules\"\n").expect("written");
    let counts = place.json(0, &["assess", "--config", &config]);
    assert_eq!(counts["written"], patches.len());
    assert_eq!(explained(&place, &config, &patches[3])["stock_flag"], "increment", "both passes are of 2024");
    fs::write(place.path("rules/assessment.toml"), table.replace("growth_share_min", "growth_min")).expect("written");
    let refused = place.run(&["assess", "--config", &config]);
    assert_eq!(refused.status.code(), Some(2));
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("assessment.toml") && told.contains("unknown key `growth_min`"), "{told}");
}

/// What GDAL, another program, reads in a file.
fn ogrinfo(path: &Path) -> String {
    let told = Command::new("ogrinfo").args(["-ro", "-al"]).arg(path).output().expect("ogrinfo is installed");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    String::from_utf8_lossy(&told.stdout).into_owned()
}

#[test]
fn ledgers_open_elsewhere_run_nothing_and_keep_names_from_the_public() {
    let (place, config, patches) = assessed();
    place.json(0, &["assess", "--config", &config]);
    let written = place.json(0, &["ledger", "--config", &config]);
    assert_eq!(written["rows"], patches.len() - 2);
    assert_eq!((&written["left_out"]["permitted"], &written["left_out"]["known_problem"]), (&1.into(), &1.into()));
    let csv = fs::read_to_string(place.path("state/out/ledger.csv")).expect("read");
    assert!(csv.starts_with("\u{FEFF}图斑编号,市,"), "{}", &csv[..60]);
    assert!(csv.contains(",'=甲县,") && !csv.contains(",=甲县"), "a county that is a formula: {csv}");
    assert!(csv.contains("张三") && csv.contains("青龙河"));

    let gpkg = ogrinfo(&place.path("state/out/ledger.gpkg"));
    let rows = patches.len() - 2;
    assert!(gpkg.contains(&format!("Feature Count: {rows}")) && gpkg.contains("ID[\"EPSG\",4490]"), "{gpkg}");
    let first_longitude = patches.iter().map(|patch| patch.centre.0).fold(f64::INFINITY, f64::min);
    let extent = gpkg.lines().find(|line| line.starts_with("Extent:")).expect("an extent");
    let west: f64 =
        extent.trim_start_matches("Extent: (").split(',').next().expect("a number").parse().expect("a number");
    assert!((west - first_longitude).abs() < 0.02, "longitude comes first: {extent}");
    let area = gpkg.lines().find(|line| line.contains("area_m2 (Real) = ")).expect("an area");
    let decimals = area.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    assert!(decimals <= 2, "{area}");
    let workbook = ogrinfo(&place.path("state/out/ledger.xlsx"));
    assert!(workbook.contains("疑似问题台账") && workbook.contains("'=甲县"), "{workbook}");

    let all = place.json(0, &["ledger", "--config", &config, "--all", "--format", "csv", "--language", "en"]);
    assert_eq!(all["rows"], patches.len());
    // pictures are told by the hash that another program reckons
    let picture = place.path(&format!("state/out/chips/{}_after.png", patches[2].patch_id));
    let sum = Command::new("sha256sum").arg(&picture).output().expect("sha256sum is installed");
    let sum = String::from_utf8_lossy(&sum.stdout)[..64].to_owned();
    assert!(csv.contains(&sum), "{sum} is in no row");
    place.json(0, &["ledger", "--config", &config, "--public", "--all"]);
    for name in ["ledger-public.csv", "ledger-public.gpkg", "ledger-public.xlsx"] {
        let path = place.path(&format!("state/out/{name}"));
        let told = if name.ends_with("csv") { fs::read_to_string(&path).expect("read") } else { ogrinfo(&path) };
        assert!(!told.contains("张三") && !told.contains("13800138000") && !told.contains("P1"), "{name}: {told}");
    }
}

/// The rows of a ledger by the number of a patch, field by field.
fn ledger_of(place: &Place, config: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    place.json(0, &["ledger", "--config", config, "--all", "--format", "gpkg"]);
    let told = Command::new("ogr2ogr")
        .args(["-f", "GeoJSON", "/vsistdout/"])
        .arg(place.path("state/out/ledger.gpkg"))
        .output()
        .expect("ogr2ogr is installed");
    let table: Value = serde_json::from_slice(&told.stdout).expect("JSON");
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let rows = table["features"].as_array().expect("features").iter().map(|feature| {
        let fields = feature["properties"].as_object().expect("fields");
        let known = fields.iter().filter(|(_, value)| !value.is_null());
        let row: BTreeMap<String, String> = known.map(|(name, value)| (name.clone(), text(value))).collect();
        (row["patch_id"].clone(), row)
    });
    rows.collect()
}

#[test]
fn a_ledger_tells_where_the_issue_system_has_a_problem_and_who_reported_the_place() {
    let (place, config, patches) = assessed();
    place.json(0, &["assess", "--config", &config]);
    let before = &ledger_of(&place, &config)[&patches[2].patch_id];
    assert_eq!((before.get("status"), before.get("finding_id")), (None, None), "nobody confirmed it");
    assert!(before["problem_source"].starts_with("遥感影像："), "{before:?}");
    let mut store = store(&place);
    let decided = Decided {
        decision_id: "d1".to_owned(),
        patch_id: patches[2].patch_id.clone(),
        verdict: Some(DecisionVerdict::Problem),
        decided_at: now(),
        ..Decided::default()
    };
    store.decide_findings(&[decided], now(), now()).expect("decided");
    let public = |report_id: &str, source: &str, level, reported_at: Timestamp| PublicReport {
        report_id: report_id.to_owned(),
        outline: patches[2].geometry.clone(),
        source: source.to_owned(),
        level,
        note: None,
        reported_at,
    };
    let earlier = patches[2].post_date - jiff::SignedDuration::from_hours(48);
    for report in [public("r1", "hotline", 2, earlier), public("r2", "patrol", 3, now())] {
        store.take_public_report(&report, now()).expect("taken");
    }
    drop(store);
    let waiting = &ledger_of(&place, &config)[&patches[2].patch_id];
    assert_eq!((waiting["status"].as_str(), waiting["issue_state"].as_str()), ("1 未处理", "未受理"));
    assert!(
        waiting["problem_source"].ends_with("；举报：hotline"),
        "what came after the imagery led nobody: {waiting:?}"
    );
    assert!(waiting["report_level"].starts_with('2'));
    let report = |id: &str, state, days: i64| IssueReport {
        report_id: id.to_owned(),
        target: "tracker".to_owned(),
        finding_id: Some(waiting["finding_id"].clone()),
        external_id: None,
        state,
        outcome: Some("4".to_owned()),
        note: None,
        reported_at: now() + jiff::SignedDuration::from_hours(24 * days),
    };
    for (id, state, days, status, word) in [
        ("s1", IssueState::Rectifying, 1, "1 未处理", "整改中"),
        ("s2", IssueState::ClosureRequested, 2, "2 待审核", "申请销号"),
        ("s3", IssueState::Closed, 3, "3 已处理", "已销号"),
    ] {
        self::store(&place).take_report(&report(id, state, days), &[], now()).expect("taken");
        let row = &ledger_of(&place, &config)[&patches[2].patch_id];
        assert_eq!((row["status"].as_str(), row["issue_state"].as_str()), (status, word));
        assert_eq!(
            (row["issue_outcome"].as_str(), row["issue_state_on"].as_str()),
            ("4", ["2024-11-02", "2024-11-03", "2024-11-04"][days as usize - 1])
        );
    }
}

#[test]
fn exports_carry_what_is_said_of_each_patch() {
    let (place, config, patches) = assessed();
    place.json(0, &["assess", "--config", &config]);
    place.json(0, &["export", "--config", &config]);
    let json: Value = serde_json::from_str(&fs::read_to_string(place.path("state/out/patches.geojson")).expect("read"))
        .expect("JSON");
    let features = json["features"].as_array().expect("features");
    assert_eq!(features.len(), patches.len());
    for feature in features {
        let told = &feature["properties"];
        assert!(
            told["number"].is_string() && told["issue_class"].is_string() && told["priority"].is_number(),
            "{told}"
        );
    }
    let gpkg = ogrinfo(&place.path("state/out/patches.gpkg"));
    assert!(gpkg.contains("chief_county (String) = 张三") && gpkg.contains("lead_department (String) = "), "{gpkg}");
    place.json(0, &["export", "--config", &config, "--public", "--format", "geojson"]);
    let public = fs::read_to_string(place.path("state/out/patches.geojson")).expect("read");
    assert!(!public.contains("张三") && !public.contains("permit_id"));
}

#[test]
fn reports_of_a_period_are_written_for_every_scope() {
    let (place, config, patches) = assessed();
    place.json(0, &["assess", "--config", &config]);
    let page = |name: &str, arguments: &[&str]| {
        let mut all = vec!["report", "--config", &config, "--out", name];
        all.extend(arguments);
        place.json(0, &all);
        let page = fs::read_to_string(place.path(name)).expect("read");
        assert!(!page.contains("<script") && page.contains("svg"), "{name}");
        page
    };
    let year = page("year.html", &["--period", "year"]);
    assert!(year.contains(&format!("<dd class=\"value\">{}</dd>", patches.len())), "all patches are of 2024");
    assert!(year.contains("Synthetic imagery") && year.contains("张三"));
    // imagery under the maps, held once, and the worst places date by date
    assert_eq!((year.matches("<image id=").count(), year.matches("<use href=").count()), (1, 5));
    let pictures = year.matches("<img src=\"data:image/jpeg;base64,").count();
    assert!(pictures >= 12 && year.contains(">before</span>") && year.contains(">after</span>"), "{pictures} pictures");
    assert!(year.len() < 3_000_000, "{} bytes", year.len());
    let chinese = page("year-zh.html", &["--period", "year", "--language", "zh"]);
    assert!(chinese.contains("lang=\"zh-CN\"") && chinese.contains("河湖岸线巡查年报") && chinese.contains("乱"));
    let county = page("county.html", &["--period", "year", "--of", "county", "450703"]);
    assert!(county.contains("乙县 (450703)") && !county.contains("=甲县"));
    let brief = page("brief.html", &["--period", "year", "--of", "chief", "张三"]);
    assert!(brief.contains("Brief before the patrol") && brief.contains("uri.amap.com") && brief.contains("K0"));
    let dossier = page("river.html", &["--period", "quarter", "--of", "river", "FBA100000000", "--language", "zh"]);
    assert!(dossier.contains("河流档案") && dossier.contains("顺流方向"));
    let public = page("public.html", &["--period", "year", "--public"]);
    assert!(!public.contains("张三"));
    // without its imagery the report is written all the same, and says what is missing
    fs::rename(place.path("imagery"), place.path("gone")).expect("renamed");
    let blind = page("blind.html", &["--period", "year"]);
    assert!(blind.contains("No imagery can be shown under the map.") && !blind.contains("<image "));
    assert!(
        blind.contains("can&#39;t be read any more") && !blind.contains("<img "),
        "dates are told without pictures"
    );
    fs::rename(place.path("gone"), place.path("imagery")).expect("renamed");
    for (code, arguments) in
        [(4, ["--of", "river", "nowhere"]), (2, ["--of", "planet", "earth"]), (2, ["--public", "--of=chief", "张三"])]
    {
        let mut all = vec!["report", "--config", &config, "--period", "year"];
        all.extend(arguments);
        let refused = place.run(&all);
        assert_eq!(refused.status.code(), Some(code), "{arguments:?}: {}", text(&refused));
    }
}

/// Squares of about 60 m inside the managed reaches that no patch touches, from west to east.
fn quiet_squares(place: &Place, patches: &[Patch]) -> Vec<MultiPolygon<f64>> {
    use geo::{BoundingRect, Contains, Intersects};
    let reaches = store(place).reaches().expect("reaches");
    let (edge, mut squares) = (0.0006, Vec::new());
    for reach in &reaches {
        let bounds = reach.scope.bounding_rect().expect("bounds");
        for step in 1..60 {
            let west = bounds.min().x + f64::from(step) * edge * 2.0;
            let square = rectangle(west, bounds.center().y, west + edge, bounds.center().y + edge);
            let is_free = patches.iter().all(|patch| !patch.geometry.intersects(&square));
            if is_free && reach.scope.contains(&square) {
                squares.push(square);
            }
        }
    }
    assert!(squares.len() > 3, "{} squares", squares.len());
    squares
}

#[test]
fn an_idle_project_is_told_to_its_river_and_chief_and_has_an_exit_code_of_its_own() {
    let (place, config, patches) = assessed();
    let projects = quiet_squares(&place, &patches).into_iter().enumerate().map(|(number, square)| {
        let project = Project {
            valid: Period { from: Some(date(2024, 1, 1)), to: None },
            stage: ProjectStage::Approved,
            object_classes: vec![],
            change_expected_by: Some(date(2024, 1, 2)),
        };
        feature(&format!("QUIET{number}"), "quay", square, Facts::Project(project))
    });
    let rows = projects.collect();
    import(&mut store(&place), LayerContent::Areas(LayerKind::Project), rows);
    let counts = place.json(0, &["assess", "--config", &config]);
    assert!(counts["idle_projects"].as_u64().expect("a count") > 0, "{counts}");
    let report = |code: i32, arguments: &[&str]| {
        let mut all = vec!["report", "--config", &config, "--out", "idle.html", "--period", "year"];
        all.extend(arguments);
        let counted = place.json(code, &all)["idle_projects"].clone();
        (counted, fs::read_to_string(place.path("idle.html")).expect("read"))
    };
    let (all, page) = report(7, &[]);
    assert_eq!(all, counts["idle_projects"]);
    assert!(page.contains("QUIET") && page.contains("FBA100000000 / 450702000001") && page.contains("张三"));
    for of in [["river", "FBA100000000"], ["reach", "450702000001"], ["chief", "张三"], ["city", "450700"]] {
        let (counted, page) = report(7, &["--of", of[0], of[1]]);
        assert!(counted == all && page.contains("QUIET"), "{of:?}: {counted} of {all}");
    }
    let (_, public) = report(7, &["--public"]);
    assert!(public.contains("QUIET") && !public.contains("张三"));
    // a timer is told too
    let idle = |told: &Value| {
        let alarms = told["alarms"].as_array().expect("alarms").iter();
        alarms.filter(|alarm| alarm["kind"] == "idle_project").count()
    };
    let due = place.json(6, &["run", "--due", "--config", &config]);
    assert_eq!(Value::from(idle(&due)), all, "{}", due["alarms"]);
    let status = place.json(0, &["status", "--config", &config, "--since", "2024-01-01"]);
    assert_eq!(Value::from(idle(&status)), all);
    assert!(
        text(&place.run(&["status", "--config", &config]))
            .contains("is idle (占而不用): a change was expected by 2024-01-02")
    );
}

#[test]
fn a_page_is_printed_where_there_is_a_browser_and_the_lack_is_told() {
    let (place, config, _) = assessed();
    place.json(0, &["assess", "--config", &config]);
    let arguments = ["report", "--config", &config, "--period", "year", "--language", "zh", "--pdf", "--out", "p.html"];
    let mut without = place.command(&arguments);
    let without = without.env("SHOREWATCH_CHROMIUM", place.path("nothing")).output().expect("the binary runs");
    assert_eq!(without.status.code(), Some(3), "{}", text(&without));
    assert!(String::from_utf8_lossy(&without.stdout).contains("Chromium is not installed"), "{}", text(&without));
    assert!(place.path("p.html").exists() && !place.path("p.pdf").exists());
    if !Path::new("/usr/bin/chromium").exists() {
        eprintln!("skipped: chromium is not installed");
        return;
    }
    place.json(0, &arguments);
    let bytes = fs::read(place.path("p.pdf")).expect("a PDF");
    assert!(bytes.starts_with(b"%PDF-") && bytes.len() > 20_000, "{} bytes", bytes.len());
}
