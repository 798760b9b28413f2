//! From each event to the people and the ways that the specification states.

use crate::stage::{Stage, address, phone, words};
use serde_json::{Value, json};
use store::{Key, facts};

#[tokio::test]
async fn a_document_that_expires_tells_its_owner_and_hr_and_no_family() {
    let stage = Stage::set().await;
    let carer = stage.staff("Ada Okafor", "carer").await;
    let hr = stage.staff("Hadiza Bello", "hr").await;
    let family = stage.staff("Femi Okafor", "family").await;
    let data = json!({"document": "doc_1", "category": "enhanced_disclosure", "subject": carer.user(), "days": 30, "expires_on": "2026-12-20"});
    stage.happens(&stage.event("document.expiring", data.clone())).await;
    assert_eq!(
        (stage.inbox(&carer).await.len(), stage.inbox(&hr).await.len(), stage.inbox(&family).await.len()),
        (1, 1, 0)
    );
    assert_eq!(stage.email.all().len(), 2);
    assert!(stage.inbox(&hr).await[0]["body"].as_str().unwrap().contains("(Ada Okafor)"), "hr is told whose");
    assert!(
        !stage.inbox(&carer).await[0]["body"].as_str().unwrap().contains("Ada"),
        "she knows that it is hers"
    );
    // A week before the end it is urgent and comes to the phone too.
    let mut near = data;
    near["days"] = json!(7);
    stage.happens(&stage.event("document.expiring", near)).await;
    let newest = stage.inbox(&carer).await.remove(0);
    assert_eq!(
        (newest["priority"].clone(), newest["rule"].clone()),
        (json!("high"), json!("document_expiring_soon"))
    );
    let mut ways = words(&json!(stage.ways(&carer).await), "channel");
    ways.sort();
    assert_eq!(ways, ["email", "push"]);
}

#[tokio::test]
async fn a_shift_reassigned_in_the_evening_for_the_morning_reaches_the_new_carer_by_sms() {
    let stage = Stage::set().await;
    stage.at("2026-11-20T19:00:00Z");
    let (new, old) = (stage.staff("Ada Okafor", "carer").await, stage.staff("Bola Ahmed", "carer").await);
    let coordinator = stage.staff("Chika Obi", "care_coordinator").await;
    let data = json!({"record": "shf_1", "old_carer": old.user(), "new_carer": new.user(), "coordinator": coordinator.user(),
        "start": "2026-11-21T05:00:00Z", "end": "2026-11-21T13:00:00Z", "site": stage.grace.sites[0]});
    stage.happens(&stage.event("shift.reallocated", data)).await;
    assert_eq!(stage.sms.to(&phone("Ada Okafor")).len(), 1);
    assert!(stage.sms.all()[0].text.contains("21 November 2026, 06:00"), "in her own zone");
    assert_eq!(stage.sms.to(&phone("Bola Ahmed")).len(), 0);
    for (person, wanted) in [
        (&new, "A shift is now yours"),
        (&old, "A shift is no longer yours"),
        (&coordinator, "A shift was reassigned"),
    ] {
        assert_eq!(words(&json!(stage.inbox(person).await), "title"), [wanted]);
    }
}

#[tokio::test]
async fn a_patients_result_names_neither_test_nor_value_outside() {
    let stage = Stage::set().await;
    let patient = stage.patient("Ada Okafor", Value::Null).await;
    let data = json!({"result": "lbr_1", "order": "lbo_1", "patient": patient, "ordered_by": "usr_x", "site": stage.grace.sites[0],
        "test": "hiv_antibody", "value": "reactive"});
    stage.happens(&stage.event("lab_result.released", data)).await;
    let out: Vec<String> = stage
        .sms
        .all()
        .into_iter()
        .chain(stage.email.all())
        .map(|m| format!("{} {}", m.subject, m.text))
        .collect();
    assert_eq!(out.len(), 2);
    for text in out {
        assert!(text.contains("You have a message from grace hospital"), "{text}");
        for word in ["result", "hiv", "reactive", "laboratory", "test"] {
            assert!(!text.to_lowercase().contains(word), "{word}: {text}");
        }
    }
}

#[tokio::test]
async fn a_letter_may_say_more_with_the_persons_recorded_consent() {
    let stage = Stage::set().await;
    let patient = stage.patient("Ada Okafor", Value::Null).await;
    let consent = format!("{patient}~detailed_messages");
    stage
        .grace
        .store()
        .await
        .commit()
        .fact(facts::CONSENT, consent, &json!({"at": "2026-11-01T00:00:00Z"}))
        .run()
        .await
        .unwrap();
    let data = json!({"result": "lbr_1", "order": "lbo_1", "patient": patient, "ordered_by": "usr_x", "site": stage.grace.sites[0]});
    stage.happens(&stage.event("lab_result.released", data)).await;
    assert!(stage.email.all()[0].text.contains("A result of yours has been released"));
    assert!(stage.sms.all()[0].text.contains("You have a message"), "an SMS never says more");
}

