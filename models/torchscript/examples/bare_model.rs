//! The network alone over the pixels of a square scene: what `scripts/bench` holds a whole run against.
//!
//! `bare_model NAME THREADS SCENE_PX UNIT_PX MARGIN_PX` with NAME a bundle in `models/`. The scene is cut
//! into the windows that a run feeds (units of UNIT_PX that begin with the scene, each grown by MARGIN_PX, out to the
//! model's alignment, cut into the model's tiles with their halo), and those are shared by THREADS workers of one libtorch
//! thread each, as in a run.
//! Timed is only `forward`; the second time without margin and halo: every pixel of the scene once. Prints JSON.
#![expect(clippy::print_stdout, reason = "an example that prints its result")]

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use shorewatch_models::{Bundle, Format};
use tch::{CModule, Tensor};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [name, numbers @ ..] = arguments.as_slice() else {
        return Err("NAME THREADS SCENE_PX UNIT_PX MARGIN_PX".into());
    };
    let numbers = numbers.iter().map(|number| number.parse()).collect::<Result<Vec<usize>, _>>()?;
    let &[threads, scene_px, unit_px, margin_px] = numbers.as_slice() else {
        return Err("THREADS SCENE_PX UNIT_PX MARGIN_PX".into());
    };
    let bundle = Bundle::load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")), name)?;
    let input = &bundle.manifest().input;
    let (bands, halo, step) = (input.bands.len(), input.halo_px, input.alignment_px.max(1));
    let mut module = CModule::load_data(&mut bundle.weights(Format::TorchScript)?.as_slice())?;
    module.f_set_eval()?;
    tch::set_num_threads(1);

    let units: Vec<usize> = (0..scene_px).step_by(unit_px).map(|start| unit_px.min(scene_px - start)).collect();
    // edges of what the network is shown of a unit along one axis, as the segmenter cuts it
    let tiles = |unit: usize, grown: bool| -> Vec<usize> {
        let (core, around) = if grown { (unit + 2 * margin_px.next_multiple_of(step), 2 * halo) } else { (unit, 0) };
        let edge = core.div_ceil(core.div_ceil(input.tile_px)).next_multiple_of(step);
        (0..core).step_by(edge).map(|start| edge.min(core - start).next_multiple_of(step) + around).collect()
    };
    let pieces = |grown: bool| -> Vec<(usize, usize)> {
        let edges: Vec<usize> = units.iter().flat_map(|&unit| tiles(unit, grown)).collect();
        edges.iter().flat_map(|&rows| edges.iter().map(move |&cols| (rows, cols))).collect()
    };
    let timed = |pieces: &[(usize, usize)]| -> f64 {
        let next = AtomicUsize::new(0);
        let start = Instant::now();
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some(&(rows, cols)) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let pixels = vec![0.25_f32; bands * rows * cols];
                        let size = [1, bands as i64, rows as i64, cols as i64];
                        let logits = tch::no_grad(|| module.forward_ts(&[Tensor::from_slice(&pixels).view(size)]));
                        assert_eq!(logits.expect("a forward pass").size()[2], rows as i64);
                    }
                });
            }
        });
        start.elapsed().as_secs_f64()
    };
    let (with_halo, without_halo) = (pieces(true), pieces(false));
    // warm up
    timed(&with_halo[..threads.min(with_halo.len())]);
    println!(
        "{{\"with_halo_seconds\": {}, \"without_halo_seconds\": {}, \"windows\": {}}}",
        timed(&with_halo),
        timed(&without_halo),
        with_halo.len()
    );
    Ok(())
}
