//! Numbers side by side: how the inner loops write what the compiler is to make vector code of.
//!
//! A choice between a new value and the one that already stands there, `*x = if take { y } else { *x }`, is compiled to a jump or
//! to a store under a mask, and both take several times as long as a plain store: choose by bits, or by the lesser of two.

/// Numbers that are added or compared side by side.
pub(crate) const LANES: usize = 16;

/// The number, or 0 where it does not count.
#[inline(always)]
pub(crate) fn counted(value: f32, counts: bool) -> f32 {
    f32::from_bits(value.to_bits() & u32::from(counts).wrapping_neg())
}

/// `new` where it is taken, else `old`.
#[inline(always)]
pub(crate) fn chosen(old: u8, new: u8, take: bool) -> u8 {
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
