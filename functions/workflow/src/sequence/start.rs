//! Beginning a run: its record names every task before the first is made, so that a run which was interrupted goes
//! on where it stopped, and makes nothing twice.

use super::{
    Template, graph,
    run::{Run, RunStep, Status},
    shipped,
    template::{Doer, From, Status as Standing, Step},
};
use crate::{
    assignee::Assignee,
    due::{Calendar, record},
    rule,
    task::{self, Draft, Source, SourceKind},
};
use authz::Edition;
use events::{Envelope, WorkflowEvent, workflow::SequenceWish};
use jiff::civil::Date;
use kernel::{Error, Id, Result, SequenceId, SequenceRunId, TaskId};
use rules::{Condition, Known};
use seal::Sealed;
use serde_json::{Value, json};
use store::{Entity, Key, Record, Wanted, facts};
use web::Ctx;

/// Steps of one transaction: each takes up to nine items of it.
const AT_ONCE: usize = 10;

/// What begins a run.
pub struct Beginning {
    pub template: Record<Template>,
    pub subject: String,
    pub user: Option<String>,
    pub anchor_on: Option<Date>,
    pub by: String,
}

impl Beginning {
    /// The run as it is before anything of it is made.
    pub fn run(&self, ctx: &Ctx) -> Record<Run> {
        let (t, today) = (&self.template.body, ctx.today());
        let step = |s: &Step| RunStep {
            key: s.key.clone(),
            task: TaskId::at(ctx.now()),
            status: task::Status::Waiting,
            depends_on: graph::needed(s).into_iter().map(Into::into).collect(),
            optional: s.optional,
            anchored: s.from == From::Anchor,
            overdue: false,
        };
        let mut run = Run {
            template: self.template.id,
            code: t.code.clone(),
            template_version: self.template.version,
            kind: t.kind,
            subject: self.subject.clone(),
            user: self
                .user
                .clone()
                .or_else(|| self.subject.starts_with("usr_").then(|| self.subject.clone())),
            anchor_on: self.anchor_on.unwrap_or(today),
            started_on: today,
            started_by: self.by.clone(),
            status: Status::Starting,
            steps: t.steps.iter().map(step).collect(),
            done: 0,
            total: 0,
            overdue: 0,
            percent: 0,
        };
        run.count();
        Record::new(ctx.now(), run)
    }
}

/// Makes whatever of a run is not made yet, and lets it run.
pub async fn make(ctx: &Ctx, id: SequenceRunId) -> Result<()> {
    let Some(run) = record::<Run>(ctx, id).await? else { return Ok(()) };
    if run.body.status != Status::Starting {
        return Ok(());
    }
    let template = ctx.store().get::<Template>(run.body.template).await?;
    let people = People::of(ctx, &run.body).await?;
    for (n, steps) in template.body.steps.chunks(AT_ONCE).enumerate() {
        let mut commit = ctx.store().commit();
        for step in steps {
            let draft = drafted(ctx, &run, step, &people)?;
            commit = task::drafted(ctx, draft, commit).await?.1;
        }
        let batch = ctx.once_for(commit, &format!("sqr~{id}"), &n.to_string());
        web::done(batch.run().await)?;
    }
    began(ctx, id).await
}

/// Every task is there: the run says how each of them stands.
async fn began(ctx: &Ctx, id: SequenceRunId) -> Result<()> {
    web::again(ctx.store(), || async {
        let Some(old) = record::<Run>(ctx, id).await? else { return Ok(()) };
        if old.body.status != Status::Starting {
            return Ok(());
        }
        let mut new = old.next(ctx.now());
        new.body.status = Status::Running;
        for step in &mut new.body.steps {
            if let Some(task) = record::<task::Task>(ctx, step.task).await? {
                step.status = task.body.status;
            }
        }
        new.body.count();
        ctx.store().commit().update("begin", &old, &new).run().await?;
        super::run::release(ctx, &new).await
    })
    .await
}

/// Who stands for the words of a template.
struct People {
    subject: Assignee,
    manager: Assignee,
    hr: Assignee,
}

