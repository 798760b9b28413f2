//! Which numbers of a report are withheld, so that no client can work out that fewer than `minimum` of its people share
//! something. The minimum and the method are the organisation's policy (`spec/eap.md`, "Small cells"); no norm sets them.

use super::attack::Known;
use super::frame::{Cell, Frame, Grid, Label, Person, Span};
use std::collections::BTreeMap;

/// Below it no organisation may set its minimum.
pub const FLOOR: u32 = 5;
/// What it is where nobody set one.
pub const MINIMUM: u32 = 10;

/// What a client was told about a span. Never changed afterwards: data that come late count in the quarter in which they
/// are entered.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    pub span: Span,
    /// `None` is withheld; nothing says whether because it is small or because it protects one that is.
    pub numbers: BTreeMap<Label, Option<u32>>,
}

impl Release {
    fn hides(&self, label: &Label) -> bool {
        self.numbers.get(label).is_none_or(Option::is_none)
    }
}

/// The numbers of `span` as they may be shown, given all that was shown of the same year before.
pub fn release(frame: &Frame, people: &[Person], span: Span, minimum: u32, earlier: &[Release]) -> Release {
    let grid = frame.grid();
    let counts = grid.count(people, &span);
    let limits = limits(&grid, &span, earlier);
    let views = views(&grid, people, &span, earlier);
    let mut hidden = vec![false; grid.cells.len()];
    loop {
        let before = hidden.clone();
        Table::new(&grid, &counts, &limits).protect(&mut hidden, minimum);
        for view in &views {
            view.protect(&grid, &counts, &mut hidden, minimum);
        }
        if hidden == before {
            break;
        }
    }
    let shown = |cell: usize| (!hidden[cell]).then_some(counts[cell]);
    let numbers = grid.cells.iter().enumerate().map(|(at, cell)| (cell.label.clone(), shown(at))).collect();
    Release { span, numbers }
}

/// Numbers that somebody could compute from several releases.
enum View {
    /// The people who are in a span and in none of the disjoint spans inside it.
    Difference { counts: Vec<u32>, fixed: Vec<bool> },
    /// An earlier release inside the new one: what the new one shows is the most that its part can be.
    Part { counts: Vec<u32>, fixed: Vec<bool> },
}

/// The most that a number of `span` can be by what was shown of longer spans.
fn limits(grid: &Grid, span: &Span, earlier: &[Release]) -> Vec<Option<u32>> {
    let wholes: Vec<_> = earlier.iter().filter(|release| inside(span, &release.span)).collect();
    let shown = |cell: &Cell| wholes.iter().filter_map(|whole| *whole.numbers.get(&cell.label)?).min();
    grid.cells.iter().map(shown).collect()
}

/// A span that is told, with what was told of it if that was before.
#[derive(Clone, Copy)]
struct Told<'a> {
    span: &'a Span,
    release: Option<&'a Release>,
}

fn views(grid: &Grid, people: &[Person], span: &Span, earlier: &[Release]) -> Vec<View> {
    let before = earlier.iter().map(|release| Told { span: &release.span, release: Some(release) });
    let all: Vec<Told> = std::iter::once(Told { span, release: None }).chain(before).collect();
    let mut views = Vec::new();
    for whole in &all {
        let parts: Vec<Told> = all.iter().copied().filter(|part| inside(part.span, whole.span)).collect();
        for family in disjoint(&parts) {
            let told: Vec<Told> = family.iter().copied().chain([*whole]).collect();
            let counts = difference(grid, people, whole.span, &family);
            // What was possible before is done: only what the new release adds can still be held back.
            if let (Some(counts), true) = (counts, told.iter().any(|told| told.release.is_none())) {
                let fixed = fixed(grid, told.iter().filter_map(|told| told.release));
                views.push(View::Difference { counts, fixed });
            }
        }
    }
    for release in earlier.iter().filter(|release| inside(&release.span, span)) {
        let counts = grid.count(people, &release.span);
        views.push(View::Part { counts, fixed: fixed(grid, std::iter::once(release)) });
    }
    views
}

fn inside(part: &Span, whole: &Span) -> bool {
    part != whole && whole.contains(part.start()) && whole.contains(part.end())
}

/// Every non-empty choice of spans that do not overlap. A year has ten spans, so there are few.
fn disjoint<'a>(parts: &[Told<'a>]) -> Vec<Vec<Told<'a>>> {
    let mut families: Vec<Vec<Told>> = vec![vec![]];
    for part in parts {
        let apart =
            |other: &Told| other.span.end() < part.span.start() || part.span.end() < other.span.start();
        let fitting = families.iter().filter(|family| family.iter().all(apart));
        let grown: Vec<Vec<Told>> =
            fitting.map(|family| family.iter().copied().chain([*part]).collect()).collect();
        families.extend(grown);
    }
    families.retain(|family| !family.is_empty());
    families
}

/// The whole less its parts; `None` where people who came in several parts make a number negative, so that the
/// subtraction tells nothing about any table of people.
fn difference(grid: &Grid, people: &[Person], whole: &Span, parts: &[Told]) -> Option<Vec<u32>> {
    let mut rest = grid.count(people, whole);
    for part in parts {
        for (left, taken) in rest.iter_mut().zip(grid.count(people, part.span)) {
            *left = left.checked_sub(taken)?;
        }
    }
    Some(rest)
}

