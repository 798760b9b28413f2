//! What API Gateway's WebSocket API does when deployed, on the gateway's own port: `/ws?ticket=…`.
//!
//! The module's function is asked as an authorizer, hears of every connection and of every frame, and answers through
//! [`Hub`], in the order and with the events of the real thing.

use crate::handler::Handler;
use axum::{
    Router,
    extract::{
        Query, State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use futures::future::BoxFuture;
use notifications::socket::{Reached, Sockets};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The gateway ends a connection that says nothing for ten minutes, and any after two hours.
const IDLE: Duration = Duration::from_secs(600);
const LONGEST: Duration = Duration::from_secs(7200);
/// Bytes of a frame.
const FRAME: usize = 32 * 1024;

enum Out {
    Frame(String),
    End,
}

/// Open connections by their ids.
pub struct Hub {
    url: String,
    open: Mutex<HashMap<String, UnboundedSender<Out>>>,
}

impl Hub {
    /// `address` is the API's.
    pub fn at(address: &str) -> Self {
        let url = format!("{}/ws", address.replacen("http://", "ws://", 1));
        Self { url, open: Mutex::default() }
    }
    fn open(&self) -> MutexGuard<'_, HashMap<String, UnboundedSender<Out>>> {
        self.open.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
    fn say(&self, connection: &str, out: Out) -> Reached {
        let sent = self.open().get(connection).is_some_and(|to| to.send(out).is_ok());
        if sent { Reached::Yes } else { Reached::Gone }
    }
}

impl Sockets for Hub {
    fn post<'a>(&'a self, connection: &'a str, frame: &'a str) -> BoxFuture<'a, kernel::Result<Reached>> {
        Box::pin(async move { Ok(self.say(connection, Out::Frame(frame.into()))) })
    }
    fn close<'a>(&'a self, connection: &'a str) -> BoxFuture<'a, kernel::Result<()>> {
        Box::pin(async move {
            self.say(connection, Out::End);
            Ok(())
        })
    }
    fn url(&self) -> Option<String> {
        Some(self.url.clone())
    }
}

#[derive(Clone)]
struct Door {
    hub: Arc<Hub>,
    function: Handler,
}

pub fn router(hub: Arc<Hub>, function: Handler) -> Router {
    Router::new().route("/ws", get(enter)).with_state(Door { hub, function })
}

async fn enter(
    State(door): State<Door>,
    Query(asked): Query<HashMap<String, String>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let connection = ulid::Ulid::new().to_string();
    let query = json!(asked);
    let asks = json!({
        "type": "REQUEST", "methodArn": "arn:aws:execute-api:local:000000000000:ws/local/$connect",
        "queryStringParameters": query,
        "requestContext": context(&connection, "CONNECT", "$connect", &Value::Null),
    });
    let Ok(policy) = door.function.invoke(asks).await else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let authorizer = policy["context"].clone();
    let event = json!({"requestContext": context(&connection, "CONNECT", "$connect", &authorizer), "queryStringParameters": query});
    let (to, frames) = unbounded_channel();
    door.hub.open().insert(connection.clone(), to);
    let answer = door.function.invoke(event).await.unwrap_or_else(|_| json!({"statusCode": 500}));
    let status = answer["statusCode"].as_u64().and_then(|s| u16::try_from(s).ok()).unwrap_or(500);
    if status != 200 {
        door.hub.open().remove(&connection);
        return StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN).into_response();
    }
    upgrade
        .max_message_size(FRAME)
        .on_upgrade(move |socket| serve(door, connection, authorizer, socket, frames))
}

fn context(connection: &str, kind: &str, route: &str, authorizer: &Value) -> Value {
    json!({
        "connectionId": connection, "eventType": kind, "routeKey": route, "stage": "local", "authorizer": authorizer,
    })
}

async fn serve(
    door: Door,
    connection: String,
    authorizer: Value,
    mut socket: WebSocket,
    mut frames: UnboundedReceiver<Out>,
) {
    let over = tokio::time::sleep(LONGEST);
    tokio::pin!(over);
    loop {
        tokio::select! {
            _ = &mut over => break,
            out = frames.recv() => match out {
                Some(Out::Frame(text)) => {
                    if socket.send(Message::Text(text.into())).await.is_err() {
                        break;
                    }
                }
                Some(Out::End) | None => break,
            },
            said = tokio::time::timeout(IDLE, socket.recv()) => match said {
                Ok(Some(Ok(Message::Text(text)))) => {
                    let context = context(&connection, "MESSAGE", "$default", &authorizer);
                    let event = json!({"requestContext": context, "body": text.as_str()});
                    if let Err(trouble) = door.function.invoke(event).await {
                        tracing::warn!(%trouble, "a frame was not heard");
                    }
                }
                Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {}
                _ => break,
            },
        }
    }
    door.hub.open().remove(&connection);
    let _ = socket.send(Message::Close(None)).await;
    let event = json!({"requestContext": context(&connection, "DISCONNECT", "$disconnect", &authorizer)});
    if let Err(trouble) = door.function.invoke(event).await {
        tracing::warn!(%trouble, "a connection's end was not heard");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{SinkExt, StreamExt};
    use tokio_tungstenite::{connect_async, tungstenite};

    /// A function that lets one ticket in and says back what it hears.
    async fn door() -> (String, Arc<Mutex<Vec<Value>>>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let hub = Arc::new(Hub::at(&address));
        let heard = Arc::<Mutex<Vec<Value>>>::default();
        let (own, notes) = (hub.clone(), heard.clone());
        let function = Handler::new(Duration::from_secs(5), move |event| {
            let (hub, notes) = (own.clone(), notes.clone());
            async move {
                notes.lock().unwrap().push(event.clone());
                if event["type"] == "REQUEST" {
                    return match event["queryStringParameters"]["ticket"] == "good" {
                        true => Ok(json!({"context": {"tenant": "t"}})),
                        false => Err("Unauthorized".to_string()),
                    };
                }
                let context = &event["requestContext"];
                let id = context["connectionId"].as_str().unwrap();
                match event["body"].as_str() {
                    Some("end") => hub.close(id).await.unwrap(),
                    Some(body) => {
                        drop(hub.post(id, &format!("{} {body}", context["authorizer"]["tenant"])).await)
                    }
                    None => {}
                }
                Ok(json!({"statusCode": 200}))
            }
        });
        let url = hub.url().unwrap();
        tokio::spawn(async move { axum::serve(listener, router(hub, function)).await });
        (url, heard)
    }

    #[tokio::test]
    async fn a_good_ticket_opens_a_connection_and_a_bad_one_is_401() {
        let (url, heard) = door().await;
        let refused = connect_async(format!("{url}?ticket=bad")).await.unwrap_err();
        assert!(matches!(refused, tungstenite::Error::Http(r) if r.status() == 401));
        let (mut socket, _) = connect_async(format!("{url}?ticket=good")).await.unwrap();
        socket.send("hello".into()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap().into_text().unwrap(), "\"t\" hello");
        socket.send("end".into()).await.unwrap();
        assert!(socket.next().await.unwrap().unwrap().is_close());
        for _ in 0..100 {
            let left = heard.lock().unwrap().iter().any(|e| e["requestContext"]["eventType"] == "DISCONNECT");
            if left {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the function never heard that the connection ended");
    }
}
