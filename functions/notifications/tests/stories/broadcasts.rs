//! Messages to many: counted, priced, approved by a second person, sent once.

use crate::stage::Stage;
use serde_json::{Value, json};
use store::{Key, facts};

const PATH: &str = "/v1/notifications/broadcasts";

fn water(more: Value) -> Value {
    let mut body =
        json!({"audience": {"roles": ["nurse"]}, "title": "Water", "body": "The water is off on Monday."});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn a_small_one_is_sent_by_its_author_and_reaches_each_once() {
    let stage = Stage::set().await;
    let admin = stage.staff("Hadiza Bello", "tenant_admin").await;
    let (ada, bola) = (stage.staff("Ada Okafor", "nurse").await, stage.staff("Bola Ahmed", "nurse").await);
    let draft = admin.post(PATH, water(json!({"channels": ["email"]}))).await.created();
    assert_eq!((draft["recipients"].clone(), draft["state"].clone()), (json!(2), json!("draft")));
    assert_eq!(draft["actions"], json!(["send", "cancel"]));
    let send = format!("{PATH}/{}/send", draft["id"].as_str().unwrap());
    admin.post(&send, json!({})).await.ok();
    stage.queue().await;
    // The page comes again, and so does the clock.
    let page = json!({"type": "broadcast.page", "tenant": stage.grace.id.prefix(), "id": draft["id"]});
    stage.world.hand_over_other(&page).await;
    stage.later(5);
    stage.beat().await;
    for person in [&ada, &bola] {
        let inbox = stage.inbox(person).await;
        assert_eq!((inbox.len(), inbox[0]["title"].clone()), (1, json!("Water")));
    }
    assert_eq!(stage.email.all().len(), 2);
    let sent = admin.get(&format!("{PATH}/{}", draft["id"].as_str().unwrap())).await.ok();
    assert_eq!((sent["state"].clone(), sent["told"].clone()), (json!("sent"), json!(2)));
    admin.post(&send, json!({})).await.refused(422, "state");
}

#[tokio::test]
async fn six_hundred_or_an_sms_need_a_second_person_and_the_cost_is_shown_before() {
    let stage = Stage::set().await;
    let store = stage.grace.store().await;
    for page in (0..600).collect::<Vec<_>>().chunks(90) {
        let commit = page.iter().fold(store.commit(), |commit, n| {
            let user = format!("usr_{:026}", n);
            commit.put(&Key::member(facts::MEMBERS, "role~nurse", &user), &json!({"user": user}))
        });
        commit.run().await.unwrap();
    }
    let (author, second) = (stage.grace.staff("tenant_admin"), stage.grace.staff("tenant_admin"));
    let draft = author.post(PATH, water(json!({}))).await.created();
    assert_eq!(draft["recipients"], 600);
    let path = format!("{PATH}/{}", draft["id"].as_str().unwrap());
    author.post(&format!("{path}/send"), json!({})).await.refused(428, "approval-required");
    author.post(&format!("{path}/approve"), json!({})).await.refused(403, "own-request");
    second.post(&format!("{path}/approve"), json!({})).await.ok();
    assert_eq!(author.post(&format!("{path}/send"), json!({})).await.ok()["approved_by"], second.user());
    author.post(&format!("{path}/cancel"), json!({})).await.ok();
    stage.queue().await;
    let told = author.get(&path).await.ok();
    assert_eq!((told["state"].clone(), told["told"].clone()), (json!("cancelled"), json!(0)));
    let sms = author.post(PATH, water(json!({"channels": ["sms"]}))).await.created();
    assert_eq!(sms["cost"], json!({"amount": "2400.00", "currency": "NGN"}));
}

#[tokio::test]
async fn whoever_works_at_one_site_writes_to_that_site() {
    let stage = Stage::set().await;
    let [main, branch] = stage.grace.sites;
    let here = stage.staff_of(&stage.grace, "Ada Okafor", "nurse", &main.to_string()).await;
    let there = stage.staff_of(&stage.grace, "Bola Ahmed", "nurse", &branch.to_string()).await;
    let hr = stage.grace.staff_at("hr", &[0]);
    hr.post(PATH, water(json!({}))).await.refused(422, "audience-out-of-reach");
    let sites = |site| json!({"audience": {"roles": ["nurse"], "sites": [site]}});
    hr.post(PATH, water(sites(branch))).await.refused(422, "audience-out-of-reach");
    let draft = hr.post(PATH, water(sites(main))).await.created();
    assert_eq!(draft["recipients"], 1);
    hr.post(&format!("{PATH}/{}/send", draft["id"].as_str().unwrap()), json!({})).await.ok();
    stage.queue().await;
    assert_eq!((stage.inbox(&here).await.len(), stage.inbox(&there).await.len()), (1, 0));
    stage.grace.staff("nurse").post(PATH, water(json!({}))).await.refused(403, "forbidden");
    let nobody =
        stage.grace.staff("tenant_admin").post(PATH, water(json!({"audience": {"roles": ["doctor"]}}))).await;
    nobody.refused(422, "audience-empty");
}

#[tokio::test]
async fn a_page_that_the_queue_has_lost_is_sent_by_the_clock() {
    let stage = Stage::set().await;
    let admin = stage.staff("Hadiza Bello", "tenant_admin").await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    let draft = admin.post(PATH, water(json!({}))).await.created();
    let path = format!("{PATH}/{}", draft["id"].as_str().unwrap());
    admin.post(&format!("{path}/send"), json!({})).await.ok();
    stage.world.letters.take(web::Queue::Notifications);
    stage.later(1);
    assert_eq!(stage.beat().await, [] as [String; 0], "it may still come");
    assert_eq!(stage.inbox(&ada).await.len(), 0);
    stage.later(2);
    assert_eq!(stage.beat().await, ["due.brd.page"]);
    assert_eq!(stage.inbox(&ada).await[0]["title"], "Water");
    let sent = admin.get(&path).await.ok();
    assert_eq!((&sent["state"], &sent["told"]), (&json!("sent"), &json!(1)));
    stage.later(3);
    assert!(!stage.beat().await.contains(&"due.brd.page".to_string()), "it is over");
}
