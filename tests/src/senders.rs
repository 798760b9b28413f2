//! Everything that leaves the product, kept: mails, SMS, pushes, webhooks; with who it went to.

use integrations::{
    Https, Outgoing, Permit,
    outgoing::{Answered, Call, Sending},
};
use notifications::{
    Carrier, Channels, Receipt,
    carrier::{Outgoing as Message, Sending as Carrying},
};
use std::sync::{Arc, Mutex};

/// Something that left: the address or number it went to, and its bytes.
#[derive(Clone, Debug)]
pub struct Sent {
    pub to: String,
    pub bytes: Vec<u8>,
}

#[derive(Default)]
pub struct Senders(Mutex<Vec<Sent>>);

impl Senders {
    pub fn all(&self) -> Vec<Sent> {
        self.0.lock().expect("never poisoned").clone()
    }
    fn keep(&self, to: String, bytes: Vec<u8>) {
        self.0.lock().expect("never poisoned").push(Sent { to, bytes });
    }
    pub fn channels(self: &Arc<Self>) -> Channels {
        let carrier: Arc<dyn Carrier> = self.clone();
        Channels { email: carrier.clone(), sms: carrier.clone(), push: carrier, ..Channels::nowhere() }
    }
}

impl Carrier for Senders {
    fn send<'a>(&'a self, message: &'a Message) -> Carrying<'a> {
        // Whole, with every field that a provider would get.
        self.keep(message.to.clone(), format!("{message:?}").into_bytes());
        Box::pin(async move { Ok(Receipt { provider: "kept".into(), id: message.key.clone() }) })
    }
}

impl Outgoing for Senders {
    fn accepts(&self, url: &url::Url) -> bool {
        Https::new(Permit::Public).accepts(url)
    }
    fn post<'a>(&'a self, call: &'a Call) -> Sending<'a> {
        let head = format!("{:?}\n", call.headers).into_bytes();
        self.keep(call.url.to_string(), [head, call.body.clone()].concat());
        Box::pin(async { Ok(Answered { status: 200, retry_after: None, body: vec![] }) })
    }
}
