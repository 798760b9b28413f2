//! The scene of this module's stories: a seeded platform, its operators, and an applicant.
#![allow(dead_code, reason = "each story uses its own part of the scene")]

use events::Envelope;
use kernel::{OperatorId, TenantId};
use serde_json::{Value, json};
use store::{Caller, Scope, Store};
use tenants::FirstOperator;
use testkit::{Actor, World};

pub struct Scene {
    pub world: World,
    /// A platform administrator with the shipped flags.
    pub admin: Actor,
    pub plans: Value,
}

pub async fn scene() -> Scene {
    on(World::with(vec![tenants::module()]).await).await
}

pub async fn contended() -> Scene {
    on(World::contended(vec![tenants::module()]).await).await
}

pub async fn on(world: World) -> Scene {
    let first = first_operator(&world).await;
    let admin = world.operator(&first.to_string(), "platform_admin");
    let plans = world.stranger().get("/v1/tenants/plans").await.ok()["data"].clone();
    Scene { world, admin, plans }
}

pub async fn first_operator(world: &World) -> OperatorId {
    let first = FirstOperator {
        username: "root".into(),
        email: "root@lumina.example".into(),
        first_name: "Ronke".into(),
        last_name: "Root".into(),
    };
    tenants::seed(&world.app, first).await.expect("a seeded platform")
}

/// An organisation that is on its way in, or in.
pub struct Applicant {
    pub id: String,
    pub token: String,
    pub tenant: TenantId,
    pub who: Actor,
}

impl Applicant {
    pub async fn patch(&self, body: Value) -> testkit::Reply {
        let path = format!("/v1/tenants/signups/{}", self.id);
        self.who.call("PATCH", &path).header("x-signup-token", &self.token).body(body).send().await
    }
    pub async fn post(&self, command: &str, body: Value) -> testkit::Reply {
        let path = format!("/v1/tenants/signups/{}/{command}", self.id);
        self.who.call("POST", &path).header("x-signup-token", &self.token).body(body).send().await
    }
    pub async fn get(&self) -> testkit::Reply {
        let path = format!("/v1/tenants/signups/{}", self.id);
        self.who.call("GET", &path).header("x-signup-token", &self.token).send().await
    }
}

impl Scene {
    pub fn plan(&self, code: &str) -> String {
        let all = self.plans.as_array().expect("plans");
        all.iter().find(|p| p["code"] == code).expect("a shipped plan")["id"].as_str().expect("an id").into()
    }

    /// Everything a complete form holds.
    pub fn form(&self, slug: &str, plan: &str) -> Value {
        json!({
            "organisation_name": format!("{slug} Hospital"), "edition": "hospital", "country": "NG", "region": "af-south-1",
            "transfer_basis": "contract_clauses", "address": "12 Marina Road", "city": "Lagos", "state": "LA",
            "phone": "0803 123 4567", "email": format!("desk@{slug}.example"), "registration_number": format!("RC-{slug}"),
            "admin_given_name": "Adaeze", "admin_family_name": "Okafor", "admin_email": format!("ada@{slug}.example"),
            "admin_phone": "+2348039876543", "plan": self.plan(plan), "billing_period": "month", "slug": slug,
            "accepted_terms": {"version": "2026-01"},
        })
    }

    /// An address of its own, so that hourly limits of one story do not meet.
    pub fn stranger(&self, n: u8) -> Actor {
        self.world.stranger().from(&format!("198.51.100.{n}"))
    }

    pub async fn begins(&self, form: Value) -> Applicant {
        let who = self.world.stranger();
        let draft = who.post("/v1/tenants/signups", form).await.created();
        let id = draft["id"].as_str().expect("an id").to_string();
        let tenant = format!("ten_{}", &id[4..]).parse().expect("the tenant it becomes");
        Applicant { token: draft["token"].as_str().expect("a token").into(), id, tenant, who }
    }

    /// The last code that was sent to an address.
    pub fn code(&self, to: &str) -> String {
        let letters = self.world.letters.letters(to);
        let text = &letters.last().expect("a letter").text;
        text.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect()
    }

