use dispatch::{EventBridge, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    runtime::run(|aws, event| async move {
        let bus = EventBridge::new(aws_sdk_eventbridge::Client::new(&aws.sdk), &aws.config.bus);
        handle(aws.shared(), &bus, &event).await
    })
    .await
}
