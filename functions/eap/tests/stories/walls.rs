//! The promise: nothing that leaves tells who used the programme. Tried as somebody would who wants to know.

use crate::{care::Care, stage::id};
use serde_json::{Value, json};
use testkit::Actor;

/// Every route of the module about a person, with an id that is there and one that is not.
fn routes(real: &Value, session: &Value, person: &Value) -> Vec<(String, String, String)> {
    let absent = |of: &str| format!("{}{}", &of[..4], "01ARZ3NDEKTSV4RRFFQ69G5FAV");
    let of = |path: &str| match path {
        p if p.starts_with("/v1/eap/cases") => id(real),
        p if p.starts_with("/v1/eap/sessions") => id(session),
        p if p.starts_with("/v1/eap/beneficiaries") => id(person),
        _ => String::new(),
    };
    let module = eap::module();
    let about_a_person = |path: &str| {
        ["/v1/eap/cases", "/v1/eap/sessions", "/v1/eap/beneficiaries", "/v1/eap/satisfaction"]
            .iter()
            .any(|p| path == *p || path.starts_with(&format!("{p}/")))
    };
    let routes = module.routes.iter().filter(|r| about_a_person(&r.path) && r.permission().is_some());
    routes
        .map(|r| {
            let real = of(&r.path);
            let there = r.path.replace("{id}", &real).replace("{when}", "pre").replace("{number}", "1");
            let gone = if real.is_empty() { there.clone() } else { there.replace(&real, &absent(&real)) };
            (r.method.to_string(), there.replace("{version}", "1"), gone.replace("{version}", "1"))
        })
        .collect()
}

struct Used {
    c: Care,
    case: Value,
    session: Value,
    person: Value,
}

async fn used() -> Used {
    let c = Care::begin().await;
    let person = c.employee("E1", json!({"name": "Ngozi Canary"})).await;
    let case = c.case(&person, "suicidality").await;
    c.says(&case, "notes", json!({"text": "canary in the note"})).await.created();
    let session = c.books(&case, "2026-12-01T09:00:00Z").await.created();
    Used { c, case, session, person }
}

async fn hears_nothing(u: &Used, who: &Actor) {
    let mut walked = 0;
    for (method, there, gone) in routes(&u.case, &u.session, &u.person) {
        let call = |path: String| {
            let call = who.call(&method, &path);
            async move { call.body(json!({})).send().await }
        };
        u.c.s.world.rounds();
        let there_is = call(there.clone()).await;
        let work = u.c.s.world.rounds();
        let there_is_none = call(gone).await;
        assert_eq!(there_is.status, 404, "{method} {there}: {:#}", there_is.body);
        assert_eq!(stable(&there_is.body), stable(&there_is_none.body), "{method} {there}");
        assert_eq!(work, u.c.s.world.rounds(), "{method} {there}: the same work");
        walked += 1;
    }
    assert!(walked > 30, "{walked} routes");
}

/// Without what names the request itself.
fn stable(body: &Value) -> Value {
    let mut all = body.clone();
    for name in ["instance", "request_id"] {
        all.as_object_mut().unwrap().remove(name);
    }
    all
}

/// Story 12, and "by any route".
#[tokio::test]
async fn a_client_contact_reaches_no_person_by_any_route() {
    let u = used().await;
    let hr = u.c.s.contact_of(&u.c.client).await;
    hears_nothing(&u, &hr).await;
    for query in
        ["q=ngo", "q=canary", "sort=name", "employee_number=E1", "unit=LAG", "deleted=true", "limit=1"]
    {
        hr.get(&format!("/v1/eap/beneficiaries?{query}")).await.missing();
        hr.get(&format!("/v1/eap/cases?{query}")).await.missing();
    }
    // What they may see says nothing of it.
    let client = id(&u.c.client);
    for path in [
        format!("/v1/eap/clients/{client}"),
        format!("/v1/eap/clients/{client}/stats"),
        "/v1/eap/clients".into(),
        format!("/v1/eap/contracts/{}", id(&u.c.contract)),
        format!("/v1/eap/contracts?client={client}"),
        format!("/v1/eap/bills?client={client}"),
        format!("/v1/eap/beneficiary_imports?client={client}"),
    ] {
        let text = hr.get(&path).await.body.to_string();
        for secret in ["Canary", "canary", "suicid", "cases_open", "ben_", "ecs_", "ess_"] {
            assert!(!text.contains(secret), "{path} tells {secret}: {text}");
        }
    }
}

