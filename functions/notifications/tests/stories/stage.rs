//! What every story begins with: a hospital, its people as facts, events of modules that may not exist yet, and
//! carriers that do what a story asks of them.

use events::Envelope;
use futures::future::BoxFuture;
use jiff::Timestamp;
use kernel::{Id, PatientId, Ulid, UserId};
use notifications::{
    Carrier, Channels, Outgoing, Receipt, Trouble, module,
    socket::{Reached, Sockets},
};
use seal::Sealed;
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};
use store::{Key, facts};
use testkit::{Actor, Back, Keeps, Tenant, World};
use web::Queue;

/// A carrier that keeps what it took, and does first what a story has put in its way.
#[derive(Default)]
pub struct Courier {
    taken: Mutex<Vec<Outgoing>>,
    script: Mutex<VecDeque<Turn>>,
}

#[derive(Clone, Debug)]
pub enum Turn {
    Refuse(Trouble),
    /// Takes the message, and the worker dies before it hears of it.
    Die,
}

impl Keeps for Courier {
    fn keep(self: Arc<Self>) -> Back {
        let (taken, script) = (self.taken.lock().unwrap().clone(), self.script.lock().unwrap().clone());
        Box::new(move || {
            self.taken.lock().unwrap().clone_from(&taken);
            self.script.lock().unwrap().clone_from(&script);
        })
    }
}

impl Courier {
    pub fn script(&self, turns: impl IntoIterator<Item = Turn>) {
        self.script.lock().unwrap().extend(turns);
    }
    pub fn busy(&self, times: usize) {
        let later = Trouble::Later { provider: "courier".into(), code: "busy".into(), after: None };
        self.script(std::iter::repeat_n(Turn::Refuse(later), times));
    }
    pub fn all(&self) -> Vec<Outgoing> {
        self.taken.lock().unwrap().clone()
    }
    pub fn to(&self, address: &str) -> Vec<Outgoing> {
        self.all().into_iter().filter(|m| m.to == address).collect()
    }
}

impl Carrier for Courier {
    fn send<'a>(&'a self, message: &'a Outgoing) -> BoxFuture<'a, Result<Receipt, Trouble>> {
        Box::pin(async move {
            let turn = self.script.lock().unwrap().pop_front();
            if let Some(Turn::Refuse(trouble)) = turn {
                return Err(trouble);
            }
            let id = {
                let mut taken = self.taken.lock().unwrap();
                taken.push(message.clone());
                format!("m{}", taken.len())
            };
            if matches!(turn, Some(Turn::Die)) {
                std::future::pending::<()>().await;
            }
            Ok(Receipt { provider: "courier".into(), id })
        })
    }
}

pub struct Stage {
    pub world: World,
    pub grace: Tenant,
    pub email: Arc<Courier>,
    pub sms: Arc<Courier>,
    pub push: Arc<Courier>,
    pub wires: Arc<Wires>,
}

/// Connections in memory: what was said to each, and whether it was ended.
#[derive(Default)]
pub struct Wires {
    said: Mutex<Vec<(String, Value)>>,
    ended: Mutex<Vec<String>>,
}

impl Keeps for Wires {
    fn keep(self: Arc<Self>) -> Back {
        let (said, ended) = (self.said.lock().unwrap().clone(), self.ended.lock().unwrap().clone());
        Box::new(move || {
            self.said.lock().unwrap().clone_from(&said);
            self.ended.lock().unwrap().clone_from(&ended);
        })
    }
}

impl Wires {
    /// What a connection has heard since the last time this was asked.
    pub fn heard(&self, connection: &str) -> Vec<Value> {
        let mut said = self.said.lock().unwrap();
        let (mine, others) = std::mem::take(&mut *said).into_iter().partition(|(c, _)| c == connection);
        *said = others;
        let mine: Vec<(String, Value)> = mine;
        mine.into_iter().map(|(_, frame)| frame).collect()
    }
    pub fn is_ended(&self, connection: &str) -> bool {
        self.ended.lock().unwrap().iter().any(|c| c == connection)
    }
}

impl Sockets for Wires {
    fn post<'a>(&'a self, connection: &'a str, frame: &'a str) -> BoxFuture<'a, kernel::Result<Reached>> {
        Box::pin(async move {
            if self.is_ended(connection) {
                return Ok(Reached::Gone);
            }
            let frame = serde_json::from_str(frame).expect("JSON");
            self.said.lock().unwrap().push((connection.into(), frame));
            Ok(Reached::Yes)
        })
    }
    fn close<'a>(&'a self, connection: &'a str) -> BoxFuture<'a, kernel::Result<()>> {
        Box::pin(async move {
            self.ended.lock().unwrap().push(connection.into());
            Ok(())
        })
    }
    fn url(&self) -> Option<String> {
        Some("wss://app.test/ws".into())
    }
}

/// A working morning in Lagos.
pub const MORNING: &str = "2026-11-20T09:00:00Z";

impl Stage {
    pub async fn set() -> Self {
        Self::with(None).await
    }
    /// With another way to devices.
    pub async fn pushing(by: Arc<dyn Carrier>) -> Self {
        Self::with(Some(by)).await
    }
    async fn with(way: Option<Arc<dyn Carrier>>) -> Self {
        let (email, sms, push) =
            (Arc::<Courier>::default(), Arc::<Courier>::default(), Arc::<Courier>::default());
        let wires = Arc::<Wires>::default();
        let way = way.unwrap_or_else(|| push.clone());
        let channels = Channels { email: email.clone(), sms: sms.clone(), push: way, sockets: wires.clone() };
        let world = World::with(vec![module(channels)]).await;
        [&email, &sms, &push].into_iter().for_each(|courier| world.beside(courier.clone()));
        world.beside(wires.clone());
        world.clock.set(MORNING.parse().unwrap());
        let grace = world.hospital("grace").await;
        Self { world, grace, email, sms, push, wires }
    }

