//! Frames, both ways. One JSON object each; ids and codes only.

use serde::Deserialize;
use serde_json::{Value, json};

/// Bytes.
pub const LONGEST: usize = 32 * 1024;
/// Ids of one `read`.
pub const IDS: usize = 100;

/// What a client says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Said {
    Ping {},
    Subscribe {
        topics: Vec<String>,
        #[serde(default, rename = "ref")]
        reference: Option<String>,
    },
    Unsubscribe {
        topics: Vec<String>,
        #[serde(default, rename = "ref")]
        reference: Option<String>,
    },
    Read {
        ids: Vec<String>,
        #[serde(default, rename = "ref")]
        reference: Option<String>,
    },
    Resume {
        cursor: String,
    },
}

pub fn read(body: &str) -> Option<Said> {
    if body.len() > LONGEST {
        return None;
    }
    serde_json::from_str(body).ok()
}

/// What the gateway takes for a success.
pub fn fine() -> Value {
    json!({"statusCode": 200})
}

/// Seconds between pings of a client; the gateway ends what is idle for ten minutes.
const PING: u32 = 240;

pub fn hello(session: &str, cursor: &str) -> Value {
    json!({"v": 1, "type": "hello", "session": session, "resume": cursor, "ping_every": PING})
}
pub fn pong() -> Value {
    json!({"v": 1, "type": "pong"})
}
pub fn error(code: &str, reference: Option<&str>) -> Value {
    json!({"v": 1, "type": "error", "code": code, "ref": reference})
}
pub fn error_because(code: &str, detail: &str, reference: Option<&str>) -> Value {
    json!({"v": 1, "type": "error", "code": code, "detail": detail, "ref": reference})
}
pub fn subscribed(topics: &[String], reference: Option<&str>) -> Value {
    json!({"v": 1, "type": "subscribed", "topics": topics, "ref": reference})
}
pub fn ending(reason: &str) -> Value {
    json!({"v": 1, "type": "session.ending", "reason": reason})
}
pub fn created(id: &str, category: &str, priority: &str, needs_ack: bool, unread: usize) -> Value {
    json!({
        "v": 1, "type": "notification.created", "id": id, "category": category, "priority": priority,
        "needs_ack": needs_ack, "unread": unread,
    })
}
pub fn seen(ids: &[&str], unread: usize) -> Value {
    json!({"v": 1, "type": "notification.read", "ids": ids, "unread": unread})
}
pub fn changed(topic: &str, record: &str, version: u64, event: &str) -> Value {
    json!({"v": 1, "type": "topic.changed", "topic": topic, "record": record, "version": version, "event": event})
}
pub fn resumed(count: usize, gap: bool, cursor: &str) -> Value {
    json!({"v": 1, "type": "resumed", "count": count, "gap": gap, "resume": cursor})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_frames_and_unknown_fields_are_no_frames() {
        assert_eq!(read(r#"{"type":"ping"}"#), Some(Said::Ping {}));
        assert_eq!(read(r#"{"type":"ping","x":1}"#), None);
        assert_eq!(read(r#"{"type":"shout"}"#), None);
        assert_eq!(read("nonsense"), None);
        assert_eq!(read(&format!(r#"{{"type":"resume","cursor":"{}"}}"#, "x".repeat(LONGEST))), None);
        let said = read(r#"{"type":"subscribe","topics":["board:sit_1"],"ref":"a1"}"#);
        assert!(matches!(said, Some(Said::Subscribe { reference: Some(r), .. }) if r == "a1"));
    }
}
