//! Firing: guards, the condition, then one transaction with everything that is made here. What others have to do
//! leaves as an event each, since an event travels with a change of its own.

use super::{
    Action, Mode, Rule, Status,
    action::{record_of, rendered, with},
    catalogue,
    desk::{self, Ready},
    guards::{self, Guard, Strike},
    input,
};
use crate::{
    due::Calendar,
    firing::{Acted, Did, Firing, Outcome, RuleAction},
    task::{self, Draft, Priority, Source, SourceKind},
};
use events::{
    Envelope, WorkflowEvent,
    workflow::{FieldWish, RuleAsked, SequenceWish},
};
use jiff::SignedDuration;
use kernel::{Error, FiringId, Id, Result, RuleActionId};
use seal::Sealed;
use serde_json::Value;
use std::time::Instant;
use store::{Commit, Key, Record, segment};
use web::Ctx;

/// What a rule needs its owner to hold, for each of its actions.
const RIGHT: &str = "rule.edit";
/// Days for which a rule's misses are kept too.
const YOUNG: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Every rule that listens to this event, in its order.
pub async fn fire(ctx: &Ctx, event: &Envelope) -> Result<()> {
    let of_rules = event.kind.starts_with("task.") && !event.cause.is_empty();
    if catalogue::is_hidden(&event.kind) || of_rules {
        return Ok(());
    }
    let ready = desk::of(ctx, &event.kind).await?;
    if ready.is_empty() {
        return Ok(());
    }
    let input = input::of(ctx, event).await?;
    for rule in ready.iter() {
        one(ctx, event, rule, &input).await?;
    }
    Ok(())
}

/// Whether a rule looks at this event at all.
pub fn concerns(rule: &Rule, id: &str, event: &Envelope, input: &Value) -> bool {
    let site = input["event"]["site"].as_str();
    let here = rule.scope.sites.is_empty()
        || site.is_some_and(|s| rule.scope.sites.iter().any(|own| own.to_string() == s));
    here && !guards::chain(event).iter().any(|behind| behind == id)
}

async fn one(ctx: &Ctx, event: &Envelope, ready: &Ready, input: &Value) -> Result<()> {
    let (rule, began) = (&ready.rule, Instant::now());
    if !concerns(&rule.body, &rule.id.to_string(), event, input) {
        return Ok(());
    }
    let consumer = format!("wfr~{}", rule.id);
    let seen = Key::item("seen", &consumer, segment(&event.id));
    let outcome = match &ready.when {
        Ok(when) => when.test(input),
        Err(why) => rules::Outcome { matched: false, why: Some(why.clone()) },
    };
    let young = rule.body.active_since.is_some_and(|at| ctx.now().duration_since(at) < YOUNG);
    if !outcome.matched && outcome.why.is_none() && !young && rule.body.mode == Mode::Live {
        return Ok(());
    }
    // What was handled is not counted twice.
    if ctx.store().read::<Value>(&seen).await?.is_some() {
        return Ok(());
    }
    let firing = Made { ctx, event, rule, consumer, id: FiringId::at(ctx.now()), began };
    match (outcome.matched, outcome.why) {
        (false, Some(why)) => firing.strike(Outcome::Error, why, Strike::Failed).await,
        (false, None) => firing.missed().await,
        (true, _) => firing.matched(input).await,
    }
}

struct Made<'a> {
    ctx: &'a Ctx,
    event: &'a Envelope,
    rule: &'a Record<Rule>,
    consumer: String,
    id: FiringId,
    began: Instant,
}

