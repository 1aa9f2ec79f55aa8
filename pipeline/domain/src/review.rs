//! What a reviewer decided on a patch, and what a network may learn from it.
//!
//! | verdict | pixels inside the outline become |
//! |---|---|
//! | confirmed | the class that the patch became, or the one that the reviewer names |
//! | rejected | the class that the reviewer names; without one, "nothing" of the head that looks for objects |
//! | unsure | no label |
//!
//! Outside of the outline nothing is said, since nobody looked there, nor on a rim of one pixel on both sides of it.
//!
//! A rejection is not always a mistake of the model: a permitted building is one. Who rejects such a patch names its class
//! (which may be the patch's own), so that the network is not taught that nothing stands there. That is why a rejection
//! without a class weighs less.

use std::collections::BTreeMap;

use geo_types::MultiPolygon;
use jiff::Timestamp;
use ndarray::{Array2, Zip, s};
use serde::{Deserialize, Serialize};

use crate::classes::ModelClasses;
use crate::grid::Window;
use crate::rasterise;

/// Label of a pixel of which nothing is said.
pub const UNSAID: u8 = u8::MAX;

/// Pixels on either side of an outline that carry no label: mixed pixels, and what is off by registration.
pub const RIM_PX: usize = 1;

/// A patch that keeps fewer pixels than this without its rim (less than 3 × 3) is labelled up to its outline.
pub const LEAST_CORE_PX: usize = 9;

/// Weight of a label whose class is told.
pub const WEIGHT_TOLD: f64 = 1.0;

/// Weight of "nothing is there", from a rejection that names no class: some of these are legal, not wrong.
pub const WEIGHT_NOTHING: f64 = 0.5;

/// Most characters of a reviewer's code.
const MOST_CODE_LENGTH: usize = 32;

/// Digits in a row from which on a code looks like a telephone number.
const TELEPHONE_DIGITS: usize = 7;

/// What the reviewer decided.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is a problem, to be followed up.
    Confirmed,
    /// It is none, for the reason given.
    Rejected,
    /// The pictures do not tell.
    Unsure,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 3] = [Self::Confirmed, Self::Rejected, Self::Unsure];

    /// The name in stores and exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
            Self::Unsure => "unsure",
        }
    }
}

/// One decision on one patch. A later one on the same patch takes its place; none is ever changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Review {
    /// The patch.
    pub patch_id: String,
    /// What was decided.
    pub verdict: Verdict,
    /// Why. A rejection must carry one.
    pub reason: String,
    /// What is there instead, or all the same, by the model's name of a class; where the reviewer names it.
    pub corrected_class: Option<String>,
    /// Code of the reviewer: never a name or a telephone number.
    pub reviewer: String,
    /// When.
    pub reviewed_at: Timestamp,
}

impl Review {
    /// All that is wrong with a review, in words.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
        let (code, length) = (&self.reviewer, self.reviewer.chars().count());
        let longest_number = code.split(|character: char| !character.is_ascii_digit()).map(str::len).max().unwrap_or(0);
        if !(1..=MOST_CODE_LENGTH).contains(&length) || !code.chars().all(allowed) || longest_number >= TELEPHONE_DIGITS
        {
            faults.push(format!(
                "reviewer: expected a code of 1 to {MOST_CODE_LENGTH} letters, digits, - and _ with fewer than \
                 {TELEPHONE_DIGITS} digits in a row (no names, no telephone numbers), got {code:?}"
            ));
        }
        if self.verdict == Verdict::Rejected && self.reason.trim().is_empty() {
            faults.push("reason: a rejection must carry one".to_owned());
        }
        if self.corrected_class.as_ref().is_some_and(|class| class.trim().is_empty()) {
            faults.push("corrected_class: expected the name of a class, or none, got an empty text".to_owned());
        }
        faults
    }
}

/// The decision that counts for each patch, by patch: the latest; of equals the one that was recorded last.
/// `recorded` is in the order of recording.
#[must_use]
pub fn latest(recorded: impl IntoIterator<Item = Review>) -> Vec<Review> {
    let mut by_patch: BTreeMap<String, Review> = BTreeMap::new();
    for review in recorded {
        match by_patch.get_mut(&review.patch_id) {
            Some(known) if known.reviewed_at > review.reviewed_at => {}
            Some(known) => *known = review,
            None => {
                by_patch.insert(review.patch_id.clone(), review);
            }
        }
    }
    by_patch.into_values().collect()
}

/// What the pixels of a reviewed patch teach.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Lesson {
    /// Class, by its id over all heads of the model.
    pub class: usize,
    /// Number of the head of that class.
    pub head: usize,
    /// Class, counted from 0 within its head.
    pub class_in_head: u8,
    /// Weight, 0 or more; 1 is that of an ordinary label.
    pub weight: f64,
}

