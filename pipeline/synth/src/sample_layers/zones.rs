//! Scopes, zones, permits, projects and known problems.

use geo_types::Coord;

use super::{LAKE, RIVER, SampleLayer, SampleRow, area, events, row, shapes};
use crate::series::{EventKind, Series};

/// Width of the gap that is planted between two shoreline zones, in metres.
const GAP_M: f64 = 12.0;

pub(super) fn layers(series: &Series) -> Vec<SampleLayer> {
    vec![
        SampleLayer { name: "management_scopes", rows: official_scopes(series) },
        SampleLayer { name: "management_scopes_buffer", rows: stand_in_scopes(series) },
        SampleLayer { name: "shoreline_zones", rows: shoreline_zones(series) },
        SampleLayer { name: "water_source_zones", rows: water_source_zones(series) },
        SampleLayer { name: "wetlands", rows: wetlands(series) },
        SampleLayer { name: "blue_lines", rows: blue_lines(series) },
        SampleLayer { name: "protection_scopes", rows: protection_scopes(series) },
        SampleLayer { name: "mining_permits", rows: mining_permits(series) },
        SampleLayer { name: "projects", rows: projects(series) },
        SampleLayer { name: "known_problems", rows: known_problems(series) },
    ]
}

/// The upper reach and the lake have an official scope.
fn official_scopes(series: &Series) -> Vec<SampleRow> {
    let scope = |reach: usize, code: &str, name: &str, water: &str| {
        let values = [("code", code), ("name", name), ("water_code", water), ("依据", "县政府公告〔虚构〕")];
        row(area(series.reaches[reach].polygon.clone()), &values)
    };
    vec![scope(0, "GL-990101-1", "青川上段管理范围", RIVER), scope(2, "GL-990101-2", "镜湖管理范围", LAKE)]
}

/// The lower reach has none yet: a buffer stands in.
fn stand_in_scopes(series: &Series) -> Vec<SampleRow> {
    let buffer_m = format!("{:.0}", series.river.corridor_half * series.pixel_size_m);
    let values =
        [("code", "HC-990102-1"), ("name", "青川下段管理范围（缓冲）"), ("water_code", RIVER), ("buffer_m", &buffer_m)];
    vec![row(area(series.reaches[1].polygon.clone()), &values)]
}

fn protection_scopes(series: &Series) -> Vec<SampleRow> {
    let outline = shapes::band(&series.river.centreline.0, series.river.corridor_half * 1.15);
    vec![row(area(outline), &[("code", "BH-1"), ("name", "青川保护范围"), ("water_code", RIVER)])]
}

