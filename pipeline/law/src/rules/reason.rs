//! Why a row says what it says, as it is typed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shorewatch_domain::law::wording::Wording;

/// Why a row says what it says, for people.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Reason {
    /// One text for readers of both languages.
    One(#[schemars(length(min = 1))] String),
    /// A text in each language.
    Both(BothReasons),
}

/// A reason in each language.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BothReasons {
    /// In English.
    #[schemars(length(min = 1))]
    pub english: String,
    /// In Chinese (中文).
    #[schemars(length(min = 1))]
    pub chinese: String,
}

impl Reason {
    /// The text in both languages.
    #[must_use]
    pub fn wording(&self) -> Wording {
        match self {
            Self::One(text) => Wording::same(text),
            Self::Both(both) => Wording::new(&both.english, &both.chinese),
        }
    }
}
