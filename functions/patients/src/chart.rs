//! The records of one patient (allergies, flags, covers, kin): the same routes for each, under the patient.

mod past;

pub use past::whole;

use crate::patient::{
    Patient,
    api::survivor,
    check::{Desk, sensible},
};
use authz::Only;
use axum::{
    http::Method,
    routing::{get, patch, post},
};
use kernel::{Error, Fault, Id, PatientId, Result};
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use store::{Commit, Fact, Key, Record, Wanted, When, facts, is};
use web::{
    Answer, At, Body, Ctx, Raw, Reach, Route, Within, check,
    noun::{Between, Differences, History, Noun, Pages, Stood, View},
    route,
};

/// A record of a patient.
pub trait Entry: Noun {
    /// `allergies`
    const PATH: &'static str;
    const VIEW: &'static str;
    const EDIT: &'static str;
    /// How many of them one patient has at most.
    const MOST: usize;
    const COMMANDS: &'static [Command<Self>];
    /// The fact about the patient that every write rewrites; it is read beside the patient.
    const FACT: Option<Fact> = None;
    /// A change needs a reason.
    const REASONED: &'static [&'static str] = &[];

    fn patient(&self) -> PatientId;
    fn belongs(&mut self, patient: PatientId);
    /// Into the kept form; what is wrong is listed.
    fn normalise(&mut self, desk: Desk) -> Vec<Fault>;
    /// What the system sets on a new one.
    fn begin(&mut self, ctx: &Ctx) {
        let _ = ctx;
    }
    /// Refuses a change, or fills what follows from it.
    fn before(ctx: &Ctx, action: &str, old: Option<&Self>, new: &mut Self) -> Result<()> {
        let _ = (ctx, action, old, new);
        Ok(())
    }
    /// Who may know of it, beside the permission.
    fn audience(&self) -> Audience {
        Audience::Everybody
    }
    /// Leaves what somebody sees whose grant is qualified (`names`, …).
    fn qualified(&mut self, only: Only) {
        let _ = only;
    }
    /// Everything that happens in the same commit: the record, its event, facts, what the patient mirrors.
    fn commit(ctx: &Ctx, written: Written<'_, Self>) -> Result<Commit>;
}

/// For whose eyes an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    Everybody,
    /// Clinical roles.
    Clinical,
    /// Those who care for the patient.
    Team,
}

/// How far into the chart the caller sees.
async fn audience(ctx: &Ctx, patient: &Record<Patient>, most: Audience) -> Result<Audience> {
    let roles = &ctx.actor().roles;
    let clinical = roles.iter().any(|r| authz::role(r).is_some_and(|r| r.clinical));
    let whole = ctx.reach() == Reach::All;
    match most {
        Audience::Team if whole || crate::care::has(ctx, &patient.body.ids(patient.id)).await? => {
            Ok(Audience::Team)
        }
        _ if clinical || whole => Ok(Audience::Clinical),
        _ => Ok(Audience::Everybody),
    }
}

/// The entries that the caller may know of, as they may be seen.
async fn seen<E: Entry>(ctx: &Ctx, patient: &Record<Patient>, all: Vec<Record<E>>) -> Result<Vec<Record<E>>> {
    let most = all.iter().map(|r| r.body.audience()).max().unwrap_or(Audience::Everybody);
    let near = if most == Audience::Everybody { most } else { audience(ctx, patient, most).await? };
    let mut all: Vec<Record<E>> = all.into_iter().filter(|r| r.body.audience() <= near).collect();
    if let Some(only) = ctx.only() {
        all.iter_mut().for_each(|r| r.body.qualified(only));
    }
    Ok(all)
}

/// One version of an entry about to be written.
pub struct Written<'a, E: Noun> {
    pub patient: &'a Record<Patient>,
    pub action: &'static str,
    pub old: Option<&'a Record<E>>,
    pub new: &'a Record<E>,
    pub reason: Option<String>,
    /// The fact as it stands.
    pub fact: &'a Value,
}

impl<E: Noun> Written<'_, E> {
    /// The fact as its noun knows it; the empty one, if there is none yet.
    pub fn seen<F: DeserializeOwned + Default>(&self) -> Result<F> {
        if self.fact.is_null() {
            Ok(F::default())
        } else {
            serde_json::from_value(self.fact.clone()).map_err(Error::internal)
        }
    }
    /// The commit with the record itself.
    pub fn begin(&self, ctx: &Ctx) -> Commit {
        let commit = ctx.commit().because(self.reason.clone());
        match self.old {
            None => commit.create(self.new),
            Some(old) => commit.update(self.action, old, self.new),
        }
    }
}

