//! A case date by date, in small pictures of one stretch.

use std::collections::BTreeMap;

use shorewatch_domain::case::CasePoint;
use shorewatch_domain::digest::Digest;
use shorewatch_domain::patch::Patch;
use shorewatch_report::{CasePicture, ChipDate, Series, render_series};

use super::cases::{Dates, event};
use crate::failure::Failure;
use crate::run::chips::Cut;
use crate::run::readers::{NATURAL, Readers};

/// Dates of a case that are shown: the first ones and, where there are more, the latest.
const FIRST_DATES: usize = 2;
const LATEST_DATES: usize = 4;

/// Longest side of a picture, in pixels: about 6 kB each.
const PICTURE_PX: u32 = 128;

/// The place of a case before it began and at its dates, around its latest patch; nothing where none of its patches is current. A
/// pass whose files are gone is told and has no picture.
///
/// # Errors
/// A pass is not in the store, or a picture can't be made.
pub(super) fn pictures(
    readers: &Readers,
    patches: &BTreeMap<&str, &Patch>,
    points: &[CasePoint],
    dates: &Dates,
) -> Result<Vec<CasePicture>, Failure> {
    let of_point = |point: &CasePoint| point.patch_id.as_deref().and_then(|id| patches.get(id)).copied();
    let (Some(first), Some(last)) = (points.iter().find_map(of_point), points.iter().rev().find_map(of_point)) else {
        return Ok(Vec::new());
    };
    // one pass may have meant several things: the last of them
    let mut shown: Vec<(Digest, Option<&CasePoint>)> = vec![(first.pre_pass_id, None)];
    for point in points {
        match shown.last_mut() {
            Some((id, told)) if *id == point.pass_id => *told = Some(point),
            _ => shown.push((point.pass_id, Some(point))),
        }
    }
    if shown.len() > FIRST_DATES + LATEST_DATES {
        shown.drain(FIRST_DATES..shown.len() - LATEST_DATES);
    }
    let passes = shown.iter().map(|(id, _)| readers.pass(id)).collect::<Result<Vec<_>, _>>()?;
    let roles = readers.shared_display_roles(&passes)?;
    let cut = Cut::around(last)?;
    let seen: Vec<Option<ChipDate>> = passes
        .iter()
        .map(|pass| {
            cut.date(readers, &pass.id, &roles)
                .inspect_err(|fault| tracing::warn!(%fault, "pass {} is left out of the dates of a case", pass.name))
                .ok()
        })
        .collect();
    let rendered = render_series(&Series {
        name: last.patch_id.clone(),
        dates: seen.iter().flatten().cloned().collect(),
        natural_colour: roles == NATURAL,
        longest_px: PICTURE_PX,
        outline: cut.outline,
    })
    .map_err(|fault| Failure::internal(format!("report: {fault}")))?;
    let mut rendered = rendered.into_iter();
    let mut pictures = Vec::with_capacity(passes.len());
    for ((pass, (_, point)), seen) in passes.into_iter().zip(shown).zip(seen) {
        pictures.push(CasePicture {
            date: pass.acquired.map_or_else(String::new, |time| dates.of_pass_at(time.at)),
            event: point.map(|point| event(point.event)),
            area_m2: point.and_then(|point| point.area_m2),
            review_score: point.and_then(|point| point.review_score),
            jpeg: seen.and_then(|_| rendered.next()),
        });
    }
    Ok(pictures)
}
