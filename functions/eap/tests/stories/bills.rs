//! EAP-7: events for organisations, and bills.

use crate::stage::{Stage, each, id};
use serde_json::{Value, json};

async fn bills(s: &Stage, contract: &Value) -> Vec<Value> {
    let page = s.manager.get(&format!("/v1/eap/bills?contract={}", id(contract))).await.ok();
    page["data"].as_array().unwrap().clone()
}

async fn contract(s: &Stage, more: Value) -> (Value, Value) {
    let client = s.active("Zenith", json!({})).await;
    let service = s.service("Counselling", "counselling").await;
    let made = s.contract(&client, &service, more).await;
    (client, made)
}

/// Rings until nothing more is due.
async fn night(s: &Stage, at: &str) {
    s.at(at);
    while s.world.ring().await.iter().any(|n| n == "due.ecn.bill") {}
}

/// Story 4.
#[tokio::test]
async fn periods_begin_on_the_thirty_first_and_a_termination_bills_its_days() {
    let s = Stage::set().await;
    s.at("2026-01-30T08:00:00Z");
    let (_, made) = contract(&s, json!({"start_date": "2026-01-31", "end_date": "2027-01-30"})).await;
    night(&s, "2026-04-01T08:00:00Z").await;
    let from: Vec<String> =
        bills(&s, &made).await.iter().rev().map(|b| b["period_from"].as_str().unwrap().into()).collect();
    assert_eq!(from, ["2026-01-31", "2026-02-28"]);
    assert_eq!(bills(&s, &made).await[0]["total"], json!({"amount": "1200000.00", "currency": "NGN"}));
    // The period from 31 March has 30 days, that from 30 April 31.
    night(&s, "2026-05-01T08:00:00Z").await;
    s.at("2026-05-09T08:00:00Z");
    s.gives("contracts", &made, "terminate", json!({"reason": "insolvent"})).await.ok();
    assert_eq!(bills(&s, &made).await.len(), 3, "the day is not over");
    night(&s, "2026-05-09T23:00:01Z").await;
    let all = bills(&s, &made).await;
    assert_eq!((&all[0]["period_from"], &all[0]["period_to"]), (&json!("2026-04-30"), &json!("2026-05-09")));
    assert_eq!(all[0]["total"]["amount"], "387096.77");
    night(&s, "2026-09-01T08:00:00Z").await;
    assert_eq!(bills(&s, &made).await.len(), 4, "nothing after the end");
}

#[tokio::test]
async fn a_bill_is_approved_issued_and_paid_and_the_contract_tells_how_it_stands() {
    let s = Stage::set().await;
    let (client, made) = contract(&s, json!({"tax_rate": 7.5})).await;
    night(&s, "2027-01-24T08:00:00Z").await;
    let all = bills(&s, &made).await;
    assert_eq!(all.len(), 2);
    let [second, first] = [&all[0], &all[1]];
    assert_eq!(
        (&first["tax"]["amount"], &first["total"]["amount"]),
        (&json!("90000.00"), &json!("1290000.00"))
    );
    let command = async |bill: &Value, name: &str, body: Value| {
        s.finance.post(&format!("/v1/eap/bills/{}/{name}", id(bill)), body).await
    };
    let approved = command(first, "approve", json!({})).await.ok();
    assert_eq!((&approved["status"], &approved["due"]), (&json!("approved"), &json!("2027-02-23")));
    command(first, "approve", json!({})).await.refused(422, "state");
    let said = s.world.events().await.into_iter().find(|e| e.kind == "eap_billing.approved").unwrap();
    assert_eq!((&said.data["total"]["amount"], &said.data["bill"]), (&json!("1290000.00"), &first["id"]));
    let path = format!("/v1/eap/clients/{}", id(&client));
    let invoice = |n: &str| json!({"source": first["id"], "number": n});
    // Paid is heard before issued, and everything twice.
    s.at("2027-01-25T08:00:00Z");
    for kind in ["invoice.paid", "invoice.issued", "invoice.paid", "invoice.overdue", "invoice.issued"] {
        s.hears(kind, "inv_01ARZ3NDEKTSV4RRFFQ69G5FAV", invoice("INV-2027-00001")).await;
    }
    let paid = s.shows("bills", first).await;
    assert_eq!((&paid["status"], &paid["invoice"]), (&json!("paid"), &json!("INV-2027-00001")));
    assert_eq!(s.shows("contracts", &made).await["payment_status"], "paid");
    command(second, "approve", json!({})).await.ok();
    s.hears("invoice.issued", "inv_2", json!({"source": {"kind": "ebl", "id": second["id"]}, "number": "2"}))
        .await;
    assert_eq!(s.shows("contracts", &made).await["payment_status"], "pending");
    s.hears("invoice.overdue", "inv_2", json!({"source": second["id"]})).await;
    assert_eq!(s.shows("contracts", &made).await["payment_status"], "overdue");
    s.gives("contracts", &made, "terminate", json!({"reason": "no payment"})).await.ok();
    s.manager.delete(&path).await.refused(409, "in-use");
    s.hears("invoice.credited", "inv_2", json!({"source": second["id"]})).await;
    assert_eq!(s.shows("bills", second).await["status"], "void");
    s.manager.delete(&path).await.done();
}

