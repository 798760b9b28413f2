//! EAP-2: contracts begin, are announced, renew, lapse and end on the client's own days.

use crate::stage::{Stage, each, id};
use serde_json::{Value, json};

/// A client in this zone and its contract, activated; `more` overrides the contract's fields.
async fn contract(s: &Stage, zone: &str, more: Value) -> Value {
    let client = s.active(&format!("Client {zone}"), json!({"timezone": zone})).await;
    let service = s.service(&format!("Counselling {zone}"), "counselling").await;
    s.contract(&client, &service, more).await
}

async fn of(s: &Stage, contract: &Value) -> Value {
    s.shows("contracts", contract).await
}

#[tokio::test]
async fn a_contract_takes_the_next_number_and_its_terms_have_defaults() {
    let s = Stage::set().await;
    let made = contract(&s, "Africa/Lagos", json!({})).await;
    let told = of(&s, &made).await;
    assert_eq!(told["contract_number"], "EAP-2026-00001");
    assert_eq!((&told["is_active"], &told["payment_status"]), (&json!(true), &json!("pending")));
    let terms = (&told["session_cap"], &told["cap_scope"], &told["late_cancel_hours"], &told["grace_days"]);
    assert_eq!(terms, (&json!(6), &json!("issue"), &json!(24), &json!(30)));
    let own = json!({"contract_number": "ZM/7", "billing_frequency": "SEMI_ANNUAL"});
    let second = contract(&s, "Europe/London", own.clone()).await;
    assert_eq!(
        (&second["contract_number"], &second["billing_frequency"]),
        (&json!("ZM/7"), &json!("semi_annual"))
    );
    let client = json!({"id": second["client"]});
    let mut body = json!({"client": client["id"], "title": "T", "start_date": "2026-11-23", "end_date": "2026-11-22",
        "billing_amount": {"amount": "-1.00", "currency": "NGN"}, "pricing": "per_capita"});
    let faults = s.manager.post("/v1/eap/contracts", body.clone()).await.faults();
    let at: Vec<&str> = faults.iter().map(|(at, _)| at.as_str()).collect();
    assert_eq!(at, ["/billing_amount", "/end_date", "/rate"]);
    crate::stage::merge(
        &mut body,
        json!({"end_date": "2027-11-22", "pricing": null, "contract_number": "zm/7",
        "billing_amount": {"amount": "1.00", "currency": "NGN"}}),
    );
    s.manager.post("/v1/eap/contracts", body).await.refused(409, "duplicate");
}

/// Story 5, and the words of the order: once, at the period of notice.
#[tokio::test]
async fn without_renewal_the_end_is_announced_four_times_and_the_contract_expires() {
    let s = Stage::set().await;
    let made = contract(&s, "Africa/Lagos", json!({"end_date": "2026-12-31"})).await;
    let client = json!({"id": made["client"]});
    let manager = s.axis.staff("eap_manager");
    let body = json!({"client": client["id"], "staff": manager.user(), "role": "account_manager", "from": "2026-11-01"});
    s.manager.post("/v1/eap/assignments", body.clone()).await.created();
    let another = s.someone();
    let mut taken = body;
    taken["staff"] = another.into();
    s.manager.post("/v1/eap/assignments", taken).await.refused(409, "account-manager-taken");
    for (at, tolls) in [
        ("2026-12-01T06:59:00Z", 0),
        ("2026-12-01T07:00:01Z", 1),
        ("2026-12-01T09:00:00Z", 0),
        // The clock stood still over two of them: told once.
        ("2026-12-25T09:00:00Z", 1),
        ("2026-12-30T07:00:01Z", 1),
        ("2026-12-31T22:59:00Z", 0),
        ("2026-12-31T23:00:01Z", 1),
    ] {
        s.at(at);
        let rang = s.world.ring().await;
        let mine = rang.iter().filter(|n| n.starts_with("due.ecn") && !n.ends_with("bill")).count();
        assert_eq!(mine, tolls, "{at}: {rang:?}");
        s.world.ring().await;
    }
    let told = of(&s, &made).await;
    assert_eq!((&told["status"], &told["is_active"]), (&json!("expired"), &json!(false)));
    let events = s.events_of(&made).await;
    let due = events.iter().filter(|e| *e == "eap_contract.renewal_due").count();
    assert_eq!((due, events.last().unwrap().as_str()), (3, "eap_contract.expired"));
    let first = s.world.events().await.into_iter().find(|e| e.kind == "eap_contract.renewal_due").unwrap();
    assert_eq!((&first.data["days"], &first.data["manager"]), (&json!(30), &json!(manager.user())));
    let stats = s.manager.get(&format!("/v1/eap/clients/{}/stats", id(&client))).await.ok();
    assert_eq!((&stats["total_contracts"], &stats["active_contracts"]), (&json!(1), &json!(0)));
}

