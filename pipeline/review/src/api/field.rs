//! Field checks: a link or a QR code opens a patch on a telephone; what comes back is an outcome and photographs.

use std::io::Write as _;
use std::sync::Arc;

use axum::Json;
use axum::extract::multipart::MultipartRejection;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Multipart, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shorewatch_domain::decision::DecisionSource;
use shorewatch_store::accounts::{Session, SessionKind};
use shorewatch_store::field::FieldPhoto;

use super::decisions::{DecisionRequest, decide_on, review_json};
use super::{polygon_json, visible};
use crate::access::identity::Identity;
use crate::access::password::{token, token_digest};
use crate::ogc::base;
use crate::problem::Problem;
use crate::server::App;

/// How long a link opens its patch.
const LINK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Photographs of one patch.
const MOST_PHOTOS: usize = 40;

/// Makes a link to a field check, and its QR code. The secret stands behind the `#`, which browsers send to nobody.
#[utoipa::path(post, path = "/api/patches/{patch_id}/field-link", tag = "field", params(("patch_id" = String, Path)), responses(
    (status = 200, description = "Link, QR code (SVG), and until when", body = Object)))]
pub async fn link(
    State(app): State<Arc<App>>,
    identity: Identity,
    headers: HeaderMap,
    Path(patch_id): Path<String>,
) -> Result<Json<Value>, Problem> {
    visible(&app, &identity, &patch_id).await?;
    let (secret, now) = (token(), Timestamp::now());
    let session = Session {
        token_digest: token_digest(&secret),
        account: identity.code().to_owned(),
        kind: SessionKind::FieldCheck,
        label: patch_id,
        csrf: String::new(),
        created_at: now,
        expires_at: now.checked_add(LINK).unwrap_or(now),
    };
    let expires_at = session.expires_at;
    app.stores.write(move |store| store.begin_session(&session)).await?;
    let link = format!("{}/field#{secret}", base(&app, &headers));
    let code = qrcode::QrCode::new(link.as_bytes()).map_err(|fault| Problem::internal(&fault))?;
    let picture = code.render::<qrcode::render::svg::Color<'_>>().min_dimensions(240, 240).build();
    Ok(Json(json!({ "link": link, "qr": picture, "expires_at": expires_at.to_string() })))
}

/// What a link opens.
#[utoipa::path(get, path = "/api/field-session", tag = "field", responses((status = 200, description = "The patch", body = Object)))]
pub async fn session(identity: Identity) -> Result<Json<Value>, Problem> {
    let patch_id = identity.only_patch().ok_or_else(|| Problem::not_found("field check"))?;
    Ok(Json(json!({ "patch_id": patch_id, "expires_at": identity.session.expires_at.to_string() })))
}

/// What somebody at the river has to know of a patch.
#[utoipa::path(get, path = "/api/patches/{patch_id}/field", tag = "field", params(("patch_id" = String, Path)), responses(
    (status = 200, description = "Place, size, what is seen, photographs", body = Object)))]
pub async fn show(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(patch_id): Path<String>,
) -> Result<Json<Value>, Problem> {
    visible(&app, &identity, &patch_id).await?;
    let read = app.stores.read(move |store| {
        let Some(stored) = store.current_patch(&patch_id)? else { return Ok(None) };
        let (review, photos) = (store.patch_review(&patch_id)?, store.field_photos(&patch_id)?);
        Ok(Some((stored, review, photos, store.assessment_of(&patch_id)?)))
    });
    let (stored, review, photos, assessment) = read.await?.ok_or_else(|| Problem::not_found("patch"))?;
    let patch = &stored.patch;
    let text = assessment.as_ref().and_then(|columns| columns.get("explanation_text")).cloned();
    Ok(Json(json!({
        "patch_id": patch.patch_id,
        "reach_name": patch.reach_name,
        "object_class": patch.object_class,
        "issue_class": patch.suspected_issue_class.name(),
        "area_m2": patch.area_m2,
        "centre": [patch.centre.0, patch.centre.1],
        "geometry": polygon_json(&patch.geometry),
        "pre_date": patch.pre_date.to_string(),
        "post_date": patch.post_date.to_string(),
        "chips": [stored.chip_before.is_some(), stored.chip_after.is_some()],
        "explanation": text,
        "review": review_json(&review),
        "photos": photos.len(),
    })))
}

/// The outcome of a field check: a decision made at the river.
#[utoipa::path(post, path = "/api/patches/{patch_id}/field", tag = "field", params(("patch_id" = String, Path)), request_body = DecisionRequest,
    responses((status = 200, description = "Where the patch stands now", body = Object), (status = 409, description = "`stale` or `leased`", body = Problem)))]
pub async fn report(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(patch_id): Path<String>,
    body: Result<Json<DecisionRequest>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(asked) = body?;
    decide_on(&app, &identity, patch_id, asked, DecisionSource::Field).await
}

/// Adds a photograph as it is, with what the camera wrote into it.
#[utoipa::path(post, path = "/api/patches/{patch_id}/photos", tag = "field", params(("patch_id" = String, Path)),
    request_body(content = Object, content_type = "multipart/form-data", description = "One part `photo`: JPEG or PNG"),
    responses((status = 200, description = "When and where it was taken", body = Object), (status = 413, description = "Too large", body = Problem),
    (status = 415, description = "No JPEG or PNG", body = Problem)))]
