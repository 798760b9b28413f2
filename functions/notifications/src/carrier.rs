//! The ways out: one port per channel. In the cloud e-mail goes by SES, SMS by SNS and push to browsers by Web Push;
//! locally SMS and push are recorded and can be read. Phones' own ways (FCM, APNs) have no provider yet: their devices
//! are refused when they register.

mod recorder;
mod ses;
mod sns;
pub mod web_push;

pub use recorder::{Recorded, Recorder};
pub use ses::Ses;
pub use sns::Sns;
pub use web_push::{Subscription, WebPush};

use crate::{push_endpoint::Platform, socket::Sockets};
use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};
use futures::future::BoxFuture;
use jiff::SignedDuration;
use std::sync::Arc;

/// What AWS says of a message that it did not take; none where it was sent and there is no answer: it may have.
fn code_of<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<String> {
    match error {
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => None,
        SdkError::ServiceError(e) => Some(e.err().code().unwrap_or("unknown").to_string()),
        _ => Some("unreachable".into()),
    }
}

/// What a function is given.
#[derive(Clone)]
pub struct Channels {
    pub email: Arc<dyn Carrier>,
    pub sms: Arc<dyn Carrier>,
    pub push: Arc<dyn Carrier>,
    pub sockets: Arc<dyn Sockets>,
}

impl Channels {
    /// Without any way out: where routes are read and nothing is ever sent.
    pub fn nowhere() -> Self {
        let nobody: Arc<dyn Carrier> = Arc::new(Nobody);
        Self {
            email: nobody.clone(),
            sms: nobody.clone(),
            push: nobody,
            sockets: Arc::new(crate::socket::Nowhere),
        }
    }
}

/// A message on its way out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// The delivery's id: comes back in what the provider tells of it later.
    pub key: String,
    pub tenant: String,
    /// Address, number or token.
    pub to: String,
    /// The organisation, as the sender is shown.
    pub from: String,
    pub subject: String,
    pub text: String,
    pub html: Option<String>,
    /// Where one request ends these messages (RFC 8058).
    pub unsubscribe: Option<String>,
    /// For apps: ids and codes.
    pub data: Vec<(String, String)>,
    /// Of a browser: what it reads with, and whom it expects.
    pub subscription: Option<Subscription>,
}

/// The provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub provider: String,
    pub id: String,
}

/// The provider does not have it, or nobody knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Try again, not before that time if one is given.
    Later { provider: String, code: String, after: Option<SignedDuration> },
    /// It will never take this.
    Never { provider: String, code: String },
    /// The address is gone: nothing is to be sent there any more.
    Gone { provider: String, code: String },
    /// No answer came: it may have been sent. Not repeated until the provider had time to tell.
    Unclear { provider: String, code: String },
}

impl Trouble {
    pub fn provider(&self) -> &str {
        match self {
            Self::Later { provider, .. }
            | Self::Never { provider, .. }
            | Self::Gone { provider, .. }
            | Self::Unclear { provider, .. } => provider,
        }
    }
    pub fn code(&self) -> &str {
        match self {
            Self::Later { code, .. }
            | Self::Never { code, .. }
            | Self::Gone { code, .. }
            | Self::Unclear { code, .. } => code,
        }
    }
}

/// Whether a device may be registered for push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    Yes,
    /// Its address is not one that anything is ever sent to.
    Unsafe,
    /// There is no way to devices of this platform.
    NoProvider,
}

pub type Sending<'a> = BoxFuture<'a, Result<Receipt, Trouble>>;

pub trait Carrier: Send + Sync {
    fn send<'a>(&'a self, message: &'a Outgoing) -> Sending<'a>;
    /// Whether it already has the message of this key; none where it cannot tell.
    fn knows<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<Receipt>> {
        let _ = key;
        Box::pin(async { None })
    }
    /// Whether this device could be reached.
    fn admits(&self, platform: Platform, token: &str) -> Admission {
        let _ = (platform, token);
        Admission::Yes
    }
    /// What was sent for a tenant, newest first, where that is kept: on the local platform.
    fn outbox(&self, tenant: &str) -> Vec<Recorded> {
        let _ = tenant;
        vec![]
    }
}

/// A channel that this deployment has no provider for.
pub struct Nobody;

impl Carrier for Nobody {
    fn send<'a>(&'a self, _: &'a Outgoing) -> Sending<'a> {
        Box::pin(async { Err(Trouble::Never { provider: "none".into(), code: "no-provider".into() }) })
    }
    fn admits(&self, _: Platform, _: &str) -> Admission {
        Admission::NoProvider
    }
}
