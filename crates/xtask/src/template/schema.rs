//! The table of `infra/data.yaml` is the one that the store writes to.

use serde_json::{Value, json};
use store::schema::{self, INDEXES, Index, PK, SK, TTL};

pub fn differences(table: &Value) -> Vec<String> {
    let mut found = vec![];
    let mut compare = |what: &str, declared: &Value, wanted: Value| {
        if sorted(declared) != sorted(&wanted) {
            found.push(format!("the table's {what}: the template says {declared}, the store {wanted}"));
        }
    };
    let keys = |pk: &str, sk: &str| json!([{"AttributeName": pk, "KeyType": "HASH"}, {"AttributeName": sk, "KeyType": "RANGE"}]);
    let texts: Vec<_> =
        schema::keys().into_iter().map(|name| json!({"AttributeName": name, "AttributeType": "S"})).collect();
    compare("attributes", &table["AttributeDefinitions"], texts.into());
    compare("key", &table["KeySchema"], keys(PK, SK));
    let declared = table["GlobalSecondaryIndexes"].as_array().cloned().unwrap_or_default();
    let declared = declared
        .iter()
        .map(|i| json!({"name": i["IndexName"], "key": i["KeySchema"], "holds": i["Projection"]}));
    let declared: Vec<_> = declared.collect();
    let holds = |index: &Index| match index.holds {
        None => json!({"ProjectionType": "ALL"}),
        Some(names) => json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": names}),
    };
    let wanted = INDEXES.iter().map(|i| json!({"name": i.name, "key": keys(i.pk, i.sk), "holds": holds(i)}));
    let wanted: Vec<_> = wanted.collect();
    compare("indexes", &declared.into(), wanted.into());
    compare("expiry", &table["TimeToLiveSpecification"], json!({"AttributeName": TTL, "Enabled": true}));
    compare("stream", &table["StreamSpecification"], json!({"StreamViewType": "NEW_AND_OLD_IMAGES"}));
    found
}

/// Lists of attributes and indexes have no order; the key types say which is which.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(all) => {
            let mut all: Vec<Value> = all.iter().map(sorted).collect();
            all.sort_by_key(Value::to_string);
            all.into()
        }
        Value::Object(members) => members.iter().map(|(k, v)| (k.clone(), sorted(v))).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Value {
        let root = crate::workspace::root();
        super::super::deployed(&root).unwrap_or_else(|e| panic!("{e}")).table
    }

    #[test]
    fn the_products_table_is_the_stores() {
        assert_eq!(differences(&own()), Vec::<String>::new());
    }

    #[test]
    fn every_part_of_the_schema_counts() {
        let spoilt: [(&str, &str, Value); 6] = [
            ("/AttributeDefinitions/3/AttributeType", "attributes", json!("N")),
            ("/KeySchema/0/AttributeName", "key", json!("id")),
            ("/GlobalSecondaryIndexes/2/KeySchema/1/AttributeName", "indexes", json!("gsi3pk")),
            ("/GlobalSecondaryIndexes/3/Projection/NonKeyAttributes/0", "indexes", json!("patch")),
            ("/TimeToLiveSpecification/AttributeName", "expiry", json!("expires")),
            ("/StreamSpecification/StreamViewType", "stream", json!("KEYS_ONLY")),
        ];
        for (place, subject, value) in spoilt {
            let mut table = own();
            *table.pointer_mut(place).unwrap() = value;
            let found = differences(&table);
            assert_eq!(found.len(), 1, "{place}: {found:?}");
            assert!(found[0].starts_with(&format!("the table's {subject}")), "{found:?}");
        }
    }
}