pub async fn add_photo(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(patch_id): Path<String>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Json<Value>, Problem> {
    let mut form = form.map_err(|rejection| Problem::new(rejection.status(), "bad_request", rejection.body_text()))?;
    visible(&app, &identity, &patch_id).await?;
    let id = patch_id.clone();
    if app.stores.read(move |store| store.field_photos(&id)).await?.len() >= MOST_PHOTOS {
        return Err(Problem::conflict(
            "too_many_photos",
            format!("{MOST_PHOTOS} photographs are enough for one patch"),
        ));
    }
    let part = loop {
        let next =
            form.next_field().await.map_err(|fault| Problem::new(fault.status(), "bad_request", fault.body_text()))?;
        match next {
            None => return Err(Problem::bad("photo: expected one part of that name")),
            Some(field) if field.name() == Some("photo") => break field,
            Some(_) => {}
        }
    };
    let bytes = part.bytes().await.map_err(|fault| Problem::new(fault.status(), "too_large", fault.body_text()))?;
    if bytes.len() > app.settings.most_photo_bytes {
        let detail = format!("expected at most {} MiB", app.settings.most_photo_bytes >> 20);
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail));
    }
    let ending = kind_of(&bytes).ok_or_else(|| {
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "no_photo", "expected a JPEG or PNG photograph")
    })?;
    let (taken_at, position) = what_the_camera_wrote(&bytes);
    let photo_id = blake3::hash(&[patch_id.as_bytes(), b"\n", &bytes].concat()).to_hex().to_string();
    let photo = FieldPhoto {
        file: format!("field-photos/{photo_id}.{ending}"),
        photo_id,
        patch_id,
        account: identity.code().to_owned(),
        size_bytes: bytes.len() as u64,
        taken_at,
        position,
        added_at: Timestamp::now(),
    };
    let folder = app.settings.folder();
    let answer = json!({ "photo_id": photo.photo_id, "taken_at": photo.taken_at, "position": photo.position.map(|(x, y)| [x, y]) });
    let file = folder.join(&photo.file);
    let written = tokio::task::spawn_blocking(move || write_whole(&file, &bytes));
    written.await.map_err(|fault| Problem::internal(&fault))?.map_err(|fault| Problem::internal(&fault))?;
    app.stores.write(move |store| store.add_field_photo(&photo)).await?;
    Ok(Json(answer))
}

/// Hands a photograph out.
#[utoipa::path(get, path = "/api/patches/{patch_id}/photos/{photo_id}", tag = "field", params(("patch_id" = String, Path), ("photo_id" = String, Path)),
    responses((status = 200, description = "The photograph", body = Vec<u8>, content_type = "image/jpeg"), (status = 404, description = "None of that name", body = Problem)))]
pub async fn photo(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path((patch_id, photo_id)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    visible(&app, &identity, &patch_id).await?;
    let photos = app.stores.read(move |store| store.field_photos(&patch_id)).await?;
    let missing = || Problem::not_found("photograph");
    let photo = photos.into_iter().find(|photo| photo.photo_id == photo_id).ok_or_else(missing)?;
    let folder = app.settings.folder();
    let kind = if photo.file.ends_with(".png") { "image/png" } else { "image/jpeg" };
    let read = tokio::task::spawn_blocking(move || std::fs::read(folder.join(photo.file)));
    let bytes = read.await.map_err(|fault| Problem::internal(&fault))?.map_err(|fault| {
        tracing::warn!(%fault, "a picture can't be read");
        missing()
    })?;
    Ok(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "private, max-age=3600")], bytes))
}

fn kind_of(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
        Some("jpg")
    } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some("png")
    } else {
        None
    }
}

/// Time, and place (longitude, latitude), from the EXIF block.
fn what_the_camera_wrote(bytes: &[u8]) -> (Option<String>, Option<(f64, f64)>) {
    let Ok(exif) = exif::Reader::new().read_from_container(&mut std::io::Cursor::new(bytes)) else {
        return (None, None);
    };
    let text = |tag| {
        let field = exif.get_field(tag, exif::In::PRIMARY)?;
        let exif::Value::Ascii(parts) = &field.value else { return None };
        parts.first().map(|part| String::from_utf8_lossy(part).trim().to_owned()).filter(|text| text.len() <= 40)
    };
    let degrees = |tag, sign_tag, negative: &str| {
        let exif::Value::Rational(parts) = &exif.get_field(tag, exif::In::PRIMARY)?.value else { return None };
        let [whole, minutes, seconds] = parts[..] else { return None };
        let value = whole.to_f64() + minutes.to_f64() / 60.0 + seconds.to_f64() / 3600.0;
        let value = if text(sign_tag).as_deref() == Some(negative) { -value } else { value };
        (value.is_finite() && value.abs() <= 180.0).then_some(value)
    };
    let longitude = degrees(exif::Tag::GPSLongitude, exif::Tag::GPSLongitudeRef, "W");
    let latitude = degrees(exif::Tag::GPSLatitude, exif::Tag::GPSLatitudeRef, "S");
    (text(exif::Tag::DateTimeOriginal).or_else(|| text(exif::Tag::DateTime)), longitude.zip(latitude))
}

/// Writes a file whole or not at all.
fn write_whole(path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(std::path::Path::new("."));
    std::fs::create_dir_all(folder)?;
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    let write = || {
        let mut file = std::fs::File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    };
    write().inspect_err(|_| drop(std::fs::remove_file(&temporary)))
}
