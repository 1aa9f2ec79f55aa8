//! Counts and areas: by class, severity, state and age; by unit, river and chief; and how long it took.

use std::collections::BTreeMap;

use jiff::civil::Date;

use shorewatch_domain::classes::IssueClass;
use shorewatch_domain::decision::DecisionVerdict;
use shorewatch_domain::law::assessment::{Severity, StockFlag};
use shorewatch_domain::law::layer::AdministrativeLevel;
use shorewatch_report::{Block, DocumentCell, DocumentFigure, Section, Sheet, number};

use super::Material;
use crate::law::ledger::Assessed;

/// Ages of open patches in days: up to so many.
const AGES: [Option<i32>; 4] = [Some(7), Some(30), Some(90), None];

fn area<'a>(patches: impl Iterator<Item = &'a Assessed>) -> f64 {
    patches.map(|one| one.patch().area_m2).sum()
}

/// Key figures.
pub(super) fn summary(material: &Material<'_>) -> Section {
    let new = material.found();
    let before = material.span.before(material.wanted.kind);
    let former = material.patches.iter().filter(|one| before.holds(one.assessment.detected_on)).count();
    let kept_back = new.clone().filter(|one| !one.assessment.shown).count();
    let problems = material.patches.iter().filter(|one| one.verdict == Some(DecisionVerdict::Problem)).count();
    let overdue = |one: &&Assessed| one.assessment.deadline.is_some_and(|deadline| deadline < material.span.to);
    let late = material.open().filter(overdue).count();
    let figure = |value: String, label: String, note: String| DocumentFigure { value, label, note };
    let mut figures = vec![
        figure(
            new.clone().count().to_string(),
            material.text("found in the period", "本期发现"),
            format!("{} m² · {} {former}", number(area(new), 2), material.word("period before:", "上期")),
        ),
        figure(
            material.open().count().to_string(),
            material.text("wait for a reviewer", "待复核"),
            format!("{} m²", number(area(material.open()), 2)),
        ),
        figure(
            problems.to_string(),
            material.text("confirmed problems", "已确认问题"),
            material.text("of all periods, current", "历期累计（现行）"),
        ),
        figure(
            kept_back.to_string(),
            material.text("kept out of the queue, with a reason", "附理由不列入队列"),
            material.text("permitted, known or reviewed before", "已批、台账已有或已复核"),
        ),
        figure(
            late.to_string(),
            material.text("past their deadline, undecided", "逾期未处理"),
            format!("{} {}", material.word("on", "截至"), material.span.to),
        ),
    ];
    if let Some((median, nine_tenths)) = latency(material) {
        figures.push(figure(
            format!("{median:.1}"),
            material.text("days from acquisition to patch (median)", "影像获取至图斑（天，中位数）"),
            format!("{} {nine_tenths:.1}", material.word("nine of ten within", "九成不超过")),
        ));
    }
    Section {
        heading: material.text("Summary", "概要"),
        lead: String::new(),
        sheet: Sheet::GoesOn,
        blocks: vec![Block::Figures(figures)],
    }
}

/// Days from acquisition to the end of the run, of patches of the period: median, and nine of ten.
fn latency(material: &Material<'_>) -> Option<(f64, f64)> {
    let mut days: Vec<f64> = material
        .found()
        .filter_map(|one| {
            let found = material.found_at.get(&one.patch().patch_id)?;
            Some(found.duration_since(one.patch().post_date).as_secs_f64() / 86_400.0)
        })
        .collect();
    days.sort_by(f64::total_cmp);
    let at = |share: f64| days.get(((days.len() as f64 * share).ceil() as usize).saturating_sub(1)).copied();
    Some((at(0.5)?, at(0.9)?))
}

