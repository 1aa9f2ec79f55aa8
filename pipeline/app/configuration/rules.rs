//! The rules of a folder, each fault with file and line. A file that the folder lacks is the built-in one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use shorewatch_law::rules::{self, Files, RuleFault, RuleFile, Rules};

use super::built_in;
use super::document::{Document, Step};
use super::faults::ConfigurationFault;
use super::schema::{self, suggestion};

pub(super) fn load(folder: Option<&Path>, faults: &mut Vec<ConfigurationFault>) -> Option<Rules> {
    let before = faults.len();
    if let Some(folder) = folder {
        check_names(folder, faults);
    }
    let documents: BTreeMap<RuleFile, Document> =
        RuleFile::ALL.into_iter().filter_map(|file| Some((file, document(file, folder, faults)?))).collect();
    let files = Files {
        vocabulary: typed(&documents, RuleFile::Vocabulary, faults)?,
        issues: typed(&documents, RuleFile::Issues, faults)?,
        severity: typed(&documents, RuleFile::Severity, faults)?,
        offices: typed(&documents, RuleFile::Offices, faults)?,
        assessment: typed(&documents, RuleFile::Assessment, faults)?,
        ledger: typed(&documents, RuleFile::Ledger, faults)?,
        national: typed(&documents, RuleFile::National, faults)?,
    };
    match Rules::check(&files) {
        Ok(rules) if faults.len() == before => Some(rules),
        Ok(_) => None,
        Err(found) => {
            faults.extend(found.iter().map(|fault| located(&documents, fault)));
            None
        }
    }
}

/// A file that nobody would read is a mistake in its name.
fn check_names(folder: &Path, faults: &mut Vec<ConfigurationFault>) {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(fault) => {
            let help = "name a folder of rules in [rules] folder, or leave it out for the built-in ones";
            return faults.push(ConfigurationFault::of_file(folder, format!("cannot be read: {fault}"), help));
        }
    };
    for entry in entries.filter_map(Result::ok) {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if path.extension().is_some_and(|ending| ending == "toml")
            && RuleFile::ALL.iter().all(|file| file.name() != name)
        {
            let help = suggestion(&name, RuleFile::ALL.into_iter().map(RuleFile::name));
            faults.push(ConfigurationFault::of_file(&path, "is no file of rules", help));
        }
    }
}

fn document(file: RuleFile, folder: Option<&Path>, faults: &mut Vec<ConfigurationFault>) -> Option<Document> {
    let own = folder.map(|folder| folder.join(file.name())).filter(|path| path.exists());
    match own {
        Some(path) => Document::read(&path, faults),
        None => {
            let text = built_in::RULES.iter().find(|(name, _)| *name == file.name()).map(|(_, text)| *text)?;
            Document::parse(&PathBuf::from("built-in/rules").join(file.name()), text, faults)
        }
    }
}

/// A file as typed, where its form is right.
fn typed<T: JsonSchema + DeserializeOwned>(
    documents: &BTreeMap<RuleFile, Document>,
    file: RuleFile,
    faults: &mut Vec<ConfigurationFault>,
) -> Option<T> {
    let document = documents.get(&file)?;
    let before = faults.len();
    schema::check(document, &schema::schema_of::<T>(), faults);
    if faults.len() > before {
        return None;
    }
    match toml::from_str(document.text()) {
        Ok(table) => Some(table),
        Err(error) => {
            faults.push(document.fault_at_span(error.span().unwrap_or(0..0), error.message(), None));
            None
        }
    }
}

fn located(documents: &BTreeMap<RuleFile, Document>, fault: &RuleFault) -> ConfigurationFault {
    let steps: Vec<Step<'_>> = fault
        .at
        .iter()
        .map(|step| match step {
            rules::Step::Key(key) => Step::Key(key),
            rules::Step::Item(item) => Step::Item(*item),
        })
        .collect();
    match documents.get(&fault.file) {
        Some(document) => document.fault(&steps, fault.message.clone(), fault.help.clone()),
        None => ConfigurationFault::of_file(Path::new(fault.file.name()), fault.message.clone(), fault.help.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::faults::ConfigurationFaults;
    use super::*;

    fn load_rules(folder: Option<&Path>) -> Result<Rules, ConfigurationFaults> {
        let mut faults = Vec::new();
        match load(folder, &mut faults) {
            Some(rules) => ConfigurationFaults::unless_empty(faults, rules),
            None => Err(ConfigurationFaults::sorted(faults)),
        }
    }

    #[test]
    fn the_built_in_rules_are_right_and_are_those_of_the_folder() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/configs/rules"));
        assert_eq!(load_rules(None).expect("rules"), load_rules(Some(folder)).expect("rules"));
    }

    #[test]
    fn faults_name_file_and_line_and_what_to_do() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
        write(
            "issues.toml",
            "schema_version = 1\n[[issues]]\nname = \"a\"\nobject_class = [\"pit\"]\nissue_class = \"mining\"\nreason = \"r\"\n",
        );
        write("isues.toml", "");
        let faults = load_rules(Some(folder.path())).expect_err("refused").to_string();
        assert!(
            faults.contains("issues.toml:4:1: unknown key `object_class`") && faults.contains("object_classes"),
            "{faults}"
        );
        assert!(faults.contains("isues.toml: is no file of rules (did you mean `issues.toml`?)"), "{faults}");
        std::fs::remove_file(folder.path().join("isues.toml")).expect("removed");
        write(
            "issues.toml",
            "schema_version = 1\n[[issues]]\nname = \"a\"\nobject_classes = [\"pit\", \"moon\"]\nissue_class = \"mining\"\nsub_type = \"2a\"\nreason = \"r\"\n",
        );
        let faults = load_rules(Some(folder.path())).expect_err("refused").to_string();
        assert!(faults.contains("issues.toml:4:26: \"moon\" is no word of `object_classes`"), "{faults}");
    }

    #[test]
    fn a_reason_is_one_text_or_one_in_each_language() {
        let folder = tempfile::tempdir().expect("a folder");
        let load_with = |reason: &str| {
            let text = format!(
                "schema_version = 1\n[[issues]]\nname = \"a\"\nissue_class = \"mining\"\nsub_type = \"2a\"\n{reason}\n"
            );
            std::fs::write(folder.path().join("issues.toml"), text).expect("written");
            load_rules(Some(folder.path()))
        };
        let reason_of = |rules: Rules| rules.issues.rows[0].reason.clone();
        let both = reason_of(load_with("reason.english = \"why\"\nreason.chinese = \"缘由\"").expect("rules"));
        assert_eq!((both.english.as_str(), both.chinese.as_str()), ("why", "缘由"));
        assert_eq!(reason_of(load_with("reason = { english = \"why\", chinese = \"缘由\" }").expect("rules")), both);
        let one = reason_of(load_with("reason = \"缘由\"").expect("rules"));
        assert_eq!((one.english.as_str(), one.chinese.as_str()), ("缘由", "缘由"));
        for (reason, told) in [
            ("reason.english = \"why\"", "issues.toml:6:1: `issues[0].reason.chinese` is missing"),
            (
                "reason = 5",
                "issues.toml:6:10: `issues[0].reason`: expected a string in quotes or a table, got an integer",
            ),
            ("reason = \"\"", "`issues[0].reason`: \"\" is too short"),
            (
                "reason = { english = \"a\", chinese = \"b\", french = \"c\" }",
                "unknown key `french` in `issues[0].reason`",
            ),
        ] {
            let faults = load_with(reason).expect_err("refused").to_string();
            assert!(faults.contains(told), "{told:?} is not in\n{faults}");
        }
    }
}
