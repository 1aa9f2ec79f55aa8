//! The model of a run: described at once from its verified bundle, loaded when there is something to segment.

use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use shorewatch_models::{Bundle, Device, FakeSegmenter, Kind, Options, Segmenter, SegmenterDescription};

use crate::configuration::RunSettings;
use crate::failure::Failure;

/// A segmenter that is loaded once, on demand. Shared by all threads.
///
/// A run with nothing new needs to know what the model *is* (its digest, bands and classes), not the network itself.
pub struct Model {
    description: SegmenterDescription,
    /// What [`Model::segmenter`] loads.
    source: Option<(Bundle, Options)>,
    loaded: OnceLock<Box<dyn Segmenter>>,
    loading: Mutex<()>,
}

impl Model {
    /// The model that the configuration names: manifest and digests are checked, the network is not loaded.
    ///
    /// # Errors
    /// The bundle is missing, of another kind or not what its manifest says; on a device other than the processor also
    /// everything that [`Model::segmenter`] refuses, since what is computed depends on the device that is found.
    pub fn open(settings: &RunSettings) -> Result<Self, Failure> {
        let Some(format) = settings.model.backend.format() else { return Ok(Self::from(FakeSegmenter::new())) };
        let folder = settings.model.folder.parent().unwrap_or(Path::new("."));
        let bundle = Bundle::load(folder, &settings.model.bundle)?;
        bundle.expect_kind(Kind::Segmentation)?;
        let options = settings.model.options(format);
        bundle.weights(format)?;
        if options.device != Device::Cpu {
            return Ok(Self::loaded(shorewatch_models::load(&bundle, &options)?));
        }
        Ok(Self {
            description: SegmenterDescription::of_bundle(&bundle, format, false),
            source: Some((bundle, options)),
            loaded: OnceLock::new(),
            loading: Mutex::default(),
        })
    }

    fn loaded(segmenter: Box<dyn Segmenter>) -> Self {
        Self {
            description: segmenter.description().clone(),
            source: None,
            loaded: OnceLock::from(segmenter),
            loading: Mutex::default(),
        }
    }

    /// What it needs and what it gives.
    #[must_use]
    pub const fn description(&self) -> &SegmenterDescription {
        &self.description
    }

    /// The network, loaded now if nobody has asked for it yet.
    ///
    /// # Errors
    /// It can't be loaded, or is not what its manifest says.
    pub fn segmenter(&self) -> Result<&dyn Segmenter, Failure> {
        let _one_at_a_time = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if let (None, Some((bundle, options))) = (self.loaded.get(), &self.source) {
            let segmenter = shorewatch_models::load(bundle, options)?;
            // nobody else can have set it meanwhile
            let _ = self.loaded.set(segmenter);
        }
        let loaded = self.loaded.get().map(AsRef::as_ref);
        loaded.ok_or_else(|| Failure::internal("a model has neither a network nor a bundle"))
    }
}

impl From<FakeSegmenter> for Model {
    fn from(fake: FakeSegmenter) -> Self {
        Self::loaded(Box::new(fake))
    }
}
