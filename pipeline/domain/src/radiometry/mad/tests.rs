use ndarray::{Array3, s};
use proptest::prelude::*;

use super::super::scenes::{Random, Scene, bits};
use super::*;

fn fitted(scene: &Scene, settings: &MadSettings) -> Mad {
    Mad::of(&scene.sample(), settings).expect("enough pixels")
}

fn applied(mad: &Mad, scene: &Scene) -> MadMap {
    mad.apply(scene.before.view(), scene.after.view(), scene.observed.view())
}

fn mean(values: ArrayView2<'_, f32>) -> f64 {
    values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64
}

/// The definitions of Nielsen, Conradsen & Simpson 1998: unit variances, correlations ρ on the diagonal only, and
/// therefore variates of variance 2 (1 − ρ) that are uncorrelated with one another.
#[test]
fn projections_are_canonical_and_variates_have_the_variance_that_the_correlations_say() {
    let scene = Scene::new(5, 60, 60);
    let sample = scene.sample();
    let columns: Vec<Vec<f64>> = (sample.before.iter().chain(&sample.after))
        .map(|band| band.iter().map(|&value| f64::from(value) * 10.0).collect())
        .collect();
    let mut random = Random(7);
    let weights: Vec<f64> = (0..sample.len()).map(|_| random.uniform()).collect();
    let (means, covariance) = weighted_moments(&columns, &weights);
    let round = round(means, &covariance, 5, 1.0).expect("a full rank");

    let deviations = DMatrix::from_diagonal(&DVector::from_iterator(
        5,
        round.correlations.iter().map(|correlation| (2.0 * (1.0 - correlation)).sqrt()),
    ));
    let left = round.projections.rows(0, 5) * &deviations;
    let right = -(round.projections.rows(5, 5) * &deviations);
    let identity = DMatrix::<f64>::identity(5, 5);
    let correlated = DMatrix::from_diagonal(&DVector::from_column_slice(&round.correlations));
    let is_close = |a: DMatrix<f64>, b: &DMatrix<f64>| (a - b).amax() < 1e-8;
    assert!(is_close(left.transpose() * covariance.view((0, 0), (5, 5)) * &left, &identity));
    assert!(is_close(right.transpose() * covariance.view((5, 5), (5, 5)) * &right, &identity));
    assert!(is_close(left.transpose() * covariance.view((0, 5), (5, 5)) * &right, &correlated));
    // standardised variates
    assert!(is_close(round.projections.transpose() * &covariance * &round.projections, &identity));
    assert!(round.correlations.is_sorted_by(|a, b| a >= b));
}

#[test]
fn without_weights_the_statistic_is_that_of_the_plain_definition() {
    // one band each: ρ is Pearson's, and the statistic (z_before − z_after)² / (2 (1 − ρ))
    let scene = Scene::new(1, 30, 30);
    let mad = fitted(&scene, &MadSettings { iterations: 1, ..MadSettings::default() });
    let sample = scene.sample();
    let spreads = [Spread::of(&sample.before[0]), Spread::of(&sample.after[0])];
    let pairs: Vec<(f64, f64)> = (sample.before[0].iter().zip(&sample.after[0]))
        .map(|(&a, &b)| {
            let standard = |value: f32, spread: Spread| (f64::from(value) - spread.mean) / spread.deviation;
            (standard(a, spreads[0]), standard(b, spreads[1]))
        })
        .collect();
    let correlation = pairs.iter().map(|(a, b)| a * b).sum::<f64>() / pairs.len() as f64;
    assert!((mad.correlations[0] - correlation).abs() < 1e-9);
    for (statistic, (a, b)) in applied(&mad, &scene).chi_square.iter().zip(&pairs) {
        let expected = (a - b).powi(2) / (2.0 * (1.0 - correlation));
        assert!((f64::from(*statistic) - expected).abs() < 1e-3 * (1.0 + expected), "{statistic}, expected {expected}");
    }
}

