//! The table: dynoxide in this process, one SQLite file, with the schema that the template declares.

use crate::{
    trouble,
    trouble::{Outcome, While},
};
use dynoxide::{
    Database,
    actions::{get_records::GetRecordsRequest, get_shard_iterator::encode_shard_iterator},
};
use serde_json::{Value, json};
use std::{net::SocketAddr, path::Path};
use tokio::sync::oneshot;

/// The open table and the address at which the SDK reaches it.
pub struct Table {
    db: Database,
    file: std::path::PathBuf,
    name: String,
    stream: String,
    shard: String,
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    served: tokio::task::JoinHandle<()>,
}

/// dynoxide's public sequence numbers are its own plus this, to have DynamoDB's 21 digits.
const FIRST_NUMBER: u128 = 100_000_000_000_000_000_000;

/// One record of the stream, as Lambda would hand it on, with its place.
pub struct StreamRecord {
    pub place: i64,
    pub record: Value,
}

impl Table {
    /// Opens or creates the file and serves it on a free loopback port. `declared`: the template's properties.
    pub async fn open(file: &Path, declared: &Value) -> Outcome<Table> {
        let name = declared["TableName"].as_str().unwrap_or_default().to_string();
        let path = file.to_str().ok_or_else(|| trouble!("The path {} is not UTF-8.", file.display()))?;
        let db = Database::new(path).whilst(format_args!("open {path}"))?;
        ensure(&db, &name, declared, file)?;
        index_stream(file).whilst("index the table's stream")?;
        let about = json!({ "TableName": name });
        let about = db.describe_table(request(about)?).whilst("look at the table")?;
        let about = serde_json::to_value(about).whilst("look at the table")?;
        let stream = about["Table"]["LatestStreamArn"].as_str().unwrap_or_default().to_string();
        let shards =
            db.describe_stream(request(json!({ "StreamArn": stream }))?).whilst("look at the stream")?;
        let shards = shards.stream_description.shards;
        let shard = shards.into_iter().next().map(|shard| shard.shard_id).unwrap_or_default();
        let listener =
            tokio::net::TcpListener::bind("127.0.0.1:0").await.whilst("open a port for the table")?;
        let address = listener.local_addr().whilst("open a port for the table")?;
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn({
            let db = db.clone();
            async move {
                let until = async {
                    let _ = stopped.await;
                };
                if let Err(cause) = dynoxide::server::serve_with_shutdown(listener, db, until).await {
                    tracing::error!(%cause, "the table stopped serving");
                }
            }
        });
        Ok(Table { db, file: file.into(), name, stream, shard, address, stop: Some(stop), served })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// Up to `limit` records of the stream after a place (0: from the beginning).
    pub async fn records(&self, after: i64, limit: usize) -> Outcome<Vec<StreamRecord>> {
        let db = self.db.clone();
        let iterator = encode_shard_iterator(&self.name, &self.shard, after);
        let ask = GetRecordsRequest { shard_iterator: iterator, limit: Some(limit) };
        let read = move || db.get_records(ask).whilst("read the stream");
        let records = tokio::task::spawn_blocking(read).await.whilst("read the stream")??.records;
        let mut found = Vec::with_capacity(records.len());
        for record in records {
            let number: u128 = record.dynamodb.sequence_number.parse().whilst("read the stream")?;
            let place = number.saturating_sub(FIRST_NUMBER) as i64;
            let mut record = serde_json::to_value(record).whilst("read the stream")?;
            record["eventSourceARN"] = json!(self.stream);
            found.push(StreamRecord { place, record });
        }
        Ok(found)
    }

    /// Removes what its `ttl` says is over; the number of items removed.
    pub async fn sweep(&self) -> Outcome<usize> {
        let db = self.db.clone();
        let swept = tokio::task::spawn_blocking(move || db.sweep_ttl()).await;
        swept.whilst("sweep the table")?.whilst("sweep the table")
    }

    /// Every item of a partition-key prefix's records; for the local tools only, as nothing else may scan.
    pub async fn items_of_kind(&self, kind: &str) -> Outcome<Vec<Value>> {
        let kind = format!("#{kind}#");
        self.scan(json!({
            "TableName": self.name, "FilterExpression": "sk = :record AND contains(pk, :kind)",
            "ExpressionAttributeValues": {":record": {"S": "."}, ":kind": {"S": kind}},
        }))
        .await
    }

    /// Every item there is, for `xtask verify-audit`.
    pub async fn items(&self) -> Outcome<Vec<Value>> {
        self.scan(json!({ "TableName": self.name })).await
    }

    async fn scan(&self, mut ask: Value) -> Outcome<Vec<Value>> {
        let db = self.db.clone();
        let read = move || {
            let mut found = Vec::new();
            loop {
                let page = db.scan(request(ask.clone())?).whilst("read the table")?;
                let page = serde_json::to_value(page).whilst("read the table")?;
                found.extend(page["Items"].as_array().cloned().unwrap_or_default());
                match page.get("LastEvaluatedKey").filter(|key| !key.is_null()) {
                    Some(key) => ask["ExclusiveStartKey"] = key.clone(),
                    None => return Ok(found),
                }
            }
        };
        tokio::task::spawn_blocking(read).await.whilst("read the table")?
    }

    /// Whether there is an item whose partition key begins so; for the local tools only.
    pub async fn has_key_beginning(&self, start: &str) -> Outcome<bool> {
        let found = self.scan(json!({
            "TableName": self.name, "FilterExpression": "begins_with(pk, :start)",
            "ExpressionAttributeValues": {":start": {"S": start}},
        }));
        Ok(!found.await?.is_empty())
    }

    /// Takes what the stream says of partition keys that begin so out of it, images and all; for the local tools only.
    pub async fn forget(&self, start: &str) -> Outcome<usize> {
        let (file, name, start) = (self.file.clone(), self.name.clone(), start.to_string());
        let forget = move || -> rusqlite::Result<usize> {
            let own = rusqlite::Connection::open(file)?;
            own.busy_timeout(std::time::Duration::from_secs(5))?;
            own.execute(
                "DELETE FROM _stream_records WHERE table_name = ?1
                 AND substr(json_extract(keys_json, '$.pk.S'), 1, length(?2)) = ?2",
                rusqlite::params![name, start],
            )
        };
        let gone = tokio::task::spawn_blocking(forget).await;
        gone.whilst("forget what the stream says")?.whilst("forget what the stream says")
    }

    /// Stops serving; what was answered is in the file already.
    pub async fn close(mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        let _ = tokio::time::timeout(std::time::Duration::from_secs(2), self.served).await;
    }
}

/// Creates the table, or makes sure that the file's schema is the template's.
fn ensure(db: &Database, name: &str, declared: &Value, file: &Path) -> Outcome<()> {
    let known = db.list_tables(request(json!({}))?).whilst("list the tables")?;
    if known.table_names.iter().any(|known| known == name) {
        let about = db.describe_table(request(json!({ "TableName": name }))?).whilst("look at the table")?;
        let about = serde_json::to_value(about).whilst("look at the table")?;
        if indexes(&about["Table"]) != indexes(declared) {
            return Err(trouble!(
                "The table in {} has other indexes than the template; start once with --fresh.",
                file.display()
            ));
        }
        return Ok(());
    }
    let mut stream = declared["StreamSpecification"].clone();
    stream["StreamEnabled"] = json!(true);
    let table = json!({
        "TableName": name, "BillingMode": "PAY_PER_REQUEST", "StreamSpecification": stream,
        "AttributeDefinitions": declared["AttributeDefinitions"], "KeySchema": declared["KeySchema"],
        "GlobalSecondaryIndexes": declared["GlobalSecondaryIndexes"],
    });
    db.create_table(request(table)?).whilst("create the table")?;
    let ttl = json!({"TableName": name, "TimeToLiveSpecification": declared["TimeToLiveSpecification"]});
    db.update_time_to_live(request(ttl)?).whilst("set the table's time to live")?;
    Ok(())
}

/// Names, keys and projections of a table's indexes, in order, as what must agree.
fn indexes(table: &Value) -> Vec<(String, Vec<String>, String, Vec<String>)> {
    let mut found: Vec<_> = table["GlobalSecondaryIndexes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|index| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
            let projection = &index["Projection"];
            let extra = projection["NonKeyAttributes"].as_array().into_iter().flatten();
            let mut extra: Vec<String> = extra.map(text).collect();
            extra.sort();
            let keys = index["KeySchema"].as_array().into_iter().flatten();
            let keys = keys.map(|key| text(&key["AttributeName"])).collect();
            (text(&index["IndexName"]), keys, text(&projection["ProjectionType"]), extra)
        })
        .collect();
    found.sort();
    found
}

