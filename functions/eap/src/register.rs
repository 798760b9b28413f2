//! Self-registration (EAP-4): somebody has a client's join code and an e-mail address. The answer is the same whatever
//! they sent, and so is the work: the request is sealed and put aside, and looked at later by nobody who answers it. Who
//! may register gets a link that is good once.

use crate::{
    beneficiary::{self, Beneficiary, Source, Status, hooks},
    client::{Client, SelfRegistration, Status as ClientStatus},
    place,
    words::Relation,
};
use axum::{http::Method, routing::post};
use events::EapEvent;
use jiff::{SignedDuration, civil::Date};
use kernel::{BeneficiaryId, ClientOrgId, Error, Result, Ulid, UserId};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Commit, Key, Record, Store, When};
use web::{Answer, Anyone, App, Body, Ctx, Door, Letter, Link, Queue, Route, Shown, Task, route};

const PATH: &str = "/v1/eap/register";
const TASK: &str = "eap.register";
const PURPOSE: &str = "eap.register";
const SEEN: &str = "wish-seen";
/// How long a link is good.
const LIFE: SignedDuration = SignedDuration::from_mins(30);
/// Tries an hour, of an IP address and of an e-mail address.
const TRIES: u64 = 5;

#[derive(Clone, Deserialize, Serialize, JsonSchema)]
struct Wish {
    /// The programme's slug or domain.
    #[schemars(length(min = 1, max = 253))]
    organisation: String,
    #[schemars(regex(pattern = r"^[0-9A-Za-z]{8}$"))]
    join_code: String,
    #[schemars(length(min = 3, max = 254))]
    email: String,
    #[schemars(length(min = 1, max = 40))]
    employee_number: Option<String>,
    birth_date: Option<Date>,
}

/// What a link opens: somebody who may register, until they do.
#[derive(Serialize, Deserialize)]
struct Waiting {
    client: ClientOrgId,
    email: Sealed<String>,
    /// Who stands on the list already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    beneficiary: Option<BeneficiaryId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    birth_date: Option<Sealed<Date>>,
}

#[derive(Deserialize, JsonSchema)]
struct Confirming {
    #[schemars(length(min = 1, max = 2000))]
    token: String,
    /// Of who is on no list yet.
    #[schemars(length(min = 1, max = 200))]
    name: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Registered {
    beneficiary: BeneficiaryId,
}

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::POST, PATH, Door::Public, "beneficiary.register", post(register))
            .takes::<Wish>()
            .answers(202)
            .trips(4)
            .says("Asks for a link with a client's join code; the answer is always the same"),
        route(Method::POST, format!("{PATH}/confirm"), Door::Public, "beneficiary.confirm", post(confirm))
            .takes::<Confirming>()
            .gives::<Registered>(200)
            .trips(4)
            .refuses(&["name-required"])
            .says("Opens the link: whoever holds it is registered; once"),
        route(Method::POST, format!("{PATH}/claim"), "beneficiary.view", "beneficiary.claim", post(claim))
            .takes::<Confirming>()
            .gives::<Registered>(200)
            .trips(4)
            .refuses(&["name-required", "user-linked"])
            .says("The same for somebody signed in, whose cases and sessions they see from then on"),
    ]
}

fn waiting(id: &str) -> Key {
    Key::item("ereg", id, ".")
}

async fn register(anyone: Anyone, Body(wish): Body<Wish>) -> Answer {
    anyone.hourly(TASK, TRIES).await?;
    let Ok((tenant, store)) = anyone.organisation(&wish.organisation).await else { return accepted() };
    let hour = anyone.now().strftime("%Y-%m-%dT%H").to_string();
    let address = store.blind(TASK, &beneficiary::folded(&wish.email));
    let tried = Key::item("rate", format!("{TASK}~{address}"), &hour);
    if store.count(&tried, anyone.now() + SignedDuration::from_hours(2)).await? > TRIES {
        let detail = format!("more than {TRIES} tries an hour with this address; try again later");
        return Err(Error::too_many("rate-limited", detail, 3600).into());
    }
    let id = Ulid::new().to_string();
    let sealed = store.seal(&id, serde_json::to_vec(&wish).map_err(Error::internal)?);
    let message = json!({"type": TASK, "tenant": tenant.prefix(), "id": id, "sealed": hex::encode(sealed)});
    anyone.app().post().send(Queue::Eap, message.to_string()).await?;
    accepted()
}

fn accepted() -> Answer {
    let body = json!({"detail": "if this may register, a link is on its way to the address; it is good for 30 minutes"});
    Ok(Shown::of(202, &body)?.respond())
}

pub fn tasks() -> Vec<Task> {
    vec![Task::on(TASK, |app, message| async move { look(&app, &message).await })]
}

