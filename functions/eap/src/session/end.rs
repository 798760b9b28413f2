//! How sessions end: held, missed, cancelled. What was taken of the contract is used or given back, the quarter's row of
//! the person grows, and the counsellor's time is free again, all in one transaction.

use super::{Session, Status, api, free_time};
use crate::{
    cap,
    case::{self, course, file},
    charge,
    contract::Contract,
    use_of::{self, Ended, Kept, Quarter},
};
use events::EapEvent;
use kernel::{EapSessionId, Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use store::{Commit, Record};
use web::{Answer, At, Body, Ctx, Shown};

#[derive(Deserialize, JsonSchema)]
pub struct Complete {
    /// What is to be remembered, as a note of the case.
    #[schemars(length(min = 1, max = 20_000))]
    note: Option<String>,
    #[serde(default)]
    private: bool,
}

#[derive(Deserialize, JsonSchema)]
pub struct Nothing {}

async fn standing(ctx: &Ctx, id: EapSessionId, command: &'static str) -> Result<Record<Session>> {
    let session = ctx.change::<Session>(id).await?;
    match session.body.is_open() {
        true => Ok(session),
        false => Err(Error::State { command, state: session.body.status.to_string() }),
    }
}

fn begun(ctx: &Ctx, session: &Record<Session>) -> Result<()> {
    match session.body.starts_at <= ctx.now() {
        true => Ok(()),
        false => {
            Err(Error::unprocessable("too-early", "this session has not begun yet: it can be cancelled"))
        }
    }
}

async fn settled(ctx: &Ctx, commit: Commit, new: &Record<Session>) -> Answer {
    let shown = Shown::of(200, &api::shown(ctx, new))?;
    ctx.settle(commit, Shown { version: Some(new.version), ..shown }).await
}

pub async fn confirm(ctx: Ctx, At(id): At<EapSessionId>, _: Body<Nothing>) -> Answer {
    let old = standing(&ctx, id, "confirm").await?;
    if old.body.status == Status::Confirmed {
        return Err(Error::State { command: "confirm", state: "confirmed".into() }.into());
    }
    let mut new = old.next(ctx.now());
    new.body.status = Status::Confirmed;
    let commit = ctx.commit().update("confirm", &old, &new);
    settled(&ctx, commit, &new).await
}

pub async fn cancel(ctx: Ctx, At(id): At<EapSessionId>, _: Body<Nothing>) -> Answer {
    let old = standing(&ctx, id, "cancel").await?;
    if old.body.starts_at <= ctx.now() {
        return Err(
            Error::unprocessable("too-late", "this session has begun: it is completed or missed").into()
        );
    }
    let mut new = old.next(ctx.now());
    new.body.status = old.body.cancelled_at(ctx.now());
    let action = if new.body.status == Status::Cancelled { "cancel" } else { "late_cancel" };
    let commit = ctx.commit().update(action, &old, &new).emit(EapEvent::SessionCancelled(new.body.said(id)));
    let contract = match new.body.is_charged() {
        true => Some(ctx.store().get::<Contract>(new.body.contract).await?),
        false => None,
    };
    let commit = over(&ctx, commit, &new, contract.as_ref());
    let commit = free_time(commit, new.body.provider, new.body.starts_at, new.body.minutes);
    settled(&ctx, commit, &new).await
}

/// One less is open, what was taken is used or free again, and what is charged is noted for the bill.
fn over(ctx: &Ctx, commit: Commit, new: &Record<Session>, contract: Option<&Record<Contract>>) -> Commit {
    let s = &new.body;
    let mut commit = commit.add(&case::open_sessions(s.case), "n", -1);
    // On the day on which it is entered where the client is: a period that is billed already stays as it is.
    if let Some(contract) = contract.filter(|_| s.is_charged()) {
        let on = (s.contract, contract.body.today(ctx.now()));
        commit = charge::session(commit, ctx.store(), on, new.id, s.service, &s.person_ref);
    }
    match new.body.cap_key() {
        Some(key) if new.body.is_charged() => cap::use_one(commit, &key),
        Some(key) => cap::give_back(commit, &key),
        None => commit,
    }
}

pub async fn complete(ctx: Ctx, At(id): At<EapSessionId>, Body(said): Body<Complete>) -> Answer {
    let old = standing(&ctx, id, "complete").await?;
    begun(&ctx, &old)?;
    let mut new = old.next(ctx.now());
    new.body.status = Status::Completed;
    let ended = Ended::Completed { clinical: new.body.clinical, mode: new.body.mode };
    let event = EapEvent::SessionCompleted(new.body.said(id));
    let note = said.note.map(|text| file::Note {
        text,
        private: said.private,
        session: Some(id),
        amends: None,
        by: ctx.actor().user.clone(),
    });
    held_or_missed(&ctx, &old, &new, "complete", event, ended, note).await
}

pub async fn no_show(ctx: Ctx, At(id): At<EapSessionId>, _: Body<Nothing>) -> Answer {
    let old = standing(&ctx, id, "no_show").await?;
    begun(&ctx, &old)?;
    let mut new = old.next(ctx.now());
    new.body.status = Status::NoShow;
    let event = EapEvent::SessionMissed(new.body.said(id));
    held_or_missed(&ctx, &old, &new, "no_show", event, Ended::Missed, None).await
}

async fn held_or_missed(
    ctx: &Ctx,
    old: &Record<Session>,
    new: &Record<Session>,
    action: &str,
    event: EapEvent,
    ended: Ended,
    note: Option<file::Note>,
) -> Answer {
    let clinical = case::clinical(ctx).await?;
    let s = &new.body;
    // What is entered late counts in the quarter in which it is entered: earlier reports stay as they are.
    let row = use_of::key(s.client, Quarter::of(ctx.today()), &s.person_ref);
    let ((was, file, said), seen, contract) = futures::try_join!(
        file::whole(&clinical, s.case),
        clinical.read::<Kept>(&row),
        ctx.store().get::<Contract>(s.contract)
    )?;
    let mut case = was.next(ctx.now());
    if matches!(ended, Ended::Completed { .. }) {
        case.body.first_contact_at.get_or_insert(s.starts_at);
        case.body.held += 1;
    }
    let mut commit = over(ctx, ctx.commit().update(action, old, new).emit(event), new, Some(&contract));
    commit = commit.update("session", &was, &case);
    if let Some(left) = running_out(ctx, new, &contract).await? {
        let counsellor = case.body.provider_user.clone();
        commit = commit.emit(EapEvent::BalanceLow { case: case.id, counsellor, left });
    }
    let mut parts = use_of::count(clinical.commit(), &row, seen.as_ref(), &file.counted(), ended);
    if let Some(note) = note {
        parts = parts.joined(file::write(&clinical, &file::place(case.id, "note", case.version), &note));
    }
    if case.body.held > was.body.held {
        parts = parts.joined(course::keep(&clinical, &case, &file, &said));
    }
    settled(ctx, commit.joined(parts), new).await
}

/// One is left when this one is used: told once, as each is used once.
async fn running_out(ctx: &Ctx, new: &Record<Session>, contract: &Record<Contract>) -> Result<Option<u32>> {
    let (Some(key), Some(cap)) = (new.body.cap_key(), cap::Rule::of(&contract.body).sessions) else {
        return Ok(None);
    };
    if !new.body.is_charged() {
        return Ok(None);
    }
    let balance = cap::Balance::read(ctx.store(), &key).await?;
    Ok((balance.used + 2 == cap + balance.extra).then_some(1))
}