/// A tenth of the ground is dug: it has no chance, and what is left is as the chi-square distribution says.
#[test]
fn a_dug_pit_has_no_chance_and_the_rest_is_uniform() {
    for bands in [2, 3, 4, 6, 12] {
        let mut scene = Scene::new(bands, 100, 100);
        scene.dig(20..45, 30..70);
        let mad = fitted(&scene, &MadSettings::default());
        assert!(mad.converged && mad.degrees() == bands, "{bands} bands: {} rounds", mad.iterations);
        let map = applied(&mad, &scene);
        let pit = mean(map.no_change.slice(s![20..45, 30..70]));
        let field = mean(map.no_change.slice(s![50.., ..]));
        assert!(pit < if bands == 2 { 0.05 } else { 0.001 }, "{bands} bands: pit {pit}");
        assert!((field - 0.5).abs() < 0.06, "{bands} bands: field {field}");
    }
}

/// The point of the weights: without them, a third of changed ground drags the projections along.
#[test]
fn weights_find_a_third_that_changed() {
    let mut scene = Scene::new(4, 90, 90);
    scene.dig(0..30, 0..90);
    let pit = |iterations| {
        let map = applied(&fitted(&scene, &MadSettings { iterations, ..MadSettings::default() }), &scene);
        (mean(map.no_change.slice(s![..30, ..])), mean(map.no_change.slice(s![30.., ..])))
    };
    let (plain, weighted) = (pit(1), pit(30));
    assert!(plain.0 > 0.01, "{plain:?}");
    assert!(weighted.0 < 0.001 && (weighted.1 - 0.5).abs() < 0.06, "{weighted:?}");
}

/// What cannot be estimated is left out or told by `None`; nothing is ever NaN where observed.
#[test]
fn degenerate_dates_are_told_clearly() {
    let settings = MadSettings::default();
    let mut scene = Scene::new(3, 40, 40);
    scene.observed.slice_mut(s![30.., 30..]).fill(false);

    // identical dates: nothing changed
    let map = Mad::fit(scene.before.view(), scene.before.view(), scene.observed.view(), &settings)
        .expect("a full rank")
        .apply(scene.before.view(), scene.before.view(), scene.observed.view());
    assert!(
        map.no_change
            .iter()
            .zip(&scene.observed)
            .all(|(&value, &observed)| { if observed { value > 0.999 } else { value.is_nan() } })
    );

    // a constant band, or a copy of another, does not count
    for spoil in [
        |pixels: &mut Array3<f32>| pixels.slice_mut(s![1, .., ..]).fill(0.2),
        |pixels: &mut Array3<f32>| {
            let copy = pixels.slice(s![0, .., ..]).to_owned();
            pixels.slice_mut(s![1, .., ..]).assign(&copy);
        },
    ] {
        let mut spoiled = Scene { before: scene.before.clone(), ..Scene::new(3, 40, 40) };
        spoil(&mut spoiled.before);
        let mad = fitted(&spoiled, &settings);
        assert_eq!(mad.degrees(), 2);
        let map = applied(&mad, &spoiled);
        assert!(map.no_change.iter().all(|value| (0.0..=1.0).contains(value)));
        assert!(map.chi_square.iter().all(|value| *value >= 0.0 && value.is_finite()));
    }

    // a constant date, and too few pixels
    let constant = Array3::from_elem(scene.before.dim(), 0.1);
    assert_eq!(Mad::fit(constant.view(), scene.after.view(), scene.observed.view(), &settings), None);
    assert_eq!(Mad::fit(scene.before.view(), constant.view(), scene.observed.view(), &settings), None);
    let nothing = Array2::from_elem((40, 40), false);
    assert_eq!(Mad::fit(scene.before.view(), scene.after.view(), nothing.view(), &settings), None);
    assert_eq!(Mad::of(&PairSample::new(0), &settings), None);
}