/// What is withheld in one of them is withheld in what they make together.
fn fixed<'a>(grid: &Grid, releases: impl Iterator<Item = &'a Release>) -> Vec<bool> {
    let releases: Vec<_> = releases.collect();
    grid.cells.iter().map(|cell| releases.iter().any(|release| release.hides(&cell.label))).collect()
}

impl View {
    fn protect(&self, grid: &Grid, shown: &[u32], hidden: &mut [bool], minimum: u32) {
        match self {
            View::Difference { counts, fixed } => {
                let mut both: Vec<bool> = hidden.iter().zip(fixed).map(|(a, b)| *a || *b).collect();
                Table::new(grid, counts, &vec![None; counts.len()]).protect(&mut both, minimum);
                for (at, hide) in both.into_iter().enumerate() {
                    hidden[at] |= hide && !fixed[at];
                }
            }
            View::Part { counts, fixed } => loop {
                let limit = |at: usize| (!hidden[at] && fixed[at]).then_some(shown[at]);
                let at_most: Vec<_> = (0..counts.len()).map(limit).collect();
                let table = Table::new(grid, counts, &at_most);
                let limits = (0..counts.len()).filter(|at| at_most[*at].is_some());
                match (table.exposed(fixed, minimum), limits.min_by_key(|at| (shown[*at], *at))) {
                    (Some(_), Some(smallest)) => hidden[smallest] = true,
                    _ => break,
                }
            },
        }
    }
}

struct Table<'a> {
    grid: &'a Grid,
    counts: &'a [u32],
    at_most: &'a [Option<u32>],
    /// Cells of rows whose people all sit in one cell: shown, they would say of each person where.
    grouped: Vec<bool>,
}

impl<'a> Table<'a> {
    fn new(grid: &'a Grid, counts: &'a [u32], at_most: &'a [Option<u32>]) -> Self {
        let one_cell =
            |row: &&Vec<usize>| row.len() > 1 && row.iter().filter(|at| counts[**at] > 0).count() == 1;
        let mut grouped = vec![false; counts.len()];
        grid.rows.iter().filter(one_cell).flatten().for_each(|cell| grouped[*cell] = true);
        Self { grid, counts, at_most, grouped }
    }

    /// Hides what is small, then what would give it away, until a reader who adds up and subtracts learns of no such
    /// number within less than `minimum`.
    fn protect(&self, hidden: &mut [bool], minimum: u32) {
        for (cell, hide) in hidden.iter_mut().enumerate() {
            *hide |= self.grouped[cell] || self.small(cell, minimum);
        }
        loop {
            self.complement(hidden, minimum);
            if self.exposed(hidden, minimum).is_none() {
                return;
            }
            match self.order(hidden).first() {
                Some(next) => hidden[*next] = true,
                None => return,
            }
        }
    }

    fn small(&self, cell: usize, minimum: u32) -> bool {
        (1..minimum).contains(&self.counts[cell])
    }

    /// In every line: never one number alone, and never a sum below the minimum.
    fn complement(&self, hidden: &mut [bool], minimum: u32) {
        loop {
            let weak = self.grid.lines.iter().find_map(|line| {
                let alone: Vec<usize> = line.parts.iter().copied().filter(|part| hidden[*part]).collect();
                let sum: u32 = alone.iter().map(|part| self.counts[*part]).sum();
                let many = alone.len() + usize::from(hidden[line.total]);
                let weak = many == 1 || (!alone.is_empty() && !hidden[line.total] && sum < minimum);
                let next = line.parts.iter().chain([&line.total]).copied().filter(|cell| !hidden[*cell]);
                let next = next.min_by_key(|cell| {
                    (*cell == line.total, self.counts[*cell] == 0, self.counts[*cell], *cell)
                });
                if weak { next } else { None }
            });
            match weak {
                Some(cell) => hidden[cell] = true,
                None => return,
            }
        }
    }

    /// A small number that a reader knows too well: it cannot reach the minimum, or only few values are left for it.
    fn exposed(&self, hidden: &[bool], minimum: u32) -> Option<usize> {
        let known = Known { grid: self.grid, counts: self.counts, hidden, at_most: self.at_most };
        let told = |cell: &usize| {
            let range = known.range(*cell);
            *range.end() < minimum || range.end() - range.start() < minimum
        };
        let secret =
            |cell: &usize| self.small(*cell, minimum) || self.grouped[*cell] && self.counts[*cell] > 0;
        (0..self.counts.len()).filter(|cell| hidden[*cell] && secret(cell)).find(told)
    }

    /// What is hidden next: the smallest cell with people, then empty ones; margins and everybody last.
    fn order(&self, hidden: &[bool]) -> Vec<usize> {
        let mut open: Vec<usize> = (0..self.counts.len()).filter(|cell| !hidden[*cell]).collect();
        let inner = |cell: usize| std::cmp::Reverse(self.grid.cells[cell].label.0.len());
        open.sort_by_key(|cell| (inner(*cell), self.counts[*cell] == 0, self.counts[*cell], *cell));
        open
    }
}
