//! What a platform begins with: the shipped plans and its first operator. Repeating it changes nothing.

use crate::{
    doors,
    operator::{self, Operator, Role, Status},
    plan::{Plan, catalogue},
};
use kernel::{Error, Id, OperatorId, Result, Ulid};
use seal::Sealed;
use store::{Key, Record, Scope, Store};
use web::App;

/// Who may let the first organisations in.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct FirstOperator {
    pub username: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
}

/// Seeds the platform's own part; returns the first operator's id, which stays the same.
pub async fn seed(app: &App, first: FirstOperator) -> Result<OperatorId> {
    let store = doors::system(app, Scope::Platform, "seed", "seed").await?;
    for plan in catalogue::shipped() {
        let id = Plan::id_of(&plan.code, plan.revision);
        let record = Record::with_id(id, store.now(), plan);
        once(store.commit().create(&record).run().await)?;
    }
    operator(&store, first).await
}

/// A fixed id: two starts at once make one operator.
fn first_id() -> OperatorId {
    OperatorId::of(Ulid::from_parts(0, 1))
}

async fn operator(store: &Store, first: FirstOperator) -> Result<OperatorId> {
    let there: Option<serde_json::Value> = store.read(&Key::record(first_id())).await?;
    if there.is_some() {
        return Ok(first_id());
    }
    let FirstOperator { username, email, first_name, last_name } = first;
    let body = Operator {
        username,
        email: Sealed(email.to_lowercase()),
        first_name: Sealed(first_name),
        last_name: Sealed(last_name),
        roles: vec![Role::Admin],
        can_create_tenants: true,
        can_suspend_tenants: true,
        can_delete_tenants: false,
        ip_allow: vec![],
        status: Status::Active,
        generation: 1,
        last_login: None,
    };
    let record = Record::with_id(first_id(), store.now(), body);
    once(operator::first(store.commit().create(&record)).run().await)?;
    Ok(first_id())
}

/// What is there already is as it should be.
fn once(result: Result<()>) -> Result<()> {
    match result {
        Err(Error::Stale { .. } | Error::Duplicate { .. }) => Ok(()),
        Err(Error::Refused(r)) if r.code == "exists" => Ok(()),
        other => other,
    }
}
