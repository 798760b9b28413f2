//! TEN-6: what an organisation decides for itself.

use crate::common::scene;
use serde_json::{Value, json};

const SETTINGS: &str = "/v1/tenants/self/settings";

fn at(section: &str) -> String {
    format!("{SETTINGS}/{section}")
}

#[tokio::test]
async fn an_organisation_begins_with_the_defaults_of_its_country() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let admin = home.staff("tenant_admin");
    let locale = admin.get(&at("locale")).await;
    assert_eq!(locale.etag.as_deref(), Some("\"1\""));
    let locale = locale.ok();
    assert_eq!(
        (&locale["time_zone"], &locale["currency"], &locale["language"]),
        (&json!("Africa/Lagos"), &json!("NGN"), &json!("en-NG"))
    );
    let tax = admin.get(&at("tax")).await.ok();
    assert_eq!(
        (&tax["rates"][0]["tax_rate"], &tax["rates"][0]["medical_rate"]),
        (&json!("7.50"), &json!("0.00"))
    );
    assert_eq!(admin.get(&at("scheduling")).await.ok()["appointment_slot_minutes"], 15);
    admin.get(&at("secrets")).await.missing();
    for section in ["brand", "hours", "numbering", "custom_fields", "policies", "ui", "modules", "access"] {
        admin.get(&at(section)).await.ok();
    }
}

#[tokio::test]
async fn what_requests_need_of_the_settings_stands_in_the_gate() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let admin = home.staff("tenant_admin");
    admin.patch(&at("scheduling"), json!({"appointment_slot_minutes": 20})).await.ok();
    admin.patch(&at("policies"), json!({"patients.probable": 80})).await.ok();
    admin.patch(&at("locale"), json!({"time_zone": "Africa/Accra"})).await.ok();
    let gate = home.gate().await;
    assert_eq!(gate.policy("scheduling.appointment_slot_minutes", 0), 20);
    assert_eq!(gate.policy("patients.probable", 70), 80);
    assert_eq!(
        (gate.time_zone.as_str(), gate.settings["locale"], gate.settings["tax"]),
        ("Africa/Accra", 2, 1)
    );
    admin.patch(&at("policies"), json!({"patients.probable": null})).await.ok();
    assert_eq!(home.gate().await.policy("patients.probable", 70), 70, "the default again");
    let names = scene.world.deliver().await;
    assert_eq!(names.iter().filter(|n| *n == "tenant.settings_changed").count(), 4);
}

