//! The second wall as the template declares it: a small reading of IAM over the policies of `infra/policies.yaml`.
//!
//! Knows what those policies use and fails on everything else: Allow and Deny, `*` and `?`, policy variables, the
//! operators below. Read from AWS's documents (policy evaluation logic; `dynamodb:LeadingKeys`, for a transaction in
//! each of its items by itself); not run on AWS.

use local::template::document::Document;
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path};
use store::Scope;
use testkit::Session;

/// The policies of one role, with the session's tag.
pub struct Role {
    statements: Vec<Value>,
    tag: Option<String>,
}

/// Condition keys of one call, each with its values.
pub type Context = BTreeMap<&'static str, Vec<String>>;

pub const TABLE: &str = "arn:aws:dynamodb:af-south-1:000000000000:table/lumina";
pub const KEY: &str = "arn:aws:kms:af-south-1:000000000000:key/one";
pub const DOCUMENTS: &str = "arn:aws:s3:::documents";
pub const DIGESTS: &str = "arn:aws:s3:::digests";

/// The roles that open data.
pub struct Template(Vec<local::template::document::Resource>);

impl Default for Template {
    fn default() -> Self {
        let given = [
            ("IsolateByCredentials", "true"),
            ("TableArn", TABLE),
            ("KeyArn", KEY),
            ("DocumentsBucketArn", DOCUMENTS),
            ("DigestsBucketArn", DIGESTS),
        ];
        let given = given.map(|(name, value)| (name.to_string(), json!(value))).into();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/policies.yaml");
        let document = Document::load(&path, &given).expect("the policies");
        Self(document.resources().expect("their resources"))
    }
}

impl Template {
    pub fn role(&self, name: &str, tag: Option<String>) -> Role {
        let role = self.0.iter().find(|r| r.id == name && r.kind == "AWS::IAM::Role").expect("a role");
        let policies = role.properties["Policies"].as_array().expect("its policies");
        let statements =
            policies.iter().flat_map(|p| p["PolicyDocument"]["Statement"].as_array().expect("statements"));
        Role { statements: statements.cloned().collect(), tag }
    }
    /// What a function assumes before it touches the table.
    pub fn of(&self, session: Session) -> Role {
        match session {
            Session::Of(Scope::Platform) => self.role("PlatformRole", None),
            Session::Of(Scope::Tenant(id)) => self.role("TenantRole", Some(id.prefix())),
            Session::Spanning(id) => self.role("ProvisionerRole", Some(id.prefix())),
        }
    }
}

impl Role {
    /// Denied wins; what nothing allows is denied.
    pub fn may(&self, action: &str, resource: &str, context: &Context) -> bool {
        let speaks = |effect: &str| {
            self.statements
                .iter()
                .any(|s| s["Effect"] == effect && self.matches(s, action, resource, context))
        };
        !speaks("Deny") && speaks("Allow")
    }

    fn matches(&self, statement: &Value, action: &str, resource: &str, context: &Context) -> bool {
        let resources = self.filled(&statement["Resource"]);
        list(&statement["Action"]).iter().any(|a| like(a, action))
            && resources.is_some_and(|all| all.iter().any(|r| like(r, resource)))
            && statement["Condition"]
                .as_object()
                .into_iter()
                .flatten()
                .all(|(operator, keys)| self.holds(operator, keys, context))
    }

    /// Values with their variables; none where a variable has no value: such a statement matches nothing.
    fn filled(&self, values: &Value) -> Option<Vec<String>> {
        const TAG: &str = "${aws:PrincipalTag/tenant}";
        let fill = |value: String| match &self.tag {
            _ if !value.contains("${") => Some(value),
            Some(tag) => Some(value.replace(TAG, tag)).filter(|v| !v.contains("${")),
            None => None,
        };
        list(values).into_iter().map(fill).collect()
    }