impl Made<'_> {
    fn record(&self, result: Outcome, why: Option<String>, acted: Vec<Acted>) -> Record<Firing> {
        let now = self.ctx.now();
        let firing = Firing {
            rule: self.rule.id,
            rule_version: self.rule.version,
            change: self.event.id.clone(),
            event: self.event.kind.clone(),
            record: self.event.record.clone(),
            at: now,
            result,
            why,
            acted,
            chain: guards::chain(self.event).to_vec(),
            ms: u32::try_from(self.began.elapsed().as_millis()).unwrap_or(u32::MAX),
            keep_until: Firing::until(now, result),
        };
        Record::with_id(self.id, now, firing)
    }

    /// Once per event.
    fn kept(&self, firing: &Record<Firing>) -> Commit {
        let commit = self.ctx.store().commit().create(firing);
        self.ctx.once_for(commit, &self.consumer, &self.event.id)
    }

    async fn missed(&self) -> Result<()> {
        web::done(self.kept(&self.record(Outcome::NotMatched, None, vec![])).run().await)
    }

    async fn strike(&self, result: Outcome, why: String, strike: Strike) -> Result<()> {
        let firing = self.record(result, Some(why), vec![]);
        web::done(guards::strike(self.ctx, self.rule, self.event, strike, || self.kept(&firing)).await)
    }

    async fn matched(&self, input: &Value) -> Result<()> {
        let (ctx, rule) = (self.ctx, self.rule);
        if rule.body.mode == Mode::Shadow {
            let acted = rule.body.then.iter().map(|a| shadow(a, input)).collect();
            return web::done(self.kept(&self.record(Outcome::Matched, None, acted)).run().await);
        }
        if let Some((guard, count)) = guards::stops(ctx, rule, self.event).await? {
            // Beyond the hour's limit the first tells of it.
            if guard == Guard::Hour && count > u64::from(rule.body.max_per_hour) + 1 {
                return Ok(());
            }
            let why = format!("{guard}: {count}");
            return self.strike(Outcome::Suppressed, why, Strike::Suppressed(guard)).await;
        }
        // A rule acts with the rights of its owner, as they are now.
        if !ctx.still_holds(&rule.body.owner, &rule.body.owner_roles, RIGHT).await? {
            return guards::halt(ctx, rule.id, Status::Paused, "owner_lost_right", || ctx.store().commit())
                .await;
        }
        self.act(input).await
    }

    async fn act(&self, input: &Value) -> Result<()> {
        let root = guards::root(self.event).to_string();
        let chain = guards::chain(self.event).iter().cloned();
        let cause = [root].into_iter().chain(chain).chain([self.rule.id.to_string()]).collect();
        let acting =
            self.ctx.on_behalf(format!("rule:{}", self.rule.id), self.rule.body.owner.clone(), cause);
        let (mut commit, mut acted) = (acting.store().commit(), vec![]);
        for action in &self.rule.body.then {
            let (next, did) = match rendered(action, input) {
                Ok(rendered) => self.one(&acting, commit, action, &rendered, input).await?,
                Err(error) => (commit, failed(action, error)),
            };
            commit = next;
            acted.push(did);
        }
        let firing = self.record(Outcome::Matched, None, acted);
        let (record, change) = (self.event.record.clone(), self.event.id.clone());
        let fired = WorkflowEvent::RuleFired { rule: self.rule.id, firing: self.id, record, change };
        let commit = guards::counted(self.ctx, self.rule, self.event, commit.create(&firing).emit(fired));
        web::done(acting.once_for(commit, &self.consumer, &self.event.id).run().await)
    }

    async fn one(
        &self,
        acting: &Ctx,
        commit: Commit,
        action: &Action,
        rendered: &Value,
        input: &Value,
    ) -> Result<(Commit, Acted)> {
        if let Action::Task { .. } = action {
            return self.task(acting, commit, action, rendered, input).await;
        }
        let wish = Record::new(
            acting.now(),
            RuleAction {
                rule: self.rule.id,
                firing: self.id,
                kind: action.kind().into(),
                status: Did::Pending,
                done: None,
                error: None,
            },
        );
        match self.wish(action, rendered, input, wish.id) {
            Ok(event) => {
                let did = Acted {
                    kind: action.kind().into(),
                    status: Did::Pending,
                    of: Some(wish.id.to_string()),
                    error: None,
                    rendered: None,
                };
                Ok((commit.create(&wish).emit(event), did))
            }
            Err(error) => Ok((commit, failed(action, error))),
        }
    }

    fn wish(
        &self,
        action: &Action,
        rendered: &Value,
        input: &Value,
        id: RuleActionId,
    ) -> std::result::Result<WorkflowEvent, String> {
        let owner = self.rule.body.owner.clone();
        let asked = || RuleAsked {
            rule: self.rule.id,
            firing: self.id,
            action: id,
            owner: owner.clone(),
            event: self.event.kind.clone(),
            record: self.event.record.clone(),
            with: with(rendered, input),
        };
        Ok(match action {
            Action::Notify { .. } => WorkflowEvent::RuleNotifyRequested(asked()),
            Action::Webhook { .. } => WorkflowEvent::RuleWebhookRequested(asked()),
            Action::SetField { field, .. } => {
                let declared = catalogue::field(field).ok_or("a rule may not set this field")?;
                let record = record_of(rendered, input);
                if record.split('_').next() != Some(&declared.kind) {
                    return Err(format!("{record} is no {}", declared.noun));
                }
                let (noun, field) = field.split_once('.').unwrap_or_default();
                WorkflowEvent::RuleFieldRequested(FieldWish {
                    rule: self.rule.id,
                    firing: self.id,
                    action: id,
                    owner: owner.clone(),
                    noun: noun.into(),
                    record,
                    field: field.into(),
                    value: rendered["value"].clone(),
                })
            }
            Action::StartSequence { sequence, .. } => {
                let subject = rendered["subject"].as_str().ok_or("nobody is named")?.to_string();
                WorkflowEvent::SequenceRequested(SequenceWish {
                    sequence: *sequence,
                    subject,
                    anchor_on: None,
                    rule: Some(self.rule.id),
                    action: Some(id),
                    key: id.to_string(),
                })
            }
            Action::Task { .. } => return Err("a task is made here".into()),
        })
    }

    async fn task(
        &self,
        acting: &Ctx,
        commit: Commit,
        action: &Action,
        rendered: &Value,
        input: &Value,
    ) -> Result<(Commit, Acted)> {
        let Action::Task { category, priority, assignee, due_in, close_on, .. } = action else {
            return Err(Error::internal("no task"));
        };
        let text = |name: &str| rendered[name].as_str().map(|t| t.chars().take(200).collect::<String>());
        let site = input["event"]["site"].as_str().and_then(|s| s.parse().ok());
        let assignee = task::somebody(acting, assignee.clone().at(site)).await?;
        let due_at = due_in.map(|within| Calendar::of(acting).later(acting.now(), within)).transpose()?;
        let draft = Draft {
            description: rendered["description"].as_str().map(|t| Sealed(t.into())),
            priority: priority.unwrap_or(Priority::Normal),
            site,
            subject: input["event"]["subject"].as_str().map(Into::into),
            record: Some(self.event.record.clone()),
            due_at,
            close_on: close_on.clone(),
            created_by: self.rule.body.owner.clone(),
            source: Source { kind: SourceKind::Rule, of: Some(self.rule.id.to_string()), proposed: false },
            ..Draft::new(Sealed(text("title").unwrap_or_default()), *category, assignee, SourceKind::Rule)
        };
        match task::drafted(acting, draft, acting.store().commit()).await {
            Ok((task, made)) => {
                let did = Acted {
                    kind: "task".into(),
                    status: Did::Done,
                    of: Some(task.id.to_string()),
                    error: None,
                    rendered: None,
                };
                Ok((commit.joined(made), did))
            }
            Err(passing) if passing.may_pass() => Err(passing),
            Err(refused) => Ok((commit, failed(action, refused.to_string()))),
        }
    }
}

