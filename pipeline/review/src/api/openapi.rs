//! The interface as OpenAPI 3.1. The committed file is compared with it by a test.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{accounts, bulk, chips, decisions, field, figures, layers, leases, patches, queue, sessions};
use crate::access::identity::COOKIE;
use crate::ogc;

#[derive(OpenApi)]
#[openapi(
    info(title = "Shorewatch review", description = "Patches, decisions and features of a Shorewatch store."),
    paths(
        super::health, super::metrics, super::openapi,
        sessions::log_in, sessions::show, sessions::log_out, sessions::log_out_everywhere, sessions::change_password,
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

/// The document.
#[must_use]
pub fn document() -> String {
    Document::openapi().to_pretty_json().unwrap_or_default()
}
