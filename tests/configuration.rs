//! Configuration files: all that are shipped load, and faults come all at once with file and line.

#[path = "configuration/boundary_check.rs"]
mod boundary_check;
#[path = "configuration/digest.rs"]
mod digest;
#[path = "configuration/passes.rs"]
mod passes;
#[path = "configuration/schedule.rs"]
mod schedule;
#[path = "configuration/schema.rs"]
mod schema;
#[path = "configuration/scratch.rs"]
mod scratch;

use std::fs;
use std::path::{Path, PathBuf};

use scratch::{MINIMAL, Scratch, check_faults, lines, repository, repository_file};
use shorewatch::configuration::{self, Device, GridChoice, load_with, operator_time};
use shorewatch_domain::classes::ModelClasses;
use shorewatch_domain::crs::{Epsg, ZoneFamily};
use shorewatch_domain::sensor::{BandRole, Layout, Radiometry};
use shorewatch_models::Bundle;

fn shipped() -> Vec<PathBuf> {
    let configs = repository().join("configs");
    let mut files = vec![configs.join("demo.toml"), configs.join("demo-findings.toml")];
    let entries = fs::read_dir(configs.join("examples")).expect("configs/examples");
    files.extend(
        entries
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|e| e == "toml")),
    );
    files.sort();
    assert!(files.len() >= 5, "{files:?}");
    files
}

#[test]
fn every_shipped_configuration_loads_and_its_classes_fit_the_models() {
    for file in shipped() {
        let settings = load_with(&file, &|_| None).unwrap_or_else(|faults| panic!("{faults}"));
        let bundles = settings.model.folder.parent().expect("a folder of bundles");
        let bundle = Bundle::load(bundles, &settings.model.bundle).unwrap_or_else(|fault| panic!("{fault}"));
        let names = bundle.manifest().classes.iter().map(|class| class.name.clone()).collect();
        let classes = ModelClasses { names, heads: bundle.manifest().head_classes() };
        settings.classes.check(&classes).unwrap_or_else(|faults| panic!("{faults}"));
        assert!(!settings.passes.is_empty() && !settings.reaches.is_empty(), "{}", file.display());
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        assert_eq!(settings.synthetic, name.starts_with("demo"), "{}", file.display());
    }
}

#[test]
fn the_template_is_a_configuration() {
    let settings = Scratch::new().settings(configuration::template());
    assert_eq!(settings.grid.choice, GridChoice::Zones(ZoneFamily::Utm));
}

#[test]
fn all_profiles_of_the_folder_are_built_in_and_the_same() {
    let folder = repository().join("configs/sensors");
    let in_folder = fs::read_dir(&folder).expect("configs/sensors").count();
    let scratch = Scratch::new();
    let built_in = scratch.settings(MINIMAL);
    let with_folder =
        scratch.settings(&format!("{MINIMAL}sensors.folder = {:?}\n", fs::canonicalize(folder).expect("a path")));
    assert_eq!(built_in.sensors.len(), in_folder);
    assert_eq!(built_in.sensors, with_folder.sensors);
}

