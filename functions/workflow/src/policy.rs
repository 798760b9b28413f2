//! Approval policies: when a command has to wait for a second person. Published as a fact per command, which every
//! module reads and keeps for a minute; a command without a policy of its own follows the shipped one.

use axum::{
    http::Method,
    routing::{delete, get, patch, post},
};
use events::WorkflowEvent;
use kernel::{ApprovalPolicyId, Error, Fault, Result};
use rules::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Commit, Entity, Key, List, Record, Row, Unique, Wanted, facts};
use web::{
    Actor, Answer, At, Body, Ctx, Noun, Raw, Reach, Route,
    approval::{
        Approvers, Policy,
        policy::{Shipped, known, shipped},
    },
    noun::{self, Hooks, Pages, View, Written},
    ok, route,
};

fn yes() -> bool {
    true
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalPolicy {
    /// `payroll_run.approve`
    #[schemars(regex(pattern = r"^[a-z][a-z_]{1,39}\.[a-z][a-z_]{1,39}$"))]
    pub command: String,
    /// Of several of one command the first that applies decides.
    #[serde(default)]
    #[schemars(range(max = 20))]
    pub order: u8,
    /// CEL over `request`, `record`, `actor`, `tenant`, `now`; always, if empty. What cannot be answered waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10000))]
    pub when: Option<String>,
    #[serde(default)]
    pub approvers: Approvers,
    #[schemars(range(min = 1, max = 3))]
    pub needed: u8,
    #[schemars(range(min = 1, max = 720))]
    pub expires_hours: u32,
    #[serde(default)]
    pub reason_required: bool,
    #[serde(default = "yes")]
    pub active: bool,
}

/// Policies of one command.
const MOST: i32 = 21;

impl Entity for ApprovalPolicy {
    type Id = ApprovalPolicyId;
    const NOUN: &'static str = "approval_policy";
    const LISTS: &'static [List<Self>] = &[
        List::newest(),
        List::<Self>::by("command", &["command"], |r| {
            vec![Row::new(&[&r.body.command], &[&format!("{:02}", r.body.order), &r.id])]
        })
        .oldest_first(),
    ];
    const UNIQUE: &'static [Unique<Self>] =
        &[Unique::of("order", "duplicate", |p| vec![format!("{}~{}", p.command, p.order)])];
}

impl Noun for ApprovalPolicy {
    fn within(_: &Record<Self>, reach: Reach, _: &Actor) -> bool {
        reach > Reach::None
    }
    fn check(&self) -> Vec<Fault> {
        let named = self.approvers.users.iter().filter(|u| !u.starts_with("usr_"));
        named.map(|u| Fault::new("/approvers/users", "format", format!("{u} is no user"))).collect()
    }
}

impl Hooks for ApprovalPolicy {
    fn before(_: &Ctx, action: &str, old: Option<&Record<Self>>, new: &mut Record<Self>) -> Result<()> {
        if action == "update" && old.is_some_and(|o| o.body.command != new.body.command) {
            return Err(Error::field(
                "fixed",
                "/command",
                "a policy stays with its command; make another one",
            ));
        }
        readable(new.body.when.as_deref())
    }
    async fn on_write(ctx: &Ctx, Written { new, .. }: Written<'_, Self>, commit: Commit) -> Result<Commit> {
        publish(ctx, new, commit).await
    }
}

