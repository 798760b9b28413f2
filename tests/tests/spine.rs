//! The spine across its modules: a paper that ends soon warns its owner by mail and inbox once, whatever fires
//! twice and dies in between; and everything that happened on the way is found in the trail.

use kernel::{Id, Ulid, UserId};
use notifications::{Carrier, Channels, Recorder};
use seal::Sealed;
use serde_json::{Value, json};
use std::sync::Arc;
use store::{Key, facts};
use testkit::{Actor, Tenant, World};
use web::Queue;

struct Scene {
    world: World,
    grace: Tenant,
    email: Arc<Recorder>,
    sms: Arc<Recorder>,
}

impl Scene {
    /// Monday, 23 November 2026, 07:00 in Lagos.
    async fn set() -> Self {
        let clock = kernel::Clock::default();
        let email = Arc::new(Recorder::new("email", clock.clone()));
        let sms = Arc::new(Recorder::new("sms", clock.clone()));
        let (letters, texts): (Arc<dyn Carrier>, Arc<dyn Carrier>) = (email.clone(), sms.clone());
        let channels = Channels { email: letters, sms: texts, ..Channels::nowhere() };
        let modules = vec![
            patients::module(),
            documents::module(),
            notifications::module(channels),
            audit::module(),
            workflow::module(),
        ];
        let world = World::with(modules).await;
        world.clock.set("2026-11-23T06:00:00Z".parse().unwrap());
        let grace = world.hospital("grace").await;
        Self { world, grace, email, sms }
    }

    /// Somebody of staff, published as identity publishes them.
    async fn staff(&self, name: &str, role: &str) -> Actor {
        #[derive(serde::Serialize)]
        struct Contact {
            name: Sealed<String>,
            email: Sealed<String>,
            zone: &'static str,
        }
        let id = UserId::at(self.world.clock.now());
        let contact = Contact { name: name.into(), email: Sealed(address(name)), zone: "Africa/Lagos" };
        let active = json!({"status": "active", "roles": [role], "sites": ["*"]});
        let member = Key::member(facts::MEMBERS, format!("role~{role}"), id);
        let commit = self.grace.store().await.commit().fact(facts::ACTIVE_USER, id, &active);
        let commit = commit.fact(facts::CONTACT, id, &contact).put(&member, &json!({"user": id}));
        commit.run().await.unwrap();
        self.grace.user(id, role, "*")
    }

    /// Events to every module that listens, and what the notifications' own queue got of it, each delivered three
    /// times.
    async fn settles(&self) {
        loop {
            let names = self.world.deliver().await;
            if !names.is_empty() {
                for event in self.world.events().await.iter().filter(|e| e.kind.starts_with("document.")) {
                    self.world.hand_over(event).await;
                    self.world.hand_over(event).await;
                }
            }
            let letters = self.world.letters.take(Queue::Notifications);
            for letter in &letters {
                for _ in 0..3 {
                    self.world.hand_over_other(letter).await;
                }
            }
            if names.is_empty() && letters.is_empty() {
                return;
            }
        }
    }

    async fn at(&self, time: &str) {
        self.world.clock.set(time.parse().unwrap());
        // The schedule fires twice.
        self.world.ring().await;
        self.world.ring().await;
        self.settles().await;
    }

    fn mails(&self, to: &str, word: &str) -> usize {
        self.email
            .all()
            .iter()
            .filter(|m| *m.to == address(to) && m.subject.to_lowercase().contains(word))
            .count()
    }
}

fn address(name: &str) -> String {
    format!("{}@example.org", name.to_lowercase())
}

async fn inbox(who: &Actor, event: &str) -> usize {
    let page = who.get("/v1/notifications?limit=100").await.ok();
    page["data"].as_array().unwrap().iter().filter(|n| n["event"] == event).count()
}

/// A DBS certificate of Ada's that HR has seen, with its end.
async fn certificate(s: &Scene, ada: &Actor, hr: &Actor, ends: &str) -> Value {
    let bytes = b"%PDF-1.7\n% dbs\n%%EOF\n";
    let made = json!({
        "title": "DBS", "category": "dbs_certificate", "number": "001234567890", "file_name": "dbs.pdf",
        "content_type": "application/pdf", "size": bytes.len(), "sha256": hex::encode(seal::sha256(bytes)),
        "subject": ada.user(),
    });
    let made = ada.post("/v1/documents", made).await.created();
    s.world.files.put(made["upload"]["url"].as_str().unwrap(), bytes).unwrap();
    let one = format!("/v1/documents/{}", made["id"].as_str().unwrap());
    ada.post(&format!("{one}/complete"), json!({})).await.ok();
    hr.post(&format!("{one}/verify"), json!({"method": "sight_of_original", "expires_on": ends})).await.ok()
}

