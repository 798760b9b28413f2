//! Which days of which services a client's running contracts hold: one item per client, so that two of them never
//! cover the same service on the same day.

use super::{Contract, Status};
use jiff::civil::Date;
use kernel::{ClientOrgId, EapContractId, EapServiceId, Error, Id, Result};
use serde::{Deserialize, Serialize};
use store::{Commit, Key, Record};
use web::Ctx;

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Span {
    contract: EapContractId,
    from: Date,
    to: Date,
    services: Vec<EapServiceId>,
}

#[derive(Default, Serialize, Deserialize)]
struct Cover {
    rev: u64,
    spans: Vec<Span>,
}

fn key(client: ClientOrgId) -> Key {
    Key::item(ClientOrgId::KIND, client, "cover")
}

fn span(record: &Record<Contract>) -> Option<Span> {
    let c = &record.body;
    let holds = record.deleted_at.is_none() && matches!(c.status, Status::Active | Status::Suspended);
    let span = Span { contract: record.id, from: c.start_date, to: c.end_date, services: c.services.clone() };
    holds.then_some(span)
}

/// What `old` held is free, what `new` holds is taken: 409 where another contract holds it.
pub async fn moved(
    ctx: &Ctx,
    old: Option<&Record<Contract>>,
    new: Option<&Record<Contract>>,
    commit: Commit,
) -> Result<Commit> {
    let (was, is_now) = (old.and_then(span), new.and_then(span));
    let Some(client) = new.or(old).map(|r| r.body.client).filter(|_| was != is_now) else {
        return Ok(commit);
    };
    let seen: Cover = ctx.store().read(&key(client)).await?.unwrap_or_default();
    let mut spans = seen.spans;
    spans.retain(|s| was.as_ref().is_none_or(|w| w.contract != s.contract));
    if let Some(span) = is_now {
        let clash = |s: &&Span| {
            s.contract != span.contract
                && s.from <= span.to
                && span.from <= s.to
                && s.services.iter().any(|x| span.services.contains(x))
        };
        if let Some(other) = spans.iter().find(clash) {
            let detail =
                "another running contract of the client has one of these services on some of these days";
            return Err(Error::conflict("contract-overlap", detail).with("contract", other.contract));
        }
        spans.retain(|s| s.contract != span.contract);
        spans.push(span);
    }
    Ok(commit.put_over(&key(client), seen.rev, &Cover { rev: seen.rev + 1, spans }))
}
