//! A device whose memory holds a few tiles only, which no machine of ours has.

use std::path::Path;
use std::sync::Arc;

use shorewatch_domain::sensor::BandRole;

use super::answer::Part;
use super::*;
use crate::network_segmenter::NetworkSegmenter;
use crate::segmenter::Segmenter as _;
use crate::softmax::quantise;

/// Answers with the first band in every class, for at most so many tiles at once.
struct Greedy {
    /// Of each head.
    calibrations: Vec<Calibration>,
    classes: usize,
    /// Whether it makes the scores itself.
    calibrated: bool,
    /// Row of a tile, from the first that is wanted, in which it says that a logit is no number.
    bad_row: Option<usize>,
    most_tiles: Arc<AtomicUsize>,
    /// Tiles of each call.
    calls: Arc<Mutex<Vec<usize>>>,
}

impl Network for Greedy {
    fn library(&self) -> &'static str {
        "a test"
    }

    fn layout(&self) -> Layout {
        Layout::ChannelsFirst
    }

    fn forward(
        &self,
        pixels: &mut [f32],
        size: [usize; 4],
        take: &mut dyn FnMut(&[f32], &[i64]),
    ) -> Result<(), NetworkFault> {
        let [tiles, bands, rows, cols] = size;
        self.calls.lock().expect("no panic").push(tiles);
        if tiles > self.most_tiles.load(Ordering::Relaxed) {
            return Err(NetworkFault::OutOfMemory("out of memory".to_owned()));
        }
        let mut out = Vec::new();
        for tile in pixels.chunks_exact(bands * rows * cols) {
            for class in 0..self.classes {
                out.extend(tile[..rows * cols].iter().map(|value| value * class as f32));
            }
        }
        take(&out, &[tiles, self.classes, rows, cols].map(|edge| edge as i64));
        Ok(())
    }

    fn scores(&self) -> Option<&dyn Calibrated<u8>> {
        self.calibrated.then_some(self as _)
    }
}

impl Calibrated<u8> for Greedy {
    fn answer(
        &self,
        pixels: &mut [f32],
        size: [usize; 4],
        Part { classes, rows, cols }: &Part,
        take: &mut dyn FnMut(&[u8], &[f32]),
    ) -> Result<(), NetworkFault> {
        let (mut scores, mut sums) = (Vec::new(), Vec::new());
        self.forward(pixels, size, &mut |logits, _| {
            for logits in logits.chunks_exact(self.classes * size[2] * size[3]) {
                let first = scores.len();
                scores.resize(first + classes.len() * rows.len() * cols.len(), 0);
                let row_of = |class: usize, row: usize| &logits[(class * size[2] + row) * size[3]..][cols.clone()];
                for (at, row) in rows.clone().enumerate() {
                    let mut softmax = Softmax::new(&self.calibrations);
                    let probabilities = softmax.run(|class| row_of(class, row)).ok().expect("numbers");
                    for (class, probabilities) in probabilities.iter().enumerate() {
                        let out = &mut scores[first + (class * rows.len() + at) * cols.len()..][..cols.len()];
                        quantise(&probabilities[..cols.len()], &vec![true; cols.len()], out);
                    }
                    sums.push(if self.bad_row == Some(at) { f32::NAN } else { 0.0 });
                }
            }
        })?;
        take(&scores, &sums);
        Ok(())
    }
}

struct Setup {
    segmenter: NetworkSegmenter,
    most_tiles: Arc<AtomicUsize>,
    calls: Arc<Mutex<Vec<usize>>>,
}

fn setup(batch: usize, most_tiles: usize) -> Setup {
    setup_of(batch, most_tiles, false, None)
}

fn setup_of(batch: usize, most_tiles: usize, calibrated: bool, bad_row: Option<usize>) -> Setup {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let bundle = Bundle::load(&folder, "tiny").expect("a good bundle");
    let (most_tiles, calls) = (Arc::new(AtomicUsize::new(most_tiles)), Arc::default());
    let network = Greedy {
        calibrations: bundle.manifest().output.heads.iter().map(Calibration::from).collect(),
        calibrated,
        bad_row,
        classes: bundle.manifest().classes.len(),
        most_tiles: Arc::clone(&most_tiles),
        calls: Arc::clone(&calls),
    };
    let tiled = TiledNetwork::new(Box::new(network), &bundle, Format::TorchScript, false, batch);
    let setup = Setup { segmenter: NetworkSegmenter(tiled.expect("it fits the manifest")), most_tiles, calls };
    setup.calls.lock().expect("no panic").clear();
    setup
}

/// Nine tiles of 64 px.
fn answer(setup: &Setup) -> Result<Array3<u8>, ModelError> {
    let bands = [BandRole::Green, BandRole::Red, BandRole::Nir];
    let reflectance = Array3::from_shape_fn((3, 208, 208), |(_, row, col)| ((row * 7 + col * 3) % 50) as f32 / 250.0);
    let observed = ndarray::Array2::from_elem((208, 208), true);
    setup.segmenter.segment_window(&bands, reflectance.view(), observed.view(), 8)
}

#[test]
fn memory_that_does_not_suffice_halves_the_batch_for_good() {
    let alone = answer(&setup(1, 1)).expect("segmented");
    let plenty = setup(32, 32);
    assert_eq!(answer(&plenty).expect("segmented"), alone);
    let scarce = setup(32, 3);
    assert_eq!(answer(&scarce).expect("segmented"), alone);
    let calls = std::mem::take(&mut *scarce.calls.lock().expect("no panic"));
    assert!(calls.iter().any(|&tiles| tiles > 3) && calls.last() <= Some(&3), "{calls:?}");
    assert_eq!(answer(&scarce).expect("segmented"), alone);
    assert!(scarce.calls.lock().expect("no panic").iter().all(|&tiles| tiles <= 3), "it did not remember");
}

#[test]
fn memory_for_not_even_one_tile_is_an_error_that_may_pass() {
    let setup = setup(4, 4);
    setup.most_tiles.store(0, Ordering::Relaxed);
    let error = answer(&setup).expect_err("no memory");
    assert!(matches!(error, ModelError::OutOfMemory { .. }) && error.is_retryable(), "{error}");
    // another program gave its memory back
    setup.most_tiles.store(4, Ordering::Relaxed);
    answer(&setup).expect("segmented");
}

#[test]
fn scores_of_the_network_itself_are_put_where_they_belong() {
    let alone = answer(&setup(1, 1)).expect("segmented");
    assert!(alone.iter().any(|score| *score > 60) && alone.iter().any(|score| *score < 30), "nothing to be told apart");
    // tiles at an edge keep other parts than those in the middle
    for (batch, most_tiles) in [(1, 1), (32, 32), (32, 3)] {
        let scored = answer(&setup_of(batch, most_tiles, true, None)).expect("segmented");
        assert!(scored == alone, "{batch} tiles at once, memory for {most_tiles}");
    }
    let error = answer(&setup_of(1, 1, true, Some(5))).expect_err("no number");
    assert!(matches!(error, ModelError::LogitNotFinite { row: 13, col: 8, .. }), "{error}");
}
