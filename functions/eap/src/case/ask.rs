//! At the end of a case, and 90 days later, the person is asked how they are: by a link that is theirs, is good once, and
//! names nothing but a number that only we can make. It goes the way they called safe; of whoever has named none, the
//! counsellor gets it with the answer to closing. The answer becomes a page of the case. The link to say how it was
//! (satisfaction) goes with it, and knows of no case.

use super::{
    Case, clinical, course,
    file::{self, Asked, CaseFile, Outcome, Parts, Placed},
};
use crate::{beneficiary::Beneficiary, place::MODULE, safely::Way, satisfaction};
use axum::{http::Method, routing::post};
use events::Envelope;
use jiff::SignedDuration;
use kernel::{EapCaseId, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Commit, Key, Record, Store, When};
use web::{Answer, Anyone, Body, Ctx, Door, Link, Reaction, Route, route};

const PURPOSE: &str = "eap.outcome";
const PATH: &str = "/v1/eap/outcomes/answers";
/// How long somebody may take to answer.
const LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Answers an hour, of an IP address: a company's people come from one.
const TRIES: u64 = 30;

/// What a link opens, until it was answered.
#[derive(Serialize, Deserialize)]
struct Asking {
    case: EapCaseId,
    when: Asked,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "EapOutcomeSaid")]
struct Said {
    #[schemars(length(min = 1, max = 2000))]
    token: String,
    #[serde(flatten)]
    outcome: Outcome,
}

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::POST, PATH, Door::Public, "eap_case.answer", post(answer))
            .takes::<Said>()
            .answers(204)
            .trips(6)
            .refuses(&["written-already"])
            .says("Somebody with a link says how they are; each link once"),
    ]
}

pub fn reactions() -> Vec<Reaction> {
    vec![Reaction::on("eap_case.closed", closed)]
}

fn place(number: &str) -> Key {
    Key::item("eask", number, ".")
}

/// The same for the same question, so that asking twice asks once; nobody can guess it.
fn number(store: &Store, case: EapCaseId, when: Asked, version: u64) -> String {
    store.blind(PURPOSE, &format!("{case}~{when}~{version}"))
}

/// A question that waits for its answer, and the link to it.
fn asked(ctx: &Ctx, case: EapCaseId, when: Asked, version: u64) -> Result<(Commit, String)> {
    let (number, until) = (number(ctx.store(), case, when, version), ctx.now() + LIFE);
    let url = ctx.app().mint(ctx.store(), PURPOSE, &number, until)?.url;
    let any = When::Absent.or(When::Present);
    let waits = Asking { case, when };
    Ok((ctx.store().commit().put_until(&place(&number), &waits, until, any, |_| Error::Missing), url))
}

fn answered(parts: &Parts, when: Asked) -> bool {
    parts.outcomes.iter().any(|o| o.number == when.to_string())
}

/// Whom a case is about, and how they may be written to.
async fn person(ctx: &Ctx, file: &CaseFile) -> Result<Option<Way>> {
    let person = ctx.store().get::<Beneficiary>(file.beneficiary).await?;
    Ok(Way::of(ctx, &person.body).filter(|_| person.deleted_at.is_none()))
}

/// The links for the counsellor to hand over, and what waits for them; nothing where the person is written to.
#[derive(Default, Serialize, JsonSchema)]
#[schemars(rename = "EapLinksByHand")]
pub struct ByHand {
    #[serde(skip_serializing_if = "Option::is_none")]
    satisfaction_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome_url: Option<String>,
}