#[test]
fn profiles_hold_what_their_handbooks_say() {
    let settings = Scratch::new().settings(MINIMAL);
    let radiometry = |sensor: &str, role| settings.sensors[sensor].profile.band(role).expect("the band").radiometry;
    let linear = |scale, offset| Radiometry::Linear { scale, offset };
    assert_eq!(radiometry("sentinel-2-l2a", BandRole::Nir), linear(0.0001, -0.1));
    assert_eq!(radiometry("sentinel-2-l2a-before-n0400", BandRole::Nir), linear(0.0001, 0.0));
    assert_eq!(radiometry("landsat-8-9-c2-l2", BandRole::Red), linear(0.0000275, -0.2));
    // what the three common bands of the models are, in every profile
    for (name, sensor) in &settings.sensors {
        let profile = &sensor.profile;
        for role in [BandRole::Green, BandRole::Red] {
            assert!(profile.band(role).is_some(), "{name} has no {role}");
        }
        assert!(!profile.source.is_empty() && !profile.title.is_empty(), "{name}");
        if let Some(pattern) = &profile.time.file_name_pattern {
            assert!(pattern.contains("(?P<year>"), "{name}");
        }
    }
    let order =
        |name: &str| settings.sensors[name].profile.bands.iter().map(|band| band.role.name()).collect::<Vec<_>>();
    assert_eq!(order("ucayali-stretch"), ["swir1", "nir", "red", "green"]);
    assert_eq!(order("naip-prairie"), ["red", "green", "blue", "nir"]);
    assert_eq!(order("synthetic"), ["blue", "green", "red", "nir", "swir1"]);
    assert_eq!(settings.sensors["drone-rgba"].profile.alpha_index, Some(4));
    assert_eq!(settings.sensors["sentinel-2-l1c"].profile.layout, Layout::FilePerBand);
}

#[test]
fn defaults_are_those_of_the_documentation() {
    let scratch = Scratch::new();
    let settings = scratch.settings(MINIMAL);
    let folder = scratch.folder.path();
    assert_eq!(settings.store_file, folder.join("shore.gpkg"));
    assert_eq!(settings.model.folder, folder.join("models/landcover-grn"));
    assert_eq!((settings.unit_px, settings.look_back_passes), (1024, 3));
    assert_eq!(settings.patches.simplify_tolerance_px, 0.75);
    assert!(settings.threads.get() >= 1 && !settings.synthetic);
    let grid = settings.grid.grid_at(108.6, 21.9).expect("a zone");
    assert_eq!((grid.epsg, grid.pixel_size_m), (Epsg(32649), 10.0));
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let text = format!("{MINIMAL}[change]\nlookback_passes = 3\n");
    let faults = Scratch::new().load(&text).expect_err("an unknown key");
    check_faults(&lines(&faults), &["run.toml:9: unknown key `lookback_passes` in `change`"]);
    assert_eq!(faults.faults()[0].help.as_deref(), Some("did you mean `look_back_passes`?"));
    let place = faults.faults()[0].place.as_ref().expect("a place");
    assert_eq!((place.line, place.column, place.length), (9, 1, "lookback_passes".len()));
    // the drawn form shows the line itself
    assert!(faults.render(100, false).contains("lookback_passes = 3"), "{}", faults.render(100, false));
    assert!(faults.to_string().contains("run.toml:9:1: unknown key"), "{faults}");
}

#[test]
fn faults_of_form_come_all_at_once() {
    let text = r#"schema_version = 2
store = { file = 7 }
work = { folder = "work" }
output = { folder = "" }
model = { folder = "models", bundle = "b", backend = "magic" }
colour = "blue"

[grid]
zones = "mercator"
ground_sampling_distance_m = 0

[tiles]
unit_px = 99999999999999999999

[change]
look_back_passes = 17

[patches]
chips = "yes"
simplify_tolerance_px = nan

[[passes]]
files = []
time = 2024-03-15
"#;
    check_faults(
        &Scratch::new().faults(text),
        &[
            "run.toml:1: `schema_version`: expected at most 1, got 2",
            "run.toml:2: `store.file`: expected a string in quotes, got an integer",
            "run.toml:4: `output.folder`: \"\" is too short",
            "run.toml:5: `model.backend`: expected one of torchscript, onnx, onnx_int8, fake, got \"magic\"",
            "run.toml:6: unknown key `colour` at the top",
            "run.toml:9: `grid.zones`: expected one of utm, cgcs2000_three_degree, got \"mercator\"",
            "run.toml:10: `grid.ground_sampling_distance_m`: expected at least 0.01, got 0",
            "run.toml:13: `tiles.unit_px`: the number is too large",
            "run.toml:16: `change.look_back_passes`: expected at most 16, got 17",
            "run.toml:19: `patches.chips`: expected true or false, got a string",
            "run.toml:20: `patches.simplify_tolerance_px`: expected a finite number",
            "run.toml:22: `passes[0].sensor` is missing",
            "run.toml:23: `passes[0].files`: expected at least 1 item",
            "run.toml:24: `passes[0].time`: expected a string in quotes, got an unquoted date",
        ],
    );
}

