//! Look-ups in layers: 100,000 patches against ten layers of 50,000 polygons each, half a million in all, one of them with a
//! million corners; with bank, chainage and nearest place. A sample is held against an intersection with every polygon.
//!
//! Writes `out/bench/law.json`. `scripts/bench-law` runs it on two cores.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use geo::{BooleanOps, BoundingRect, Intersects};
use geo_types::{Coord, LineString, MultiPolygon, Point, Polygon};
use rayon::prelude::*;
use shorewatch_domain::law::layer::{
    AdministrativeLevel, BoundarySource, Facts, Feature, KnownProblem, LayerKind, MiningPermit, Project, ProjectStage,
    WaterSourceLevel,
};
use shorewatch_domain::law::period::Period;
use shorewatch_domain::law::place::{NamedPlace, Place};
use shorewatch_domain::law::water::{Water, WaterKind, WaterReach};
use shorewatch_law::ellipsoid;
use shorewatch_law::index::{LayerIndex, Layers};

const PATCHES: usize = 100_000;
const POLYGONS_A_LAYER: usize = 50_000;
const GIANT_CORNERS: usize = 1_000_000;
const SAMPLE: usize = 200;
/// Edge of the province in degrees, about 200 km.
const EDGE: f64 = 2.0;
const CORNER: Coord<f64> = Coord { x: 108.0, y: 29.0 };
/// Rows and columns of the features of a layer.
const LATTICE: usize = 224;

/// Chance that is the same everywhere (splitmix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.next()
    }
}

/// A ring that bulges, about a place.
fn blob(centre: Coord<f64>, radius: f64, corners: usize, chance: &mut Chance) -> Polygon<f64> {
    let (waves, phase) = (2.0 + (chance.next() * 5.0).floor(), chance.next() * std::f64::consts::TAU);
    let ring = (0..corners).map(|i| {
        let angle = std::f64::consts::TAU * i as f64 / corners as f64;
        let radius = radius * (1.0 + 0.25 * (waves * angle + phase).sin());
        Coord { x: centre.x + radius * angle.cos(), y: centre.y + radius * angle.sin() }
    });
    Polygon::new(ring.collect(), Vec::new())
}

/// A patch as pixels of 10 m leave it: steps along the edge.
fn patch(chance: &mut Chance) -> Polygon<f64> {
    let (x, y) = ellipsoid::metres_per_degree(CORNER.y + EDGE / 2.0);
    let (px, py) = (10.0 / x, 10.0 / y);
    let at = Coord { x: CORNER.x + chance.next() * EDGE, y: CORNER.y + chance.next() * EDGE };
    let columns = 3 + (chance.next() * 10.0) as usize;
    let tops: Vec<f64> = (0..columns).map(|_| (2.0 + (chance.next() * 12.0).floor()) * py).collect();
    let mut ring = vec![at, Coord { x: at.x + columns as f64 * px, y: at.y }];
    for (column, top) in tops.iter().enumerate().rev() {
        let (right, left) = (at.x + (column + 1) as f64 * px, at.x + column as f64 * px);
        ring.extend([Coord { x: right, y: at.y + top }, Coord { x: left, y: at.y + top }]);
    }
    Polygon::new(LineString(ring), Vec::new())
}

fn facts(kind: LayerKind) -> Facts {
    let (valid, water_code) = (Period::default(), None);
    match kind {
        LayerKind::ManagementScope => Facts::ManagementScope { source: BoundarySource::Official, water_code },
        LayerKind::ProtectionScope => Facts::ProtectionScope { source: BoundarySource::Official, water_code },
        LayerKind::ShorelineZone => Facts::ShorelineZone { zone: "保护区".to_owned() },
        LayerKind::WaterSourceZone => Facts::WaterSourceZone { level: WaterSourceLevel::Second },
        LayerKind::Wetland => Facts::Wetland { grade: None },
        LayerKind::BlueLine => Facts::BlueLine,
        LayerKind::MiningPermit => {
            Facts::MiningPermit(MiningPermit { valid, volume_m3: Some(1.0), forbidden_seasons: Vec::new() })
        }
        LayerKind::Project => {
            let (stage, change_expected_by) = (ProjectStage::Approved, None);
            Facts::Project(Project { valid, stage, object_classes: Vec::new(), change_expected_by })
        }
        LayerKind::AdministrativeUnit => {
            Facts::AdministrativeUnit { level: AdministrativeLevel::Village, parent: None }
        }
        LayerKind::KnownProblem => {
            Facts::KnownProblem(KnownProblem { status: "挂账监管".to_owned(), area_m2: 1.0, found_on: None })
        }
    }
}

