//! The steps of a run.

use super::{FirstAdministrator, Provisioning, Status, begin, first_administrator, run_of};
use crate::{
    doors::{self, Rung},
    fact::{self, Standing},
    limits,
    organisation::{Organisation, SupportAccess},
    plan::Plan,
    settings,
    signup::Signup,
    site,
    tenant::{self, Tenant},
};
use events::TenantEvent;
use jiff::SignedDuration;
use kernel::{Error, ProvisioningId, Result, TenantId, error::found};
use std::collections::BTreeMap;
use store::{Commit, Key, Once, Record, Scope, Store, When, facts, segment};
use web::{App, gate::TenantGate};

/// As long as a first answer is kept.
const ASKED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Goes on where the run is. A failure is noted and returned, so that the queue comes again.
pub async fn go(app: &App, tenant: TenantId) -> Result<()> {
    let platform = doors::system(app, Scope::Platform, "provisioning", &tenant.to_string()).await?;
    let run = platform.fresh::<Provisioning>(run_of(tenant)).await?;
    if run.body.is_over() || run.body.has("records") {
        return Ok(());
    }
    match prepare(app, &platform, &run).await {
        Ok(()) => Ok(()),
        Err(error) => {
            note(&platform, run.id, &error).await;
            Err(error)
        }
    }
}

/// The failure is noted as well as may be; losing the note loses nothing else.
async fn note(platform: &Store, id: ProvisioningId, error: &Error) {
    let noted = async {
        let old = platform.fresh::<Provisioning>(id).await?;
        let mut new = old.next(platform.now());
        new.body.attempts += 1;
        new.body.trouble = Some(error.code().into());
        platform.commit().update("fail", &old, &new).run().await
    };
    if let Err(second) = noted.await {
        tracing::warn!(error = %second, "a run's failure was not noted");
    }
    tracing::error!(run = %id, %error, "provisioning failed; it will be tried again");
}

/// The key, then everything else in one commit.
async fn prepare(app: &App, platform: &Store, run: &Record<Provisioning>) -> Result<()> {
    let id = run.body.tenant;
    // Put only if there is none: a second run keeps the first key.
    app.vault().create_key(Scope::Tenant(id)).await?;
    let own = doors::system(app, Scope::Tenant(id), "provisioning", &id.to_string()).await?;
    let (ten, signup) = futures::join!(platform.fresh::<Tenant>(id), platform.get::<Signup>(run.body.signup));
    let (ten, signup) = (ten?, signup?);
    let plan = platform.get::<Plan>(ten.body.plan).await?.body;
    let on_sale = fact::on_sale(platform).await?;
    let records = records(&own, &ten, &signup.body, &plan, &on_sale)?;
    let mut done = run.next(platform.now());
    for part in ["key", "records"] {
        done.body.parts.insert(part.into(), platform.now());
    }
    (done.body.status, done.body.trouble) = (Status::Waiting, None);
    let commit = app.vault().across(id, platform.commit()).update("prepare", run, &done);
    commit.joined(records).run().await
}

/// What a new organisation begins with.
fn records(
    own: &Store,
    ten: &Record<Tenant>,
    signup: &Signup,
    plan: &Plan,
    on_sale: &[Plan],
) -> Result<Commit> {
    let t = &ten.body;
    let org = Organisation {
        name: t.name.clone(),
        logo: None,
        details: t.details.clone(),
        edition: t.edition,
        country: t.country,
        slug: t.slug.clone(),
        status: tenant::Status::Provisioning,
        plan: plan.code.clone(),
        support_access: SupportAccess::Ask,
    };
    let org = Record::with_id(fact::organisation_of(ten.id), own.now(), org);
    let mut gate = new_gate(t);
    fact::license(&mut gate, plan, &t.limits_override, on_sale);
    let limits = plan.limits.with(&t.limits_override);
    let given = |v: &Option<seal::Sealed<String>>| {
        v.clone().ok_or_else(|| Error::internal("a submitted sign-up names its administrator"))
    };
    let admin = FirstAdministrator {
        given_name: given(&signup.admin_given_name)?,
        family_name: given(&signup.admin_family_name)?,
        email: given(&signup.admin_email)?,
        phone: given(&signup.admin_phone)?,
    };
    let commit = own.commit().put(&first_administrator(), &admin);
    let commit = settings::found(commit, own.now(), t.country, &mut gate);
    let commit = limits::found(commit, &limits);
    let commit = site::found(commit, own.now(), t, &gate);
    let exists = |_| Error::conflict("exists", "the organisation's fact is there already");
    let commit = commit.put_if(&Key::fact(facts::TENANT, "self"), &gate, When::Absent, exists);
    let event = TenantEvent::Prepared {
        tenant: ten.id,
        edition: t.edition.to_string(),
        country: t.country.to_string(),
        plan: plan.code.clone(),
    };
    Ok(commit.create(&org).emit(event))
}

