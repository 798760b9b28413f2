//! A team: people who work together at a site, and who leads them.

use events::IdentityEvent;
use kernel::{Error, Fault, Result, SiteId, TeamId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use store::{Commit, Entity, Key, List, Record, Row, Token, Unique, facts};
use web::{
    Actor, Ctx, Noun, Reach, Route,
    noun::{Hooks, Paths, Written, crud},
};

/// People that one request may bring in or let go: each takes two items of its commit.
const AT_ONCE: usize = 40;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Team {
    #[schemars(length(min = 1, max = 80))]
    pub name: String,
    pub site: SiteId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<UserId>,
    #[serde(default)]
    #[schemars(length(max = 200), extend("uniqueItems" = true))]
    pub members: Vec<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500))]
    pub purpose: Option<String>,
}

impl Entity for Team {
    type Id = TeamId;
    const NOUN: &'static str = "team";
    const LISTS: &'static [List<Self>] =
        &[List::newest(), List::by("site", &["site"], |r| vec![Row::new(&[&r.body.site], &[&r.id])])];
    const UNIQUE: &'static [Unique<Self>] =
        &[Unique::of("name", "duplicate", |t| vec![format!("{}~{}", t.site, t.name.trim().to_lowercase())])];
    fn tokens(&self) -> Vec<Token> {
        crate::user::words(&self.name).into_iter().map(Token::Word).collect()
    }
}

impl Noun for Team {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        let own = actor
            .id::<UserId>()
            .is_some_and(|me| record.body.members.contains(&me) || record.body.lead == Some(me));
        own && reach > Reach::None || actor.at_site(reach, record.body.site)
    }
    fn check(&self) -> Vec<Fault> {
        let outside = self.lead.is_some_and(|lead| !self.members.contains(&lead));
        match outside {
            true => vec![Fault::new("/lead", "not-a-member", "whoever leads a team belongs to it")],
            false => vec![],
        }
    }
}

impl Hooks for Team {
    async fn on_write(
        ctx: &Ctx,
        Written { old, new, .. }: Written<'_, Self>,
        commit: Commit,
    ) -> Result<Commit> {
        let mut commit = commit.emit(IdentityEvent::TeamChanged { team: new.id });
        if old.is_none() {
            let known =
                || Error::field("site-unknown", "/site", "there is no such site in this organisation");
            commit = commit.require(facts::SITE, new.body.site, known);
        }
        reach_of(ctx, new)?;
        members(commit, &old.map(held).unwrap_or_default(), new)
    }
}

/// Nobody makes a team at a site they do not reach.
fn reach_of(ctx: &Ctx, team: &Record<Team>) -> Result<()> {
    match ctx.actor().at_site(ctx.reach(), team.body.site) {
        true => Ok(()),
        false => Err(Error::forbidden("site-out-of-reach", "you do not work at this site")),
    }
}

fn held(team: &Record<Team>) -> BTreeSet<UserId> {
    match team.deleted_at {
        Some(_) => BTreeSet::new(),
        None => team.body.members.iter().copied().collect(),
    }
}

fn members(mut commit: Commit, was: &BTreeSet<UserId>, new: &Record<Team>) -> Result<Commit> {
    let is = held(new);
    if was.symmetric_difference(&is).count() > AT_ONCE {
        let detail = "bring in or let go at most 40 people with one request";
        return Err(Error::field("too-many-members", "/members", detail));
    }
    let key = |user: &UserId| Key::member(facts::MEMBERS, format!("team~{}", new.id), user);
    for user in is.difference(was) {
        let missing = || {
            Error::field("user-unknown", "/members", "only active users of this organisation belong to teams")
        };
        commit = commit.require(facts::ACTIVE_USER, user, missing).put(&key(user), &json!({"user": user}));
    }
    for user in was.difference(&is) {
        commit = commit.delete(&key(user));
    }
    Ok(commit)
}

pub fn routes() -> Vec<Route> {
    crud::<Team>(Paths {
        path: "/v1/identity/teams",
        view: "team.view",
        create: "team.edit",
        edit: "team.edit",
        delete: "team.edit",
    })
}
