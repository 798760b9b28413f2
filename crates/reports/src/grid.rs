//! Tables and pairs: columns as wide as their words ask for, rows that go over pages, heads that come along.
use std::rc::Rc;

use crate::{
    Align, Cell, Colour, Error, Run, Table,
    flow::Flow,
    shape::{GREY, HAIR, INK, ORNAMENT, Role, Set, Shape, Slab, line_shapes, sign_shapes},
    text::{Line, Text},
};

const SIZE: f32 = 9.0;
const ACROSS: f32 = 5.0;
const DOWN: f32 = 3.5;
const COLUMNS: usize = 50;
const SIGN: f32 = 54.0;

/// A cell that is measured.
enum Held<'a> {
    Words(Text, &'a [Run]),
    Sign(&'a str),
}

/// A row in its lines.
enum Cut<'a> {
    Words(Vec<Line>, &'a [Run]),
    Sign(&'a str),
}

struct Grid {
    /// Left edge and width of each column, with its padding.
    columns: Vec<(f32, f32)>,
    align: Vec<Align>,
    /// Lines between rows.
    ruled: bool,
    /// The first column is bold and grey: labels.
    labelled: bool,
}

impl Flow {
    pub fn table(&mut self, table: &Table) -> Result<(), Error> {
        let count = table.columns();
        if count > COLUMNS {
            return Err(Error::TooWide(COLUMNS));
        }
        if count == 0 {
            return Ok(());
        }
        // Places to sign in the head are no head but a row; a table of nothing else has no lines.
        let signs = |row: &Vec<Cell>| row.iter().any(|cell| matches!(cell, Cell::Sign(_)));
        let signed = signs(&table.header);
        let header = if signed { &[][..] } else { &table.header[..] };
        let body = signed.then_some(&table.header).into_iter().chain(&table.rows);
        let ruled = !(signed && table.rows.iter().all(signs));
        let header: Vec<_> = header.iter().map(|cell| held(cell, true)).collect();
        let rows: Vec<Vec<_>> = body.map(|row| row.iter().map(|cell| held(cell, false)).collect()).collect();
        let columns = columns(count, self.x, self.width, std::iter::once(&header).chain(&rows));
        let align = (0..count).map(|n| table.align(n)).collect();
        let grid = Grid { columns, align, ruled, labelled: false };
        let from = self.slabs.len();
        self.within(Role::Table, |flow| {
            let mut head = None;
            if !header.is_empty() {
                let slabs = flow.row(&grid, header, Role::Head, true);
                // On the pages that follow it is an ornament: it was read once.
                let again = slabs.iter().cloned().map(silent).collect();
                // A head that fills the page would leave no room for rows.
                head = (slabs.iter().map(|slab| slab.height).sum::<f32>() < flow.tallest / 3.0)
                    .then(|| Rc::new(again));
                flow.slabs.extend(slabs.into_iter().map(|slab| Slab { keep: true, ..slab }));
            }
            for row in rows {
                let slabs = flow.row(&grid, row, Role::Data, false);
                flow.slabs.extend(slabs.into_iter().map(|slab| Slab { head: head.clone(), ..slab }));
            }
        });
        self.space(from, 8.0);
        Ok(())
    }

    pub fn pairs(&mut self, pairs: &[(String, Vec<Run>)]) -> Result<(), Error> {
        let labels: Vec<_> = pairs.iter().map(|(label, _)| [Run::plain(label)]).collect();
        let rows: Vec<Vec<_>> = pairs
            .iter()
            .zip(&labels)
            .map(|((_, runs), label)| {
                vec![
                    Held::Words(Text::new(label, SIZE, true), label),
                    Held::Words(Text::new(runs, SIZE, false), runs),
                ]
            })
            .collect();
        let label = label_width(pairs, self.width);
        let columns = vec![(self.x, label), (self.x + label, self.width - label)];
        let grid = Grid { columns, align: vec![Align::Left; 2], ruled: false, labelled: true };
        let from = self.slabs.len();
        self.within(Role::Table, |flow| {
            for row in rows {
                let slabs = flow.row(&grid, row, Role::Data, false);
                flow.slabs.extend(slabs);
            }
        });
        self.space(from, 6.0);
        Ok(())
    }

    fn space(&mut self, from: usize, before: f32) {
        if let Some(first) = self.slabs.get_mut(from) {
            first.before = before;
        }
    }

    /// One slab, or one for each line when the row is so high that a page break may cut it.
    fn row(&mut self, grid: &Grid, cells: Vec<Held<'_>>, role: Role, bold: bool) -> Vec<Slab> {
        let leading = Set { size: SIZE, ..Set::BODY }.leading();
        let cut: Vec<_> = cells
            .into_iter()
            .zip(&grid.columns)
            .map(|(cell, (_, wide))| match cell {
                Held::Words(text, runs) => Cut::Words(text.lines((wide - 2.0 * ACROSS).max(1.0)), runs),
                Held::Sign(role) => Cut::Sign(role),
            })
            .collect();
        let lines =
            cut.iter().map(|cell| if let Cut::Words(lines, _) = cell { lines.len() } else { 1 }).max();
        let lines = lines.unwrap_or(1).max(1);
        let signed = cut.iter().any(|cell| matches!(cell, Cut::Sign(_)));
        let words = lines as f32 * leading;
        let whole = 2.0 * DOWN + if signed { words.max(SIGN) } else { words };
        self.within(Role::Row, |flow| {
            let elements: Vec<_> = cut
                .iter()
                .enumerate()
                .map(|(n, _)| flow.element(if grid.labelled && n == 0 { Role::Head } else { role }))
                .collect();
            if signed || whole <= flow.tallest / 4.0 {
                let mut slab = Slab { height: whole, ..Slab::default() };
                flow.edges(&mut slab, grid, bold, true);
                flow.cells(&mut slab, grid, &cut, &elements, bold, (0..lines, DOWN));
                return vec![slab];
            }
            (0..lines)
                .map(|n| {
                    let (first, last) = (n == 0, n + 1 == lines);
                    let top = if first { DOWN } else { 0.0 };
                    let bottom = if last { DOWN } else { 0.0 };
                    let mut slab = Slab { height: top + leading + bottom, ..Slab::default() };
                    slab.keep = (first && lines > 1) || n + 2 == lines;
                    flow.edges(&mut slab, grid, bold, last);
                    flow.cells(&mut slab, grid, &cut, &elements, bold, (n..n + 1, top));
                    slab
                })
                .collect()
        })
    }

    /// The ground of a head and the line under a row.
    fn edges(&self, slab: &mut Slab, grid: &Grid, head: bool, last: bool) {
        let height = slab.height;
        if head {
            let colour = self.accent.mixed(Colour(255, 255, 255), 0.88);
            let shape = Shape::Box { x: self.x, y: 0.0, width: self.width, height, colour };
            slab.shapes.push((ORNAMENT, shape));
        }
        if last && (grid.ruled || head) {
            let (width, colour) = if head { (1.0, self.accent) } else { (0.5, HAIR) };
            let points = vec![(self.x, height), (self.x + self.width, height)];
            slab.shapes.push((ORNAMENT, Shape::Path { points, width, colour }));
        }
    }

    fn cells(
        &self,
        slab: &mut Slab,
        grid: &Grid,
        cut: &[Cut<'_>],
        elements: &[usize],
        bold: bool,
        (range, top): (std::ops::Range<usize>, f32),
    ) {
        for (n, cell) in cut.iter().enumerate() {
            let ((x, wide), element) = (grid.columns[n], Some(elements[n]));
            let (x, wide) = (x + ACROSS, wide - 2.0 * ACROSS);
            match cell {
                Cut::Sign(role) => sign_shapes(slab, element, self.language, role, (x, top, wide.max(10.0))),
                Cut::Words(lines, runs) => {
                    let label = grid.labelled && n == 0;
                    let colour = if label { GREY } else { INK };
                    let set = Set { size: SIZE, bold: bold || label, colour, align: grid.align[n] };
                    for (at, line) in lines.iter().enumerate().take(range.end).skip(range.start) {
                        let y = top + (at - range.start) as f32 * set.leading() + SIZE * 1.05;
                        line_shapes(slab, element, line, runs, set, (x, y, wide), self.accent);
                    }
                }
            }
        }
    }
}

impl Held<'_> {
    /// The least and the most that its words ask for.
    fn widths(&self) -> (f32, f32) {
        match self {
            Self::Words(text, _) => (text.narrowest, text.natural),
            Self::Sign(_) => (90.0, 150.0),
        }
    }
}

fn held(cell: &Cell, bold: bool) -> Held<'_> {
    match cell {
        Cell::Text(runs) => Held::Words(Text::new(runs, SIZE, bold), runs),
        Cell::Sign(role) => Held::Sign(role),
    }
}

fn silent(mut slab: Slab) -> Slab {
    slab.shapes.iter_mut().for_each(|(element, _)| *element = ORNAMENT);
    slab.before = 0.0;
    slab
}

/// How wide the columns of a table are, with their padding; none for a table without columns.
pub(crate) fn widths(table: &Table, width: f32) -> Result<Option<Vec<f32>>, Error> {
    let count = table.columns();
    if count > COLUMNS {
        return Err(Error::TooWide(COLUMNS));
    }
    let all = std::iter::once((&table.header, true)).chain(table.rows.iter().map(|row| (row, false)));
    let rows: Vec<Vec<_>> =
        all.map(|(row, bold)| row.iter().map(|cell| held(cell, bold)).collect()).collect();
    let columns = || columns(count, 0.0, width, rows.iter()).into_iter().map(|(_, wide)| wide).collect();
    Ok((count > 0).then(columns))
}

/// How wide the labels of pairs are, with their padding.
pub(crate) fn label_width(pairs: &[(String, Vec<Run>)], width: f32) -> f32 {
    let natural = |(label, _): &(String, _)| Text::new(&[Run::plain(label)], SIZE, true).natural;
    pairs.iter().map(natural).fold(60.0, f32::max).min(width * 0.38) + 2.0 * ACROSS
}

/// Columns of few words get all the width that they ask for, the others share what is left, and none gets less than
/// its longest word while that is possible.
fn columns<'a>(
    count: usize,
    x: f32,
    width: f32,
    rows: impl Iterator<Item = &'a Vec<Held<'a>>>,
) -> Vec<(f32, f32)> {
    let (mut least, mut most) = (vec![18.0_f32; count], vec![18.0_f32; count]);
    for row in rows {
        for (n, cell) in row.iter().enumerate() {
            let (narrowest, natural) = cell.widths();
            least[n] = least[n].max(narrowest);
            most[n] = most[n].max(natural);
        }
    }
    let room = width - 2.0 * ACROSS * count as f32;
    let mut at = x;
    shares(room, least, &most)
        .into_iter()
        .map(|wide| {
            let wide = wide.max(1.0) + 2.0 * ACROSS;
            at += wide;
            (at - wide, wide)
        })
        .collect()
}

