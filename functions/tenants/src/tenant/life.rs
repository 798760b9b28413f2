//! Changes of state. Each is one commit over the register, the organisation's own record (which carries the
//! event) and the fact that every request reads.

use super::{Status, Tenant, time};
use crate::{
    doors,
    fact::{self, Standing},
};
use events::TenantEvent;
use kernel::{Error, Result, TenantId};
use store::{Commit, Record, Scope, Store};
use web::App;

/// The new record of the register, and the commit that makes it so.
pub struct Turn {
    pub new: Record<Tenant>,
    pub commit: Commit,
}

impl Standing {
    /// `commit` is the platform's, prepared by the caller. The event is left out where nothing is to be told.
    pub fn turn(
        &self,
        commit: Commit,
        tenant: &Store,
        action: &str,
        event: Option<TenantEvent>,
        change: impl FnOnce(&mut Tenant),
    ) -> Turn {
        let mut new = self.ten.next(tenant.now());
        change(&mut new.body);
        let mut org = self.org.next(tenant.now());
        org.body.status = new.body.status;
        let mut gate = self.gate.clone();
        gate.status = new.body.status;
        let mut own = tenant.commit().update(action, &self.org, &org);
        if let Some(event) = event {
            own = own.emit(event);
        }
        let own = fact::write(own, &self.gate, &gate);
        Turn { commit: commit.update(action, &self.ten, &new).joined(own), new }
    }
}

/// An organisation with both of its rooms open for the product itself.
pub struct Opened {
    pub platform: Store,
    pub tenant: Store,
    pub standing: Standing,
}

impl Opened {
    pub async fn by_clock(app: &App, id: TenantId, what: &str) -> Result<Self> {
        let platform = doors::system(app, Scope::Platform, what, &id.to_string()).await?;
        let tenant = doors::system(app, Scope::Tenant(id), what, &id.to_string()).await?;
        let standing = Standing::read(&platform, &tenant, id).await?;
        Ok(Self { platform, tenant, standing })
    }

    pub async fn run(
        &self,
        app: &App,
        action: &str,
        event: Option<TenantEvent>,
        change: impl FnOnce(&mut Tenant),
    ) -> Result<Record<Tenant>> {
        let id = self.standing.ten.id;
        let commit = app.vault().across(id, self.platform.commit());
        let Turn { new, commit } = self.standing.turn(commit, &self.tenant, action, event, change);
        commit.run().await?;
        app.gates().forget(Scope::Tenant(id));
        Ok(new)
    }
}

/// The trial ended and nothing was paid.
pub async fn trial_ended(app: &App, rung: &doors::Rung) -> Result<()> {
    let id: TenantId = rung.id.parse()?;
    let opened = Opened::by_clock(app, id, "subscription").await?;
    let ten = &opened.standing.ten.body;
    let over = ten.trial_ends_on.is_some_and(|day| ten.begins(time::plus(day, 1)) <= opened.platform.now());
    if ten.status != Status::Trial || !over {
        return Ok(());
    }
    let event = TenantEvent::Suspended { tenant: id, reason: "trial_expired".into() };
    let change = |t: &mut Tenant| {
        (t.status, t.status_reason, t.told) = (Status::Suspended, Some("trial_expired".into()), None);
    };
    opened.run(app, "suspend", Some(event), change).await.map(|_| ())
}

/// The paid time is over: full service goes on, and the days to suspension begin to count.
pub async fn fell_due(app: &App, rung: &doors::Rung) -> Result<()> {
    let id: TenantId = rung.id.parse()?;
    let opened = Opened::by_clock(app, id, "subscription").await?;
    let ten = &opened.standing.ten.body;
    let now = opened.platform.now();
    let over = ten.paid_until.is_some_and(|day| ten.begins(time::plus(day, 1)) <= now);
    if ten.status != Status::Active || !over {
        return Ok(());
    }
    let today = now.to_zoned(ten.zone()).date();
    let event = TenantEvent::Overdue { tenant: id, suspend_on: time::plus(today, time::GRACE).to_string() };
    opened.run(app, "fall-due", Some(event), |t| time::fall_due(t, today)).await.map(|_| ())
}

/// The days of grace are over.
pub async fn grace_ended(app: &App, rung: &doors::Rung) -> Result<()> {
    let id: TenantId = rung.id.parse()?;
    let opened = Opened::by_clock(app, id, "subscription").await?;
    let ten = &opened.standing.ten.body;
    let over = ten.suspend_on.is_some_and(|day| ten.begins(day) <= opened.platform.now());
    if ten.status != Status::PastDue || !over {
        return Ok(());
    }
    let event = TenantEvent::Suspended { tenant: id, reason: "payment".into() };
    let change = |t: &mut Tenant| (t.status, t.status_reason) = (Status::Suspended, Some("payment".into()));
    opened.run(app, "suspend", Some(event), change).await.map(|_| ())
}

/// Nobody called the closing off in time.
pub async fn closed(app: &App, rung: &doors::Rung) -> Result<()> {
    let id: TenantId = rung.id.parse()?;
    let opened = Opened::by_clock(app, id, "subscription").await?;
    let ten = &opened.standing.ten.body;
    let end = jiff::SignedDuration::from_hours(24 * time::EXPORT);
    let now = opened.platform.now();
    if ten.status != Status::Closing || ten.closing_since.is_none_or(|since| since + end > now) {
        return Ok(());
    }
    let erase_after = time::plus(now.to_zoned(ten.zone()).date(), time::KEPT);
    let event = TenantEvent::Closed { tenant: id, erase_after: erase_after.to_string() };
    let change = |t: &mut Tenant| (t.status, t.erase_after) = (Status::Closed, Some(erase_after));
    opened.run(app, "closed", Some(event), change).await.map(|_| ())
}

/// Back to what it was before it began to close.
pub fn reopened(tenant: &mut Tenant) {
    tenant.status = tenant.before_closing.take().unwrap_or(Status::Suspended);
    tenant.closing_since = None;
}

/// 422 if a command does not exist in this state.
pub fn possible(step: &kernel::Step<Tenant>, tenant: &Tenant, today: jiff::civil::Date) -> Result<()> {
    if !step.from.contains(&tenant.status) {
        return Err(Error::State { command: step.command, state: tenant.status.to_string() });
    }
    (step.guard)(tenant, today)
}
