//! What Cognito's hosted pages do when deployed, under `/local/…` on the gateway's own port.
//!
//! The emulator's Cognito checks the password and the code, calls the token function through its trigger and
//! signs; these routes only stand where its pages would stand, so that people and scripts can sign in by one
//! request. They exist on the local platform only.

pub mod trigger;

use crate::{
    emulator::{Caller, Refusal, pool::Pool},
    template::{REGION, document::plain},
};
use axum::{
    Json, Router,
    extract::{Query, State, rejection::JsonRejection},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc};
use trigger::Trigger;

pub struct Hosted {
    pub caller: Caller,
    pub pool: Pool,
    pub trigger: Arc<Trigger>,
    /// The pool asks the token function before it looks at a password. The emulator knows no such trigger, so it
    /// is asked here.
    pub asks_first: bool,
}

/// A person at the door. `slug` is the organisation's, `platform` for operators.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    slug: String,
    login_name: String,
    password: String,
    /// The six digits of the authenticator app, when a second factor is set up.
    totp: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refresh {
    refresh_token: String,
}

pub fn router(hosted: Arc<Hosted>) -> Router {
    Router::new()
        .route("/local/login", get(page).post(login))
        .route("/local/refresh", post(refresh))
        .route("/local/mail", get(mail))
        .with_state(hosted)
}

async fn page() -> Html<&'static str> {
    Html(include_str!("hosted/login.html"))
}

type Asked<T> = Result<Json<T>, JsonRejection>;

async fn login(State(hosted): State<Arc<Hosted>>, asked: Asked<Login>) -> Response {
    let asked = match asked {
        Ok(Json(asked)) => asked,
        Err(wrong) => return problem(StatusCode::BAD_REQUEST, "invalid", &wrong.body_text()),
    };
    let name = format!("{}/{}", asked.slug.trim(), asked.login_name.trim()).to_lowercase();
    let client = hosted.client(&asked.slug);
    let begin = json!({
        "ClientId": client, "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": name, "PASSWORD": asked.password},
    });
    if let Some(refused) = hosted.refused_first(&name, client).await {
        return problem(StatusCode::FORBIDDEN, "login-refused", &refused);
    }
    let mut answer = hosted.caller.cognito("InitiateAuth", &begin).await;
    if let Ok(challenge) = &answer
        && challenge["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    {
        let Some(code) = asked.totp.filter(|code| !code.trim().is_empty()) else {
            return problem(
                StatusCode::UNAUTHORIZED,
                "totp-required",
                "Send the authenticator's code as totp.",
            );
        };
        let respond = json!({
            "ClientId": client, "ChallengeName": "SOFTWARE_TOKEN_MFA", "Session": challenge["Session"],
            "ChallengeResponses": {"USERNAME": name, "SOFTWARE_TOKEN_MFA_CODE": code.trim()},
        });
        answer = hosted.caller.cognito("RespondToAuthChallenge", &respond).await;
    }
    tokens(answer)
}

async fn refresh(State(hosted): State<Arc<Hosted>>, asked: Asked<Refresh>) -> Response {
    let asked = match asked {
        Ok(Json(asked)) => asked,
        Err(wrong) => return problem(StatusCode::BAD_REQUEST, "invalid", &wrong.body_text()),
    };
    let Some(old) = claims(&asked.refresh_token) else {
        return problem(
            StatusCode::UNAUTHORIZED,
            "session-ended",
            "This is no refresh token; sign in again.",
        );
    };
    // The emulator dates each new token's sign-in to now; Cognito keeps the time of the password.
    let _kept = hosted.trigger.signed_in_at(&plain(&old["sub"]), old["iat"].as_i64().unwrap_or_default());
    let ask = json!({
        "ClientId": old["client_id"], "AuthFlow": "REFRESH_TOKEN_AUTH",
        "AuthParameters": {"REFRESH_TOKEN": asked.refresh_token},
    });
    tokens(hosted.caller.cognito("InitiateAuth", &ask).await)
}

