//! Targets: a figure for a client's programme or for a member of staff, with what was measured period by period.

use super::{
    Kpi,
    formula::{self, Figure, Light, Measured},
};
use crate::{
    case::{self, course},
    client, org_service,
    place::{self, OfClient, Outward},
    report::{self, Period},
};
use axum::{
    extract::FromRequestParts,
    http::{Method, request::Parts},
    routing::{get, post, put},
};
use events::EapEvent;
use jiff::civil::Date;
use kernel::{ClientOrgId, Error, Fault, KpiAssignmentId, KpiId, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Entity, Key, List, Record, Row};
use web::{
    Actor, Answer, At, Body, Ctx, Noun, Reach, Route,
    noun::{self, Hooks, Pages, Paths},
    ok, route,
};

const PATH: &str = "/v1/eap/kpi_assignments";

/// Who is measured by what, and how good is good enough.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EapKpiAssignment")]
pub struct Assignment {
    pub kpi: KpiId,
    /// A client's programme, or else a member of staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientOrgId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staff: Option<UserId>,
    pub target: f64,
    /// Short of the target, but not alarming.
    pub amber: f64,
    pub from: Date,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
}

impl Entity for Assignment {
    type Id = KpiAssignmentId;
    const NOUN: &'static str = "kpi_assignment";
    const LISTS: &'static [List<Self>] = &[
        List::by("client", &["client"], |r| {
            r.body.client.iter().map(|client| Row::new(&[client], &[&r.id])).collect()
        }),
        List::by("staff", &["staff"], |r| {
            r.body.staff.iter().map(|staff| Row::new(&[staff], &[&r.id])).collect()
        }),
        List::newest(),
    ];
}

impl Noun for Assignment {
    fn check(&self) -> Vec<Fault> {
        let mut faults = vec![];
        if self.client.is_some() == self.staff.is_some() {
            faults.push(Fault::new("/client", "one-of", "name a client or a member of staff"));
        }
        if self.to.is_some_and(|to| to < self.from) {
            faults.push(Fault::new("/to", "range", "not before from"));
        }
        faults
    }
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        let own = record.body.staff.is_some_and(|staff| staff.to_string() == actor.user);
        reach == Reach::All || (reach == Reach::Own && own)
    }
    async fn proven(ctx: &Ctx, record: &Record<Self>) -> Result<bool> {
        match record.body.client {
            Some(client) if ctx.reach() == Reach::Linked => place::near(ctx, client).await,
            _ => Ok(false),
        }
    }
}

impl Outward for Assignment {
    fn outward(&mut self) {}
}
impl OfClient for Assignment {
    const EDIT: &'static str = "kpi.edit";
}

impl Hooks for Assignment {
    async fn prepare(
        ctx: &Ctx,
        action: &str,
        old: Option<&Record<Self>>,
        new: &mut Record<Self>,
    ) -> Result<()> {
        if old.is_some_and(|o| {
            (o.body.kpi, o.body.client, o.body.staff) != (new.body.kpi, new.body.client, new.body.staff)
        }) {
            return Err(Error::field(
                "fixed",
                "/kpi",
                "what was measured stays with its figure; make a new one",
            ));
        }
        // What was there when it was made may have gone since; only what begins (again) needs it.
        if !matches!(action, "create" | "restore") {
            return Ok(());
        }
        let client = async {
            match new.body.client {
                Some(client) => client::known(ctx, client).await.map(drop),
                None => Ok(()),
            }
        };
        let unknown = || Error::field("unknown-kpi", "/kpi", "there is no such key figure");
        futures::try_join!(web::known::<Kpi>(ctx, new.body.kpi, unknown), client).map(drop)
    }
}

/// What was measured or entered for a period.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EapKpiValue")]
pub struct Measure {
    /// To one decimal; none without a denominator.
    pub value: Option<f64>,
    pub numerator: i64,
    pub denominator: u64,
    pub light: Option<Light>,
    /// Who entered it; none where it was computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entered_by: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EapKpiPeriod")]
struct OfPeriod {
    period: String,
    #[serde(flatten)]
    measure: Measure,
}

pub fn routes() -> Vec<Route> {
    let (view, edit) = ("kpi.view", "kpi.edit");
    let crud = noun::crud::<Assignment>(Paths { path: PATH, view, create: edit, edit, delete: edit });
    let values = format!("{PATH}/{{id}}/values");
    // The figure is looked for first.
    let ours = |r: Route| match r.operation.as_str() {
        "kpi_assignment.create" => r.trips(2),
        "kpi_assignment.restore" => r.trips(3),
        _ => r,
    };
    let mut routes: Vec<Route> = place::of_client::<Assignment>(crud).into_iter().map(ours).collect();
    routes.extend([
        route(Method::GET, &values, view, "kpi_assignment.values", get(list))
            .gives::<Pages<OfPeriod>>(200)
            .trips(2)
            .says("What was measured, period by period; a client's people read their reports instead"),
        route(Method::PUT, format!("{values}/{{period}}"), edit, "kpi_assignment.enter", put(enter))
            .takes::<Entered>()
            .gives::<OfPeriod>(200)
            .trips(3)
            .refuses(&["computed"])
            .says("Enters the value of a period for a figure that is not computed"),
        route(
            Method::POST,
            format!("{values}/{{period}}/measure"),
            edit,
            "kpi_assignment.measure",
            post(measure),
        )
        .gives::<OfPeriod>(200)
        .trips(12)
        .refuses(&["not-computed", "no-client", "period-open"])
        .says("Computes the value of a period that is over, such as 2026-Q3"),
    ]);
    routes
}

/// The assignment and the span in the path.
struct Path(KpiAssignmentId, Period);

impl<S: Sync + Send> FromRequestParts<S> for Path {
    type Rejection = web::Refused;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, web::Refused> {
        let path = axum::extract::Path::<(String, String)>::from_request_parts(parts, state).await;
        let axum::extract::Path((id, period)) = path.map_err(|_| Error::Missing)?;
        Ok(Self(id.parse()?, period.parse().map_err(|_| Error::Missing)?))
    }
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "EapKpiEntered")]
struct Entered {
    numerator: i64,
    #[schemars(range(min = 1))]
    denominator: u64,
}

