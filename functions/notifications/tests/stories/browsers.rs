//! Push to browsers: what a push service gets of it, and what its answers mean.

use crate::stage::{Stage, words};
use aws_lc_rs::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree},
    hmac,
};
use data_encoding::BASE64URL_NOPAD;
use notifications::WebPush;
use outgoing::{Answered, Call, Https, Outgoing, Permit, Sending};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use testkit::{Actor, Back, Keeps};

const PATH: &str = "/v1/notifications/push_endpoints";
const ENDPOINT: &str = "https://updates.push.services.mozilla.com/wpush/v2/gAAAAABk";

/// A push service in memory: it takes everything unless told otherwise.
#[derive(Default)]
struct Service {
    /// Statuses to answer with, the last first.
    answers: Mutex<Vec<u16>>,
    got: Mutex<Vec<Got>>,
}

#[derive(Clone)]
struct Got {
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).unwrap_or_default()
    }
}

impl Service {
    fn say(&self, status: u16) {
        self.answers.lock().unwrap().push(status);
    }
    fn take(&self) -> Vec<Got> {
        std::mem::take(&mut self.got.lock().unwrap())
    }
}

impl Keeps for Service {
    fn keep(self: Arc<Self>) -> Back {
        let (answers, got) = (self.answers.lock().unwrap().clone(), self.got.lock().unwrap().clone());
        Box::new(move || {
            self.answers.lock().unwrap().clone_from(&answers);
            self.got.lock().unwrap().clone_from(&got);
        })
    }
}

impl Outgoing for Service {
    fn accepts(&self, url: &url::Url) -> bool {
        Https::new(Permit::Public).accepts(url)
    }
    fn post<'a>(&'a self, call: &'a Call) -> Sending<'a> {
        let got = Got { url: call.url.to_string(), headers: call.headers.clone(), body: call.body.clone() };
        self.got.lock().unwrap().push(got);
        let status = self.answers.lock().unwrap().pop().unwrap_or(201);
        Box::pin(async move { Ok(Answered { status, retry_after: None, body: vec![] }) })
    }
}

async fn open() -> (Stage, Arc<Service>) {
    let service = Arc::new(Service::default());
    let way = WebPush::new(service.clone(), Default::default(), "https://app.test");
    let stage = Stage::pushing(Arc::new(way)).await;
    stage.world.beside(service.clone());
    (stage, service)
}

/// A browser with its key pair, as `PushSubscription` has them.
struct Browser {
    pair: PrivateKey,
    secret: [u8; 16],
}

impl Browser {
    fn new() -> Self {
        Self { pair: PrivateKey::generate(&ECDH_P256).unwrap(), secret: *b"sixteen bytes ok" }
    }
    fn point(&self) -> Vec<u8> {
        self.pair.compute_public_key().unwrap().as_ref().to_vec()
    }
    fn subscription(&self) -> Value {
        let text = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let keys = json!({"p256dh": text(&self.point()), "auth": text(&self.secret)});
        json!({"platform": "webpush", "token": ENDPOINT, "keys": keys, "device": "Firefox"})
    }
    /// What RFC 8291 says of reading.
    fn reads(&self, body: &[u8]) -> Value {
        let (salt, rest) = body.split_at(16);
        assert_eq!(rest[..5], [0, 0, 16, 0, 65]);
        let (theirs, sealed) = rest[5..].split_at(65);
        let info = [b"WebPush: info\0".as_slice(), &self.point(), theirs].concat();
        let derived = |shared: &[u8]| Ok(hkdf(&self.secret, shared, &info));
        let input = agree(&self.pair, UnparsedPublicKey::new(&ECDH_P256, theirs), (), derived).unwrap();
        let key = hkdf(salt, &input, b"Content-Encoding: aes128gcm\0");
        let nonce = hkdf(salt, &input, b"Content-Encoding: nonce\0");
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key[..16]).unwrap());
        let nonce = Nonce::try_assume_unique_for_key(&nonce[..12]).unwrap();
        let mut sealed = sealed.to_vec();
        let plain = key.open_in_place(nonce, Aad::empty(), &mut sealed).expect("for this browser");
        let plain = plain.strip_suffix(&[2]).expect("the last record");
        serde_json::from_slice(plain).unwrap()
    }
}

fn hkdf(salt: &[u8], input: &[u8], info: &[u8]) -> Vec<u8> {
    let mac = |key: &[u8], data: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data);
    mac(mac(salt, input).as_ref(), &[info, &[1]].concat()).as_ref().to_vec()
}

async fn is_given_a_task(stage: &Stage, who: &Actor) {
    stage.later(1);
    let task = json!({"task": "tsk_1", "assignee": who.user(), "priority": "urgent"});
    stage.happens(&stage.event("task.assigned", task)).await;
}

