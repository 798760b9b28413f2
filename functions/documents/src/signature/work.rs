//! What follows from an event or from time: letters, reminders, the end, the certificate.

use super::{
    Signature, Status,
    api::{freed, next_reminder},
    complete,
    letter::{self, Reached},
    said, secret,
};
use crate::{place, token};
use events::{DocumentEvent, Envelope, documents::Signing};
use kernel::{Error, Result};
use serde_json::Value;
use store::Record;
use web::{App, Ctx, Reaction, Task};

pub fn reactions() -> Vec<Reaction> {
    vec![
        Reaction::on("signature.requested", asked),
        Reaction::on("signature.signed", signed),
        Reaction::on("signature.completed", completed),
    ]
}

pub fn tasks() -> Vec<Task> {
    vec![Task::on("due.sig.step", |app: App, row: Value| async move { step(&app, &row).await })]
}

fn read(event: &Envelope) -> Result<Signing> {
    serde_json::from_value(event.data.clone()).map_err(Error::internal)
}

async fn asked(ctx: Ctx, event: Envelope) -> Result<()> {
    let signing = read(&event)?;
    let Some(record) = place::live::<Signature>(&ctx, signing.signature).await? else { return Ok(()) };
    write_to(&ctx, &event, &record, &signing.asked).await
}

async fn signed(ctx: Ctx, event: Envelope) -> Result<()> {
    let signing = read(&event)?;
    let Some(record) = place::live::<Signature>(&ctx, signing.signature).await? else { return Ok(()) };
    if record.body.all_signed() {
        return complete::complete(&ctx, record.id).await;
    }
    write_to(&ctx, &event, &record, &signing.asked).await
}

const LETTERS: &str = "documents.letters";

/// A letter to each whose turn it is.
async fn write_to(ctx: &Ctx, event: &Envelope, record: &Record<Signature>, asked: &[u32]) -> Result<()> {
    if !record.body.is_live() {
        return Ok(());
    }
    let organisation = ctx.tenant()?.name.clone();
    for n in asked {
        let signer = record.body.signer(*n)?;
        let Some(to) = Reached::of(signer) else { continue };
        let token = token::write(ctx.scope(), record.id, *n, secret(ctx.store(), record.id, *n));
        let link = format!("{}/sign/{token}", ctx.app().place().public_url);
        let message = record.body.message.as_ref().map(|m| m.as_str());
        let until = record.body.expires_on.to_string();
        let asked = letter::asked(&signer.name, &organisation, &link, message, &until);
        let telling = to.tell(ctx.app(), ctx.store(), asked, letter::PATIENCE);
        ctx.tell_once(LETTERS, &format!("{}~{n}", event.id), telling).await?;
    }
    Ok(())
}

async fn completed(ctx: Ctx, event: Envelope) -> Result<()> {
    let signing = read(&event)?;
    let Some(record) = place::live::<Signature>(&ctx, signing.signature).await? else { return Ok(()) };
    let organisation = ctx.tenant()?.name.clone();
    let Some(sha256) = &record.body.final_sha256 else { return Ok(()) };
    for signer in &record.body.signers {
        let Some(to) = Reached::of(signer) else { continue };
        let said = letter::completed(&signer.name, &organisation, &record.body.title, sha256);
        let telling = to.tell(ctx.app(), ctx.store(), said, letter::PATIENCE);
        ctx.tell_once(LETTERS, &format!("{}~{}", event.id, signer.n), telling).await?;
    }
    Ok(())
}

/// A reminder, or the end: the record moves on in the commit that says so.
async fn step(app: &App, row: &Value) -> Result<()> {
    let Some((ctx, found)) = place::due::<Signature>(app, row).await? else { return Ok(()) };
    web::again(ctx.store(), || async {
        let Some(old) = place::live::<Signature>(&ctx, found.id).await? else { return Ok(()) };
        if !old.body.is_live() {
            return Ok(());
        }
        let mut new = old.next(ctx.now());
        if old.body.ends().is_some_and(|end| end <= ctx.now()) && !old.body.all_signed() {
            new.body.status = Status::Expired;
            let event = DocumentEvent::SignatureExpired(said(&new, None, vec![], ""));
            let commit = ctx.store().commit().update("expire", &old, &new).emit(event);
            return freed(&ctx, commit, &new).await?.run().await;
        }
        if old.body.remind_at.is_none_or(|at| at > ctx.now()) {
            return Ok(());
        }
        if old.body.all_signed() {
            // Everybody has signed and the certificate is late: whatever kept it is tried again.
            return complete::complete(&ctx, old.id).await;
        }
        new.body.remind_at = Some(next_reminder(&old.body, ctx.now()));
        let event = DocumentEvent::SignatureRequested(said(&new, None, old.body.asked(), ""));
        ctx.store().commit().update("remind", &old, &new).emit(event).run().await
    })
    .await
}
