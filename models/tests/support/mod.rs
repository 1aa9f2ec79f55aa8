//! What several tests need.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::path::{Path, PathBuf};

use ndarray::{Array, Array2, Array3, Dimension};
use shorewatch_domain::sensor::BandRole;
use shorewatch_models::load::formats_of_this_build;
use shorewatch_models::{Bundle, Format, Kind, Options, Segmenter, load};

/// The folder of the committed fixtures.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The library of ONNX Runtime where scripts/setup puts it.
pub(crate) fn onnxruntime() -> Option<PathBuf> {
    Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../third_party/onnxruntime/lib/libonnxruntime.so"))
}

/// One form on the processor.
pub(crate) fn options(format: Format) -> Options {
    Options { onnxruntime_library: onnxruntime(), ..Options::cpu(format) }
}

/// The single-precision forms that this build can run: every test of a network runs with each.
pub(crate) fn formats() -> Vec<Format> {
    formats_of_this_build().iter().copied().filter(|format| *format != Format::OnnxInt8).collect()
}

/// A segmenter of a fixture.
pub(crate) fn segmenter(name: &str, format: Format) -> Box<dyn Segmenter> {
    let bundle = Bundle::load(&fixtures(), name).expect("a good bundle");
    load(&bundle, &options(format)).expect("a good network")
}

/// The bundles of one kind that ship with the program.
pub(crate) fn shipped(kind: Kind) -> Vec<Bundle> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = Bundle::names(folder).expect("listed");
    let bundles = names.iter().map(|name| Bundle::load(folder, name).expect("a good bundle"));
    bundles.filter(|bundle| bundle.manifest().kind == kind).collect()
}

/// The bands of the fixtures.
pub(crate) const BANDS: [BandRole; 3] = [BandRole::Green, BandRole::Red, BandRole::Nir];

/// Reflectance 0..0.4 (band, row, col) with structure at several scales, and a mask with a hole in the middle under
/// which it is NaN. `origin` is where the window lies in an endless picture.
pub(crate) fn picture(bands: usize, origin: (usize, usize), rows: usize, cols: usize) -> (Array3<f32>, Array2<bool>) {
    let observed = Array2::from_shape_fn((rows, cols), |(row, col)| {
        let (row, col) = ((row + origin.0) % 97, (col + origin.1) % 83);
        !((30..38).contains(&row) && (20..41).contains(&col))
    });
    let reflectance = Array3::from_shape_fn((bands, rows, cols), |(band, row, col)| {
        if !observed[(row, col)] {
            return f32::NAN;
        }
        let (row, col) = ((row + origin.0) as f32, (col + origin.1) as f32);
        let waves = (row * 0.05 + band as f32).sin() + (col * 0.31 - row * 0.02).cos() + (row * col * 0.7).sin();
        0.2 + 0.06 * waves
    });
    (reflectance, observed)
}

/// Largest absolute difference.
pub(crate) fn difference<D: Dimension>(one: &Array<f32, D>, other: &Array<f32, D>) -> f32 {
    assert_eq!(one.shape(), other.shape());
    one.iter().zip(other).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max)
}
