//! Every noun is shown, listed, changed, told of, deleted and brought back, as far as its routes say; and the commands
//! that no other story gives.

use crate::{
    beneficiaries::named,
    care::Care,
    stage::{Stage, each, id},
};
use serde_json::{Value, json};
use store::facts;

fn path(noun: &str) -> String {
    format!("/v1/eap/{noun}")
}

async fn made(s: &Stage, noun: &str, body: Value) -> Value {
    s.manager.post(&path(noun), body).await.created()
}

#[tokio::test]
async fn clients_industries_and_who_looks_after_them_make_their_rounds() {
    let s = Stage::set().await;
    let industry = made(&s, "industries", json!({"name": "Textiles"})).await;
    s.manager.round(&path("industries"), &id(&industry)).patch(json!({"name": "Textiles and leather"})).await;
    let client = s.client("Zenith", json!({})).await;
    s.manager.round(&path("clients"), &id(&client)).patch(json!({"name": "Zenith Mills"})).await;
    let body = json!({"client": client["id"], "staff": s.someone(), "role": "account_manager", "from": "2026-11-23"});
    let assignment = made(&s, "assignments", body).await;
    let listed = format!("?client={}", id(&client));
    let round = s.manager.round(&path("assignments"), &id(&assignment)).listed_by(listed);
    round.patch(json!({"to": "2027-01-31"})).await;
}

#[tokio::test]
async fn services_and_their_categories_make_their_rounds() {
    let s = Stage::set().await;
    let shipped = s.manager.get(&path("service_categories/shipped")).await.ok();
    assert!(shipped.as_array().unwrap().iter().any(|c| c["code"] == "counselling"), "{shipped:#}");
    let taken = json!({"code": "counselling", "name": "Ours"});
    s.manager.post(&path("service_categories"), taken).await.refused(422, "shipped");
    let category = made(&s, "service_categories", json!({"code": "yoga", "name": "Yoga"})).await;
    let round = s.manager.round(&path("service_categories"), &id(&category));
    round.patch(json!({"name": "Yoga and rest"})).await;
    let service = s.service("Counselling", "counselling").await;
    s.manager.round(&path("services"), &service).patch(json!({"minutes": 45})).await;
}

#[tokio::test]
async fn a_contract_makes_its_round_and_is_replaced_as_a_whole() {
    let s = Stage::set().await;
    let client = s.active("Zenith", json!({})).await;
    let service = s.service("Counselling", "counselling").await;
    let draft = s.draft(&client, &service, json!({})).await;
    let one = format!("{}/{}", path("contracts"), id(&draft));
    let listed = format!("?client={}", id(&client));
    let round = s.manager.round(&path("contracts"), &id(&draft)).listed_by(listed).derives("is_active");
    round.patch(json!({"title": "Employee assistance 2027"})).await;

    let whole = json!({
        "client": client["id"], "title": "Assistance", "start_date": "2026-12-01", "end_date": "2027-11-30",
        "billing_amount": {"amount": "900000.00", "currency": "NGN"}, "services": [service],
    });
    let put = |body: Value, version: u64| s.manager.call("PUT", &one).body(body).if_match(version).send();
    let version = s.shows("contracts", &draft).await["version"].as_u64().unwrap();
    put(json!({"title": "Half"}), version).await.refused(400, "validation");
    put(whole.clone(), version - 1).await.refused(412, "stale");
    let replaced = put(whole, version).await.ok();
    assert_eq!((&replaced["title"], &replaced["start_date"]), (&json!("Assistance"), &json!("2026-12-01")));
    assert_eq!(replaced["billing_amount"]["amount"], "900000.00");
}

#[tokio::test]
async fn a_provider_makes_their_round_and_whoever_leaves_is_booked_no_more() {
    let s = Stage::set().await;
    let (ada, _) = s.provider(json!({})).await;
    s.manager.round(&path("providers"), &id(&ada)).patch(json!({"languages": ["en", "ha"]})).await;
    let ready = async || {
        let fact: Option<Value> =
            s.axis.store().await.fact(facts::EAP_PROVIDER_READY, &id(&ada)).await.unwrap();
        fact.is_some()
    };
    assert!(ready().await, "brought back, she is bookable as before");
    s.gives("providers", &ada, "leave", json!({})).await.refused(422, "reason-required");
    let left = s.gives("providers", &ada, "leave", json!({"reason": "moved to Accra"})).await.ok();
    assert_eq!(left["status"], "left");
    assert!(!ready().await);
    s.gives("providers", &ada, "approve", json!({})).await.refused(422, "state");
}

#[tokio::test]
async fn a_beneficiary_makes_their_round() {
    let c = Care::begin().await;
    let ada = c.employee("E1", json!({})).await;
    let listed = format!("?client={}", id(&c.client));
    let round = c.s.manager.round(&path("beneficiaries"), &id(&ada)).listed_by(listed);
    round.patch(json!({"name": "Ada Nwosu"})).await;
}

