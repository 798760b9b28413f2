//! Somebody who uses the API as everybody does: over HTTP, with a token from the login.

use super::login::Login;
use crate::{
    trouble,
    trouble::{Outcome, While},
};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::time::Duration;

#[derive(Clone)]
pub struct Visitor {
    client: Client,
    base: String,
    /// Where `/local/…` answers: the login and the mails.
    lodge: String,
    token: Option<String>,
}

/// One answer of the API.
#[derive(Clone, Debug)]
pub struct Answered {
    pub status: u16,
    pub body: Value,
    /// What was asked, for the sentence when it went wrong.
    asked: String,
}

impl Answered {
    /// The body of a success; a problem becomes the sentence that it says, with all its faults.
    pub fn fine(self) -> Outcome<Value> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        let fault = |fault: &Value| format!("{} {}", fault["pointer"], fault["detail"]);
        let faults: Vec<String> = self.body["errors"].as_array().into_iter().flatten().map(fault).collect();
        let (asked, status, detail) = (&self.asked, self.status, &self.body["detail"]);
        Err(trouble!("{asked} answered {status}: {detail} {}", faults.join("; ")))
    }

    /// The last part of a problem's `type`: `slot-taken`.
    pub fn problem(&self) -> &str {
        self.body["type"].as_str().and_then(|kind| kind.rsplit('/').next()).unwrap_or_default()
    }
}

impl Visitor {
    /// Nobody in particular; `base`: `http://127.0.0.1:3000`.
    pub fn at(base: &str) -> Outcome<Visitor> {
        Visitor::between(base, base)
    }

    /// The same where login and mails (`/local/…`) are at another address than the API.
    pub fn between(base: &str, lodge: &str) -> Outcome<Visitor> {
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(60)).build();
        let client = client.whilst("make an HTTP client")?;
        Ok(Visitor { client, base: base.into(), lodge: lodge.into(), token: None })
    }

    /// The same door with another token, or none.
    pub fn with(&self, token: Option<&str>) -> Visitor {
        Visitor { token: token.map(String::from), ..self.clone() }
    }

    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// One request, whatever it answers.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Outcome<Answered> {
        let asked = format!("{method} {path}");
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.whilst(&asked)?;
        let status = answer.status().as_u16();
        let text = answer.text().await.whilst(&asked)?;
        Ok(Answered { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)), asked })
    }

    pub async fn get(&self, path: &str) -> Outcome<Value> {
        self.send(Method::GET, path, &[], None).await?.fine()
    }

    pub async fn post(&self, path: &str, body: Value) -> Outcome<Value> {
        self.send(Method::POST, path, &[], Some(&body)).await?.fine()
    }

    pub async fn patch(&self, path: &str, body: Value) -> Outcome<Value> {
        self.send(Method::PATCH, path, &[], Some(&body)).await?.fine()
    }

    /// A command whose reason stands in the change record.
    pub async fn post_because(&self, path: &str, body: Value, reason: &str) -> Outcome<Value> {
        self.send(Method::POST, path, &[("x-reason", reason)], Some(&body)).await?.fine()
    }

    /// Signs in and answers the same door with the access token.
    pub async fn sign_in(&self, login: &Login, now: u64) -> Outcome<Visitor> {
        let mut asked = json!({
            "slug": login.slug, "login_name": login.login_name, "password": login.password,
        });
        if let Some(secret) = &login.totp_secret {
            asked["totp"] = json!(super::secret::code(secret, now)?);
        }
        let lodge = Visitor { base: self.lodge.clone(), token: None, ..self.clone() };
        let tokens = lodge.post("/local/login", asked).await?;
        Ok(self.with(tokens["access_token"].as_str()))
    }

    /// The text of the newest letter to an address that says `word`; waits for it.
    pub async fn letter(&self, to: &str, word: &str) -> Outcome<String> {
        for _ in 0..600 {
            let mails =
                self.client.get(format!("{}/local/mail", self.lodge)).query(&[("to", to)]).send().await;
            let mails: Value = mails.whilst("read the mails")?.json().await.whilst("read the mails")?;
            let mut all = mails["data"].as_array().into_iter().flatten();
            if let Some(mail) = all.find(|mail| mail["text"].as_str().is_some_and(|text| text.contains(word)))
            {
                return Ok(mail["text"].as_str().unwrap_or_default().into());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(trouble!("No letter that says “{word}” came to {to} within a minute."))
    }
}
