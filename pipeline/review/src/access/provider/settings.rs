//! What the server is told of an identity provider.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use openidconnect::ClientSecret;
use openidconnect::url::Url;
use shorewatch_domain::access::{Role, Scope};

/// An identity provider.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// What the button on the page says after "Log in by".
    pub name: String,
    /// The issuer: `/.well-known/openid-configuration` lies below it.
    pub issuer: String,
    /// What the provider calls this server.
    pub client_id: String,
    /// What this server shows the provider; none for a public client, which PKCE alone protects.
    pub client_secret: Option<ClientSecret>,
    /// How browsers reach this server: the provider sends them back there. As the origin of the page where it is `None`.
    pub redirect_base: Option<String>,
    /// Scopes beside `openid`.
    pub scopes: Vec<String>,
    /// Claim with the code of the account.
    pub user_claim: String,
    /// Claim with roles or groups.
    pub role_claim: String,
    /// What they mean here. Where it is empty, accounts keep the role and the scope that they have.
    pub roles: Vec<MappedRole>,
    /// What happens to somebody who has no account.
    pub unknown_users: UnknownUsers,
    /// Whether passwords open accounts that the provider lets in.
    pub local_passwords: bool,
    /// A certificate authority (PEM) beside the known ones.
    pub certificate_authority: Option<PathBuf>,
    /// How long one request may take.
    pub timeout: Duration,
}

/// What a role or group of the provider means here.
#[derive(Clone, PartialEq, Debug)]
pub struct MappedRole {
    /// The value of the claim.
    pub value: String,
    /// The role.
    pub role: Role,
    /// The scope.
    pub scope: Scope,
}

/// What happens to somebody who has no account.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum UnknownUsers {
    /// They stay out.
    #[default]
    Refuse,
    /// They get one, with the role and the scope that the map says.
    Add,
}

/// What is wrong with the address of an issuer or of this server: secrets travel by it, so that it has to be HTTPS, or to lead
/// to this machine.
#[must_use]
pub fn address_fault(text: &str) -> Option<String> {
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(fault) => return Some(format!("{text:?} is no address: {fault}")),
    };
    let host = url.host_str().unwrap_or("");
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_here = host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if url.scheme() != "https" && !(url.scheme() == "http" && is_here) {
        return Some(format!("expected https:// (http:// on this machine only), got {text:?}"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Some("expected no name, no password and no fragment in it".to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::address_fault;

    #[test]
    fn secrets_travel_encrypted_or_not_at_all() {
        for fine in
            ["https://login.example.org/realms/water", "http://127.0.0.1:8080", "http://[::1]:1", "http://localhost"]
        {
            assert_eq!(address_fault(fine), None, "{fine}");
        }
        for wrong in
            ["http://login.example.org", "login.example.org", "https://a:b@login.example.org", "ftp://127.0.0.1", ""]
        {
            assert!(address_fault(wrong).is_some(), "{wrong}");
        }
    }
}
