//! Coverage: what was compared, and what was not looked at and why.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};

use super::format::{bar, cause, count, hectares, number, percent, square_metres};
use super::page::{
    CoverageRowView, CoverageView, Label, OverdueRowView, OverdueView, PairView, ShareRow, ShareTable, UnseenReach,
    UnseenRow, UnseenView,
};
use super::{Cause, CoverageRow, Overdue, OverdueRow, PairReference, Report};

/// Gaps shown before the rest is folded.
const GAPS_SHOWN: usize = 25;
/// Areas below this many m² are rounding, not gaps.
const NEGLIGIBLE_M2: f64 = 0.01;
/// Areas below this share of the scope are rounding, not gaps.
const NEGLIGIBLE_SHARE: f64 = 1e-6;

/// Sums over pairs and reaches, in m².
pub(super) struct Totals {
    /// Scope over every pair and reach; a reach that was never compared counts once.
    pub(super) scope_m2: f64,
    /// Observed on both dates.
    pub(super) observed_m2: f64,
}

impl Totals {
    pub(super) fn of(report: &Report) -> Self {
        let compared: f64 = report.coverage.iter().map(|row| row.scope_m2).sum();
        let never: f64 = never_compared(report).map(|reach| reach.scope_m2).sum();
        Self { scope_m2: compared + never, observed_m2: report.coverage.iter().map(|row| row.observed_both_m2).sum() }
    }

    pub(super) fn unseen_m2(&self) -> f64 {
        (self.scope_m2 - self.observed_m2).max(0.0)
    }
}

/// The reaches without any coverage row.
fn never_compared(report: &Report) -> impl Iterator<Item = &super::ReachRow> {
    let compared: BTreeSet<&str> = report.coverage.iter().map(|row| row.reach_id.as_str()).collect();
    report.reaches.iter().filter(move |reach| !compared.contains(reach.reach_id.as_str()))
}

/// Name and identifier of a reach.
pub(super) fn reach_label(report: &Report, reach_id: &str) -> Label {
    let reach = report.reaches.iter().find(|row| row.reach_id == reach_id);
    match reach {
        Some(reach) if !reach.name.is_empty() && reach.name != reach_id => {
            Label { name: reach.name.clone(), id: reach_id.to_owned() }
        }
        _ => Label { name: reach_id.to_owned(), id: String::new() },
    }
}

/// Number and area of patches by one property, the largest area first.
pub(super) fn share_table(
    caption: &'static str,
    heading: &'static str,
    groups: BTreeMap<Label, (usize, f64)>,
) -> ShareTable {
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by(|a, b| b.1.1.total_cmp(&a.1.1).then_with(|| a.0.cmp(&b.0)));
    let largest = groups.first().map_or(0.0, |group| group.1.1);
    let row = |(name, (count, area_m2)): (Label, (usize, f64))| ShareRow {
        name,
        count: number(count as f64, 0),
        area: square_metres(area_m2),
        bar_percent: bar(area_m2, largest),
    };
    let rows = groups.into_iter().map(row).collect();
    ShareTable { caption, heading, counted: "Patches", rows, more: String::new() }
}

/// Dates and sensors of a pair.
fn pair_name(pair: &PairReference) -> String {
    let (pre, post) = (&pair.pre, &pair.post);
    if pre.sensor == post.sensor {
        format!("{} → {}, {}", pre.date, post.date, post.sensor)
    } else {
        format!("{}, {} → {}, {}", pre.date, pre.sensor, post.date, post.sensor)
    }
}

/// Areas by cause, `None` standing for what has no recorded cause.
fn gaps(row: &CoverageRow) -> BTreeMap<Option<Cause>, f64> {
    let mut gaps = BTreeMap::new();
    for (cause, area_m2) in &row.unobserved_m2 {
        if *area_m2 > 0.0 {
            *gaps.entry(Some(cause.clone())).or_insert(0.0) += area_m2;
        }
    }
    let missing_m2 = row.scope_m2 - row.observed_both_m2 - gaps.values().sum::<f64>();
    if missing_m2 > NEGLIGIBLE_M2.max(row.scope_m2 * NEGLIGIBLE_SHARE) {
        gaps.insert(None, missing_m2);
    }
    gaps
}

fn gap_name(gap: Option<&Cause>) -> String {
    gap.map_or_else(|| "cause not recorded".to_owned(), cause)
}

