//! What came: compared with what was announced, looked at, scanned, and only then counted as received. Told by the
//! storage, asked for by an impatient client, or found by the clock; done once.

use super::{
    Document, FileState, FileVersion, Method, Scan, Status, Verification,
    create::{file_of, of_key, part},
    said,
};
use crate::{
    place,
    retention::Trigger,
    retire::{self, Planned},
    sniff::{self, Refusal, Rules, Scanner},
    storage,
};
use events::DocumentEvent;
use jiff::SignedDuration;
use kernel::{DocumentId, Error, Result};
use serde_json::{Value, json};
use store::{Commit, Record, Scope, facts};
use web::{App, Ctx, Task};

/// Bytes that are read of a file that can be looked into as a whole.
const WHOLE: u64 = 100 << 20;
/// Of a film or an image of radiology.
const BEGINNING: u64 = 1 << 20;
/// After this time nobody waits for the bytes any more.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);

/// What has become of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Not there (yet).
    Nothing,
    Done,
}

pub fn tasks() -> Vec<Task> {
    vec![
        Task::on("file.stored", |app: App, message: Value| async move { stored(&app, &message).await }),
        Task::on("due.doc.upload", |app: App, row: Value| async move { look(&app, &row).await }),
    ]
}

/// The storage says that a file has arrived.
async fn stored(app: &App, message: &Value) -> Result<()> {
    let key = message["key"].as_str().unwrap_or_default();
    let scope = key.split('/').next().and_then(Scope::from_claim);
    let (Some(scope), Some((id, n))) = (scope, of_key(key)) else { return Ok(()) };
    let ctx = Ctx::system(app, scope, "documents", "file.stored").await?;
    match receive(&ctx, id, n).await {
        // A file of a record that never was: an upload after its document was given up.
        Err(Error::Missing) => Ok(()),
        other => other.map(drop),
    }
}

/// Looks at the bytes of a version that is awaited. Whatever it finds is written once.
pub async fn receive(ctx: &Ctx, id: DocumentId, n: u32) -> Result<Arrival> {
    web::again(ctx.store(), || async {
        let old = ctx.store().fresh::<Document>(id).await?;
        let file = &old.body.file;
        let awaited =
            old.body.status == Status::AwaitingUpload && file.n == n && file.state == FileState::Awaiting;
        if !awaited || old.deleted_at.is_some() {
            return Ok(Arrival::Done);
        }
        let Some(verdict) = verdict(ctx, id, file).await? else { return Ok(Arrival::Nothing) };
        let commit = match verdict {
            Verdict::Fine(scan) => fine(ctx, &old, scan).await?,
            Verdict::Refused(refusal, scan) => refused(ctx, &old, refusal, scan).await?,
        };
        commit.run().await?;
        Ok(Arrival::Done)
    })
    .await
}

enum Verdict {
    Fine(Scan),
    Refused(Refusal, Option<Scan>),
}

/// What the bytes are; none if there are none.
async fn verdict(ctx: &Ctx, id: DocumentId, file: &FileVersion) -> Result<Option<Verdict>> {
    let (files, place) = (ctx.app().files(), file_of(ctx, id, file));
    let Some(stat) = files.stat(&place).await? else { return Ok(None) };
    let no = |refusal| Ok(Some(Verdict::Refused(refusal, None)));
    // The storage refused other bytes at the door; what it computed itself is compared all the same.
    if stat.size != file.size || stat.sha256.as_ref().is_some_and(|sha| *sha != file.sha256) {
        return no(Refusal::ChecksumMismatch);
    }
    let large = file.size > WHOLE;
    let Some(bytes) = files.read(&place, Some(if large { BEGINNING } else { WHOLE })).await? else {
        return Ok(None);
    };
    // Of what was joined of parts the storage knows no checksum of the whole: it is read through.
    let sha256 = match stat.sha256 {
        Some(proven) => Some(proven),
        None if large => files.sha256(&place).await?,
        None => Some(hex::encode(seal::sha256(&bytes))),
    };
    if sha256.is_none_or(|sha256| sha256 != file.sha256) {
        return no(Refusal::ChecksumMismatch);
    }
    let found = Rules.scan(&bytes);
    let scan = |result: &str| Scan { engine: found.engine.into(), at: ctx.now(), result: result.into() };
    if found.threat.is_some() {
        return Ok(Some(Verdict::Refused(Refusal::Malware, Some(scan("malware")))));
    }
    match sniff::check(file.kind, &bytes) {
        Ok(()) => Ok(Some(Verdict::Fine(scan("clean")))),
        Err(refusal) => no(refusal),
    }
}

