//! Configurations in temporary folders, and checks of their faults.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use shorewatch::configuration::{self, ConfigurationFaults, FoundPass, RunSettings, load_with};

pub(crate) const MINIMAL: &str = r#"
schema_version = 1
store = { file = "shore.gpkg" }
work = { folder = "work" }
output = { folder = "out" }
model = { folder = "models", bundle = "landcover-grn" }
grid = { zones = "utm", ground_sampling_distance_m = 10 }
"#;

pub(crate) fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A folder with a configuration and whatever files a test needs.
pub(crate) struct Scratch {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) environment: BTreeMap<String, String>,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder"), environment: BTreeMap::new() }
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> &Self {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
        self
    }

    pub(crate) fn load(&self, text: &str) -> Result<RunSettings, ConfigurationFaults> {
        self.write("run.toml", text);
        load_with(&self.folder.path().join("run.toml"), &|name| self.environment.get(name).cloned())
    }

    pub(crate) fn settings(&self, text: &str) -> RunSettings {
        self.load(text).unwrap_or_else(|faults| panic!("{faults}"))
    }

    /// The faults as `FILE:LINE: message`, without the folder.
    pub(crate) fn faults(&self, text: &str) -> Vec<String> {
        lines(&self.load(text).expect_err("a fault"))
    }

    pub(crate) fn passes(&self, text: &str) -> Result<Vec<FoundPass>, Vec<String>> {
        self.settings(text).find_passes().map_err(|faults| lines(&faults))
    }
}

pub(crate) fn lines(faults: &ConfigurationFaults) -> Vec<String> {
    let line = |fault: &configuration::ConfigurationFault| {
        let name = fault.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let line = fault.place.as_ref().map_or(0, |place| place.line);
        format!("{name}:{line}: {}", fault.message)
    };
    faults.faults().iter().map(line).collect()
}

/// Every expected part must stand in its fault, in order, and there must be no other fault.
pub(crate) fn check_faults(got: &[String], expected: &[&str]) {
    assert_eq!(got.len(), expected.len(), "expected {expected:#?}, got {got:#?}");
    for (got, expected) in got.iter().zip(expected) {
        let (place, part) = expected.split_once(' ').expect("PLACE MESSAGE");
        assert!(got.starts_with(place) && got.contains(part), "expected {expected:?}, got {got:?}");
    }
}

pub(crate) fn repository_file(name: &str) -> String {
    fs::read_to_string(repository().join(name)).expect(name)
}
