//! A lost second factor: one of the ten codes that were shown once, and a code by e-mail (by SMS where there is no
//! address), take it off. Neither
//! replaces the password; the next sign-in sets up a new factor.

use crate::{
    access::{self, Access},
    code, letter, lookup,
    organisation::Organisation,
    user::{Mfa, Status, User},
};
use axum::{http::Method, routing::post};
use data_encoding::BASE32_NOPAD;
use events::IdentityEvent;
use jiff::SignedDuration;
use kernel::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Key, Record, Scope, Store};
use web::{Answer, Anyone, Body, Door, Route, Shown, Sms, route};

const CODES: usize = 10;
/// Tries per hour and name.
const HOURLY: u64 = 5;
const PURPOSE: &str = "recovery";

/// Digests of the codes not used yet, under the organisation's own key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Codes {
    digests: Vec<String>,
}

pub fn place(user: &str) -> Key {
    Key::item("recovery", user, ".")
}

fn digest(store: &Store, code: &str) -> String {
    let plain: String = code.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    store.blind("identity.recovery", &plain.to_ascii_uppercase())
}

impl Codes {
    /// New ones, and how they are shown: `ABCDE-FGHIJ`, 50 bits each.
    pub fn fresh(store: &Store) -> (Self, Vec<String>) {
        let one = || {
            let text = BASE32_NOPAD.encode(&rand::random::<[u8; 7]>());
            format!("{}-{}", &text[..5], &text[5..10])
        };
        let shown: Vec<String> = (0..CODES).map(|_| one()).collect();
        (Self { digests: shown.iter().map(|code| digest(store, code)).collect() }, shown)
    }
    pub fn left(&self) -> u32 {
        self.digests.len() as u32
    }
    fn holds(&self, store: &Store, code: &str) -> bool {
        self.digests.contains(&digest(store, code))
    }
}

#[derive(Deserialize, JsonSchema)]
pub struct Recover {
    #[schemars(length(min = 1, max = 30))]
    slug: String,
    #[schemars(length(min = 1, max = 254))]
    login_name: String,
    #[schemars(length(min = 1, max = 40))]
    recovery_code: String,
    /// The code that came by e-mail or SMS; without it, one is sent.
    #[schemars(regex(pattern = r"^[0-9]{6}$"))]
    code: Option<String>,
}

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::POST, "/v1/identity/recover", Door::Public, "recovery.create", post(recover))
            .trips(5)
            .takes::<Recover>()
            .answers(202)
            .refuses(&["recovery-refused", "rate-limited"])
            .says("Takes a lost second factor off, by a recovery code and a code sent by e-mail or SMS"),
    ]
}

async fn recover(anyone: Anyone, Body(asked): Body<Recover>) -> Answer {
    anyone.hourly("recover", 30).await?;
    limit(&anyone, &asked).await?;
    let found = rightful(&anyone, &asked).await?;
    match (&asked.code, found) {
        (None, found) => {
            if let Some((store, user)) = found {
                send(&anyone, &store, &user).await?;
            }
            let answer = json!({"message": "if this is right, a code was sent by e-mail or SMS: send everything again with `code`"});
            Ok(Shown::of(202, &answer)?.respond())
        }
        (Some(code), Some((store, user))) => {
            let redeemed = code::redeem(&store, PURPOSE, &user.id.to_string(), code).await;
            let (ended, _) = redeemed.map_err(|e| if e.may_pass() { e } else { refused() })?;
            // First what it is for: whoever is interrupted between the two has the code still, and nothing to do with it.
            drop_factor(&anyone, &store, &user, &asked.recovery_code).await?;
            ended.run().await?;
            Ok(Shown::of(
                200,
                &json!({"message": "sign in with your password and set up a new second factor"}),
            )?
            .respond())
        }
        (Some(_), None) => Err(refused().into()),
    }
}

/// One sentence for everything that may be wrong: who asks learns nothing about the account.
fn refused() -> Error {
    Error::unprocessable("recovery-refused", "this is not right, or not valid any more")
}

async fn limit(anyone: &Anyone, asked: &Recover) -> Result<()> {
    let platform = anyone.platform().await?;
    let name =
        platform.blind("identity.recover", &format!("{}/{}", asked.slug, asked.login_name).to_lowercase());
    let hour = anyone.now().strftime("%Y-%m-%dT%H").to_string();
    let key = Key::item("rate", format!("recover~{name}"), hour);
    match platform.count(&key, anyone.now() + SignedDuration::from_hours(2)).await? {
        // Two requests make one recovery.
        n if n > 2 * HOURLY => Err(Error::too_many("rate-limited", "too many tries within the hour", 3600)),
        _ => Ok(()),
    }
}

/// The user whose recovery code this is.
async fn rightful(anyone: &Anyone, asked: &Recover) -> Result<Option<(Store, Record<User>)>> {
    let platform = anyone.platform().await?;
    let Some(found) = lookup::alias(&platform, &asked.slug, &asked.login_name).await? else {
        return Ok(None);
    };
    let Some(scope) = Scope::from_claim(&found.tenant) else { return Ok(None) };
    let Ok(store) = anyone.open(scope, &format!("public:{}", found.user)).await else { return Ok(None) };
    let user = store.fresh::<User>(found.user).await?;
    let codes: Option<Codes> = store.read(&place(&found.user.to_string())).await?;
    let held = codes.is_some_and(|codes| codes.holds(&store, &asked.recovery_code));
    let right =
        held && user.body.status == Status::Active && user.body.mfa.is_on() && user.deleted_at.is_none();
    Ok(right.then_some((store, user)))
}

async fn send(anyone: &Anyone, store: &Store, user: &Record<User>) -> Result<()> {
    let code = code::issue(store, PURPOSE, &user.id.to_string(), None).await?;
    let organisation = Organisation::of(store).await?;
    if let Some(letter) = letter::code(&user.body, &organisation.name, &code) {
        return anyone.app().mail().send(letter).await;
    }
    // A number that somebody else has typed proves nothing.
    match user.body.phone.as_ref().filter(|_| user.body.phone_verified_at.is_some()) {
        Some(phone) => {
            let text = letter::short_code(&organisation.name, &code);
            Sms::new(store, phone, text, code::LASTS).send(anyone.app(), store).await
        }
        None => Ok(()),
    }
}

/// All codes end with the factor; all sessions too.
async fn drop_factor(anyone: &Anyone, store: &Store, user: &Record<User>, used: &str) -> Result<()> {
    let held = place(&user.id.to_string());
    access::retried(|| async {
        let codes: Codes =
            store.read(&held).await?.filter(|c: &Codes| c.holds(store, used)).ok_or_else(refused)?;
        let old = store.fresh::<User>(user.id).await?;
        let mut new = old.next(store.now());
        new.body.mfa = Mfa::default();
        new.body.raise();
        let unused = store::is("digests", &codes.digests);
        let commit =
            store.commit().update("recover", &old, &new).emit(IdentityEvent::MfaReset { user: new.id });
        let commit = commit.delete_if(&held, unused, |_| refused());
        let access = Access::read(store).await?.revoke(new.id, new.body.generation, false);
        access.write(commit).run().await
    })
    .await?;
    anyone.app().gates().forget(store.scope());
    let organisation = Organisation::of(store).await?;
    let what = "The second factor of your account was taken off by a recovery code.";
    match letter::notice(&user.body, &organisation.name, what) {
        Some(letter) => anyone.app().mail().send(letter).await,
        None => Ok(()),
    }
}
