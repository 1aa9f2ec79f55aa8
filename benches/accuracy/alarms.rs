//! What is raised on pairs that nobody touched, judged by eye.
//!
//! Nothing was planted there, so the figures count all of it as false. What it is, only an eye can tell: `judged.csv` holds what
//! we saw in the pictures of a sample, drawn evenly over the ranking of each set; `index.html` shows it beside them.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use image::{Rgb, RgbImage, imageops};
use ndarray::ArrayView2;
use serde_json::{Value, json};
use shorewatch_domain::suspicion::groups;

use crate::figures::{self, ALARM_PX};
use crate::page::Stretch;
use crate::scenes::{Read, Scene};

/// Alarms of each set that are looked at.
const SAMPLED: usize = 24;
/// Ground around an alarm in pixels, least and at most, and how much it is magnified.
const ROOM_PX: (usize, usize) = (64, 160);
const MAGNIFIED: u32 = 3;

/// The record, beside this file.
const RECORD: &str = include_str!("judged.csv");

/// What an alarm is by eye.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// The ground changed, by itself or by people.
    Change,
    /// The same ground in another light, season or state of the crop.
    Appearance,
    /// It can't be told.
    Unclear,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Change, Self::Appearance, Self::Unclear];

    const fn name(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Appearance => "appearance",
            Self::Unclear => "unclear",
        }
    }
}

/// One line of the record.
struct Judged {
    kind: Kind,
    what: String,
}

/// A group of pixels that reaches the threshold.
pub(crate) struct Alarm {
    set: &'static str,
    /// Set, pair, and the row and column of its middle in the pictures of the pair.
    pub(crate) id: String,
    score: f32,
    size_px: usize,
    /// Both dates around it, side by side.
    pub(crate) picture: RgbImage,
}

/// How many alarms a pair has, on how many km² of observed ground.
pub(crate) struct Raised {
    set: &'static str,
    alarms: usize,
    area_km2: f64,
}

/// The alarms of an untouched pair by the review score of patches.
pub(crate) fn of_pair(scene: &Scene, read: &Read, score: ArrayView2<'_, f32>, margin: usize, from: f32) -> Vec<Alarm> {
    let stretch = Stretch::of(&read.after, margin);
    let dates = [&read.before[0], &read.after].map(|date| stretch.paint(date, margin));
    let alarms = groups(score, from).into_iter().filter(|group| group.len() >= ALARM_PX);
    alarms.map(|group| of_group(scene, &dates, score, &group)).collect()
}

fn of_group(scene: &Scene, dates: &[RgbImage; 2], score: ArrayView2<'_, f32>, group: &[(usize, usize)]) -> Alarm {
    let span = |of: fn(&(usize, usize)) -> usize| {
        let values = || group.iter().map(of);
        (values().min().unwrap_or(0), values().max().unwrap_or(0) + 1)
    };
    let (rows, cols) = (span(|place| place.0), span(|place| place.1));
    let (row, col) = (rows.0.midpoint(rows.1), cols.0.midpoint(cols.1));
    let edge = (2 * (rows.1 - rows.0).max(cols.1 - cols.0)).clamp(ROOM_PX.0, ROOM_PX.1) as u32;
    let (width, height) = dates[0].dimensions();
    let from = |middle: usize, length: u32| (middle as u32).saturating_sub(edge / 2).min(length.saturating_sub(edge));
    let (left, top) = (from(col, width), from(row, height));
    let side = edge.min(width).min(height) * MAGNIFIED;
    let mut picture = RgbImage::from_pixel(2 * side + 6, side, Rgb([255, 255, 255]));
    for (number, date) in (0_i64..).zip(dates) {
        let mut part = imageops::crop_imm(date, left, top, side / MAGNIFIED, side / MAGNIFIED).to_image();
        part = imageops::resize(&part, side, side, imageops::FilterType::Nearest);
        for &(row, col) in group {
            outline(&mut part, group, (row, col), (left, top));
        }
        imageops::replace(&mut picture, &part, number * i64::from(side + 6), 0);
    }
    let strongest = group.iter().map(|place| score[*place]).fold(0.0, f32::max);
    let id = format!("{} {} {row} {col}", scene.set, scene.name.replace(" → ", "-"));
    Alarm { set: scene.set, id, score: strongest, size_px: group.len(), picture }
}

/// Draws the edges of a pixel of a group that its neighbours are not in.
fn outline(image: &mut RgbImage, group: &[(usize, usize)], (row, col): (usize, usize), (left, top): (u32, u32)) {
    let last = MAGNIFIED - 1;
    // groups come sorted by nothing in particular, and are small
    let inside = |down: isize, right: isize| {
        let near = row.checked_add_signed(down).zip(col.checked_add_signed(right));
        near.is_some_and(|near| group.contains(&near))
    };
    let (Some(x), Some(y)) = ((col as u32).checked_sub(left), (row as u32).checked_sub(top)) else { return };
    let (x, y) = (x * MAGNIFIED, y * MAGNIFIED);
    for step in 0..MAGNIFIED {
        for (open, px, py) in [
            (!inside(-1, 0), x + step, y),
            (!inside(1, 0), x + step, y + last),
            (!inside(0, -1), x, y + step),
            (!inside(0, 1), x + last, y + step),
        ] {
            if open && px < image.width() && py < image.height() {
                image.put_pixel(px, py, Rgb([255, 220, 60]));
            }
        }
    }
}

