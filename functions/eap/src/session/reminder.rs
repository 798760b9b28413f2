//! Reminders a day and two hours before, by the way the person called safe, in words that tell nobody what it is about.

use super::{REMINDERS, Session};
use crate::{
    beneficiary::{Beneficiary, Channel},
    case::{clinical, file},
    place,
};
use jiff::Timestamp;
use kernel::{Error, Result};
use store::Record;
use web::{App, Ctx, Letter, Task};

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

async fn remind(ctx: &Ctx, old: Record<Session>) -> Result<()> {
    let passed = over(old.body.starts_at, ctx.now());
    if !old.body.is_open() || passed <= old.body.reminded {
        return Ok(());
    }
    // Before it is written down: a letter may arrive twice, and is never lost.
    if let Some(letter) = letter(ctx, &old).await? {
        ctx.app().mail().send(letter).await?;
    }
    let mut new = old.next(ctx.now());
    new.body.reminded = passed;
    match ctx.store().commit().update(place::MODULE, &old, &new).run().await {
        // Somebody changed it this moment: it is rung again, if it is still due.
        Err(Error::Stale { .. }) => Ok(()),
        other => other,
    }
}

/// Nobody is written to who did not say how; by e-mail only who chose it.
async fn letter(ctx: &Ctx, session: &Record<Session>) -> Result<Option<Letter>> {
    let (_, file, _) = file::whole(&clinical(ctx).await?, session.body.case).await?;
    let person = ctx.store().get::<Beneficiary>(file.beneficiary).await?.body;
    let Some(safe) = person.safe_contact.as_ref().filter(|s| s.channel == Channel::Email) else {
        return Ok(None);
    };
    let Some(to) = safe.address.clone().or(person.email.map(|e| e.0)) else { return Ok(None) };
    let at = session.body.starts_at.to_zoned(ctx.zone());
    let text = format!("Your appointment is on {}.\n", at.strftime("%A, %-d %B, at %H:%M"));
    Ok(Some(Letter { to, subject: "Your appointment".into(), text }))
}