#[tokio::test]
async fn two_administrators_at_one_section_lose_nothing() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let admin = home.staff("tenant_admin");
    let slot = |minutes: u16| json!({"appointment_slot_minutes": minutes});
    let path = at("scheduling");
    let first = admin.call("PATCH", &path).body(slot(20)).if_match(1).send().await;
    assert_eq!(first.etag.as_deref(), Some("\"2\""));
    admin.call("PATCH", &path).body(slot(30)).if_match(1).send().await.refused(412, "stale");
    assert_eq!(admin.get(&path).await.ok()["appointment_slot_minutes"], 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_administrators_at_two_sections_both_win() {
    let scene = crate::common::contended().await;
    let home = scene.opens("grace", "Basic").await;
    let (one, two) = (home.staff("tenant_admin"), home.staff("tenant_admin"));
    let (scheduling, policies) = (at("scheduling"), at("policies"));
    let (a, b) = tokio::join!(
        one.patch(&scheduling, json!({"appointment_slot_minutes": 45})),
        two.patch(&policies, json!({"patients.probable": 90})),
    );
    a.ok();
    b.ok();
    let gate = home.gate().await;
    assert_eq!(
        (gate.policy("scheduling.appointment_slot_minutes", 0), gate.policy("patients.probable", 0)),
        (45, 90)
    );
}

#[tokio::test]
async fn every_section_refuses_what_makes_no_sense() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let admin = home.staff("tenant_admin");
    let span = |from: &str, to: &str| json!({"from": from, "to": to});
    let cases = [
        ("locale", json!({"time_zone": "Lagos"}), 422, "time-zone"),
        ("locale", json!({"currency": "XXQ"}), 400, "validation"),
        ("locale", json!({"first_weekday": 8}), 400, "validation"),
        ("locale", json!({"timezone": "Africa/Lagos"}), 400, "validation"),
        (
            "tax",
            json!({"rates": [{"from": "2026-01-01", "tax_rate": "100.01", "medical_rate": "0.00"}]}),
            400,
            "validation",
        ),
        ("scheduling", json!({"appointment_slot_minutes": 4}), 400, "validation"),
        ("scheduling", json!({"appointment_slot_minutes": 241}), 400, "validation"),
        (
            "hours",
            json!({"operating_hours": {"monday": [span("08:00", "12:00"), span("11:00", "13:00")]}}),
            400,
            "validation",
        ),
        ("hours", json!({"operating_hours": {"monday": [span("08:00", "08:00")]}}), 400, "validation"),
        ("policies", json!({"patients.probable": 101}), 400, "validation"),
        ("policies", json!({"patients.probabel": 70}), 400, "validation"),
        ("numbering", json!({"patient": {"format": "PT-{YYYY}"}}), 422, "format"),
        ("numbering", json!({"patient": {"reset": "month"}}), 422, "format"),
        ("ui", json!({"wizard": ["queue"]}), 400, "validation"),
        ("modules", json!({"switched": {"teleportation": true}}), 422, "module-unknown"),
        ("modules", json!({"switched": {"audit": false}}), 422, "module-core"),
        ("access", json!({"cors_origins": ["http://grace.example"]}), 400, "validation"),
        ("access", json!({"api_allow": ["10.0.0.0/33"]}), 400, "validation"),
        ("brand", json!({"colours": {"primary": "blue"}}), 400, "validation"),
    ];
    for (section, body, status, code) in cases {
        let reply = admin.patch(&at(section), body.clone()).await;
        assert_eq!((reply.status, reply.code()), (status, code), "{section} {body}: {:#}", reply.body);
    }
    assert!(home.gate().await.settings.values().all(|v| *v == 1), "nothing was written");
    let night = json!({"operating_hours": {"friday": [span("08:00", "12:00"), span("20:00", "04:00")]}});
    admin.patch(&at("hours"), night).await.ok();
}

#[tokio::test]
async fn a_module_is_switched_off_and_on_inside_what_the_plan_gives() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let admin = home.staff("tenant_admin");
    admin.patch(&at("modules"), json!({"switched": {"scheduling": false}})).await.ok();
    let gate = home.gate().await;
    assert_eq!(gate.module("scheduling").unwrap_err().code(), "module-off");
    let refusal = admin
        .patch(&at("modules"), json!({"switched": {"training": true}}))
        .await
        .refused(403, "module-not-licensed");
    assert_eq!(
        (&refusal["module"], &refusal["plans"]),
        (&json!("training"), &json!(["Enterprise", "Professional"]))
    );
    admin.post("/v1/tenants/self/subscription", json!({"plan": scene.plan("Professional")})).await.ok();
    let gate = home.gate().await;
    assert!(gate.licensed.contains(&"training".into()), "the larger plan gives it");
    assert_eq!(
        gate.module("scheduling").unwrap_err().code(),
        "module-off",
        "what was switched off stays off"
    );
    admin.patch(&at("modules"), json!({"switched": {"scheduling": true}})).await.ok();
    assert!(home.gate().await.module("scheduling").is_ok());
    assert!(scene.world.deliver().await.contains(&"modules.switched".to_string()));
}

#[tokio::test]
async fn a_custom_field_is_retired_and_never_reused() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let admin = home.staff("tenant_admin");
    let path = at("custom_fields");
    let tribe =
        json!({"key": "x_tribe", "label": "Tribe", "type": "choice", "options": ["Igbo", "Yoruba", "Hausa"]});
    let note = json!({"key": "x_note", "label": "Note", "type": "text"});
    let made = admin.patch(&path, json!({"pat": [tribe, note]})).await.ok();
    assert_eq!(made["pat"][1]["sealed"], true, "text is sealed unless it says otherwise");
    let with = |change: fn(&mut Value)| {
        let mut fields = made["pat"].clone();
        change(&mut fields);
        json!({"pat": fields})
    };
    let refused =
        async |change: fn(&mut Value)| admin.patch(&path, with(change)).await.refused(409, "field-retired");
    refused(|f| f[0]["type"] = "multi".into()).await;
    refused(|f| drop(f.as_array_mut().unwrap().remove(0))).await;
    refused(|f| f[1]["sealed"] = false.into()).await;
    admin.patch(&path, with(|f| f[0]["retired"] = true.into())).await.ok();
    refused(|f| f[0]["retired"] = false.into()).await;
    for (change, what) in [
        ((|f: &mut Value| f[0]["key"] = "tribe".into()) as fn(&mut Value), "a key without x_"),
        (|f| f[0]["options"] = json!([]), "a choice without options"),
        (|f| f[1]["key"] = "x_tribe".into(), "one key twice"),
    ] {
        assert_eq!(admin.patch(&path, with(change)).await.status, 400, "{what}");
    }
    admin.patch(&path, json!({"zzz": []})).await.refused(400, "validation");
}