/// Story 5, first half.
#[tokio::test]
async fn with_renewal_a_successor_begins_the_day_after_the_end() {
    let s = Stage::set().await;
    let more = json!({"start_date": "2026-11-30", "end_date": "2027-11-29", "auto_renew": true});
    let made = contract(&s, "Africa/Lagos", more).await;
    s.at("2027-11-29T23:00:01Z");
    s.world.ring().await;
    s.world.ring().await;
    let told = of(&s, &made).await;
    assert_eq!(told["status"], "expired");
    let next = of(&s, &json!({"id": told["renewed_by"]})).await;
    assert_eq!(next["contract_number"], "EAP-2026-00001-R1");
    assert_eq!((&next["start_date"], &next["end_date"]), (&json!("2027-11-30"), &json!("2028-11-29")));
    assert_eq!((&next["status"], &next["renewed_from"]), (&json!("active"), &made["id"]));
    assert_eq!(next["is_active"], true);
    assert_eq!(s.events_of(&next).await, ["eap_contract.renewed"]);
    s.at("2028-11-30T00:00:00Z");
    s.world.ring().await;
    let third = of(&s, &json!({"id": of(&s, &next).await["renewed_by"]})).await;
    assert_eq!(third["contract_number"], "EAP-2026-00001-R2");
    let stats =
        s.manager.get(&format!("/v1/eap/clients/{}/stats", made["client"].as_str().unwrap())).await.ok();
    assert_eq!((&stats["total_contracts"], &stats["active_contracts"]), (&json!(3), &json!(1)));
}

/// A day ends where the client is, not where the provider is.
#[tokio::test]
async fn contracts_end_at_the_midnight_of_the_clients_zone() {
    for (zone, end, before, after) in [
        // UTC+14, and UTC-11: a day apart.
        ("Pacific/Kiritimati", "2026-12-31", "2026-12-31T09:59:59Z", "2026-12-31T10:00:01Z"),
        ("Pacific/Pago_Pago", "2026-12-31", "2027-01-01T10:59:59Z", "2027-01-01T11:00:01Z"),
        // The night in which London's clocks go forward.
        ("Europe/London", "2027-03-27", "2027-03-27T23:59:59Z", "2027-03-28T00:00:01Z"),
        ("Europe/London", "2027-03-28", "2027-03-28T22:59:59Z", "2027-03-28T23:00:01Z"),
        // Sao Paulo once skipped midnights; Beirut still does.
        ("Asia/Beirut", "2027-03-27", "2027-03-27T21:59:59Z", "2027-03-27T22:00:01Z"),
        // 29 February of a leap year.
        ("Africa/Lagos", "2028-02-29", "2028-02-29T22:59:59Z", "2028-02-29T23:00:01Z"),
    ] {
        let s = Stage::set().await;
        let made = contract(&s, zone, json!({"end_date": end, "auto_renew": end == "2028-02-29"})).await;
        s.at(before);
        s.world.ring().await;
        assert_eq!(of(&s, &made).await["status"], "active", "{zone} {end} at {before}");
        s.at(after);
        s.world.ring().await;
        let told = of(&s, &made).await;
        assert_eq!(told["status"], "expired", "{zone} {end} at {after}");
        assert_eq!(told["renewed_by"].is_string(), end == "2028-02-29");
    }
}