#[tokio::test]
async fn what_a_client_contact_sees_is_the_same_before_and_after_somebody_came() {
    let c = Care::begin().await;
    let person = c.employee("E1", json!({})).await;
    let hr = c.s.contact_of(&c.client).await;
    let client = id(&c.client);
    let looks = async || {
        let mut seen = vec![];
        for path in [
            format!("/v1/eap/clients/{client}"),
            format!("/v1/eap/clients/{client}/stats"),
            "/v1/eap/clients".into(),
            format!("/v1/eap/contracts/{}", id(&c.contract)),
            format!("/v1/eap/contracts?client={client}"),
            format!("/v1/eap/bills?client={client}"),
            "/v1/eap/services".into(),
            format!("/v1/eap/beneficiary_imports?client={client}"),
        ] {
            c.s.world.rounds();
            let reply = hr.get(&path).await;
            seen.push((path, reply.status, stable(&reply.body), c.s.world.rounds()));
        }
        seen
    };
    let before = looks().await;
    let case = c.case(&person, "anxiety").await;
    let session = c.books(&case, "2026-11-24T09:00:00Z").await.created();
    c.s.at("2026-11-24T10:00:00Z");
    c.ends(&session, "complete", json!({})).await.ok();
    c.login_of(&person).await;
    c.s.world.deliver().await;
    let after = looks().await;
    for (b, a) in before.iter().zip(&after) {
        assert_eq!(b, a);
    }
}

/// Story 12: the administrator and finance too.
#[tokio::test]
async fn neither_administrator_nor_finance_nor_auditor_reads_a_case() {
    let u = used().await;
    let path = format!("/v1/eap/cases/{}", id(&u.case));
    for who in [&u.c.s.admin, &u.c.s.finance] {
        who.get(&path).await.missing();
        who.get(&format!("{path}/glass")).await.missing();
        who.post(&format!("{path}/notes"), json!({"text": "x"})).await.missing();
    }
    u.c.s.auditor.get(&path).await.refused(403, "reason-required");
    // With a reason, an auditor sees the head; the manager sees it always. It tells neither whom nor why.
    let head = u.c.s.auditor.call("GET", &path).because("sample of the quarter").send().await.ok();
    for seen in [head, u.c.s.manager.get(&path).await.ok()] {
        let mut names: Vec<&String> = seen.as_object().unwrap().keys().collect();
        names.retain(|n| n.as_str() != "first_contact_at");
        let allowed = [
            "actions",
            "created_at",
            "id",
            "opened_at",
            "provider",
            "reference",
            "sessions",
            "status",
            "updated_at",
            "version",
        ];
        assert_eq!(names, allowed);
    }
    let session = u.c.s.manager.get(&format!("/v1/eap/sessions/{}", id(&u.session))).await.ok();
    assert!(session.get("place").is_none() && session.get("crisis").is_none());
}