impl Hosted {
    /// Why an account may not even try its password (locked), if so. A name that nobody has is not asked about.
    async fn refused_first(&self, alias: &str, client: &str) -> Option<String> {
        if !self.asks_first {
            return None;
        }
        let ask = json!({"UserPoolId": self.pool.id, "Username": alias});
        let account = self.caller.cognito("AdminGetUser", &ask).await.ok()?;
        let attributes = account["UserAttributes"].as_array().into_iter().flatten();
        let attributes = attributes.map(|a| (plain(&a["Name"]), a["Value"].clone()));
        let event = json!({
            "version": "1", "triggerSource": "PreAuthentication_Authentication", "region": REGION,
            "userPoolId": self.pool.id, "userName": account["Username"],
            "callerContext": {"awsSdkVersion": "local", "clientId": client},
            "request": {"userAttributes": attributes.collect::<serde_json::Map<_, _>>()}, "response": {},
        });
        self.trigger.before(event).await.err()
    }

    fn client(&self, slug: &str) -> &str {
        self.pool.client(if slug.trim() == "platform" { "AdminClient" } else { "AppClient" })
    }
}

fn tokens(answer: Result<Value, Refusal>) -> Response {
    let refusal = match answer {
        Ok(answer) if answer["AuthenticationResult"].is_object() => {
            let result = &answer["AuthenticationResult"];
            let body = json!({
                "access_token": result["AccessToken"], "refresh_token": result["RefreshToken"],
                "expires_in": result["ExpiresIn"], "token_type": "Bearer",
            });
            return ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response();
        }
        Ok(answer) => {
            let asked = plain(&answer["ChallengeName"]);
            let detail = format!("The account asks for {asked}: open the invitation's link first.");
            return problem(StatusCode::UNAUTHORIZED, "not-set-up", &detail);
        }
        Err(refusal) => refusal,
    };
    match (refusal.kind.as_str(), trigger::reason(&refusal.message)) {
        (_, Some(reason)) => problem(StatusCode::FORBIDDEN, "login-refused", &reason),
        ("NotAuthorizedException", _) if refusal.message.contains("Refresh") => {
            problem(StatusCode::UNAUTHORIZED, "session-ended", "The session has ended; sign in again.")
        }
        ("NotAuthorizedException" | "UserNotFoundException", _) => {
            problem(StatusCode::UNAUTHORIZED, "wrong-credentials", "Incorrect user name or password.")
        }
        ("CodeMismatchException", _) => {
            problem(StatusCode::UNAUTHORIZED, "wrong-code", "The code is not right.")
        }
        _ => problem(StatusCode::BAD_GATEWAY, "emulator", &refusal.to_string()),
    }
}

/// Mails that were "sent", newest first; `?to=` narrows to one address.
async fn mail(State(hosted): State<Arc<Hosted>>, Query(asked): Query<HashMap<String, String>>) -> Response {
    let found = match hosted.caller.get("/_ministack/ses/messages").await {
        Ok(found) => found,
        Err(refusal) => return problem(StatusCode::BAD_GATEWAY, "emulator", &refusal.to_string()),
    };
    let all = found["messages"].as_object().into_iter().flatten().flat_map(|(_, list)| list.as_array());
    let to = asked.get("to");
    let is_for = |mail: &&Value| {
        let mut receivers = mail["To"].as_array().into_iter().flatten();
        to.is_none_or(|to| receivers.any(|one| plain(one).eq_ignore_ascii_case(to)))
    };
    let mut mails: Vec<Value> = all.flatten().filter(is_for).map(letter).collect();
    mails.reverse();
    Json(json!({ "data": mails })).into_response()
}

fn letter(mail: &Value) -> Value {
    let seconds = mail["Timestamp"].as_f64().unwrap_or_default();
    let at = jiff::Timestamp::from_millisecond((seconds * 1000.0) as i64).unwrap_or_default();
    json!({
        "id": mail["MessageId"], "from": mail["Source"], "to": mail["To"], "subject": mail["Subject"],
        "text": mail["BodyText"], "html": mail["BodyHtml"], "at": at,
    })
}

/// The claims of a token, unchecked.
pub fn claims(token: &str) -> Option<Value> {
    let body = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&body).ok()
}

fn problem(status: StatusCode, kind: &str, detail: &str) -> Response {
    let body = json!({
        "type": format!("https://docs.lumina.health/problems/{kind}"), "title": kind, "status": status.as_u16(), "detail": detail,
    });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}
