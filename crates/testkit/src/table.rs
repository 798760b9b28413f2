//! A table of a test's own: the embedded engine in memory, behind a loopback port, used through the real SDK.

pub mod contention;
pub(crate) mod layer;
pub(crate) mod trips;
pub(crate) mod turnstile;

use self::{layer::Layer, trips::Trips, turnstile::Traffic};
use crate::meter::Meter;
use aws_smithy_types::body::SdkBody;
use axum::http::Uri;
use dynoxide::Database;
use serde_json::Value;
use std::time::Duration;
use store::{
    schema::{self, INDEXES, PK, SK},
    sdk::{
        self,
        config::{
            BehaviorVersion, ConfigBag, Credentials, Intercept, Region, RuntimeComponents,
            interceptors::BeforeTransmitInterceptorContextMut,
            retry::{RetryConfig, RetryPartition, TokenBucket},
        },
        error::BoxError,
        types::{
            AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
            ProjectionType, ScalarAttributeType,
        },
    },
};
use tokio::runtime::Handle;

pub(crate) const NAME: &str = "lumina";

pub(crate) struct Table {
    pub client: sdk::Client,
    pub trips: Trips,
    pub layer: Layer,
    pub database: Database,
}

/// Where traffic contends, items of a transaction are held for about 10 ms and overlapping ones cancelled, as the real
/// table does and the embedded one never. `proved`: its calls fail in their turns, and what they write is noted.
pub(crate) async fn open(traffic: Traffic, proved: bool, runtime: &Handle) -> Table {
    let database = Database::memory().expect("a database in memory");
    let bound = runtime.spawn(tokio::net::TcpListener::bind("127.0.0.1:0")).await;
    let listener = bound.expect("binding does not panic").expect("a loopback port");
    let mut address = listener.local_addr().expect("its address");
    let (trips, layer) = (Trips::default(), Layer::of(proved));
    let meter = Meter(database.clone());
    runtime.spawn(dynoxide::server::serve_with_shutdown(listener, database.clone(), std::future::pending()));
    if traffic == Traffic::Contended {
        address = contention::in_front_of(address).await;
    }
    let uri: Uri = format!("http://{address}").parse().expect("an address");
    let config = config(&uri.to_string(), trips.clone(), layer.clone(), meter);
    let config = if traffic == Traffic::Free { config.interceptor(Tokenless) } else { config };
    #[expect(clippy::disallowed_methods, reason = "the test's table is made here")]
    let client = sdk::Client::from_conf(config.build());
    create(&client).await;
    trips.take();
    Table { client, trips, layer, database }
}

fn config(endpoint: &str, trips: Trips, layer: Layer, meter: Meter) -> sdk::config::Builder {
    sdk::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("af-south-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .retry_config(retries(layer.proved))
        .retry_partition(partition(layer.proved))
        .endpoint_url(endpoint)
        .http_client(layer::over(layer))
        .interceptor(trips)
        .interceptor(meter)
}

/// The embedded engine looks through the tokens of all transactions of the last ten minutes at each of them, and the
/// real table does not: where time is measured they stay away. Nothing goes out twice there.
#[derive(Debug)]
struct Tokenless;

impl Intercept for Tokenless {
    fn name(&self) -> &'static str {
        "tokenless"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        const NAME: &str = "ClientRequestToken";
        let request = context.request_mut();
        let body = request.body().bytes().unwrap_or_default();
        if !body.windows(NAME.len()).any(|part| part == NAME.as_bytes()) {
            return Ok(());
        }
        let mut body: Value = serde_json::from_slice(body)?;
        if let Some(members) = body.as_object_mut() {
            members.remove(NAME);
        }
        let body = serde_json::to_vec(&body)?;
        request.headers_mut().try_insert("content-length", body.len().to_string())?;
        *request.body_mut() = SdkBody::from(body);
        Ok(())
    }
}

/// Three attempts, as the deployed functions make. While faults are tried the attempts follow at once.
fn retries(proved: bool) -> RetryConfig {
    let three = RetryConfig::standard().with_max_attempts(3);
    if proved { three.with_initial_backoff(Duration::from_millis(1)) } else { three }
}

/// Who loses thousands of answers must not run out of attempts: the process has one quota for all worlds.
fn partition(proved: bool) -> RetryPartition {
    let own = RetryPartition::custom("proving").token_bucket(TokenBucket::unlimited()).build();
    if proved { own } else { RetryPartition::new("lumina") }
}

async fn create(client: &sdk::Client) {
    let key = |name: &str, kind| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("a key")
    };
    let text = |name: &str| {
        let attribute =
            AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
        attribute.build().expect("an attribute")
    };
    let mut request = client
        .create_table()
        .table_name(NAME)
        .billing_mode(BillingMode::PayPerRequest)
        .key_schema(key(PK, KeyType::Hash))
        .key_schema(key(SK, KeyType::Range))
        .set_attribute_definitions(Some(schema::keys().into_iter().map(text).collect()));
    for index in INDEXES {
        let holds = match index.holds {
            None => Projection::builder().projection_type(ProjectionType::All),
            Some(names) => Projection::builder()
                .projection_type(ProjectionType::Include)
                .set_non_key_attributes(Some(names.iter().map(|n| n.to_string()).collect())),
        };
        let index_of = GlobalSecondaryIndex::builder()
            .index_name(index.name)
            .key_schema(key(index.pk, KeyType::Hash))
            .key_schema(key(index.sk, KeyType::Range))
            .projection(holds.build());
        request = request.global_secondary_indexes(index_of.build().expect("an index"));
    }
    request.send().await.expect("the table is created");
}
