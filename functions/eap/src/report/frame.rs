//! What a report counts: people by class, in fixed breakdowns, and the equations that its numbers obey.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

kernel::words! {
    /// The breakdowns that a client may see. There is no other, and no filter.
    pub enum Dimension {
        Unit = "unit",
        AgeBand = "age_band",
        Relation = "relation",
        IssueGroup = "issue_group",
        Mode = "mode",
        Referral = "referral",
    }
}

/// What a number counts: nothing named is everybody, two names are a cell of the cross table.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Label(pub BTreeMap<Dimension, String>);

/// One person of the year: the class of their first use, which they keep, so that two releases never differ by
/// somebody who only changed class; and the quarters (1 to 4) with use.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    pub class: BTreeMap<Dimension, String>,
    pub quarters: BTreeSet<u8>,
}

/// Quarters of one year, `1..=2` for a half. The shortest is a quarter.
pub type Span = RangeInclusive<u8>;

/// The breakdowns of one report with all their codes, in code order. Two frames with the same codes make the same cells.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    breakdowns: BTreeMap<Dimension, Vec<String>>,
    /// At most two breakdowns at once.
    cross: Option<(Dimension, Dimension)>,
}

impl Frame {
    /// # Panics
    /// If the cross table uses a breakdown that the frame does not have.
    pub fn new(breakdowns: BTreeMap<Dimension, Vec<String>>, cross: Option<(Dimension, Dimension)>) -> Self {
        let has = |dimension| breakdowns.contains_key(dimension);
        assert!(
            cross.iter().all(|(rows, columns)| rows != columns && has(rows) && has(columns)),
            "{cross:?}"
        );
        Self { breakdowns, cross }
    }

    /// Everybody, each code of each breakdown, and each cell of the cross table, with the equations between them.
    pub fn grid(&self) -> Grid {
        let mut grid = Grid { cells: vec![Cell::of([], 0, 1)], lines: vec![], rows: vec![], nodes: 2 };
        let crossed = self.cross.map(|(rows, columns)| grid.cross(self.codes(rows), self.codes(columns)));
        let alone =
            |dimension: &Dimension| self.cross.is_none_or(|(r, c)| *dimension != r && *dimension != c);
        let mut end = crossed.unwrap_or(0);
        for (dimension, _) in self.breakdowns.iter().filter(|(dimension, _)| alone(dimension)) {
            end = grid.breakdown(self.codes(*dimension), end);
        }
        // Everybody flows from the last node back to the first: each breakdown splits the same people anew.
        (grid.cells[0].from, grid.cells[0].to) = (end, 0);
        grid
    }

    fn codes(&self, dimension: Dimension) -> Codes<'_> {
        Codes { dimension, codes: &self.breakdowns[&dimension] }
    }
}

#[derive(Clone, Copy)]
struct Codes<'a> {
    dimension: Dimension,
    codes: &'a [String],
}

impl Codes<'_> {
    fn name(&self, at: usize) -> (Dimension, String) {
        (self.dimension, self.codes[at].clone())
    }
}

/// The numbers of a report as arcs of a flow: what flows into a node flows out of it, which is what a reader who adds
/// up knows of the numbers that are not shown.
#[derive(Clone, Debug)]
pub struct Grid {
    pub cells: Vec<Cell>,
    pub lines: Vec<Line>,
    /// The rows of the cross table, without margins.
    pub rows: Vec<Vec<usize>>,
    pub nodes: usize,
}

#[derive(Clone, Debug)]
pub struct Cell {
    pub label: Label,
    pub from: usize,
    pub to: usize,
}

/// Parts that add up to a total; all by index into the cells.
#[derive(Clone, Debug)]
pub struct Line {
    pub parts: Vec<usize>,
    pub total: usize,
}

impl Cell {
    fn of(names: impl IntoIterator<Item = (Dimension, String)>, from: usize, to: usize) -> Self {
        Self { label: Label(names.into_iter().collect()), from, to }
    }
}

impl Grid {
    /// From the first node through one node a row and one a column to a last, which it answers.
    fn cross(&mut self, rows: Codes, columns: Codes) -> usize {
        let first_row = self.nodes;
        let first_column = first_row + rows.codes.len();
        let end = first_column + columns.codes.len();
        self.nodes = end + 1;
        let row_margins = self.add(rows.codes.len(), |r| Cell::of([rows.name(r)], 0, first_row + r));
        let column_margins =
            self.add(columns.codes.len(), |c| Cell::of([columns.name(c)], first_column + c, end));
        for (r, margin) in row_margins.iter().enumerate() {
            let cell = |c| Cell::of([rows.name(r), columns.name(c)], first_row + r, first_column + c);
            let parts = self.add(columns.codes.len(), cell);
            self.lines.push(Line { parts: parts.clone(), total: *margin });
            self.rows.push(parts);
        }
        for (c, margin) in column_margins.iter().enumerate() {
            self.lines.push(Line { parts: self.rows.iter().map(|row| row[c]).collect(), total: *margin });
        }
        self.lines.push(Line { parts: row_margins, total: 0 });
        self.lines.push(Line { parts: column_margins, total: 0 });
        end
    }

    /// From `start` by one arc a code to a new node, which it answers.
    fn breakdown(&mut self, codes: Codes, start: usize) -> usize {
        let end = self.nodes;
        self.nodes += 1;
        let parts = self.add(codes.codes.len(), |at| Cell::of([codes.name(at)], start, end));
        self.lines.push(Line { parts, total: 0 });
        end
    }

    fn add(&mut self, many: usize, cell: impl Fn(usize) -> Cell) -> Vec<usize> {
        let first = self.cells.len();
        self.cells.extend((0..many).map(cell));
        (first..self.cells.len()).collect()
    }

    /// How many different people each cell counts in `span`.
    pub fn count(&self, people: &[Person], span: &Span) -> Vec<u32> {
        let used: Vec<&Person> =
            people.iter().filter(|p| p.quarters.iter().any(|quarter| span.contains(quarter))).collect();
        let is = |person: &Person, label: &Label| {
            label.0.iter().all(|(dimension, code)| person.class.get(dimension) == Some(code))
        };
        let of = |cell: &Cell| used.iter().filter(|person| is(person, &cell.label)).count() as u32;
        self.cells.iter().map(of).collect()
    }
}
