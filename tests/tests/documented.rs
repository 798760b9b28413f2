//! Every answer is what the document says it is: to everybody of a house in which there is something of everything.

use journeys::{
    Senders,
    documented::difference,
    house::{House, MORNING, is_personal},
    probe::Resources,
    with_ways_out,
};
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc};
use testkit::{Reply, World};
use web::{Door, Route};

struct Document {
    whole: Value,
    faults: BTreeSet<String>,
    looked_at: usize,
}

impl Document {
    /// Notes what of an answer is not as documented.
    fn judge(&mut self, route: &Route, reply: &Reply, who: &str) {
        let operation = &self.whole["paths"][&route.path][route.method.as_str().to_lowercase()];
        let responses = &operation["responses"];
        let status = reply.status.to_string();
        let documented = match (&responses[&status], reply.status) {
            (Value::Null, 400..) => &self.whole["components"]["responses"]["Problem"],
            (found, _) => found,
        };
        self.looked_at += 1;
        let place = format!("{} {}", route.method, route.path);
        if documented.is_null() {
            self.faults.insert(format!("{place}: {status} is not documented"));
            return;
        }
        let media = if reply.status < 400 { "application/json" } else { "application/problem+json" };
        let schema = &documented["content"][media]["schema"];
        if let Some(found) = difference(&reply.body, schema, &self.whole) {
            self.faults.insert(format!("{place} → {status} ({who}): {found}"));
        }
    }
}

#[tokio::test]
async fn every_answer_to_everybody_is_as_the_document_says() {
    let senders = Arc::<Senders>::default();
    let modules = with_ways_out(senders.channels(), senders.clone());
    let whole = web::openapi::document("Lumina", "1", &modules);
    let routes: Vec<Route> = modules.iter().flat_map(|m| m.routes.clone()).collect();
    let world = World::with(modules).await;
    world.clock.set(MORNING.parse().unwrap());
    let house = House::furnish(&world, "grace", "Quibrello", "4417731").await;
    world.deliver().await;
    let mut document = Document { whole, faults: BTreeSet::new(), looked_at: 0 };
    let own = Resources::of(&house, &routes).await;
    let roles = testkit::roles().filter(|r| is_personal(r)).map(|r| (r, house.tenant.staff(r)));
    let all = [("everybody", house.everybody())].into_iter().chain(roles).chain(house.people.clone());
    for (role, who) in all {
        for route in routes.iter().filter(|r| r.method == "GET" && r.door != Door::Public) {
            let Some(values) = own.values(&route.path) else { continue };
            // Whoever is turned away is told the same everywhere: that is another test's.
            let holds = |p| testkit::rule(p).is_some_and(|r| r.grant(role).is_some());
            if role != "everybody" && !route.permission().is_some_and(holds) {
                continue;
            }
            let path = journeys::probe::fill(&route.path, &values);
            let reply = who.call("GET", &path).because("looked at").send().await;
            document.judge(route, &reply, role);
        }
    }
    for asked in &house.asked {
        let fits =
            |r: &&Route| r.method == asked.method.as_str() && journeys::probe::fits(&r.path, &asked.path);
        let Some(route) = routes.iter().filter(fits).min_by_key(|r| r.path.matches('{').count()) else {
            continue;
        };
        let body = asked.answer.clone();
        let reply = Reply {
            status: route.status,
            bytes: vec![],
            headers: Default::default(),
            etag: None,
            retry_after: None,
            asked: asked.path.clone(),
            body,
        };
        document.judge(route, &reply, asked.who);
    }
    println!("COUNTED {} answers", document.looked_at);
    let told: Vec<_> = document.faults.iter().cloned().collect();
    assert!(told.is_empty(), "{} are not as documented:\n{}", told.len(), told.join("\n"));
    assert!(document.looked_at > 1_000, "{} answers", document.looked_at);
}
