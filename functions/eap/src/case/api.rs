//! Routes of cases. Whoever holds no right to a case hears of none: the same 404, whether there is one or not.

use super::{
    Alarm, Case, Closure, Status, clinical, command,
    file::{self, CaseFile, Parts},
    open, parts, past, rank,
};
use crate::{cap, contract::Contract};
use axum::{
    extract::RawQuery,
    http::Method,
    routing::{get, post},
};
use jiff::Timestamp;
use kernel::{ClientOrgId, EapCaseId, EapContractId, EapProviderId, EapServiceId, Error, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::Serialize;
use store::{Label, Record, Wanted};
use web::{
    Answer, At, Ctx, Noun, Reach, Route, Shown,
    noun::{self, Pages},
    ok, route,
};

pub const PATH: &str = "/v1/eap/cases";
const VIEW: &str = "eap_case.view";
const HEAD: &str = "eap_case.header";

/// What everybody sees who may know of a case: where it stands, and nothing of whom it is about, or why.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Head {
    pub id: EapCaseId,
    pub version: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub reference: String,
    pub status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<EapProviderId>,
    pub opened_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_contact_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<cap::Shown>,
    pub actions: Vec<&'static str>,
}

/// What the counsellor and the person themselves see.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Full {
    #[serde(flatten)]
    pub head: Head,
    pub client: ClientOrgId,
    pub contract: EapContractId,
    pub service: EapServiceId,
    pub category: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closure_reason: Option<Closure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_by: Option<Timestamp>,
    /// Somebody is being looked for because of a danger; not for the person's own eyes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm: Option<Sealed<Alarm>>,
    pub file: Sealed<CaseFile>,
    pub parts: Sealed<Parts>,
}

pub fn head(ctx: &Ctx, case: &Record<Case>, sessions: Option<cap::Shown>) -> Head {
    let Case { reference, status, provider, opened_at, first_contact_at, closed_at, .. } = case.body.clone();
    Head {
        id: case.id,
        version: case.version,
        created_at: case.created_at,
        updated_at: case.updated_at,
        reference,
        status,
        provider,
        opened_at,
        first_contact_at,
        closed_at,
        sessions,
        actions: Case::actions(case, ctx),
    }
}

pub fn full(
    ctx: &Ctx,
    case: &Record<Case>,
    file: CaseFile,
    mut parts: Parts,
    sessions: Option<cap::Shown>,
) -> Full {
    // The person sees what is written about them, but for what the counsellor keeps to themselves.
    if ctx.may(VIEW) == Reach::Own {
        parts.notes.retain(|n| !n.part.private);
    }
    let c = &case.body;
    Full {
        head: head(ctx, case, sessions),
        client: c.client,
        contract: c.contract,
        service: c.service,
        category: c.category.clone(),
        closure_reason: c.closure_reason,
        contact_by: c.contact_by,
        alarm: c.alarm.clone().filter(|_| ctx.may(VIEW) != Reach::Own).map(Sealed),
        file: Sealed(file),
        parts: Sealed(parts),
    }
}

pub fn routes() -> Vec<Route> {
    let one = format!("{PATH}/{{id}}");
    let mut routes = vec![
        route(Method::GET, PATH, HEAD, "eap_case.list", get(list))
            .asks_shape(noun::list_shape::<Case>)
            .gives::<Pages<Head>>(200)
            .trips(3)
            .says("Heads of cases: of a counsellor their own, of a person their own, of a manager by status"),
        route(Method::POST, PATH, VIEW, "eap_case.create", post(open::create))
            .takes::<open::New>()
            .gives::<Full>(201)
            .trips(9)
            .refuses(&["case-open", "not-eligible", "unknown-service"])
            .says("Opens a case, or finds the person's open one of the same issue"),
        route(Method::GET, one.as_str(), HEAD, "eap_case.show", get(show))
            .gives::<Full>(200)
            .trips(6)
            .says("A case as its reader may see it: the whole of it, or its head"),
        route(Method::GET, format!("{one}/glass"), "eap_case.glass", "eap_case.glass", get(glass))
            .gives::<Full>(200)
            .trips(4)
            .says("The whole of a case whose glass was broken: X-Break-Glass names the opening"),
        route(
            Method::GET,
            format!("{one}/candidates"),
            "eap_case.assign",
            "eap_case.candidates",
            get(rank::list),
        )
        .asks::<rank::Asked>()
        .gives::<Pages<rank::Candidate>>(200)
        .trips(4)
        .says("Who could take the case, the best first: language, specialty, mode, load"),
    ];
    routes.extend(command::routes(&one));
    routes.extend(parts::routes(&one));
    routes.extend(past::routes(&one));
    routes.into_iter().map(Route::hidden).collect()
}

