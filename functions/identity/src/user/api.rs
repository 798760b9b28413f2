//! Inviting, listing, showing.

use super::{
    Gender, Login, Source, Status, User,
    card::{Card, seen},
    delegation::{may_give, require_sites},
    standing, words,
};
use crate::spelling;
use axum::{
    extract::RawQuery,
    http::Method,
    routing::{get, patch, post},
};
use events::IdentityEvent;
use jiff::{Timestamp, civil::Date};
use kernel::{DepartmentId, Error, Fault, Result, UserId, error::faultless};
use schemars::JsonSchema;
use seal::Sealed;
use serde::Deserialize;
use serde_json::json;
use store::{Entity, Prefix, Record};
use web::{
    Answer, At, Body, Ctx, Noun, Reach, Route,
    noun::{Seen, View, list_shape, reading, wanted},
    ok, route,
};

pub const PATH: &str = "/v1/identity/users";

/// Somebody to be invited.
#[derive(Clone, Deserialize, JsonSchema)]
pub struct Invite {
    #[schemars(length(min = 1, max = 60))]
    pub given_name: String,
    #[schemars(length(min = 1, max = 60))]
    pub family_name: String,
    #[schemars(length(min = 1, max = 60))]
    pub preferred_name: Option<String>,
    /// Needed unless there is a username.
    #[schemars(email, length(max = 254))]
    pub email: Option<String>,
    #[schemars(regex(pattern = r"^[a-z0-9._-]{3,40}$"))]
    pub username: Option<String>,
    /// As typed in the organisation's country.
    #[schemars(length(max = 40))]
    pub phone: Option<String>,
    pub date_of_birth: Option<Date>,
    pub gender: Option<Gender>,
    #[schemars(length(min = 1, max = 10), inner(length(min = 1, max = 40)), extend("uniqueItems" = true))]
    pub roles: Vec<String>,
    /// `sit_…`, or `*` for all.
    #[schemars(length(min = 1, max = 30), inner(length(min = 1, max = 40)), extend("uniqueItems" = true))]
    pub sites: Vec<String>,
    /// Names of modules, or `*` for all; all when not given.
    #[schemars(length(min = 1, max = 40), inner(length(min = 1, max = 40)), extend("uniqueItems" = true))]
    pub modules: Option<Vec<String>>,
    #[serde(default)]
    #[schemars(length(max = 30), extend("uniqueItems" = true))]
    pub departments: Vec<DepartmentId>,
    #[schemars(regex(pattern = r"^[a-z]{3}_[0-7][0-9A-HJKMNP-TV-Z]{25}$"))]
    pub person: Option<String>,
    /// Who leads them: an active user.
    pub manager: Option<UserId>,
    #[schemars(regex(pattern = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"), length(max = 35))]
    pub language: Option<String>,
    #[schemars(length(min = 1, max = 60))]
    pub time_zone: Option<String>,
}

/// What a new user starts from, whoever makes it.
pub struct Start<'a> {
    pub country: &'a str,
    pub language: &'a str,
    pub time_zone: &'a str,
    pub by: &'a str,
    pub source: Source,
    pub invited_at: Option<Timestamp>,
}

impl Invite {
    /// The user's first state, or everything that is wrong with what was typed.
    pub fn into_user(self, start: &Start) -> Result<User> {
        let mut faults = vec![];
        let email = spelling::email(self.email, &mut faults);
        let username = self.username;
        let login_name = email.clone().or(username.clone()).unwrap_or_else(|| {
            faults.push(Fault::new(
                "/email",
                "required",
                "an e-mail address or a username is needed to sign in with",
            ));
            String::new()
        });
        let time_zone = self.time_zone.unwrap_or_else(|| start.time_zone.into());
        spelling::zone(&time_zone, &mut faults);
        let user = User {
            login_name: login_name.into(),
            username: username.map(Sealed),
            email: email.map(Sealed),
            email_verified_at: None,
            phone: spelling::phone(self.phone, start.country, &mut faults).map(Sealed),
            phone_verified_at: None,
            given_name: spelling::name(self.given_name, "/given_name", &mut faults).into(),
            family_name: spelling::name(self.family_name, "/family_name", &mut faults).into(),
            preferred_name: self
                .preferred_name
                .map(|n| spelling::name(n, "/preferred_name", &mut faults).into()),
            date_of_birth: self.date_of_birth.map(Sealed),
            gender: self.gender.map(Sealed),
            image: None,
            bio: None,
            language: self.language.unwrap_or_else(|| start.language.into()),
            time_zone,
            contact_preference: Default::default(),
            accessibility: Default::default(),
            roles: self.roles,
            sites: self.sites,
            modules: self.modules.unwrap_or_else(|| vec!["*".into()]),
            departments: self.departments,
            person: self.person,
            manager: self.manager,
            status: Status::Invited,
            status_reason: None,
            barred_by: None,
            mfa: Default::default(),
            failed_attempts: 0,
            locked_until: None,
            last_login_at: None,
            generation: 1,
            source: start.source,
            login: Login::Pending,
            sub: None,
            created_by: start.by.into(),
            invited_at: start.invited_at,
            joined_at: None,
        };
        faultless(faults)?;
        Ok(user)
    }
}

pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        route(Method::POST, PATH, "user.create", "user.create", post(create))
            .takes::<Invite>()
            .gives::<View<'static, User>>(201)
            .trips(2)
            .refuses(&["duplicate", "grant-too-wide", "limit-reached", "site-unknown", "manager-unknown"])
            .approvable("role.grant")
            .says("Invites somebody: a user, a login without a password, and a letter with a link"),
        route(Method::GET, PATH, "user.view", "user.list", get(list))
            .asks_shape(query_shape)
            .gives::<web::noun::Pages<Seen<View<'static, User>, Card>>>(200)
            .trips(1)
            .says("Users: all, or by status, role or site; `q` finds by name, e-mail and phone"),
        route(
            Method::PATCH,
            format!("{PATH}/{{id}}"),
            "user.edit",
            "user.update",
            patch(super::change::amend),
        )
        .patches::<User>()
        .gives::<View<'static, User>>(200)
        .trips(5)
        .refuses(&[
            "grant-too-wide",
            "own-account",
            "reason-required",
            "last-administrator",
            "manager-unknown",
        ])
        .approvable("role.grant")
        .says("Changes a user; a change of roles, sites or modules needs a reason and ends older tokens"),
    ];
    // The generic pages would show colleagues more than names.
    let pages = reading::<User>(PATH, "user.view").into_iter().map(|mut page| {
        page = match page.operation.as_str() {
            "user.show" => page.gives::<Seen<View<'static, User>, Card>>(200).handled_by(get(show)),
            "user.history" => page.handled_by(get(history)),
            // Single versions are refused to whoever sees less than the whole record.
            _ => page,
        };
        page
    });
    routes.extend(pages);
    routes.extend(super::command::routes());
    routes
}

async fn create(ctx: Ctx, Body(invite): Body<Invite>) -> Answer {
    let tenant = ctx.tenant()?;
    let start = Start {
        country: &tenant.country,
        language: &tenant.language,
        time_zone: &tenant.time_zone,
        by: &ctx.actor().user,
        source: Source::Invite,
        invited_at: Some(ctx.now()),
    };
    let user = invite.into_user(&start)?;
    may_give(&ctx, &user.roles, &user.sites, &user.modules)?;
    // An organisation of one administrator could never have a second.
    ctx.waits_unless_alone();
    let new = Record::new(ctx.now(), user);
    let commit = ctx.commit().create(&new).emit(IdentityEvent::UserInvited { user: new.id });
    let commit = require_sites(standing::follow(commit, None, &new), &new.body.sites)?;
    let commit = standing::require_manager(commit, None, &new)?;
    let shown = ctx.shown(201, &new)?;
    ctx.settle(commit, shown).await.map_err(|refused| explained(&ctx, refused.0).into())
}

/// Which limit, how much of it there is, and what lifts it.
fn explained(ctx: &Ctx, error: Error) -> Error {
    let Error::Refused(refusal) = &error else { return error };
    if refusal.code != "limit-reached" {
        return error;
    }
    let limit = refusal.extra.get("limit").and_then(|l| l.as_str()).unwrap_or_default();
    let allowed = ctx.gate().tenant.as_ref().and_then(|t| t.limits.get(limit)).copied();
    error.with("allowed", allowed).with("lifted_by", "a larger plan, or disabling a user who has left")
}

