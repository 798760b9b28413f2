//! Search: one index and the time, newest first; what else is asked for is looked at within a page of at most a
//! thousand entries. Anything wider is an export.

pub mod accesses;
pub mod changes;
mod seek;

pub use seek::{Line, Wanted, lines};

use authz::Only;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use kernel::{Error, Result};
use std::collections::{BTreeMap, HashMap};
use store::{Key, Recorded, Store, Trace, Trail, facts, schema::DAY_SHARDS};

/// Entries read for one page.
const READ: usize = 1000;
/// Days that are read side by side, once the newest has been read alone.
const DAYS_AT_ONCE: usize = 10;

/// Entries read from one part at once: one more than wanted, and enough to choose from.
fn at_once(limit: usize) -> usize {
    (limit + 1).clamp(50, 500)
}

/// Where a search begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Index {
    /// Changes of a record, by its kind and id.
    Record(String, String),
    /// Access entries of a record.
    Looked(String, String),
    Actor(String),
    /// `<kind>.<action>`
    Action(String),
    /// Access entries about a person.
    Person(String),
    /// Changes by day.
    Days,
}

#[derive(Clone, Copy, Debug)]
pub struct Range {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Range {
    /// The last days up to now, if nothing is said; 422 if it is the wrong way round or too long.
    pub fn read(from: Option<Timestamp>, to: Option<Timestamp>, now: Timestamp, most: i64) -> Result<Self> {
        let to = to.unwrap_or(now);
        let days = SignedDuration::from_hours(24 * most);
        let from = from.unwrap_or_else(|| to.checked_sub(days).unwrap_or(Timestamp::MIN));
        if from > to {
            return Err(Error::field("bad-range", "?to", "not before from"));
        }
        if to.duration_since(from) > days {
            let detail =
                format!("at most {most} days at once; wider ranges go through POST /v1/audit/exports");
            return Err(Error::field("bad-range", "?from", detail));
        }
        Ok(Self { from, to })
    }

