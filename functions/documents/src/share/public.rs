//! The link's own door: no login, no list, one file. Whatever is wrong with a token looks the same.

use super::{Secret, Share, Status, api::said, place};
use crate::{
    document::{Document, FileState, FileVersion, create},
    token::Token,
};
use axum::{
    http::Method,
    routing::{get, post},
};
use events::DocumentEvent;
use jiff::{SignedDuration, Timestamp};
use kernel::{Error, Id, Result, ShareId};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Record, Store};
use web::{
    Answer, Anyone, Body, Door, Named, Route,
    access::{Looked, Outcome, Sight},
    files::{Link, Named as File},
    ok, route,
};

/// From one address in an hour.
const LOOKS: u64 = 120;
/// Seconds that a download link lives.
const LIFE: SignedDuration = SignedDuration::from_secs(60);

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/v1/shared/{token}", Door::Public, "share.open", get(open))
            .gives::<Outline>(200)
            .trips(4)
            .refuses(&["link-used-up", "link-revoked", "link-expired"])
            .says("What a share link leads to"),
        route(Method::POST, "/v1/shared/{token}/download", Door::Public, "share.download", post(download))
            .takes::<Code>()
            .gives::<Link>(200)
            .trips(5)
            .refuses(&["link-used-up", "link-revoked", "link-expired", "wrong-passcode", "locked"])
            .says("Counts one download and gives its link of one minute"),
    ]
}

#[derive(Serialize, JsonSchema)]
struct Outline {
    title: Sealed<String>,
    content_type: String,
    size: u64,
    expires_at: Timestamp,
    downloads_left: u32,
    passcode_needed: bool,
}

#[derive(Clone, Deserialize, JsonSchema)]
struct Code {
    #[schemars(length(min = 1, max = 100))]
    passcode: Option<Sealed<String>>,
}

struct Opened {
    store: Store,
    share: Record<Share>,
    secret: Secret,
}

/// 404 unless the token is one of ours; 410 if it is one that is over.
async fn opened(anyone: &Anyone, token: &str) -> Result<Opened> {
    anyone.hourly("share", LOOKS).await?;
    let token = Token::<ShareId>::read(token)?;
    let (store, _) = anyone.guest(&token.tenant, token.id).await?;
    let opened = read(store, token.id).await?;
    if !token.proves(&opened.secret.token_hash) {
        return Err(Error::Missing);
    }
    opened.share.body.open(anyone.now())?;
    Ok(opened)
}

async fn read(store: Store, id: ShareId) -> Result<Opened> {
    let (share, parts) = store.whole::<Share>(id).await?;
    let secret = parts.into_iter().find(|(at, _)| at == place(id).sk()).map(|(_, secret)| secret);
    let secret = serde_json::from_value(secret.ok_or(Error::Missing)?).map_err(Error::internal)?;
    Ok(Opened { store, share, secret })
}

/// The document and the version that the link leads to.
async fn shown(opened: &Opened) -> Result<(Record<Document>, FileVersion)> {
    let document = opened.store.get::<Document>(opened.share.body.document).await?;
    if document.deleted_at.is_some() || document.body.is_stub() {
        return Err(Error::gone("removed", "what this link led to is not kept any more"));
    }
    let file = match opened.share.body.document_version {
        Some(n) if n != document.body.file.n => {
            opened.store.read::<FileVersion>(&create::part(document.id, n)).await?.ok_or(Error::Missing)?
        }
        _ => document.body.file.clone(),
    };
    match file.state {
        FileState::Received => Ok((document, file)),
        _ => Err(Error::conflict("not-received", "this document is being replaced: try again later")),
    }
}

async fn open(anyone: Anyone, Named(token): Named) -> Answer {
    let opened = opened(&anyone, &token).await?;
    let (document, file) = shown(&opened).await?;
    let share = &opened.share.body;
    ok(&Outline {
        title: document.body.title,
        content_type: file.content_type,
        size: file.size,
        expires_at: share.expires_at,
        downloads_left: share.max_downloads - share.downloads,
        passcode_needed: share.passcode,
    })
}

async fn download(anyone: Anyone, Named(token): Named, Body(body): Body<Code>) -> Answer {
    let mut opened = opened(&anyone, &token).await?;
    proven(&anyone, &mut opened, body.passcode.as_ref().map(|p| p.as_str())).await?;
    let (document, file) = shown(&opened).await?;
    looked(&anyone, &opened, &document).await?;
    count(&anyone, &mut opened).await?;
    let named = File { name: file.file_name.0.clone(), content_type: file.content_type.clone() };
    let at = create::file_in(opened.store.scope(), document.id, &file);
    ok(&anyone.app().files().download(&at, &named, LIFE).await?)
}

/// The passcode, if one is asked for; wrong ones are counted, whatever becomes of the request.
async fn proven(anyone: &Anyone, opened: &mut Opened, given: Option<&str>) -> Result<()> {
    let Some(passcode) = opened.secret.passcode.clone() else { return Ok(()) };
    opened.secret.lock.open(anyone.now())?;
    let right = given.is_some_and(|code| passcode.is(code));
    let before = opened.secret.lock.clone();
    match right {
        true => opened.secret.lock.right(),
        false => opened.secret.lock.wrong(anyone.now()),
    }
    if opened.secret.lock != before {
        opened.store.commit().put(&place(opened.share.id), &opened.secret).run().await?;
    }
    match (right, given) {
        (true, _) => Ok(()),
        (_, None) => Err(Error::forbidden("passcode-needed", "this link asks for a passcode")),
        _ => Err(Error::forbidden("wrong-passcode", "this is not the passcode")),
    }
}

/// One download less, under the condition that one is left: of two at the last one, one gets it.
async fn count(anyone: &Anyone, opened: &mut Opened) -> Result<()> {
    let mut attempt = 0;
    loop {
        let old = &opened.share;
        old.body.open(anyone.now())?;
        let mut new = old.next(anyone.now());
        new.body.downloads += 1;
        new.body.last_at = Some(anyone.now());
        if new.body.downloads == new.body.max_downloads {
            new.body.status = Status::UsedUp;
        }
        let event = DocumentEvent::ShareDownloaded { share: said(old), downloads: new.body.downloads };
        match opened.store.commit().update("download", old, &new).emit(event).run().await {
            Err(Error::Stale { .. }) => {
                opened.store.pause(&mut attempt).await?;
                opened.share = opened.store.fresh::<Share>(old.id).await?;
            }
            other => return other,
        }
    }
}

/// Who looked: the link, before anything is given. The download's link is given by nobody's right but the share's.
async fn looked(anyone: &Anyone, opened: &Opened, document: &Record<Document>) -> Result<()> {
    let sight = Sight {
        action: "share.download".into(),
        of: kernel::DocumentId::KIND.into(),
        ids: vec![document.id.to_string()],
        outcome: Some(Outcome::Asked),
        ..Sight::default()
    };
    Looked::by(&opened.store, sight).send(anyone.app().post()).await
}
