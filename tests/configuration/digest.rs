//! What decides results enters the digest, and nothing else.

use shorewatch::configuration::sensor_digest;

use crate::scratch::{MINIMAL, Scratch, repository_file};

#[test]
fn the_digest_is_stable_and_insensitive_to_places_and_threads() {
    let digest = |text: &str| Scratch::new().settings(text).result_digest();
    let naip = "[[passes]]\nfiles = [\"x/*.tif\"]\nsensor = \"naip\"\n";
    let base = digest(&format!("{MINIMAL}{naip}"));
    let same = [
        // a unit carries the digest of the profile that each of its passes is read by
        format!("{MINIMAL}{}", naip.replace("naip", "naip-prairie")),
        format!("{}{naip}", MINIMAL.replace("\"work\"", "\"elsewhere\"").replace("shore.gpkg", "other.gpkg")),
        format!("{MINIMAL}{naip}[runtime]\nthreads = 7\n"),
        format!("{MINIMAL}{naip}[tiles]\nunit_px = 256\n"),
        format!("{MINIMAL}{naip}[patches]\nchips = false\n[limits]\nmaximum_bands = 4\n"),
        format!("{MINIMAL}{}", naip.replace("x/*.tif", "y/*.tif")),
        format!("{MINIMAL}{naip}{naip}[[reaches]]\nfile = \"r.geojson\"\nid_field = \"i\"\nname_field = \"n\"\n"),
        format!(
            "{MINIMAL}{naip}[schedule]\ndefault_cadence_days = 9\nno_pass_alarm_days = 3\nobserved_fraction_min = 0.9\n"
        ),
        format!("{MINIMAL}{naip}[[schedule.watch]]\nfolder = \"in\"\nfiles = [\"*.tif\"]\nsensor = \"naip\"\n"),
        format!("{MINIMAL}{naip}[boundary_check]\nring_m = 90\npasses_min = 3\noutside_min_m2 = 0\n"),
        format!("# a comment\n{MINIMAL}{naip}"),
    ];
    for text in &same {
        assert_eq!(digest(text), base, "{text}");
    }
    let other = [
        format!("{}{naip}", MINIMAL.replace("distance_m = 10", "distance_m = 5")),
        format!("{}{naip}", MINIMAL.replace("zones = \"utm\"", "epsg = 32649")),
        format!("{}{naip}", MINIMAL.replace("zones = \"utm\"", "zones = \"utm\", origin_x_m = 5")),
        format!(
            "{}{naip}",
            MINIMAL.replace("bundle = \"landcover-grn\"", "bundle = \"landcover-grn\", backend = \"fake\"")
        ),
        format!("{MINIMAL}{naip}[change]\nlook_back_passes = 4\n"),
        format!("{MINIMAL}{naip}[patches]\nsimplify_tolerance_px = 0.5\n"),
    ];
    for text in &other {
        assert_ne!(digest(text), base, "{text}");
    }
}

#[test]
fn words_for_people_do_not_enter_the_digest_but_numbers_do() {
    let scratch = Scratch::new();
    let table = repository_file("configs/classes.toml");
    let with_table = format!("{MINIMAL}classes.file = \"classes.toml\"\n");
    let digest = |text: &str| {
        scratch.write("classes.toml", text);
        scratch.settings(&with_table).result_digest()
    };
    let base = digest(&table);
    assert_eq!(digest(&table.replace("Roofs, yards", "Yards, roofs")), base);
    assert_ne!(digest(&table.replace("minimum_confidence = 0.6", "minimum_confidence = 0.61")), base);

    let profile = &scratch.settings(MINIMAL).sensors["synthetic"].profile;
    let mut titled = profile.clone();
    titled.title = "another".to_owned();
    assert_eq!(sensor_digest(&titled), sensor_digest(profile));
    titled.nodata = Some(1.0);
    assert_ne!(sensor_digest(&titled), sensor_digest(profile));
}
