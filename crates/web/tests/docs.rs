//! The documentation, as a browser without any network of its own gets it.

use axum::{
    Router,
    body::Body,
    http::{Request, Response, header},
};
use http_body_util::BodyExt;
use lambda_http::Service;
use testkit::World;
use web::{Module, docs};

const DOCUMENT: &str = "{\n  \"openapi\": \"3.1.0\",\n  \"a\": [\"two words\", \"a \\\"quoted\\\" word\", \"\\\\\", { \"b\": 1 }]\n}\n";

async fn router() -> Router {
    let module = Module::new("docs", docs::routes(DOCUMENT));
    let world = World::with(vec![]).await;
    web::mount(&module, world.app)
}

async fn get(path: &str) -> Response<Body> {
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    router().await.call(request).await.unwrap()
}

async fn text(answer: Response<Body>) -> String {
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Every `src="…"` and `href="…"` of the page that is an address.
fn addresses(page: &str) -> Vec<&str> {
    let after = page
        .split([' ', '>'])
        .filter_map(|word| word.strip_prefix("src=\"").or(word.strip_prefix("href=\"")));
    after.filter_map(|rest| rest.split('"').next()).filter(|a| !a.starts_with("data:")).collect()
}

#[tokio::test]
async fn the_page_is_public_and_asks_nobody_but_us() {
    let page = get("/docs").await;
    assert_eq!(page.status(), 200);
    let policy = page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_string();
    let script = policy.split(';').find(|part| part.trim().starts_with("script-src")).unwrap();
    assert_eq!(script.trim(), "script-src 'self'", "no inline script, no evaluation, no other host");
    assert!(policy.contains("connect-src 'self'") && policy.contains("default-src 'none'"));
    let page = text(page).await;
    assert!(!page.contains("//"), "an address of another host in the page");
    assert!(!page.contains("<script>") && !page.contains(" on"), "inline script in the page");
}

#[tokio::test]
async fn everything_the_page_names_is_there() {
    let page = text(get("/docs").await).await;
    let named = addresses(&page);
    assert!(named.len() >= 4, "{named:?}");
    for address in named {
        // Relative to /docs, and not to the host's root: the API may live below a stage.
        assert!(!address.starts_with('/'), "{address}");
        let answer = get(&format!("/{address}")).await;
        assert_eq!(answer.status(), 200, "{address}");
        let media = answer.headers()[header::CONTENT_TYPE].to_str().unwrap().to_string();
        let wanted = match address.rsplit('.').next() {
            Some("js") => "text/javascript",
            Some("css") => "text/css",
            _ => "application/json",
        };
        assert!(media.starts_with(wanted), "{address} is {media}");
        assert!(!text(answer).await.is_empty(), "{address}");
    }
}

#[tokio::test]
async fn the_document_is_answered_without_the_space_between_its_words() {
    let answered = text(get("/v1/openapi.json").await).await;
    let value: serde_json::Value = serde_json::from_str(DOCUMENT).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&answered).unwrap(), value);
    assert_eq!(answered.len(), value.to_string().len());
}

#[tokio::test]
async fn what_is_no_file_of_the_page_is_missing() {
    for path in ["/docs/", "/docs/docs.html", "/docs/..%2Fdocs.js", "/docs/a/b"] {
        assert_eq!(get(path).await.status(), 404, "{path}");
    }
}
