//! Whose a place is: administrative units by share, chiefs valid on the day, departments by class and zone.

use std::collections::BTreeSet;

use jiff::civil::Date;
use shorewatch_domain::classes::IssueClass;
use shorewatch_domain::law::assessment::{Severity, Unit};
use shorewatch_domain::law::explanation::{Note, RuleTable, RuleTrace};
use shorewatch_domain::law::layer::{AdministrativeLevel, Facts, LayerKind};
use shorewatch_domain::law::office::{Chief, Department, DepartmentRole};
use shorewatch_domain::law::place::{Hit, Place};
use shorewatch_domain::law::water::Position;
use shorewatch_domain::law::wording::Wording;

use crate::rules::{Facts as RuleFacts, Rules};

/// Chiefs and departments in force.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Offices {
    /// Chiefs, of any time.
    pub chiefs: Vec<Chief>,
    /// Departments, of any time.
    pub departments: Vec<Department>,
}

/// Units that a place lies in.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Units {
    /// The one with the largest share at each level, from above.
    pub lead: [Option<Unit>; 4],
    /// Others with a share that counts, the largest first.
    pub others: Vec<Unit>,
    /// Code of the finest one.
    pub adcd: Option<String>,
}

impl Units {
    /// The units of a place. Shares below `least_share` are taken for the noise of drawing.
    #[must_use]
    pub fn of(place: &Place, least_share: f64, notes: &mut Vec<Note>) -> Self {
        let hits = place.met(LayerKind::AdministrativeUnit).unwrap_or_default();
        let mut units = Self::default();
        for (number, level) in AdministrativeLevel::ALL.into_iter().enumerate() {
            let at_level: Vec<&Hit> = hits
                .iter()
                .filter(|hit| matches!(hit.facts, Facts::AdministrativeUnit { level: own, .. } if own == level))
                .collect();
            let unit = |hit: &&Hit| Unit { code: hit.code.clone(), name: hit.name.clone() };
            units.lead[number] = at_level.first().map(unit);
            let sharing: Vec<&&Hit> = at_level.iter().filter(|hit| hit.share >= least_share).collect();
            if sharing.len() > 1 {
                let shares = sharing.iter().map(|hit| format!("{} {} {:.1} %", hit.code, hit.name, hit.share * 100.0));
                notes.push(Note::CrossesBoundary { level, shares: shares.collect() });
                units.others.extend(sharing[1..].iter().map(|hit| unit(hit)));
            }
        }
        units.adcd = units.lead.iter().rev().flatten().next().map(|unit| unit.code.clone());
        if units.adcd.is_none() {
            notes.push(Note::NoUnit);
        }
        units
    }

    /// The unit at a level.
    #[must_use]
    pub fn at(&self, level: AdministrativeLevel) -> Option<&Unit> {
        self.lead[level as usize].as_ref()
    }

    /// Code that a number begins with: of the county; without one of the city, or what stands in.
    #[must_use]
    pub fn number_code<'a>(&'a self, stand_in: &'a str) -> &'a str {
        let county = self.at(AdministrativeLevel::County).or_else(|| self.at(AdministrativeLevel::City));
        county.map_or(stand_in, |unit| unit.code.as_str())
    }
}

/// The chief of each level on a day: of the reach, or else of the water, or else of the unit of that level. Where the periods of
/// two overlap (one hands over to the next on the day), the one that began last.
#[must_use]
pub fn chiefs<'a>(
    chiefs: &'a [Chief],
    position: Option<&Position>,
    units: &Units,
    day: Date,
    notes: &mut Vec<Note>,
) -> [Option<&'a Chief>; 4] {
    AdministrativeLevel::ALL.map(|level| {
        let codes = [
            position.map(|position| position.reach_code.as_str()),
            position.map(|position| position.water_code.as_str()),
            units.at(level).map(|unit| unit.code.as_str()),
        ];
        let mut has_other_day = false;
        for code in codes.into_iter().flatten() {
            let of_code = chiefs.iter().filter(|chief| chief.level == level && chief.in_charge_of == code);
            let mut on_day: Vec<&Chief> = of_code.clone().filter(|chief| chief.valid.holds(day)).collect();
            has_other_day |= on_day.is_empty() && of_code.clone().next().is_some();
            on_day.sort_by(|a, b| b.valid.from.cmp(&a.valid.from).then_with(|| a.name.cmp(&b.name)));
            if let Some(chief) = on_day.first() {
                if on_day.len() > 1 {
                    notes.push(Note::SeveralChiefs { level, in_charge_of: code.to_owned(), count: on_day.len() });
                }
                return Some(*chief);
            }
        }
        if !chiefs.is_empty() {
            notes.push(Note::NoChief { level, gap: has_other_day });
        }
        None
    })
}

/// Who handles it.
#[derive(Clone, PartialEq, Debug)]
pub struct Handling {
    /// Department that leads.
    pub lead: Option<String>,
    /// Departments that support.
    pub supporting: Vec<String>,
    /// Rules that were tried.
    pub traces: Vec<RuleTrace>,
}

