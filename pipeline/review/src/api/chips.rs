//! Pictures: tiles of passes around a patch, and the first pictures.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;

use super::patches::shown;
use super::visible;
use crate::access::identity::Identity;
use crate::imagery::{Bands, TileAddress};
use crate::problem::Problem;
use crate::server::App;

/// The first picture of a date: the patch with the ground around it, in the stretch and the first bands of its tiles. A run leaves
/// it beside the store for the patches that are looked at next; where it did not, it is cut now. `first.extent` of the patch says
/// which ground it shows.
#[utoipa::path(get, path = "/api/patches/{patch_id}/chips/{date}", tag = "imagery", params(("patch_id" = String, Path),
    ("date" = String, Path, description = "before or after")), responses((status = 200, description = "The picture", body = Vec<u8>, content_type = "image/png"),
    (status = 404, description = "No such patch, date or bands", body = Problem), (status = 410, description = "The files of the pass are gone", body = Problem)))]
pub async fn chip(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path((patch_id, date)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    visible(&app, &identity, &patch_id).await?;
    let date =
        ["before", "after"].iter().position(|known| *known == date).ok_or_else(|| Problem::not_found("picture"))?;
    let shown = shown(&app, &patch_id).await?;
    let imagery = Arc::clone(&app.imagery);
    let drawn = app.draw(move || {
        let missing = || Problem::not_found("picture");
        let pair = shown.pair().ok_or_else(missing)?;
        let bands = *imagery.bands_of(&pair).first().ok_or_else(missing)?;
        imagery.first(&shown.stored.patch, pair, bands, date)
    });
    Ok(([(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "private, max-age=3600")], drawn.await?))
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
