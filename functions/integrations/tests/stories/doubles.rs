//! What stands before the API, in memory; and a user pool in which nobody has a login.

use identity::{Logins, NewLogin, logins::Calling as Logging};
use integrations::{
    Https, Outgoing, Permit,
    gateway::{ApiKey, Calling, Gateway, Machine, Secret},
    outgoing::{Answered, Call, Failed, Sending},
};
use kernel::{Error, Result};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};
use testkit::{Back, Keeps};
use tokio::sync::Notify;

#[derive(Clone, Default)]
pub struct Standing {
    /// Secrets (id, value) by client.
    pub clients: BTreeMap<String, Vec<(String, String)>>,
    /// Usage plan by key.
    pub keys: BTreeMap<String, String>,
    /// What each of them is called.
    names: BTreeMap<String, String>,
    made: u32,
    /// Calls that still fail: of making keys, of all.
    pub refuse_keys: u32,
    /// The next one who makes a key waits for this first.
    pub hold_key: Option<Arc<Notify>>,
}

#[derive(Default)]
pub struct Doors(Mutex<Standing>);

impl Keeps for Doors {
    fn keep(self: Arc<Self>) -> Back {
        let standing = self.standing().clone();
        Box::new(move || *self.standing() = standing.clone())
    }
}

impl Doors {
    pub fn standing(&self) -> MutexGuard<'_, Standing> {
        self.0.lock().unwrap()
    }
}

impl Standing {
    fn next(&mut self) -> u32 {
        self.made += 1;
        self.made
    }
    fn secret(&mut self) -> Secret {
        let n = self.next();
        Secret { id: format!("sec-{n}"), value: format!("very-secret-{n:04}") }
    }
}

fn now<'a, T: Send + 'a>(value: Result<T>) -> Calling<'a, T> {
    Box::pin(async move { value })
}

impl Gateway for Doors {
    fn create_client<'a>(&'a self, name: &'a str) -> Calling<'a, Machine> {
        let mut standing = self.standing();
        let client_id = format!("client{}", standing.next());
        assert!(name.starts_with("pky_"));
        let secret = standing.secret();
        standing.clients.insert(client_id.clone(), vec![(secret.id.clone(), secret.value.clone())]);
        standing.names.insert(client_id.clone(), name.into());
        now(Ok(Machine { client_id, secret }))
    }
    fn add_secret<'a>(&'a self, client: &'a str) -> Calling<'a, Option<Secret>> {
        let mut standing = self.standing();
        let secret = standing.secret();
        let all = standing.clients.get_mut(client).expect("a client");
        if all.len() == 2 {
            return now(Ok(None));
        }
        all.push((secret.id.clone(), secret.value.clone()));
        now(Ok(Some(secret)))
    }
    fn keep_secrets<'a>(&'a self, client: &'a str, keep: &'a [String]) -> Calling<'a, ()> {
        if let Some(all) = self.standing().clients.get_mut(client) {
            all.retain(|(id, _)| keep.contains(id));
        }
        now(Ok(()))
    }
    fn drop_secret<'a>(&'a self, client: &'a str, secret: &'a str) -> Calling<'a, ()> {
        if let Some(all) = self.standing().clients.get_mut(client) {
            all.retain(|(id, _)| id != secret);
        }
        now(Ok(()))
    }
    fn delete_client<'a>(&'a self, client: &'a str) -> Calling<'a, ()> {
        self.standing().clients.remove(client);
        now(Ok(()))
    }
    fn create_key<'a>(&'a self, name: &'a str, plan: &'a str) -> Calling<'a, ApiKey> {
        let mut standing = self.standing();
        if standing.refuse_keys > 0 {
            standing.refuse_keys -= 1;
            return now(Err(Error::internal("the gateway does not answer")));
        }
        let hold = standing.hold_key.take();
        Box::pin(async move {
            if let Some(hold) = hold {
                hold.notified().await;
            }
            let mut standing = self.standing();
            let id = format!("gw{}", standing.next());
            standing.keys.insert(id.clone(), plan.into());
            standing.names.insert(id.clone(), name.into());
            Ok(ApiKey { id, value: format!("api-key-of-{name}") })
        })
    }
    fn move_key<'a>(&'a self, key: &'a str, from: &'a str, to: &'a str) -> Calling<'a, ()> {
        let was = self.standing().keys.insert(key.into(), to.into());
        // Asked again after its answer was lost, it has been moved already; the real one says nothing of that either.
        assert!([from, to].contains(&was.as_deref().expect("a key in a plan")), "{was:?}");
        now(Ok(()))
    }
    fn delete_key<'a>(&'a self, key: &'a str) -> Calling<'a, ()> {
        self.standing().keys.remove(key);
        now(Ok(()))
    }
    fn clear<'a>(&'a self, name: &'a str) -> Calling<'a, ()> {
        let mut standing = self.standing();
        let Standing { clients, keys, names, .. } = &mut *standing;
        clients.retain(|id, _| names[id] != name);
        keys.retain(|id, _| names[id] != name);
        now(Ok(()))
    }
}

