//! A role lent for a while: asked for with a reason, given by somebody else who could give it, ended by itself
//! (IDN-8). It needs no new token: every request adds the roles that are lent now.

pub mod api;
pub mod due;

use jiff::Timestamp;
use kernel::ElevationId;
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Due, Entity, List, Record, Row};
use web::{Actor, Ctx, Noun, Reach};

kernel::words! {
    pub enum Status { Requested = "requested", Active = "active", Denied = "denied", Ended = "ended" }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("readOnly" = true))]
pub struct Elevation {
    /// `usr_…`
    pub user: String,
    pub role: String,
    pub sites: Vec<String>,
    /// 1–72
    pub hours: i64,
    pub reason: Sealed<String>,
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Who gave or denied it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
}

impl Entity for Elevation {
    type Id = ElevationId;
    const NOUN: &'static str = "elevation";
    const LISTS: &'static [List<Self>] = &[
        List::newest(),
        List::by("status", &["status"], |r| vec![Row::new(&[&r.body.status], &[&r.id])]),
        List::by("user", &["user"], |r| vec![Row::new(&[&r.body.user], &[&r.id])]),
    ];

    fn due(record: &Record<Self>) -> Vec<Due> {
        let active = record.body.status == Status::Active;
        record.body.until.filter(|_| active).into_iter().map(|at| Due { at, what: "end" }).collect()
    }
}

impl Noun for Elevation {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        let shared = |site: &String| site.parse().is_ok_and(|site| actor.at_site(reach, site));
        match reach {
            Reach::All => true,
            Reach::None => false,
            Reach::Site | Reach::Team => {
                record.body.user == actor.user || record.body.sites.iter().any(shared)
            }
            _ => record.body.user == actor.user,
        }
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let own = record.body.user == ctx.actor().user;
        let gives = !own && ctx.may("elevation.approve") > Reach::None;
        match record.body.status {
            Status::Requested if gives => vec!["approve", "deny"],
            Status::Active if gives || own => vec!["end"],
            _ => vec![],
        }
    }
}