    pub fn at(&self, time: &str) {
        self.world.clock.set(time.parse().unwrap());
        self.world.app.gates().forget(self.grace.scope());
    }
    pub fn later(&self, minutes: i64) {
        self.world.clock.advance(jiff::SignedDuration::from_mins(minutes));
    }

    /// Somebody of staff, as identity publishes them.
    pub async fn staff(&self, name: &str, roles: &str) -> Actor {
        self.staff_of(&self.grace, name, roles, "*").await
    }
    pub async fn staff_of(&self, tenant: &Tenant, name: &str, roles: &str, site: &str) -> Actor {
        let id = UserId::at(self.world.clock.now());
        let store = tenant.store().await;
        let roles: Vec<&str> = roles.split(' ').collect();
        let active = json!({"status": "active", "roles": roles, "sites": [site]});
        let mut commit = store.commit().fact(facts::ACTIVE_USER, id, &active).fact(
            facts::CONTACT,
            id,
            &Contact::of(name, Some("Africa/Lagos")),
        );
        for role in &roles {
            let key = Key::member(facts::MEMBERS, format!("role~{role}"), id);
            commit = commit.put(&key, &json!({"user": id}));
        }
        commit.run().await.unwrap();
        tenant.user(id, &roles.join(" "), site)
    }

    /// A patient without a login, as the register publishes them.
    pub async fn patient(&self, name: &str, more: Value) -> String {
        let id = PatientId::at(self.world.clock.now());
        let mut contact = Contact::of(name, None);
        contact.language = more["language"].as_str().map(Sealed::from);
        contact.do_not_contact = more["do_not_contact"] == true;
        let store = self.grace.store().await;
        store.commit().fact(facts::CONTACT, id, &contact).run().await.unwrap();
        id.to_string()
    }

    /// Hands an event over as the bus would, and then what our own queue got of it.
    pub async fn happens(&self, event: &Envelope) {
        self.world.hand_over(event).await;
        self.queue().await;
    }

    /// Works through our own queue until it is empty.
    pub async fn queue(&self) {
        loop {
            let messages = self.world.letters.take(Queue::Notifications);
            if messages.is_empty() {
                return;
            }
            for message in messages {
                self.world.hand_over_other(&message).await;
            }
        }
    }

    /// One beat of the clock, and what follows from it.
    pub async fn beat(&self) -> Vec<String> {
        let rung = self.world.ring().await;
        self.queue().await;
        rung
    }

    pub fn event(&self, kind: &str, data: Value) -> Envelope {
        self.event_of(&self.grace, kind, data)
    }
    pub fn event_of(&self, tenant: &Tenant, kind: &str, data: Value) -> Envelope {
        let record = format!("doc_{}", Ulid::new());
        Envelope {
            id: format!("doc#{record}#1"),
            tenant: tenant.id.prefix(),
            kind: kind.into(),
            at: self.world.clock.now().to_string(),
            by: "system:test".into(),
            record,
            version: 1,
            cause: vec![],
            data,
        }
    }

    pub async fn inbox(&self, of: &Actor) -> Vec<Value> {
        of.get("/v1/notifications").await.ok()["data"].as_array().unwrap().clone()
    }
    /// The deliveries of the newest item of somebody's inbox.
    pub async fn ways(&self, of: &Actor) -> Vec<Value> {
        let newest = self.inbox(of).await.remove(0);
        self.ways_of(of, newest["id"].as_str().unwrap()).await
    }
    pub async fn ways_of(&self, of: &Actor, id: &str) -> Vec<Value> {
        of.get(&format!("/v1/notifications/{id}/deliveries")).await.ok()["data"].as_array().unwrap().clone()
    }
    /// Every delivery of the organisation, as an administrator sees them.
    pub async fn deliveries(&self, status: &str) -> Vec<Value> {
        let admin = self.grace.staff("tenant_admin");
        let path = format!("/v1/notifications/deliveries?status={status}");
        admin.get(&path).await.ok()["data"].as_array().unwrap().clone()
    }
}

#[derive(Serialize)]
pub struct Contact {
    pub name: Sealed<String>,
    pub email: Option<Sealed<String>>,
    pub phone: Option<Sealed<String>>,
    pub language: Option<Sealed<String>>,
    pub zone: Option<String>,
    pub do_not_contact: bool,
}

impl Contact {
    pub fn of(name: &str, zone: Option<&str>) -> Self {
        Self {
            name: name.into(),
            email: Some(Sealed(address(name))),
            phone: Some(Sealed(phone(name))),
            language: None,
            zone: zone.map(String::from),
            do_not_contact: false,
        }
    }
}

/// Everybody's address follows from their name.
pub fn address(name: &str) -> String {
    format!("{}@example.org", name.to_lowercase().replace(' ', "."))
}
pub fn phone(name: &str) -> String {
    let digits: String =
        name.bytes().map(|b| char::from(b'0' + b % 10)).chain("0000000".chars()).take(7).collect();
    format!("+234803{digits}")
}

pub fn words(value: &Value, field: &str) -> Vec<String> {
    let all = value.as_array().cloned().unwrap_or_default();
    all.iter().map(|v| v[field].as_str().unwrap_or_default().to_string()).collect()
}

pub fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}