/// The table of pairs and reaches, pairs in order of date, reaches in the report's order.
pub(super) fn coverage_view(report: &Report) -> CoverageView {
    let mut causes = BTreeSet::new();
    let mut pairs: BTreeMap<&PairReference, Vec<&CoverageRow>> = BTreeMap::new();
    for row in &report.coverage {
        causes.extend(gaps(row).into_keys());
        pairs.entry(&row.pair).or_default().push(row);
    }
    // `None` sorts first; a reader looks for what has no cause at the end.
    let mut causes: Vec<Option<Cause>> = causes.into_iter().collect();
    causes.sort_by_key(Option::is_none);
    let rows_of = |rows: Vec<&CoverageRow>| {
        let view = |row: &&CoverageRow| {
            let gaps = gaps(row);
            CoverageRowView {
                reach: reach_label(report, &row.reach_id),
                scope: hectares(row.scope_m2),
                observed: percent(row.observed_both_m2, row.scope_m2),
                bar_percent: bar(row.observed_both_m2, row.scope_m2),
                causes: causes
                    .iter()
                    .map(|cause| match gaps.get(cause) {
                        Some(area_m2) => percent(*area_m2, row.scope_m2),
                        None => "–".to_owned(),
                    })
                    .collect(),
            }
        };
        rows.iter().map(view).collect()
    };
    CoverageView {
        pairs: pairs
            .into_iter()
            .map(|(pair, rows)| PairView { heading: pair_name(pair), rows: rows_of(rows) })
            .collect(),
        causes: causes.iter().map(|cause| gap_name(cause.as_ref())).collect(),
        rows: report.coverage.len(),
    }
}

/// The section "What was not looked at".
pub(super) fn unseen_view(report: &Report) -> UnseenView {
    let reaches = never_compared(report).map(|reach| UnseenReach {
        reach: reach_label(report, &reach.reach_id),
        area: hectares(reach.scope_m2),
        reason: match reach.passes_meeting {
            0 => "outside every pass",
            1 => "met by one pass only: nothing to compare with",
            _ => "met by passes, but no pair of them was compared here",
        },
    });
    let mut rows: Vec<UnseenRow> = report.coverage.iter().filter_map(|row| unseen_row(report, row)).collect();
    rows.sort_by(|a, b| b.area_m2.total_cmp(&a.area_m2).then(by_place(a, b)));
    let rest = rows.split_off(rows.len().min(GAPS_SHOWN));
    UnseenView {
        reaches: reaches.collect(),
        rows,
        rest_area: hectares(rest.iter().map(|row| row.area_m2).sum()),
        rest,
        total: hectares(Totals::of(report).unseen_m2()),
    }
}

/// The table of reaches that were not looked at for too long, the longest first.
pub(super) fn overdue_view(report: &Report, overdue: &Overdue) -> OverdueView {
    let days = |days: u32| count(days as usize, "day", "days");
    let mut rows: Vec<&OverdueRow> = overdue.rows.iter().collect();
    // never observed is longer than any number of days
    rows.sort_by_key(|row| (Reverse(row.overdue_days.unwrap_or(u32::MAX)), &row.reach_id));
    let view = |row: &OverdueRow| OverdueRowView {
        reach: reach_label(report, &row.reach_id),
        last: match (&row.last_observed, row.days_unobserved) {
            (Some(date), Some(ago)) => format!("{date}, {} ago", days(ago)),
            _ => "never".to_owned(),
        },
        cadence: format!("every {}", days(row.cadence_days)),
        overdue: row.overdue_days.map_or_else(|| "–".to_owned(), days),
        best: percent(row.observed_share_since, 1.0),
    };
    OverdueView {
        as_of: overdue.as_of.clone(),
        minimum: percent(overdue.observed_fraction_min, 1.0),
        rows: rows.into_iter().map(view).collect(),
    }
}

fn by_place(a: &UnseenRow, b: &UnseenRow) -> Ordering {
    (&a.reach, &a.pair).cmp(&(&b.reach, &b.pair))
}

fn unseen_row(report: &Report, row: &CoverageRow) -> Option<UnseenRow> {
    let mut gaps: Vec<(Option<Cause>, f64)> = gaps(row).into_iter().collect();
    gaps.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let area_m2: f64 = gaps.iter().map(|(_, area_m2)| area_m2).sum();
    (area_m2 > 0.0).then(|| UnseenRow {
        reach: reach_label(report, &row.reach_id),
        pair: pair_name(&row.pair),
        area_m2,
        area: hectares(area_m2),
        share: percent(area_m2, row.scope_m2),
        causes: gaps.iter().map(|(cause, area_m2)| (gap_name(cause.as_ref()), hectares(*area_m2))).collect(),
    })
}