/// The link of the letter is enough: who holds it has the address.
#[tokio::test]
async fn whoever_opens_the_link_is_registered_once_and_without_a_login() {
    let c = Care::begin().await;
    let client = format!("{}/{}", path("clients"), id(&c.client));
    c.s.manager.patch(&client, json!({"self_registration": "code_and_list"})).await.ok();
    let code = c.s.manager.get(&client).await.ok()["join_code"].clone();
    let ada = c.employee("E1", json!({})).await;
    named(&c).await;
    let anybody = c.s.world.stranger();
    let wish = json!({"organisation": "axis", "join_code": code, "email": "ada@example.org",
        "employee_number": "e1", "birth_date": "1990-01-31"});
    anybody.post(&path("register"), wish).await.accepted();
    for message in c.s.world.letters.take(web::Queue::Eap) {
        c.s.world.hand_over_other(&message).await;
    }
    let text = c.s.world.letters.letters("ada@example.org")[0].text.clone();
    let url = text.split_whitespace().find(|w| w.contains("/p/")).unwrap();
    let confirm = path("register/confirm");
    anybody.post(&confirm, json!({"token": format!("{url}x")})).await.missing();
    let registered = anybody.post(&confirm, json!({"token": url})).await.ok();
    assert_eq!(registered["beneficiary"], ada["id"]);
    assert_eq!(c.s.shows("beneficiaries", &ada).await["email"], "ada@example.org");
    anybody.post(&confirm, json!({"token": url})).await.missing();
}

#[tokio::test]
async fn an_event_for_an_organisation_makes_its_round_and_is_called_off_for_a_reason() {
    let s = Stage::set().await;
    let client = s.active("Zenith", json!({})).await;
    let body = json!({"client": client["id"], "title": "Outreach at the mill", "kind": "outreach",
        "starts_at": "2026-11-30T09:00:00Z", "minutes": 90});
    let event = made(&s, "org_services", body).await;
    let listed = format!("?client={}", id(&client));
    let round = s.manager.round(&path("org_services"), &id(&event)).listed_by(listed);
    round.patch(json!({"minutes": 60, "invited": 40})).await;
    s.gives("org_services", &event, "cancel", json!({})).await.refused(422, "reason-required");
    let cancelled = s.gives("org_services", &event, "cancel", json!({"reason": "a strike"})).await.ok();
    assert_eq!(cancelled["status"], "cancelled");
    s.at("2026-11-30T11:00:00Z");
    s.gives("org_services", &event, "hold", json!({"attended": 60})).await.refused(422, "state");
}

#[tokio::test]
async fn key_figures_and_their_targets_make_their_rounds() {
    let s = Stage::set().await;
    let kpi = json!({"code": "on_time", "name": "On time", "unit": "percent", "formula": "manual", "direction": "up", "frequency": "quarterly"});
    let kpi = made(&s, "kpis", kpi).await;
    s.manager.round(&path("kpis"), &id(&kpi)).patch(json!({"name": "Answered in time"})).await;
    let staff = s.someone();
    let target =
        json!({"kpi": kpi["id"], "staff": staff, "target": 80.0, "amber": 70.0, "from": "2026-10-01"});
    let target = made(&s, "kpi_assignments", target).await;
    let one = format!("{}/{}", path("kpi_assignments"), id(&target));
    let entered = json!({"numerator": 74, "denominator": 100});
    s.manager.call("PUT", &format!("{one}/values/2026-Q4")).body(entered).send().await.ok();
    let round = s.manager.round(&path("kpi_assignments"), &id(&target)).listed_by(format!("?staff={staff}"));
    round.patch(json!({"amber": 72.0})).await;
    let values = s.manager.get(&format!("{one}/values")).await.ok();
    assert_eq!(each(&values, "period"), ["2026-Q4"]);
    assert_eq!(
        (&values["data"][0]["value"], &values["data"][0]["entered_by"]),
        (&json!(74.0), &json!(s.manager.user()))
    );
}

#[tokio::test]
async fn who_is_on_call_is_read_by_those_who_are_asked_for_help() {
    let s = Stage::set().await;
    s.manager.get(&path("on_call")).await.missing();
    let (_, ada) = s.provider(json!({})).await;
    s.axis.present(&ada).await;
    let rota = json!({"people": [ada.user()], "warm_line": "0800 111 222"});
    s.manager.call("PUT", &path("on_call")).body(rota).send().await.ok();
    let told = ada.get(&path("on_call")).await.ok();
    assert_eq!((&told["people"], &told["warm_line"]), (&json!([ada.user()]), &json!("0800 111 222")));
    s.axis.staff("beneficiary").get(&path("on_call")).await.refused(403, "forbidden");
}

#[tokio::test]
async fn a_counsellor_lists_their_sessions_and_a_manager_those_of_a_case() {
    let c = Care::begin().await;
    let person = c.employee("E1", json!({})).await;
    let case = c.case(&person, "anxiety").await;
    let session = c.books(&case, "2026-11-24T09:00:00Z").await.created();
    for query in [String::new(), format!("?case={}", id(&case))] {
        let mine = c.ada.1.get(&format!("{}{query}", path("sessions"))).await.ok();
        assert_eq!(each(&mine, "id"), [id(&session)], "{query}");
    }
    let theirs = c.tunde.1.get(&path("sessions")).await.ok();
    assert_eq!(theirs["data"], json!([]));
}

