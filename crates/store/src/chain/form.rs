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

/// Bytes of a digest's beginning.
const CHECK: usize = 4;

/// Digests (hex SHA-256) of what a change carries, as it is stored: of ciphertext where it is sealed. So the chain
/// needs no key. They are computed of what lies there; where a part was erased its digest stays in its place.
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

    /// The beginnings of the members' digests, zeros for one that is not there. They stand in the change, so that an
    /// altered part can be named; that anything was altered is what the hash tells, which covers the digests whole.
    pub fn checks(&self) -> Vec<u8> {
        let check = |digest: &Option<String>| {
            let mut check = [0; CHECK];
            digest.as_ref().map(|hex| hex::decode_to_slice(hex.get(..2 * CHECK)?, &mut check).ok());
            check
        };
        self.members().iter().flat_map(|(_, digest)| check(digest)).collect()
    }

    /// The members that are not what `checks` was made of.
    pub(crate) fn unlike(&self, checks: &[u8]) -> Vec<&'static str> {
        let (own, mut said) = (self.checks(), checks.chunks(CHECK));
        let pairs = own.chunks(CHECK).zip(self.members());
        pairs.filter(|(own, _)| said.next() != Some(own)).map(|(_, (name, _))| name).collect()
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    pub action: String,
    pub content: Content,
    pub prev: String,
}

impl Form {
    pub fn hash(&self) -> String {
        let Content { patch, snapshot, context, event, record } = &self.content;
        let content = json!([patch, snapshot, context, event, record]);
        // An array: the order of members is fixed by us, not by a map. Changes that name neither session nor route
        // (those of the product itself, and all from before they were kept) have the form they always had.
        let canonical = match (&self.session, &self.route) {
            (None, None) => json!([
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
                content,
                self.prev
            ]),
            request => json!([
                "lumina-change-v2",
                self.pk,
                self.version,
                self.at,
                self.by,
                self.roles,
                self.elevated,
                self.on_behalf,
                [json!(self.request), json!(request)],
                self.action,
                content,
                self.prev
            ]),
        };
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

    /// Changes that were hashed before session and route were kept verify as they did: the bytes are written out.
    #[test]
    fn a_change_has_the_form_it_was_hashed_in() {
        let form = Form {
            pk: "t#chg#pat#pat_1".into(),
            version: 2,
            at: "2026-05-04T12:00:00.000Z".into(),
            by: "usr_1".into(),
            roles: vec!["nurse".into()],
            elevated: None,
            on_behalf: None,
            request: "r".into(),
            session: None,
            route: None,
            action: "update".into(),
            content: Content { patch: Some("aa".into()), ..Content::default() },
            prev: "00".into(),
        };
        let first = r#"["lumina-change-v1","t#chg#pat#pat_1",2,"2026-05-04T12:00:00.000Z","usr_1",["nurse"],null,null,"r","update",["aa",null,null,null,null],"00"]"#;
        assert_eq!(form.hash(), hex_digest(first.as_bytes()));
        let second = r#"["lumina-change-v2","t#chg#pat#pat_1",2,"2026-05-04T12:00:00.000Z","usr_1",["nurse"],null,null,["r",["s","patient.update"]],"update",["aa",null,null,null,null],"00"]"#;
        let told = Form { session: Some("s".into()), route: Some("patient.update".into()), ..form.clone() };
        assert_eq!(told.hash(), hex_digest(second.as_bytes()));
        let other = Form { route: Some("patient.merge".into()), ..told.clone() };
        assert!(other.hash() != told.hash() && Form { session: None, ..told.clone() }.hash() != told.hash());
    }

    #[test]
    fn no_two_records_begin_alike() {
        assert_ne!(genesis("t", "pat_1"), genesis("t", "pat_2"));
        assert_ne!(genesis("t", "pat_1"), genesis("u", "pat_1"));
    }
}