    fn holds(&self, operator: &str, keys: &Value, context: &Context) -> bool {
        keys.as_object().into_iter().flatten().all(|(key, wanted)| {
            let found = context.get(key.as_str());
            let Some(wanted) = self.filled(wanted) else { return false };
            let any =
                |value: &String, like_it: fn(&str, &str) -> bool| wanted.iter().any(|w| like_it(w, value));
            let one = |like_it: fn(&str, &str) -> bool| {
                found.is_some_and(|all| all.iter().any(|v| any(v, like_it)))
            };
            let each =
                |like_it: fn(&str, &str) -> bool| found.is_none_or(|all| all.iter().all(|v| any(v, like_it)));
            match operator {
                "StringEquals" | "ForAnyValue:StringEquals" => one(|w, v| w == v),
                "StringLike" | "ForAnyValue:StringLike" => one(like),
                // True where the key is missing.
                "ForAllValues:StringEquals" => each(|w, v| w == v),
                "ForAllValues:StringLike" => each(like),
                "Null" => wanted == [found.is_none().to_string()],
                other => panic!("a condition of the template that this evaluator does not know: {other}"),
            }
        })
    }
}

fn list(value: &Value) -> Vec<String> {
    match value {
        Value::Array(all) => all.iter().filter_map(|v| v.as_str().map(String::from)).collect(),
        Value::String(one) => vec![one.clone()],
        other => panic!("a text, not {other}"),
    }
}

/// `*` is any text, `?` one character.
pub fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some('?') => (p, t) = (p + 1, t + 1),
            Some(c) if *c == text[t] => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// What IAM judges of one request to the table: actions, resources, and the leading keys of each.
pub fn asked(operation: &str, body: &Value) -> Vec<(String, String, Context)> {
    let context = |keys: Vec<String>| {
        if keys.is_empty() { Context::new() } else { Context::from([("dynamodb:LeadingKeys", keys)]) }
    };
    let one =
        |action: &str, resource: String, keys| vec![(format!("dynamodb:{action}"), resource, context(keys))];
    let table = TABLE.to_string();
    match operation {
        "GetItem" | "UpdateItem" | "DeleteItem" => one(operation, table, leading(&body["Key"])),
        "PutItem" => one(operation, table, leading(&body["Item"])),
        "Query" => {
            let index = body["IndexName"].as_str().map(|i| format!("{TABLE}/index/{i}"));
            one(operation, index.unwrap_or(table), queried(body))
        }
        "BatchGetItem" => {
            let keys = members(&body["RequestItems"]).flat_map(|t| array(&t["Keys"])).flat_map(leading);
            one(operation, table, keys.collect())
        }
        "BatchWriteItem" => {
            let writes = members(&body["RequestItems"]).flat_map(array);
            let key =
                |w: &Value| [leading(&w["PutRequest"]["Item"]), leading(&w["DeleteRequest"]["Key"])].concat();
            one(operation, table, writes.flat_map(key).collect())
        }
        "TransactWriteItems" => array(&body["TransactItems"])
            .flat_map(|item| item.as_object().into_iter().flatten())
            .map(|(member, item)| {
                let action = match member.as_str() {
                    "ConditionCheck" => "ConditionCheckItem",
                    "Put" => "PutItem",
                    "Update" => "UpdateItem",
                    "Delete" => "DeleteItem",
                    other => panic!("a transaction's {other}"),
                };
                let keys = [leading(&item["Key"]), leading(&item["Item"])].concat();
                (format!("dynamodb:{action}"), TABLE.to_string(), context(keys))
            })
            .collect(),
        // Nothing of ours: no role may.
        other => one(other, table, vec![]),
    }
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
fn members(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_object().into_iter().flat_map(|map| map.values())
}

fn leading(attributes: &Value) -> Vec<String> {
    attributes["pk"]["S"].as_str().map(String::from).into_iter().collect()
}

/// The partition that a query asks for, in the table or in an index: `#p = :p` or `pk = :p`.
fn queried(body: &Value) -> Vec<String> {
    let condition = body["KeyConditionExpression"].as_str().unwrap_or_default();
    let mut words = condition.split_whitespace();
    let (name, equals, value) = (words.next(), words.next(), words.next());
    let name = name.map(|n| body["ExpressionAttributeNames"][n].as_str().unwrap_or(n)).unwrap_or_default();
    assert!(equals == Some("=") && name.ends_with("pk"), "a query that begins otherwise: {condition}");
    let value = &body["ExpressionAttributeValues"][value.unwrap_or_default()]["S"];
    vec![value.as_str().expect("a partition").to_string()]
}