/// Four zones down the river; between the second and the third lies the planted gap.
fn shoreline_zones(series: &Series) -> Vec<SampleRow> {
    let line = &series.river.centreline.0;
    let cuts: Vec<usize> = (0..=4).map(|part| (line.len() - 1) * part / 4).collect();
    let words = ["保护区", "保留区", "控制利用区", "开发利用区"];
    let zones = words.iter().enumerate().map(|(i, word)| {
        let mut part = line[cuts[i]..=cuts[i + 1]].to_vec();
        if i == 2 {
            let (from, to) = (part[0], part[1]);
            let share = GAP_M / series.pixel_size_m / (to.x - from.x).hypot(to.y - from.y);
            part[0] = Coord { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
        }
        // ends are square to the river, so that neighbours meet
        let polygon = zone(line, &part, (cuts[i], cuts[i + 1]), series.river.corridor_half);
        let (code, name) = (format!("GN-{}", i + 1), format!("青川{word}"));
        row(area(polygon), &[("编号", code.as_str()), ("名称", name.as_str()), ("功能区", *word)])
    });
    zones.collect()
}

/// A band whose ends take their direction from the whole line.
fn zone(line: &[Coord<f64>], part: &[Coord<f64>], (first, last): (usize, usize), half: f64) -> geo_types::Polygon<f64> {
    let side = |sign: f64| {
        (0..part.len())
            .map(|i| {
                let vertex = (first + i).min(last);
                let offset = shapes::beside(line, vertex, sign * half);
                Coord { x: part[i].x + offset.x - line[vertex].x, y: part[i].y + offset.y - line[vertex].y }
            })
            .collect::<Vec<_>>()
    };
    let right = side(1.0);
    let left = side(-1.0);
    geo_types::Polygon::new(right.into_iter().chain(left.into_iter().rev()).collect(), Vec::new())
}

/// The lake gives drinking water: what is laid at its shore lies at a source of level 1.
fn water_source_zones(series: &Series) -> Vec<SampleRow> {
    let intake = events(series, EventKind::Occupation).first().map(|event| shapes::around(&event.polygon, 12.0));
    let first = intake.unwrap_or_else(|| shapes::around(&series.lake, -5.0));
    vec![
        row(area(first), &[("code", "YS-1"), ("name", "镜湖水源一级保护区"), ("级别", "一级")]),
        row(
            area(shapes::around(&series.lake, 20.0)),
            &[("code", "YS-2"), ("name", "镜湖水源二级保护区"), ("级别", "二级")],
        ),
    ]
}

/// Around what occupies the river's bank.
fn wetlands(series: &Series) -> Vec<SampleRow> {
    let bank = events(series, EventKind::Occupation).get(1).map(|event| shapes::around(&event.polygon, 20.0));
    let line = &series.river.centreline.0;
    let shape = bank.unwrap_or_else(|| shapes::square(line[line.len() / 3], 20.0));
    vec![row(area(shape), &[("code", "SD-1"), ("name", "青川湿地"), ("grade", "省级")])]
}

fn blue_lines(series: &Series) -> Vec<SampleRow> {
    let outline = shapes::band(&series.river.centreline.0, series.river.corridor_half * 0.6);
    vec![row(area(outline), &[("code", "LX-1"), ("name", "青川蓝线")])]
}

/// The first pit lies in a permit's forbidden season; the second one is permitted; a third permit is over.
fn mining_permits(series: &Series) -> Vec<SampleRow> {
    let pits = events(series, EventKind::SandPit);
    let line = &series.river.centreline.0;
    let elsewhere = || shapes::square(shapes::beside(line, line.len() * 3 / 5, series.river.corridor_half * 0.5), 15.0);
    let permit = |shape, code: &str, name: &str, from: &str, to: &str, season: &str| {
        let values = [
            ("许可证号", code),
            ("采区名称", name),
            ("有效期起", from),
            ("有效期止", to),
            ("许可量", "12,000"),
            ("禁采期", season),
        ];
        row(area(shape), &values)
    };
    let around = |pit: usize| pits.get(pit).map_or_else(elsewhere, |event| shapes::around(&event.polygon, 6.0));
    vec![
        permit(around(0), "采990101-2023-7", "沙洲采区", "2023年1月1日", "2025年12月31日", "4月1日至7月31日"),
        permit(around(1), "采990102-2024-2", "渡口采区", "2024-01-01", "2026-12-31", "05-01..06-30"),
        permit(elsewhere(), "采990102-2019-4", "柳岸采区", "20190101", "20211231", ""),
    ]
}

/// The first building lies wholly in its project, half of the second one outside; a third project stands idle.
fn projects(series: &Series) -> Vec<SampleRow> {
    let buildings = events(series, EventKind::Building);
    let line = &series.river.centreline.0;
    let idle = shapes::square(shapes::beside(line, line.len() / 5, -series.river.corridor_half * 0.6), 12.0);
    let project = |shape, code: &str, name: &str, stage: &str, by: &str| {
        let values = [
            ("文号", code),
            ("项目名称", name),
            ("阶段", stage),
            ("valid_from", "2024-01-01"),
            ("valid_to", "2027-12-31"),
            ("建设内容", "building"),
            ("应开工", by),
        ];
        row(area(shape), &values)
    };
    let whole = buildings.first().map_or_else(|| idle.clone(), |event| shapes::around(&event.polygon, 5.0));
    let half = buildings.get(1).map_or_else(|| idle.clone(), |event| shapes::left_half(&event.polygon, 5.0));
    vec![
        project(whole, "青水许〔2024〕3号", "青川泵站", "在建", ""),
        project(half, "青水许〔2024〕8号", "柳岸码头", "在建", ""),
        project(idle, "青水许〔2024〕1号", "青川观景台", "已批复", "2024年8月31日"),
    ]
}

/// The first heap is on the ledger already.
fn known_problems(series: &Series) -> Vec<SampleRow> {
    let heaps = events(series, EventKind::Dump);
    let line = &series.river.centreline.0;
    let shape = heaps.first().map_or_else(|| shapes::square(line[line.len() / 2], 6.0), |event| event.polygon.clone());
    vec![row(
        area(shape),
        &[("编号", "TZ-2024-0012"), ("名称", "渡口旧堆场"), ("状态", "挂账监管"), ("发现日期", "2024/3/10")],
    )]
}
