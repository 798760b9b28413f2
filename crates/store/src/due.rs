//! What the clock needs: which tenants have something due, and what. One query for the tenants of a beat, one
//! per tenant that has something; nothing is read of the others.

use crate::{
    Scope, Store,
    error::refused,
    item::{Item, s, text},
    list::stamp,
    schema::{GSI3, PK, SK},
};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use jiff::Timestamp;
use kernel::{Error, Result};

/// A due row, as the owning module hears of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueRow {
    pub at: String,
    pub kind: String,
    pub id: String,
    pub what: String,
}

/// A tenant with something due, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueTenant {
    pub scope: Scope,
    pub since: String,
}

/// Rows of one beat; the rest comes with the next.
pub const BEAT: i32 = 1000;

fn tenants() -> String {
    format!("{}#tenants", Scope::Platform)
}

impl Store {
    /// Rows of this scope that are due by then, earliest first.
    pub async fn due(&self, until: Timestamp) -> Result<Vec<DueRow>> {
        let rows = self.due_index(&format!("{}#due", self.scope), Some(until), BEAT).await?;
        Ok(rows.iter().filter_map(|item| row(text(item, GSI3.sk).ok()?)).collect())
    }

    /// Tenants (in the platform's scope) that have something due by then.
    pub async fn tenants_due(&self, until: Timestamp) -> Result<Vec<DueTenant>> {
        let items = self.due_index(&tenants(), Some(until), BEAT).await?;
        let tenant = |item: &Item| {
            let scope = text(item, PK).ok()?.rsplit('#').next().and_then(Scope::from_claim)?;
            Some(DueTenant { scope, since: text(item, GSI3.sk).ok()?.to_string() })
        };
        Ok(items.iter().filter_map(tenant).collect())
    }

    /// Remembers (in the platform's scope) that a tenant has something due then, if nothing earlier is known.
    pub async fn lower_next_due(&self, tenant: Scope, at: &str) -> Result<()> {
        let condition = "attribute_not_exists(#s) OR #s > :at";
        self.set_next_due(tenant, at, condition, None).await
    }

    /// After a beat: the tenant's next due time, read from its rows. Whoever lowered it meanwhile wins.
    pub async fn raise_next_due(&self, tenant: &DueTenant, next: Option<&str>) -> Result<()> {
        match next {
            Some(at) => self.set_next_due(tenant.scope, at, "#s = :seen", Some(&tenant.since)).await,
            None => self.forget_next_due(tenant).await,
        }
    }

    /// The earliest row of this scope, whenever it is due.
    pub async fn first_due(&self) -> Result<Option<DueRow>> {
        let rows = self.due_index(&format!("{}#due", self.scope), None, 1).await?;
        Ok(rows.first().and_then(|item| row(text(item, GSI3.sk).ok()?)))
    }

    async fn due_index(&self, partition: &str, until: Option<Timestamp>, limit: i32) -> Result<Vec<Item>> {
        let query = self
            .sdk
            .query()
            .table_name(&*self.table)
            .index_name(GSI3.name)
            .expression_attribute_names("#p", GSI3.pk)
            .expression_attribute_values(":p", s(partition))
            .limit(limit);
        let query = match until {
            None => query.key_condition_expression("#p = :p"),
            Some(until) => query
                .key_condition_expression("#p = :p AND #s < :u")
                .expression_attribute_names("#s", GSI3.sk)
                // `~` sorts after everything that may follow the time.
                .expression_attribute_values(":u", s(format!("{}~", stamp(until)))),
        };
        let out = query.send().await.map_err(|e| refused("due", &e))?;
        Ok(out.items.unwrap_or_default())
    }

    async fn set_next_due(&self, tenant: Scope, at: &str, condition: &str, seen: Option<&str>) -> Result<()> {
        let mut update = self
            .sdk
            .update_item()
            .table_name(&*self.table)
            .key(PK, s(beat(tenant)))
            .key(SK, s("."))
            .update_expression("SET #p = :p, #s = :at")
            .condition_expression(condition)
            .expression_attribute_names("#p", GSI3.pk)
            .expression_attribute_names("#s", GSI3.sk)
            .expression_attribute_values(":p", s(tenants()))
            .expression_attribute_values(":at", s(at));
        if let Some(seen) = seen {
            update = update.expression_attribute_values(":seen", s(seen));
        }
        unless_passed(update.send().await.map(drop))
    }

    async fn forget_next_due(&self, tenant: &DueTenant) -> Result<()> {
        let delete = self
            .sdk
            .delete_item()
            .table_name(&*self.table)
            .key(PK, s(beat(tenant.scope)))
            .key(SK, s("."))
            .condition_expression("#s = :seen")
            .expression_attribute_names("#s", GSI3.sk)
            .expression_attribute_values(":seen", s(&tenant.since));
        unless_passed(delete.send().await.map(drop))
    }
}

fn beat(tenant: Scope) -> String {
    format!("{}#beat#{tenant}", Scope::Platform)
}

/// A failed condition means that somebody else said something better.
fn unless_passed<E, R>(result: std::result::Result<(), aws_sdk_dynamodb::error::SdkError<E, R>>) -> Result<()>
where
    E: ProvideErrorMetadata,
{
    match result {
        Err(e) if e.as_service_error().and_then(|e| e.code()) != Some("ConditionalCheckFailedException") => {
            Err(refused("next due", &e))
        }
        _ => Ok::<(), Error>(()),
    }
}

/// `{when}#{kind}#{id}#{what}`
fn row(sort: &str) -> Option<DueRow> {
    let mut words = sort.split('#').map(String::from);
    Some(DueRow { at: words.next()?, kind: words.next()?, id: words.next()?, what: words.next()? })
}
