//! What this module does when others speak: whom the documents are about has left, died, closed.

use crate::{
    document::{Document, Status},
    hold, place,
    retention::Trigger,
    retire, signature, template,
};
use events::Envelope;
use jiff::civil::Date;
use kernel::{Error, Result};
use store::{Entity, Wanted};
use web::{Ctx, Reaction};

/// Events after which the retention of what is about somebody begins to count.
const ENDINGS: &[&str] = &[
    "patient.deceased",
    "service_user.ended",
    "employee.left",
    "eap_contract.expired",
    "eap_contract.terminated",
    "application.rejected",
    "complaint.resolved",
    "asset.disposed",
];

pub fn all() -> Vec<Reaction> {
    let endings = ENDINGS.iter().map(|event| Reaction::on(event, ended));
    let own = [Reaction::on("document.requested", template::asked)];
    endings.chain(own).chain(hold::reactions()).chain(signature::reactions()).collect()
}

/// Names under which an event says whom it is about, besides its record.
const WHOM: &[&str] = &[
    "patient",
    "service_user",
    "employee",
    "user",
    "eap_contract",
    "contract",
    "application",
    "candidate",
    "complaint",
    "asset",
];

fn subjects(event: &Envelope) -> Vec<String> {
    let named = WHOM.iter().filter_map(|name| event.data.get(*name)?.as_str().map(String::from));
    let mut all: Vec<String> = std::iter::once(event.record.clone()).chain(named).collect();
    all.retain(|id| place::is_id(id));
    all.sort();
    all.dedup();
    all
}

/// The day it ended: what the event says, else when it was written.
fn day(ctx: &Ctx, event: &Envelope) -> Result<Date> {
    let said =
        ["last_day", "ended_on", "on", "date", "at"].iter().find_map(|name| event.data.get(*name)?.as_str());
    if let Some(day) = said.and_then(|text| text.parse::<Date>().ok()) {
        return Ok(day);
    }
    let at: jiff::Timestamp =
        said.and_then(|t| t.parse().ok()).map_or_else(|| event.at.parse(), Ok).map_err(Error::internal)?;
    Ok(at.to_zoned(ctx.zone()).date())
}

/// Each document by itself: what counts already stays as it is, so that a second delivery changes nothing.
async fn ended(ctx: Ctx, event: Envelope) -> Result<()> {
    let on = day(&ctx, &event)?;
    for subject in subjects(&event) {
        let mut cursor = None;
        loop {
            let wanted = Wanted { cursor, ..Wanted::by(&[&subject], 25) };
            let page = ctx.store().list(&Document::LISTS[1], &wanted).await?;
            for found in page.data.iter().filter(|d| d.body.subject.as_deref() == Some(subject.as_str())) {
                counts(&ctx, found.id, on).await?;
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    Ok(())
}

async fn counts(ctx: &Ctx, id: kernel::DocumentId, on: Date) -> Result<()> {
    web::again(ctx.store(), || async {
        let Some(old) = place::live::<Document>(ctx, id).await? else { return Ok(()) };
        if old.body.trigger_on.is_some() || old.body.status == Status::Disposed {
            return Ok(());
        }
        let mut new = old.next(ctx.now());
        let run = retire::begin(ctx, &mut new, Trigger::SubjectEnded, Some(on)).await?;
        if new.body.trigger_on.is_none() {
            return Ok(());
        }
        retire::plan(ctx.store().commit().update("retain", &old, &new), run).run().await
    })
    .await
}
