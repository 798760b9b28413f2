//! Booking: what has to hold of case, contract and person, and the one transaction.

use super::{LONGEST, Session, Status, Terms, UNIT, api, take_time};
use crate::{
    cap,
    case::{self, Case, file},
    contract::{self, Contract},
    provider::{self, HTTPS, Provider, room},
    service::Service,
    words::Mode,
};
use events::EapEvent;
use jiff::{SignedDuration, Timestamp, civil::Date};
use kernel::{EapCaseId, EapProviderId, Error, Id, Result, error::found};
use schemars::JsonSchema;
use seal::Sealed;
use serde::Deserialize;
use store::{Label, Record};
use web::{Answer, Body, Ctx, Reach, Refused, Shown};

#[derive(Deserialize, JsonSchema)]
pub struct New {
    case: EapCaseId,
    /// On full five minutes.
    starts_at: Timestamp,
    /// The service's own length where nothing is said.
    #[schemars(range(min = UNIT, max = LONGEST))]
    minutes: Option<u16>,
    mode: Mode,
    #[schemars(length(min = 1, max = 500))]
    place: Option<String>,
    /// Of a video session; the counsellor's standing room where nothing is said.
    #[schemars(length(max = 500), regex(pattern = HTTPS))]
    link: Option<String>,
    /// Never refused by cap, contract or eligibility, and never counted.
    #[serde(default)]
    crisis: bool,
    /// Of a crisis, whoever is there; else the case's own counsellor.
    provider: Option<EapProviderId>,
}

const TRIES: u32 = 8;
/// How far ahead.
const AHEAD: SignedDuration = SignedDuration::from_hours(180 * 24);
/// A crisis is written down when it is over, too.
const BACK: SignedDuration = SignedDuration::from_hours(24);

pub async fn book(ctx: Ctx, Body(new): Body<New>) -> Answer {
    let case = ctx.change::<Case>(new.case).await?;
    if !case.body.is_open() {
        return Err(Error::State { command: "book", state: case.body.status.to_string() }.into());
    }
    if ctx.reach() == Reach::Own && case.body.status == case::Status::Intake {
        let detail = "a counsellor speaks with you first; then you can book";
        return Err(Error::field("not-triaged", "/case", detail).into());
    }
    at_a_time(&ctx, &new)?;
    let (contract, service, counsellor) = futures::try_join!(
        ctx.store().get::<Contract>(case.body.contract),
        ctx.store().get::<Service>(case.body.service),
        counsellor(&ctx, &case, &new),
    )?;
    let day = contract.body.today(new.starts_at);
    if !service.body.modes.contains(&new.mode) {
        return Err(Error::field("mode-not-offered", "/mode", "this service is not given in this way").into());
    }
    covered(&ctx, &case, &contract, day, new.crisis).await?;
    let mut session = written(&ctx, &new, &case, &contract, &service, &counsellor, day)?;
    if new.mode == Mode::Video {
        session.body.link = match new.link {
            Some(link) => Some(Sealed(link)),
            None => room::of(ctx.store(), counsellor.id).await?,
        };
    }
    let rule = cap::Rule::of(&contract.body);
    let mut attempt = 0;
    loop {
        let balance = match session.body.cap_key() {
            Some(key) => cap::Balance::read(ctx.store(), &key).await?,
            None => cap::Balance::default(),
        };
        let mut commit =
            ctx.commit().create(&session).emit(EapEvent::SessionBooked(session.body.said(session.id)));
        commit = case::require_open(commit, case.id).add(&case::open_sessions(case.id), "n", 1);
        commit = provider::ready(commit, counsellor.id);
        commit = take_time(commit, counsellor.id, session.body.starts_at, session.body.minutes, session.id);
        if let Some(key) = session.body.cap_key() {
            commit = cap::take(commit, &key, balance, rule, case.id);
        }
        let shown = Shown::of(201, &api::shown(&ctx, &session))?;
        match ctx.settle(commit, Shown { version: Some(1), ..shown }).await {
            // Sessions were added this moment: what is left is counted again.
            Err(Refused(Error::Stale { .. })) if attempt < TRIES => ctx.store().pause(&mut attempt).await?,
            answer => return answer,
        }
    }
}

