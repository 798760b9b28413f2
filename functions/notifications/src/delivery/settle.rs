//! What becomes of a delivery: every end of a try, and the way that follows where one does not reach.

use super::{Delivery, Hold, Skip, Status, back_off};
use crate::{
    cap,
    carrier::{Receipt, Trouble},
    desk::Desk,
    fan_out::{
        fresh, id_of,
        plan::{Fate, Way},
        write,
    },
    notification::Notification,
};
use events::NotificationEvent;
use jiff::Timestamp;
use kernel::{DeliveryId, Error, Result};
use store::{Commit, Record};
use web::Ctx;

pub enum Outcome {
    Sent(Receipt),
    Trouble(Trouble),
}

/// Writes how a try ended; a provider's report may have come before us, and stands.
pub async fn settle(desk: &Desk, ctx: &Ctx, id: DeliveryId, outcome: Outcome) -> Result<()> {
    web::again(ctx.store(), || async {
        let Some(old) = web::live::<Delivery>(ctx, id).await? else { return Ok(()) };
        if !matches!(old.body.status, Status::Sending | Status::Queued) {
            return Ok(());
        }
        match &outcome {
            Outcome::Sent(receipt) => sent(ctx, &old, receipt).await,
            Outcome::Trouble(trouble) => troubled(desk, ctx, &old, trouble).await,
        }
    })
    .await
}

async fn sent(ctx: &Ctx, old: &Record<Delivery>, receipt: &Receipt) -> Result<()> {
    let mut new = old.next(ctx.now());
    let d = &mut new.body;
    (d.status, d.lease_until, d.held_until) = (Status::Sent, None, None);
    (d.provider, d.provider_id) = (Some(receipt.provider.clone()), Some(receipt.id.clone()));
    d.note(ctx.now(), Some(&receipt.provider), "sent");
    ctx.store().commit().update("sent", old, &new).run().await
}

async fn troubled(desk: &Desk, ctx: &Ctx, old: &Record<Delivery>, trouble: &Trouble) -> Result<()> {
    let code = trouble.code();
    match trouble {
        // Nobody knows: the lease runs out, and then the provider has had time to tell.
        Trouble::Unclear { .. } => Ok(()),
        Trouble::Never { .. } if code == "no-provider" => skip(desk, ctx, old, Skip::NoProvider).await,
        Trouble::Never { .. } | Trouble::Gone { .. } => {
            failed(desk, ctx, old, Some(trouble.provider()), code).await
        }
        Trouble::Later { after, .. } => {
            desk.circuit.failed(ctx.scope(), old.body.channel, ctx.now());
            let d = &old.body;
            let key = old.id.to_string();
            let next = back_off::next(d.channel, &key, d.tries, d.wanted_at, ctx.now(), *after);
            match next.filter(|at| d.expires_at.is_none_or(|end| *at < end)) {
                Some(at) => again(ctx, old, trouble, at).await,
                None => failed(desk, ctx, old, Some(trouble.provider()), code).await,
            }
        }
    }
}

async fn again(ctx: &Ctx, old: &Record<Delivery>, trouble: &Trouble, at: Timestamp) -> Result<()> {
    let mut new = old.next(ctx.now());
    new.body.queue();
    new.body.held_until = Some(at);
    new.body.note(ctx.now(), Some(trouble.provider()), trouble.code());
    ctx.store().commit().update("retry", old, &new).run().await?;
    write::post(ctx, &[new]).await;
    Ok(())
}

/// It will not be tried again by itself: a dead letter, seen by administrators, and the next way if there is one.
pub async fn failed(
    desk: &Desk,
    ctx: &Ctx,
    old: &Record<Delivery>,
    provider: Option<&str>,
    code: &str,
) -> Result<()> {
    let mut new = old.next(ctx.now());
    (new.body.status, new.body.lease_until, new.body.held_until) = (Status::Failed, None, None);
    new.body.note(ctx.now(), provider, code);
    let event = NotificationEvent::Failed {
        notification: new.body.notification,
        delivery: new.id,
        channel: new.body.channel.to_string(),
        code: code.into(),
    };
    let commit = ctx.store().commit().update("fail", old, &new).emit(event);
    end(desk, ctx, commit, &new).await
}

pub async fn skip(desk: &Desk, ctx: &Ctx, old: &Record<Delivery>, why: Skip) -> Result<()> {
    let mut new = old.next(ctx.now());
    new.body.skip(why);
    let commit = ctx.store().commit().update("skip", old, &new);
    let ended = match why.leaves_other_ways() {
        true => end(desk, ctx, commit, &new).await,
        false => commit.run().await,
    };
    match ended {
        // Somebody else had it.
        Err(Error::Stale { .. }) => Ok(()),
        other => other,
    }
}

/// Runs the commit that ends one way, and begins the next in it.
pub async fn end(_: &Desk, ctx: &Ctx, commit: Commit, ended: &Record<Delivery>) -> Result<()> {
    let Some((channel, rest)) = ended.body.follow() else { return commit.run().await };
    let way = Way { channel, fate: Fate::Queue, next: rest };
    let of = ctx.store().get::<Notification>(ended.body.notification).await?;
    let next = Record::with_id(id_of(of.id, &way), ctx.now(), fresh(&of, &way, ctx.now()));
    commit.create(&next).run().await?;
    write::post(ctx, &[next]).await;
    Ok(())
}

pub async fn hold(ctx: &Ctx, old: &Record<Delivery>, why: Hold, until: Timestamp) -> Result<()> {
    let mut new = old.next(ctx.now());
    new.body.status = Status::Held;
    (new.body.held, new.body.held_until) = (Some(why), Some(until));
    write::unless_there(ctx.store().commit().update("hold", old, &new).run().await)
}

/// The provider is left alone for a while.
pub async fn wait(ctx: &Ctx, old: &Record<Delivery>, until: Timestamp) -> Result<()> {
    let mut new = old.next(ctx.now());
    new.body.held_until = Some(until);
    write::unless_there(ctx.store().commit().update("wait", old, &new).run().await)
}

/// The cap is reached: it waits for the next window, and the organisation hears of it once a window.
pub async fn defer(ctx: &Ctx, old: &Record<Delivery>, until: Timestamp, window: cap::Window) -> Result<()> {
    let mut new = old.next(ctx.now());
    new.body.defer(until);
    let change = || ctx.store().commit().update("defer", old, &new);
    let mark = cap::told(old.body.channel, window, 100, ctx.now(), &ctx.zone());
    let event = NotificationEvent::CapReached {
        channel: old.body.channel.to_string(),
        window: window.to_string(),
        percent: 100,
    };
    let told = web::done_now(ctx.once_for(change().emit(event), "notify.cap", &mark).run().await);
    write::unless_there(match told {
        Ok(false) => change().run().await,
        other => other.map(drop),
    })
}