#[tokio::test]
async fn a_counsellor_reaches_their_own_cases_alone() {
    let u = used().await;
    let (tunde, path) = (&u.c.tunde.1, format!("/v1/eap/cases/{}", id(&u.case)));
    let other = "/v1/eap/cases/ecs_01ARZ3NDEKTSV4RRFFQ69G5FAV";
    for (method, word) in
        [("GET", ""), ("POST", "/triage"), ("POST", "/close"), ("POST", "/notes"), ("POST", "/reopen")]
    {
        let body = match word {
            "/triage" => json!({"risk": "low"}),
            "/close" => json!({"closure_reason": "other"}),
            "/notes" => json!({"text": "x"}),
            _ => json!({}),
        };
        let there = tunde.call(method, &format!("{path}{word}")).body(body.clone()).send().await;
        let none = tunde.call(method, &format!("{other}{word}")).body(body).send().await;
        assert_eq!((there.status, stable(&there.body)), (404, stable(&none.body)), "{method} {word}");
    }
    tunde.get(&format!("/v1/eap/sessions/{}", id(&u.session))).await.missing();
    tunde.get(&format!("/v1/eap/sessions?case={}", id(&u.case))).await.missing();
    tunde.get(&format!("/v1/eap/beneficiaries/{}", id(&u.person))).await.missing();
    u.c.ada.1.get(&format!("/v1/eap/beneficiaries/{}", id(&u.person))).await.ok();
    tunde.post("/v1/eap/sessions", u.c.session(&u.case, "2026-12-02T09:00:00Z")).await.missing();
    assert_eq!(tunde.get("/v1/eap/cases").await.ok()["data"], json!([]));
    let whose = format!("/v1/eap/cases?counsellor={}", u.c.ada.1.user());
    assert_eq!(tunde.get(&whose).await.status, 400);
    assert_eq!(tunde.get("/v1/eap/cases?who=x").await.status, 400);
    assert_eq!(u.c.s.manager.get("/v1/eap/cases?who=x").await.status, 400);
}

/// Story 12: break-glass.
#[tokio::test]
async fn a_manager_breaks_the_glass_of_one_case_for_four_hours() {
    let u = used().await;
    let path = format!("/v1/eap/cases/{}/glass", id(&u.case));
    u.c.s.manager.get(&path).await.missing();
    // As identity publishes an opening.
    let (user, until) = (u.c.s.manager.user(), u.c.s.world.clock.now() + jiff::SignedDuration::from_hours(4));
    let opening = "brk_01ARZ3NDEKTSV4RRFFQ69G5FAV";
    let key = store::Key::fact(store::facts::GLASS, format!("{user}~{}", id(&u.case)));
    let store = u.c.s.axis.store().await;
    store.commit().put(&key, &json!({"id": opening, "expires_at": until})).run().await.unwrap();
    let seen = u.c.s.manager.call("GET", &path).header("x-break-glass", opening).send().await.ok();
    assert_eq!(
        (&seen["file"]["presenting_issue"], &seen["file"]["beneficiary"]),
        (&json!("suicidality"), &u.person["id"])
    );
    let looked = u.c.s.world.letters.take(web::Queue::Access);
    assert!(
        looked.iter().any(|l| l["action"] == "eap_case.glass" && l["ids"] == json!([u.case["id"]])),
        "{looked:?}"
    );
    u.c.s
        .manager
        .call("GET", &path)
        .header("x-break-glass", "brk_01ARZ3NDEKTSV4RRFFQ69G5FAX")
        .send()
        .await
        .missing();
    let admin = u.c.s.admin.call("GET", &path).header("x-break-glass", opening).send().await;
    admin.missing();
    let history = u.c.s.manager.call("GET", &format!("{path}/history")).header("x-break-glass", opening);
    let seen = history.send().await.ok();
    assert_eq!(seen["data"][0]["action"], "note");
    // Whoever else is kept from cases: by an opening of their own, and no other way.
    for (n, who) in [&u.c.s.admin, &u.c.s.finance, &u.c.s.auditor].into_iter().enumerate() {
        let opening = format!("brk_01ARZ3NDEKTSV4RRFFQ69G5FB{n}");
        let glass = async |rest: &str| {
            who.call("GET", &format!("{path}{rest}")).header("x-break-glass", &opening).send().await
        };
        glass("").await.missing();
        glass("/history").await.missing();
        let key = store::Key::fact(store::facts::GLASS, format!("{}~{}", who.user(), id(&u.case)));
        store.commit().put(&key, &json!({"id": opening, "expires_at": until})).run().await.unwrap();
        assert_eq!(glass("").await.ok()["file"]["presenting_issue"], "suicidality");
        assert_eq!(glass("/history").await.ok()["data"][0]["action"], "note");
        who.post(&format!("/v1/eap/cases/{}/notes", id(&u.case)), json!({"text": "x"})).await.missing();
    }
    u.c.s.later(241);
    u.c.s.manager.call("GET", &path).header("x-break-glass", opening).send().await.missing();
}

