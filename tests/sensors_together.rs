//! Passes of unlike pixels on one grid: a drone against a satellite, 5 m against 10 m. A known shift is measured and taken back
//! to within half a pixel of the grid; one that is too far for that is held and told.

mod common;

use std::path::{Path, PathBuf};

use common::{Place, real_data, text};
use ndarray::{Array2, Array3, ArrayView2, s, stack};
use serde_json::Value;
use shorewatch::change::fit::{PairFit, laid_on};
use shorewatch::change::pair::{Delivered, Pair, PairWindow};
use shorewatch::configuration::built_in_sensor;
use shorewatch_domain::crs::Epsg;
use shorewatch_domain::registration::{Apart, register};
use shorewatch_imagery::open::Limits;
use shorewatch_imagery::stored::read_stored;
use shorewatch_imagery::write::{GeoTiffOptions, write_geotiff};
use tempfile::TempDir;

/// Where the painted ground lies.
const CORNER: (f64, f64) = (166_000.0, 20_000.0);
const EPSG: Epsg = Epsg(32631);

/// Edge of a pixel of the painted ground, of the ground that passes show, and of what is painted around it.
const FINE_M: f64 = 0.5;
const SHOWN_M: f64 = 1_920.0;
const AROUND_M: f64 = 60.0;