async fn list(ctx: Ctx, RawQuery(query): RawQuery) -> Answer {
    let query = query.unwrap_or_default();
    let (list, wanted) = match ctx.reach() {
        Reach::All => noun::wanted::<Case>(&query)?,
        Reach::Assigned => own(&query, "counsellor", &ctx.actor().user)?,
        _ => own(&query, "person", &ctx.actor().user)?,
    };
    if ctx.reach() == Reach::All && matches!(list.name, "who" | "person") {
        let allowed = "no such parameter; allowed: status; counsellor; contract";
        return Err(Error::invalid(format!("?{}", list.name), "unknown", allowed).into());
    }
    let page = ctx.list(list, &wanted).await?;
    ok(&Pages::from(page.map(|case| head(&ctx, &case, None))))
}

/// Somebody's own list, whatever else they ask: only how long a page is, where it goes on, and of a counsellor the
/// status.
fn own(query: &str, name: &str, whose: &str) -> Result<(&'static store::List<Case>, Wanted)> {
    let list = Case::list(name);
    let joined = format!("{query}&{}={whose}", list.by[0]);
    let (found, wanted) = noun::wanted::<Case>(joined.trim_start_matches('&'))?;
    match found.name == list.name {
        true => Ok((found, wanted)),
        false => Err(Error::invalid("?", "unsupported-filter", "allowed: none; [status] of one's own cases")),
    }
}

async fn show(ctx: Ctx, At(id): At<EapCaseId>) -> Answer {
    let case = ctx.get::<Case>(id).await?;
    // What is used tells of other cases, until a counsellor knows who is at the other end.
    let unmet = ctx.reach() == Reach::Own && case.body.status == Status::Intake;
    let sessions = if unmet { None } else { balance(&ctx, &case).await? };
    if !sees_all(&ctx) {
        let shown = Shown::of(200, &head(&ctx, &case, sessions))?;
        return Ok(Shown { version: Some(case.version), ..shown }.respond());
    }
    let (case, file, parts) = file::whole(&clinical(&ctx).await?, id).await?;
    let shown = Shown::of(200, &full(&ctx, &case, file, parts, sessions))?;
    Ok(Shown { version: Some(case.version), ..shown }.respond())
}

/// Their own cases alone come as far as this; a manager's reach is all, and ends at the head.
pub fn sees_all(ctx: &Ctx) -> bool {
    ctx.may(VIEW) > Reach::None && ctx.reach() < Reach::All
}

pub async fn balance(ctx: &Ctx, case: &Record<Case>) -> Result<Option<cap::Shown>> {
    let contract = ctx.store().get::<Contract>(case.body.contract).await?;
    let day = contract.body.today(ctx.now());
    let key = case.body.cap_key(&contract, day);
    let balance = cap::Balance::read(ctx.store(), &key).await?;
    Ok(Some(balance.shown(cap::Rule::of(&contract.body).sessions)))
}

async fn glass(ctx: Ctx, At(id): At<EapCaseId>) -> Answer {
    let clinical = ctx.under_glass(Label::EapClinical, id).await?;
    ctx.looked_at::<Case>([id].into_iter()).await?;
    let (case, file, parts) = file::whole(&clinical, id).await?;
    let shown = Shown::of(200, &full(&ctx, &case, file, parts, None))?;
    Ok(Shown { version: Some(case.version), ..shown }.respond())
}
