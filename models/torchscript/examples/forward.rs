//! How much of the bare network's speed the segmenter keeps, and what tiles and threads do to it.
//!
//! `cargo run --release -p shorewatch-torchscript --example forward -- NAME [WINDOW_PX]` with NAME a bundle in
//! `models/`. Bare and segmenter take turns, each over the same pixels and threads; shown is the median turn of
//! each in pixels of the window (the halo counts on both sides), and the median over turns of segmenter over bare.
//! "cpu" goes by the processor time of the calling threads, which tells the truth on a busy machine as well, but only
//! where a call keeps to its own thread.
#![expect(clippy::print_stdout, reason = "an example that prints a table")]

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::thread;
use std::time::Instant;

use ndarray::{Array2, Array3};
use shorewatch_models::{Bundle, FakeSegmenter, Format, Options, Segmenter, load};
use tch::{CModule, Tensor};

const TURNS: usize = 15;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_else(|| "landcover-grn".to_owned());
    let sides: Vec<usize> = match arguments.next() {
        Some(side) => vec![side.parse()?],
        None => vec![512, 1024],
    };
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let folder = if folder.join(&name).is_dir() { folder.to_owned() } else { folder.join("fixtures") };
    let bundle = Bundle::load(&folder, &name)?;
    let mut module = CModule::load_data(&mut bundle.weights(Format::TorchScript)?.as_slice())?;
    module.f_set_eval()?;
    let bands = bundle.manifest().input.bands.len();
    let halo_px = bundle.manifest().input.halo_px;

    let window = Window::new(3, 1024);
    let fake = FakeSegmenter::new();
    let fake = || window.segment(&fake, 0);
    for workers in [1, 2] {
        let turns = measure(workers, 8, window.megapixels(), [&fake]);
        let speed = median(turns.iter().map(|[speed]| *speed));
        println!("fake, 1024², {workers} worker(s): {:.0} Mpx/s wall, {:.0} cpu", speed.wall, speed.cpu);
    }

    println!("\n{name}: Mpx/s, all workers together; wall (cpu)\n");
    println!(
        "window  workers × threads           bare  segment_window      over bare   in tiles of 512             256"
    );
    for side in sides {
        let window = Window::new(bands, side + 2 * halo_px);
        for (workers, threads) in [(1, 1), (2, 1), (1, 2)] {
            let segmenter = |tile_px| -> Result<_, Box<dyn Error>> {
                Ok(load(&bundle, &Options { threads, tile_px: Some(tile_px), ..Options::cpu(Format::TorchScript) })?)
            };
            let (whole, tiled_512, tiled_256) = (segmenter(side)?, segmenter(512)?, segmenter(256)?);
            let bare = || window.bare(&module);
            let whole = || window.segment(whole.as_ref(), halo_px);
            let tiled_512 = || window.segment(tiled_512.as_ref(), halo_px);
            let tiled_256 = || window.segment(tiled_256.as_ref(), halo_px);
            let work: [&(dyn Fn() + Sync); 4] = [&bare, &whole, &tiled_512, &tiled_256];
            let turns = measure(workers, 1, window.megapixels(), work);
            let [bare, whole, tiled_512, tiled_256] = [0, 1, 2, 3].map(|i| median(turns.iter().map(|turn| turn[i])));
            let over = median(
                turns.iter().map(|[bare, whole, ..]| Speed { wall: whole.wall / bare.wall, cpu: whole.cpu / bare.cpu }),
            );
            println!(
                "{side:>6}  {workers:>7} × {threads:<7}  {bare:>11}  {whole:>14}  {over:>13}  {tiled_512:>16} {tiled_256:>15}"
            );
        }
    }
    Ok(())
}

/// A square window, all observed but a corner.
struct Window {
    side: usize,
    reflectance: Array3<f32>,
    observed: Array2<bool>,
}

impl Window {
    fn new(bands: usize, side: usize) -> Self {
        Self {
            side,
            reflectance: Array3::from_shape_fn((bands, side, side), |(band, row, col)| {
                0.1 + 0.02 * band as f32 + 0.05 * ((row * 31 + col * 17) % 64) as f32 / 64.0
            }),
            observed: Array2::from_shape_fn((side, side), |(row, col)| row + col > 20),
        }
    }

    fn megapixels(&self) -> f64 {
        (self.side * self.side) as f64 / 1e6
    }

    fn bare(&self, module: &CModule) {
        let (bands, rows, cols) = self.reflectance.dim();
        let size = [1, bands as i64, rows as i64, cols as i64];
        let pixels = self.reflectance.as_slice().expect("in order");
        let logits = tch::no_grad(|| module.forward_ts(&[Tensor::from_slice(pixels).view(size)]));
        assert_eq!(logits.expect("a forward pass").size()[2], rows as i64);
    }

    fn segment(&self, segmenter: &dyn Segmenter, crop: usize) {
        let answer = segmenter.segment_window(
            &segmenter.description().bands,
            self.reflectance.view(),
            self.observed.view(),
            crop,
        );
        assert_eq!(answer.expect("segmented").dim().1, self.side - 2 * crop);
    }
}

/// Megapixels a second, by the clock and by the processor time of the calling threads.
#[derive(Clone, Copy)]
struct Speed {
    wall: f64,
    cpu: f64,
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:.2} ({:.2})", self.wall, self.cpu))
    }
}

/// Several turns of each piece of work, done `repeats` times by each of `workers` threads at once.
fn measure<const N: usize>(
    workers: usize,
    repeats: usize,
    megapixels: f64,
    work: [&(dyn Fn() + Sync); N],
) -> Vec<[Speed; N]> {
    let megapixels = megapixels * (workers * repeats) as f64;
    let turn = || {
        work.map(|work| {
            let start = Instant::now();
            let cpu_seconds: f64 = thread::scope(|scope| {
                let one_worker = || {
                    let start = thread_cpu_seconds();
                    (0..repeats).for_each(|_| work());
                    thread_cpu_seconds() - start
                };
                let threads: Vec<_> = (0..workers).map(|_| scope.spawn(one_worker)).collect();
                threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
            });
            Speed { wall: megapixels / start.elapsed().as_secs_f64(), cpu: megapixels * workers as f64 / cpu_seconds }
        })
    };
    // the first turn warms up
    (0..=TURNS).map(|_| turn()).skip(1).collect()
}

fn median(speeds: impl Iterator<Item = Speed> + Clone) -> Speed {
    let middle = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Speed {
        wall: middle(speeds.clone().map(|speed| speed.wall).collect()),
        cpu: middle(speeds.map(|speed| speed.cpu).collect()),
    }
}

/// Processor time of the calling thread; NaN where the system does not tell.
fn thread_cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e9
}
