//! EAP-1: client organisations, as the source's endpoints have them.

use crate::stage::{Stage, each, id};
use serde_json::{Value, json};

async fn list(s: &Stage, query: &str) -> Value {
    s.manager.get(&format!("/v1/eap/clients?{query}")).await.ok()
}

/// Story 1.
#[tokio::test]
async fn zenith_is_created_verified_filtered_found_sorted_and_counted() {
    let s = Stage::set().await;
    let industry = s.manager.post("/v1/eap/industries", json!({"name": "Textiles"})).await.created();
    let more = json!({
        "email": "HR@zenith.example", "phone": "+234 803 555 0199", "contact_person": "Tunde Bakare",
        "contact_email": "tunde@zenith.example", "industry": industry["id"], "status": "ACTIVE",
        "preferred_contact_method": "WHATSAPP", "metadata": {"erp": "Z-1"}, "notes": "pays late",
    });
    let zenith = s.client("  Zenith Mills ", more).await;
    s.client("Apex Bank", json!({})).await;
    assert_eq!((&zenith["name"], &zenith["status"]), (&json!("Zenith Mills"), &json!("active")));
    assert_eq!(zenith["join_code"].as_str().unwrap().len(), 8);

    let verified = s.gives("clients", &zenith, "verify", json!({})).await.ok();
    assert_eq!((&verified["is_verified"], &verified["version"]), (&json!(true), &json!(2)));
    let again = s.gives("clients", &zenith, "verify", json!({})).await.ok();
    assert_eq!(again["version"], 2, "a second verification changes nothing");
    assert_eq!(s.events_of(&zenith).await, ["client_org.created", "client_org.verified"]);

    let page = list(&s, "status=active&is_verified=true").await;
    let row = &page["data"][0];
    assert_eq!(each(&page, "name"), ["Zenith Mills"]);
    assert_eq!((&row["industry_name"], &row["active_contracts_count"]), (&json!("Textiles"), &json!(0)));
    for q in ["zen", "hr@zen", "8035550199", "bakare", "tunde@zenith", "mills%20zen"] {
        assert_eq!(each(&list(&s, &format!("q={q}")).await, "name"), ["Zenith Mills"], "{q}");
    }
    assert_eq!(each(&list(&s, "sort=name").await, "name"), ["Apex Bank", "Zenith Mills"]);

    let counselling = s.service("Counselling", "counselling").await;
    let first = s.contract(&zenith, &counselling, json!({})).await;
    s.draft(&zenith, &counselling, json!({})).await;
    let n = store::Key::item("clo", id(&zenith), "n");
    s.axis.store().await.commit().add(&n, "staff_total", 412).run().await.unwrap();
    let stats = s.manager.get(&format!("/v1/eap/clients/{}/stats", id(&zenith))).await.ok();
    let told = json!({"total_contracts": 2, "active_contracts": 1, "total_staff": 412, "is_verified": true});
    assert_eq!(stats, told);
    let number = first["contract_number"].as_str().unwrap();
    assert_eq!(each(&list(&s, &format!("q={number}")).await, "name"), ["Zenith Mills"], "{number}");
    let summary = s.manager.get("/v1/eap/clients/summary").await.ok();
    assert_eq!((&summary["total"], &summary["verified"]), (&json!(2), &json!(1)));
    assert_eq!(summary["by_industry"][id(&industry)], 1);
    let dump = s.axis.dump().await;
    for sealed in ["zenith.example", "Bakare", "pays late", "5550199"] {
        assert!(!dump.to_lowercase().contains(&sealed.to_lowercase()), "{sealed} lies open");
    }
}

