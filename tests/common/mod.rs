//! A place to run the real binary in: painted imagery, a configuration, and what comes out.
#![allow(dead_code, reason = "every test file uses its own part")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

pub(crate) mod served;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// The binary under test.
pub(crate) const SHOREWATCH: &str = env!("CARGO_BIN_EXE_shorewatch");

/// The repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder of its own with a painted scene and a configuration that uses the fake segmenter.
pub(crate) struct Place {
    folder: TempDir,
    /// Lines for `[tiles]`, `[model]` and so on beyond the defaults, by section.
    pub(crate) unit_px: usize,
    pub(crate) passes: String,
    pub(crate) reaches: String,
    pub(crate) extra: String,
}

impl Place {
    /// The small scene, painted.
    pub(crate) fn painted() -> Self {
        let place = Self::empty();
        let painted = place.run(&["synth", "--scene", "small", "--out", "imagery"]);
        assert!(painted.status.success(), "{}", text(&painted));
        place
    }

    /// Nothing but a configuration.
    pub(crate) fn empty() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        Self {
            folder,
            unit_px: 128,
            passes: "[[passes]]\nfiles = [\"imagery/*.tif\"]\nsensor = \"synthetic\"\n".to_owned(),
            reaches:
                "[[reaches]]\nfile = \"imagery/reaches.geojson\"\nid_field = \"reach_id\"\nname_field = \"name\"\n"
                    .to_owned(),
            extra: String::new(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the configuration under a name, with its own store and folders below `state`.
    pub(crate) fn configure(&self, name: &str, state: &str) -> String {
        let text = format!(
            "schema_version = 1\n[store]\nfile = \"{state}/store.gpkg\"\n[work]\nfolder = \"{state}/work\"\n[output]\nfolder = \"{state}/out\"\n\
             [model]\nfolder = \"models\"\nbundle = \"none\"\nbackend = \"fake\"\n[grid]\nzones = \"utm\"\nground_sampling_distance_m = 10.0\n\
             [tiles]\nunit_px = {}\n[limits]\nsettle_seconds = 0.0\n{}\n{}\n{}\n[runtime]\nthreads = 2\nsynthetic = true\n",
            self.unit_px, self.extra, self.passes, self.reaches
        );
        fs::write(self.path(name), text).expect("the configuration is written");
        name.to_owned()
    }

    /// Runs the binary in the folder.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary runs")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(SHOREWATCH);
        command.args(arguments).current_dir(self.folder.path());
        command
    }

    /// Runs the binary and reads its JSON summary; the exit code must be as expected.
    pub(crate) fn json(&self, expected_code: i32, arguments: &[&str]) -> Value {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        let output = self.run(&arguments);
        assert_eq!(output.status.code(), Some(expected_code), "{arguments:?}: {}", text(&output));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|fault| panic!("{fault}: {}", text(&output)))
    }

    /// The rows of a table of the store as text, without the columns that say when they were written.
    pub(crate) fn rows(&self, store: &str, table: &str) -> Vec<String> {
        let store = rusqlite::Connection::open(self.path(store)).expect("the store opens");
        let mut statement = store.prepare(&format!("SELECT * FROM {table} ORDER BY 1")).expect("the table is there");
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let timed = [
            "added_at",
            "imported_at",
            "published_at",
            "superseded_at",
            "started_at",
            "finished_at",
            "seconds",
            "assessed_at",
            "given_at",
            "first_raised_at",
        ];
        let mut rows = statement.query([]).expect("rows");
        let mut found = Vec::new();
        while let Some(row) = rows.next().expect("a row") {
            let cells = names.iter().enumerate().filter(|(_, name)| !timed.contains(&name.as_str()));
            let cells: Vec<String> =
                cells.map(|(i, name)| format!("{name}={}", cell(row.get_ref(i).expect("a cell")))).collect();
            found.push(cells.join(" "));
        }
        found
    }
}

/// A value without blanks, so that a row can be taken apart at them.
fn cell(value: rusqlite::types::ValueRef<'_>) -> String {
    use rusqlite::types::ValueRef;
    let text = match value {
        ValueRef::Null => "none".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    text.replace(char::is_whitespace, "_")
}

/// Everything that a run decided, row for row.
pub(crate) fn decided(place: &Place, state: &str) -> Vec<(String, Vec<String>)> {
    [
        "patches",
        "patches_suppressed",
        "follow_ups",
        "cases",
        "case_events",
        "observations",
        "tiles",
        "publications",
        "units",
    ]
    .iter()
    .map(|table| ((*table).to_owned(), place.rows(&format!("{state}/store.gpkg"), table)))
    .collect()
}

/// Standard output and error of a run, for messages.
pub(crate) fn text(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The folder of real imagery, or a line that says why the test is skipped.
pub(crate) fn real_data(set: &str) -> Option<PathBuf> {
    let folder =
        std::env::var_os("SHOREWATCH_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from).join(set);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: the real imagery {} is not here (set SHOREWATCH_DATA)", folder.display());
    None
}