/// Every call fails: no story here is about people's logins.
pub struct NoLogins;

fn nobody<'a, T: 'a + Send>() -> Logging<'a, T> {
    Box::pin(async { Err(Error::internal("there are no logins in this story")) })
}

impl Logins for NoLogins {
    fn create<'a>(&'a self, _: &'a NewLogin) -> Logging<'a, String> {
        nobody()
    }
    fn set_password<'a>(&'a self, _: &'a str, _: &'a str) -> Logging<'a, ()> {
        nobody()
    }
    fn set_alias<'a>(&'a self, _: &'a str, _: &'a str, _: Option<&'a str>) -> Logging<'a, ()> {
        nobody()
    }
    fn sign_out<'a>(&'a self, _: &'a str) -> Logging<'a, ()> {
        nobody()
    }
    fn disable<'a>(&'a self, _: &'a str) -> Logging<'a, ()> {
        nobody()
    }
    fn enable<'a>(&'a self, _: &'a str) -> Logging<'a, ()> {
        nobody()
    }
    fn prefer_totp<'a>(&'a self, _: &'a str, _: bool) -> Logging<'a, ()> {
        nobody()
    }
    fn associate_totp<'a>(&'a self, _: &'a str) -> Logging<'a, String> {
        nobody()
    }
    fn verify_totp<'a>(&'a self, _: &'a str, _: &'a str) -> Logging<'a, bool> {
        nobody()
    }
    fn delete<'a>(&'a self, _: &'a str) -> Logging<'a, ()> {
        nobody()
    }
}

/// What reached an endpoint.
#[derive(Clone, Debug)]
pub struct Received {
    pub url: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

/// Others' servers, in memory: they answer 200 unless told otherwise.
pub struct Receivers {
    answers: Mutex<Vec<std::result::Result<Answered, Failed>>>,
    /// What is said when no other answer waits.
    pub usual: Mutex<std::result::Result<Answered, Failed>>,
    received: Mutex<Vec<Received>>,
    rules: Https,
}

pub fn status(status: u16) -> std::result::Result<Answered, Failed> {
    Ok(Answered { status, retry_after: None, body: b"said the receiver".to_vec() })
}

impl Default for Receivers {
    fn default() -> Self {
        Self {
            answers: Mutex::default(),
            usual: Mutex::new(status(200)),
            received: Mutex::default(),
            rules: Https::new(Permit::Public),
        }
    }
}

impl Keeps for Receivers {
    fn keep(self: Arc<Self>) -> Back {
        let (answers, received) =
            (self.answers.lock().unwrap().clone(), self.received.lock().unwrap().clone());
        Box::new(move || {
            self.answers.lock().unwrap().clone_from(&answers);
            self.received.lock().unwrap().clone_from(&received);
        })
    }
}

impl Receivers {
    /// The next calls are answered so, in this order.
    pub fn say(&self, answers: Vec<std::result::Result<Answered, Failed>>) {
        self.answers.lock().unwrap().extend(answers);
    }
    pub fn always(&self, answer: std::result::Result<Answered, Failed>) {
        *self.usual.lock().unwrap() = answer;
    }
    /// All that has come since this was asked last. Whoever is killed between sending and writing sends again, under the
    /// same message id: where the world stops, that counts once.
    pub fn take(&self) -> Vec<Received> {
        let mut all = std::mem::take(&mut *self.received.lock().unwrap());
        if std::env::var("CHAOS").is_ok() {
            let named = |r: &Received| (r.url.clone(), r.header("webhook-id").to_string(), r.body.clone());
            let at = |r: &Received| r.header("webhook-timestamp").parse::<i64>().unwrap_or_default();
            all.dedup_by(|b, a| named(a) == named(b) && at(b) - at(a) < 4);
        }
        all
    }
}

impl Outgoing for Receivers {
    fn accepts(&self, url: &url::Url) -> bool {
        self.rules.accepts(url)
    }
    fn post<'a>(&'a self, call: &'a Call) -> Sending<'a> {
        let headers = call.headers.iter().cloned().collect();
        let received = Received { url: call.url.to_string(), headers, body: call.body.clone() };
        self.received.lock().unwrap().push(received);
        let mut waiting = self.answers.lock().unwrap();
        let answer = if waiting.is_empty() { self.usual.lock().unwrap().clone() } else { waiting.remove(0) };
        Box::pin(async move { answer })
    }
}
