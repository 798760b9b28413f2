//! What stands between Lambda and a module: configuration, AWS clients, the tenant's credentials, and the two
//! ways in, HTTP and messages. Nothing here dials out before the first event.

mod aws;
mod config;
mod credentials;
mod files;
mod invoke;
mod kms;
mod log;
mod mail;
mod post;
mod signer;

pub use aws::Aws;
pub use config::Config;
pub use files::S3;
pub use invoke::{connection, handle, is_of_a_connection};
pub use kms::Kms;
pub use lambda_runtime::Error;
pub use mail::Ses;
pub use post::Sqs;
pub use signer::KmsSigner;
pub use web::batch;

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use std::{future::Future, pin::Pin, sync::Arc};
use web::Module;

/// Runs a module as a function: requests of the API and messages of its queue.
pub async fn serve(module: impl FnOnce(&Aws) -> Module) -> Result<(), Error> {
    log::start();
    let aws = Aws::load(Config::from_env()?)?;
    let app = aws.shared().clone();
    let module = Arc::new(module(&aws));
    let router = web::mount(&module, app.clone());
    let handler = |event: LambdaEvent<Value>| {
        let handled: Pin<Box<dyn Future<Output = Result<Value, Error>>>> =
            Box::pin(handle(module.clone(), app.clone(), router.clone(), event));
        handled
    };
    lambda_runtime::run(service_fn(handler)).await
}

/// Runs a function that has no routes: a trigger, a stream, a schedule.
pub async fn run<F>(work: impl Fn(Arc<Aws>, Value) -> F) -> Result<(), Error>
where
    F: Future<Output = kernel::Result<Value>> + 'static,
{
    log::start();
    let aws = Arc::new(Aws::load(Config::from_env()?)?);
    let handler = |event: LambdaEvent<Value>| {
        // Boxed: the types of nested SDK futures outgrow the compiler's depth.
        let running: Pin<Box<dyn Future<Output = kernel::Result<Value>>>> =
            Box::pin(work(aws.clone(), event.payload));
        async move {
            running.await.map_err(|error| {
                tracing::error!(%error, "failed");
                Error::from(error.to_string())
            })
        }
    };
    lambda_runtime::run(service_fn(handler)).await
}