/// 422 with the column, unless the text can be read.
fn readable(when: Option<&str>) -> Result<()> {
    let Some(text) = when else { return Ok(()) };
    Condition::compile(text, &known()).map(|_| ()).map_err(|f| crate::rule::invalid("/when", &f))
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Published {
    rev: u64,
    policies: Vec<Policy>,
}

fn policy(record: &Record<ApprovalPolicy>) -> Policy {
    let p = &record.body;
    Policy {
        id: format!("{}~{}", record.id, record.version),
        when: p.when.clone(),
        approvers: p.approvers.clone(),
        needed: p.needed,
        expires_hours: p.expires_hours,
        reason_required: p.reason_required,
    }
}

/// The fact as it is with this policy: two changes at once cannot lose one another.
async fn publish(ctx: &Ctx, new: &Record<ApprovalPolicy>, commit: Commit) -> Result<Commit> {
    let command = new.body.command.clone();
    let wanted = Wanted::by(&[&command], MOST);
    let (listed, fact) = futures::try_join!(
        ctx.store().list(&ApprovalPolicy::LISTS[1], &wanted),
        ctx.store().fact::<Published>(facts::APPROVAL_POLICY, &command)
    )?;
    let mut all: Vec<Record<ApprovalPolicy>> =
        listed.data.into_iter().filter(|r| r.id != new.id).chain([new.clone()]).collect();
    all.retain(|r| r.body.active && r.deleted_at.is_none());
    all.sort_by_key(|r| r.body.order);
    let rev = fact.map_or(0, |f| f.rev);
    let next = Published { rev: rev + 1, policies: all.iter().map(policy).collect() };
    let commit = commit.put_over(&Key::fact(facts::APPROVAL_POLICY, &command), rev, &next);
    Ok(commit.emit(WorkflowEvent::ApprovalPolicyChanged { policy: new.id, command }))
}

const PATH: &str = "/v1/workflow/approval_policies";

pub fn routes() -> Vec<Route> {
    let (view, edit, one) = ("approval_policy.view", "approval_policy.edit", format!("{PATH}/{{id}}"));
    let mut routes = vec![
        route(Method::GET, PATH, view, "approval_policy.list", get(noun::list::<ApprovalPolicy>))
            .asks_shape(noun::list_shape::<ApprovalPolicy>)
            .gives::<Pages<View<'static, ApprovalPolicy>>>(200)
            .trips(1)
            .says("The organisation's approval policies"),
        route(Method::GET, format!("{PATH}/shipped"), view, "approval_policy.shipped", get(list_shipped))
            .gives::<Pages<Shipped>>(200)
            .trips(1)
            .says("What holds for commands without a policy of the organisation's own"),
        route(Method::POST, format!("{PATH}/adopt"), edit, "approval_policy.adopt", post(adopt))
            .takes::<Adopt>()
            .gives::<View<'static, ApprovalPolicy>>(201)
            .trips(2)
            .refuses(&["duplicate", "not-shipped"])
            .says("Makes a shipped policy the organisation's own: to switch it on, off, or change it"),
        route(Method::POST, PATH, edit, "approval_policy.create", post(create))
            .takes::<ApprovalPolicy>()
            .gives::<View<'static, ApprovalPolicy>>(201)
            .trips(2)
            .refuses(&["rule-invalid", "duplicate"])
            .says("A command waits for a second person"),
        route(Method::PATCH, one.as_str(), edit, "approval_policy.update", patch(amend))
            .patches::<ApprovalPolicy>()
            .gives::<View<'static, ApprovalPolicy>>(200)
            .trips(3)
            .refuses(&["rule-invalid"])
            .says("Changes a policy, or switches it off"),
        route(Method::DELETE, one.as_str(), edit, "approval_policy.delete", delete(remove))
            .answers(204)
            .trips(3)
            .says("Deletes a policy"),
    ];
    routes.extend(noun::reading::<ApprovalPolicy>(PATH, view));
    routes
}

fn forget(ctx: &Ctx) {
    ctx.app().policies().forget(ctx.scope());
}

async fn create(ctx: Ctx, body: Raw) -> Answer {
    let answer = noun::create::<ApprovalPolicy>(ctx.clone(), body).await;
    forget(&ctx);
    answer
}

async fn amend(ctx: Ctx, at: At<ApprovalPolicyId>, body: Raw) -> Answer {
    let answer = noun::amend::<ApprovalPolicy>(ctx.clone(), at, body).await;
    forget(&ctx);
    answer
}

async fn remove(ctx: Ctx, at: At<ApprovalPolicyId>) -> Answer {
    let answer = noun::remove::<ApprovalPolicy>(ctx.clone(), at).await;
    forget(&ctx);
    answer
}

async fn list_shipped(_: Ctx) -> Answer {
    ok(&Pages { data: shipped().to_vec(), next: None })
}

#[derive(Deserialize, JsonSchema)]
struct Adopt {
    command: String,
    active: Option<bool>,
}

async fn adopt(ctx: Ctx, Body(asked): Body<Adopt>) -> Answer {
    let found = shipped().iter().find(|s| s.command == asked.command);
    let found = found.ok_or_else(|| {
        let known: Vec<&str> = shipped().iter().map(|s| s.command.as_str()).collect();
        Error::field("not-shipped", "/command", format!("shipped are: {}", known.join(", ")))
    })?;
    let p = found.policy();
    let policy = ApprovalPolicy {
        command: found.command.clone(),
        order: 0,
        when: p.when,
        approvers: p.approvers,
        needed: p.needed,
        expires_hours: p.expires_hours,
        reason_required: p.reason_required,
        active: asked.active.unwrap_or(true),
    };
    let mut new = Record::new(ctx.now(), policy);
    let commit = noun::commit_of(&ctx, "create", None, &mut new, None).await?;
    let shown = ctx.shown(201, &new)?;
    let answer = ctx.settle(commit, shown).await;
    forget(&ctx);
    answer
}
