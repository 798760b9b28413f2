//! What the table and the API know of documents: lists, due rows, who may know of one, what may be done with it.

use super::{Document, STEPS, Status};
use crate::{
    category::Confidentiality,
    place,
    rights::{self, Deed},
};
use events::documents::Document as Said;
use jiff::civil::Date;
use kernel::{DocumentId, Fault, Result, text};
use store::{Due, Entity, List, Record, Row};
use web::{Actor, Ctx, Noun, Reach, Route, noun};

impl Entity for Document {
    type Id = DocumentId;
    const NOUN: &'static str = "document";
    const PERSONAL: bool = true;
    const LISTS: &'static [List<Self>] = &[
        List::newest(),
        List::<Self>::by("record", &["record"], |r| {
            let row = |record: &&str| Row::new(&[record], &[&r.body.category_code, &r.id]);
            r.body.records().iter().map(row).collect()
        })
        .then(&["category"]),
        List::<Self>::by("status", &["status"], |r| {
            vec![Row::new(&[&r.body.status], &[&end(&r.body), &r.id])]
        })
        .range()
        .oldest_first(),
        List::<Self>::by("category", &["category"], |r| {
            vec![Row::new(&[&r.body.category_code], &[&r.body.status, &end(&r.body), &r.id])]
        })
        .then(&["status"])
        .range()
        .oldest_first(),
        List::by("tag", &["record", "tag"], |r| {
            let tags = |record| r.body.tags.iter().map(move |tag| Row::new(&[&record, tag], &[&r.id]));
            r.body.records().into_iter().flat_map(tags).collect()
        }),
        List::by("uploader", &["uploaded_by"], |r| vec![Row::new(&[&r.body.uploaded_by], &[&r.id])]),
        List::<Self>::by("disposal", &["disposal"], |r| {
            let due = r.body.dispose_on.filter(|_| !r.body.is_stub());
            due.map(|on| Row::new(&[&"due"], &[&on, &r.id])).into_iter().collect()
        })
        .range()
        .oldest_first(),
    ];
    fn due(record: &Record<Self>) -> Vec<Due> {
        let d = &record.body;
        let upload = d.upload_check.filter(|_| d.status == Status::AwaitingUpload);
        let upload = upload.map(|at| Due { at, what: "upload" });
        upload.or_else(|| d.next_step().map(|at| Due { at, what: "expiry" })).into_iter().collect()
    }
}

/// What has no end sorts last.
fn end(d: &Document) -> Date {
    d.expires_on.unwrap_or(Date::constant(9999, 12, 31))
}

/// Which document an event speaks of.
pub fn said(record: &Record<Document>) -> Said {
    let d = &record.body;
    Said {
        document: record.id,
        category: d.category_code.clone(),
        subject: d.subject.clone(),
        expires_on: d.expires_on,
        uploaded_by: d.uploaded_by.clone(),
    }
}

/// Uploaded by the caller, or about the caller and not kept from them.
pub fn own(d: &Document, user: &str) -> bool {
    d.uploaded_by == user || (d.terms.subject_may_view && d.subject.as_deref() == Some(user))
}

/// Whether one of these roles sees documents of this sort.
fn shown_to<'a>(d: &Document, roles: impl Iterator<Item = &'a str> + Clone) -> bool {
    let named = |mut roles: Box<dyn Iterator<Item = &'a str> + '_>| {
        roles.any(|role| d.terms.roles_view.iter().any(|r| r == role))
    };
    let listed = named(Box::new(roles.clone()));
    if d.confidentiality == Confidentiality::Restricted {
        return listed;
    }
    let open = d.terms.roles_view.is_empty() || listed || roles.clone().any(|r| r == "tenant_admin");
    open && rights::reaches(roles, d.group, Deed::See)
}

fn covered(record: &Record<Document>, reach: Reach, actor: &Actor) -> bool {
    match reach {
        Reach::All => true,
        Reach::Site | Reach::Team => record.body.site.is_some_and(|site| actor.sites.has(&site)),
        _ => false,
    }
}

impl Noun for Document {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        if reach > Reach::None && own(&record.body, &actor.user) {
            return true;
        }
        let d = &record.body;
        // A lent role is what opens a restricted document.
        let lent = !actor.elevated.is_empty() || actor.context.is_some();
        let roles = actor.roles.iter().chain(&actor.elevated).map(String::as_str);
        let shown = shown_to(d, roles) || (lent && d.confidentiality == Confidentiality::Restricted);
        covered(record, reach, actor) && (shown || actor.context.is_some())
    }

    async fn proven(ctx: &Ctx, record: &Record<Self>) -> Result<bool> {
        let d = &record.body;
        if let (Reach::Own | Reach::Linked, Some(subject)) = (ctx.reach(), &d.subject) {
            let visible = d.terms.subject_may_view && d.confidentiality != Confidentiality::Restricted;
            return Ok(visible && place::linked(ctx, subject, ctx.reach() == Reach::Own).await?);
        }
        let holder = ctx.holder();
        let roles = rights::roles(&holder);
        let reasoned = roles.contains(&"auditor") && ctx.reason().is_some();
        let shown =
            shown_to(d, roles.into_iter()) || (reasoned && d.confidentiality != Confidentiality::Restricted);
        Ok(shown && covered(record, ctx.reach(), ctx.actor()))
    }

    fn subject(record: &Record<Self>) -> String {
        record.body.subject.clone().unwrap_or_else(|| record.id.to_string())
    }

    fn check(&self) -> Vec<Fault> {
        faults(self)
    }

    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let needs = |command: &str| match command {
            "verify" | "unverify" => "document.verify",
            "reject" => "document.reject",
            "renew" => "document.renew",
            "upload_url" => "document.create",
            _ => "document.edit",
        };
        let possible = STEPS.iter().filter(|(_, from, _)| from.contains(&record.body.status));
        possible.map(|(c, ..)| *c).filter(|c| ctx.may(needs(c)) > Reach::None).collect()
    }
}

/// Records × tags: each pair is a row of a list.
const PLACES: usize = 30;

/// What is wrong across fields.
pub fn faults(d: &Document) -> Vec<Fault> {
    let mut faults = vec![];
    if let Err(e) = text::line(&d.title, 200) {
        faults.push(e.fault("/title"));
    }
    if let (Some(from), Some(to)) = (d.valid_from.or(d.issued_on), d.expires_on)
        && to < from
    {
        faults.push(Fault::new("/expires_on", "range", "it would end before it begins"));
    }
    let mut tags = d.tags.clone();
    tags.sort();
    tags.dedup();
    if tags.len() < d.tags.len() {
        faults.push(Fault::new("/tags", "repeated", "give a tag once"));
    }
    if d.records().len() * d.tags.len() > PLACES {
        let detail = format!("records × tags may be {PLACES} at most: it is listed under each pair");
        faults.push(Fault::new("/tags", "too-many", detail));
    }
    if serde_json::to_string(&*d.metadata).map_or(0, |t| t.len()) > 4096 {
        faults.push(Fault::new("/metadata", "too-long", "4 KB at most"));
    }
    faults
}

pub fn routes() -> Vec<Route> {
    noun::reading::<Document>("/v1/documents", "document.view")
}
