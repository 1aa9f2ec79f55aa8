//! The check of rules: words that nobody knows, rows that can never fire, rows that contradict one another.

mod numbers;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use shorewatch_domain::classes::IssueClass;
use shorewatch_domain::law::assessment::{PermitStatus, SubType};
use shorewatch_domain::law::explanation::RuleTable;
use shorewatch_domain::law::water::WaterKind;

use super::conditions::{Conditions, Dimension, Facts, Row, Table};
use super::files::{Files, IssueRow, VocabularyFile};
use super::{Breaks, Issue, Route, Rules, Vocabulary, digest};

use numbers::{columns, outcome_codes, settings};
use tables::{basins, table_faults};

/// Zones that need no vocabulary.
pub(crate) const ZONES: [&str; 7] = [
    "management_scope",
    "protection_scope",
    "wetland",
    "blue_line",
    "water_source:first",
    "water_source:second",
    "water_source:quasi",
];

/// A file of rules.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RuleFile {
    /// Words.
    Vocabulary,
    /// What it may be in law.
    Issues,
    /// How bad it is.
    Severity,
    /// Whose it is.
    Offices,
    /// Numbers.
    Assessment,
    /// Columns.
    Ledger,
    /// National patches.
    National,
}

impl RuleFile {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Vocabulary, Self::Issues, Self::Severity, Self::Offices, Self::Assessment, Self::Ledger, Self::National];

    /// Its name in the folder of rules.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vocabulary => "vocabulary.toml",
            Self::Issues => "issues.toml",
            Self::Severity => "severity.toml",
            Self::Offices => "offices.toml",
            Self::Assessment => "assessment.toml",
            Self::Ledger => "ledger.toml",
            Self::National => "national.toml",
        }
    }
}

/// A step on the way to a value of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// A key.
    Key(&'static str),
    /// Number of an item, from 0.
    Item(usize),
}

/// One fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleFault {
    /// In which file.
    pub file: RuleFile,
    /// Where in it.
    pub at: Vec<Step>,
    /// What is wrong.
    pub message: String,
    /// What to do next.
    pub help: String,
}

impl fmt::Display for RuleFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.file.name(), self.message, self.help)
    }
}

struct Faults(Vec<RuleFault>);

impl Faults {
    fn add(&mut self, file: RuleFile, at: &[Step], message: impl Into<String>, help: impl Into<String>) {
        self.0.push(RuleFault { file, at: at.to_vec(), message: message.into(), help: help.into() });
    }

    /// Words that are not among the known ones.
    fn words<'a>(
        &mut self,
        file: RuleFile,
        at: &[Step],
        key: &'static str,
        words: impl IntoIterator<Item = &'a String>,
        known: &BTreeSet<String>,
    ) {
        for (number, word) in words.into_iter().enumerate().filter(|(_, word)| !known.contains(*word)) {
            let at: Vec<Step> = at.iter().copied().chain([Step::Key(key), Step::Item(number)]).collect();
            let list = known.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            self.add(file, &at, format!("{word:?} is no word of `{key}`"), format!("known here: {list}"));
        }
    }
}

/// All words of each dimension.
fn universe(vocabulary: &VocabularyFile) -> Facts {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<String>>();
    let classes: BTreeSet<String> = vocabulary.classes.iter().cloned().collect();
    let shoreline = vocabulary.shoreline_zones.iter().map(|zone| format!("shoreline:{}", zone.name));
    [
        (Dimension::From, classes.clone()),
        (Dimension::To, classes),
        (Dimension::ObjectClasses, vocabulary.object_classes.iter().cloned().collect()),
        (Dimension::Waters, owned(&WaterKind::ALL.map(WaterKind::name))),
        (Dimension::Zones, owned(&ZONES).into_iter().chain(shoreline).collect()),
        (Dimension::Permit, owned(&PermitStatus::ALL.map(PermitStatus::name))),
        (Dimension::IssueClasses, owned(&IssueClass::ALL.map(IssueClass::name))),
        (Dimension::SubTypes, owned(&SubType::ALL.map(SubType::code))),
    ]
    .into()
}

