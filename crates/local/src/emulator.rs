//! ministack, the emulator of Cognito, SES, S3 and the rest, as a child process that ends with this one.

pub mod pool;
pub mod python;

use crate::{
    template::REGION,
    trouble,
    trouble::{Outcome, While},
};
use serde_json::Value;
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::process::{Child, ChildStdin, Command};

/// A running emulator.
pub struct Emulator {
    child: Child,
    /// Open as long as it is to run; kept apart, because waiting for a child closes its input.
    input: Option<ChildStdin>,
    pub address: String,
    client: reqwest::Client,
    log: PathBuf,
}

/// What a call to it came to.
#[derive(Debug)]
pub struct Refusal {
    /// `UsernameExistsException`
    pub kind: String,
    pub message: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

impl std::error::Error for Refusal {}

impl Emulator {
    /// Starts it with its state under `folder`, and waits until it answers.
    pub async fn start(python: &Path, folder: &Path) -> Outcome<Emulator> {
        let kept = [("PERSIST_STATE", "1"), ("S3_PERSIST", "1")];
        Emulator::start_with(python, folder, include_str!("emulator/beside.py"), &kept).await
    }

    /// The same within a script, which is to end when its standard input closes, and with more environment.
    pub async fn start_with(
        python: &Path,
        folder: &Path,
        around: &str,
        environment: &[(&str, &str)],
    ) -> Outcome<Emulator> {
        std::fs::create_dir_all(folder).whilst(format_args!("make {}", folder.display()))?;
        let folder = folder.canonicalize().whilst(format_args!("find {}", folder.display()))?;
        let (script, log) = (folder.join("beside.py"), folder.join("ministack.log"));
        std::fs::write(&script, around).whilst("write the emulator's script")?;
        let output = File::create(&log).whilst("open the emulator's log")?;
        let errors = output.try_clone().whilst("open the emulator's log")?;
        let port = free_port()?;
        let mut child = Command::new(python)
            .arg(&script)
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| is_passed_on(name)))
            .envs(environment.iter().copied())
            .envs([
                ("BIND_HOST", "127.0.0.1"),
                ("IOT_MTLS_ENABLED", "0"),
                ("SFTP_ENABLED", "0"),
                ("MINISTACK_REGION", REGION),
            ])
            // A trigger that fails refuses the token, as Cognito does; triggers run here, never in containers.
            .envs([("MINISTACK_COGNITO_PRETOKEN_STRICT", "1"), ("DOCKER_HOST", "unix:///nowhere")])
            .env("GATEWAY_PORT", port.to_string())
            .env("STATE_DIR", folder.join("state"))
            .env("S3_DATA_DIR", folder.join("s3"))
            // Ctrl-C reaches this process only; the emulator stops when its input closes.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .whilst("start the emulator")?;
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build();
        let client = client.whilst("reach the emulator")?;
        let input = child.stdin.take();
        let mut emulator =
            Emulator { child, input, address: format!("http://127.0.0.1:{port}"), client, log };
        emulator.wait().await?;
        Ok(emulator)
    }

    async fn wait(&mut self) -> Outcome<()> {
        for _ in 0..600 {
            let ready = self.client.get(format!("{}/_ministack/ready", self.address)).send().await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            if let Ok(Some(_)) = self.child.try_wait() {
                let said = std::fs::read_to_string(&self.log).unwrap_or_default();
                let last =
                    said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
                return Err(trouble!("The emulator did not start: {last} (see {}).", self.log.display()));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(trouble!("The emulator did not answer within 30 seconds (see {}).", self.log.display()))
    }

    /// A handle for calls that outlives no stop.
    pub fn caller(&self) -> Caller {
        Caller { address: self.address.clone(), client: self.client.clone() }
    }

    /// Stops it in the way in which it saves.
    pub async fn stop(mut self) {
        drop(self.input.take());
        if tokio::time::timeout(Duration::from_secs(10), self.child.wait()).await.is_err() {
            tracing::warn!("the emulator did not stop by itself");
            let _ = self.child.kill().await;
        }
    }

    /// Resolves when the emulator has ended by itself.
    pub async fn ended(&mut self) {
        let _ = self.child.wait().await;
    }
}

/// Calls to the emulator's services in AWS' JSON protocols.
#[derive(Clone)]
pub struct Caller {
    pub address: String,
    client: reqwest::Client,
}

impl Caller {
    /// `call("AWSCognitoIdentityProviderService", "cognito-idp", "ListUserPools", …)`
    pub async fn call(
        &self,
        target: &str,
        service: &str,
        action: &str,
        body: &Value,
    ) -> Result<Value, Refusal> {
        let request = self
            .client
            .post(&self.address)
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("{target}.{action}"))
            .header("authorization", signature(service))
            .body(body.to_string());
        answer(request).await
    }

    pub async fn cognito(&self, action: &str, body: &Value) -> Result<Value, Refusal> {
        self.call("AWSCognitoIdentityProviderService", "cognito-idp", action, body).await
    }

    /// A REST call, such as Lambda's.
    pub async fn rest(
        &self,
        method: http::Method,
        path: &str,
        service: &str,
        body: &Value,
    ) -> Result<Value, Refusal> {
        let method = reqwest::Method::from_bytes(method.as_str().as_bytes()).unwrap_or(reqwest::Method::GET);
        let request = self
            .client
            .request(method, format!("{}{path}", self.address))
            .header("content-type", "application/json")
            .header("authorization", signature(service))
            .body(body.to_string());
        answer(request).await
    }

    /// Lets mail go out from an address: SES sends from verified identities only. Repeatable.
    pub async fn verify_sender(&self, address: &str) -> Outcome<()> {
        let ask = serde_json::json!({ "EmailIdentity": address });
        match self.rest(http::Method::POST, "/v2/email/identities", "ses", &ask).await {
            Err(refusal) if refusal.kind != "AlreadyExistsException" => {
                Err(trouble!("Could not set up the sender of mails: {refusal}"))
            }
            _ => Ok(()),
        }
    }

    pub async fn get(&self, path: &str) -> Result<Value, Refusal> {
        answer(self.client.get(format!("{}{path}", self.address))).await
    }
}

/// The emulator reads the region from it and checks nothing else.
fn signature(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

async fn answer(request: reqwest::RequestBuilder) -> Result<Value, Refusal> {
    let broken = |cause: reqwest::Error| Refusal { kind: "Unreachable".into(), message: cause.to_string() };
    let answer = request.send().await.map_err(broken)?;
    let status = answer.status();
    let text = answer.text().await.map_err(broken)?;
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    if status.is_success() {
        return Ok(body);
    }
    let text =
        |names: [&str; 3]| names.iter().find_map(|name| body[*name].as_str()).unwrap_or_default().to_string();
    let kind = text(["__type", "Type", "code"]);
    let kind = kind.rsplit('#').next().unwrap_or_default().to_string();
    Err(Refusal { kind, message: text(["message", "Message", "error"]) })
}

fn free_port() -> Outcome<u16> {
    let probe = std::net::TcpListener::bind("127.0.0.1:0").whilst("find a free port")?;
    Ok(probe.local_addr().whilst("find a free port")?.port())
}

/// The emulator needs a path, a home, certificates; what names another AWS, Docker or Python must not reach it.
fn is_passed_on(name: &std::ffi::OsStr) -> bool {
    let name = name.to_string_lossy();
    !["AWS_", "DOCKER_", "PYTHON", "LAMBDA_", "MINISTACK_", "LOCALSTACK_"]
        .iter()
        .any(|start| name.starts_with(start))
        && !name.to_ascii_lowercase().ends_with("_proxy")
}
