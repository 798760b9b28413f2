//! What the clock needs: which tenants have something due, and what. One query for the tenants of a beat, one
//! per tenant that has something; nothing is read of the others.
//!
//! A tenant's *next due time* is one item of the platform, its sort key `{when}#{mark}`. Whoever announces a due
//! row renews the mark, also when something earlier is known already: the clock, which raises the time after it
//! has looked at the rows, does so under the condition that time and mark are still those it started from. So an
//! announcement that comes between its look and its raising is never lost. The rows are read from an index that
//! lags behind the table; therefore a mark has to settle before anything is raised (see [`DueTenant::settled`]).

use crate::{
    Page, Scope, Store,
    error::refused,
    item::{Item, s, text},
    list::stamp,
    schema::{GSI3, PK, SK},
};
use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    types::ReturnValuesOnConditionCheckFailure as Returns,
};
use jiff::{SignedDuration, Timestamp};
use kernel::{Result, Ulid};

/// A due row, as the owning module hears of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    /// `{when}#{mark}`, as it was read.
    pub since: String,
}

/// Rows of one round trip.
const PAGE: i32 = 1000;
/// How far the index may lag behind the table: so long an announced row may not be seen in it yet.
pub const LAG: SignedDuration = SignedDuration::from_mins(2);

impl DueRow {
    /// `{when}#{kind}#{id}#{what}`
    fn read(sort: &str) -> Option<Self> {
        let mut words = sort.split('#').map(String::from);
        Some(Self { at: words.next()?, kind: words.next()?, id: words.next()?, what: words.next()? })
    }
}

impl DueTenant {
    /// Whether everything that was announced can be seen in the index by now.
    pub fn settled(&self, now: Timestamp) -> bool {
        let mark = self.since.split_once('#').and_then(|(_, mark)| Ulid::from_string(mark).ok());
        let announced = mark.map_or(0, |mark| mark.timestamp_ms() as i64);
        now.as_millisecond() - announced >= LAG.as_millis() as i64
    }
}

impl Store {
    /// Rows of this scope that are due by then, earliest first, a page at a time: `after` is the page before's
    /// `next`.
    pub async fn due(&self, until: Timestamp, after: Option<&str>) -> Result<Page<DueRow>> {
        let page = self.due_until(&self.due_rows(), until, after).await?;
        let read = |item: Item| {
            let row = text(&item, GSI3.sk).ok().and_then(DueRow::read);
            if row.is_none() {
                tracing::error!(pk = text(&item, PK).unwrap_or_default(), "a due row that cannot be read");
            }
            row
        };
        Ok(Page { data: page.data.into_iter().filter_map(read).collect(), next: page.next })
    }

    /// When the earliest row of this scope is due.
    pub async fn first_due(&self) -> Result<Option<String>> {
        let out = self.by_due(&self.due_rows()).limit(1).send().await.map_err(|e| refused("due", &e))?;
        let first = out.items.unwrap_or_default().into_iter().next();
        Ok(first.and_then(|item| Some(text(&item, GSI3.sk).ok()?.split('#').next()?.to_string())))
    }

    /// Tenants (in the platform's scope) that have something due by then, a page at a time as [`Store::due`].
    pub async fn tenants_due(&self, until: Timestamp, after: Option<&str>) -> Result<Page<DueTenant>> {
        let page = self.due_until(&tenants(), until, after).await?;
        let tenant = |item: Item| {
            let scope = text(&item, PK).ok()?.rsplit('#').next().and_then(Scope::from_claim)?;
            Some(DueTenant { scope, since: text(&item, GSI3.sk).ok()?.to_string() })
        };
        Ok(Page { data: page.data.into_iter().filter_map(tenant).collect(), next: page.next })
    }

    /// Announces (in the platform's scope) that a tenant has something due then.
    pub async fn lower_next_due(&self, tenant: Scope, at: &str) -> Result<()> {
        let mark = || Ulid::from_parts(self.now().as_millisecond().max(0) as u64, rand::random());
        let mut attempt = 0;
        loop {
            // An equal time sorts behind `at` for its mark, so it is renewed here too.
            let earlier = "attribute_not_exists(#s) OR #s > :seen";
            let Some(known) = self.set_next_due(tenant, &format!("{at}#{}", mark()), earlier, at).await?
            else {
                return Ok(());
            };
            let when = known.split('#').next().unwrap_or_default();
            // No clock looks at the tenant before that time, and by then the row can be seen.
            if when > stamp(self.now() + LAG).as_str() {
                return Ok(());
            }
            // Something earlier is known: it stays, with a new mark.
            if self.set_next_due(tenant, &format!("{when}#{}", mark()), "#s = :seen", &known).await?.is_none()
            {
                return Ok(());
            }
            self.pause(&mut attempt).await?;
        }
    }