#[tokio::test]
async fn a_leap_days_contract_renews_through_common_years() {
    let s = Stage::set().await;
    s.at("2028-02-01T08:00:00Z");
    let more = json!({"start_date": "2028-02-29", "end_date": "2029-02-27", "auto_renew": true});
    let mut now = contract(&s, "Africa/Lagos", more).await;
    let mut starts = vec![];
    for year in 2029..=2032 {
        s.at(&format!("{year}-03-05T08:00:00Z"));
        s.world.ring().await;
        let next = of(&s, &now).await["renewed_by"].clone();
        now = of(&s, &json!({"id": next})).await;
        starts.push(now["start_date"].as_str().unwrap().to_string());
    }
    assert_eq!(starts, ["2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]);
}

#[tokio::test]
async fn overlapping_contracts_of_one_service_are_refused_also_at_once() {
    let s = Stage::contended().await;
    let zenith = s.active("Zenith", json!({})).await;
    let (talk, law) =
        (s.service("Counselling", "counselling").await, s.service("Law", "work_life_legal").await);
    let one = s.draft(&zenith, &talk, json!({})).await;
    let two = s.draft(&zenith, &talk, json!({"start_date": "2027-11-22", "end_date": "2028-11-21"})).await;
    let law = s.draft(&zenith, &law, json!({})).await;
    let (a, b) = tokio::join!(
        s.gives("contracts", &one, "activate", json!({})),
        s.gives("contracts", &two, "activate", json!({})),
    );
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{a:?} {b:?}");
    s.gives("contracts", &law, "activate", json!({})).await.ok();
    let loser = if a.status == 200 { &two } else { &one };
    s.gives("contracts", loser, "activate", json!({})).await.refused(409, "contract-overlap");
    let later = if a.status == 200 {
        json!({"start_date": "2027-11-23", "end_date": "2028-11-21"})
    } else {
        json!({"end_date": "2027-11-21"})
    };
    s.manager.patch(&format!("/v1/eap/contracts/{}", id(loser)), later).await.ok();
    s.gives("contracts", loser, "activate", json!({})).await.ok();
}

#[tokio::test]
async fn terms_of_an_activated_contract_change_with_a_reason_and_some_never() {
    let s = Stage::set().await;
    let made = contract(&s, "Africa/Lagos", json!({})).await;
    let path = format!("/v1/eap/contracts/{}", id(&made));
    s.manager.patch(&path, json!({"title": "New words"})).await.ok();
    s.manager.patch(&path, json!({"session_cap": 8})).await.refused(422, "reason-required");
    let call = s.manager.call("PATCH", &path).body(json!({"session_cap": 8})).because("agreed by mail");
    assert_eq!(call.send().await.ok()["session_cap"], 8);
    for fixed in [
        json!({"start_date": "2026-11-24"}),
        json!({"billing_amount": {"amount": "1.00", "currency": "GBP"}}),
        json!({"client": "clo_01ARZ3NDEKTSV4RRFFQ69G5FAV"}),
    ] {
        s.manager.patch(&path, fixed).await.refused(422, "fixed");
    }
    s.manager.delete(&path).await.refused(422, "state");
    let draft =
        s.draft(&json!({"id": made["client"]}), made["services"][0].as_str().unwrap(), json!({})).await;
    let drafted = format!("/v1/eap/contracts/{}", id(&draft));
    s.manager.delete(&drafted).await.done();
    s.manager.post(&format!("{drafted}/restore"), json!({})).await.ok();
    s.finance.patch(&path, json!({"title": "Mine"})).await.refused(403, "forbidden");
}

#[tokio::test]
async fn a_termination_ends_it_today_or_on_its_day() {
    let s = Stage::set().await;
    let made = contract(&s, "Africa/Lagos", json!({"auto_renew": true})).await;
    let other = contract(&s, "Europe/London", json!({"auto_renew": true})).await;
    let yesterday = json!({"effective": "2026-11-22", "reason": "x"});
    s.gives("contracts", &made, "terminate", yesterday).await.refused(422, "range");
    s.gives("contracts", &made, "terminate", json!({})).await.refused(422, "reason-required");
    let now = s.gives("contracts", &made, "terminate", json!({"reason": "insolvent"})).await.ok();
    assert_eq!((&now["status"], &now["end_date"]), (&json!("terminated"), &json!("2026-11-23")));
    let day = json!({"effective": "2026-12-31", "reason": "moved to another provider"});
    let later = s.gives("contracts", &other, "terminate", day).await.ok();
    assert_eq!((&later["status"], &later["end_date"]), (&json!("active"), &json!("2026-12-31")));
    s.at("2027-01-01T00:00:01Z");
    s.world.ring().await;
    let told = of(&s, &other).await;
    assert_eq!((&told["status"], &told["renewed_by"]), (&json!("terminated"), &Value::Null));
    assert_eq!(s.events_of(&told).await.last().unwrap(), "eap_contract.terminated");
    s.gives("contracts", &told, "resume", json!({})).await.refused(422, "state");
}

#[tokio::test]
async fn a_contact_lists_their_own_contracts_without_our_notes() {
    let s = Stage::set().await;
    let zenith = s.active("Zenith", json!({})).await;
    let apex = s.active("Apex", json!({})).await;
    let service = s.service("Counselling", "counselling").await;
    let made = s.contract(&zenith, &service, json!({"notes": "gave a discount"})).await;
    let others = s.contract(&apex, &service, json!({})).await;
    let hauwa = s.contact_of(&zenith).await;
    let page = hauwa.get(&format!("/v1/eap/contracts?client={}", id(&zenith))).await.ok();
    assert_eq!(each(&page, "id"), [id(&made)]);
    assert!(!page.to_string().contains("discount"));
    hauwa.get("/v1/eap/contracts").await.refused(403, "list-too-wide");
    hauwa.get(&format!("/v1/eap/contracts?client={}", id(&apex))).await.missing();
    hauwa.get(&format!("/v1/eap/contracts/{}", id(&others))).await.missing();
    let counsellor = s.axis.staff("eap_provider");
    counsellor.get(&format!("/v1/eap/contracts/{}", id(&made))).await.refused(403, "forbidden");
    let by_status = s.manager.get("/v1/eap/contracts?status=active&from=2027-11-22&to=2027-11-22").await.ok();
    assert_eq!(each(&by_status, "id").len(), 2);
}

/// A client that moves ends its days elsewhere, and so do its contracts.
#[tokio::test]
async fn a_clients_new_zone_is_its_contracts_too() {
    let s = Stage::set().await;
    let made = contract(&s, "Africa/Lagos", json!({"end_date": "2026-12-31"})).await;
    let path = format!("/v1/eap/clients/{}", made["client"].as_str().unwrap());
    s.manager.patch(&path, json!({"timezone": "America/New_York"})).await.ok();
    s.world.deliver().await;
    s.at("2027-01-01T04:59:59Z");
    s.world.ring().await;
    assert_eq!(of(&s, &made).await["status"], "active");
    s.at("2027-01-01T05:00:01Z");
    s.world.ring().await;
    assert_eq!(of(&s, &made).await["status"], "expired");
}

/// Dual approval, where the organisation asks for it.
#[tokio::test]
async fn an_activation_waits_for_a_second_person_where_a_policy_says_so() {
    let s = Stage::set().await;
    let policy = json!({"policies": [{"id": "shipped", "approvers": {"roles": ["tenant_admin"]}, "needed": 1, "expires_hours": 24}]});
    let store = s.axis.store().await;
    let fact = store::facts::APPROVAL_POLICY;
    store.commit().fact(fact, "eap_contract.activate", &policy).run().await.unwrap();
    s.axis.present(&s.manager).await;
    s.axis.present(&s.admin).await;
    let zenith = s.active("Zenith", json!({})).await;
    let service = s.service("Counselling", "counselling").await;
    let draft = s.draft(&zenith, &service, json!({})).await;
    let waits = s.gives("contracts", &draft, "activate", json!({})).await.refused(428, "approval-required");
    assert_eq!(of(&s, &draft).await["status"], "draft");
    let approval =
        waits["approval"]["id"].as_str().or(waits["approval"].as_str()).expect("an approval").to_string();
    let path = format!("/v1/eap/approvals/{approval}/approve");
    assert!(s.manager.post(&path, json!({})).await.status >= 400, "not by whoever asked");
    s.admin.post(&path, json!({})).await.ok();
    assert_eq!(of(&s, &draft).await["status"], "active");
}