/// Fields, roofs and roads of painted ground: brightness 0..1 of each pixel (row, col).
fn ground() -> Array2<f32> {
    let edge = ((SHOWN_M + 2.0 * AROUND_M) / FINE_M) as usize;
    let chance = |row: i64, col: i64, salt: u64| {
        let mut state =
            (row as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (col as u64).wrapping_mul(0xC2B2_AE3D) ^ salt;
        state = (state ^ (state >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        ((state >> 40) as f32) / ((1_u64 << 24) as f32)
    };
    // a field is the ground nearest to its middle; middles lie one in each square of 70 m
    let square = 70.0 / FINE_M as f32;
    Array2::from_shape_fn((edge, edge), |(row, col)| {
        let (y, x) = (row as f32 / square, col as f32 / square);
        let (top, left) = (y.floor() as i64, x.floor() as i64);
        let near = (top - 1..=top + 1).flat_map(|r| (left - 1..=left + 1).map(move |c| (r, c)));
        let nearest = near.map(|(r, c)| {
            let (down, right) = (r as f32 + chance(r, c, 1) - y, c as f32 + chance(r, c, 2) - x);
            (down * down + right * right, 0.15 + 0.6 * chance(r, c, 3))
        });
        let (_, field) = nearest.min_by(|one, other| one.0.total_cmp(&other.0)).unwrap_or((0.0, 0.5));
        // trees, roofs, furrows of a few metres
        field + 0.12 * (chance((row / 9) as i64, (col / 9) as i64, 4) - 0.5)
    })
}

/// The ground in pixels of `size_m` (row, col), its content `shift_m` to the right of and below its true place.
fn seen(ground: ArrayView2<'_, f32>, size_m: f64, shift_m: (f64, f64)) -> Array2<f32> {
    let (edge, block) = ((SHOWN_M / size_m) as usize, (size_m / FINE_M) as usize);
    let from = |shift: f64| ((AROUND_M - shift) / FINE_M).round() as usize;
    let (left, top) = (from(shift_m.0), from(shift_m.1));
    Array2::from_shape_fn((edge, edge), |(row, col)| {
        let (row, col) = (top + row * block, left + col * block);
        ground.slice(s![row..row + block, col..col + block]).mean().unwrap_or(0.0)
    })
}

/// Writes what a sensor makes of the ground: each band another line, each sensor another stretch and its own noise.
fn write(folder: &Path, sensor: &str, size_m: f64, seen: &Array2<f32>) -> PathBuf {
    let path = folder.join(format!("{sensor}-{size_m}.tif"));
    let place = Some(([CORNER.0, size_m, 0.0, CORNER.1, 0.0, -size_m], EPSG));
    let noise = |row: usize, col: usize| ((row * 7919 + col * 104_729) % 997) as f32 / 997.0 - 0.5;
    let bands = |count: usize, value: &dyn Fn(usize, f32) -> f32| -> Array3<f32> {
        let bands: Vec<_> = (0..count)
            .map(|band| {
                let mut plane = seen.mapv(|ground| value(band, ground));
                plane.indexed_iter_mut().for_each(|((row, col), value)| *value *= 1.0 + 0.02 * noise(row, col + band));
                plane
            })
            .collect();
        let views: Vec<_> = bands.iter().map(|band| band.view()).collect();
        stack(ndarray::Axis(0), &views).expect("planes of one shape")
    };
    let options = GeoTiffOptions::default();
    let written = match sensor {
        "synthetic" => {
            let mut stored = bands(6, &|band, ground| (500.0 + 2500.0 * ground) * (1.0 + 0.1 * band as f32));
            stored.slice_mut(s![5, .., ..]).fill(0.0);
            write_geotiff(&path, stored.mapv(|value| value as u16).view(), place, &options)
        }
        // darker, and of more contrast
        "naip-prairie" => write_geotiff(
            &path,
            bands(4, &|band, ground| 20.0 + 190.0 * ground.powf(1.4) + 4.0 * band as f32)
                .mapv(|value| value as u8)
                .view(),
            place,
            &options,
        ),
        _ => write_geotiff(
            &path,
            bands(3, &|band, ground| 60.0 + 170.0 * ground - 6.0 * band as f32).mapv(|value| value as u8).view(),
            place,
            &options,
        ),
    };
    written.expect("a pass");
    path
}

/// One pass of a pair: its file, and the sensor.
type Taken<'a> = (&'a Path, &'a str);

/// Both passes on the lattice of the later one, and what is common to them.
fn fitted(before: Taken<'_>, after: Taken<'_>) -> (PairWindow, PairFit) {
    let profile = |taken: Taken<'_>| built_in_sensor(taken.1).expect("a built-in sensor");
    let (earlier, later) = (profile(before), profile(after));
    let files = [before.0, after.0].map(|file| vec![file.to_owned()]);
    let pair = Pair::open(
        &Delivered { name: "before", files: &files[0], profile: &earlier },
        &Delivered { name: "after", files: &files[1], profile: &later },
    )
    .expect("a pair");
    let read = pair.read(pair.window).expect("a window");
    let fit = PairFit::of(std::slice::from_ref(&read)).expect("a fit");
    (read, fit)
}

/// By how many pixels of the later pass's lattice the earlier content lies to the right and below; and how far it is still off
/// after that was taken back.
fn measured(before: Taken<'_>, after: Taken<'_>) -> ((f32, f32), f32) {
    let (read, fit) = fitted(before, after);
    let told = fit.registration.expect("the shift can be told");
    let (laid, observed) = laid_on(&read, Some(&told));
    let left = register(read.after.pixels.view(), laid.view(), observed.view()).expect("what is left can be told");
    assert!(told.residual_rmse_px < 0.5, "{told:?}");
    ((told.dx_px, told.dy_px), left.dx_px.hypot(left.dy_px))
}

fn assert_taken_back(what: &str, found: ((f32, f32), f32), expected_px: (f64, f64)) {
    let ((dx, dy), left) = found;
    let off = (f64::from(dx) - expected_px.0).hypot(f64::from(dy) - expected_px.1);
    assert!(off <= 0.5, "{what}: measured {dx:.2}, {dy:.2} px, planted {expected_px:?}");
    assert!(left <= 0.5, "{what}: {left:.2} px are left after it was taken back");
}

#[test]
fn a_known_shift_between_unlike_pixels_is_taken_back() {
    let folder = TempDir::new().expect("a folder");
    let ground = ground();
    let straight = (0.0, 0.0);
    let drone = write(folder.path(), "drone-rgb", 0.5, &seen(ground.view(), 0.5, straight));
    let aerial = write(folder.path(), "naip-prairie", 5.0, &seen(ground.view(), 5.0, straight));
    for shift_m in [(0.0, 0.0), (13.0, -7.0), (-24.5, 31.0)] {
        let satellite = write(folder.path(), "synthetic", 10.0, &seen(ground.view(), 10.0, shift_m));
        let of_grid = |size_m: f64| (shift_m.0 / size_m, shift_m.1 / size_m);
        let back = |(x, y): (f64, f64)| (-x, -y);
        let satellite = (satellite.as_path(), "synthetic");
        // the grid is that of the later pass
        let found = measured((&drone, "drone-rgb"), satellite);
        assert_taken_back("drone, then satellite", found, back(of_grid(10.0)));
        let found = measured((&aerial, "naip-prairie"), satellite);
        assert_taken_back("5 m, then 10 m", found, back(of_grid(10.0)));
        let found = measured(satellite, (&aerial, "naip-prairie"));
        assert_taken_back("10 m, then 5 m", found, of_grid(5.0));
    }
}

#[test]
fn a_shift_beyond_the_search_is_not_taken_for_another() {
    let folder = TempDir::new().expect("a folder");
    let ground = ground();
    let aerial = write(folder.path(), "naip-prairie", 5.0, &seen(ground.view(), 5.0, (-60.0, -60.0)));
    let satellite = write(folder.path(), "synthetic", 10.0, &seen(ground.view(), 10.0, (60.0, 60.0)));
    // twelve pixels each way, where eight are looked for
    let (read, fit) = fitted((&aerial, "naip-prairie"), (&satellite, "synthetic"));
    assert!(fit.registration.is_none(), "{:?}", fit.registration);
    // but it is known to be far off
    let (before, observed) = laid_on(&read, None);
    let apart = Apart::of(read.after.pixels.view(), before.view(), observed.view()).expect("it can be told");
    assert!(apart.is_far && (apart.px() - 12.0 * 2.0_f32.sqrt()).abs() < 0.5, "{apart:?}");
}

/// A painted pass under another name and time, its content `right` and `down` pixels from its place; gives its entry.
fn displaced(place: &Place, file: &str, name: &str, time: &str, (right, down): (f64, f64)) -> String {
    let pixels = read_stored::<u16>(&place.path("imagery").join(file), &Limits::default()).expect("a pass");
    let corner = (CORNER.0 + 10.0 * right, CORNER.1 - 10.0 * down);
    let geotransform = [corner.0, 10.0, 0.0, corner.1, 0.0, -10.0];
    let path = place.path(&format!("{name}.tif"));
    write_geotiff(&path, pixels.view(), Some((geotransform, EPSG)), &GeoTiffOptions::default()).expect("written");
    format!(
        "[[passes]]\nfiles = [\"{name}.tif\"]\nsensor = \"synthetic\"\nname = \"{name}\"\ntime = \"{time}T00:00:00Z\"\n"
    )
}

#[test]
fn a_pass_that_lies_far_off_is_held_counted_and_told_and_the_others_are_compared() {
    let (spring, summer, autumn) = ("synthetic-20240418.tif", "synthetic-20240622.tif", "synthetic-20241030.tif");
    let mut place = Place::painted();
    let straight = (0.0, 0.0);
    let before = [
        displaced(&place, spring, "first", "2024-04-18", straight),
        displaced(&place, summer, "second", "2024-05-22", straight),
    ];
    let off = [
        displaced(&place, summer, "off-12", "2024-06-22", (-12.0, 0.0)),
        displaced(&place, summer, "off-20", "2024-07-22", (0.0, -20.0)),
        displaced(&place, summer, "off-40", "2024-08-22", (-40.0, 0.0)),
    ];
    let last = displaced(&place, autumn, "last", "2024-10-30", straight);
    place.extra = "[change]\nlook_back_passes = 5\n".to_owned();
    place.passes = format!("{}{}{last}", before.concat(), off.concat());
    place.configure("run.toml", "state");
    let summary = place.json(3, &["run", "--config", "run.toml"]);
    let held: Vec<&str> = summary["faults"].as_array().expect("faults").iter().filter_map(Value::as_str).collect();
    // each of the three lies off every pass before it, and the last one off all three
    let expected = [
        ("off-12", "first", 12.0),
        ("off-12", "second", 12.0),
        ("off-20", "first", 20.0),
        ("off-20", "second", 20.0),
        ("off-20", "off-12", 23.3),
        ("off-40", "first", 40.0),
        ("off-40", "second", 40.0),
        ("off-40", "off-12", 28.0),
        ("off-40", "off-20", 44.7),
        ("last", "off-12", 12.0),
        ("last", "off-20", 20.0),
        ("last", "off-40", 40.0),
    ];
    for (later, earlier, off_px) in expected {
        let (of, than) = (format!("of pass {later} lie up to "), format!(" px off pass {earlier} "));
        let told = held.iter().find_map(|line| line.split_once(&of)?.1.split_once(&than));
        let told: f64 = told
            .unwrap_or_else(|| panic!("{later} against {earlier} is not held: {held:#?}"))
            .0
            .parse()
            .expect("a number of pixels");
        assert!((told - off_px).abs() < 1.5, "{later} against {earlier}: {told} px");
    }
    assert_eq!(held.len(), expected.len(), "{held:#?}");
    let store = rusqlite::Connection::open(place.path("state/store.gpkg")).expect("the store opens");
    let number = |sql: &str, pass: &str| -> f64 { store.query_row(sql, [pass], |row| row.get(0)).expect("a number") };
    let compared = "SELECT SUM(compared_px) FROM observations JOIN passes USING (pass_id) WHERE name = ?1";
    let patches = "SELECT count(*) FROM patches JOIN passes ON passes.pass_id = patches.post_pass_id WHERE name = ?1";
    let seen = "SELECT MAX(observed_fraction) FROM follow_ups JOIN passes USING (pass_id) WHERE name = ?1";
    assert!(number(compared, "second") > 0.0 && number(patches, "second") > 0.0);
    for pass in ["off-12", "off-20", "off-40"] {
        assert_eq!(
            [compared, patches, seen].map(|sql| number(sql, pass)),
            [0.0; 3],
            "{pass} shows nothing of these places"
        );
    }
    for sql in [compared, patches, seen] {
        assert!(number(sql, "last") > 0.0, "against passes that it lies on it is compared: {sql}");
    }
    // how the ground is cut makes no difference
    place.unit_px = 200;
    place.passes = format!("{}{}{last}", before[1], off[0]);
    place.configure("cut.toml", "cut");
    let cut = place.json(3, &["run", "--config", "cut.toml"]);
    let cut: Vec<&str> = cut["faults"].as_array().expect("faults").iter().filter_map(Value::as_str).collect();
    assert!(cut.len() == 2 && cut.iter().all(|line| held.contains(line)), "{cut:#?} {held:#?}");

    let status = place.json(0, &["status", "--config", "run.toml"]);
    assert_eq!(status["held"].as_array().map(Vec::len), Some(expected.len()), "{status}");
    let report = place.run(&["report", "--config", "run.toml"]);
    assert!(report.status.success(), "{}", text(&report));
    let page = std::fs::read_to_string(place.path("state/out/report.html")).expect("the report");
    assert!(page.contains("off pass first (more than 2 px)") && page.contains("held: the passes lie too far apart"));
}

#[test]
fn a_shift_between_real_dates_of_unlike_pixels_is_taken_back() {
    let Some(data) = real_data("naip-prairie") else { return };
    let mut files: Vec<PathBuf> = std::fs::read_dir(data)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "tif"))
        .collect();
    files.sort();
    let folder = TempDir::new().expect("a folder");
    let stored = read_stored::<u8>(files.last().expect("a pass"), &Limits::default()).expect("pixels");
    let (_, rows, cols) = stored.dim();
    // the later date in pixels of 10 m, as it is, and from three rows and two columns further on: content moves up and left
    let coarse = |name: &str, (down, right): (usize, usize)| {
        let shape = (4, (rows - 4) / 2, (cols - 4) / 2);
        let pixels = Array3::from_shape_fn(shape, |(band, row, col)| {
            let (row, col) = (2 * row + down, 2 * col + right);
            let block = stored.slice(s![band, row..row + 2, col..col + 2]);
            (block.iter().map(|value| u32::from(*value)).sum::<u32>() / 4) as u8
        });
        let path = folder.path().join(name);
        let place = Some(([CORNER.0, 10.0, 0.0, CORNER.1, 0.0, -10.0], EPSG));
        write_geotiff(&path, pixels.view(), place, &GeoTiffOptions::default()).expect("a pass");
        path
    };
    let fine = folder.path().join("fine.tif");
    let earlier = read_stored::<u8>(&files[files.len() - 2], &Limits::default()).expect("pixels");
    let place = Some(([CORNER.0, 5.0, 0.0, CORNER.1, 0.0, -5.0], EPSG));
    write_geotiff(&fine, earlier.view(), place, &GeoTiffOptions::default()).expect("a pass");
    let before = (fine.as_path(), "naip-prairie");
    let as_it_is = measured(before, (&coarse("as-it-is.tif", (0, 0)), "naip-prairie"));
    let shifted = measured(before, (&coarse("shifted.tif", (3, 2)), "naip-prairie"));
    // how the two dates lie by themselves is not known exactly: the difference is
    let planted = (f64::from(as_it_is.0.0) + 1.0, f64::from(as_it_is.0.1) + 1.5);
    assert_taken_back("real dates", shifted, planted);
}
