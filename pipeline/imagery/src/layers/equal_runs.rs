//! How layers were packed before [`runs`](super::runs): by runs of equal values alone. Only read: what earlier versions left in a
//! work folder stands for what was looked at, and reports say so from it.
//!
//! | bytes | |
//! |---|---|
//! | ⌈groups of 8 / 8⌉ | a bit a group, the lowest first: 1 where it is written out, 0 where it repeats the value before it |
//! | … | the groups that are written out, in order |
//! | 0 to 7 | the values beyond the last whole group |

/// Values of a group.
const GROUP: usize = 8;

/// Groups that share a byte of bits.
const BITS: usize = 8;

/// Unpacks into `values`, which has as many as were packed; `None` where `packed` holds another number.
#[must_use]
pub(super) fn unpack(packed: &[u8], values: &mut [u8]) -> Option<()> {
    let (groups, beyond) = values.as_chunks_mut::<GROUP>();
    let (marks, mut written) = packed.split_at_checked(groups.len().div_ceil(BITS))?;
    let mut before = 0;
    for (at, group) in groups.iter_mut().enumerate() {
        if marks[at / BITS] >> (at % BITS) & 1 == 1 {
            (*group, written) = written.split_first_chunk().map(|(group, rest)| (*group, rest))?;
        } else {
            *group = [before; GROUP];
        }
        before = group[GROUP - 1];
    }
    if written.len() != beyond.len() {
        return None;
    }
    beyond.copy_from_slice(written);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_version_packed_is_read() {
        // groups: zeros; written; repeats its last value; one value beyond
        let packed = [0b010, 1, 2, 3, 4, 5, 6, 7, 9, 42];
        let mut values = [7; 25];
        assert_eq!(unpack(&packed, &mut values), Some(()));
        assert_eq!(values[..8], [0; 8]);
        assert_eq!(values[8..16], [1, 2, 3, 4, 5, 6, 7, 9]);
        assert_eq!(values[16..24], [9; 8]);
        assert_eq!(values[24], 42);
        for size in 0..packed.len() {
            assert_eq!(unpack(&packed[..size], &mut values), None, "{size} bytes");
        }
        assert_eq!(unpack(&[packed.as_slice(), &[1]].concat(), &mut values), None);
    }
}
