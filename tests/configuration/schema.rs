//! The JSON Schema that the program prints.

use shorewatch::configuration;

use crate::scratch::repository_file;

#[test]
fn the_schema_describes_every_key_and_fits_the_demo() {
    let schema: serde_json::Value = serde_json::from_str(&configuration::json_schema()).expect("JSON");
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let demo: toml::Table = repository_file("configs/demo.toml").parse().expect("TOML");
    fits(&schema, &serde_json::to_value(demo).expect("JSON"), "");
    described(&schema, "");
}

/// Structure only, and independent of the program's own check: required keys are there, no key is unknown.
fn fits(schema: &serde_json::Value, value: &serde_json::Value, name: &str) {
    match value {
        serde_json::Value::Object(object) => {
            assert_eq!(schema["type"], "object", "{name}");
            if schema["additionalProperties"].is_object() {
                // keys of the operator's own, as the fields of a layer: the values have a form all the same
                object.values().for_each(|value| fits(&schema["additionalProperties"], value, name));
                return;
            }
            assert_eq!(schema["additionalProperties"], false, "{name} must refuse unknown keys");
            for key in schema["required"].as_array().into_iter().flatten() {
                assert!(object.contains_key(key.as_str().expect("a key")), "{name} lacks {key}");
            }
            for (key, value) in object {
                fits(&schema["properties"][key], value, &format!("{name}.{key}"));
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| fits(&schema["items"], item, name)),
        _ => assert!(!schema.is_null(), "{name} is unknown to the schema"),
    }
}

fn described(schema: &serde_json::Value, name: &str) {
    assert!(schema["description"].as_str().is_some_and(|text| text.len() > 10), "{name} has no description");
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        described(property, &format!("{name}.{key}"));
    }
    if schema["items"]["type"] == "object" {
        described(&schema["items"], &format!("{name}[]"));
    }
}
