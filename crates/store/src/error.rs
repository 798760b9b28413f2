//! What the database's refusals mean to us. Causes are kept short: an SDK error's `Debug` prints whole items.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use kernel::Error;

/// Throttled and busy answers become [`Error::Busy`]; everything else is ours.
pub(crate) fn refused<E, R>(operation: &str, e: &SdkError<E, R>) -> Error
where
    E: ProvideErrorMetadata,
{
    let code = e.as_service_error().and_then(|e| e.code()).unwrap_or("");
    match code {
        "ProvisionedThroughputExceededException" | "ThrottlingException" | "RequestLimitExceeded" => Error::Busy,
        _ => {
            let kind = match e {
                SdkError::TimeoutError(_) => "timed out",
                SdkError::DispatchFailure(_) => "not reached",
                SdkError::ResponseError(_) => "unreadable answer",
                SdkError::ConstructionFailure(_) => "not built",
                _ => code,
            };
            let message = e.as_service_error().and_then(|e| e.message()).unwrap_or("");
            Error::internal(format!("{operation}: {kind} {message}"))
        }
    }
}

/// Whether the table may or may not have done it: the same bytes have to go out again.
pub(crate) fn unclear<E, R>(e: &SdkError<E, R>) -> bool
where
    E: ProvideErrorMetadata,
{
    match e {
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
        SdkError::DispatchFailure(d) => !d.is_user(),
        SdkError::ServiceError(s) => {
            matches!(s.err().code(), Some("InternalServerError" | "TransactionInProgressException" | "ServiceUnavailable"))
        }
        _ => false,
    }
}
