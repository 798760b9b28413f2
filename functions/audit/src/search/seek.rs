//! The searcher: paging, cursor and names, the same for changes and for access entries.

use super::{Found, Index, Range, names, page};
use crate::cursor;
use authz::Only;
use jiff::Timestamp;
use kernel::Result;
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Recorded;
use web::{Answer, Ctx, ok};

/// Days that one search spans.
pub const DAYS: i64 = 31;

/// One kind of line that a search shows.
pub trait Line: Serialize + Send + Sized {
    /// What a search looks into, for its own access entry.
    const OF: &'static str;
    /// Members of a line in a file, in their order.
    const COLUMNS: &'static [&'static str];
    /// Whether an entry of the index is of this kind, and asked for.
    fn takes(recorded: &Recorded, wanted: &Wanted) -> bool;
    /// `origin`: with where the request came from. None of an entry of another kind.
    fn of(recorded: Recorded, origin: bool) -> Option<Self>;
    /// Whoever did it, and the place of their name.
    fn by(&mut self) -> (&str, &mut Option<Sealed<String>>);
    /// The id that the line shows.
    fn shows(&self) -> &str;
    /// For files.
    fn row(&self) -> Value {
        seal::open(|| serde_json::to_value(self)).unwrap_or_default()
    }
}

/// What a search asks for, as far as this caller may ask.
pub struct Wanted {
    pub index: Index,
    /// With where requests came from.
    pub origin: bool,
    /// Filtered beside the index.
    pub action: Option<String>,
    /// The kinds that the caller's right is narrowed to.
    pub only: Option<Only>,
}

/// How a search is paged.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct Paging {
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    #[schemars(range(min = 1, max = 100))]
    pub limit: Option<usize>,
    #[schemars(length(max = 4000))]
    pub cursor: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "{L}s")]
pub struct Lines<L> {
    data: Vec<L>,
    /// Continues the search; null at its end.
    next: Option<String>,
    /// A thousand entries were looked at and not all of what you asked for may be among them: go on with `next`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    partial: bool,
}

/// A page of a search, which is itself a look at what it shows.
pub async fn answer<L: Line>(ctx: &Ctx, wanted: &Wanted, paging: Paging) -> Answer {
    let Paging { from, to, limit, cursor } = paging;
    let range = Range::read(from, to, ctx.now(), DAYS)?;
    let filter = wanted.action.as_deref().unwrap_or_default();
    let bound = format!("{}|{:?}|{filter}|{:?}", L::OF, wanted.index, (from, to));
    let before = cursor.map(|c| cursor::open(ctx.store(), &bound, &c)).transpose()?;
    let (data, next, partial) = lines::<L>(ctx, wanted, range, before, limit.unwrap_or(25)).await?;
    let mut ids: Vec<String> = data.iter().map(|l| l.shows().to_string()).collect();
    ids.sort();
    ids.dedup();
    ctx.looked_into(L::OF, ids).await?;
    let next = next.map(|before| cursor::after(ctx.store(), &bound, &before));
    ok(&Lines { data, next, partial })
}

/// Lines with their names, where they go on, and whether the page ended at its bound of entries read.
pub async fn lines<L: Line>(
    ctx: &Ctx,
    wanted: &Wanted,
    range: Range,
    before: Option<String>,
    limit: usize,
) -> Result<(Vec<L>, Option<String>, bool)> {
    let found = page(ctx.store(), &wanted.index, range, before, limit, &|r| L::takes(r, wanted)).await?;
    let Found { entries, next, partial } = found;
    let mut data: Vec<L> = entries.into_iter().filter_map(|entry| L::of(entry, wanted.origin)).collect();
    let names = names(ctx.store(), data.iter_mut().map(|l| l.by().0.to_string())).await?;
    for line in &mut data {
        let (by, name) = line.by();
        *name = names.get(by).cloned().map(Sealed);
    }
    Ok((data, next, partial))
}