fn layers(chance: &mut Chance) -> Layers {
    let cell = EDGE / LATTICE as f64;
    let mut features = Vec::with_capacity(LayerKind::ALL.len() * POLYGONS_A_LAYER);
    for kind in LayerKind::ALL {
        for number in 0..POLYGONS_A_LAYER {
            let (row, col) = (number / LATTICE, number % LATTICE);
            let centre = Coord {
                x: CORNER.x + (col as f64 + chance.between(0.3, 0.7)) * cell,
                y: CORNER.y + (row as f64 + chance.between(0.3, 0.7)) * cell,
            };
            let giant = kind == LayerKind::AdministrativeUnit && number == 0;
            let shape = if giant {
                let middle = Coord { x: CORNER.x + EDGE / 2.0, y: CORNER.y + EDGE / 2.0 };
                blob(middle, 0.7, GIANT_CORNERS, chance)
            } else {
                let (radius, corners) = (cell * chance.between(0.4, 0.8), 24 + (chance.next() * 40.0) as usize);
                blob(centre, radius, corners, chance)
            };
            features.push(Feature {
                code: format!("{}-{number}", kind.name()),
                name: String::new(),
                geometry: MultiPolygon(vec![shape]),
                facts: facts(kind),
                other: BTreeMap::new(),
                repairs: Vec::new(),
            });
        }
    }
    let river = |number: usize| {
        let y = CORNER.y + EDGE * (number as f64 + 0.5) / 40.0;
        let line = (0..2_000).map(|i| {
            let along = f64::from(i) / 2_000.0;
            Coord { x: CORNER.x + EDGE * along, y: y + 0.01 * (along * 90.0).sin() }
        });
        let reach = WaterReach {
            code: format!("R{number}"),
            name: String::new(),
            centreline: line.collect(),
            starts_at_m: 0.0,
            ends_at_m: None,
            kilometre_points: Vec::new(),
        };
        let (code, name) = (format!("W{number}"), String::new());
        Water { code, name, kind: WaterKind::River, class: None, basin: None, reaches: vec![reach], surface: None }
    };
    let place = |number: usize, chance: &mut Chance| NamedPlace {
        code: number.to_string(),
        name: String::new(),
        location: Point::new(CORNER.x + chance.next() * EDGE, CORNER.y + chance.next() * EDGE),
    };
    Layers {
        features,
        waters: (0..40).map(river).collect(),
        places: (0..5_000).map(|number| place(number, chance)).collect(),
        versions: BTreeMap::new(),
    }
}

/// Every hit of a patch by an intersection with each polygon whose bounds meet it.
fn by_force(patch: &Polygon<f64>, features: &[Feature]) -> BTreeMap<String, f64> {
    let (bounds, area) = (patch.bounding_rect().expect("a patch has corners"), ellipsoid::polygon_area(patch));
    let met = features
        .par_iter()
        .filter(|feature| feature.geometry.bounding_rect().is_some_and(|other| other.intersects(&bounds)));
    let share = |feature: &Feature| ellipsoid::area(&feature.geometry.intersection(patch)) / area;
    met.map(|feature| (feature.code.clone(), share(feature))).filter(|(_, share)| *share > 0.0).collect()
}

/// Holds a sample against brute force; returns the largest difference of a share.
fn check(patches: &[Polygon<f64>], places: &[Place], features: &[Feature]) -> (usize, f64) {
    let (mut hits, mut largest) = (0, 0.0_f64);
    for number in (0..patches.len()).step_by(patches.len() / SAMPLE) {
        let expected = by_force(&patches[number], features);
        let found: BTreeMap<String, f64> =
            places[number].hits.values().flatten().map(|hit| (hit.code.clone(), hit.share)).collect();
        for code in expected.keys().chain(found.keys()) {
            let of = |shares: &BTreeMap<String, f64>| shares.get(code).copied().unwrap_or(0.0);
            let difference = (of(&expected) - of(&found)).abs();
            // the giant is intersected as a whole here, on a lattice of its own size: to a centimetre
            let tolerance = if code.ends_with("unit-0") { 1e-3 } else { 1e-6 };
            assert!(difference < tolerance, "patch {number}, {code}: {} by force, {} found", of(&expected), of(&found));
            largest = largest.max(difference);
        }
        hits += expected.len();
    }
    assert!(hits > SAMPLE, "the sample meets too little to tell anything: {hits} hits");
    (hits, largest)
}

#[expect(clippy::print_stdout, reason = "a bench tells its figures")]
fn main() {
    let mut chance = Chance(20_240_418);
    let layers = layers(&mut chance);
    let patches: Vec<Polygon<f64>> = (0..PATCHES).map(|_| patch(&mut chance)).collect();
    let features = layers.features.clone();
    let corners: usize = features.iter().map(|one| one.geometry.0[0].exterior().0.len() - 1).sum();

    let began = Instant::now();
    let index = LayerIndex::new(layers);
    let build_s = began.elapsed().as_secs_f64();
    let began = Instant::now();
    let places: Vec<Place> = patches.par_iter().map(|patch| index.place(patch)).collect();
    let look_up_s = began.elapsed().as_secs_f64();

    let hits: usize = places.iter().map(|place| place.hits.values().map(Vec::len).sum::<usize>()).sum();
    let partial =
        places.iter().flat_map(|place| place.hits.values().flatten()).filter(|hit| hit.share < 1.0 - 1e-9).count();
    let positions = places.iter().filter(|place| place.position.is_some()).count();
    let (sample_hits, largest) = check(&patches, &places, &features);

    let threads = rayon::current_num_threads();
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../out/bench"));
    std::fs::create_dir_all(folder).expect("a folder for the figures");
    let figures = serde_json::json!({
        "patches": PATCHES,
        "layers": LayerKind::ALL.len(),
        "polygons_a_layer": POLYGONS_A_LAYER,
        "polygons": features.len(),
        "corners": corners,
        "largest_polygon_corners": GIANT_CORNERS,
        "threads": threads,
        "build_s": build_s,
        "look_up_s": look_up_s,
        "total_s": build_s + look_up_s,
        "hits": hits,
        "partial_hits": partial,
        "positions": positions,
        "checked_patches": SAMPLE,
        "checked_hits": sample_hits,
        "largest_difference_of_a_share": largest,
    });
    std::fs::write(folder.join("law.json"), format!("{figures:#}\n")).expect("the figures are written");
    println!(
        "{PATCHES} patches × {} layers × {POLYGONS_A_LAYER} polygons ({} in all, {corners} corners), {threads} threads:\n  index {build_s:.2} s, \
         look-ups {look_up_s:.2} s ({hits} hits, {partial} of them partial, {positions} positions)\n  {SAMPLE} patches checked against \
         every polygon: {sample_hits} hits, shares differ by at most {largest:.1e}",
        LayerKind::ALL.len(),
        features.len()
    );
}
