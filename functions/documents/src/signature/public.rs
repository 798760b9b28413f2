//! Signers without a login: a link, then a code to their mailbox or telephone, then the document itself.

use super::{
    Evidence, Signature, State, Status,
    act::{self, CONSENT, Decline, Sign},
    letter::{self, Reached},
    part,
};
use crate::{
    document::{FileState, FileVersion, create},
    token::{self, Token},
};
use axum::{
    http::Method,
    routing::{get, post},
};
use jiff::{SignedDuration, Timestamp};
use kernel::{Error, Result, SignatureId};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Record, Store};
use web::{
    Answer, Anyone, App, Body, Door, Named, Route,
    files::{Link, Named as File},
    gate::TenantGate,
    ok, route,
};

/// From one address in an hour: looks, and codes sent.
const LOOKS: u64 = 120;
const CODES: u64 = 20;
/// Minutes that a code works, and that the document's link lives.
const CODE: SignedDuration = SignedDuration::from_mins(10);
const LIFE: SignedDuration = SignedDuration::from_mins(5);

pub fn routes() -> Vec<Route> {
    let at = |what: &str| format!("/v1/sign/{{token}}{what}");
    let refusals = &["request-closed", "not-your-turn"];
    vec![
        route(Method::GET, at(""), Door::Public, "sign.show", get(show))
            .gives::<Outline>(200)
            .trips(3)
            .refuses(refusals)
            .says("What a signer's link is for"),
        route(Method::POST, at("/code"), Door::Public, "sign.code", post(code))
            .gives::<Outline>(200)
            .trips(5)
            .refuses(refusals)
            .says("Sends six digits to the signer's mailbox or telephone"),
        route(Method::POST, at("/open"), Door::Public, "sign.open", post(open))
            .takes::<Code>()
            .gives::<Reading>(200)
            .trips(6)
            .refuses(&["request-closed", "not-your-turn", "wrong-code", "locked"])
            .says("With the code: the document itself, and the ticket to sign it"),
        route(Method::POST, at("/sign"), Door::Public, "sign.sign", post(sign))
            .takes::<Sign>()
            .gives::<Outline>(200)
            .trips(5)
            .refuses(&["request-closed", "not-your-turn", "document-changed", "open-first"])
            .says("Signs"),
        route(Method::POST, at("/decline"), Door::Public, "sign.decline", post(decline))
            .takes::<Decline>()
            .gives::<Outline>(200)
            .trips(6)
            .refuses(&["request-closed", "not-your-turn", "open-first"])
            .says("Declines, with a reason"),
    ]
}

/// No personal data but the signer's own name.
#[derive(Serialize, JsonSchema)]
struct Outline {
    organisation: String,
    name: Sealed<String>,
    role: String,
    state: State,
    status: Status,
    expires_on: jiff::civil::Date,
    signed_at: Option<Timestamp>,
}

#[derive(Deserialize, JsonSchema)]
struct Code {
    #[schemars(regex(pattern = r"^[0-9]{6}$"))]
    code: String,
}

/// The document as it is to be signed.
#[derive(Serialize, JsonSchema)]
pub struct Reading {
    title: Sealed<String>,
    message: Option<Sealed<String>>,
    /// To be sent back with the signature.
    sha256: String,
    document: Link,
    consent: String,
    consent_version: String,
    /// Signs within an hour.
    ticket: String,
}

impl Reading {
    pub async fn of(app: &App, store: &Store, record: &Record<Signature>, ticket: String) -> Result<Self> {
        let s = &record.body;
        let file: Option<FileVersion> = store.read(&create::part(s.document, s.document_version)).await?;
        let file = file.filter(|f| f.state == FileState::Received && f.sha256 == s.sha256);
        let file = file.ok_or_else(|| {
            Error::conflict("document-changed", "what was to be signed is not there any more")
        })?;
        let named = File { name: file.file_name.0.clone(), content_type: file.content_type.clone() };
        let at = create::file_in(store.scope(), s.document, &file);
        Ok(Self {
            title: s.title.clone(),
            message: s.message.clone(),
            sha256: s.sha256.clone(),
            document: app.files().download(&at, &named, LIFE).await?,
            consent: CONSENT.text.clone(),
            consent_version: CONSENT.version.clone(),
            ticket,
        })
    }
}

struct Opened {
    store: Store,
    tenant: TenantGate,
    record: Record<Signature>,
    evidence: Evidence,
    n: u32,
}

