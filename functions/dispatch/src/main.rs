use dispatch::{EventBridge, dispatch};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    runtime::run(|aws, batch| async move {
        let bus = EventBridge::new(aws_sdk_eventbridge::Client::new(&aws.sdk), &aws.config.bus);
        Ok(dispatch(aws.shared(), &bus, &batch).await)
    })
    .await
}
