//! From the report's data to the page.

use std::collections::BTreeMap;

use askama::Template;

use super::format::{
    bar, coordinate, count, data_uri, duration, hectares, issue_class, number, percent, short_digest,
    show_hidden_characters, square_metres, words,
};
use super::page::{
    ChipsView, Figure, MapView, MarkerView, Page, PassView, PatchView, RunView, ShareRow, ShareTable, TruthRow,
    TruthView, Verdict,
};
use super::rows::{Totals, coverage_view, overdue_view, reach_label, unseen_view};
use super::{MapPicture, PassRow, PassStatus, PatchCard, Report, TruthOutcome, TruthTable, check};
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
    let truth_labels = report.truth.as_ref().map(truth_labels).unwrap_or_default();
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
        patches: ranked[..cut].iter().map(|patch| view(patch, true)).collect(),
        listed: ranked[cut..end].iter().map(|patch| view(patch, false)).collect(),
        left_out: left_out(ranked.len(), cut, end),
        truth: report.truth.as_ref().map(truth_view),
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
            text: format!("{share} of the managed ground was seen on both dates and compared. {rest}"),
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
        let mut groups: BTreeMap<String, (usize, f64)> = BTreeMap::new();
        for patch in &report.patches {
            let group = groups.entry(name(patch)).or_default();
            group.0 += 1;
            group.1 += patch.area_m2;
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by(|a, b| b.1.1.total_cmp(&a.1.1).then_with(|| a.0.cmp(&b.0)));
        let largest = groups.first().map_or(0.0, |group| group.1.1);
        let row = |(name, (count, area_m2)): (String, (usize, f64))| ShareRow {
            name,
            count: number(count as f64, 0),
            area: square_metres(area_m2),
            bar_percent: bar(area_m2, largest),
        };
        ShareTable { caption, heading, rows: groups.into_iter().map(row).collect() }
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

fn patch_view(
    report: &Report,
    patch: &PatchCard,
    truth: &BTreeMap<&str, (&'static str, String)>,
    with_chips: bool,
) -> PatchView {
    let (pre, post) = (&patch.pair.pre, &patch.pair.post);
    let alt = |role: &str, date: &str, sensor: &str| {
        format!("{role}, {date}, {sensor}: surroundings of patch {} with its outline", patch.patch_id)
    };
    PatchView {
        rank: patch.rank,
        patch_id: patch.patch_id.clone(),
        object_class: words(&patch.object_class),
        from_class: words(&patch.from_class),
        to_class: words(&patch.to_class),
        issue: patch.issue_class.as_ref().map(issue_class),
        area: square_metres(patch.area_m2),
        confidence: format!("{:.2}", patch.confidence),
        valid: percent(patch.valid_fraction, 1.0),
        pre_date: pre.date.clone(),
        post_date: post.date.clone(),
        pre_sensor: pre.sensor.clone(),
        post_sensor: post.sensor.clone(),
        pre_digest: pre.digest.clone(),
        post_digest: post.digest.clone(),
        longitude: coordinate(patch.longitude_deg, 'E', 'W'),
        latitude: coordinate(patch.latitude_deg, 'N', 'S'),
        reach: reach_label(report, &patch.reach_id),
        notes: patch.notes.clone(),
        truth: truth.get(patch.patch_id.as_str()).cloned(),
        chips: patch.chips.as_ref().filter(|_| with_chips).map(|chips| ChipsView {
            pre_uri: data_uri(&chips.pre_png),
            post_uri: data_uri(&chips.post_png),
            pre_alt: alt("Before", &pre.date, &pre.sensor),
            post_alt: alt("After", &post.date, &post.sensor),
            width_px: chips.width_px,
            height_px: chips.height_px,
        }),
    }
}

/// What is known of each patch from the truth: style and words.
fn truth_labels(truth: &TruthTable) -> BTreeMap<&str, (&'static str, String)> {
    let mut labels = BTreeMap::new();
    for id in &truth.false_alarms {
        labels.insert(id.as_str(), ("bad", "false alarm".to_owned()));
    }
    for event in &truth.harmless {
        for id in &event.raised {
            let words = format!("false alarm: {} {}", event.event_id, event.kind);
            labels.insert(id.as_str(), ("bad", words));
        }
    }
    for event in &truth.events {
        if let TruthOutcome::Found { patch_ids } = &event.outcome {
            for id in patch_ids {
                let words = format!("true event {}: {}", event.event_id, event.kind);
                labels.insert(id.as_str(), ("good", words));
            }
        }
    }
    labels
}

fn truth_view(truth: &TruthTable) -> TruthView {
    let events = truth.events.iter().map(|event| {
        let (style, outcome) = match &event.outcome {
            TruthOutcome::Found { patch_ids } => ("good", format!("found: {}", patch_ids.join(", "))),
            TruthOutcome::Missed => ("bad", "missed".to_owned()),
            TruthOutcome::NotObserved => ("quiet", "not observed on both dates".to_owned()),
        };
        TruthRow {
            event_id: event.event_id.clone(),
            kind: event.kind.clone(),
            area: square_metres(event.area_m2),
            expected: "alarm",
            style,
            outcome,
        }
    });
    let harmless = truth.harmless.iter().map(|event| {
        let (style, outcome) = if event.raised.is_empty() {
            ("good", "silent".to_owned())
        } else {
            ("bad", format!("false alarm: {}", event.raised.join(", ")))
        };
        TruthRow {
            event_id: event.event_id.clone(),
            kind: event.kind.clone(),
            area: "–".to_owned(),
            expected: "silence",
            style,
            outcome,
        }
    });
    let found = truth.events.iter().filter(|event| matches!(event.outcome, TruthOutcome::Found { .. }));
    let raised = truth.harmless.iter().flat_map(|event| &event.raised);
    let false_alarms = truth.false_alarms.iter().chain(raised).collect::<std::collections::BTreeSet<_>>();
    TruthView {
        summary: format!(
            "{} of {} found; {}.",
            found.count(),
            count(truth.events.len(), "event", "events"),
            count(false_alarms.len(), "false alarm", "false alarms"),
        ),
        rows: events.chain(harmless).collect(),
        false_alarms: truth.false_alarms.clone(),
    }
}
