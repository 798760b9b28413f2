//! The end of a request that everybody signed: the certificate, its seal, and the document marked as signed. Made of what
//! stands in the table, with an id that follows from the request's: a second attempt makes the same.

use super::{Auth, Evidence, Seal, Signature, Status, part, said};
use crate::{
    category::Category,
    document::{
        Document, FileVersion, LinkTo, Role, Source,
        create::{self, About, Wanted},
        made,
    },
    print, shipped,
    sniff::Type,
};
use events::DocumentEvent;
use kernel::{Error, Id, Result, SignatureId};
use reports::{Block, Image, Run};
use seal::Sealed;
use store::Record;
use web::Ctx;

pub async fn complete(ctx: &Ctx, id: SignatureId) -> Result<()> {
    web::again(ctx.store(), || async {
        let (old, parts) = ctx.store().whole::<Signature>(id).await?;
        if !old.body.is_live() || !old.body.all_signed() {
            return Ok(());
        }
        let document = ctx.store().fresh::<Document>(old.body.document).await?;
        let evidence = evidence(&old, parts)?;
        let completed_at = old.body.signers.iter().filter_map(|s| s.signed_at).max();
        let bytes = whole(ctx, &old, &document, &evidence).await?;
        let (made, commit) = filed(ctx, &old, &document, bytes).await?;
        let hash = hex::decode(&made.body.file.sha256).map_err(Error::internal)?;
        let signed = ctx.app().signer().sign(&hash).await?;
        let mut new = old.next(ctx.now());
        new.body.status = Status::Completed;
        (new.body.completed_at, new.body.remind_at) = (completed_at, None);
        new.body.final_document = Some(made.id);
        new.body.final_sha256 = Some(made.body.file.sha256.clone());
        new.body.seal = Some(Seal { key_id: signed.key_id, signature: hex::encode(signed.signature) });
        let mut whole = document.next(ctx.now());
        (whole.body.signing, whole.body.signed) = (None, true);
        let signing = said(&new, None, vec![], "");
        let event = DocumentEvent::SignatureCompleted { signing, final_document: made.id };
        let commit = commit.update("complete", &old, &new).emit(event);
        commit.update("signed", &document, &whole).run().await
    })
    .await
}

/// Each signer's, in their order.
fn evidence(record: &Record<Signature>, parts: Vec<(String, serde_json::Value)>) -> Result<Vec<Evidence>> {
    let of = |n: u32| {
        let found =
            parts.iter().find(|(at, _)| at == part(record.id, n).sk()).map(|(_, value)| value.clone());
        serde_json::from_value(found.ok_or_else(|| Error::internal("a signer without evidence"))?)
            .map_err(Error::internal)
    };
    record.body.signers.iter().map(|s| of(s.n)).collect()
}

async fn filed(
    ctx: &Ctx,
    request: &Record<Signature>,
    document: &Record<Document>,
    bytes: Vec<u8>,
) -> Result<(Record<Document>, store::Commit)> {
    let d = &document.body;
    let wanted = Wanted {
        title: Sealed(format!("Signatures: {}", *d.title).chars().take(200).collect()),
        category: shipped::find::<Category>(ctx.store(), d.category).await?,
        file: made::file(ctx, "signatures.pdf", Type::Pdf, &bytes),
        // The category's own fields are the document's; its certificate declares none.
        about: About { metadata: d.metadata.clone(), ..About::default() },
        subject: d.subject.clone(),
        links: vec![LinkTo { record: document.id.to_string(), role: Role::Source }],
        site: d.site,
        confidentiality: Some(d.confidentiality),
        source: Source::Signature,
    };
    made::made(ctx, wanted, bytes, Some(request.id.ulid()), made::created).await
}

/// Bytes of a PDF behind which pages are put; above it, the certificate stands alone.
const LARGEST: u64 = 50 << 20;

/// The certificate behind what was signed, whose bytes stay; alone where that is no PDF that can be continued.
async fn whole(
    ctx: &Ctx,
    request: &Record<Signature>,
    document: &Record<Document>,
    evidence: &[Evidence],
) -> Result<Vec<u8>> {
    let certificate = certificate(ctx, request, document, evidence).await?;
    let version: Option<FileVersion> =
        ctx.store().read(&create::part(document.id, request.body.document_version)).await?;
    let file =
        version.filter(|f| f.kind == Type::Pdf && f.size <= LARGEST && f.sha256 == request.body.sha256);
    if let Some(file) = file
        && let Some(signed) = ctx.app().files().read(&create::file_of(ctx, document.id, &file), None).await?
        && let Ok(whole) = reports::append(&signed, &certificate)
    {
        return Ok(whole);
    }
    Ok(reports::pdf(&certificate)?)
}

/// Who signed what, when, from where, and how they proved who they are.
async fn certificate(
    ctx: &Ctx,
    request: &Record<Signature>,
    document: &Record<Document>,
    evidence: &[Evidence],
) -> Result<reports::Document> {
    let (s, zone) = (&request.body, ctx.zone());
    let at = |t: Option<jiff::Timestamp>| {
        t.map(|t| t.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()).unwrap_or_default()
    };
    let title = format!("Certificate of signatures: {}", *s.title);
    let mut blocks = vec![
        Block::heading(1, "Certificate of signatures"),
        Block::pairs([
            ("Document", s.title.0.clone()),
            ("Document id", format!("{}, version {}", document.id, s.document_version)),
            ("SHA-256 of what was signed", s.sha256.clone()),
            ("Request", request.id.to_string()),
            ("Asked for by", s.requested_by.clone()),
        ]),
    ];
    for (signer, e) in s.signers.iter().zip(evidence) {
        let how = match signer.auth {
            Auth::Login => format!("login {}", signer.user.map(|u| u.to_string()).unwrap_or_default()),
            Auth::EmailCode | Auth::SmsCode => {
                let to = signer.email.as_ref().or(signer.phone.as_ref());
                format!("code to {}", to.map(|a| a.0.clone()).unwrap_or_default())
            }
        };
        blocks.push(Block::heading(2, Run::plain(format!("{}. {}", signer.n, *signer.name))));
        let mut pairs = vec![
            ("Signed as", e.typed.0.clone()),
            ("Role", signer.role.clone()),
            ("Proven by", how),
            ("Opened", at(signer.opened_at)),
            ("Signed", at(signer.signed_at)),
            ("Address", e.ip.0.clone()),
            ("Device", e.agent.0.clone()),
            ("Consent", e.consent_version.clone()),
        ];
        if let Some(for_whom) = &e.on_behalf {
            pairs.push(("On behalf of", for_whom.clone()));
        }
        blocks.push(Block::pairs(pairs));
        blocks.extend(e.drawn.as_ref().and_then(|drawn| mark(drawn)));
    }
    blocks.push(Block::paragraph(
        "These are simple electronic signatures with the evidence above; no qualified certificate is claimed. This \
         certificate is sealed: its own SHA-256 is signed with the organisation's key and can be verified.",
    ));
    print::letterhead(ctx, &title, &request.id.to_string(), blocks).await
}

/// A drawn mark that can be printed.
fn mark(drawn: &str) -> Option<Block> {
    let bytes = data_encoding::BASE64.decode(drawn.as_bytes()).ok()?;
    let image = Image::new(bytes).ok()?;
    Some(Block::Image { image, width: 50.0, alt: "drawn signature".into() })
}
