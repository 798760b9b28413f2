//! A partner's machine by HTTP alone: the local platform as `cargo run` starts it, a key made by an administrator, a
//! token by client credentials, and webhooks to a server on this machine.

use journeys::platform::World;
use local::demo::{Partner, Visitor, Wanted, visitor::Answered};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// A receiver: the next request that is no ping, with a 204 for each.
async fn receiver() -> (String, tokio::task::JoinHandle<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let receiving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut got, mut buffer) = (vec![], [0; 8192]);
        loop {
            let n = stream.read(&mut buffer).await.unwrap();
            got.extend_from_slice(&buffer[..n]);
            let text = String::from_utf8_lossy(&got).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n")
                && let Ok(body) = serde_json::from_str(body)
            {
                stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
                return (head.to_lowercase(), body);
            }
        }
    });
    (url, receiving)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_logs_in_calls_with_its_key_hears_of_things_and_is_shut_out() {
    let world = World::start(None).await;
    let door = &world.door;
    let (grace, admin) = world.open(&Wanted::hospital("grace", "ada@grace.example").with_partner()).await;
    let partner = Partner::make(door, &admin, &grace).await.unwrap();
    let machine = partner.sign_in(door).await.unwrap();
    let own = format!("/partner/v1/integrations/keys/{}", partner.key);
    assert_eq!(partner.get(&machine, &own).await.unwrap()["status"], "active");

    // Both proofs are needed, and both of the same key.
    let bare = machine.send(Method::GET, &own, &[], None).await.unwrap();
    assert_eq!(bare.status, 403);
    let other = Partner {
        api_key: {
            let wish = json!({"name": "Other", "owner_email": "o@o.example", "scopes": ["patient.view"]});
            admin.post("/v1/integrations/keys", wish).await.unwrap()["api_key"].as_str().unwrap().into()
        },
        ..partner.clone()
    };
    let swapped = machine.send(Method::GET, &own, &[("x-api-key", &other.api_key)], None).await.unwrap();
    assert_eq!((swapped.status, swapped.problem()), (401, "key-mismatch"));
    let own_way = machine.send(Method::GET, "/v1/integrations/keys", &[], None).await.unwrap();
    assert_eq!(own_way.status, 401, "people's routes are not machines'");

    // A webhook of its own, to this machine.
    let (url, receiving) = receiver().await;
    let hook = json!({"url": url, "event_types": ["patient.*"]});
    let keyed = [("x-api-key", partner.api_key.as_str())];
    let path = "/partner/v1/integrations/webhooks";
    let made = machine.send(Method::POST, path, &keyed, Some(&hook)).await.unwrap().fine().unwrap();
    assert!(made["signing_secret"].as_str().unwrap().starts_with("whsec_"));
    let webhook = format!("{path}/{}/test", made["id"].as_str().unwrap());
    let said = machine.send(Method::POST, &webhook, &keyed, Some(&json!({}))).await.unwrap().fine().unwrap();
    assert_eq!((&said["delivered"], &said["status"]), (&json!(true), &json!(204)));
    let (head, body) = tokio::time::timeout(Duration::from_secs(20), receiving).await.unwrap().unwrap();
    assert!(head.contains("webhook-signature: v1,"), "{head}");
    assert_eq!(body["type"], "webhook.ping");

    // Revoked, it is refused within a minute, and gets no other token.
    let revoke = format!("/v1/integrations/keys/{}/revoke", partner.key);
    admin.post_because(&revoke, json!({}), "The contract has ended.").await.unwrap();
    let refused = until_refused(&machine, &own, &keyed).await;
    assert!(matches!(refused.status, 401 | 403), "{refused:?}");
    let asked = json!({
        "grant_type": "client_credentials", "client_id": partner.client_id, "client_secret": partner.client_secret,
    });
    let again = door.send(Method::POST, "/local/token", &[], Some(&asked)).await.unwrap();
    assert_eq!((again.status, &again.body["error"]), (401, &json!("invalid_client")));

    world.stop().await;
}

async fn until_refused(machine: &Visitor, path: &str, headers: &[(&str, &str)]) -> Answered {
    for _ in 0..60 {
        let answer = machine.send(Method::GET, path, headers, None).await.unwrap();
        if answer.status != 200 {
            return answer;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("a revoked key still works after a minute");
}