async fn list(ctx: Ctx, At(id): At<KpiAssignmentId>) -> Answer {
    let record = ctx.get::<Assignment>(id).await?;
    if place::is_outside(&ctx) && record.body.client.is_some() {
        let detail = "what may be shown of it stands in the reports: GET /v1/eap/reports?client=";
        return Err(Error::forbidden("reports-only", detail).into());
    }
    let parts = ctx.store().under::<Value>(&Key::record(id), "val#", 200).await?;
    let value = |(place, body): (String, Value)| {
        let period = place.strip_prefix("val#")?.to_string();
        serde_json::from_value(body).ok().map(|measure| OfPeriod { period, measure })
    };
    ok(&Pages { data: parts.into_iter().filter_map(value).collect(), next: None })
}

async fn enter(ctx: Ctx, Path(id, period): Path, Body(entered): Body<Entered>) -> Answer {
    let (old, kpi) = of(&ctx, id).await?;
    if kpi.formula != formula::MANUAL {
        return Err(Error::field("computed", "period", "this figure is computed: POST …/measure").into());
    }
    let percent = kpi.unit == formula::Unit::Percent;
    let figure = Figure { numerator: entered.numerator, denominator: entered.denominator, percent };
    let by = Some(ctx.actor().user.clone());
    keep(ctx, old, &kpi, period, figure, by).await
}

async fn measure(ctx: Ctx, Path(id, period): Path) -> Answer {
    let (old, kpi) = of(&ctx, id).await?;
    let entered = || Error::field("not-computed", "period", "this figure is entered: PUT …/values/{period}");
    let formula = formula::named(&kpi.formula).ok_or_else(entered)?;
    let none = || Error::unprocessable("no-client", "figures of a member of staff are entered");
    let client = old.body.client.ok_or_else(none)?;
    period.is_over(ctx.today())?;
    let system = case::by_itself(&ctx).await?;
    let clinical = case::clinical(&system).await?;
    let months = period.months();
    let (uses, courses, headcounts, satisfied, attended) = futures::try_join!(
        report::uses(&clinical, client, period.quarters()),
        course::courses(&clinical, client, period.quarters()),
        client::headcounts(&ctx, client, &months),
        report::satisfied(&system, client, &months),
        org_service::attended(&system, client, period.days()),
    )?;
    let measured = Measured { headcounts, satisfied, courses, attended, ..Measured::of(&uses, period) };
    keep(ctx, old, &kpi, period, formula.measure(&measured), None).await
}

async fn of(ctx: &Ctx, id: KpiAssignmentId) -> Result<(Record<Assignment>, Kpi)> {
    let old = ctx.change::<Assignment>(id).await?;
    let kpi = ctx.store().get::<Kpi>(old.body.kpi).await?;
    Ok((old, kpi.body))
}

async fn keep(
    ctx: Ctx,
    old: Record<Assignment>,
    kpi: &Kpi,
    period: Period,
    figure: Figure,
    by: Option<String>,
) -> Answer {
    let value = figure.rounded(1);
    let light = value.map(|value| formula::light(value, old.body.target, old.body.amber, kpi.direction));
    let Figure { numerator, denominator, .. } = figure;
    let measure = Measure { value, numerator, denominator, light, entered_by: by };
    let new = old.next(ctx.now());
    let shown = web::Shown::of(200, &OfPeriod { period: period.to_string(), measure: measure.clone() })?;
    let event = EapEvent::KpiMeasured { assignment: new.id, kpi: new.body.kpi, period: period.to_string() };
    let commit = ctx.commit().update("measure", &old, &new).emit(event);
    ctx.settle(commit.put(&Key::part(new.id, "val", period), &measure), shown).await
}
