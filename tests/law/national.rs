//! National patches in and out, as another program reads them.

use std::fs;

use shorewatch_domain::patch::Patch;

use super::common::text;
use super::{assessed, ogrinfo};

#[test]
fn national_patches_come_in_and_go_back_with_codes() {
    let (place, config, patches) = assessed();
    place.json(0, &["assess", "--config", &config]);
    let square = |patch: &Patch, shift: f64| {
        let bounds = geo::BoundingRect::bounding_rect(&patch.geometry).expect("bounds");
        let (west, east) = (bounds.min().x + shift, bounds.max().x + shift);
        let (south, north) = (bounds.min().y, bounds.max().y);
        format!("[[[{west},{south}],[{east},{south}],[{east},{north}],[{west},{north}],[{west},{south}]]]")
    };
    let feature = |id: &str, ring: String, day: &str| {
        format!(
            "{{\"type\":\"Feature\",\"properties\":{{\"TBBH\":\"{id}\",\"HSXSJ\":\"{day}\",\"HCJG\":\"疑似\",\"BZ\":\"=1\",\"LDJG\":null}},\
             \"geometry\":{{\"type\":\"Polygon\",\"coordinates\":{ring}}}}}"
        )
    };
    let file = |features: &[String]| {
        let text = format!("{{\"type\":\"FeatureCollection\",\"features\":[{}]}}", features.join(","));
        fs::write(place.path("national.geojson"), text).expect("written");
    };
    let of_day = |patch: &Patch| patch.post_date.strftime("%Y%m%d").to_string();
    let good = [
        feature("N1", square(&patches[0], 0.0), &of_day(&patches[0])),
        feature("N2", square(&patches[2], 0.0), &of_day(&patches[2])),
        feature("N3", square(&patches[2], 0.5), "2024/03/15"),
        feature("N4", square(&patches[2], 0.0), "2014-03-15"),
    ];
    let import = ["national", "import", "--config", &config, "national.geojson"];
    file(&[good[0].clone(), good[0].clone()]);
    let twice = place.run(&import);
    assert_eq!(twice.status.code(), Some(4), "{}", text(&twice));
    file(&[feature("N1", square(&patches[0], 0.0), "spring")]);
    let spring = place.run(&import);
    assert!(spring.status.code() == Some(4) && text(&spring).contains("spring"), "{}", text(&spring));
    file(&good);
    assert_eq!(place.json(0, &import)["added"], 4);
    assert_eq!(place.json(0, &import)["unchanged"], 4);
    let answered = place.json(0, &["national", "export", "--config", &config]);
    let counts = &answered["outcomes"];
    assert_eq!((&counts["permitted"], &counts["pending"], &counts["not_matched"]), (&1.into(), &1.into(), &2.into()));
    for file in ["state/out/national.gpkg", "n.geojson", "n.fgb", "n.csv", "n.shp"] {
        if file != "state/out/national.gpkg" {
            place.json(0, &["national", "export", "--config", &config, "--out", file]);
        }
        let told = ogrinfo(&place.path(file));
        assert!(told.contains("Feature Count: 4") && told.contains("sw_text (String"), "{file}: {told}");
        assert!(told.contains("LDJG: String"), "a column that is empty goes back too: {told}");
        assert!(
            told.contains(") = 未匹配") && told.contains(") = N2") && told.contains("not_matched"),
            "{file}: {told}"
        );
    }
    assert_eq!(fs::read_to_string(place.path("n.cpg")).expect("the encoding").trim(), "UTF-8");
    place.json(0, &["national", "export", "--config", &config, "--out", "gbk.shp", "--encoding", "gbk"]);
    assert_eq!(fs::read_to_string(place.path("gbk.cpg")).expect("the encoding").trim(), "CP936");
    let bytes = fs::read(place.path("gbk.dbf")).expect("texts");
    let unmatched = [0xCE, 0xB4, 0xC6, 0xA5, 0xC5, 0xE4];
    assert!(bytes.windows(6).any(|window| window == unmatched), "未匹配 in GBK");
    let unknown = place.run(&["national", "export", "--config", &config, "--out", "n.doc"]);
    assert!(unknown.status.code() == Some(2) && text(&unknown).contains(".shp"), "{}", text(&unknown));
    // what a national patch led to is told as its source
    place.json(0, &["ledger", "--config", &config, "--all", "--format", "csv"]);
    let ledger = fs::read_to_string(place.path("state/out/ledger.csv")).expect("read");
    assert!(ledger.contains("国家下发图斑：N2"), "{ledger}");
}
