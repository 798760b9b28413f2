use identity::{Cognito, module};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let cognito = |aws: &runtime::Aws| {
        Cognito::new(aws_sdk_cognitoidentityprovider::Client::new(&aws.sdk), &aws.config.user_pool)
    };
    runtime::serve(|aws| module(std::sync::Arc::new(cognito(aws)))).await
}
