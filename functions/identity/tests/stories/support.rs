//! A user pool in memory, and people who really sign in: their claims come from the token function.
#![allow(dead_code, reason = "each story uses a part of it")]

use identity::{Logins, NewLogin, logins::Calling};
use kernel::{Error, Result};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use testkit::{Actor, Back, Keeps, Tenant, World};

#[derive(Clone, Debug, Default)]
pub struct Account {
    pub sub: String,
    pub tenant: String,
    pub password: Option<String>,
    pub alias: Option<String>,
    pub disabled: bool,
    pub totp: bool,
    pub signed_out: u32,
}

/// The user pool's double: what was asked of it can be looked at, and it can be out of order.
#[derive(Default)]
pub struct Pool {
    pub accounts: Mutex<BTreeMap<String, Account>>,
    pub down: Mutex<bool>,
}

impl Keeps for Pool {
    fn keep(self: Arc<Self>) -> Back {
        let (accounts, down) = (self.accounts.lock().unwrap().clone(), *self.down.lock().unwrap());
        Box::new(move || {
            self.accounts.lock().unwrap().clone_from(&accounts);
            *self.down.lock().unwrap() = down;
        })
    }
}

impl Pool {
    pub fn account(&self, user: &str) -> Account {
        self.accounts.lock().unwrap().get(user).cloned().unwrap_or_else(|| panic!("no account for {user}"))
    }
    pub fn has(&self, user: &str) -> bool {
        self.accounts.lock().unwrap().contains_key(user)
    }
    pub fn break_down(&self, down: bool) {
        *self.down.lock().unwrap() = down;
    }
    fn with<T>(&self, user: &str, change: impl FnOnce(&mut Account) -> T) -> Result<T> {
        if *self.down.lock().unwrap() {
            return Err(Error::internal("the pool does not answer"));
        }
        let mut all = self.accounts.lock().unwrap();
        let account = all.get_mut(user).ok_or_else(|| Error::internal(format!("no account {user}")))?;
        Ok(change(account))
    }
}

/// The code that the double's authenticator shows.
pub const CODE: &str = "123456";

impl Logins for Pool {
    fn create<'a>(&'a self, new: &'a NewLogin) -> Calling<'a, String> {
        Box::pin(async move {
            if *self.down.lock().unwrap() {
                return Err(Error::internal("the pool does not answer"));
            }
            let mut all = self.accounts.lock().unwrap();
            let sub = format!("sub-{}", new.user);
            let made = Account { sub, tenant: new.tenant.clone(), ..Account::default() };
            Ok(all.entry(new.user.clone()).or_insert(made).sub.clone())
        })
    }
    fn set_password<'a>(&'a self, user: &'a str, password: &'a str) -> Calling<'a, ()> {
        Box::pin(async move { self.with(user, |a| a.password = Some(password.into())) })
    }
    fn set_alias<'a>(&'a self, user: &'a str, alias: &'a str, _: Option<&'a str>) -> Calling<'a, ()> {
        Box::pin(async move {
            self.with(user, |a| {
                assert!(a.password.is_some(), "an alias needs a confirmed account");
                a.alias = Some(alias.into());
            })
        })
    }
    fn sign_out<'a>(&'a self, user: &'a str) -> Calling<'a, ()> {
        Box::pin(async move { self.with(user, |a| a.signed_out += 1) })
    }
    fn disable<'a>(&'a self, user: &'a str) -> Calling<'a, ()> {
        Box::pin(async move { self.with(user, |a| a.disabled = true) })
    }
    fn enable<'a>(&'a self, user: &'a str) -> Calling<'a, ()> {
        Box::pin(async move { self.with(user, |a| a.disabled = false) })
    }
    fn prefer_totp<'a>(&'a self, user: &'a str, on: bool) -> Calling<'a, ()> {
        Box::pin(async move { self.with(user, |a| a.totp = on) })
    }
    fn associate_totp<'a>(&'a self, token: &'a str) -> Calling<'a, String> {
        Box::pin(async move { Ok(format!("SECRET{}", token.len())) })
    }
    fn verify_totp<'a>(&'a self, _: &'a str, code: &'a str) -> Calling<'a, bool> {
        Box::pin(async move { Ok(code == CODE) })
    }
    fn delete<'a>(&'a self, user: &'a str) -> Calling<'a, ()> {
        Box::pin(async move { self.with(user, |_| ()) })
    }
}

pub const PASSWORD: &str = "Correct-Horse-7";
pub const CLIENT: &str = "webclient";

pub struct Scene {
    pub world: World,
    pub pool: Arc<Pool>,
    pub grace: Tenant,
    /// Claims of an administrator that nobody has to invite.
    pub admin: Actor,
}

pub async fn scene() -> Scene {
    scene_of(false).await
}

