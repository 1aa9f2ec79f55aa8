//! Why somebody whom the provider sent back does not get in. The page has words for each; nothing that came from outside is
//! repeated to a browser.

use crate::problem::Problem;
use axum::http::StatusCode;

/// Why somebody does not get in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The provider does not answer.
    Unreachable,
    /// No log-in began in this browser, it took too long, or it ended already.
    NotBegun,
    /// The person, or the provider for them, said no.
    Denied,
    /// The provider refuses, and not because of the person.
    Provider,
    /// What the provider says can't be trusted.
    Token,
    /// There is no account for the person.
    Unknown,
    /// The provider gives no code for an account.
    NoCode,
    /// The provider gives none of the roles that let in here.
    NoRole,
    /// The account is disabled here.
    Disabled,
    /// Too many attempts from one address.
    TooMany,
}

impl Refused {
    /// What the page looks its words up by.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "provider_unreachable",
            Self::NotBegun => "provider_not_begun",
            Self::Denied => "provider_denied",
            Self::Provider => "provider_refused",
            Self::Token => "provider_token",
            Self::Unknown => "provider_unknown",
            Self::NoCode => "provider_no_code",
            Self::NoRole => "provider_no_role",
            Self::Disabled => "provider_disabled",
            Self::TooMany => "too_many",
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let (status, detail) = match refused {
            Refused::Unreachable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "the identity provider does not answer; log in with a password, or try again later",
            ),
            Refused::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too many attempts; wait a minute"),
            _ => (StatusCode::FORBIDDEN, "the identity provider lets nobody in; the server's log says why"),
        };
        Self::new(status, refused.code(), detail)
    }
}
