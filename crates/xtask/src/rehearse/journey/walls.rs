//! The second wall: what a function's role and the tenants' role let through, tried from within a function.

use super::{Scene, doors::invoke};
use crate::rehearse::{code, stack::NAME};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use local::{
    trouble,
    trouble::{Outcome, While},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;

/// A tenant that nobody has.
const OTHER: &str = "00000000000000000000000000";

pub async fn hold(scene: &Scene<'_>, tenant: &str) -> Outcome<((), String)> {
    let path = format!("/2015-03-31/functions/{NAME}-patients/configuration");
    let told = scene.steps.aws.rest("lambda", Method::GET, &path, vec![]).await?;
    let function: Value = serde_json::from_str(&told).whilst("read a function's configuration")?;
    deploy(scene, &function["Role"]).await?;
    let given = &function["Environment"]["Variables"];
    let buckets = scene.steps.aws.rest("s3", Method::GET, "/", vec![]).await?;
    let buckets = crate::rehearse::aws::texts(&buckets, "Name");
    let bucket = buckets.iter().find(|name| name.contains("-documents-"));
    let event = json!({
        "table": given["TABLE"], "role": given["TENANT_ROLE"], "key": given["KEY_ID"], "bucket": bucket,
        "tenant": tenant.trim_start_matches("ten_"), "other": OTHER,
    });
    let tries = invoke(scene, "probe", &event).await?;
    let tries = tries.as_array().ok_or_else(|| trouble!("The probe answered {tries}"))?;
    let wrong: Vec<String> =
        tries.iter().filter(|one| one["got"] != one["wanted"]).map(Value::to_string).collect();
    match wrong.is_empty() {
        true => Ok((
            (),
            format!("{} tries from within a function, each allowed or refused as it has to be", tries.len()),
        )),
        false => Err(trouble!(
            "The roles let through or hold back what they should not:\n  {}",
            wrong.join("\n  ")
        )),
    }
}

/// A function of our own with another's role.
async fn deploy(scene: &Scene<'_>, role: &Value) -> Outcome<()> {
    let (source, zip) = (scene.folder.join("probe.py"), scene.folder.join("probe.zip"));
    fs::write(&source, include_str!("../probe.py")).whilst("write the probe")?;
    code::pack(scene.python, &["probe.py".into(), source.into(), zip.clone().into()])?;
    let content = fs::read(zip).whilst("read the packed probe")?;
    let function = json!({
        "FunctionName": format!("{NAME}-probe"), "Runtime": "python3.12", "Handler": "probe.handler", "Role": role,
        "Timeout": 60, "Code": {"ZipFile": BASE64_STANDARD.encode(content)},
    });
    scene
        .steps
        .aws
        .rest("lambda", Method::POST, "/2015-03-31/functions", function.to_string().into())
        .await?;
    Ok(())
}
