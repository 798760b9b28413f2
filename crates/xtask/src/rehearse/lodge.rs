//! Where a browser and a mailbox would be: people sign in by the pool's own login page and read their letters.
//!
//! The demo's people (`local::demo`) ask for `/local/login` and `/local/mail`. Here the first is the authorization
//! code flow with PKCE, step by step as the web app goes it, and the second what SES has sent.

use super::{aws::Aws, stack::Stack};
use aws_lc_rs::{digest, rand};
use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    routing::{get, post},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use local::{
    trouble,
    trouble::{Outcome, While},
};
use reqwest::{Client, redirect::Policy};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc};
use tokio::{net::TcpListener, task::JoinHandle};

/// Among the callbacks of both clients as the template has them without a domain.
const CALLBACK: &str = "http://localhost:3000/docs/signed-in";

pub struct Lodge {
    pub address: String,
    serving: JoinHandle<()>,
}

struct Desk {
    client: Client,
    aws: String,
    app: String,
    admin: String,
}

#[derive(Deserialize)]
struct Login {
    slug: String,
    login_name: String,
    password: String,
}

impl Lodge {
    pub async fn open(aws: &Aws, stack: &Stack) -> Outcome<Lodge> {
        let client = Client::builder().no_proxy().redirect(Policy::none()).build();
        let desk = Desk {
            client: client.whilst("make an HTTP client")?,
            aws: aws.address.clone(),
            app: stack.output("AppClientId")?.into(),
            admin: stack.output("AdminClientId")?.into(),
        };
        let router = Router::new().route("/local/login", post(login)).route("/local/mail", get(mail));
        let listener = TcpListener::bind("127.0.0.1:0").await.whilst("open a port on 127.0.0.1")?;
        let address = format!("http://{}", listener.local_addr().whilst("open a port on 127.0.0.1")?);
        let router = router.with_state(Arc::new(desk));
        let serving = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Lodge { address, serving })
    }
}

impl Drop for Lodge {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

type Answer = (StatusCode, Json<Value>);

fn answer(outcome: Outcome<Value>) -> Answer {
    match outcome {
        Ok(body) => (StatusCode::OK, Json(body)),
        Err(trouble) => (StatusCode::BAD_GATEWAY, Json(json!({ "detail": trouble.0 }))),
    }
}

async fn login(State(desk): State<Arc<Desk>>, Json(asked): Json<Login>) -> Answer {
    answer(desk.sign_in(&asked).await)
}

async fn mail(State(desk): State<Arc<Desk>>, Query(asked): Query<HashMap<String, String>>) -> Answer {
    answer(desk.letters(asked.get("to").map(String::as_str).unwrap_or_default()).await)
}

impl Desk {
    /// The page, the form, the code, the token.
    async fn sign_in(&self, who: &Login) -> Outcome<Value> {
        let client = if who.slug == "platform" { &self.admin } else { &self.app };
        let verifier = random()?;
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()));
        let asked = [
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", CALLBACK),
            ("scope", "openid aws.cognito.signin.user.admin"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let page = self.client.get(format!("{}/oauth2/authorize", self.aws)).query(&asked).send().await;
        let page = page.whilst("open the login page")?;
        if !page.status().is_success() {
            return Err(trouble!("The login page answered {}.", page.status()));
        }
        let name = format!("{}/{}", who.slug, who.login_name);
        let mut form = asked.to_vec();
        form.extend([("username", name.as_str()), ("password", &who.password)]);
        let sent =
            self.client.post(format!("{}/login", self.aws)).header("content-type", FORM).body(encoded(&form));
        let sent = sent.send().await.whilst("send the login form")?;
        let place = sent.headers().get("location").and_then(|place| place.to_str().ok()).unwrap_or_default();
        let back = url::Url::parse(place).map_err(|_| trouble!("The login page let {name} not in."))?;
        let code = back.query_pairs().find(|(name, _)| name == "code").map(|(_, code)| code.into_owned());
        let code = code.ok_or_else(|| trouble!("The login page sent {name} back without a code."))?;
        self.token(client, &code, &verifier).await
    }

    async fn token(&self, client: &str, code: &str, verifier: &str) -> Outcome<Value> {
        let form = encoded(&[
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("redirect_uri", CALLBACK),
            ("code", code),
            ("code_verifier", verifier),
        ]);
        let deed = "trade the code for a token";
        let sent =
            self.client.post(format!("{}/oauth2/token", self.aws)).header("content-type", FORM).body(form);
        let sent = sent.send().await.whilst(deed)?;
        let status = sent.status();
        let body: Value = sent.json().await.whilst(deed)?;
        if status.is_success() { Ok(body) } else { Err(trouble!("Could not {deed}: {status} {body}")) }
    }

    async fn letters(&self, to: &str) -> Outcome<Value> {
        let deed = "read the letters";
        let sent =
            self.client.get(format!("{}/_ministack/ses/messages", self.aws)).send().await.whilst(deed)?;
        let sent: Value = sent.json().await.whilst(deed)?;
        let all = sent["messages"].as_object().into_iter().flatten().flat_map(|(_, list)| list.as_array());
        let is_for =
            |letter: &&Value| letter["To"].as_array().is_some_and(|all| all.iter().any(|one| one == to));
        let mut found: Vec<Value> = all
            .flatten()
            .filter(is_for)
            .map(|letter| json!({"subject": letter["Subject"], "text": letter["BodyText"]}))
            .collect();
        found.reverse();
        Ok(json!({ "data": found }))
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

fn encoded(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// 43 characters, as PKCE wants them.
fn random() -> Outcome<String> {
    let mut bytes = [0u8; 32];
    rand::fill(&mut bytes).map_err(|_| trouble!("This machine gives no random numbers."))?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}