fn at_a_time(ctx: &Ctx, new: &New) -> Result<()> {
    let at = new.starts_at;
    if at.as_second() % (i64::from(UNIT) * 60) != 0 || at.subsec_nanosecond() != 0 {
        return Err(Error::field("not-a-slot", "/starts_at", "sessions begin on a full five minutes"));
    }
    if new.minutes.is_some_and(|m| m % UNIT != 0) {
        return Err(Error::field("not-a-slot", "/minutes", "a multiple of five"));
    }
    let earliest = if new.crisis { ctx.now() - BACK } else { ctx.now() };
    if at < earliest || at > ctx.now() + AHEAD {
        return Err(Error::field("out-of-range", "/starts_at", "from now on, at most 180 days ahead"));
    }
    if new.link.is_some() && new.mode != Mode::Video {
        return Err(Error::field("no-video", "/link", "only a video session has a link"));
    }
    if new.crisis && ctx.reach() == Reach::Own {
        return Err(Error::field("not-allowed", "/crisis", "call the line that is always answered"));
    }
    Ok(())
}

fn not_ready() -> Error {
    Error::field(
        "provider-not-ready",
        "/provider",
        "this counsellor is not approved, or their licence is over",
    )
}

/// The case's own counsellor; of a crisis whoever is named, or the caller themselves.
async fn counsellor(ctx: &Ctx, case: &Record<Case>, new: &New) -> Result<Record<Provider>> {
    let mut id = new.provider.filter(|_| new.crisis).or(case.body.provider);
    if id.is_none() && new.crisis {
        id = ctx.store().guarded::<Provider>("user", &ctx.actor().user).await?;
    }
    let nobody = || Error::field("no-counsellor", "/case", "assign the case to a counsellor first");
    found(ctx.store().get::<Provider>(id.ok_or_else(nobody)?).await)?.ok_or_else(not_ready)
}

/// A case that was begun goes on to the end of grace; a crisis passes whatever became of contract and eligibility.
async fn covered(
    ctx: &Ctx,
    case: &Record<Case>,
    contract: &Record<Contract>,
    day: Date,
    crisis: bool,
) -> Result<()> {
    let refused = |detail: &str| Err(Error::field("not-eligible", "/case", detail));
    let c = &contract.body;
    if !c.in_grace(day) {
        return refused("the contract is over, and its days of grace too");
    }
    if crisis {
        return Ok(());
    }
    if !matches!(c.status, contract::Status::Active | contract::Status::Expired) {
        return refused("the contract is suspended or ended: in a crisis send crisis: true");
    }
    if !c.services.contains(&case.body.service) {
        return refused("the contract does not cover this service any more");
    }
    // The module reads for its own rule; whoever books hears yes or no.
    let itself = case::by_itself(ctx).await?;
    let clinical = itself.under(Label::EapClinical).await?;
    let (_, file, _) = file::whole(&clinical, case.id).await?;
    let person = itself.store().get::<crate::beneficiary::Beneficiary>(file.beneficiary).await?;
    let employee = crate::beneficiary::hooks::employee_of(itself.store(), &person.body).await?;
    match person.body.may_go_on(employee.as_ref(), day, c.grace_days) {
        true => Ok(()),
        false => refused("the person is not covered any more on that day"),
    }
}

fn written(
    ctx: &Ctx,
    new: &New,
    case: &Record<Case>,
    contract: &Record<Contract>,
    service: &Record<Service>,
    provider: &Record<Provider>,
    day: Date,
) -> Result<Record<Session>> {
    let (c, k) = (&case.body, &contract.body);
    let counts = service.body.counts_to_cap && !new.crisis;
    let minutes = new.minutes.unwrap_or(service.body.minutes.min(LONGEST).next_multiple_of(UNIT));
    let session = Session {
        case: case.id,
        client: c.client,
        contract: contract.id,
        service: service.id,
        category: c.category.clone(),
        clinical: c.clinical,
        provider: provider.id,
        provider_user: provider.body.user.map(|u| u.to_string()),
        person_ref: c.person_ref.clone(),
        pool_ref: Some(c.pool_ref.clone()).filter(|_| counts),
        cap_place: Some(cap::place(c.cap_root, contract, &c.cap_issue, day)).filter(|_| counts),
        starts_at: new.starts_at,
        day,
        minutes,
        mode: new.mode,
        place: new.place.clone().map(Sealed),
        link: None,
        status: Status::Booked,
        crisis: new.crisis,
        terms: Terms {
            late_cancel_hours: k.late_cancel_hours,
            no_show_counts: k.no_show_counts,
            late_cancel_counts: k.late_cancel_counts,
        },
        fee: provider.body.fee,
        reminded: super::reminder::over(new.starts_at, ctx.now()),
    };
    Ok(Record::with_id(kernel::EapSessionId::at(ctx.now()), ctx.now(), session))
}
