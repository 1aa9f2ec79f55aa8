//! Painted pairs of dates: what is cloud, and what only looks like it.

use ndarray::{Array2, Array3, s};

use super::super::scenes::Random;
use super::*;

const EDGE: usize = 320;
const ROLES: [BandRole; 4] = [BandRole::Blue, BandRole::Green, BandRole::Red, BandRole::Nir];
const FOREST: [f32; 4] = [0.03, 0.06, 0.04, 0.35];
const SOIL: [f32; 4] = [0.09, 0.13, 0.18, 0.27];
const WATER: [f32; 4] = [0.04, 0.05, 0.03, 0.01];
const LIMESTONE: [f32; 4] = [0.52, 0.54, 0.55, 0.57];

/// Two dates of fields and woods with detail of their own, in reflectance.
struct Pair {
    dates: [Array3<f32>; 2],
    observed: Array2<bool>,
    random: Random,
}

impl Pair {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let fields: Vec<f32> = (0..64).map(|_| random.uniform() as f32).collect();
        let detail = bumps(&mut random, 6);
        let ground = Array3::from_shape_fn((4, EDGE, EDGE), |(band, row, col)| {
            let soil = (fields[8 * (row / 40) + col / 40] + 0.15 * detail[(row, col)]).clamp(0.0, 1.0);
            FOREST[band] + soil * (SOIL[band] - FOREST[band])
        });
        let mut seen = || ground.mapv(|value| value + 0.004 * random.normal() as f32);
        let dates = [seen(), seen()];
        Self { dates, observed: Array2::from_elem((EDGE, EDGE), true), random }
    }

    /// Something of even reflectance with a sharp edge on a date, where `is_inside`.
    fn lay(&mut self, date: usize, what: [f32; 4], is_inside: impl Fn(usize, usize) -> bool) {
        for ((band, row, col), value) in self.dates[date].indexed_iter_mut() {
            if is_inside(row, col) {
                *value = what[band] + 0.006 * self.random.normal() as f32;
            }
        }
    }

    /// A ragged cloud on a date with its shadow 48 pixels below and 32 to the left of it; returns both opacities.
    fn overcast(&mut self, date: usize, row: f32, col: f32, radius: f32) -> [Array2<f32>; 2] {
        let (coarse, fine) = (bumps(&mut self.random, 24), bumps(&mut self.random, 7));
        let opacity = |at_row: f32, at_col: f32| {
            let place = |value: f32| value.clamp(0.0, EDGE as f32 - 1.0) as usize;
            let at = (place(at_row), place(at_col));
            let distance = (at_row - row).hypot(at_col - col) / radius;
            ((1.0 - distance + 0.35 * coarse[at] + 0.15 * fine[at]) / 0.4).clamp(0.0, 0.95)
        };
        let sky = |down: f32, right: f32| {
            Array2::from_shape_fn((EDGE, EDGE), |(row, col)| opacity(row as f32 - down, col as f32 - right))
        };
        let (cloud, shadow) = (sky(0.0, 0.0), sky(48.0, -32.0));
        for ((_, row, col), value) in self.dates[date].indexed_iter_mut() {
            let at = (row, col);
            *value *= 1.0 - 0.55 * shadow[at];
            *value += cloud[at] * (0.62 + 0.02 * fine[at] - *value);
        }
        [cloud, shadow]
    }

    fn map(&self) -> CloudMap {
        self.map_with(&CloudSettings::default())
    }

    fn map_with(&self, settings: &CloudSettings) -> CloudMap {
        let mut blocks = PairBlocks::new(4, EDGE, EDGE, 4);
        blocks.add((0, 0), self.dates[0].view(), self.dates[1].view(), self.observed.view());
        let scale = WhiteScale::reflectance(4);
        CloudMap::of(&blocks, &ROLES, [&scale, &scale], settings).expect("bands and blocks")
    }
}

/// Smooth noise with bumps of some pixels, about −1 to 1.
fn bumps(random: &mut Random, size: usize) -> Array2<f32> {
    let nodes =
        Array2::from_shape_simple_fn((EDGE / size + 2, EDGE / size + 2), || 2.0 * random.uniform() as f32 - 1.0);
    Array2::from_shape_fn((EDGE, EDGE), |(row, col)| {
        let (down, right) = ((row % size) as f32 / size as f32, (col % size) as f32 / size as f32);
        let at = |rows: usize, cols: usize| nodes[(row / size + rows, col / size + cols)];
        let (above, below) = (at(0, 0) + right * (at(0, 1) - at(0, 0)), at(1, 0) + right * (at(1, 1) - at(1, 0)));
        above + down * (below - above)
    })
}

