//! What a reader can work out about a number that is not shown: the smallest and the largest value that any table of
//! whole people with the shown numbers could hold. The numbers form a flow (see [`super::frame::Grid`]), so both ends
//! are a maximum flow from the true table, and exact.

use super::frame::Grid;
use std::collections::VecDeque;
use std::ops::RangeInclusive;

/// Beyond any number of people.
const ENDLESS: u32 = u32::MAX / 4;

/// What is known of the cells: the true numbers, which of them are hidden, and how large a hidden one can be at most.
pub struct Known<'a> {
    pub grid: &'a Grid,
    pub counts: &'a [u32],
    pub hidden: &'a [bool],
    pub at_most: &'a [Option<u32>],
}

impl Known<'_> {
    /// The values that a hidden cell could have. A shown one has its own.
    pub fn range(&self, cell: usize) -> RangeInclusive<u32> {
        let (count, arc) = (self.counts[cell], &self.grid.cells[cell]);
        if !self.hidden[cell] {
            return count..=count;
        }
        let less = self.detour(cell, arc.from, arc.to).min(count);
        let room = self.at_most[cell].map_or(ENDLESS, |most| most.saturating_sub(count));
        let more = self.detour(cell, arc.to, arc.from).min(room);
        count - less..=count + more
    }

    /// How much can flow from one node to another through the other hidden cells: forwards up to their limit, backwards
    /// as much as they hold.
    fn detour(&self, without: usize, from: usize, to: usize) -> u32 {
        let mut flow = self.counts.to_vec();
        let mut found = 0u32;
        while let Some(path) = self.path(&flow, without, from, to) {
            let push = path.iter().map(|step| step.room).min().unwrap_or(ENDLESS);
            for step in &path {
                if step.forwards { flow[step.cell] += push } else { flow[step.cell] -= push }
            }
            found = found.saturating_add(push);
            if found >= ENDLESS {
                break;
            }
        }
        found
    }

    /// The shortest way with room on every step, by breadth.
    fn path(&self, flow: &[u32], without: usize, from: usize, to: usize) -> Option<Vec<Step>> {
        let mut came: Vec<Option<(usize, Step)>> = vec![None; self.grid.nodes];
        let mut next = VecDeque::from([from]);
        while let Some(node) = next.pop_front() {
            if node == to {
                return Some(self.back(&came, from, to));
            }
            for (end, step) in self.steps(flow, without, node) {
                if end != from && came[end].is_none() {
                    came[end] = Some((node, step));
                    next.push_back(end);
                }
            }
        }
        None
    }

    fn steps(&self, flow: &[u32], without: usize, node: usize) -> Vec<(usize, Step)> {
        let mut steps = Vec::new();
        let open = |cell: &usize| *cell != without && self.hidden[*cell];
        for cell in (0..flow.len()).filter(open) {
            let arc = &self.grid.cells[cell];
            let room = self.at_most[cell].map_or(ENDLESS, |most| most.saturating_sub(flow[cell]));
            if arc.from == node && room > 0 {
                steps.push((arc.to, Step { cell, forwards: true, room }));
            }
            if arc.to == node && flow[cell] > 0 {
                steps.push((arc.from, Step { cell, forwards: false, room: flow[cell] }));
            }
        }
        steps
    }

    fn back(&self, came: &[Option<(usize, Step)>], from: usize, to: usize) -> Vec<Step> {
        let mut path = Vec::new();
        let mut node = to;
        while node != from {
            let Some((before, step)) = &came[node] else { break };
            path.push(step.clone());
            node = *before;
        }
        path
    }
}

#[derive(Clone)]
struct Step {
    cell: usize,
    forwards: bool,
    room: u32,
}
