//! How quick a model is.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ndarray::{Array2, Array3, s};
use shorewatch_domain::sensor::BandRole;

use crate::change::ChangeNetwork;
use crate::error::ModelError;
use crate::segmenter::{Segmenter, SegmenterDescription};

/// What was measured.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Throughput {
    /// Workers that called the model at the same time.
    pub workers: usize,
    /// Edge of the windows in pixels, without halo.
    pub window_px: usize,
    /// Windows that were answered.
    pub windows: usize,
    /// Megapixels a second of all workers together. Counted are the pixels of the windows, of two dates those of one; the
    /// halo around them is work as well.
    pub megapixels_per_second: f64,
}

/// Segments windows of `window_px` with all bands on `workers` threads at once, for at least `duration`. The first window
/// of each worker warms up and does not count.
///
/// # Errors
/// The segmenter failed.
pub fn throughput(
    segmenter: &dyn Segmenter,
    workers: usize,
    window_px: usize,
    duration: Duration,
) -> Result<Throughput, ModelError> {
    let Window { bands, reflectance, observed, halo } = Window::new(segmenter.description(), window_px)?;
    let one = || segmenter.segment_window(bands, reflectance.view(), observed.view(), halo).map(drop);
    measure(&one, workers, window_px, duration)
}

/// The same of a network of two dates.
///
/// # Errors
/// The network failed.
pub fn change_throughput(
    network: &ChangeNetwork,
    workers: usize,
    window_px: usize,
    duration: Duration,
) -> Result<Throughput, ModelError> {
    let Window { bands, reflectance, observed, halo } = Window::new(network.description(), window_px)?;
    let later = reflectance.slice(s![.., ..;-1, ..]);
    let one = || network.changed_window(bands, reflectance.view(), later, observed.view(), halo).map(drop);
    measure(&one, workers, window_px, duration)
}

/// What a model is shown.
struct Window<'a> {
    bands: &'a [BandRole],
    /// (band, row, col), with the halo.
    reflectance: Array3<f32>,
    observed: Array2<bool>,
    halo: usize,
}

impl<'a> Window<'a> {
    /// With all bands.
    fn new(description: &'a SegmenterDescription, window_px: usize) -> Result<Self, ModelError> {
        let bands = &description.band_set(&description.bands)?.roles;
        let halo = description.halo_px;
        let side = window_px + 2 * halo;
        let reflectance = Array3::from_shape_fn((bands.len(), side, side), |(band, row, col)| {
            0.1 + 0.02 * band as f32 + 0.05 * ((row * 31 + col * 17) % 64) as f32 / 64.0
        });
        Ok(Self { bands, reflectance, observed: Array2::from_elem((side, side), true), halo })
    }
}

/// Has every worker do `one` window after the other.
fn measure(
    one: &(dyn Fn() -> Result<(), ModelError> + Sync),
    workers: usize,
    window_px: usize,
    duration: Duration,
) -> Result<Throughput, ModelError> {
    let on_all = |work: &(dyn Fn() -> Result<(), ModelError> + Sync)| {
        thread::scope(|scope| {
            let threads: Vec<_> = (0..workers.max(1)).map(|_| scope.spawn(work)).collect();
            threads.into_iter().try_for_each(|thread| match thread.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            })
        })
    };
    on_all(one)?;
    let windows = AtomicUsize::new(0);
    let start = Instant::now();
    on_all(&|| {
        while start.elapsed() < duration {
            one()?;
            windows.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    })?;
    let (seconds, windows) = (start.elapsed().as_secs_f64(), windows.into_inner());
    let megapixels = (windows * window_px * window_px) as f64 / 1e6;
    Ok(Throughput { workers: workers.max(1), window_px, windows, megapixels_per_second: megapixels / seconds })
}
