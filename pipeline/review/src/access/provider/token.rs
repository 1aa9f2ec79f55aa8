//! What an ID token must be like (OpenID Connect Core 1.0, 3.1.3.7): of this issuer, for this client and nobody else, of this
//! log-in, in its time, and signed with a key of the provider.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use jiff::Timestamp;
use openidconnect::core::{
    CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata,
    CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, ClaimsVerificationError, EmptyExtraTokenFields, IdTokenFields, IdTokenVerifier, Nonce,
    SignatureVerificationError, StandardTokenResponse, TokenResponse as _,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shorewatch_domain::causes::with_causes;

use super::OpenIdClient;
use super::claims::Claims;

/// Seconds by which the clock of the provider may differ from ours.
const SKEW_S: i64 = 60;

/// Seconds after which a token is not fresh any more, whatever it says itself: it is fetched right after it is made.
const FRESH_S: i64 = 600;

/// Claims that OpenID Connect gives no meaning: roles, groups, codes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AllClaims(BTreeMap<String, Value>);

impl AdditionalClaims for AllClaims {}

type Fields = IdTokenFields<
    AllClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

/// An answer of the token endpoint.
pub(super) type TokenAnswer = StandardTokenResponse<Fields, CoreTokenType>;

/// An ID token.
pub(super) type IdToken =
    openidconnect::IdToken<AllClaims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

/// The ID token of an answer.
pub(super) fn of(answer: &TokenAnswer) -> Option<IdToken> {
    answer.id_token().cloned()
}

/// Why a token is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// It is signed with a key that the provider did not tell of.
    #[error("it is signed with a key that the provider does not list")]
    UnknownKey,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// The claims of a token that holds.
pub(super) fn verified(
    id_token: &IdToken,
    client: &OpenIdClient,
    metadata: &CoreProviderMetadata,
    nonce: &Nonce,
) -> Result<Claims, Fault> {
    let now = Timestamp::now().as_second();
    let verifier = IdTokenVerifier::new_public_client(
        client.client_id().clone(),
        metadata.issuer().clone(),
        metadata.jwks().clone(),
    )
    .set_allowed_algs(allowed(metadata.id_token_signing_alg_values_supported()))
    .set_time_fn(move || DateTime::<Utc>::from_timestamp(now - SKEW_S, 0).unwrap_or_default())
    .set_issue_time_verifier_fn(move |issued| in_time(issued.timestamp(), now));
    let claims = id_token.claims::<CoreJsonWebKey, _>(&verifier, nonce).map_err(|fault| match fault {
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => Fault::UnknownKey,
        other => Fault::Other(with_causes(&other)),
    })?;
    let claims = serde_json::to_value(claims).map_err(|fault| Fault::Other(fault.to_string()))?;
    if claims.get("nbf").and_then(Value::as_i64).is_some_and(|from| from > now + SKEW_S) {
        return Err(Fault::Other("it holds only later (nbf)".to_owned()));
    }
    Claims::of(claims).ok_or_else(|| Fault::Other("its claims are no object with a subject".to_owned()))
}

/// Signatures that only who has the provider's private key can make: never `none`, never a secret that both know.
fn allowed(by_provider: &[CoreJwsSigningAlgorithm]) -> Vec<CoreJwsSigningAlgorithm> {
    use CoreJwsSigningAlgorithm as Algorithm;
    [
        Algorithm::RsaSsaPkcs1V15Sha256,
        Algorithm::RsaSsaPkcs1V15Sha384,
        Algorithm::RsaSsaPkcs1V15Sha512,
        Algorithm::RsaSsaPssSha256,
        Algorithm::RsaSsaPssSha384,
        Algorithm::RsaSsaPssSha512,
        Algorithm::EcdsaP256Sha256,
        Algorithm::EcdsaP384Sha384,
        Algorithm::EdDsa,
    ]
    .into_iter()
    .filter(|algorithm| by_provider.contains(algorithm))
    .collect()
}

fn in_time(issued: i64, now: i64) -> Result<(), String> {
    if (now - FRESH_S - SKEW_S..=now + SKEW_S).contains(&issued) {
        return Ok(());
    }
    Err(format!("it was made {} s ago by its clock: are both clocks right?", now - issued))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_signatures_by_private_keys_are_taken() {
        use CoreJwsSigningAlgorithm as Algorithm;
        let told = [Algorithm::None, Algorithm::HmacSha256, Algorithm::RsaSsaPkcs1V15Sha256];
        assert_eq!(allowed(&told), [Algorithm::RsaSsaPkcs1V15Sha256]);
    }

    #[test]
    fn clocks_differ_by_a_minute_at_most() {
        for (issued, fine) in [(1000, true), (1060, true), (1061, false), (341, true), (340, true), (339, false)] {
            assert_eq!(in_time(issued, 1000).is_ok(), fine, "{issued}");
        }
    }
}
