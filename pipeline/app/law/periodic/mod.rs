//! Reports of a week, month, quarter or year: of everything, of a city, county, river or reach, and of a chief as a brief before a
//! patrol.
//!
//! | module | holds |
//! |---|---|
//! | [`span`] | the days of a period |
//! | [`scope`] | which patches and reaches a report is about |
//! | `counts` | counts and areas |
//! | `maps`, `backdrop` | where they lie, over the latest imagery |
//! | `series` | the worst ones, date by date |
//! | `coverage` | what was looked at, what is overdue, water over comparable seasons |
//! | `listing` | the patches one by one |

mod backdrop;
mod counts;
mod coverage;
mod listing;
mod maps;
pub mod scope;
mod series;
pub mod span;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use shorewatch_domain::digest::Digest;
use shorewatch_domain::law::assessment::{IdleProject, Language};
use shorewatch_domain::reach::Reach;
use shorewatch_imagery::blocks::BlockCache;
use shorewatch_law::rules::Rules;
use shorewatch_report::{Block, Document, DocumentCell, DocumentTable, Section, Sheet, render_document};
use shorewatch_store::{Observation, PatchFilter, PublicationRecord, Store};

use super::ledger::{Assessed, assessed};
use crate::configuration::{RunSettings, ScheduleSettings};
use crate::failure::Failure;
use crate::register;
use crate::run::model::Model;
use crate::run::readers::Readers;
use scope::Scope;
use span::Span;

/// Decoded blocks that a report keeps: its pictures are small and lie apart.
const CACHE_BYTES: usize = 64 << 20;

/// What to report.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Week, month, quarter or year.
    pub kind: span::Kind,
    /// A day of the period; that of the latest pass where not given.
    pub until: Option<Date>,
    /// Of what.
    pub scope: Scope,
    /// Language.
    pub language: Language,
    /// Without names of officials.
    pub public: bool,
}

/// Everything that a report is made of.
struct Material<'a> {
    wanted: &'a Wanted,
    span: Span,
    rules: &'a Rules,
    schedule: &'a ScheduleSettings,
    /// Assessed patches of the scope that were detected until the end of the period.
    patches: Vec<Assessed>,
    /// Reaches of the scope.
    reaches: Vec<Reach>,
    /// Passes that were published until the end of the period, the latest first.
    publications: Vec<PublicationRecord>,
    /// How passes are read.
    readers: Readers,
    /// What was observed of them until the end of the period.
    observations: Vec<Observation>,
    /// When the run of each patch ended.
    found_at: BTreeMap<String, Timestamp>,
    idle: Vec<IdleProject>,
    /// Number of the class "water" of the model, where it has one.
    water_class: Option<usize>,
}

impl Material<'_> {
    const fn word<'a>(&self, english: &'a str, chinese: &'a str) -> &'a str {
        self.wanted.language.of(english, chinese)
    }

    fn text(&self, english: &str, chinese: &str) -> String {
        self.word(english, chinese).to_owned()
    }

    /// Patches that were detected in the period.
    fn found(&self) -> impl Iterator<Item = &Assessed> + Clone {
        self.patches.iter().filter(|one| self.span.holds(one.assessment.detected_on))
    }

    /// Patches that wait for a decision.
    fn open(&self) -> impl Iterator<Item = &Assessed> + Clone {
        self.patches.iter().filter(|one| one.verdict.is_none() && one.assessment.shown)
    }

    fn table(&self, caption: &str, headers: &[(&str, &str, bool)], rows: Vec<Vec<DocumentCell>>) -> Block {
        Block::Table(DocumentTable {
            caption: caption.to_owned(),
            headers: headers.iter().map(|(english, chinese, _)| self.text(english, chinese)).collect(),
            numeric: headers.iter().map(|(_, _, numeric)| *numeric).collect(),
            rows,
            empty: self.text("None.", "无。"),
        })
    }
}