#[tokio::test]
async fn a_withdrawn_bill_can_be_made_again_and_a_period_has_one_bill() {
    let s = Stage::set().await;
    let (_, made) = contract(&s, json!({})).await;
    let wanted = json!({"contract": made["id"]});
    s.finance.post("/v1/eap/bills", wanted.clone()).await.refused(422, "nothing-due");
    s.at("2026-12-23T08:00:00Z");
    let first = s.finance.post("/v1/eap/bills", wanted).await.created();
    let of_november = json!({"contract": made["id"], "period_from": "2026-11-23"});
    s.finance.post("/v1/eap/bills", of_november.clone()).await.refused(409, "bill-exists");
    let void = format!("/v1/eap/bills/{}/void", id(&first));
    s.finance.post(&void, json!({})).await.refused(422, "reason-required");
    s.finance.post(&void, json!({"reason": "wrong tax"})).await.ok();
    let again = s.finance.post("/v1/eap/bills", of_november).await.created();
    assert_ne!(again["id"], first["id"]);
    s.finance.post(&format!("/v1/eap/bills/{}/approve", id(&again)), json!({})).await.ok();
    s.finance.post(&format!("/v1/eap/bills/{}/void", id(&again)), json!({"reason": "disputed"})).await.ok();
    assert_eq!(s.events_of(&again).await, ["eap_billing.approved", "eap_billing.voided"]);
    s.manager
        .post("/v1/eap/bills", json!({"contract": made["id"], "period_from": "2026-11-24"}))
        .await
        .refused(422, "nothing-due");
}

#[tokio::test]
async fn heads_are_billed_by_month_and_a_bill_without_any_is_held() {
    let s = Stage::set().await;
    let more = json!({
        "pricing": "per_capita", "rate": {"amount": "150.00", "currency": "NGN"}, "billing_frequency": "quarterly",
    });
    let (client, made) = contract(&s, more).await;
    night(&s, "2027-02-24T08:00:00Z").await;
    let held = bills(&s, &made).await.remove(0);
    assert_eq!(held["held"], "no-headcount");
    let wish = s.world.events().await.into_iter().find(|e| e.record == id(&held)).unwrap();
    assert_eq!((wish.kind.as_str(), &wish.data["title_code"]), ("task.requested", &json!("eap_bill_held")));
    assert_eq!(wish.data["close_on"], json!(["eap_billing.approved"]));
    assert_eq!(wish.data["assignee"], "role~eap_manager");
    let path = format!("/v1/eap/bills/{}", id(&held));
    s.finance.post(&format!("{path}/approve"), json!({})).await.refused(422, "no-headcount");
    for (month, heads) in [("2026-11", 400), ("2027-01", 420)] {
        let put = format!("/v1/eap/clients/{}/population/{month}", id(&client));
        s.manager.call("PUT", &put).body(json!({"headcount": heads})).send().await.ok();
    }
    let again = s.finance.post(&format!("{path}/recalculate"), json!({})).await.ok();
    // December was not stated: as in November.
    assert_eq!((&again["lines"][0]["quantity"], &again["held"]), (&json!(1220), &Value::Null));
    assert_eq!(again["total"]["amount"], "183000.00");
}

