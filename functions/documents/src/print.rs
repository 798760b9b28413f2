//! What this module prints itself: certificates.

use crate::{
    category::Category,
    disposal::{Disposal, State},
    document::{
        Document as Filed, FileState, LinkTo, Source,
        create::{self, About, Wanted},
        made,
    },
    place, shipped,
    sniff::Type,
};
use kernel::{DocumentId, Result};
use reports::{Block, Brand, Colour, Document, Image, Language, Run, Table};
use seal::Sealed;
use store::{Commit, Record};
use web::Ctx;

/// A document of the organisation's, with its name, logo and colour.
pub async fn letterhead(ctx: &Ctx, title: &str, id: &str, blocks: Vec<Block>) -> Result<Document> {
    let tenant = ctx.tenant().ok();
    Ok(Document {
        title: title.into(),
        language: tenant.and_then(|t| Language::from_tag(&t.language)).unwrap_or_default(),
        brand: brand(ctx).await?,
        id: Some(id.into()),
        blocks,
        ..Document::default()
    })
}

/// As the organisation's settings say. A logo that is not there, or no picture that can be printed, is left out: nobody's
/// letter waits for it.
async fn brand(ctx: &Ctx) -> Result<Brand> {
    let Ok(tenant) = ctx.tenant() else { return Ok(Brand::default()) };
    let said = |name: &str| tenant.policies.get(name).and_then(|v| v.as_str());
    let accent = said("brand.colour").and_then(Colour::parse).unwrap_or_default();
    let logo = match said("brand.logo").or(said("organisation.logo")).and_then(|id| id.parse().ok()) {
        Some(id) => logo(ctx, id).await?,
        None => None,
    };
    Ok(Brand { name: tenant.name.clone(), logo, accent, ..Brand::default() })
}

async fn logo(ctx: &Ctx, id: DocumentId) -> Result<Option<Image>> {
    let Some(record) = place::live::<Filed>(ctx, id).await? else { return Ok(None) };
    let file = &record.body.file;
    if file.state != FileState::Received || !matches!(file.kind, Type::Png | Type::Jpeg) {
        return Ok(None);
    }
    let bytes = ctx.app().files().read(&create::file_of(ctx, id, file), Some(LARGEST)).await?;
    let image = bytes.map(Image::new).transpose();
    Ok(image.unwrap_or_else(|why| {
        tracing::warn!(document = %id, %why, "a logo that cannot be printed");
        None
    }))
}

/// Bytes of a logo; a larger picture is none.
const LARGEST: u64 = 5 << 20;

/// A PDF of ours, filed under `other`.
pub async fn filed(
    ctx: &Ctx,
    title: &str,
    name: &str,
    links: Vec<LinkTo>,
    bytes: Vec<u8>,
    seed: kernel::Ulid,
) -> Result<(Record<Filed>, Commit)> {
    let wanted = Wanted {
        title: Sealed(title.into()),
        category: shipped::named::<Category>(ctx.store(), "other").await?,
        file: made::file(ctx, name, Type::Pdf, &bytes),
        about: About::default(),
        subject: None,
        links,
        site: None,
        confidentiality: None,
        source: Source::System,
    };
    made::made(ctx, wanted, bytes, Some(seed), made::created).await
}

/// What went, under which number, by whom it was approved: with the hash of each.
pub async fn disposal(ctx: &Ctx, run: &Record<Disposal>) -> Result<(Record<Filed>, Commit)> {
    use kernel::Id;
    let d = &run.body;
    let zone = ctx.zone();
    let day = |at: jiff::Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string();
    let title = format!("Certificate of disposal {}", d.number);
    let mut blocks = vec![
        Block::heading(1, title.as_str()),
        Block::pairs(
            [("Number".to_string(), d.number.clone()), ("Run of".into(), d.on.to_string())]
                .into_iter()
                .chain(
                    d.approved_by
                        .iter()
                        .map(|a| ("Approved by".to_string(), format!("{}, {}", a.by, day(a.at)))),
                ),
        ),
    ];
    for (state, heading) in [
        (State::Disposed, "Disposed of"),
        (State::Held, "Kept under a legal hold"),
        (State::TakenOut, "Taken out"),
        (State::Gone, "Not there any more"),
    ] {
        let items: Vec<_> = d.items.iter().filter(|i| i.state == state).collect();
        if items.is_empty() {
            continue;
        }
        blocks.push(Block::heading(2, heading));
        let mut table =
            Table::new([Run::bold("Document"), Run::bold("Category, class, due"), Run::bold("SHA-256")]);
        for item in items {
            let what = format!("{}, {}, {}", item.category, item.class, item.due);
            let hash = format!("{}\n{}", item.sha256, item.why.as_deref().unwrap_or_default());
            table.push([item.document.to_string(), what, hash.trim().to_string()]);
        }
        blocks.push(Block::Table(table));
    }
    let bytes = reports::pdf(&letterhead(ctx, &title, &run.id.to_string(), blocks).await?)?;
    filed(ctx, &title, &format!("{}.pdf", d.number), vec![], bytes, run.id.ulid()).await
}
