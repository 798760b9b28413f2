//! A round through everything that the route table says of one record: shown, listed, changed, told of, deleted and
//! brought back. The table is the module's own, so an operation that is declared tomorrow is walked tomorrow.
//!
//! ```ignore
//! manager.round("/v1/eap/assignments", &id).patch(json!({"to": "2027-01-31"})).await;
//! ```
//!
//! What a noun does not declare is not asked. What it declares and refuses in this place is told: [`Round::refuses`].

mod walk;

use crate::{Actor, Call};
use serde_json::Value;
use std::{
    future::{Future, IntoFuture},
    pin::Pin,
};

/// One record's way; awaiting it walks it.
pub struct Round<'a> {
    by: &'a Actor,
    reader: &'a Actor,
    remover: &'a Actor,
    path: String,
    /// How the path names it: its id, or the word of a part that there is one of.
    place: String,
    id: String,
    change: Option<Value>,
    query: String,
    reason: Option<String>,
    refusals: Vec<(&'static str, u16, &'static str)>,
    apart: Vec<&'static str>,
    derived: Vec<&'static str>,
}

impl Actor {
    /// The record `id` under `path` (`/v1/eap/assignments`, `/v1/patients/pat_…/flags`).
    pub fn round<'a>(&'a self, path: &str, id: &str) -> Round<'a> {
        Round {
            by: self,
            reader: self,
            remover: self,
            path: path.into(),
            place: id.into(),
            id: id.into(),
            change: None,
            query: String::new(),
            reason: None,
            refusals: vec![],
            apart: vec![],
            derived: vec![],
        }
    }
}

impl<'a> Round<'a> {
    /// What PATCH says; a noun that can be changed has to be.
    pub fn patch(mut self, change: Value) -> Self {
        self.change = Some(change);
        self
    }
    /// Its id, where its path names it otherwise.
    pub fn known_as(mut self, id: &str) -> Self {
        self.id = id.into();
        self
    }
    /// The query that lists it: `?site=…`.
    pub fn listed_by(mut self, query: impl Into<String>) -> Self {
        self.query = query.into();
        self
    }
    /// Every change of it says why.
    pub fn because(mut self, reason: &str) -> Self {
        self.reason = Some(reason.into());
        self
    }
    /// Somebody else reads it.
    pub fn read_by(mut self, reader: &'a Actor) -> Self {
        self.reader = reader;
        self
    }
    /// Somebody else deletes it and brings it back.
    pub fn removed_by(mut self, remover: &'a Actor) -> Self {
        self.remover = remover;
        self
    }
    /// This step (`patch`, `delete`, `restore`) is declared, and refused of this record.
    pub fn refuses(mut self, step: &'static str, status: u16, code: &'static str) -> Self {
        self.refusals.push((step, status, code));
        self
    }
    /// This step (`show`, `list`, …) is another thing here, which a story of its own tells: a search, a feed.
    pub fn apart(mut self, step: &'static str) -> Self {
        self.apart.push(step);
        self
    }
    /// This member of the answer is worked out while it is read, and stands in no version.
    pub fn derives(mut self, member: &'static str) -> Self {
        self.derived.push(member);
        self
    }

    fn one(&self) -> String {
        format!("{}/{}", self.path, self.place)
    }
    /// Whether the table has this step of this noun.
    fn has(&self, step: &'static str, method: &str, path: &str) -> bool {
        !self.apart.contains(&step) && self.by.ledger.declares(method, path)
    }
    fn refused(&self, step: &str) -> Option<(u16, &'static str)> {
        self.refusals.iter().find(|(s, ..)| *s == step).map(|(_, status, code)| (*status, *code))
    }
    fn call(&self, actor: &'a Actor, method: &str, path: &str) -> Call<'a> {
        let call = actor.call(method, path);
        match &self.reason {
            Some(reason) if method != "GET" => call.because(reason),
            _ => call,
        }
    }
}

impl<'a> IntoFuture for Round<'a> {
    type Output = ();
    type IntoFuture = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.walk())
    }
}
