//! A broadcast goes out in pages. Each page notes how far it came, so that what dies goes on from there, and whoever
//! was told already is found told.

use super::{Broadcast, State, audience};
use crate::{
    desk::Desk,
    due,
    fan_out::{self, Occasion},
    people::Person,
    rule::{Digest, Mode, NotificationRule},
    words::Category,
};
use events::NotificationEvent;
use kernel::{BroadcastId, Error, Result};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use store::Record;
use web::{App, Ctx, Queue, Task};

/// People of one page.
const PAGE: usize = 100;
/// The code of texts and rule.
const CODE: &str = "broadcast";

pub fn tasks(desk: &Arc<Desk>) -> Vec<Task> {
    let on = |name: &'static str| {
        let own = desk.clone();
        Task::on(name, move |app, row| {
            let desk = own.clone();
            async move { page(&desk, &app, &row).await }
        })
    };
    vec![on("broadcast.page"), on("due.brd.page")]
}

pub async fn begin(ctx: &Ctx, id: BroadcastId) {
    let body = json!({"type": "broadcast.page", "tenant": ctx.scope().to_string(), "id": id}).to_string();
    if let Err(error) = ctx.app().post().send(Queue::Notifications, body).await {
        tracing::warn!(%error, "the queue did not take a page; the clock will");
    }
}

async fn page(desk: &Desk, app: &App, row: &Value) -> Result<()> {
    let Some((ctx, id)) = due::read::<BroadcastId>(app, row).await? else { return Ok(()) };
    let Some(old) = due::record::<Broadcast>(&ctx, id).await? else { return Ok(()) };
    if old.body.state != State::Sending {
        return Ok(());
    }
    let all = audience::members(&ctx, &old.body.audience).await?;
    let after = old.body.after.clone().unwrap_or_default();
    let ids: Vec<String> = all.into_iter().filter(|id| *id > after).take(PAGE).collect();
    let people = audience::people(&ctx, &old.body.audience, &ids).await?;
    tell(desk, &ctx, &old, &people.iter().collect::<Vec<_>>()).await?;
    let mut new = old.next(ctx.now());
    new.body.told += people.len() as u64;
    new.body.after = ids.last().cloned().or(new.body.after);
    let over = ids.len() < PAGE;
    if over {
        (new.body.state, new.body.sent_at) = (State::Sent, Some(ctx.now()));
    }
    let commit = ctx.store().commit().update("page", &old, &new);
    let commit = match over {
        true => commit.emit(NotificationEvent::BroadcastSent { broadcast: id, recipients: new.body.told }),
        false => commit,
    };
    match commit.run().await {
        // Somebody else did this page, or it was cancelled.
        Err(Error::Stale { .. }) => return Ok(()),
        other => other?,
    }
    if !over {
        begin(&ctx, id).await;
    }
    Ok(())
}

async fn tell(desk: &Desk, ctx: &Ctx, of: &Record<Broadcast>, people: &[&Person]) -> Result<()> {
    let texts = json!({"title": of.body.title, "body": of.body.body});
    let occasion = Occasion {
        change: format!("brd#{}#1", of.id),
        at: of.created_at,
        event: "broadcast.sent".into(),
        by: of.body.author.clone(),
        record: of.id.to_string(),
        version: 1,
        data: texts.as_object().cloned().unwrap_or_else(Map::new),
    };
    fan_out::tell_these(desk, ctx, &rule(&of.body), &occasion, 0, people, None).await.map(drop)
}

fn rule(of: &Broadcast) -> NotificationRule {
    NotificationRule {
        code: CODE.into(),
        name: of.title.clone(),
        event: "broadcast.sent".into(),
        when: vec![],
        condition: None,
        recipients: vec![],
        exclude_actor: false,
        channels: of.channels.clone(),
        mode: Mode::All,
        category: Category::Announcement,
        priority: of.priority,
        template: None,
        throttle_seconds: None,
        digest: Digest::None,
        needs_ack: of.needs_ack,
        escalate_to: vec![],
        valid_hours: None,
        supersedes: false,
        superseded: false,
        active: true,
        built_in: true,
        protected: false,
    }
}
