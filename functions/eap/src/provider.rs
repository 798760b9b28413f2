//! Providers (EAP-3): counsellors of our own and of our network. Who is approved and has a licence in date is ready,
//! which is a fact that bookings require.

pub mod room;

pub use room::HTTPS;

use crate::{
    place::{MODULE, at_hour, midnight},
    service::Mode,
};
use events::{EapEvent, Envelope, IdentityEvent};
use jiff::{ToSpan, civil::Date};
use kernel::{
    EapProviderId, EapServiceId, Error, Fault, Lifecycle, Result, SiteId, Step, UserId, money::Money,
};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Commit, Due, Entity, List, Record, Row, Unique, facts};
use web::{
    Actor, App, Ctx, Noun, Reach, Reaction, Route, Task,
    noun::{self, Hooks, Paths, Written},
};

const PATH: &str = "/v1/eap/providers";

kernel::words! {
    #[derive(Default)]
    pub enum Status { #[default] Applied = "applied", Approved = "approved", Suspended = "suspended", Left = "left" }
}
kernel::words! {
    #[derive(Default)]
    pub enum Panel { #[default] Internal = "internal", Affiliate = "affiliate", Both = "both" }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EapProviderLicence")]
pub struct Licence {
    #[schemars(length(min = 1, max = 120))]
    pub body: String,
    #[schemars(length(min = 1, max = 60))]
    pub number: Sealed<String>,
    /// The last day.
    pub expires: Date,
}

/// A counsellor.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EapProvider")]
pub struct Provider {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    #[schemars(length(min = 1, max = 120))]
    pub name: Sealed<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<Licence>,
    #[serde(default)]
    pub panel: Panel,
    /// BCP 47: `en`, `yo`.
    #[serde(default)]
    #[schemars(length(max = 20), inner(regex(pattern = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")))]
    pub languages: Vec<String>,
    #[serde(default)]
    #[schemars(length(max = 20), inner(regex(pattern = r"^[a-z][a-z0-9_]{1,39}$")))]
    pub specialties: Vec<String>,
    #[serde(default)]
    #[schemars(length(max = 4))]
    pub modes: Vec<Mode>,
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub sites: Vec<SiteId>,
    /// Services that this provider gives; empty = all.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub services: Vec<EapServiceId>,
    /// Sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub capacity_per_week: Option<u8>,
    #[serde(default)]
    #[schemars(extend("readOnly" = true))]
    pub status: Status,
    /// For a session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<Money>,
    /// IANA: the organisation's, by which the licence ends.
    #[serde(default)]
    #[schemars(length(max = 50), extend("readOnly" = true))]
    pub zone: String,
    /// The last day of reminding that was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub reminded: Option<Date>,
}

/// Days before a licence ends on which somebody is told (spec EAP-3).
const TOLD: [i32; 6] = [90, 60, 30, 14, 7, 1];
const MORNING: i8 = 8;

impl Provider {
    /// Approved, with a licence that holds on that day.
    pub fn is_ready(&self, day: Date) -> bool {
        self.status == Status::Approved && self.licence.as_ref().is_some_and(|l| l.expires >= day)
    }
    fn next_reminder(&self) -> Option<Date> {
        let expires = self.licence.as_ref()?.expires;
        let days = TOLD.iter().map(|n| expires.saturating_sub(n.days()));
        days.into_iter().find(|day| self.reminded.is_none_or(|told| *day > told))
    }
}

impl Entity for Provider {
    type Id = EapProviderId;
    const NOUN: &'static str = "eap_provider";
    const PERSONAL: bool = true;
    const LISTS: &'static [List<Self>] = &[
        List::<Self>::by("status", &["status"], |r| vec![Row::new(&[&r.body.status], &[&r.id])])
            .oldest_first(),
        List::<Self>::by("specialty", &["specialty"], |r| {
            r.body.specialties.iter().map(|s| Row::new(&[s], &[&r.body.status, &r.id])).collect()
        })
        .then(&["status"])
        .oldest_first(),
        List::newest(),
    ];
    const UNIQUE: &'static [Unique<Self>] =
        &[Unique::of("user", "provider-exists", |p| p.user.iter().map(ToString::to_string).collect())];
    fn due(record: &Record<Self>) -> Vec<Due> {
        let p = &record.body;
        let Some(licence) = p.licence.as_ref().filter(|_| p.status == Status::Approved) else {
            return vec![];
        };
        let over = licence.expires.saturating_add(1.day());
        // Told once that it is over.
        let end = midnight(over, &p.zone).filter(|_| p.reminded.is_none_or(|day| day < over));
        let told = p.next_reminder().and_then(|day| at_hour(day, MORNING, &p.zone));
        [(told, "licence"), (end, "expiry")]
            .into_iter()
            .filter_map(|(at, what)| Some(Due { at: at?, what }))
            .collect()
    }
}

impl Lifecycle for Provider {
    kernel::state_of!(status: Status);
    const STEPS: &'static [Step<Self>] = &[
        Step::<Self>::of(
            "approve",
            "eap_provider.edit",
            &[Status::Applied, Status::Suspended],
            Status::Approved,
        )
        .guard(|p, today| match &p.licence {
            Some(licence) if licence.expires >= today => Ok(()),
            _ => Err(Error::field("no-licence", "/licence", "approve whoever has a licence in date")),
        }),
        Step::<Self>::of("suspend", "eap_provider.edit", &[Status::Approved], Status::Suspended).reason(),
        Step::<Self>::of(
            "leave",
            "eap_provider.edit",
            &[Status::Applied, Status::Approved, Status::Suspended],
            Status::Left,
        )
        .reason(),
    ];
}

impl Noun for Provider {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        match reach {
            Reach::All => true,
            Reach::None => false,
            _ => record.body.user.is_some_and(|u| u.to_string() == actor.user),
        }
    }
    fn check(&self) -> Vec<Fault> {
        match self.name.trim().is_empty() {
            true => vec![Fault::new("/name", "length", "may not be empty")],
            false => vec![],
        }
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        noun::possible(record, ctx)
    }
}

