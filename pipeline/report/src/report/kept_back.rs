//! The section "Changed by itself": what was kept back, by reason and by reach.

use std::collections::BTreeMap;

use super::Report;
use super::format::{count, number, square_metres, words};
use super::page::{KeptBackView, Label, ShareTable};
use super::rows::{reach_label, share_table};

/// Reaches shown, those with the largest area.
const REACHES_SHOWN: usize = 25;

/// Places of one reach that looked like patches and were kept back for one reason.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptBackRow {
    /// Why, for example `water_level`.
    pub reason: String,
    /// The reach. A name is shown where the report lists that reach.
    pub reach_id: String,
    /// How many places.
    pub places: usize,
    /// Their area in m².
    pub area_m2: f64,
}

/// Two tables of the same places.
pub(super) fn kept_back_view(report: &Report) -> KeptBackView {
    let mut reasons: BTreeMap<Label, (usize, f64)> = BTreeMap::new();
    let mut reaches: BTreeMap<Label, (usize, f64)> = BTreeMap::new();
    for row in &report.kept_back {
        let reason = Label { name: reason(&row.reason), id: String::new() };
        let reach = reach_label(report, &row.reach_id);
        for sums in [reasons.entry(reason).or_default(), reaches.entry(reach).or_default()] {
            sums.0 += row.places;
            sums.1 += row.area_m2;
        }
    }
    let places: usize = report.kept_back.iter().map(|row| row.places).sum();
    let area_m2: f64 = report.kept_back.iter().map(|row| row.area_m2).sum();
    let table = |caption, heading, groups| ShareTable { counted: "Places", ..share_table(caption, heading, groups) };
    let mut by_reach = table("By reach", "Reach", reaches);
    if by_reach.rows.len() > REACHES_SHOWN {
        by_reach.more = format!("and {} more reaches", number((by_reach.rows.len() - REACHES_SHOWN) as f64, 0));
        by_reach.rows.truncate(REACHES_SHOWN);
    }
    KeptBackView {
        total: format!("{}, {} in all", count(places, "place", "places"), square_metres(area_m2)),
        tables: if places == 0 { Vec::new() } else { vec![table("By reason", "Reason", reasons), by_reach] },
    }
}

/// A reason in words; one that is not known here as it stands.
fn reason(name: &str) -> String {
    match name {
        "water_level" => "water level".to_owned(),
        "season" => "season".to_owned(),
        "growth" => "growth".to_owned(),
        "not_seen_in_the_pixels" => "told by the classes, not seen in the pixels".to_owned(),
        other => words(other),
    }
}
