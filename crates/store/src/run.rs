//! Sending a commit: one transaction, retried where that is safe, refused in the one word that explains it.

use crate::{
    Commit, Key, Once, Store,
    commit::{Act, Drafted, Means, Write},
    condition::Expression,
    error::{refused, unclear},
    item::{Item, blob, n, number, s, text},
    read::version_of,
    schema::{PK, SK, TTL},
};
use aws_sdk_dynamodb::{
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{
        CancellationReason, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure as Returns,
        TransactWriteItem, Update,
    },
};
use kernel::{Error, Result, Ulid};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

/// DynamoDB's bound of one transaction.
const MOST: usize = 100;
/// Bytes; the table's own bound is 400 KB.
const LARGEST: usize = 350 * 1024;
/// Bytes of one transaction; the table's own bound is 4 MB.
const LARGEST_ALL: usize = 4_000_000;

impl Commit {
    /// All of it, or nothing and the reason.
    pub async fn run(mut self) -> Result<()> {
        if let Some(fault) = self.fault() {
            return Err(fault);
        }
        self.write_changes()?;
        self.measure()?;
        if self.writes.is_empty() {
            return Ok(());
        }
        let (mut attempt, mut lost, mut token) = (0, false, Ulid::new().to_string());
        let mut tried: HashMap<usize, u32> = HashMap::new();
        // Made once: what goes out again under one token goes out with the same bytes.
        let mut items = self.items()?;
        loop {
            let request = self.store.sdk.transact_write_items().set_transact_items(Some(items.clone()));
            let Err(e) = request.client_request_token(&token).send().await else { return Ok(()) };
            match self.read_refusal(&e) {
                Refusal::Final(error) => return Err(error),
                // The same bytes under the same token: done once, whatever happened to the first. Throttling says
                // nothing about an attempt before it.
                Refusal::Again { unclear } => {
                    lost |= unclear;
                    self.store
                        .pause(&mut attempt)
                        .await
                        .map_err(|e| if lost { outcome_unknown() } else { e })?;
                }
                Refusal::Contended => {
                    self.store.pause(&mut attempt).await?;
                    (lost, token) = (false, Ulid::new().to_string());
                }
                Refusal::Quota(at, name) => {
                    self.next_shard(&mut tried, at, name)?;
                    (lost, token, items) = (false, Ulid::new().to_string(), self.items()?);
                }
            }
        }
    }

    fn items(&self) -> Result<Vec<TransactWriteItem>> {
        self.writes.iter().map(|w| w.item(&self.store.table)).collect()
    }

    /// Change records are written last, when reason and event are known; each record's `head` is its hash.
    fn write_changes(&mut self) -> Result<()> {
        for Drafted { at, store, draft } in std::mem::take(&mut self.drafts) {
            let own = match &self.writes[at].act {
                Act::Put(record) => crate::chain::item_digest(&crate::chain::typed(record)),
                _ => return Err(Error::internal("a change record without its record")),
            };
            let (item, hash) = draft.item(&store, self.reason.as_deref(), own)?;
            if let Act::Put(record) = &mut self.writes[at].act {
                record.insert("head".into(), s(&hash));
            }
            // Of one id there may be a record in each of two scopes: a row belongs to the one it lies under.
            let record = self.writes[at].pk.clone();
            for row in self.writes.iter_mut().filter(|w| w.pk == record && w.sk.starts_with("l#")) {
                if let Act::Put(copy) = &mut row.act {
                    copy.insert("head".into(), s(&hash));
                }
            }
            let (pk, sk) = (text(&item, PK)?.to_string(), text(&item, SK)?.to_string());
            let means = if draft.version == 1 { Means::Exists } else { Means::Version { demanded: false } };
            let when = Some(crate::When::Absent);
            self.writes.push(Write { pk, sk, act: Act::Put(item), when, means });
        }
        Ok(())
    }

    fn measure(&self) -> Result<()> {
        if self.writes.len() > MOST {
            let detail = format!(
                "this would take {} items and one commit holds {MOST}: add some parts afterwards",
                self.writes.len()
            );
            return Err(Error::unprocessable("too-many-parts", detail));
        }
        let (mut places, mut all) = (HashSet::new(), 0);
        for write in &self.writes {
            if !places.insert((&write.pk, &write.sk)) {
                return Err(Error::internal(format!("one commit touches an item twice: {}", write.family())));
            }
            let Act::Put(item) = &write.act else { continue };
            let bytes: usize = item.iter().map(|(name, value)| name.len() + size(value)).sum();
            all += bytes;
            if bytes > LARGEST {
                return Err(Error::unprocessable(
                    "too-large",
                    "this record would be larger than 350 KB: put long texts into documents",
                ));
            }
        }
        if all > LARGEST_ALL {
            return Err(Error::unprocessable(
                "too-large",
                "this would write more than 4 MB at once: add some parts afterwards",
            ));
        }
        Ok(())
    }

