//! The sign-up form's side: no token of a user, only the draft's own.

use super::{
    SUBMIT, Signup, Status, VERIFY, mailbox,
    proof::{self, Proof},
    tenant_of,
};
use crate::{
    plan::{self, Plan},
    region,
    tenant::Tenant,
};
use axum::{
    http::{HeaderMap, Method},
    routing::{get, post},
};
use events::TenantEvent;
use jiff::tz::TimeZone;
use kernel::{Error, Fault, Lifecycle, Result, SignupId, error::faultless};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Commit, Record, Store, When};
use web::{Answer, Anyone, At, Body, Door, Letter, Raw, Route, check, created, ok, route};

const PATH: &str = "/v1/tenants/signups";
/// From one address in an hour.
const NEW: u64 = 30;
const STEPS: u64 = 100;

/// A draft as its applicant sees it.
#[derive(Serialize, JsonSchema)]
struct Draft {
    #[serde(flatten)]
    record: Record<Signup>,
    /// Fields that `submit` still needs.
    missing: Vec<&'static str>,
    /// The key to this draft: shown once, sent back in `X-Signup-Token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Code {
    #[schemars(regex(pattern = r"^[0-9]{6}$"))]
    code: String,
    #[schemars(length(max = 100))]
    token: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Token {
    #[schemars(length(max = 100))]
    token: Option<String>,
}

pub fn routes() -> Vec<Route> {
    let one = format!("{PATH}/{{id}}");
    let public = |method, path: String, operation: &str, handler| {
        route(method, path, Door::Public, format!("signup.{operation}"), handler).trips(4)
    };
    vec![
        public(Method::POST, PATH.into(), "create", post(create))
            .takes::<Signup>()
            .gives::<Draft>(201)
            .refuses(&["wrong-region", "slug-taken", "email-undeliverable", "rate-limited"])
            .says("Begins a sign-up; the answer's token is shown once"),
        public(Method::GET, one.clone(), "show", get(show))
            .gives::<Draft>(200)
            .says("The draft and what it still needs"),
        public(Method::PATCH, one.clone(), "update", axum::routing::patch(amend))
            .patches::<Signup>()
            .gives::<Draft>(200)
            .says("The next step of the form"),
        public(Method::POST, format!("{one}/verify-email"), "verify-email", post(verify))
            .takes::<Code>()
            .gives::<Draft>(200)
            .refuses(&["code-wrong", "code-expired", "code-tries"])
            .says("The six digits that were sent to the administrator"),
        public(Method::POST, format!("{one}/resend-code"), "resend-code", post(resend))
            .takes::<Token>()
            .gives::<Draft>(200)
            .says("Another code, at most once a minute and five times"),
        public(Method::POST, format!("{one}/submit"), "submit", post(submit))
            .takes::<Token>()
            .gives::<Draft>(200)
            .refuses(&["incomplete", "already-registered", "transfer-basis-required"])
            .says("Asks for the organisation to be opened"),
    ]
}

fn shown(anyone: &Anyone, record: Record<Signup>, token: Option<String>) -> Result<Draft> {
    let needs_basis = region::needs_basis(anyone.app().place(), record.body.country)?;
    Ok(Draft { missing: record.body.missing(needs_basis), record, token })
}

/// From the header, or a member of the body, which is taken out of it.
fn token(headers: &HeaderMap, body: Option<&mut Value>) -> Option<String> {
    let header = headers.get("x-signup-token").and_then(|v| v.to_str().ok()).map(String::from);
    let member =
        body.and_then(|b| b.as_object_mut()?.remove("token")).and_then(|t| t.as_str().map(String::from));
    header.or(member)
}

/// What is true of every step, whoever typed it.
async fn fits(anyone: &Anyone, store: &Store, signup: &mut Signup) -> Result<()> {
    faultless(signup.settle(anyone.now(), anyone.ip()))?;
    region::belongs_here(anyone.app().place(), signup.country, signup.region)?;
    if let Some(email) = &signup.admin_email {
        mailbox::deliverable(email, &anyone.app().place().stage)?;
    }
    if let Some(id) = signup.plan {
        let plan = match store.get::<Plan>(id).await {
            Err(passing) if passing.may_pass() => return Err(passing),
            known => known.ok().map(|r| r.body),
        };
        let sold =
            plan.is_some_and(|p| p.status == plan::Status::Published && p.editions.contains(&signup.edition));
        if !sold {
            return Err(Error::field(
                "plan-unknown",
                "/plan",
                "no such plan is sold for this edition: GET /v1/tenants/plans",
            ));
        }
    }
    Ok(())
}

/// Holds the slug of the new version, and lets the old one's go.
fn reserve(mut commit: Commit, old: Option<&Record<Signup>>, new: &Record<Signup>) -> Commit {
    let was = old.and_then(|o| o.body.slug.as_ref());
    let is = new.body.slug.as_ref();
    if was == is {
        return commit;
    }
    if let Some(slug) = was {
        commit = commit.unguard::<Tenant>("slug", slug);
    }
    match is {
        Some(slug) => commit.guard::<Tenant>("slug", "slug-taken", slug, tenant_of(new.id)),
        None => commit,
    }
}

/// Who was first is nobody's business.
fn discreet(error: Error) -> Error {
    match error {
        Error::Duplicate { code: "slug-taken", .. } => Error::conflict(
            "slug-taken",
            "this short name is taken: choose another",
        )
        .at(Fault::new("/slug", "slug-taken", "is taken")),
        Error::Duplicate { code: "already-registered", .. } => {
            let detail = "an organisation with this registration number is here already: ask its administrator to invite you";
            Error::conflict("already-registered", detail)
        }
        other => other,
    }
}

/// Sends the code. A letter that cannot be sent now is asked for again with `resend-code`.
async fn post_code(anyone: &Anyone, signup: &Signup, code: &str) {
    let Some(to) = signup.admin_email.as_ref().map(|e| e.0.clone()) else { return };
    let text = format!(
        "Your code is {code}.\n\nIt confirms your address for the sign-up of {} and is valid for 15 minutes. \
         If you did not begin this sign-up, ignore this letter.\n",
        signup.organisation_name
    );
    let letter = Letter { to, subject: "Confirm your e-mail address".into(), text };
    if let Err(error) = anyone.app().mail().send(letter).await {
        tracing::warn!(%error, "a sign-up's code was not sent");
    }
}

async fn create(anyone: Anyone, Body(mut body): Body<Signup>) -> Answer {
    anyone.hourly("signup", NEW).await?;
    let store = anyone.platform().await?;
    fits(&anyone, &store, &mut body).await?;
    let new = Record::new(anyone.now(), body);
    let token = proof::new_token();
    let mut proof = Proof::of(&store, new.id, &token);
    let code = new.body.admin_email.is_some().then(|| proof.new_code(&store, new.id));
    let commit = reserve(store.commit().create(&new), None, &new).put(&proof::key(new.id), &proof);
    commit.run().await.map_err(discreet)?;
    if let Some(code) = code {
        post_code(&anyone, &new.body, &code).await;
    }
    created(&shown(&anyone, new, Some(token))?)
}

async fn show(anyone: Anyone, At(id): At<SignupId>, headers: HeaderMap) -> Answer {
    let store = anyone.platform().await?;
    let (record, _) = proof::open(&store, id, token(&headers, None).as_deref()).await?;
    ok(&shown(&anyone, record, None)?)
}

async fn amend(anyone: Anyone, At(id): At<SignupId>, headers: HeaderMap, Raw(mut patch): Raw) -> Answer {
    anyone.hourly("signup-step", STEPS).await?;
    let store = anyone.platform().await?;
    let token = token(&headers, Some(&mut patch));
    let (old, mut proof) = proof::open(&store, id, token.as_deref()).await?;
    editable(&old, "update")?;
    let mut new = old.next(anyone.now());
    new.body = check::merge_patch(&old.body, &patch)?;
    fits(&anyone, &store, &mut new.body).await?;
    let mut commit = store.commit();
    let mut code = None;
    if new.body.admin_email != old.body.admin_email {
        // Another address has to be proven again.
        new.body.status = Status::Draft;
        code = new.body.admin_email.is_some().then(|| proof.new_code(&store, id));
    }
    commit = reserve(commit.update("update", &old, &new), Some(&old), &new);
    if code.is_some() {
        commit = commit.put(&proof::key(id), &proof);
    }
    commit.run().await.map_err(discreet)?;
    if let Some(code) = code {
        post_code(&anyone, &new.body, &code).await;
    }
    ok(&shown(&anyone, new, None)?)
}

fn editable(record: &Record<Signup>, command: &'static str) -> Result<()> {
    match record.body.status {
        Status::Draft | Status::Verified => Ok(()),
        state => Err(Error::State { command, state: state.to_string() }),
    }
}

async fn verify(anyone: Anyone, At(id): At<SignupId>, headers: HeaderMap, Body(body): Body<Code>) -> Answer {
    anyone.hourly("signup-step", STEPS).await?;
    let store = anyone.platform().await?;
    let given = token(&headers, None).or(body.token);
    let (old, proof) = proof::open(&store, id, given.as_deref()).await?;
    if old.body.status == Status::Verified {
        return ok(&shown(&anyone, old, None)?);
    }
    if let Err(refusal) = proof.check(&store, id, &body.code) {
        if refusal.code() == "code-wrong" {
            // Counted under a condition, so that guesses made at once are counted too.
            let often = |_| Error::too_many("code-tries", "too many wrong codes: ask for a new one", 60);
            store
                .commit()
                .add_if(&proof::key(id), "tries", 1, When::Below("tries", proof::TRIES), often)
                .run()
                .await?;
        }
        return Err(refusal.into());
    }
    let mut new = old.next(anyone.now());
    new.body.advance(&VERIFY, store.clock().today(&TimeZone::UTC))?;
    new.body.settle(anyone.now(), anyone.ip());
    // The code is good only while guesses are left.
    let often = |_| Error::too_many("code-tries", "too many wrong codes: ask for a new one", 60);
    let commit = store.commit().update("verify-email", &old, &new);
    commit.check(&proof::key(id), When::Below("tries", proof::TRIES), often).run().await?;
    ok(&shown(&anyone, new, None)?)
}

async fn resend(anyone: Anyone, At(id): At<SignupId>, headers: HeaderMap, Body(body): Body<Token>) -> Answer {
    anyone.hourly("signup-step", STEPS).await?;
    let store = anyone.platform().await?;
    let given = token(&headers, None).or(body.token);
    let (record, mut proof) = proof::open(&store, id, given.as_deref()).await?;
    if record.body.status != Status::Draft || record.body.admin_email.is_none() {
        let state = record.body.status.to_string();
        return Err(Error::State { command: "resend-code", state }.into());
    }
    let sent = proof.resends;
    proof.resend(anyone.now())?;
    let code = proof.new_code(&store, id);
    let twice =
        |_| Error::too_many("code-just-sent", "a code was sent a moment ago; ask again in 60 seconds", 60);
    store.commit().put_if(&proof::key(id), &proof, store::is("resends", sent), twice).run().await?;
    post_code(&anyone, &record.body, &code).await;
    ok(&shown(&anyone, record, None)?)
}

async fn submit(anyone: Anyone, At(id): At<SignupId>, headers: HeaderMap, Body(body): Body<Token>) -> Answer {
    anyone.hourly("signup-step", STEPS).await?;
    let store = anyone.platform().await?;
    let given = token(&headers, None).or(body.token);
    let (old, _) = proof::open(&store, id, given.as_deref()).await?;
    if old.body.status == Status::Submitted {
        return ok(&shown(&anyone, old, None)?);
    }
    let mut new = old.next(anyone.now());
    complete(&anyone, &old.body)?;
    new.body.advance(&SUBMIT, store.clock().today(&TimeZone::UTC))?;
    fits(&anyone, &store, &mut new.body).await?;
    let plan = new.body.plan.ok_or_else(|| Error::internal("a complete sign-up has a plan"))?;
    let (edition, country) = (new.body.edition.to_string(), new.body.country.to_string());
    let commit = store.commit().update("submit", &old, &new);
    let mut commit = commit.emit(TenantEvent::SignupSubmitted { plan, edition, country });
    if let Some(number) = new.body.details.registration(new.body.country) {
        commit = commit.guard::<Tenant>("registration_number", "already-registered", &number, tenant_of(id));
    }
    commit.run().await.map_err(discreet)?;
    ok(&shown(&anyone, new, None)?)
}

/// 422 with every field that is still missing.
fn complete(anyone: &Anyone, signup: &Signup) -> Result<()> {
    let needs_basis = region::needs_basis(anyone.app().place(), signup.country)?;
    match &signup.missing(needs_basis)[..] {
        [] => Ok(()),
        ["transfer_basis"] => {
            let backup =
                anyone.app().place().backup_region.as_deref().map(|r| format!(" and are replicated to {r}"));
            let detail = format!(
                "your records would live outside {}{}: say on which ground",
                signup.country.name(),
                backup.unwrap_or_default()
            );
            Err(Error::field("transfer-basis-required", "/transfer_basis", detail))
        }
        missing => {
            let detail = "the form is not complete yet; all that is missing is listed in errors";
            let faults =
                missing.iter().map(|name| Fault::new(format!("/{name}"), "required", "is still missing"));
            Err(faults.fold(Error::unprocessable("incomplete", detail), Error::at))
        }
    }
}
