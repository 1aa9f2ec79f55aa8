//! The worst places over the passes that cover them: what was there before, what came, and on which dates nothing could be seen.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use geo::Contains;
use geo_types::{LineString, Point, Polygon};

use shorewatch_domain::decision::DecisionVerdict;
use shorewatch_domain::digest::Digest;
use shorewatch_domain::grid::Window;
use shorewatch_domain::law::explanation::RuleTable;
use shorewatch_domain::pass::Pass;
use shorewatch_domain::patch::Patch;
use shorewatch_domain::rasterise;
use shorewatch_law::explain;
use shorewatch_report::{Block, ChipDate, PlaceDate, PlaceSeries, Section, Series, Sheet, number, render_series};

use super::Material;
use super::counts::state;
use super::listing::address;
use crate::failure::Failure;
use crate::law::ledger::Assessed;
use crate::run::chips::Cut;
use crate::run::readers::NATURAL;

/// Places that are shown; what is beyond is counted.
const MOST_PLACES: usize = 6;

/// Dates of a place: a row of small pictures.
const MOST_DATES: usize = 6;

/// Longest side of a picture, in pixels.
const PICTURE_PX: u32 = 256;

/// From this share on a place counts as observed without saying how much of it was.
const WHOLE: f64 = 0.995;

/// The section; `None` where nothing waits or was confirmed.
pub(super) fn section(material: &Material<'_>) -> Result<Option<Section>, Failure> {
    let counts = |one: &&Assessed| one.verdict.map_or(one.assessment.shown, DecisionVerdict::confirms);
    let mut worst: Vec<&Assessed> = material.patches.iter().filter(counts).collect();
    worst.sort_by(|a, b| {
        let key = |one: &Assessed| Reverse(one.assessment.severity);
        key(a)
            .cmp(&key(b))
            .then_with(|| b.assessment.priority.total_cmp(&a.assessment.priority))
            .then_with(|| a.assessment.number.cmp(&b.assessment.number))
    });
    if worst.is_empty() {
        return Ok(None);
    }
    let shown = worst.iter().take(MOST_PLACES);
    let mut blocks = shown.map(|one| Ok(Block::Series(place(material, one)?))).collect::<Result<Vec<_>, Failure>>()?;
    if worst.len() > MOST_PLACES {
        let left = worst.len() - MOST_PLACES;
        blocks.push(Block::Text(format!(
            "{left} {}",
            material.word("more are in the list of patches.", "处见图斑清单。")
        )));
    }
    Ok(Some(Section {
        heading: material.text("The worst places, date by date", "重点图斑逐期影像"),
        lead: material.text(
            "What waits for a reviewer or was confirmed, the most severe first, on the passes that cover it. All dates of a place are drawn in one stretch, yellow is the outline of the patch. Hatched ground was not observed: nothing can be said of it.",
            "待复核及已确认图斑，按严重程度排序，列出覆盖该处的各期影像。同一点位各期采用同一拉伸，黄线为图斑边界；斜线为未观测，不能判定有无变化。",
        ),
        sheet: Sheet::New,
        blocks,
    }))
}

fn place(material: &Material<'_>, one: &Assessed) -> Result<PlaceSeries, Failure> {
    let (told, patch, language) = (&one.assessment, one.patch(), material.wanted.language);
    let class = language.of(told.issue_class.name(), told.issue_class.official_term());
    let sub_type =
        told.sub_type.map_or(String::new(), |sub_type| format!(" {} {}", sub_type.code(), sub_type.text(language)));
    let facts = vec![
        format!(
            "{class}{sub_type} · {} · {} m² · {}",
            told.severity.text(language),
            number(patch.area_m2, 2),
            state(material, one)
        ),
        address(material, one),
    ];
    let reasons =
        [RuleTable::Issues, RuleTable::Severity].into_iter().filter_map(|table| told.explanation.reason(table));
    let reasons: Vec<&str> = reasons.map(|reason| reason.in_language(language)).collect();
    let why = (!reasons.is_empty())
        .then(|| format!("{}{}", material.word("Why: ", "依据："), reasons.join(language.of(" ", ""))));
    let seen = explain::object_class_name(&patch.object_class, language).replace('_', " ");
    Ok(PlaceSeries {
        title: format!("{} · {seen}", told.number),
        facts: facts.into_iter().chain(why).collect(),
        dates: dates(material, patch)?,
    })
}