#[test]
fn faults_across_keys_come_all_at_once() {
    let text = r#"schema_version = 1
store = { file = "work/shore.sqlite" }
work = { folder = "work" }
output = { folder = "${NOWHERE}/out" }
model = { folder = "models", bundle = "../b" }
sensors = { folder = "no-such-folder" }
classes = { file = "no-such-file.toml" }

[grid]
epsg = 4326
zones = "utm"
ground_sampling_distance_m = 10.0

[[passes]]
files = ["/vsicurl/x.tif"]
sensor = "sentinel-2-l2b"
time = "2024-03-15T02:30:00"

[[reaches]]
file = "a.geojson"
id_field = "id"
name_field = "name"

[[reaches]]
file = "a.geojson"
id_field = "id"
name_field = "name"
"#;
    let scratch = Scratch::new();
    check_faults(
        &scratch.faults(text),
        &[
            "run.toml:2: the store is a GeoPackage",
            "run.toml:3: holds the store or the output",
            "run.toml:4: the environment variable NOWHERE is not set",
            "run.toml:5: \"../b\" is no name of a bundle",
            "run.toml:6: there is no folder",
            "run.toml:7: there is no file",
            "run.toml:10: `zones` and `epsg` are both given",
            "run.toml:15: \"/vsicurl/x.tif\" is no path of this machine",
            "run.toml:16: no sensor profile is called \"sentinel-2-l2b\"",
            "run.toml:17: needs `Z` or an offset",
            "run.toml:24: this file and layer stand here twice",
        ],
    );
    let without = MINIMAL.replace("zones = \"utm\", ", "");
    check_faults(&scratch.faults(&without), &["run.toml:7: `zones` or `epsg` is missing"]);
    let degrees = MINIMAL.replace("zones = \"utm\"", "epsg = 4490");
    check_faults(&scratch.faults(&degrees), &["run.toml:7: EPSG:4490 cannot carry the grid: CGCS2000 is in degrees"]);
}

#[test]
fn broken_toml_and_missing_files_are_faults_with_places() {
    let scratch = Scratch::new();
    let faults = scratch.faults("schema_version = \n[grid\n");
    assert!(faults.len() >= 2, "every fault of syntax is listed: {faults:?}");
    assert!(faults[0].starts_with("run.toml:1: not valid TOML"), "{faults:?}");
    let missing = load_with(Path::new("no/such/run.toml"), &|_| None).expect_err("no file");
    assert!(missing.to_string().contains("no/such/run.toml: cannot be read"), "{missing}");
}

#[test]
fn profiles_and_tables_of_ones_own_are_checked_with_lines() {
    let scratch = Scratch::new();
    let profile = fs::read_to_string(repository().join("configs/sensors/ucayali-stretch.toml")).expect("a profile");
    let wrong = profile
        .replace("name = \"ucayali-stretch\"", "name = \"other\"")
        .replace("index = 2", "index = 1")
        .replace("high_reflectance = 0.35", "high_reflectance = 0.01");
    scratch.write("sensors/wrong.toml", &wrong);
    scratch.write("sensors/unknown-key.toml", &format!("product_names = [\"a*\"]\ncolour = 1\n{profile}"));
    scratch.write(
        "classes.toml",
        &repository_file("configs/classes.toml").replace("id = 2\n", "id = 1\n").replace("0.35", "7.5"),
    );
    let got = scratch.faults(&format!("{MINIMAL}sensors.folder = \"sensors\"\nclasses.file = \"classes.toml\"\n"));
    let line_of = |text: &str, part: &str| text.lines().position(|line| line.contains(part)).expect(part) + 1;
    let rows: Vec<usize> = repository_file("configs/classes.toml")
        .lines()
        .enumerate()
        .filter(|(_, line)| *line == "[[transitions]]")
        .map(|(i, _)| i + 1)
        .collect();
    check_faults(
        &got,
        &[
            &format!("classes.toml:{}: id 1 or its name is already used", rows[1]),
            &format!("classes.toml:{}: minimum_confidence must be 0 to 1, got 7.5", rows[2]),
            "unknown-key.toml:2: unknown field `colour`",
            &format!("wrong.toml:{}: the profile is called \"other\"", line_of(&wrong, "name = \"other\"")),
            &format!(
                "wrong.toml:{}: band \"SWIR1\": low_reflectance must be below",
                line_of(&wrong, "high_reflectance = 0.01")
            ),
            &format!("wrong.toml:{}: index 1 is taken", line_of(&wrong, "name = \"NIR\"") + 1),
        ],
    );
}

