//! Who of ours looks after a client (EAP-3): one account manager at a time, coordinators, clinicians.

use crate::{
    client,
    place::{self, Tie},
    provider,
};
use jiff::civil::Date;
use kernel::{ClientOrgId, EapAssignmentId, EapProviderId, Error, Fault, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Commit, Entity, List, Record, Row, Unique, Wanted};
use web::{
    Ctx, Noun, Route,
    noun::{self, Hooks, Paths, Written},
};

const PATH: &str = "/v1/eap/assignments";

kernel::words! {
    pub enum Role { AccountManager = "account_manager", Coordinator = "coordinator", Clinician = "clinician" }
}

/// One of ours, assigned to a client.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EapAssignment")]
pub struct Assignment {
    pub client: ClientOrgId,
    /// A member of staff, or else a provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staff: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<EapProviderId>,
    pub role: Role,
    pub from: Date,
    /// The last day; open where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
    /// The login that reaches the client by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub user: Option<UserId>,
}

impl Entity for Assignment {
    type Id = EapAssignmentId;
    const NOUN: &'static str = "eap_assignment";
    const LISTS: &'static [List<Self>] = &[
        List::<Self>::by("client", &["client"], |r| {
            vec![Row::new(&[&r.body.client], &[&r.body.role, &r.body.from, &r.id])]
        })
        .then(&["role"]),
        List::by("user", &["user"], |r| {
            r.body.user.iter().map(|u| Row::new(&[u], &[&r.body.from, &r.id])).collect()
        }),
    ];
    /// One open account manager; whoever follows, begins after the one before has ended.
    const UNIQUE: &'static [Unique<Self>] = &[
        Unique::of("account_manager", "account-manager-taken", |a| match (a.role, a.to) {
            (Role::AccountManager, None) => vec![a.client.to_string()],
            _ => vec![],
        }),
        Unique::of("person", "duplicate", |a| match a.to {
            None => a.user.iter().map(|u| format!("{}|{u}", a.client)).collect(),
            Some(_) => vec![],
        }),
    ];
}

impl Noun for Assignment {
    fn check(&self) -> Vec<Fault> {
        let mut faults = vec![];
        if self.staff.is_some() == self.provider.is_some() {
            faults.push(Fault::new("/staff", "one-of", "name a member of staff or a provider"));
        }
        if self.to.is_some_and(|to| to < self.from) {
            faults.push(Fault::new("/to", "range", "not before from"));
        }
        faults
    }
}

impl Hooks for Assignment {
    async fn prepare(
        ctx: &Ctx,
        action: &str,
        old: Option<&Record<Self>>,
        new: &mut Record<Self>,
    ) -> Result<()> {
        if old.is_some_and(|o| o.body.client != new.body.client) {
            return Err(Error::field(
                "fixed",
                "/client",
                "an assignment stays with its client; make a new one",
            ));
        }
        // Whose login a provider has is looked up when they are named: one who has left can still be taken off.
        if old.is_some_and(|o| {
            action != "restore" && o.body.provider == new.body.provider && o.body.staff == new.body.staff
        }) {
            return Ok(());
        }
        new.body.user = match new.body.provider {
            None => new.body.staff,
            Some(id) => web::known::<provider::Provider>(ctx, id, provider::unknown).await?.body.user,
        };
        Ok(())
    }
    async fn on_write(
        _: &Ctx,
        Written { old, new, .. }: Written<'_, Self>,
        commit: Commit,
    ) -> Result<Commit> {
        let commit = match old {
            None => client::required(commit, new.body.client),
            Some(_) => commit,
        };
        Ok(tied(old, new, commit))
    }
}

/// While it is open, its login reaches the client.
fn tied(old: Option<&Record<Assignment>>, new: &Record<Assignment>, mut commit: Commit) -> Commit {
    let open = |r: &Record<Assignment>| r.body.user.filter(|_| r.deleted_at.is_none() && r.body.to.is_none());
    let (was, is_now) = (old.and_then(open), open(new));
    if was == is_now {
        return commit;
    }
    let key = |user: UserId| place::tie(&user.to_string(), new.body.client, Tie::Staff);
    if let Some(gone) = was {
        commit = commit.delete(&key(gone));
    }
    match is_now {
        Some(come) => commit.put(&key(come), &json!({"since": new.updated_at})),
        None => commit,
    }
}

/// Who is told about a client's contracts.
pub async fn manager(ctx: &Ctx, client: ClientOrgId) -> Result<Option<UserId>> {
    let then = vec![Role::AccountManager.to_string()];
    let wanted = Wanted { then, ..Wanted::by(&[&client], 20) };
    let all = ctx.store().list(&Assignment::LISTS[0], &wanted).await?;
    let today = ctx.today();
    let now = |a: &Assignment| a.from <= today && a.to.is_none_or(|to| today <= to);
    Ok(all.data.into_iter().find(|r| now(&r.body)).and_then(|r| r.body.user))
}

pub fn routes() -> Vec<Route> {
    let (view, edit) = ("client_org.view", "client_org.edit");
    let mut routes = noun::crud::<Assignment>(Paths { path: PATH, view, create: edit, edit, delete: edit });
    // Whom it names is looked up.
    routes.iter_mut().filter(|r| r.operation == "eap_assignment.create").for_each(|r| r.trips = 2);
    routes
}
