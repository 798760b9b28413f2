//! Categories: what a document is, what may be in it, whether somebody has to look at it, and how long it holds.

use crate::{
    rights::Group,
    shipped::{self, Shipped},
    sniff::Type,
};
use kernel::{DocumentCategoryId, Fault, text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::LazyLock;
use store::{Entity, List, Record, Unique};
use web::{Actor, Ctx, Noun, Reach, Route, noun::Hooks};

kernel::words! {
    pub enum Confidentiality {
        Public = "public", Internal = "internal", Personal = "personal", Clinical = "clinical",
        /// The uploader, those whom the category names, and lent roles.
        Restricted = "restricted",
    }
}
kernel::words! { pub enum Needed { Number = "number", Issuer = "issuer", IssuedOn = "issued_on" } }
kernel::words! { pub enum FieldType { Text = "text", Number = "number", Date = "date", Flag = "flag" } }

/// A key that documents of the category may carry in `metadata`, which is sealed as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Field {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{0,39}$"))]
    pub name: String,
    #[serde(rename = "type")]
    pub kind: FieldType,
    #[serde(default)]
    pub required: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Category {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{1,39}$"))]
    pub code: String,
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    pub group: Group,
    /// Kinds of the record it is about (`pat`, `usr`); empty = any.
    #[schemars(length(max = 20))]
    #[serde(default)]
    pub applies_to: Vec<String>,
    #[schemars(length(min = 1, max = 20))]
    pub types: Vec<Type>,
    /// Bytes: 100 MB at most, 2 GB where films or DICOM are among the types.
    #[schemars(range(min = 1, max = 2147483648u64))]
    #[serde(default = "usual_size")]
    pub max_size: u64,
    pub needs_verification: bool,
    /// A permission that verifiers of this category hold besides `document.verify`.
    #[schemars(length(min = 3, max = 80))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verifier_permission: Option<String>,
    pub needs_expiry: bool,
    #[schemars(range(min = 1, max = 240))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_validity_months: Option<u16>,
    /// What has to be said before it can be verified.
    #[schemars(length(max = 3))]
    #[serde(default)]
    pub required: Vec<Needed>,
    /// Days before the end on which its holder is reminded.
    #[schemars(length(max = 12))]
    #[serde(default = "usual_days")]
    pub remind_days: Vec<u16>,
    /// Whether an expired one is told to line manager and HR.
    #[serde(default = "yes")]
    pub escalate: bool,
    /// Code of a retention class.
    #[schemars(length(min = 2, max = 40))]
    pub retention: String,
    pub confidentiality: Confidentiality,
    #[schemars(length(max = 30))]
    #[serde(default)]
    pub fields: Vec<Field>,
    /// Empty: whoever may create documents of the group.
    #[schemars(length(max = 30))]
    #[serde(default)]
    pub roles_upload: Vec<String>,
    /// Empty: whoever sees documents of the group.
    #[schemars(length(max = 30))]
    #[serde(default)]
    pub roles_view: Vec<String>,
    #[serde(default)]
    pub subject_may_view: bool,
    #[serde(default = "yes")]
    pub active: bool,
}

const MB: u64 = 1 << 20;

fn usual_size() -> u64 {
    25 * MB
}
fn usual_days() -> Vec<u16> {
    vec![90, 60, 30, 14, 7, 1, 0]
}
fn yes() -> bool {
    true
}

impl Category {
    /// What is wrong with the values of a document's `metadata`.
    pub fn faults(&self, metadata: &Map<String, Value>) -> Vec<Fault> {
        let mut faults = vec![];
        for name in metadata.keys().filter(|name| !self.fields.iter().any(|f| f.name == **name)) {
            let known: Vec<&str> = self.fields.iter().map(|f| f.name.as_str()).collect();
            let detail = format!("documents of {} have: {}", self.code, known.join(", "));
            faults.push(Fault::new(format!("/metadata/{name}"), "unknown", detail));
        }
        for field in &self.fields {
            let at = format!("/metadata/{}", field.name);
            match metadata.get(&field.name) {
                None if field.required => {
                    faults.push(Fault::new(at, "required", "this category asks for it"))
                }
                Some(value) if !field.fits(value) => {
                    faults.push(Fault::new(at, "type", format!("expected a {}", field.kind)));
                }
                _ => {}
            }
        }
        faults
    }
}

impl Field {
    fn fits(&self, value: &Value) -> bool {
        match self.kind {
            FieldType::Text => value.as_str().is_some_and(|t| t.chars().count() <= 500),
            FieldType::Number => value.is_number(),
            FieldType::Date => value.as_str().is_some_and(|t| t.parse::<jiff::civil::Date>().is_ok()),
            FieldType::Flag => value.is_boolean(),
        }
    }
}

impl Entity for Category {
    type Id = DocumentCategoryId;
    const NOUN: &'static str = "category";
    const LISTS: &'static [List<Self>] = &[List::newest()];
    const UNIQUE: &'static [Unique<Self>] = &[Unique::of("code", "code-taken", |c| vec![c.code.clone()])];
}

impl Noun for Category {
    fn within(_: &Record<Self>, reach: Reach, _: &Actor) -> bool {
        reach > Reach::None
    }
    fn check(&self) -> Vec<Fault> {
        let mut faults = vec![];
        let large = self.types.iter().any(|t| t.is_large());
        if self.max_size > if large { 2048 * MB } else { 100 * MB } {
            let detail = "100 MB at most; 2 GB for categories of films or DICOM";
            faults.push(Fault::new("/max_size", "range", detail));
        }
        if self.remind_days.iter().any(|d| *d > 730) {
            faults.push(Fault::new("/remind_days", "range", "at most 730 days ahead"));
        }
        if let Some(permission) = &self.verifier_permission
            && authz::rule(permission).is_none()
        {
            faults.push(Fault::new("/verifier_permission", "unknown", "there is no such permission"));
        }
        for (pointer, roles) in [("/roles_upload", &self.roles_upload), ("/roles_view", &self.roles_view)] {
            if let Some(unknown) = roles.iter().find(|r| !authz::ROLES.iter().any(|k| k.slug == **r)) {
                faults.push(Fault::new(pointer, "unknown", format!("there is no role {unknown}")));
            }
        }
        if let Err(e) = text::line(&self.name, 100) {
            faults.push(e.fault("/name"));
        }
        faults
    }
}

impl Hooks for Category {
    fn before(_: &Ctx, _: &str, _: Option<&Record<Self>>, new: &mut Record<Self>) -> kernel::Result<()> {
        new.body.remind_days.sort_unstable_by(|a, b| b.cmp(a));
        new.body.remind_days.dedup();
        Ok(())
    }
}

static SHIPPED: LazyLock<Vec<(DocumentCategoryId, Category)>> =
    LazyLock::new(|| shipped::read(include_str!("../data/categories.json")));

impl Shipped for Category {
    const PATH: &'static str = "/v1/documents/categories";
    const VIEW: &'static str = "category.view";
    const CREATE: &'static str = "category.create";
    const EDIT: &'static str = "category.edit";
    const DELETE: &'static str = "category.delete";
    fn shipped() -> &'static [(DocumentCategoryId, Self)] {
        &SHIPPED
    }
    fn code(&self) -> &str {
        &self.code
    }
}

