//! Departments of a site.

use events::TenantEvent;
use jiff::Timestamp;
use kernel::{DepartmentId, Error, Lifecycle, Result, SiteId, Step, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Commit, Entity, Key, List, Record, Row, Store, Unique, Wanted, facts, is};
use web::{
    Actor, Ctx, Noun, Reach, Route,
    noun::{self, Hooks, Paths, Written, possible},
};

kernel::words! { pub enum Kind { Clinical = "clinical", Support = "support", Admin = "admin" } }
kernel::words! { pub enum Status { Active = "active", Closed = "closed" } }

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Department {
    #[schemars(length(min = 2, max = 100))]
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Z0-9]{2,10}$"))]
    pub code: Option<String>,
    pub site: SiteId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<UserId>,
    pub kind: Kind,
    #[serde(default = "active")]
    #[schemars(extend("readOnly" = true))]
    pub status: Status,
}

fn active() -> Status {
    Status::Active
}

impl Entity for Department {
    type Id = DepartmentId;
    const NOUN: &'static str = "department";
    const LISTS: &'static [List<Self>] = &[
        List::newest(),
        List::<Self>::by("site", &["site"], |r| vec![Row::new(&[&r.body.site], &[&r.body.status, &r.id])])
            .then(&["status"])
            .oldest_first(),
    ];
    const UNIQUE: &'static [Unique<Self>] = &[Unique::of("name", "department-exists", |d| {
        vec![format!("{}:{}", d.site, d.name.trim().to_lowercase())]
    })];
}

impl Noun for Department {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        actor.at_site(reach, record.body.site)
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        possible(record, ctx)
    }
}

impl Lifecycle for Department {
    kernel::state_of!(status: Status);
    const STEPS: &'static [Step<Self>] = &[
        Step::of("close", "department.edit", &[Status::Active], Status::Closed),
        Step::of("reopen", "department.edit", &[Status::Closed], Status::Active),
    ];
}

pub fn routes() -> Vec<Route> {
    const PATH: &str = "/v1/tenants/departments";
    let paths = Paths {
        path: PATH,
        view: "department.view",
        create: "department.edit",
        edit: "department.edit",
        delete: "department.edit",
    };
    let mut routes = noun::crud::<Department>(paths);
    routes.extend(noun::steps::<Department>(PATH));
    routes
}

impl Hooks for Department {
    /// The fact, the event and, while it is open, the demand that its site is open too.
    async fn on_write(
        _: &Ctx,
        Written { new: department, .. }: Written<'_, Self>,
        commit: Commit,
    ) -> Result<Commit> {
        let open = department.deleted_at.is_none() && department.body.status == Status::Active;
        let commit = department.body.published(department.id, open, commit);
        if !open {
            return Ok(commit);
        }
        let closed = |_| Error::field("site-closed", "/site", "there is no such open site");
        Ok(commit.check(&Key::fact(facts::SITE, department.body.site), is("open", true), closed))
    }
}

impl Department {
    /// Open departments of a site, at most a page of them: more cannot move in one commit.
    pub async fn open_at(store: &Store, site: SiteId) -> Result<Vec<Record<Self>>> {
        let wanted = Wanted { then: vec![Status::Active.to_string()], ..Wanted::by(&[&site], 20) };
        let page = store.list(&Self::LISTS[1], &wanted).await?;
        match page.next {
            None => Ok(page.data),
            Some(_) => Err(Error::conflict(
                "site-in-use",
                "more than 20 departments are open here: close or move some first",
            )),
        }
    }

    /// The department at another site; that it is open is the caller's to know.
    pub fn moved(commit: Commit, old: &Record<Self>, to: SiteId, now: Timestamp) -> Commit {
        let mut new = old.next(now);
        new.body.site = to;
        new.body.published(new.id, true, commit.update("move", old, &new))
    }

    fn published(&self, department: DepartmentId, open: bool, commit: Commit) -> Commit {
        let site = self.site;
        let commit = commit.emit(TenantEvent::DepartmentChanged { department, site, open });
        commit.fact(facts::DEPARTMENT, department, &json!({"open": open, "site": site}))
    }
}