/// A command of an entry: what it does, and whether it asks why.
pub struct Command<E> {
    pub name: &'static str,
    pub reason: bool,
    pub says: &'static str,
    pub run: fn(&mut E, &Ctx, Option<&str>) -> Result<()>,
}

/// The patient as the route names it, within reach; a merged one answers with its survivor.
pub async fn patient(ctx: &Ctx, id: PatientId) -> Result<Record<Patient>> {
    Ok(survivor(ctx, id).await?.0)
}

/// Refuses writing about somebody whose record is closed.
pub fn standing(patient: &Record<Patient>) -> Result<()> {
    if let Some(survivor) = patient.body.merged_into {
        return Err(merged(survivor));
    }
    if patient.body.deceased.is_some() {
        return Err(deceased());
    }
    Ok(())
}

pub fn merged(survivor: PatientId) -> Error {
    Error::conflict("patient-merged", "this record was merged into another one: go on there")
        .with("survivor", survivor)
}
pub fn deceased() -> Error {
    Error::conflict(
        "patient-deceased",
        "this patient has died: documents and next of kin may be added, nothing else",
    )
}

/// At the moment of the commit the patient is live, or at least not merged.
pub fn require_live(commit: Commit, patient: PatientId, dead_too: bool) -> Commit {
    let when = if dead_too { When::Present.and(When::Without("merged_into")) } else { is("live", true) };
    commit.check(&Key::fact(facts::PATIENT, patient), when, |fact| match fact {
        None => Error::Missing,
        Some(f) => match f["merged_into"].as_str().and_then(|s| s.parse().ok()) {
            Some(survivor) => merged(survivor),
            None if f["status"] == "deceased" => deceased(),
            // Deleted: whoever asks now does not know of it.
            None => Error::Missing,
        },
    })
}

/// Writes a fact that several commits add to: its `rev` must still be the one that was read.
pub fn fact_at(commit: Commit, fact: Fact, id: PatientId, seen: u64, body: &impl serde::Serialize) -> Commit {
    commit.put_over(&Key::fact(fact, id), seen, body)
}

/// Faults of entries that come inside another body.
pub fn normalise_all<E: Entry>(at: &str, all: &mut [E], desk: Desk) -> Vec<Fault> {
    let faults = all.iter_mut().enumerate().flat_map(|(n, entry)| {
        let inner = entry.normalise(desk);
        inner.into_iter().map(move |f| Fault { pointer: format!("/{at}/{n}{}", f.pointer), ..f })
    });
    faults.collect()
}

pub fn routes<E: Entry>() -> Vec<Route> {
    let path = format!("/v1/patients/{{id}}/{}", E::PATH);
    let one = format!("{path}/{{part}}");
    let n = E::NOUN;
    let mut all = vec![
        route(Method::GET, path.as_str(), E::VIEW, format!("{n}.list"), get(list::<E>))
            .gives::<Pages<View<'static, E>>>(200)
            .trips(2)
            .says(format!("Every {n} of a patient")),
        route(Method::POST, path.as_str(), E::EDIT, format!("{n}.create"), post(create::<E>))
            .takes::<E>()
            .gives::<View<'static, E>>(201)
            .refuses(&["patient-merged", "patient-deceased", "too-many"])
            .trips(2)
            .says(format!("A new {n} of a patient")),
        route(Method::GET, one.as_str(), E::VIEW, format!("{n}.show"), get(show::<E>))
            .gives::<View<'static, E>>(200)
            .trips(1)
            .says(format!("One {n}")),
        route(
            Method::GET,
            format!("{one}/history"),
            E::VIEW,
            format!("{n}.history"),
            get(past::history::<E>),
        )
        .gives::<History>(200)
        .trips(2)
        .says(format!("Every version of a {n}")),
        route(
            Method::GET,
            format!("{one}/history/{{version}}"),
            E::VIEW,
            format!("{n}.version"),
            get(past::version::<E>),
        )
        .gives::<Stood>(200)
        .trips(2)
        .says(format!("One version of a {n}: what was changed, and what it was then")),
        route(Method::GET, format!("{one}/history/diff"), E::VIEW, format!("{n}.diff"), get(past::diff::<E>))
            .asks::<Between>()
            .gives::<Differences>(200)
            .trips(2)
            .says(format!("What two versions of a {n} differ in, whatever lay between them")),
        route(Method::PATCH, one.as_str(), E::EDIT, format!("{n}.update"), patch(amend::<E>))
            .patches::<E>()
            .gives::<View<'static, E>>(200)
            .trips(2)
            .says(format!("Changes a {n} by a merge patch")),
    ];
    all.extend(E::COMMANDS.iter().map(|command| {
        let handler =
            move |ctx: Ctx, at: Within<PatientId, E::Id>, body: Body<Why>| give(ctx, at, body, command);
        route(
            Method::POST,
            format!("{one}/{}", command.name),
            E::EDIT,
            format!("{n}.{}", command.name),
            post(handler),
        )
        .takes::<Why>()
        .gives::<View<'static, E>>(200)
        .trips(2)
        .says(command.says)
    }));
    all
}

