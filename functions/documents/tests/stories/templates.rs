//! DOC-5: letters and contracts of templates.

use crate::stage::{Stage, id};
use events::Envelope;
use seal::Sealed;
use serde_json::{Value, json};
use store::Key;

/// The template of story 9.
pub fn offer() -> Value {
    json!({
        "code": "offer", "name": "Offer of employment", "language": "en-NG", "category": "offer_letter",
        "body": "# Offer\n\nDear {{ name }},\n\nyou begin on **{{ start_date|date }}** with {{ salary|money }} a year.\n\n[[sign:employee]]\n",
        "footer": "Private and confidential: {{ name|initials }}",
        "fields": [
            {"name": "name", "type": "text", "required": true}, {"name": "start_date", "type": "date", "required": true},
            {"name": "salary", "type": "money", "required": true},
        ],
        "outputs": ["pdf", "docx"], "signers": [{"role": "employee", "order": 1}],
    })
}

pub fn values() -> Value {
    json!({"name": "Ada Obi", "start_date": "2027-01-04", "salary": {"amount": "1250000.00", "currency": "NGN"}})
}

pub async fn published(s: &Stage) -> Value {
    let made = s.hr.post("/v1/documents/templates", offer()).await.created();
    s.hr.post(&format!("/v1/documents/templates/{}/publish", id(&made)), json!({})).await.ok()
}

async fn bytes(s: &Stage, document: &Value) -> Vec<u8> {
    let link = s.hr.get(&format!("/v1/documents/{}/content", id(document))).await.ok();
    s.world.files.get(link["url"].as_str().unwrap()).unwrap()
}

/// Story 9.
#[tokio::test]
async fn an_offer_is_made_as_pdf_and_docx_of_the_same_edition() {
    let s = Stage::set().await;
    published(&s).await;
    let ask = |output: &str| json!({"template": "offer", "data": values(), "subject": s.carer.user(), "output": output});
    let pdf = s.hr.post("/v1/documents/generate", ask("pdf")).await.created();
    assert_eq!((&pdf["status"], &pdf["source"]), (&json!("verified"), &json!("template")));
    assert!(bytes(&s, &pdf).await.starts_with(b"%PDF-"));
    let docx = s.hr.post("/v1/documents/generate", ask("docx")).await.created();
    assert!(bytes(&s, &docx).await.starts_with(b"PK"));
    assert_eq!(docx["file"]["type"], "docx");
    assert_eq!(s.heard("document.generated").await.len(), 2);
    assert!(!s.grace.dump().await.contains("Ada Obi"));
    let odd = json!({"template": "offer", "data": values(), "output": "xlsx"});
    s.hr.post("/v1/documents/generate", odd).await.refused(400, "validation");
}

/// Story 9.
#[tokio::test]
async fn what_is_missing_or_unknown_is_named_all_at_once() {
    let s = Stage::set().await;
    published(&s).await;
    let mut data = values();
    data.as_object_mut().unwrap().remove("start_date");
    data["bonus"] = json!(1);
    let reply = s.hr.post("/v1/documents/generate", json!({"template": "offer", "data": data})).await;
    assert_eq!(
        reply.faults(),
        [("/data/bonus".into(), "unknown".into()), ("/data/start_date".into(), "required".into())]
    );
    reply.refused(422, "merge-fields");
    let none = json!({"template": "farewell", "data": {}});
    s.hr.post("/v1/documents/generate", none).await.refused(422, "unknown-template");
}

#[tokio::test]
async fn a_published_edition_is_frozen_and_editing_makes_the_next() {
    let s = Stage::set().await;
    let template = published(&s).await;
    let path = format!("/v1/documents/templates/{}", id(&template));
    let draft = s.hr.patch(&path, json!({"outputs": ["docx"]})).await.ok();
    assert_eq!(
        (&draft["status"], &draft["edition"], &draft["published"]),
        (&json!("draft"), &json!(2), &json!(1))
    );
    let ask = json!({"template": "offer", "data": values(), "subject": s.carer.user()});
    let before = s.hr.post("/v1/documents/generate", ask.clone()).await.created();
    s.hr.post(&format!("{path}/publish"), json!({})).await.ok();
    let after = s.hr.post("/v1/documents/generate", ask.clone()).await.created();
    let types = (&before["file"]["type"], &after["file"]["type"]);
    assert_eq!(types, (&json!("pdf"), &json!("docx")), "until it is published, the first one is used");
    let mut first = ask.clone();
    first["edition"] = json!(1);
    let again = s.hr.post("/v1/documents/generate", first).await.created();
    assert_eq!(again["file"]["type"], "pdf");
    s.hr.post(&format!("{path}/retire"), json!({})).await.ok();
    s.hr.post("/v1/documents/generate", ask).await.refused(422, "unknown-template");
}

#[tokio::test]
async fn a_template_that_would_not_print_is_refused_with_its_line() {
    let s = Stage::set().await;
    for (body, code) in [
        ("Dear {{ nmae }}", "unknown-name"),
        ("Dear {{ name", "template"),
        ("{% include 'other' %}", "template"),
        ("<script>x</script>", "html"),
        ("[[sign:director]]", "unknown-role"),
    ] {
        let mut wrong = offer();
        wrong["body"] = json!(body);
        wrong["footer"] = json!("x");
        let reply = s.hr.post("/v1/documents/templates", wrong).await;
        assert_eq!(
            reply.faults().first().map(|f| f.1.clone()),
            Some(code.to_string()),
            "{body}: {:#}",
            reply.body
        );
    }
    s.hr.post("/v1/documents/templates", offer()).await.created();
    s.hr.post("/v1/documents/templates", offer()).await.refused(409, "code-taken");
    s.doctor.post("/v1/documents/templates", offer()).await.refused(403, "forbidden");
}

