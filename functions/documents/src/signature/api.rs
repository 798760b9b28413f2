//! Whoever wants signatures: asks, sends, cancels.

use super::{Auth, Evidence, Mode, Signature, Signer, State, Status, member, part, said, secret};
use crate::{
    document::{Document, FileState, Status as Doc},
    place, token,
};
use axum::{
    http::Method,
    routing::{get, post},
};
use events::DocumentEvent;
use jiff::{SignedDuration, ToSpan, civil::Date};
use kernel::{
    DocumentId, Error, Fault, Result, SignatureId, UserId,
    country::Country,
    error::{faultless, found},
    phone::E164,
    text,
};
use schemars::JsonSchema;
use seal::Sealed;
use serde::Deserialize;
use store::{Commit, Record, facts};
use web::{
    Answer, At, Body, Ctx, Noun, Reach, Route,
    noun::{self, Pages, View},
    ok, route,
};

const PATH: &str = "/v1/documents/signatures";
/// Days in which people may sign: usually, and at most.
const USUAL: i32 = 14;
const MOST: i32 = 90;

pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        route(
            Method::POST,
            "/v1/documents/{id}/signatures",
            "signature.create",
            "signature.create",
            post(create),
        )
        .takes::<New>()
        .gives::<View<'static, Signature>>(201)
        .trips(3)
        .refuses(&["signature-open", "not-signable"])
        .says("A request for signatures under the version in force; nobody is told before it is sent"),
        route(Method::GET, PATH, "signature.view", "signature.list", get(list))
            .asks_shape(noun::list_shape::<Signature>)
            .gives::<Pages<View<'static, Signature>>>(200)
            .trips(1)
            .says("Requests of a document, or those that wait for somebody (?signer=me)"),
        route(Method::POST, format!("{PATH}/{{id}}/send"), "signature.create", "signature.send", post(send))
            .gives::<View<'static, Signature>>(200)
            .trips(2)
            .says("draft → sent: the first (or all) are asked"),
        route(
            Method::POST,
            format!("{PATH}/{{id}}/cancel"),
            "signature.cancel",
            "signature.cancel",
            post(cancel),
        )
        .takes::<noun::Because>()
        .gives::<View<'static, Signature>>(200)
        .trips(3)
        .says("Ends the request, with a reason; its links die with it"),
    ];
    routes.extend(noun::reading::<Signature>(PATH, "signature.view"));
    routes.extend(member::routes(PATH));
    routes
}

/// Somebody who is to be asked.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct NewSigner {
    #[schemars(length(min = 1, max = 120))]
    name: Sealed<String>,
    /// Of somebody without a login: the link and the code go there.
    #[schemars(length(min = 3, max = 254))]
    email: Option<Sealed<String>>,
    /// The same of somebody by their telephone, as it is dialled in the organisation's country.
    #[schemars(length(min = 5, max = 40))]
    phone: Option<Sealed<String>>,
    /// A login of the organisation.
    user: Option<UserId>,
    /// What they sign as: `employee`, `witness`.
    #[schemars(regex(pattern = r"^[a-z0-9_-]{1,40}$"))]
    role: String,
}

#[derive(Deserialize, JsonSchema)]
struct New {
    /// In the order in which they sign.
    #[schemars(length(min = 1, max = 20))]
    signers: Vec<NewSigner>,
    #[serde(default)]
    mode: Option<Mode>,
    #[schemars(length(min = 1, max = 1000))]
    message: Option<Sealed<String>>,
    expires_on: Option<Date>,
    #[schemars(range(min = 1, max = 30))]
    remind_every_days: Option<u8>,
}

async fn create(ctx: Ctx, At(id): At<DocumentId>, Body(new): Body<New>) -> Answer {
    let document = ctx.change::<Document>(id).await?;
    document.body.not_in_signing()?;
    let ready = matches!(document.body.status, Doc::Pending | Doc::Verified);
    if !ready || document.body.file.state != FileState::Received || document.body.signed {
        return Err(Error::conflict(
            "not-signable",
            "only a received version that is in force is signed, once",
        )
        .into());
    }
    let signers = signers(&ctx, new.signers).await?;
    let today = ctx.today();
    let last = today.checked_add(MOST.days()).map_err(Error::internal)?;
    let expires_on = new.expires_on.unwrap_or(today.checked_add(USUAL.days()).map_err(Error::internal)?);
    if expires_on < today || expires_on > last {
        return Err(Error::field("expires-on", "/expires_on", format!("from today to {last}")).into());
    }
    let mut body = asked_for(&ctx, &document, signers, expires_on);
    body.message = new.message;
    body.mode = new.mode.unwrap_or_default();
    body.remind_every_days = new.remind_every_days.unwrap_or(3);
    let record = Record::new(ctx.now(), body);
    let mut signing = document.next(ctx.now());
    signing.body.signing = Some(record.id);
    let commit = ctx.commit().create(&record).update("ask_to_sign", &document, &signing);
    ctx.settle(commit, ctx.shown(201, &record)?).await
}

