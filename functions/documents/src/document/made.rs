//! Documents that the product makes itself: certificates, letters, what was signed. Their bytes lie in the storage before
//! the record says so, and they count as received from the first moment.

use super::{
    Document, FileState, FileVersion, Method, Scan, Status, Verification,
    create::{self, Wanted, file_of, part},
    receive, said,
};
use crate::{hold, retention::Trigger, retire, sniff::Type, storage};
use events::DocumentEvent;
use kernel::{DocumentId, Id, Result, Ulid};
use seal::Sealed;
use store::{Commit, Record};
use web::Ctx;

/// The only version of a file of ours.
pub fn file(ctx: &Ctx, name: &str, kind: Type, bytes: &[u8]) -> FileVersion {
    FileVersion {
        n: 1,
        file_name: Sealed(name.into()),
        kind,
        content_type: kind.media().into(),
        size: bytes.len() as u64,
        sha256: hex::encode(seal::sha256(bytes)),
        key: Ulid::new().to_string(),
        state: FileState::Received,
        uploaded_by: ctx.actor().user.clone(),
        at: ctx.now(),
        note: None,
        scan: Some(Scan { engine: "own".into(), at: ctx.now(), result: "clean".into() }),
        pieces: None,
    }
}

/// A document made of bytes, and its commit. With a `seed` a second attempt makes the same one.
pub async fn made(
    ctx: &Ctx,
    wanted: Wanted,
    bytes: Vec<u8>,
    seed: Option<Ulid>,
    event: impl FnOnce(&Record<Document>) -> DocumentEvent,
) -> Result<(Record<Document>, Commit)> {
    let mut new = create::record(ctx, wanted)?;
    if let Some(seed) = seed {
        new.id = DocumentId::of(seed);
        new.body.file.key = seed.to_string();
    }
    ctx.app()
        .files()
        .write(&file_of(ctx, new.id, &new.body.file), &new.body.file.content_type, bytes)
        .await?;
    let by = ctx.actor().user.clone();
    new.body.status = Status::Verified;
    new.body.verification = Some(Verification { by, at: ctx.now(), method: Method::Automatic, note: None });
    new.body.upload_check = None;
    new.body.begin_way(ctx.now());
    let created = retire::begin(ctx, &mut new, Trigger::Created, Some(ctx.today())).await?;
    let verified = match new.body.trigger_on {
        Some(_) => None,
        None => retire::begin(ctx, &mut new, Trigger::Verified, Some(ctx.today())).await?,
    };
    let held = hold::over(ctx, &new).await?;
    new.body.holds = held.count();
    if held.count() > 0 {
        ctx.app().files().hold(&file_of(ctx, new.id, &new.body.file), true).await?;
    }
    let commit = ctx.commit().create(&new).emit(event(&new));
    let commit = commit.put(&part(new.id, 1), &new.body.file);
    let commit = retire::plan_both(receive::publish(commit, &new), created, verified);
    let commit = storage::take(commit, new.id, new.body.file.size);
    let commit = held.keep(commit, new.id);
    Ok((new, commit))
}

/// What `document.created` says of it.
pub fn created(record: &Record<Document>) -> DocumentEvent {
    DocumentEvent::Created(said(record))
}
