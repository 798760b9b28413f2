//! What a rule does. Texts are templates, other values CEL where they begin with `=`; both read open fields alone.

use super::text;
use crate::{
    assignee::Assignee,
    due::Within,
    task::{Category, Priority},
};
use kernel::{SequenceId, WebhookId};
use rules::{Condition, Known};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

kernel::words! {
    /// How a recipient is found, in the words of notifications.
    pub enum Found {
        User = "user", Role = "role", RoleAtSite = "role_at_site", Team = "team", Subject = "subject",
        Assignee = "assignee", Manager = "manager", Guardian = "guardian", CareCircle = "care_circle",
        Actor = "actor", Address = "address",
    }
}
kernel::words! { pub enum Channel { Email = "email", Sms = "sms", Push = "push" } }
kernel::words! {
    pub enum Urgency { Low = "low", Normal = "normal", High = "high", Critical = "critical" }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recipient {
    pub kind: Found,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub value: Option<String>,
}

impl Recipient {
    /// Some are found by what is named, others by the event.
    pub fn lacks_value(&self) -> bool {
        let named = [Found::User, Found::Role, Found::RoleAtSite, Found::Team, Found::Address];
        self.value.is_none() && named.contains(&self.kind)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// Somebody has to do something.
    Task {
        #[schemars(length(min = 1, max = 200))]
        title: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(length(max = 2000))]
        description: Option<String>,
        category: Category,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        priority: Option<Priority>,
        assignee: Assignee,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due_in: Option<Within>,
        /// Events that close it again.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schemars(length(max = 5))]
        close_on: Vec<String>,
    },
    /// Somebody is told.
    Notify {
        #[schemars(length(min = 1, max = 10))]
        recipients: Vec<Recipient>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schemars(length(max = 3))]
        channels: Vec<Channel>,
        /// A template of notifications, or the text itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(length(max = 60))]
        template: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(length(min = 1, max = 120))]
        title: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(length(min = 1, max = 500))]
        text: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        priority: Option<Urgency>,
    },
    /// Something outside hears of it.
    Webhook {
        endpoint: WebhookId,
        /// By name: a value, a template, or CEL behind `=`.
        #[schemars(extend("maxProperties" = 30))]
        fields: BTreeMap<String, Value>,
    },
    /// A field of a record is set, with the owning module's own validation.
    SetField {
        /// `patient.custom.risk`
        #[schemars(length(min = 3, max = 120))]
        field: String,
        value: Value,
        /// CEL for the record, where it is not the event's own: `=event.data.patient`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(length(max = 200))]
        record: Option<String>,
    },
    /// An ordered set of tasks begins.
    StartSequence {
        sequence: SequenceId,
        /// CEL for whom it is about: `=event.data.user`.
        #[schemars(length(min = 2, max = 200))]
        subject: String,
    },
}

/// A text or value that cannot be read, with its place in the action.
pub struct Unreadable {
    pub place: String,
    pub fault: rules::Fault,
}

impl Action {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Task { .. } => "task",
            Self::Notify { .. } => "notify",
            Self::Webhook { .. } => "webhook",
            Self::SetField { .. } => "set_field",
            Self::StartSequence { .. } => "start_sequence",
        }
    }

    /// Everything in it that is a template or a formula, with its place.
    fn values(&self) -> Vec<(String, Value)> {
        let text = |place: &str, text: &String| (place.to_string(), Value::from(text.clone()));
        match self {
            Self::Task { title, description, .. } => {
                let more = description.iter().map(|d| text("description", d));
                [text("title", title)].into_iter().chain(more).collect()
            }
            Self::Notify { title, text: said, .. } => {
                let heading = title.iter().map(|t| text("title", t));
                heading.chain(said.iter().map(|t| text("text", t))).collect()
            }
            Self::Webhook { fields, .. } => {
                fields.iter().map(|(name, v)| (format!("fields/{name}"), v.clone())).collect()
            }
            Self::SetField { value, record, .. } => {
                let of = record.iter().map(|r| text("record", r));
                [("value".to_string(), value.clone())].into_iter().chain(of).collect()
            }
            Self::StartSequence { subject, .. } => vec![text("subject", subject)],
        }
    }

    /// What of it cannot be read.
    pub fn unreadable(&self, known: &Known) -> Vec<Unreadable> {
        let wrong = |(place, value): (String, Value)| {
            let text = value.as_str()?;
            let fault = match text.strip_prefix('=') {
                Some(formula) => Condition::compile(formula, known).err(),
                None => text::fault(text).map(|detail| rules::Fault { column: 0, detail }),
            }?;
            Some(Unreadable { place, fault })
        };
        self.values().into_iter().filter_map(wrong).collect()
    }
}

/// A value as it is for this input: rendered, computed, or what it is.
pub fn resolve(value: &Value, input: &Value) -> Result<Value, String> {
    let Some(text) = value.as_str() else { return Ok(value.clone()) };
    match text.strip_prefix('=') {
        Some(formula) => {
            let formula = Condition::compile(formula, &Known::events()).map_err(|f| f.detail)?;
            formula.value(input)
        }
        None => text::render(text, input).map(Value::from),
    }
}

/// The action with everything in it rendered for this input.
pub fn rendered(action: &Action, input: &Value) -> Result<Value, String> {
    let mut out = serde_json::to_value(action).map_err(|e| e.to_string())?;
    for (place, value) in action.values() {
        let resolved = resolve(&value, input)?;
        let at = place.split('/').fold(&mut out, |at, name| &mut at[name]);
        *at = resolved;
    }
    Ok(out)
}

/// A record that an action names, or the event's own.
pub fn record_of(rendered: &Value, input: &Value) -> String {
    let own = input["event"]["record"].as_str().unwrap_or_default();
    rendered["record"].as_str().unwrap_or(own).to_string()
}

/// What leaves with an event: the rendered action in the words of the module that does it.
pub fn with(rendered: &Value, input: &Value) -> Map<String, Value> {
    let mut out = rendered.as_object().cloned().unwrap_or_default();
    let told = out.remove("kind").is_some_and(|kind| kind == "notify");
    if let Some(text) = out.remove("text") {
        out.insert("body".into(), text);
    }
    if told {
        let mut data = input["event"]["data"].as_object().cloned().unwrap_or_default();
        // Whom it is about may stand in the event's record alone, and who did it never in its data.
        if events::subject(&data).is_none() && input["event"]["subject"].is_string() {
            data.insert("subject".into(), input["event"]["subject"].clone());
        }
        out.insert("data".into(), Value::Object(data));
        out.insert("actor".into(), input["actor"]["id"].clone());
    }
    out
}
