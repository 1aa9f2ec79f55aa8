//! Pictures: tiles of passes around a patch, and the chips that a run painted.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use super::patches::shown;
use super::visible;
use crate::access::identity::Identity;
use crate::imagery::{Bands, TileAddress};
use crate::problem::Problem;
use crate::server::App;

/// A chip, painted when the patch was found. Its path comes from the store and never leaves the store's folder.
#[utoipa::path(get, path = "/api/patches/{patch_id}/chips/{date}", tag = "imagery", params(("patch_id" = String, Path),
    ("date" = String, Path, description = "before or after")), responses((status = 200, description = "The picture", body = Vec<u8>, content_type = "image/png"),
    (status = 404, description = "None was painted", body = Problem)))]
pub async fn chip(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path((patch_id, date)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    visible(&app, &identity, &patch_id).await?;
    let stored = app.stores.read(move |store| store.current_patch(&patch_id)).await?;
    let name = stored.and_then(|stored| match date.as_str() {
        "before" => stored.chip_before,
        "after" => stored.chip_after,
        _ => None,
    });
    let missing = || Problem::not_found("picture");
    let name = name.ok_or_else(missing)?;
    let folder = app.settings.folder();
    let read = tokio::task::spawn_blocking(move || {
        let (folder, file) = (folder.canonicalize()?, folder.join(&name).canonicalize()?);
        if !file.starts_with(&folder) {
            return Err(std::io::Error::other("it lies outside the store's folder"));
        }
        std::fs::read(file)
    });
    let bytes = read.await.map_err(|fault| Problem::internal(&fault))?.map_err(|fault| {
        tracing::warn!(%fault, "a picture can't be read");
        missing()
    })?;
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "private, max-age=3600")], bytes))
}

/// A tile of a pass on the grid of a patch, in the stretch of the patch: near the patch, and only of passes that show its place.
#[utoipa::path(get, path = "/api/patches/{patch_id}/tiles/{pass_id}/{bands}/{level}/{column}/{row}", tag = "imagery",
    params(("patch_id" = String, Path), ("pass_id" = String, Path), ("bands" = String, Path, description = "natural, infrared or shortwave"),
    ("level" = u32, Path, description = "3 to 10; 6 is the grid of the patch, each one above halves its pixels"), ("column" = i64, Path), ("row" = i64, Path)),
    responses((status = 200, description = "256 × 256 pixels", body = Vec<u8>, content_type = "image/png"), (status = 404, description = "No such patch or pass", body = Problem),
    (status = 410, description = "The files of the pass are gone", body = Problem)))]
pub async fn tile(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path((patch_id, pass_id, bands, level, column, row)): Path<(String, String, String, u32, i64, i64)>,
) -> Result<impl IntoResponse, Problem> {
    visible(&app, &identity, &patch_id).await?;
    let bands = Bands::ALL.into_iter().find(|known| known.name() == bands);
    let bands = bands.ok_or_else(|| Problem::bad("bands: expected natural, infrared or shortwave"))?;
    let shown = shown(&app, &patch_id).await?;
    let imagery = Arc::clone(&app.imagery);
    let drawn = app.draw(move || {
        let pass = shown.passes.iter().find(|pass| pass.id.to_string() == pass_id);
        let pass = pass.ok_or_else(|| Problem::not_found("pass"))?;
        let pair = shown.pair().ok_or_else(|| Problem::not_found("pass"))?;
        imagery.tile(&shown.stored.patch, pair, pass, TileAddress { bands, level, column, row })
    });
    let bytes = drawn.await?;
    Ok(([(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "private, max-age=3600")], bytes))
}
