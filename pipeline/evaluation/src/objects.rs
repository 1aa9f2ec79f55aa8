//! Things found against things there.
//!
//! An object is a connected patch (8 neighbours) of one kind in the truth; it is *found* if at least half of its pixels
//! are called an object of any kind, and *named* if most of these carry its own. A finding is a connected patch of any
//! kind in the prediction; it is *right* if at least half of its known pixels lie on objects. A finding that lies mostly
//! on unknown pixels counts nowhere.

use ndarray::{Array2, ArrayView2};

use crate::IGNORE;
use crate::confusion::share;

/// Id of "nothing" among the kinds.
pub const NO_OBJECT: u8 = 0;

/// One connected patch of the truth and what became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ObjectOutcome {
    /// Its kind, from 1.
    pub kind: u8,
    /// Its pixels.
    pub size_px: usize,
    /// At least half of it was called an object.
    pub found: bool,
    /// Found, and by its own name.
    pub named: bool,
}

/// One connected patch of the prediction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FindingOutcome {
    /// Its pixels.
    pub size_px: usize,
    /// At least half of its known pixels lie on objects.
    pub right: bool,
}

/// Every object and every finding of some images.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct ObjectOutcomes {
    /// What is there.
    pub objects: Vec<ObjectOutcome>,
    /// What was found.
    pub findings: Vec<FindingOutcome>,
}

/// Recall and precision of the patches in a range of sizes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ObjectFigures {
    /// Objects that count.
    pub objects: usize,
    /// … that were found.
    pub found: usize,
    /// … by their own name.
    pub named: usize,
    /// Findings that count.
    pub findings: usize,
    /// … that are right.
    pub right: usize,
}

impl ObjectFigures {
    /// Share of the objects that are found; `None` without objects.
    #[must_use]
    pub fn recall(&self) -> Option<f64> {
        share(self.found as u64, self.objects as u64)
    }

    /// Share of the findings that are right; `None` without findings.
    #[must_use]
    pub fn precision(&self) -> Option<f64> {
        share(self.right as u64, self.findings as u64)
    }

    /// Share of the found objects that carry their own name; `None` where none is found.
    #[must_use]
    pub fn named_share(&self) -> Option<f64> {
        share(self.named as u64, self.found as u64)
    }
}

impl ObjectOutcomes {
    /// Adds one image: kinds in truth and prediction, both (row, col) of one shape; [`IGNORE`] in the truth where nothing
    /// is known, in the prediction where nothing was observed.
    pub fn add(&mut self, truth: ArrayView2<'_, u8>, predicted: ArrayView2<'_, u8>) {
        let is_thing = |kind: u8| kind != NO_OBJECT && kind != IGNORE;
        let kinds = truth.iter().copied().filter(|kind| is_thing(*kind)).max().unwrap_or(NO_OBJECT);
        for kind in 1..=kinds {
            for patch in patches(truth.mapv(|value| value == kind)) {
                let called = patch.iter().filter(|place| is_thing(predicted[**place])).count();
                let own = patch.iter().filter(|place| predicted[**place] == kind).count();
                let found = 2 * called >= patch.len();
                let named = found && 2 * own > called;
                self.objects.push(ObjectOutcome { kind, size_px: patch.len(), found, named });
            }
        }
        for patch in patches(predicted.mapv(is_thing)) {
            let known = patch.iter().filter(|place| truth[**place] != IGNORE).count();
            let right = patch.iter().filter(|place| is_thing(truth[**place])).count();
            if 2 * known > patch.len() {
                self.findings.push(FindingOutcome { size_px: patch.len(), right: 2 * right >= known });
            }
        }
    }

    /// The figures of patches of `from_px` to below `to_px` pixels, of one kind or of all. Findings have no kind that
    /// could be trusted: they are counted whatever the kind.
    #[must_use]
    pub fn figures(&self, from_px: usize, to_px: usize, kind: Option<u8>) -> ObjectFigures {
        let range = from_px..to_px;
        let objects = || {
            let wanted = |object: &&ObjectOutcome| kind.is_none_or(|kind| object.kind == kind);
            self.objects.iter().filter(|object| range.contains(&object.size_px)).filter(wanted)
        };
        let findings = || self.findings.iter().filter(|finding| range.contains(&finding.size_px));
        ObjectFigures {
            objects: objects().count(),
            found: objects().filter(|object| object.found).count(),
            named: objects().filter(|object| object.named).count(),
            findings: findings().count(),
            right: findings().filter(|finding| finding.right).count(),
        }
    }
}

