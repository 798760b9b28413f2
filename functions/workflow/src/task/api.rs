//! Routes of tasks.

use super::{
    Category, Check, Draft, Escalation, Priority, RecurOn, Requires, Source, SourceKind, Status, Task,
    commands, drafted, feed, note,
};
use crate::{
    assignee::{Assignee, Kind},
    due::{Calendar, Within},
};
use axum::{
    http::Method,
    routing::{get, patch, post},
};
use jiff::{Timestamp, civil::Date};
use kernel::{Error, Result, SiteId, UserId};
use schemars::JsonSchema;
use seal::Sealed;
use serde::Deserialize;
use store::{Entity, Wanted};
use web::{
    Answer, Body, Ctx, Door, Noun, Query, Reach, Route,
    noun::{self, Pages, View},
    ok, route,
};

pub const PATH: &str = "/v1/workflow/tasks";

pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        route(Method::GET, PATH, "task.view", "task.list", get(list))
            .asks::<Listing>()
            .gives::<Pages<View<'static, Task>>>(200)
            .trips(2)
            .refuses(&["list-too-wide"])
            .says("Tasks: one's own (`mine`), of a role, a team or a person, of a record, of a subject, by status"),
        route(Method::POST, PATH, "task.create", "task.create", post(create))
            .takes::<New>()
            .gives::<View<'static, Task>>(201)
            .trips(3)
            .refuses(&["assignee-invalid"])
            .says("Work for a person, whoever holds a role, or a team"),
        route(Method::PATCH, format!("{PATH}/{{id}}"), "task.edit", "task.update", patch(noun::amend::<Task>))
            .patches::<Task>()
            .gives::<View<'static, Task>>(200)
            .trips(2)
            .refuses(&["reason-required"])
            .says("Changes a task; a later due time needs a reason"),
        route(Method::GET, format!("{PATH}/{{id}}/notes"), "task.view", "task.notes", get(note::list))
            .gives::<Pages<note::Note>>(200)
            .trips(2)
            .says("What was written about it"),
        route(Method::POST, format!("{PATH}/{{id}}/notes"), "task.view", "task.note", post(note::add))
            .takes::<note::New>()
            .gives::<note::Note>(201)
            .trips(2)
            .says("Writes something about it"),
    ];
    routes.extend([
        route(Method::POST, format!("{PATH}/feed"), "task.view", "task.feed", post(feed::make))
            .gives::<feed::Feed>(201)
            .trips(1)
            .says("An address of one's own tasks for one's own calendar"),
        route(Method::GET, format!("{PATH}.ics"), Door::Public, "task.calendar", get(feed::read))
            .asks::<feed::Key>()
            .answers(200)
            .trips(5)
            .says("One's own tasks as a calendar (iCalendar), by the address that was made for it"),
    ]);
    routes.extend(noun::reading::<Task>(PATH, "task.view"));
    routes.extend(commands::routes());
    routes
}

#[derive(Deserialize, JsonSchema)]
struct New {
    #[schemars(length(min = 1, max = 200))]
    title: Sealed<String>,
    #[schemars(length(max = 5000))]
    description: Option<Sealed<String>>,
    category: Category,
    priority: Option<Priority>,
    assignee: Assignee,
    #[serde(default)]
    #[schemars(length(max = 20), extend("uniqueItems" = true))]
    watchers: Vec<UserId>,
    site: Option<SiteId>,
    #[schemars(regex(pattern = r"^[a-z]{3}_[0-9A-Z]{26}$"))]
    subject: Option<String>,
    #[schemars(regex(pattern = r"^[a-z]{3}_[0-9A-Z]{26}$"))]
    record: Option<String>,
    start_on: Option<Date>,
    due_at: Option<Timestamp>,
    /// 17:00 of this day, as the organisation's clocks say.
    due_on: Option<Date>,
    /// So long from now.
    due_in: Option<Within>,
    #[schemars(length(max = 5))]
    remind: Option<Vec<u32>>,
    #[serde(default)]
    #[schemars(length(max = 3))]
    escalation: Vec<Escalation>,
    #[serde(default)]
    #[schemars(length(max = 100))]
    checklist: Vec<Check>,
    #[serde(default)]
    requires: Requires,
    #[schemars(length(max = 200))]
    recurrence: Option<String>,
    recur_on: Option<RecurOn>,
    #[serde(default)]
    #[schemars(length(max = 5), inner(regex(pattern = r"^[a-z_]+\.[a-z_]+$")))]
    close_on: Vec<String>,
}

fn due(ctx: &Ctx, new: &New) -> Result<Option<Timestamp>> {
    let calendar = Calendar::of(ctx);
    match (new.due_at, new.due_on, new.due_in) {
        (at, None, None) => Ok(at),
        (None, Some(day), None) => calendar.close_of(day).map(Some),
        (None, None, Some(within)) => calendar.later(ctx.now(), within).map(Some),
        _ => Err(Error::invalid("/due_at", "several", "say it once: due_at, due_on or due_in")),
    }
}

/// Whom somebody may give work to: leads their site, everybody else themselves and their own team.
async fn may_give(ctx: &Ctx, to: &Assignee, site: Option<SiteId>) -> Result<()> {
    let fine = match ctx.reach() {
        Reach::All | Reach::Team => true,
        Reach::Site => site.is_none_or(|s| ctx.actor().sites.has(&s)),
        _ => to.has(ctx).await?,
    };
    let detail = "you give work to yourself and to your own role or team";
    if fine { Ok(()) } else { Err(Error::forbidden("assignee-not-yours", detail)) }
}