/// Counts and areas by class, severity, state, stock and age.
pub(super) fn breakdown(material: &Material<'_>) -> Section {
    let language = material.wanted.language;
    let by = |caption: (&str, &str), head: (&str, &str), groups: Vec<(String, Vec<&Assessed>)>| {
        let rows = groups.into_iter().map(|(name, patches)| row(name, &patches)).collect();
        material.table(
            material.word(caption.0, caption.1),
            &[(head.0, head.1, false), ("Patches", "图斑数", true), ("Area (m²)", "面积（m²）", true)],
            rows,
        )
    };
    let new: Vec<&Assessed> = material.found().collect();
    let of = |holds: &dyn Fn(&Assessed) -> bool| new.iter().copied().filter(|one| holds(one)).collect::<Vec<_>>();
    let classes = IssueClass::ALL
        .into_iter()
        .map(|class| {
            let name = language.of(class.name(), class.official_term()).to_owned();
            (name, of(&|one| one.assessment.issue_class == class))
        })
        .collect();
    let severities = Severity::ALL
        .into_iter()
        .map(|severity| (severity.text(language).to_owned(), of(&|one| one.assessment.severity == severity)))
        .collect();
    let stock = StockFlag::ALL
        .into_iter()
        .map(|flag| (flag.text(language).to_owned(), of(&|one| one.assessment.stock_flag == flag)))
        .collect();
    let mut states: BTreeMap<String, Vec<&Assessed>> = BTreeMap::new();
    for one in &new {
        states.entry(state(material, one)).or_default().push(one);
    }
    let mut ages: Vec<(String, Vec<&Assessed>)> = Vec::new();
    let mut from = 0;
    for last in AGES {
        let name = match last {
            Some(last) => format!("{from}–{last} {}", material.word("days", "天")),
            None => format!("> {} {}", from - 1, material.word("days", "天")),
        };
        let fits = |one: &&Assessed| {
            let days = days_between(one.assessment.detected_on, material.span.to);
            days >= from && last.is_none_or(|last| days <= last)
        };
        ages.push((name, material.open().filter(fits).collect()));
        from = last.map_or(from, |last| last + 1);
    }
    Section {
        heading: material.text("Counts and areas", "数量与面积"),
        lead: material.text(
            "Of patches detected in the period; ages are those of all that wait for a reviewer at its end.",
            "均为本期发现的图斑；时长为期末全部待复核图斑。",
        ),
        sheet: Sheet::GoesOn,
        blocks: vec![
            by(("By suspected class", "按疑似类型"), ("Class", "类型"), classes),
            by(("By severity", "按严重程度"), ("Severity", "程度"), severities),
            by(("By state", "按状态"), ("State", "状态"), states.into_iter().collect()),
            by(("Stock and increment", "存量与增量"), ("Kind", "类别"), stock),
            by(("Age of what waits", "待复核时长"), ("Age", "时长"), ages),
        ],
    }
}

fn row(name: String, patches: &[&Assessed]) -> Vec<DocumentCell> {
    vec![name.into(), patches.len().to_string().into(), number(area(patches.iter().copied()), 2).into()]
}

/// Where a patch stands.
pub(super) fn state(material: &Material<'_>, one: &Assessed) -> String {
    let language = material.wanted.language;
    match (one.verdict, one.assessment.suppressed_reason) {
        (Some(verdict), _) => verdict.text(language).to_owned(),
        (None, Some(reason)) => reason.text(language).to_owned(),
        (None, None) => material.text("waits for a reviewer", "待复核"),
    }
}

pub(super) fn days_between(from: Date, to: Date) -> i32 {
    (to - from).get_days()
}

/// By county, river and county chief.
pub(super) fn by_place(material: &Material<'_>) -> Section {
    let unknown = material.text("not known", "未知");
    let table = |caption: (&str, &str), head: (&str, &str), key: &dyn Fn(&Assessed) -> Option<String>| {
        let mut groups: BTreeMap<String, Vec<&Assessed>> = BTreeMap::new();
        for one in material.found() {
            groups.entry(key(one).unwrap_or_else(|| unknown.clone())).or_default().push(one);
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.0.cmp(&b.0)));
        let rows = groups
            .into_iter()
            .map(|(name, patches)| {
                let mut cells = row(name, &patches);
                let count = |holds: &dyn Fn(&Assessed) -> bool| patches.iter().filter(|one| holds(one)).count();
                let major = count(&|one| one.assessment.severity == Severity::Major);
                let open = count(&|one| one.verdict.is_none() && one.assessment.shown);
                cells.extend([major.to_string().into(), open.to_string().into()]);
                cells
            })
            .collect();
        material.table(
            material.word(caption.0, caption.1),
            &[
                (head.0, head.1, false),
                ("Patches", "图斑数", true),
                ("Area (m²)", "面积（m²）", true),
                ("Major", "重大", true),
                ("Waiting", "待复核", true),
            ],
            rows,
        )
    };
    let mut blocks = vec![
        table(("By county", "按县（区）"), ("County", "县（区）"), &|one| {
            one.assessment.county.as_ref().map(|unit| format!("{} {}", unit.name, unit.code))
        }),
        table(("By river and lake", "按河湖"), ("River or lake", "河湖"), &|one| {
            let told = &one.assessment;
            told.river_name.as_ref().map(|name| format!("{name} {}", told.river_code.as_deref().unwrap_or("")))
        }),
    ];
    if !material.wanted.public {
        blocks.push(table(("By county chief", "按县级河长"), ("Chief", "河长"), &|one| {
            one.assessment.chief(AdministrativeLevel::County).cloned()
        }));
    }
    Section {
        heading: material.text("By unit, river and chief", "按行政区、河湖与河长"),
        lead: String::new(),
        sheet: Sheet::GoesOn,
        blocks,
    }
}
