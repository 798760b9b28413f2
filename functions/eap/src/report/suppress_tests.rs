use super::attack::Known;
use super::frame::{Dimension, Frame, Grid, Label, Person, Span};
use super::suppress::{Release, release};
use Dimension::{IssueGroup, Unit};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn codes(letter: char, many: usize) -> Vec<String> {
    (0..many).map(|at| format!("{letter}{at}")).collect()
}

fn issues(many: usize) -> Frame {
    Frame::new(BTreeMap::from([(IssueGroup, codes('i', many))]), None)
}

fn cross(rows: usize, columns: usize) -> Frame {
    let breakdowns = BTreeMap::from([(Unit, codes('u', rows)), (IssueGroup, codes('i', columns))]);
    Frame::new(breakdowns, Some((Unit, IssueGroup)))
}

fn label(names: &[(Dimension, &str)]) -> Label {
    Label(names.iter().map(|(dimension, code)| (*dimension, code.to_string())).collect())
}

/// People of each issue who came in the given quarters.
fn came(counts: &[usize], quarters: &[u8]) -> Vec<Person> {
    let person = |at: usize| Person {
        class: BTreeMap::from([(IssueGroup, format!("i{at}"))]),
        quarters: quarters.iter().copied().collect(),
    };
    counts.iter().enumerate().flat_map(|(at, many)| std::iter::repeat_n(person(at), *many)).collect()
}

/// People in the cells of a cross table, row by row.
fn sits(table: &[Vec<usize>]) -> Vec<Person> {
    let person = |row: usize, column: usize| Person {
        class: BTreeMap::from([(Unit, format!("u{row}")), (IssueGroup, format!("i{column}"))]),
        quarters: BTreeSet::from([1]),
    };
    let row = |(r, row): (usize, &Vec<usize>)| -> Vec<Person> {
        row.iter().enumerate().flat_map(|(c, many)| std::iter::repeat_n(person(r, c), *many)).collect()
    };
    table.iter().enumerate().flat_map(row).collect()
}

fn shown(told: &Release, many: usize) -> Vec<Option<u32>> {
    (0..many).map(|at| told.numbers[&label(&[(IssueGroup, &format!("i{at}"))])]).collect()
}

#[test]
fn one_small_number_takes_a_second_with_it_and_the_total_stays() {
    let told = release(&issues(4), &came(&[14, 12, 3, 11], &[1]), 1..=1, 10, &[]);
    assert_eq!(shown(&told, 4), [Some(14), Some(12), None, None]);
    assert_eq!(told.numbers[&Label::default()], Some(40));
}

#[test]
fn small_numbers_that_add_up_to_less_than_the_minimum_take_one_more() {
    let told = release(&issues(4), &came(&[20, 15, 3, 4], &[1]), 1..=1, 10, &[]);
    assert_eq!(shown(&told, 4), [Some(20), None, None, None]);
}

#[test]
fn fewer_people_than_the_minimum_are_not_shown_at_all() {
    let told = release(&issues(3), &came(&[4, 3, 0], &[1]), 1..=1, 10, &[]);
    assert_eq!(shown(&told, 3), [None, None, Some(0)], "nobody is nobody");
    assert_eq!(told.numbers[&Label::default()], None);
}

#[test]
fn nobody_is_nobody_and_hides_nothing() {
    let told = release(&issues(2), &[], 1..=1, 10, &[]);
    assert!(told.numbers.values().all(|number| *number == Some(0)));
}

#[test]
fn a_half_year_does_not_give_away_the_quarter_that_was_withheld() {
    let people = [came(&[12, 20, 30], &[1]), came(&[3, 15, 11], &[2])].concat();
    let first = release(&issues(3), &people, 1..=1, 10, &[]);
    assert_eq!(shown(&first, 3), [Some(12), Some(20), Some(30)]);
    let half = release(&issues(3), &people, 1..=2, 10, std::slice::from_ref(&first));
    assert_eq!(shown(&half, 3)[0], None, "15 less 12 would be the 3 of the second quarter");
    let second = release(&issues(3), &people, 2..=2, 10, &[first, half]);
    assert_eq!(shown(&second, 3)[0], None);
}

