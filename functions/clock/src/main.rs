#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let clock = std::sync::Arc::new(clock::Clock::default());
    runtime::run(move |aws, event| {
        let clock = clock.clone();
        async move { clock.beat(aws.shared(), &event).await }
    })
    .await
}