fn new_gate(t: &Tenant) -> TenantGate {
    TenantGate {
        status: tenant::Status::Provisioning,
        slug: t.slug.clone(),
        name: t.name.clone(),
        edition: t.edition,
        country: t.country.to_string(),
        time_zone: t.time_zone.clone(),
        language: t.country.language().into(),
        currency: t.country.currency().to_string(),
        plan: String::new(),
        licensed: vec![],
        on: vec![],
        features: vec![],
        limits: BTreeMap::new(),
        settings: BTreeMap::new(),
        // Where somebody of every site registers, unless they name another.
        policies: serde_json::Map::from_iter([("main_site".into(), site::main(t).to_string().into())]),
        lifted_by: BTreeMap::new(),
        rev: 1,
    }
}

/// A run that waits asks again; an answer that was given and lost on its way is taken as given. A request asks once,
/// however often it is sent.
pub async fn ask_again(app: &App, tenant: TenantId, once: Option<&Once>) -> Result<()> {
    let own = doors::system(app, Scope::Tenant(tenant), "provisioning", &tenant.to_string()).await?;
    let first: Option<serde_json::Value> = own.read(&first_administrator()).await?;
    if first.is_some_and(|handed| handed.get("user").is_some()) {
        return answered(app, tenant, "user.prepared").await;
    }
    let old = own.fresh::<Organisation>(fact::organisation_of(tenant)).await?;
    let new = old.next(own.now());
    let (edition, country, plan) =
        (new.body.edition.to_string(), new.body.country.to_string(), new.body.plan.clone());
    let event = TenantEvent::Prepared { tenant, edition, country, plan };
    let commit = own.commit().update("ask-again", &old, &new).emit(event);
    let Some(Once { by, key, .. }) = once else { return commit.run().await };
    let mark = Key::item("seen", "provisioning.resume", segment(&format!("{by}~{key}")));
    let ttl = own.now() + ASKED_FOR;
    let asked = || Error::conflict("asked-before", "this request has asked before");
    match commit.first_time(&mark, &serde_json::json!({}), ttl, asked).run().await {
        Err(Error::Refused(r)) if r.code == "asked-before" => Ok(()),
        other => other,
    }
}

/// Another module has installed what is its own; when all have, the organisation opens.
pub async fn answered(app: &App, tenant: TenantId, part: &str) -> Result<()> {
    let opened = tenant::life::Opened::by_clock(app, tenant, "provisioning").await?;
    let run = opened.platform.fresh::<Provisioning>(run_of(tenant)).await?;
    if run.body.is_over() || run.body.has(part) {
        return Ok(());
    }
    let mut done = run.next(opened.platform.now());
    done.body.parts.insert(part.into(), opened.platform.now());
    if !done.body.answered() {
        return opened.platform.commit().update("answered", &run, &done).run().await;
    }
    done.body.parts.insert("open".into(), opened.platform.now());
    done.body.status = Status::Open;
    open(app, opened, run, done).await
}

async fn open(
    app: &App,
    opened: tenant::life::Opened,
    run: Record<Provisioning>,
    done: Record<Provisioning>,
) -> Result<()> {
    let tenant::life::Opened { platform, tenant: own, standing } = opened;
    let id = standing.ten.id;
    let plan = platform.get::<Plan>(standing.ten.body.plan).await?.body;
    let mut preview = standing.ten.body.clone();
    begin(&mut preview, plan.trial_days, platform.now());
    let event = TenantEvent::Provisioned { tenant: id, status: preview.status.to_string() };
    let commit = app.vault().across(id, platform.commit()).update("open", &run, &done);
    let turn = Standing::turn(&standing, commit, &own, "open", Some(event), |t| *t = preview);
    turn.commit.run().await?;
    app.gates().forget(Scope::Tenant(id));
    Ok(())
}

/// The administrator is invited: the run is over.
pub async fn closed(app: &App, tenant: TenantId) -> Result<()> {
    let platform = doors::system(app, Scope::Platform, "provisioning", &tenant.to_string()).await?;
    let Some(run) = found(platform.fresh::<Provisioning>(run_of(tenant)).await)? else { return Ok(()) };
    // Every later invitation says the same.
    if run.body.status != Status::Open {
        return Ok(());
    }
    let mut done = run.next(platform.now());
    done.body.parts.insert("invited".into(), platform.now());
    done.body.status = Status::Done;
    platform.commit().update("done", &run, &done).run().await
}

/// The clock came: an hour and no end.
pub async fn stuck(app: &App, rung: &Rung) -> Result<()> {
    let platform = doors::system(app, Scope::Platform, "provisioning", &rung.id).await?;
    let run = platform.fresh::<Provisioning>(rung.id.parse()?).await?;
    if !matches!(run.body.status, Status::Running | Status::Waiting) || run.body.stuck_at > platform.now() {
        return Ok(());
    }
    tracing::error!(run = %run.id, tenant = %run.body.tenant, "provisioning is stuck: resume or abandon it");
    let mut new = run.next(platform.now());
    new.body.status = Status::Stuck;
    platform.commit().update("stuck", &run, &new).run().await
}
