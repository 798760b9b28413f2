//! What identity does when it hears of others, and of itself: the user pool always follows our own records.

use crate::{
    invitation, letter, login,
    logins::Pool,
    lookup, machine, operator,
    user::{
        Source, User,
        api::{Invite, Start},
        standing,
    },
};
use events::{Envelope, IdentityEvent};
use kernel::{Error, Result, UserId};
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Key, Record};
use web::{Ctx, Reaction};

/// The first administrator, as the sign-up left them for us.
#[derive(Deserialize)]
struct First {
    given_name: Sealed<String>,
    family_name: Sealed<String>,
    email: Sealed<String>,
    #[serde(default)]
    phone: Option<Sealed<String>>,
}

/// What we put in its place.
#[derive(Serialize, Deserialize)]
struct Appointed {
    user: UserId,
}

fn first_place() -> Key {
    Key::item("admin", "first", ".")
}

pub fn reactions(pool: &Pool) -> Vec<Reaction> {
    let mut all = vec![
        Reaction::on("tenant.prepared", |ctx, event| async move { appoint(ctx, event).await }),
        Reaction::on("user.changed", |ctx, event| async move { lookup::follow(ctx, event).await }),
        Reaction::on("tenant.provisioned", |ctx, event| async move { invite_first(ctx, event).await }),
    ];
    let operators = pool.clone();
    all.push(Reaction::on("operator.changed", move |ctx, event| {
        let pool = operators.clone();
        async move {
            let status = event.data["status"].as_str().unwrap_or_default().to_string();
            operator::follow(ctx.store(), &pool, event.record.parse()?, &status).await
        }
    }));
    let with = |event: &'static str, act: Act| {
        let pool = pool.clone();
        Reaction::on(event, move |ctx, event| {
            let pool = pool.clone();
            async move { follow(ctx, event, pool, act).await }
        })
    };
    all.extend([
        with("user.prepared", Act::Make),
        with("user.invited", Act::Invite),
        with("user.suspended", Act::ShutOut),
        with("user.barred", Act::ShutOut),
        with("user.disabled", Act::ShutOut),
        with("user.reactivated", Act::LetIn),
        with("user.signed_out", Act::SignOut),
        with("mfa.reset", Act::DropFactor),
    ]);
    all.extend(machine::reactions());
    all
}

/// The first administrator's user, from what the sign-up said; once.
async fn appoint(ctx: Ctx, event: Envelope) -> Result<()> {
    let Some(first) = ctx.store().read::<serde_json::Value>(&first_place()).await? else { return Ok(()) };
    if first.get("user").is_some() {
        return Ok(());
    }
    let First { given_name, family_name, email, phone } =
        serde_json::from_value(first).map_err(Error::internal)?;
    let tenant = ctx.tenant()?;
    let everything = || vec!["*".to_string()];
    let invite = Invite {
        given_name: given_name.0,
        family_name: family_name.0,
        preferred_name: None,
        email: Some(email.0),
        username: None,
        phone: phone.map(|p| p.0),
        date_of_birth: None,
        gender: None,
        roles: vec!["tenant_admin".into()],
        sites: everything(),
        modules: Some(everything()),
        departments: vec![],
        person: None,
        manager: None,
        language: None,
        time_zone: None,
    };
    let start = Start {
        country: &tenant.country,
        language: &tenant.language,
        time_zone: &tenant.time_zone,
        by: &ctx.actor().user,
        source: Source::Signup,
        // The invitation goes out once the organisation is open.
        invited_at: None,
    };
    let new = Record::new(ctx.now(), invite.into_user(&start)?);
    let commit = ctx.commit().create(&new).emit(IdentityEvent::UserPrepared { user: new.id });
    let commit = standing::follow(commit, None, &new).put(&first_place(), &Appointed { user: new.id });
    ctx.once_for(commit, "identity.admin", &event.id).run().await
}

async fn invite_first(ctx: Ctx, event: Envelope) -> Result<()> {
    let Some(Appointed { user }) = ctx.store().read(&first_place()).await? else { return Ok(()) };
    let old = ctx.store().fresh::<User>(user).await?;
    if old.body.invited_at.is_some() {
        return Ok(());
    }
    let mut new = old.next(ctx.now());
    new.body.invited_at = Some(new.updated_at);
    let commit = ctx.commit().update("invite", &old, &new).emit(IdentityEvent::UserInvited { user });
    ctx.once_for(commit, "identity.invite", &event.id).run().await
}

#[derive(Clone, Copy)]
enum Act {
    Make,
    Invite,
    ShutOut,
    LetIn,
    SignOut,
    DropFactor,
}

/// Every call on the pool may be repeated, so a second delivery needs no memory of the first.
async fn follow(ctx: Ctx, event: Envelope, pool: Pool, act: Act) -> Result<()> {
    let user: UserId = event.record.parse()?;
    let name = user.to_string();
    let record = ctx.store().fresh::<User>(user).await?;
    // Older news than the record's: whatever came later has its own event.
    let outdated = |wanted: bool| record.body.status.works() != wanted;
    match act {
        Act::Make => login::prepare(&ctx, &pool, record).await.map(drop),
        Act::Invite => invite(ctx, &pool, record).await,
        Act::ShutOut if outdated(false) => Ok(()),
        Act::ShutOut => {
            pool.disable(&name).await?;
            pool.sign_out(&name).await
        }
        Act::LetIn if outdated(true) => Ok(()),
        Act::LetIn => pool.enable(&name).await,
        Act::SignOut => pool.sign_out(&name).await,
        Act::DropFactor => {
            pool.prefer_totp(&name, false).await?;
            pool.sign_out(&name).await
        }
    }
}

async fn invite(ctx: Ctx, pool: &Pool, user: Record<User>) -> Result<()> {
    let user = login::prepare(&ctx, pool, user).await?;
    let (Some(until), Some(tenant)) = (user.body.lapses_at(), ctx.scope().tenant()) else { return Ok(()) };
    pool.enable(&user.id.to_string()).await?;
    let token = invitation::token(ctx.store(), tenant, &user)?;
    let link = format!("{}/v1/identity/invitations/{token}", ctx.app().place().public_url);
    match letter::invitation(&user.body, &ctx.tenant()?.name, &link, until) {
        Some(letter) => ctx.app().mail().send(letter).await,
        None => Ok(()),
    }
}
