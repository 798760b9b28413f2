//! Templates: letters and contracts with places for values, in a subset of CommonMark. A published edition is frozen;
//! editing makes the next one.

mod api;
mod fields;
mod generate;
mod render;

pub use api::routes;
pub use generate::{LONG, asked, routes as doors, work};
pub use render::rehearse;

use crate::print;
use kernel::{DocumentTemplateId, Fault};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Entity, Key, List, Record, Row, Unique};
use web::{Actor, Ctx, Noun, Reach, noun::Hooks};

kernel::words! {
    #[derive(Default)]
    pub enum Status { #[default] Draft = "draft", Published = "published", Retired = "retired" }
}
kernel::words! { pub enum Output { Pdf = "pdf", Docx = "docx" } }
kernel::words! {
    pub enum FieldType {
        Text = "text", Number = "number", Date = "date", Datetime = "datetime", Money = "money", Flag = "flag",
        /// Rows, for tables and lists.
        List = "list",
    }
}
kernel::words! {
    #[derive(Default)]
    pub enum Paper { #[default] A4 = "A4", Letter = "Letter" }
}

/// A value that the template prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Field {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{0,39}$"))]
    pub name: String,
    #[serde(rename = "type")]
    pub kind: FieldType,
    #[serde(default)]
    pub required: bool,
    /// Where whoever generates finds it: `offer.salary`. For people.
    #[schemars(length(min = 1, max = 100))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// Paper, and margins in millimetres.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PageSet {
    #[serde(default)]
    pub paper: Paper,
    #[schemars(range(min = 5, max = 60))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<u8>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SignerRole {
    #[schemars(regex(pattern = r"^[a-z0-9_-]{1,40}$"))]
    pub role: String,
    #[schemars(range(min = 1, max = 20))]
    pub order: u8,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Template {
    /// Unique with the language.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{1,39}$"))]
    pub code: String,
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// BCP 47: how dates and amounts are written.
    #[schemars(length(min = 2, max = 20))]
    pub language: String,
    /// Code of the category under which what is made is filed.
    #[schemars(length(min = 2, max = 40))]
    pub category: String,
    #[schemars(length(min = 1, max = 131072))]
    pub body: String,
    #[schemars(length(min = 1, max = 300))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    #[schemars(length(min = 1, max = 500))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    #[serde(default)]
    pub page: PageSet,
    #[schemars(length(max = 100))]
    #[serde(default)]
    pub fields: Vec<Field>,
    #[schemars(length(min = 1, max = 2))]
    pub outputs: Vec<Output>,
    #[schemars(length(max = 10))]
    #[serde(default)]
    pub signers: Vec<SignerRole>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub status: Status,
    /// The edition that is being written, or stands published.
    #[schemars(extend("readOnly" = true))]
    #[serde(default = "first")]
    pub edition: u32,
    /// The latest published one.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<u32>,
}

fn first() -> u32 {
    1
}

/// Where a published edition stands, frozen.
pub fn edition(id: DocumentTemplateId, n: u32) -> Key {
    Key::part(id, "edition", format!("{n:04}"))
}

impl Entity for Template {
    type Id = DocumentTemplateId;
    const NOUN: &'static str = "template";
    const LISTS: &'static [List<Self>] =
        &[List::newest(), List::by("status", &["status"], |r| vec![Row::new(&[&r.body.status], &[&r.id])])];
    const UNIQUE: &'static [Unique<Self>] = &[Unique::of("code", "code-taken", |t| {
        vec![format!("{}~{}", t.code, t.language.to_ascii_lowercase())]
    })];
}

impl Noun for Template {
    fn within(_: &Record<Self>, reach: Reach, _: &Actor) -> bool {
        reach == Reach::All
    }
    fn check(&self) -> Vec<Fault> {
        let mut faults = fields::declared(self);
        if reports::Language::from_tag(&self.language).is_none() {
            let known: Vec<&str> = reports::Language::ALL.iter().map(|l| l.tag()).collect();
            faults.push(Fault::new("/language", "unknown", format!("one of {}", known.join(", "))));
        }
        if faults.is_empty() {
            faults.extend(render::rehearse(self));
        }
        faults
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let may = ctx.may("template.publish") > Reach::None;
        match record.body.status {
            Status::Draft if may => vec!["publish"],
            Status::Published if may => vec!["retire"],
            _ => vec![],
        }
    }
}

impl Hooks for Template {
    /// What is published stays; a change begins the next edition.
    fn before(
        _: &Ctx,
        action: &str,
        old: Option<&Record<Self>>,
        new: &mut Record<Self>,
    ) -> kernel::Result<()> {
        let Some(old) = old.filter(|_| action == "update") else { return Ok(()) };
        if old.body.code != new.body.code || old.body.language != new.body.language {
            let detail = "code and language stay: make a new template";
            return Err(kernel::Error::field("code-fixed", "/code", detail));
        }
        if old.body.status != Status::Draft {
            new.body.edition = old.body.edition + 1;
            new.body.status = Status::Draft;
        }
        Ok(())
    }
}

/// The page as `crates/reports` has it.
fn page(set: &PageSet) -> reports::Page {
    let paper = match set.paper {
        Paper::A4 => reports::Paper::A4,
        Paper::Letter => reports::Paper::Letter,
    };
    let usual = reports::Page { paper, ..reports::Page::default() };
    match set.margin.map(f32::from) {
        Some(margin) => reports::Page { top: margin, right: margin, bottom: margin, left: margin, ..usual },
        None => usual,
    }
}

/// A rendered template on its paper.
async fn printed(
    ctx: &Ctx,
    template: &Template,
    rendered: render::Rendered,
    title: &str,
    id: &str,
) -> kernel::Result<reports::Document> {
    Ok(reports::Document {
        language: reports::Language::from_tag(&template.language).unwrap_or_default(),
        page: page(&template.page),
        header: rendered.header,
        footer: rendered.footer,
        ..print::letterhead(ctx, title, id, rendered.blocks).await?
    })
}
