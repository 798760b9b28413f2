//! Routes of eligibility files.

use super::{Extent, Import, LARGEST, LISTED, SILENCE, State, WAITS, looked_through};
use crate::client::Client;
use axum::{
    http::Method,
    routing::{get, post},
};
use events::EapEvent;
use jiff::SignedDuration;
use kernel::{ClientOrgId, Error, JobId, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use store::Record;
use web::{
    Answer, At, Body, Ctx, Route, Shown,
    files::Upload,
    noun::{self, Because, Pages, View},
    route,
};

const PATH: &str = "/v1/eap/beneficiary_imports";
const RIGHT: &str = "beneficiary.import";
/// Bytes of a file that comes in the body; a larger one goes to a link.
const DIRECT: usize = 900 * 1024;
/// How long an upload link is good.
const LINK: SignedDuration = SignedDuration::from_mins(30);

pub fn routes() -> Vec<Route> {
    let one = format!("{PATH}/{{id}}");
    vec![
        route(Method::GET, PATH, RIGHT, "beneficiary_import.list", get(list))
            .asks_shape(noun::list_shape::<Import>)
            .gives::<Pages<View<'static, Import>>>(200)
            .trips(2)
            .says("A client's eligibility files, newest first"),
        route(Method::POST, PATH, RIGHT, "beneficiary_import.create", post(create))
            .takes::<New>()
            .gives::<View<'static, Import>>(202)
            .trips(3)
            .refuses(&["empty", "missing-column", "repeated-column", "too-many-rows", "unknown-column"])
            .says("Checks an eligibility file and, unless it is a dry run, runs it; a large one goes to a link first"),
        route(Method::GET, one.as_str(), RIGHT, "beneficiary_import.show", get(noun::show::<Import>))
            .gives::<View<'static, Import>>(200)
            .trips(2)
            .says("How far an eligibility file is, and what is wrong with its bad rows"),
        route(Method::POST, format!("{one}/check"), RIGHT, "beneficiary_import.check", post(checked))
            .takes::<Because>()
            .gives::<View<'static, Import>>(200)
            .trips(4)
            .refuses(&["file-missing"])
            .says("Checks the file that was sent to the link"),
        route(Method::POST, format!("{one}/run"), RIGHT, "beneficiary_import.run", post(run))
            .takes::<Because>()
            .gives::<View<'static, Import>>(202)
            .trips(3)
            .says("Runs a file that was only checked: its good rows, once"),
        route(Method::POST, format!("{one}/roll_back"), RIGHT, "beneficiary_import.roll_back", post(roll_back))
            .takes::<Because>()
            .gives::<View<'static, Import>>(202)
            .trips(3)
            .says("Takes back exactly what this file changed"),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct New {
    client: ClientOrgId,
    #[serde(default)]
    extent: Option<Extent>,
    /// Nothing is done but the check.
    #[serde(default)]
    dry_run: bool,
    /// The file: employee_number, name, relation, birth_date, unit, email, phone, language, eligible_from, eligible_to.
    #[schemars(length(min = 1, max = DIRECT))]
    csv: Option<String>,
    /// Of a larger file, which goes to the link that is answered: its bytes …
    #[schemars(range(min = 1, max = LARGEST))]
    size: Option<u64>,
    /// … and its digest, hex.
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    sha256: Option<String>,
}

async fn list(ctx: Ctx, axum::extract::RawQuery(query): axum::extract::RawQuery) -> Answer {
    let (list, wanted) = noun::wanted::<Import>(query.as_deref().unwrap_or_default())?;
    let client: ClientOrgId = wanted.by[0].parse()?;
    if ctx.reach() < web::Reach::All && !crate::place::near(&ctx, client).await? {
        return Err(Error::Missing.into());
    }
    let page = ctx.list(list, &wanted).await?;
    web::ok(&Pages::from(page.map(|record| View::owned(&ctx, record))))
}

async fn create(ctx: Ctx, Body(new): Body<New>) -> Answer {
    let client = ctx.get::<Client>(new.client).await?;
    let body = |sha256: String| Import {
        client: new.client,
        extent: new.extent.unwrap_or_default(),
        status: State::Awaited,
        rows: 0,
        valid: 0,
        invalid: 0,
        errors: vec![],
        day: ctx.today(),
        sha256,
        requested_by: ctx.actor().user.clone(),
        look_at: Some(ctx.now() + WAITS),
    };
    let Some(csv) = &new.csv else {
        let (Some(size), Some(sha256)) = (new.size, new.sha256.clone()) else {
            let detail = "the file itself, or its size and sha256 to get a link for it";
            return Err(Error::invalid("/csv", "required", detail).into());
        };
        let record = Record::new(ctx.now(), body(sha256.clone()));
        let upload = Upload { size, sha256, content_type: "text/csv".into() };
        let file = Import::file(ctx.scope(), record.id);
        let link = ctx.app().files().upload(&file, &upload, LINK).await?;
        let shown = Shown::record_with(&ctx, 202, &record, &serde_json::json!({"upload": link}))?;
        return ctx.settle(ctx.commit().create(&record), shown).await;
    };
    let mut record = Record::new(ctx.now(), body(digest(csv.as_bytes())));
    look_through(&ctx, &mut record, csv.as_bytes(), &client.body)?;
    let file = Import::file(ctx.scope(), record.id);
    ctx.app().files().write(&file, "text/csv", csv.clone().into_bytes()).await?;
    if !new.dry_run {
        begin(&ctx, &mut record, State::Running);
    }
    let mut commit = ctx.commit().create(&record);
    if !new.dry_run {
        commit = commit.emit(EapEvent::ImportRequested { import: record.id });
    }
    ctx.settle(commit, ctx.shown(202, &record)?).await
}

fn digest(bytes: &[u8]) -> String {
    store::chain::hex_digest(bytes)
}

fn look_through(ctx: &Ctx, record: &mut Record<Import>, bytes: &[u8], client: &Client) -> Result<()> {
    let checked = looked_through(bytes, client, ctx.today())?;
    let bad: std::collections::BTreeSet<usize> = checked.errors.iter().map(|e| e.row).collect();
    let body = &mut record.body;
    (body.rows, body.valid, body.invalid) = (checked.rows, checked.good.len(), bad.len());
    body.errors = checked.errors.into_iter().take(LISTED).collect();
    body.status = State::Checked;
    Ok(())
}

fn begin(ctx: &Ctx, record: &mut Record<Import>, status: State) {
    record.body.status = status;
    record.body.look_at = Some(ctx.now() + SILENCE);
}

/// The import in the one state in which a command makes sense.
async fn standing(ctx: &Ctx, id: JobId, state: State, command: &'static str) -> Result<Record<Import>> {
    let old = ctx.change::<Import>(id).await?;
    match old.body.status == state {
        true => Ok(old),
        false => Err(Error::State { command, state: old.body.status.to_string() }),
    }
}

async fn checked(ctx: Ctx, At(id): At<JobId>, _: Body<Nothing>) -> Answer {
    let old = standing(&ctx, id, State::Awaited, "check").await?;
    let client = ctx.get::<Client>(old.body.client).await?;
    let file = ctx.app().files().read(&Import::file(ctx.scope(), id), Some(LARGEST)).await?;
    let bytes = file.filter(|bytes| digest(bytes) == old.body.sha256).ok_or_else(|| {
        Error::conflict("file-missing", "send the file to the link first; this import waits for it")
    })?;
    let mut new = old.next(ctx.now());
    look_through(&ctx, &mut new, &bytes, &client.body)?;
    ctx.settle(ctx.commit().update("check", &old, &new), ctx.shown(200, &new)?).await
}

#[derive(Deserialize, JsonSchema)]
struct Nothing {}

async fn run(ctx: Ctx, At(id): At<JobId>, _: Body<Nothing>) -> Answer {
    let old = standing(&ctx, id, State::Checked, "run").await?;
    let mut new = old.next(ctx.now());
    begin(&ctx, &mut new, State::Running);
    let commit = ctx.commit().update("run", &old, &new).emit(EapEvent::ImportRequested { import: id });
    ctx.settle(commit, ctx.shown(202, &new)?).await
}

async fn roll_back(ctx: Ctx, At(id): At<JobId>, _: Body<Nothing>) -> Answer {
    let old = standing(&ctx, id, State::Done, "roll_back").await?;
    let mut new = old.next(ctx.now());
    begin(&ctx, &mut new, State::RollingBack);
    let event = EapEvent::ImportRollbackRequested { import: id };
    let commit = ctx.commit().update("roll_back", &old, &new).emit(event);
    ctx.settle(commit, ctx.shown(202, &new)?).await
}
