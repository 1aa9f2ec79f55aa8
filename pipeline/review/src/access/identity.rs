//! Who asks.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use shorewatch_domain::access::{Right, Role, Scope};
use shorewatch_store::accounts::{Account, Session, SessionKind};

/// Name of the cookie.
pub const COOKIE: &str = "shorewatch_session";

/// Who asks, as a session says.
#[derive(Clone, PartialEq, Debug)]
pub struct Identity {
    /// The account.
    pub account: Account,
    /// The session.
    pub session: Session,
}

impl Identity {
    /// Code of the account.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.account.account
    }

    /// What the account may see.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.account.scope
    }

    /// The role that counts here: a link to a field check is never more than that.
    #[must_use]
    pub fn role(&self) -> Role {
        if self.session.kind == SessionKind::FieldCheck { Role::Field } else { self.account.role }
    }

    /// Whether the account may do something.
    #[must_use]
    pub fn may(&self, right: Right) -> bool {
        self.role().may(right)
    }

    /// Whether the one-time password has to be changed first: whom a provider let in has given none.
    #[must_use]
    pub fn password_due(&self) -> bool {
        self.account.one_time && !matches!(self.session.kind, SessionKind::Provider | SessionKind::FieldCheck)
    }

    /// The only patch that a link to a field check opens.
    #[must_use]
    pub fn only_patch(&self) -> Option<&str> {
        (self.session.kind == SessionKind::FieldCheck).then_some(self.session.label.as_str())
    }
}

/// The value of a cookie.
#[must_use]
pub fn cookie_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// What a request shows of who sends it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shown {
    /// A cookie.
    Cookie(String),
    /// A bearer token.
    Bearer(String),
    /// A bearer token in the place of a password, for programs that know nothing else (QGIS). It only reads, since browsers
    /// may send it along by themselves.
    Basic(String),
}

impl Shown {
    /// From the headers; a bearer token goes before a cookie.
    #[must_use]
    pub fn by(headers: &HeaderMap) -> Option<Self> {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if let Some(token) = bearer.and_then(|value| value.strip_prefix("Bearer ")) {
            return Some(Self::Bearer(token.trim().to_owned()));
        }
        let basic =
            bearer.and_then(|value| value.strip_prefix("Basic ")).and_then(|text| STANDARD.decode(text.trim()).ok());
        if let Some((_, token)) =
            basic.and_then(|bytes| String::from_utf8(bytes).ok()).as_deref().and_then(|pair| pair.split_once(':'))
        {
            return Some(Self::Basic(token.to_owned()));
        }
        cookie_of(headers, COOKIE).map(|value| Self::Cookie(value.to_owned()))
    }

    /// What it shows.
    #[must_use]
    pub fn token(&self) -> &str {
        match self {
            Self::Cookie(token) | Self::Bearer(token) | Self::Basic(token) => token,
        }
    }
}
