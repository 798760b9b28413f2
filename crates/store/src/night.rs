//! Which tenant's night comes next. One item of the platform per tenant, its sort key `{when}#{day}`: when the
//! clock has to come, and the local day that it has to tell of then. So one query finds the tenants whose night
//! has come, whatever zone they are in, and nothing is read of the others.

use crate::{
    Page, Scope, Store,
    due::unless,
    error::refused,
    item::{Item, s, text},
    list::stamp,
    schema::{GSI3, PK, SK},
};
use jiff::{Timestamp, civil::Date};
use kernel::Result;

/// A tenant whose night has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Night {
    pub scope: Scope,
    /// The local day to be told of; none for a tenant that the clock has not met yet.
    pub day: Option<Date>,
    /// `{when}#{day}`, as it was read.
    seen: String,
}

impl Store {
    /// Tenants (in the platform's scope) whose night has come by then, a page at a time.
    pub async fn nights(&self, until: Timestamp, after: Option<&str>) -> Result<Page<Night>> {
        let page = self.due_until(&nights(), until, after).await?;
        let night = |item: Item| {
            let scope = text(&item, PK).ok()?.rsplit('#').next().and_then(Scope::from_claim)?;
            let seen = text(&item, GSI3.sk).ok()?.to_string();
            let day = seen.split_once('#').and_then(|(_, day)| day.parse().ok());
            Some(Night { scope, day, seen })
        };
        Ok(Page { data: page.data.into_iter().filter_map(night).collect(), next: page.next })
    }

    /// From now on the tenant has nights; nothing, if it has them already.
    pub async fn begin_nights(&self, tenant: Scope) -> Result<()> {
        let put = self
            .sdk
            .put_item()
            .table_name(&*self.table)
            .item(PK, s(place(tenant)))
            .item(SK, s("."))
            .item(GSI3.pk, s(nights()))
            .item(GSI3.sk, s(format!("{}#", stamp(self.now()))))
            .condition_expression("attribute_not_exists(pk)");
        match put.send().await {
            Ok(_) => Ok(()),
            Err(e) if unless(&e) => Ok(()),
            Err(e) => Err(refused("night", &e)),
        }
    }

    /// When to come again, and for which day. None if somebody else was faster: nothing has changed then.
    pub async fn move_night(
        &self,
        night: &Night,
        when: Timestamp,
        day: Option<Date>,
    ) -> Result<Option<Night>> {
        let seen = format!("{}#{}", stamp(when), day.map(|day| day.to_string()).unwrap_or_default());
        let update = self
            .sdk
            .update_item()
            .table_name(&*self.table)
            .key(PK, s(place(night.scope)))
            .key(SK, s("."))
            .update_expression("SET #s = :to")
            .condition_expression("#s = :seen")
            .expression_attribute_names("#s", GSI3.sk)
            .expression_attribute_values(":to", s(&seen))
            .expression_attribute_values(":seen", s(&night.seen));
        match update.send().await {
            Ok(_) => Ok(Some(Night { day, seen, ..night.clone() })),
            Err(e) if unless(&e) => Ok(None),
            Err(e) => Err(refused("night", &e)),
        }
    }

    /// The tenant is no more.
    pub async fn end_nights(&self, night: &Night) -> Result<()> {
        let delete = self
            .sdk
            .delete_item()
            .table_name(&*self.table)
            .key(PK, s(place(night.scope)))
            .key(SK, s("."))
            .condition_expression("#s = :seen")
            .expression_attribute_names("#s", GSI3.sk)
            .expression_attribute_values(":seen", s(&night.seen));
        match delete.send().await {
            Ok(_) => Ok(()),
            Err(e) if unless(&e) => Ok(()),
            Err(e) => Err(refused("night", &e)),
        }
    }
}

fn nights() -> String {
    format!("{}#nights", Scope::Platform)
}

fn place(tenant: Scope) -> String {
    format!("{}#night#{tenant}", Scope::Platform)
}