    fn read_refusal(&self, e: &SdkError<TransactWriteItemsError>) -> Refusal {
        if let Some(TransactWriteItemsError::TransactionCanceledException(c)) = e.as_service_error() {
            return self.cancelled(c.cancellation_reasons());
        }
        match refused("commit", e) {
            _ if unclear(e) => Refusal::Again { unclear: true },
            Error::Busy => Refusal::Again { unclear: false },
            error => Refusal::Final(error),
        }
    }

    /// The one reason that explains it. A replay before all others: the first answer stands, whatever has
    /// become of the record since. Then the record itself, then guards and facts in the order they were named.
    fn cancelled(&self, reasons: &[CancellationReason]) -> Refusal {
        let failed = self.writes.iter().zip(reasons).enumerate();
        let hit = failed
            .filter(|(_, (_, r))| r.code() == Some("ConditionalCheckFailed"))
            .min_by_key(|(at, (write, _))| (write.means.precedence(), *at));
        let Some((at, (write, reason))) = hit else {
            let internal = reasons
                .iter()
                .find(|r| matches!(r.code(), Some("ValidationError" | "ItemCollectionSizeLimitExceeded")));
            return match internal {
                Some(r) => {
                    Refusal::Final(Error::internal(format!("commit: {}", r.message().unwrap_or("invalid"))))
                }
                None => Refusal::Contended,
            };
        };
        let empty = Item::new();
        let old = reason.item().unwrap_or(&empty);
        Refusal::Final(match &write.means {
            Means::Replay { hash } => match self.store_of(&write.pk).replayed(&write.pk, old, hash) {
                Ok(error) | Err(error) => error,
            },
            Means::Version { .. } if old.is_empty() => Error::Missing,
            Means::Version { demanded } => Error::Stale { current: version_of(old), demanded: *demanded },
            Means::Exists => Error::Stale { current: version_of(old), demanded: false },
            Means::Unique { field, code } => {
                Error::Duplicate { field, code, owner: text(old, "owner").unwrap_or_default().into() }
            }
            Means::Quota { name } => return Refusal::Quota(at, name),
            Means::Refuse(refusal) | Means::Again(refusal) => {
                let store = self.store_of(&write.pk);
                let value = (!old.is_empty()).then(|| store.open_item(old.clone()).ok()).flatten();
                refusal(value)
            }
        })
    }

    /// Whose keys open what lies at a place: this commit's own, or of a scope that joined it. (What a joined label of
    /// the same scope wrote stays shut: no refusal tells of it.)
    fn store_of(&self, pk: &str) -> &Store {
        let scope = pk.split('#').next().and_then(crate::Scope::from_claim);
        let own = Some(self.store.scope) == scope;
        self.others.iter().find(|s| !own && Some(s.scope) == scope).unwrap_or(&self.store)
    }

    /// A quota is spread over shards: the next one may still have some.
    fn next_shard(&mut self, tried: &mut HashMap<usize, u32>, at: usize, name: &'static str) -> Result<()> {
        let quota = self
            .quotas
            .iter()
            .find(|q| q.at == at)
            .ok_or_else(|| Error::internal("a quota without shards"))?;
        let count = tried.entry(at).or_insert(0);
        *count += 1;
        if *count >= quota.shards {
            return Err(Error::conflict("limit-reached", format!("the limit of {name} is reached"))
                .with("limit", name));
        }
        let shard = (quota.first + *count) % quota.shards;
        self.writes[at].pk = format!("{}#{}", quota.scope, Key::quota(name, shard).pk);
        Ok(())
    }
}

/// The table may have done it: nobody may say that nothing happened.
fn outcome_unknown() -> Error {
    let detail = "the answer got lost, so this may have been done or not; send it again with the same Idempotency-Key, \
                  or look before you repeat it";
    Error::refuse(kernel::Kind::Unavailable, "outcome-unknown", detail)
}

