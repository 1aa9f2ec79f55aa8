//! What was *not* looked at, and why. An unobserved pixel is never "no change".

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

use serde::{Deserialize, Serialize};

/// Why a pixel was not observed: a set of causes, empty where it was.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
#[repr(transparent)]
pub struct Causes(pub u8);

impl Causes {
    /// Observed: no cause against it.
    pub const OBSERVED: Self = Self(0);
    /// The product's fill value.
    pub const NODATA: Self = Self(1);
    /// Outside the footprint of the pass.
    pub const OUTSIDE: Self = Self(1 << 1);
    /// Transparent by the alpha band.
    pub const TRANSPARENT: Self = Self(1 << 2);
    /// NaN or infinite.
    pub const NOT_FINITE: Self = Self(1 << 3);
    /// Cloud, by the quality band.
    pub const CLOUD: Self = Self(1 << 4);
    /// Cloud shadow, by the quality band.
    pub const CLOUD_SHADOW: Self = Self(1 << 5);
    /// At the sensor's ceiling in a band that the model needs.
    pub const SATURATED: Self = Self(1 << 6);
    /// The block could not be decoded.
    pub const UNREADABLE: Self = Self(1 << 7);

    /// Every single cause with its name in configurations, tables and reports.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::NODATA, "nodata"),
        (Self::OUTSIDE, "outside"),
        (Self::TRANSPARENT, "transparent"),
        (Self::NOT_FINITE, "not_finite"),
        (Self::CLOUD, "cloud"),
        (Self::CLOUD_SHADOW, "cloud_shadow"),
        (Self::SATURATED, "saturated"),
        (Self::UNREADABLE, "unreadable"),
    ];

    /// True where nothing stands against the pixel.
    #[must_use]
    pub const fn is_observed(self) -> bool {
        self.0 == 0
    }

    /// The cause to report where several hold: the one nearest to the sensor's reach
    /// (outside before unreadable before nodata before cloud …).
    #[must_use]
    pub fn leading(self) -> Option<&'static str> {
        const ORDER: [usize; 8] = [1, 7, 0, 2, 3, 4, 5, 6];
        ORDER.iter().map(|&i| Self::ALL[i]).find(|(cause, _)| self.0 & cause.0 != 0).map(|(_, name)| name)
    }
}

impl BitOr for Causes {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Causes {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl fmt::Display for Causes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.leading().unwrap_or("observed"))
    }
}

/// Pixels of a scope by what was seen of them. Counts add up to `scope_px`.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Coverage {
    /// Pixels in scope.
    pub scope_px: u64,
    /// In scope and observed in the later pass.
    pub observed_px: u64,
    /// In scope and observed in the later pass and in an earlier one: only here can a change be told.
    pub compared_px: u64,
    /// In scope and unobserved in the later pass, by leading cause, in the order of [`Causes::ALL`].
    pub unobserved_px: [u64; 8],
}

impl Coverage {
    /// Place of [`Causes::OUTSIDE`] in the counts.
    const OUTSIDE: usize = Causes::OUTSIDE.0.trailing_zeros() as usize;

    /// Counts one pixel in scope.
    pub fn add(&mut self, causes: Causes, compared: bool) {
        self.add_many(causes, compared, 1);
    }

    /// Counts pixels in scope of one kind.
    pub fn add_many(&mut self, causes: Causes, compared: bool, pixels: u64) {
        self.scope_px += pixels;
        if causes.is_observed() {
            self.observed_px += pixels;
            self.compared_px += if compared { pixels } else { 0 };
        } else if let Some(name) = causes.leading()
            && let Some(i) = Causes::ALL.iter().position(|(_, other)| *other == name)
        {
            self.unobserved_px[i] += pixels;
        }
    }

    /// Counts pixels in scope that lie outside the pass.
    pub fn add_outside(&mut self, pixels: u64) {
        self.scope_px += pixels;
        self.unobserved_px[Self::OUTSIDE] += pixels;
    }

    /// Adds the counts of another part of the same scope.
    pub fn merge(&mut self, other: &Self) {
        self.scope_px += other.scope_px;
        self.observed_px += other.observed_px;
        self.compared_px += other.compared_px;
        for (mine, theirs) in self.unobserved_px.iter_mut().zip(other.unobserved_px) {
            *mine += theirs;
        }
    }

    /// Unobserved pixels by the name of the cause, without the zeros.
    pub fn by_cause(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Causes::ALL.iter().zip(self.unobserved_px).map(|((_, name), px)| (*name, px)).filter(|(_, px)| *px > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_adds_up_and_names_one_cause_a_pixel() {
        let mut coverage = Coverage::default();
        coverage.add(Causes::OBSERVED, true);
        coverage.add(Causes::OBSERVED, false);
        coverage.add(Causes::CLOUD | Causes::SATURATED, false);
        coverage.add(Causes::OUTSIDE, false);
        assert_eq!((coverage.scope_px, coverage.observed_px, coverage.compared_px), (4, 2, 1));
        assert_eq!(coverage.by_cause().collect::<Vec<_>>(), [("outside", 1), ("cloud", 1)]);
    }
}
