//! True class against predicted class, counted by pixel.

use ndarray::{Array2, ArrayView2};

use crate::IGNORE;

/// Counts of pixels: (true class, predicted class).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Confusion {
    counts: Array2<u64>,
}

/// What is said of one class; `None` where it neither occurs nor is predicted.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ClassFigures {
    /// Intersection over union (Jaccard index), 0..1.
    pub iou: Option<f64>,
    /// Share of the predicted pixels that are right, 0..1; `None` where none is predicted.
    pub precision: Option<f64>,
    /// Share of the true pixels that are found, 0..1; `None` where there are none.
    pub recall: Option<f64>,
    /// Harmonic mean of precision and recall, 0..1.
    pub f1: Option<f64>,
    /// Labelled pixels of the class.
    pub labelled_px: u64,
}

impl Confusion {
    /// Nothing counted yet, for so many classes.
    #[must_use]
    pub fn new(classes: usize) -> Self {
        Self { counts: Array2::zeros((classes, classes)) }
    }

    /// Counts one pixel; [`IGNORE`] as the truth counts nowhere.
    ///
    /// # Panics
    /// A class id is not below the number of classes.
    pub fn add(&mut self, truth: u8, predicted: u8) {
        if truth != IGNORE {
            self.counts[(usize::from(truth), usize::from(predicted))] += 1;
        }
    }

    /// Counts every pixel of two maps of the same shape (row, col).
    pub fn add_maps(&mut self, truth: ArrayView2<'_, u8>, predicted: ArrayView2<'_, u8>) {
        truth.iter().zip(predicted).for_each(|(&truth, &predicted)| self.add(truth, predicted));
    }

    /// Adds the counts of another one over as many classes.
    pub fn add_all(&mut self, other: &Self) {
        self.counts += &other.counts;
    }

    /// The counts: (true class, predicted class).
    #[must_use]
    pub const fn counts(&self) -> &Array2<u64> {
        &self.counts
    }

    /// Labelled pixels.
    #[must_use]
    pub fn labelled_px(&self) -> u64 {
        self.counts.sum()
    }

    /// Share of the labelled pixels that are right; `None` where there are none.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        share(self.counts.diag().sum(), self.labelled_px())
    }

    /// The figures of one class.
    #[must_use]
    pub fn class(&self, class: usize) -> ClassFigures {
        let both = self.counts[(class, class)];
        let (labelled_px, predicted_px) = (self.counts.row(class).sum(), self.counts.column(class).sum());
        ClassFigures {
            iou: share(both, labelled_px + predicted_px - both).filter(|_| labelled_px > 0),
            precision: share(both, predicted_px),
            recall: share(both, labelled_px),
            f1: share(2 * both, labelled_px + predicted_px),
            labelled_px,
        }
    }

    /// The figures of every class in order.
    #[must_use]
    pub fn classes(&self) -> Vec<ClassFigures> {
        (0..self.counts.nrows()).map(|class| self.class(class)).collect()
    }

    /// Mean intersection over union of the classes that occur in the labels; `None` where none does.
    #[must_use]
    pub fn mean_iou(&self) -> Option<f64> {
        let known: Vec<f64> = self.classes().iter().filter_map(|class| class.iou).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    }
}

/// A part over a whole; `None` where the whole is nothing.
#[must_use]
pub fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Two masks against each other over the pixels that count.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct MaskOverlap {
    both: u64,
    either: u64,
}

impl MaskOverlap {
    /// Counts one pixel.
    pub const fn add(&mut self, truth: bool, predicted: bool) {
        self.both += (truth && predicted) as u64;
        self.either += (truth || predicted) as u64;
    }

    /// Intersection over union; `None` where both masks are empty.
    #[must_use]
    pub fn iou(&self) -> Option<f64> {
        share(self.both, self.either)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::arr2;

    use super::*;

    #[test]
    fn figures_of_a_small_map() {
        let truth = arr2(&[[0, 0, 1], [1, 1, IGNORE]]);
        let predicted = arr2(&[[0, 1, 1], [1, 0, 2]]);
        let mut confusion = Confusion::new(3);
        confusion.add_maps(truth.view(), predicted.view());
        assert_eq!(confusion.labelled_px(), 5);
        assert_eq!(confusion.accuracy(), Some(0.6));
        let (zero, one, two) = (confusion.class(0), confusion.class(1), confusion.class(2));
        assert_eq!((zero.iou, zero.precision, zero.recall), (Some(1.0 / 3.0), Some(0.5), Some(0.5)));
        assert_eq!((one.iou, one.f1), (Some(0.5), Some(2.0 / 3.0)));
        assert_eq!((two.iou, two.precision, two.recall, two.labelled_px), (None, None, None, 0));
        assert_eq!(confusion.mean_iou(), Some((1.0 / 3.0 + 0.5) / 2.0), "a class that never occurs does not count");
    }

    #[test]
    fn nothing_labelled_is_no_figure() {
        assert_eq!(Confusion::new(2).mean_iou(), None);
        assert_eq!(MaskOverlap::default().iou(), None);
    }
}
