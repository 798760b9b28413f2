//! A route is a value: it mounts itself, documents itself, and is walked by the tests.

use crate::{App, approval::Waiting};
use axum::{http::Method, routing::MethodRouter};
use schemars::{JsonSchema, Schema, SchemaGenerator};

/// Who gets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// A holder of this permission.
    Permission(&'static str),
    /// Everybody with a token, also while their second factor is missing or their organisation is not open:
    /// only what is about oneself.
    SignedIn,
    /// Everybody; the gateway has no authorizer there.
    Public,
}

pub type Shape = fn(&mut SchemaGenerator) -> Schema;

pub fn shape<T: JsonSchema>() -> Shape {
    |g| g.subschema_for::<T>()
}

#[derive(Clone)]
pub struct Route {
    pub method: Method,
    /// `/v1/patients/{id}`
    pub path: String,
    pub door: Door,
    /// `patient.show`: operation id, and the action in access records.
    pub operation: String,
    /// Which of the operation's addresses this is, where it has several.
    pub address: Option<&'static str>,
    /// One sentence for the documentation.
    pub summary: String,
    pub query: Option<Shape>,
    pub input: Option<Input>,
    pub status: u16,
    /// Another success of the same form, for some requests.
    pub also: Option<u16>,
    pub output: Option<Shape>,
    /// Codes of refusals that only this route has.
    pub refusals: Vec<&'static str>,
    /// Rounds to the table in the ordinary case, which the middle of all stories shows; a walk over all routes wants it
    /// stated. The most that any story needed stands with the units in the module's `budgets.txt`.
    pub trips: u8,
    /// The command's name in approval policies, where it may have to wait for a second person. Its handler settles.
    pub approvable: Option<&'static str>,
    /// Whoever lacks the permission hears 404, as of a record that is not there: that there could be one is told
    /// to nobody else.
    pub hidden: bool,
    pub(crate) waiting: Option<Waiting>,
    pub(crate) handler: MethodRouter<App>,
}

#[derive(Clone, Copy)]
pub struct Input {
    pub media: &'static str,
    pub shape: Shape,
    pub patch: bool,
}

/// No budget was given.
pub const UNSTATED: u8 = u8::MAX;

/// A route cannot be written without its door.
pub fn route(
    method: Method,
    path: impl Into<String>,
    door: impl Into<Door>,
    operation: impl Into<String>,
    handler: MethodRouter<App>,
) -> Route {
    Route {
        method,
        path: path.into(),
        door: door.into(),
        operation: operation.into(),
        address: None,
        summary: String::new(),
        query: None,
        input: None,
        status: 200,
        also: None,
        output: None,
        refusals: vec![],
        trips: UNSTATED,
        approvable: None,
        hidden: false,
        waiting: None,
        handler,
    }
}

impl From<&'static str> for Door {
    fn from(permission: &'static str) -> Self {
        Door::Permission(permission)
    }
}

impl Route {
    pub fn takes<T: JsonSchema>(mut self) -> Self {
        self.input = Some(Input { media: "application/json", shape: shape::<T>(), patch: false });
        self
    }
    /// A JSON merge patch of `T`.
    pub fn patches<T: JsonSchema>(mut self) -> Self {
        self.input = Some(Input { media: "application/merge-patch+json", shape: shape::<T>(), patch: true });
        self
    }
    pub fn gives<T: JsonSchema>(mut self, status: u16) -> Self {
        (self.status, self.output) = (status, Some(shape::<T>()));
        self
    }
    /// Another success of the same form.
    pub fn or(mut self, status: u16) -> Self {
        self.also = Some(status);
        self
    }
    pub fn answers(mut self, status: u16) -> Self {
        self.status = status;
        self
    }
    /// Query parameters; without it, any parameter is refused.
    pub fn asks<T: JsonSchema>(mut self) -> Self {
        self.query = Some(shape::<T>());
        self
    }
    pub fn asks_shape(mut self, shape: Shape) -> Self {
        self.query = Some(shape);
        self
    }
    /// The same route, answered by a handler of the noun's own.
    pub fn handled_by(mut self, handler: MethodRouter<App>) -> Self {
        self.handler = handler;
        self
    }
    /// The same operation stands elsewhere too: names are given once in the document, so this one has a word more.
    pub fn also_at(mut self, address: &'static str) -> Self {
        self.address = Some(address);
        self
    }
    /// The operation's name in the document: `approval.show.eap`.
    pub fn name(&self) -> String {
        self.address.map_or(self.operation.clone(), |address| format!("{}.{address}", self.operation))
    }
    pub fn says(mut self, summary: impl Into<String>) -> Self {
        self.summary = summary.into();
        self
    }
    pub fn refuses(mut self, codes: &[&'static str]) -> Self {
        self.refusals.extend(codes);
        self
    }
    pub fn trips(mut self, trips: u8) -> Self {
        self.trips = trips;
        self
    }
    /// The command may have to wait for a second person: a policy of the organisation says when.
    pub fn approvable(mut self, command: &'static str) -> Self {
        (self.approvable, self.waiting) = (Some(command), Some(Waiting::new()));
        self.refuses(&["approval-required"])
    }
    /// Whoever lacks the permission hears 404.
    pub fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }
    pub fn permission(&self) -> Option<&'static str> {
        match self.door {
            Door::Permission(p) => Some(p),
            _ => None,
        }
    }
}
