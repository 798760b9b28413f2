//! What the person is told of their sessions: a day and two hours before, and when one is left, by the way they called
//! safe and in words that tell nobody what it is about.

use super::{REMINDERS, Session};
use crate::{
    beneficiary::Beneficiary,
    case::{clinical, file},
    contract::Contract,
    place,
    safely::Way,
};
use events::{EapEvent, Envelope};
use jiff::{SignedDuration, Timestamp};
use kernel::{EapCaseId, Error, Result};
use store::Record;
use web::{App, Ctx, Reaction, Task};

/// Of the reminders of a session that starts then, how many lie in the past.
pub fn over(starts_at: Timestamp, now: Timestamp) -> u8 {
    REMINDERS.iter().filter(|(before, _)| starts_at - *before <= now).count() as u8
}

pub fn tasks() -> Vec<Task> {
    let on = |name: &'static str| {
        Task::on(name, |app: App, message| async move {
            match web::rung::<Session>(&app, place::MODULE, &message).await? {
                Some((ctx, session)) => remind(&ctx, session).await,
                None => Ok(()),
            }
        })
    };
    vec![on("due.ess.day_before"), on("due.ess.hours_before")]
}

pub fn reactions() -> Vec<Reaction> {
    vec![Reaction::on("eap_session.balance_low", nearly_used)]
}

async fn remind(ctx: &Ctx, old: Record<Session>) -> Result<()> {
    let passed = over(old.body.starts_at, ctx.now());
    if !old.body.is_open() || passed <= old.body.reminded {
        return Ok(());
    }
    // Before it is written down: a letter may arrive twice, and is never lost.
    if let Some(way) = way_to(ctx, old.body.case).await? {
        let contract = ctx.store().get::<Contract>(old.body.contract).await?;
        let at = old.body.starts_at.to_zoned(place::zone_of(&contract.body.zone));
        let text = format!("Your appointment is on {}.\n", at.strftime("%A, %-d %B, at %H:%M"));
        way.tell(ctx, "Your appointment", text, old.body.starts_at).await?;
    }
    let mut new = old.next(ctx.now());
    new.body.reminded = passed;
    match ctx.store().commit().update(place::MODULE, &old, &new).run().await {
        // Somebody changed it this moment: it is rung again, if it is still due.
        Err(Error::Stale { .. }) => Ok(()),
        other => other,
    }
}

/// How the person of a case may be written to.
async fn way_to(ctx: &Ctx, case: EapCaseId) -> Result<Option<Way>> {
    let (_, file, _) = file::whole(&clinical(ctx).await?, case).await?;
    let person = ctx.store().get::<Beneficiary>(file.beneficiary).await?;
    Ok(Way::of(ctx, &person.body).filter(|_| person.deleted_at.is_none()))
}

/// Who hears of this event beside the person is told by rules of the notifications; it names no person.
const CONSUMER: &str = "eap.balance";
/// How long it is worth saying.
const NEWS: SignedDuration = SignedDuration::from_hours(48);

async fn nearly_used(ctx: Ctx, event: Envelope) -> Result<()> {
    let Some(EapEvent::BalanceLow { case, left, .. }) = event.read() else { return Ok(()) };
    let telling = async {
        let Some(way) = way_to(&ctx, case).await? else { return Ok(()) };
        let text = format!("You have {left} more appointment left.\n");
        way.tell(&ctx, "Your appointments", text, ctx.now() + NEWS).await
    };
    ctx.tell_once(CONSUMER, &event.id, telling).await
}