fn failed(action: &Action, error: String) -> Acted {
    Acted { kind: action.kind().into(), status: Did::Failed, of: None, error: Some(error), rendered: None }
}

fn shadow(action: &Action, input: &Value) -> Acted {
    let (rendered, error) = match rendered(action, input) {
        Ok(rendered) => (Some(rendered), None),
        Err(error) => (None, Some(error)),
    };
    Acted { kind: action.kind().into(), status: Did::Skipped, of: None, error, rendered }
}

/// A module says what became of a wish.
pub async fn answered(ctx: &Ctx, event: &Envelope) -> Result<()> {
    let Some(id) = event.data["action"].as_str().and_then(|id| id.parse::<RuleActionId>().ok()) else {
        return Ok(());
    };
    let problem = event.data["problem"].as_str().map(String::from);
    web::update::<RuleAction>(ctx, id, |old| {
        if old.body.status == Did::Done || (problem.is_some() && old.body.status == Did::Failed) {
            return None;
        }
        let mut new = old.next(ctx.now());
        new.body.status = if problem.is_some() { Did::Failed } else { Did::Done };
        new.body.error = problem.clone();
        new.body.done = event.data["done"].as_str().map(Into::into);
        Some(ctx.store().commit().update("answer", old, &new))
    })
    .await
}
