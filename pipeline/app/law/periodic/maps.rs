//! Where patches lie: one map over the latest imagery, and one small map for each class on the same scale.

use shorewatch_domain::classes::IssueClass;
use shorewatch_domain::law::assessment::Severity;
use shorewatch_report::{Area, Block, Dot, Key, MapDrawing, Section, Sheet, Tone, Underlay};

use super::{Material, backdrop};
use crate::failure::Failure;
use crate::law::ledger::Assessed;

/// Height of the large map in pixels.
const MAP_PX: u32 = 420;
/// Height of a small one.
const SMALL_PX: u32 = 150;
/// Name of the imagery in the document.
const IMAGERY: &str = "latest-imagery";

pub(super) fn section(material: &Material<'_>) -> Result<Section, Failure> {
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
        .map(|severity| (Key::Place(tone(severity)), severity.text(language).to_owned()))
        .chain([(Key::Place(Tone::Quiet), material.text("kept out of the queue", "不列入队列"))])
        .collect();
    let mut map = MapDrawing {
        title: material.text("Patches of the period; managed reaches in blue", "本期图斑；蓝色为管理河段"),
        areas: areas.clone(),
        dots: dots(&|_| true),
        legend,
        height_px: MAP_PX,
        underlay: Underlay::Plain,
        extent: None,
    };
    let frame = map.frame();
    let laid = backdrop::lay(material, &frame)?;
    let mut lead = material.text("No imagery can be shown under the map.", "底图无可用影像。");
    let mut under_small = Underlay::Plain;
    if let Some(laid) = laid {
        lead = told(material, &laid);
        map.legend.push((Key::Area, material.text("managed reach", "管理河段")));
        map.legend
            .push((Key::Unobserved, material.text("not observed by the latest pass there", "该处最新一期未观测")));
        map.underlay = Underlay::Picture { id: IMAGERY.to_owned(), jpeg: laid.jpeg };
        under_small = Underlay::Again { id: IMAGERY.to_owned(), height_px: MAP_PX };
    }
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
                height_px: SMALL_PX,
                underlay: under_small.clone(),
                extent: Some(frame.extent),
            }
        })
        .collect();
    Ok(Section {
        heading: material.text("Map", "分布图"),
        lead,
        sheet: Sheet::New,
        blocks: vec![Block::Map(map), Block::Multiples(multiples)],
    })
}

/// Which imagery lies under the map, and what is missing of it.
fn told(material: &Material<'_>, laid: &backdrop::Laid) -> String {
    let language = material.wanted.language;
    let list = |names: &[String]| names.join(language.of(", ", "、"));
    let mut told = format!(
        "{}{}{}",
        material.word("Imagery: of each place the latest of these passes: ", "影像：各处取下列最新一期："),
        list(&laid.passes),
        material.word("; ground outside of the managed reaches is faded.", "；管理河段以外淡化显示。")
    );
    if !laid.unreadable.is_empty() {
        let missing = material.word(" Passes that can't be read any more: ", "已无法读取的影像：");
        told = format!("{told}{missing}{}{}", list(&laid.unreadable), language.of(".", "。"));
    }
    told
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
