//! Which file is which band, and what is refused before any file is opened.

use super::*;

fn band_files(folder: &Path) -> (SensorProfile, Vec<PathBuf>) {
    let mut profile = profile();
    profile.layout = Layout::FilePerBand;
    profile.nodata_rule = NodataRule::AnyBand;
    for (number, band) in profile.bands.iter_mut().enumerate() {
        band.index = 1;
        band.file_pattern = Some(format!("*_B{}.TIF", number + 1));
    }
    profile.quality = Some(QualityProfile {
        index: 1,
        file_pattern: Some("*_QA.tif".to_owned()),
        required: false,
        flags: vec![QualityFlag { mask: 8, equals: 8, cause: QualityCause::Cloud, meaning: "cloud".to_owned() }],
    });
    let files = ["B3", "B1", "QA", "B2"].map(|band| {
        let path = folder.join(format!("scene_20240315_{band}.tif"));
        write_geotiff(&path, paint(&["ab", "cd"], 1).view(), Some(PLACE), &plain()).expect("written");
        path
    });
    (profile, files.to_vec())
}

#[test]
fn one_file_a_band_is_put_in_the_profiles_order() {
    let folder = folder();
    let (profile, files) = band_files(folder.path());
    let pass = admit(&files, &profile, &options()).expect("recorded");
    let names: Vec<_> = pass.files.iter().map(|file| delivery::file_name(Path::new(&file.path))).collect();
    assert_eq!(names, ["B1", "B2", "B3", "QA"].map(|band| format!("scene_20240315_{band}.tif")));
    let backwards: Vec<_> = files.iter().rev().cloned().collect();
    assert_eq!(admit(&backwards, &profile, &options()).expect("recorded"), pass);
}

#[test]
fn missing_double_and_foreign_files_are_named() {
    let folder = folder();
    let (profile, files) = band_files(folder.path());
    let text = |files: &[PathBuf]| admit(files, &profile, &options()).expect_err("refused").to_string();
    let without_red: Vec<_> = files.iter().filter(|path| !path.ends_with("scene_20240315_B1.tif")).cloned().collect();
    let missing = text(&without_red);
    assert!(missing.contains("no file for band B1 (red)") && missing.contains("*_B1.TIF"), "{missing}");
    let with = |name: &str| {
        let path = folder.path().join(name);
        fs::copy(&files[0], &path).expect("copied");
        [files.clone(), vec![path]].concat()
    };
    let double = text(&with("other_20240316_B2.tif"));
    assert!(double.contains("2 files match \"*_B2.TIF\""), "{double}");
    let foreign = text(&with("browse.tif"));
    assert!(foreign.contains("browse.tif") && foreign.contains("one file a band"), "{foreign}");
    let no_quality: Vec<_> = files.iter().filter(|path| !path.ends_with("scene_20240315_QA.tif")).cloned().collect();
    let pass = admit(&no_quality, &profile, &options()).expect("recorded");
    assert!(pass.warnings.iter().any(|text| text.contains("clouds and their shadows are not masked")));
    let mut strict = profile.clone();
    strict.quality.as_mut().expect("set above").required = true;
    assert!(matches!(admit(&no_quality, &strict, &options()), Err(ImageryError::MissingBand { .. })));
}

#[test]
fn files_of_different_places_are_no_pass() {
    let folder = folder();
    let (profile, files) = band_files(folder.path());
    let far = ([700_000.0, 10.0, 0.0, 5_205_000.0, 0.0, -10.0], Epsg(32614));
    write_geotiff(&files[3], paint(&["ab", "cd"], 1).view(), Some(far), &plain()).expect("written");
    let pass = admit(&files, &profile, &options()).expect("recorded");
    assert!(pass.state.reason().is_some_and(|reason| reason.contains("does not overlap")), "{:?}", pass.state);
}

#[test]
fn patterns_match_whole_names() {
    let check = |pattern: &str, name: &str, expected: bool| {
        assert_eq!(name_matches(pattern, name), expected, "{pattern} {name}");
    };
    check("*_B04.jp2", "T49QCE_20240315T030541_B04.jp2", true);
    check("*_B04.jp2", "T49QCE_20240315T030541_B04.JP2", true);
    check("*_B04.jp2", "T49QCE_20240315T030541_B04.jp2.aux", false);
    check("*_B04*.jp2", "T49QCE_B04_10m.jp2", true);
    check("*B8*", "x_B8A.jp2", true);
    check("LC0?_*", "LC08_1", false);
    check("a*a", "a", false);
    check("a*a", "aa", true);
    check("*", "", true);
    check("exact.tif", "exact.tif", true);
    check("*ab*ab", "xabab", true);
    check("*ab*ab", "xab", false);
}

#[test]
fn profiles_that_no_file_can_satisfy_are_refused_before_any_file() {
    let text = |change: &dyn Fn(&mut SensorProfile)| {
        let mut broken = profile();
        change(&mut broken);
        admit(&[PathBuf::from("missing.tif")], &broken, &options()).expect_err("refused").to_string()
    };
    assert!(text(&|profile| profile.bands[1].index = 0).contains("bands count from 1"));
    assert!(text(&|profile| profile.layout = Layout::FilePerBand).contains("has no file_pattern"));
    assert!(text(&|profile| profile.bands[1].role = BandRole::Red).contains("two bands have the role red"));
    assert!(text(&|profile| profile.time.file_name_pattern = Some("(".to_owned())).contains("no regular expression"));
    assert!(text(&|profile| profile.bands.clear()).contains("has no bands"));
    assert!(text(&|_| ()).contains("missing.tif"), "then the files are looked for");
}