#[tokio::test]
async fn a_paper_that_ends_in_thirty_days_warns_its_owner_by_mail_and_inbox_exactly_once() {
    let s = Scene::set().await;
    let (ada, hr) = (s.staff("Ada", "carer").await, s.staff("Hawa", "hr").await);
    certificate(&s, &ada, &hr, "2026-12-31").await;
    s.settles().await;
    assert_eq!(
        inbox(&ada, "document.expiring").await,
        0,
        "38 days: the step of 60 has passed, that of 30 is to come"
    );
    // 30 days before, at eight in Lagos.
    s.at("2026-12-01T06:59:00Z").await;
    assert_eq!(inbox(&ada, "document.expiring").await, 0);
    for minute in ["07:00:01", "07:01:01", "07:09:00"] {
        s.at(&format!("2026-12-01T{minute}Z")).await;
    }
    s.at("2026-12-01T12:00:00Z").await;
    assert_eq!(inbox(&ada, "document.expiring").await, 1, "one item in the inbox");
    assert_eq!(
        s.email.all().iter().filter(|m| *m.to == address("Ada")).count(),
        1,
        "and one mail: {:?}",
        s.email.all()
    );
    assert!(s.mails("Hawa", "") <= 1, "HR hears of it once too");
    let stranger = s.world.hospital("harmony").await.staff("tenant_admin");
    assert_eq!(inbox(&stranger, "document.expiring").await, 0);
}

/// Who, what, when and why of every change that this world has seen, asked of the audit as an auditor would.
#[tokio::test]
async fn every_change_is_found_by_who_what_when_and_why() {
    let s = Scene::set().await;
    let (ada, hr) = (s.staff("Ada", "carer").await, s.staff("Hawa", "hr").await);
    let made = certificate(&s, &ada, &hr, "2026-12-31").await;
    let one = format!("/v1/documents/{}", made["id"].as_str().unwrap());
    hr.call("POST", &format!("{one}/unverify")).body(json!({"reason": "another Ada"})).send().await.ok();
    s.at("2026-11-23T08:00:00Z").await;
    let auditor = s.grace.staff("auditor");
    let mut seen = 0;
    for change in s.world.scan().await {
        let pk = change["pk"].as_str().unwrap();
        let Some(rest) = pk.strip_prefix(&format!("{}#chg#", s.grace.id.prefix())) else { continue };
        let (kind, record) = rest.split_once('#').unwrap();
        let version = &change["version"];
        let (by, action) = (change["by"].as_str().unwrap(), change["action"].as_str().unwrap());
        let by: String = form(by);
        let month = "from=2026-11-22T00:00:00Z&to=2026-11-24T00:00:00Z";
        for asked in [
            format!("record={record}"),
            format!("user={by}&{month}"),
            format!("action={kind}.{action}&{month}"),
            month.to_string(),
        ] {
            let found = all(&auditor, &asked).await;
            let hit = found.iter().find(|c| c["record"] == record && c["version"] == *version);
            assert!(hit.is_some(), "{kind} {record} v{version} by {asked}: {} found", found.len());
        }
        seen += 1;
    }
    assert!(seen >= 5, "{seen} changes");
    let history = all(&auditor, &format!("record={}", made["id"].as_str().unwrap())).await;
    assert!(history.iter().any(|c| c["reason"] == "another Ada"), "and why: {history:#?}");
}

fn form(text: &str) -> String {
    text.replace(':', "%3A").replace('#', "%23")
}

