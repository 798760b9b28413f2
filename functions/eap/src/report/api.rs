//! Routes of reports.

use super::{Period, Report, build, print};
use crate::{client::Client, place};
use axum::{
    http::Method,
    routing::{get, post},
};
use jiff::SignedDuration;
use kernel::{ClientOrgId, ClientReportId};
use schemars::JsonSchema;
use serde::Deserialize;
use store::Record;
use web::{
    Answer, At, Body, Ctx, Route,
    files::{File, Link, Named},
    noun::{self, Pages, View},
    ok, route,
};

const PATH: &str = "/v1/eap/reports";
/// How long a link is good.
const LINK: SignedDuration = SignedDuration::from_mins(10);

pub fn routes() -> Vec<Route> {
    let (view, release) = ("client_report.view", "client_report.release");
    let mut routes = vec![
        route(Method::GET, PATH, view, "client_report.list", get(place::list::<Report>))
            .asks_shape(noun::list_shape::<Report>)
            .gives::<Pages<View<'static, Report>>>(200)
            .trips(2)
            .says("Reports, newest first or of one client"),
        route(Method::POST, "/v1/eap/clients/{id}/reports", release, "client_report.create", post(create))
            .takes::<Wanted>()
            .gives::<View<'static, Report>>(201)
            .trips(13)
            .refuses(&["period-open", "period-too-short", "report-exists"])
            .says(
                "Draws the report of a span that is over; what few people stand behind is withheld for good",
            ),
        route(Method::POST, format!("{PATH}/{{id}}/print"), view, "client_report.print", post(printed))
            .takes::<Print>()
            .gives::<Link>(200)
            .trips(2)
            .says("The report as PDF or XLSX: a link, good for ten minutes"),
    ];
    // A client's own people are looked up as such.
    let near = |r: Route| if r.operation == "client_report.show" { r.trips(2) } else { r };
    routes.extend(place::outward::<Report>(noun::reading::<Report>(PATH, view)).into_iter().map(near));
    routes.extend(noun::steps::<Report>(PATH));
    routes
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ClientReportWanted")]
struct Wanted {
    /// `2026-Q3`, `2026-H1`, `2026-9M` or `2026`.
    #[schemars(length(min = 4, max = 7))]
    period: String,
}

async fn create(ctx: Ctx, At(id): At<ClientOrgId>, Body(wanted): Body<Wanted>) -> Answer {
    let period: Period = wanted.period.parse()?;
    let client = ctx.store().get::<Client>(id).await?;
    period.is_over(ctx.now().to_zoned(place::zone_of(client.body.zone(&ctx.tenant()?.time_zone))).date())?;
    let (report, year) = build::draft(&ctx, &client, period).await?;
    let record = Record::new(ctx.now(), report);
    ctx.looked_into("crp", vec![record.id.to_string()]).await?;
    let shown = ctx.shown(201, &record)?;
    ctx.settle(ctx.commit().create(&record).joined(year), shown).await
}

kernel::words! { enum Format { Pdf = "pdf", Xlsx = "xlsx" } }

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ClientReportPrint")]
struct Print {
    format: Format,
}

async fn printed(ctx: Ctx, At(id): At<ClientReportId>, Body(Print { format }): Body<Print>) -> Answer {
    let report = ctx.get::<Report>(id).await?;
    let client = ctx.store().get::<Client>(report.body.client).await?;
    let tenant = ctx.tenant()?;
    let (bytes, media) = match format {
        Format::Pdf => {
            (reports::pdf(&print::document(tenant, &client.body.name, &report)), "application/pdf")
        }
        Format::Xlsx => (
            reports::xlsx(&print::workbook(tenant, &client.body.name, &report)),
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
    };
    let bytes = bytes.map_err(|e| kernel::Error::internal(format!("a report does not print: {e}")))?;
    // The same report is the same bytes, so whoever asks again overwrites it with itself.
    let file = File::document(
        ctx.scope(),
        format!("eap/reports/{}-{}.{format}", kernel::Id::ulid(id), report.version),
    );
    ctx.app().files().write(&file, media, bytes).await?;
    let name = format!("{}-{}.{format}", client.body.name, report.body.period);
    let named = Named { name, content_type: media.into() };
    ok(&ctx.app().files().download(&file, &named, LINK).await?)
}
