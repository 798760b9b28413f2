//! What write units are spent on: which of a commit's items, and the index entries that follow from them.

use std::collections::BTreeMap;

/// Write units by what they were spent on.
pub type Spent = BTreeMap<&'static str, f64>;

/// An item, and its entries in indexes.
pub type Part = (&'static str, &'static str);

/// By the family of a key (its second segment); what is none of these is a record or lies under one.
const FAMILIES: [(&str, Part); 11] = [
    ("chg", ("change record", "its entries by day, actor, action")),
    ("idem", ("answer for replays", "entries of answers")),
    ("find", ("search tokens", "entries of tokens")),
    ("unique", ("guards of unique values", "entries of guards")),
    ("fact", ("facts", "entries of facts")),
    ("seq", NUMBERS),
    ("quota", NUMBERS),
    ("rate", NUMBERS),
    ("metric", NUMBERS),
    ("seen", ("marks of what was done", "entries of marks")),
    ("dead", ("messages put aside", "entries of messages put aside")),
];
const NUMBERS: Part = ("numbers and quotas", "entries of numbers");
const RECORD: Part = ("record", "its entries in lists and among what is due");
const ROW: Part = ("rows of further lists", "their entries in lists");
const DUE: Part = ("rows of further due times", "their entries among what is due");
const UNDER: Part = ("parts under a record", "their entries");

pub fn of(pk: &str, sk: &str) -> Part {
    let family = pk.split('#').nth(1).unwrap_or_default();
    let known = FAMILIES.iter().find(|(name, _)| *name == family);
    match (known, sk) {
        (Some((_, part)), _) => *part,
        (None, ".") => RECORD,
        (None, sk) if sk.starts_with("l#") => ROW,
        (None, sk) if sk.starts_with("due#") => DUE,
        (None, _) => UNDER,
    }
}

pub(crate) fn add(spent: &mut Spent, part: Part, own: f64, entries: f64) {
    for (name, units) in [(part.0, own), (part.1, entries)] {
        if units > 0.0 {
            *spent.entry(name).or_default() += units;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_known_by_its_key() {
        for (pk, sk, name) in [
            ("T#pat#pat_1", ".", "record"),
            ("T#pat#pat_1", "l#by_name#x", "rows of further lists"),
            ("T#pat#pat_1", "due#review", "rows of further due times"),
            ("T#cas#cas_1", "note#1", "parts under a record"),
            ("T#chg#pat_1", "00001", "change record"),
            ("platform#seq#invoice", ".", "numbers and quotas"),
        ] {
            assert_eq!(of(pk, sk).0, name, "{pk} {sk}");
        }
    }
}
