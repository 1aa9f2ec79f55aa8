//! From the report's data to the page.

use std::collections::BTreeMap;

use askama::Template;

use super::case_rows::{self, cases_view};
use super::evidence::KINDS;
use super::format::{
    bar, count, data_uri, duration, hectares, number, percent, short_digest, show_hidden_characters, square_metres,
    words,
};
use super::kept_back::kept_back_view;
use super::page::{Figure, Label, MapView, MarkerView, Page, PassView, RunView, ShareTable, Verdict};
use super::patch_rows::{order, patch_view};
use super::rows::{Totals, coverage_view, overdue_view, reach_label, share_table, unseen_view};
use super::{MapPicture, PassRow, PassStatus, PatchCard, Report, check, truth};
use crate::error::ReportError;

/// Writes the one self-contained page: no script, no network, nothing outside the text returned.
///
/// The same report always gives the same text.
///
/// # Errors
/// Data that contradict themselves (every fault is listed), or a template that could not be filled.
pub fn render_report(report: &Report) -> Result<String, ReportError> {
    let faults = check::faults(report);
    if !faults.is_empty() {
        return Err(ReportError::Faults(faults));
    }
    Ok(show_hidden_characters(&page(report).render()?))
}

fn page(report: &Report) -> Page {
    let mut ranked: Vec<&PatchCard> = report.patches.iter().collect();
    ranked.sort_by_key(|patch| patch.rank);
    let with_chips = report.max_patches_with_chips.min(report.max_patches_listed);
    let truth_labels = report.truth.as_ref().map(truth::labels).unwrap_or_default();
    let view = |patch: &&PatchCard, chips| patch_view(report, patch, &truth_labels, chips);
    let cut = ranked.len().min(with_chips);
    let end = ranked.len().min(report.max_patches_listed);
    let totals = Totals::of(report);
    Page {
        title: report.title.clone(),
        synthetic: report.synthetic,
        notices: report.notices.clone(),
        run: run_view(report),
        verdict: verdict(report, &totals),
        figures: figures(report, &totals),
        shares: share_tables(report),
        maps: report.maps.iter().map(|map| map_view(report, map)).collect(),
        passes: report.passes.iter().map(pass_view).collect(),
        coverage: coverage_view(report),
        unseen: unseen_view(report),
        overdue: report.overdue.as_ref().map(|overdue| overdue_view(report, overdue)),
        kept_back: kept_back_view(report),
        cases: cases_view(report),
        order: order(report),
        evidence_kinds: if ranked[..cut].iter().any(|patch| !patch.evidence.is_empty()) {
            KINDS.iter().map(|(_, word, meaning)| (*word, *meaning)).collect()
        } else {
            Vec::new()
        },
        patches: ranked[..cut].iter().map(|patch| view(patch, true)).collect(),
        listed: ranked[cut..end].iter().map(|patch| view(patch, false)).collect(),
        left_out: left_out(ranked.len(), cut, end),
        truth: report.truth.as_ref().map(truth::view),
    }
}

fn left_out(all: usize, with_chips: usize, listed: usize) -> Vec<String> {
    let mut words = Vec::new();
    if with_chips < listed {
        words.push(format!(
            "Pictures are embedded for the {} of highest score, to keep this page light; the next {} listed \
             below them without pictures.",
            count(with_chips, "patch", "patches"),
            count(listed - with_chips, "patch is", "patches are"),
        ));
    }
    if listed < all {
        words.push(format!(
            "{} not on this page; the store and the exports hold them all.",
            count(all - listed, "patch of lower score is", "patches of lower score are"),
        ));
    }
    words
}

fn run_view(report: &Report) -> RunView {
    let run = &report.run;
    RunView {
        run_id: run.run_id.clone(),
        program_version: run.program_version.clone(),
        model: format!("{} {}", run.model_name, run.model_version),
        model_digest: run.model_digest.clone(),
        configuration_digest: run.configuration_digest.clone(),
        grids: run.grids.iter().map(|grid| format!("{}, {} m per pixel", grid.crs, grid.gsd_m)).collect(),
        started_utc: run.started_utc.clone(),
        duration: duration(run.duration_s),
        minimum_area: format!("{} m²", number(run.minimum_area_m2, 0)),
    }
}

/// Found something, found nothing, or could not look: three answers that must not be confused.
fn verdict(report: &Report, totals: &Totals) -> Verdict {
    let share = percent(totals.observed_m2, totals.scope_m2);
    let unseen = hectares(totals.unseen_m2());
    let rest = if totals.unseen_m2() > 0.0 {
        format!("Nothing is said about the other {unseen} (summed over pairs of passes).")
    } else {
        "All of it was looked at.".to_owned()
    };
    if !report.patches.is_empty() {
        return Verdict {
            kind: "found",
            heading: count(report.patches.len(), "suspected patch", "suspected patches"),
            text: format!(
                "{share} of the managed ground was seen on both dates and compared. {rest}{}",
                case_rows::summary(report)
            ),
        };
    }
    if report.coverage.is_empty() {
        return Verdict {
            kind: "nothing",
            heading: "Nothing was compared".to_owned(),
            text: "No pair of passes met a managed reach, so no statement about change can be made. \
                   This is not a finding of no change."
                .to_owned(),
        };
    }
    if totals.observed_m2 <= 0.0 {
        return Verdict {
            kind: "nothing",
            heading: "Nothing was observed".to_owned(),
            text: format!(
                "Passes were compared, but no place of any reach was seen on both dates: {unseen} \
                 stayed unobserved (summed over pairs of passes). This is not a finding of no change."
            ),
        };
    }
    Verdict {
        kind: "none",
        heading: "No suspected patch".to_owned(),
        text: format!(
            "In the {share} of the managed ground that was seen on both dates and compared, no \
             suspected change of at least {} m² was found. {rest}",
            number(report.run.minimum_area_m2, 0)
        ),
    }
}

