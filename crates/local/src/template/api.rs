//! The API's routes, limits and own answers, from the OpenAPI document in the template.

use super::{
    STACK,
    document::{Resource, entries, plain},
};
use crate::{
    gateway::{
        refusal::Wordings,
        route::{Answer, Method},
        throttle::{Plan, Quota, Rate},
    },
    trouble,
    trouble::Outcome,
};
use serde_json::Value;
use std::time::Duration;

/// What the gateway serves.
#[derive(Debug)]
pub struct Api {
    pub methods: Vec<Method>,
    /// The stage's limits over all callers.
    pub limits: Plan,
    /// Answers at least this long (bytes) are compressed for those who accept it.
    pub compressed_from: Option<u16>,
}

impl Api {
    pub fn of(properties: &Value) -> Outcome<Api> {
        let mut methods = Vec::new();
        for (resource, operations) in entries(&properties["DefinitionBody"]["paths"]) {
            for (verb, operation) in entries(operations).filter(|(verb, _)| is_verb(verb)) {
                methods.push(method(resource, verb, operation)?);
            }
        }
        let settings = properties["MethodSettings"].as_array().into_iter().flatten();
        let mut limits = settings
            .filter_map(|s| Some((number(&s["ThrottlingRateLimit"])?, number(&s["ThrottlingBurstLimit"])?)));
        let rate = limits.next().map(|(per_second, burst)| Rate { per_second, burst });
        let compressed_from = number(&properties["MinimumCompressionSize"]).map(|bytes| bytes as u16);
        Ok(Api { methods, limits: Plan { name: "stage".into(), rate, quota: None }, compressed_from })
    }
}

const ANY: &str = "x-amazon-apigateway-any-method";

fn is_verb(name: &str) -> bool {
    matches!(name, "get" | "put" | "post" | "patch" | "delete" | "head" | "options") || name == ANY
}

fn method(resource: &str, verb: &str, operation: &Value) -> Outcome<Method> {
    let wanted = operation["security"].as_array().into_iter().flatten().flat_map(entries);
    let (keys, people): (Vec<_>, Vec<_>) = wanted.partition(|(scheme, _)| *scheme == "key");
    let scopes =
        people.first().map(|(_, scopes)| scopes.as_array().into_iter().flatten().map(plain).collect());
    let integration = &operation["x-amazon-apigateway-integration"];
    let answer =
        match plain(&integration["type"]).to_ascii_lowercase().as_str() {
            "mock" => fixed(integration),
            _ => Answer::Function(target(&plain(&integration["uri"])).ok_or_else(|| {
                trouble!("The template's {verb} {resource} names no function of the stack.")
            })?),
        };
    let verb = if verb == ANY { "ANY".into() } else { verb.to_ascii_uppercase() };
    Ok(Method { resource: resource.into(), verb, answer, scopes, key_required: !keys.is_empty() })
}

/// `…:function:lumina-patients/invocations` is `patients`.
fn target(uri: &str) -> Option<String> {
    let name = uri.rsplit(':').next()?.strip_suffix("/invocations")?;
    Some(name.strip_prefix(&format!("{STACK}-"))?.into())
}

/// A mock integration's first answer: what a static preflight is made of.
fn fixed(integration: &Value) -> Answer {
    let first = entries(&integration["responses"]).next().map(|(_, response)| response);
    let response = first.cloned().unwrap_or_default();
    let headers = entries(&response["responseParameters"]).map(|(name, value)| {
        let name = name.trim_start_matches("method.response.header.").to_ascii_lowercase();
        (name, plain(value).trim_matches('\'').to_string())
    });
    Answer::Fixed {
        status: plain(&response["statusCode"]).parse().unwrap_or(200),
        headers: headers.collect(),
    }
}

