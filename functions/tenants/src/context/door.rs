//! Opening and ending: the record on both sides and the fact on both sides, in one commit.

use super::{Context, End, Status};
use crate::doors::{self, Rung};
use events::TenantEvent;
use kernel::{ContextId, Error, Result, TenantId};
use store::{Commit, Record, Scope, Store, facts};
use web::App;

/// Both copies of a context.
pub struct Pair {
    pub ours: Record<Context>,
    pub theirs: Record<Context>,
}

impl Pair {
    pub async fn read(platform: &Store, tenant: &Store, id: ContextId) -> Result<Self> {
        let (ours, theirs) = futures::join!(platform.fresh::<Context>(id), tenant.fresh::<Context>(id));
        Ok(Self { ours: ours?, theirs: theirs? })
    }

    /// The change on both sides: the platform's commit and the organisation's, and the platform's new record.
    pub fn change(
        &self,
        platform: &Store,
        tenant: &Store,
        action: &str,
        change: impl Fn(&mut Context),
    ) -> Changed {
        let mut ours = self.ours.next(platform.now());
        change(&mut ours.body);
        let mut theirs = self.theirs.next(tenant.now());
        theirs.body = ours.body.clone();
        let first = published(platform.commit().update(action, &self.ours, &ours), &ours);
        let second = tenant.commit().update(action, &self.theirs, &theirs);
        let second = match told(&self.ours.body, &ours) {
            Some(event) => second.emit(event),
            None => second,
        };
        Changed { platform: first, tenant: published(second, &theirs), ours, theirs }
    }
}

pub struct Changed {
    pub platform: Commit,
    pub tenant: Commit,
    pub ours: Record<Context>,
    pub theirs: Record<Context>,
}

/// The fact exists exactly while the context is open.
pub fn published(commit: Commit, context: &Record<Context>) -> Commit {
    match context.body.status {
        Status::Open => commit.fact(facts::CONTEXT, context.id, &context.body.entered()),
        _ => commit.drop_fact(facts::CONTEXT, context.id),
    }
}

/// What the organisation hears.
fn told(old: &Context, new: &Record<Context>) -> Option<TenantEvent> {
    match (old.status, new.body.status) {
        (Status::Requested, Status::Open) => Some(opened(new)),
        (_, Status::Ended) => Some(TenantEvent::ContextEnded {
            context: new.id,
            how: new.body.ended.unwrap_or(End::Closed).to_string(),
        }),
        _ => None,
    }
}

pub fn opened(context: &Record<Context>) -> TenantEvent {
    let (scope, read_only) = (context.body.scope.to_string(), context.body.read_only);
    TenantEvent::ContextOpened { context: context.id, scope, read_only }
}

/// A wish that is no longer open to anybody.
pub fn waiting(context: &Context, command: &'static str) -> Result<()> {
    match context.status {
        Status::Requested => Ok(()),
        state => Err(Error::State { command, state: state.to_string() }),
    }
}

/// The organisation's word, given by the personal link in its letter; `tenant` acts as that link.
pub async fn consented(app: &App, tenant: &Store, id: ContextId, allowed: bool) -> Result<()> {
    let scope = tenant.scope().tenant().ok_or(Error::Missing)?;
    let platform = app.vault().open(Scope::Platform, tenant.caller().clone()).await?;
    let pair = Pair::read(&platform, tenant, id).await?;
    waiting(&pair.ours.body, if allowed { "allow" } else { "refuse" })?;
    let by = tenant.caller().by.clone();
    let now = platform.now();
    let change = |c: &mut Context| match allowed {
        true => {
            c.allowed_by = Some(by.clone());
            c.open_if_agreed(now);
        }
        false => c.end(End::Refused, &by, now),
    };
    let Changed { platform: ours, tenant: theirs, .. } =
        pair.change(&platform, tenant, if allowed { "allow" } else { "refuse" }, change);
    app.vault().across(scope, theirs).joined(ours).run().await
}

/// The clock came, on either side: an open context ends at its minute, a wish after a day.
pub async fn expire(app: &App, rung: &Rung) -> Result<()> {
    let platform = doors::system(app, Scope::Platform, "context", &rung.id).await?;
    let context = platform.fresh::<Context>(rung.id.parse()?).await?;
    if context.body.status == Status::Ended || context.body.expires_at > platform.now() {
        return Ok(());
    }
    let id: TenantId = context.body.tenant;
    let tenant = doors::system(app, Scope::Tenant(id), "context", &rung.id).await?;
    let pair = Pair::read(&platform, &tenant, context.id).await?;
    let now = platform.now();
    let Changed { platform: ours, tenant: theirs, .. } =
        pair.change(&platform, &tenant, "expire", |c| c.end(End::Expired, "system:context", now));
    app.vault().across(id, ours).joined(theirs).run().await
}