fn query_shape(g: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let mut schema = list_shape::<User>(g);
    let q = json!({"type": "string", "minLength": 3, "maxLength": 100});
    if let Some(properties) = schema.get_mut("properties").and_then(|p| p.as_object_mut()) {
        properties.insert("q".into(), q);
    }
    schema
}

async fn list(ctx: Ctx, RawQuery(query): RawQuery) -> Answer {
    let query = query.unwrap_or_default();
    if let Some(q) = url::form_urlencoded::parse(query.as_bytes()).find(|(k, _)| k == "q") {
        return find(&ctx, &query, &q.1).await;
    }
    let (list, mut wanted) = wanted::<User>(&query)?;
    let (mut list, narrow) = (list, ctx.reach() < Reach::All && ctx.actor().sites != web::Reached::All);
    if narrow && list.name == "all" {
        // Whoever reaches one site only means that one.
        let web::Reached::These(sites) = &ctx.actor().sites else { unreachable!("narrowed above") };
        let [site] = &sites.iter().collect::<Vec<_>>()[..] else { return Err(too_wide().into()) };
        list = &User::LISTS[3];
        wanted.by = vec![site.to_string()];
    }
    let page = ctx.list(list, &wanted).await?;
    if !page.data.iter().all(|r| User::within(r, ctx.reach(), ctx.actor())) {
        return Err(too_wide().into());
    }
    let data = page.data.iter().map(|r| seen(&ctx, r)).collect::<Result<Vec<_>>>()?;
    ok(&json!({"data": data, "next": page.next}))
}

fn too_wide() -> Error {
    Error::forbidden("list-too-wide", "your role does not reach this whole list; narrow it by ?site=")
}

/// By the words of `q`, all of which must begin a word of the user's.
async fn find(ctx: &Ctx, query: &str, q: &str) -> Answer {
    let only = url::form_urlencoded::parse(query.as_bytes()).all(|(k, _)| k == "q");
    if !only {
        return Err(Error::invalid("?", "unsupported-filter", "q stands alone").into());
    }
    let asked: Vec<String> = match q.contains('@') || q.starts_with('+') {
        true => vec![q.trim().trim_start_matches('+').to_lowercase()],
        false => words(q),
    };
    let Some(longest) = asked.iter().max_by_key(|w| w.len()).filter(|w| w.len() >= 3 && q.len() <= 100)
    else {
        return Err(Error::invalid("?q", "length", "3 to 100 characters").into());
    };
    let mut ids = ctx.store().find_word::<User>(Prefix(longest), 100).await?;
    ids.dedup();
    let found = ctx.store().get_many::<User>(&ids).await?;
    let fits = |r: &&Record<User>| {
        let held: Vec<String> = r.body.tokens().into_iter().filter_map(word).collect();
        let all = asked.iter().all(|a| held.iter().any(|h| h.starts_with(a)));
        all && User::within(r, ctx.reach(), ctx.actor())
    };
    let found: Vec<_> = found.iter().filter(fits).collect();
    ctx.looked_at::<User>(found.iter().map(|r| r.id)).await?;
    let data = found.iter().map(|r| seen(ctx, r)).collect::<Result<Vec<_>>>()?;
    ok(&json!({"data": data, "next": null}))
}

fn word(token: store::Token) -> Option<String> {
    match token {
        store::Token::Word(word) => Some(word),
        _ => None,
    }
}

async fn show(ctx: Ctx, At(id): At<UserId>, query: RawQuery) -> Answer {
    if !names_only(&ctx, id) {
        return web::noun::show::<User>(ctx, At(id), query).await;
    }
    if query.0.is_some() {
        return Err(Error::forbidden("names-only", "of colleagues you see the name, as it is").into());
    }
    ok(&Card::of(&ctx.get::<User>(id).await?))
}

async fn history(ctx: Ctx, At(id): At<UserId>, query: RawQuery) -> Answer {
    if names_only(&ctx, id) {
        return Err(Error::forbidden("names-only", "of colleagues you see the name only").into());
    }
    web::noun::history::<User>(ctx, At(id), query).await
}

fn names_only(ctx: &Ctx, id: UserId) -> bool {
    ctx.only() == Some(authz::Only::Names) && id.to_string() != ctx.actor().user
}
