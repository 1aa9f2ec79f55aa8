//! Which patches and reaches a report is about.

use std::fmt;

use geo::{Area, BoundingRect};
use jiff::civil::Date;

use shorewatch_domain::law::assessment::IdleProject;
use shorewatch_domain::law::layer::AdministrativeLevel;
use shorewatch_domain::reach::Reach;
use shorewatch_law::index::{LayerIndex, Layers};
use shorewatch_law::responsibility::{Units, chiefs};
use shorewatch_law::rules::Rules;
use shorewatch_store::Store;

use crate::failure::Failure;
use crate::law::ledger::Assessed;

/// Of what a report is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Of everything that the store holds.
    Province,
    /// Of a city, by its code.
    City(String),
    /// Of a county.
    County(String),
    /// Of a river, lake or reservoir of the register.
    River(String),
    /// Of a managed reach of the store, or of a reach of the register.
    Reach(String),
    /// Of a chief, by name.
    Chief(String),
}

impl Scope {
    /// The scope of the words of the command line.
    ///
    /// # Errors
    /// A kind that there is not.
    pub fn of(words: Option<&[String]>) -> Result<Self, Failure> {
        let [kind, code] = words.unwrap_or_default() else { return Ok(Self::Province) };
        let code = code.clone();
        Ok(match kind.as_str() {
            "province" => Self::Province,
            "city" => Self::City(code),
            "county" => Self::County(code),
            "river" => Self::River(code),
            "reach" => Self::Reach(code),
            "chief" => Self::Chief(code),
            other => {
                return Err(Failure::usage(format!(
                    "--of: expected province, city, county, river, reach or chief, got {other:?}"
                )));
            }
        })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Province => f.write_str("the whole store"),
            Self::City(code) => write!(f, "city {code:?}"),
            Self::County(code) => write!(f, "county {code:?}"),
            Self::River(code) => write!(f, "river {code:?}"),
            Self::Reach(code) => write!(f, "reach {code:?}"),
            Self::Chief(name) => write!(f, "chief {name:?}"),
        }
    }
}

/// What a report is about.
#[derive(Debug)]
pub struct Selection {
    /// Managed reaches of the scope.
    pub reaches: Vec<Reach>,
}

impl Selection {
    /// Whether a patch belongs to the scope.
    #[must_use]
    pub fn takes_patch(&self, scope: &Scope, one: &Assessed) -> bool {
        let told = &one.assessment;
        match scope {
            Scope::Province => true,
            Scope::City(code) => told.city.as_ref().is_some_and(|unit| unit.code == *code),
            Scope::County(code) => told.county.as_ref().is_some_and(|unit| unit.code == *code),
            Scope::River(code) => told.river_code.as_ref() == Some(code),
            Scope::Reach(code) => told.reach_code.as_ref() == Some(code) || one.patch().reach_id == *code,
            Scope::Chief(name) => AdministrativeLevel::ALL.iter().any(|level| told.chief(*level) == Some(name)),
        }
    }

    /// The idle projects of the scope.
    #[must_use]
    pub fn idle(&self, mut idle: Vec<IdleProject>, scope: &Scope) -> Vec<IdleProject> {
        idle.retain(|project| match scope {
            Scope::Province => true,
            Scope::City(code) => same_start(project, code, CITY_DIGITS),
            Scope::County(code) => same_start(project, code, COUNTY_DIGITS),
            Scope::River(code) => project.river_code.as_ref() == Some(code),
            Scope::Reach(code) => project.reach_code.as_ref() == Some(code),
            Scope::Chief(name) => project.chiefs.contains(name),
        });
        idle
    }
}

/// Digits of an administrative code that say the city.
const CITY_DIGITS: usize = 4;
/// Digits of an administrative code that say the county.
const COUNTY_DIGITS: usize = 6;

/// Whether a project lies in the unit of a code: both begin alike.
fn same_start(project: &IdleProject, code: &str, digits: usize) -> bool {
    let start = |code: &str| code.get(..digits).map(str::to_owned);
    start(code).is_some_and(|wanted| project.adcd.as_deref().and_then(start) == Some(wanted))
}

/// The managed reaches of a scope: by what the layers in force say of the largest part of each.
///
/// # Errors
/// The store can't be read.
pub fn select(store: &Store, rules: &Rules, scope: &Scope, day: Date) -> Result<Selection, Failure> {
    let reaches = store.reaches()?;
    match scope {
        Scope::Province => return Ok(Selection { reaches }),
        Scope::Reach(code) if reaches.iter().any(|reach| reach.id == *code) => {
            return Ok(Selection { reaches: reaches.into_iter().filter(|reach| reach.id == *code).collect() });
        }
        _ => {}
    }
    let in_force = store.layers_in_force()?;
    let all_chiefs = in_force.chiefs;
    let index = LayerIndex::new(Layers {
        features: in_force.features,
        waters: in_force.waters,
        places: in_force.places,
        versions: in_force.versions,
    });
    let takes = |reach: &Reach| {
        let largest = reach.scope.iter().max_by(|a, b| a.unsigned_area().total_cmp(&b.unsigned_area()));
        let Some(outline) = largest.filter(|outline| outline.bounding_rect().is_some()) else { return false };
        let place = index.place(outline);
        let units = Units::of(&place, rules.settings.zone_share_min, &mut Vec::new());
        let is_unit = |level, code: &str| units.at(level).is_some_and(|unit| unit.code == code);
        let position = place.position.as_ref();
        match scope {
            Scope::Province => true,
            Scope::City(code) => is_unit(AdministrativeLevel::City, code),
            Scope::County(code) => is_unit(AdministrativeLevel::County, code),
            Scope::River(code) => position.is_some_and(|position| position.water_code == *code),
            Scope::Reach(code) => position.is_some_and(|position| position.reach_code == *code),
            Scope::Chief(name) => chiefs(&all_chiefs, position, &units, day, &mut Vec::new())
                .iter()
                .flatten()
                .any(|chief| chief.name == *name),
        }
    };
    Ok(Selection { reaches: reaches.into_iter().filter(takes).collect() })
}