/// Why a reviewed patch teaches nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoLesson {
    /// The reviewer could not tell.
    #[error("the reviewer was unsure; look again, or on later imagery")]
    Unsure,
    /// The class that the patch became is none of the model's.
    #[error(
        "change type {change_type:?} ends in no class of the model, which has {}; name the bundle that raised the patch, \
         or review it again with the class that is there", classes.join(", ")
    )]
    UnknownChange {
        /// As the patch has it.
        change_type: String,
        /// The model's classes.
        classes: Vec<String>,
    },
    /// The reviewer named a class that the model lacks.
    #[error(
        "the reviewer named class {class:?}, the model has {}; review the patch again with one of these", classes.join(", ")
    )]
    UnknownCorrection {
        /// As the reviewer named it.
        class: String,
        /// The model's classes.
        classes: Vec<String>,
    },
    /// The model has no class for "nothing is there".
    #[error(
        "rejected without a class, and no head of the model has a class of group \"none\"; review the patch again with the \
         class that is there, or name a bundle that has such a head"
    )]
    NothingUnknown,
    /// A head has more classes than a mask can hold.
    #[error("class {class:?} is number {number} of its head; a mask holds 0 to 254")]
    TooManyClasses {
        /// Name of the class.
        class: String,
        /// Its number in the head.
        number: usize,
    },
}

/// What a review teaches on the pixels of its patch.
///
/// `change_type` is the patch's (`low_vegetation_to_built_up`), `nothing` are the ids of the model's classes of group
/// `none`. Without a class by the reviewer, a rejected patch becomes "nothing" of the head of its class, or of the first
/// head that has one.
///
/// # Errors
/// The reviewer was unsure, or the class is none of the model's.
pub fn lesson(
    review: &Review,
    change_type: &str,
    classes: &ModelClasses,
    nothing: &[usize],
) -> Result<Lesson, NoLesson> {
    let head_of = |class: usize| classes.heads.iter().position(|head| head.contains(&class));
    let named = review.corrected_class.as_ref().map(|class| {
        classes
            .id(class)
            .ok_or_else(|| NoLesson::UnknownCorrection { class: class.clone(), classes: classes.names.clone() })
    });
    let became = || {
        class_after(change_type, classes).ok_or_else(|| NoLesson::UnknownChange {
            change_type: change_type.to_owned(),
            classes: classes.names.clone(),
        })
    };
    let (class, weight) = match (review.verdict, named) {
        (Verdict::Unsure, _) => return Err(NoLesson::Unsure),
        (_, Some(class)) => (class?, WEIGHT_TOLD),
        (Verdict::Confirmed, None) => (became()?, WEIGHT_TOLD),
        (Verdict::Rejected, None) => {
            let own_head = class_after(change_type, classes).and_then(head_of);
            let same_head = nothing.iter().find(|class| own_head.is_some() && head_of(**class) == own_head);
            let class = same_head.or_else(|| nothing.first()).ok_or(NoLesson::NothingUnknown)?;
            (*class, WEIGHT_NOTHING)
        }
    };
    let unknown = || NoLesson::UnknownCorrection { class: class.to_string(), classes: classes.names.clone() };
    let head = head_of(class).ok_or_else(unknown)?;
    let number = class - classes.heads[head].start;
    let class_in_head = u8::try_from(number).ok().filter(|number| *number != UNSAID);
    let too_many = || NoLesson::TooManyClasses { class: classes.names[class].clone(), number };
    Ok(Lesson { class, head, class_in_head: class_in_head.ok_or_else(too_many)?, weight })
}

/// The class that a change type ends in. Names may hold `_to_` themselves: a reading with both classes known goes before
/// one with only the class after known.
fn class_after(change_type: &str, classes: &ModelClasses) -> Option<usize> {
    let before = |class: &String| change_type.strip_suffix(class.as_str())?.strip_suffix("_to_");
    let known_before = |class: &String| before(class).is_some_and(|name| classes.id(name).is_some());
    let ends = |class: &String| before(class).is_some_and(|name| !name.is_empty());
    let only = |fits: &dyn Fn(&String) -> bool| {
        let mut fitting = classes.names.iter().enumerate().filter(|(_, class)| fits(class)).map(|(id, _)| id);
        fitting.next().filter(|_| fitting.next().is_none())
    };
    only(&known_before).or_else(|| only(&ends))
}

/// The pixels (row, col) of `window` that a label may be painted on: those inside the outline (pixel-corner coordinates,
/// x = col, y = row) without a rim of [`RIM_PX`], or all of them where less than [`LEAST_CORE_PX`] would be left.
/// `window` must hold the outline.
#[must_use]
pub fn labelled_pixels(outline: &MultiPolygon<f64>, window: Window) -> Array2<bool> {
    let around = rasterise::mask(outline, window.grown(RIM_PX));
    let edge = 2 * RIM_PX + 1;
    let mut core = Array2::from_elem(window.shape(), false);
    Zip::from(around.windows((edge, edge))).map_assign_into(&mut core, |near| near.iter().all(|inside| *inside));
    if core.iter().filter(|inside| **inside).count() >= LEAST_CORE_PX {
        return core;
    }
    let inner = |length: usize| RIM_PX..RIM_PX + length;
    around.slice(s![inner(window.rows), inner(window.cols)]).to_owned()
}

#[cfg(test)]
mod tests;
