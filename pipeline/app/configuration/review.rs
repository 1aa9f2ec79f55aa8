//! The review server: who lets people in beside passwords. Decides no result.
//!
//! The comments of what was typed become the descriptions in the JSON Schema.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shorewatch_findings::secret::SecretSource;
use shorewatch_review::access::provider::settings::{MappedRole, ProviderSettings, UnknownUsers, address_fault};

use super::document::at;
use super::resolve::Resolver;

/// The review server (`shorewatch review serve`). Decides no result.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewSection {
    /// An identity provider (OpenID Connect) that lets people in beside passwords.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_id_connect: Option<OpenIdConnectEntry>,
}

/// An identity provider.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenIdConnectEntry {
    /// What the button on the page says after "Log in by".
    #[serde(default = "name")]
    #[schemars(length(min = 1))]
    pub name: String,
    /// The issuer (`https://login.example.org/realms/water`), exactly as the provider writes it. Nothing is asked of anybody else.
    #[schemars(length(min = 1))]
    pub issuer: String,
    /// What the provider calls this server.
    #[schemars(length(min = 1))]
    pub client_id: String,
    /// Environment variable with the client secret. Without a secret the client is a public one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_env: Option<String>,
    /// File with the client secret; only its owner may read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_file: Option<String>,
    /// How browsers reach this server (`https://review.example.org`), where `--origin` does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_base: Option<String>,
    /// Scopes beside `openid`.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// Claim with the code of the account: letters, digits, `-` and `_`, no name and no telephone number. It counts at the first
    /// log-in; afterwards a person is known by the subject that the provider gives them.
    #[serde(default = "user_claim")]
    #[schemars(length(min = 1))]
    pub user_claim: String,
    /// Claim with roles or groups; names on the way to it stand between dots (`realm_access.roles`).
    #[serde(default = "role_claim")]
    #[schemars(length(min = 1))]
    pub role_claim: String,
    /// What roles or groups mean here, anew at each log-in. The first entry that fits gives the role; scopes of entries of that
    /// role are joined; nobody without a fitting entry gets in. Without entries, accounts keep the role and scope that they have.
    #[serde(default)]
    pub roles: Vec<RoleEntry>,
    /// What happens to people who have no account.
    #[serde(default)]
    pub unknown_users: UnknownUsersWord,
    /// Whether passwords open accounts that the provider lets in.
    #[serde(default = "local_passwords")]
    pub local_passwords: bool,
    /// File (PEM) of a certificate authority beside the known ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_authority: Option<String>,
    /// How long one request to the provider may take, in seconds.
    #[serde(default = "timeout_s")]
    #[schemars(range(min = 1, max = 60))]
    pub timeout_s: u32,
}

/// What a role or group of the provider means here.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleEntry {
    /// The value of the claim.
    #[schemars(length(min = 1))]
    pub value: String,
    /// viewer, field, reviewer, supervisor or administrator.
    pub role: String,
    /// `all`, or a list of unit:CODE, water:CODE and reach:ID between commas.
    pub scope: String,
}

/// What happens to people who have no account.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownUsersWord {
    /// They stay out until an administrator adds an account and links it.
    #[default]
    Refuse,
    /// They get an account with the role and scope that `roles` says.
    Add,
}

fn name() -> String {
    "OpenID Connect".to_owned()
}

fn scopes() -> Vec<String> {
    vec!["profile".to_owned()]
}

fn user_claim() -> String {
    "preferred_username".to_owned()
}

fn role_claim() -> String {
    "groups".to_owned()
}

const fn local_passwords() -> bool {
    true
}

const fn timeout_s() -> u32 {
    10
}

/// An identity provider, and where its secret comes from: it is read when the server starts.
#[derive(Clone, Debug)]
pub struct OpenIdConnectSettings {
    /// Everything but the secret.
    pub provider: ProviderSettings,
    /// The secret.
    pub client_secret: Option<SecretSource>,
}

/// The section as typed → resolved; faults go to the resolver.
pub(super) fn resolve(typed: &ReviewSection, resolver: &mut Resolver<'_>) -> Option<OpenIdConnectSettings> {
    let entry = typed.open_id_connect.as_ref()?;
    let key = |name: &'static str| ["review".into(), "open_id_connect".into(), name.into()];
    let addresses = [("issuer", Some(&entry.issuer)), ("redirect_base", entry.redirect_base.as_ref())];
    for (name, address) in addresses.into_iter().filter_map(|(name, address)| Some((name, address?))) {
        if let Some(fault) = address_fault(address) {
            resolver.refuse(&key(name), fault, "secrets travel by it: use HTTPS");
        }
    }
    if entry.redirect_base.as_ref().is_some_and(|base| base.ends_with('/')) {
        resolver.refuse(&key("redirect_base"), "expected no slash at the end", "remove it");
    }
    let client_secret = match (&entry.client_secret_env, &entry.client_secret_file) {
        (Some(_), Some(_)) => {
            let message = "a secret comes from a variable or from a file, not from both";
            resolver.refuse(&key("client_secret_file"), message, "remove one of them");
            None
        }
        (Some(variable), None) => Some(SecretSource::Variable(variable.clone())),
        (None, Some(file)) => Some(SecretSource::File(resolver.path(&key("client_secret_file"), file))),
        (None, None) => None,
    };
    let roles = entry.roles.iter().enumerate().filter_map(|(i, entry)| role(i, entry, resolver)).collect();
    let unknown_users = match entry.unknown_users {
        UnknownUsersWord::Refuse => UnknownUsers::Refuse,
        UnknownUsersWord::Add => UnknownUsers::Add,
    };
    if unknown_users == UnknownUsers::Add && entry.roles.is_empty() {
        let message = "who gets an account needs a role";
        resolver.refuse(&key("unknown_users"), message, "add [[review.open_id_connect.roles]]");
    }
    let certificate_authority = entry.certificate_authority.as_ref();
    Some(OpenIdConnectSettings {
        provider: ProviderSettings {
            name: entry.name.clone(),
            issuer: entry.issuer.clone(),
            client_id: entry.client_id.clone(),
            client_secret: None,
            redirect_base: entry.redirect_base.clone(),
            scopes: entry.scopes.clone(),
            user_claim: entry.user_claim.clone(),
            role_claim: entry.role_claim.clone(),
            roles,
            unknown_users,
            local_passwords: entry.local_passwords,
            certificate_authority: certificate_authority.map(|file| resolver.path(&key("certificate_authority"), file)),
            timeout: Duration::from_secs(u64::from(entry.timeout_s)),
        },
        client_secret,
    })
}

fn role(i: usize, entry: &RoleEntry, resolver: &mut Resolver<'_>) -> Option<MappedRole> {
    let mut refuse = |name: &'static str, fault: &dyn std::fmt::Display| {
        let place = at!["review", "open_id_connect", "roles", i, name];
        resolver.refuse(place, fault.to_string(), "roles and scopes are those of `shorewatch review account add`");
    };
    let role = entry.role.parse().map_err(|fault| refuse("role", &fault)).ok();
    let scope = entry.scope.parse().map_err(|fault| refuse("scope", &fault)).ok();
    Some(MappedRole { value: entry.value.clone(), role: role?, scope: scope? })
}
