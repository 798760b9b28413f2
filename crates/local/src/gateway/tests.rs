use super::*;
use crate::gateway::{
    authorize::tests::Pool,
    throttle::{Quota, Rate},
};
use axum::routing::any;
use lambda_http::request::RequestContext;
use serde_json::{Value, json};

const ISSUER: &str = "https://pool";

async fn echo(request: Request<Body>) -> String {
    let RequestContext::ApiGatewayV1(context) = request.extensions().get::<RequestContext>().unwrap() else {
        unreachable!("this gateway is a REST gateway")
    };
    let seen = json!({
        "claims": context.authorizer.fields.get("claims"), "stage": context.stage, "path": context.path,
        "ip": context.identity.source_ip, "resource": context.resource_path, "key": context.identity.api_key, "key_id": context.identity.api_key_id,
        "uri": request.uri().to_string(), "id": context.request_id,
    });
    seen.to_string()
}

async fn falls() -> &'static str {
    panic!("on purpose")
}

fn functions() -> Functions {
    let slow = || async { tokio::time::sleep(Duration::from_secs(60)).await };
    let router = Router::new()
        .route("/v1/patients/slow", any(slow))
        .route("/v1/patients/falls", any(falls))
        .route("/v1/patients/long", any(|| async { vec![b'x'; PAYLOAD + 1] }))
        .fallback(echo);
    HashMap::from([("Patients".to_string(), router)])
}

struct Bench {
    pool: Pool,
    gateway: Arc<Gateway>,
}

fn bench() -> Bench {
    let method = |verb: &str, resource: &str, scope: Option<&str>, key_required| Method {
        resource: resource.into(),
        verb: verb.into(),
        answer: Answer::Function("Patients".into()),
        scopes: scope.map(|s| vec![s.to_string()]),
        key_required,
    };
    let (pool, clock) = (Pool::of_one_key(), Clock::default());
    let authorizer = Arc::new(Authorizer::new(ISSUER, clock.clone()));
    authorizer.trust(&pool.jwks());
    let plan = Plan {
        name: "basic".into(),
        rate: Some(Rate { per_second: 0.001, burst: 2.0 }),
        quota: Some(Quota { limit: 10, period: Duration::from_secs(60) }),
    };
    let options =
        Answer::Fixed { status: 204, headers: vec![("access-control-max-age".into(), "600".into())] };
    let gateway = Gateway {
        routes: Routes::new([
            method("ANY", "/v1/patients/{proxy+}", Some("api/use"), false),
            Method { answer: options, ..method("OPTIONS", "/v1/patients/{proxy+}", None, false) },
            method("POST", "/v1/open", None, false),
            method("ANY", "/partner/v1/patients", Some("api/partner"), true),
        ]),
        wordings: Wordings::default(),
        authorizer,
        keys: Arc::new(RwLock::new(HashMap::from([("k1".to_string(), Key { id: "one".into(), plan })]))),
        stage_limits: Plan::default(),
        stage: "local".into(),
        functions: functions(),
        clock,
        patience: Duration::from_millis(50),
        throttle: Throttle::default(),
    };
    Bench { pool, gateway: Arc::new(gateway) }
}

impl Bench {
    fn token(&self, scope: &str) -> String {
        let now = self.gateway.clock.now().as_second();
        let claims =
            json!({"iss": ISSUER, "token_use": "access", "scope": scope, "exp": now + 60, "tenant": "T"});
        self.pool.sign("RS256", &claims)
    }

    async fn send(
        &self,
        verb: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> (u16, Value) {
        let mut request = Request::builder().method(verb).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).unwrap();
        let response = self.gateway.clone().answer(request, IpAddr::from([127, 0, 0, 1])).await;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }
}

#[tokio::test]
async fn a_request_reaches_its_function_with_claims_and_context() {
    let bench = bench();
    let token = bench.token("openid api/use");
    let (status, seen) = bench
        .send("GET", "/local/v1/patients/pat_1?limit=5", &[("authorization", &token)], Body::empty())
        .await;
    assert_eq!(status, 200);
    assert_eq!(seen["claims"]["tenant"], "T");
    assert_eq!(seen["uri"], "/v1/patients/pat_1?limit=5");
    assert_eq!(seen["path"], "/local/v1/patients/pat_1");
    assert_eq!((&seen["stage"], &seen["ip"]), (&json!("local"), &json!("127.0.0.1")));
    assert_eq!(seen["id"].as_str().unwrap().len(), 36);
}

#[tokio::test]
async fn strangers_stay_outside_and_a_preflight_needs_no_token() {
    let bench = bench();
    let partner = bench.token("api/partner");
    assert_eq!(bench.send("GET", "/v1/patients/1", &[], Body::empty()).await.0, 401);
    assert_eq!(
        bench.send("GET", "/v1/patients/1", &[("authorization", &partner)], Body::empty()).await.0,
        401
    );
    assert_eq!(bench.send("OPTIONS", "/v1/patients/1", &[], Body::empty()).await.0, 204);
    assert_eq!(bench.send("GET", "/v1/nothing", &[], Body::empty()).await.0, 403);
    assert_eq!(bench.send("POST", "/v1/open", &[], Body::empty()).await.1["claims"], Value::Null);
}

#[tokio::test]
async fn a_partner_needs_token_and_key_and_is_throttled_by_its_plan() {
    let bench = bench();
    let token = bench.token("api/partner");
    let with = |key: &'static str| {
        let headers = vec![("authorization", token.as_str()), ("x-api-key", key)];
        let bench = &bench;
        async move { bench.send("GET", "/partner/v1/patients", &headers, Body::empty()).await }
    };
    let bare = bench.send("GET", "/partner/v1/patients", &[("authorization", &token)], Body::empty()).await;
    assert_eq!((bare.0, with("k2").await.0), (403, 403));
    let seen = with("k1").await.1;
    assert_eq!((&seen["key"], &seen["key_id"]), (&json!("k1"), &json!("one")));
    assert_eq!((with("k1").await.0, with("k1").await.0), (200, 429));
}

#[tokio::test]
async fn too_large_too_slow_and_fallen_over_are_the_gateways_answers() {
    let bench = bench();
    let token = bench.token("api/use");
    let headers = [("authorization", token.as_str())];
    for (length, status) in
        [(PAYLOAD, 200), (PAYLOAD + 1, 413), (10 * 1024 * 1024 + 1, 413), (DRAINED + 1, 413)]
    {
        assert_eq!(
            bench.send("POST", "/v1/patients/x", &headers, vec![b' '; length]).await.0,
            status,
            "{length}"
        );
    }
    assert_eq!(bench.send("GET", "/v1/patients/slow", &headers, Body::empty()).await.0, 504);
    assert_eq!(bench.send("GET", "/v1/patients/falls", &headers, Body::empty()).await.0, 502);
    assert_eq!(bench.send("GET", "/v1/patients/long", &headers, Body::empty()).await.0, 502);
}