/// An absurd value is a change, not a NaN.
#[test]
fn wild_reflectance_is_a_change() {
    let mut scene = Scene::new(3, 40, 40);
    let mad = fitted(&scene, &MadSettings::default());
    scene.after[(0, 3, 3)] = f32::MAX;
    let map = applied(&mad, &scene);
    assert_eq!((map.chi_square[(3, 3)], map.no_change[(3, 3)]), (f32::MAX, 0.0));
}

/// An invertible map of the bands, well away from singular, and an offset.
fn affine(pixels: &Array3<f32>, entries: &[f32]) -> Array3<f32> {
    let (bands, rows, cols) = pixels.dim();
    Array3::from_shape_fn((bands, rows, cols), |(band, row, col)| {
        let mixed = (0..bands).map(|other| {
            let weight = if band == other { 1.0 } else { 0.3 * entries[band * bands + other] };
            weight * pixels[(other, row, col)]
        });
        mixed.sum::<f32>() * (1.5 + entries[band]) + entries[bands * bands + band]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn affine_radiometry_of_either_date_changes_nothing(
        before in proptest::collection::vec(-1.0_f32..1.0, 12),
        after in proptest::collection::vec(-1.0_f32..1.0, 12),
        seed in 0_u64..99,
    ) {
        let mut scene = Scene::seeded(3, 40, 40, seed);
        scene.dig(5..15, 5..30);
        let settings = MadSettings { iterations: 5, tolerance: 0.0, ..MadSettings::default() };
        let mapped = Scene {
            before: affine(&scene.before, &before),
            after: affine(&scene.after, &after),
            ..Scene::seeded(3, 40, 40, seed)
        };
        let (plain, other) = (fitted(&scene, &settings), fitted(&mapped, &settings));
        for (a, b) in plain.correlations.iter().zip(&other.correlations) {
            prop_assert!((a - b).abs() < 1e-4, "{a} {b}");
        }
        let (plain, other) = (applied(&plain, &scene), applied(&other, &mapped));
        for (a, b) in plain.no_change.iter().zip(&other.no_change) {
            prop_assert!((a - b).abs() < 0.01, "{a} {b}");
        }
    }

    #[test]
    fn tiles_agree_with_the_whole(row in 0_usize..10, col in 0_usize..10, seed in 0_u64..99) {
        let mut scene = Scene::seeded(3, 24, 100, seed);
        scene.observed.slice_mut(s![5..9, 7..20]).fill(false);
        let mad = fitted(&scene, &MadSettings::default());
        let whole = applied(&mad, &scene);
        let part = mad.apply(
            scene.before.slice(s![.., row..row + 12, col..col + 77]),
            scene.after.slice(s![.., row..row + 12, col..col + 77]),
            scene.observed.slice(s![row..row + 12, col..col + 77]),
        );
        let tile = s![row..row + 12, col..col + 77];
        prop_assert_eq!(bits(whole.chi_square.slice(tile)), bits(part.chi_square.view()));
        prop_assert_eq!(bits(whole.no_change.slice(tile)), bits(part.no_change.view()));
    }

    #[test]
    fn no_input_makes_it_nan(
        values in proptest::collection::vec(prop_oneof![Just(0.0_f32), Just(0.5), -1.0_f32..2.0], 2 * 2 * 64),
    ) {
        let date = |first: usize| {
            Array3::from_shape_vec((2, 8, 8), values[first..first + 128].to_vec()).expect("8 × 8 of two bands")
        };
        let observed = Array2::from_elem((8, 8), true);
        let (before, after) = (date(0), date(128));
        if let Some(mad) = Mad::fit(before.view(), after.view(), observed.view(), &MadSettings::default()) {
            let map = mad.apply(before.view(), after.view(), observed.view());
            prop_assert!(map.no_change.iter().all(|value| (0.0..=1.0).contains(value)));
        }
    }
}
