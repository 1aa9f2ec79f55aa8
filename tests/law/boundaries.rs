//! Management scopes against the water that passes saw, as `layers check` tells it after a run.

use std::fs;

use serde_json::Value;
use shorewatch_domain::law::layer::{BoundarySource, Facts, LayerKind};
use shorewatch_domain::law::record::LayerContent;

use super::common::text;
use super::{assessed, feature, import, store};

#[test]
fn scopes_are_held_against_the_water_that_passes_saw() {
    let (place, config, _) = assessed();
    let arguments = ["layers", "check", "--config", &config, "--day", "2024-11-01"];
    // the reaches as scopes, each moved by metres to the east and to the north
    let check = |name: &str, east_m: f64, north_m: f64| {
        let mut store = store(&place);
        let rows = store.reaches().expect("reaches").into_iter().map(|reach| {
            let moved = geo::Translate::translate(&reach.scope, east_m / 111_320.0, north_m / 110_574.0);
            let facts = Facts::ManagementScope { source: BoundarySource::Official, water_code: None };
            feature(&reach.id, name, moved, facts)
        });
        import(&mut store, LayerContent::Areas(LayerKind::ManagementScope), rows.collect());
        place.json(0, &arguments)
    };
    let kinds = |checked: &Value| -> Vec<String> {
        let all = checked["defects"].as_array().expect("defects").iter();
        let kinds = all.map(|defect| defect["kind"].as_str().expect("a kind").to_owned());
        kinds.filter(|kind| kind.ends_with("seen_water") || kind.ends_with("against_imagery")).collect()
    };
    let sound = check("as seen", 0.0, 0.0);
    assert_eq!(sound["imagery"]["not_compared"], Value::Null, "{sound:#}");
    assert!(kinds(&sound).is_empty(), "the reaches were drawn about their water: {sound:#}");

    let moved = check("moved", 150.0, -90.0);
    assert_eq!(kinds(&moved), ["scope_lacks_seen_water", "scope_shifted_against_imagery"], "{moved:#}");
    let all = moved["defects"].as_array().expect("defects");
    let shifted = all.iter().find(|defect| defect["kind"] == "scope_shifted_against_imagery").expect("found above");
    let length_m = shifted["length_m"].as_f64().expect("a length");
    assert!((110.0..=190.0).contains(&length_m), "moved by 150 m to the east, of which one axis is told: {shifted:#}");
    assert!(shifted["text"].as_str().expect("a text").contains("to the west"), "back to where it was: {shifted:#}");
    let untold = moved["imagery"]["untold"].as_array().expect("what can't be told");
    assert!(!untold.is_empty(), "of the rivers it is said why nothing can be told: {moved:#}");

    fs::remove_dir_all(place.path("state/work/units")).expect("removed");
    let gone = text(&place.run(&arguments));
    assert!(gone.contains("not compared with imagery: the work folder no longer holds what passes saw"), "{gone}");
}
