//! When a case is confirmed, expires and is cleared.

use serde::{Deserialize, Serialize};

/// The rules of cases: a section of the configuration. Fractions are 0..1; an *observing* pass is one that saw enough of the
/// ground and can tell.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CaseRules {
    /// A patch lies over a case from this share of the smaller one of both on.
    pub least_overlap: f64,
    /// Share of the ground from which on a pass counts as having observed it.
    pub observed_fraction_min: f64,
    /// Share of the observed ground from which on a case counts as still there.
    pub present_fraction_min: f64,
    /// Share of the observed ground up to which it counts as gone.
    pub cleared_fraction_max: f64,
    /// Share of the ground whose pixels must have changed before imagery supports a closure.
    pub changed_fraction_min: f64,
    /// Share of the ground with changed pixels up to which all is as it was, whatever the classes say.
    pub unchanged_fraction_max: f64,
    /// Observing passes in a row that must show a confirmed case gone before it is cleared.
    pub clear_after_passes: u32,
    /// Passes after the first that must show a case before it is confirmed.
    pub confirm_after_passes: u32,
    /// Review score from which on the evidence of several passes together confirms a case, and from which on that of one shows a
    /// patch whose class can't tell.
    pub confirm_review_score: f64,
    /// Observing passes in a row without showing it after which a case that is not confirmed expires.
    pub expire_after_passes: u32,
    /// A patch with this review score is urgent.
    pub urgent_review_score: f64,
    /// Relative difference in area from which on a case counts as expanded or shrunk.
    pub changed_area_fraction: f64,
}

impl Default for CaseRules {
    fn default() -> Self {
        Self {
            least_overlap: 0.3,
            observed_fraction_min: 0.5,
            present_fraction_min: 0.5,
            cleared_fraction_max: 0.2,
            changed_fraction_min: 0.5,
            unchanged_fraction_max: 0.2,
            clear_after_passes: 2,
            confirm_after_passes: 1,
            // of the values tried on runs (`confirmed_in_runs` of `benches/accuracy`) the highest that costs no more than one
            // planted patch beyond what counting passes costs; one pass on which nothing differs holds back a patch of 0.5 then
            confirm_review_score: 0.05,
            expire_after_passes: 3,
            urgent_review_score: 0.9,
            changed_area_fraction: 0.25,
        }
    }
}

impl CaseRules {
    /// All that is wrong with the rules, in words.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        // an overlap of 0 would join everything whose bounds touch, and ground of which nothing was seen can't tell anything
        for (name, value) in [
            ("least_overlap", self.least_overlap),
            ("observed_fraction_min", self.observed_fraction_min),
            ("present_fraction_min", self.present_fraction_min),
            ("changed_fraction_min", self.changed_fraction_min),
        ] {
            if !(value > 0.0 && value <= 1.0) {
                faults.push(format!("{name}: must be above 0 and at most 1, got {value}"));
            }
        }
        for (name, value) in [
            ("cleared_fraction_max", self.cleared_fraction_max),
            ("unchanged_fraction_max", self.unchanged_fraction_max),
            ("confirm_review_score", self.confirm_review_score),
            ("urgent_review_score", self.urgent_review_score),
            ("changed_area_fraction", self.changed_area_fraction),
        ] {
            if !(0.0..=1.0).contains(&value) {
                faults.push(format!("{name}: must be 0 to 1, got {value}"));
            }
        }
        if self.cleared_fraction_max >= self.present_fraction_min {
            faults.push(format!(
                "cleared_fraction_max: must be below present_fraction_min ({}), got {}",
                self.present_fraction_min, self.cleared_fraction_max
            ));
        }
        if self.unchanged_fraction_max >= self.changed_fraction_min {
            faults.push(format!(
                "unchanged_fraction_max: must be below changed_fraction_min ({}), got {}",
                self.changed_fraction_min, self.unchanged_fraction_max
            ));
        }
        for (name, value) in
            [("clear_after_passes", self.clear_after_passes), ("expire_after_passes", self.expire_after_passes)]
        {
            if value == 0 {
                faults.push(format!("{name}: must be at least 1, got 0: a case would be closed before anybody looked"));
            }
        }
        faults
    }
}