/// The pictures of a patch, the earliest first. A pass whose files are gone is told and has none.
fn dates(material: &Material<'_>, patch: &Patch) -> Result<Vec<PlaceDate>, Failure> {
    let readers = &material.readers;
    let passes = passes(material, patch)?;
    let cut = Cut::around(patch)?;
    let roles = readers.shared_display_roles(&passes)?;
    let seen: Vec<Option<ChipDate>> = passes
        .iter()
        .map(|pass| {
            cut.date(readers, &pass.id, &roles)
                .inspect_err(|fault| tracing::warn!(%fault, "pass {} is left out of a series", pass.name))
                .ok()
        })
        .collect();
    let pictures = render_series(&Series {
        name: patch.patch_id.clone(),
        dates: seen.iter().flatten().cloned().collect(),
        natural_colour: roles == NATURAL,
        longest_px: PICTURE_PX,
        outline: cut.outline.clone(),
    })
    .map_err(|fault| Failure::internal(format!("report: {fault}")))?;
    let mut pictures = pictures.into_iter();
    let day =
        |pass: &Pass| pass.acquired.map_or_else(String::new, |time| material.rules.local_day(time.at).to_string());
    Ok(passes
        .into_iter()
        .zip(seen)
        .map(|(pass, seen)| PlaceDate {
            date: day(pass),
            note: note(material, pass, seen.as_ref(), &cut),
            role: if pass.id == patch.pre_pass_id {
                Some(material.text("before", "前时相"))
            } else {
                (pass.id == patch.post_pass_id).then(|| material.text("after", "后时相"))
            },
            jpeg: seen.and_then(|_| pictures.next()),
        })
        .collect())
}

/// The sensor, and how much of the patch the date shows.
fn note(material: &Material<'_>, pass: &Pass, seen: Option<&ChipDate>, cut: &Cut) -> String {
    let Some(seen) = seen else {
        return format!("{} · {}", pass.sensor, material.word("can't be read any more", "影像已无法读取"));
    };
    let (rows, cols) = seen.observed.dim();
    let window = Window { row: 0, col: 0, rows, cols };
    match rasterise::share_within(&cut.outline, window, |pixel| seen.observed[pixel]) {
        Some(share) if share <= 0.0 => format!("{} · {}", pass.sensor, material.word("not observed", "未观测")),
        Some(share) if share < WHOLE => {
            let observed = material.word("observed", "已观测");
            format!("{} · {observed} {:.0} %", pass.sensor, (share * 100.0).clamp(1.0, 99.0))
        }
        _ => pass.sensor.clone(),
    }
}

/// Passes of a row, the earliest first: the two that were compared, the latest, the earliest, and of the others the latest ones.
fn passes<'m>(material: &'m Material<'_>, patch: &Patch) -> Result<Vec<&'m Pass>, Failure> {
    let readers = &material.readers;
    let compared = [patch.pre_pass_id, patch.post_pass_id];
    let ids: BTreeSet<Digest> = material.publications.iter().map(|one| one.pass_id).chain(compared).collect();
    let all = ids.iter().map(|id| readers.pass(id)).collect::<Result<Vec<_>, _>>()?;
    let centre = Point::new(patch.centre.0, patch.centre.1);
    let covers = |pass: &&Pass| {
        compared.contains(&pass.id) || Polygon::new(LineString::from(pass.footprint.clone()), vec![]).contains(&centre)
    };
    let mut all: Vec<&Pass> = all.into_iter().filter(covers).collect();
    all.sort_by_key(|pass| (pass.acquired.map(|time| time.at), pass.id));
    let ends = [all.last().map(|pass| pass.id), all.first().map(|pass| pass.id)];
    let rest = all.iter().rev().map(|pass| pass.id);
    let mut chosen: Vec<Digest> = Vec::new();
    for id in compared.into_iter().chain(ends.into_iter().flatten()).chain(rest) {
        if chosen.len() < MOST_DATES && !chosen.contains(&id) {
            chosen.push(id);
        }
    }
    all.retain(|pass| chosen.contains(&pass.id));
    Ok(all)
}