/// The page of a period, and how many approved projects of its scope are idle.
///
/// # Errors
/// Nothing was assessed yet, the scope names nothing, or the store can't be read.
pub fn page(settings: &RunSettings, store: &Store, wanted: &Wanted) -> Result<(String, usize), Failure> {
    if wanted.public && matches!(wanted.scope, Scope::Chief(_)) {
        return Err(Failure::usage("a brief of a chief names people: it cannot be --public"));
    }
    let rules = &settings.rules;
    let all = assessed(store)?;
    if all.is_empty() && !store.patches(&PatchFilter::default())?.is_empty() {
        return Err(Failure::input("no patch was assessed yet; use `shorewatch assess` first"));
    }
    let mut publications = store.publications()?;
    publications.retain(|one| one.is_current);
    publications.sort_by_key(|one| std::cmp::Reverse((one.post_date, one.pass_id)));
    let latest = publications.first().map(|one| one.post_date);
    let until = match (wanted.until, latest) {
        (Some(day), _) => day,
        (None, Some(latest)) => rules.local_day(latest),
        (None, None) => return Err(Failure::input("nothing is published yet; use `shorewatch run` first")),
    };
    let span = Span::of(wanted.kind, until);
    let selection = scope::select(store, rules, &wanted.scope, span.to)?;
    let in_time = |one: &Assessed| one.assessment.detected_on <= span.to;
    let patches: Vec<Assessed> =
        all.into_iter().filter(|one| selection.takes_patch(&wanted.scope, one) && in_time(one)).collect();
    if patches.is_empty() && selection.reaches.is_empty() {
        return Err(Failure::input(format!(
            "{} names no reach and no patch; `shorewatch ledger` lists the codes that are in use",
            wanted.scope
        )));
    }
    let of_reach: std::collections::BTreeSet<&str> = selection.reaches.iter().map(|reach| reach.id.as_str()).collect();
    let observations = store
        .observations()?
        .into_iter()
        .filter(|one| of_reach.contains(one.seen.reach_id.as_str()) && rules.local_day(one.post_date) <= span.to)
        .collect();
    publications.retain(|one| rules.local_day(one.post_date) <= span.to);
    shorewatch_imagery::open::init();
    let readers =
        Readers::new(store.passes()?, settings.profiles(), register::limits(settings), BlockCache::new(CACHE_BYTES));
    // a report reads without the bundle too: water areas are left out then
    let description = Model::describe(settings)
        .inspect_err(|fault| tracing::warn!(%fault, "the report leaves water areas out: the model can't be read"));
    let water_class = description.ok().and_then(|description| description.model_classes().id("water"));
    let material = Material {
        wanted,
        span,
        rules,
        schedule: &settings.schedule,
        found_at: found_at(store)?,
        idle: selection.idle(store.idle_projects()?, &wanted.scope),
        patches,
        publications,
        readers,
        observations,
        reaches: selection.reaches,
        water_class,
    };
    let page = render_document(&document(&material, settings.synthetic)?)
        .map_err(|fault| Failure::internal(format!("report: {fault}")))?;
    Ok((page, material.idle.len()))
}

/// When the run of each current patch ended; of one that goes on, when it began.
fn found_at(store: &Store) -> Result<BTreeMap<String, Timestamp>, Failure> {
    let runs: BTreeMap<Digest, Timestamp> = store
        .runs()?
        .into_iter()
        .map(|run| (run.start.run_id, run.end.map_or(run.first_started_at, |end| end.finished_at)))
        .collect();
    let stored = store.patches(&PatchFilter::default())?.into_iter();
    Ok(stored.filter_map(|stored| Some((stored.patch.patch_id.clone(), *runs.get(&stored.run_id)?))).collect())
}

