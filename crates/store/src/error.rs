//! What the database's refusals mean to us. Causes are kept short: an SDK error's `Debug` prints whole items.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use kernel::Error;

/// Throttled and busy answers become [`Error::Busy`], a table that is not reached is 503; all else is ours.
pub(crate) fn refused<E, R>(operation: &str, e: &SdkError<E, R>) -> Error
where
    E: ProvideErrorMetadata,
{
    let code = e.as_service_error().and_then(|e| e.code()).unwrap_or("");
    match code {
        "ProvisionedThroughputExceededException"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "TransactionConflictException" => Error::Busy,
        _ if unclear(e) => {
            tracing::warn!(operation, code, "the table did not answer");
            let detail = "the records could not be reached in time; try again";
            Error::refuse(kernel::Kind::Unavailable, "unavailable", detail)
        }
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
            matches!(
                s.err().code(),
                Some("InternalServerError" | "TransactionInProgressException" | "ServiceUnavailable")
            )
        }
        _ => false,
    }
}