/// Share of the pixels where `is_wanted` that a cause hides on a date.
fn share_hidden(map: &CloudMap, date: usize, cause: Causes, is_wanted: impl Fn((usize, usize)) -> bool) -> f32 {
    let (mut wanted, mut hidden) = (0, 0);
    for row in 0..EDGE {
        for col in 0..EDGE {
            if is_wanted((row, col)) {
                wanted += 1;
                hidden += usize::from(map.at(row, col)[date] == cause);
            }
        }
    }
    hidden as f32 / wanted as f32
}

#[test]
fn a_cloud_and_its_shadow_are_found_on_their_own_date() {
    for date in [0, 1] {
        for seed in 1..5 {
            let mut pair = Pair::new(seed);
            let [cloud, shadow] = pair.overcast(date, 130.0, 170.0, 60.0);
            let map = pair.map();
            let found = share_hidden(&map, date, Causes::CLOUD, |at| cloud[at] > 0.5);
            assert!(found > 0.9, "date {date}, seed {seed}: {found} of the cloud");
            let far = share_hidden(&map, date, Causes::CLOUD, |at| cloud[at] == 0.0);
            assert!(far < 0.05, "date {date}, seed {seed}: {far} of what is clear");
            let shaded = share_hidden(&map, date, Causes::CLOUD_SHADOW, |at| shadow[at] > 0.5 && cloud[at] < 0.05);
            assert!(shaded > 0.7, "date {date}, seed {seed}: {shaded} of the shadow");
            let other = [&map.before, &map.after][1 - date];
            assert_eq!((other.cloud_share, other.shadow_share), (0.0, 0.0), "date {date}, seed {seed}");
            let offset = [&map.before, &map.after][date].shadow_offset.expect("a shadow");
            assert!(offset.0.abs_diff(12) <= 4 && offset.1.abs_diff(-8) <= 4, "{offset:?}");
        }
    }
}

#[test]
fn a_cloud_over_the_rows_that_are_looked_at_together_is_found_as_any_other() {
    // its middle lies on the border of the first strip of 64 blocks
    let mut pair = Pair::new(6);
    let [cloud, _] = pair.overcast(1, 256.0, 170.0, 50.0);
    let map = pair.map();
    let found = share_hidden(&map, 1, Causes::CLOUD, |at| cloud[at] > 0.5);
    assert!(found > 0.9, "{found} of the cloud");
    let near_border = |(row, col): (usize, usize)| (248..264).contains(&row) && cloud[(row, col)] > 0.5;
    let found = share_hidden(&map, 1, Causes::CLOUD, near_border);
    assert!(found > 0.9, "{found} of the cloud near the border");
}

#[test]
fn a_sharp_bright_quarry_is_no_cloud() {
    let mut pair = Pair::new(1);
    pair.lay(1, LIMESTONE, |row, col| (100..148).contains(&row) && (90..150).contains(&col));
    pair.lay(1, LIMESTONE, |row, col| {
        let (down, right) = (row as f32 - 240.0, col as f32 - 200.0);
        (0.8 * down + 0.6 * right).hypot(1.5 * (0.8 * right - 0.6 * down)) < 34.0
    });
    assert!(pair.map().is_clear());
    // it is its edge that tells
    let any_edge = CloudSettings { sharp_edge: [1.0, 1.0], ..CloudSettings::default() };
    assert!(pair.map_with(&any_edge).after.cloud_share > 0.02);
    // of the size of an object of concern it is too small besides
    let mut pair = Pair::new(1);
    pair.overcast(1, 160.0, 160.0, 8.0);
    assert!(pair.map().is_clear());
}

#[test]
fn a_harvested_field_is_no_cloud_and_a_new_lake_no_shadow() {
    let mut pair = Pair::new(2);
    // wood before, stubble after
    pair.lay(0, FOREST, |row, col| row < 80 && (120..240).contains(&col));
    pair.lay(1, [0.17, 0.2, 0.23, 0.27], |row, col| row < 80 && (120..240).contains(&col));
    pair.lay(1, WATER, |row, col| (row as f32 - 230.0).hypot(col as f32 - 100.0) < 45.0);
    assert!(pair.map().is_clear());
    // nor beside a cloud that throws its shadow elsewhere
    pair.overcast(1, 150.0, 240.0, 40.0);
    let map = pair.map();
    assert!(map.after.cloud_share > 0.02);
    let lake = |(row, col): (usize, usize)| (row as f32 - 230.0).hypot(col as f32 - 100.0) < 45.0;
    assert_eq!(share_hidden(&map, 1, Causes::CLOUD_SHADOW, lake), 0.0);
}

