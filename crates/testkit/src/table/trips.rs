//! Counts round trips to the table, and loses answers on demand.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering::SeqCst},
};
use store::sdk::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{
            BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextRef,
            FinalizerInterceptorContextRef,
        },
    },
    error::BoxError,
};

/// Where the world stops: at the call of this number, before or after the table has done it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop {
    pub call: u64,
    pub after: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Trips {
    count: Arc<AtomicU64>,
    rounds: Arc<AtomicU64>,
    under_way: Arc<AtomicU64>,
    lose: Arc<AtomicU64>,
    throttle: Arc<AtomicU64>,
    stop: Arc<Mutex<Stopping>>,
}

/// A world that is going to stop, or has.
#[derive(Debug, Default)]
struct Stopping {
    at: Option<Stop>,
    calls: u64,
    stopped: bool,
}

impl Trips {
    pub fn take(&self) -> u64 {
        self.count.swap(0, SeqCst)
    }
    /// Waves: requests that were under way together count once.
    pub fn take_rounds(&self) -> u64 {
        self.rounds.swap(0, SeqCst)
    }
    /// The world stops at that call, and nothing reaches the table any more until this is said again.
    pub fn stop_at(&self, at: Option<Stop>) {
        *self.stop.lock().expect("never poisoned") = Stopping { at, calls: 0, stopped: false };
        // Calls that were dropped with their process never come back.
        self.under_way.store(0, SeqCst);
    }
    pub fn stopped(&self) -> bool {
        self.stop.lock().expect("never poisoned").stopped
    }
    /// A call is about to go out (or its answer to come in): whether the world still turns.
    fn turns(&self, after: bool) -> bool {
        let mut stop = self.stop.lock().expect("never poisoned");
        if !after {
            stop.calls += 1;
        }
        let (calls, at) = (stop.calls, stop.at);
        stop.stopped |= at.is_some_and(|s| s.call == calls && s.after == after);
        !stop.stopped
    }
    /// The next answers are lost after the table has done the work.
    pub fn lose(&self, answers: u64) {
        self.lose.store(answers, SeqCst);
    }
    /// The answers after the lost ones say that the table is throttled.
    pub fn throttle(&self, answers: u64) {
        self.throttle.store(answers, SeqCst);
    }
}

const THROTTLED: &str =
    r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"slow down"}"#;

impl Intercept for Trips {
    fn name(&self) -> &'static str {
        "trips"
    }
    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if !self.turns(false) {
            return Err("the world has stopped".into());
        }
        self.count.fetch_add(1, SeqCst);
        if self.under_way.fetch_add(1, SeqCst) == 0 {
            self.rounds.fetch_add(1, SeqCst);
        }
        Ok(())
    }
    fn read_after_attempt(
        &self,
        _: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.under_way.fetch_update(SeqCst, SeqCst, |n| n.checked_sub(1)).ok();
        Ok(())
    }
    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if !self.turns(true) {
            return Err("the world has stopped".into());
        }
        let take = |count: &AtomicU64| count.fetch_update(SeqCst, SeqCst, |n| n.checked_sub(1)).is_ok();
        if take(&self.lose) {
            return Err("the answer was lost on its way".into());
        }
        if take(&self.throttle) {
            let response = context.response_mut();
            *response.status_mut() = 400u16.try_into()?;
            *response.body_mut() = THROTTLED.into();
        }
        Ok(())
    }
}
