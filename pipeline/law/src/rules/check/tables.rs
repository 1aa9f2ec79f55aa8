//! Rows that can never fire, and rows that contradict one another.

use shorewatch_domain::law::assessment::Severity;

use super::super::BasinAuthority;
use super::super::conditions::{Facts, Outcome, Table};
use super::super::files::BasinRow;
use super::{Faults, RuleFile, Step};

/// Names, rows that can never fire, and rows that contradict one another.
pub(super) fn table_faults<O: Outcome>(
    file: RuleFile,
    key: &'static str,
    table: &Table<O>,
    universe: &Facts,
    faults: &mut Faults,
) {
    let at = |number: usize| [Step::Key(key), Step::Item(number)];
    if table.rows.is_empty() {
        faults.add(
            file,
            &[Step::Key(key)],
            "no row is right",
            "correct the rows, or leave the file out: one is built in",
        );
        return;
    }
    for (number, row) in table.rows.iter().enumerate() {
        if table.rows[..number].iter().any(|earlier| earlier.name == row.name) {
            faults.add(file, &at(number), format!("a row {:?} stands here already", row.name), "give it another name");
        }
        for name in row.goes_before.iter().filter(|name| *name != "*") {
            match table.rows.iter().position(|other| other.name == *name) {
                None => {
                    let message = format!("row {:?}: goes_before names {name:?}, which is no row", row.name);
                    faults.add(file, &at(number), message, "name a later row of this table, or \"*\" for all");
                }
                Some(other) if other <= number => {
                    let message = format!("row {:?}: goes_before names {name:?}, which stands before it", row.name);
                    faults.add(file, &at(number), message, "move this row before it");
                }
                Some(_) => {}
            }
        }
    }
    for (number, earlier) in table.unreachable(universe) {
        let message = format!(
            "row {:?} can never fire: earlier rows take everything from it ({})",
            table.rows[number].name,
            earlier.join(", ")
        );
        faults.add(file, &at(number), message, "move it before them, or remove it");
    }
    for (number, later) in table.ambiguous() {
        let (row, other) = (&table.rows[number], &table.rows[later]);
        let message = format!(
            "rows {:?} and {:?} overlap and say different things ({}; {}), and neither is an exception of the other",
            row.name,
            other.name,
            row.outcome.told().english,
            other.outcome.told().english
        );
        let help = format!("say which goes first: goes_before = [{:?}] in {:?}", other.name, row.name);
        faults.add(file, &at(number), message, help);
    }
}

pub(super) fn basins(rows: &[BasinRow], faults: &mut Faults) -> Vec<BasinAuthority> {
    let mut authorities = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let at = [Step::Key("basin_authorities"), Step::Item(number)];
        let from_severity = match &row.from_severity {
            None => Some(Severity::General),
            Some(name) => Severity::ALL.into_iter().find(|severity| severity.name() == name),
        };
        let Some(from_severity) = from_severity else {
            let at = [at[0], at[1], Step::Key("from_severity")];
            let message = format!("{:?} is no severity", row.from_severity.as_deref().unwrap_or(""));
            faults.add(RuleFile::Offices, &at, message, "known here: general, serious, major");
            continue;
        };
        let taken = authorities.iter().find(|earlier: &&BasinAuthority| {
            earlier.from_severity <= from_severity && row.basins.iter().all(|basin| earlier.basins.contains(basin))
        });
        if row.basins.is_empty() || taken.is_some() {
            let message = match taken {
                Some(earlier) => format!("row {:?} can never fire: {:?} takes its basins", row.name, earlier.name),
                None => format!("row {:?} names no basin", row.name),
            };
            faults.add(RuleFile::Offices, &at, message, "correct `basins`, or the order");
        }
        authorities.push(BasinAuthority {
            name: row.name.clone(),
            chinese_name: row.chinese_name.clone(),
            basins: row.basins.iter().cloned().collect(),
            from_severity,
            authority: row.authority.clone(),
            reason: row.reason.wording(),
        });
    }
    authorities
}
