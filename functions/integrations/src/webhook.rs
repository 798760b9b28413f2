//! Webhook endpoints (INT-2): where an organisation, or one of its partners, wants to hear of what happens. What is
//! sent follows the Standard Webhooks specification: ids and codes only, signed.

pub mod api;
mod edit;
pub mod health;
pub mod pattern;
mod ping;
pub mod secret;
pub mod sign;

use jiff::{SignedDuration, Timestamp};
use kernel::{Error, Fault, Result, SiteId, WebhookId};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::{Commit, Due, Entity, Key, List, Record, Row, When};
use web::{
    Actor, Ctx, Noun, Reach,
    noun::{Hooks, Written},
};

kernel::words! {
    pub enum Status {
        Enabled = "enabled",
        /// Nothing has arrived for an hour; it is still tried.
        Failing = "failing",
        /// Nothing is sent.
        Disabled = "disabled",
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Webhook {
    /// https, on port 443.
    #[schemars(length(min = 12, max = 500))]
    pub url: String,
    #[schemars(length(max = 200))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `invoice.issued`, or every event of a noun: `invoice.*`.
    #[schemars(length(min = 1, max = 50), inner(length(min = 3, max = 80)), extend("uniqueItems" = true))]
    pub event_types: Vec<String>,
    #[serde(default = "hmac")]
    pub scheme: sign::Scheme,
    /// Only events that name one of these sites; none = whatever site they name, or none.
    #[serde(default)]
    #[schemars(length(max = 30), extend("uniqueItems" = true))]
    pub sites: Vec<SiteId>,
    /// Sent along with every call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 5))]
    pub headers: Option<Sealed<BTreeMap<String, String>>>,
    /// The version of the bodies.
    #[serde(default = "v1")]
    #[schemars(extend("readOnly" = true))]
    pub api_version: String,
    #[schemars(extend("readOnly" = true))]
    #[serde(default = "enabled")]
    pub status: Status,
    /// `usr_…` or `pky_…`: whose endpoint it is.
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub owner: String,
    /// `whpk_…`: what an ed25519 signature is verified with.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// The number of the newest secret.
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub secret: u32,
    /// Until then two signatures are sent: the older secret dies.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotates_until: Option<Timestamp>,
    /// The first failure since the last success.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// Why it is disabled: `failing`, `gone`, `manual`.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_because: Option<String>,
    /// Since then it may have missed what happened: it is, or was, disabled.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed_since: Option<Timestamp>,
    /// When it is told of that.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catches_up_at: Option<Timestamp>,
}

fn hmac() -> sign::Scheme {
    sign::Scheme::Hmac
}
fn v1() -> String {
    "v1".into()
}
fn enabled() -> Status {
    Status::Enabled
}

/// Without a success for so long an endpoint is failing, and for so long disabled.
pub const FAILING: SignedDuration = SignedDuration::from_hours(1);
pub const GIVEN_UP: SignedDuration = SignedDuration::from_hours(5 * 24);
/// Endpoints of an organisation.
const MOST: i64 = 20;
/// Headers that are ours, or that belong to the connection.
const OURS: [&str; 7] =
    ["host", "content-type", "content-length", "connection", "transfer-encoding", "user-agent", "upgrade"];

impl Entity for Webhook {
    type Id = WebhookId;
    const NOUN: &'static str = "webhook";
    const LISTS: &'static [List<Self>] =
        &[List::newest(), List::by("owner", &["owner"], |r| vec![Row::new(&[&r.body.owner], &[&r.id])])];
    fn due(record: &Record<Self>) -> Vec<Due> {
        let hook = &record.body;
        let mut due: Vec<Due> = hook.rotates_until.map(|at| Due { at, what: "secret" }).into_iter().collect();
        due.extend(hook.catches_up_at.map(|at| Due { at, what: "catch_up" }));
        match (hook.failing_since, hook.status) {
            (Some(since), Status::Enabled) => due.push(Due { at: since + FAILING, what: "failing" }),
            (Some(since), Status::Failing) => due.push(Due { at: since + GIVEN_UP, what: "give_up" }),
            _ => {}
        }
        due
    }
}

impl Noun for Webhook {
    /// A machine has its own endpoints.
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        match reach {
            Reach::All => true,
            Reach::None => false,
            _ => record.body.owner == actor.user,
        }
    }
    fn check(&self) -> Vec<Fault> {
        let mut faults = vec![];
        for (at, pattern) in self.event_types.iter().enumerate().filter(|(_, p)| !pattern::is_one(p)) {
            let detail = format!("{pattern} is no event: `invoice.issued`, or `invoice.*`");
            faults.push(Fault::new(format!("/event_types/{at}"), "event-type", detail));
        }
        for (name, value) in self.headers.iter().flat_map(|h| &h.0) {
            let lower = name.to_ascii_lowercase();
            let taken = OURS.contains(&lower.as_str()) || lower.starts_with("webhook-");
            let odd = http::HeaderName::try_from(name.as_str()).is_err()
                || http::HeaderValue::try_from(value.as_str()).is_err()
                || value.len() > 500;
            if taken || odd {
                faults.push(Fault::new("/headers", "header", format!("{lower} cannot be sent along")));
            }
        }
        faults
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let mut actions = vec![];
        if ctx.may("webhook.edit") > Reach::None {
            actions.push("test");
            actions.push(if record.body.status == Status::Disabled { "enable" } else { "disable" });
            if record.body.rotates_until.is_none() {
                actions.push("rotate_secret");
            }
        }
        if ctx.may("webhook.replay") > Reach::None {
            actions.push("replay");
        }
        actions
    }
}

impl Hooks for Webhook {
    async fn on_write(_: &Ctx, change: Written<'_, Self>, commit: Commit) -> Result<Commit> {
        Ok(match change.action {
            "delete" => commit.add(&count(), "n", -1),
            "restore" => one_more(commit),
            _ => commit,
        })
    }
}

fn count() -> Key {
    Key::item("count", <WebhookId as kernel::Id>::KIND, ".")
}

/// Counted in the commit that makes it, under the limit.
pub fn one_more(commit: Commit) -> Commit {
    let full = |_| {
        let detail = format!("an organisation has {MOST} webhooks at most: delete one first");
        Error::conflict("limit-reached", detail).with("limit", "webhooks").with("allowed", MOST)
    };
    commit.add_if(&count(), "n", 1, When::Without("n").or(When::Below("n", MOST)), full)
}

/// 403 unless the subscription brings webhooks.
pub fn licensed(ctx: &Ctx) -> Result<()> {
    if ctx.tenant()?.features.iter().any(|f| f == "webhooks") {
        return Ok(());
    }
    let detail = "your subscription does not include webhooks; a wider plan does";
    Err(Error::forbidden("feature-not-licensed", detail).with("feature", "webhooks"))
}
