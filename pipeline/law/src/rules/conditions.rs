//! Conditions of rows, what holds of a place, and which rows can never fire.

use std::collections::{BTreeMap, BTreeSet};

use shorewatch_domain::law::explanation::{FailedCondition, RuleTable, RuleTrace};
use shorewatch_domain::law::wording::Wording;

/// What a condition is about; the key in a row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Dimension {
    /// Class before.
    From,
    /// Class after.
    To,
    /// What is seen.
    ObjectClasses,
    /// Kind of water.
    Waters,
    /// Zones; a place may lie in several, or in none.
    Zones,
    /// What permits and projects say.
    Permit,
    /// Issue class.
    IssueClasses,
    /// Sub-type.
    SubTypes,
}

impl Dimension {
    /// The key in a row.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::To => "to",
            Self::ObjectClasses => "object_classes",
            Self::Waters => "waters",
            Self::Zones => "zones",
            Self::Permit => "permit",
            Self::IssueClasses => "issue_classes",
            Self::SubTypes => "sub_types",
        }
    }
}

/// What holds of a place: words by dimension. A dimension without words is one of which nothing is known.
pub type Facts = BTreeMap<Dimension, BTreeSet<String>>;

/// What a row asks for: any of some words in each dimension that it names.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Conditions(pub BTreeMap<Dimension, BTreeSet<String>>);

impl Conditions {
    /// The conditions of a row; lists that are empty ask for nothing.
    pub fn of<'a>(lists: impl IntoIterator<Item = (Dimension, &'a Vec<String>)>) -> Self {
        let asked = lists.into_iter().filter(|(_, words)| !words.is_empty());
        Self(asked.map(|(dimension, words)| (dimension, words.iter().cloned().collect())).collect())
    }

    /// The first condition that does not hold.
    #[must_use]
    pub fn failed(&self, facts: &Facts) -> Option<FailedCondition> {
        let none = BTreeSet::new();
        self.0.iter().find_map(|(dimension, expected)| {
            let got = facts.get(dimension).unwrap_or(&none);
            got.is_disjoint(expected).then(|| FailedCondition {
                key: dimension.key().to_owned(),
                expected: expected.iter().cloned().collect(),
                got: got.iter().cloned().collect(),
            })
        })
    }

    /// Whether every place that fits `other` fits these too.
    #[must_use]
    pub fn hold(&self, other: &Self) -> bool {
        self.0.iter().all(|(dimension, words)| other.0.get(dimension).is_some_and(|asked| asked.is_subset(words)))
    }

    /// Whether some place fits both. Different zones count as apart, though a place may lie in two: of such rows the first
    /// decides.
    #[must_use]
    pub fn overlap(&self, other: &Self) -> bool {
        self.0.iter().all(|(dimension, words)| other.0.get(dimension).is_none_or(|asked| !asked.is_disjoint(words)))
    }
}

/// A row of a table.
#[derive(Clone, PartialEq, Debug)]
pub struct Row<O> {
    /// Its name.
    pub name: String,
    /// Its name in Chinese, where it has one.
    pub chinese_name: Option<String>,
    /// What it asks for.
    pub conditions: Conditions,
    /// Later rows that it overlaps and goes before; "*" for all.
    pub goes_before: Vec<String>,
    /// Why, for people.
    pub reason: Wording,
    /// What it decides.
    pub outcome: O,
}

/// What tells an outcome in a trace.
pub trait Outcome: PartialEq {
    /// In a few words.
    fn told(&self) -> Wording;
}

/// Rows of which the first that fits decides.
#[derive(Clone, PartialEq, Debug)]
pub struct Table<O> {
    /// Which.
    pub table: RuleTable,
    /// In their order.
    pub rows: Vec<Row<O>>,
}

impl<O: Outcome> Table<O> {
    /// The row that decides, and why each of the others does not.
    #[must_use]
    pub fn decide(&self, facts: &Facts) -> (Option<&Row<O>>, Vec<RuleTrace>) {
        let mut decided = None;
        let mut traces = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let failed = row.conditions.failed(facts);
            let fired = failed.is_none() && decided.is_none();
            if fired {
                decided = Some(row);
            }
            traces.push(RuleTrace {
                table: self.table,
                name: row.name.clone(),
                chinese_name: row.chinese_name.clone(),
                fired,
                outcome: fired.then(|| row.outcome.told()),
                failed,
                reason: fired.then(|| row.reason.clone()),
            });
        }
        (decided, traces)
    }

    /// Numbers of rows that can never fire, each with the names of the earlier rows that take everything from it.
    /// `universe` are all words of each dimension.
    #[must_use]
    pub fn unreachable(&self, universe: &Facts) -> Vec<(usize, Vec<String>)> {
        let mut found = Vec::new();
        for (number, row) in self.rows.iter().enumerate() {
            let earlier: Vec<&Row<O>> =
                self.rows[..number].iter().filter(|earlier| earlier.conditions.overlap(&row.conditions)).collect();
            if !escapes(&row.conditions, &earlier, universe) {
                found.push((number, earlier.iter().map(|row| row.name.clone()).collect()));
            }
        }
        found
    }

    /// Pairs of rows (numbers) that overlap, say different things, and neither holds the other nor is said to go first.
    #[must_use]
    pub fn ambiguous(&self) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        for (later_number, later) in self.rows.iter().enumerate() {
            for (number, row) in self.rows[..later_number].iter().enumerate() {
                let said = row.goes_before.iter().any(|name| name == "*" || *name == later.name);
                if !said
                    && row.outcome != later.outcome
                    && row.conditions.overlap(&later.conditions)
                    && !later.conditions.hold(&row.conditions)
                {
                    found.push((number, later_number));
                }
            }
        }
        found
    }
}

