//! What the spine does for people: a message of the notifications module, a file, the door of the live updates.

use super::{Scene, house::House};
use crate::rehearse::stack::STAGE;
use aws_lc_rs::digest;
use local::{
    demo::Visitor,
    trouble,
    trouble::{Outcome, While},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// Whose rights change hears of it: by mail, and in the inbox.
pub async fn message(mut house: House<'_>) -> Outcome<(House<'_>, String)> {
    let login = house.desk_login()?;
    let path = format!("/v1/identity/users/{}", login.user);
    let wish = json!({"roles": ["receptionist", "cashier"]});
    let why = [("x-reason", "Helps at the cash desk.")];
    house.admin().send(Method::PATCH, &path, &why, Some(&wish)).await?.fine()?;
    let address = house.desk_address();
    house.door().letter(&address, "What you may see and do has changed").await?;
    // Tokens that were given out with the old rights have ended.
    house.signs_in_again().await?;
    let item = arrived(house.desk()?, "user.rights_changed").await?;
    let said = format!("mail to {address} from the notifications module, and {} in the inbox", item["id"]);
    Ok((house, said))
}

async fn arrived(person: &Visitor, event: &str) -> Outcome<Value> {
    for _ in 0..120 {
        let inbox = person.get("/v1/notifications?limit=100").await?;
        let mut all = inbox["data"].as_array().into_iter().flatten();
        if let Some(item) = all.find(|item| item["event"] == event) {
            return Ok(item.clone());
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    Err(trouble!("Nothing of {event} came into the inbox within 30 seconds."))
}

const FILE: &[u8] = b"%PDF-1.7\n% The front desk's price list\n%%EOF\n";

/// Up by the link that signs length, type and checksum, looked at by the function, down by another link.
pub async fn file(house: &House<'_>) -> Outcome<((), String)> {
    let wish = json!({
        "title": "Price list", "category": "other", "file_name": "prices.pdf", "content_type": "application/pdf",
        "size": FILE.len(), "sha256": hex(digest::digest(&digest::SHA256, FILE).as_ref()),
    });
    let admin = house.admin();
    let made = admin.post("/v1/documents", wish).await?;
    let id = made["id"].as_str().unwrap_or_default();
    follow(&made["upload"], Some(FILE)).await?;
    let kept = admin.post(&format!("/v1/documents/{id}/complete"), json!({})).await?;
    let link = admin.get(&format!("/v1/documents/{id}/content")).await?;
    match follow(&link, None).await? == FILE {
        true => Ok(((), format!("{id}, {} bytes up and down, {}", FILE.len(), kept["status"]))),
        false => Err(trouble!("{id} came back as something else.")),
    }
}

/// Does what a link says, with the headers that it names.
async fn follow(link: &Value, bytes: Option<&[u8]>) -> Outcome<Vec<u8>> {
    let deed = "follow a link to the storage";
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let client =
        reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().whilst(deed)?;
    let method = Method::from_bytes(text(&link["method"]).as_bytes()).whilst(deed)?;
    let mut request = client.request(method, text(&link["url"]));
    for (name, value) in link["headers"].as_object().into_iter().flatten() {
        request = request.header(name, text(value));
    }
    if let Some(bytes) = bytes {
        request = request.body(bytes.to_vec());
    }
    let answer = request.send().await.whilst(deed)?;
    let (status, body) = (answer.status(), answer.bytes().await.whilst(deed)?);
    match status.is_success() {
        true => Ok(body.to_vec()),
        false => Err(trouble!("The storage answered {status}: {}", String::from_utf8_lossy(&body))),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A connection with a ticket, and none without.
pub async fn live(scene: &Scene<'_>, house: &House<'_>) -> Outcome<((), String)> {
    let given = house.desk()?.post("/v1/notifications/tickets", json!({})).await?;
    let text = |name: &str| given[name].as_str().unwrap_or_default();
    let place = socket(text("url"), &scene.steps.aws.address)?;
    if tokio_tungstenite::connect_async(format!("{place}?ticket=nobody.s")).await.is_ok() {
        return Err(trouble!("The live updates let somebody in without a ticket."));
    }
    let connected = tokio_tungstenite::connect_async(format!("{place}?ticket={}", text("ticket"))).await;
    let (mut socket, _) = connected.whilst(format_args!("connect to {place}"))?;
    socket.close(None).await.whilst("close the connection")?;
    Ok(((), "a ticket opens a connection; without one it is refused".into()))
}

/// Where the emulator serves the WebSocket API that a ticket names.
fn socket(url: &str, emulator: &str) -> Outcome<String> {
    let id = url.strip_prefix("wss://").and_then(|rest| rest.split('.').next()).filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| trouble!("That is no address of live updates: {url}"))?;
    Ok(format!("{}/_aws/execute-api/{id}/{STAGE}", emulator.replacen("http://", "ws://", 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_the_live_updates_is_the_emulators() {
        let given = "wss://ab12.execute-api.af-south-1.amazonaws.com/rehearse";
        let place = socket(given, "http://127.0.0.1:4566").unwrap();
        assert_eq!(place, "ws://127.0.0.1:4566/_aws/execute-api/ab12/rehearse");
        assert!(socket("https://ab12.example/", "http://127.0.0.1:4566").is_err());
    }

    #[tokio::test]
    async fn a_link_is_followed_with_its_method_and_headers() {
        let app = axum::Router::new().route(
            "/file",
            axum::routing::put(|headers: axum::http::HeaderMap, body: axum::body::Bytes| async move {
                let sent =
                    headers.get("x-amz-checksum-sha256").and_then(|v| v.to_str().ok()).unwrap_or("none");
                format!("{sent} {}", body.len())
            }),
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/file", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let link = json!({"method": "PUT", "url": url, "headers": {"x-amz-checksum-sha256": "abc="}});
        assert_eq!(follow(&link, Some(FILE)).await.unwrap(), format!("abc= {}", FILE.len()).into_bytes());
        let gone = json!({"method": "GET", "url": url, "headers": {}});
        assert!(follow(&gone, None).await.unwrap_err().0.contains("405"));
    }

    #[test]
    fn the_checksum_is_written_as_the_api_asks() {
        assert_eq!(hex(&[0, 10, 255]), "000aff");
    }
}
