//! What people read, in the languages that there are.

use serde::{Deserialize, Serialize};

use super::assessment::Language;

/// A text in English and Chinese. Explanations of older stores hold one text, which stands for both.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Wording {
    /// In English.
    pub english: String,
    /// 中文.
    pub chinese: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    One(String),
    Both { english: String, chinese: String },
}

impl From<Stored> for Wording {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::One(text) => Self::same(text),
            Stored::Both { english, chinese } => Self { english, chinese },
        }
    }
}

impl Wording {
    /// A text in both languages.
    pub fn new(english: impl Into<String>, chinese: impl Into<String>) -> Self {
        Self { english: english.into(), chinese: chinese.into() }
    }

    /// One text for readers of both languages: a name, a date, what somebody wrote in one language only.
    pub fn same(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { english: text.clone(), chinese: text }
    }

    /// The text in a language.
    #[must_use]
    pub fn in_language(&self, language: Language) -> &str {
        language.of(&self.english, &self.chinese)
    }
}