/// 404 unless the token is one of ours; 410 once its request is over.
async fn opened(anyone: &Anyone, text: &str) -> Result<Opened> {
    anyone.hourly("sign", LOOKS).await?;
    let token = Token::<SignatureId>::read(text)?;
    let (store, tenant) = anyone.guest(&token.tenant, format!("{}~{}", token.id, token.n)).await?;
    let (record, evidence) = act::read(&store, token.id, token.n).await?;
    if record.deleted_at.is_some() || !token.proves(&evidence.token_hash) {
        return Err(Error::Missing);
    }
    let signed = record.body.signer(token.n)?.state == State::Signed;
    if !signed {
        record.body.turn(token.n, anyone.now())?;
    }
    Ok(Opened { store, tenant, record, evidence, n: token.n })
}

impl Opened {
    fn outline(&self, record: &Record<Signature>) -> Result<Outline> {
        let signer = record.body.signer(self.n)?;
        Ok(Outline {
            organisation: self.tenant.name.clone(),
            name: signer.name.clone(),
            role: signer.role.clone(),
            state: signer.state,
            status: record.body.status,
            expires_on: record.body.expires_on,
            signed_at: signer.signed_at,
        })
    }
}

async fn show(anyone: Anyone, Named(token): Named) -> Answer {
    let opened = opened(&anyone, &token).await?;
    ok(&opened.outline(&opened.record)?)
}

async fn code(anyone: Anyone, Named(token): Named) -> Answer {
    anyone.hourly("sign-code", CODES).await?;
    let mut opened = opened(&anyone, &token).await?;
    opened.record.body.turn(opened.n, anyone.now())?;
    opened.evidence.lock.open(anyone.now())?;
    let signer = opened.record.body.signer(opened.n)?;
    let to = Reached::of(signer).ok_or(Error::Missing)?;
    let code = six_digits()?;
    opened.evidence.code_hash = Some(code_hash(&opened.evidence, &code));
    opened.evidence.code_until = Some(anyone.now() + CODE);
    opened.store.commit().put(&part(opened.record.id, opened.n), &opened.evidence).run().await?;
    let message = letter::code(&opened.tenant.name, &code);
    to.tell(anyone.app(), &opened.store, message, CODE).await?;
    ok(&opened.outline(&opened.record)?)
}

fn six_digits() -> Result<String> {
    let mut bytes = [0u8; 8];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::internal("no random numbers"))?;
    Ok(format!("{:06}", u64::from_be_bytes(bytes) % 1_000_000))
}

/// Six digits are quickly tried: the hash is bound to the link's own.
fn code_hash(evidence: &Evidence, code: &str) -> String {
    token::hash(&format!("{}:{code}", evidence.token_hash))
}

async fn open(anyone: Anyone, Named(token): Named, Body(body): Body<Code>) -> Answer {
    let mut opened = opened(&anyone, &token).await?;
    opened.record.body.turn(opened.n, anyone.now())?;
    opened.evidence.lock.open(anyone.now())?;
    let live = opened.evidence.code_until.is_some_and(|until| until > anyone.now());
    let right = opened
        .evidence
        .code_hash
        .as_deref()
        .is_some_and(|kept| token::same(&code_hash(&opened.evidence, &body.code), kept));
    if !(live && right) {
        opened.evidence.lock.wrong(anyone.now());
        opened.store.commit().put(&part(opened.record.id, opened.n), &opened.evidence).run().await?;
        return Err(
            Error::forbidden("wrong-code", "this is not the code, or its ten minutes are over").into()
        );
    }
    let (record, ticket) = act::open(&opened.store, opened.record.id, opened.n).await?;
    ok(&Reading::of(anyone.app(), &opened.store, &record, ticket).await?)
}

async fn sign(anyone: Anyone, Named(token): Named, Body(given): Body<Sign>) -> Answer {
    let opened = opened(&anyone, &token).await?;
    let record = act::sign(&opened.store, opened.record.id, opened.n, &given, None).await?;
    ok(&opened.outline(&record)?)
}

async fn decline(anyone: Anyone, Named(token): Named, Body(given): Body<Decline>) -> Answer {
    let opened = opened(&anyone, &token).await?;
    let record = act::decline(&opened.store, opened.record.id, opened.n, &given).await?;
    ok(&opened.outline(&record)?)
}