    /// After a beat: the tenant's next due time, read from its rows. Whoever announced something meanwhile wins.
    pub async fn raise_next_due(&self, tenant: &DueTenant, next: Option<&str>) -> Result<()> {
        let Some(at) = next else { return self.forget_next_due(tenant).await };
        // No announcement: the mark is as old as can be.
        let to = format!("{at}#{}", Ulid::from_parts(0, rand::random()));
        self.set_next_due(tenant.scope, &to, "#s = :seen", &tenant.since).await.map(drop)
    }

    // ---- what the above is made of

    fn due_rows(&self) -> String {
        format!("{}#due", self.scope)
    }

    pub(crate) fn by_due(
        &self,
        partition: &str,
    ) -> aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder {
        self.sdk
            .query()
            .table_name(&*self.table)
            .index_name(GSI3.name)
            .key_condition_expression("#p = :p")
            .expression_attribute_names("#p", GSI3.pk)
            .expression_attribute_values(":p", s(partition))
    }

    /// One page of the index up to a time, after a sort key.
    pub(crate) async fn due_until(
        &self,
        partition: &str,
        until: Timestamp,
        after: Option<&str>,
    ) -> Result<Page<Item>> {
        let query = self
            .by_due(partition)
            .key_condition_expression("#p = :p AND #s BETWEEN :a AND :u")
            .expression_attribute_names("#s", GSI3.sk)
            // No sort key lies between one and the same with `!` behind it.
            .expression_attribute_values(":a", s(after.map_or(" ".into(), |after| format!("{after}!"))))
            // `~` sorts after everything that may follow the time.
            .expression_attribute_values(":u", s(format!("{}~", stamp(until))))
            .limit(PAGE);
        let out = query.send().await.map_err(|e| refused("due", &e))?;
        let next = out.last_evaluated_key.map(|last| Ok(text(&last, GSI3.sk)?.to_string())).transpose()?;
        Ok(Page { data: out.items.unwrap_or_default(), next })
    }

    /// Sets the item's sort key under a condition, of which `:seen` is a value. Where it does not hold, what is
    /// there instead (empty if nothing is).
    async fn set_next_due(
        &self,
        tenant: Scope,
        to: &str,
        condition: &str,
        seen: &str,
    ) -> Result<Option<String>> {
        let update = self
            .sdk
            .update_item()
            .table_name(&*self.table)
            .key(PK, s(beat(tenant)))
            .key(SK, s("."))
            .update_expression("SET #p = :p, #s = :to")
            .condition_expression(condition)
            .expression_attribute_names("#p", GSI3.pk)
            .expression_attribute_names("#s", GSI3.sk)
            .expression_attribute_values(":p", s(tenants()))
            .expression_attribute_values(":to", s(to))
            .expression_attribute_values(":seen", s(seen))
            .return_values_on_condition_check_failure(Returns::AllOld);
        match update.send().await {
            Ok(_) => Ok(None),
            Err(e) if unless(&e) => {
                use aws_sdk_dynamodb::operation::update_item::UpdateItemError as E;
                let old = match e.as_service_error() {
                    Some(E::ConditionalCheckFailedException(e)) => e.item(),
                    _ => None,
                };
                Ok(Some(old.and_then(|item| text(item, GSI3.sk).ok()).unwrap_or_default().to_string()))
            }
            Err(e) => Err(refused("next due", &e)),
        }
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
        match delete.send().await {
            Ok(_) => Ok(()),
            Err(e) if unless(&e) => Ok(()),
            Err(e) => Err(refused("next due", &e)),
        }
    }
}

fn tenants() -> String {
    format!("{}#tenants", Scope::Platform)
}

fn beat(tenant: Scope) -> String {
    format!("{}#beat#{tenant}", Scope::Platform)
}

/// A failed condition means that somebody else said something better.
pub(crate) fn unless<E: ProvideErrorMetadata, R>(e: &SdkError<E, R>) -> bool {
    e.as_service_error().and_then(|e| e.code()) == Some("ConditionalCheckFailedException")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_settles_and_what_the_clock_raised_is_settled_at_once() {
        let at: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let tenant = |mark: Ulid| DueTenant { scope: Scope::Platform, since: format!("2026#{mark}") };
        let announced = tenant(Ulid::from_parts(at.as_millisecond() as u64, 7));
        assert!(!announced.settled(at) && !announced.settled(at + LAG - SignedDuration::from_millis(1)));
        assert!(announced.settled(at + LAG));
        assert!(tenant(Ulid::from_parts(0, 7)).settled(at));
    }
}
