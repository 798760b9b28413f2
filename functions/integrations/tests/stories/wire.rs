//! The real way to others' servers, with a real server at its other end.

use crate::stage::Stage;
use integrations::{Https, Permit};
use serde_json::json;
use std::sync::Arc;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// Answers one request after the other with these, and gives back what was sent.
async fn server(answers: Vec<&'static str>) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook?from=lumina", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let mut seen = vec![];
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut got = vec![];
            let mut buffer = [0; 4096];
            // All of the body: its length stands in the head.
            loop {
                let n = stream.read(&mut buffer).await.unwrap();
                got.extend_from_slice(&buffer[..n]);
                let text = String::from_utf8_lossy(&got).to_lowercase();
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let length: usize =
                    head.split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
                if body.len() >= length {
                    break;
                }
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            seen.push(String::from_utf8(got).unwrap());
        }
        seen
    });
    (url, serving)
}

const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const MOVED: &str = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 4\r\n\r\naway";

#[tokio::test]
async fn a_server_on_this_machine_gets_the_event_where_that_is_permitted() {
    let (url, serving) = server(vec![MOVED, OK]).await;
    let s = Stage::by(Arc::new(Https::new(Permit::Loopback))).await;
    // The server has two answers.
    s.world.calm();
    let hook = s.hooks(&["patient.registered"], json!({"url": url})).await;
    let said = s.admin.post(&s.path("webhooks", &hook, "test"), json!({})).await.ok();
    assert_eq!(
        (&said["delivered"], &said["status"], &said["response"]),
        (&json!(false), &json!(302), &json!("away"))
    );
    let ada = s.registers("Okonkwo").await;
    s.spreads().await;
    let seen = serving.await.unwrap();
    let (head, body) = seen[1].split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /hook?from=lumina HTTP/1.1"), "{head}");
    for name in [
        "webhook-id: msg_",
        "webhook-timestamp: ",
        "webhook-signature: v1,",
        "content-type: application/json",
    ] {
        assert!(head.contains(name), "{head}");
    }
    assert!(body.contains(&ada));
    assert_eq!(s.deliveries(&hook, "delivered").await.len(), 1);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_answer_too() {
    let s = Stage::by(Arc::new(Https::new(Permit::Loopback))).await;
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", gone.local_addr().unwrap());
    drop(gone);
    let hook = s.hooks(&["patient.registered"], json!({"url": url})).await;
    let said = s.admin.post(&s.path("webhooks", &hook, "test"), json!({})).await.ok();
    assert_eq!((&said["delivered"], &said["error"]), (&json!(false), &json!("not-reached")));
}
