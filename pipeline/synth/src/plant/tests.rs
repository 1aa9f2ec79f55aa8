#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use ndarray::Array3;
use proptest::prelude::*;

const SIX: [&str; 6] = ROLES;

fn meadow(rows: usize, columns: usize) -> Array3<f32> {
    let colour = [0.05_f32, 0.08, 0.08, 0.28, 0.24, 0.13];
    Array3::from_shape_fn((6, rows, columns), |(band, _, _)| colour[band])
}

fn thing(kind: PlantKind, area_m2: f64, seed: u64) -> Planting {
    Planting { kind, row: 40.0, column: 40.0, area_m2, turns: 0.1, feather_px: 0.6, sun_turns: 0.35, seed }
}

fn planted(scene: &mut Array3<f32>, thing: &Planting) -> Result<Planted, PlantError> {
    let mut ground = Ground { reflectance: scene.view_mut(), roles: &SIX, ground_sampling_distance_m: 10.0 };
    plant(&mut ground, thing, None)
}

fn any_kind() -> impl Strategy<Value = PlantKind> {
    prop::sample::select([&PlantKind::OBJECTS[..], &[PlantKind::Bar]].concat())
}

proptest! {
    #[test]
    fn a_thing_has_about_its_area_and_changes_nothing_elsewhere(kind in any_kind(), area_px in 9.0_f64..300.0, seed in 0_u64..500) {
        let before = meadow(80, 80);
        let mut after = before.clone();
        let thing = thing(kind, area_px * 100.0, seed);
        let planted = planted(&mut after, &thing).unwrap();
        let ratio = planted.area_px as f64 / area_px;
        prop_assert!((0.5..1.7).contains(&ratio), "{kind:?} of {area_px} px covers {}", planted.area_px);
        for row in 0..80_usize {
            for column in 0..80_usize {
                let inside = row.checked_sub(planted.top_row).zip(column.checked_sub(planted.left_column))
                    .and_then(|at| planted.truth.get(at).copied().zip(planted.doubt.get(at).copied()));
                let (truth, doubt) = inside.unwrap_or((false, false));
                prop_assert!(!(truth && doubt));
                let moved = (0..6).map(|band| (after[[band, row, column]] - before[[band, row, column]]).abs()).fold(0.0, f32::max);
                prop_assert!(after.slice(s![.., row, column]).iter().all(|value| (0.0..=1.0).contains(value)));
                if !truth && !doubt {
                    prop_assert!(moved < 0.12, "{kind:?}: ground at {row}, {column} moved by {moved}");
                }
            }
        }
    }

    #[test]
    fn scattered_things_keep_to_their_element_and_apart(seed in 0_u64..200) {
        let water = Array2::from_shape_fn((120, 120), |(_, column)| column >= 60);
        let allowed = Array2::from_elem((120, 120), true);
        let plan = Scatter {
            seed, count: 12, kinds: PlantKind::OBJECTS.to_vec(), smallest_px: 4.0, largest_px: 200.0,
            ground_sampling_distance_m: 10.0,
        };
        let things = scatter(&plan, water.view(), allowed.view());
        prop_assert!(!things.is_empty());
        prop_assert_eq!(&things, &scatter(&plan, water.view(), allowed.view()));
        let mut taken = Array2::from_elem((120, 120), false);
        let mut scene = meadow(120, 120);
        for thing in &things {
            prop_assert!((4.0..=200.0).contains(&(thing.area_m2 / 100.0)));
            match thing.kind {
                PlantKind::FishCage => prop_assert!(thing.column >= 60.0),
                PlantKind::Dike => {}
                _ => prop_assert!(thing.column < 60.0),
            }
            let planted = planted(&mut scene, thing).unwrap();
            for ((row, column), covered) in planted.truth.indexed_iter().filter(|(_, covered)| **covered) {
                let at = [row + planted.top_row, column + planted.left_column];
                prop_assert!(*covered && !taken[at], "two things share {at:?}");
                taken[at] = true;
            }
        }
    }
}