    pub async fn submits(&self, slug: &str, plan: &str) -> Applicant {
        let applicant = self.begins(self.form(slug, plan)).await;
        let code = self.code(&format!("ada@{slug}.example"));
        applicant.post("verify-email", json!({"code": code})).await.ok();
        applicant.post("submit", json!({})).await.ok();
        applicant
    }

    pub async fn approves(&self, applicant: &Applicant) -> Value {
        let path = format!("/v1/tenants/signups/{}/approve", applicant.id);
        self.admin.post(&path, json!({"reason": "papers checked"})).await.ok()
    }

    /// Submitted, approved and prepared; identity has not answered yet.
    pub async fn prepares(&self, slug: &str, plan: &str) -> Applicant {
        let applicant = self.submits(slug, plan).await;
        self.approves(&applicant).await;
        self.world.deliver().await;
        applicant
    }

    /// Identity's answer, as its function would give it.
    pub async fn answers(&self, tenant: TenantId, event: &str) {
        let envelope = Envelope {
            id: format!("usr#usr_01J00000000000000000000001#{event}"),
            tenant: tenant.prefix(),
            kind: event.into(),
            at: self.world.clock.now().to_string(),
            by: "system:identity".into(),
            record: "usr_01J00000000000000000000001".into(),
            version: 1,
            cause: vec![],
            data: json!({"user": "usr_01J00000000000000000000001"}),
        };
        self.world.hand_over(&envelope).await;
    }

    /// An open organisation, through the whole path.
    pub async fn opens(&self, slug: &str, plan: &str) -> Home<'_> {
        let applicant = self.prepares(slug, plan).await;
        self.answers(applicant.tenant, "user.prepared").await;
        self.answers(applicant.tenant, "user.invited").await;
        self.world.deliver().await;
        Home { scene: self, id: applicant.tenant, applicant }
    }

    pub async fn store(&self, scope: Scope) -> Store {
        let caller = Caller { by: "system:test".into(), request: "test".into(), ..Caller::default() };
        self.world.app.vault().open(scope, caller).await.expect("an open scope")
    }
}

/// An open organisation.
pub struct Home<'a> {
    pub scene: &'a Scene,
    pub id: TenantId,
    pub applicant: Applicant,
}

impl Home<'_> {
    pub fn staff(&self, roles: &str) -> Actor {
        self.staff_at(roles, "*")
    }
    pub fn staff_at(&self, roles: &str, sites: &str) -> Actor {
        let user = kernel::UserId::from_now(&self.scene.world);
        self.scene.world.actor(json!({
            "token_use": "access", "tenant": self.id.prefix(), "user": user, "roles": roles, "sites": sites,
            "modules": "*", "gen": "1", "client": "web", "scope": "api/use", "origin_jti": format!("ses-{user}"),
        }))
    }
    /// The register's entry, as an operator sees it.
    pub async fn entry(&self) -> Value {
        self.scene.admin.get(&format!("/v1/tenants/{}", self.id)).await.ok()
    }
    /// A command of an operator.
    pub async fn command(&self, name: &str, body: Value) -> testkit::Reply {
        self.scene.admin.post(&format!("/v1/tenants/{}/{name}", self.id), body).await
    }
    pub async fn store(&self) -> Store {
        self.scene.store(Scope::Tenant(self.id)).await
    }
    /// What identity publishes of an administrator who is there.
    pub async fn present(&self, who: &Actor) {
        let user = who.user();
        let member = store::Key::member(store::facts::MEMBERS, "role~tenant_admin", &user);
        let commit = self.store().await.commit().put(&member, &json!({"user": user}));
        let commit = commit.fact(store::facts::ACTIVE_USER, &user, &json!({"user": user}));
        commit.run().await.expect("an active administrator");
    }
    pub async fn gate(&self) -> web::gate::TenantGate {
        self.store().await.fact(store::facts::TENANT, "self").await.expect("readable").expect("there")
    }
}

pub trait FromNow {
    fn from_now(world: &World) -> String;
}
impl FromNow for kernel::UserId {
    fn from_now(world: &World) -> String {
        <Self as kernel::Id>::at(world.clock.now()).to_string()
    }
}
