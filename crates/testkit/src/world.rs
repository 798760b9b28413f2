//! A world of a test's own: table, keys, letterbox, clock, and the modules under test.

mod spent;

use crate::{
    Actor, Cabinet, Judge, Keeps, Letterbox, Session, Tenant, chance,
    doubles::{files::Pen, judged, keys::Keys},
    meter::{self, Ledger},
    proof::{
        chaos::Chaos,
        proving::{self, Proving, Work, consumed},
        rest,
        simulation::{self, Delivery},
        state::Keeper,
        whole,
    },
    table,
    table::{
        trips::Trips,
        turnstile::{Traffic, Turnstile},
    },
};
use authz::Edition;
use axum::Router;
use events::Envelope;
use kernel::Clock;
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};
use store::{Vault, sdk, sdk::types::AttributeValue as Av};
use tokio::runtime::Handle;
use tower::ServiceExt;
use web::{App, Message, Module, Place, Ports};

#[derive(Clone)]
pub struct World {
    pub app: App,
    pub clock: Clock,
    pub letters: Arc<Letterbox>,
    pub files: Arc<Cabinet>,
    pub modules: Arc<Vec<Module>>,
    router: Router,
    table: sdk::Client,
    trips: Trips,
    chaos: Option<Chaos>,
    proving: Option<Proving>,
    turnstile: Turnstile,
    end: Arc<End>,
    ledger: Arc<Ledger>,
    keys: Arc<Keys>,
    delivered: Arc<Mutex<BTreeSet<String>>>,
}

impl World {
    /// With the modules under test.
    pub async fn with(modules: Vec<Module>) -> Self {
        Self::build(modules, Traffic::OneByOne, None, &Handle::current()).await
    }
    /// For measuring: things happen at once and nothing is held up, and the table engine has a runtime of its own, so
    /// that its work can be told apart.
    pub async fn measured(modules: Vec<Module>, runtime: &Handle) -> Self {
        Self::build(modules, Traffic::Free, None, runtime).await
    }
    /// The same, where transactions contend as they do in the cloud.
    pub async fn contended(modules: Vec<Module>) -> Self {
        Self::build(modules, Traffic::Contended, None, &Handle::current()).await
    }
    /// With somebody who judges every call to the table by the credentials that it is made with, as IAM does.
    pub async fn judged(modules: Vec<Module>, judge: Judge) -> Self {
        Self::build(modules, Traffic::OneByOne, Some(judge), &Handle::current()).await
    }

    async fn build(modules: Vec<Module>, traffic: Traffic, judge: Option<Judge>, runtime: &Handle) -> Self {
        let contended = traffic == Traffic::Contended;
        let _ = tracing_subscriber::fmt().with_env_filter("warn").with_test_writer().try_init();
        let (table, clock, letters) = (
            table::open(traffic, proving::is_on(), runtime).await,
            proving::clock(),
            Arc::new(Letterbox::default()),
        );
        let client = table.client.clone();
        let keeper = Keeper::new(table.database, table.layer.written.clone());
        let keys = Arc::new(Keys::default());
        let with = move |session| match &judge {
            Some(judge) => judged::client(&client, session, judge),
            None => client.clone(),
        };
        let spanning = with.clone();
        let vault =
            Vault::new(table::NAME, move |scope| with(Session::Of(scope)), keys.clone(), clock.clone())
                .spanning(move |tenant| spanning(Session::Spanning(tenant)));
        let place = Place {
            stage: "test".into(),
            region: "af-south-1".into(),
            backup_region: None,
            public_url: "https://app.test".into(),
        };
        let (files, signer) = (Arc::new(Cabinet::new(clock.clone())), Arc::new(Pen::default()));
        let ports = Ports { files: files.clone(), signer, ..Ports::new(letters.clone(), letters.clone()) };
        let app = App::new(vault, ports, place);
        app.pace().off(true);
        let router = routes(&modules, &app);
        // Where transactions contend, requests come at once: faults are for the worlds without.
        let modules = Arc::new(modules);
        let proving = Proving::of(&keeper, &table.layer, &table.trips, &app, &modules).filter(|_| !contended);
        if let Some(proving) = &proving {
            proving.beside(letters.clone());
            proving.beside(files.clone());
        }
        let chaos = Chaos::of(&table.trips, &app);
        let counted = !contended && chaos.is_none() && proving.is_none();
        Self {
            ledger: Arc::new(Ledger::of(&modules, !counted)),
            chaos,
            app,
            clock,
            letters,
            files,
            modules,
            router,
            table: table.client,
            trips: table.trips,
            proving,
            turnstile: Turnstile::new(traffic),
            end: Arc::new(End { keeper, unread: AtomicBool::new(traffic == Traffic::Free) }),
            keys,
            delivered: Arc::default(),
        }
    }