#[test]
fn the_same_people_again_are_no_difference() {
    let people = came(&[12, 20, 30], &[1, 2]);
    let first = release(&issues(3), &people, 1..=1, 10, &[]);
    let half = release(&issues(3), &people, 1..=2, 10, &[first]);
    assert_eq!(shown(&half, 3), [Some(12), Some(20), Some(30)]);
}

#[test]
fn three_quarters_told_apart_do_not_give_away_the_fourth() {
    let quarters: Vec<_> = (1..=4u8).map(|q| came(&[if q == 4 { 2 } else { 15 }, 40], &[q])).collect();
    let people = quarters.concat();
    let mut told = vec![];
    for q in 1..=3u8 {
        told.push(release(&issues(2), &people, q..=q, 10, &told));
    }
    let year = release(&issues(2), &people, 1..=4, 10, &told);
    assert_eq!(shown(&year, 2)[0], None);
}

#[test]
fn a_unit_whose_people_share_one_issue_is_withheld() {
    let told =
        release(&cross(3, 3), &sits(&[vec![0, 25, 0], vec![20, 30, 40], vec![31, 22, 43]]), 1..=1, 10, &[]);
    for issue in ["i0", "i1", "i2"] {
        assert_eq!(told.numbers[&label(&[(Unit, "u0"), (IssueGroup, issue)])], None);
    }
    assert_eq!(told.numbers[&label(&[(Unit, "u0")])], Some(25), "how many came says nothing of why");
}

/// Every table of whole people in rows and columns that fits what is shown: the values that each cell takes.
fn every_table(grid: &Grid, told: &[Option<u32>], most: u32) -> Vec<BTreeSet<u32>> {
    let inner: Vec<usize> = grid.rows.concat();
    let mut values = vec![BTreeSet::new(); grid.cells.len()];
    let mut cells = vec![0u32; grid.cells.len()];
    fill(grid, told, most, &inner, &mut cells, &mut values);
    values
}

fn fill(
    grid: &Grid,
    told: &[Option<u32>],
    most: u32,
    open: &[usize],
    cells: &mut Vec<u32>,
    values: &mut [BTreeSet<u32>],
) {
    let Some((cell, rest)) = open.split_first() else {
        // Margins first, everybody last: that is the order of the lines.
        for line in &grid.lines {
            cells[line.total] = line.parts.iter().map(|part| cells[*part]).sum();
        }
        if cells.iter().zip(told).all(|(cell, shown)| shown.is_none_or(|shown| shown == *cell)) {
            cells.iter().zip(values).for_each(|(cell, values)| _ = values.insert(*cell));
        }
        return;
    };
    for value in told[*cell].map_or(0..=most, |shown| shown..=shown) {
        cells[*cell] = value;
        fill(grid, told, most, rest, cells, values);
    }
}

fn told(grid: &Grid, release: &Release) -> Vec<Option<u32>> {
    grid.cells.iter().map(|cell| release.numbers[&cell.label]).collect()
}

/// No small number is shown, and each could be at least the minimum and any of that many values.
fn holds(frame: &Frame, people: &[Person], minimum: u32) -> Result<(), String> {
    let grid = frame.grid();
    let counts = grid.count(people, &(1..=1));
    let told = told(&grid, &release(frame, people, 1..=1, minimum, &[]));
    // More would only widen what is found.
    let most = grid.rows.concat().iter().map(|cell| counts[*cell]).max().unwrap_or(0) + minimum;
    let tables = every_table(&grid, &told, most);
    for cell in (0..counts.len()).filter(|at| (1..minimum).contains(&counts[*at])) {
        let (least, largest) = (tables[cell].first().unwrap(), tables[cell].last().unwrap());
        if told[cell].is_some() || *largest < minimum || largest - least < minimum {
            return Err(format!("{counts:?} told as {told:?}: cell {cell} is {least} to {largest}"));
        }
    }
    Ok(())
}

