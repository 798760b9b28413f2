use integrations::{Https, Permit, gateway, module};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let doors = |aws: &runtime::Aws| {
        let cognito = aws_sdk_cognitoidentityprovider::Client::new(&aws.sdk);
        let keys = aws_sdk_apigateway::Client::new(&aws.sdk);
        gateway::Aws::new(cognito, keys, &aws.config.user_pool, &aws.config.usage_plans)
    };
    runtime::serve(|aws| module(Arc::new(doors(aws)), Arc::new(Https::new(Permit::Public)))).await
}