#[test]
fn priors_of_zones_are_checked_with_lines() {
    let scratch = Scratch::new();
    let table = repository_file("configs/classes.toml");
    let first = table.lines().count() + 1;
    let with = |rows: &str| {
        scratch.write("classes.toml", &format!("{table}{rows}"));
        format!("{MINIMAL}classes.file = \"classes.toml\"\n")
    };
    let rows = "[[zone_priors]]\nzone = \"protecton\"\nbecomes = { built_up = 0.3 }\n\
                [[zone_priors]]\nzone = \"reserve\"\nbecomes = {}\n";
    let told = scratch.faults(&with(rows));
    assert!(told[0].contains("becomes must name at least one class"), "{told:?}");
    let rows = "[[zone_priors]]\nzone = \"protecton\"\nbecomes = { built_up = 0.3 }\n";
    check_faults(
        &scratch.faults(&with(rows)),
        &[&format!("classes.toml:{}: \"protecton\" is no kind of function zone", first + 1)],
    );
    let rows = "[[zone_priors]]\nzone = \"reserve\"\nbecomes = { built_up = 5.5 }\n\
                [[zone_priors]]\nzone = \"reserve\"\nbecomes = { bare = 1.0 }\n";
    let told = scratch.faults(&with(rows));
    assert!(told.iter().any(|fault| fault.contains("the factor of \"built_up\" must be 0 to 5, got 5.5")), "{told:?}");
    assert!(told.iter().any(|fault| fault.contains("the zone has a row already")), "{told:?}");
    let rows = "[[zone_priors]]\nzone = \"reserve\"\nbecomes = { town = 0.5 }\n";
    let settings = scratch.settings(&with(rows));
    let classes = ["water", "trees", "low_vegetation", "crops", "built_up", "bare"].map(str::to_owned).to_vec();
    let faults = settings.classes.check(&ModelClasses::one_head(classes)).expect_err("a class that the model lacks");
    assert!(faults.to_string().contains("\"town\" is no class of the model's first head"), "{faults}");
    assert_ne!(settings.result_digest(), scratch.settings(&with("")).result_digest(), "priors decide results");
}

#[test]
fn a_table_that_names_classes_the_model_lacks_is_refused_with_its_line() {
    let scratch = Scratch::new();
    scratch.write("classes.toml", &repository_file("configs/classes.toml"));
    let settings = scratch.settings(&format!("{MINIMAL}classes.file = \"classes.toml\"\n"));
    let binary = ModelClasses::one_head(vec!["background".to_owned(), "water".to_owned()]);
    let faults = settings.classes.check(&binary).expect_err("classes that the model lacks");
    assert!(faults.faults().iter().all(|fault| fault.place.as_ref().is_some_and(|place| place.line > 1)));
    assert!(faults.to_string().contains("the model has no class \"built_up\""), "{faults}");
}

