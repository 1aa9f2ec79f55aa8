//! From linked chains to closed rings.

use std::collections::HashMap;

use super::region::{Corner, Ring, signed_area};

/// A corner on its way into a ring; `pinched` where the border may pass a second time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    pub(super) corner: Corner,
    pub(super) pinched: bool,
}

/// The rings of one component, in the making.
#[derive(Debug, Default)]
pub(super) struct RingSet {
    pub(super) exterior: Option<Ring>,
    pub(super) holes: Vec<Ring>,
}

impl RingSet {
    /// Adds one traced border, given without repetition of its first corner: splits it where it touches itself,
    /// and brings its rings into canonical form. Collinear turns have to be out already.
    pub(super) fn add_border(&mut self, turns: &[Turn]) {
        if turns.iter().any(|turn| turn.pinched) {
            split_at_pinches(turns, |ring| self.add_ring(ring));
        } else {
            self.add_ring(turns.iter().map(|turn| turn.corner));
        }
    }

    fn add_ring(&mut self, corners: impl ExactSizeIterator<Item = Corner>) {
        let mut closed = Vec::with_capacity(corners.len() + 1);
        closed.extend(corners);
        // the topmost, of those the leftmost corner leads
        let lead = (0..closed.len()).min_by_key(|&index| closed[index]).unwrap_or(0);
        closed.rotate_left(lead);
        closed.push(closed[0]);
        if signed_area(&closed) > 0 {
            debug_assert!(self.exterior.is_none(), "a component has one exterior");
            self.exterior = Some(Ring::from_closed(closed));
        } else {
            self.holes.push(Ring::from_closed(closed));
        }
    }
}

/// Cuts a border that passes corners twice into rings that pass each corner once.
///
/// A 4-connected region that touches itself in a corner closes a loop round one of the two other pixels there;
/// tracing its own pixels' sides only, the border runs through both sides of that loop in one go. The two
/// passes nest and never cross, so a stack undoes them.
fn split_at_pinches(turns: &[Turn], mut emit: impl FnMut(std::vec::Drain<'_, Corner>)) {
    let mut height_at: HashMap<Corner, usize> = HashMap::new();
    let mut stack: Vec<Corner> = Vec::with_capacity(turns.len());
    for turn in turns {
        if turn.pinched {
            if let Some(&height) = height_at.get(&turn.corner) {
                emit(stack.drain(height..));
            } else {
                height_at.insert(turn.corner, stack.len());
            }
        }
        stack.push(turn.corner);
    }
    emit(stack.drain(..));
}

/// Drops turns that lie on a straight line, and repeated ones (seams leave both), also across the end of the
/// border.
pub(super) fn drop_collinear(turns: &mut Vec<Turn>) {
    let straight = |before: Turn, at: Turn, after: Turn| {
        let [before, at, after] = [before, at, after].map(|turn| turn.corner);
        (before.x == at.x && at.x == after.x) || (before.y == at.y && at.y == after.y)
    };
    // begin at a corner that stays: the topmost, of those the leftmost
    let lead = (0..turns.len()).min_by_key(|&index| turns[index].corner).unwrap_or(0);
    turns.rotate_left(lead);
    let mut kept: Vec<Turn> = Vec::with_capacity(turns.len());
    for turn in turns.drain(..) {
        if let Some(last) = kept.last_mut()
            && last.corner == turn.corner
        {
            last.pinched |= turn.pinched;
            continue;
        }
        if let [.., before, at] = kept[..]
            && straight(before, at, turn)
        {
            kept.pop();
        }
        kept.push(turn);
    }
    while let [first, .., before, at] = kept[..]
        && (at.corner == first.corner || straight(before, at, first))
    {
        kept[0].pinched |= at.pinched && at.corner == first.corner;
        kept.pop();
    }
    *turns = kept;
}