    pub async fn hospital(&self, slug: &str) -> Tenant {
        Tenant::open(self, slug, Edition::Hospital).await
    }
    pub async fn clinic(&self, slug: &str) -> Tenant {
        Tenant::open(self, slug, Edition::Clinic).await
    }

    /// A provider of employee assistance.
    pub async fn programme(&self, slug: &str) -> Tenant {
        Tenant::open(self, slug, Edition::Eap).await
    }

    pub fn actor(&self, claims: Value) -> Actor {
        let claims: Map<String, Value> = claims.as_object().expect("claims").clone();
        Actor {
            router: self.router.clone(),
            chaos: self.chaos.clone(),
            proving: self.proving.clone(),
            turnstile: self.turnstile.clone(),
            ledger: self.ledger.clone(),
            claims,
            ip: "196.6.103.10".into(),
            token: true,
            api_key: None,
        }
    }
    /// Somebody without a token.
    pub fn stranger(&self) -> Actor {
        Actor {
            router: self.router.clone(),
            chaos: self.chaos.clone(),
            proving: self.proving.clone(),
            turnstile: self.turnstile.clone(),
            ledger: self.ledger.clone(),
            claims: Map::new(),
            ip: "203.0.113.7".into(),
            token: false,
            api_key: None,
        }
    }
    /// An operator of the platform.
    pub fn operator(&self, operator: &str, roles: &str) -> Actor {
        self.actor(json!({
            "token_use": "access", "tenant": "platform", "user": operator, "roles": roles, "sites": "*", "modules": "*",
            "gen": "1", "client": "platform", "scope": "api/use", "origin_jti": format!("ses-{operator}"),
        }))
    }

    /// From here on without chaos and faults: what stages faults of its own, or tells what a cache still holds.
    pub fn calm(&self) {
        if let Some(chaos) = &self.chaos {
            chaos.end();
        }
        if let Some(proving) = &self.proving {
            proving.end();
        }
    }
    /// Another system's double: what it holds goes back with the table while faults are tried.
    pub fn beside(&self, double: Arc<dyn Keeps>) {
        if let Some(proving) = &self.proving {
            proving.beside(double);
        }
    }
    /// This story leaves a table that is not whole, and means to.
    pub fn leaves_it_broken(&self) {
        self.end.unread.store(true, Relaxed);
    }
    /// From here on no request is held to its budget, and none is counted: for those who measure time.
    pub fn quiet(&self) {
        self.ledger.rest();
    }
    /// The next answers of the table are lost after it has done the work.
    pub fn lose_answers(&self, count: u64) {
        self.calm();
        self.trips.lose(count);
    }
    /// The next answers (after the lost ones) say that the table is throttled.
    pub fn throttle_answers(&self, count: u64) {
        self.calm();
        self.trips.throttle(count);
    }
    /// The table itself and its name, for tampering with what lies there.
    pub fn table(&self) -> (&sdk::Client, &'static str) {
        self.leaves_it_broken();
        (&self.table, table::NAME)
    }

    /// The key service does not answer the next times it is asked for a new key.
    pub fn refuse_keys(&self, times: u64) {
        self.keys.refuse(times);
    }

    /// Delivers every event that was written and not delivered yet, in the order of its time, until nothing
    /// follows from them any more. Returns the names.
    pub async fn deliver(&self) -> Vec<String> {
        self.simulated(vec![], true, Box::pin(self.deliver_in_order())).await
    }