/// The beneficiary is told by the module itself, by the way they called safe.
#[tokio::test]
async fn what_is_left_of_a_case_is_told_to_the_counsellor_and_to_nobody_outside() {
    let stage = Stage::set().await;
    let counsellor = stage.staff("Ada Okafor", "eap_provider").await;
    let beneficiary = stage.staff("Bola Ahmed", "beneficiary").await;
    let contact = stage.staff("Chika Obi", "eap_client_contact").await;
    let data = json!({"case": "ecs_1", "counsellor": counsellor.user(), "beneficiary": beneficiary.user(), "left": 1});
    stage.happens(&stage.event("eap_session.balance_low", data)).await;
    assert_eq!((stage.inbox(&counsellor).await.len(), stage.inbox(&beneficiary).await.len()), (1, 0));
    assert_eq!(stage.inbox(&contact).await.len(), 0, "the client's contact never hears of a beneficiary");
}

#[tokio::test]
async fn a_counsellor_and_the_managers_are_told_when_a_licence_ends_and_when_it_has() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "eap_provider").await;
    let (manager, other) =
        (stage.staff("Bola Ahmed", "eap_manager").await, stage.staff("Tunde Bello", "eap_provider").await);
    let due =
        |days: i32| json!({"provider": "epv_1", "user": ada.user(), "expires": "2026-12-20", "days": days});
    for (days, said) in [(30, " ends on 20 December 2026, in 30 days."), (-1, " ended on 20 December 2026.")]
    {
        stage.happens(&stage.event("eap_provider.licence_due", due(days))).await;
        for (who, whose) in [(&ada, "The licence"), (&manager, "The licence of Ada Okafor")] {
            let newest = stage.inbox(who).await.remove(0);
            assert!(newest["body"].as_str().unwrap().starts_with(&format!("{whose}{said}")), "{newest:#}");
        }
    }
    assert_eq!((stage.inbox(&ada).await.len(), stage.inbox(&manager).await.len()), (2, 2));
    assert_eq!(stage.inbox(&other).await.len(), 0);
    assert_eq!(stage.email.to(&address("Ada Okafor")).len(), 2);
}

/// Also where no manager is named on call: every one of them is told at once.
#[tokio::test]
async fn an_urgent_case_that_nobody_is_on_call_for_is_told_to_every_manager() {
    let stage = Stage::set().await;
    let managers =
        [stage.staff("Ada Okafor", "eap_manager").await, stage.staff("Bola Ahmed", "eap_manager").await];
    let data = json!({"case": "ecs_1", "to": "role~eap_manager", "step": 0});
    stage.happens(&stage.event("eap_case.risk_raised", data)).await;
    for manager in &managers {
        assert_eq!(stage.inbox(manager).await.len(), 1);
    }
    assert_eq!(stage.sms.all().len(), 2);
}

#[tokio::test]
async fn a_text_that_may_not_name_the_organisation_leaves_without_a_sender() {
    let stage = Stage::set().await;
    let store = stage.grace.store().await;
    let text = |text: &str| {
        web::Sms::new(&store, "+2348031234567", text.into(), jiff::SignedDuration::from_hours(1))
    };
    text("Your code is 1").send(&stage.world.app, &store).await.unwrap();
    text("Your appointment").unnamed().send(&stage.world.app, &store).await.unwrap();
    for message in stage.world.letters.take(web::Queue::Notifications) {
        stage.world.hand_over_other(&message).await;
    }
    let sent = stage.sms.all();
    let named: Vec<(&str, bool)> = sent.iter().map(|m| (m.text.as_str(), m.from.is_empty())).collect();
    assert_eq!(named, [("Your code is 1", false), ("Your appointment", true)]);
}

#[tokio::test]
async fn each_of_the_seeds_triggers_finds_its_recipient() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "doctor").await;
    let hr = stage.staff("Hadiza Bello", "hr").await;
    let finance = stage.staff("Chika Obi", "finance").await;
    let money = json!({"amount": "1250.00", "currency": "NGN"});
    for (event, data, who, title) in [
        (
            "invoice.due",
            json!({"payer": ada.user(), "number": "I-1", "amount": money, "due_on": "2026-12-01", "days": 7}),
            &ada,
            "An invoice is due",
        ),
        (
            "invoice.overdue",
            json!({"payer": "usr_x", "number": "I-1", "amount": money, "due_on": "2026-11-01", "days": 7}),
            &finance,
            "An invoice is overdue",
        ),
        (
            "licence.expiring",
            json!({"subject": ada.user(), "body": "MDCN", "expires_on": "2026-12-20", "days": 30}),
            &hr,
            "A practising licence expires soon",
        ),
        (
            "training.overdue",
            json!({"learner": ada.user(), "course": "fire_safety", "days": 14, "due_on": "2026-11-06"}),
            &hr,
            "Training is overdue",
        ),
        (
            "report.ready",
            json!({"report": "rep_1", "requester": ada.user(), "name": "occupancy"}),
            &ada,
            "Your report is ready",
        ),
        (
            "job.completed",
            json!({"job": "wrk_1", "requester": ada.user(), "kind": "patients.import", "failed": 2}),
            &ada,
            "Done",
        ),
        (
            "approval.requested",
            json!({"approval": "apv_1", "command": "payroll_run.approve", "requester": hr.user(), "users": [ada.user()], "roles": ["finance"]}),
            &finance,
            "Your approval is asked for",
        ),
        (
            "signature.requested",
            json!({"signature": "sig_1", "document": "doc_1", "asked_users": [ada.user()], "by": "usr_x"}),
            &ada,
            "Your signature is asked for",
        ),
        (
            "task.overdue",
            json!({"task": "tsk_1", "assignee": ada.user(), "due_at": "2026-11-20T08:00:00Z"}),
            &ada,
            "A task is overdue",
        ),
        ("user.locked", json!({"user": ada.user()}), &ada, "Your account is locked"),
    ] {
        stage.happens(&stage.event(event, data)).await;
        let titles = words(&json!(stage.inbox(who).await), "title");
        assert!(titles.contains(&title.to_string()), "{event}: {titles:?}");
        stage.later(20);
    }
    let failed = stage.deliveries("failed").await;
    assert_eq!(failed, [] as [Value; 0]);
}

