//! Making a document of a template: asked for by a person, or by another module's event.

use super::{Output, Status, Template, edition, fields, printed, render};
use crate::{
    document::{
        Document, LinkTo, Role, Source,
        create::{self, About, Wanted},
        made, said,
    },
    place, signature,
    sniff::Type,
    storage,
};
use axum::{http::Method, routing::post};
use events::{DocumentEvent, Envelope, documents::Requested};
use kernel::{DocumentId, DocumentTemplateId, Error, Id, Result, SiteId, Ulid, error::faultless};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::{Commit, Key, Record};
use web::{Answer, Body, Ctx, Route, Work, job::Made, noun::View, route};

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::POST, "/v1/documents/generate", "document.create", "document.generate", post(generate))
            .takes::<Asked>()
            .gives::<View<'static, Document>>(201)
            .trips(9)
            .refuses(&["unknown-template", "template", "output-not-offered", "limit-storage"])
            .says(
                "A document of a template's published edition, with these values; above 50 pages 202 with a job that makes it",
            ),
    ]
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Asked {
    /// Id or code.
    #[schemars(length(min = 2, max = 40))]
    template: String,
    /// Of the code; the organisation's own, if not said.
    #[schemars(length(min = 2, max = 20))]
    language: Option<String>,
    /// A certain edition; the latest published one, if not said.
    #[schemars(range(min = 1))]
    edition: Option<u32>,
    #[schemars(length(min = 1, max = 200))]
    title: Option<Sealed<String>>,
    #[serde(default)]
    data: Sealed<Map<String, Value>>,
    #[schemars(regex(pattern = r"^[a-z]{3}_[0-7][0-9A-HJKMNP-TV-Z]{25}$"))]
    subject: Option<String>,
    #[schemars(length(max = 20))]
    #[serde(default)]
    links: Vec<LinkTo>,
    site: Option<SiteId>,
    output: Option<Output>,
}

async fn generate(ctx: Ctx, Body(asked): Body<Asked>) -> Answer {
    let template = found(&ctx, &asked).await?;
    let category = create::category(&ctx, &template.1.category).await?;
    create::permit(&ctx, &category.body, asked.subject.as_deref(), asked.site).await?;
    let (document, _) = laid_out(&ctx, &template.1, &asked, "").await?;
    if reports::page_count(&document).map_err(Error::from)? > AT_ONCE {
        // Of the edition that is in force now, whatever is published meanwhile.
        let asked = Asked { template: template.0.to_string(), edition: Some(template.1.edition), ..asked };
        let input = seal::open(|| serde_json::to_value(&asked)).map_err(Error::internal)?;
        return ctx.later(LONG, input).await;
    }
    web::again(ctx.store(), || async {
        let (new, commit) = printing(&ctx, &template, asked.clone(), Ulid::new(), Origin::default()).await?;
        storage::settle(&ctx, commit, ctx.shown(201, &new)?).await
    })
    .await
}

/// Pages that are printed while a caller waits.
const AT_ONCE: usize = 50;
/// What [`work`] does.
pub const LONG: &str = "document.generate";

/// A long print, when the job's turn has come.
pub async fn work(ctx: Ctx, work: Work) -> Result<()> {
    let asked: Asked = work.input()?;
    let template = found(&ctx, &asked).await?;
    let origin = Origin { by: Some(work.requester().into()), request: None };
    let (new, commit) = printing(&ctx, &template, asked, work.id().ulid(), origin).await?;
    let made = Made { record: new.id.to_string(), href: format!("/v1/documents/{}", new.id) };
    let commit = work.done(&ctx, commit, vec![made]);
    commit.run().await.map_err(|e| storage::explained(&ctx, e))
}

/// Who asked for it, where that is not who makes it; and by which event.
#[derive(Default)]
struct Origin {
    by: Option<String>,
    request: Option<String>,
}

/// The published edition that is meant: 422 if there is none.
async fn found(ctx: &Ctx, asked: &Asked) -> Result<(DocumentTemplateId, Template)> {
    let unknown =
        || Error::field("unknown-template", "/template", "there is no such template, or none published");
    let id = match asked.template.parse::<DocumentTemplateId>() {
        Ok(id) => id,
        Err(_) => by_code(ctx, asked).await?.ok_or_else(unknown)?,
    };
    let record = place::live::<Template>(ctx, id).await?.ok_or_else(unknown)?;
    if record.body.status == Status::Retired {
        return Err(unknown());
    }
    let n = asked.edition.or(record.body.published).ok_or_else(unknown)?;
    let frozen = ctx.store().read::<Template>(&edition(id, n)).await?.ok_or_else(unknown)?;
    Ok((id, frozen))
}

async fn by_code(ctx: &Ctx, asked: &Asked) -> Result<Option<DocumentTemplateId>> {
    let own = ctx.tenant().map(|t| t.language.clone()).unwrap_or_default();
    let languages = [asked.language.clone().unwrap_or(own), "en-GB".into()];
    let named = languages.map(|l| ("code", format!("{}~{}", asked.template, l.to_ascii_lowercase())));
    let held = ctx.store().guarded_many::<Template>(&named).await?;
    let exact = if asked.language.is_some() { 1 } else { 2 };
    Ok(held.into_iter().take(exact).flatten().next())
}

