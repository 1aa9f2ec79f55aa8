//! Who somebody is and what they may do, by the claims of an ID token.

use serde_json::{Map, Value};
use shorewatch_domain::access::{Role, Scope};

use super::settings::MappedRole;

/// The claims of an ID token that was checked.
#[derive(Clone, PartialEq, Debug)]
pub struct Claims {
    subject: String,
    all: Map<String, Value>,
}

impl Claims {
    /// From what a token says; `None` without a subject.
    #[must_use]
    pub fn of(claims: Value) -> Option<Self> {
        let Value::Object(all) = claims else { return None };
        let subject = all.get("sub").and_then(Value::as_str).filter(|subject| !subject.is_empty())?.to_owned();
        Some(Self { subject, all })
    }

    /// What the provider calls the person for good.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// A claim that is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.find(name).and_then(Value::as_str)
    }

    /// A claim that is a list of texts, or one text.
    #[must_use]
    pub fn words(&self, name: &str) -> Vec<&str> {
        match self.find(name) {
            Some(Value::String(word)) => vec![word],
            Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// A claim by its name, or by the names on the way to it between dots (`realm_access.roles`).
    fn find(&self, name: &str) -> Option<&Value> {
        self.all.get(name).or_else(|| {
            let (first, rest) = name.split_once('.')?;
            rest.split('.').try_fold(self.all.get(first)?, |value, name| value.get(name))
        })
    }
}

/// What the map grants for these words of the provider: the role of the first entry that fits, and the scopes of all entries of
/// that role that fit.
#[must_use]
pub fn granted(map: &[MappedRole], words: &[&str]) -> Option<(Role, Scope)> {
    let fitting = || map.iter().filter(|entry| words.contains(&entry.value.as_str()));
    let role = fitting().next()?.role;
    let mut parts = Vec::new();
    for part in fitting().filter(|entry| entry.role == role).flat_map(|entry| &entry.scope.0) {
        if !parts.contains(part) {
            parts.push(part.clone());
        }
    }
    let scope = Scope(parts);
    Some((role, if scope.is_all() { Scope::all() } else { scope }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_are_found_by_name_and_by_way() {
        let claims = Claims::of(json!({
            "sub": "f3a1", "groups": "water", "https://water.example/roles": ["a", 1, "b"], "realm_access": { "roles": ["c"] },
        }));
        let claims = claims.expect("claims");
        assert_eq!((claims.subject(), claims.text("groups")), ("f3a1", Some("water")));
        for (name, words) in [
            ("groups", vec!["water"]),
            ("https://water.example/roles", vec!["a", "b"]),
            ("realm_access.roles", vec!["c"]),
            ("realm_access.none", vec![]),
            ("sub.roles", vec![]),
        ] {
            assert_eq!(claims.words(name), words, "{name}");
        }
        assert_eq!((Claims::of(json!({ "sub": "" })), Claims::of(json!([]))), (None, None));
    }

    #[test]
    fn the_first_entry_gives_the_role_and_equal_roles_join_their_scopes() {
        let entry = |value: &str, role, scope: &str| MappedRole {
            value: value.to_owned(),
            role,
            scope: scope.parse().expect("a scope"),
        };
        let map = [
            entry("chief", Role::Supervisor, "unit:4507"),
            entry("east", Role::Reviewer, "unit:450702"),
            entry("west", Role::Reviewer, "unit:450703"),
            entry("everywhere", Role::Reviewer, "all"),
        ];
        let told = |words: &[&str]| granted(&map, words).map(|(role, scope)| format!("{role} {scope}"));
        assert_eq!(told(&["west", "east", "other"]).as_deref(), Some("reviewer unit:450702,unit:450703"));
        assert_eq!(told(&["east", "chief"]).as_deref(), Some("supervisor unit:4507"));
        assert_eq!(told(&["east", "everywhere"]).as_deref(), Some("reviewer all"));
        assert_eq!((told(&["other"]), told(&[])), (None, None));
    }
}