/// Each with a way to be asked; users are there.
async fn signers(ctx: &Ctx, new: Vec<NewSigner>) -> Result<Vec<Signer>> {
    let (mut faults, mut signers) = (vec![], vec![]);
    for (at, signer) in new.into_iter().enumerate() {
        let pointer = format!("/signers/{at}");
        let name = text::line(&signer.name, 120).map_err(|e| faults.push(e.fault(format!("{pointer}/name"))));
        let email = signer
            .email
            .as_ref()
            .map(|e| text::email(e).map_err(|e| faults.push(e.fault(format!("{pointer}/email")))));
        let email = email.and_then(std::result::Result::ok).map(Sealed);
        let home: Country = ctx.tenant()?.country.parse().unwrap_or(Country::NG);
        let phone = signer.phone.as_ref().and_then(|typed| {
            let read = E164::parse(typed, home);
            read.map_err(|e| faults.push(e.fault(format!("{pointer}/phone")))).ok()
        });
        let auth = match (&signer.user, &signer.email, &signer.phone) {
            (Some(_), None, None) => Auth::Login,
            (None, Some(_), None) => Auth::EmailCode,
            (None, None, Some(_)) => Auth::SmsCode,
            _ => {
                let detail =
                    "name a login of the organisation, an e-mail address, or a telephone: one of them";
                faults.push(Fault::new(pointer.clone(), "one-of", detail));
                Auth::Login
            }
        };
        signers.push(Signer {
            n: at as u32 + 1,
            name: Sealed(name.unwrap_or_default()),
            email,
            phone: phone.map(|p| Sealed(p.as_str().into())),
            user: signer.user,
            role: signer.role,
            auth,
            state: State::Waiting,
            opened_at: None,
            signed_at: None,
            decline_reason: None,
        });
    }
    faultless(faults)?;
    for (at, signer) in signers.iter().enumerate() {
        let Some(user) = signer.user else { continue };
        if ctx.store().fact::<serde_json::Value>(facts::ACTIVE_USER, user).await?.is_none() {
            let detail = "there is no such login, or it is not active";
            return Err(Error::field("unknown-user", format!("/signers/{at}/user"), detail));
        }
    }
    Ok(signers)
}

/// A request that another module asks for, sent at once. Its id follows from what asked, so that it is opened once.
pub async fn open(
    ctx: &Ctx,
    id: DocumentId,
    new: Vec<NewSigner>,
    seed: kernel::Ulid,
    by: &str,
) -> Result<()> {
    let request: SignatureId = kernel::Id::of(seed);
    if place::live::<Signature>(ctx, request).await?.is_some() {
        return Ok(());
    }
    let signers = signers(ctx, new).await?;
    let last = ctx.today().checked_add(USUAL.days()).map_err(Error::internal)?;
    web::again(ctx.store(), || async {
        let document = ctx.store().fresh::<Document>(id).await?;
        document.body.not_in_signing()?;
        let mut body = asked_for(ctx, &document, signers.clone(), last);
        (body.status, body.requested_by) = (Status::Sent, by.into());
        let asked = body.ask();
        body.remind_at = Some(next_reminder(&body, ctx.now()));
        let record = Record::with_id(request, ctx.now(), body);
        let mut signing = document.next(ctx.now());
        signing.body.signing = Some(request);
        let event = DocumentEvent::SignatureRequested(said(&record, None, asked, ""));
        let commit = with_tokens(ctx, ctx.store().commit().create(&record).emit(event), &record);
        commit.update("ask_to_sign", &document, &signing).run().await
    })
    .await
}

