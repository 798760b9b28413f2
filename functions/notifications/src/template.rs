//! Texts: one per code, medium and language. The product ships a set (`data/texts.*.json`); an organisation writes
//! its own over them, checked when they are saved against what the event carries.

pub mod api;
mod check;
mod filters;
mod render;
mod shipped;
pub mod sms;

pub use check::{check, fields_of};
pub use filters::truncate;
pub use render::{Fault as RenderFault, Surroundings, Wording, render, to_html, to_text};
pub use shipped::{codes, digest_title, discreet, text as shipped_text};

use crate::words::{Category, Medium};
use kernel::{Lifecycle, MessageTemplateId, Step};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Entity, List, Record, Row, Unique};
use web::{Actor, Ctx, Noun, Reach};

kernel::words! {
    #[derive(Default)]
    pub enum Status { #[default] Draft = "draft", Published = "published", Retired = "retired" }
}

/// A title (in the inbox, as subject, on a phone) and a body; an SMS has a body only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Text {
    #[serde(default)]
    pub title: String,
    pub body: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MessageTemplate {
    /// As rules name it.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{2,59}$"))]
    pub code: String,
    pub medium: Medium,
    /// BCP 47: `ha`, `en-NG`.
    #[schemars(regex(pattern = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"), length(max = 35))]
    pub language: String,
    /// The event whose fields the text may use; for codes of the product it follows from their rule.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]*\.[a-z0-9_]+$"), length(max = 60))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Whose work it belongs to; follows from the rule where the product has one.
    #[schemars(extend("readOnly" = true))]
    #[serde(default = "announcement")]
    pub category: Category,
    /// Subject of an e-mail, heading of a push.
    #[schemars(length(max = 200))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[schemars(length(min = 1, max = 16384))]
    pub body: String,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub status: Status,
}

fn announcement() -> Category {
    Category::Announcement
}

impl MessageTemplate {
    pub fn text(&self) -> Text {
        Text { title: self.title.clone().unwrap_or_default(), body: self.body.clone() }
    }
}

impl Entity for MessageTemplate {
    type Id = MessageTemplateId;
    const NOUN: &'static str = "message_template";
    const LISTS: &'static [List<Self>] =
        &[List::newest(), List::by("code", &["code"], |r| vec![Row::new(&[&r.body.code], &[&r.id])])];
    const UNIQUE: &'static [Unique<Self>] = &[Unique::of("code", "duplicate", |t| match t.status {
        Status::Retired => vec![],
        _ => vec![format!("{}~{}~{}", t.code, t.medium, t.language.to_lowercase())],
    })];
}

impl Lifecycle for MessageTemplate {
    kernel::state_of!(status: Status);
    const STEPS: &'static [Step<Self>] = &[
        Step::<Self>::of("publish", "message_template.edit", &[Status::Draft], Status::Published).reason(),
        Step::<Self>::of(
            "retire",
            "message_template.edit",
            &[Status::Draft, Status::Published],
            Status::Retired,
        )
        .reason(),
    ];
}

impl Noun for MessageTemplate {
    fn within(_: &Record<Self>, reach: Reach, _: &Actor) -> bool {
        reach > Reach::None
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        web::noun::possible(record, ctx)
    }
}
