//! The user pool on the emulator, from the template's declaration, with the token trigger in front.

use super::{Caller, Refusal};
use crate::{
    template::{REGION, Template, document::plain},
    trouble,
    trouble::{Outcome, While},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The pool as functions and gateway know it.
#[derive(Clone, Debug)]
pub struct Pool {
    pub id: String,
    /// Ids of the app clients by the template's logical name.
    pub clients: BTreeMap<String, String>,
}

impl Pool {
    /// As on the tokens; Cognito's own address, whoever emulates it.
    pub fn issuer(&self) -> String {
        format!("https://cognito-idp.{REGION}.amazonaws.com/{}", self.id)
    }

    pub fn client(&self, name: &str) -> &str {
        self.clients.get(name).map(String::as_str).unwrap_or_default()
    }

    /// The keys that its tokens are signed with.
    pub async fn keys(&self, caller: &Caller) -> Outcome<Value> {
        caller.get(&format!("/{}/.well-known/jwks.json", self.id)).await.whilst("read the user pool's keys")
    }
}

/// Finds or makes the pool. `trigger`: the address that the emulator calls for each token.
pub async fn ensure(caller: &Caller, template: &Template, trigger: &str) -> Outcome<Pool> {
    let function = ensure_trigger(caller, trigger).await?;
    let name = plain(&template.pool["UserPoolName"]);
    let pools =
        caller.cognito("ListUserPools", &json!({"MaxResults": 60})).await.whilst("list user pools")?;
    let known =
        pools["UserPools"].as_array().into_iter().flatten().find(|pool| pool["Name"] == name.as_str());
    let id = match known {
        Some(pool) => plain(&pool["Id"]),
        None => make(caller, template, &name, &function).await?,
    };
    let mut clients = BTreeMap::new();
    let have = caller.cognito("ListUserPoolClients", &json!({"UserPoolId": id, "MaxResults": 60})).await;
    let have = have.whilst("list app clients")?;
    for (logical, declared) in &template.clients {
        let have = have["UserPoolClients"].as_array().into_iter().flatten();
        let known = have.clone().find(|client| client["ClientName"] == declared["ClientName"]);
        let client = match known {
            Some(client) => plain(&client["ClientId"]),
            None => make_client(caller, &id, declared).await?,
        };
        clients.insert(logical.clone(), client);
    }
    Ok(Pool { id, clients })
}

async fn make(caller: &Caller, template: &Template, name: &str, function: &str) -> Outcome<String> {
    let mut asked = template.pool.clone();
    if let Some(asked) = asked.as_object_mut() {
        asked.remove("UserPoolName");
        asked.insert("PoolName".into(), json!(name));
    }
    asked["LambdaConfig"]["PreTokenGenerationConfig"]["LambdaArn"] = json!(function);
    let made = caller.cognito("CreateUserPool", &asked).await.whilst("make the user pool")?;
    let id = plain(&made["UserPool"]["Id"]);
    for server in &template.resource_servers {
        let mut server = server.clone();
        server["UserPoolId"] = json!(id);
        caller.cognito("CreateResourceServer", &server).await.whilst("declare the API's scopes")?;
    }
    let mfa = json!({
        "UserPoolId": id, "MfaConfiguration": template.pool["MfaConfiguration"],
        "SoftwareTokenMfaConfiguration": {"Enabled": true},
    });
    caller.cognito("SetUserPoolMfaConfig", &mfa).await.whilst("allow a second factor")?;
    Ok(id)
}

async fn make_client(caller: &Caller, pool: &str, declared: &Value) -> Outcome<String> {
    let mut asked = declared.clone();
    asked["UserPoolId"] = json!(pool);
    if let Some(flows) = asked["ExplicitAuthFlows"].as_array_mut() {
        // The local sign-in page's way in: it has the password, where Cognito's own page would have asked for it.
        flows.push(json!("ALLOW_USER_PASSWORD_AUTH"));
    }
    let made = caller.cognito("CreateUserPoolClient", &asked).await.whilst("make an app client")?;
    Ok(plain(&made["UserPoolClient"]["ClientId"]))
}

const FUNCTION: &str = "lumina-token";

/// A function on the emulator that hands Cognito's trigger on to this process; its address changes with each start.
async fn ensure_trigger(caller: &Caller, trigger: &str) -> Outcome<String> {
    let folder = "/2015-03-31/functions";
    let environment = json!({"Variables": {"TRIGGER": trigger}});
    let wanted = json!({
        "FunctionName": FUNCTION, "Runtime": "python3.12", "Handler": "index.handler", "Timeout": 5,
        "Role": "arn:aws:iam::000000000000:role/lumina-token", "Environment": environment,
        "Code": {"ZipFile": BASE64_STANDARD.encode(zip("index.py", include_bytes!("trigger.py")))},
    });
    let made = caller.rest(http::Method::POST, folder, "lambda", &wanted).await;
    let about = match made {
        Ok(about) => about,
        Err(Refusal { kind, .. }) if kind == "ResourceConflictException" => {
            let path = format!("{folder}/{FUNCTION}/configuration");
            let told = json!({"Environment": environment});
            caller
                .rest(http::Method::PUT, &path, "lambda", &told)
                .await
                .whilst("point the token trigger here")?
        }
        Err(refusal) => return Err(trouble!("Could not make the token trigger: {refusal}")),
    };
    Ok(plain(&about["FunctionArn"]))
}

/// A zip file of one stored (not compressed) file.
fn zip(name: &str, content: &[u8]) -> Vec<u8> {
    let crc = crc32(content).to_le_bytes();
    let length = (content.len() as u32).to_le_bytes();
    let name_length = (name.len() as u16).to_le_bytes();
    // Version 2.0, no flags, stored, 1980-01-01.
    let common =
        [&[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0][..], &crc, &length, &length, &name_length, &[0, 0]].concat();
    let local = [b"PK\x03\x04", &common[..], name.as_bytes(), content].concat();
    let attributes = [&[0u8; 6][..], &(0o100_644u32 << 16).to_le_bytes(), &[0; 4]].concat();
    let central = [b"PK\x01\x02", &[20, 3][..], &common, &attributes, name.as_bytes()].concat();
    let sizes = [(central.len() as u32).to_le_bytes(), (local.len() as u32).to_le_bytes()].concat();
    let end = [b"PK\x05\x06", &[0, 0, 0, 0, 1, 0, 1, 0][..], &sizes, &[0, 0]].concat();
    [local, central, end].concat()
}

fn crc32(content: &[u8]) -> u32 {
    !content.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zip_files_checksum_is_the_known_one() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        let made = zip("a", b"x");
        // Local header 30 + 1 + 1, central 46 + 1, end 22; the end names where the central part begins.
        assert_eq!(made.len(), 32 + 47 + 22);
        assert_eq!(made[made.len() - 6..made.len() - 2], 32u32.to_le_bytes());
    }
}