#[tokio::test]
async fn a_bill_makes_its_round() {
    let s = Stage::set().await;
    let client = s.active("Zenith", json!({})).await;
    let service = s.service("Counselling", "counselling").await;
    let contract = s.contract(&client, &service, json!({})).await;
    s.at("2026-12-24T08:00:00Z");
    s.world.ring().await;
    let listed = format!("?contract={}", id(&contract));
    let bill = s.manager.get(&format!("{}{listed}", path("bills"))).await.ok()["data"][0].clone();
    s.finance.post(&format!("{}/{}/approve", path("bills"), id(&bill)), json!({})).await.ok();
    s.manager.round(&path("bills"), &id(&bill)).listed_by(listed).await;
}

#[tokio::test]
async fn a_report_that_was_drawn_too_early_is_discarded_and_drawn_again() {
    let care = Care::begin().await;
    care.s.at("2027-01-06T08:00:00Z");
    let ask = format!("{}/{}/reports", path("clients"), id(&care.client));
    let body = json!({"period": "2026-Q4"});
    let draft = care.s.manager.post(&ask, body.clone()).await.created();
    care.s.manager.post(&ask, body.clone()).await.refused(409, "report-exists");
    let discarded =
        care.s.gives("reports", &draft, "discard", json!({"reason": "headcounts came late"})).await.ok();
    assert_eq!(discarded["status"], "discarded");
    care.s.gives("reports", &draft, "release", json!({})).await.refused(422, "state");
    let listed = format!("?client={}", id(&care.client));
    care.s.manager.round(&path("reports"), &id(&draft)).listed_by(listed).await;
    care.s.manager.post(&ask, body).await.created();
}

/// Where the organisation says so, a contract takes two people, of whom the second may say no.
#[tokio::test]
async fn an_approval_makes_its_round_and_is_rejected_for_a_reason_by_somebody_else() {
    let s = Stage::set().await;
    let policy = json!({"policies": [{"id": "apy_1", "needed": 1, "expires_hours": 72}]});
    let store = s.axis.store().await;
    store.commit().fact(facts::APPROVAL_POLICY, "eap_contract.activate", &policy).run().await.unwrap();
    s.world.app.policies().forget(store.scope());
    let client = s.active("Zenith", json!({})).await;
    let service = s.service("Counselling", "counselling").await;
    let draft = s.draft(&client, &service, json!({})).await;
    s.axis.present(&s.manager).await;
    let asked = s.gives("contracts", &draft, "activate", json!({})).await.refused(428, "approval-required");
    let approval = asked["approval"].as_str().unwrap();
    let second = s.axis.staff("eap_manager");
    let round = second.round(&path("approvals"), approval).derives("request").derives("preview");
    round.derives("approve_url").await;
    let reject = format!("{}/{approval}/reject", path("approvals"));
    s.manager.post(&reject, json!({"reason": "no"})).await.refused(403, "own-request");
    second.post(&reject, json!({})).await.refused(422, "reason-required");
    assert_eq!(
        second.post(&reject, json!({"reason": "the price is wrong"})).await.ok()["status"],
        "rejected"
    );
    assert_eq!(s.shows("contracts", &draft).await["status"], "draft", "nothing was activated");
}

/// Whoever has left, and a figure that is measured no more, hold nobody to what named them.
#[tokio::test]
async fn what_is_gone_can_be_taken_off_where_it_was_named() {
    let s = Stage::set().await;
    let client = s.client("Zenith", json!({})).await;
    let (ada, _) = s.provider(json!({})).await;
    let body =
        json!({"client": client["id"], "provider": ada["id"], "role": "clinician", "from": "2026-11-23"});
    let assignment = made(&s, "assignments", body.clone()).await;
    s.manager.delete(&format!("{}/{}", path("providers"), id(&ada))).await.done();
    let one = format!("{}/{}", path("assignments"), id(&assignment));
    let ended = s.manager.patch(&one, json!({"to": "2026-12-31"})).await.ok();
    assert_eq!((&ended["to"], &ended["user"]), (&json!("2026-12-31"), &assignment["user"]));
    s.manager.delete(&one).await.done();
    s.manager.post(&path("assignments"), body).await.refused(422, "unknown-provider");

    let kpi = json!({"code": "on_time", "name": "On time", "unit": "percent", "formula": "manual", "direction": "up", "frequency": "quarterly"});
    let kpi = made(&s, "kpis", kpi).await;
    let target =
        json!({"kpi": kpi["id"], "staff": s.someone(), "target": 80.0, "amber": 70.0, "from": "2026-10-01"});
    let target = made(&s, "kpi_assignments", target).await;
    s.manager.delete(&format!("{}/{}", path("kpis"), id(&kpi))).await.done();
    let one = format!("{}/{}", path("kpi_assignments"), id(&target));
    assert_eq!(s.manager.patch(&one, json!({"to": "2026-12-31"})).await.ok()["to"], "2026-12-31");
    s.manager.delete(&one).await.done();
    s.manager.post(&format!("{one}/restore"), json!({})).await.refused(422, "unknown-kpi");
}