/// Own entries and those of the records merged into this one.
pub async fn entries<E: Entry>(ctx: &Ctx, ids: &[PatientId]) -> Result<Vec<Record<E>>> {
    let lists = ids.iter().map(|id| own_entries::<E>(ctx, *id));
    Ok(futures::future::try_join_all(lists).await?.into_iter().flatten().collect())
}

async fn own_entries<E: Entry>(ctx: &Ctx, id: PatientId) -> Result<Vec<Record<E>>> {
    let most = i32::try_from(E::MOST).unwrap_or(100).min(100);
    let wanted = Wanted::by(&[&id], most);
    Ok(ctx.store().list(&E::LISTS[0], &wanted).await?.data)
}

async fn list<E: Entry>(ctx: Ctx, At(id): At<PatientId>) -> Answer {
    let own = [id];
    let (patient, own) = futures::join!(patient(&ctx, id), entries::<E>(&ctx, &own));
    let (patient, mut all) = (patient?, own?);
    let others: Vec<PatientId> = patient.body.ids(patient.id).into_iter().filter(|p| *p != id).collect();
    if !others.is_empty() {
        all.extend(entries::<E>(&ctx, &others).await?);
    }
    let data = seen(&ctx, &patient, all).await?.into_iter().map(|record| View::owned(&ctx, record)).collect();
    web::ok(&Pages { data, next: None })
}

/// The patient and the entry in one wave; an entry of somebody else is missing.
async fn both<E: Entry>(ctx: &Ctx, id: PatientId, part: E::Id) -> Result<(Record<Patient>, Record<E>)> {
    let (patient, entry) = futures::join!(patient(ctx, id), ctx.store().get::<E>(part));
    of_patient(patient?, entry?)
}

fn of_patient<E: Entry>(patient: Record<Patient>, entry: Record<E>) -> Result<(Record<Patient>, Record<E>)> {
    match patient.body.ids(patient.id).contains(&entry.body.patient()) && entry.deleted_at.is_none() {
        true => Ok((patient, entry)),
        false => Err(Error::Missing),
    }
}

async fn show<E: Entry>(ctx: Ctx, Within(id, part): Within<PatientId, E::Id>) -> Answer {
    let (patient, entry) = both::<E>(&ctx, id, part).await?;
    let entry = seen(&ctx, &patient, vec![entry]).await?.pop().ok_or(Error::Missing)?;
    Ok(ctx.shown(200, &entry)?.respond())
}

/// The noun's fact about a patient, if it keeps one.
async fn fact<E: Entry>(ctx: &Ctx, id: PatientId) -> Result<Value> {
    match E::FACT {
        Some(fact) => Ok(ctx.store().fact::<Value>(fact, id).await?.unwrap_or_default()),
        None => Ok(Value::Null),
    }
}

/// The fact that was read under the id of the route, or the survivor's.
async fn fact_of<E: Entry>(
    ctx: &Ctx,
    asked: PatientId,
    read: Value,
    patient: &Record<Patient>,
) -> Result<Value> {
    if patient.id == asked { Ok(read) } else { fact::<E>(ctx, patient.id).await }
}

/// Commits that add to one fact at the same moment: all of them win, one after the other.
const TRIES: usize = 6;

