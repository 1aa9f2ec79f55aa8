//! The patches one by one: by priority, or along the river for somebody who goes there.

use shorewatch_domain::decision::DecisionVerdict;
use shorewatch_domain::law::gcj02;
use shorewatch_domain::law::layer::AdministrativeLevel;
use shorewatch_domain::law::water::Bank;
use shorewatch_law::explain;
use shorewatch_report::{Block, DocumentCell, Section, Sheet, Strip, StripMark, Tone, number};

use super::Material;
use super::counts::state;
use super::maps::tone;
use crate::law::ledger::Assessed;

/// Rows of a list; what is beyond is counted.
const MOST_ROWS: usize = 500;

/// What waits for a reviewer or was confirmed, and what is new; along the river in a brief or dossier.
pub(super) fn section(material: &Material<'_>, along: bool) -> Section {
    let listed = |one: &&Assessed| {
        let waits = one.verdict.is_none() && one.assessment.shown;
        let stands = one.verdict.is_some_and(DecisionVerdict::confirms);
        waits || stands || material.span.holds(one.assessment.detected_on)
    };
    let mut patches: Vec<&Assessed> = material.patches.iter().filter(listed).collect();
    if along {
        patches.sort_by(|a, b| {
            let key = |one: &Assessed| (one.assessment.river_code.clone(), one.assessment.reach_code.clone());
            let chainage = |one: &Assessed| one.assessment.chainage_m.unwrap_or(f64::INFINITY);
            key(a).cmp(&key(b)).then_with(|| chainage(a).total_cmp(&chainage(b)))
        });
    }
    let mut blocks = Vec::new();
    if along && let Some(strip) = strip(material, &patches) {
        blocks.push(Block::Strip(strip));
    }
    let rows = patches.iter().take(MOST_ROWS).map(|one| row(material, one)).collect();
    let mut headers = vec![
        ("Number", "编号", false),
        ("Where", "位置", false),
        ("Suspected", "疑似类型", false),
        ("Seen", "地物", false),
        ("Area (m²)", "面积（m²）", true),
        ("Severity", "程度", false),
        ("State", "状态", false),
        ("Deadline", "期限", false),
        ("Lead", "牵头部门", false),
    ];
    if !material.wanted.public {
        headers.push(("Chiefs", "河长", false));
    }
    headers.push(("Navigation (GCJ-02)", "导航（GCJ-02）", false));
    blocks.push(material.table(material.word("Patches", "图斑"), &headers, rows));
    if patches.len() > MOST_ROWS {
        let left = patches.len() - MOST_ROWS;
        blocks.push(Block::Text(format!("{left} {}", material.word("more are in the ledger.", "条见台账。"))));
    }
    Section {
        heading: if along {
            material.text("Places along the river", "沿河点位")
        } else {
            material.text("Patches", "图斑清单")
        },
        lead: material.text(
            "New ones of the period, all that wait for a reviewer, and confirmed problems. Links for navigation are shifted as Chinese map services want it (GCJ-02), and are not the true place.",
            "含本期新增、全部待复核及已确认问题。导航链接为 GCJ-02 偏移坐标，仅供导航，非真实坐标。",
        ),
        sheet: Sheet::Across,
        blocks,
    }
}

fn row(material: &Material<'_>, one: &Assessed) -> Vec<DocumentCell> {
    let (told, language) = (&one.assessment, material.wanted.language);
    let sub_type = told.sub_type.map_or(String::new(), |sub_type| format!(" {}", sub_type.code()));
    let mut cells: Vec<DocumentCell> = vec![
        told.number.clone().into(),
        address(material, one).into(),
        format!("{}{sub_type}", language.of(told.issue_class.name(), told.issue_class.official_term())).into(),
        explain::object_class_name(&one.patch().object_class, language).replace('_', " ").into(),
        number(one.patch().area_m2, 2).into(),
        told.severity.text(language).into(),
        state(material, one).into(),
        told.deadline.map_or(String::new(), |day| day.to_string()).into(),
        told.lead_department.clone().unwrap_or_default().into(),
    ];
    if !material.wanted.public {
        let chiefs: Vec<&str> =
            AdministrativeLevel::ALL.iter().filter_map(|level| told.chief(*level).map(String::as_str)).collect();
        cells.push(chiefs.join(" / ").into());
    }
    let (longitude, latitude) = one.patch().centre;
    let link = gcj02::navigation_link(one.patch().centre);
    cells.push(DocumentCell::linked(format!("{longitude:.5}, {latitude:.5}"), link));
    cells
}

/// River, bank and chainage; town and village; the nearest place.
pub(super) fn address(material: &Material<'_>, one: &Assessed) -> String {
    let (told, language) = (&one.assessment, material.wanted.language);
    let mut parts = Vec::new();
    if let Some(river) = &told.river_name {
        let bank = told.bank.map_or("", |bank| explain::bank_name(bank, language));
        let chainage = told.chainage_m.map(explain::chainage).unwrap_or_default();
        parts.push(format!("{river} {bank} {chainage}").replace("  ", " "));
    }
    let units = [&told.county, &told.town, &told.village].into_iter().flatten().map(|unit| unit.name.as_str());
    let units: Vec<&str> = units.collect();
    if !units.is_empty() {
        parts.push(units.join(" "));
    }
    if let Some((name, distance_m)) = &told.nearest_place {
        parts.push(format!("{name} ({distance_m:.0} m)"));
    }
    if parts.is_empty() {
        parts.push(one.patch().reach_name.clone());
    }
    parts.join(" · ")
}

/// Places along the river with the most of them; `None` where no register tells chainage.
fn strip(material: &Material<'_>, patches: &[&Assessed]) -> Option<Strip> {
    let mut rivers: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for one in patches {
        if let (Some(river), Some(_)) = (&one.assessment.river_code, one.assessment.chainage_m) {
            *rivers.entry(river).or_default() += 1;
        }
    }
    let river = rivers.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(a.0))).map(|(river, _)| river)?;
    let of_river: Vec<&&Assessed> =
        patches.iter().filter(|one| one.assessment.river_code.as_deref() == Some(river)).collect();
    let name = of_river.first().and_then(|one| one.assessment.river_name.as_deref()).unwrap_or(river);
    let marks = of_river
        .iter()
        .filter_map(|one| {
            Some(StripMark {
                chainage_m: one.assessment.chainage_m?,
                left: one.assessment.bank.map(|bank| bank == Bank::Left),
                tone: if one.assessment.shown { tone(one.assessment.severity) } else { Tone::Quiet },
                label: one.assessment.number.clone(),
            })
        })
        .collect();
    Some(Strip {
        title: format!("{name}: {}", material.word("down the river to the right", "自左向右为顺流方向")),
        left: material.text("left bank", "左岸"),
        right: material.text("right bank", "右岸"),
        marks,
    })
}