fn document(material: &Material<'_>, synthetic: bool) -> Result<Document, Failure> {
    let along = matches!(material.wanted.scope, Scope::River(_) | Scope::Reach(_) | Scope::Chief(_));
    let mut sections = vec![counts::summary(material), counts::breakdown(material), maps::section(material)?];
    sections.extend(series::section(material)?);
    if along {
        sections.insert(1, listing::section(material, true));
    } else {
        sections.push(counts::by_place(material));
    }
    sections.push(coverage::section(material));
    if let Some(water) = coverage::water(material) {
        sections.push(water);
    }
    sections.push(alarms(material));
    if !along {
        sections.push(listing::section(material, false));
    }
    let mut notices =
        vec![material.text("Suspected, not verdicts: a person decides.", "疑似问题，非认定结论，须经人工复核。")];
    if synthetic {
        notices.push(material.text("Synthetic imagery: painted, not real.", "合成影像：绘制，非真实影像。"));
    }
    if !material.wanted.public {
        notices.push(material.text("Holds names of officials: not for the public.", "含人员信息，不得公开。"));
    }
    Ok(Document {
        language: material.word("en", "zh-CN"),
        title: title(material),
        subtitle: format!("{} – {} · {}", material.span.from, material.span.to, scope_name(material)),
        notices,
        generator: format!(
            "shorewatch {} · {} {}",
            env!("CARGO_PKG_VERSION"),
            material.word("rules", "规则"),
            material.rules.digest.short()
        ),
        sections,
    })
}

fn title(material: &Material<'_>) -> String {
    let period = material.wanted.kind.name(material.wanted.language);
    match &material.wanted.scope {
        Scope::Chief(_) => material.text("Brief before the patrol", "巡河前简报"),
        Scope::River(_) => material.text("Dossier of a river", "河流档案"),
        _ => match material.wanted.language {
            Language::English => format!("Shoreline inspection: {period} report"),
            Language::Chinese => format!("河湖岸线巡查{period}"),
        },
    }
}

fn scope_name(material: &Material<'_>) -> String {
    let first = material.patches.first().map(|one| &one.assessment);
    let named =
        |code: &str, name: Option<&str>| name.map_or_else(|| code.to_owned(), |name| format!("{name} ({code})"));
    match &material.wanted.scope {
        Scope::Province => material.text("everything", "全部"),
        Scope::City(code) => named(code, first.and_then(|told| told.city.as_ref()).map(|unit| unit.name.as_str())),
        Scope::County(code) => named(code, first.and_then(|told| told.county.as_ref()).map(|unit| unit.name.as_str())),
        Scope::River(code) => named(code, first.and_then(|told| told.river_name.as_deref())),
        Scope::Reach(code) => named(code, material.reaches.first().map(|reach| reach.name.as_str())),
        Scope::Chief(name) => name.clone(),
    }
}

fn alarms(material: &Material<'_>) -> Section {
    let rows = material
        .idle
        .iter()
        .map(|project| {
            let place = [&project.river_code, &project.reach_code].into_iter().flatten();
            let mut cells: Vec<DocumentCell> = vec![
                project.code.clone().into(),
                project.name.clone().into(),
                project.adcd.clone().unwrap_or_default().into(),
                place.map(String::as_str).collect::<Vec<_>>().join(" / ").into(),
                project.expected_by.to_string().into(),
                project.observed_on.to_string().into(),
                format!("{:.0} %", project.observed_share * 100.0).into(),
            ];
            if !material.wanted.public {
                cells.push(project.chiefs.join(" / ").into());
            }
            cells
        })
        .collect();
    let mut headers = vec![
        ("Code", "编号", false),
        ("Name", "名称", false),
        ("Unit", "行政区划", false),
        ("River / reach", "河湖 / 河段", false),
        ("Change expected by", "应有变化之日", false),
        ("Last observed", "最近观测", false),
        ("Observed", "观测比例", true),
    ];
    if !material.wanted.public {
        headers.push(("Chiefs", "河长", false));
    }
    Section {
        heading: material.text("Approved but idle", "占而不用"),
        lead: material.text(
            "Approved projects on whose ground nothing changed by the day by which something should have, though it was observed since.",
            "已批准项目在应有变化之日后已被观测，但其范围内未见变化。",
        ),
        sheet: Sheet::GoesOn,
        blocks: vec![material.table(
            material.word("Projects", "项目"),
            &headers,
            rows,
        )],
    }
}
