//! Lists: only by declared index. What is no prefix of one is refused, not filtered after the fact.

use crate::{
    Entity, Record, Scope, Store,
    cursor::Cursor,
    error::refused,
    item::{Item, s},
    key::segment,
    schema::{GSI1, GSI2, Index, PK, SK},
};
use jiff::Timestamp;
use kernel::{Error, Id, Result};

/// A list that exists. The first of a noun lies in gsi1 and the second in gsi2 of the record itself; each
/// further one (or further row of one) is an item of its own, written in the record's commit.
pub struct List<E: Entity> {
    pub name: &'static str,
    /// Query parameters that name the partition; all of them are needed.
    pub by: &'static [&'static str],
    /// Query parameters that may follow, in this order: they begin the sort key.
    pub then: &'static [&'static str],
    /// `from` and `to` (inclusive) bound the rest of the sort key.
    pub range: bool,
    pub newest_first: bool,
    /// Where a record stands in this list; nowhere, if empty.
    pub rows: fn(&Record<E>) -> Vec<Row>,
}

/// One place in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    by: Vec<String>,
    sort: Vec<String>,
}

impl Row {
    pub fn new(by: &[&dyn std::fmt::Display], sort: &[&dyn std::fmt::Display]) -> Self {
        let words = |all: &[&dyn std::fmt::Display]| all.iter().map(|v| v.to_string()).collect();
        Self { by: words(by), sort: words(sort) }
    }
    /// The values that name its partition.
    pub fn by(&self) -> &[String] {
        &self.by
    }
    /// Where it stands among the others of its partition.
    pub fn place(&self) -> String {
        sort(&self.sort)
    }
}

impl<E: Entity> List<E> {
    /// Everything, newest first.
    pub const fn newest() -> Self {
        Self::by("all", &[], |r| vec![Row::new(&[], &[&r.id])])
    }
    /// Newest first, without a range.
    pub const fn by(
        name: &'static str,
        by: &'static [&'static str],
        rows: fn(&Record<E>) -> Vec<Row>,
    ) -> Self {
        Self { name, by, then: &[], range: false, newest_first: true, rows }
    }
    pub const fn then(mut self, parameters: &'static [&'static str]) -> Self {
        self.then = parameters;
        self
    }
    pub const fn range(mut self) -> Self {
        self.range = true;
        self
    }
    pub const fn oldest_first(mut self) -> Self {
        self.newest_first = false;
        self
    }
}

/// What a caller asks of a list.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub by: Vec<String>,
    pub then: Vec<String>,
    pub from: Option<String>,
    pub to: Option<String>,
    /// From the list's other end.
    pub reversed: bool,
    pub deleted: bool,
    /// 1–100.
    pub limit: i32,
    pub cursor: Option<String>,
}

impl Wanted {
    pub fn all(limit: i32) -> Self {
        Self { limit, ..Self::default() }
    }
    pub fn by(values: &[&dyn std::fmt::Display], limit: i32) -> Self {
        Self { by: values.iter().map(|v| v.to_string()).collect(), limit, ..Self::default() }
    }
}

/// One page; `next` continues it.
#[derive(Clone, Debug)]
pub struct Page<T> {
    pub data: Vec<T>,
    pub next: Option<String>,
}

impl<T> Page<T> {
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(f).collect(), next: self.next }
    }
}

/// A row as the table keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub sk: String,
    pub index: Index,
    pub index_pk: String,
    pub index_sk: String,
}

fn index_of(list: usize) -> Index {
    if list == 1 { GSI2 } else { GSI1 }
}

/// Deleted records stand in partitions of their own, so no list ever filters.
fn partition<E: Entity>(scope: Scope, list: &List<E>, by: &[String], deleted: bool) -> String {
    let kind = E::Id::KIND;
    let gone = if deleted { "~deleted" } else { "" };
    let mut out = format!("{scope}#{kind}{gone}#{}", list.name);
    for value in by {
        out.push('#');
        out.push_str(&segment(value));
    }
    out
}

fn sort(parts: &[String]) -> String {
    parts.iter().map(|p| segment(cut(p))).collect::<Vec<_>>().join("#")
}

/// An index key holds 1,024 bytes: texts sort by their beginning.
fn cut(part: &str) -> &str {
    &part[..part.floor_char_boundary(SORTED)]
}

/// Bytes of one part of a sort key.
const SORTED: usize = 200;
/// Bytes of a partition key, the database's bound: no record stands in a longer one.
const PARTITION: usize = 2048;
/// Sorts after every character there is.
pub(crate) const LAST: &str = "\u{10ffff}";

