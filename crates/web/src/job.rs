//! Long work: what takes longer than a caller waits. The request is answered with 202 and a job, and the module does the
//! work when it hears of it; what comes of it and the job's end are one commit. What fails for a reason of the caller's
//! is over, with that reason; anything else comes again, and at last lies among the dead letters, from where it goes on.

use crate::{Actor, Answer, At, Ctx, Door, Noun, Reach, Reaction, Route, Shown, noun::View, route};
use axum::{http::Method, routing::get};
use events::{Envelope, JobEvent, jobs::JobSaid};
use kernel::{Error, JobId, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::sync::Arc;
use store::{Commit, Entity, Key, List, Record};

kernel::words! {
    #[derive(Default)]
    pub enum Status { #[default] Queued = "queued", Done = "done", Failed = "failed" }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Job {
    /// `document.generate`
    pub work: String,
    pub requester: String,
    pub status: Status,
    /// Of a hundred.
    pub percent: u8,
    /// What came of it.
    #[serde(default)]
    pub links: Vec<Made>,
    #[serde(default)]
    pub errors: Vec<Wrong>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Made {
    pub record: String,
    pub href: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Wrong {
    /// Of a file that was worked on, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    pub code: String,
    pub detail: Sealed<String>,
}

impl Entity for Job {
    type Id = JobId;
    const NOUN: &'static str = "job";
    const LISTS: &'static [List<Self>] = &[];
}

impl Noun for Job {
    /// Whoever asked for it.
    fn within(record: &Record<Self>, _: Reach, actor: &Actor) -> bool {
        record.body.requester == actor.user
    }
}

/// `GET /v1/jobs/{id}`, of every module's jobs; one module mounts it.
pub fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/v1/jobs/{id}", Door::SignedIn, "job.show", get(show))
            .gives::<View<'static, Job>>(200)
            .trips(1)
            .says("How far long work of the caller's is, and what came of it"),
    ]
}

async fn show(ctx: Ctx, At(id): At<JobId>) -> Answer {
    let job = ctx.get::<Job>(id).await?;
    Ok(ctx.shown(200, &job)?.respond())
}

/// What the work needs to know; gone with its end.
#[derive(Serialize, Deserialize)]
struct Asked {
    input: Sealed<Value>,
}

fn place(id: JobId) -> Key {
    Key::part(id, "asked", "1")
}

fn said(record: &Record<Job>, over: bool) -> JobSaid {
    let Job { work, requester, status, .. } = &record.body;
    let status = over.then(|| status.to_string());
    JobSaid { job: record.id, work: work.clone(), requester: requester.clone(), status }
}

impl Ctx {
    /// Answers 202 with a job; the module does the work with this input when it hears of it.
    pub async fn later(&self, work: &'static str, input: Value) -> Answer {
        let job = Record::new(
            self.now(),
            Job {
                work: work.into(),
                requester: self.actor().user.clone(),
                status: Status::Queued,
                percent: 0,
                links: vec![],
                errors: vec![],
            },
        );
        let commit = self.commit().create(&job).put(&place(job.id), &Asked { input: Sealed(input) });
        let commit = commit.emit(JobEvent::Requested(said(&job, false)));
        self.settle(commit, Shown::record(self, 202, &job)?).await
    }
}

/// Work that is to be done now.
#[derive(Clone)]
pub struct Work {
    job: Record<Job>,
    input: Value,
}

impl Work {
    pub fn id(&self) -> JobId {
        self.job.id
    }
    pub fn requester(&self) -> &str {
        &self.job.body.requester
    }
    pub fn input<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_value(self.input.clone()).map_err(Error::internal)
    }
    /// Its end, in the commit of its effect.
    pub fn done(&self, ctx: &Ctx, commit: Commit, links: Vec<Made>) -> Commit {
        self.over(ctx, commit, |job| (job.status, job.links) = (Status::Done, links))
    }
    fn failed(&self, ctx: &Ctx, errors: Vec<Wrong>) -> Commit {
        self.over(ctx, ctx.store().commit(), |job| (job.status, job.errors) = (Status::Failed, errors))
    }
    fn over(&self, ctx: &Ctx, commit: Commit, how: impl FnOnce(&mut Job)) -> Commit {
        let mut new = self.job.next(ctx.now());
        new.body.percent = 100;
        how(&mut new.body);
        let word = if new.body.status == Status::Done { "complete" } else { "fail" };
        let commit = commit.update(word, &self.job, &new).emit(JobEvent::Completed(said(&new, true)));
        commit.delete(&place(self.job.id))
    }
}

/// A module's way to do one kind of work.
pub(crate) fn reaction<F>(
    work: &'static str,
    run: impl Fn(Ctx, Work) -> F + Send + Sync + 'static,
) -> Reaction
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let run = Arc::new(run);
    Reaction::on("job.requested", move |ctx: Ctx, event: Envelope| {
        let run = run.clone();
        async move {
            let said: JobSaid = serde_json::from_value(event.data).map_err(Error::internal)?;
            if said.work != work {
                return Ok(());
            }
            let job = ctx.store().fresh::<Job>(said.job).await?;
            if job.body.status != Status::Queued {
                return Ok(());
            }
            let Some(asked) = ctx.store().read::<Asked>(&place(job.id)).await? else { return Ok(()) };
            let work = Work { job, input: asked.input.0 };
            match run(ctx.clone(), work.clone()).await {
                Err(e) if is_callers(&e) => work.failed(&ctx, wrong(&e)).run().await,
                other => other,
            }
        }
    })
}

/// Whether it would fail the same way again.
fn is_callers(e: &Error) -> bool {
    let refused = matches!(e, Error::Invalid(_) | Error::Refused(_) | Error::Missing | Error::State { .. });
    refused && !e.may_pass()
}

fn wrong(e: &Error) -> Vec<Wrong> {
    vec![Wrong { row: None, code: e.code().into(), detail: Sealed(e.to_string()) }]
}
