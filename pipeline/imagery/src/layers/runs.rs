//! Layers packed by runs of equal values, at the speed of memory.
//!
//! Scores are 0 or full almost everywhere and vary along the borders of classes. The values are taken in groups of eight: one
//! bit says that a group only repeats the value before it, and only the others are written out. LZ4 makes the same layers a
//! third smaller and takes four times as long, an eighth of a run over a whole scene.
//!
//! | bytes | |
//! |---|---|
//! | ⌈groups / 8⌉ | a bit a group, the lowest first: 1 where it is written out |
//! | … | the groups that are written out, in order |
//! | 0 to 7 | the values beyond the last whole group |

/// Values of a group: one machine word.
const GROUP: usize = 8;

/// Groups that share a byte of bits.
const BITS: usize = 8;

/// The value "before" the first one.
const BEFORE: u8 = 0;

/// Bytes that so many values take at most.
pub(super) const fn largest(values: usize) -> usize {
    (values / GROUP).div_ceil(BITS) + values
}

/// Writes the packed values to the beginning of `out`, which has room for the [`largest`] number of bytes and may hold
/// anything; returns how many bytes they take.
pub(super) fn pack(values: &[u8], out: &mut [u8]) -> usize {
    let bits = (values.len() / GROUP).div_ceil(BITS);
    let (marks, written) = out.split_at_mut(bits);
    marks.fill(0);
    let mut end = 0;
    let mut before = BEFORE;
    let (groups, beyond) = values.as_chunks::<GROUP>();
    for (mark, groups) in marks.iter_mut().zip(groups.chunks(BITS)) {
        let word = repeated(before);
        if groups.iter().fold(0, |differs, group| differs | (u64::from_ne_bytes(*group) ^ word)) == 0 {
            continue;
        }
        for (bit, group) in groups.iter().enumerate() {
            // written where it might go, and kept there if it differs: cheaper than a jump that can't be foreseen
            written[end..end + GROUP].copy_from_slice(group);
            let differs = u64::from_ne_bytes(*group) != repeated(before);
            *mark |= u8::from(differs) << bit;
            end += if differs { GROUP } else { 0 };
            before = group[GROUP - 1];
        }
    }
    written[end..end + beyond.len()].copy_from_slice(beyond);
    bits + end + beyond.len()
}

/// Unpacks into `values`, which has as many as were packed; `None` where `packed` is not what [`pack`] made of so many.
#[must_use]
pub(super) fn unpack(packed: &[u8], values: &mut [u8]) -> Option<()> {
    let (groups, beyond) = values.as_chunks_mut::<GROUP>();
    let (marks, mut written) = packed.split_at_checked(groups.len().div_ceil(BITS))?;
    let mut before = BEFORE;
    for (mark, groups) in marks.iter().zip(groups.chunks_mut(BITS)) {
        if *mark == 0 {
            groups.fill([before; GROUP]);
            continue;
        }
        for (bit, group) in groups.iter_mut().enumerate() {
            if mark >> bit & 1 == 1 {
                (*group, written) = written.split_first_chunk().map(|(group, rest)| (*group, rest))?;
            } else {
                *group = [before; GROUP];
            }
            before = group[GROUP - 1];
        }
    }
    if written.len() != beyond.len() {
        return None;
    }
    beyond.copy_from_slice(written);
    Some(())
}

const fn repeated(value: u8) -> u64 {
    u64::from_ne_bytes([value; GROUP])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_repeats_takes_a_bit_for_eight_values() {
        let mut packed = vec![9; largest(640)];
        assert_eq!(pack(&[0; 640], &mut packed), 10, "whatever lay there");
        let mut border = [255; 640];
        border[..323].fill(0);
        // the group that holds the border, and the next one: it does not repeat the zero before it but what follows does
        assert_eq!(pack(&border, &mut packed), 10 + GROUP);
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
        fn what_is_packed_comes_back(runs in proptest::collection::vec((any::<u8>(), 1_usize..200), 0..12)) {
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
