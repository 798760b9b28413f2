//! A rule of the workflow asks that somebody be told: `rule.notify_requested` names recipients, ways, urgency and
//! the text. What it names is read leniently, since it was checked when the rule was written.

use crate::{
    desk::Desk,
    fan_out::{self, Occasion},
    rule::{Digest, Kind, Mode, NotificationRule, Recipient},
    template::truncate,
    words::{Category, Channel, Priority},
};
use events::Envelope;
use kernel::{Error, Result};
use serde::Deserialize;
use serde_json::{Map, Value};
use web::Ctx;

/// The event's data.
#[derive(Deserialize)]
struct Asked {
    rule: String,
    #[serde(default)]
    owner: Option<String>,
    #[serde(default)]
    record: Option<String>,
    with: With,
}

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
    text: Option<String>,
    #[serde(default)]
    priority: Option<Priority>,
    #[serde(default)]
    category: Option<Category>,
    /// Values for a text of the organisation's own.
    #[serde(default)]
    data: Map<String, Value>,
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

pub async fn tell(desk: &Desk, ctx: &Ctx, event: &Envelope) -> Result<()> {
    let Ok(gate) = ctx.tenant() else { return Ok(()) };
    let Asked { rule, owner, record, with } =
        serde_json::from_value(event.data.clone()).map_err(Error::internal)?;
    let With { recipients, channels, template, title, text, priority, category, mut data } = with;
    let category = category.unwrap_or(Category::Task);
    if !fan_out::open(gate, category) {
        return Ok(());
    }
    let own = template.is_none();
    if own {
        let text = text.unwrap_or_default();
        let first = text.lines().next().unwrap_or_default();
        data.insert("title".into(), title.clone().unwrap_or_else(|| truncate(first, TITLE)).into());
        data.insert("body".into(), text.into());
    }
    let rule = NotificationRule {
        // One rule may ask several times of one event: the event that asks is the occasion.
        code: format!("workflow_{}", rule.to_lowercase()),
        name: title.unwrap_or_else(|| event.kind.clone()),
        event: event.kind.clone(),
        when: vec![],
        condition: None,
        recipients: recipients.into_iter().map(Who::read).collect(),
        exclude_actor: false,
        channels,
        mode: Mode::All,
        category,
        priority: priority.unwrap_or(Priority::Normal),
        template: Some(template.unwrap_or_else(|| OWN_WORDS.into())),
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
    };
    let mut occasion = Occasion::of(event)?;
    occasion.data = data;
    occasion.by = owner.unwrap_or(occasion.by);
    occasion.record = record.unwrap_or(occasion.record);
    fan_out::tell(desk, ctx, &rule, &occasion, 0).await
}
