//! Texts of the organisation.

use crate::stage::{Stage, phone};
use serde_json::{Value, json};

const PATH: &str = "/v1/notifications/templates";

fn sms(language: &str, body: &str) -> Value {
    json!({"code": "appointment_reminder", "medium": "sms", "language": language, "body": body})
}

async fn reminded(stage: &Stage, patient: &str) {
    let data = json!({"appointment": "apt_1", "patient": patient, "site": stage.grace.sites[0], "start": "2026-11-21T10:00:00Z", "minutes": 30, "sequence": 0});
    stage.happens(&stage.event("appointment.reminder_due", data)).await;
}

#[tokio::test]
async fn a_patient_who_reads_hausa_gets_the_organisations_hausa_and_another_english() {
    let stage = Stage::set().await;
    let admin = stage.grace.staff("tenant_admin");
    let hausa = stage.patient("Hadiza Bello", json!({"language": "ha"})).await;
    let english = stage.patient("Ada Okafor", json!({"language": "en"})).await;
    let written = admin.post(PATH, sms("ha", "Tunatarwa: {{ data.start | datetime }}")).await.created();
    assert_eq!((written["status"].clone(), written["category"].clone()), (json!("draft"), json!("schedule")));
    reminded(&stage, &hausa).await;
    assert!(stage.sms.to(&phone("Hadiza Bello"))[0].text.contains("Your appointment"), "a draft is not sent");
    let publish = format!("{PATH}/{}/publish", written["id"].as_str().unwrap());
    admin.post(&publish, json!({})).await.refused(422, "reason-required");
    admin.post(&publish, json!({"reason": "read by two of us"})).await.ok();
    for patient in [&hausa, &english] {
        reminded(&stage, patient).await;
    }
    assert_eq!(stage.sms.to(&phone("Hadiza Bello"))[1].text, "Tunatarwa: 21 November 2026, 11:00");
    assert!(stage.sms.to(&phone("Ada Okafor"))[0].text.contains("Your appointment is on 21 November"));
    let way = stage.deliveries("sent").await;
    assert!(way.iter().any(|d| d["language"] == "ha" && d["template_version"] == 2), "{way:?}");
}

#[tokio::test]
async fn an_unknown_name_is_refused_with_its_line_and_the_nearest_one() {
    let stage = Stage::set().await;
    let admin = stage.grace.staff("tenant_admin");
    let body = json!({"code": "invoice_due", "medium": "email", "language": "en", "title": "Bill", "body": "<p>Hello</p>\n<p>{{ data.numbr }}</p>"});
    let refused = admin.post(PATH, body).await.refused(422, "template-invalid");
    assert_eq!(refused["line"], 2);
    assert!(refused["detail"].as_str().unwrap().contains("numbr; nearest: number"), "{refused}");
    for (body, says) in [
        ("{% if %}", "line 1"),
        ("{% include 'secrets' %}", "line 1"),
        ("{{ data.start | shell }}", "shell"),
        ("{{ data.start.password.hash }}", "undefined value"),
    ] {
        let refused = admin.post(PATH, sms("en", body)).await.refused(422, "template-invalid");
        assert!(refused["detail"].as_str().unwrap().contains(says), "{body}: {refused}");
    }
    let long = admin.post(PATH, sms("en", &"x".repeat(500))).await.refused(422, "template-invalid");
    assert!(long["detail"].as_str().unwrap().contains("4 parts"));
    let unknown = json!({"code": "of_our_own", "medium": "sms", "language": "en", "body": "x"});
    assert_eq!(admin.post(PATH, unknown).await.refused(422, "required")["errors"][0]["pointer"], "/event");
    let event =
        json!({"code": "of_our_own", "medium": "sms", "language": "en", "body": "x", "event": "invoice.du"});
    let refused = admin.post(PATH, event).await.refused(422, "unknown-event");
    assert!(refused["detail"].as_str().unwrap().contains("nearest: invoice.due"));
}

#[tokio::test]
async fn a_text_is_looked_at_and_sent_to_oneself_and_to_nobody_else() {
    let stage = Stage::set().await;
    let admin = stage.staff("Ada Okafor", "tenant_admin").await;
    let id =
        admin.post(PATH, sms("en", "{{ recipient.first_name }}: {{ data.start | date }}")).await.created();
    let path = format!("{PATH}/{}", id["id"].as_str().unwrap());
    let shown =
        admin.post(&format!("{path}/preview"), json!({"data": {"start": "2026-12-24T09:00:00Z"}})).await.ok();
    assert_eq!(
        (shown["body"].clone(), shown["segments"].clone()),
        (json!("Ada: 24 December 2026"), json!(1))
    );
    admin.post(&format!("{path}/send_test"), json!({})).await.ok();
    let sent = stage.sms.all();
    assert_eq!((sent.len(), sent[0].to.clone()), (1, phone("Ada Okafor")));
}

#[tokio::test]
async fn a_published_text_that_no_longer_fits_fails_its_deliveries_and_no_others() {
    let stage = Stage::set().await;
    let admin = stage.grace.staff("tenant_admin");
    let patient = stage.patient("Ada Okafor", Value::Null).await;
    let text = sms("en", "{{ data.department }}: {{ data.start | datetime }}");
    let id = admin.post(PATH, text).await.created();
    let path = format!("{PATH}/{}/publish", id["id"].as_str().unwrap());
    admin.post(&path, json!({"reason": "x"})).await.ok();
    // The event says nothing of a department.
    reminded(&stage, &patient).await;
    assert_eq!(stage.sms.all().len(), 0);
    let failed = stage.deliveries("failed").await;
    assert_eq!(failed[0]["attempts"][0]["code"], "render");
    assert_eq!(stage.email.all().len(), 1, "the next way goes");
    let retire = path.replace("publish", "retire");
    admin.post(&retire, json!({"reason": "it does not fit"})).await.ok();
    reminded(&stage, &patient).await;
    assert_eq!(stage.sms.all().len(), 1, "the product's own again");
}

#[tokio::test]
async fn one_text_for_each_code_medium_and_language() {
    let stage = Stage::set().await;
    let admin = stage.grace.staff("tenant_admin");
    let first = admin.post(PATH, sms("ha", "Tunatarwa")).await.created();
    admin.post(PATH, sms("ha", "Wani")).await.refused(409, "duplicate");
    admin.post(PATH, sms("yo", "Ìrántí")).await.created();
    let path = format!("{PATH}/{}", first["id"].as_str().unwrap());
    let moved = admin.patch(&path, json!({"language": "ig"})).await.refused(422, "fixed");
    assert_eq!(moved["errors"][0]["pointer"], "/code");
    admin.post(&format!("{path}/retire"), json!({"reason": "written anew"})).await.ok();
    admin.post(PATH, sms("ha", "Wani")).await.created();
    let codes = admin.get(&format!("{PATH}/codes")).await.ok();
    let reminder =
        codes["data"].as_array().unwrap().iter().find(|c| c["code"] == "appointment_reminder").unwrap();
    assert!(reminder["fields"].as_array().unwrap().contains(&json!("start")));
}
