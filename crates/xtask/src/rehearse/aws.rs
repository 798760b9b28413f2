//! Signed calls to the emulated AWS, as the account's owner.

use aws_credential_types::Credentials;
use aws_lc_rs::digest;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use kernel::Clock;
use local::{
    template::REGION,
    trouble,
    trouble::{Outcome, While},
};
use reqwest::Method;
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// The keys of the emulated account's owner; worth nothing anywhere else.
pub const KEY: &str = "test";

#[derive(Clone)]
pub struct Aws {
    pub address: String,
    client: reqwest::Client,
    clock: Clock,
}

struct Ask<'a> {
    service: &'a str,
    method: Method,
    path: String,
    headers: Vec<(&'a str, String)>,
    body: Vec<u8>,
}

impl Aws {
    pub fn at(address: &str) -> Outcome<Aws> {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(90)).build();
        let client = client.whilst("make an HTTP client")?;
        Ok(Aws { address: address.into(), client, clock: Clock::default() })
    }

    /// A service that speaks JSON: `json("logs", "Logs_20140328.FilterLogEvents", …)`.
    pub async fn json(&self, service: &str, target: &str, body: &Value) -> Outcome<Value> {
        let headers =
            vec![("content-type", "application/x-amz-json-1.1".into()), ("x-amz-target", target.into())];
        let path = "/".to_string();
        let ask = Ask { service, method: Method::POST, path, headers, body: body.to_string().into() };
        let answer = self.send(ask).await?;
        serde_json::from_str(&answer).whilst(format_args!("read the answer of {target}"))
    }

    /// A service that speaks forms and XML: `query("cloudformation", "CreateStack", …)`.
    pub async fn query(&self, service: &str, action: &str, given: &[(String, String)]) -> Outcome<String> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action);
        form.extend_pairs(given);
        let headers = vec![("content-type", "application/x-www-form-urlencoded".into())];
        let body = form.finish().into();
        self.send(Ask { service, method: Method::POST, path: "/".into(), headers, body }).await
    }

    /// A service that speaks REST: `rest("s3", PUT, "/bucket/key", …)`.
    pub async fn rest(&self, service: &str, method: Method, path: &str, body: Vec<u8>) -> Outcome<String> {
        self.send(Ask { service, method, path: path.into(), headers: vec![], body }).await
    }

    async fn send(&self, ask: Ask<'_>) -> Outcome<String> {
        let deed = format!("call {} {}", ask.service, ask.path);
        let url = format!("{}{}", self.address, ask.path);
        let signature = self.signature(&ask, &url)?;
        let mut request = self.client.request(ask.method, url).body(ask.body);
        for (name, value) in ask.headers.into_iter().chain(signature) {
            request = request.header(name, value);
        }
        let answer = request.send().await.whilst(&deed)?;
        let status = answer.status();
        let text = answer.text().await.whilst(&deed)?;
        if status.is_success() {
            Ok(text)
        } else {
            Err(trouble!("Could not {deed}: {status} {}", text.trim()))
        }
    }

    fn signature(&self, ask: &Ask<'_>, url: &str) -> Outcome<Vec<(&'static str, String)>> {
        let deed = "sign a call";
        let identity = Credentials::new(KEY, KEY, None, None, "rehearsal").into();
        let now =
            SystemTime::UNIX_EPOCH + Duration::from_millis(self.clock.now().as_millisecond().unsigned_abs());
        let parameters = v4::SigningParams::builder().identity(&identity).region(REGION).name(ask.service);
        let parameters = parameters.time(now).settings(SigningSettings::default()).build().whilst(deed)?;
        let headers = ask.headers.iter().map(|(name, value)| (*name, value.as_str()));
        // By aws-lc: the signer's own digest takes a minute for the programs in a debug build.
        let body = digest::digest(&digest::SHA256, &ask.body);
        let body =
            SignableBody::Precomputed(body.as_ref().iter().map(|byte| format!("{byte:02x}")).collect());
        let request = SignableRequest::new(ask.method.as_str(), url, headers, body).whilst(deed)?;
        let (signed, _) = sign(request, &parameters.into()).whilst(deed)?.into_parts();
        let (headers, _) = signed.into_parts();
        Ok(headers.iter().map(|header| (header.name(), header.value().to_string())).collect())
    }
}

/// What stands between a name's tags in XML, everywhere it stands.
pub fn texts<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let parts = xml.split(open.as_str()).skip(1);
    parts.filter_map(|part| part.split_once(close.as_str()).map(|(text, _)| text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_between_their_tags() {
        let xml = "<a><Key>x</Key><Value></Value></a><a><Key>y</Key></a>";
        assert_eq!(texts(xml, "Key"), ["x", "y"]);
        assert_eq!(texts(xml, "Value"), [""]);
        assert!(texts(xml, "Other").is_empty());
    }
}