/// dynoxide finds a stream's next number by looking at all of them; with this index it looks at one.
fn index_stream(file: &Path) -> rusqlite::Result<()> {
    let own = rusqlite::Connection::open(file)?;
    own.busy_timeout(std::time::Duration::from_secs(5))?;
    own.execute_batch(
        "CREATE INDEX IF NOT EXISTS stream_order
         ON _stream_records(table_name, CAST(sequence_number AS INTEGER))",
    )
}

fn request<T: serde::de::DeserializeOwned>(body: Value) -> Outcome<T> {
    serde_json::from_value(body).whilst("ask the table")
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn declared() -> Value {
        json!({
            "TableName": "lumina", "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
            "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": true},
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"},
                {"AttributeName": "gsi1pk", "AttributeType": "S"}, {"AttributeName": "gsi1sk", "AttributeType": "S"},
            ],
            "GlobalSecondaryIndexes": [{
                "IndexName": "gsi1", "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["by"]},
                "KeySchema": [{"AttributeName": "gsi1pk", "KeyType": "HASH"}, {"AttributeName": "gsi1sk", "KeyType": "RANGE"}],
            }],
        })
    }

    pub fn folder() -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("lumina-local-{}", ulid::Ulid::new()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    pub fn put(table: &Table, pk: &str, sk: &str) {
        let item = json!({"pk": {"S": pk}, "sk": {"S": sk}});
        table.db.put_item(request(json!({"TableName": "lumina", "Item": item})).unwrap()).unwrap();
    }

    #[tokio::test]
    async fn what_was_written_is_there_when_the_file_is_opened_again() {
        let folder = folder();
        let file = folder.join("table.db");
        let table = Table::open(&file, &declared()).await.unwrap();
        put(&table, "t#usr#1", ".");
        put(&table, "t#chg#usr#1", "v#0000000001");
        let first = table.records(0, 10).await.unwrap();
        assert_eq!(first.len(), 2);
        // Not closed: as after kill -9.
        let again = Table::open(&file, &declared()).await.unwrap();
        let records = again.records(first[0].place, 10).await.unwrap();
        assert_eq!(records.iter().map(|r| r.place).collect::<Vec<_>>(), [first[1].place]);
        assert_eq!(records[0].record["dynamodb"]["Keys"]["sk"]["S"], "v#0000000001");
        put(&again, "t#usr#2", ".");
        let later = again.records(first[1].place, 10).await.unwrap();
        assert!(later.len() == 1 && later[0].place > first[1].place);
        assert_eq!(again.items_of_kind("usr").await.unwrap().len(), 2);
        assert!(again.has_key_beginning("t#usr#").await.unwrap());
        assert!(!again.has_key_beginning("t#key#").await.unwrap());
        put(&again, "u#usr#1", ".");
        assert_eq!(again.forget("t#").await.unwrap(), 3);
        let left = again.records(0, 10).await.unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].record["dynamodb"]["Keys"]["pk"]["S"], "u#usr#1");
        put(&again, "u#usr#2", ".");
        assert_eq!(again.records(left[0].place, 10).await.unwrap().len(), 1, "numbers go on");
        again.close().await;
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn a_file_with_other_indexes_is_refused_in_one_sentence() {
        let folder = folder();
        let file = folder.join("table.db");
        Table::open(&file, &declared()).await.unwrap().close().await;
        for (part, value) in
            [("/Projection/ProjectionType", json!("ALL")), ("/KeySchema/1/AttributeName", json!("sk"))]
        {
            let mut other = declared();
            *other["GlobalSecondaryIndexes"][0].pointer_mut(part).unwrap() = value;
            let refused = Table::open(&file, &other).await.err().unwrap();
            assert!(refused.0.contains("--fresh"), "{refused}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