/// A request under the version in force, before anybody is asked.
fn asked_for(ctx: &Ctx, document: &Record<Document>, signers: Vec<Signer>, expires_on: Date) -> Signature {
    Signature {
        document: document.id,
        document_version: document.body.file.n,
        sha256: document.body.file.sha256.clone(),
        title: document.body.title.clone(),
        message: None,
        mode: Mode::default(),
        signers,
        expires_on,
        remind_every_days: 3,
        status: Status::Draft,
        requested_by: ctx.actor().user.clone(),
        zone: ctx.zone().iana_name().unwrap_or("UTC").into(),
        remind_at: None,
        completed_at: None,
        final_document: None,
        final_sha256: None,
        seal: None,
    }
}

/// The hash of each signer's secret, in the commit that sends the request.
fn with_tokens(ctx: &Ctx, commit: Commit, record: &Record<Signature>) -> Commit {
    record.body.signers.iter().fold(commit, |commit, signer| {
        let token_hash = token::hash(&secret(ctx.store(), record.id, signer.n));
        commit.put(&part(record.id, signer.n), &Evidence { token_hash, ..Evidence::default() })
    })
}

async fn send(ctx: Ctx, At(id): At<SignatureId>) -> Answer {
    let old = ctx.change::<Signature>(id).await?;
    if old.body.status != Status::Draft {
        return Err(Error::State { command: "send", state: old.body.status.to_string() }.into());
    }
    let mut new = old.next(ctx.now());
    new.body.status = Status::Sent;
    let asked = new.body.ask();
    new.body.remind_at = Some(next_reminder(&new.body, ctx.now()));
    let event = DocumentEvent::SignatureRequested(said(&new, None, asked, ""));
    let commit = with_tokens(&ctx, ctx.commit().update("send", &old, &new).emit(event), &new);
    ctx.settle(commit, ctx.shown(200, &new)?).await
}

pub fn next_reminder(s: &Signature, now: jiff::Timestamp) -> jiff::Timestamp {
    now + SignedDuration::from_hours(24 * i64::from(s.remind_every_days))
}

async fn cancel(ctx: Ctx, At(id): At<SignatureId>, Body(body): Body<Given>) -> Answer {
    let reason = ctx.needs_reason(body.reason.as_deref())?;
    let old = ctx.change::<Signature>(id).await?;
    if !old.body.is_live() && old.body.status != Status::Draft {
        return Err(Error::State { command: "cancel", state: old.body.status.to_string() }.into());
    }
    let mut new = old.next(ctx.now());
    new.body.status = Status::Cancelled;
    let event = DocumentEvent::SignatureCancelled(said(&new, None, vec![], ""));
    let commit = ctx.commit().because(Some(reason)).update("cancel", &old, &new).emit(event);
    let commit = freed(&ctx, commit, &new).await?;
    ctx.settle(commit, ctx.shown(200, &new)?).await
}

#[derive(Deserialize, JsonSchema)]
struct Given {
    #[schemars(length(min = 1, max = 2000))]
    reason: Option<String>,
}

/// The document is nobody's to sign any more.
pub async fn freed(ctx: &Ctx, commit: Commit, request: &Record<Signature>) -> Result<Commit> {
    freed_in(ctx.store(), commit, request).await
}

pub async fn freed_in(store: &store::Store, commit: Commit, request: &Record<Signature>) -> Result<Commit> {
    let document = found(store.fresh::<Document>(request.body.document).await)?;
    let Some(document) = document.filter(|d| d.body.signing == Some(request.id)) else { return Ok(commit) };
    let mut free = document.next(store.now());
    free.body.signing = None;
    Ok(commit.update("signing_over", &document, &free))
}

async fn list(ctx: Ctx, axum::extract::RawQuery(query): axum::extract::RawQuery) -> Answer {
    let (list, mut wanted) = noun::wanted::<Signature>(query.as_deref().unwrap_or_default())?;
    if list.name == "signer" && wanted.by.first().is_some_and(|by| by == "me") {
        wanted.by = vec![ctx.actor().user.clone()];
    }
    let mut page = ctx.store().list(list, &wanted).await?;
    page.data.retain(|r| Signature::within(r, ctx.reach(), ctx.actor()));
    ctx.looked_at::<Signature>(page.data.iter().map(|r| r.id)).await?;
    ok(&Pages::from(page.map(|record| View::owned(&ctx, record))))
}

/// How far a caller reaches is asked of the request itself.
pub async fn mine(ctx: &Ctx, id: SignatureId) -> Result<(Record<Signature>, u32)> {
    let record = place::live::<Signature>(ctx, id).await?.ok_or(Error::Missing)?;
    let n = record.body.of_user(&ctx.actor().user).filter(|_| ctx.reach() > Reach::None);
    n.map(|n| (record, n)).ok_or(Error::Missing)
}