/// Every row of a record: those that lie in the record's own item (sk `.`) first.
pub(crate) fn placed<E: Entity>(scope: Scope, record: &Record<E>) -> Vec<Placed> {
    let mut out = vec![];
    for (at, list) in E::LISTS.iter().enumerate() {
        let index = index_of(at);
        for (n, row) in (list.rows)(record).iter().enumerate() {
            debug_assert_eq!(row.by.len(), list.by.len(), "{} of {}", list.name, E::NOUN);
            let own = at < 2 && n == 0;
            let sk = if own { ".".into() } else { format!("l#{}#{}", list.name, sort(&row.by)) };
            out.push(Placed {
                sk,
                index,
                index_pk: partition(scope, list, &row.by, record.deleted_at.is_some()),
                index_sk: sort(&row.sort),
            });
        }
    }
    out
}

impl Store {
    /// One page of a declared list, in one round trip.
    pub async fn list<E: Entity>(&self, list: &'static List<E>, wanted: &Wanted) -> Result<Page<Record<E>>> {
        let at = E::LISTS.iter().position(|l| std::ptr::eq(l, list) || l.name == list.name);
        let index = index_of(at.expect("a declared list"));
        let partition = partition(self.scope, list, &wanted.by, wanted.deleted);
        if partition.len() > PARTITION {
            return Ok(Page { data: vec![], next: None });
        }
        let bounds = bounds(wanted)?;
        let page =
            self.page(index, &partition, &bounds, list.newest_first != wanted.reversed, wanted).await?;
        let data = page.data.into_iter().map(|item| self.record::<E>(item)).collect::<Result<_>>()?;
        Ok(Page { data, next: page.next })
    }

    /// Every record of it, page after page: for work on all of them. `wanted.limit` is a page's.
    pub async fn list_all<E: Entity>(
        &self,
        list: &'static List<E>,
        mut wanted: Wanted,
    ) -> Result<Vec<Record<E>>> {
        let mut all = vec![];
        loop {
            let page = self.list(list, &wanted).await?;
            all.extend(page.data);
            match page.next {
                Some(next) => wanted.cursor = Some(next),
                None => return Ok(all),
            }
        }
    }

    async fn page(
        &self,
        index: Index,
        partition: &str,
        bounds: &Bounds,
        newest_first: bool,
        wanted: &Wanted,
    ) -> Result<Page<Item>> {
        let mut query = self
            .sdk
            .query()
            .table_name(&*self.table)
            .index_name(index.name)
            .expression_attribute_names("#p", index.pk)
            .expression_attribute_values(":p", s(partition))
            .scan_index_forward(!newest_first)
            .limit(wanted.limit);
        query = match bounds {
            Bounds::None => query.key_condition_expression("#p = :p"),
            Bounds::Begins(prefix) => query
                .key_condition_expression("#p = :p AND begins_with(#s, :a)")
                .expression_attribute_names("#s", index.sk)
                .expression_attribute_values(":a", s(prefix)),
            Bounds::Between(from, to) => query
                .key_condition_expression("#p = :p AND #s BETWEEN :a AND :b")
                .expression_attribute_names("#s", index.sk)
                .expression_attribute_values(":a", s(from))
                .expression_attribute_values(":b", s(to)),
        };
        if let Some(text) = &wanted.cursor {
            let cursor = Cursor::open(self, partition, bounds, text)?;
            query = query
                .exclusive_start_key(index.pk, s(partition))
                .exclusive_start_key(index.sk, s(cursor.index_sk))
                .exclusive_start_key(PK, s(cursor.pk))
                .exclusive_start_key(SK, s(cursor.sk));
        }
        let out = query.send().await.map_err(|e| refused("list", &e))?;
        let next = out
            .last_evaluated_key
            .map(|last| Cursor::after(self, partition, bounds, index, &last))
            .transpose()?;
        Ok(Page { data: out.items.unwrap_or_default(), next })
    }
}

/// Part of what a cursor is bound to: the database refuses one that lies outside.
#[derive(Debug)]
pub(crate) enum Bounds {
    None,
    Begins(String),
    Between(String, String),
}

fn bounds(wanted: &Wanted) -> Result<Bounds> {
    let mut prefix = sort(&wanted.then);
    if !wanted.then.is_empty() {
        prefix.push('#');
    }
    let bound = |text: &Option<String>| text.as_deref().map(|t| segment(cut(t))).unwrap_or_default();
    match (&wanted.from, &wanted.to) {
        (None, None) if prefix.is_empty() => Ok(Bounds::None),
        (None, None) => Ok(Bounds::Begins(prefix)),
        (from, to) => {
            let from = format!("{prefix}{}", bound(from));
            let to = format!("{prefix}{}{LAST}", bound(to));
            if from > to {
                return Err(Error::invalid("?to", "range", "may not lie before from"));
            }
            Ok(Bounds::Between(from, to))
        }
    }
}

/// A time as sort keys write it: always the same length, so that text order is time order.
pub fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_sort_as_times_do() {
        let times = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z", "2026-01-01T00:00:01Z"];
        let stamps: Vec<String> = times.iter().map(|t| stamp(t.parse().unwrap())).collect();
        assert!(stamps.is_sorted(), "{stamps:?}");
        assert!(stamps.iter().all(|s| s.len() == 24));
    }
}
