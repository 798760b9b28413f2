//! One's own tasks in one's own calendar: an address that needs no sign-in, so it is long, sealed, one person's, and
//! ends.

use super::{Category, Status, Task};
use crate::assignee::Assignee;
use axum::{
    body::Body as Bytes,
    http::{HeaderValue, header},
    response::Response,
};
use jiff::{SignedDuration, Timestamp};
use kernel::{Error, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Entity, Record, Wanted, facts};
use web::{Answer, Anyone, Ctx, Query, Shown};

const PURPOSE: &str = "tasks.feed";
/// Days for which an address holds.
const LIFE: i64 = 365;
/// Tasks that a feed shows, soonest first.
const MOST: i32 = 100;
/// Looks per hour from one address.
const LOOKS: u64 = 120;

#[derive(Serialize, JsonSchema)]
pub struct Feed {
    /// For a calendar to subscribe to.
    path: String,
    expires_at: Timestamp,
}

pub async fn make(ctx: Ctx) -> Answer {
    let me = ctx
        .actor()
        .id::<UserId>()
        .ok_or_else(|| Error::forbidden("people-only", "calendars are people's"))?;
    let until = ctx.now() + SignedDuration::from_hours(24 * LIFE);
    let minted = ctx.app().mint(ctx.store(), PURPOSE, me, until)?;
    let key = minted.url.rsplit('/').next().unwrap_or_default().to_string();
    let feed = Feed { path: format!("/v1/workflow/tasks.ics?key={key}"), expires_at: until };
    Ok(Shown::of(201, &feed)?.respond())
}

#[derive(Deserialize, JsonSchema)]
pub struct Key {
    #[schemars(length(min = 20, max = 600))]
    key: String,
}

/// What a calendar shows may be read by whoever looks over a shoulder: of what is about patients and cases, only
/// that there is something.
fn said(task: &Task) -> String {
    match task.category {
        Category::Care | Category::Clinical | Category::Hr => format!("{} ({})", task.number, task.category),
        _ => task.title.0.clone(),
    }
}

pub async fn read(anyone: Anyone, Query(asked): Query<Key>) -> Answer {
    anyone.hourly("tasks_feed", LOOKS).await?;
    let (link, store) = anyone.link(&asked.key).await?;
    let user: UserId = link.is_of(PURPOSE)?;
    // Whoever has left reads nothing any more.
    let active: Option<Value> = store.fact(facts::ACTIVE_USER, user).await?;
    active.ok_or(Error::Missing)?;
    let list = Task::LISTS.iter().find(|l| l.name == "todo").expect("declared");
    let wanted = Wanted::by(&[&Assignee::user(user)], MOST);
    let page = store.list(list, &wanted).await?;
    let body = calendar(&page.data, anyone.now());
    let mut response = Response::new(Bytes::from(body));
    let kind = HeaderValue::from_static("text/calendar; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

/// iCalendar (RFC 5545): a VTODO for each.
fn calendar(tasks: &[Record<Task>], now: Timestamp) -> String {
    let utc = |at: Timestamp| at.strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut lines: Vec<String> =
        ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Lumina//Tasks//EN"].map(Into::into).into();
    for task in tasks.iter().filter(|t| t.body.status != Status::Proposed) {
        lines.extend([
            "BEGIN:VTODO".to_string(),
            format!("UID:{}", task.id),
            format!("DTSTAMP:{}", utc(now)),
            format!("SUMMARY:{}", escaped(&said(&task.body))),
        ]);
        lines.extend(task.body.due_at.map(|at| format!("DUE:{}", utc(at))));
        let status = if task.body.status == Status::InProgress { "IN-PROCESS" } else { "NEEDS-ACTION" };
        lines.extend([format!("STATUS:{status}"), "END:VTODO".into()]);
    }
    lines.push("END:VCALENDAR".into());
    lines.iter().map(|line| folded(line) + "\r\n").collect()
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,").replace('\n', "\\n").replace('\r', "")
}

/// No line is longer than 75 bytes; it goes on behind a space.
fn folded(line: &str) -> String {
    let (mut out, mut left) = (String::new(), line);
    while left.len() > 74 {
        let at = left.floor_char_boundary(74);
        out.push_str(&left[..at]);
        out.push_str("\r\n ");
        left = &left[at..];
    }
    out + left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_goes_on_behind_a_space_and_signs_are_escaped() {
        let line = folded(&"é".repeat(100));
        assert!(line.split("\r\n").all(|l| l.len() <= 75), "{line}");
        assert_eq!(line.replace("\r\n ", ""), "é".repeat(100));
        assert_eq!(escaped("a,b;c\nd"), "a\\,b\\;c\\nd");
    }
}
