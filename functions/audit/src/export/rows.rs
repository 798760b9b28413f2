//! The rows of an export, page by page.

use super::{Export, Format, ROWS, Source, csv};
use crate::{
    day,
    search::{self, Line, Range, Wanted, accesses, changes},
};
use jiff::tz::TimeZone;
use kernel::{Error, Result};
use serde_json::{Value, json};
use store::chain::AccessLeaf;
use web::Ctx;

/// Rows read at once.
const PAGE: usize = 500;

/// The file's bytes, and how many rows it has.
pub async fn bytes(ctx: &Ctx, export: &Export) -> Result<(Vec<u8>, u64)> {
    let (columns, rows) = match export.source {
        Source::Changes => (changes::Line::COLUMNS, of_changes(ctx, export).await?),
        Source::Access => (accesses::Line::COLUMNS, of_access(ctx, export).await?),
        Source::Appearances => (APPEARANCES, appearances(ctx, export).await?),
        Source::Proof => return super::proof::bytes(ctx, export).await,
    };
    let count = rows.len() as u64;
    Ok((written(export.format, columns, rows)?, count))
}

fn written(format: Format, columns: &[&str], rows: Vec<Value>) -> Result<Vec<u8>> {
    if format == Format::Json {
        let mut out = vec![];
        for row in rows {
            serde_json::to_writer(&mut out, &row).map_err(Error::internal)?;
            out.push(b'\n');
        }
        return Ok(out);
    }
    let mut out = String::from(csv::MARK);
    out.push_str(&csv::row(columns.iter().map(|c| c.to_string())));
    for row in rows {
        out.push_str(&csv::row(columns.iter().map(|c| csv::text(&row[*c]))));
    }
    Ok(out.into_bytes())
}

pub fn too_many() -> Error {
    Error::unprocessable("too-many-rows", format!("one export holds {ROWS} rows: narrow it"))
}

fn range(export: &Export) -> Range {
    Range { from: export.from, to: export.to }
}

async fn of_changes(ctx: &Ctx, export: &Export) -> Result<Vec<Value>> {
    let asked = changes::Asked {
        user: export.user.clone(),
        record: export.record.clone(),
        action: export.action.clone(),
        ..changes::Asked::default()
    };
    searched::<changes::Line>(ctx, &asked.wanted(ctx)?, range(export)).await
}

async fn of_access(ctx: &Ctx, export: &Export) -> Result<Vec<Value>> {
    let asked = accesses::Asked {
        user: export.user.clone(),
        record: export.record.clone(),
        ..accesses::Asked::default()
    };
    searched::<accesses::Line>(ctx, &asked.wanted(ctx).await?, range(export)).await
}

async fn searched<L: Line>(ctx: &Ctx, wanted: &Wanted, range: Range) -> Result<Vec<Value>> {
    let (mut rows, mut before) = (vec![], None);
    loop {
        let (lines, next, _) = search::lines::<L>(ctx, wanted, range, before, PAGE).await?;
        rows.extend(lines.iter().map(L::row));
        if rows.len() > ROWS {
            return Err(too_many());
        }
        before = next;
        if before.is_none() {
            return Ok(rows);
        }
    }
}

const APPEARANCES: &[&str] = &["at", "id", "by", "by_name", "action", "outcome", "place", "of"];

/// From the anchors: lists are kept as one entry each, and not once per record.
async fn appearances(ctx: &Ctx, export: &Export) -> Result<Vec<Value>> {
    let record = export.record.as_deref().unwrap_or_default();
    let utc = |at: jiff::Timestamp| at.to_zoned(TimeZone::UTC).date();
    let (from, to) = (store::stamp(export.from), store::stamp(export.to));
    let (mut day, last, mut rows) = (utc(export.from), utc(export.to), vec![]);
    while day <= last {
        let leaves: Vec<AccessLeaf> = day::anchored(ctx.app(), ctx.scope(), day).await?;
        let mine = leaves.iter().filter(|l| l.at >= from && l.at <= to && l.ids.len() > 1);
        for leaf in mine {
            let Some(place) = leaf.ids.iter().position(|id| id == record) else { continue };
            rows.push(json!({
                "at": leaf.at, "id": leaf.id, "by": leaf.by, "action": leaf.action, "outcome": leaf.outcome,
                "place": place + 1, "of": leaf.ids.len(),
            }));
        }
        day = day.tomorrow().map_err(Error::internal)?;
    }
    let by = rows.iter().filter_map(|r| r["by"].as_str().map(String::from)).collect::<Vec<_>>();
    let names = search::names(ctx.store(), by.into_iter()).await?;
    for row in &mut rows {
        row["by_name"] = names.get(row["by"].as_str().unwrap_or_default()).cloned().into();
    }
    if rows.len() > ROWS { Err(too_many()) } else { Ok(rows) }
}
