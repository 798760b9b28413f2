#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    runtime::run(|aws, event| async move { token::answer(aws.shared(), event).await }).await
}
