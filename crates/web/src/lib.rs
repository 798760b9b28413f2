//! From a request to the context, and back to an answer. A route cannot be mounted without its permission; a
//! handler cannot reach the table except through its [`Ctx`].

pub mod access;
mod answer;
mod app;
pub mod approval;
mod batch;
mod beat;
pub mod check;
mod claims;
pub mod conditions;
pub mod cors;
mod ctx;
mod ctx_for;
pub mod dead;
pub mod docs;
mod extract;
pub mod files;
pub mod gate;
mod guard;
pub mod link;
pub mod mail;
mod module;
pub mod noun;
pub mod openapi;
pub mod pace;
mod problem;
mod reaction;
mod refusal;
mod route;
mod settable;

pub use access::{Post, Posted, Queue, Replying};
pub use answer::{Answer, Refused, created, deleted, json, ok};
pub use app::{App, Place, Ports};
pub use batch::batch;
pub use beat::Beat;
pub use claims::{Actor, Reached};
pub use ctx::{Anyone, Ctx, Entered};
pub use extract::{At, AtVersion, Body, Demands, Named, Query, Raw, Within};
pub use files::{Files, Signer};
pub use link::{Link, Minted};
pub use mail::{Letter, Mail};
pub use module::{Module, mount, router};
pub use noun::{Noun, Shown};
pub use problem::Problem;
pub use reaction::{Message, REMEMBERED, Reaction, Task, consume};
pub use route::{Door, Route, Shape, UNSTATED, route, shape};
pub use settable::{RuleAnswer, Settable, settable};

pub use authz::Reach;
