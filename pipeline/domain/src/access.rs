//! Who may do what in review, and where: roles, rights, and scopes by administrative unit, water or reach.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What an account is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks on.
    Viewer,
    /// Goes to the river and reports what is there (巡河员).
    Field,
    /// Decides (内业复核).
    Reviewer,
    /// Decides, audits, and settles what reviewers dispute.
    Supervisor,
    /// Keeps the accounts.
    Administrator,
}

/// What somebody may do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Right {
    /// Patches, imagery, layers, features and reports of the scope.
    Look,
    /// Names of officials.
    SeeOfficials,
    /// Verdicts on single patches, leases, links for field checks.
    Decide,
    /// Outcome and photographs of a field check.
    CheckInField,
    /// Verdicts on selections and on whole passes.
    DecideInBulk,
    /// The audit sample, other people's figures, disputed patches.
    Audit,
    /// Accounts and tokens.
    KeepAccounts,
}

impl Right {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Look,
        Self::SeeOfficials,
        Self::Decide,
        Self::CheckInField,
        Self::DecideInBulk,
        Self::Audit,
        Self::KeepAccounts,
    ];
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Viewer, Self::Field, Self::Reviewer, Self::Supervisor, Self::Administrator];

    /// The name in stores and on command lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Field => "field",
            Self::Reviewer => "reviewer",
            Self::Supervisor => "supervisor",
            Self::Administrator => "administrator",
        }
    }

    /// The table of rights.
    #[must_use]
    pub const fn may(self, right: Right) -> bool {
        match right {
            Right::Look => true,
            Right::SeeOfficials => {
                matches!(self, Self::Reviewer | Self::Supervisor | Self::Administrator | Self::Field)
            }
            Right::Decide => matches!(self, Self::Reviewer | Self::Supervisor),
            Right::CheckInField => matches!(self, Self::Field | Self::Reviewer | Self::Supervisor),
            Right::DecideInBulk | Right::Audit => matches!(self, Self::Supervisor),
            Right::KeepAccounts => matches!(self, Self::Administrator),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that stands for nothing here.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected {expected}, got {got:?}")]
pub struct UnknownWord {
    expected: &'static str,
    got: String,
}

impl FromStr for Role {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let expected = "viewer, field, reviewer, supervisor or administrator";
        let found = Self::ALL.into_iter().find(|role| role.name() == text);
        found.ok_or_else(|| UnknownWord { expected, got: text.to_owned() })
    }
}

/// One part of a scope.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum ScopePart {
    /// Everything.
    All,
    /// An administrative unit and all below it, by the beginning of the code (4 digits a city, 6 a county, 9 a town, 12 a
    /// village).
    Unit(String),
    /// A water or a basin and all waters below it, by the beginning of the code.
    Water(String),
    /// A managed reach of the register.
    Reach(String),
}

/// Where an account may look: the union of its parts. Without a part it is nowhere.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Scope(pub Vec<ScopePart>);

impl Scope {
    /// Everything.
    #[must_use]
    pub fn all() -> Self {
        Self(vec![ScopePart::All])
    }

    /// Whether everything lies in it.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.0.contains(&ScopePart::All)
    }

    /// Whether all of `other` lies in it, as far as the parts tell.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        other.0.iter().all(|part| {
            self.is_all()
                || self.0.iter().any(|own| match (own, part) {
                    (ScopePart::Unit(own), ScopePart::Unit(code)) | (ScopePart::Water(own), ScopePart::Water(code)) => {
                        code.starts_with(own.as_str())
                    }
                    (own, part) => own == part,
                })
        })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self
            .0
            .iter()
            .map(|part| match part {
                ScopePart::All => "all".to_owned(),
                ScopePart::Unit(code) => format!("unit:{code}"),
                ScopePart::Water(code) => format!("water:{code}"),
                ScopePart::Reach(id) => format!("reach:{id}"),
            })
            .collect();
        f.write_str(&words.join(","))
    }
}

impl FromStr for Scope {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let unknown = |got: &str| UnknownWord {
            expected: "all, or a list of unit:CODE, water:CODE and reach:ID between commas",
            got: got.to_owned(),
        };
        let part = |word: &str| {
            if word == "all" {
                return Ok(ScopePart::All);
            }
            let (kind, code) = word.split_once(':').ok_or_else(|| unknown(word))?;
            let is_code = !code.is_empty() && code.len() <= 64 && !code.chars().any(|c| c.is_control() || c == ',');
            let digits = code.len() <= 12 && code.bytes().all(|byte| byte.is_ascii_digit());
            match kind {
                "unit" if is_code && digits => Ok(ScopePart::Unit(code.to_owned())),
                "water" if is_code => Ok(ScopePart::Water(code.to_owned())),
                "reach" if is_code => Ok(ScopePart::Reach(code.to_owned())),
                _ => Err(unknown(word)),
            }
        };
        text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(part).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_as_it_is_written() {
        for text in ["all", "unit:4507", "unit:450702,water:HF,reach:SYN-R01", ""] {
            assert_eq!(text.parse::<Scope>().expect("a scope").to_string(), text);
        }
        for text in ["unit:45x", "everything", "unit:", "basin:1", "unit:1234567890123"] {
            assert!(text.parse::<Scope>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_unit_contains_what_lies_below_it() {
        let scope: Scope = "unit:4507,reach:R1".parse().expect("a scope");
        assert!(scope.contains(&"unit:450702".parse().expect("a scope")) && !scope.contains(&Scope::all()));
    }

    #[test]
    fn nobody_decides_by_looking_on_or_by_keeping_accounts() {
        for role in [Role::Viewer, Role::Administrator, Role::Field] {
            assert!(!role.may(Right::Decide) && !role.may(Right::DecideInBulk));
        }
        assert!(Role::ALL.iter().filter(|role| role.may(Right::KeepAccounts)).eq(&[Role::Administrator]));
    }
}
