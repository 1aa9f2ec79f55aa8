//! The interface as OpenAPI 3.1. The committed file is compared with it by a test.

use serde_json::{Value, json};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{accounts, bulk, chips, decisions, field, figures, layers, leases, patches, provider, queue, sessions};
use crate::access::identity::COOKIE;
use crate::ogc;

#[derive(OpenApi)]
#[openapi(
    info(title = "Shorewatch review", description = "Patches, decisions and features of a Shorewatch store."),
    paths(
        super::health, super::metrics, super::openapi,
        sessions::log_in, sessions::show, sessions::log_out, sessions::log_out_everywhere, sessions::change_password,
        provider::show, provider::begin, provider::finish,
        queue::page, queue::filters, queue::counts, leases::next, leases::take, leases::give_back,
        patches::detail, layers::around, layers::map, chips::chip, chips::tile,
        decisions::decide, decisions::audit, decisions::undo, decisions::undo_on, bulk::decide, bulk::bad_imagery,
        field::link, field::session, field::show, field::report, field::add_photo, field::photo,
        figures::yields, figures::agreement, figures::sample, figures::export,
        accounts::list, accounts::add, accounts::change, accounts::reset, accounts::add_token, accounts::log,
        ogc::landing, ogc::conformance, ogc::collections, ogc::collection, ogc::items, ogc::item,
    ),
    components(schemas(crate::problem::Problem)),
    modifiers(&Security),
    security(("bearer" = []), ("cookie" = []))
)]
struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_with(Default::default);
        components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE))));
    }
}

/// The document. Whatever goes wrong is told as problem details, on every route.
#[must_use]
pub fn document() -> String {
    let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
    let problem = json!({
        "description": "Whatever goes wrong: not logged in, no right, no such thing, a conflict",
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    });
    let operations = document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flatten();
    for operation in operations.filter_map(|(_, path)| path.as_object_mut()).flatten().map(|(_, operation)| operation) {
        let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { continue };
        for response in responses.values_mut() {
            let schema = response.pointer("/content/application~1json/schema/$ref").and_then(Value::as_str);
            if schema.is_some_and(|schema| schema.ends_with("/Problem")) {
                response["content"] = problem["content"].clone();
            }
        }
        responses.insert("default".to_owned(), problem.clone());
    }
    format!("{document:#}")
}
