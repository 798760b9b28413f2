//! Making an endpoint, changing it, and the commands on it.

use super::{
    Status, Webhook,
    health::{self, disable, disabled},
    licensed, one_more, pattern,
    ping::{Pinged, ping},
    secret::{self, Secret},
};
use crate::{delivery::cache::Endpoints, outgoing::Wire};
use kernel::{Error, Result, SiteId, WebhookId, error::faultless};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Commit, Record, facts};
use url::Url;
use web::{Answer, At, Body, Ctx, Noun, Raw, Reach, Reached, Shown, check, ok};

/// What handlers and tasks share.
#[derive(Clone)]
pub struct Means {
    pub wire: Wire,
    pub endpoints: Endpoints,
}

/// Shown once, beside the record; of ed25519 the receiver needs the public key alone.
#[derive(Serialize, JsonSchema)]
pub struct Shared {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signing_secret: Option<Sealed<String>>,
}

#[derive(Deserialize, JsonSchema)]
pub struct Because {
    #[schemars(length(min = 1, max = 2000))]
    pub reason: Option<String>,
}

pub async fn create(ctx: Ctx, means: Means, Raw(body): Raw) -> Answer {
    let body: Webhook = check::read(&body)?;
    licensed(&ctx)?;
    fits(&ctx, &means.wire, &body)?;
    let mut new = Record::new(ctx.now(), body);
    let value = new.body.scheme.new_secret()?;
    new.body.owner = ctx.actor().user.clone();
    new.body.public_key = new.body.scheme.public_key(&value)?;
    new.body.secret = 1;
    let first = Secret { value: value.clone().into(), made_at: ctx.now(), dies_at: None };
    let commit = secret::put(one_more(ctx.commit().create(&new)), new.id, 1, &first);
    let commit = require_sites(commit, &new.body.sites);
    let shown = Shown::record_with(&ctx, 201, &new, &shared(&new.body, value))?;
    let answer = ctx.settle(commit, shown).await;
    means.endpoints.forget(ctx.scope());
    answer
}

pub async fn amend(ctx: Ctx, means: Means, At(id): At<WebhookId>, Raw(patch): Raw) -> Answer {
    let old = ctx.change::<Webhook>(id).await?;
    let body: Webhook = check::merge_patch(&old.body, &patch)?;
    fits(&ctx, &means.wire, &body)?;
    if body.scheme != old.body.scheme {
        let detail = "an endpoint keeps its scheme: make another one with the scheme you want";
        return Err(Error::field("scheme-fixed", "/scheme", detail).into());
    }
    let mut new = old.next(ctx.now());
    new.body = body;
    let commit = require_sites(ctx.commit().update("update", &old, &new), &new.body.sites);
    let answer = ctx.settle(commit, ctx.shown(200, &new)?).await;
    means.endpoints.forget(ctx.scope());
    answer
}

fn shared(hook: &Webhook, value: String) -> Shared {
    Shared { signing_secret: hook.public_key.is_none().then(|| value.into()) }
}

/// All that has to be right of an endpoint, whoever keeps it.
fn fits(ctx: &Ctx, wire: &Wire, hook: &Webhook) -> Result<()> {
    faultless(hook.check())?;
    let url: Option<Url> = hook.url.parse().ok();
    if !url.is_some_and(|url| wire.accepts(&url)) {
        let detail =
            "https on port 443, to a name or an address on the public internet, without a password in it";
        return Err(Error::field("unsafe-url", "/url", detail));
    }
    if ctx.actor().is_machine() { suits_machine(ctx, hook) } else { Ok(()) }
}

/// A machine hears only of what its key lets it read, at the sites that it reaches.
fn suits_machine(ctx: &Ctx, hook: &Webhook) -> Result<()> {
    for wanted in &hook.event_types {
        let readable = authz::rule(&format!("{}.view", pattern::noun(wanted)));
        if readable.is_none_or(|rule| ctx.may(rule.permission) == Reach::None) {
            let detail =
                format!("your key does not name {}.view, which {wanted} tells of", pattern::noun(wanted));
            return Err(Error::forbidden("scope-exceeds-grant", detail));
        }
    }
    let own = match &ctx.actor().sites {
        Reached::All => true,
        Reached::These(own) => !hook.sites.is_empty() && hook.sites.iter().all(|s| own.contains(s)),
    };
    let beyond =
        || Error::forbidden("scope-exceeds-grant", "name the sites of your key, or some of them: /sites");
    own.then_some(()).ok_or_else(beyond)
}

fn require_sites(commit: Commit, sites: &[SiteId]) -> Commit {
    let unknown = || Error::field("site-unknown", "/sites", "there is no such site in this organisation");
    sites.iter().fold(commit, |commit, site| commit.require(facts::SITE, site, unknown))
}

pub async fn rotate(ctx: Ctx, means: Means, At(id): At<WebhookId>) -> Answer {
    let old = ctx.change::<Webhook>(id).await?;
    if old.body.rotates_until.is_some() {
        return Err(Error::State { command: "rotate_secret", state: "rotating".into() }.into());
    }
    let mut new = old.next(ctx.now());
    let (parts, value) = secret::rotate(&ctx, ctx.store().commit(), &mut new).await?;
    let commit = ctx.commit().update("rotate_secret", &old, &new).joined(parts);
    let shown = Shown::record_with(&ctx, 200, &new, &shared(&new.body, value))?;
    let answer = ctx.settle(commit, shown).await;
    means.endpoints.forget(ctx.scope());
    answer
}

/// Sends a ping now; whatever comes of it is the answer.
pub async fn test(ctx: Ctx, means: Means, At(id): At<WebhookId>) -> Answer {
    let (hook, parts) = ctx.store().whole::<Webhook>(id).await?;
    let hook = ctx.reached(hook).await?;
    ok(&ping(&ctx, &means.wire, &hook, &parts).await?)
}

/// Whoever wants to hear again shows first that they do.
pub async fn enable(ctx: Ctx, means: Means, At(id): At<WebhookId>) -> Answer {
    let (old, parts) = ctx.store().whole::<Webhook>(id).await?;
    let old = ctx.reached(old).await?;
    old.matches(ctx.if_match())?;
    if old.body.status != Status::Disabled {
        return Err(Error::State { command: "enable", state: old.body.status.to_string() }.into());
    }
    let said: Pinged = ping(&ctx, &means.wire, &old, &parts).await?;
    if !said.delivered {
        let detail = "the endpoint did not answer the ping with 2xx; see `ping`, repair it and try again";
        return Err(Error::unprocessable("ping-failed", detail).with("ping", said).into());
    }
    let mut new = old.next(ctx.now());
    health::enable(&mut new.body, ctx.now());
    let answer = ctx.settle(ctx.commit().update("enable", &old, &new), ctx.shown(200, &new)?).await;
    means.endpoints.forget(ctx.scope());
    answer
}

pub async fn switch_off(ctx: Ctx, means: Means, At(id): At<WebhookId>, Body(why): Body<Because>) -> Answer {
    let old = ctx.change::<Webhook>(id).await?;
    if old.body.status == Status::Disabled {
        return Err(Error::State { command: "disable", state: old.body.status.to_string() }.into());
    }
    let mut new = old.next(ctx.now());
    disable(&mut new.body, "manual", ctx.now());
    let commit = ctx.commit().because(why.reason).update("disable", &old, &new);
    let answer = ctx.settle(disabled(commit, &new), ctx.shown(200, &new)?).await;
    means.endpoints.forget(ctx.scope());
    answer
}