#[tokio::test]
async fn a_browser_gets_ids_and_codes_that_nobody_else_can_read_from_its_own_organisation() {
    let (stage, service) = open().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    let ours = ada.get(&format!("{PATH}/key")).await.ok();
    let again = stage.grace.staff("nurse").get(&format!("{PATH}/key")).await.ok();
    assert_eq!(ours, again, "one organisation, one key");
    let other = stage.world.hospital("mercy").await.staff("nurse").get(&format!("{PATH}/key")).await.ok();
    assert_ne!(ours["public_key"], other["public_key"]);
    let browser = Browser::new();
    let made = ada.post(PATH, browser.subscription()).await.created();
    assert_eq!((&made["token"], &made["keys"]), (&json!("••••••••"), &json!(null)));
    is_given_a_task(&stage, &ada).await;
    let got = service.take().remove(0);
    assert_eq!((got.url.as_str(), got.header("content-encoding")), (ENDPOINT, "aes128gcm"));
    assert_eq!((got.header("ttl"), got.header("urgency")), ("3600", "high"));
    let authorization = got.header("authorization");
    assert!(
        authorization.starts_with("vapid t=")
            && authorization.ends_with(ours["public_key"].as_str().unwrap())
    );
    let message = browser.reads(&got.body);
    let item = &stage.inbox(&ada).await[0];
    assert_eq!(
        (&message["data"]["notification"], &message["data"]["priority"]),
        (&item["id"], &json!("high"))
    );
    assert!(
        !message.to_string().contains("Ada")
            && !message.to_string().contains(item["title"].as_str().unwrap())
    );
    assert_eq!(words(&json!(stage.ways(&ada).await), "status"), ["sent"]);
    let dump = stage.grace.dump().await;
    for secret in ["mozilla.com", browser.subscription()["keys"]["auth"].as_str().unwrap()] {
        assert!(!dump.contains(secret), "{secret} lies open");
    }
}

#[tokio::test]
async fn a_browser_that_is_gone_is_forgotten_and_a_service_that_is_busy_asked_again() {
    let (stage, service) = open().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    ada.post(PATH, Browser::new().subscription()).await.created();
    service.say(503);
    is_given_a_task(&stage, &ada).await;
    assert_eq!(words(&json!(stage.ways(&ada).await), "status"), ["queued"]);
    stage.later(2);
    stage.beat().await;
    let got = service.take();
    assert_eq!((got.len(), got[0].header("topic")), (2, got[1].header("topic")));
    assert_eq!(words(&json!(stage.ways(&ada).await), "status"), ["sent"]);
    service.say(410);
    is_given_a_task(&stage, &ada).await;
    assert_eq!(words(&json!(stage.ways(&ada).await), "status"), ["failed"]);
    assert_eq!(ada.get(PATH).await.ok()["data"], json!([]));
}

#[tokio::test]
async fn what_nothing_could_be_pushed_to_is_refused_with_its_reason() {
    let (stage, _) = open().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    let but = |more: Value| {
        let mut body = Browser::new().subscription();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for platform in ["fcm", "apns"] {
        ada.post(PATH, but(json!({"platform": platform}))).await.refused(422, "push-not-configured");
    }
    for token in ["https://169.254.169.254/latest", "http://push.example.org/x", "https://10.0.0.8/wpush"] {
        ada.post(PATH, but(json!({"token": token}))).await.refused(422, "unsafe-url");
    }
    let keyless = ada.post(PATH, but(json!({"keys": null}))).await;
    assert_eq!(keyless.faults(), [("/keys".into(), "required".into())]);
    let (point, secret) = ("B".repeat(87), "A".repeat(22));
    let wrong = ada.post(PATH, but(json!({"keys": {"p256dh": point, "auth": secret}}))).await;
    assert_eq!(wrong.faults(), [("/keys/p256dh".into(), "key".into())]);
}

#[tokio::test]
async fn a_device_that_its_owner_removes_is_pushed_to_no_more() {
    let (stage, service) = open().await;
    let (ada, bola) = (stage.staff("Ada Okafor", "nurse").await, stage.staff("Bola Ahmed", "nurse").await);
    let made = ada.post(PATH, Browser::new().subscription()).await.created();
    let one = format!("{PATH}/{}", made["id"].as_str().unwrap());
    bola.delete(&one).await.missing();
    is_given_a_task(&stage, &ada).await;
    assert_eq!(service.take().len(), 1);
    ada.delete(&one).await.done();
    ada.delete(&one).await.missing();
    assert_eq!(ada.get(PATH).await.ok()["data"], json!([]));
    is_given_a_task(&stage, &ada).await;
    assert_eq!(service.take().len(), 0, "nothing is pushed there any more");
}
