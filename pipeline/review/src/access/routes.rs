//! Every route and the right that it needs. What does not stand here is not answered.

use axum::http::Method;
use shorewatch_domain::access::Right;

/// What a route asks of who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Nothing: it tells nothing of the store.
    Public,
    /// A session, even one whose password has to be changed.
    Session,
    /// A right.
    Needs(Right),
}

/// A row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RouteAccess {
    /// Method.
    pub method: &'static str,
    /// Route, with names for what varies.
    pub path: &'static str,
    /// What it asks.
    pub access: Access,
}

const fn row(method: &'static str, path: &'static str, access: Access) -> RouteAccess {
    RouteAccess { method, path, access }
}

use Access::{Needs, Public, Session};

/// The table of routes.
pub const ROUTES: [RouteAccess; 54] = [
    row("GET", "/", Public),
    row("GET", "/field", Public),
    row("GET", "/assets/{*path}", Public),
    row("GET", "/health", Public),
    row("GET", "/openapi.json", Public),
    row("GET", "/ogc", Public),
    row("GET", "/ogc/conformance", Public),
    row("GET", "/metrics", Needs(Right::Look)),
    row("POST", "/api/session", Public),
    row("GET", "/api/session/provider", Public),
    row("POST", "/api/session/provider", Public),
    row("GET", "/api/session/provider/callback", Public),
    row("GET", "/api/session", Session),
    row("DELETE", "/api/session", Session),
    row("DELETE", "/api/sessions", Session),
    row("POST", "/api/password", Session),
    row("GET", "/api/queue", Needs(Right::Look)),
    row("GET", "/api/queue/filters", Needs(Right::Look)),
    row("GET", "/api/queue/counts", Needs(Right::Look)),
    row("POST", "/api/next", Needs(Right::Decide)),
    row("GET", "/api/patches/{patch_id}", Needs(Right::Look)),
    row("GET", "/api/patches/{patch_id}/layers", Needs(Right::Look)),
    row("GET", "/api/patches/{patch_id}/chips/{date}", Needs(Right::Look)),
    row("GET", "/api/patches/{patch_id}/tiles/{pass_id}/{bands}/{level}/{column}/{row}", Needs(Right::Look)),
    row("GET", "/api/patches/{patch_id}/photos/{photo_id}", Needs(Right::Look)),
    row("POST", "/api/patches/{patch_id}/lease", Needs(Right::Decide)),
    row("DELETE", "/api/patches/{patch_id}/lease", Needs(Right::Decide)),
    row("POST", "/api/patches/{patch_id}/decisions", Needs(Right::Decide)),
    row("POST", "/api/patches/{patch_id}/undo", Needs(Right::CheckInField)),
    row("POST", "/api/undo", Needs(Right::Decide)),
    row("POST", "/api/bulk", Needs(Right::DecideInBulk)),
    row("POST", "/api/passes/{pass_id}/bad-imagery", Needs(Right::DecideInBulk)),
    row("POST", "/api/patches/{patch_id}/field-link", Needs(Right::Decide)),
    row("GET", "/api/patches/{patch_id}/field", Needs(Right::CheckInField)),
    row("POST", "/api/patches/{patch_id}/field", Needs(Right::CheckInField)),
    row("POST", "/api/patches/{patch_id}/photos", Needs(Right::CheckInField)),
    row("GET", "/api/audit/sample", Needs(Right::Audit)),
    row("POST", "/api/patches/{patch_id}/audit", Needs(Right::Audit)),
    row("GET", "/api/figures/yield", Needs(Right::Look)),
    row("GET", "/api/figures/agreement", Needs(Right::Audit)),
    row("GET", "/api/accounts", Needs(Right::KeepAccounts)),
    row("POST", "/api/accounts", Needs(Right::KeepAccounts)),
    row("PATCH", "/api/accounts/{account}", Needs(Right::KeepAccounts)),
    row("POST", "/api/accounts/{account}/reset", Needs(Right::KeepAccounts)),
    row("POST", "/api/accounts/{account}/tokens", Needs(Right::KeepAccounts)),
    row("GET", "/api/access-log", Needs(Right::KeepAccounts)),
    row("GET", "/api/map/patches", Needs(Right::Look)),
    row("GET", "/api/export/decisions", Needs(Right::Audit)),
    row("GET", "/ogc/api", Public),
    row("GET", "/ogc/collections", Needs(Right::Look)),
    row("GET", "/ogc/collections/{collection}", Needs(Right::Look)),
    row("GET", "/ogc/collections/{collection}/items", Needs(Right::Look)),
    row("GET", "/ogc/collections/{collection}/items/{feature}", Needs(Right::Look)),
    row("GET", "/api/field-session", Session),
];

/// What a route asks; `None` for what is no route.
#[must_use]
pub fn access(method: &Method, path: &str) -> Option<Access> {
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    ROUTES.iter().find(|route| route.method == method && route.path == path).map(|route| route.access)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_route_stands_once_and_only_the_page_is_public() {
        for (i, route) in ROUTES.iter().enumerate() {
            assert!(
                ROUTES[..i].iter().all(|other| (other.method, other.path) != (route.method, route.path)),
                "{route:?}"
            );
        }
        let public: Vec<_> = ROUTES.iter().filter(|route| route.access == Public).map(|route| route.path).collect();
        assert_eq!(
            public,
            [
                "/",
                "/field",
                "/assets/{*path}",
                "/health",
                "/openapi.json",
                "/ogc",
                "/ogc/conformance",
                "/api/session",
                "/api/session/provider",
                "/api/session/provider",
                "/api/session/provider/callback",
                "/ogc/api"
            ]
        );
    }
}
