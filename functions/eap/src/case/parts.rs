//! What is added to a case: notes, outcomes, referrals, disclosures. Each comes with a version of the case, so that who
//! wrote it and when stands in the trail; what it says stands under the clinical label alone.

use super::{
    Case, clinical, course,
    file::{self, Asked, CaseFile, Disclosure, Note, Outcome, Parts, Placed, Referred},
};
use axum::{
    extract::Path,
    http::Method,
    routing::{post, put},
};
use kernel::{EapCaseId, Error, Result};
use schemars::JsonSchema;
use serde::Serialize;
use store::{Commit, Key, Record, Store};
use web::{Answer, App, At, Body, Ctx, Reach, Route, Shown, route};

const VIEW: &str = "eap_case.view";

pub fn routes(one: &str) -> Vec<Route> {
    let add = |method, word: &str, name: &str, handler: axum::routing::MethodRouter<App>| {
        route(method, format!("{one}/{word}"), VIEW, format!("eap_case.{name}"), handler)
            .gives::<Written>(201)
            .trips(4)
    };
    vec![
        add(Method::POST, "notes", "note", post(note))
            .takes::<Note>()
            .refuses(&["no-such-note"])
            .says("A note, signed by writing it; to correct one, write another that amends it"),
        add(Method::PUT, "outcomes/{when}", "outcome", put(outcome))
            .takes::<Outcome>()
            .refuses(&["written-already"])
            .says("How the person is before, after and 90 days after; each once"),
        add(Method::POST, "referrals", "refer", post(refer))
            .takes::<Referred>()
            .says("A recommendation to somebody outside"),
        add(Method::PUT, "referrals/{number}", "referral", put(referral))
            .takes::<Referred>()
            .says("What became of a recommendation"),
        add(Method::POST, "disclosures", "disclose", post(disclose))
            .takes::<Disclosure>()
            .says("What was told to somebody outside, on which ground and why"),
    ]
}

/// A part that was written.
#[derive(Serialize, JsonSchema)]
struct Written {
    /// By which others refer to it.
    number: String,
    /// Of the case.
    version: u64,
}

/// The caller's own case and the clinical store. A person reads their case, and only counsellors write in it.
async fn own(ctx: &Ctx, id: EapCaseId) -> Result<(Record<Case>, Record<Case>, Store)> {
    let old = ctx.change::<Case>(id).await?;
    let new = to_write(ctx, &old)?;
    Ok((old, new, clinical(ctx).await?))
}

/// The same with everything that lies beside it: for parts that key figures count.
async fn own_whole(ctx: &Ctx, id: EapCaseId) -> Result<Whole> {
    let clinical = clinical(ctx).await?;
    let (old, file, parts) = file::whole(&clinical, id).await?;
    let old = ctx.reached(old).await?;
    old.matches(ctx.if_match())?;
    let new = to_write(ctx, &old)?;
    Ok(Whole { old, new, file, parts, clinical })
}

struct Whole {
    old: Record<Case>,
    new: Record<Case>,
    file: CaseFile,
    parts: Parts,
    clinical: Store,
}

impl Whole {
    /// The part, and the row of the case as it is with it.
    async fn written(self, ctx: &Ctx, action: &str, part: Commit, key: &Key) -> Answer {
        let part = part.joined(course::keep(&self.clinical, &self.new, &self.file, &self.parts));
        written(ctx, action, &self.old, &self.new, part, key).await
    }
}

fn to_write(ctx: &Ctx, old: &Record<Case>) -> Result<Record<Case>> {
    match ctx.reach() {
        Reach::Own => Err(Error::forbidden("forbidden", "your counsellor writes here")),
        _ => Ok(old.next(ctx.now())),
    }
}

async fn written(
    ctx: &Ctx,
    action: &str,
    old: &Record<Case>,
    new: &Record<Case>,
    part: Commit,
    key: &Key,
) -> Answer {
    let number = key.sk().split_once('#').map(|(_, number)| number.to_string()).unwrap_or_default();
    // Without `X-Reason`: the trail is read by people who may not know why.
    let commit =
        ctx.store().commit().demanded(ctx.if_match().is_some()).update(action, old, new).joined(part);
    let shown = Shown::of(201, &Written { number, version: new.version })?;
    ctx.settle(commit, Shown { version: Some(new.version), ..shown }).await
}

async fn note(ctx: Ctx, At(id): At<EapCaseId>, Body(mut note): Body<Note>) -> Answer {
    let (old, new, clinical) = own(&ctx, id).await?;
    note.by = ctx.actor().user.clone();
    if let Some(amended) = &note.amends {
        let there: Option<serde_json::Value> = clinical.read(&Key::part(id, "note", amended)).await?;
        if there.is_none() {
            return Err(
                Error::field("no-such-note", "/amends", "no note of this case has this number").into()
            );
        }
    }
    let key = file::place(id, "note", new.version);
    written(&ctx, "note", &old, &new, file::write(&clinical, &key, &note), &key).await
}

async fn outcome(ctx: Ctx, Path((id, when)): Path<(String, String)>, Body(outcome): Body<Outcome>) -> Answer {
    let when: Asked = when.parse().map_err(|()| Error::Missing)?;
    let mut case = own_whole(&ctx, id.parse()?).await?;
    let key = Key::part(case.new.id, "out", when);
    let part = file::write(&case.clinical, &key, &outcome);
    case.parts.outcomes.push(Placed { number: when.to_string(), part: outcome });
    case.written(&ctx, "outcome", part, &key).await
}

async fn refer(ctx: Ctx, At(id): At<EapCaseId>, Body(referred): Body<Referred>) -> Answer {
    let mut case = own_whole(&ctx, id).await?;
    let key = file::place(id, "ref", case.new.version);
    let part = file::write(&case.clinical, &key, &referred);
    case.parts.referrals.push(Placed { number: String::new(), part: referred });
    case.written(&ctx, "refer", part, &key).await
}

/// The one part that is written again: what became of it is known only later.
async fn referral(
    ctx: Ctx,
    Path((id, number)): Path<(String, String)>,
    Body(referred): Body<Referred>,
) -> Answer {
    let mut case = own_whole(&ctx, id.parse()?).await?;
    let key = Key::part(case.new.id, "ref", &number);
    let part = file::write_again(&case.clinical, &key, &referred);
    case.parts.referrals.retain(|placed| placed.number != number);
    case.parts.referrals.push(Placed { number, part: referred });
    case.written(&ctx, "referral", part, &key).await
}

async fn disclose(ctx: Ctx, At(id): At<EapCaseId>, Body(said): Body<Disclosure>) -> Answer {
    let (old, new, clinical) = own(&ctx, id).await?;
    let key = file::place(id, "disc", new.version);
    let part = file::write(&clinical, &key, &said);
    written(&ctx, "disclose", &old, &new, part, &key).await
}
