//! A new document: the record, its first version's place in the storage, and the link by which the bytes come.

use super::{
    Document, FileState, FileVersion, LinkTo, Source, Status, Terms, noun, said,
    upload::{Uploads, WithUpload, begin, pieces},
};
use crate::{
    category::{Category, Confidentiality},
    hold, place,
    retention::Trigger,
    retire, rights,
    rights::Deed,
    shipped,
    sniff::Type,
    storage,
};
use axum::{http::Method, routing::post};
use events::DocumentEvent;
use jiff::{SignedDuration, civil::Date};
use kernel::{
    DocumentId, Error, Fault, Id, Kind, Result, SiteId, Ulid,
    error::{faultless, found},
};
use schemars::JsonSchema;
use seal::Sealed;
use serde::Deserialize;
use serde_json::{Map, Value};
use store::{Commit, Key, Record, Scope, When, facts};
use web::{Answer, Body, Ctx, Reach, Route, Shown, files::File, noun::View, route};

/// When the clock first looks after bytes whose arrival nobody told.
pub const FIRST_LOOK: SignedDuration = SignedDuration::from_hours(1);

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::POST, "/v1/documents", "document.create", "document.create", post(create))
            .takes::<New>()
            .gives::<View<'static, Document>>(201)
            .trips(4)
            .refuses(&[
                "file-too-large",
                "type-not-allowed",
                "limit-storage",
                "unknown-category",
                "parts-needed",
            ])
            .says("A new document, with the link that takes exactly its bytes"),
    ]
}

/// A file that is about to come.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct NewFile {
    #[schemars(length(min = 1, max = 400))]
    pub file_name: Sealed<String>,
    #[schemars(length(min = 3, max = 100))]
    pub content_type: String,
    /// Bytes.
    #[schemars(range(min = 1))]
    pub size: u64,
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub sha256: String,
    /// Over 100 MB: the SHA-256 of each 64 MB of the file, in their order; it is uploaded in these parts.
    #[schemars(length(max = 40), inner(regex(pattern = r"^[0-9a-f]{64}$")))]
    #[serde(default)]
    pub part_sha256: Vec<String>,
    #[schemars(length(min = 1, max = 500))]
    pub note: Option<Sealed<String>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub struct New {
    #[schemars(length(min = 1, max = 200))]
    title: Sealed<String>,
    /// Id or code.
    #[schemars(length(min = 2, max = 40))]
    category: String,
    #[serde(flatten)]
    file: NewFile,
    #[serde(flatten)]
    about: About,
    #[schemars(regex(pattern = r"^[a-z]{3}_[0-7][0-9A-HJKMNP-TV-Z]{25}$"))]
    subject: Option<String>,
    #[schemars(length(max = 20))]
    #[serde(default)]
    links: Vec<LinkTo>,
    site: Option<SiteId>,
    confidentiality: Option<Confidentiality>,
}

/// What may be said of a document besides.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct About {
    #[schemars(length(min = 1, max = 100))]
    pub number: Option<Sealed<String>>,
    #[schemars(length(min = 1, max = 100))]
    pub issuer: Option<String>,
    #[schemars(length(min = 1, max = 2000))]
    pub description: Option<Sealed<String>>,
    #[schemars(length(max = 20), inner(regex(pattern = r"^[a-z0-9-]{1,40}$")))]
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub metadata: Sealed<Map<String, Value>>,
    pub issued_on: Option<Date>,
    pub valid_from: Option<Date>,
    pub expires_on: Option<Date>,
}

/// Everything that makes a document, whoever makes it.
pub struct Wanted {
    pub title: Sealed<String>,
    pub category: Record<Category>,
    pub file: FileVersion,
    pub about: About,
    pub subject: Option<String>,
    pub links: Vec<LinkTo>,
    pub site: Option<SiteId>,
    pub confidentiality: Option<Confidentiality>,
    pub source: Source,
}

