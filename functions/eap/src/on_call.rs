//! Who is told at once when somebody may be in danger: people in their order, a manager after them, and the number of a
//! line that is always answered.

use axum::{
    http::Method,
    routing::{get, put},
};
use kernel::{Error, Id, OnCallId, Ulid, UserId, error::found};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Entity, List, Record, facts};
use web::{Answer, Body, Ctx, Noun, Reach, Route, noun::View, route};

use crate::risk;

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct OnCall {
    /// The first two are told, ten minutes after one another.
    #[schemars(length(max = 10))]
    pub people: Vec<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<UserId>,
    /// Shown to whoever finds the danger.
    #[schemars(length(min = 3, max = 50))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_line: Option<String>,
}

impl OnCall {
    /// An organisation has one.
    pub fn id() -> OnCallId {
        OnCallId::of(Ulid::nil())
    }
    pub fn told(&self, step: u32) -> Option<String> {
        let people: Vec<String> = self.people.iter().map(ToString::to_string).collect();
        let manager = self.manager.map(|m| m.to_string());
        risk::told(step, &people, manager.as_deref()).map(Into::into)
    }
}

impl Entity for OnCall {
    type Id = OnCallId;
    const NOUN: &'static str = "eap_on_call";
    const LISTS: &'static [List<Self>] = &[];
}
impl Noun for OnCall {
    fn within(_: &Record<Self>, reach: Reach, _: &web::Actor) -> bool {
        reach > Reach::None
    }
}

const PATH: &str = "/v1/eap/on_call";

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, PATH, "eap_on_call.view", "eap_on_call.show", get(show))
            .gives::<View<'static, OnCall>>(200)
            .trips(1)
            .says("Who is told at once when somebody may be in danger"),
        route(Method::PUT, PATH, "eap_on_call.edit", "eap_on_call.replace", put(replace))
            .takes::<OnCall>()
            .gives::<View<'static, OnCall>>(200)
            .trips(2)
            .refuses(&["unknown-user"])
            .says("Says who is on call"),
    ]
}

async fn show(ctx: Ctx) -> Answer {
    let record = ctx.get::<OnCall>(OnCall::id()).await?;
    Ok(ctx.shown(200, &record)?.respond())
}

async fn replace(ctx: Ctx, Body(body): Body<OnCall>) -> Answer {
    let old = found(ctx.change::<OnCall>(OnCall::id()).await)?;
    let mut users: Vec<UserId> = body.people.iter().chain(&body.manager).copied().collect();
    users.sort();
    users.dedup();
    let (new, commit) = match &old {
        Some(old) => {
            let new = Record { body, ..old.next(ctx.now()) };
            (new.clone(), ctx.commit().update("update", old, &new))
        }
        None => {
            let new = Record::with_id(OnCall::id(), ctx.now(), body);
            (new.clone(), ctx.commit().create(&new))
        }
    };
    let unknown = || Error::field("unknown-user", "/people", "name people with an active login");
    let commit = users.into_iter().fold(commit, |c, user| c.require(facts::ACTIVE_USER, user, unknown));
    ctx.settle(commit, ctx.shown(200, &new)?).await
}
