//! The table of changes from its file, each fault with its line.

use std::collections::BTreeSet;
use std::path::Path;

use shorewatch_domain::classes::{ClassTable, ModelClasses, Transition};
use shorewatch_law::rules::Rules;

use super::built_in;
use super::document::{Document, at};
use super::faults::{ConfigurationFault, ConfigurationFaults};
use super::schema::suggestion;

/// The table of changes, and the file that it came from, so that faults against a model can name lines.
#[derive(Clone, Debug)]
pub struct Classes {
    table: ClassTable,
    document: Document,
}

impl Classes {
    /// The table. Check it against the model with [`Classes::check`] before use.
    #[must_use]
    pub fn table(&self) -> &ClassTable {
        &self.table
    }

    /// The table, if every class that it names is one of the model's.
    ///
    /// # Errors
    /// All faults against the model, with file and line.
    pub fn check(&self, model_classes: &ModelClasses) -> Result<&ClassTable, ConfigurationFaults> {
        let faults = located(&self.document, &self.table, self.table.faults(model_classes));
        ConfigurationFaults::unless_empty(faults, &self.table)
    }

    /// Adds a fault for every zone that the vocabulary of the rules has no kind of.
    pub(super) fn check_zones(&self, rules: &Rules, faults: &mut Vec<ConfigurationFault>) {
        let kinds: BTreeSet<&str> = rules.vocabulary.shoreline_zones.values().map(String::as_str).collect();
        for (i, row) in self.table.zone_priors.iter().enumerate() {
            if !kinds.contains(row.zone.as_str()) {
                let message = format!("{:?} is no kind of function zone", row.zone);
                let help = suggestion(&row.zone, kinds.iter().copied());
                faults.push(self.document.fault(at!["zone_priors", i, "zone"], message, help));
            }
        }
    }

    /// Reads the table of a file, or the built-in one.
    pub(super) fn load(file: Option<&Path>, faults: &mut Vec<ConfigurationFault>) -> Option<Self> {
        let document = match file {
            Some(file) => Document::read(file, faults)?,
            None => Document::parse(Path::new("built-in/classes.toml"), built_in::CLASSES, faults)?,
        };
        let table: ClassTable = match toml::from_str(document.text()) {
            Ok(table) => table,
            Err(error) => {
                let help = "see the built-in configs/classes.toml for the form".to_owned();
                let span = error.span().unwrap_or(0..0);
                faults.push(document.fault_at_span(span, error.message().trim().replace('\n', " "), Some(help)));
                return None;
            }
        };
        // which classes the model has is known later: here every class that is named counts as known
        let in_zones = table.zone_priors.iter().flat_map(|row| row.becomes.keys());
        let named: Vec<String> =
            table.transitions.iter().flat_map(Transition::classes).chain(in_zones).cloned().collect();
        let found = located(&document, &table, table.faults(&ModelClasses::one_head(named)));
        let sound = found.is_empty();
        faults.extend(found);
        sound.then_some(Self { table, document })
    }
}

/// Gives the faults of a table the lines of their rows.
fn located(document: &Document, table: &ClassTable, faults: Vec<String>) -> Vec<ConfigurationFault> {
    let help = "ids are 1 to 250, names unique, classes those of the model's manifest";
    let place = |message: String| {
        // of rows with one name the last is at fault: it came second
        let row = table.transitions.iter().rposition(|row| message.starts_with(&format!("transition {:?}:", row.name)));
        let zone =
            table.zone_priors.iter().rposition(|row| message.starts_with(&format!("zone prior {:?}:", row.zone)));
        match (row, zone) {
            (Some(i), _) => document.fault(at!["transitions", i], message, help),
            (None, Some(i)) => document.fault(at!["zone_priors", i], message, help),
            (None, None) => document.fault(at!["schema_version"], message, help),
        }
    };
    faults.into_iter().map(place).collect()
}
