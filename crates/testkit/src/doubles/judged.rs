//! Calls to the table, judged before they are made: where the real table asks IAM, a test asks a judge.

use kernel::TenantId;
use serde_json::Value;
use std::{fmt, sync::Arc};
use store::{
    Scope, sdk,
    sdk::config::{
        ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeTransmitInterceptorContextMut,
    },
    sdk::error::BoxError,
};

/// Whose credentials a call is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session {
    /// One tenant's, tagged with it; or the platform's.
    Of(Scope),
    /// The platform's register and one tenant, for a commit that spans both.
    Spanning(TenantId),
}

/// Says of an operation (`Query`) and its request whether these credentials may.
pub type Judge = Arc<dyn Fn(Session, &str, &Value) -> bool + Send + Sync>;

pub(crate) fn client(of: &sdk::Client, session: Session, judge: &Judge) -> sdk::Client {
    let interceptor = Judged { session, judge: judge.clone() };
    #[expect(clippy::disallowed_methods, reason = "the test's own client, with a judge before it")]
    sdk::Client::from_conf(of.config().to_builder().interceptor(interceptor).build())
}

struct Judged {
    session: Session,
    judge: Judge,
}

impl fmt::Debug for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Judged({:?})", self.session)
    }
}

const TARGET: &str = "x-amz-target";
/// What goes out instead of a refused call: an operation that the table does not know. It is refused, and changes
/// nothing; to the store that is the same as a call which its credentials do not allow.
const NOTHING: &str = "DynamoDB_20120810.Nothing";

impl Intercept for Judged {
    fn name(&self) -> &'static str {
        "judged"
    }
    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let target = request.headers().get(TARGET).unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_string();
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap_or_default())?;
        if !(self.judge)(self.session, &operation, &body) {
            request.headers_mut().insert(TARGET, NOTHING);
            request.headers_mut().insert("content-length", "2");
            *request.body_mut() = "{}".into();
        }
        Ok(())
    }
}