impl Hooks for Provider {
    fn before(ctx: &Ctx, _: &str, old: Option<&Record<Self>>, new: &mut Record<Self>) -> Result<()> {
        new.body.zone = ctx.tenant().map(|t| t.time_zone.clone()).unwrap_or_else(|_| "UTC".into());
        // A new licence is reminded of anew; what lies before today is not made up for.
        let approved = |p: &Provider| p.status == Status::Approved;
        let fresh = old.is_none_or(|o| o.body.licence != new.body.licence || !approved(&o.body));
        if fresh && approved(&new.body) {
            new.body.reminded = Some(ctx.today().saturating_sub(1.day()));
        }
        Ok(())
    }
    async fn on_write(ctx: &Ctx, Written { new, .. }: Written<'_, Self>, commit: Commit) -> Result<Commit> {
        Ok(published(ctx, new, commit))
    }
}

/// The fact that bookings require, with the last day on which it holds.
fn published(ctx: &Ctx, new: &Record<Provider>, commit: Commit) -> Commit {
    let ready = new.deleted_at.is_none() && new.body.is_ready(ctx.today());
    match new.body.licence.as_ref().filter(|_| ready) {
        Some(licence) => commit.fact(facts::EAP_PROVIDER_READY, new.id, &json!({"until": licence.expires})),
        None => commit.drop_fact(facts::EAP_PROVIDER_READY, new.id),
    }
}

pub fn unknown() -> Error {
    Error::field("unknown-provider", "/provider", "there is no such provider")
}

/// What a booking requires: the provider is ready.
pub fn ready(commit: Commit, provider: EapProviderId) -> Commit {
    commit.require(facts::EAP_PROVIDER_READY, provider, || {
        let way = "not approved, or without a licence in date: choose another provider";
        Error::field("provider-not-ready", "/provider", way)
    })
}

pub fn routes() -> Vec<Route> {
    let (view, edit) = ("eap_provider.view", "eap_provider.edit");
    let mut routes = noun::crud::<Provider>(Paths { path: PATH, view, create: edit, edit, delete: edit });
    routes.extend(noun::steps::<Provider>(PATH));
    routes.extend(room::routes(PATH));
    routes
}

pub fn tasks() -> Vec<Task> {
    vec![Task::on("due.epv.licence", licence_ends), Task::on("due.epv.expiry", licence_over)]
}

/// So many days before the licence ends: once a day of reminding.
async fn licence_ends(app: App, row: Value) -> Result<()> {
    let Some((ctx, old)) = web::rung::<Provider>(&app, MODULE, &row).await? else { return Ok(()) };
    let today = ctx.today();
    if old.body.next_reminder().is_none_or(|day| day > today) || old.body.status != Status::Approved {
        return Ok(());
    }
    announce(&ctx, old, "remind").await
}

/// From now on the provider is not ready.
async fn licence_over(app: App, row: Value) -> Result<()> {
    let Some((ctx, old)) = web::rung::<Provider>(&app, MODULE, &row).await? else { return Ok(()) };
    let over = old.body.licence.as_ref().is_some_and(|l| l.expires < ctx.today());
    let already =
        old.body.licence.as_ref().is_some_and(|l| old.body.reminded.is_some_and(|day| day > l.expires));
    if !over || already || old.body.status != Status::Approved {
        return Ok(());
    }
    announce(&ctx, old, "expire").await
}

async fn announce(ctx: &Ctx, old: Record<Provider>, action: &str) -> Result<()> {
    let Some(expires) = old.body.licence.as_ref().map(|l| l.expires) else { return Ok(()) };
    let mut new = old.next(ctx.now());
    new.body.reminded = Some(ctx.today());
    let days = ctx.today().until(expires).map(|s| s.get_days()).unwrap_or_default();
    let said = EapEvent::ProviderLicenceDue { provider: new.id, user: new.body.user, expires, days };
    let commit = published(ctx, &new, ctx.commit().update(action, &old, &new).emit(said));
    match commit.run().await {
        // Whoever was quicker has left a new due time.
        Err(Error::Stale { .. }) => Ok(()),
        other => other,
    }
}

pub fn reactions() -> Vec<Reaction> {
    vec![Reaction::on("user.disabled", user_disabled)]
}

/// Whoever has no login any more takes no sessions.
async fn user_disabled(ctx: Ctx, envelope: Envelope) -> Result<()> {
    let Some(IdentityEvent::UserDisabled { user }) = envelope.read() else { return Ok(()) };
    let Some(id) = ctx.store().guarded::<Provider>("user", &user.to_string()).await? else { return Ok(()) };
    web::again(ctx.store(), || suspended(&ctx, id)).await
}

async fn suspended(ctx: &Ctx, id: EapProviderId) -> Result<()> {
    let Some(old) = web::live::<Provider>(ctx, id).await? else { return Ok(()) };
    if old.body.status != Status::Approved {
        return Ok(());
    }
    let mut new = old.next(ctx.now());
    new.body.status = Status::Suspended;
    let because = Some("the login was disabled".to_string());
    published(ctx, &new, ctx.commit().because(because).update("suspend", &old, &new)).run().await
}
