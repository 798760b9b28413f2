//! The login in the user pool that belongs to a user. It is made after the user, never before: a pool that does
//! not answer loses nobody, and the queue tries again.

use crate::{
    logins::{NewLogin, Pool},
    lookup,
    user::{Login, User},
};
use events::IdentityEvent;
use kernel::Result;
use store::{Record, Store};
use web::{App, Ctx};

/// Makes the login if there is none yet, and keeps its `sub`.
pub async fn ensure(store: &Store, pool: &Pool, user: Record<User>) -> Result<Record<User>> {
    if user.body.sub.is_some() {
        return Ok(user);
    }
    let new = NewLogin { user: user.id.to_string(), tenant: store.scope().to_string() };
    let sub = pool.create(&new).await?;
    let mut made = user.next(store.now());
    (made.body.sub, made.body.login) = (Some(sub), Login::Made);
    let event = IdentityEvent::UserChanged { user: made.id };
    store.commit().update("login", &user, &made).emit(event).run().await?;
    // The next change of this run starts from what is stored now.
    store.fresh(made.id).await
}

/// The login and the ways to find it, for somebody who was made or invited.
pub async fn prepare(ctx: &Ctx, pool: &Pool, user: Record<User>) -> Result<Record<User>> {
    let user = ensure(ctx.store(), pool, user).await?;
    index(ctx.app(), ctx, &user).await?;
    Ok(user)
}

async fn index(app: &App, ctx: &Ctx, user: &Record<User>) -> Result<()> {
    let slug = ctx.tenant()?.slug.clone();
    lookup::write(app, ctx.scope(), &slug, user).await
}