#[test]
fn the_same_planting_gives_the_same_bits_and_another_seed_others() {
    let (mut one, mut two, mut three) = (meadow(80, 80), meadow(80, 80), meadow(80, 80));
    let first = planted(&mut one, &thing(PlantKind::Dump, 9_000.0, 1)).unwrap();
    let second = planted(&mut two, &thing(PlantKind::Dump, 9_000.0, 1)).unwrap();
    planted(&mut three, &thing(PlantKind::Dump, 9_000.0, 2)).unwrap();
    assert_eq!(first, second);
    assert_eq!(one, two);
    assert_ne!(one, three);
}

#[test]
fn a_building_casts_its_shadow_away_from_the_sun() {
    // the sun stands in the direction of growing columns
    let mut scene = meadow(80, 80);
    let building = Planting { turns: 0.0, sun_turns: 0.0, ..thing(PlantKind::Building, 40_000.0, 3) };
    let planted = planted(&mut scene, &building).unwrap();
    let columns: Vec<usize> =
        planted.truth.indexed_iter().filter(|(_, covered)| **covered).map(|((_, c), _)| c).collect();
    let (first, last) = (columns.iter().min().unwrap(), columns.iter().max().unwrap());
    let row = 40 - planted.top_row;
    let beside = |column: usize| scene[[2, 40, column + planted.left_column]];
    assert!(planted.doubt[[row, first - 2]], "the shadow is in doubt");
    assert!(beside(first - 2) < beside(last + 3), "{} and {}", beside(first - 2), beside(last + 3));
}

#[test]
fn a_texture_shows_in_the_visible_bands_and_infrared_follows() {
    let mut scene = meadow(80, 80);
    let picture = Array3::from_shape_fn((3, 48, 48), |(band, _, _)| [0.4_f32, 0.3, 0.2][band]);
    let texture = Texture { reflectance: picture.view(), ground_sampling_distance_m: 10.0 };
    let mut ground = Ground { reflectance: scene.view_mut(), roles: &SIX, ground_sampling_distance_m: 10.0 };
    plant(&mut ground, &thing(PlantKind::Pit, 10_000.0, 5), Some(&texture)).unwrap();
    let pixel = scene.slice(s![.., 40, 40]).to_vec();
    let expected = [0.2, 0.3, 0.4, 0.54, 0.7, 0.58];
    assert!(pixel.iter().zip(expected).all(|(got, wanted)| (f64::from(*got) - wanted).abs() < 1e-3), "{pixel:?}");
}

#[test]
fn unobserved_pixels_stay_unobserved() {
    let mut scene = meadow(80, 80);
    scene.slice_mut(s![.., 40, ..]).fill(f32::NAN);
    planted(&mut scene, &thing(PlantKind::Greenhouse, 10_000.0, 5)).unwrap();
    assert!(scene.slice(s![.., 40, ..]).iter().all(|value| value.is_nan()));
    assert!(scene.slice(s![.., 39, ..]).iter().all(|value| value.is_finite()));
}

#[test]
fn what_cannot_be_planted_is_said() {
    let mut scene = meadow(80, 80);
    let small = planted(&mut scene, &thing(PlantKind::Building, 50.0, 1)).unwrap_err();
    assert!(small.to_string().contains("0.50 px at 10 m"), "{small}");
    let outside = planted(&mut scene, &Planting { row: 200.0, ..thing(PlantKind::Pit, 5_000.0, 1) }).unwrap_err();
    assert!(outside.to_string().contains("outside 80 × 80 px"), "{outside}");
    let mut ground =
        Ground { reflectance: scene.view_mut(), roles: &["blue", "panchromatic"], ground_sampling_distance_m: 10.0 };
    let roles = plant(&mut ground, &thing(PlantKind::Pit, 5_000.0, 1), None).unwrap_err();
    assert!(roles.to_string().contains("6 band(s), 2 role(s)"), "{roles}");
    let outcome = scene == meadow(80, 80);
    assert!(outcome, "a refused planting changes nothing");
}