/// Whether a place fits the conditions and none of the earlier rows. Places with one zone, or none where no zone is asked for,
/// are enough: one with more fits more of the earlier rows.
fn escapes<O>(conditions: &Conditions, earlier: &[&Row<O>], universe: &Facts) -> bool {
    let asked_about: BTreeSet<Dimension> =
        earlier.iter().flat_map(|row| row.conditions.0.keys()).chain(conditions.0.keys()).copied().collect();
    let choices: Vec<(Dimension, Vec<Option<&String>>)> = asked_about
        .into_iter()
        .map(|dimension| {
            let words: Vec<Option<&String>> = match conditions.0.get(&dimension) {
                Some(asked) => asked.iter().map(Some).collect(),
                None => {
                    let mentioned: BTreeSet<&String> =
                        earlier.iter().filter_map(|row| row.conditions.0.get(&dimension)).flatten().collect();
                    let is_left = dimension == Dimension::Zones
                        || universe.get(&dimension).is_none_or(|all| all.iter().any(|word| !mentioned.contains(word)));
                    mentioned.iter().map(|word| Some(*word)).chain(is_left.then_some(None)).collect()
                }
            };
            (dimension, words)
        })
        .collect();
    let mut facts = Facts::new();
    escape_from(&choices, earlier, &mut facts)
}

fn escape_from<O>(choices: &[(Dimension, Vec<Option<&String>>)], earlier: &[&Row<O>], facts: &mut Facts) -> bool {
    let Some(((dimension, words), rest)) = choices.split_first() else {
        return earlier.iter().all(|row| row.conditions.failed(facts).is_some());
    };
    words.iter().any(|word| {
        facts.insert(*dimension, word.iter().map(|word| (*word).clone()).collect());
        escape_from(rest, earlier, facts)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Outcome for u8 {
        fn told(&self) -> Wording {
            Wording::same(self.to_string())
        }
    }

    fn row(name: &str, conditions: &[(Dimension, &[&str])], outcome: u8) -> Row<u8> {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Row {
            name: name.to_owned(),
            chinese_name: None,
            conditions: Conditions(conditions.iter().map(|(dimension, asked)| (*dimension, words(asked))).collect()),
            goes_before: Vec::new(),
            reason: Wording::same("why"),
            outcome,
        }
    }

    fn table(rows: Vec<Row<u8>>) -> Table<u8> {
        Table { table: RuleTable::Issues, rows }
    }

    #[test]
    fn a_row_is_unreachable_behind_two_that_share_its_words() {
        use Dimension::{Permit, Zones};
        let rows = |last: &[(Dimension, &[&str])]| {
            let first = row("first", &[(Zones, &["a"])], 1);
            let second = row("second", &[(Zones, &["b"])], 2);
            table(vec![first, second, row("third", last, 3)])
        };
        assert_eq!(rows(&[(Zones, &["a", "b"])]).unreachable(&Facts::new()).len(), 1);
        assert!(rows(&[(Zones, &["a", "c"])]).unreachable(&Facts::new()).is_empty());
        assert!(rows(&[(Permit, &["none"])]).unreachable(&Facts::new()).is_empty(), "a place in no zone is left");
    }

    #[test]
    fn a_closed_vocabulary_that_is_used_up_leaves_nothing() {
        use Dimension::Permit;
        let all: Facts = [(Permit, ["x".to_owned(), "y".to_owned()].into())].into();
        let table = table(vec![row("first", &[(Permit, &["x", "y"])], 1), row("second", &[], 2)]);
        assert_eq!(table.unreachable(&all).len(), 1);
        let all: Facts = [(Permit, ["x".to_owned(), "y".to_owned(), "z".to_owned()].into())].into();
        assert!(table.unreachable(&all).is_empty());
    }

    #[test]
    fn an_exception_before_its_rule_is_clear_and_two_that_cross_are_not() {
        use Dimension::{ObjectClasses, Zones};
        let exception = row("exception", &[(ObjectClasses, &["pit"]), (Zones, &["a"])], 1);
        let general = row("general", &[(ObjectClasses, &["pit", "heap"])], 2);
        assert!(table(vec![exception, general.clone()]).ambiguous().is_empty());
        let crossing = row("crossing", &[(Zones, &["a"])], 1);
        assert_eq!(table(vec![crossing.clone(), general.clone()]).ambiguous(), [(0, 1)]);
        let said = Row { goes_before: vec!["general".to_owned()], ..crossing };
        assert!(table(vec![said, general]).ambiguous().is_empty());
    }

    #[test]
    fn the_first_row_that_fits_decides_and_every_row_says_why() {
        use Dimension::Zones;
        let table = table(vec![row("a", &[(Zones, &["a"])], 1), row("b", &[(Zones, &["b"])], 2), row("c", &[], 3)]);
        let facts: Facts = [(Zones, ["b".to_owned()].into())].into();
        let (decided, traces) = table.decide(&facts);
        assert_eq!(decided.map(|row| row.outcome), Some(2));
        assert_eq!(traces.iter().filter(|trace| trace.fired).count(), 1);
        let failed = traces[0].failed.as_ref().expect("a reason");
        assert_eq!((failed.key.as_str(), failed.got.as_slice()), ("zones", ["b".to_owned()].as_slice()));
        assert_eq!(traces[2].failed, None, "it would fit too");
    }
}