#[test]
fn of_every_small_table_no_small_number_can_be_worked_out() {
    for n in 0..4usize.pow(4) {
        let at = |place: u32| n / 4usize.pow(place) % 4;
        let table = [vec![at(0), at(1)], vec![at(2), at(3)]];
        holds(&cross(2, 2), &sits(&table), 3).unwrap();
    }
}

fn table(rows: usize, columns: usize, most: usize) -> impl Strategy<Value = Vec<Vec<usize>>> {
    prop::collection::vec(prop::collection::vec(0..=most, columns), rows)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn of_wider_tables_neither(table in table(2, 3, 3)) {
        prop_assert_eq!(holds(&cross(2, 3), &sits(&table), 2), Ok(()));
    }

    /// The flow's answer is the one that trying every table gives.
    #[test]
    fn a_range_is_what_all_tables_say(table in table(2, 3, 2), mask in prop::collection::vec(any::<bool>(), 12)) {
        let grid = cross(2, 3).grid();
        let counts = grid.count(&sits(&table), &(1..=1));
        // Everybody is shown, so that every number is bounded.
        let hidden: Vec<bool> = (0..counts.len()).map(|at| at > 0 && mask[at]).collect();
        let told: Vec<_> = counts.iter().zip(&hidden).map(|(count, hide)| (!hide).then_some(*count)).collect();
        let tables = every_table(&grid, &told, counts[0]);
        let known = Known { grid: &grid, counts: &counts, hidden: &hidden, at_most: &vec![None; counts.len()] };
        for (cell, values) in tables.iter().enumerate() {
            let found = known.range(cell);
            prop_assert_eq!((found.start(), found.end()), (values.first().unwrap(), values.last().unwrap()));
        }
    }

    /// Up to the spec's 4 × 4, by the flow, which the test above holds against every table.
    #[test]
    fn no_line_is_left_with_one_number_to_find(table in table(4, 4, 25), minimum in 5u32..=12) {
        let (frame, people) = (cross(4, 4), sits(&table));
        let grid = frame.grid();
        let counts = grid.count(&people, &(1..=1));
        let told = told(&grid, &release(&frame, &people, 1..=1, minimum, &[]));
        for line in &grid.lines {
            let hidden: Vec<_> = line.parts.iter().filter(|part| told[**part].is_none()).collect();
            let sum: u32 = hidden.iter().map(|part| counts[**part]).sum();
            let open = told[line.total].is_some();
            prop_assert!(hidden.is_empty() == open || hidden.len() + usize::from(!open) > 1, "{:?} {:?}", counts, told);
            prop_assert!(hidden.is_empty() || !open || sum >= minimum, "{:?} {:?}", counts, told);
        }
    }

    /// Whatever the order in which quarters and halves are told, no difference of two of them is small.
    #[test]
    fn no_two_releases_differ_by_a_few(
        uses in prop::collection::vec((0usize..3, prop::collection::btree_set(1u8..=4, 1..4)), 0..120),
        order in Just(vec![1..=1, 1..=2, 2..=2, 1..=3, 3..=3, 1..=4]).prop_shuffle(),
    ) {
        let people: Vec<Person> = uses.into_iter().map(|(issue, quarters)| Person {
            class: BTreeMap::from([(IssueGroup, format!("i{issue}"))]),
            quarters,
        }).collect();
        let mut releases: Vec<Release> = vec![];
        for span in order {
            releases.push(release(&issues(3), &people, span, 10, &releases));
        }
        let within = |part: &Span, whole: &Span| whole.contains(part.start()) && whole.contains(part.end());
        for whole in &releases {
            for part in releases.iter().filter(|part| part.span != whole.span && within(&part.span, &whole.span)) {
                for (label, number) in &whole.numbers {
                    if let (Some(all), Some(some)) = (number, part.numbers[label]) {
                        prop_assert!(!(1..10).contains(&(all - some)), "{:?} {:?} {:?}", label, whole, part);
                    }
                }
            }
        }
    }
}
