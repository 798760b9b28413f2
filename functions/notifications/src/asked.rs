//! A rule of the workflow asks that somebody be told: `rule.notify_requested` names recipients, ways, urgency and
//! the text. The rule hears what became of it: told, or not, and why.

use crate::{
    desk::Desk,
    fan_out::{self, Occasion, recipients},
    rule::{Digest, Kind, Mode, NotificationRule, Recipient},
    template::truncate,
    words::{Category, Channel, Medium, Priority},
};
use events::{Envelope, WorkflowEvent, workflow::RuleAsked};
use kernel::{Error, Result};
use serde::Deserialize;
use serde_json::{Map, Value};
use web::{Ctx, RuleAnswer};

/// What the rule wants.
#[derive(Deserialize)]
struct With {
    recipients: Vec<Who>,
    #[serde(default)]
    channels: Vec<Channel>,
    #[serde(default)]
    template: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    priority: Option<Priority>,
    #[serde(default)]
    category: Option<Category>,
    /// What the event said that the rule fired on, for recipients and for a text of the organisation's own.
    #[serde(default)]
    data: Map<String, Value>,
    /// Who did what the rule fired on.
    #[serde(default)]
    actor: Option<String>,
}

/// A recipient as rules write it, or the id of one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Who {
    One(Recipient),
    Named(String),
}

impl Who {
    fn read(self) -> Recipient {
        match self {
            Self::One(recipient) => recipient,
            Self::Named(word) => match word.split_once(':').and_then(|(k, v)| Some((k.parse().ok()?, v))) {
                Some((kind, value)) => Recipient { kind, value: Some(value.into()) },
                None if word.starts_with("usr_") => Recipient { kind: Kind::User, value: Some(word) },
                None if word.starts_with("tem_") => Recipient { kind: Kind::Team, value: Some(word) },
                None => match word.parse() {
                    Ok(kind) => Recipient { kind, value: None },
                    Err(()) => Recipient { kind: Kind::Role, value: Some(word) },
                },
            },
        }
    }
}

/// Characters of a heading.
const TITLE: usize = 120;
/// The text that says what the rule wrote.
const OWN_WORDS: &str = "broadcast";

/// Tells, and then answers: whatever comes again in between finds everybody told, and the answer is given once.
pub async fn tell(desk: &Desk, ctx: &Ctx, event: &Envelope) -> Result<()> {
    if ctx.tenant().is_err() {
        return Ok(());
    }
    let Some(WorkflowEvent::RuleNotifyRequested(asked)) = event.read() else {
        return Err(Error::internal(format!("{} is no wish of a rule", event.id)));
    };
    let outcome = match serde_json::from_value(Value::Object(asked.with.clone())) {
        Ok(with) => told(desk, ctx, event, &asked, with).await?,
        Err(unreadable) => Err(format!("the action does not read: {unreadable}")),
    };
    let commit = RuleAnswer::to(ctx, &asked, outcome, ctx.store().commit());
    ctx.once_for(commit, "notify.asked", &event.id).run().await
}

/// The first of the items, or why there is none.
async fn told(
    desk: &Desk,
    ctx: &Ctx,
    event: &Envelope,
    asked: &RuleAsked,
    with: With,
) -> Result<std::result::Result<String, String>> {
    let gate = ctx.tenant()?;
    if !fan_out::open(gate, with.category.unwrap_or(Category::Task)) {
        return Ok(Err("the organisation is suspended or closed".into()));
    }
    if let Some(code) = &with.template
        && desk.known(ctx).await?.text(code, Medium::InApp, &gate.language, &gate.language).is_none()
    {
        return Ok(Err(format!("no text for the inbox is published as {code}")));
    }
    let (actor, mut data) = (with.actor.clone(), with.data.clone());
    if with.template.is_none() {
        let text = with.body.clone().unwrap_or_default();
        let first = text.lines().next().unwrap_or_default();
        data.insert("title".into(), with.title.clone().unwrap_or_else(|| truncate(first, TITLE)).into());
        data.insert("body".into(), text.into());
    }
    let rule = rule(event, asked, with);
    let by = actor.unwrap_or_else(|| asked.owner.clone());
    let occasion = Occasion { data, by, record: asked.record.clone(), ..Occasion::of(event)? };
    let items = fan_out::tell(desk, ctx, &rule, &occasion, 0).await?;
    match items.first() {
        Some(first) => Ok(Ok(first.to_string())),
        None => Ok(Err(recipients::why_nobody(ctx, &rule.recipients, &occasion).await?)),
    }
}

/// One rule may ask several times of one event: the event that asks is the occasion.
fn rule(event: &Envelope, asked: &RuleAsked, with: With) -> NotificationRule {
    NotificationRule {
        code: format!("workflow_{}", asked.rule.to_string().to_lowercase()),
        name: with.title.unwrap_or_else(|| event.kind.clone()),
        event: event.kind.clone(),
        when: vec![],
        condition: None,
        recipients: with.recipients.into_iter().map(Who::read).collect(),
        exclude_actor: false,
        channels: with.channels,
        mode: Mode::All,
        category: with.category.unwrap_or(Category::Task),
        priority: with.priority.unwrap_or(Priority::Normal),
        template: Some(with.template.unwrap_or_else(|| OWN_WORDS.into())),
        throttle_seconds: None,
        digest: Digest::None,
        needs_ack: false,
        escalate_to: vec![],
        valid_hours: None,
        supersedes: false,
        superseded: false,
        active: true,
        built_in: false,
        protected: false,
    }
}