fn shares(room: f32, mut least: Vec<f32>, most: &[f32]) -> Vec<f32> {
    let count = most.len();
    // No single word takes more than half of the table, nor less than its share.
    let most_of_a_word = (room / 2.0).max(room / count as f32).max(1.0);
    least.iter_mut().for_each(|least| *least = least.min(most_of_a_word));
    let (need, wish) = (least.iter().sum::<f32>(), most.iter().sum::<f32>());
    if need >= room {
        return least.iter().map(|least| least * room / need).collect();
    }
    if wish <= room {
        // Room to spare: half of it shared evenly, half by what they hold.
        let spare = room - wish;
        return most
            .iter()
            .map(|most| most + spare * 0.5 / count as f32 + spare * 0.5 * most / wish)
            .collect();
    }
    let mut given = vec![None; count];
    loop {
        let open = given.iter().filter(|given: &&Option<f32>| given.is_none()).count();
        let left = room - given.iter().flatten().sum::<f32>();
        let fair = left / open.max(1) as f32;
        let mut settled = false;
        // Those that need more than is fair come first: what they take is not there for the others.
        for wants_more in [true, false] {
            for n in 0..count {
                let fits = if wants_more { least[n] > fair } else { most[n] <= fair };
                if given[n].is_none() && fits {
                    given[n] = Some(if wants_more { least[n] } else { most[n] });
                    settled = true;
                }
            }
            if settled {
                break;
            }
        }
        if !settled {
            return given.into_iter().map(|given| given.unwrap_or(fair)).collect();
        }
    }
}
