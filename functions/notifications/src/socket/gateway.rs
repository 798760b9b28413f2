//! Connections of API Gateway's WebSocket API.

use super::{Reached, Sockets};
use aws_sdk_apigatewaymanagement::{Client, error::SdkError, primitives::Blob};
use futures::future::BoxFuture;
use kernel::{Error, Result};

pub struct ApiGateway {
    client: Client,
    /// `https://…execute-api…/<stage>`
    endpoint: String,
}

impl ApiGateway {
    /// `endpoint` is the stage's address; the client was made for it.
    pub fn new(client: Client, endpoint: &str) -> Self {
        Self { client, endpoint: endpoint.into() }
    }
}

impl Sockets for ApiGateway {
    fn post<'a>(&'a self, connection: &'a str, frame: &'a str) -> BoxFuture<'a, Result<Reached>> {
        Box::pin(async move {
            let request = self.client.post_to_connection().connection_id(connection);
            match request.data(Blob::new(frame.as_bytes())).send().await {
                Ok(_) => Ok(Reached::Yes),
                Err(SdkError::ServiceError(e)) if e.err().is_gone_exception() => Ok(Reached::Gone),
                Err(e) => Err(Error::internal(format!("socket: {e}"))),
            }
        })
    }
    fn close<'a>(&'a self, connection: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            match self.client.delete_connection().connection_id(connection).send().await {
                Ok(_) => Ok(()),
                Err(SdkError::ServiceError(e)) if e.err().is_gone_exception() => Ok(()),
                Err(e) => Err(Error::internal(format!("socket: {e}"))),
            }
        })
    }
    fn url(&self) -> Option<String> {
        (!self.endpoint.is_empty()).then(|| self.endpoint.replacen("https://", "wss://", 1))
    }
}
