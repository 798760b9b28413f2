//! Operation × (trips, units, money) for the whole product, from what the stories cost.

use super::prices::Prices;
use crate::harvest::{Harvest, Operation};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One operation, or one kind of message: the middle of all its requests, and the most.
pub struct Row {
    module: String,
    /// `GET /v1/patients/{id}`, `ON patient.registered`.
    operation: String,
    name: String,
    requests: usize,
    trips: u64,
    items: f64,
    bytes: f64,
    read: f64,
    write: f64,
    most_write: f64,
    messages: f64,
    /// Write units in the mean by what they went into, most first.
    spent: Vec<(String, f64)>,
    /// Of a thousand requests, with what keeping their access entries costs.
    thousand: f64,
}

pub struct Counts {
    pub rows: Vec<Row>,
    region: String,
    /// What gateway, firewall, function and log take of a thousand requests, whatever we do.
    platform: f64,
}

/// Milliseconds that a function of 256 MB works at a request, and bytes of its log line: assumed, not measured on AWS.
const WORK: (f64, f64) = (10.0, 500.0);

/// What `design/quality.md` sets per 1,000 requests at us-east-1's list price.
const GOALS: [(&str, f64); 4] = [("show", 0.0025), ("list", 0.0030), ("patch", 0.009), ("create", 0.014)];

/// Requests to a queue for an entry that is taken in a batch of ten: received and deleted together.
const TAKEN: f64 = 0.2;

impl Counts {
    pub fn of(harvest: &Harvest, prices: &Prices) -> Counts {
        let kept = harvest.of("audit", "ON access.looked").map_or(0.0, |entry| {
            let (read, write) = (entry.middle(|l| l.read[0]), entry.middle(|l| l.write[0]));
            prices.thousand(read, write, TAKEN)
        });
        let row = |((module, operation), all): (&(String, String), &Operation)| {
            let (read, write) = (all.middle(|l| l.read[0]), all.middle(|l| l.write[0]));
            let messages = all.middle(|l| l.messages as f64);
            Row {
                module: module.clone(),
                operation: operation.clone(),
                name: all.name.clone(),
                requests: all.lines.len(),
                trips: all.most(0).trips,
                items: all.middle(|l| l.items as f64),
                bytes: all.middle(|l| l.bytes as f64),
                read,
                write,
                most_write: all.most(0).write,
                messages,
                spent: spent(all),
                thousand: prices.thousand(read, write, messages) + all.middle(|l| l.looks as f64) * kept,
            }
        };
        Counts {
            rows: harvest.0.iter().map(row).collect(),
            region: prices.region.clone(),
            platform: prices.platform(WORK.0, WORK.1),
        }
    }

    pub fn text(&self) -> String {
        let mut out = format!(
            "{:<14} {:>5} {:>6} {:>6} {:>6} {:>6} {:>7} {:>6} {:>9}  operation ({} prices; `most` over all stories, the rest \
             their middle)\n",
            "module", "trips", "items", "read", "write", "most", "bytes", "queue", "$/1000", self.region
        );
        for row in &self.rows {
            let Row { module, trips, items, read, write, most_write, bytes, messages, thousand, .. } = row;
            out.push_str(&format!(
                "{module:<14} {trips:>5} {items:>6.1} {read:>6.1} {write:>6.1} {most_write:>6} {bytes:>7.0} \
                 {messages:>6.1} {thousand:>9.5}  {} ({}) {}\n",
                row.operation, row.name, row.requests
            ));
        }
        for (kind, goal) in GOALS {
            let all: Vec<&Row> = self.rows.iter().filter(|row| row.kind() == Some(kind)).collect();
            let mut over: Vec<&&Row> = all.iter().filter(|row| row.thousand > goal).collect();
            over.sort_by(|a, b| b.thousand.total_cmp(&a.thousand));
            out.push_str(&format!(
                "{kind}: {} of {} within ${goal} a thousand",
                all.len() - over.len(),
                all.len()
            ));
            for row in over {
                out.push_str(&format!(
                    "\n  missed by {}: ${:.4} – {}",
                    row.operation,
                    row.thousand,
                    row.mostly()
                ));
            }
            out.push('\n');
            let shares: Vec<String> =
                shares(&all).iter().map(|(what, part)| format!("{what} {part:.0} %")).collect();
            if all.iter().any(|row| row.write > 0.0) {
                out.push_str(&format!("  write units go into {}\n", shares.join(", ")));
            }
        }
        let (milliseconds, bytes) = WORK;
        out.push_str(&format!(
            "beside that, a thousand requests pay ${:.4} for gateway, firewall, {milliseconds} ms of 256 MB and {bytes} bytes of \
             log (assumed, not measured on AWS)\n",
            self.platform
        ));
        out
    }

