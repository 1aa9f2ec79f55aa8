//! Layers packed by runs of like values, at the speed of memory.
//!
//! Scores are 0 or full almost everywhere, near one of them over much of the rest, and vary along the borders of classes. The
//! values are taken in groups of eight, and two bits say how a group is written: not at all where it only repeats the value
//! before it, by half bytes where all lie within 16 of 0 or of 255, or as it is. LZ4 takes
//! several times as long: an eighth of a run over a whole scene.
//!
//! | bytes | |
//! |---|---|
//! | ⌈groups / 4⌉ | two bits a group, the lowest first: 0 repeats the value before; 1 half bytes; 2 half bytes up to 255; 3 whole bytes |
//! | … | the groups that are written out, in order; of half bytes, that of the first value is the lowest |
//! | 0 to 7 | the values beyond the last whole group |

/// Values of a group: one machine word.
const GROUP: usize = 8;

/// Groups that share a byte of kinds.
const KINDS: usize = 4;

/// The value "before" the first one.
const BEFORE: u8 = 0;

/// How a group is written; what is left is half bytes up from 0.
const REPEATED: u8 = 0;
const HIGH: u8 = 2;
const WHOLE: u8 = 3;

/// Bytes that a group takes, by kind.
const BYTES: [usize; 4] = [0, GROUP / 2, GROUP / 2, GROUP];

/// Bits of a group that a value of less than 16 leaves empty.
const UPPER: u64 = repeated(0xf0);

/// Bytes that so many values take at most.
pub(super) const fn largest(values: usize) -> usize {
    (values / GROUP).div_ceil(KINDS) + values
}

/// Writes the packed values to the beginning of `out`, which has room for the [`largest`] number of bytes and may hold
/// anything; returns how many bytes they take.
pub(super) fn pack(values: &[u8], out: &mut [u8]) -> usize {
    let kinds = (values.len() / GROUP).div_ceil(KINDS);
    let (marks, written) = out.split_at_mut(kinds);
    marks.fill(0);
    let mut end = 0;
    let mut before = BEFORE;
    let (groups, beyond) = values.as_chunks::<GROUP>();
    for (mark, groups) in marks.iter_mut().zip(groups.chunks(KINDS)) {
        let word = repeated(before);
        if groups.iter().fold(0, |differs, group| differs | (u64::from_le_bytes(*group) ^ word)) == 0 {
            continue;
        }
        for (place, group) in groups.iter().enumerate() {
            let value = u64::from_le_bytes(*group);
            // all by arithmetic: a jump that can't be foreseen costs more than what it would spare
            let differs = u8::from(value != repeated(before));
            let [low, high] = [value, !value].map(|value| u8::from(value & UPPER == 0));
            let kind = differs * (WHOLE - 2 * low - high);
            let halves = u64::from(halves(value ^ u64::from(high).wrapping_neg()));
            let bytes = if kind == WHOLE { value } else { halves };
            // written where it might go, and kept there as far as it counts
            written[end..end + GROUP].copy_from_slice(&bytes.to_le_bytes());
            *mark |= kind << (2 * place);
            end += BYTES[usize::from(kind)];
            before = group[GROUP - 1];
        }
    }
    written[end..end + beyond.len()].copy_from_slice(beyond);
    kinds + end + beyond.len()
}

/// Unpacks into `values`, which has as many as were packed; `None` where `packed` is not what [`pack`] made of so many.
#[must_use]
pub(super) fn unpack(packed: &[u8], values: &mut [u8]) -> Option<()> {
    let (groups, beyond) = values.as_chunks_mut::<GROUP>();
    let (marks, mut written) = packed.split_at_checked(groups.len().div_ceil(KINDS))?;
    let mut before = BEFORE;
    for (mark, groups) in marks.iter().zip(groups.chunks_mut(KINDS)) {
        if *mark == 0 {
            groups.fill([before; GROUP]);
            continue;
        }
        for (place, group) in groups.iter_mut().enumerate() {
            let kind = mark >> (2 * place) & 3;
            let (bytes, rest) = written.split_at_checked(BYTES[usize::from(kind)])?;
            written = rest;
            *group = match kind {
                REPEATED => [before; GROUP],
                WHOLE => bytes.try_into().ok()?,
                _ => {
                    let low = whole(u32::from_le_bytes(bytes.try_into().ok()?));
                    (if kind == HIGH { !low } else { low }).to_le_bytes()
                }
            };
            before = group[GROUP - 1];
        }
    }
    if written.len() != beyond.len() {
        return None;
    }
    beyond.copy_from_slice(written);
    Some(())
}

/// The lower halves of eight bytes, side by side.
const fn halves(bytes: u64) -> u32 {
    let pairs = (bytes | bytes >> 4) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    (fours | fours >> 16) as u32
}

/// Eight bytes from their lower halves.
const fn whole(halves: u32) -> u64 {
    let fours = (halves as u64 | (halves as u64) << 16) & 0x0000_ffff_0000_ffff;
    let pairs = (fours | fours << 8) & 0x00ff_00ff_00ff_00ff;
    (pairs | pairs << 4) & 0x0f0f_0f0f_0f0f_0f0f
}

const fn repeated(value: u8) -> u64 {
    u64::from_le_bytes([value; GROUP])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_repeats_takes_two_bits_for_eight_values() {
        let mut packed = vec![9; largest(640)];
        assert_eq!(pack(&[0; 640], &mut packed), 20, "whatever lay there");
        let mut border = [255; 640];
        border[..323].fill(0);
        // the group that holds the border is written; the next one repeats its last value
        assert_eq!(pack(&border, &mut packed), 20 + GROUP);
    }

    #[test]
    fn what_is_nearly_nothing_or_nearly_full_takes_half_a_byte() {
        let near: [u8; 16] = std::array::from_fn(|at| at as u8);
        let mut packed = vec![9; largest(16)];
        assert_eq!(pack(&near, &mut packed), 1 + GROUP);
        assert_eq!(packed[..3], [0b0101, 0x10, 0x32], "the first value lies lowest");
        let size = pack(&near.map(|value| 255 - value), &mut packed);
        assert_eq!((size, &packed[..3]), (1 + GROUP, [0b1010, 0x10, 0x32].as_slice()));
        let mut far = near;
        far[0] = 16;
        assert_eq!(pack(&far, &mut packed), 1 + GROUP + GROUP / 2);
    }

    #[test]
    fn what_is_cut_short_or_too_long_is_refused() {
        let values: Vec<u8> = (0..100).collect();
        let mut packed = vec![0; largest(values.len())];
        let size = pack(&values, &mut packed);
        packed.truncate(size);
        let mut back = vec![0; values.len()];
        for size in [0, 1, 2, packed.len() - 1] {
            assert_eq!(unpack(&packed[..size], &mut back), None, "{size} bytes");
        }
        packed.push(0);
        assert_eq!(unpack(&packed, &mut back), None);
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back(
            runs in proptest::collection::vec((prop_oneof![any::<u8>(), 0_u8..18, 238_u8..=255], 1_usize..40), 0..40)
        ) {
            let values: Vec<u8> = runs.iter().flat_map(|&(value, length)| std::iter::repeat_n(value, length)).collect();
            let mut packed = vec![7; largest(values.len())];
            let size = pack(&values, &mut packed);
            packed.truncate(size);
            let mut back = vec![7; values.len()];
            prop_assert_eq!(unpack(&packed, &mut back), Some(()));
            prop_assert_eq!(back, values);
        }
    }
}