/// Every filter of the source with every other and with every order.
#[tokio::test]
async fn filters_and_orders_combine_freely_and_pages_continue_each_other() {
    let s = Stage::set().await;
    let industry = s.manager.post("/v1/eap/industries", json!({"name": "Mining"})).await.created();
    let names = ["Delta", "alpha", "Charlie", "Écho", "Bravo", "Foxtrot"];
    for (n, name) in names.iter().enumerate() {
        let mut more = json!({"is_verified": n % 2 == 0, "status": if n < 4 { "active" } else { "pending" }});
        if n != 5 {
            more["industry"] = industry["id"].clone();
        }
        s.client(name, more).await;
        s.later(60 * 24);
    }
    let ind = format!("industry_id={}", id(&industry));
    for (query, expected) in [
        ("".to_string(), "Foxtrot Bravo Écho Charlie alpha Delta"),
        ("sort=created_at".into(), "Delta alpha Charlie Écho Bravo Foxtrot"),
        ("sort=name".into(), "alpha Bravo Charlie Delta Écho Foxtrot"),
        ("sort=-name".into(), "Foxtrot Écho Delta Charlie Bravo alpha"),
        ("sort=status".into(), "Écho Charlie alpha Delta Foxtrot Bravo"),
        ("sort=-status".into(), "Foxtrot Bravo Écho Charlie alpha Delta"),
        ("status=active".into(), "Écho Charlie alpha Delta"),
        ("status=ACTIVE&sort=name".into(), "alpha Charlie Delta Écho"),
        ("is_verified=true".into(), "Bravo Charlie Delta"),
        ("is_verified=false&sort=-name".into(), "Foxtrot Écho alpha"),
        (ind.clone(), "Bravo Écho Charlie alpha Delta"),
        (format!("{ind}&is_verified=true&sort=name"), "Bravo Charlie Delta"),
        (format!("{ind}&status=pending"), "Bravo"),
        ("created_after=2026-11-24&created_before=2026-11-26".into(), "Écho Charlie alpha"),
        (format!("{ind}&created_after=2026-11-25&sort=created_at"), "Charlie Écho Bravo"),
        ("status=active&is_verified=false&created_before=2026-11-24".into(), "alpha"),
        ("created_after=2026-11-24&created_before=2026-11-26&sort=name".into(), "alpha Charlie Écho"),
        ("created_after=2026-11-24&sort=status".into(), "Écho Charlie alpha Foxtrot Bravo"),
        ("name=ech".into(), "Écho"),
        ("q=bra&status=pending".into(), "Bravo"),
        ("q=bra&status=active".into(), ""),
    ] {
        assert_eq!(each(&list(&s, &query).await, "name").join(" "), expected, "{query}");
        // Two at a time, the same.
        let (mut all, mut cursor) = (vec![], String::new());
        loop {
            let page = list(&s, &format!("{query}&limit=2{cursor}")).await;
            all.extend(each(&page, "name").into_iter().map(String::from));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(all.join(" "), expected, "{query}, by pages");
    }
    s.manager.get("/v1/eap/clients?colour=red").await.refused(400, "validation");
}

/// Story 2.
#[tokio::test]
async fn an_email_belongs_to_one_live_client() {
    let s = Stage::set().await;
    let first = s.client("Zenith", json!({"email": "HR@zenith.example"})).await;
    let body = json!({"name": "Zenith Two", "email": "hr@ZENITH.example"});
    let refused = s.manager.post("/v1/eap/clients", body.clone()).await.refused(409, "duplicate");
    assert!(refused.to_string().contains(&id(&first)), "it names the other: {refused}");
    let path = format!("/v1/eap/clients/{}", id(&first));
    s.manager.delete(&path).await.done();
    s.manager.delete(&path).await.missing();
    s.manager.post("/v1/eap/clients", body).await.created();
    s.gives("clients", &first, "restore", json!({})).await.refused(409, "taken-meanwhile");
    s.manager.patch(&path, json!({})).await.missing();
}

#[tokio::test]
async fn two_creations_with_one_email_at_once_make_one_client() {
    let s = Stage::contended().await;
    let make = |name: &'static str| {
        s.manager.post("/v1/eap/clients", json!({"name": name, "email": "one@zenith.example"}))
    };
    let (a, b) = tokio::join!(make("A"), make("B"));
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
}

#[tokio::test]
async fn everything_that_is_wrong_is_named_at_once() {
    let s = Stage::set().await;
    let body = json!({
        "name": "   ", "email": "no address", "website": "javascript:alert(1)", "timezone": "Mars/Olympus",
        "contacts": [{"name": "A", "role": "hr"}],
    });
    let reply = s.manager.post("/v1/eap/clients", body).await;
    assert_eq!(reply.status, 400);
    let at: Vec<String> = reply.faults().into_iter().map(|(at, _)| at).collect();
    for field in ["/email", "/website"] {
        assert!(at.iter().any(|a| a.starts_with(field)), "{field} of {at:?}");
    }
    let body = json!({
        "name": "  ", "timezone": "Mars/Olympus", "contacts": [{"name": "A", "role": "hr"}], "metadata": {"Bad Key": 1},
    });
    let faults = s.manager.post("/v1/eap/clients", body).await.faults();
    let at: Vec<&str> = faults.iter().map(|(at, _)| at.as_str()).collect();
    assert_eq!(at, ["/contacts", "/metadata/Bad Key", "/name", "/timezone"]);
    let tax = s.manager.post("/v1/eap/clients", json!({"name": "X", "tax_id": "123"})).await;
    assert_eq!(tax.faults(), [("/tax_id".to_string(), "tax-id".to_string())]);
    let industry = json!({"name": "X", "industry": "ind_01ARZ3NDEKTSV4RRFFQ69G5FAV"});
    s.manager.post("/v1/eap/clients", industry).await.refused(422, "unknown-industry");
}