/// What was put aside is looked at: a letter goes to who may register, and nothing to anybody else.
async fn look(app: &App, message: &Value) -> Result<()> {
    let text = |name: &str| message[name].as_str().unwrap_or_default();
    let scope = store::Scope::from_claim(text("tenant"))
        .ok_or_else(|| Error::internal("a wish of no organisation"))?;
    let ctx = Ctx::system(app, scope, place::MODULE, TASK).await?;
    let sealed = hex::decode(text("sealed")).map_err(Error::internal)?;
    let wish = ctx.store().unseal(text("id"), &sealed)?;
    let wish: Wish =
        serde_json::from_slice(&wish).map_err(|_| Error::internal("a wish that does not read"))?;
    let Some(waits) = allowed(&ctx, &wish).await? else { return Ok(()) };
    let until = ctx.now() + LIFE;
    let commit = ctx.store().commit().put_until(&waiting(text("id")), &waits, until, When::Absent, |_| {
        Error::conflict(SEEN, "this wish was looked at before")
    });
    match commit.run().await {
        Ok(()) => {}
        // Come again: the letter may not have gone. Once somebody used the link, nothing more is sent.
        Err(e) if e.code() == SEEN => {
            if ctx.store().read::<Waiting>(&waiting(text("id"))).await?.is_none() {
                return Ok(());
            }
        }
        Err(e) => return Err(e),
    }
    let link = app.mint(ctx.store(), PURPOSE, text("id"), until)?;
    let letter = Letter {
        to: waits.email.0,
        subject: "Your link".into(),
        text: format!(
            "Open this link within 30 minutes to register: {}\n\nIf you did not ask for it, do nothing.\n",
            link.url
        ),
    };
    app.mail().send(letter).await
}

async fn allowed(ctx: &Ctx, wish: &Wish) -> Result<Option<Waiting>> {
    let code = wish.join_code.to_ascii_uppercase();
    let Some(client) = ctx.store().guarded::<Client>("join_code", &code).await? else { return Ok(None) };
    let client = ctx.store().get::<Client>(client).await?;
    let Ok(email) = kernel::text::email(&wish.email) else { return Ok(None) };
    if client.body.status != ClientStatus::Active || client.deleted_at.is_some() {
        return Ok(None);
    }
    let birth_date = wish.birth_date.map(Sealed);
    let waits = Waiting { client: client.id, email: email.into(), beneficiary: None, birth_date };
    match client.body.self_registration {
        SelfRegistration::Off => Ok(None),
        SelfRegistration::CodeOnly => Ok(Some(waits)),
        SelfRegistration::CodeAndList => {
            let listed = listed(ctx, client.id, wish).await?;
            Ok(listed.map(|id| Waiting { beneficiary: Some(id), ..waits }))
        }
    }
}

/// The employee with this number and birth date, who has no login yet.
async fn listed(ctx: &Ctx, client: ClientOrgId, wish: &Wish) -> Result<Option<BeneficiaryId>> {
    let (Some(number), Some(born)) = (&wish.employee_number, wish.birth_date) else { return Ok(None) };
    let number = beneficiary::number_of(client, number);
    let Some(id) = ctx.store().guarded::<Beneficiary>("employee_number", &number).await? else {
        return Ok(None);
    };
    let found = ctx.store().get::<Beneficiary>(id).await?;
    let b = &found.body;
    let matches = b.birth_date.as_ref().is_some_and(|d| d.0 == born) && b.user.is_none();
    Ok(Some(id).filter(|_| matches && found.deleted_at.is_none() && b.eligible(None, ctx.today())))
}

async fn confirm(anyone: Anyone, Body(said): Body<Confirming>) -> Answer {
    let token = said.token.rsplit("/p/").next().unwrap_or_default();
    let (link, store) = anyone.link(token).await?;
    let (commit, id) = registered(&store, &link, &said, None).await?;
    commit.run().await?;
    web::ok(&Registered { beneficiary: id })
}

async fn claim(ctx: Ctx, Body(said): Body<Confirming>) -> Answer {
    let user: UserId = ctx.actor().id().ok_or(Error::Missing)?;
    let token = said.token.rsplit("/p/").next().unwrap_or_default();
    let link = ctx.app().open_link(ctx.store(), token)?;
    let (commit, id) = registered(ctx.store(), &link, &said, Some(user)).await?;
    ctx.settle(commit, Shown::of(200, &Registered { beneficiary: id })?).await
}

/// Who holds the link is registered, and the link is over.
async fn registered(
    store: &Store,
    link: &Link,
    said: &Confirming,
    user: Option<UserId>,
) -> Result<(Commit, BeneficiaryId)> {
    if link.purpose != PURPOSE {
        return Err(Error::Missing);
    }
    let key = waiting(&link.record);
    let waits: Waiting = store.read(&key).await?.ok_or(Error::Missing)?;
    let now = store.now();
    let (commit, new) = match waits.beneficiary {
        Some(id) => {
            let old = store.fresh::<Beneficiary>(id).await?;
            let mut new = old.next(now);
            new.body.email = new.body.email.take().or(Some(waits.email));
            new.body.user = user.or(new.body.user);
            (hooks::reachable(Some(&old), &new, store.commit().update("register", &old, &new)), new)
        }
        None => {
            let name = said.name.as_deref().ok_or_else(|| {
                Error::field("name-required", "/name", "say who you are: nobody has told us")
            })?;
            let new = Record::new(now, by_themselves(&waits, name, user));
            let commit = store.commit().create(&new);
            (commit.add(&place::counts(waits.client), "staff_total", 1), new)
        }
    };
    let said =
        EapEvent::BeneficiaryRegistered { client: waits.client, relation: new.body.relation.to_string() };
    Ok((commit.emit(said).delete_if(&key, When::Present, |_| Error::Missing), new.id))
}

fn by_themselves(waits: &Waiting, name: &str, user: Option<UserId>) -> Beneficiary {
    Beneficiary {
        client: waits.client,
        relation: Relation::Employee,
        employee: None,
        name: Sealed(name.trim().into()),
        birth_date: waits.birth_date.clone(),
        email: Some(waits.email.clone()),
        phone: None,
        safe_contact: None,
        employee_number: None,
        unit: None,
        language: None,
        eligible_from: None,
        eligible_to: None,
        user,
        source: Source::Own,
        status: Status::Eligible,
        batch: None,
    }
}
