//! List prices, from a dated data file.

use local::{
    trouble,
    trouble::{Outcome, While},
};
use serde::Deserialize;

#[derive(Deserialize)]
struct All {
    regions: Vec<Prices>,
}

/// Of one region, in its currency.
#[derive(Clone, Debug, Deserialize)]
pub struct Prices {
    pub region: String,
    pub as_of: String,
    pub currency: String,
    pub source: String,
    pub per_million: PerMillion,
    pub function_gb_second_arm64: f64,
    pub log_gb: f64,
    pub per_month: PerMonth,
}

#[derive(Clone, Debug, Deserialize)]
pub struct PerMillion {
    pub table_read_unit: f64,
    pub table_write_unit: f64,
    pub queue_request: f64,
    pub function_request: f64,
    pub rest_api_request: f64,
    pub firewall_request: f64,
    pub schedule_invocation: f64,
    pub trace: f64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct PerMonth {
    pub firewall_acl: f64,
    pub firewall_rule: f64,
    pub alarm_metric: f64,
    pub dashboard: f64,
    pub key: f64,
}

impl Prices {
    /// The region's, or the names of those that are known.
    pub fn of(region: &str) -> Outcome<Prices> {
        let All { regions } =
            serde_json::from_str(include_str!("../../data/prices.json")).whilst("read data/prices.json")?;
        let known: Vec<String> = regions.iter().map(|r| r.region.clone()).collect();
        let found = regions.into_iter().find(|r| r.region == region);
        found.ok_or_else(|| trouble!("No prices of {region} are known, only of {}.", known.join(", ")))
    }

    /// Of a thousand requests that each cost so much.
    pub fn thousand(&self, read: f64, write: f64, messages: f64) -> f64 {
        let PerMillion { table_read_unit, table_write_unit, queue_request, .. } = self.per_million;
        (read * table_read_unit + write * table_write_unit + messages * queue_request) / 1000.0
    }

    /// What the platform takes of a thousand requests whatever we do: gateway, firewall, a function of 256 MB for
    /// `milliseconds`, and a log line of `logged` bytes.
    pub fn platform(&self, milliseconds: f64, logged: f64) -> f64 {
        let PerMillion { rest_api_request, firewall_request, function_request, .. } = self.per_million;
        let requests = (rest_api_request + firewall_request + function_request) / 1000.0;
        let seconds = milliseconds / 1000.0 * 0.25 * self.function_gb_second_arm64 * 1000.0;
        requests + seconds + logged * 1000.0 / 1e9 * self.log_gb
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_requests_are_priced_by_their_units() {
        let prices = Prices::of("us-east-1").unwrap();
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(close(prices.thousand(0.5, 0.0, 1.0), 0.0000625 + 0.0004));
        assert!(close(prices.thousand(0.0, 8.0, 0.0), 0.005));
        assert!(Prices::of("mars-1").unwrap_err().0.contains("us-east-1"));
    }

    #[test]
    fn the_regions_that_are_deployed_to_have_prices_of_their_own() {
        let deployed =
            include_str!("../../../../samconfig.toml").lines().filter_map(|l| l.strip_prefix("region = "));
        let regions: Vec<&str> = deployed.map(|name| name.trim_matches('"')).collect();
        assert!(regions.contains(&"af-south-1") && regions.contains(&"eu-west-1"), "{regions:?}");
        for region in regions {
            let prices = Prices::of(region).unwrap_or_else(|e| panic!("{e}"));
            assert!(prices.per_million.table_write_unit > 0.625, "{region} is dearer than us-east-1");
        }
    }
}