pub fn routes() -> Vec<Route> {
    shipped::routes::<Category>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retention::Retention;

    #[test]
    fn what_is_shipped_holds_its_own_rules() {
        assert_eq!(Category::shipped().len(), 30);
        for (_, c) in Category::shipped() {
            assert!(c.check().is_empty(), "{}: {:?}", c.code, c.check());
            assert!(Retention::shipped().iter().any(|(_, r)| r.code == c.retention), "{}", c.code);
            assert!(!c.needs_expiry || c.needs_verification, "{}", c.code);
        }
        let mut codes: Vec<_> = Category::shipped().iter().map(|(_, c)| &c.code).collect();
        codes.dedup();
        assert_eq!(codes.len(), 30);
    }

    #[test]
    fn metadata_is_what_the_category_declares() {
        let (_, mut c) = Category::shipped()[0].clone();
        let field = |name: &str, kind, required| Field { name: name.into(), kind, required };
        c.fields = vec![field("level", FieldType::Text, true), field("seen", FieldType::Date, false)];
        let of = |v: Value| {
            let faults = c.faults(v.as_object().unwrap());
            faults.iter().map(|f| format!("{} {}", f.pointer, f.code)).collect::<Vec<_>>()
        };
        assert!(of(serde_json::json!({"level": "enhanced", "seen": "2026-01-01"})).is_empty());
        let wrong = of(serde_json::json!({"seen": "soon", "colour": "red"}));
        assert_eq!(wrong, ["/metadata/colour unknown", "/metadata/level required", "/metadata/seen type"]);
    }
}
