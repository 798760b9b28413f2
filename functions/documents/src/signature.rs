//! Signature requests: people sign a version of a document, in order or at once, with a login or by a link and a code to
//! their mailbox or
//! telephone. Simple electronic signatures with evidence; no qualified certificate is claimed.
//!
//! The final document is the signed PDF, byte for byte, with the
//! certificate's pages behind it; of what is no PDF, the certificate alone, which names it by its hash.

mod act;
mod api;
mod complete;
mod letter;
mod member;
mod public;
mod verify;
mod work;

pub use api::{NewSigner, open, routes};
pub use work::{reactions, tasks};

use crate::lock::Lock;
use events::documents::Signing;
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use kernel::{DocumentId, Error, Result, SignatureId, UserId};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Due, Entity, Key, List, Record, Row, Store, Unique};
use web::{Actor, Ctx, Noun, Reach, Route};

kernel::words! {
    #[derive(Default)]
    pub enum Status {
        #[default] Draft = "draft", Sent = "sent", InProgress = "in_progress", Completed = "completed",
        Declined = "declined", Cancelled = "cancelled", Expired = "expired",
    }
}
kernel::words! {
    #[derive(Default)]
    pub enum Mode { #[default] Sequential = "sequential", Parallel = "parallel" }
}
kernel::words! { pub enum Auth { Login = "login", EmailCode = "email_code", SmsCode = "sms_code" } }
kernel::words! {
    #[derive(Default)]
    pub enum State {
        #[default] Waiting = "waiting", Sent = "sent", Opened = "opened", Signed = "signed", Declined = "declined",
    }
}

/// Somebody who is asked, as everybody who sees the request sees it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Signer {
    /// From 1, in the order of signing.
    pub n: u32,
    pub name: Sealed<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Sealed<String>>,
    /// E.164.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    pub role: String,
    pub auth: Auth,
    pub state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decline_reason: Option<Sealed<String>>,
}

/// What is kept of a signer and shown in the certificate alone: the part `signer#<n>`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Evidence {
    #[serde(default)]
    pub token_hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_hash: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_until: Option<Timestamp>,
    #[serde(default)]
    pub lock: Lock,
    /// Of the ticket that opening gave: whoever signs has opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_hash: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_until: Option<Timestamp>,
    #[serde(default)]
    pub ip: Sealed<String>,
    #[serde(default)]
    pub agent: Sealed<String>,
    #[serde(default)]
    pub consent_version: String,
    /// The name as typed under the document.
    #[serde(default)]
    pub typed: Sealed<String>,
    /// A drawn mark: PNG in base 64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawn: Option<Sealed<String>>,
    /// For whom, where somebody signs as a proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Seal {
    pub key_id: String,
    /// ECDSA P-256 over SHA-256 of the 32 bytes of `final_sha256`, ASN.1, hex.
    pub signature: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Signature {
    pub document: DocumentId,
    pub document_version: u32,
    /// Of that version's bytes: what is signed.
    pub sha256: String,
    pub title: Sealed<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Sealed<String>>,
    pub mode: Mode,
    pub signers: Vec<Signer>,
    /// The last day on which it can be signed.
    pub expires_on: Date,
    pub remind_every_days: u8,
    pub status: Status,
    pub requested_by: String,
    pub zone: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub final_document: Option<DocumentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub final_sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<Seal>,
}

pub fn part(id: SignatureId, n: u32) -> Key {
    Key::part(id, "signer", n)
}

impl Entity for Signature {
    type Id = SignatureId;
    const NOUN: &'static str = "signature";
    const PERSONAL: bool = true;
    const LISTS: &'static [List<Self>] = &[
        List::by("document", &["document"], |r| vec![Row::new(&[&r.body.document], &[&r.id])]),
        // Those whose turn it is.
        List::by("signer", &["signer"], |r| {
            let open = |s: &&Signer| r.body.is_live() && matches!(s.state, State::Sent | State::Opened);
            let users = r.body.signers.iter().filter(open).filter_map(|s| s.user);
            users.map(|user| Row::new(&[&user], &[&r.id])).collect()
        }),
    ];
    /// So that the final document's hash finds its request.
    const UNIQUE: &'static [Unique<Self>] =
        &[Unique::of("final", "signed-before", |s| s.final_sha256.iter().cloned().collect())];
    fn due(record: &Record<Self>) -> Vec<Due> {
        let s = &record.body;
        let next = s.remind_at.into_iter().chain(s.ends()).min().filter(|_| s.is_live());
        next.map(|at| Due { at, what: "step" }).into_iter().collect()
    }
}

impl Noun for Signature {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        let signs = |s: &Signer| s.user.is_some_and(|u| u.to_string() == actor.user);
        let named = record.body.requested_by == actor.user || record.body.signers.iter().any(signs);
        reach == Reach::All || (reach > Reach::None && named)
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let s = &record.body;
        let mut actions = vec![];
        let may = |permission| ctx.may(permission) > Reach::None;
        if s.status == Status::Draft && may("signature.create") {
            actions.push("send");
        }
        if (s.is_live() || s.status == Status::Draft) && may("signature.cancel") {
            actions.push("cancel");
        }
        let mine = |x: &&Signer| x.user.is_some_and(|u| u.to_string() == ctx.actor().user);
        if s.is_live()
            && s.signers.iter().find(mine).is_some_and(|x| matches!(x.state, State::Sent | State::Opened))
        {
            actions.extend(["open", "sign", "decline"]);
        }
        actions
    }
}

