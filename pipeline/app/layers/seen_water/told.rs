//! What scopes were held against.

use serde::Serialize;
use shorewatch_law::defects::Defect;
use shorewatch_report::count;

/// What scopes were held against, or why they were not.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Imagery {
    /// Why scopes were not held against imagery; `None` where they were.
    pub not_compared: Option<String>,
    /// Passes whose pixels were looked at.
    pub passes: usize,
    /// Scopes in force.
    pub scopes: usize,
    /// Of these, scopes no part of whose edge was looked at.
    pub scopes_not_looked_at: usize,
    /// Length of their edges in kilometres, without what borders on other scopes.
    pub edge_km: f64,
    /// Share of it (0..1) that was not looked at.
    pub not_looked_at_share: f64,
    /// Units whose pixels are gone from the work folder, or can't be read.
    pub units_gone: usize,
    /// Scopes of which it can't be told whether they are shifted.
    pub untold: Vec<UntoldScope>,
}

/// A scope of which it can't be told whether it is shifted.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct UntoldScope {
    /// Code of the scope.
    pub code: String,
    /// Why, in words.
    pub text: String,
}

impl Imagery {
    pub(super) fn none(why: impl Into<String>) -> (Vec<Defect>, Self) {
        (Vec::new(), Self { not_compared: Some(why.into()), ..Self::default() })
    }

    /// In a line.
    #[must_use]
    pub fn line(&self) -> String {
        if let Some(why) = &self.not_compared {
            return format!("not compared with imagery: {why}");
        }
        let mut line = format!(
            "compared with the water that {} saw: {}, {:.1} km of edge, {:.0} % of it not looked at",
            count(self.passes, "pass", "passes"),
            count(self.scopes, "scope", "scopes"),
            self.edge_km,
            self.not_looked_at_share * 100.0
        );
        if self.scopes_not_looked_at > 0 {
            line += &format!("; nothing was seen along {}", count(self.scopes_not_looked_at, "scope", "scopes"));
        }
        if self.units_gone > 0 {
            line += &format!(
                "; the pixels of {} can't be read from the work folder: run again to look at them",
                count(self.units_gone, "unit", "units")
            );
        }
        line
    }
}
