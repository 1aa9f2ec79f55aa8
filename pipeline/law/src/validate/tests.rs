use geo_types::{Point, polygon};
use jiff::civil::date;
use shorewatch_domain::law::layer::{BoundarySource, Facts, Feature, LayerKind, WaterSourceLevel};
use shorewatch_domain::law::record::LayerContent;

use super::*;

fn row(number: usize, values: &[(&str, &str)]) -> SourceRow {
    let values = values.iter().map(|(column, value)| ((*column).to_owned(), (*value).to_owned())).collect();
    let square = polygon![(x: 110., y: 30.), (x: 110.01, y: 30.), (x: 110.01, y: 30.01), (x: 110., y: 30.01)];
    let geometry = Some(Geometry::MultiPolygon(square.into()));
    SourceRow { label: format!("feature {number}"), values, geometry, repairs: Vec::new() }
}

fn with(row: SourceRow, geometry: impl Into<Geometry<f64>>) -> SourceRow {
    SourceRow { geometry: Some(geometry.into()), ..row }
}

fn mapping(content: LayerContent, fields: &[(&str, &str)]) -> Mapping {
    let fields = fields.iter().map(|(field, column)| ((*field).to_owned(), (*column).to_owned())).collect();
    Mapping { fields, ..Mapping::plain(content) }
}

fn areas(kind: LayerKind) -> LayerContent {
    LayerContent::Areas(kind)
}

#[track_caller]
fn refused(rows: Vec<SourceRow>, mapping: &Mapping, expected: &[&str]) {
    let validated = records_of(rows, mapping);
    let text: Vec<String> = validated.faults.iter().map(ToString::to_string).collect();
    assert_eq!(validated.faults.len(), expected.len(), "{text:#?}");
    for words in expected {
        assert!(text.iter().any(|fault| fault.contains(words)), "no {words:?} in {text:#?}");
    }
}

#[test]
fn a_permit_in_the_words_of_an_office() {
    let mapping = mapping(
        areas(LayerKind::MiningPermit),
        &[
            ("code", "许可证号"),
            ("name", "砂场"),
            ("valid_from", "起"),
            ("valid_to", "止"),
            ("forbidden_seasons", "禁采期"),
        ],
    );
    let source = row(
        1,
        &[
            ("许可证号", "采7"),
            ("砂场", "沙洲"),
            ("起", "2023年1月1日"),
            ("止", "20241231"),
            ("禁采期", "4月1日至6月30日"),
            ("备注", "甲"),
        ],
    );
    let validated = records_of(vec![source], &mapping);
    assert_eq!(validated.faults, []);
    let [Record::Feature(feature)] = validated.records.as_slice() else { panic!("one feature") };
    let Facts::MiningPermit(permit) = &feature.facts else { panic!("a permit") };
    assert_eq!((permit.valid.from, permit.valid.to), (Some(date(2023, 1, 1)), Some(date(2024, 12, 31))));
    assert!(permit.forbidden_seasons[0].holds(date(2024, 5, 1)));
    assert_eq!(feature.other, BTreeMap::from([("备注".to_owned(), "甲".to_owned())]));
}

#[test]
fn all_faults_of_all_rows_come_at_once_with_their_row() {
    let mapping = mapping(areas(LayerKind::MiningPermit), &[("valid_to", "止")]);
    refused(
        vec![
            row(1, &[("code", "A"), ("valid_from", "2024-01-01"), ("止", "2023-12-31")]),
            row(2, &[("code", "A"), ("止", "2024-02-30"), ("volume_m3", "-1")]),
            row(3, &[("止", "2024-12-31"), ("forbidden_seasons", "spring")]),
            SourceRow { geometry: None, ..row(4, &[("code", "B"), ("止", "长期")]) },
        ],
        &mapping,
        &[
            "feature 1 (code \"A\"): valid_to (column \"止\"): expected a day not before valid_from, got the period 2024-01-01 to 2023-12-31",
            "feature 2 (code \"A\"): valid_to (column \"止\"): expected a day as 2024-03-15",
            "volume_m3: expected a number not below 0, got \"-1\"",
            "the code \"A\" is also that of feature 1",
            "feature 3: code: expected a value, got nothing",
            "forbidden_seasons: expected seasons as 04-01..06-30",
            "feature 4 (code \"B\"): has no polygon",
        ],
    );
}

