//! Disposal: on the first of each month what may go is proposed, two people approve it, each document goes by itself
//! unless something holds it, and a certificate says what went.

mod api;
mod work;

pub use api::routes;
pub use work::tasks;

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use kernel::{DisposalId, DocumentId, Error, Id, Result, Ulid, error::found};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Due, Entity, List, Record, Row};
use web::{Actor, Ctx, Noun, Reach};

kernel::words! {
    #[derive(Default)]
    pub enum Status {
        /// Waits for its day: some document will be due then.
        #[default] Planned = "planned",
        Proposed = "proposed", Approved = "approved", Running = "running", Done = "done",
    }
}
kernel::words! {
    pub enum State {
        Due = "due", TakenOut = "taken_out",
        /// A legal hold lies on it; the next run looks again.
        Held = "held",
        Disposed = "disposed",
        /// Not there any more, or not due any more.
        Gone = "gone",
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    pub document: DocumentId,
    pub sha256: String,
    pub category: String,
    /// Code of its retention class.
    pub class: String,
    pub due: Date,
    pub state: State,
    /// Numbers of the matters that hold it, or why it was taken out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Approval {
    pub by: String,
    pub at: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Disposal {
    /// `DISP-2026-1`, from when it is proposed.
    pub number: String,
    /// The first of a month.
    pub on: Date,
    pub zone: String,
    pub state: Status,
    pub items: Vec<Item>,
    pub approved_by: Vec<Approval>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<DocumentId>,
    /// When the clock goes on with its work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_at: Option<Timestamp>,
}

/// In the morning, before anybody asks.
const HOUR: i8 = 3;
/// Items of one run; what is beyond comes with the next.
pub const MOST: usize = 500;

impl Entity for Disposal {
    type Id = DisposalId;
    const NOUN: &'static str = "disposal";
    const LISTS: &'static [List<Self>] =
        &[List::newest(), List::by("state", &["state"], |r| vec![Row::new(&[&r.body.state], &[&r.id])])];
    fn due(record: &Record<Self>) -> Vec<Due> {
        let d = &record.body;
        let zone = TimeZone::get(&d.zone).unwrap_or(TimeZone::UTC);
        let morning = d.on.at(HOUR, 0, 0, 0).to_zoned(zone).ok().map(|z| z.timestamp());
        let (at, what) = match d.state {
            Status::Planned => (morning, "propose"),
            Status::Approved | Status::Running => (d.work_at, "work"),
            _ => (None, ""),
        };
        at.map(|at| Due { at, what }).into_iter().collect()
    }
}

impl Noun for Disposal {
    fn within(_: &Record<Self>, reach: Reach, _: &Actor) -> bool {
        reach == Reach::All
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let open = record.body.state == Status::Proposed;
        let may = |permission| open && ctx.may(permission) > Reach::None;
        [("approve", "disposal.approve"), ("take_out", "disposal.edit")]
            .into_iter()
            .filter(|(_, permission)| may(*permission))
            .map(|(command, _)| command)
            .collect()
    }
}

/// The first of a month on which something that is due then is disposed of.
pub fn run_day(due: Date) -> Date {
    let first = due.first_of_month();
    if first == due { due } else { first.checked_add(1.months()).unwrap_or(first) }
}

/// One run a month and organisation: its id follows from its day.
fn id_of(on: Date) -> Result<DisposalId> {
    let day = on.to_zoned(TimeZone::UTC).map_err(Error::internal)?.timestamp();
    Ok(DisposalId::of(Ulid::from_parts(day.as_millisecond().unsigned_abs(), 0)))
}

/// The run that will come for a document due then, if nobody has planned it yet.
pub async fn planned(ctx: &Ctx, due: Date) -> Result<Option<Record<Disposal>>> {
    let tomorrow = ctx.today().tomorrow().map_err(Error::internal)?;
    let on = run_day(due.max(tomorrow));
    let id = id_of(on)?;
    if found(ctx.store().get::<Disposal>(id).await)?.is_some() {
        return Ok(None);
    }
    let body = Disposal {
        number: String::new(),
        on,
        zone: ctx.zone().iana_name().unwrap_or("UTC").into(),
        state: Status::Planned,
        items: vec![],
        approved_by: vec![],
        certificate: None,
        work_at: None,
    };
    Ok(Some(Record::with_id(id, ctx.now(), body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_goes_on_the_first_of_a_month() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        assert_eq!(run_day(day("2032-11-30")), day("2032-12-01"));
        assert_eq!(run_day(day("2032-12-01")), day("2032-12-01"));
        assert_eq!(run_day(day("2032-12-31")), day("2033-01-01"));
        assert_eq!(id_of(day("2032-12-01")).unwrap(), id_of(day("2032-12-01")).unwrap());
        assert_ne!(id_of(day("2032-12-01")).unwrap(), id_of(day("2033-01-01")).unwrap());
    }
}
