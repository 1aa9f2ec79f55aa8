//! ONNX on ONNX Runtime's kernels for the processor. The library is opened when the first bundle is loaded.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::session::Session;
use ort::value::TensorRef;

use crate::bundle::Bundle;
use crate::error::ModelError;
use crate::input::Layout;
use crate::load::Options;
use crate::manifest::Format;
use crate::network::{Network, NetworkFault};

const LIBRARY: &str = "ONNX Runtime";

/// File name of the library.
const LIBRARY_FILE: &str = "libonnxruntime.so";

/// Where scripts/setup puts the library, below the folder of the program or one of those above it.
const INSTALLED: &str = "third_party/onnxruntime/lib";

/// Folders above that of the program which are searched: a test lies in `target/debug/deps`.
const LEVELS_UP: usize = 4;

/// Names that the bundle contract gives the ends of the network.
const INPUT: &str = "reflectance";
const OUTPUT: &str = "logits";

/// An ONNX network: sessions that calls take turns with, since a session runs one call at a time.
pub(crate) struct Onnx {
    environment: Environment,
    weights: Vec<u8>,
    threads: usize,
    idle: Mutex<Vec<Session>>,
}

impl Onnx {
    /// Loads the verified weights of a bundle.
    pub(crate) fn load(bundle: &Bundle, format: Format, options: &Options) -> Result<Self, ModelError> {
        let environment = environment(options.onnxruntime_library.as_deref())?;
        let onnx = Self {
            environment,
            weights: bundle.weights(format)?,
            threads: options.threads.max(1),
            idle: Mutex::default(),
        };
        let refused = |message: String| ModelError::Backend {
            model: bundle.manifest().name.clone(),
            library: LIBRARY,
            doing: "loading the weights".to_owned(),
            message,
        };
        let session = onnx.session().map_err(|fault| refused(message(&fault)))?;
        let [inputs, outputs] = [session.inputs(), session.outputs()]
            .map(|ends| ends.iter().map(|end| end.name().to_owned()).collect::<Vec<_>>());
        if inputs != [INPUT] || outputs != [OUTPUT] {
            return Err(refused(format!(
                "expected an input {INPUT:?} and an output {OUTPUT:?}, got {inputs:?} and {outputs:?}"
            )));
        }
        onnx.give_back(session);
        Ok(onnx)
    }

    fn session(&self) -> ort::Result<Session> {
        let mut builder =
            Session::builder(&self.environment)?.with_intra_threads(self.threads).map_err(ort::Error::<()>::from)?;
        builder.commit_from_memory(&self.weights)
    }

    fn give_back(&self, session: Session) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
    }

    fn run(&self, pixels: &[f32], size: [usize; 4], take: &mut dyn FnMut(&[f32], &[i64])) -> ort::Result<()> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut session = match idle {
            Some(session) => session,
            None => self.session()?,
        };
        {
            let outputs = session.run(ort::inputs![INPUT => TensorRef::from_array_view((size, pixels))?])?;
            let (shape, logits) = outputs[OUTPUT].try_extract_tensor::<f32>()?;
            take(logits, shape);
        }
        self.give_back(session);
        Ok(())
    }
}

impl Network for Onnx {
    fn library(&self) -> &'static str {
        LIBRARY
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
        self.run(pixels, size, take).map_err(|fault| {
            let message = message(&fault);
            if message.contains("Failed to allocate memory") || message.contains("bad_alloc") {
                NetworkFault::OutOfMemory(message)
            } else {
                NetworkFault::Refused(message)
            }
        })
    }
}

fn message(fault: &ort::Error) -> String {
    let lines = fault.message().lines().map(str::trim).filter(|line| !line.is_empty());
    lines.take(4).collect::<Vec<_>>().join("; ")
}

/// The one environment of the process: the library is opened once, and the first bundle says from where.
fn environment(configured: Option<&Path>) -> Result<Environment, ModelError> {
    static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);
    let mut kept = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = kept.as_ref() {
        return Ok(environment.clone());
    }
    let library = library(configured, std::env::current_exe().ok().as_deref())?;
    let unusable = |fault: &dyn std::fmt::Display| ModelError::OnnxRuntime { reason: fault.to_string() };
    let builder = ort::init_from(&library).map_err(|fault| unusable(&fault))?;
    let environment =
        builder.with_name("shorewatch").with_telemetry(false).build().map_err(|fault| unusable(&fault))?;
    tracing::debug!(library = %library.display(), "ONNX Runtime opened");
    Ok(kept.insert(environment).clone())
}

/// Where the library is: as configured; else beside the program, or where scripts/setup puts it.
fn library(configured: Option<&Path>, program: Option<&Path>) -> Result<PathBuf, ModelError> {
    if let Some(path) = configured {
        return if path.is_file() {
            Ok(path.to_owned())
        } else {
            Err(ModelError::OnnxRuntime { reason: format!("there is no file {}", path.display()) })
        };
    }
    let folders = program.into_iter().flat_map(Path::ancestors).skip(1).take(1 + LEVELS_UP);
    let mut candidates =
        folders.flat_map(|folder| [folder.join(LIBRARY_FILE), folder.join(INSTALLED).join(LIBRARY_FILE)]);
    candidates.find(|path| path.is_file()).ok_or_else(|| ModelError::OnnxRuntime {
        reason: format!(
            "{LIBRARY_FILE} lies neither beside the program nor in {INSTALLED} of its folder or of those above it"
        ),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_library_is_found_from_the_program_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let program = folder.path().join("home/checkout/target/debug/deps/program");
        library(None, Some(&program)).expect_err("not there");
        let installed = folder.path().join("home/checkout").join(INSTALLED);
        fs::create_dir_all(&installed).expect("a new folder");
        fs::write(installed.join(LIBRARY_FILE), "").expect("written");
        assert_eq!(library(None, Some(&program)).expect("found"), installed.join(LIBRARY_FILE));
        // what the configuration names is used, or refused: never another one
        let named = folder.path().join("mine.so");
        library(Some(&named), Some(&program)).expect_err("not there");
        fs::write(&named, "").expect("written");
        assert_eq!(library(Some(&named), Some(&program)).expect("found"), named);
    }
}