    async fn deliver_in_order(&self) -> Vec<String> {
        let mut names = vec![];
        loop {
            let mut fresh = self.events().await;
            fresh.retain(|e| {
                self.delivered.lock().expect("never poisoned").insert(format!("{}|{}", e.tenant, e.id))
            });
            if fresh.is_empty() {
                return names;
            }
            for event in fresh {
                names.push(event.kind.clone());
                self.hand_over_event(&event).await;
            }
        }
    }

    /// What the story hands over, and then, if it is asked for, all that queues could make of it.
    fn simulated<'a, T: Send + 'a>(
        &'a self,
        bodies: Vec<Value>,
        follow: bool,
        plain: Work<'a, T>,
    ) -> Work<'a, T> {
        let proving = self.proving.as_ref().filter(|proving| simulation::is_on() && !proving.is_over());
        let Some(proving) = proving else { return plain };
        Box::pin(async move {
            let (begun, before) = (chance::begins(), proving.beginning());
            let delivered = self.delivered.lock().expect("never poisoned").clone();
            let told = plain.await;
            let after = proving.moment();
            let delivery = Delivery { world: self, proving, begun, bodies, follow, delivered, before, after };
            delivery.simulate().await;
            told
        })
    }

    /// Hands one event to every module, as its queue would.
    pub async fn hand_over(&self, event: &Envelope) {
        let body = serde_json::to_value(event).expect("an event is JSON");
        self.simulated(vec![body], false, Box::pin(self.hand_over_event(event))).await;
    }

    async fn hand_over_event(&self, event: &Envelope) {
        let message = Message::Event(event.clone());
        for module in self.modules.iter() {
            let handled = self.consume(module, &message).await;
            handled.unwrap_or_else(|e| panic!("{} on {}: {e:?}", module.name, event.kind));
        }
    }

    /// As the module's queue would: with chaos, the first worker dies in between and the message comes again.
    async fn consume(&self, module: &Module, message: &Message) -> kernel::Result<()> {
        let name = match message {
            Message::Event(event) => &event.kind,
            Message::Other(value) => value["type"].as_str().unwrap_or_default(),
        };
        if let Some(proving) = &self.proving {
            let heard = module.hears(name).then(|| format!("{} <- {name}", module.name));
            let work =
                || -> Work<'_, kernel::Result<()>> { Box::pin(web::consume(module, &self.app, message)) };
            return proving.work(heard, true, work, consumed).await;
        }
        if let Some(chaos) = &self.chaos {
            return chaos.twice(|| web::consume(module, &self.app, message)).await;
        }
        // Faults and chaos let one at a time through.
        let _inside = module.hears(name).then(|| self.turnstile.enter(module.name));
        let (handled, tally) = meter::of(Box::pin(web::consume(module, &self.app, message))).await;
        self.ledger.message(module.name, name, 1, &tally);
        handled
    }

    /// Hands every due row up to now to its module, as the clock would; returns what was due.
    pub async fn ring(&self) -> Vec<String> {
        let due = self.due().await;
        let names = due.iter().map(|m| m["type"].as_str().unwrap_or_default().to_string()).collect();
        let in_order = Box::pin(async {
            for message in &due {
                self.hand_over_one(message).await;
            }
        });
        self.simulated(due.clone(), false, in_order).await;
        names
    }

    async fn due(&self) -> Vec<Value> {
        let now = store::stamp(self.clock.now());
        let mut due = vec![];
        for item in self.scan().await {
            let (Some(scope), Some(row)) = (item["gsi3pk"].as_str(), item["gsi3sk"].as_str()) else {
                continue;
            };
            let message = rest::row(scope, row);
            due.extend(message.filter(|m| m["at"].as_str().is_some_and(|at| at <= now.as_str())));
        }
        due
    }

    /// Hands a message that is no event to every module.
    pub async fn hand_over_other(&self, message: &Value) {
        self.simulated(vec![message.clone()], false, Box::pin(self.hand_over_one(message))).await;
    }

    async fn hand_over_one(&self, message: &Value) {
        for module in self.modules.iter() {
            let handled = self.consume(module, &Message::Other(message.clone())).await;
            handled.unwrap_or_else(|e| panic!("{} on {message}: {e:?}", module.name));
        }
    }

    /// Hands a module's function one batch of its queue; what did not succeed fails the test.
    pub async fn batch(&self, module: &str, messages: &[Value]) {
        assert_eq!(self.failing(module, messages).await, [] as [&str; 0], "{module}");
    }
    /// The same; the places of those that have to come again.
    pub async fn failing(&self, module: &str, messages: &[Value]) -> Vec<String> {
        let module = self.modules.iter().find(|m| m.name == module).expect("a module of this world");
        let record =
            |(n, body): (usize, &Value)| json!({"messageId": n.to_string(), "body": body.to_string()});
        let records: Vec<Value> = messages.iter().enumerate().map(record).collect();
        let batch = json!({"Records": records});
        let (answer, tally) = meter::of(Box::pin(web::batch(module, &self.app, &batch))).await;
        let kind = messages.first().map_or("", |m| m["type"].as_str().unwrap_or_default());
        self.ledger.message(module.name, kind, messages.len(), &tally);
        let failed = answer["batchItemFailures"].as_array().expect("an answer");
        failed.iter().map(|f| f["itemIdentifier"].as_str().unwrap_or_default().into()).collect()
    }

    /// Every event in the table, in the order of time.
    pub async fn events(&self) -> Vec<Envelope> {
        let mut sorted = BTreeMap::new();
        for item in self.scan().await {
            if let Some(event) = item["pk"].as_str().and_then(|pk| Envelope::from_change(pk, &item)) {
                sorted.insert((event.at.clone(), event.id.clone(), event.tenant.clone()), event);
            }
        }
        sorted.into_values().collect()
    }

    /// Every item of the table; sealed bytes stand as their length.
    pub async fn scan(&self) -> Vec<Value> {
        let plain = |item: &HashMap<String, Av>| item.iter().map(|(k, v)| (k.clone(), plain(v))).collect();
        self.items().await.iter().map(|item| Value::Object(plain(item))).collect()
    }

    /// Every item as the table keeps it, sealed bytes included.
    pub async fn items(&self) -> Vec<HashMap<String, Av>> {
        let mut items = vec![];
        let mut pages = self.table.scan().table_name(table::NAME).into_paginator().items().send();
        while let Some(item) = pages.next().await {
            items.push(item.expect("a page"));
        }
        items
    }
}

