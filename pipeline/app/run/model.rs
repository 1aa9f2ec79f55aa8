//! The model of a run: described at once from its verified bundle, loaded when there is something to segment.

use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use shorewatch_domain::digest::Digest;
use shorewatch_domain::sensor::BandRole;
use shorewatch_models::{
    Bundle, ChangeNetwork, Device, FakeSegmenter, Format, Kind, Options, Segmenter, SegmenterDescription,
};

use crate::configuration::RunSettings;
use crate::evaluation::first_format;
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

    /// What the model is by its manifest alone: no weights are read.
    ///
    /// # Errors
    /// The bundle is missing, of another kind, or its manifest is not sound.
    pub fn describe(settings: &RunSettings) -> Result<SegmenterDescription, Failure> {
        let Some(format) = settings.model.backend.format() else {
            return Ok(FakeSegmenter::new().description().clone());
        };
        let folder = settings.model.folder.parent().unwrap_or(Path::new("."));
        let bundle = Bundle::load(folder, &settings.model.bundle)?;
        bundle.expect_kind(Kind::Segmentation)?;
        Ok(SegmenterDescription::of_bundle(&bundle, format, false))
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

/// The network that is shown two dates: checked at once, loaded when it is first asked. Shared by all threads.
pub struct ChangeModel {
    description: SegmenterDescription,
    bundle: Bundle,
    options: Options,
    pixel_size_m: f64,
    loaded: OnceLock<ChangeNetwork>,
    loading: Mutex<()>,
}

impl ChangeModel {
    /// The bundle that the configuration names under `[change]`; `None` where it names none.
    ///
    /// # Errors
    /// The bundle is missing, of another kind or not what its manifest says; on a device other than the processor also
    /// everything that [`ChangeModel::network`] refuses.
    pub fn open(settings: &RunSettings) -> Result<Option<Self>, Failure> {
        let Some(name) = &settings.change_bundle else { return Ok(None) };
        let folder = settings.model.folder.parent().unwrap_or(Path::new("."));
        let bundle = Bundle::load(folder, name)?;
        bundle.expect_kind(Kind::Bitemporal)?;
        // in the form that the run's model has, where there is one of it
        let wanted = settings.model.backend.format().filter(|format| bundle.weights(*format).is_ok());
        let format = wanted.map_or_else(|| first_format(&bundle), Ok)?;
        let mut options = settings.model.options(format);
        if format != Format::TorchScript {
            options.device = Device::Cpu;
        }
        let (description, loaded) = if options.device == Device::Cpu {
            (SegmenterDescription::of_bundle(&bundle, format, false), OnceLock::new())
        } else {
            // what is computed depends on the device that is found
            let network = ChangeNetwork::load(&bundle, &options)?;
            (network.description().clone(), OnceLock::from(network))
        };
        let (pixel_size_m, loading) = (settings.grid.pixel_size_m, Mutex::default());
        Ok(Some(Self { description, bundle, options, pixel_size_m, loaded, loading }))
    }

    /// What it needs and what it gives.
    #[must_use]
    pub const fn description(&self) -> &SegmenterDescription {
        &self.description
    }

    /// What results depend on.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.description.digest
    }

    /// Whether it takes these bands at the pixel size of the run.
    #[must_use]
    pub fn fits(&self, roles: &[BandRole]) -> bool {
        self.description.check_fits(roles, self.pixel_size_m).is_ok()
    }

    /// The network, loaded now if nobody has asked for it yet.
    ///
    /// # Errors
    /// It can't be loaded, or is not what its manifest says.
    pub fn network(&self) -> Result<&ChangeNetwork, Failure> {
        let _one_at_a_time = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if self.loaded.get().is_none() {
            let network = ChangeNetwork::load(&self.bundle, &self.options)?;
            // nobody else can have set it meanwhile
            let _ = self.loaded.set(network);
        }
        self.loaded.get().ok_or_else(|| Failure::internal("a loaded network is gone"))
    }
}
