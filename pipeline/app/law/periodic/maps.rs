//! Where patches lie: one map, and one small map for each class on the same scale.

use shorewatch_domain::classes::IssueClass;
use shorewatch_domain::law::assessment::Severity;
use shorewatch_report::{Area, Block, Dot, MapDrawing, Section, Sheet, Tone};

use super::Material;
use crate::law::ledger::Assessed;

pub(super) fn section(material: &Material<'_>) -> Section {
    let language = material.wanted.language;
    let areas: Vec<Area> = material
        .reaches
        .iter()
        .flat_map(|reach| {
            reach.scope.iter().map(|part| Area {
                outline: part.exterior().coords().map(|point| (point.x, point.y)).collect(),
                label: reach.name.clone(),
            })
        })
        .collect();
    let dots = |holds: &dyn Fn(&Assessed) -> bool| -> Vec<Dot> {
        material.found().filter(|one| holds(one)).map(dot).collect()
    };
    let legend = Severity::ALL
        .into_iter()
        .map(|severity| (tone(severity), severity.text(language).to_owned()))
        .chain([(Tone::Quiet, material.text("kept out of the queue", "不列入队列"))])
        .collect();
    let map = MapDrawing {
        title: material.text("Patches of the period; managed reaches in blue", "本期图斑；蓝色为管理河段"),
        areas: areas.clone(),
        dots: dots(&|_| true),
        legend,
        height_px: 420,
        extent: None,
    };
    let extent = map.content_extent();
    let multiples = IssueClass::ALL
        .into_iter()
        .map(|class| {
            let dots = dots(&|one| one.assessment.issue_class == class);
            let name = language.of(class.name(), class.official_term());
            MapDrawing {
                title: format!("{name}: {}", dots.len()),
                areas: areas.clone(),
                dots,
                legend: Vec::new(),
                height_px: 150,
                extent: Some(extent),
            }
        })
        .collect();
    Section {
        heading: material.text("Map", "分布图"),
        lead: String::new(),
        sheet: Sheet::New,
        blocks: vec![Block::Map(map), Block::Multiples(multiples)],
    }
}

pub(super) const fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::General => Tone::General,
        Severity::Serious => Tone::Serious,
        Severity::Major => Tone::Major,
    }
}

pub(super) fn dot(one: &Assessed) -> Dot {
    let tone = if one.assessment.shown { tone(one.assessment.severity) } else { Tone::Quiet };
    Dot { at: one.patch().centre, tone, label: one.assessment.number.clone() }
}
