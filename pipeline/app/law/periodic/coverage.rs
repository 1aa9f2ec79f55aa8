//! What was looked at in the period, what is overdue, and water over comparable seasons.

use std::collections::BTreeMap;

use shorewatch_law::ellipsoid;
use shorewatch_report::{Bars, Block, Section, Sheet, number};

use super::Material;
use super::span::quarter_begins;
use crate::schedule::standing::{Look, Reckoning, Standing};

/// Years of a comparison.
const YEARS: i16 = 6;
/// Least share of a reach that was observed for its water to be compared.
const COMPARABLE_SHARE: f64 = 0.9;

pub(super) fn section(material: &Material<'_>) -> Section {
    let mut looks: BTreeMap<&str, Vec<Look>> = BTreeMap::new();
    let mut scopes: BTreeMap<&str, f64> = BTreeMap::new();
    for one in &material.observations {
        let reach = one.seen.reach_id.as_str();
        let date = material.rules.local_day(one.post_date);
        looks.entry(reach).or_default().push(Look { date, share: one.seen.observed_fraction().unwrap_or(0.0) });
        let scope = scopes.entry(reach).or_default();
        *scope = scope.max(one.seen.scope_area_m2());
    }
    let reckoning = Reckoning { schedule: material.schedule, since: Some(material.span.from), today: material.span.to };
    let (mut unseen, mut overdue) = (0, 0);
    let rows = material
        .reaches
        .iter()
        .map(|reach| {
            let scope_m2 = scopes.get(reach.id.as_str()).copied().unwrap_or_else(|| ellipsoid::area(&reach.scope));
            let looks = looks.get(reach.id.as_str()).map_or(&[][..], Vec::as_slice);
            let standing = Standing::of(reach, scope_m2, looks, &reckoning);
            unseen += usize::from(standing.passes == 0);
            overdue += usize::from(standing.is_overdue);
            let days = |days: Option<u32>| days.map_or_else(|| "–".to_owned(), |days| days.to_string());
            vec![
                format!("{} {}", reach.name, reach.id).into(),
                number(scope_m2 / 1e4, 2).into(),
                standing.passes.to_string().into(),
                format!("{:.0} %", standing.observed_share_best_pass * 100.0).into(),
                standing.last_observed.map_or_else(|| material.text("never", "从未"), |day| day.to_string()).into(),
                days(standing.days_unobserved).into(),
                days(standing.cadence_days).into(),
                if standing.is_overdue {
                    match standing.overdue_days {
                        Some(days) => {
                            format!("{} {days} {}", material.word("overdue", "逾期"), material.word("days", "天"))
                        }
                        None => material.text("overdue, never seen", "逾期，从未观测"),
                    }
                } else {
                    String::new()
                }
                .into(),
            ]
        })
        .collect();
    Section {
        heading: material.text("What was looked at", "观测覆盖"),
        lead: format!(
            "{} {unseen} · {} {overdue}. {}",
            material.word("Reaches that no pass observed in the period:", "本期未被观测的河段："),
            material.word("overdue:", "逾期："),
            material.word("A reach that was not observed is not a reach without change.", "未观测不等于无变化。")
        ),
        sheet: Sheet::New,
        blocks: vec![material.table(
            material.word("Reaches", "河段"),
            &[
                ("Reach", "河段", false),
                ("Scope (ha)", "管理范围（公顷）", true),
                ("Passes", "影像期数", true),
                ("Best pass", "最佳覆盖", true),
                ("Last observed", "最近观测", false),
                ("Days since", "距今天数", true),
                ("Cadence (days)", "周期（天）", true),
                ("Overdue", "逾期情况", false),
            ],
            rows,
        )],
    }
}

/// Water of each reach in the quarter of the period's end, year by year; `None` where the model has no water, or nothing was
/// observed.
pub(super) fn water(material: &Material<'_>) -> Option<Section> {
    let water = material.water_class?;
    let end = material.span.to;
    let quarter = quarter_begins(end.month());
    // the pass of that quarter that observed most of the reach
    let mut best: BTreeMap<(&str, i16), (f64, f64)> = BTreeMap::new();
    for one in &material.observations {
        let day = material.rules.local_day(one.post_date);
        if quarter_begins(day.month()) != quarter || day.year() <= end.year() - YEARS {
            continue;
        }
        let share = one.seen.observed_fraction().unwrap_or(0.0);
        let pixels = one.seen.class_px.get(water).copied().unwrap_or(0);
        let hectares = pixels as f64 * one.seen.pixel_area_m2 / 1e4;
        let known = best.entry((one.seen.reach_id.as_str(), day.year())).or_insert((share, hectares));
        if share > known.0 {
            *known = (share, hectares);
        }
    }
    let first = best.keys().map(|(_, year)| *year).min()?;
    let charts: Vec<Vec<(String, Option<f64>)>> = material
        .reaches
        .iter()
        .map(|reach| {
            (first..=end.year())
                .map(|year| {
                    let seen = best.get(&(reach.id.as_str(), year)).filter(|(share, _)| *share >= COMPARABLE_SHARE);
                    (year.to_string(), seen.map(|(_, hectares)| *hectares))
                })
                .collect()
        })
        .collect();
    let most = charts.iter().flatten().filter_map(|(_, value)| *value).fold(0.0, f64::max);
    let bars = material
        .reaches
        .iter()
        .zip(charts)
        .map(|(reach, bars)| Bars { title: reach.name.clone(), bars, most, unit: material.text("ha", "公顷") })
        .collect();
    let heading = material.text("Water over comparable seasons", "同季水面对比");
    let lead = format!(
        "{} {}–{}. {}",
        material.word("Water in the scope of each reach, months", "各河段管理范围内水面，月份"),
        quarter,
        quarter + 2,
        material.word(
            "Of each year the pass that observed most; hatched where none observed nine tenths. Water levels differ between passes of a season.",
            "每年取覆盖最全的一期；斜线表示无一期观测达九成。同季各期水位仍有差异。",
        )
    );
    Some(Section { heading, lead, sheet: Sheet::GoesOn, blocks: vec![Block::BarMultiples(bars)] })
}
