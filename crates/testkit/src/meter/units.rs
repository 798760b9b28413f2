//! Read and write units of on-demand tables.
//! https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html and
//! …/GSI.html#GSI.ThroughputConsiderations (2026-11)

use super::size::{self, Item};
use std::ops::AddAssign;
use store::schema::{INDEXES, Index, PK, SK};

/// Units as they are, and as they would be if every item were some bytes larger: times and numbers in an item are
/// shorter or longer by chance, and a budget does not fail by chance.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Units {
    pub read: [f64; 3],
    pub write: [f64; 3],
}

/// Bytes: nothing, what chance may add to an item, and twice that.
const SLACK: [u64; 3] = [0, 24, 48];

impl AddAssign for Units {
    fn add_assign(&mut self, more: Self) {
        for n in 0..SLACK.len() {
            self.read[n] += more.read[n];
            self.write[n] += more.write[n];
        }
    }
}

/// One item read by its key; one that is not there costs as much as the smallest.
pub fn read(item: Option<&Item>, consistent: bool) -> Units {
    pages(item.map_or(0, size::item), u64::from(item.is_some()), consistent)
}

/// A query: all that it looked at together, rounded once.
pub fn query(items: &[Item], consistent: bool) -> Units {
    pages(items.iter().map(size::item).sum(), items.len() as u64, consistent)
}

/// Pages of 4 KB, half of one where the read may be a moment old.
fn pages(bytes: u64, items: u64, consistent: bool) -> Units {
    let each = if consistent { 1.0 } else { 0.5 };
    let units = |slack: u64| (bytes + slack * items).div_ceil(4096).max(1) as f64 * each;
    Units { read: SLACK.map(units), ..Units::default() }
}

/// An item written: the larger of before and after, by the KB, twice in a transaction; and its index entries, which
/// follow later and so count once.
pub fn write(before: Option<&Item>, after: Option<&Item>, transaction: bool) -> Units {
    let units = |slack: u64| {
        let own = kilobytes(before, slack).max(kilobytes(after, slack)).max(1);
        (own * if transaction { 2 } else { 1 } + entries(before, after, slack)) as f64
    };
    Units { write: SLACK.map(units), ..Units::default() }
}

/// What of it all index entries cost.
pub fn entries(before: Option<&Item>, after: Option<&Item>, slack: u64) -> u64 {
    INDEXES.iter().map(|index| entry(index, before, after, slack)).sum()
}

/// A condition of a transaction: prepared and committed like a write, but nothing changes.
pub fn check(item: Option<&Item>) -> Units {
    Units { write: SLACK.map(|slack| (2 * kilobytes(item, slack).max(1)) as f64), ..Units::default() }
}

/// None for an entry that stays as it is, one by the KB where it comes, goes or changes, and both where its key moves.
fn entry(index: &Index, before: Option<&Item>, after: Option<&Item>, slack: u64) -> u64 {
    let (old, new) = (projected(index, before), projected(index, after));
    let size = |entry: &Option<Item>| kilobytes(entry.as_ref(), slack);
    match (&old, &new) {
        (Some(a), Some(b)) if a == b => 0,
        (Some(a), Some(b)) if [index.pk, index.sk].iter().all(|key| a.get(*key) == b.get(*key)) => {
            size(&old).max(size(&new))
        }
        _ => size(&old) + size(&new),
    }
}

/// What the index holds of an item; nothing without both of its keys.
fn projected(index: &Index, item: Option<&Item>) -> Option<Item> {
    let item = item?;
    if !item.contains_key(index.pk) || !item.contains_key(index.sk) {
        return None;
    }
    let Some(holds) = index.holds else { return Some(item.clone()) };
    let kept = |name: &str| [PK, SK, index.pk, index.sk].contains(&name) || holds.contains(&name);
    Some(item.iter().filter(|(name, _)| kept(name)).map(|(n, v)| (n.clone(), v.clone())).collect())
}

fn kilobytes(item: Option<&Item>, slack: u64) -> u64 {
    item.map_or(0, |item| (size::item(item) + slack).div_ceil(1024))
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::sdk::types::AttributeValue as Av;

    /// An item of exactly so many bytes, with these further attributes among them.
    fn item(bytes: usize, more: &[(&str, &str)]) -> Item {
        let text = |v: &str| Av::S(v.into());
        let mut item = Item::from([("pk".into(), text("t#x#1")), ("sk".into(), text("."))]);
        item.extend(more.iter().map(|(n, v)| (n.to_string(), text(v))));
        let left = bytes as u64 - size::item(&item) - 1;
        item.insert("x".into(), text(&"y".repeat(left as usize)));
        assert_eq!(size::item(&item), bytes as u64);
        item
    }
    fn written(before: Option<&Item>, after: Option<&Item>) -> f64 {
        write(before, after, true).write[0]
    }

    #[test]
    fn reads_round_up_to_four_kilobytes_and_halve() {
        assert_eq!(read(None, true).read[0], 1.0);
        assert_eq!(read(Some(&item(4096, &[])), false).read[0], 0.5);
        assert_eq!(read(Some(&item(4097, &[])), true).read[0], 2.0);
        let page = [item(1500, &[]), item(1500, &[]), item(1500, &[])];
        assert_eq!(query(&page, false).read[0], 1.0, "rounded once, over all");
    }

    #[test]
    fn writes_round_up_to_one_kilobyte_and_double_in_a_transaction() {
        assert_eq!(written(None, Some(&item(1024, &[]))), 2.0);
        assert_eq!(written(None, Some(&item(1025, &[]))), 4.0);
        assert_eq!(written(Some(&item(3000, &[])), Some(&item(100, &[]))), 6.0, "the larger one counts");
        assert_eq!(write(None, Some(&item(1025, &[])), false).write[0], 2.0);
        assert_eq!(check(Some(&item(10_000, &[]))).write[0], 20.0);
        assert_eq!(check(None).write[0], 2.0);
    }

    #[test]
    fn index_entries_count_once_and_twice_where_their_key_moves() {
        let listed = |bytes, at| item(bytes, &[("gsi1pk", "t#x"), ("gsi1sk", at)]);
        let one = listed(1000, "a");
        assert_eq!(written(None, Some(&one)), 2.0 + 1.0);
        assert_eq!(written(Some(&one), Some(&listed(900, "a"))), 2.0 + 1.0);
        assert_eq!(written(Some(&one), Some(&listed(1000, "b"))), 2.0 + 2.0);
        assert_eq!(written(Some(&one), Some(&item(1000, &[]))), 2.0 + 1.0, "it leaves the list");
        assert_eq!(written(Some(&one), Some(&one.clone())), 2.0, "nothing of it changes");
    }

    #[test]
    fn an_index_that_holds_little_costs_little() {
        let due = |bytes, at| item(bytes, &[("gsi3pk", "t#due"), ("gsi3sk", at), ("version", "1")]);
        let (one, two) = (due(5000, "a"), due(5100, "a"));
        assert_eq!(written(None, Some(&one)), 10.0 + 1.0);
        assert_eq!(written(Some(&one), Some(&two)), 10.0, "what the index holds of it is the same");
    }

    #[test]
    fn chance_never_makes_an_item_cost_more_than_its_budget() {
        let short = write(None, Some(&item(1010, &[])), true);
        let long = write(None, Some(&item(1030, &[])), true);
        assert!(long.write[0] > short.write[0] && long.write[0] <= short.write[1]);
    }
}