pub(super) fn rules(files: &Files) -> Result<Rules, Vec<RuleFault>> {
    let mut faults = Faults(Vec::new());
    let universe = universe(&files.vocabulary);
    let vocabulary = vocabulary(&files.vocabulary, &mut faults);
    let issues = Table {
        table: RuleTable::Issues,
        rows: files
            .issues
            .issues
            .iter()
            .enumerate()
            .filter_map(|(number, row)| issue(number, row, &universe, &mut faults))
            .collect(),
    };
    let severity = Table {
        table: RuleTable::Severity,
        rows: files
            .severity
            .severity
            .iter()
            .enumerate()
            .map(|(number, row)| {
                let at = [Step::Key("severity"), Step::Item(number)];
                let lists = [
                    (Dimension::IssueClasses, &row.issue_classes),
                    (Dimension::SubTypes, &row.sub_types),
                    (Dimension::Zones, &row.zones),
                ];
                classes_of_sub_types(RuleFile::Severity, &at, &row.issue_classes, &row.sub_types, &mut faults);
                let (serious, major) = (row.serious_from_m2, row.major_above_m2);
                if major < serious {
                    let message = format!("major_above_m2 {major} lies below serious_from_m2 {serious}");
                    faults.add(RuleFile::Severity, &at, message, "an area gets worse as it grows");
                }
                Row {
                    name: row.name.clone(),
                    chinese_name: row.chinese_name.clone(),
                    conditions: conditions(RuleFile::Severity, &at, lists, &universe, &mut faults),
                    goes_before: row.goes_before.clone(),
                    reason: row.reason.wording(),
                    outcome: Breaks { serious_from_m2: serious, major_above_m2: major },
                }
            })
            .collect(),
    };
    let routing = Table {
        table: RuleTable::Routing,
        rows: files
            .offices
            .routing
            .iter()
            .enumerate()
            .map(|(number, row)| {
                let at = [Step::Key("routing"), Step::Item(number)];
                let lists = [
                    (Dimension::IssueClasses, &row.issue_classes),
                    (Dimension::SubTypes, &row.sub_types),
                    (Dimension::Zones, &row.zones),
                ];
                classes_of_sub_types(RuleFile::Offices, &at, &row.issue_classes, &row.sub_types, &mut faults);
                Row {
                    name: row.name.clone(),
                    chinese_name: row.chinese_name.clone(),
                    conditions: conditions(RuleFile::Offices, &at, lists, &universe, &mut faults),
                    goes_before: row.goes_before.clone(),
                    reason: row.reason.wording(),
                    outcome: Route { lead: row.lead.clone(), supporting: row.supporting.clone() },
                }
            })
            .collect(),
    };
    table_faults(RuleFile::Issues, "issues", &issues, &universe, &mut faults);
    table_faults(RuleFile::Severity, "severity", &severity, &universe, &mut faults);
    table_faults(RuleFile::Offices, "routing", &routing, &universe, &mut faults);
    for class in IssueClass::ALL {
        let facts: Facts = [(Dimension::IssueClasses, [class.name().to_owned()].into())].into();
        let mut decided = |file, key, is_decided: bool| {
            if !is_decided {
                let message = format!("no row decides for {:?} without a zone and a sub-type", class.name());
                let help = "add a last row for this class without `zones` and `sub_types`";
                faults.add(file, &[Step::Key(key)], message, help);
            }
        };
        decided(RuleFile::Severity, "severity", severity.decide(&facts).0.is_some());
        decided(RuleFile::Offices, "routing", routing.decide(&facts).0.is_some());
    }
    let basin_authorities = basins(&files.offices.basin_authorities, &mut faults);
    let settings = settings(files, &universe, &mut faults);
    columns(files, &mut faults);
    outcome_codes(files, &mut faults);
    match settings {
        Some(settings) if faults.0.is_empty() => Ok(Rules {
            vocabulary,
            issues,
            severity,
            routing,
            basin_authorities,
            settings,
            ledger: files.ledger.columns.clone(),
            national: files.national.clone(),
            digest: digest(files),
        }),
        _ => Err(faults.0),
    }
}