pub async fn scene_of(contended: bool) -> Scene {
    let pool = Arc::new(Pool::default());
    let modules = vec![identity::module(pool.clone())];
    let world = if contended { World::contended(modules).await } else { World::with(modules).await };
    world.beside(pool.clone());
    let grace = world.hospital("grace").await;
    // This house gives roles by one person; `grants` tells of others.
    let alone = json!({"policies": []});
    let commit = grace.store().await.commit().fact(store::facts::APPROVAL_POLICY, "role.grant", &alone);
    commit.run().await.expect("a policy");
    let admin = grace.staff("tenant_admin");
    admin.get("/v1/identity/users").await.ok();
    Scene { world, pool, grace, admin }
}

impl Scene {
    /// Invites somebody; their record.
    pub async fn invites(&self, name: &str, roles: &str) -> Value {
        let made = self.admin.post("/v1/identity/users", person(name, roles)).await.created();
        self.world.deliver().await;
        made
    }

    /// Invites somebody, who takes the invitation up.
    pub async fn hires(&self, name: &str, roles: &str) -> String {
        let made = self.invites(name, roles).await;
        let user = made["id"].as_str().unwrap().to_string();
        self.accepts(&format!("{name}@grace.example")).await;
        user
    }

    /// What was handed over to be sent by SMS, the oldest first; forgotten by asking.
    pub async fn texts(&self) -> Vec<web::Sms> {
        let (mut all, store) = (vec![], self.grace.store().await);
        for message in self.world.letters.take(web::Queue::Notifications) {
            assert_eq!(message["type"], web::sms::SEND);
            let place = store::Key::item("sms", message["id"].as_str().unwrap(), ".");
            all.push(store.read(&place).await.unwrap().expect("it waits"));
        }
        all
    }

    /// Takes the newest invitation to an address up.
    pub async fn accepts(&self, address: &str) {
        let path = self.link(address);
        self.world.stranger().post(&path, json!({"password": PASSWORD})).await.ok();
        self.world.deliver().await;
    }

    /// The path of the newest link to an address.
    pub fn link(&self, address: &str) -> String {
        let letters = self.world.letters.letters(address);
        let letter = letters.iter().rev().find(|l| l.text.contains("/invitations/")).expect("an invitation");
        let link =
            letter.text.split_whitespace().find(|w| w.starts_with("https://app.test/")).expect("a link");
        link.trim_start_matches("https://app.test").to_string()
    }

    /// What Cognito would ask.
    pub fn event(&self, user: &str, source: &str) -> Value {
        let account = self.pool.account(user);
        json!({
            "version": "3", "triggerSource": source, "region": "af-south-1", "userPoolId": "af-south-1_Test",
            "userName": user.to_lowercase(),
            "callerContext": {"awsSdkVersion": "unknown", "clientId": CLIENT},
            "request": {
                "userAttributes": {"sub": account.sub, "custom:tenant": account.tenant, "custom:user": user},
                "groupConfiguration": {"groupsToOverride": []},
                "scopes": ["openid", "aws.cognito.signin.user.admin"],
            },
            "response": {"claimsAndScopeOverrideDetails": null},
        })
    }

    pub async fn token(&self, user: &str, source: &str) -> Result<Value> {
        let answer = token::answer(&self.world.app, self.event(user, source)).await?;
        Ok(answer["response"]["claimsAndScopeOverrideDetails"]["accessTokenGeneration"].clone())
    }

    /// Signs in; whoever needs a second factor and has none is enrolling.
    pub async fn signs_in(&self, user: &str) -> Actor {
        let said = self.token(user, "TokenGeneration_HostedAuth").await.expect("a token");
        self.world.deliver().await;
        self.bearing(&said, &format!("origin-{user}-{}", self.world.clock.now().as_second()))
    }

    /// A further token of the same session.
    pub async fn refreshes(&self, user: &str, old: &Actor) -> Result<Actor> {
        let said = self.token(user, "TokenGeneration_RefreshTokens").await?;
        Ok(self.bearing(&said, old.claims["origin_jti"].as_str().unwrap()))
    }

    fn bearing(&self, said: &Value, origin: &str) -> Actor {
        let mut claims = said["claimsToAddOrOverride"].clone();
        claims["token_use"] = json!("access");
        claims["origin_jti"] = json!(origin);
        claims["auth_time"] = json!(self.world.clock.now().as_second().to_string());
        self.world.actor(claims)
    }

    /// Hands the signs of life that requests left behind to the module.
    pub async fn hears(&self) {
        for message in self.world.letters.take(web::Queue::Identity) {
            self.world.hand_over_other(&message).await;
        }
    }

    pub async fn user(&self, user: &str) -> Value {
        self.admin.get(&format!("/v1/identity/users/{user}")).await.ok()
    }
}

/// A body that invites somebody to every site.
pub fn person(name: &str, roles: &str) -> Value {
    json!({
        "given_name": name, "family_name": "Okafor", "email": format!("{name}@grace.example"),
        "roles": roles.split(' ').collect::<Vec<_>>(), "sites": ["*"],
    })
}