#[tokio::test]
async fn a_put_replaces_what_can_be_set_and_keeps_what_cannot() {
    let s = Stage::set().await;
    let more = json!({"phone": "0803 555 0100", "notes": "n", "tags": ["vip"], "contact_person": "Tunde"});
    let zenith = s.active("Zenith", more).await;
    let path = format!("/v1/eap/clients/{}", id(&zenith));
    let whole = json!({"name": "Zenith Mills", "website": "https://zenith.example"});
    let put = s.manager.call("PUT", &path).body(whole).send().await.ok();
    assert_eq!((&put["name"], &put["status"]), (&json!("Zenith Mills"), &json!("active")));
    assert_eq!(put["join_code"], zenith["join_code"]);
    for gone in ["phone", "notes", "contact_person"] {
        assert_eq!(put[gone], Value::Null, "{gone}");
    }
    assert_eq!((&put["tags"], &put["contacts"]), (&json!([]), &json!([])));
    let by_command = s.manager.patch(&path, json!({"status": "inactive"})).await;
    by_command.refused(422, "by-command");
}

#[tokio::test]
async fn the_contact_fields_and_the_primary_contact_are_one() {
    let s = Stage::set().await;
    let zenith =
        s.client("Zenith", json!({"contact_person": "Tunde", "contact_phone": "0803 555 0100"})).await;
    assert_eq!(zenith["contacts"][0]["name"], "Tunde");
    assert_eq!(zenith["contacts"][0]["is_primary"], true);
    let path = format!("/v1/eap/clients/{}", id(&zenith));
    let contacts = json!({"contacts": [
        {"name": "Bisi", "role": "finance", "is_primary": true, "email": "bisi@zenith.example"},
        {"name": "Tunde", "role": "hr"},
    ]});
    let changed = s.manager.patch(&path, contacts).await.ok();
    let shown = (&changed["contact_person"], &changed["contact_email"], &changed["contact_phone"]);
    assert_eq!(shown, (&json!("Bisi"), &json!("bisi@zenith.example"), &Value::Null));
    let renamed = s.manager.patch(&path, json!({"contact_person": "Bisi Ade"})).await.ok();
    assert_eq!(renamed["contacts"][0]["name"], "Bisi Ade");
    assert_eq!(renamed["contacts"][0]["role"], "finance");
}

#[tokio::test]
async fn a_verification_ends_with_what_was_verified_and_only_some_may_give_it() {
    let s = Stage::set().await;
    let zenith = s.client("Zenith", json!({"is_verified": true})).await;
    assert!(zenith["verified_at"].is_string() && zenith["verified_by"] == s.manager.user());
    let path = format!("/v1/eap/clients/{}", id(&zenith));
    let renamed = s.manager.patch(&path, json!({"name": "Zenith Holdings"})).await.ok();
    assert_eq!((&renamed["is_verified"], &renamed["verified_at"]), (&json!(false), &Value::Null));
    let verified = s.manager.patch(&path, json!({"is_verified": true})).await.ok();
    assert_eq!(verified["is_verified"], true);
    s.gives("clients", &zenith, "unverify", json!({})).await.refused(422, "reason-required");
    let undone = s.gives("clients", &zenith, "unverify", json!({"reason": "papers were forged"})).await.ok();
    assert_eq!(undone["is_verified"], false);
    s.finance.post(&format!("{path}/verify"), json!({})).await.refused(403, "forbidden");
    s.finance.get(&path).await.ok();
    let told = s.auditor.get(&format!("{path}/history")).await.ok();
    assert_eq!(told["data"][0]["reason"], "papers were forged");
    s.auditor.delete(&path).await.refused(403, "forbidden");
}

#[tokio::test]
async fn a_client_with_a_running_contract_is_neither_deactivated_nor_deleted() {
    let s = Stage::set().await;
    let zenith = s.client("Zenith", json!({})).await;
    let service = s.service("Counselling", "counselling").await;
    let draft = s.draft(&zenith, &service, json!({})).await;
    s.gives("contracts", &draft, "activate", json!({})).await.refused(422, "client-inactive");
    s.gives("clients", &zenith, "activate", json!({"reason": "signed"})).await.ok();
    s.gives("contracts", &draft, "activate", json!({})).await.ok();
    let why = json!({"reason": "moved away"});
    s.gives("clients", &zenith, "deactivate", why.clone()).await.refused(409, "in-use");
    let path = format!("/v1/eap/clients/{}", id(&zenith));
    s.manager.delete(&path).await.refused(409, "in-use");
    s.gives("contracts", &draft, "suspend", json!({"reason": "no payment"})).await.ok();
    s.manager.delete(&path).await.refused(409, "in-use");
    s.gives("contracts", &draft, "terminate", why.clone()).await.ok();
    s.gives("clients", &zenith, "deactivate", why).await.ok();
    s.manager.delete(&path).await.done();
    let summary = s.manager.get("/v1/eap/clients/summary").await.ok();
    assert_eq!((&summary["total"], &summary["by_status"]["inactive"]), (&json!(0), &json!(0)));
    let back = s.gives("clients", &zenith, "restore", json!({})).await.ok();
    assert_eq!(back["status"], "inactive");
}