#[test]
fn what_runs_the_model_is_configured() {
    let scratch = Scratch::new();
    let settings = scratch.settings(MINIMAL);
    let model = &settings.model;
    assert_eq!((model.device, model.half_precision, model.allow_cpu), (Device::Cpu, false, false));
    assert_eq!((model.memory_bytes, model.onnxruntime_library.as_ref()), (2 << 30, None));
    let faults = |keys: &str| {
        let text = MINIMAL.replace("bundle = \"landcover-grn\"", &format!("bundle = \"landcover-grn\", {keys}"));
        Scratch::new().faults(&text)
    };
    check_faults(
        &faults("backend = \"onnx\", device = \"cuda\""),
        &["run.toml:6: backend \"onnx\" runs on the processor only"],
    );
    check_faults(&faults("onnxruntime_library = \"nothing.so\""), &["run.toml:6: there is no file"]);
    check_faults(&faults("device = \"tpu\""), &["run.toml:6: `model.device`: expected one of cpu, cuda, got \"tpu\""]);
}

#[test]
fn who_lets_people_in_is_configured_without_its_secret() {
    let provider = "[review.open_id_connect]\nissuer = \"https://login.example.org\"\nclient_id = \"shorewatch\"\n";
    let roles = "[[review.open_id_connect.roles]]\nvalue = \"a\"\nrole = \"reviewer\"\nscope = \"unit:4507\"\n";
    let scratch = Scratch::new();
    assert!(scratch.settings(MINIMAL).open_id_connect.is_none());
    let text = format!("{MINIMAL}{provider}client_secret_file = \"secret\"\n{roles}");
    let settings = scratch.settings(&text).open_id_connect.expect("a provider");
    assert!(settings.provider.client_secret.is_none() && settings.client_secret.is_some());
    assert_eq!(settings.provider.roles[0].scope.to_string(), "unit:4507");
    let first = MINIMAL.lines().count() + 1;
    for (keys, fault) in [
        ("client_secret = \"hush\"\n", (3, "unknown key `client_secret`")),
        ("client_secret_env = \"A\"\nclient_secret_file = \"b\"\n", (4, "from a variable or from a file")),
        ("redirect_base = \"http://review.example.org\"\n", (3, "expected https://")),
        ("redirect_base = \"https://review.example.org/\"\n", (3, "expected no slash at the end")),
        ("unknown_users = \"add\"\n", (3, "who gets an account needs a role")),
        ("unknown_users = \"guess\"\n", (3, "expected one of refuse, add")),
        (&roles.replace("reviewer", "king"), (5, "expected viewer, field, reviewer")),
        (&roles.replace("unit:4507", "unit:x"), (6, "unit:CODE")),
    ] {
        let expected = format!("run.toml:{}: ", first + fault.0);
        let told = Scratch::new().faults(&format!("{MINIMAL}{provider}{keys}"));
        assert!(told.len() == 1 && told[0].starts_with(&expected) && told[0].contains(fault.1), "{told:?}");
    }
}

#[test]
fn times_are_no_more_exact_than_typed() {
    assert_eq!(operator_time("2024").expect("a year").label(), "2024");
    assert_eq!(operator_time("2024-03-15T10:30:00+08:00").expect("a time").label(), "2024-03-15 02:30 UTC");
}

#[test]
fn a_file_that_breaks_off_anywhere_gives_faults_inside_it() {
    let demo = repository_file("configs/demo.toml");
    let scratch = Scratch::new();
    for end in (0..demo.len()).filter(|end| demo.is_char_boundary(*end)).step_by(7) {
        let Err(faults) = scratch.load(&demo[..end]) else { continue };
        assert!(!faults.faults().is_empty());
        let lines = demo[..end].lines().count().max(1);
        for fault in faults.faults() {
            assert!(fault.place.as_ref().is_some_and(|place| place.line <= lines + 1), "{end}: {}", fault.line());
        }
        assert!(faults.render(80, false).contains("run.toml"), "{end}");
    }
}
