//! What can go wrong with a model, each with what was expected, what was found and what to do.

use std::path::PathBuf;

use shorewatch_domain::digest::Digest;
use shorewatch_domain::sensor::BandRole;

use crate::manifest::{Format, Kind};
use crate::segmenter::role_names;

/// A model that cannot be loaded, or a window that it cannot segment.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The name could lead elsewhere than into the folder of models.
    #[error(
        "model name {name:?} is not a plain name: expected lower-case letters, digits, '-', '_' and '.', \
         beginning with a letter or digit"
    )]
    Name {
        /// The name as asked for.
        name: String,
    },
    /// No such bundle.
    #[error(
        "no model {name:?} in {}: expected a folder of that name with a manifest.toml; there {}",
        folder.display(),
        if known.is_empty() { "is no bundle".to_owned() } else { format!("are: {}", known.join(", ")) }
    )]
    NotFound {
        /// The name as asked for.
        name: String,
        /// Where it was looked for.
        folder: PathBuf,
        /// The bundles that are there.
        known: Vec<String>,
    },
    /// A link leads out of the folder.
    #[error(
        "{} leads to {}, outside {}: a bundle must lie wholly in its folder; copy the file there",
        path.display(), resolved.display(), folder.display()
    )]
    OutsideFolder {
        /// The path as named.
        path: PathBuf,
        /// Where it leads.
        resolved: PathBuf,
        /// Where it had to stay.
        folder: PathBuf,
    },
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A manifest is larger than any real one.
    #[error("{} has {got_bytes} bytes: expected at most {limit_bytes}; is it a manifest?", path.display())]
    ManifestSize {
        /// The file.
        path: PathBuf,
        /// The most that is read.
        limit_bytes: u64,
        /// Its size.
        got_bytes: u64,
    },
    /// A manifest that is no TOML, or lacks or misnames a key.
    #[error("cannot read {} as a model manifest", path.display())]
    ManifestSyntax {
        /// The file.
        path: PathBuf,
        /// Line, column and cause.
        source: Box<toml::de::Error>,
    },
    /// A manifest whose values contradict each other or this program: all faults at once.
    #[error("{} has {} fault(s):\n  - {}", path.display(), faults.len(), faults.join("\n  - "))]
    ManifestFaults {
        /// The file.
        path: PathBuf,
        /// Every fault, in words.
        faults: Vec<String>,
    },
    /// The weights are not those that the manifest describes.
    #[error(
        "{} has {got_bytes} bytes, its manifest says {expected_bytes}: the copy is incomplete or another file; \
         fetch the bundle again",
        path.display()
    )]
    WeightsSize {
        /// The weights.
        path: PathBuf,
        /// As the manifest says.
        expected_bytes: u64,
        /// As found.
        got_bytes: u64,
    },
    /// The weights are not those that the manifest describes.
    #[error(
        "{} has the BLAKE3 digest {got}, its manifest says {expected}: weights are code and were not opened; \
         fetch the bundle again",
        path.display()
    )]
    WeightsDigest {
        /// The weights.
        path: PathBuf,
        /// As the manifest says.
        expected: Digest,
        /// As found.
        got: Digest,
    },
    /// The library that runs the network refused something.
    #[error("model {model}: {library} failed while {doing}: {message}")]
    Backend {
        /// Name of the model.
        model: String,
        /// The library.
        library: &'static str,
        /// What was being done, with the shape.
        doing: String,
        /// The first lines of the library's message.
        message: String,
    },
    /// The memory of the device does not hold one tile, or not even the weights.
    #[error(
        "model {model}: {library} ran out of memory while {doing}: {message}; another program may use the device, \
         then the same command may succeed later; else lower [tiles] unit_px"
    )]
    OutOfMemory {
        /// Name of the model.
        model: String,
        /// The library.
        library: &'static str,
        /// What was being done, with the shape.
        doing: String,
        /// The first lines of the library's message.
        message: String,
    },
    /// The device stopped working.
    #[error("model {model}: the device was lost, {doing}: {message}; the same command may succeed later")]
    DeviceLost {
        /// Name of the model.
        model: String,
        /// What was being done, with the shape.
        doing: String,
        /// The first lines of the library's message.
        message: String,
    },
    /// A device is asked for that is not there.
    #[error(
        "model {model}: device \"cuda\" is asked for, but {reason}; set [model] allow_cpu = true to go on without, or \
         device = \"cpu\""
    )]
    NoCuda {
        /// Name of the model.
        model: String,
        /// Why there is none.
        reason: String,
    },
    /// The model does something else than what is asked for.
    #[error(
        "model {model} is of kind {:?} ({}): expected one of kind {:?} ({}) here; name another bundle",
        got.name(), got.meaning(), expected.name(), expected.meaning()
    )]
    Kind {
        /// Name of the model.
        model: String,
        /// As asked for.
        expected: Kind,
        /// As its manifest says.
        got: Kind,
    },
    /// The bundle has no weights in this form.
    #[error(
        "model {model} has no weights in the form {format}: it has {}; choose another backend",
        has.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ")
    )]
    FormatMissing {
        /// Name of the model.
        model: String,
        /// As asked for.
        format: Format,
        /// What there is.
        has: Vec<Format>,
    },
    /// This program was built without what runs the form.
    #[error(
        "model {model}: this program was built without the feature {feature:?}, which runs {format} weights; choose \
         another backend, or build it with --features {feature}"
    )]
    BackendNotBuilt {
        /// Name of the model.
        model: String,
        /// As asked for.
        format: Format,
        /// The cargo feature.
        feature: &'static str,
    },
    /// Two forms of one network give different answers.
    #[error(
        "model {model}: the {format} weights differ from the first form by {difference} in a probability: expected at \
         most {tolerance}; the forms are not of one network, export the bundle again"
    )]
    FormsDiffer {
        /// Name of the model.
        model: String,
        /// The form.
        format: Format,
        /// Largest difference seen (probability).
        difference: f32,
        /// Largest difference allowed (probability).
        tolerance: f32,
    },
    /// The library that wraps libtorch is not where it was looked for, or can't be used.
    #[error(
        "cannot load libtorch: {reason}; run scripts/setup and cargo build, and keep that library beside the program where both \
         are moved"
    )]
    Torch {
        /// Where it was looked for, or what is wrong with it.
        reason: String,
    },
    /// The library of ONNX Runtime is not where it was looked for, or can't be used.
    #[error(
        "cannot load ONNX Runtime: {reason}; run scripts/setup, or name the library with [model] onnxruntime_library"
    )]
    OnnxRuntime {
        /// Where it was looked for, or what is wrong with it.
        reason: String,
    },
    /// The network's output is not what the manifest says.
    #[error(
        "model {model}: expected an output of shape {expected:?} (batch, class, row, col) for an input of shape \
         {input:?} (batch, channel, row, col), got {got:?}: the manifest's classes and the weights do not belong \
         together"
    )]
    OutputShape {
        /// Name of the model.
        model: String,
        /// Shape that went in.
        input: Vec<i64>,
        /// Shape that the manifest implies.
        expected: Vec<i64>,
        /// Shape that came out.
        got: Vec<i64>,
    },
    /// The network looks further than its manifest says: tiles would show seams.
    #[error(
        "model {model}: pixels further than halo_px = {halo_px} away change a probability by {difference}: \
         expected at most {tolerance}; raise halo_px in its manifest"
    )]
    Halo {
        /// Name of the model.
        model: String,
        /// As the manifest says.
        halo_px: usize,
        /// Largest change seen (probability).
        difference: f32,
        /// Largest change allowed (probability).
        tolerance: f32,
    },
    /// The pass lacks bands that the model needs.
    #[error(
        "model {model} needs the bands {}, the pass has {}; choose another model or sensor profile",
        sets.iter().map(|set| role_names(set)).collect::<Vec<_>>().join(" or "),
        role_names(available)
    )]
    MissingBands {
        /// Name of the model.
        model: String,
        /// The sets of which it needs one.
        sets: Vec<Vec<BandRole>>,
        /// What the pass has.
        available: Vec<BandRole>,
    },
    /// The pixels are too fine or too coarse for the model.
    #[error(
        "model {model} was made for ground sampling distances of {minimum_m} m to {maximum_m} m, got {got_m} m: \
         choose another model or working resolution"
    )]
    GroundSamplingDistance {
        /// Name of the model.
        model: String,
        /// Finest, in metres.
        minimum_m: f64,
        /// Coarsest, in metres.
        maximum_m: f64,
        /// As asked for, in metres.
        got_m: f64,
    },
    /// The caller's arrays do not fit the model or each other.
    #[error("model {model}: {what}: expected {expected}, got {got}")]
    Window {
        /// Name of the model.
        model: String,
        /// Which of the arguments.
        what: &'static str,
        /// What fits.
        expected: String,
        /// What came.
        got: String,
    },
    /// A pixel that is called observed holds no number.
    #[error(
        "model {model}: reflectance of band {band}{} at row {row}, col {col} of the window is {value} though the \
         pixel is called observed: mask nodata before segmenting",
        date.map(|date| format!(" of the {date} date")).unwrap_or_default()
    )]
    ReflectanceNotFinite {
        /// Name of the model.
        model: String,
        /// Role of the band.
        band: BandRole,
        /// `earlier` or `later`, for a model that looks at two dates.
        date: Option<&'static str>,
        /// Row in the window.
        row: usize,
        /// Column in the window.
        col: usize,
        /// What stands there.
        value: f32,
    },
    /// The network answered with something that is no number.
    #[error(
        "model {model}: a logit at or near row {row}, col {col} of the window is not finite: the weights are broken"
    )]
    LogitNotFinite {
        /// Name of the model.
        model: String,
        /// Row in the window.
        row: usize,
        /// First column of the run of pixels in which it lies.
        col: usize,
    },
}

impl ModelError {
    /// True where the same command may succeed later: the device was busy or lost.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::OutOfMemory { .. } | Self::DeviceLost { .. })
    }
}