/// At closing; `new` is the case as closing leaves it.
pub async fn by_hand(ctx: &Ctx, new: &Record<Case>) -> Result<(Commit, ByHand)> {
    let (_, file, parts) = file::whole(&clinical(ctx).await?, new.id).await?;
    if person(ctx, &file).await?.is_some() {
        return Ok((ctx.store().commit(), ByHand::default()));
    }
    let satisfaction_url = Some(satisfaction::link(ctx, new.body.client)?);
    if answered(&parts, Asked::Post) {
        return Ok((ctx.store().commit(), ByHand { satisfaction_url, outcome_url: None }));
    }
    let (commit, url) = asked(ctx, new.id, Asked::Post, new.version)?;
    Ok((commit, ByHand { satisfaction_url, outcome_url: Some(url) }))
}

/// The case was closed: whoever may be written to gets their links.
async fn closed(ctx: Ctx, event: Envelope) -> Result<()> {
    let id: EapCaseId = event.record.parse()?;
    let telling = async {
        let (case, file, parts) = file::whole(&clinical(&ctx).await?, id).await?;
        let Some(way) = person(&ctx, &file).await? else { return Ok(()) };
        let mut urls = vec![];
        if !answered(&parts, Asked::Post) {
            let (waits, url) = asked(&ctx, id, Asked::Post, event.version)?;
            // The question stands before anybody can open the link to it.
            waits.run().await?;
            urls.push(url);
        }
        urls.push(satisfaction::link(&ctx, case.body.client)?);
        send(&ctx, way, &urls).await
    };
    ctx.tell_once(PURPOSE, &event.id, telling).await
}

/// Ninety days later; false where nobody can be asked so, and somebody has to call.
pub async fn again(ctx: &Ctx, old: &Record<Case>) -> Result<bool> {
    let (_, file, parts) = file::whole(&clinical(ctx).await?, old.id).await?;
    if answered(&parts, Asked::Follow) {
        return Ok(true);
    }
    let Some(way) = person(ctx, &file).await? else { return Ok(false) };
    let (waits, url) = asked(ctx, old.id, Asked::Follow, old.version)?;
    waits.run().await?;
    send(ctx, way, &[url]).await?;
    Ok(true)
}

async fn send(ctx: &Ctx, way: Way, urls: &[String]) -> Result<()> {
    let until = (ctx.now() + LIFE).to_zoned(ctx.zone()).strftime("%-d %B %Y").to_string();
    let text = match urls {
        [url] => format!("Here are a few questions for you. The link works once, until {until}:\n\n{url}\n"),
        _ => format!(
            "Here are a few questions for you, in {} parts. Each link works once, until {until}:\n\n{}\n",
            urls.len(),
            urls.join("\n\n")
        ),
    };
    way.tell(ctx, "A few questions for you", text, ctx.now() + LIFE).await
}

async fn answer(anyone: Anyone, Body(said): Body<Said>) -> Answer {
    anyone.hourly(PURPOSE, TRIES).await?;
    let token = said.token.rsplit("/p/").next().unwrap_or_default();
    let (link, store) = anyone.link(token).await?;
    if link.purpose != PURPOSE {
        return Err(Error::Missing.into());
    }
    // Whoever holds the link writes one page, and reads none.
    let itself = Ctx::system(anyone.app(), store.scope(), MODULE, PURPOSE).await?;
    let clinical = clinical(&itself).await?;
    web::again(itself.store(), || written(&store, &clinical, &link, &said.outcome)).await?;
    web::deleted()
}

async fn written(store: &Store, clinical: &Store, link: &Link, outcome: &Outcome) -> Result<()> {
    let waits = place(&link.record);
    let Asking { case, when } = store.read(&waits).await?.ok_or(Error::Missing)?;
    let (old, file, mut parts) = file::whole(clinical, case).await?;
    let new = old.next(store.now());
    let part = file::write(clinical, &Key::part(case, "out", when), outcome);
    parts.outcomes.push(Placed { number: when.to_string(), part: outcome.clone() });
    let part = part.joined(course::keep(clinical, &new, &file, &parts));
    let commit = store.commit().update("answer", &old, &new).joined(part);
    commit.delete_if(&waits, When::Present, |_| Error::Missing).run().await
}