#[tokio::test]
async fn a_beneficiarys_id_leads_to_no_case_without_the_clinical_key() {
    let u = used().await;
    let store = u.c.s.axis.store().await;
    let clinical = u.c.s.world.app.vault().under(&store, store::Label::EapClinical).await.unwrap();
    let person: kernel::BeneficiaryId = id(&u.person).parse().unwrap();
    let (known, guessed) =
        (eap::case::person::reference(&clinical, person), eap::case::person::reference(&store, person));
    assert_ne!(known, guessed);
    let dump = u.c.s.axis.dump().await;
    assert!(dump.contains(&known) && !dump.contains(&guessed));
    // No open item names both.
    assert!(!dump.lines().any(|l| l.contains(&id(&u.person)) && (l.contains(&known) || l.contains("ecs_"))));
}

/// Number and birth date are known to the employer: whoever registers with them is let to nothing that is there.
#[tokio::test]
async fn a_client_contact_who_registers_as_an_employee_learns_nothing() {
    let u = used().await;
    let c = &u.c;
    crate::beneficiaries::named(c).await;
    let path = format!("/v1/eap/clients/{}", id(&c.client));
    c.s.manager.patch(&path, json!({"self_registration": "code_and_list"})).await.ok();
    let code = c.s.manager.get(&path).await.ok()["join_code"].clone();
    c.employee("E2", json!({})).await;
    let mut learnt = vec![];
    for (number, issue) in [("E1", "suicidality"), ("E2", "suicidality")] {
        let email = format!("{}@hr.example", number.to_lowercase());
        let wish = json!({
            "organisation": "axis", "join_code": code, "email": email, "employee_number": number, "birth_date": "1990-01-31",
        });
        c.s.world
            .stranger()
            .from(&format!("203.0.113.{}", learnt.len() + 1))
            .post("/v1/eap/register", wish)
            .await
            .accepted();
        for message in c.s.world.letters.take(web::Queue::Eap) {
            c.s.world.hand_over_other(&message).await;
        }
        let text = c.s.world.letters.letters(&email)[0].text.clone();
        let url = text.split_whitespace().find(|w| w.contains("/p/")).unwrap().to_string();
        let spy = c.s.axis.staff("beneficiary");
        spy.post("/v1/eap/register/claim", json!({"token": url})).await.ok();
        c.s.world.rounds();
        let mut seen = vec![];
        for probe in ["/v1/eap/cases", "/v1/eap/sessions", &format!("/v1/eap/cases/{}", id(&u.case))] {
            let reply = spy.get(probe).await;
            seen.push((reply.status, reply.body["data"].clone(), c.s.world.rounds()));
        }
        let opened =
            spy.post("/v1/eap/cases", json!({"service": c.service, "presenting_issue": issue})).await;
        let rounds = c.s.world.rounds();
        let opened = opened.created();
        assert_ne!(opened["id"], u.case["id"]);
        let own = spy.get(&format!("/v1/eap/cases/{}", id(&opened))).await.ok();
        let booked = spy.post("/v1/eap/sessions", c.session(&opened, "2026-12-03T09:00:00Z")).await;
        booked.refused(422, "not-triaged");
        learnt.push((
            seen,
            rounds,
            own.get("sessions").cloned(),
            own["parts"].clone(),
            own["status"].clone(),
        ));
    }
    assert_eq!(learnt[0], learnt[1], "somebody with a case, and somebody without");
}