#[tokio::test]
async fn a_format_is_tried_before_it_is_kept() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let admin = home.staff("tenant_admin");
    let year = scene.world.clock.now().in_tz("Africa/Lagos").unwrap().year();
    let preview = at("numbering/preview");
    let shown = admin.post(&preview, json!({"format": "{FAC}/{YYYY}/{SEQ:6}", "next": 99})).await.ok();
    let wanted: Vec<String> = (99..102).map(|n| format!("GRACE/{year}/{n:06}")).collect();
    assert_eq!(shown["examples"], json!(wanted));
    admin.post(&preview, json!({"format": "{FAC}/{YYYY}"})).await.refused(422, "format");
    admin.post(&preview, json!({"format": "{FOO}-{SEQ:3}"})).await.refused(422, "format");
    let store = home.store().await;
    admin.patch(&at("numbering"), json!({"patient": {"next": 500}})).await.ok();
    assert_eq!(
        store.next_number("patient", year).await.unwrap(),
        500,
        "counting goes on from another system's"
    );
    admin.patch(&at("numbering"), json!({"patient": {"next": 100}})).await.refused(409, "number-used");
    assert_eq!(store.next_number("patient", year).await.unwrap(), 501);
}

#[tokio::test]
async fn staff_see_the_basics_and_change_nothing() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    home.staff("tenant_admin")
        .patch(&at("ui"), json!({"receptionist": ["billing"], "doctor": ["stock"]}))
        .await
        .ok();
    let desk = home.staff("receptionist");
    desk.get(&at("locale")).await.ok();
    desk.get(&at("hours")).await.ok();
    let ui = desk.get(&at("ui")).await.ok();
    assert_eq!((&ui["receptionist"], ui.get("doctor")), (&json!(["billing"]), None), "only one's own role");
    desk.get(&at("policies")).await.refused(403, "forbidden");
    desk.patch(&at("hours"), json!({})).await.refused(403, "forbidden");
    home.staff("auditor").get(&at("policies")).await.ok();
    scene.admin.get(&at("locale")).await.refused(403, "tenant-context-required");
}

#[tokio::test]
async fn reading_a_section_is_one_look_and_changing_it_two() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let admin = home.staff("tenant_admin");
    admin.get(&at("locale")).await.ok();
    scene.world.trips();
    admin.get(&at("locale")).await.ok();
    scene.world.calls(1, "a look");
    admin.patch(&at("scheduling"), json!({"appointment_slot_minutes": 25})).await.ok();
    scene.world.calls(2, "a change");
}

#[tokio::test]
async fn the_organisation_changes_its_name_with_a_reason_and_the_register_follows() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let admin = home.staff("tenant_admin");
    let path = "/v1/tenants/self/organisation";
    admin.patch(path, json!({"city": "Abuja"})).await.ok();
    admin.patch(path, json!({"name": "Grace Teaching Hospital"})).await.refused(422, "reason-required");
    let named = admin
        .call("PATCH", path)
        .body(json!({"name": "Grace Teaching Hospital"}))
        .because("upgraded by the state")
        .send()
        .await;
    named.ok();
    admin.patch(path, json!({"country": "GB"})).await.refused(400, "validation");
    assert!(scene.world.deliver().await.contains(&"organisation.changed".to_string()));
    assert_eq!(home.entry().await["name"], "Grace Teaching Hospital");
    assert_eq!(home.gate().await.name, "Grace Teaching Hospital");
    let card = home.staff("receptionist").get(path).await.ok();
    assert_eq!((&card["name"], card.get("email")), (&json!("Grace Teaching Hospital"), None), "a card only");
}
