//! Background: what happened before. One document per patient, under the patient's own ULID.

use crate::{chart, patient::check::sensible};
use axum::{
    extract::RawQuery,
    http::Method,
    routing::{get, patch},
};
use jiff::civil::Date;
use kernel::{BackgroundId, Error, Fault, Id, PatientId, Result, error::found};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Entity, List, Record, Row};
use web::{
    Answer, At, AtVersion, Ctx, Noun, Raw, Reach, Route, check,
    noun::{self, Between, Differences, History, Stood, View},
    route,
};

kernel::words! {
    pub enum Use { Never = "never", Former = "former", Current = "current", Unknown = "unknown" }
}

macro_rules! entries { ($($(#[$doc:meta])* $name:ident { $($field:ident : $type:ty),* $(,)? })+) => { $(
    $(#[$doc])*
    #[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
    pub struct $name {
        #[schemars(length(min = 1, max = 300))]
        pub text: Sealed<String>,
        #[schemars(length(min = 1, max = 40))]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub code: Option<String>,
        $(#[serde(default, skip_serializing_if = "Option::is_none")] pub $field: Option<$type>,)*
    }
)+ } }

entries! {
    /// A condition; one that is a present problem belongs to the encounter's list, and is linked here.
    Condition { since: Date, problem_id: String }
    Surgery { date: Date }
    Hospitalisation { from: Date, to: Date }
    ReportedMedication { dose: Sealed<String> }
    Immunisation { date: Date, dose: u8, lot: String }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FamilyCondition {
    #[schemars(length(min = 1, max = 40))]
    pub relation: String,
    #[schemars(length(min = 1, max = 300))]
    pub condition: Sealed<String>,
}

/// Pregnancies so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Obstetric {
    #[schemars(range(min = 0, max = 30))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gravida: Option<u8>,
    #[schemars(range(min = 0, max = 30))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub para: Option<u8>,
    #[schemars(range(min = 0, max = 30))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abortions: Option<u8>,
    #[schemars(range(min = 0, max = 30))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub living: Option<u8>,
    /// First day of the last menstruation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lmp: Option<Date>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Social {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tobacco: Option<Sealed<Use>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alcohol: Option<Sealed<Use>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drugs: Option<Sealed<Use>>,
    #[schemars(length(min = 1, max = 300))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occupation: Option<Sealed<String>>,
    #[schemars(length(min = 1, max = 300))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub housing: Option<Sealed<String>>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Background {
    #[schemars(length(max = 200))]
    #[serde(default)]
    pub conditions: Vec<Condition>,
    #[schemars(length(max = 200))]
    #[serde(default)]
    pub surgeries: Vec<Surgery>,
    #[schemars(length(max = 200))]
    #[serde(default)]
    pub hospitalisations: Vec<Hospitalisation>,
    #[schemars(length(max = 200))]
    #[serde(default)]
    pub family: Vec<FamilyCondition>,
    #[schemars(length(max = 200))]
    #[serde(default)]
    pub medications_reported: Vec<ReportedMedication>,
    #[schemars(length(max = 200))]
    #[serde(default)]
    pub immunisations: Vec<Immunisation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obstetric: Option<Obstetric>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub social: Option<Social>,
}

/// Entries of all arrays together.
const MOST: usize = 200;

impl Background {
    fn entries(&self) -> usize {
        let Self {
            conditions, surgeries, hospitalisations, family, medications_reported, immunisations, ..
        } = self;
        conditions.len()
            + surgeries.len()
            + hospitalisations.len()
            + family.len()
            + medications_reported.len()
            + immunisations.len()
    }
}

impl Entity for Background {
    type Id = BackgroundId;
    const NOUN: &'static str = "background";
    const PERSONAL: bool = true;
    const LISTS: &'static [List<Self>] = &[List::by("all", &[], |r| vec![Row::new(&[], &[&r.id])])];
}

impl Noun for Background {
    fn within(_: &Record<Self>, reach: Reach, _: &web::Actor) -> bool {
        reach == Reach::All
    }
}

fn own(patient: PatientId) -> BackgroundId {
    BackgroundId::of(patient.ulid())
}

pub fn routes() -> Vec<Route> {
    let path = "/v1/patients/{id}/background";
    vec![
        route(Method::GET, path, "background.view", "background.show", get(show))
            .gives::<View<'static, Background>>(200)
            .trips(1)
            .says("What happened before: conditions, operations, family, habits"),
        route(Method::PATCH, path, "background.edit", "background.update", patch(amend))
            .patches::<Background>()
            .gives::<View<'static, Background>>(200)
            .trips(2)
            .says("Changes the background by a merge patch; the first change makes it"),
        route(Method::GET, format!("{path}/history"), "background.view", "background.history", get(history))
            .gives::<History>(200)
            .trips(2)
            .says("Every version of the background"),
        route(
            Method::GET,
            format!("{path}/history/{{version}}"),
            "background.view",
            "background.version",
            get(version),
        )
        .gives::<Stood>(200)
        .trips(3)
        .says("One version of the background: what was changed, and what it was then"),
        route(Method::GET, format!("{path}/history/diff"), "background.view", "background.diff", get(diff))
            .asks::<Between>()
            .gives::<Differences>(200)
            .trips(3)
            .says("What two versions of the background differ in, whatever lay between them"),
    ]
}

/// A patient without a background has an empty one.
async fn there(ctx: &Ctx, id: PatientId) -> Result<Option<Record<Background>>> {
    found(ctx.store().fresh::<Background>(own(id)).await)
}

async fn show(ctx: Ctx, At(id): At<PatientId>) -> Answer {
    let (patient, found) = futures::join!(chart::patient(&ctx, id), there(&ctx, id));
    let (patient, mut found) = (patient?, found?);
    if patient.id != id {
        found = there(&ctx, patient.id).await?;
    }
    let record = found.unwrap_or_else(|| Record::with_id(own(patient.id), ctx.now(), Background::default()));
    Ok(ctx.shown(200, &record)?.respond())
}

async fn history(ctx: Ctx, At(id): At<PatientId>) -> Answer {
    let patient = chart::patient(&ctx, id).await?;
    let data = ctx.store().history::<Background>(own(patient.id), None, 100).await?;
    web::ok(&History { data, next: None })
}

async fn past(ctx: &Ctx, id: PatientId) -> Result<Record<Background>> {
    chart::whole(ctx)?;
    let patient = chart::patient(ctx, id).await?;
    there(ctx, patient.id).await?.ok_or(Error::Missing)
}

async fn version(ctx: Ctx, AtVersion(id, version): AtVersion<PatientId>) -> Answer {
    let record = past(&ctx, id).await?;
    noun::version_of(&ctx, &record, version).await
}

async fn diff(ctx: Ctx, At(id): At<PatientId>, RawQuery(query): RawQuery) -> Answer {
    let between = noun::between(query.as_deref())?;
    let record = past(&ctx, id).await?;
    noun::diff_of::<Background>(&ctx, record.id, between).await
}

async fn amend(ctx: Ctx, At(id): At<PatientId>, Raw(patch): Raw) -> Answer {
    let (patient, found) = futures::join!(chart::patient(&ctx, id), there(&ctx, id));
    let (patient, old) = (patient?, found?);
    if patient.id != id {
        return Err(chart::merged(patient.id).into());
    }
    chart::standing(&patient)?;
    let body = check::merge_patch(old.as_ref().map_or(&Background::default(), |o| &o.body), &patch)?;
    if body.entries() > MOST {
        let detail = format!("at most {MOST} entries in all");
        sensible(vec![Fault::new("", "too-many", detail)])?;
    }
    let (commit, new) = match &old {
        None => {
            let new = Record::with_id(own(id), ctx.now(), body);
            (ctx.commit().create(&new), new)
        }
        Some(old) => {
            old.matches(ctx.if_match())?;
            let new = Record { body, ..old.next(ctx.now()) };
            (ctx.commit().update("update", old, &new), new)
        }
    };
    let shown = ctx.shown(200, &new)?;
    ctx.settle(chart::require_live(commit, id, false), shown).await
}
