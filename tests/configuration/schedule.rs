//! The schedule: its defaults, its faults, and what watched folders hold.

use shorewatch_domain::crs::Epsg;

use crate::scratch::{MINIMAL, Scratch, check_faults};

#[test]
fn without_a_schedule_nothing_is_watched_and_nothing_alarms() {
    let schedule = Scratch::new().settings(MINIMAL).schedule;
    assert!(schedule.watch.is_empty() && schedule.cadence.is_empty());
    assert_eq!((schedule.no_pass_alarm_days, schedule.unobserved_alarm_days), (None, None));
    assert_eq!((schedule.default_cadence_days, schedule.observed_fraction_min), (None, 0.5));
}

#[test]
fn a_schedule_is_resolved_relative_to_its_file() {
    let scratch = Scratch::new();
    let text = format!(
        "{MINIMAL}
[schedule]
default_cadence_days = 30
no_pass_alarm_days = 10
[[schedule.watch]]
folder = \"in/./new\"
files = [\"*.tif\", \"**/*.TIF\"]
sensor = \"naip\"
assigned_epsg = 32649
[[schedule.cadence]]
reaches = [\"R1*\"]
days = 60
"
    );
    let schedule = scratch.settings(&text).schedule;
    let folder = scratch.folder.path().join("in/new");
    let watch = &schedule.watch[0];
    assert_eq!(watch.folder, folder);
    assert_eq!(watch.entry.patterns, [folder.join("*.tif"), folder.join("**/*.TIF")]);
    assert_eq!(watch.entry.assigned_epsg, Some(Epsg(32649)));
    assert_eq!((schedule.cadence_days("R12"), schedule.cadence_days("L1")), (Some(60), Some(30)));
}

#[test]
fn faults_of_the_schedule_come_all_at_once() {
    let text = format!(
        "{MINIMAL}[schedule]
alarm_days = 3
observed_fraction_min = 0
no_pass_alarm_days = 0
[[schedule.watch]]
folder = \"in\"
files = []
sensor = \"naip\"
[[schedule.cadence]]
reaches = [\"*\"]
"
    );
    check_faults(
        &Scratch::new().faults(&text),
        &[
            "run.toml:9: unknown key `alarm_days` in `schedule`",
            "run.toml:10: `schedule.observed_fraction_min`: expected at least 0.01, got 0",
            "run.toml:11: `schedule.no_pass_alarm_days`: expected at least 1, got 0",
            "run.toml:14: `schedule.watch[0].files`: expected at least 1 item",
            "run.toml:16: `schedule.cadence[0].days` is missing",
        ],
    );
    let text = format!(
        "{MINIMAL}[[schedule.watch]]\nfolder = \"${{NOWHERE}}\"\nfiles = [\"../*.tif\", \"/x\"]\nsensor = \"nape\"\n"
    );
    check_faults(
        &Scratch::new().faults(&text),
        &[
            "run.toml:9: the environment variable NOWHERE is not set",
            "run.toml:10: \"../*.tif\" leaves the watched folder",
            "run.toml:10: \"/x\" leaves the watched folder",
            "run.toml:11: no sensor profile is called \"nape\"",
        ],
    );
}

#[test]
fn watched_folders_give_what_is_complete_and_tell_the_rest() {
    let scratch = Scratch::new();
    let product = "in/S2B_MSIL2A_20240315T030539_N0510_R075_T49QGE_20240315T070000.SAFE";
    let bands = |product: &str, names: &[&str]| {
        for name in names {
            scratch.write(&format!("{product}/GRANULE/T49QGE_20240315T030539_{name}.jp2"), "x");
        }
    };
    bands(product, &["B03_10m", "B04_10m", "SCL_20m"]);
    // two copies under way, and one that lacks its quality file for good
    let (copied, lacking) = (product.replace("20240315", "20240401"), product.replace("20240315", "20240501"));
    scratch.write(&format!("{copied}/GRANULE/nothing-yet"), "x");
    bands(&lacking, &["B03_10m", "B04_10m"]);
    let text = format!(
        "{MINIMAL}
[[schedule.watch]]
folder = \"in\"
files = [\"*.SAFE\"]
sensor = \"sentinel-2-l2a\"
[[schedule.watch]]
folder = \"nowhere\"
files = [\"*.tif\"]
sensor = \"naip\"
"
    );
    let settings = scratch.settings(&text);
    let watched = settings.find_watched(&|path| {
        path.ends_with(copied.trim_start_matches("in/")).then(|| "still being copied".to_owned())
    });
    let names: Vec<_> = watched.passes.iter().map(|pass| format!("in/{}.SAFE", pass.name)).collect();
    assert_eq!(names, [product]);
    assert_eq!(watched.waiting.len(), 1, "{watched:?}");
    assert_eq!(watched.faults.len(), 2, "{watched:?}");
    assert!(watched.faults[0].contains("the quality file is missing"), "{watched:?}");
    assert!(watched.faults[1].contains("there is no watched folder"), "{watched:?}");
}