    pub fn json(&self) -> Value {
        let row = |r: &Row| {
            json!({
                "module": r.module, "operation": r.operation, "name": r.name, "requests": r.requests, "trips": r.trips,
                "items": r.items, "bytes": r.bytes, "read_units": r.read, "write_units": r.write,
                "write_units_most": r.most_write, "queue_requests": r.messages, "dollars_per_thousand": r.thousand,
                "kind": r.kind(), "goal": r.goal(), "spent": r.spent,
            })
        };
        self.rows.iter().map(row).collect()
    }
}

/// Of all requests of an operation, in the mean.
fn spent(all: &Operation) -> Vec<(String, f64)> {
    let each = all.lines.iter().flat_map(|line| &line.spent).map(|(what, units)| (&**what, *units));
    summed(each, all.lines.len() as f64)
}

/// Of all write units of these operations, each of them asked as often as the others, in per cent.
fn shares(rows: &[&Row]) -> Vec<(String, f64)> {
    let each = rows.iter().flat_map(|row| &row.spent).map(|(what, units)| (&**what, *units));
    summed(each.clone(), each.map(|(_, units)| units).sum::<f64>() / 100.0)
}

/// Figures of the same name together, divided, the largest first.
pub fn summed<'a>(each: impl Iterator<Item = (&'a str, f64)>, by: f64) -> Vec<(String, f64)> {
    let mut sums = BTreeMap::<&str, f64>::new();
    for (what, figure) in each {
        *sums.entry(what).or_default() += figure / by;
    }
    let mut all: Vec<(String, f64)> = sums.into_iter().map(|(what, sum)| (what.into(), sum)).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    all
}

impl Row {
    /// The three things that most write units went into, or what it read.
    fn mostly(&self) -> String {
        if self.write == 0.0 {
            return format!("{:.1} read units", self.read);
        }
        let most = self.spent.iter().take(3).map(|(what, units)| format!("{what} {units:.1}"));
        format!("{:.1} write units: {}", self.write, most.collect::<Vec<_>>().join(", "))
    }
    /// Which of the goals it is held to: a noun's own show, list, amendment and creation.
    fn kind(&self) -> Option<&'static str> {
        let (method, path) = self.operation.split_once(' ')?;
        let ends = |word: &str| self.name.ends_with(word);
        match method {
            "GET" if ends(".show") && path.ends_with('}') => Some("show"),
            "GET" if ends(".list") => Some("list"),
            "PATCH" => Some("patch"),
            "POST" if ends(".create") || ends(".register") => Some("create"),
            _ => None,
        }
    }
    fn goal(&self) -> Option<f64> {
        let kind = self.kind()?;
        GOALS.iter().find(|(name, _)| *name == kind).map(|(_, goal)| *goal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harvest::sample;

    #[test]
    fn a_row_is_priced_and_held_to_its_goal() {
        let harvest = sample("rooms", "PATCH /v1/rooms/{id}", 2, [16.0; 3]);
        let counts = Counts::of(&harvest, &Prices::of("us-east-1").unwrap());
        assert!((counts.rows[0].thousand - (0.0000625 + 0.01)).abs() < 1e-9);
        let text = counts.text();
        let missed = "missed by PATCH /v1/rooms/{id}: $0.0101 – 16.0 write units: record 16.0";
        assert!(text.contains(missed), "{text}");
        assert!(text.contains("write units go into record 100 %"), "{text}");
        assert_eq!(counts.json()[0]["goal"], 0.009);
    }
}