impl People {
    async fn of(ctx: &Ctx, run: &Run) -> Result<Self> {
        let hr = task::somebody(ctx, Assignee::role("hr")).await?;
        let Some(user) = &run.user else {
            return Ok(Self { subject: hr.clone(), manager: hr.clone(), hr });
        };
        let fact: Option<Value> = ctx.store().fact(facts::MANAGER, user).await?;
        let manager = fact.and_then(|f| f["manager"].as_str().or(f["user"].as_str()).map(Assignee::user));
        let or_hr = |found: Assignee, wanted: &Assignee| if found == *wanted { found } else { hr.clone() };
        let manager = match manager {
            Some(wanted) => or_hr(task::somebody(ctx, wanted.clone()).await?, &wanted),
            None => hr.clone(),
        };
        let wanted = Assignee::user(user);
        let subject = or_hr(task::somebody(ctx, wanted.clone()).await?, &wanted);
        Ok(Self { subject, manager, hr })
    }
    fn named(&self, doer: &Doer) -> Assignee {
        match doer {
            Doer::Subject => self.subject.clone(),
            Doer::Manager => self.manager.clone(),
            Doer::Hr => self.hr.clone(),
            Doer::Named(assignee) => assignee.clone(),
        }
    }
}

fn drafted(ctx: &Ctx, run: &Record<Run>, step: &Step, people: &People) -> Result<Draft> {
    let calendar = Calendar::of(ctx);
    let known = |key: &str| run.body.steps.iter().find(|s| s.key == key).map(|s| s.task);
    let own = known(&step.key).ok_or_else(|| Error::internal("a run without its step"))?;
    let (mut start_on, mut due_at, mut due_days) = (None, None, None);
    let base = match &step.from {
        From::Start => Some(run.body.started_on),
        From::Anchor => Some(run.body.anchor_on),
        From::Step(_) => None,
    };
    match base {
        Some(base) => {
            let start = calendar.plus(base, step.offset_days)?;
            let due = calendar.close_of(calendar.plus(start, step.due_days)?)?;
            // A date that is over already is today, or the next day if today is.
            let today = calendar.close_of(ctx.today())?;
            let soon =
                if today > ctx.now() { today } else { calendar.close_of(calendar.plus(ctx.today(), 1)?)? };
            due_at = Some(due.max(soon));
            start_on = Some(start).filter(|day| *day > ctx.today());
        }
        None => due_days = Some(step.offset_days.max(0) + step.due_days),
    }
    let check = |text: &String| task::Check {
        text: Sealed(text.clone()),
        required: true,
        done_by: None,
        done_at: None,
        evidence: None,
    };
    Ok(Draft {
        id: Some(own),
        start_on,
        due_at,
        due_days,
        subject: Some(run.body.subject.clone()),
        record: Some(run.id.to_string()),
        checklist: step.checklist.iter().map(check).collect(),
        requires: step.requires,
        depends_on: graph::needed(step).into_iter().filter_map(known).collect(),
        close_on: step.close_on.clone(),
        run: Some(run.id),
        step: Some(step.key.clone()),
        optional: step.optional,
        gate: step.blocks.clone(),
        created_by: run.body.started_by.clone(),
        source: Source { kind: SourceKind::Sequence, of: Some(run.id.to_string()), proposed: false },
        ..Draft::new(
            Sealed(step.title.clone()),
            step.category,
            people.named(&step.assignee),
            SourceKind::Sequence,
        )
    })
}

/// A run whose beginning was heard of: goes on, if it was interrupted.
pub async fn resume(ctx: &Ctx, event: &Envelope) -> Result<()> {
    match event.record.parse() {
        Ok(id) => make(ctx, id).await,
        Err(_) => Ok(()),
    }
}

/// A rule or a module wants a run.
pub async fn requested(ctx: &Ctx, event: &Envelope) -> Result<()> {
    let Some(WorkflowEvent::SequenceRequested(wish)) = event.read() else { return Ok(()) };
    let outcome = wished(ctx, event, &wish).await;
    let Some(action) = wish.action else { return outcome.map(|_| ()) };
    let answer = |done: Option<String>, problem: Option<&str>| Envelope {
        data: json!({"action": action, "done": done, "problem": problem}),
        ..event.clone()
    };
    match outcome {
        Ok(run) => rule::answered(ctx, &answer(run.map(|r| r.to_string()), None)).await,
        Err(passing) if passing.may_pass() => Err(passing),
        Err(refused) => rule::answered(ctx, &answer(None, Some(refused.code()))).await,
    }
}

