//! What a signer does, whichever door they came by: opens, signs, declines. Each in one commit under the request's
//! version, so that of two clicks one counts and the other hears the same answer.

use super::{Evidence, Signature, State, Status, api::freed_in, part, said};
use crate::{lock::Lock, token};
use events::DocumentEvent;
use jiff::{SignedDuration, Timestamp};
use kernel::{Error, Result, SignatureId};
use schemars::JsonSchema;
use seal::Sealed;
use serde::Deserialize;
use std::sync::LazyLock;
use store::{Commit, Record, Store};

/// Minutes within which whoever opened it signs.
const TICKET: SignedDuration = SignedDuration::from_mins(60);

/// The text that is agreed to.
#[derive(Deserialize)]
pub struct Consent {
    pub version: String,
    pub text: String,
}

pub static CONSENT: LazyLock<Consent> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../data/consent.json")).expect("a data file of ours")
});

#[derive(Clone, Deserialize, JsonSchema)]
pub struct Sign {
    /// What opening gave.
    #[schemars(length(min = 40, max = 60))]
    pub ticket: String,
    /// The name, typed as a signature.
    #[schemars(length(min = 1, max = 120))]
    pub name: Sealed<String>,
    /// A drawn mark: PNG in base 64, 60 KB at most.
    #[schemars(length(min = 20, max = 80000))]
    pub drawn: Option<Sealed<String>>,
    /// The text that opening showed is agreed to.
    pub consent: bool,
    /// Of the document that was read.
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub sha256: String,
}

#[derive(Clone, Deserialize, JsonSchema)]
pub struct Decline {
    #[schemars(length(min = 40, max = 60))]
    pub ticket: String,
    #[schemars(length(min = 1, max = 1000))]
    pub reason: Sealed<String>,
}

/// A request with one signer's evidence, strongly read.
pub async fn read(store: &Store, id: SignatureId, n: u32) -> Result<(Record<Signature>, Evidence)> {
    let (record, parts) = store.whole::<Signature>(id).await?;
    let place = part(id, n);
    let evidence = parts.into_iter().find(|(at, _)| at == place.sk()).map(|(_, value)| value);
    Ok((record, serde_json::from_value(evidence.ok_or(Error::Missing)?).map_err(Error::internal)?))
}

/// Opens it for whoever has proven who they are; the ticket with which they sign.
pub async fn open(store: &Store, id: SignatureId, n: u32) -> Result<(Record<Signature>, String)> {
    web::again(store, || async {
        let (old, mut evidence) = read(store, id, n).await?;
        old.body.turn(n, store.now())?;
        let ticket = token::secret()?;
        (evidence.ticket_hash, evidence.ticket_until) =
            (Some(token::hash(&ticket)), Some(store.now() + TICKET));
        (evidence.code_hash, evidence.code_until, evidence.lock) = (None, None, Lock::default());
        if old.body.signer(n)?.state != State::Sent {
            store.commit().put(&part(id, n), &evidence).run().await?;
            return Ok((old, ticket));
        }
        let mut new = old.next(store.now());
        let at = store.now();
        let signer = new.body.signer_mut(n)?;
        (signer.state, signer.opened_at) = (State::Opened, Some(at));
        new.body.status = Status::InProgress;
        let event = DocumentEvent::SignatureOpened(said(&new, Some(n), vec![], ""));
        let commit = store.commit().update("open", &old, &new).emit(event);
        commit.put(&part(id, n), &evidence).run().await?;
        Ok((new, ticket))
    })
    .await
}

/// Signs; a second click hears the first one's answer.
pub async fn sign(
    store: &Store,
    id: SignatureId,
    n: u32,
    given: &Sign,
    behalf: Option<String>,
) -> Result<Record<Signature>> {
    web::again(store, || async {
        let (old, mut evidence) = read(store, id, n).await?;
        if old.body.signer(n)?.state == State::Signed && ticket(&evidence, &given.ticket, None).is_ok() {
            return Ok(old);
        }
        old.body.turn(n, store.now())?;
        ticket(&evidence, &given.ticket, Some(store.now()))?;
        if given.sha256 != old.body.sha256 {
            let detail = "this is not the document that is to be signed: open it again";
            return Err(Error::conflict("document-changed", detail));
        }
        if !given.consent {
            return Err(Error::field(
                "consent-needed",
                "/consent",
                "nothing is signed without agreeing to it",
            ));
        }
        evidence.typed = given.name.clone();
        evidence.drawn = given.drawn.clone();
        evidence.consent_version = CONSENT.version.clone();
        evidence.on_behalf = behalf.clone();
        evidence.ip = Sealed(store.caller().ip.clone());
        evidence.agent = Sealed(store.caller().agent.chars().take(300).collect());
        let mut new = old.next(store.now());
        let at = store.now();
        let signer = new.body.signer_mut(n)?;
        (signer.state, signer.signed_at) = (State::Signed, Some(at));
        new.body.status = Status::InProgress;
        let asked = new.body.ask();
        let event = DocumentEvent::SignatureSigned(said(&new, Some(n), asked, ""));
        let commit = store.commit().update("sign", &old, &new).emit(event);
        commit.put(&part(id, n), &evidence).run().await?;
        Ok(new)
    })
    .await
}

/// One decline ends the request; a second click hears the first one's answer.
pub async fn decline(store: &Store, id: SignatureId, n: u32, given: &Decline) -> Result<Record<Signature>> {
    web::again(store, || async {
        let (old, evidence) = read(store, id, n).await?;
        if old.body.signer(n)?.state == State::Declined && ticket(&evidence, &given.ticket, None).is_ok() {
            return Ok(old);
        }
        old.body.turn(n, store.now())?;
        ticket(&evidence, &given.ticket, Some(store.now()))?;
        if old.body.signer(n)?.state == State::Signed {
            return Err(Error::conflict(
                "signed-already",
                "you have signed this: ask who sent it to cancel it",
            ));
        }
        let mut new = old.next(store.now());
        let signer = new.body.signer_mut(n)?;
        (signer.state, signer.decline_reason) = (State::Declined, Some(given.reason.clone()));
        new.body.status = Status::Declined;
        let event = DocumentEvent::SignatureDeclined(said(&new, Some(n), vec![], ""));
        let commit: Commit = store.commit().update("decline", &old, &new).emit(event);
        freed_in(store, commit, &new).await?.run().await?;
        Ok(new)
    })
    .await
}

/// Whether the ticket is this signer's, and (with a time) still good.
fn ticket(evidence: &Evidence, given: &str, now: Option<Timestamp>) -> Result<()> {
    let theirs = evidence.ticket_hash.as_deref().is_some_and(|kept| token::same(&token::hash(given), kept));
    let over = now.is_some_and(|now| evidence.ticket_until.is_none_or(|until| until <= now));
    match theirs && !over {
        true => Ok(()),
        false => Err(Error::forbidden(
            "open-first",
            "open the document first: what you sign is what you have read",
        )),
    }
}