/// Where a version lies: no names in it, and never twice the same.
pub fn file_of(ctx: &Ctx, id: DocumentId, file: &FileVersion) -> File {
    file_in(ctx.scope(), id, file)
}
pub fn file_in(scope: Scope, id: DocumentId, file: &FileVersion) -> File {
    File::document(scope, format!("doc/{id}/{}/{}", file.n, file.key))
}

pub fn part(id: DocumentId, n: u32) -> Key {
    Key::part(id, "file", format!("{n:04}"))
}

/// 413, 415 or 400, before any link is given.
pub fn version(ctx: &Ctx, n: u32, new: &NewFile, category: &Category) -> Result<FileVersion> {
    let kind = Type::allowed(&new.content_type, &category.types)?;
    // Types that are no films are held to what one look at the whole can check.
    let most = if kind.is_large() { category.max_size } else { category.max_size.min(100 << 20) };
    if new.size > most {
        let detail = format!("{} takes files of {} MB at most", category.code, most >> 20);
        return Err(Error::refuse(Kind::TooLarge, "file-too-large", detail).with("allowed", most));
    }
    let name = place::file_name(&new.file_name).map_err(|e| Error::Invalid(vec![e.fault("/file_name")]))?;
    Ok(FileVersion {
        n,
        file_name: Sealed(name),
        kind,
        content_type: kind.media().into(),
        size: new.size,
        sha256: new.sha256.clone(),
        key: Ulid::new().to_string(),
        state: FileState::Awaiting,
        uploaded_by: ctx.actor().user.clone(),
        at: ctx.now(),
        note: new.note.clone(),
        scan: None,
        pieces: pieces(new)?,
    })
}

/// The record, in the state in which bytes are awaited.
pub fn record(ctx: &Ctx, wanted: Wanted) -> Result<Record<Document>> {
    let Wanted { title, category, file, about, subject, links, site, confidentiality, source } = wanted;
    let c = &category.body;
    let confidentiality = confidentiality.map_or(c.confidentiality, |asked| asked.max(c.confidentiality));
    let terms = Terms {
        needs_verification: c.needs_verification,
        remind_days: c.remind_days.clone(),
        escalate: c.escalate,
        subject_may_view: c.subject_may_view,
        roles_view: c.roles_view.clone(),
    };
    let body = Document {
        title,
        category: category.id,
        category_code: c.code.clone(),
        group: c.group,
        number: about.number,
        issuer: about.issuer,
        description: about.description,
        tags: about.tags,
        metadata: about.metadata,
        subject,
        links,
        site,
        issued_on: about.issued_on,
        valid_from: about.valid_from,
        expires_on: about.expires_on,
        status: Status::AwaitingUpload,
        current: file.n,
        verification: None,
        rejection: None,
        replaces: None,
        replaced_by: None,
        renewal: None,
        signing: None,
        signed: false,
        retention: c.retention.clone(),
        trigger_on: None,
        dispose_on: None,
        holds: 0,
        confidentiality,
        source,
        uploaded_by: file.uploaded_by.clone(),
        file,
        terms,
        zone: ctx.zone().iana_name().unwrap_or("UTC").into(),
        stage: None,
        upload_check: Some(ctx.now() + FIRST_LOOK),
        fallback: None,
    };
    let mut faults = noun::faults(&body);
    faults.extend(c.faults(&body.metadata));
    if body.issued_on.is_some_and(|on| on > ctx.today()) {
        faults.push(Fault::new("/issued_on", "range", "today or earlier"));
    }
    let fits = |s: &String| c.applies_to.is_empty() || c.applies_to.iter().any(|k| s.starts_with(k.as_str()));
    if body.subject.as_ref().is_some_and(|s| !fits(s)) {
        let detail = format!("{} is about {}", c.code, c.applies_to.join(", "));
        faults.push(Fault::new("/subject", "kind", detail));
    }
    faultless(faults)?;
    Ok(Record::new(ctx.now(), body))
}

/// The category that a request names: 422 if there is none to be used (any more).
pub async fn category(ctx: &Ctx, name: &str) -> Result<Record<Category>> {
    let unknown = || Error::field("unknown-category", "/category", "there is no such category here");
    let named = found(shipped::named::<Category>(ctx.store(), name).await)?;
    named.filter(|category| category.body.active).ok_or_else(unknown)
}