impl Signature {
    pub fn is_live(&self) -> bool {
        matches!(self.status, Status::Sent | Status::InProgress)
    }
    /// When its last day is over.
    pub fn ends(&self) -> Option<Timestamp> {
        let zone = TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC);
        let day = self.expires_on.checked_add(1.days()).ok()?;
        day.to_zoned(zone).ok().map(|z| z.timestamp())
    }
    pub fn signer(&self, n: u32) -> Result<&Signer> {
        self.signers.iter().find(|s| s.n == n).ok_or(Error::Missing)
    }
    pub fn signer_mut(&mut self, n: u32) -> Result<&mut Signer> {
        self.signers.iter_mut().find(|s| s.n == n).ok_or(Error::Missing)
    }
    /// Who the user is among the signers.
    pub fn of_user(&self, user: &str) -> Option<u32> {
        self.signers.iter().find(|s| s.user.is_some_and(|u| u.to_string() == user)).map(|s| s.n)
    }
    /// 410 once it is over, 409 before it is this signer's turn.
    pub fn turn(&self, n: u32, now: Timestamp) -> Result<()> {
        if !self.is_live() || self.ends().is_some_and(|end| end <= now) {
            return Err(Error::gone(
                "request-closed",
                "this request is over: nothing can be signed any more",
            ));
        }
        match self.signer(n)?.state {
            State::Waiting => {
                Err(Error::conflict("not-your-turn", "somebody else signs first: you will be told"))
            }
            _ => Ok(()),
        }
    }
    /// Those who can sign now and have not.
    pub fn asked(&self) -> Vec<u32> {
        let open = self.signers.iter().filter(|s| matches!(s.state, State::Sent | State::Opened));
        open.map(|s| s.n).collect()
    }
    /// Lets the next ones sign; whose turn it has become.
    pub fn ask(&mut self) -> Vec<u32> {
        let one_at_a_time = self.mode == Mode::Sequential;
        if one_at_a_time && !self.asked().is_empty() {
            return vec![];
        }
        let most = if one_at_a_time { 1 } else { usize::MAX };
        let next = self.signers.iter_mut().filter(|s| s.state == State::Waiting).take(most);
        next.map(|s| {
            s.state = State::Sent;
            s.n
        })
        .collect()
    }
    pub fn all_signed(&self) -> bool {
        self.signers.iter().all(|s| s.state == State::Signed)
    }
}

/// What an event says of a request.
pub fn said(record: &Record<Signature>, signer: Option<u32>, asked: Vec<u32>, by: &str) -> Signing {
    let s = &record.body;
    let user = |n: u32| s.signers.iter().find(|x| x.n == n).and_then(|x| x.user).map(|u| u.to_string());
    let mut asked_users: Vec<String> = asked.iter().filter_map(|n| user(*n)).collect();
    asked_users.dedup();
    Signing {
        signature: record.id,
        document: s.document,
        signer,
        user: signer.and_then(user),
        asked,
        asked_users,
        by: if by.is_empty() { s.requested_by.clone() } else { by.into() },
    }
}

/// The secret of a signer's link: 256 bits that follow from the tenant's own key, so that a letter can be sent again and
/// the secret lies nowhere.
pub fn secret(store: &Store, id: SignatureId, n: u32) -> String {
    let half = |which: &str| store.blind("sign", &format!("{id}~{n}~{which}"));
    format!("{}{}", half("a"), half("b"))
}

/// Everything without a login.
pub fn doors() -> Vec<Route> {
    public::routes().into_iter().chain(verify::routes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(mode: Mode, count: u32) -> Signature {
        let signer = |n| Signer {
            n,
            name: "Ada".into(),
            email: None,
            phone: None,
            user: None,
            role: "party".into(),
            auth: Auth::EmailCode,
            state: State::Waiting,
            opened_at: None,
            signed_at: None,
            decline_reason: None,
        };
        Signature {
            document: kernel::Id::of(kernel::Ulid::from_parts(1, 1)),
            document_version: 1,
            sha256: String::new(),
            title: "Contract".into(),
            message: None,
            mode,
            signers: (1..=count).map(signer).collect(),
            expires_on: "2026-12-07".parse().unwrap(),
            remind_every_days: 3,
            status: Status::Sent,
            requested_by: "usr_1".into(),
            zone: "Africa/Lagos".into(),
            remind_at: None,
            completed_at: None,
            final_document: None,
            final_sha256: None,
            seal: None,
        }
    }

    #[test]
    fn in_order_the_next_is_asked_when_the_one_before_has_signed() {
        let now = "2026-11-23T06:00:00Z".parse().unwrap();
        let mut s = request(Mode::Sequential, 3);
        assert_eq!(s.ask(), [1]);
        assert_eq!(s.ask(), [] as [u32; 0]);
        assert_eq!(s.turn(2, now).unwrap_err().code(), "not-your-turn");
        s.signer_mut(1).unwrap().state = State::Signed;
        assert_eq!(s.ask(), [2]);
        assert!(s.turn(2, now).is_ok() && !s.all_signed());
    }

    #[test]
    fn at_once_all_are_asked() {
        let mut s = request(Mode::Parallel, 3);
        assert_eq!(s.ask(), [1, 2, 3]);
    }

    #[test]
    fn after_its_last_day_nothing_is_signed() {
        let mut s = request(Mode::Parallel, 1);
        s.ask();
        assert!(s.turn(1, "2026-12-07T22:59:59Z".parse().unwrap()).is_ok());
        assert_eq!(s.turn(1, "2026-12-07T23:00:00Z".parse().unwrap()).unwrap_err().code(), "request-closed");
    }
}
