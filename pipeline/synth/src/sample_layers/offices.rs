//! Administrative units at four levels, chiefs with a change of office, departments.

use geo_types::{Coord, Rect};

use super::{RIVER, SampleLayer, SampleRow, SampleShape, row};
use crate::series::Series;

pub(super) fn layers(series: &Series) -> Vec<SampleLayer> {
    vec![
        SampleLayer { name: "administrative_units", rows: units(series).iter().map(Unit::row).collect() },
        SampleLayer { name: "chiefs", rows: chiefs(series) },
        SampleLayer { name: "departments", rows: departments() },
    ]
}

struct Unit {
    code: String,
    name: String,
    level: &'static str,
    parent: String,
    bounds: Rect<f64>,
}

impl Unit {
    fn row(&self) -> SampleRow {
        let shape = SampleShape::Area(self.bounds.to_polygon());
        let values = [
            ("区划代码", self.code.as_str()),
            ("名称", self.name.as_str()),
            ("级别", self.level),
            ("上级", self.parent.as_str()),
        ];
        row(shape, &values)
    }
}

/// One city, two counties beside one another, two towns in each above one another, two villages in each beside one another.
fn units(series: &Series) -> Vec<Unit> {
    let (rows, cols) = series.passes[0].classes.dim();
    let all = Rect::new((0.0, 0.0), (cols as f64, rows as f64));
    let unit = |code: &str, name: &str, level, parent: &str, bounds| Unit {
        code: code.to_owned(),
        name: name.to_owned(),
        level,
        parent: parent.to_owned(),
        bounds,
    };
    let mut units = vec![unit("990100", "青川市", "市", "", all)];
    for (county, (code, name)) in [("990101", "青北县"), ("990102", "青南县")].into_iter().enumerate() {
        let of_county = split(all, county, true);
        units.push(unit(code, name, "县", "990100", of_county));
        for town in 0..2 {
            let of_town = split(of_county, town, false);
            let town_code = format!("{code}{:03}", town + 1);
            let town_name = ["沙洲镇", "石桥镇", "渡口镇", "柳岸镇"][2 * county + town];
            units.push(unit(&town_code, town_name, "镇", code, of_town));
            for village in 0..2 {
                let name = format!("{}{}村", &town_name[..town_name.len() - "镇".len()], ["东", "西"][1 - village]);
                let village_code = format!("{town_code}{:03}", 200 + village);
                units.push(unit(&village_code, &name, "村", &town_code, split(of_town, village, true)));
            }
        }
    }
    units
}

/// One half of a box.
fn split(bounds: Rect<f64>, half: usize, across: bool) -> Rect<f64> {
    let (min, max, middle) = (bounds.min(), bounds.max(), bounds.center());
    match (across, half) {
        (true, 0) => Rect::new(min, Coord { x: middle.x, y: max.y }),
        (true, _) => Rect::new(Coord { x: middle.x, y: min.y }, max),
        (false, 0) => Rect::new(min, Coord { x: max.x, y: middle.y }),
        (false, _) => Rect::new(Coord { x: min.x, y: middle.y }, max),
    }
}

/// The river has a chief of the city, each reach one of its county, each unit one of its own. In August 2024 the county's chief
/// of the upper reach changes; for two weeks in May a town had none; the last village has none at all.
fn chiefs(series: &Series) -> Vec<SampleRow> {
    let chief = |level: &str, charge: &str, name: &str, title: &str, from: &str, to: &str| {
        let values = [
            ("级别", level),
            ("责任对象", charge),
            ("姓名", name),
            ("职务", title),
            ("电话", "000-0000000"),
            ("任职起", from),
            ("任职止", to),
        ];
        row(None, &values)
    };
    let mut rows = vec![
        chief("市级", RIVER, "市级河长甲", "副市长", "2022-01-01", ""),
        chief("县级", "990101000001", "县级河长乙", "副县长", "2022-01-01", "2024-07-31"),
        chief("县级", "990101000001", "县级河长丙", "副县长", "2024-08-01", ""),
        chief("县级", "990102000001", "县级河长丁", "副县长", "2022-01-01", ""),
        chief("市级", super::LAKE, "市级湖长戊", "副市长", "2022-01-01", ""),
    ];
    let units = units(series);
    let last = units.len() - 1;
    for (number, unit) in units.iter().enumerate().filter(|(number, _)| *number != last) {
        let (level, title) = match unit.level {
            "市" => ("市级", "市长"),
            "县" => ("县级", "县长"),
            "镇" => ("乡级", "镇长"),
            _ => ("村级", "村主任"),
        };
        let name = format!("{}河长{:02}", unit.name, number);
        if unit.code == "990101001" {
            rows.push(chief(level, &unit.code, &format!("{name}前任"), title, "2021-01-01", "2024-05-01"));
            rows.push(chief(level, &unit.code, &name, title, "2024-05-16", ""));
        } else {
            rows.push(chief(level, &unit.code, &name, title, "2022-01-01", ""));
        }
    }
    rows
}

fn departments() -> Vec<SampleRow> {
    let mut rows = Vec::new();
    for (county, name) in [("990101", "青北县"), ("990102", "青南县")] {
        for (number, (office, role, classes)) in [
            ("水利局", "牵头", "mining;occupation;construction"),
            ("生态环境局", "牵头", "dumping"),
            ("林业局", "配合", ""),
            ("自然资源局", "配合", "construction;occupation"),
            ("公安局", "配合", "mining"),
        ]
        .into_iter()
        .enumerate()
        {
            let (code, name) = (format!("{county}-{}", number + 1), format!("{name}{office}"));
            let values = [
                ("编号", code.as_str()),
                ("名称", name.as_str()),
                ("辖区", county),
                ("职责", role),
                ("问题类型", classes),
            ];
            rows.push(row(None, &values));
        }
    }
    let basin = [
        ("编号", "QC-0"),
        ("名称", "青川流域管理局"),
        ("辖区", "青川流域"),
        ("职责", "流域管理机构"),
        ("问题类型", ""),
    ];
    rows.push(row(None, &basin));
    rows
}
