use std::fs;

use ndarray::{Array2, Array3};
use shorewatch_domain::sensor::BandRole;

use super::*;
use crate::change::ChangeNetwork;
use crate::network::TiledNetwork;
use crate::network_segmenter::NetworkSegmenter;
use crate::segmenter::Segmenter as _;

#[test]
fn the_library_is_found_from_the_program_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let target = folder.path().join("target/debug");
    fs::create_dir_all(target.join("deps")).expect("new folders");
    library(&target.join("shorewatch")).expect_err("not there");
    fs::write(target.join("deps").join(LIBRARY_FILE), "").expect("written");
    for program in ["shorewatch", "deps/test-0123", "examples/forward"] {
        library(&target.join(program)).unwrap_or_else(|fault| panic!("{program}: {fault}"));
    }
    // beside the program it goes before what a build has left
    fs::write(target.join(LIBRARY_FILE), "").expect("written");
    let found = library(&target.join("shorewatch")).expect("found");
    assert_eq!(found, target.join(".").join(LIBRARY_FILE));
    let fault = open(&found).expect_err("an empty file is no library");
    assert!(fault.contains(LIBRARY_FILE), "{fault}");
}

#[test]
fn words_of_libtorch_are_told_apart() {
    let text = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.10 GiB";
    assert_eq!(fault_of(text), NetworkFault::OutOfMemory(text.to_owned()));
    let text =
        "[enforce fail at alloc_cpu.cpp:118] . DefaultCPUAllocator: can't allocate memory: you tried to allocate";
    assert_eq!(fault_of(text), NetworkFault::OutOfMemory(text.to_owned()));
    let text = "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`";
    assert_eq!(fault_of(text), NetworkFault::OutOfMemory(text.to_owned()));
    let text = "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED";
    assert_eq!(fault_of(text), NetworkFault::OutOfMemory(text.to_owned()));
    let text = "CUDA error: no kernel image is available for execution on the device";
    assert_eq!(fault_of(text), NetworkFault::Refused(text.to_owned()));
    let text = "CUDA error: unspecified launch failure";
    assert_eq!(fault_of(text), NetworkFault::DeviceLost(text.to_owned()));
    let text = "expected input[1, 3, 16, 16] to have 4 channels, but got 3 channels instead";
    assert_eq!(fault_of(text), NetworkFault::Refused(text.to_owned()));
}

/// A bundle of this crate on the processor, in batches of several small tiles as on a device.
fn tiled(folder: &str, name: &str, calibrated: bool) -> TiledNetwork {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let bundle = Bundle::load(&folder, name).expect("a good bundle");
    let mut network = TorchScript::load(&bundle, Device::Cpu, &Options::cpu(Format::TorchScript)).expect("loaded");
    network.calibrated = calibrated;
    let tiled = TiledNetwork::new(Box::new(network), &bundle, Format::TorchScript, false, 3);
    let mut tiled = tiled.expect("it fits the manifest");
    tiled.set_tile_px(72);
    tiled
}

/// Reflectance with fields, a stripe of water and bright spots, and a mask with a hole under which it is no number.
fn painted(bands: &[BandRole], side: usize, later: bool) -> (Array3<f32>, Array2<bool>) {
    let observed =
        Array2::from_shape_fn((side, side), |(row, col)| row.abs_diff(side / 2) + col.abs_diff(side / 3) > 9);
    let reflectance = Array3::from_shape_fn((bands.len(), side, side), |(band, row, col)| {
        let infrared = matches!(bands[band], BandRole::Nir | BandRole::Swir1 | BandRole::Swir2);
        let noise = ((row * 31 + col * 17 + band * 7 + usize::from(later)) % 64) as f32 / 64.0;
        let ground = match (row.abs_diff(col) < side / 8, (row / 11 + col / 13) % 3) {
            (true, _) if later && row > side / 2 => 0.2,
            (true, _) => 0.06 - 0.02 * f32::from(u8::from(infrared)),
            (false, 0) => 0.05 + 0.25 * f32::from(u8::from(infrared)),
            (false, 1) => 0.12 + 0.1 * f32::from(u8::from(infrared)),
            (false, _) => 0.1 + 0.02 * band as f32,
        };
        if observed[(row, col)] { ground + 0.02 * noise } else { f32::NAN }
    });
    (reflectance, observed)
}

/// What runs on a device, on the processor: the scores that the library makes against those that this crate makes.
#[test]
fn scores_made_by_the_library_are_those_made_here() {
    for (folder, name) in [("fixtures", "two-heads"), (".", "shoreland")] {
        let [expected, got] = [false, true].map(|calibrated| {
            let segmenter = NetworkSegmenter(tiled(folder, name, calibrated));
            let description = segmenter.description();
            let (bands, halo_px) = (&description.bands, description.halo_px);
            let (reflectance, observed) = painted(bands, 201 + 2 * halo_px, false);
            let scores = segmenter.segment_window(bands, reflectance.view(), observed.view(), halo_px);
            scores.expect("segmented")
        });
        let steps = expected.iter().zip(&got).map(|(one, other)| one.abs_diff(*other));
        let others = steps.clone().filter(|steps| *steps > 0).count();
        assert!(steps.max() <= Some(1) && others * 1000 <= got.len(), "{name}: {others} scores of {}", got.len());
        assert!(expected.iter().any(|score| *score > 150), "{name} is sure of nothing: the picture is too plain");
    }
}

#[test]
fn change_told_by_the_library_is_that_told_here() {
    for (folder, name) in [("fixtures", "two-dates"), (".", "shorechange")] {
        let [expected, got] = [false, true].map(|calibrated| {
            let network = ChangeNetwork(tiled(folder, name, calibrated));
            let (bands, halo_px) = (&network.description().bands, network.description().halo_px);
            let [(before, observed), (after, _)] = [false, true].map(|later| painted(bands, 161 + 2 * halo_px, later));
            let changed = network.changed_window(bands, before.view(), after.view(), observed.view(), halo_px);
            changed.expect("compared")
        });
        let difference = expected.iter().zip(&got).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
        assert!(difference <= 1e-5, "{name}: {difference}");
        let [most, least] = [f32::max, f32::min].map(|which| expected.iter().copied().fold(0.5, which));
        assert!(most - least > 0.2, "{name} says {least} to {most}: the pictures are too plain");
    }
}

#[test]
fn an_answer_of_another_size_than_the_heads_say_is_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let bundle = Bundle::load(&folder, "wrong-shape").expect("a good bundle");
    let network = TorchScript::load(&bundle, Device::Cpu, &Options::cpu(Format::TorchScript)).expect("loaded");
    let part = Part { classes: 0..6, rows: 0..16, cols: 0..16 };
    let mut pixels = vec![0.0; 2 * 3 * 16 * 16];
    let answered = Calibrated::<u8>::answer(&network, &mut pixels, [2, 3, 16, 16], &part, &mut |_, _| panic!("shown"));
    let Err(NetworkFault::Refused(message)) = answered else { panic!("{answered:?}") };
    assert!(message.contains("[2, 5, 16, 16]") && message.contains("[2, 6, 16, 16]"), "{message}");
}