async fn create<E: Entry>(ctx: Ctx, At(id): At<PatientId>, Raw(body): Raw) -> Answer {
    let mut entry: E = check::read(&body)?;
    sensible(entry.normalise(Desk::of(&ctx)))?;
    let reason = reasoned::<E>(&ctx, "create", None)?;
    let mine = [id];
    for attempt in 1.. {
        let (patient, there, read) =
            futures::join!(patient(&ctx, id), entries::<E>(&ctx, &mine), fact::<E>(&ctx, id));
        let (patient, there) = (patient?, there?);
        let fact = &fact_of::<E>(&ctx, id, read?, &patient).await?;
        if there.len() >= E::MOST {
            let detail = format!("a patient has at most {} of these", E::MOST);
            return Err(Error::conflict("too-many", detail).into());
        }
        let mut body = entry.clone();
        body.belongs(patient.id);
        body.begin(&ctx);
        E::before(&ctx, "create", None, &mut body)?;
        let new = Record::new(ctx.now(), body);
        let written = Written {
            patient: &patient,
            action: "create",
            old: None,
            new: &new,
            reason: reason.clone(),
            fact,
        };
        let commit = E::commit(&ctx, written)?;
        match ctx.settle(commit, ctx.shown(201, &new)?).await {
            Err(e) if again(&e.0) && attempt < TRIES => continue,
            other => return other,
        }
    }
    unreachable!("the last try returns")
}

fn again(error: &Error) -> bool {
    matches!(error, Error::Stale { demanded: false, .. })
}

fn reasoned<E: Entry>(ctx: &Ctx, action: &'static str, given: Option<&str>) -> Result<Option<String>> {
    match E::REASONED.contains(&action) {
        true => Ok(Some(ctx.needs_reason(given)?)),
        false => Ok(given.map(Into::into).or_else(|| ctx.reason())),
    }
}

async fn amend<E: Entry>(ctx: Ctx, Within(id, part): Within<PatientId, E::Id>, Raw(patch): Raw) -> Answer {
    let reason = reasoned::<E>(&ctx, "update", None)?;
    let patched = |old: &Record<E>| -> Result<E> {
        let mut body = check::merge_patch(&old.body, &patch)?;
        sensible(body.normalise(Desk::of(&ctx)))?;
        Ok(body)
    };
    change(&ctx, id, part, "update", reason, patched).await
}

async fn give<E: Entry>(
    ctx: Ctx,
    Within(id, part): Within<PatientId, E::Id>,
    Body(body): Body<Why>,
    command: &'static Command<E>,
) -> Answer {
    let given = body.reason;
    let reason = match command.reason {
        true => Some(ctx.needs_reason(given.as_deref())?),
        false => given.or_else(|| ctx.reason()),
    };
    let run = |old: &Record<E>| -> Result<E> {
        let mut body = old.body.clone();
        (command.run)(&mut body, &ctx, reason.as_deref())?;
        Ok(body)
    };
    change(&ctx, id, part, command.name, reason.clone(), run).await
}

/// The body of a command that takes nothing but a reason.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Why {
    #[schemars(length(min = 1, max = 2000))]
    pub reason: Option<String>,
}

async fn change<E: Entry>(
    ctx: &Ctx,
    id: PatientId,
    part: E::Id,
    action: &'static str,
    reason: Option<String>,
    make: impl Fn(&Record<E>) -> Result<E>,
) -> Answer {
    for attempt in 1.. {
        let entry = ctx.store().fresh::<E>(part);
        let (patient, old, read) = futures::join!(patient(ctx, id), entry, fact::<E>(ctx, id));
        let (patient, old) = of_patient(patient?, old?)?;
        let fact = &fact_of::<E>(ctx, id, read?, &patient).await?;
        old.matches(ctx.if_match())?;
        let mut new = old.next(ctx.now());
        new.body = make(&old)?;
        E::before(ctx, action, Some(&old.body), &mut new.body)?;
        let written =
            Written { patient: &patient, action, old: Some(&old), new: &new, reason: reason.clone(), fact };
        let commit = E::commit(ctx, written)?;
        match ctx.settle(commit, ctx.shown(200, &new)?).await {
            Err(e) if again(&e.0) && attempt < TRIES => continue,
            other => return other,
        }
    }
    unreachable!("the last try returns")
}

/// Of an id that is set when the record is placed under its patient.
pub fn nobody() -> PatientId {
    PatientId::of(kernel::Ulid::nil())
}
