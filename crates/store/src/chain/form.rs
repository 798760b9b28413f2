//! The canonical form of a change and its hash.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// JSON with its members sorted and without spaces (RFC 8785, for the integers and texts that our forms hold).
pub fn canonical(value: &Value) -> Vec<u8> {
    let mut out = vec![];
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            out.push(b'{');
            for (n, (name, value)) in members.into_iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                out.extend(Value::from(name.as_str()).to_string().into_bytes());
                out.push(b':');
                write(value, out);
            }
            out.push(b'}');
        }
        Value::Array(all) => {
            out.push(b'[');
            for (n, value) in all.iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                write(value, out);
            }
            out.push(b']');
        }
        plain => out.extend(plain.to_string().into_bytes()),
    }
}

/// SHA-256, lower-case hex.
pub fn hex_digest(bytes: &[u8]) -> String {
    hex::encode(seal::sha256(bytes))
}

/// What stands before the first change of a record: a chain cannot be moved to another record or tenant.
pub fn genesis(scope: &str, record: &str) -> String {
    hex_digest(format!("lumina-genesis-v1\n{scope}#{record}").as_bytes())
}

/// Digests (hex SHA-256) of what a change carries, as it is stored: of ciphertext where it is sealed. So the chain
/// needs no key, and erasing a part does not break it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
    /// Reason, address and agent, sealed together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// The record's own item as this change left it, without `head`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
}

impl Content {
    /// The parts that lie in the change itself, by name.
    pub fn members(&self) -> [(&'static str, &Option<String>); 4] {
        let Self { patch, snapshot, context, event, record: _ } = self;
        [("patch", patch), ("snapshot", snapshot), ("context", context), ("event", event)]
    }
}

/// What the hash of a change covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// `{tenant}#chg#{kind}#{record}`
    pub pk: String,
    pub version: u64,
    pub at: String,
    pub by: String,
    pub roles: Vec<String>,
    pub elevated: Option<String>,
    pub on_behalf: Option<String>,
    pub request: String,
    pub action: String,
    pub content: Content,
    pub prev: String,
}

impl Form {
    pub fn hash(&self) -> String {
        let Content { patch, snapshot, context, event, record } = &self.content;
        // An array: the order of members is fixed by us, not by a map.
        let canonical = json!([
            "lumina-change-v1",
            self.pk,
            self.version,
            self.at,
            self.by,
            self.roles,
            self.elevated,
            self.on_behalf,
            self.request,
            self.action,
            [patch, snapshot, context, event, record],
            self.prev
        ]);
        hex_digest(canonical.to_string().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_sorted_at_every_depth() {
        let value = json!({"b": [{"z": 1, "a": "é\n"}], "a": null});
        assert_eq!(String::from_utf8(canonical(&value)).unwrap(), r#"{"a":null,"b":[{"a":"é\n","z":1}]}"#);
    }

    #[test]
    fn no_two_records_begin_alike() {
        assert_ne!(genesis("t", "pat_1"), genesis("t", "pat_2"));
        assert_ne!(genesis("t", "pat_1"), genesis("u", "pat_1"));
    }
}