/// A sample of each set, evenly over its ranking by score.
pub(crate) fn sample(mut alarms: Vec<Alarm>) -> Vec<Alarm> {
    alarms.sort_by(|a, b| a.set.cmp(b.set).then(b.score.total_cmp(&a.score)).then_with(|| a.id.cmp(&b.id)));
    let mut ranks: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for alarm in &alarms {
        ranks.entry(alarm.set).or_default().1 += 1;
    }
    alarms.retain(|alarm| {
        let Some((rank, count)) = ranks.get_mut(alarm.set) else { return false };
        // the ranks at which a new one of SAMPLED equal parts begins
        let part = |rank: usize| rank * SAMPLED / *count;
        let first = *rank == 0 || *count <= SAMPLED || part(*rank) != part(*rank - 1);
        *rank += 1;
        first
    });
    alarms
}

/// The record by id.
fn record() -> Result<BTreeMap<String, Judged>, Box<dyn Error>> {
    let mut judged = BTreeMap::new();
    for line in RECORD.lines().skip(1) {
        // what was seen is the rest of the line, commas and all
        let mut cells = line.splitn(3, ',').map(|cell| cell.trim().to_owned());
        let [id, kind, what] = [cells.next(), cells.next(), cells.next()].map(Option::unwrap_or_default);
        let kind = Kind::ALL.into_iter().find(|known| known.name() == kind).ok_or_else(|| {
            format!("benches/accuracy/judged.csv: {id}: expected change, appearance or unclear, got {kind:?}")
        })?;
        if judged.insert(id.clone(), Judged { kind, what }).is_some() {
            return Err(format!("benches/accuracy/judged.csv: {id} stands there twice").into());
        }
    }
    Ok(judged)
}

/// The sample as it was judged, in numbers: of each set how many alarms there are, what those that were looked at are, and how
/// many per 100 km² would be none, by that share.
pub(crate) fn figures(all: &[Raised], sampled: &[Alarm]) -> Result<Value, Box<dyn Error>> {
    let judged = record()?;
    let mut sets = serde_json::Map::new();
    for set in ["naip-prairie", "landsat-ucayali"] {
        let of_pairs = || all.iter().filter(|raised| raised.set == set);
        let count: usize = of_pairs().map(|raised| raised.alarms).sum();
        let area: f64 = of_pairs().map(|raised| raised.area_km2).sum();
        let of_set = || sampled.iter().filter(|alarm| alarm.set == set);
        let of_kind = |kind: Kind| {
            of_set().filter(|alarm| judged.get(&alarm.id).is_some_and(|judged| judged.kind == kind)).count()
        };
        let seen = Kind::ALL.map(of_kind).iter().sum::<usize>();
        let no_change = of_kind(Kind::Appearance) as f64 / seen.max(1) as f64;
        let kinds: serde_json::Map<_, _> =
            Kind::ALL.map(|kind| (kind.name().to_owned(), json!(of_kind(kind)))).into_iter().collect();
        sets.insert(
            set.to_owned(),
            json!({
                "alarms": count,
                "per_100km2": count as f64 * 100.0 / area,
                "sampled": of_set().count(),
                "judged": seen,
                "by_eye": kinds,
                "no_change_per_100km2": (seen > 0).then(|| no_change * count as f64 * 100.0 / area),
            }),
        );
    }
    Ok(Value::Object(sets))
}

/// Pictures of the sample into a folder, and the part of the page that shows them.
pub(crate) fn write(out: &Path, figures: &Value, sampled: &[Alarm]) -> Result<String, Box<dyn Error>> {
    use std::fmt::Write as _;

    let judged = record()?;
    let mut html = String::from(
        "<h2>What is raised where nothing was planted, by eye</h2><p>A sample of the alarms of the judged pairs, evenly over their \
         ranking; the latest earlier date on the left, the later one on the right. <em>change</em>: the ground changed, by itself or by \
         people; <em>appearance</em>: the same ground in another light, season or state of the crop; <em>unclear</em>: it can't be \
         told. The judgements are kept in <code>benches/accuracy/judged.csv</code>, by set, pair, row and column.</p><table><tr><th>set\
         <th>alarms<th>per 100 km²<th>looked at<th>change<th>appearance<th>unclear<th>no change per 100 km²</tr>",
    );
    for (set, row) in figures.as_object().into_iter().flatten() {
        let of = |key: &str| row[key].as_f64().map_or_else(|| "–".to_owned(), |value| format!("{value:.1}"));
        let by = &row["by_eye"];
        write!(
            html,
            "<tr><td>{set}<td>{}<td>{}<td>{} of {}<td>{}<td>{}<td>{}<td>{}</tr>",
            row["alarms"],
            of("per_100km2"),
            row["judged"],
            row["sampled"],
            by["change"],
            by["appearance"],
            by["unclear"],
            of("no_change_per_100km2"),
        )?;
    }
    html.push_str("</table>");
    for alarm in sampled {
        let file = format!("alarm-{}.png", alarm.id.replace(' ', "-"));
        alarm.picture.save(out.join(&file))?;
        let seen = judged
            .get(&alarm.id)
            .map_or_else(|| "not looked at".to_owned(), |judged| format!("{}: {}", judged.kind.name(), judged.what));
        write!(
            html,
            "<figure><img src=\"{file}\" alt=\"before and after\"><figcaption>{} · score {:.2} · {} px<br>{seen}</figcaption></figure>",
            alarm.id, alarm.score, alarm.size_px
        )?;
    }
    Ok(html)
}

/// Counts the alarms of a pair.
pub(crate) fn counted(scene: &Scene, score: ArrayView2<'_, f32>, threshold: f32) -> Raised {
    Raised { set: scene.set, alarms: figures::alarms(score, threshold), area_km2: figures::area_km2(scene, score) }
}