/// The gateway's own answers, wherever the template words them.
pub fn wordings<'a>(api: &Value, resources: impl Iterator<Item = &'a Resource>) -> Wordings {
    let mut wordings = Wordings::default();
    let inline = &api["DefinitionBody"]["x-amazon-apigateway-gateway-responses"];
    for (kind, declared) in entries(inline).chain(entries(&api["GatewayResponses"])) {
        wordings.add(kind, declared);
    }
    for resource in resources {
        wordings.add(&plain(&resource.properties["ResponseType"]), &resource.properties);
    }
    wordings
}

/// A usage plan: `Throttle {RateLimit, BurstLimit}`, `Quota {Limit, Period}`.
pub fn plan(resource: &Resource) -> Plan {
    let (throttle, quota) = (&resource.properties["Throttle"], &resource.properties["Quota"]);
    let day = Duration::from_secs(86_400);
    let period = match plain(&quota["Period"]).as_str() {
        "DAY" => day,
        "WEEK" => day * 7,
        _ => day * 30,
    };
    let rate = number(&throttle["RateLimit"]).zip(number(&throttle["BurstLimit"]));
    Plan {
        name: resource.id.trim_end_matches("Plan").to_ascii_lowercase(),
        rate: rate.map(|(per_second, burst)| Rate { per_second, burst }),
        quota: number(&quota["Limit"]).map(|limit| Quota { limit: limit as u64, period }),
    }
}

fn number(value: &Value) -> Option<f64> {
    plain(value).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn operation(security: Value, name: &str) -> Value {
        let uri = format!(
            "arn:aws:apigateway:local:lambda:path/functions/arn:aws:lambda:local:0:function:{name}/invocations"
        );
        json!({"security": security, "x-amazon-apigateway-integration": {"type": "aws_proxy", "uri": uri}})
    }

    #[test]
    fn operations_become_methods_with_scopes_and_keys() {
        let api = Api::of(&json!({
            "MinimumCompressionSize": 1024,
            "MethodSettings": [{"ThrottlingRateLimit": 1000, "ThrottlingBurstLimit": 500}],
            "DefinitionBody": {"paths": {
                "/v1/patients/{proxy+}": {
                    (ANY): operation(json!([{"people": ["api/use"]}]), "lumina-patients"),
                    "options": operation(json!([]), "lumina-patients"),
                },
                "/partner/v1/patients": {"get": operation(json!([{"people": ["api/partner"], "key": []}]), "lumina-patients")},
            }},
        }))
        .unwrap();
        let seen: Vec<_> =
            api.methods.iter().map(|m| (m.verb.as_str(), m.scopes.clone(), m.key_required)).collect();
        let scope = |s: &str| Some(vec![s.to_string()]);
        assert_eq!(
            seen,
            [("GET", scope("api/partner"), true), ("OPTIONS", None, false), ("ANY", scope("api/use"), false)]
        );
        assert!(api.methods.iter().all(|m| m.answer == Answer::Function("patients".into())));
        assert_eq!(api.limits.rate, Some(Rate { per_second: 1000.0, burst: 500.0 }));
        assert_eq!(api.compressed_from, Some(1024));
    }

    #[test]
    fn a_route_to_no_function_of_ours_is_named() {
        let bad = json!({"DefinitionBody": {"paths": {"/v1/x": {"get": operation(json!([]), "other-x")}}}});
        assert!(Api::of(&bad).unwrap_err().0.contains("/v1/x"));
    }

    #[test]
    fn a_plan_has_its_tiers_name() {
        let properties = json!({"Throttle": {"RateLimit": 5, "BurstLimit": "10"}, "Quota": {"Limit": 100, "Period": "DAY"}});
        let plan = plan(&Resource { id: "BasicPlan".into(), kind: String::new(), properties });
        assert_eq!(plan.name, "basic");
        assert_eq!(plan.rate, Some(Rate { per_second: 5.0, burst: 10.0 }));
        assert_eq!(plan.quota, Some(Quota { limit: 100, period: Duration::from_secs(86_400) }));
    }
}
