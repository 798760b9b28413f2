//! Token buckets and quotas of usage plans, and the stage's own limits.

use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, Instant},
};

/// Requests a second, and how many may come at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    pub per_second: f64,
    pub burst: f64,
}

/// Requests in a period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quota {
    pub limit: u64,
    pub period: Duration,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    pub name: String,
    pub rate: Option<Rate>,
    pub quota: Option<Quota>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Over {
    Rate,
    Quota,
}

/// What each caller has used, by a name of the gateway's choosing (a key, the stage).
#[derive(Default)]
pub struct Throttle {
    buckets: Mutex<HashMap<String, Bucket>>,
}

struct Bucket {
    tokens: f64,
    filled: Instant,
    used: u64,
    since: Instant,
}

impl Throttle {
    /// Takes one request from the caller's bucket, or says which limit is reached.
    pub fn take(&self, caller: &str, plan: &Plan, now: Instant) -> Result<(), Over> {
        let mut buckets = self.buckets.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let full = plan.rate.map_or(0.0, |rate| rate.burst);
        let fresh = || Bucket { tokens: full, filled: now, used: 0, since: now };
        let bucket = buckets.entry(caller.into()).or_insert_with(fresh);
        if let Some(quota) = plan.quota {
            if now.duration_since(bucket.since) >= quota.period {
                (bucket.used, bucket.since) = (0, now);
            }
            if bucket.used >= quota.limit {
                return Err(Over::Quota);
            }
        }
        if let Some(rate) = plan.rate {
            let earned = now.duration_since(bucket.filled).as_secs_f64() * rate.per_second;
            bucket.tokens = (bucket.tokens + earned).min(rate.burst);
            bucket.filled = now;
            if bucket.tokens < 1.0 {
                return Err(Over::Rate);
            }
            bucket.tokens -= 1.0;
        }
        bucket.used += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(per_second: f64, burst: f64, quota: Option<u64>) -> Plan {
        let quota = quota.map(|limit| Quota { limit, period: Duration::from_secs(86_400) });
        Plan { name: "basic".into(), rate: Some(Rate { per_second, burst }), quota }
    }

    #[test]
    fn a_burst_is_served_and_then_the_rate() {
        let (throttle, plan, start) = (Throttle::default(), plan(2.0, 3.0, None), Instant::now());
        let at = |ms: u64| throttle.take("key", &plan, start + Duration::from_millis(ms));
        assert_eq!([at(0), at(0), at(0), at(0)], [Ok(()), Ok(()), Ok(()), Err(Over::Rate)]);
        assert_eq!([at(499), at(500), at(501)], [Err(Over::Rate), Ok(()), Err(Over::Rate)]);
        assert_eq!((0..4).filter(|_| at(60_000).is_ok()).count(), 3);
    }

    #[test]
    fn one_caller_does_not_use_up_anothers() {
        let (throttle, plan, now) = (Throttle::default(), plan(1.0, 1.0, None), Instant::now());
        assert_eq!(throttle.take("a", &plan, now), Ok(()));
        assert_eq!(throttle.take("a", &plan, now), Err(Over::Rate));
        assert_eq!(throttle.take("b", &plan, now), Ok(()));
    }

    #[test]
    fn a_quota_ends_with_its_period_and_refused_requests_do_not_count() {
        let (throttle, plan, start) = (Throttle::default(), plan(100.0, 1.0, Some(2)), Instant::now());
        let at = |seconds: u64| throttle.take("key", &plan, start + Duration::from_secs(seconds));
        assert_eq!([at(0), at(0), at(1), at(2)], [Ok(()), Err(Over::Rate), Ok(()), Err(Over::Quota)]);
        assert_eq!(at(86_400), Ok(()));
    }
}