#[tokio::test]
async fn a_contact_sees_their_own_organisation_without_our_notes_and_nothing_of_others() {
    let s = Stage::set().await;
    let zenith = s.client("Zenith", json!({"notes": "pays late", "tags": ["risky"]})).await;
    let apex = s.client("Apex", json!({})).await;
    let hauwa = s.contact_of(&zenith).await;
    let path = format!("/v1/eap/clients/{}", id(&zenith));
    let seen = hauwa.get(&path).await.ok();
    assert_eq!((&seen["name"], &seen["notes"], &seen["tags"]), (&json!("Zenith"), &Value::Null, &json!([])));
    assert_eq!(each(&hauwa.get("/v1/eap/clients").await.ok(), "name"), ["Zenith"]);
    hauwa.get(&format!("{path}/stats")).await.ok();
    hauwa.get(&format!("{path}/history")).await.refused(403, "forbidden");
    hauwa.get(&format!("{path}?at=2026-11-23T08:00:00Z")).await.refused(403, "forbidden");
    for other in ["", "/stats", "/population"] {
        hauwa.get(&format!("/v1/eap/clients/{}{other}", id(&apex))).await.missing();
    }
    hauwa.patch(&path, json!({"name": "Mine"})).await.refused(403, "forbidden");
    s.manager.patch(&path, json!({"contacts": [], "contact_person": null, "contact_email": null})).await.ok();
    hauwa.get(&path).await.missing();
}

#[tokio::test]
async fn the_headcount_is_stated_by_month_and_never_for_one_to_come() {
    let s = Stage::set().await;
    let units = json!({"reporting_units": [{"code": "HQ", "name": "Head office"}]});
    let zenith = s.client("Zenith", units).await;
    let path = format!("/v1/eap/clients/{}/population", id(&zenith));
    let put = async |month: &str, body: Value| {
        s.manager.call("PUT", &format!("{path}/{month}")).body(body).send().await
    };
    put("2026-10", json!({"headcount": 410, "by_unit": {"HQ": 100}})).await.ok();
    put("2026-11", json!({"headcount": 420})).await.ok();
    put("2026-12", json!({"headcount": 420})).await.refused(422, "in-the-future");
    put("2026-13", json!({"headcount": 420})).await.missing();
    put("2026-11", json!({"headcount": 3, "by_unit": {"HQ": 4}})).await.refused(400, "validation");
    put("2026-11", json!({"headcount": 3, "by_unit": {"LAB": 1}})).await.refused(400, "validation");
    let all = s.manager.get(&path).await.ok();
    assert_eq!(each(&all, "month"), ["2026-10", "2026-11"]);
    assert_eq!(
        s.shows("clients", &zenith).await["population"],
        json!({"month": "2026-11", "headcount": 420})
    );
    assert_eq!(each(&s.manager.get(&format!("{path}?from=2026-11")).await.ok(), "month"), ["2026-11"]);
}

#[tokio::test]
async fn a_rotated_code_is_another_one() {
    let s = Stage::set().await;
    let zenith = s.client("Zenith", json!({"tags": ["North", "north ", "VIP"]})).await;
    let rotated = s.gives("clients", &zenith, "join_code", json!({})).await.ok();
    assert_ne!(rotated["join_code"], zenith["join_code"]);
    assert_eq!(each(&list(&s, "tag=vip").await, "name"), ["Zenith"]);
    assert!(each(&list(&s, "tag=south").await, "name").is_empty());
}

#[tokio::test]
async fn budgets() {
    let s = Stage::set().await;
    let industry = s.manager.post("/v1/eap/industries", json!({"name": "Mining"})).await.created();
    s.world.rounds();
    let zenith = s.client("Zenith", json!({"email": "a@b.example", "industry": industry["id"]})).await;
    s.world.spends(1, "create");
    list(&s, "status=pending&sort=name").await;
    s.world.spends(2, "list");
    s.shows("clients", &zenith).await;
    s.world.spends(1, "show");
    s.manager.get(&format!("/v1/eap/clients/{}/stats", id(&zenith))).await.ok();
    s.world.spends(1, "stats");
}