fn figures(report: &Report, totals: &Totals) -> Vec<Figure> {
    let figure = |value: String, label: &str, note: String| Figure { value, label: label.to_owned(), note };
    let area_m2: f64 = report.patches.iter().map(|patch| patch.area_m2).sum();
    let quarantined = report.passes.iter().filter(|pass| matches!(pass.status, PassStatus::Quarantined { .. })).count();
    let superseded = report.passes.iter().filter(|pass| pass.status == PassStatus::Superseded).count();
    let used = report.passes.len() - quarantined - superseded;
    let outside = report.reaches.iter().filter(|reach| reach.passes_meeting == 0).count();
    vec![
        if report.patches.is_empty() && totals.observed_m2 <= 0.0 {
            figure("–".to_owned(), "suspected patches", "nothing was seen on both dates".to_owned())
        } else {
            let note = format!("{} in all", square_metres(area_m2));
            figure(number(report.patches.len() as f64, 0), "suspected patches", note)
        },
        figure(
            percent(totals.observed_m2, totals.scope_m2),
            "of the managed ground compared",
            "seen on both dates, over every pair and reach".to_owned(),
        ),
        figure(hectares(totals.unseen_m2()), "not looked at", "summed over every pair and reach".to_owned()),
        figure(
            number(used as f64, 0),
            "passes used",
            match quarantined {
                0 => "none quarantined".to_owned(),
                some => format!("{} quarantined", number(some as f64, 0)),
            },
        ),
        figure(
            number(report.reaches.len() as f64, 0),
            "managed reaches",
            match outside {
                0 => "every one met by a pass".to_owned(),
                some => format!("{} outside every pass", number(some as f64, 0)),
            },
        ),
    ]
}

fn share_tables(report: &Report) -> Vec<ShareTable> {
    if report.patches.is_empty() {
        return Vec::new();
    }
    let table = |caption, heading, name: &dyn Fn(&PatchCard) -> String| {
        let mut groups: BTreeMap<Label, (usize, f64)> = BTreeMap::new();
        for patch in &report.patches {
            let group = groups.entry(Label { name: name(patch), id: String::new() }).or_default();
            group.0 += 1;
            group.1 += patch.area_m2;
        }
        share_table(caption, heading, groups)
    };
    vec![
        table("By object class", "Object class", &|patch| words(&patch.object_class)),
        table("By change type", "Change", &|patch| {
            format!("{} → {}", words(&patch.from_class), words(&patch.to_class))
        }),
    ]
}

fn map_view(report: &Report, map: &MapPicture) -> MapView {
    let picture = &map.picture;
    let markers = picture.markers.iter().filter_map(|marker| {
        let patch =
            report.patches.iter().find(|patch| patch.rank == marker.rank && patch.rank <= report.max_patches_listed)?;
        Some(MarkerView {
            rank: marker.rank,
            left_percent: bar(marker.x_share, 1.0),
            top_percent: bar(marker.y_share, 1.0),
            label: format!("Go to patch {}: {}", marker.rank, words(&patch.object_class)),
        })
    });
    MapView {
        title: map.title.clone(),
        background: map.background.clone(),
        uri: data_uri(&picture.png),
        alt: format!(
            "Map of {}: {} and {}; ground that was not observed is hatched, ground outside the \
             scope is faded.",
            map.title,
            count(picture.reach_keys.len(), "managed reach", "managed reaches"),
            count(picture.markers.len() + picture.unnumbered, "suspected patch", "suspected patches"),
        ),
        width_px: picture.width_px,
        height_px: picture.height_px,
        markers: markers.collect(),
        unnumbered: match picture.unnumbered {
            0 => String::new(),
            some => format!(
                "{} without a number, because others of higher score lie too close.",
                count(some, "patch is drawn", "patches are drawn")
            ),
        },
        keys: picture.reach_keys.iter().map(|(key, reach_id)| (key.clone(), reach_label(report, reach_id))).collect(),
    }
}

fn pass_view(pass: &PassRow) -> PassView {
    let (kind, status, reason) = match &pass.status {
        PassStatus::Accepted => ("good", "used", ""),
        PassStatus::AcceptedWithWarning { reason } => ("warning", "used, with a warning", reason.as_str()),
        PassStatus::Superseded => ("quiet", "superseded by a newer revision", ""),
        PassStatus::Quarantined { reason } => ("bad", "quarantined", reason.as_str()),
    };
    PassView {
        name: pass.name.clone(),
        sensor: pass.sensor.clone(),
        acquired: pass.acquired_utc.clone().unwrap_or_else(|| "not known".to_owned()),
        revision: pass.revision,
        short_digest: short_digest(&pass.digest),
        digest: pass.digest.clone(),
        kind,
        status,
        reason: reason.to_owned(),
    }
}