/// What decides who handles a patch.
#[derive(Clone, Copy, Debug)]
pub struct Matter<'a> {
    /// What it may be.
    pub issue_class: IssueClass,
    /// How bad it is.
    pub severity: Severity,
    /// Kinds of function zones that it lies in, in the words of the layer and of the rules.
    pub zone_words: &'a BTreeSet<String>,
    /// Facts for the table of routes.
    pub facts: &'a RuleFacts,
    /// Where it lies along a water.
    pub position: Option<&'a Position>,
    /// Its units.
    pub units: &'a Units,
    /// The day.
    pub day: Date,
}

/// Who handles it: the tenant's departments of the finest unit that has one for the class and zone, or else the words of the table
/// of routes; over both goes the authority of the basin.
#[must_use]
pub fn handling(offices: &Offices, rules: &Rules, matter: &Matter<'_>, notes: &mut Vec<Note>) -> Handling {
    let (route, mut traces) = rules.routing.decide(matter.facts);
    let (mut lead, mut supporting) = match departments(&offices.departments, matter) {
        Some((lead, supporting)) => {
            // the table was asked and not needed
            for trace in &mut traces {
                trace.fired = false;
                trace.outcome = None;
                trace.reason = None;
            }
            (Some(lead), supporting)
        }
        None => match route {
            Some(row) => (Some(row.outcome.lead.clone()), row.outcome.supporting.clone()),
            None => (None, Vec::new()),
        },
    };
    if let Some((basin, authority)) = basin_authority(offices, rules, matter, &mut traces) {
        notes.push(Note::BasinAuthority { basin, authority: authority.clone() });
        if let Some(former) = lead.replace(authority) {
            supporting.insert(0, former);
        }
    }
    supporting.retain(|name| Some(name) != lead.as_ref());
    let mut seen = BTreeSet::new();
    supporting.retain(|name| seen.insert(name.clone()));
    Handling { lead, supporting, traces }
}

fn handles(department: &Department, matter: &Matter<'_>) -> bool {
    department.valid.holds(matter.day)
        && (department.issue_classes.is_empty()
            || department
                .issue_classes
                .iter()
                .any(|class| class == matter.issue_class.name() || class == matter.issue_class.official_term()))
        && (department.zones.is_empty() || department.zones.iter().any(|zone| matter.zone_words.contains(zone)))
}

/// Lead and supporting departments from the finest unit up; of several that lead the one for the zone goes first.
fn departments(departments: &[Department], matter: &Matter<'_>) -> Option<(String, Vec<String>)> {
    for unit in matter.units.lead.iter().rev().flatten() {
        let of_unit = |role| {
            let mut found: Vec<&Department> = departments
                .iter()
                .filter(|department| department.role == role && department.serves == unit.code)
                .filter(|department| handles(department, matter))
                .collect();
            found.sort_by(|a, b| {
                let narrow = |one: &Department| (one.zones.is_empty(), one.issue_classes.is_empty());
                narrow(a).cmp(&narrow(b)).then_with(|| a.code.cmp(&b.code))
            });
            found
        };
        if let Some(lead) = of_unit(DepartmentRole::Lead).first() {
            let supporting = of_unit(DepartmentRole::Supporting).iter().map(|one| one.name.clone()).collect();
            return Some((lead.name.clone(), supporting));
        }
    }
    None
}

/// The basin and its authority, by the tenant's departments or by the table.
fn basin_authority(
    offices: &Offices,
    rules: &Rules,
    matter: &Matter<'_>,
    traces: &mut Vec<RuleTrace>,
) -> Option<(String, String)> {
    let basin = matter.position?.basin.as_ref()?;
    let of_layer = offices.departments.iter().find(|department| {
        department.role == DepartmentRole::BasinAuthority && department.serves == *basin && handles(department, matter)
    });
    if let Some(department) = of_layer {
        return Some((basin.clone(), department.name.clone()));
    }
    let mut decided = None;
    for row in &rules.basin_authorities {
        let fits = row.basins.contains(basin) && matter.severity >= row.from_severity;
        let fired = fits && decided.is_none();
        if fired {
            decided = Some((basin.clone(), row.authority.clone()));
        }
        let failed = (!fits).then(|| shorewatch_domain::law::explanation::FailedCondition {
            key: if row.basins.contains(basin) { "from_severity" } else { "basins" }.to_owned(),
            expected: if row.basins.contains(basin) {
                vec![row.from_severity.name().to_owned()]
            } else {
                row.basins.iter().cloned().collect()
            },
            got: vec![if row.basins.contains(basin) { matter.severity.name().to_owned() } else { basin.clone() }],
        });
        traces.push(RuleTrace {
            table: RuleTable::BasinAuthorities,
            name: row.name.clone(),
            chinese_name: row.chinese_name.clone(),
            fired,
            outcome: fired.then(|| Wording::same(row.authority.clone())),
            failed,
            reason: fired.then(|| row.reason.clone()),
        });
    }
    decided
}
