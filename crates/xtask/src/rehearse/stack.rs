//! The templates, transformed and adapted, as a stack of the emulated CloudFormation.

use super::{
    adapt::{self, Change, Rule},
    aws::{Aws, texts},
    code::{self, BUCKET},
    options::Options,
};
use local::{
    template::{REGION, document},
    trouble,
    trouble::{Outcome, While},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

pub const NAME: &str = "lumina";
pub const STAGE: &str = "rehearse";
pub const SENDER: &str = "no-reply@lumina.example";

/// What was deployed.
pub struct Stack {
    pub outputs: BTreeMap<String, String>,
}

/// The templates as the emulator takes them.
pub struct Templates {
    /// CloudFormation, by the key in the bucket.
    files: BTreeMap<String, Value>,
    pub programs: Vec<String>,
    pub changes: Vec<Change>,
    pub resources: usize,
}

impl Templates {
    pub fn read(options: &Options, python: &Path) -> Outcome<Templates> {
        let rules = adapt::rules()?;
        let mut root = document::read(&options.root.join("template.yaml"))?;
        let programs = code::point(&mut root);
        let mut made = Templates { files: BTreeMap::new(), programs, changes: vec![], resources: 0 };
        for resource in root["Resources"].as_object_mut().into_iter().flat_map(|all| all.values_mut()) {
            if resource["Type"] == "AWS::CloudFormation::Stack" {
                let file = resource["Properties"]["TemplateURL"].as_str().unwrap_or_default().to_string();
                resource["Properties"]["TemplateURL"] = json!(address(&file));
                let template = document::read(&options.root.join(&file))?;
                made.add(&rules, &file, template)?;
            }
        }
        let root = transformed(python, &root)?;
        made.add(&rules, "template.yaml", root)?;
        Ok(made)
    }

    fn add(&mut self, rules: &[Rule], file: &str, mut template: Value) -> Outcome<()> {
        self.changes.extend(adapt::adapt(rules, file, &mut template)?);
        self.resources += template["Resources"].as_object().map_or(0, serde_json::Map::len);
        self.files.insert(file.into(), template);
        Ok(())
    }
}

fn address(file: &str) -> String {
    format!("https://s3.amazonaws.com/{BUCKET}/{file}")
}

/// By the translator of SAM, in Python.
fn transformed(python: &Path, template: &Value) -> Outcome<Value> {
    let deed = "transform template.yaml";
    let mut command = Command::new(python);
    command.args(["-c", include_str!("sam.py"), REGION]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().whilst(deed)?;
    let mut input = child.stdin.take().ok_or_else(|| trouble!("Could not {deed}: no input"))?;
    input.write_all(template.to_string().as_bytes()).whilst(deed)?;
    drop(input);
    let done = child.wait_with_output().whilst(deed)?;
    if !done.status.success() {
        return Err(trouble!("Could not {deed}: {}", String::from_utf8_lossy(&done.stderr)));
    }
    serde_json::from_slice(&done.stdout).whilst(deed)
}

/// Makes the bucket that templates and programs are taken from, and the identity that letters come from.
pub async fn prepare(aws: &Aws) -> Outcome<()> {
    let place = format!(
        "<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
    );
    aws.rest("s3", Method::PUT, &format!("/{BUCKET}"), place.into()).await?;
    let sender = json!({ "EmailIdentity": SENDER }).to_string().into();
    aws.rest("ses", Method::POST, "/v2/email/identities", sender).await?;
    Ok(())
}

/// Uploads the templates, makes the stack and waits until it stands.
pub async fn deploy(aws: &Aws, templates: &Templates) -> Outcome<Stack> {
    for (file, template) in &templates.files {
        aws.rest("s3", Method::PUT, &format!("/{BUCKET}/{file}"), template.to_string().into()).await?;
    }
    let processor = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let parameters = [("Stage", STAGE), ("Sender", SENDER), ("Architecture", processor)];
    let mut given = vec![pair("StackName", NAME), pair("TemplateURL", &address("template.yaml"))];
    for (n, (name, value)) in parameters.into_iter().enumerate() {
        given.push(pair(&format!("Parameters.member.{}.ParameterKey", n + 1), name));
        given.push(pair(&format!("Parameters.member.{}.ParameterValue", n + 1), value));
    }
    for (n, capability) in ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"].into_iter().enumerate() {
        given.push(pair(&format!("Capabilities.member.{}", n + 1), capability));
    }
    aws.query("cloudformation", "CreateStack", &given).await?;
    for _ in 0..240 {
        let told = aws.query("cloudformation", "DescribeStacks", &[pair("StackName", NAME)]).await?;
        match texts(&told, "StackStatus").first().copied().unwrap_or_default() {
            "CREATE_COMPLETE" => return Ok(Stack { outputs: outputs(&told) }),
            status if status.ends_with("_IN_PROGRESS") => {
                tokio::time::sleep(Duration::from_millis(250)).await
            }
            status => return Err(trouble!("The stack ended as {status}: {}", failures(aws).await)),
        }
    }
    Err(trouble!("The stack was not made within a minute."))
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.into(), value.into())
}

fn outputs(told: &str) -> BTreeMap<String, String> {
    let all = texts(told, "OutputKey").into_iter().zip(texts(told, "OutputValue"));
    all.map(|(name, value)| pair(name, value)).collect()
}

/// What CloudFormation says of the resources that failed.
async fn failures(aws: &Aws) -> String {
    let events = aws.query("cloudformation", "DescribeStackEvents", &[pair("StackName", NAME)]).await;
    let events = events.unwrap_or_else(|trouble| trouble.0);
    let failed = events.split("<member>").filter(|event| event.contains("_FAILED"));
    let one = |event: &str| {
        let text = |name| texts(event, name).first().copied().unwrap_or_default().to_string();
        format!("{} ({}): {}", text("LogicalResourceId"), text("ResourceType"), text("ResourceStatusReason"))
    };
    failed.map(one).collect::<Vec<_>>().join("; ")
}

impl Stack {
    pub fn output(&self, name: &str) -> Outcome<&str> {
        let found = self.outputs.get(name).ok_or_else(|| trouble!("The stack has no output {name}."));
        found.map(String::as_str)
    }

    /// Where the emulator serves the API that the output `Url` names.
    pub fn api(&self, aws: &Aws) -> Outcome<String> {
        let url = self.output("Url")?;
        let id = url.strip_prefix("https://").and_then(|rest| rest.split('.').next()).unwrap_or_default();
        Ok(format!("{}/_aws/execute-api/{id}/{STAGE}", aws.address))
    }
}
