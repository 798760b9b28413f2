//! Filters that name a part of a list's partition only: the partitions they spread over are read together and merged
//! in the order of their sort keys. One round trip, exact order, no filtering afterwards.

use super::Noun;
use crate::Ctx;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use futures::future::try_join_all;
use kernel::{Error, Result};
use serde::{Deserialize, Serialize};
use store::{List, Page, Record, Wanted};

/// Every partition that fits: the product of what may stand in each place.
pub fn spread(places: &[Vec<String>]) -> Vec<Vec<String>> {
    let one = |all: Vec<Vec<String>>, place: &Vec<String>| {
        let with = |head: &Vec<String>| -> Vec<Vec<String>> {
            place.iter().map(|word| head.iter().chain([word]).cloned().collect()).collect()
        };
        all.iter().flat_map(with).collect()
    };
    places.iter().fold(vec![vec![]], one)
}

#[derive(Serialize, Deserialize)]
struct Cursor {
    group: usize,
    after: String,
}

/// One page of the groups one after the other, each merged from its partitions. `wanted.by` is not looked at. The
/// list's sort keys are one part each, without `#`, and differ from record to record.
pub async fn merged<E: Noun>(
    ctx: &Ctx,
    list: &'static List<E>,
    groups: &[Vec<Vec<String>>],
    wanted: &Wanted,
) -> Result<Page<Record<E>>> {
    let bound = format!("merged|{}|{groups:?}|{:?}", list.name, (&wanted.from, &wanted.to, wanted.reversed));
    let limit = usize::try_from(wanted.limit).unwrap_or(1);
    let newest_first = list.newest_first != wanted.reversed;
    let (mut group, mut after) = match &wanted.cursor {
        Some(text) => open(ctx, &bound, text).map(|c| (c.group, Some(c.after).filter(|a| !a.is_empty())))?,
        None => (0, None),
    };
    let mut data: Vec<(String, Record<E>)> = vec![];
    let mut next = None;
    while group < groups.len() {
        // One for the record that the page before ended with, one to know whether there are more.
        let missing = limit - data.len();
        let asked = asked(wanted, after.as_deref(), newest_first, missing + 2);
        let pages = groups[group].iter().map(|by| {
            let wanted = Wanted { by: by.clone(), ..asked.clone() };
            async move { ctx.store().list(list, &wanted).await.map(|page| (by, page.data)) }
        });
        let mut found: Vec<(String, Record<E>)> = vec![];
        for (by, records) in try_join_all(pages).await? {
            found.extend(records.into_iter().map(|r| (place(list, by, &r), r)));
        }
        found.sort_by(|(a, _), (b, _)| if newest_first { b.cmp(a) } else { a.cmp(b) });
        found.retain(|(key, _)| match &after {
            Some(after) if newest_first => key < after,
            Some(after) => key > after,
            None => true,
        });
        let more = found.len() > missing;
        data.extend(found.into_iter().take(missing));
        if more {
            next = data.last().map(|(key, _)| Cursor { group, after: key.clone() });
            break;
        }
        (group, after) = (group + 1, None);
        if data.len() == limit && group < groups.len() {
            next = Some(Cursor { group, after: String::new() });
            break;
        }
    }
    let data: Vec<Record<E>> = data.into_iter().map(|(_, record)| record).collect();
    let next = next.map(|cursor| seal(ctx, &bound, &cursor)).transpose()?;
    ctx.looked_at::<E>(data.iter().map(|r| r.id)).await?;
    Ok(Page { data, next })
}

fn asked(wanted: &Wanted, after: Option<&str>, newest_first: bool, limit: usize) -> Wanted {
    let (from, to) = match after.map(String::from) {
        Some(after) if newest_first => (wanted.from.clone(), Some(after)),
        Some(after) => (Some(after), wanted.to.clone()),
        None => (wanted.from.clone(), wanted.to.clone()),
    };
    Wanted { from, to, cursor: None, limit: i32::try_from(limit).unwrap_or(100), ..wanted.clone() }
}

/// Where the record stands in this partition.
fn place<E: Noun>(list: &List<E>, by: &[String], record: &Record<E>) -> String {
    (list.rows)(record).iter().find(|row| row.by() == by).map(store::Row::place).unwrap_or_default()
}

fn seal(ctx: &Ctx, bound: &str, cursor: &Cursor) -> Result<String> {
    let plain = serde_json::to_vec(cursor).map_err(Error::internal)?;
    Ok(BASE64.encode(ctx.store().seal(bound, plain)))
}

fn open(ctx: &Ctx, bound: &str, text: &str) -> Result<Cursor> {
    let read = || -> Option<Cursor> {
        let sealed = BASE64.decode(text).ok()?;
        serde_json::from_slice(&ctx.store().unseal(bound, &sealed).ok()?).ok()
    };
    read().ok_or_else(|| {
        Error::invalid("?cursor", "cursor", "this cursor is not valid here; start the list again")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_spread_over_every_partition_that_fits() {
        let words = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        let all = spread(&[words(&["active", "pending"]), words(&["0", "1"])]);
        assert_eq!(all, [["active", "0"], ["active", "1"], ["pending", "0"], ["pending", "1"]]);
        assert_eq!(spread(&[]), [[] as [&str; 0]]);
    }
}
