//! What goes wrong, as a client reads it: problem details (RFC 9457) with a code to act on. Paths and the words of the store's
//! machinery stay in the log.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use shorewatch_imagery::ImageryError;
use shorewatch_store::{Refusal, StoreError};

/// Why a request was not answered with what it asked for.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// What to act on ("lease_expired").
    pub code: String,
    /// For people.
    pub title: String,
    /// More of it.
    pub detail: String,
    /// The state that is in the way, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub current: Option<serde_json::Value>,
}

impl Problem {
    /// A problem.
    #[must_use]
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self {
            status: status.as_u16(),
            code: code.to_owned(),
            title: status.canonical_reason().unwrap_or("Problem").to_owned(),
            detail: detail.into(),
            current: None,
        }
    }

    /// 400.
    #[must_use]
    pub fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// 404: nothing of that name, or nothing in the account's scope.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no {what} of that name in your scope"))
    }

    /// 403.
    #[must_use]
    pub fn forbidden(code: &str, detail: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    /// 409.
    #[must_use]
    pub fn conflict(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 500.
    #[must_use]
    pub fn internal(fault: &dyn std::fmt::Display) -> Self {
        tracing::error!(%fault, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed; its log says why")
    }

    /// The same with the state that is in the way.
    #[must_use]
    pub fn with_current(mut self, current: impl Serialize) -> Self {
        self.current = serde_json::to_value(current).ok();
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(fault: StoreError) -> Self {
        match &fault {
            StoreError::Refused { source, .. } => match source.as_ref() {
                Refusal::Stale { .. } => Self::conflict("stale", source.to_string()),
                Refusal::Unknown { kind, .. } => Self::not_found(kind),
                other => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", other.to_string()),
            },
            fault if fault.is_retryable() => {
                tracing::warn!(%fault, "the store is busy");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "the store is busy; try again in a few seconds")
            }
            _ => Self::internal(&fault),
        }
    }
}

impl From<ImageryError> for Problem {
    fn from(fault: ImageryError) -> Self {
        tracing::warn!(%fault, "imagery can't be shown");
        Self::new(StatusCode::GONE, "imagery_missing", "the imagery of this pass can't be read any more")
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), "bad_request", rejection.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad(rejection.body_text())
    }
}