/// The end of a story: its table has to be whole.
struct End {
    keeper: Keeper,
    /// Somebody wrote into it past the product, or it is too large to be looked through.
    unread: AtomicBool,
}

impl Drop for End {
    fn drop(&mut self) {
        if std::thread::panicking() || self.unread.load(Relaxed) {
            return;
        }
        let broken = whole::broken(&self.keeper.whole(), None);
        assert!(broken.is_empty(), "the table that this story leaves is not whole:\n{}", broken.join("\n"));
    }
}

fn plain(value: &Av) -> Value {
    match value {
        Av::S(s) => s.clone().into(),
        Av::N(n) => n.parse::<i64>().map_or_else(|_| n.clone().into(), Value::from),
        Av::Bool(b) => (*b).into(),
        Av::L(all) => all.iter().map(plain).collect(),
        Av::M(map) => Value::Object(map.iter().map(|(k, v)| (k.clone(), plain(v))).collect()),
        Av::B(b) => format!("<{} sealed bytes>", b.as_ref().len()).into(),
        _ => Value::Null,
    }
}

/// One router over the modules, as the gateway is: a path goes to the module that has it, and one that none
/// has to the first.
fn routes(modules: &[Module], app: &App) -> Router {
    let mounted: Vec<(BTreeSet<String>, Router)> = modules
        .iter()
        .map(|m| (m.routes.iter().map(|r| first_words(&r.path)).collect(), web::mount(m, app.clone())))
        .collect();
    Router::new().fallback(move |request: axum::extract::Request| {
        let path = request.uri().path().trim_start_matches("/partner");
        let found = mounted.iter().find(|(words, _)| words.contains(&first_words(path)));
        let router = found.or(mounted.first()).map(|(_, router)| router.clone()).unwrap_or_default();
        async move { router.oneshot(request).await.expect("routers do not fail") }
    })
}

/// `/v1/patients`
fn first_words(path: &str) -> String {
    path.split('/').take(3).collect::<Vec<_>>().join("/")
}
