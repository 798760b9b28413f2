//! An export that proves itself: changes and access entries as they lie there, the days' digests with their leaves,
//! the records' heads and the public keys, one JSON object a line. `cargo xtask verify-audit` reads it without a
//! network and without a key of ours; nothing sealed is opened in it.

use super::{Export, ROWS, rows::too_many};
use crate::{day, verification};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::tz::TimeZone;
use kernel::{Error, Result};
use serde_json::json;
use std::collections::BTreeSet;
use store::{
    Trace, Trail,
    chain::{AccessLeaf, Leaf},
    schema::DAY_SHARDS,
};
use web::Ctx;

pub async fn bytes(ctx: &Ctx, export: &Export) -> Result<(Vec<u8>, u64)> {
    let (app, scope, store) = (ctx.app(), ctx.scope(), ctx.store());
    let utc = |at: jiff::Timestamp| at.to_zoned(TimeZone::UTC).date();
    let verification::Bounds { first, today, .. } = verification::bounds(ctx).await?;
    let (from, last) = (utc(export.from).max(first), utc(export.to).min(today));
    let (mut lines, mut records, mut keys, mut until) = (vec![], BTreeSet::new(), BTreeSet::new(), None);
    let mut at = from;
    while at <= last {
        let (sealed, leaves, access) = futures::try_join!(
            day::sealed(app, scope, at),
            day::anchored::<Leaf>(app, scope, at),
            day::anchored::<AccessLeaf>(app, scope, at),
        )?;
        let entries = store.kept(&access).await?;
        if let Some(sealed) = &sealed {
            keys.insert(sealed.key_id.clone());
            until = Some(at);
        }
        lines.push(json!({"day": {"folder": at, "sealed": sealed, "leaves": leaves, "access": access}}));
        lines.extend(entries.into_iter().map(|kept| json!({ "access": kept })));
        let traces = traces_of(ctx, at).await?;
        for chunk in traces.chunks(100) {
            let named = chunk.iter().filter_map(|trace| trace.record());
            records.extend(named.map(|(kind, record)| (kind.to_string(), record.to_string())));
            lines.extend(store.raw_changes(chunk).await?.into_iter().map(|item| json!({ "change": item })));
        }
        if lines.len() > ROWS {
            return Err(too_many());
        }
        at = at.tomorrow().map_err(Error::internal)?;
    }
    // A record stands at its last change: where that is not in the file, the record says nothing.
    if last == today {
        let wanted: Vec<(&str, &str)> = records.iter().map(|(k, r)| (k.as_str(), r.as_str())).collect();
        lines.extend(store.heads(&wanted).await?.into_iter().map(|head| json!({ "head": head })));
    }
    for id in keys {
        if let Some(der) = app.signer().public_key(&id).await? {
            lines.push(json!({"key": {"id": id, "der": STANDARD.encode(der)}}));
        }
    }
    let about = json!({
        "tenant": scope.to_string(), "whole": from == first, "heads": last == today, "until": until,
        "settled": store::stamp(ctx.now() - verification::record::SETTLED),
    });
    lines.insert(0, json!({ "about": about }));
    let mut out = vec![];
    for line in &lines {
        serde_json::to_writer(&mut out, line).map_err(Error::internal)?;
        out.push(b'\n');
    }
    Ok((out, lines.len() as u64))
}

/// Where the changes of a day lie.
async fn traces_of(ctx: &Ctx, day: jiff::civil::Date) -> Result<Vec<Trace>> {
    let mut all = vec![];
    for shard in 0..DAY_SHARDS {
        let mut before = String::new();
        loop {
            let page = ctx.store().trail(&Trail::Day(day, shard), "", &before, 1000).await?;
            let Some(last) = page.last() else { break };
            before = last.sort.clone();
            all.extend(page);
        }
    }
    Ok(all)
}
