//! The token function, called for each token that the emulator's Cognito is about to sign.

use crate::handler::Handler;
use axum::{Router, body::Bytes, extract::State, http::StatusCode, response::IntoResponse, routing::post};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

/// Cognito asks once for a sign-in's access and ID token together; the emulator asks once for each, the access
/// token first. The second question of a pair is answered from here.
const PAIR: Duration = Duration::from_secs(3);

pub struct Trigger {
    function: Handler,
    answered: Mutex<HashMap<String, (Instant, Value)>>,
    signed_in: Mutex<HashMap<String, i64>>,
}

impl Trigger {
    pub fn new(function: Handler) -> Trigger {
        Trigger { function, answered: Mutex::default(), signed_in: Mutex::default() }
    }

    /// Keeps the time of a refreshed session's sign-in (seconds) while its guard lives.
    pub fn signed_in_at(self: &Arc<Self>, sub: &str, at: i64) -> Kept {
        lock(&self.signed_in).insert(sub.into(), at);
        Kept(self.clone(), sub.into())
    }

    /// The function's answer to Cognito's event, or why there is to be no token.
    pub async fn ask(&self, event: Value) -> Result<Value, String> {
        let pair = format!(
            "{} {} {}",
            event["userName"], event["callerContext"]["clientId"], event["triggerSource"]
        );
        let first = lock(&self.answered).remove(&pair);
        if let Some((at, answer)) = first
            && at.elapsed() < PAIR
        {
            return Ok(answer);
        }
        let sub = event["request"]["userAttributes"]["sub"].as_str().unwrap_or_default().to_string();
        let refreshed = event["triggerSource"] == "TokenGeneration_RefreshTokens";
        let mut answer = self.function.invoke(event).await.map_err(|trouble| trouble.0)?;
        let since = lock(&self.signed_in).get(&sub).copied().filter(|_| refreshed);
        if let Some(since) = since {
            let details = &mut answer["response"]["claimsAndScopeOverrideDetails"];
            details["accessTokenGeneration"]["claimsToAddOrOverride"]["auth_time"] = json!(since);
        }
        let mut answered = lock(&self.answered);
        answered.retain(|_, (at, _)| at.elapsed() < PAIR);
        answered.insert(pair, (Instant::now(), answer.clone()));
        Ok(answer)
    }

    /// A machine's token: asked for and answered once.
    pub async fn machine(&self, event: Value) -> Result<Value, String> {
        self.function.invoke(event).await.map_err(|trouble| trouble.0)
    }

    /// Asks before a password is looked at; an error is the reason not to.
    pub async fn before(&self, event: Value) -> Result<(), String> {
        self.function.invoke(event).await.map(drop).map_err(|trouble| trouble.0)
    }

    /// The route that the emulator's function calls; `secret` is a part of its path.
    pub fn router(self: Arc<Self>, secret: &str) -> Router {
        Router::new().route(&format!("/local/trigger/{secret}"), post(answer)).with_state(self)
    }
}

async fn answer(State(trigger): State<Arc<Trigger>>, body: Bytes) -> impl IntoResponse {
    let event = serde_json::from_slice(&body).unwrap_or_default();
    match trigger.ask(event).await {
        Ok(answer) => (StatusCode::OK, answer.to_string()),
        Err(reason) => (StatusCode::FORBIDDEN, reason),
    }
}

/// Forgets the sign-in's time when dropped.
pub struct Kept(Arc<Trigger>, String);

impl Drop for Kept {
    fn drop(&mut self) {
        lock(&self.0.signed_in).remove(&self.1);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The token function's own words out of what the emulator says of a refusal
/// (`PreTokenGeneration error: {'errorMessage': 'the session is over', 'errorType': …}`).
pub fn reason(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("PreTokenGeneration error: {'errorMessage': ")?;
    let quote = rest.chars().next().filter(|first| matches!(first, '\'' | '"'))?;
    let (said, _) = rest[1..].split_once(&format!("{quote}, '"))?;
    Some(said.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(source: &str) -> Value {
        json!({
            "userName": "usr_1", "callerContext": {"clientId": "web"}, "triggerSource": source,
            "request": {"userAttributes": {"sub": "s-1"}},
        })
    }

    fn counting() -> (Arc<Trigger>, Arc<Mutex<u32>>) {
        let count = Arc::new(Mutex::new(0));
        let counted = count.clone();
        let handler = Handler::new(Duration::from_secs(1), move |event| {
            *counted.lock().unwrap() += 1;
            async move {
                match event["userName"] == "usr_2" {
                    true => Err("the account is locked".to_string()),
                    false => Ok(json!({"response": {"claimsAndScopeOverrideDetails": {}}})),
                }
            }
        });
        (Arc::new(Trigger::new(handler)), count)
    }

    #[tokio::test]
    async fn a_pair_of_tokens_asks_the_function_once() {
        let (trigger, count) = counting();
        for _ in 0..4 {
            trigger.ask(event("TokenGeneration_Authentication")).await.unwrap();
        }
        assert_eq!(*count.lock().unwrap(), 2);
        let mut other = event("TokenGeneration_Authentication");
        other["userName"] = json!("usr_2");
        assert_eq!(trigger.ask(other).await.unwrap_err(), "the account is locked");
    }

    #[tokio::test]
    async fn a_refreshed_token_keeps_the_time_of_the_sign_in() {
        let (trigger, _) = counting();
        let kept = trigger.signed_in_at("s-1", 1_700_000_000);
        let path =
            "/response/claimsAndScopeOverrideDetails/accessTokenGeneration/claimsToAddOrOverride/auth_time";
        let answer = trigger.ask(event("TokenGeneration_RefreshTokens")).await.unwrap();
        assert_eq!(answer.pointer(path), Some(&json!(1_700_000_000)));
        drop(kept);
        let fresh = trigger.ask(event("TokenGeneration_Authentication")).await.unwrap();
        assert_eq!(fresh.pointer(path), None);
    }

    #[test]
    fn the_functions_words_are_found_in_the_emulators() {
        let said =
            "PreTokenGeneration error: {'errorMessage': 'no way', 'errorType': 'Runtime.HandlerError'}";
        assert_eq!(reason(said).as_deref(), Some("no way"));
        let quoted = r#"PreTokenGeneration error: {'errorMessage': "it's over", 'errorType': 'X'}"#;
        assert_eq!(reason(quoted).as_deref(), Some("it's over"));
        assert_eq!(reason("Incorrect username or password."), None);
    }
}
