//! Routes of blocks. The day items are read and written in the block's own commit, each at the revision that
//! was read.

use super::{Block, Day, Interval, LONGEST_DAYS, Policy, SETTLED, Source, created, removed, sweep};
use axum::{
    extract::RawQuery,
    http::Method,
    routing::{delete, get, post},
};
use jiff::Timestamp;
use kernel::{BlockId, Error, PractitionerId, Result, error::faultless};
use store::{Commit, Record};
use web::{
    Answer, At, Body, Ctx, Noun, Route, Shown,
    noun::{self, Pages, View},
    ok, route,
};

const PATH: &str = "/v1/scheduling/blocks";

pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        route(Method::GET, PATH, "block.view", "block.list", get(list))
            .asks_shape(noun::list_shape::<Block>)
            .gives::<Pages<View<'static, Block>>>(200)
            .trips(2)
            .says("Blocks of a practitioner, a department or a site, by their beginning"),
        route(Method::POST, PATH, "block.create", "block.create", post(create))
            .takes::<Block>()
            .gives::<View<'static, Block>>(201)
            .trips(3)
            .refuses(&["appointments-in-block"])
            .says("Keeps time free: leave, a meeting, theatre, a closed site"),
        route(Method::DELETE, format!("{PATH}/{{id}}"), "block.delete", "block.delete", delete(remove))
            .answers(204)
            .trips(4)
            .says("Opens the time again"),
    ];
    routes.extend(noun::reading::<Block>(PATH, "block.view"));
    routes
}

/// Every row of one list is of the same practitioner or site: the first one decides whether it may be seen.
async fn list(ctx: Ctx, RawQuery(query): RawQuery) -> Answer {
    let (list, wanted) = noun::wanted::<Block>(query.as_deref().unwrap_or_default())?;
    let page = ctx.list(list, &wanted).await?;
    if let Some(first) = page.data.first()
        && !Block::within(first, ctx.reach(), ctx.actor())
        && !Block::proven(&ctx, first).await?
    {
        return Err(Error::forbidden("list-too-wide", "this calendar is not at one of your sites").into());
    }
    ok(&Pages::from(page.map(|record| View::owned(&ctx, record))))
}

async fn create(ctx: Ctx, Body(mut body): Body<Block>) -> Answer {
    body.source = Source::Manual;
    faultless(body.check())?;
    // Also for `refuse`: a booking may be under way while this looks for what is booked.
    if body.policy != Policy::Keep {
        body.sweep_at = Some(ctx.now() + SETTLED);
    }
    let record = Record::new(ctx.now(), body);
    if !Block::within(&record, ctx.reach(), ctx.actor()) && !Block::proven(&ctx, &record).await? {
        return Err(Error::forbidden("forbidden", "this is not your calendar").into());
    }
    if record.body.policy == Policy::Refuse {
        refuse_if_booked(&ctx, &record).await?;
    }
    web::again(ctx.store(), || async {
        let commit = ctx.commit().create(&record).emit(created(&record));
        let commit = mark(&ctx, commit, &record, true).await?;
        ctx.settle(commit, ctx.shown(201, &record)?).await
    })
    .await
}

async fn remove(ctx: Ctx, At(id): At<BlockId>) -> Answer {
    web::again(ctx.store(), || async {
        let old = ctx.change::<Block>(id).await?;
        ctx.settle(gone(&ctx, &old).await?, Shown::nothing()).await
    })
    .await
}

async fn gone(ctx: &Ctx, old: &Record<Block>) -> Result<Commit> {
    let mut new = old.next(ctx.now());
    new.deleted_at = Some(new.updated_at);
    let commit = ctx.commit().update("delete", old, &new).emit(removed(&new));
    mark(ctx, commit, old, false).await
}

/// Writes (or takes out) the block's interval in the item of each day it touches; stale where another block of the
/// same day came first.
async fn mark(ctx: &Ctx, mut commit: Commit, block: &Record<Block>, put: bool) -> Result<Commit> {
    let of = block.body.of().ok_or_else(|| Error::internal("a block of nobody"))?;
    let days: Vec<_> = block.body.days().into_iter().take(LONGEST_DAYS).collect();
    let keys: Vec<_> = days.iter().map(|d| Day::key(of, *d)).collect();
    for (key, found) in keys.iter().zip(ctx.store().read_many(&keys).await?) {
        let mut day = Day::of(found)?;
        let seen = day.rev;
        day.rev += 1;
        day.intervals.retain(|i| i.block != block.id);
        if put {
            day.intervals.push(Interval { from: block.body.from, to: block.body.to, block: block.id });
        }
        commit = commit.put_over(key, seen, &day);
    }
    Ok(commit)
}

async fn refuse_if_booked(ctx: &Ctx, block: &Record<Block>) -> Result<()> {
    let booked = sweep::booked(ctx, &block.body).await?;
    if booked.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = booked.iter().map(|r| r.id).collect();
    let detail = "there are appointments in this time: move them first, or choose another policy";
    Err(Error::conflict("appointments-in-block", detail).with("appointments", ids))
}

/// A leave of the people module becomes a block with policy `rebook`; a leave heard of twice changes nothing.
pub async fn block_for_leave(
    ctx: &Ctx,
    practitioner: PractitionerId,
    span: (Timestamp, Timestamp),
    leave: &str,
    change: &str,
) -> Result<()> {
    let block = Block {
        practitioner_id: Some(practitioner),
        department_id: None,
        site: None,
        from: span.0,
        to: span.1,
        kind: super::Kind::Leave,
        reason: None,
        policy: Policy::Rebook,
        source: Source::Leave,
        leave: Some(leave.into()),
        sweep_at: Some(ctx.now() + SETTLED),
    };
    if !block.check().is_empty() {
        tracing::warn!(leave, "a leave that cannot be one block was not blocked");
        return Ok(());
    }
    let record = Record::new(ctx.now(), block);
    web::again(ctx.store(), || async {
        let commit = mark(ctx, ctx.commit().create(&record).emit(created(&record)), &record, true).await?;
        ctx.once_for(commit, "scheduling.leave", change).run().await
    })
    .await
}

/// The leave was cancelled: its blocks end.
pub async fn end_leave(ctx: &Ctx, leave: &str) -> Result<()> {
    let wanted = store::Wanted::by(&[&leave], 100);
    let blocks = ctx.store().list(&<Block as store::Entity>::LISTS[1], &wanted).await?;
    for block in blocks.data {
        let old = ctx.store().fresh::<Block>(block.id).await?;
        if old.deleted_at.is_none() {
            gone(ctx, &old).await?.run().await?;
        }
    }
    Ok(())
}
