//! Numbers side by side: inner loops that the compiler makes vector code of, for whatever processor they run on.
//!
//! In such a loop a choice between a new value and the one that already stands there, `*x = if take { y } else { *x }`, becomes a
//! jump or a store under a mask, and both take several times as long as a plain store. So does a choice of whether to divide.
//! Choose by bits, or by the lesser of two.

/// Runs loops that are compiled for several kinds of processors, and of these for the one at hand. The closure, and the functions
/// that it calls, need `#[inline(always)]`.
#[inline(always)]
pub fn vectorised<R>(work: impl FnMut() -> R) -> R {
    pulp::Arch::new().dispatch(Work(work))
}

/// A closure that is called where it lies. Pulp calls closures by value, and around one that could be called again the compiler then
/// puts a function that is compiled for any processor: what is long, and so not inlined into another, would be slow in there.
struct Work<F>(F);

impl<R, F: FnMut() -> R> pulp::NullaryFnOnce for Work<F> {
    type Output = R;

    #[inline(always)]
    fn call(mut self) -> R {
        (self.0)()
    }
}

/// Numbers that are added or compared side by side.
pub(crate) const LANES: usize = 16;

/// The number, or 0 where it does not count.
#[inline(always)]
pub(crate) fn counted(value: f32, counts: bool) -> f32 {
    f32::from_bits(value.to_bits() & u32::from(counts).wrapping_neg())
}

/// `new` where it is taken, else `old`.
#[inline(always)]
#[must_use]
pub fn chosen(old: u8, new: u8, take: bool) -> u8 {
    let mask = u8::from(take).wrapping_neg();
    (old & !mask) | (new & mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_count_is_nothing_whatever_it_is() {
        assert_eq!(counted(-1.5, true), -1.5);
        assert_eq!(counted(f32::NAN, false).to_bits(), 0);
        assert_eq!([chosen(7, 200, true), chosen(7, 200, false)], [200, 7]);
    }
}