#[test]
fn words_are_those_of_the_configuration_or_of_the_field() {
    let mut mapping = mapping(areas(LayerKind::WaterSourceZone), &[]);
    let level = |validated: Validated| match &validated.records[0] {
        Record::Feature(feature) => feature.facts.clone(),
        other => panic!("expected a feature, got {other:?}"),
    };
    let first = Facts::WaterSourceZone { level: WaterSourceLevel::First };
    assert_eq!(level(records_of(vec![row(1, &[("code", "A"), ("level", "一级")])], &mapping)), first);
    refused(vec![row(1, &[("code", "A"), ("level", "甲级")])], &mapping, &["expected one of first, second, quasi"]);
    refused(vec![row(1, &[("code", "A")])], &mapping, &["level: expected one of first, second, quasi, got nothing"]);
    let words = BTreeMap::from([("甲级".to_owned(), "first".to_owned())]);
    mapping.values.insert("level".to_owned(), words);
    assert_eq!(level(records_of(vec![row(1, &[("code", "A"), ("level", "甲级")])], &mapping)), first);
    assert_eq!(level(records_of(vec![row(1, &[("code", "A"), ("level", "first")])], &mapping)), first);
    refused(
        vec![row(1, &[("code", "A"), ("level", "乙级")])],
        &mapping,
        &["expected one of 甲级 ([layers.values.level])"],
    );
}

#[test]
fn scopes_say_whether_they_are_official_or_a_stand_in() {
    let source =
        |mapping: &Mapping, values: &[(&str, &str)]| match &records_of(vec![row(1, values)], mapping).records[0] {
            Record::Feature(Feature { facts: Facts::ManagementScope { source, .. }, .. }) => *source,
            other => panic!("expected a scope, got {other:?}"),
        };
    let mut mapping = mapping(areas(LayerKind::ManagementScope), &[]);
    assert_eq!(source(&mapping, &[("code", "A")]), BoundarySource::Official);
    let buffer = BoundarySource::Buffer { buffer_m: 50.0 };
    assert_eq!(source(&mapping, &[("code", "A"), ("source", "缓冲"), ("buffer_m", "50")]), buffer);
    refused(vec![row(1, &[("code", "A"), ("source", "buffer")])], &mapping, &["expected the metres of the buffer"]);
    mapping.buffer_m = Some(50.0);
    assert_eq!(source(&mapping, &[("code", "A")]), buffer);
}

#[test]
fn codes_are_made_where_a_source_needs_none() {
    let chief = |from: &str| row(1, &[("name", "甲"), ("level", "县级"), ("in_charge_of", "R1"), ("valid_from", from)]);
    let validated = records_of(vec![chief("2022-01-01"), chief("2024-01-01")], &Mapping::plain(LayerContent::Chief));
    let codes: Vec<&str> = validated.records.iter().map(Record::code).collect();
    assert_eq!((codes, validated.faults.len()), (vec!["county@R1@2022-01-01", "county@R1@2024-01-01"], 0));
    let point = with(row(2, &[("reach_code", "R1"), ("chainage_m", "K3+500")]), Point::new(110.0, 30.0));
    let validated = records_of(vec![point], &Mapping::plain(LayerContent::KilometrePoint));
    assert_eq!(validated.records[0].code(), "R1@3500");
    refused(
        vec![row(3, &[("reach_code", "R1")])],
        &Mapping::plain(LayerContent::KilometrePoint),
        &["got nothing", "no point"],
    );
}

#[test]
fn a_mapping_that_does_not_fit_the_source_is_told_before_any_row() {
    let columns = ["bm", "mc"].map(str::to_owned);
    let mut wrong = mapping(areas(LayerKind::ShorelineZone), &[("code", "BM"), ("volume_m3", "mc")]);
    wrong.constants.insert("code".to_owned(), "x".to_owned());
    let faults = wrong.faults(&columns).join("\n");
    for words in [
        "a shoreline_zone has no field \"volume_m3\"; it has code, name, zone",
        "code = \"BM\": no such column; the source has bm, mc",
        "is a column (\"BM\") and a constant",
        "no column for zone",
    ] {
        assert!(faults.contains(words), "no {words:?} in {faults}");
    }
    let right = mapping(areas(LayerKind::BlueLine), &[("code", "bm"), ("name", "mc")]);
    assert_eq!(right.faults(&columns), [""; 0]);
}

#[test]
fn what_was_repaired_stays_with_the_feature_and_is_listed() {
    let mut source = row(1, &[("code", "A")]);
    source.repairs.push("a ring was not closed: closed".to_owned());
    let validated = records_of(vec![source], &Mapping::plain(areas(LayerKind::BlueLine)));
    assert_eq!(validated.repairs, ["feature 1 (code \"A\"): a ring was not closed: closed"]);
    assert!(matches!(&validated.records[0], Record::Feature(feature) if feature.repairs.len() == 1));
}