#[test]
fn nothing_hides_identical_or_unchanged_dates() {
    let mut pair = Pair::new(3);
    assert!(pair.map().is_clear(), "the same ground");
    pair.dates[0] = pair.dates[1].clone();
    assert!(pair.map().is_clear(), "the same pixels");
    pair.dates[0].mapv_inplace(|value| 0.7 * value + 0.02);
    assert!(pair.map().is_clear(), "in another light");
    pair.dates[0].fill(0.1);
    assert!(pair.map().is_clear(), "nothing but one number");
}

#[test]
fn the_unobserved_is_neither_cloud_nor_shadow() {
    let mut pair = Pair::new(1);
    pair.overcast(1, 130.0, 170.0, 60.0);
    pair.observed.slice_mut(s![.., ..160]).fill(false);
    pair.dates[1].slice_mut(s![.., .., ..160]).fill(f32::NAN);
    let map = pair.map();
    assert!(map.after.cloud_share > 0.05 && map.after.cloud.slice(s![.., ..40]).iter().all(|&cloud| !cloud));
    assert!(map.after.shadow.slice(s![.., ..40]).iter().all(|&shadow| !shadow));
    assert_eq!(map.at(0, EDGE), [Causes::OBSERVED; 2], "outside the map");
    pair.observed.fill(false);
    let mut blocks = PairBlocks::new(4, EDGE, EDGE, 4);
    blocks.add((0, 0), pair.dates[0].view(), pair.dates[1].view(), pair.observed.view());
    let scale = WhiteScale::reflectance(4);
    assert_eq!(CloudMap::of(&blocks, &ROLES, [&scale, &scale], &CloudSettings::default()), None);
}

#[test]
fn without_near_infrared_or_two_visible_bands_nothing_is_told() {
    use BandRole::{Blue, Green, Nir, Red, Swir1, Swir2};
    assert_eq!(Bands::of(&[Blue, Green, Red]), None);
    assert_eq!(Bands::of(&[Red, Nir, Swir1]), None);
    let bands = Bands::of(&[Swir1, Nir, Red, Green]).expect("two visible and the near infrared");
    assert_eq!(bands, Bands { visible: vec![3, 2], near_infrared: 1, infrared: vec![1, 0] });
    assert!(Bands::of(&[Blue, Red, Nir, Swir2]).is_some());
}

#[test]
fn tiles_of_a_pair_give_the_blocks_of_the_whole() {
    let mut pair = Pair::new(4);
    pair.overcast(0, 100.0, 100.0, 50.0);
    pair.observed.slice_mut(s![40..61, 100..]).fill(false);
    let mut whole = PairBlocks::new(4, EDGE, EDGE, 4);
    whole.add((0, 0), pair.dates[0].view(), pair.dates[1].view(), pair.observed.view());
    let mut tiled = PairBlocks::new(4, EDGE, EDGE, 4);
    for rows in [160..EDGE, 0..160] {
        for cols in [0..132, 132..EDGE] {
            let tile = s![.., rows.clone(), cols.clone()];
            let observed = pair.observed.slice(s![rows.clone(), cols.clone()]);
            tiled.add((rows.start, cols.start), pair.dates[0].slice(tile), pair.dates[1].slice(tile), observed);
        }
    }
    assert_eq!(whole, tiled);
}

#[test]
fn a_level_is_found_under_a_third_of_clouds() {
    let mut random = Random(7);
    let before = Array2::from_shape_simple_fn((60, 60), || 0.05 + 0.3 * random.uniform() as f32);
    let mut after = before.mapv(|value| 1.26 * value + 0.03 + 0.004 * random.normal() as f32);
    after.slice_mut(s![..20, ..]).fill(0.8);
    let pairs: Vec<[f32; 2]> = before.iter().zip(&after).map(|(&before, &after)| [before, after]).collect();
    let found = level(&pairs).expect("some blocks");
    assert!((found.gain - 1.26).abs() < 0.01 && (found.offset - 0.03).abs() < 0.01, "{found:?}");
    assert_eq!(level(&[]), None);
}
