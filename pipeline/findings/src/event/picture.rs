//! Pictures in messages: their hashes always, their bytes or a link that ends where the target wants them.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use shorewatch_store::StoredPatch;

use crate::secret::Secret;
use crate::settings::Pictures;

/// Bytes of a picture that go into a message; of a larger one only the hash is told.
const MOST_BYTES: u64 = 2 << 20;

/// One picture.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Picture {
    /// `before` or `after`.
    pub role: String,
    /// `image/png` or `image/jpeg`.
    pub media_type: String,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
    /// The file in base64, where it is embedded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// Where it can be fetched, where it is linked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub expires: Option<Timestamp>,
}

/// How links are made.
#[derive(Clone, Debug)]
pub struct Links {
    /// Address of the server of pictures.
    pub base: String,
    /// How long a link holds from when it is made.
    pub valid: SignedDuration,
    /// What signs them.
    pub secret: Secret,
}

/// The pictures of a patch. A file that is not there is left out: a message is never held up by a picture.
#[must_use]
pub fn pictures_of(stored: &StoredPatch, folder: &Path, how: Pictures, links: Option<&Links>) -> Vec<Picture> {
    let expires = links.and_then(|links| Timestamp::now().checked_add(links.valid).ok());
    let one = |role: &str| {
        let path = inside(folder, &file_of(stored, role))?;
        let bytes = std::fs::read(&path).ok()?;
        let small = bytes.len() as u64 <= MOST_BYTES;
        let link = links.zip(expires).filter(|_| how == Pictures::Links);
        Some(Picture {
            role: role.to_owned(),
            media_type: media_type(&path).to_owned(),
            sha256: format!("{:x}", Sha256::digest(&bytes)),
            base64: (how == Pictures::Embedded && small).then(|| BASE64.encode(&bytes)),
            url: link.map(|(links, expires)| link_to(links, expires, &stored.patch.patch_id, role)),
            expires: link.map(|(_, expires)| expires),
        })
    };
    ROLES.into_iter().filter_map(one).collect()
}

/// What a picture shows: the ground before, and after.
pub const ROLES: [&str; 2] = ["before", "after"];

/// The file of a picture, relative to the folder of pictures: as the store has it, or where runs put it.
#[must_use]
pub fn file_of(stored: &StoredPatch, role: &str) -> String {
    let known = if role == "before" { &stored.chip_before } else { &stored.chip_after };
    known.clone().unwrap_or_else(|| format!("chips/{}_{role}.png", stored.patch.patch_id))
}

/// A file below a folder; nothing that leaves it.
#[must_use]
pub fn inside(folder: &Path, file: &str) -> Option<std::path::PathBuf> {
    let stays = Path::new(file).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    stays.then(|| folder.join(file))
}

/// The media type that a name stands for.
#[must_use]
pub fn media_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("tif" | "tiff") => "image/tiff",
        _ => "image/png",
    }
}

fn link_to(links: &Links, expires: Timestamp, patch_id: &str, role: &str) -> String {
    let expires = expires.as_second();
    let code = link_code(&links.secret, patch_id, role, expires);
    format!("{}/pictures/{patch_id}/{role}?expires={expires}&code={code}", links.base.trim_end_matches('/'))
}

fn link_mac(secret: &Secret, patch_id: &str, role: &str, expires: i64) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.text().as_bytes())
        .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    mac.update(format!("picture|{patch_id}|{role}|{expires}").as_bytes());
    mac
}

fn link_code(secret: &Secret, patch_id: &str, role: &str, expires: i64) -> String {
    URL_SAFE_NO_PAD.encode(link_mac(secret, patch_id, role, expires).finalize().into_bytes())
}

/// True where a link was made here and still holds.
#[must_use]
pub fn link_holds(secret: &Secret, patch_id: &str, role: &str, expires: i64, code: &str, now: Timestamp) -> bool {
    let given = URL_SAFE_NO_PAD.decode(code).unwrap_or_default();
    now.as_second() <= expires && link_mac(secret, patch_id, role, expires).verify_slice(&given).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_holds_for_its_picture_until_it_ends() {
        let secret = Secret::new("hush");
        let now = Timestamp::from_second(1_000).expect("a time");
        let code = link_code(&secret, "p1", "after", 2_000);
        assert!(link_holds(&secret, "p1", "after", 2_000, &code, now));
        assert!(!link_holds(&secret, "p2", "after", 2_000, &code, now));
        assert!(!link_holds(&secret, "p1", "after", 3_000, &code, now));
        assert!(!link_holds(&secret, "p1", "after", 2_000, &code, Timestamp::from_second(2_001).expect("a time")));
        assert!(!link_holds(&Secret::new("other"), "p1", "after", 2_000, &code, now));
        assert_eq!(inside(Path::new("/a"), "../b"), None);
        assert_eq!(inside(Path::new("/a"), "/etc/passwd"), None);
    }
}