async fn create(ctx: Ctx, Body(new): Body<New>) -> Answer {
    let assignee = new.assignee.clone().at(new.site);
    may_give(&ctx, &assignee, new.site).await?;
    assignee.check(&ctx).await?;
    let draft = Draft {
        due_at: due(&ctx, &new)?,
        description: new.description,
        priority: new.priority.unwrap_or(Priority::Normal),
        watchers: new.watchers,
        site: new.site,
        subject: new.subject,
        record: new.record,
        start_on: new.start_on,
        remind: new.remind,
        escalation: new.escalation,
        checklist: new
            .checklist
            .into_iter()
            .map(|c| Check { done_by: None, done_at: None, evidence: None, ..c })
            .collect(),
        requires: new.requires,
        recurrence: new.recurrence,
        recur_on: new.recur_on.unwrap_or_default(),
        source: Source { kind: SourceKind::Person, of: None, proposed: false },
        created_by: ctx.actor().user.clone(),
        close_on: new.close_on,
        ..Draft::new(new.title, new.category, assignee.clone(), SourceKind::Person)
    };
    let (record, commit) = drafted(&ctx, draft, ctx.commit()).await?;
    ctx.settle(assignee.require(commit), ctx.shown(201, &record)?).await
}

#[derive(Deserialize, JsonSchema)]
struct Listing {
    /// One's own that are not finished, soonest first.
    mine: Option<bool>,
    status: Option<Status>,
    #[schemars(regex(pattern = r"^[a-z0-9_]{2,60}$"))]
    role: Option<String>,
    /// With `role`: of that role at this site.
    site: Option<SiteId>,
    #[schemars(regex(pattern = r"^tem_[0-9A-Z]{26}$"))]
    team: Option<String>,
    user: Option<UserId>,
    #[schemars(regex(pattern = r"^[a-z]{3}_[0-9A-Z]{26}$"))]
    record: Option<String>,
    #[schemars(regex(pattern = r"^[a-z]{3}_[0-9A-Z]{26}$"))]
    subject: Option<String>,
    #[schemars(regex(pattern = r"^sqr_[0-9A-Z]{26}$"))]
    run: Option<String>,
    /// Due from here, until there.
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    #[schemars(range(min = 1, max = 100))]
    limit: Option<i32>,
    #[schemars(length(max = 4000))]
    cursor: Option<String>,
}

impl Listing {
    fn assignee(&self, ctx: &Ctx) -> Option<Assignee> {
        if self.mine == Some(true) {
            return Some(Assignee::user(&ctx.actor().user));
        }
        let role = self.role.as_ref().map(|role| match self.site {
            Some(site) => Assignee { kind: Kind::RoleAtSite, value: role.clone(), site: Some(site) },
            None => Assignee::role(role),
        });
        let team = self.team.as_ref().map(|t| Assignee { kind: Kind::Team, value: t.clone(), site: None });
        role.or(team).or(self.user.map(Assignee::user))
    }
    /// The list that serves what was asked for.
    fn chosen(&self, ctx: &Ctx) -> Result<(&'static str, Vec<String>)> {
        let who = self.assignee(ctx).map(|a| a.to_string());
        let of = [self.record.as_ref(), self.subject.as_ref(), self.run.as_ref()];
        let several = usize::from(who.is_some()) + of.iter().flatten().count() > 1;
        let (name, by) = match (who, of, self.status) {
            _ if several => return Err(together()),
            (Some(who), _, None) => ("todo", vec![who]),
            (Some(who), _, Some(status)) => ("todo_status", vec![who, status.to_string()]),
            (None, [Some(record), ..], None) => ("record", vec![record.clone()]),
            (None, [_, Some(subject), _], None) => ("subject", vec![subject.clone()]),
            (None, [.., Some(run)], None) => ("run", vec![run.clone()]),
            (None, [None, None, None], Some(status)) => ("status", vec![status.to_string()]),
            _ => return Err(together()),
        };
        Ok((name, by))
    }
}

fn together() -> Error {
    let detail = "allowed: mine, user, role (+ site) or team, each with [status]; record; subject; run; status; all with [from, to]";
    Error::invalid("?", "unsupported-filter", detail)
}

/// A page; what lies beyond the caller's reach is not in it. Own lists and own queues are within it whole.
async fn list(ctx: Ctx, Query(asked): Query<Listing>) -> Answer {
    let (name, by) = asked.chosen(&ctx)?;
    let list = Task::LISTS.iter().find(|l| l.name == name).expect("declared");
    let wanted = Wanted {
        by,
        from: asked.from.map(store::stamp),
        to: asked.to.map(store::stamp),
        limit: asked.limit.unwrap_or(25),
        cursor: asked.cursor.clone(),
        ..Wanted::default()
    };
    let mut page = ctx.store().list(list, &wanted).await?;
    let teams = match asked.assignee(&ctx).filter(|a| a.kind == Kind::Team) {
        Some(team) => team.has(&ctx).await?,
        None => false,
    };
    page.data.retain(|r| teams || Task::within(r, ctx.reach(), ctx.actor()));
    ctx.looked_at::<Task>(page.data.iter().map(|r| r.id)).await?;
    ok(&Pages::from(page.map(|record| View::owned(&ctx, record))))
}