async fn wished(ctx: &Ctx, event: &Envelope, wish: &SequenceWish) -> Result<Option<SequenceRunId>> {
    let template = ctx.store().fresh::<Template>(wish.sequence).await?;
    if template.body.status != Standing::Published {
        return Err(Error::conflict("not-published", "this template is not published"));
    }
    let beginning = Beginning {
        template,
        subject: wish.subject.clone(),
        user: None,
        anchor_on: wish.anchor_on,
        by: event.by.clone(),
    };
    once(ctx, event, &beginning).await
}

/// Begins once per event; who has such a run already has it.
async fn once(ctx: &Ctx, event: &Envelope, beginning: &Beginning) -> Result<Option<SequenceRunId>> {
    let run = beginning.run(ctx);
    let said = WorkflowEvent::SequenceStarted(run.body.said(run.id, None));
    let commit = ctx.store().commit().create(&run).emit(said);
    let consumer = format!("sqt~{}", beginning.template.id);
    match web::done_now(ctx.once_for(commit, &consumer, &event.id).run().await) {
        Ok(true) => {
            make(ctx, run.id).await?;
            Ok(Some(run.id))
        }
        Ok(false) => Ok(None),
        Err(Error::Duplicate { code: "run-exists", .. }) => Ok(None),
        Err(e) => Err(e),
    }
}

/// Templates that begin by themselves on this event.
pub async fn begins(ctx: &Ctx, event: &Envelope) -> Result<()> {
    ship(ctx, &event.kind).await?;
    let wanted = Wanted::by(&[&event.kind], 100);
    let page = ctx.store().list(&Template::LISTS[2], &wanted).await?;
    for template in page.data {
        if !applies(ctx, &template.body, event) {
            continue;
        }
        let text = |names: &[&str]| names.iter().find_map(|n| event.data[*n].as_str()).map(String::from);
        let subject = text(&["user", "employee", "person", "subject", "candidate"]);
        let anchor = text(&[
            "anchor_on",
            "first_day",
            "last_day",
            "last_working_day",
            "start_on",
            "starts_on",
            "date",
        ]);
        let beginning = Beginning {
            template,
            subject: subject.unwrap_or_else(|| event.record.clone()),
            user: text(&["user"]),
            anchor_on: anchor.and_then(|a| a.parse().ok()),
            by: event.by.clone(),
        };
        once(ctx, event, &beginning).await?;
    }
    Ok(())
}

fn applies(ctx: &Ctx, template: &Template, event: &Envelope) -> bool {
    let Some(when) = &template.applies_when else { return true };
    let input = rule::input_of(ctx, event);
    Condition::compile(when, &Known::events()).is_ok_and(|c| c.test(&input).matched)
}

/// Shipped templates of an event become the organisation's own when it first happens; one that was retired or
/// deleted since stays so.
async fn ship(ctx: &Ctx, event: &str) -> Result<()> {
    let edition = ctx.gate().tenant.as_ref().map(|t| t.edition);
    if !matches!(edition, Some(Edition::Hospital | Edition::Homecare)) {
        return Ok(());
    }
    for template in shipped::all().iter().filter(|t| t.starts_on.iter().any(|e| e == event)) {
        if ctx.store().read::<Value>(&taken(&template.code)).await?.is_some() {
            continue;
        }
        match take_over(ctx, template, Standing::Published).run().await {
            Err(passing) if passing.may_pass() => return Err(passing),
            Err(Error::Refused(_) | Error::Duplicate { .. }) => {}
            other => other?,
        }
    }
    Ok(())
}

pub fn taken(code: &str) -> Key {
    Key::item("once", format!("sqt~{code}"), ".")
}

/// A shipped template as the organisation's own.
pub fn own(ctx: &Ctx, template: &Template, status: Standing) -> Record<Template> {
    let id = SequenceId::at(ctx.now());
    Record::with_id(id, ctx.now(), Template { status, ..template.clone() })
}

fn take_over(ctx: &Ctx, template: &Template, status: Standing) -> store::Commit {
    let record = own(ctx, template, status);
    let known = |_| Error::conflict("seen-already", "this template was taken over before");
    let mark = json!({"at": ctx.now()});
    ctx.store().commit().create(&record).put_if(&taken(&template.code), &mark, store::When::Absent, known)
}