fn vocabulary(file: &VocabularyFile, faults: &mut Faults) -> Vocabulary {
    let mut shoreline_zones = BTreeMap::new();
    for (number, zone) in file.shoreline_zones.iter().enumerate() {
        let at = [Step::Key("shoreline_zones"), Step::Item(number)];
        if file.shoreline_zones[..number].iter().any(|earlier| earlier.name == zone.name) {
            faults.add(
                RuleFile::Vocabulary,
                &at,
                format!("{:?} stands here twice", zone.name),
                "put the terms together",
            );
        }
        for term in &zone.terms {
            if let Some(other) = shoreline_zones.insert(term.clone(), zone.name.clone()) {
                let message = format!("the term {term:?} is of {other:?} and of {:?}", zone.name);
                faults.add(RuleFile::Vocabulary, &at, message, "a word of a layer must mean one kind of zone");
            }
        }
    }
    let mut local_words = BTreeMap::new();
    for (number, local) in file.local_words.iter().enumerate() {
        let at = [Step::Key("local_words"), Step::Item(number), Step::Key("sub_type")];
        match SubType::of_code(&local.sub_type) {
            None => faults.add(
                RuleFile::Vocabulary,
                &at,
                format!("{:?} is no sub-type", local.sub_type),
                "known here: 1a to 1d, 2a to 2d, 3a to 3c, 4a to 4c",
            ),
            Some(sub_type) => {
                if local_words.insert(sub_type, local.word.clone()).is_some() {
                    let message = format!("sub-type {} has two words", sub_type.code());
                    faults.add(RuleFile::Vocabulary, &at, message, "keep one of them");
                }
            }
        }
    }
    for (key, words) in [("classes", &file.classes), ("object_classes", &file.object_classes)] {
        for (number, word) in words.iter().enumerate() {
            if words[..number].contains(word) {
                let at = [Step::Key(key), Step::Item(number)];
                faults.add(RuleFile::Vocabulary, &at, format!("{word:?} stands here twice"), "remove one");
            }
        }
    }
    Vocabulary {
        classes: file.classes.iter().cloned().collect(),
        object_classes: file.object_classes.iter().cloned().collect(),
        shoreline_zones,
        local_words,
    }
}

fn conditions<const N: usize>(
    file: RuleFile,
    at: &[Step],
    lists: [(Dimension, &Vec<String>); N],
    universe: &Facts,
    faults: &mut Faults,
) -> Conditions {
    for (dimension, words) in &lists {
        faults.words(file, at, dimension.key(), *words, &universe[dimension]);
    }
    Conditions::of(lists)
}

fn classes_of_sub_types(file: RuleFile, at: &[Step], classes: &[String], sub_types: &[String], faults: &mut Faults) {
    for sub_type in sub_types.iter().filter_map(|code| SubType::of_code(code)) {
        let class = sub_type.issue_class().name();
        if !classes.is_empty() && !classes.iter().any(|one| one == class) {
            let message = format!("sub-type {} is of {class}, which `issue_classes` does not name", sub_type.code());
            faults.add(file, at, message, "the row could never fire on it: add the class, or remove the sub-type");
        }
    }
}

fn issue(number: usize, row: &IssueRow, universe: &Facts, faults: &mut Faults) -> Option<Row<Issue>> {
    let at = [Step::Key("issues"), Step::Item(number)];
    let with = |key| [at[0], at[1], Step::Key(key)];
    let lists = [
        (Dimension::From, &row.from),
        (Dimension::To, &row.to),
        (Dimension::ObjectClasses, &row.object_classes),
        (Dimension::Waters, &row.waters),
        (Dimension::Zones, &row.zones),
        (Dimension::Permit, &row.permit),
    ];
    let conditions = conditions(RuleFile::Issues, &at, lists, universe, faults);
    let class = IssueClass::ALL.into_iter().find(|class| class.name() == row.issue_class);
    if class.is_none() {
        let known = IssueClass::ALL.map(IssueClass::name).join(", ");
        let message = format!("{:?} is no issue class", row.issue_class);
        faults.add(RuleFile::Issues, &with("issue_class"), message, format!("known here: {known}"));
    }
    let class = class?;
    let sub_type = row.sub_type.as_deref().map(|code| (code, SubType::of_code(code)));
    let message = match sub_type {
        Some((code, None)) => Some(format!("{code:?} is no sub-type")),
        Some((code, Some(sub_type))) if sub_type.issue_class() != class => {
            Some(format!("sub-type {code} is of {}, not of {}", sub_type.issue_class().name(), class.name()))
        }
        None if class != IssueClass::Undetermined => Some(format!("a row for {} needs a sub-type", class.name())),
        _ => None,
    };
    if let Some(message) = message {
        let help =
            "occupation has 1a to 1d, mining 2a to 2d, dumping 3a to 3c, construction 4a to 4c, undetermined none";
        faults.add(RuleFile::Issues, &with("sub_type"), message, help);
        return None;
    }
    Some(Row {
        name: row.name.clone(),
        chinese_name: row.chinese_name.clone(),
        conditions,
        goes_before: row.goes_before.clone(),
        reason: row.reason.wording(),
        outcome: Issue { issue_class: class, sub_type: sub_type.and_then(|(_, sub_type)| sub_type) },
    })
}
