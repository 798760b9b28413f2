//! Conditions of a rule over what its event says. Neither loops nor personal data: a field compared with a value.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One comparison; every member that is given has to hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Condition {
    /// A field of the event's data.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{0,39}$"))]
    pub field: String,
    #[schemars(length(min = 1, max = 50))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_of: Option<Vec<Value>>,
    #[schemars(length(min = 1, max = 50))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub none_of: Option<Vec<Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    /// The field is a time at most this many hours from now.
    #[schemars(range(min = 1, max = 8784))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within_hours: Option<u32>,
    /// The field is a time further away than that.
    #[schemars(range(min = 1, max = 8784))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beyond_hours: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<bool>,
}

impl Condition {
    /// A field that is missing, or of another sort than the comparison, does not hold: a rule that is not sure
    /// does not act.
    pub fn holds(&self, data: &Value, now: Timestamp) -> bool {
        let value = data.get(&self.field).filter(|v| !v.is_null());
        let number = value.and_then(Value::as_f64);
        let time = value.and_then(Value::as_str).and_then(|t| t.parse::<Timestamp>().ok());
        let hours = |h: u32| now + SignedDuration::from_hours(i64::from(h));
        let all = [
            self.given.map(|wanted| value.is_some() == wanted),
            self.one_of.as_ref().map(|set| value.is_some_and(|v| set.contains(v))),
            self.none_of.as_ref().map(|set| value.is_none_or(|v| !set.contains(v))),
            self.at_least.map(|least| number.is_some_and(|n| n >= least)),
            self.at_most.map(|most| number.is_some_and(|n| n <= most)),
            self.within_hours.map(|h| time.is_some_and(|t| t <= hours(h))),
            self.beyond_hours.map(|h| time.is_some_and(|t| t > hours(h))),
        ];
        all.into_iter().flatten().all(|held| held)
    }

    /// A comparison that compares nothing would always hold.
    pub fn is_empty(&self) -> bool {
        let Self { field: _, one_of, none_of, at_least, at_most, within_hours, beyond_hours, given } = self;
        one_of.is_none()
            && none_of.is_none()
            && at_least.is_none()
            && at_most.is_none()
            && within_hours.is_none()
            && beyond_hours.is_none()
            && given.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn condition(v: Value) -> Condition {
        serde_json::from_value(v).unwrap()
    }

    #[test]
    fn a_missing_field_never_holds() {
        let now = "2026-11-20T09:00:00Z".parse().unwrap();
        let days = condition(json!({"field": "days", "one_of": [7, 1, 0]}));
        assert!(days.holds(&json!({"days": 7}), now));
        assert!(!days.holds(&json!({"days": 30}), now));
        assert!(!days.holds(&json!({}), now));
        assert!(!condition(json!({"field": "days", "at_most": 3})).holds(&json!({"days": "2"}), now));
        assert!(condition(json!({"field": "days", "given": false})).holds(&json!({"days": null}), now));
    }

    #[test]
    fn a_time_is_compared_with_the_moment_of_the_event() {
        let now = "2026-11-20T20:00:00Z".parse().unwrap();
        let soon = condition(json!({"field": "start", "within_hours": 24}));
        let later = condition(json!({"field": "start", "beyond_hours": 24}));
        let data = json!({"start": "2026-11-21T06:00:00Z"});
        assert!(soon.holds(&data, now) && !later.holds(&data, now));
        let data = json!({"start": "2026-11-23T06:00:00Z"});
        assert!(!soon.holds(&data, now) && later.holds(&data, now));
    }
}