/// Whether the caller may file a document under this category, about this person, at this site.
pub async fn permit(ctx: &Ctx, c: &Category, subject: Option<&str>, site: Option<SiteId>) -> Result<()> {
    let holder = ctx.holder();
    let roles = rights::roles(&holder);
    let named = c.roles_upload.is_empty() || roles.iter().any(|r| c.roles_upload.iter().any(|u| u == r));
    if !named || !rights::may(ctx, c.group, Deed::See) {
        return Err(Error::forbidden(
            "category-forbidden",
            format!("your role files no documents of {}", c.code),
        ));
    }
    let mine = subject.is_some_and(|s| s == ctx.actor().user);
    let refused = || Error::field("subject-needed", "/subject", "name yourself, or whom you care for");
    match ctx.reach() {
        Reach::Site | Reach::Team if !site.is_some_and(|s| ctx.actor().sites.has(&s)) => {
            Err(Error::field("site-needed", "/site", "name a site of yours"))
        }
        Reach::Own | Reach::Linked if !mine => match subject {
            Some(person) if place::linked(ctx, person, ctx.reach() == Reach::Own).await? => Ok(()),
            _ => Err(refused()),
        },
        _ => Ok(()),
    }
}

/// Everything that a new document brings along: its version, its bytes in the plan's storage, holds that lie on whom it
/// is about, its part in the next disposal.
pub async fn commit(ctx: &Ctx, record: &mut Record<Document>) -> Result<Commit> {
    let run = retire::begin(ctx, record, Trigger::Created, Some(ctx.today())).await?;
    let held = hold::over(ctx, record).await?;
    record.body.holds = held.count();
    let commit = ctx.commit().create(record).emit(DocumentEvent::Created(said(record)));
    let commit = retire::plan(commit, run);
    let commit = commit.put(&part(record.id, record.body.file.n), &record.body.file);
    let commit = storage::take(commit, record.id, record.body.file.size);
    Ok(about_whom(held.keep(commit, record.id), record))
}

/// A patient exists; what other modules have not built yet cannot be asked.
fn about_whom(commit: Commit, record: &Record<Document>) -> Commit {
    match record.body.subject.as_deref().filter(|s| s.starts_with("pat_")) {
        Some(patient) => commit.check(&Key::fact(facts::PATIENT, patient), When::Present, |_| {
            Error::field("unknown-subject", "/subject", "there is no such patient here")
        }),
        None => commit,
    }
}

async fn create(ctx: Ctx, Body(new): Body<New>) -> Answer {
    let category = category(&ctx, &new.category).await?;
    let site = new.site.or_else(|| only_site(&ctx));
    permit(&ctx, &category.body, new.subject.as_deref(), site).await?;
    let file = version(&ctx, 1, &new.file, &category.body)?;
    let New { title, about, subject, links, confidentiality, .. } = new;
    let source = Source::Upload;
    let wanted = Wanted { title, category, file, about, subject, links, site, confidentiality, source };
    let mut made = record(&ctx, wanted)?;
    let upload: Uploads = begin(&ctx, made.id, &mut made.body.file).await?;
    web::again(ctx.store(), || async {
        let mut made = made.clone();
        let commit = commit(&ctx, &mut made).await?;
        let shown = Shown::record_with(&ctx, 201, &made, &WithUpload { upload: upload.clone() })?;
        storage::settle(&ctx, commit, shown).await
    })
    .await
}

/// Whoever works at one site files its documents there.
fn only_site(ctx: &Ctx) -> Option<SiteId> {
    match &ctx.actor().sites {
        web::Reached::These(sites) if sites.len() == 1 => sites.first().copied(),
        _ => None,
    }
}

/// A document's id as the storage's key names it.
pub fn of_key(key: &str) -> Option<(DocumentId, u32)> {
    let words: Vec<&str> = key.split('/').collect();
    match words[..] {
        [_, "doc", id, n, _] if id.starts_with(DocumentId::KIND) => Some((id.parse().ok()?, n.parse().ok()?)),
        _ => None,
    }
}