/// Every page of a search.
async fn all(who: &Actor, asked: &str) -> Vec<Value> {
    let (mut found, mut cursor) = (vec![], String::new());
    loop {
        let page = who
            .call("GET", &format!("/v1/audit/changes?limit=100&{asked}{cursor}"))
            .because("a test of the trail")
            .send();
        let page = page.await.ok();
        found.extend(page["data"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

/// A read leaves its entry even when it fails; while entries cannot be kept, nothing is read.
#[tokio::test]
async fn looking_at_a_patient_is_recorded_or_refused() {
    let s = Scene::set().await;
    let desk = s.grace.staff("receptionist");
    let body = json!({"given_names": "Chiamaka", "family_name": "Okafor", "gender": "female", "birth_date": "1991-04-23",
        "phones": [{"number": "0803 123 4567", "use": "mobile"}]});
    let pat = desk.post("/v1/patients", body).await.created()["id"].as_str().unwrap().to_string();
    s.world.letters.take(Queue::Access);
    let missing = format!("pat_{}", Ulid::from_parts(1, 1));
    desk.get(&format!("/v1/patients/{missing}")).await.refused(404, "not-found");
    let entries = s.world.letters.take(Queue::Access);
    assert!(entries.iter().any(|e| e["ids"][0] == missing.as_str()), "{entries:?}");
    s.world.letters.down(true);
    let reply = desk.get(&format!("/v1/patients/{pat}")).await;
    assert_eq!(reply.status, 503);
    let text = String::from_utf8_lossy(&reply.bytes).to_string();
    assert!(!text.contains("Okafor") && !text.contains("Chiamaka") && !text.contains("1991"), "{text}");
    s.world.letters.down(false);
    assert_eq!(desk.get(&format!("/v1/patients/{pat}")).await.ok()["family_name"], "Okafor");
}

/// A rule of the organisation's own, from what happened to the inbox and back: no action stays pending.
#[tokio::test]
async fn a_rule_tells_whom_a_paper_is_about_and_its_log_says_what_became_of_it() {
    let s = Scene::set().await;
    let admin = s.staff("Amaka", "tenant_admin").await;
    let (ada, hr) = (s.staff("Ada", "carer").await, s.staff("Hawa", "hr").await);
    let body = json!({
        "code": "papers", "name": "Papers", "on": ["document.verified"], "when": "event.data.category == 'dbs_certificate'",
        "then": [
            {"kind": "notify", "recipients": [{"kind": "subject"}, {"kind": "actor"}], "text": "A {{ event.data.category }} was seen"},
            {"kind": "notify", "recipients": [{"kind": "assignee"}], "text": "Yours"},
        ],
    });
    let rule = admin.post("/v1/workflow/rules", body).await.created();
    let rule = rule["id"].as_str().unwrap();
    admin.post(&format!("/v1/workflow/rules/{rule}/activate"), json!({"reason": "wanted"})).await.ok();
    certificate(&s, &ada, &hr, "2027-12-31").await;
    s.settles().await;
    for who in [&ada, &hr] {
        assert_eq!(inbox(who, "rule.notify_requested").await, 1, "told once");
    }
    let fired = admin.get(&format!("/v1/workflow/firings?rule={rule}")).await.ok();
    let of = fired["data"][0]["id"].as_str().unwrap();
    let acted = admin.get(&format!("/v1/workflow/firings/{of}")).await.ok()["acted"].clone();
    assert_eq!((&acted[0]["status"], &acted[0]["error"]), (&json!("done"), &json!(null)), "{acted}");
    assert_eq!(
        (&acted[1]["status"], &acted[1]["error"]),
        (&json!("failed"), &json!("the event names nobody as assignee"))
    );
}

/// DOC-6: somebody without a login and without a mailbox signs by telephone.
#[tokio::test]
async fn a_signer_with_a_telephone_gets_link_and_code_by_sms_and_nothing_of_it_lies_open() {
    let s = Scene::set().await;
    let (ada, hr) = (s.staff("Ada", "carer").await, s.staff("Hawa", "hr").await);
    let document = certificate(&s, &ada, &hr, "2027-12-31").await;
    let path = format!("/v1/documents/{}/signatures", document["id"].as_str().unwrap());
    let signers = |more: Value| json!({"signers": [{"name": "Ben Musa", "role": "witness", "phone": more}]});
    let wrong = hr.post(&path, signers(json!("12"))).await;
    assert_eq!(wrong.faults()[0].0, "/signers/0/phone");
    let made = hr.post(&path, signers(json!("0803 123 4567"))).await.created();
    assert_eq!(
        (&made["signers"][0]["auth"], &made["signers"][0]["phone"]),
        (&json!("sms_code"), &json!("+2348031234567"))
    );
    hr.post(&format!("/v1/documents/signatures/{}/send", made["id"].as_str().unwrap()), json!({})).await.ok();
    s.settles().await;
    let last = || s.sms.all().pop().expect("an SMS");
    assert_eq!(
        (last().to.as_str(), s.sms.all().len()),
        ("+2348031234567", 1),
        "once, however often it is handed over"
    );
    let token = last().text.split("/sign/").nth(1).unwrap().trim().to_string();
    let anyone = s.world.stranger();
    anyone.post(&format!("/v1/sign/{token}/code"), json!({})).await.ok();
    let waiting = s.world.letters.take(Queue::Notifications);
    let dump = s.grace.dump().await;
    for letter in &waiting {
        assert!(!letter.to_string().contains("8031234567"), "{letter}");
        s.world.hand_over_other(letter).await;
    }
    let code = last().text[..6].to_string();
    assert!(!dump.contains(&code) && !dump.contains("+2348031234567"), "sealed while it waits");
    let open = anyone.post(&format!("/v1/sign/{token}/open"), json!({"code": code})).await.ok();
    let mark =
        json!({"ticket": open["ticket"], "name": "Ben Musa", "consent": true, "sha256": open["sha256"]});
    assert_eq!(anyone.post(&format!("/v1/sign/{token}/sign"), mark).await.ok()["state"], "signed");
}