#[tokio::test]
async fn another_module_asks_by_event_and_is_answered_once() {
    let s = Stage::set().await;
    published(&s).await;
    let kept = json!({"data": values()});
    #[derive(serde::Serialize)]
    struct Kept {
        data: Sealed<Value>,
    }
    let store = s.grace.store().await;
    let item = Kept { data: Sealed(kept["data"].clone()) };
    store.commit().put(&Key::item("asked", "ofr-1", "."), &item).run().await.unwrap();
    let event = Envelope {
        cause: vec![],
        id: "ofr#ofr_01ARZ3NDEKTSV4RRFFQ69G5FAV#1".into(),
        tenant: s.grace.id.prefix(),
        kind: "document.requested".into(),
        at: store::stamp(s.world.clock.now()),
        by: s.hr.user(),
        record: "ofr_01ARZ3NDEKTSV4RRFFQ69G5FAV".into(),
        version: 1,
        data: json!({
            "template": "offer", "data_ref": "ofr-1", "subject": s.carer.user(), "record": "ofr_01ARZ3NDEKTSV4RRFFQ69G5FAV",
        }),
    };
    for _ in 0..3 {
        s.world.hand_over(&event).await;
    }
    let heard = s.heard("document.generated").await;
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0]["request"], event.id);
    let found = s.hr.get("/v1/documents?record=ofr_01ARZ3NDEKTSV4RRFFQ69G5FAV").await.ok();
    assert_eq!(found["data"].as_array().unwrap().len(), 1);
    assert_eq!(
        s.world.files.keys(web::files::Bucket::Documents).len(),
        1,
        "no orphans of the other deliveries"
    );
    // With signers, what was made is sent to them: once, too.
    #[derive(serde::Serialize)]
    struct Signed {
        data: Sealed<Value>,
        signers: Sealed<Value>,
    }
    let signers = json!([{"name": "Ada Obi", "email": "ada@example.org", "role": "employee"}]);
    let item = Signed { data: Sealed(values()), signers: Sealed(signers) };
    store.commit().put(&Key::item("asked", "ofr-2", "."), &item).run().await.unwrap();
    let mut event = Envelope { id: "ofr#ofr_01ARZ3NDEKTSV4RRFFQ69G5FAV#2".into(), ..event };
    event.data["data_ref"] = json!("ofr-2");
    for _ in 0..3 {
        s.world.hand_over(&event).await;
    }
    s.world.deliver().await;
    assert_eq!(s.world.letters.letters("ada@example.org").len(), 1);
    assert_eq!(s.heard("signature.requested").await.len(), 1);
}

/// Above 50 pages nobody waits for the answer: a job makes it, once, for whoever asked.
#[tokio::test]
async fn a_book_of_sixty_pages_is_made_by_a_job() {
    let s = Stage::set().await;
    let mut book = offer();
    book["body"] = json!(
        "# {{ name }}\n\n{% for n in range(60) %}Page {{ n }}\n\n[[page]]\n\n{% endfor %}{{ start_date|date }} {{ salary|money }}\n"
    );
    book["signers"] = json!([]);
    let made = s.hr.post("/v1/documents/templates", book).await.created();
    s.hr.post(&format!("/v1/documents/templates/{}/publish", id(&made)), json!({})).await.ok();
    let ask = json!({"template": "offer", "data": values(), "subject": s.carer.user()});
    let reply = s.hr.post("/v1/documents/generate", ask).await;
    assert_eq!(reply.status, 202, "{:#}", reply.body);
    let (job, path) = (reply.body.clone(), format!("/v1/jobs/{}", id(&reply.body)));
    assert_eq!((&job["status"], &job["work"]), (&json!("queued"), &json!("document.generate")));
    s.carer.get(&path).await.missing();
    assert!(!s.grace.dump().await.contains("Ada Obi"), "what was asked for waits sealed");
    s.world.deliver().await;
    s.world.deliver().await;
    let done = s.hr.get(&path).await.ok();
    assert_eq!((&done["status"], &done["percent"]), (&json!("done"), &json!(100)));
    let document = s.hr.get(done["links"][0]["href"].as_str().unwrap()).await.ok();
    assert_eq!((&document["source"], &document["uploaded_by"]), (&json!("template"), &json!(s.hr.user())));
    assert!(bytes(&s, &document).await.starts_with(b"%PDF-"));
    assert_eq!((s.heard("job.completed").await.len(), s.heard("document.generated").await.len()), (1, 1));
}

/// The organisation's logo and colour, as its settings publish them.
#[tokio::test]
async fn prints_carry_the_organisations_logo() {
    let s = Stage::set().await;
    published(&s).await;
    let png = data_encoding::BASE64.decode(PIXEL.as_bytes()).unwrap();
    let more = json!({"category": "other", "content_type": "image/png", "file_name": "logo.png"});
    let logo = s.uploads(&s.admin, &png, more).await;
    let ask = json!({"template": "offer", "data": values(), "subject": s.carer.user()});
    let plain = s.hr.post("/v1/documents/generate", ask.clone()).await.created();
    s.grace
        .change_gate(|gate| {
            gate.policies.insert("brand.logo".into(), logo["id"].clone());
            gate.policies.insert("brand.colour".into(), json!("#0a7cff"));
        })
        .await;
    let branded = s.hr.post("/v1/documents/generate", ask).await.created();
    let images = |bytes: Vec<u8>| bytes.windows(14).filter(|w| *w == b"/Subtype/Image").count();
    let (plain, branded) = (bytes(&s, &plain).await, bytes(&s, &branded).await);
    assert_eq!((images(plain), images(branded) > 0), (0, true));
}

/// One red pixel.
const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";
