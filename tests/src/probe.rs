//! The isolation probe: what one organisation has, as it shows itself to its own people, asked for by everybody of
//! another one, at every place of every route where an id can stand.

mod own;
mod positions;

pub use own::{Resources, fill, fits};
pub use positions::{Position, bodies, paths, queries};

use serde_json::Value;
use testkit::{Actor, Reply};

/// A request with what stands at its one position.
#[derive(Clone, Debug)]
pub struct Ask {
    pub method: String,
    pub path: String,
    pub body: Option<Value>,
    /// What was put in, to be taken out of the answers before they are compared.
    pub sent: Vec<String>,
}

impl Ask {
    pub async fn by(&self, who: &Actor) -> Reply {
        let call = who.call(&self.method, &self.path);
        match &self.body {
            Some(body) => call.body(body.clone()).send().await,
            None => call.send().await,
        }
    }
}

/// An answer without what has to differ between two requests: the request's own id and path, what was sent, and, in
/// answers that made something, what the system gave it.
pub fn told(reply: &Reply, ask: &Ask) -> (u16, Vec<(String, String)>, String) {
    let mut text = match reply.body.clone() {
        Value::Object(mut map) => {
            map.remove("request_id");
            map.remove("instance");
            // Which of one's own records has a value already: that none of the other's is named, the probe looks for.
            if reply.status == 409 {
                map.remove("record");
            }
            Value::Object(map).to_string()
        }
        Value::Null => String::from_utf8_lossy(&reply.bytes).into_owned(),
        other => other.to_string(),
    };
    let mut sent = ask.sent.clone();
    sent.sort_by_key(|s| std::cmp::Reverse(s.len()));
    for sent in &sent {
        text = text.replace(sent.as_str(), "<sent>");
    }
    if reply.status < 400 {
        text = without_given(&text);
    }
    let volatile =
        |name: &str| name == "x-request-id" || name.starts_with("ratelimit") || name == "content-length";
    let version = |name: &str| name == "etag" && reply.status < 400;
    let headers = reply.headers.iter().filter(|(name, _)| !volatile(name) && !version(name));
    (reply.status, headers.map(|(n, v)| (n.clone(), v.clone())).collect(), text)
}

/// Ids, times, digests, numbers: whatever holds a digit.
fn without_given(text: &str) -> String {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':' | '.');
    let mut out = String::new();
    let mut word = String::new();
    for c in text.chars().chain(['\n']) {
        if part(c) {
            word.push(c);
            continue;
        }
        out.push_str(if word.bytes().any(|b| b.is_ascii_digit()) { "<given>" } else { &word });
        out.push(c);
        word.clear();
    }
    out
}