#[tokio::test]
async fn nobody_is_told_of_what_they_did_themselves() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    let mut event =
        stage.event("task.assigned", json!({"task": "tsk_1", "assignee": ada.user(), "priority": "normal"}));
    event.by = ada.user();
    stage.happens(&event).await;
    assert_eq!(stage.inbox(&ada).await.len(), 0);
}

#[tokio::test]
async fn a_patient_with_a_login_is_told_by_it_and_a_merged_one_by_the_survivor() {
    let stage = Stage::set().await;
    let login = stage.staff("Ada Okafor", "patient").await;
    let survivor = stage.patient("Bola Ahmed", Value::Null).await;
    let (known, merged) =
        (stage.patient("Ada Okafor", Value::Null).await, stage.patient("Old Name", Value::Null).await);
    let store = stage.grace.store().await;
    let commit = store.commit().fact(facts::PATIENT, &known, &json!({"live": true, "user_id": login.user()}));
    commit
        .fact(facts::PATIENT, &merged, &json!({"live": false, "merged_into": survivor}))
        .run()
        .await
        .unwrap();
    for patient in [&known, &merged] {
        let data = json!({"patient": patient, "number": "G-1", "site": stage.grace.sites[0]});
        stage.happens(&stage.event("patient.registered", data)).await;
    }
    assert_eq!(stage.inbox(&login).await.len(), 1);
    assert_eq!(stage.sms.to(&phone("Bola Ahmed")).len(), 1);
    assert_eq!(stage.sms.to(&phone("Old Name")).len(), 0);
}

#[tokio::test]
async fn a_childs_guardian_hears_of_its_appointment_and_family_of_a_dose_only_where_allowed() {
    let stage = Stage::set().await;
    let child = stage.patient("Chidi Eze", Value::Null).await;
    let (mother, uncle) =
        (stage.staff("Ngozi Eze", "guardian").await, stage.staff("Emeka Eze", "family").await);
    let store = stage.grace.store().await;
    let circle = |user: &str| Key::member(facts::CIRCLE, &child, user);
    let commit =
        store.commit().put(&circle(&mother.user()), &json!({"basis": "guardian", "scopes": ["alerts"]}));
    commit.put(&circle(&uncle.user()), &json!({"basis": "family", "scopes": []})).run().await.unwrap();
    let booked = json!({"appointment": "apt_1", "patient": child, "site": stage.grace.sites[0], "start": "2026-11-25T09:00:00Z", "minutes": 30, "sequence": 0});
    stage.happens(&stage.event("appointment.booked", booked)).await;
    assert_eq!(stage.sms.to(&phone("Ngozi Eze")).len(), 1);
    let dose = json!({"dose": "dos_1", "subject": child, "carer": "usr_x", "coordinator": "usr_y", "site": stage.grace.sites[0], "due_at": "2026-11-20T08:00:00Z"});
    stage.happens(&stage.event("dose.missed", dose)).await;
    assert_eq!((stage.inbox(&mother).await.len(), stage.inbox(&uncle).await.len()), (2, 0));
}

#[tokio::test]
async fn roles_at_a_site_are_those_who_work_there() {
    let stage = Stage::set().await;
    let [main, branch] = stage.grace.sites;
    let here = stage.staff_of(&stage.grace, "Ada Okafor", "pharmacist", &main.to_string()).await;
    let there = stage.staff_of(&stage.grace, "Bola Ahmed", "pharmacist", &branch.to_string()).await;
    stage.happens(&stage.event("batch.expiring", json!({"batch": "bat_1", "name": "insulin", "expires_on": "2026-12-01", "days": 11, "site": main}))).await;
    assert_eq!((stage.inbox(&here).await.len(), stage.inbox(&there).await.len()), (1, 0));
}
