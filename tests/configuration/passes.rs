//! From the entries of passes to their files.

use crate::scratch::{MINIMAL, Scratch, check_faults};

#[test]
fn one_file_sensors_give_a_pass_a_file_and_folders_of_bands_give_a_pass_a_folder() {
    let mut scratch = Scratch::new();
    for year in ["1990", "1985", "2020"] {
        scratch.write(&format!("data/{year}.tif"), year);
    }
    let safe = |date: &str| format!("data/S2B_MSIL2A_{date}T030539_N0510_R075_T49QGE_{date}T070000.SAFE");
    for date in ["20240315", "20240325"] {
        for (folder, name) in [("R10m", "B03_10m"), ("R10m", "B04_10m"), ("R20m", "SCL_20m"), ("R20m", "B03_20m")] {
            scratch
                .write(&format!("{}/GRANULE/L2A/IMG_DATA/{folder}/T49QGE_{date}T030539_{name}.jp2", safe(date)), "x");
        }
        // QGIS leaves statistics beside what it has opened
        scratch
            .write(&format!("{}/GRANULE/L2A/IMG_DATA/R10m/T49QGE_{date}T030539_B04_10m.jp2.aux.xml", safe(date)), "x");
        scratch.write(&format!("{}/GRANULE/L2A/QI_DATA/MSK_DETFOO_B04.jp2", safe(date)), "x");
    }
    scratch.environment.insert("DATA".to_owned(), scratch.folder.path().join("data").display().to_string());
    let text = format!(
        "{MINIMAL}
[[passes]]
files = [\"data/*.tif\"]
sensor = \"ucayali-stretch\"
[[passes]]
files = [\"${{DATA}}/S2?_MSIL2A_*.SAFE\"]
sensor = \"sentinel-2-l2a\"
"
    );
    let passes = scratch.passes(&text).expect("passes");
    let names: Vec<&str> = passes.iter().map(|pass| pass.name.as_str()).collect();
    let safe_name = |date| safe(date).replace("data/", "").replace(".SAFE", "");
    assert_eq!(names, ["1985", "1990", "2020", &safe_name("20240315"), &safe_name("20240325")]);
    let files: Vec<_> =
        passes[3].files.iter().map(|file| file.file_name().expect("a name").to_string_lossy()).collect();
    assert_eq!(
        files,
        [
            "T49QGE_20240315T030539_B03_10m.jp2",
            "T49QGE_20240315T030539_B04_10m.jp2",
            "T49QGE_20240315T030539_SCL_20m.jp2"
        ]
    );
}

#[test]
fn passes_that_cannot_be_meant_are_refused_all_at_once() {
    let scratch = Scratch::new();
    for name in [
        "a/2020.tif",
        "b/2020.tif",
        "old/S2A_MSIL2A_20210101T030539_N0214_R075_T49QGE.SAFE/x",
        "empty/S2A_MSIL2A_20240101T030539_N0510_R075_T49QGE.SAFE/x",
    ] {
        scratch.write(name, "x");
    }
    let text = format!(
        "{MINIMAL}
[[passes]]
files = [\"nowhere/*.tif\"]
sensor = \"naip\"
[[passes]]
files = [\"a/*.tif\"]
sensor = \"naip\"
[[passes]]
files = [\"b/*.tif\"]
sensor = \"naip\"
[[passes]]
files = [\"a/*.tif\", \"b/*.tif\"]
sensor = \"naip\"
name = \"twice\"
[[passes]]
files = [\"old/*.SAFE\"]
sensor = \"sentinel-2-l2a\"
[[passes]]
files = [\"empty/*.SAFE\"]
sensor = \"sentinel-2-l2a\"
[[passes]]
files = [\"a\"]
sensor = \"naip\"
"
    );
    check_faults(
        &scratch.passes(&text).expect_err("faults"),
        &[
            "run.toml:10: nothing matches",
            "run.toml:16: two passes are called \"2020\"",
            "run.toml:19: `name` is given for 2 passes",
            "run.toml:23: is no product of sentinel-2-l2a",
            "run.toml:26: holds no band of sentinel-2-l2a",
            "run.toml:29: is a folder",
        ],
    );
}
