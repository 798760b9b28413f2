//! The searcher: paging, cursor and names, the same for changes and for access entries.

use super::{Found, Index, Range, names, page};
use crate::cursor;
use jiff::Timestamp;
use kernel::Result;
use schemars::JsonSchema;
use seal::Sealed;
use serde::Serialize;
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
    /// `origin`: with where the request came from. None of an entry of another kind.
    fn of(recorded: Recorded, origin: bool) -> Option<Self>;
    fn by(&self) -> &str;
    fn name(&mut self, name: Option<Sealed<String>>);
    /// The id that the line shows.
    fn shows(&self) -> &str;
    /// For files.
    fn row(&self) -> Value {
        seal::open(|| serde_json::to_value(self)).unwrap_or_default()
    }
}

/// What a search asks for, as far as this caller may ask.
pub trait Wanted: Sync {
    type Line: Line;
    fn index(&self) -> &Index;
    fn origin(&self) -> bool;
    fn takes(&self, recorded: &Recorded) -> bool;
    /// What is filtered beside the index: a cursor belongs to it.
    fn filter(&self) -> &str {
        ""
    }
}

/// How a search is paged.
pub struct Paging {
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    pub limit: Option<usize>,
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
pub async fn answer<W: Wanted>(ctx: &Ctx, wanted: &W, paging: Paging) -> Answer {
    let Paging { from, to, limit, cursor } = paging;
    let range = Range::read(from, to, ctx.now(), DAYS)?;
    let bound = format!("{}|{:?}|{}|{:?}", W::Line::OF, wanted.index(), wanted.filter(), (from, to));
    let before = cursor.map(|c| cursor::open(ctx.store(), &bound, &c)).transpose()?;
    let (data, next, partial) = lines(ctx, wanted, range, before, limit.unwrap_or(25)).await?;
    let mut ids: Vec<String> = data.iter().map(|l| l.shows().to_string()).collect();
    ids.sort();
    ids.dedup();
    ctx.looked_into(W::Line::OF, ids).await?;
    let next = next.map(|before| cursor::after(ctx.store(), &bound, &before));
    ok(&Lines { data, next, partial })
}

/// Lines with their names, where they go on, and whether the page ended at its bound of entries read.
pub async fn lines<W: Wanted>(
    ctx: &Ctx,
    wanted: &W,
    range: Range,
    before: Option<String>,
    limit: usize,
) -> Result<(Vec<W::Line>, Option<String>, bool)> {
    let found = page(ctx.store(), wanted.index(), range, before, limit, &|r| wanted.takes(r)).await?;
    let Found { entries, next, partial } = found;
    let mut data: Vec<W::Line> =
        entries.into_iter().filter_map(|entry| W::Line::of(entry, wanted.origin())).collect();
    let names = names(ctx.store(), data.iter().map(|l| l.by().to_string())).await?;
    for line in &mut data {
        let name = names.get(line.by()).cloned().map(Sealed);
        line.name(name);
    }
    Ok((data, next, partial))
}
