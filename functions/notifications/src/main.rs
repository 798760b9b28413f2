use notifications::{Channels, Ses, Sns, WebPush, module, socket};
use outgoing::{Https, Permit};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    runtime::serve(|aws| module(channels(aws))).await
}

fn channels(aws: &runtime::Aws) -> Channels {
    let config = &aws.config;
    let email = Ses::new(
        aws_sdk_sesv2::Client::new(&aws.sdk),
        &config.sender,
        Some(config.configuration_set.as_str()),
    );
    Channels {
        email: Arc::new(email),
        sms: Arc::new(Sns::new(aws_sdk_sns::Client::new(&aws.sdk))),
        push: Arc::new(WebPush::new(
            Arc::new(Https::new(Permit::Public)),
            Default::default(),
            &config.public_url,
        )),
        sockets: sockets(aws),
    }
}

/// The connections are reached at the WebSocket API's own address.
fn sockets(aws: &runtime::Aws) -> Arc<dyn socket::Sockets> {
    let endpoint = &aws.config.socket_endpoint;
    if endpoint.is_empty() {
        return Arc::new(socket::Nowhere);
    }
    let config = aws_sdk_apigatewaymanagement::config::Builder::from(&aws.sdk).endpoint_url(endpoint).build();
    Arc::new(socket::ApiGateway::new(aws_sdk_apigatewaymanagement::Client::from_conf(config), endpoint))
}
