//! `template.yaml` and `infra/*.yaml` as the local platform sees them.

pub mod api;
pub mod document;
pub mod function;
pub mod messaging;
pub mod schedule;

use crate::{gateway::refusal::Wordings, gateway::throttle::Plan, trouble, trouble::Outcome};
use api::Api;
use document::{Document, Resource};
use function::Function;
use messaging::{Queue, Rule};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path};

/// Names of everything begin with it, as with a stack's name when deployed.
pub const STACK: &str = "lumina";
/// The stage of the API, and of the environment, on one machine.
pub const STAGE: &str = "local";

/// The region that one machine stands for.
pub const REGION: &str = "af-south-1";

/// Everything the local platform takes from the template.
pub struct Template {
    pub api: Api,
    pub wordings: Wordings,
    /// Usage plans by their name.
    pub plans: Vec<Plan>,
    pub functions: Vec<Function>,
    pub queues: Vec<Queue>,
    pub rules: Vec<Rule>,
    /// The table's properties, in CloudFormation's words.
    pub table: Value,
    pub table_name: String,
    pub pool: Value,
    /// App clients by their logical name.
    pub clients: BTreeMap<String, Value>,
    pub resource_servers: Vec<Value>,
}

impl Template {
    pub fn load(path: &Path) -> Outcome<Template> {
        let given = [
            ("Stage", json!(STAGE)),
            ("IsolateByCredentials", json!("false")),
            ("Sender", json!("no-reply@lumina.local")),
        ];
        let given = given.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
        Template::of(&Document::load(path, &given)?.resources()?)
    }

    pub fn of(resources: &[Resource]) -> Outcome<Template> {
        let of_kind = |kind: &'static str| resources.iter().filter(move |r| r.kind == kind);
        let one =
            |kind: &'static str| of_kind(kind).next().ok_or_else(|| trouble!("The template has no {kind}."));
        let table = &one("AWS::DynamoDB::GlobalTable")?.properties;
        let api = &one("AWS::Serverless::Api")?.properties;
        Ok(Template {
            api: Api::of(api)?,
            wordings: api::wordings(api, of_kind("AWS::ApiGateway::GatewayResponse")),
            plans: of_kind("AWS::ApiGateway::UsagePlan").map(api::plan).collect(),
            functions: of_kind("AWS::Serverless::Function").map(Function::of).collect::<Outcome<_>>()?,
            queues: of_kind("AWS::SQS::Queue").map(Queue::of).collect(),
            rules: of_kind("AWS::Events::Rule").map(Rule::of).collect(),
            table: table.clone(),
            table_name: document::plain(&table["TableName"]),
            pool: of_kind("AWS::Cognito::UserPool").next().map(|r| r.properties.clone()).unwrap_or_default(),
            clients: of_kind("AWS::Cognito::UserPoolClient")
                .map(|r| (r.id.clone(), r.properties.clone()))
                .collect(),
            resource_servers: of_kind("AWS::Cognito::UserPoolResourceServer")
                .map(|r| r.properties.clone())
                .collect(),
        })
    }

    pub fn function(&self, name: &str) -> Outcome<&Function> {
        let found = self.functions.iter().find(|function| function.name == name);
        found.ok_or_else(|| trouble!("The template has no function {name}."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The template in this repository: what it must have for the platform to start at all.
    #[test]
    fn the_products_own_template_is_understood() {
        let template =
            Template::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml")).unwrap();
        let names = |sources: &[function::Source]| sources.len();
        assert!(
            template.api.methods.iter().any(|m| m.resource == "/v1/patients/{proxy+}" && m.scopes.is_some())
        );
        assert!(template.api.methods.iter().any(|m| m.resource.starts_with("/partner/") && m.key_required));
        for name in [
            "tenants",
            "identity",
            "patients",
            "scheduling",
            "audit",
            "documents",
            "notifications",
            "integrations",
            "workflow",
            "eap",
            "dispatch",
            "clock",
        ] {
            assert!(names(&template.function(name).unwrap().sources) > 0, "{name} is never woken");
        }
        for queue in template.functions.iter().flat_map(|f| &f.sources) {
            if let function::Source::Queue { queue, .. } = queue {
                assert!(template.queues.iter().any(|known| known.id == *queue), "{queue}");
            }
        }
        // A consumer leaves a dead letter's reason when it handles a message for the last time.
        let given_up: Vec<u32> =
            template.queues.iter().filter_map(|q| Some(q.dead_letters.as_ref()?.1)).collect();
        assert!(
            given_up.len() >= 10 && given_up.iter().all(|times| *times == web::dead::RECEIVES),
            "{given_up:?}"
        );
        let targets: Vec<_> = template.rules.iter().flat_map(|rule| &rule.targets).collect();
        assert!(!targets.is_empty() && targets.iter().all(|t| template.queues.iter().any(|q| q.id == **t)));
        assert_eq!(template.table["GlobalSecondaryIndexes"].as_array().unwrap().len(), 6);
        assert_eq!(template.function("identity").unwrap().environment["ISOLATE"], "false");
        assert_eq!(template.plans.len(), integrations::tier::all().len());
        for (name, allowed) in integrations::tier::all() {
            let plan = template.plans.iter().find(|p| p.name == *name).unwrap();
            let rate = plan.rate.unwrap();
            assert_eq!((rate.per_second, rate.burst), (allowed.per_second, allowed.burst), "{name}");
            let day = std::time::Duration::from_secs(86_400);
            let quota = plan.quota.unwrap();
            assert_eq!((quota.limit, quota.period), (allowed.per_day, day), "{name}");
        }
        assert!(template.clients.contains_key("AppClient") && template.clients.contains_key("AdminClient"));
        assert_eq!(template.pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"], true);
    }
}