/// The pixels (row, col) of each connected patch (8 neighbours) of a mask.
fn patches(mut mask: Array2<bool>) -> Vec<Vec<(usize, usize)>> {
    let (rows, cols) = mask.dim();
    let mut found = Vec::new();
    for start in (0..rows).flat_map(|row| (0..cols).map(move |col| (row, col))) {
        if !std::mem::replace(&mut mask[start], false) {
            continue;
        }
        let mut patch = vec![start];
        let mut next = 0;
        while let Some(&(row, col)) = patch.get(next) {
            next += 1;
            for row in row.saturating_sub(1)..(row + 2).min(rows) {
                for col in col.saturating_sub(1)..(col + 2).min(cols) {
                    if std::mem::replace(&mut mask[(row, col)], false) {
                        patch.push((row, col));
                    }
                }
            }
        }
        found.push(patch);
    }
    found
}

/// The kind of each pixel (row, col) from scores (kind, row, col), `probability × 255`: the likeliest one where any kind
/// together is likelier than none, else [`NO_OBJECT`]; [`IGNORE`] where every score is 0 (unobserved).
#[must_use]
pub fn kinds(scores: ndarray::ArrayView3<'_, u8>) -> Array2<u8> {
    scores.map_axis(ndarray::Axis(0), |pixel| {
        if pixel.iter().all(|&score| score == 0) {
            return IGNORE;
        }
        if pixel[usize::from(NO_OBJECT)] >= 128 {
            return NO_OBJECT;
        }
        let things = pixel.iter().enumerate().skip(1);
        things.max_by(|(one, a), (other, b)| a.cmp(b).then(other.cmp(one))).map_or(NO_OBJECT, |(kind, _)| kind as u8)
    })
}

#[cfg(test)]
mod tests {
    use ndarray::arr3;

    use super::*;

    /// `.` nothing, `?` unknown, digits are kinds.
    fn painted(rows: &[&str]) -> Array2<u8> {
        let of = |letter: char| match letter {
            '.' => NO_OBJECT,
            '?' => IGNORE,
            digit => digit.to_digit(10).expect("a digit") as u8,
        };
        let cols = rows[0].len();
        Array2::from_shape_vec((rows.len(), cols), rows.iter().flat_map(|row| row.chars().map(of)).collect())
            .expect("rows of one length")
    }

    #[test]
    fn half_covered_is_found_and_a_finding_beside_is_wrong() {
        let truth = painted(&["11...", "11..2", "....2", "?...."]);
        let predicted = painted(&["12...", "...1.", "...1.", "1...."]);
        let mut outcomes = ObjectOutcomes::default();
        outcomes.add(truth.view(), predicted.view());
        let all = outcomes.figures(1, usize::MAX, None);
        assert_eq!((all.objects, all.found, all.named), (2, 1, 0), "found, but half of it under another name");
        assert_eq!((all.findings, all.right), (2, 1), "the one on unknown ground counts nowhere");
        assert_eq!(outcomes.figures(3, usize::MAX, None).objects, 1, "by size");
        assert_eq!(outcomes.figures(1, usize::MAX, Some(2)).found, 0, "by kind");
        assert_eq!(all.recall(), Some(0.5));
        assert_eq!(ObjectOutcomes::default().figures(1, 9, None).precision(), None);
    }

    #[test]
    fn corners_connect() {
        let mut outcomes = ObjectOutcomes::default();
        let truth = painted(&["1..", ".1.", "..1"]);
        outcomes.add(truth.view(), truth.view());
        assert_eq!(
            outcomes.figures(3, 4, None),
            ObjectFigures { objects: 1, found: 1, named: 1, findings: 1, right: 1 }
        );
    }

    #[test]
    fn any_kind_together_is_an_object() {
        let scores = arr3(&[[[120, 140, 0]], [[80, 60, 0]], [[55, 55, 0]]]);
        assert_eq!(kinds(scores.view()), painted(&["1.?"]));
    }
}