    fn days(&self) -> Vec<Date> {
        let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
        let (first, mut at) = (day(self.from), day(self.to));
        let mut days = vec![at];
        while at > first {
            let Ok(before) = at.yesterday() else { break };
            at = before;
            days.push(at);
        }
        days
    }
}

/// What a page found, and where it goes on.
#[derive(Default)]
pub struct Found {
    pub entries: Vec<Recorded>,
    pub next: Option<String>,
    /// The page ended at its bound of entries read, not of entries found.
    pub partial: bool,
}

type Wants<'a> = &'a (dyn Fn(&Recorded) -> bool + Sync);

pub async fn page(
    store: &Store,
    index: &Index,
    range: Range,
    before: Option<String>,
    limit: usize,
    wants: Wants<'_>,
) -> Result<Found> {
    match index {
        Index::Record(kind, id) => versions(store, (kind, id), range, before, limit, wants).await,
        Index::Looked(kind, id) => looked(store, &format!("{kind}#{id}"), range, before, limit, wants).await,
        _ => trails(store, &parts(index, &range), range, before, limit, wants).await,
    }
}

/// Parts that are read one after the other; the trails of one are merged.
fn parts(index: &Index, range: &Range) -> Vec<Vec<Trail>> {
    match index {
        Index::Actor(user) => vec![vec![Trail::Actor(user.clone())]],
        Index::Person(person) => vec![vec![Trail::Looked(person.clone())]],
        Index::Action(action) => {
            let mut months: Vec<String> =
                range.days().iter().map(|d| d.strftime("%Y-%m").to_string()).collect();
            months.dedup();
            months.into_iter().map(|month| vec![Trail::Action(action.clone(), month)]).collect()
        }
        _ => {
            let days = range.days();
            let shards = |days: &[Date]| {
                days.iter().flat_map(|d| (0..DAY_SHARDS).map(|n| Trail::Day(*d, n))).collect::<Vec<_>>()
            };
            let (newest, older) = days.split_at(days.len().min(1));
            std::iter::once(newest).chain(older.chunks(DAYS_AT_ONCE)).map(shards).collect()
        }
    }
}

async fn trails(
    store: &Store,
    parts: &[Vec<Trail>],
    range: Range,
    before: Option<String>,
    limit: usize,
    wants: Wants<'_>,
) -> Result<Found> {
    // `$` sorts behind the `#` that follows a time.
    let mut before = before.unwrap_or_else(|| format!("{}$", store::stamp(range.to)));
    let from = store::stamp(range.from);
    let (mut found, mut read, many) = (Found::default(), 0, at_once(limit));
    for part in parts {
        loop {
            let of = part.iter().map(|trail| store.trail(trail, &from, &before, many as i32));
            let mut traces: Vec<Trace> = futures::future::try_join_all(of).await?.concat();
            traces.sort_by(|a, b| b.sort.cmp(&a.sort));
            // The place of the cursor itself may have been left out of a part.
            let more = traces.len() + 1 >= many;
            traces.truncate(many);
            let sorts: HashMap<(String, String), String> =
                traces.iter().map(|t| ((t.pk.clone(), t.sk.clone()), t.sort.clone())).collect();
            read += traces.len();
            if let Some(last) = traces.last() {
                before = last.sort.clone();
            }
            for recorded in store.recorded(&traces).await?.into_iter().filter(|r| wants(r)) {
                let sort = sorts.get(&place(store, &recorded)).cloned();
                found.entries.push(recorded);
                if found.entries.len() == limit {
                    found.next = sort;
                    return Ok(found);
                }
            }
            if read >= READ && more {
                (found.next, found.partial) = (Some(before), true);
                return Ok(found);
            }
            if !more {
                break;
            }
        }
    }
    Ok(found)
}

/// The key of an opened entry.
fn place(store: &Store, recorded: &Recorded) -> (String, String) {
    let scope = store.scope();
    match recorded {
        Recorded::Change { kind, record, change } => {
            (format!("{scope}#chg#{kind}#{record}"), format!("v#{:010}", change.version))
        }
        Recorded::Access(looked) => {
            (format!("{scope}#access#{}", looked.kept.entry.key()), looked.kept.entry.place())
        }
    }
}

/// A record's versions are ordered by number, and so by time.
async fn versions(
    store: &Store,
    (kind, id): (&str, &str),
    range: Range,
    before: Option<String>,
    limit: usize,
    wants: Wants<'_>,
) -> Result<Found> {
    let (mut found, mut read, many) = (Found::default(), 0, at_once(limit));
    let mut below: Option<u64> = before.and_then(|b| b.parse().ok());
    loop {
        let changes = store.changes_of(kind, id, below, many as i32).await?;
        let more = changes.len() == many;
        read += changes.len();
        for change in changes {
            if change.at < range.from {
                return Ok(found);
            }
            let version = change.version;
            let recorded =
                Recorded::Change { kind: kind.into(), record: id.into(), change: Box::new(change.clone()) };
            if change.at <= range.to && wants(&recorded) {
                if found.entries.len() == limit {
                    found.next = below.map(|b| b.to_string());
                    return Ok(found);
                }
                found.entries.push(recorded);
            }
            below = Some(version);
        }
        if !more {
            return Ok(found);
        }
        if read >= READ {
            (found.next, found.partial) = (below.map(|b| b.to_string()), true);
            return Ok(found);
        }
    }
}

async fn looked(
    store: &Store,
    key: &str,
    range: Range,
    before: Option<String>,
    limit: usize,
    wants: Wants<'_>,
) -> Result<Found> {
    let mut before = before.unwrap_or_else(|| format!("{}$", store::stamp(range.to)));
    let from = store::stamp(range.from);
    let (mut found, mut read, many) = (Found::default(), 0, at_once(limit));
    loop {
        let page = store.accesses(key, &from, &before, many as i32).await?;
        // The place of the cursor itself may have been left out.
        let more = page.len() + 1 >= many;
        read += page.len();
        for looked in page {
            let place = looked.kept.entry.place();
            let recorded = Recorded::Access(Box::new(looked));
            if wants(&recorded) {
                if found.entries.len() == limit {
                    found.next = Some(before);
                    return Ok(found);
                }
                found.entries.push(recorded);
            }
            before = place;
        }
        if !more {
            return Ok(found);
        }
        if read >= READ {
            (found.next, found.partial) = (Some(before), true);
            return Ok(found);
        }
    }
}

/// Names of users, as they are now: what was stored is the id.
pub async fn names(store: &Store, users: impl Iterator<Item = String>) -> Result<BTreeMap<String, String>> {
    let mut users: Vec<String> = users.filter(|u| u.starts_with("usr_")).collect();
    users.sort();
    users.dedup();
    if users.is_empty() {
        return Ok(BTreeMap::new());
    }
    let keys: Vec<Key> = users.iter().map(|u| Key::fact(facts::CONTACT, u)).collect();
    let facts = store.read_many(&keys).await?;
    let named = users.into_iter().zip(facts).filter_map(|(user, fact)| {
        let name = fact?["name"].as_str()?.to_string();
        Some((user, name))
    });
    Ok(named.collect())
}

/// Filters that do not go together, with what does.
pub fn unsupported(allowed: &str) -> Error {
    Error::invalid("?", "unsupported-filter", format!("these do not go together; allowed: {allowed}"))
}

/// Whether a right restricted like this shows where a request came from.
pub fn shows_origin(only: Option<Only>) -> bool {
    only.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_range_is_the_right_way_round_and_not_too_long() {
        let now = at("2026-05-31T12:00:00Z");
        let code = |from, to| Range::read(from, to, now, 31).err().map(|e| e.code());
        assert_eq!(code(None, None), None);
        assert_eq!(code(Some(at("2026-05-01T00:00:00Z")), Some(at("2026-05-31T23:59:59Z"))), None);
        assert_eq!(code(Some(at("2026-06-02T00:00:00Z")), None), Some("bad-range"));
        assert_eq!(code(Some(at("2026-04-01T00:00:00Z")), None), Some("bad-range"));
    }

    #[test]
    fn days_and_months_come_newest_first() {
        let range = Range { from: at("2026-02-27T10:00:00Z"), to: at("2026-03-01T09:00:00Z") };
        let days: Vec<String> = range.days().iter().map(ToString::to_string).collect();
        assert_eq!(days, ["2026-03-01", "2026-02-28", "2026-02-27"]);
        let months = parts(&Index::Action("pat.update".into()), &range);
        assert_eq!(months.len(), 2);
        assert_eq!(months[0], [Trail::Action("pat.update".into(), "2026-03".into())]);
    }
}
