//! What a rule would have done: over samples, over changes that are named, or over a stretch of time. Nothing is
//! written, no id is used, nothing leaves.

use super::{Rule, action::rendered, desk::Ready, fire::concerns, guards, input};
use crate::due::Calendar;
use events::Envelope;
use jiff::{SignedDuration, Timestamp, civil::Date};
use kernel::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Instant;
use store::Record;
use web::Ctx;

#[derive(Deserialize, JsonSchema)]
pub struct Asked {
    /// Events as they would come: `{type, record, data, by, at}`.
    #[schemars(length(max = 25))]
    events: Option<Vec<Sample>>,
    /// Changes by the ids that their events carry: `<kind>#<record>#<version>`.
    #[schemars(length(max = 25), inner(length(max = 120)))]
    changes: Option<Vec<String>>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    /// Continues a stretch of time.
    #[schemars(length(max = 300))]
    cursor: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Sample {
    #[serde(rename = "type")]
    #[schemars(length(min = 3, max = 60))]
    kind: String,
    #[schemars(length(max = 60))]
    record: Option<String>,
    data: Option<Value>,
    #[schemars(length(max = 60))]
    by: Option<String>,
    at: Option<Timestamp>,
}

#[derive(Serialize, JsonSchema)]
pub struct Tried {
    change: String,
    event: String,
    record: String,
    matched: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// Each condition for itself.
    parts: Vec<Part>,
    /// The actions as they would be.
    then: Vec<Value>,
    /// What would stop it.
    #[serde(skip_serializing_if = "Option::is_none")]
    guard: Option<&'static str>,
    ms: f64,
}

#[derive(Serialize, JsonSchema)]
struct Part {
    text: String,
    matched: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct Report {
    /// Events that the rule listens to, of those looked at.
    events: usize,
    matches: usize,
    /// Every match and every error; of samples and named changes all.
    tried: Vec<Tried>,
    /// Continues a stretch of time that is longer than one look.
    next: Option<String>,
}

/// Changes that one look goes over.
const LOOK: usize = 2_000;
const PAGE: usize = 100;
const DAYS: i64 = 31;

pub async fn run(ctx: &Ctx, rule: Record<Rule>, asked: Asked) -> Result<Report> {
    let ready = Ready::of(rule);
    match (asked.events, asked.changes, asked.from, asked.to) {
        (Some(samples), None, None, None) => samples_of(ctx, &ready, samples),
        (None, Some(changes), None, None) => named(ctx, &ready, &changes).await,
        (None, None, Some(from), Some(to)) => stretch(ctx, &ready, from, to, asked.cursor).await,
        _ => Err(Error::invalid("", "several", "say one of: events; changes; from and to")),
    }
}

fn samples_of(ctx: &Ctx, ready: &Ready, samples: Vec<Sample>) -> Result<Report> {
    let mut report = Report { events: 0, matches: 0, tried: vec![], next: None };
    for (n, sample) in samples.into_iter().enumerate() {
        let event = Envelope {
            id: format!("sample#{n}#1"),
            tenant: ctx.scope().to_string(),
            kind: sample.kind,
            at: sample.at.unwrap_or(ctx.now()).to_string(),
            by: sample.by.unwrap_or_else(|| ctx.actor().user.clone()),
            record: sample.record.unwrap_or_default(),
            version: 1,
            cause: vec![],
            data: sample.data.unwrap_or(Value::Null),
        };
        let input = input::build(ctx, &event, None, None);
        report.add(tried(ctx, ready, &event, &input), true);
    }
    Ok(report)
}

async fn named(ctx: &Ctx, ready: &Ready, ids: &[String]) -> Result<Report> {
    let mut report = Report { events: 0, matches: 0, tried: vec![], next: None };
    for id in ids {
        let change = ctx.store().change_of(id).await?;
        let change = change
            .ok_or_else(|| Error::field("no-such-change", "/changes", format!("there is no change {id}")))?;
        if let Some((event, input)) = input::of_record(ctx, &change).await? {
            report.add(tried(ctx, ready, &event, &input), true);
        }
    }
    Ok(report)
}

async fn stretch(
    ctx: &Ctx,
    ready: &Ready,
    from: Timestamp,
    to: Timestamp,
    cursor: Option<String>,
) -> Result<Report> {
    if to <= from || to.duration_since(from) > SignedDuration::from_hours(24 * DAYS) {
        return Err(Error::invalid("/to", "range", "after from, and at most 31 days later"));
    }
    let utc = |at: Timestamp| at.to_zoned(jiff::tz::TimeZone::UTC).date();
    let (mut day, mut after) = match &cursor {
        Some(text) => place(text)?,
        None => (utc(from), store::stamp(from)),
    };
    let (last, end) = (utc(to), store::stamp(to));
    let mut report = Report { events: 0, matches: 0, tried: vec![], next: None };
    let mut looked = 0;
    while day <= last {
        let page = ctx.store().changes_on(day, &after, PAGE).await?;
        looked += page.len();
        for (place, change) in &page {
            after.clone_from(place);
            if *place > end {
                return Ok(report);
            }
            let listens = change.change.event["type"].as_str();
            if listens.is_some_and(|kind| ready.rule.body.on.iter().any(|e| e == kind))
                && let Some((event, input)) = input::of_record(ctx, change).await?
            {
                report.add(tried(ctx, ready, &event, &input), false);
            }
        }
        if page.len() < PAGE {
            (day, after) = (day.tomorrow().map_err(Error::internal)?, String::new());
        }
        if looked >= LOOK && day <= last {
            report.next = Some(format!("{day}|{after}"));
            return Ok(report);
        }
    }
    Ok(report)
}

fn place(text: &str) -> Result<(Date, String)> {
    let wrong = || Error::invalid("/cursor", "format", "a cursor that was answered before");
    let (day, after) = text.split_once('|').ok_or_else(wrong)?;
    Ok((day.parse().map_err(|_| wrong())?, after.into()))
}

impl Report {
    fn add(&mut self, tried: Tried, always: bool) {
        self.events += 1;
        self.matches += usize::from(tried.matched);
        if always || tried.matched || tried.why.is_some() {
            self.tried.push(tried);
        }
    }
}

fn tried(ctx: &Ctx, ready: &Ready, event: &Envelope, input: &Value) -> Tried {
    let began = Instant::now();
    let rule = &ready.rule.body;
    let outcome = match &ready.when {
        Ok(when) => when.test(input),
        Err(why) => rules::Outcome { matched: false, why: Some(why.clone()) },
    };
    let of = |c: rules::Condition| {
        let said = c.test(input);
        Part { text: c.text().into(), matched: said.matched, why: said.why }
    };
    let parts = ready.when.as_ref().map(|w| w.parts().into_iter().map(of).collect()).unwrap_or_default();
    let then = match outcome.matched {
        true => rule.then.iter().map(|a| shown(ctx, a, input)).collect(),
        false => vec![],
    };
    let guard = match outcome.matched {
        true if !rule.on.contains(&event.kind) => Some("event"),
        true if !concerns(rule, &ready.rule.id.to_string(), event, input) => Some("chain-or-site"),
        true if guards::chain(event).len() >= 5 => Some("depth"),
        _ => None,
    };
    Tried {
        change: event.id.clone(),
        event: event.kind.clone(),
        record: event.record.clone(),
        matched: outcome.matched,
        why: outcome.why,
        parts,
        then,
        guard,
        ms: began.elapsed().as_secs_f64() * 1000.0,
    }
}

/// An action as it would be, with its due time.
fn shown(ctx: &Ctx, action: &super::Action, input: &Value) -> Value {
    match rendered(action, input) {
        Ok(mut rendered) => {
            if let super::Action::Task { due_in: Some(within), .. } = action {
                let due = Calendar::of(ctx).later(ctx.now(), *within);
                rendered["due_at"] = json!(due.ok());
            }
            rendered
        }
        Err(error) => json!({"kind": action.kind(), "error": error}),
    }
}