/// The bytes, the record and its commit. What is printed depends on edition and values alone, except for its id at the
/// foot of each page.
async fn printing(
    ctx: &Ctx,
    (id, template): &(DocumentTemplateId, Template),
    asked: Asked,
    seed: Ulid,
    origin: Origin,
) -> Result<(Record<Document>, Commit)> {
    let (document, output) = laid_out(ctx, template, &asked, &DocumentId::of(seed).to_string()).await?;
    let (bytes, kind) = match output {
        Output::Pdf => (reports::pdf(&document)?, Type::Pdf),
        Output::Docx => (reports::docx(&document)?, Type::Docx),
    };
    let mut file = made::file(ctx, &format!("{}.{kind}", template.code), kind, &bytes);
    file.uploaded_by = origin.by.unwrap_or(file.uploaded_by);
    let wanted = Wanted {
        title: titled(template, &asked),
        category: create::category(ctx, &template.category).await?,
        file,
        about: About::default(),
        subject: asked.subject,
        links: asked.links,
        site: asked.site,
        confidentiality: None,
        source: Source::Template,
    };
    let (template, request) = (*id, origin.request);
    made::made(ctx, wanted, bytes, Some(seed), |new| DocumentEvent::Generated {
        document: said(new),
        template,
        request,
    })
    .await
}

fn titled(template: &Template, asked: &Asked) -> Sealed<String> {
    asked.title.clone().unwrap_or_else(|| Sealed(template.name.clone()))
}

/// What will be printed, with an id at its foot, and as what.
async fn laid_out(
    ctx: &Ctx,
    template: &Template,
    asked: &Asked,
    id: &str,
) -> Result<(reports::Document, Output)> {
    faultless(fields::faults(&template.fields, &asked.data)).map_err(told_all)?;
    let output = asked.output.or(template.outputs.first().copied()).unwrap_or(Output::Pdf);
    if !template.outputs.contains(&output) {
        return Err(Error::field(
            "output-not-offered",
            "/output",
            format!("this template is not made as {output}"),
        ));
    }
    let rendered = render::render(template, &asked.data, &ctx.zone())?;
    Ok((printed(ctx, template, rendered, &titled(template, asked), id).await?, output))
}

/// 422, since the shape is right and the sense is not.
fn told_all(e: Error) -> Error {
    match e {
        Error::Invalid(faults) => {
            let refusal = Error::unprocessable("merge-fields", "the template's values are not complete");
            faults.into_iter().fold(refusal, Error::at)
        }
        other => other,
    }
}

/// Another module asks. Made once, whatever the queue delivers; what cannot be made ends among the dead letters, where
/// operators find it.
pub async fn asked(ctx: Ctx, event: Envelope) -> Result<()> {
    let Ok(wanted) = serde_json::from_value::<Requested>(event.data.clone()) else {
        return Err(Error::internal(format!("document.requested {} in a form that is not known", event.id)));
    };
    let kept = match &wanted.data_ref {
        Some(place) => ctx.store().read::<Kept>(&Key::item("asked", place, ".")).await?.unwrap_or_default(),
        None => Kept::default(),
    };
    let seed = seed(&event)?;
    let document = match wanted.document {
        Some(given) => given,
        None => made_once(&ctx, &event, wanted, kept.data, seed).await?,
    };
    match kept.signers.is_empty() {
        true => Ok(()),
        false => signature::open(&ctx, document, kept.signers.0, seed, &event.by).await,
    }
}

/// The document that an event asks for; made once, and known again by its seed.
async fn made_once(
    ctx: &Ctx,
    event: &Envelope,
    wanted: Requested,
    data: Sealed<Map<String, Value>>,
    seed: Ulid,
) -> Result<DocumentId> {
    let links = wanted.record.into_iter().map(|record| LinkTo { record, role: Role::Source }).collect();
    let asked = Asked {
        template: wanted.template,
        language: wanted.language,
        edition: None,
        title: None,
        data,
        subject: wanted.subject,
        links,
        site: None,
        output: wanted.output.and_then(|o| o.parse().ok()),
    };
    let template = found(ctx, &asked).await?;
    web::again(ctx.store(), || async {
        let origin = Origin { by: None, request: Some(event.id.clone()) };
        let (made, commit) = printing(ctx, &template, asked.clone(), seed, origin).await?;
        web::done_now(ctx.once_for(commit, "documents.requested", &event.id).run().await).map(|_| made.id)
    })
    .await
}

/// The same event makes the same document, also when its delivery comes again half way.
fn seed(event: &Envelope) -> Result<Ulid> {
    let at: jiff::Timestamp = event.at.parse().map_err(Error::internal)?;
    let hash = seal::sha256(event.id.as_bytes());
    let random = hash[..10].iter().fold(0u128, |n, b| (n << 8) | u128::from(*b));
    Ok(Ulid::from_parts(at.as_millisecond().unsigned_abs(), random))
}

#[derive(Default, Deserialize)]
struct Kept {
    #[serde(default)]
    data: Sealed<Map<String, Value>>,
    #[serde(default)]
    signers: Sealed<Vec<signature::NewSigner>>,
}