async fn fine(ctx: &Ctx, old: &Record<Document>, scan: Scan) -> Result<Commit> {
    let mut new = old.next(ctx.now());
    let d = &mut new.body;
    (d.file.state, d.file.scan, d.file.pieces) = (FileState::Received, Some(scan), None);
    (d.upload_check, d.fallback, d.rejection) = (None, None, None);
    d.status = if d.terms.needs_verification { Status::Pending } else { Status::Verified };
    flagged(ctx, old).await?;
    let commit = ctx.store().commit();
    let verified = d.status == Status::Verified;
    let run = if verified { trusted(ctx, &mut new).await? } else { None };
    let received =
        DocumentEvent::Received { document: said(&new), verified, sha256: new.body.file.sha256.clone() };
    let commit = commit.update("receive", old, &new).emit(received);
    let commit = commit.put(&part(new.id, new.body.file.n), &new.body.file);
    let commit = if verified { publish(commit, &new) } else { commit };
    Ok(retire::plan(commit, run))
}

/// What arrives under a hold is held in the storage before anybody can ask for its disposal.
async fn flagged(ctx: &Ctx, old: &Record<Document>) -> Result<()> {
    if old.body.holds == 0 {
        return Ok(());
    }
    ctx.app().files().hold(&file_of(ctx, old.id, &old.body.file), true).await
}

/// Where nobody has to look, what was received counts.
async fn trusted(ctx: &Ctx, new: &mut Record<Document>) -> Result<Planned> {
    let by = ctx.actor().user.clone();
    new.body.verification = Some(Verification { by, at: ctx.now(), method: Method::Automatic, note: None });
    new.body.begin_way(ctx.now());
    retire::begin(ctx, new, Trigger::Verified, Some(ctx.today())).await
}

/// `fact#document#<doc>`: received and verified, until then.
pub fn publish(commit: Commit, record: &Record<Document>) -> Commit {
    let d = &record.body;
    let fact = json!({"category": d.category_code, "subject": d.subject, "until": d.expires_on});
    commit.fact(facts::DOCUMENT, record.id, &fact)
}

async fn refused(ctx: &Ctx, old: &Record<Document>, refusal: Refusal, scan: Option<Scan>) -> Result<Commit> {
    let mut new = old.next(ctx.now());
    let d = &mut new.body;
    let quarantined = refusal == Refusal::Malware;
    d.file.state = if quarantined { FileState::Quarantined } else { FileState::Refused };
    d.file.scan =
        scan.or(Some(Scan { engine: "rules-1".into(), at: ctx.now(), result: refusal.code().into() }));
    (d.status, d.upload_check, d.fallback, d.file.pieces) = (Status::Refused, None, None, None);
    let event = DocumentEvent::Refused { document: said(&new), code: refusal.code().into() };
    let commit = ctx.store().commit().update("refuse", old, &new).emit(event);
    let commit = commit.put(&part(new.id, new.body.file.n), &new.body.file);
    if quarantined {
        // Nobody reads it; it stays as what was found.
        flagged(ctx, old).await?;
        return Ok(commit);
    }
    ctx.app().files().remove(&file_of(ctx, old.id, &old.body.file)).await?;
    Ok(storage::give(commit, new.id, new.body.file.size))
}

/// The clock looks after bytes whose arrival nobody told: they are there after all, or will come, or never did.
async fn look(app: &App, row: &Value) -> Result<()> {
    let Some((ctx, found)) = place::due::<Document>(app, row).await? else { return Ok(()) };
    let due = found.body.upload_check.is_some_and(|at| at <= ctx.now());
    if !due || receive(&ctx, found.id, found.body.file.n).await? == Arrival::Done {
        return Ok(());
    }
    web::again(ctx.store(), || async {
        let Some(old) = place::live::<Document>(&ctx, found.id).await? else { return Ok(()) };
        let due = old.body.status == Status::AwaitingUpload
            && old.body.upload_check.is_some_and(|at| at <= ctx.now());
        if !due {
            return Ok(());
        }
        let until = old.body.file.at + PATIENCE;
        if ctx.now() < until {
            let mut new = old.next(ctx.now());
            new.body.upload_check = Some(until);
            return ctx.store().commit().update("await", &old, &new).run().await;
        }
        if let Some(pieces) = &old.body.file.pieces {
            let place = file_of(&ctx, old.id, &old.body.file);
            ctx.app().files().abandon(&place, &pieces.upload).await?;
        }
        given_up(&ctx, &old).run().await
    })
    .await
}

/// No bytes within a day: the version is given up, and the document with it if it had no other.
fn given_up(ctx: &Ctx, old: &Record<Document>) -> Commit {
    let mut new = old.next(ctx.now());
    let mut lost = old.body.file.clone();
    (lost.state, lost.pieces) = (FileState::Removed, None);
    let (d, size) = (&mut new.body, lost.size);
    d.upload_check = None;
    let commit = ctx.store().commit();
    let commit = match d.fallback.take() {
        Some(before) => {
            (d.status, d.current, d.file) = (before.status, before.file.n, *before.file);
            d.begin_way(ctx.now());
            let holds = d.status == Status::Verified;
            let commit = commit.update("give_up", old, &new);
            if holds { publish(commit, &new) } else { commit }
        }
        None => {
            new.deleted_at = Some(new.updated_at);
            commit.update("delete", old, &new).emit(DocumentEvent::Deleted(said(old)))
        }
    };
    storage::give(commit.put(&part(old.id, lost.n), &lost), old.id, size)
}
