//! One lattice line between two rows: which border goes where.

use super::runs::{NONE, Run, VOID};

/// Where chains of border corners grow. A chain is named by an id; a corner is a chain of its own until linked.
pub(super) trait ChainStore {
    /// A new corner at column `x` of the current lattice line. `component` is [`NONE`] where not known yet;
    /// `pinched` where the same label lies diagonally across, so that a ring may pass twice.
    fn corner(&mut self, x: i32, component: u32, pinched: bool) -> u32;
    /// Lets the chain `tail` go on with the chain `head`.
    fn link(&mut self, tail: u32, head: u32);
    /// Joins two components.
    fn union(&mut self, a: u32, b: u32);
}

/// Connects the runs of one row with those of the next: hands components down, and links the border chains
/// at each corner where an edge turns.
///
/// Borders keep their region on the right hand (rows go down). Around a corner lie four pixels and up to four
/// edges:
///
/// ```text
///      a │ b        coming down the upper edge:  the border of a
///     ───┼───       coming along the left edge:  the border of c
///      c │ d        coming up the lower edge:    the border of d
///                   coming back the right edge:  the border of b
/// ```
///
/// A border turns round its own pixels until it meets the next edge; diagonal pixels are not connected.
pub(super) fn link_rows(above: &[Run], below: &mut [Run], chains: &mut impl ChainStore) {
    let (mut i, mut j) = (0, 0);
    // chains along the horizontal edge to the left: of the region below it going right, above it going left
    let (mut tail_left, mut head_left) = (NONE, NONE);
    loop {
        let next_above = above.get(i + 1).map_or(i32::MAX, |run| run.start);
        let next_below = below.get(j + 1).map_or(i32::MAX, |run| run.start);
        let x = next_above.min(next_below);
        if x == i32::MAX {
            return;
        }
        let (run_a, run_c) = (above[i], below[j]);
        i += usize::from(next_above == x);
        j += usize::from(next_below == x);
        let (run_b, run_d) = (above[i], below[j]);
        let (a, b, c, d) = (run_a.label, run_b.label, run_c.label, run_d.label);

        if b == d && b != VOID {
            // d takes the component of b, or joins it
            if run_d.component == NONE {
                below[j].component = run_b.component;
            } else if run_d.component != run_b.component {
                chains.union(run_d.component, run_b.component);
            }
        }
        let (down, up) = if next_above == x { (run_b.down, run_b.up) } else { (NONE, NONE) };
        if a == c && b == d {
            // the edge goes straight on (an edge that is in neither row is no event)
            below[j].down = down;
            below[j].up = up;
            continue;
        }

        let pinched = a != b && c != d && (a == d || b == c);
        let (mut tail_right, mut head_right) = (NONE, NONE);
        if a != b && a != VOID {
            // down the upper edge: the border of a
            if a != c {
                let corner = chains.corner(x, run_a.component, pinched);
                chains.link(down, corner);
                chains.link(corner, head_left);
            } else if c != d {
                below[j].down = down;
            } else {
                let corner = chains.corner(x, run_a.component, false);
                chains.link(down, corner);
                tail_right = corner;
            }
        }
        if a != c && c != VOID {
            // along the left edge: the border of c
            if c != d {
                let corner = chains.corner(x, run_c.component, pinched);
                chains.link(tail_left, corner);
                below[j].down = corner;
            } else if b != d {
                tail_right = tail_left;
            } else {
                let corner = chains.corner(x, run_b.component, false);
                chains.link(tail_left, corner);
                chains.link(corner, up);
            }
        }
        if c != d && d != VOID {
            // up the lower edge: the border of d
            if b != d {
                let corner = chains.corner(x, run_d.component, pinched);
                below[j].up = corner;
                tail_right = corner;
            } else if a != b {
                below[j].up = up;
            } else {
                let corner = chains.corner(x, run_a.component, false);
                below[j].up = corner;
                chains.link(corner, head_left);
            }
        }
        if b != d && b != VOID {
            // back the right edge: the border of b
            if a != b {
                let corner = chains.corner(x, run_b.component, pinched);
                head_right = corner;
                chains.link(corner, up);
            } else if a != c {
                head_right = head_left;
            } else {
                let corner = chains.corner(x, run_b.component, false);
                head_right = corner;
                below[j].down = corner;
            }
        }
        (tail_left, head_left) = (tail_right, head_right);
    }
}