impl Store {
    /// For commands that read again after a lost race: waits as a contended commit does, longer each time and
    /// never in step with others. `Busy` when the caller's time is over.
    pub async fn pause(&self, attempt: &mut u32) -> Result<()> {
        let most = 400.min(25u64 << (*attempt).min(5));
        let pause = Duration::from_millis(rand::random_range(0..=most));
        if std::time::Instant::now() + pause >= self.deadline {
            return Err(Error::Busy);
        }
        *attempt += 1;
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

enum Refusal {
    Final(Error),
    /// Once more as it is; `unclear` if the table may have done it.
    Again {
        unclear: bool,
    },
    Contended,
    Quota(usize, &'static str),
}

impl Means {
    fn precedence(&self) -> u8 {
        match self {
            Means::Replay { .. } | Means::Again(_) => 0,
            Means::Version { .. } | Means::Exists => 1,
            Means::Unique { .. } | Means::Refuse(_) => 2,
            Means::Quota { .. } => 3,
        }
    }
}

impl Write {
    /// What sort of item, for messages: never a value of it.
    fn family(&self) -> String {
        self.pk
            .split('#')
            .skip(1)
            .take(1)
            .chain([self.sk.split('#').next().unwrap_or_default()])
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn item(&self, table: &str) -> Result<TransactWriteItem> {
        let condition = self.when.as_ref().map(Expression::of).unwrap_or_default();
        let text = (!condition.text.is_empty()).then_some(condition.text);
        let names = (!condition.names.is_empty()).then_some(condition.names);
        let values = (!condition.values.is_empty()).then_some(condition.values);
        let key = HashMap::from([(PK.to_string(), s(&self.pk)), (SK.to_string(), s(&self.sk))]);
        let item = TransactWriteItem::builder();
        Ok(match &self.act {
            Act::Put(body) => {
                let put = Put::builder()
                    .table_name(table)
                    .set_item(Some(body.clone()))
                    .set_condition_expression(text);
                let put = put.set_expression_attribute_names(names).set_expression_attribute_values(values);
                item.put(
                    put.return_values_on_condition_check_failure(Returns::AllOld)
                        .build()
                        .map_err(Error::internal)?,
                )
            }
            Act::Delete => {
                let delete =
                    Delete::builder().table_name(table).set_key(Some(key)).set_condition_expression(text);
                let delete =
                    delete.set_expression_attribute_names(names).set_expression_attribute_values(values);
                item.delete(
                    delete
                        .return_values_on_condition_check_failure(Returns::AllOld)
                        .build()
                        .map_err(Error::internal)?,
                )
            }
            Act::Check => {
                let check = ConditionCheck::builder().table_name(table).set_key(Some(key));
                let check = check.set_condition_expression(text.or(Some("attribute_exists(pk)".into())));
                let check =
                    check.set_expression_attribute_names(names).set_expression_attribute_values(values);
                item.condition_check(
                    check
                        .return_values_on_condition_check_failure(Returns::AllOld)
                        .build()
                        .map_err(Error::internal)?,
                )
            }
            Act::Change { add, set } => {
                let (mut names, mut values) = (names.unwrap_or_default(), values.unwrap_or_default());
                let mut words = vec![];
                if !set.is_empty() {
                    let parts: Vec<String> = set
                        .iter()
                        .enumerate()
                        .map(|(i, (name, value))| {
                            names.insert(format!("#s{i}"), name.to_string());
                            values.insert(format!(":s{i}"), value.clone());
                            format!("#s{i} = :s{i}")
                        })
                        .collect();
                    words.push(format!("SET {}", parts.join(", ")));
                }
                if !add.is_empty() {
                    let part = |(i, (name, amount)): (usize, &(&'static str, i64))| {
                        names.insert(format!("#a{i}"), name.to_string());
                        values.insert(format!(":a{i}"), n(amount));
                        format!("#a{i} :a{i}")
                    };
                    let parts: Vec<String> = add.iter().enumerate().map(part).collect();
                    words.push(format!("ADD {}", parts.join(", ")));
                }
                let update = Update::builder()
                    .table_name(table)
                    .set_key(Some(key))
                    .update_expression(words.join(" "))
                    .set_condition_expression(text)
                    .set_expression_attribute_names((!names.is_empty()).then_some(names))
                    .set_expression_attribute_values((!values.is_empty()).then_some(values))
                    .return_values_on_condition_check_failure(Returns::AllOld);
                item.update(update.build().map_err(Error::internal)?)
            }
        }
        .build())
    }
}

impl Store {
    /// The first answer to this key, or what is wrong with using it again.
    fn replayed(&self, pk: &str, item: &Item, hash: &str) -> Result<Error> {
        if text(item, "hash")? != hash {
            return Ok(Error::KeyReused);
        }
        let sealed = blob(item, "body").ok_or_else(|| Error::internal("an answer without a body"))?;
        let body = self.ring.unseal(&format!("{pk}|body"), sealed)?;
        let status = number(item, "status").and_then(|v| u16::try_from(v).ok()).unwrap_or(200);
        Ok(Error::Replay { status, body, version: number(item, "version").map(i64::unsigned_abs) })
    }

    /// `Err(Replay)` if this very request has been answered before, `Err(KeyReused)` if another one has.
    pub async fn replay(&self, once: &Once) -> Result<()> {
        let pk = self.full(&Key::idempotency(&once.by, &once.key));
        let get = self.sdk.get_item().table_name(&*self.table).key(PK, s(&pk)).key(SK, s("."));
        let out = get.consistent_read(true).send().await.map_err(|e| refused("replay", &e))?;
        match out.item {
            Some(item) if number(&item, TTL).is_some_and(|t| t > self.now().as_second()) => {
                Err(self.replayed(&pk, &item, &once.hash)?)
            }
            _ => Ok(()),
        }
    }
}

/// Bytes, roughly as the table counts them.
fn size(value: &aws_sdk_dynamodb::types::AttributeValue) -> usize {
    use aws_sdk_dynamodb::types::AttributeValue as Av;
    match value {
        Av::S(v) => v.len(),
        Av::N(v) => v.len() / 2 + 1,
        Av::B(v) => v.as_ref().len(),
        Av::L(v) => v.iter().map(|v| 1 + size(v)).sum(),
        Av::M(v) => v.iter().map(|(k, v)| 1 + k.len() + size(v)).sum(),
        Av::Ss(v) => v.iter().map(String::len).sum(),
        _ => 1,
    }
}
