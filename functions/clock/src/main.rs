#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    runtime::run(|aws, event| async move { clock::beat(aws.shared(), &event).await }).await
}