/// Story 17, without its figures.
#[tokio::test]
async fn an_outreach_that_was_held_stands_on_the_contracts_bill() {
    let s = Stage::set().await;
    let (client, made) = contract(&s, json!({})).await;
    let body = json!({
        "client": client["id"], "contract": made["id"], "title": "Outreach at the mill", "kind": "outreach",
        "starts_at": "2026-11-30T09:00:00Z", "minutes": 90, "invited": 80,
        "fee": {"amount": "75000.00", "currency": "NGN"},
    });
    let event = s.manager.post("/v1/eap/org_services", body.clone()).await.created();
    s.gives("org_services", &event, "hold", json!({"attended": 60})).await.refused(422, "in-the-future");
    s.at("2026-11-30T11:00:00Z");
    let held = s.gives("org_services", &event, "hold", json!({"attended": 60})).await.ok();
    assert_eq!((&held["status"], &held["attended"]), (&json!("held"), &json!(60)));
    s.gives("org_services", &event, "hold", json!({"attended": 61})).await.refused(422, "state");
    assert_eq!(s.events_of(&event).await, ["org_service.held"]);
    night(&s, "2026-12-23T08:00:00Z").await;
    let bill = bills(&s, &made).await.remove(0);
    let labels: Vec<&str> =
        bill["lines"].as_array().unwrap().iter().map(|l| l["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["Retainer 2026-11-23 – 2026-12-22", "Outreach at the mill"]);
    assert_eq!(bill["total"]["amount"], "1275000.00");
    let apex = s.active("Apex", json!({})).await;
    let mut other = body.clone();
    other["client"] = apex["id"].clone();
    s.manager.post("/v1/eap/org_services", other).await.refused(422, "unknown-contract");
    let hauwa = s.contact_of(&client).await;
    let page = hauwa.get(&format!("/v1/eap/org_services?client={}", id(&client))).await.ok();
    assert_eq!(each(&page, "title"), ["Outreach at the mill"]);
    // A draft is nobody's business outside.
    assert!(each(&hauwa.get(&format!("/v1/eap/bills?client={}", id(&client))).await.ok(), "id").is_empty());
    hauwa.get(&format!("/v1/eap/bills/{}", id(&bill))).await.missing();
}

/// Work of the days of grace, of a crisis, and what is entered later still.
#[tokio::test]
async fn what_is_done_after_a_contracts_last_day_stands_on_a_bill() {
    let c = crate::care::Care::under(json!({
        "pricing": "fee_per_session", "rate": {"amount": "20000.00", "currency": "NGN"}, "end_date": "2026-12-22",
    }))
    .await;
    let s = &c.s;
    let case = c.case(&c.employee("E1", json!({})).await, "anxiety").await;
    let mut booked = vec![];
    for day in ["2026-12-20", "2027-01-05", "2027-01-12", "2027-01-20"] {
        booked.push(c.books(&case, &format!("{day}T09:00:00Z")).await.created());
    }
    let done = async |n: usize, at: &str, how: &str| {
        s.at(at);
        c.ends(&booked[n], how, json!({})).await.ok();
    };
    done(0, "2026-12-20T10:00:00Z", "complete").await;
    night(s, "2026-12-23T08:00:00Z").await;
    while s.world.ring().await.iter().any(|n| n.starts_with("due.ecn")) {}
    assert_eq!(s.shows("contracts", &c.contract).await["status"], "expired");
    assert_eq!(bills(s, &c.contract).await.len(), 1);
    done(1, "2027-01-05T10:00:00Z", "complete").await;
    // Cancelled too late counts as held.
    done(2, "2027-01-11T20:00:00Z", "cancel").await;
    night(s, "2027-02-04T22:00:00Z").await;
    assert_eq!(
        bills(s, &c.contract).await.len(),
        1,
        "grace is over, and who is late with the papers has time"
    );
    night(s, "2027-02-04T23:00:01Z").await;
    let last = bills(s, &c.contract).await.remove(0);
    assert_eq!(
        (&last["period_from"], &last["period_to"], &last["total"]["amount"]),
        (&json!("2026-12-23"), &json!("2027-02-04"), &json!("40000.00"))
    );
    assert_eq!(last["lines"][0]["label"], "Employee assistance services", "of one person alone");
    // Entered when the last bill is made: the next one is made by hand.
    let more = json!({"contract": c.contract["id"]});
    s.finance.post("/v1/eap/bills", more.clone()).await.refused(422, "nothing-due");
    done(3, "2027-02-10T10:00:00Z", "complete").await;
    s.at("2027-02-11T10:00:00Z");
    let late = s.finance.post("/v1/eap/bills", more.clone()).await.created();
    assert_eq!(
        (&late["period_from"], &late["period_to"], &late["total"]["amount"]),
        (&json!("2027-02-05"), &json!("2027-02-10"), &json!("20000.00"))
    );
    s.at("2027-02-12T10:00:00Z");
    s.finance.post("/v1/eap/bills", more).await.refused(422, "nothing-due");
    let again = s.finance.post(&format!("/v1/eap/bills/{}/recalculate", id(&last)), json!({})).await.ok();
    assert_eq!((&again["total"], &again["period_to"]), (&last["total"], &last["period_to"]));
}

#[tokio::test]
async fn a_retainer_ends_with_its_contract_and_an_event_afterwards_is_billed_alone() {
    let s = Stage::set().await;
    let (client, made) = contract(&s, json!({"end_date": "2026-12-22"})).await;
    let event = json!({
        "client": client["id"], "contract": made["id"], "title": "Debriefing", "kind": "critical_incident",
        "starts_at": "2026-12-28T09:00:00Z", "minutes": 90, "fee": {"amount": "75000.00", "currency": "NGN"},
    });
    let event = s.manager.post("/v1/eap/org_services", event).await.created();
    night(&s, "2026-12-23T08:00:00Z").await;
    s.at("2026-12-28T11:00:00Z");
    s.gives("org_services", &event, "hold", json!({"attended": 6})).await.ok();
    night(&s, "2027-02-05T08:00:00Z").await;
    let all = bills(&s, &made).await;
    assert_eq!(all.len(), 2);
    assert_eq!(
        (&all[0]["lines"][0]["label"], &all[0]["total"]["amount"]),
        (&json!("Debriefing"), &json!("75000.00"))
    );
    assert_eq!(all[0]["lines"].as_array().unwrap().len(), 1, "no retainer after the end");
}

#[tokio::test]
async fn a_period_is_billed_once_however_often_the_clock_rings() {
    let s = Stage::contended().await;
    let (_, made) = contract(&s, json!({})).await;
    s.at("2026-12-23T08:00:00Z");
    let row = json!({"type": "due.ecn.bill", "tenant": s.axis.id.prefix(), "id": made["id"], "at": "x"});
    tokio::join!(s.world.hand_over_other(&row), s.world.hand_over_other(&row), s.world.hand_over_other(&row));
    assert_eq!(bills(&s, &made).await.len(), 1);
}
