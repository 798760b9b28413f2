//! The lines of a bill. Pure.

use crate::{
    charge::Charge,
    contract::{Contract, Pricing, term::Period},
};
use kernel::{
    EapServiceId, Error, Result,
    money::{Money, Rounding},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ClientBillLine")]
pub struct Line {
    pub label: String,
    pub quantity: u64,
    pub unit_price: Money,
    pub amount: Money,
}

/// What lines that would tell too much become together.
pub const MERGED: &str = "Employee assistance services";

/// What a period is billed from.
pub struct Facts<'a> {
    pub contract: &'a Contract,
    pub period: Period,
    /// Of each month; none where nothing was ever stated.
    pub headcounts: Option<Vec<u64>>,
    pub charges: Vec<Charge>,
    pub services: BTreeMap<EapServiceId, String>,
    /// Distinct persons below which a line is not shown by itself.
    pub smallest: usize,
}

/// Lines, tax and total; `held` where something is missing.
pub struct Sums {
    pub lines: Vec<Line>,
    pub tax: Money,
    pub total: Money,
    pub held: Option<&'static str>,
}

pub fn sums(facts: &Facts) -> Result<Sums> {
    let c = facts.contract;
    let nothing = Money::zero(c.billing_amount.currency());
    let (mut lines, mut held, mut merges) = (vec![], None, false);
    match (c.pricing, c.rate) {
        // After its last day a contract costs what is still done under it, and nothing else.
        (Pricing::Retainer | Pricing::PerCapita, _) if facts.period.from > c.end_date => {}
        (Pricing::Retainer, _) => {
            lines.push(line(&format!("Retainer {}", span(facts)), 1, part(c.billing_amount, facts)?)?)
        }
        (Pricing::PerCapita, Some(rate)) => match &facts.headcounts {
            Some(months) => {
                let heads: u64 = months.iter().sum();
                let whole = rate.times(count(heads)?).map_err(wrong)?;
                let amount = part(whole, facts)?;
                let label = format!("Eligible persons by month {}", span(facts));
                lines.push(Line { label, quantity: heads, unit_price: rate, amount });
            }
            None => held = Some("no-headcount"),
        },
        (Pricing::FeePerSession, Some(rate)) => {
            let (sessions, few) = sessions(facts, rate)?;
            (lines, merges) = (sessions, few);
        }
        (_, None) => held = Some("no-rate"),
    }
    for charge in facts.charges.iter().filter(|c| c.person.is_none()) {
        if let (Some(label), Some(fee)) = (&charge.event, charge.fee) {
            lines.push(line(label, 1, fee)?);
        }
    }
    let sum = lines.iter().try_fold(nothing, |sum, l| sum.plus(l.amount)).map_err(wrong)?;
    if merges {
        lines = vec![line(MERGED, 1, sum)?];
    }
    let percent = (c.tax_rate * 100.0).round() as i64;
    let tax = sum.share(percent, 10_000, Rounding::HalfUp).map_err(wrong)?;
    Ok(Sums { lines, tax, total: sum.plus(tax).map_err(wrong)?, held })
}

/// By service; whether behind one of them stand so few persons that it would tell of them.
fn sessions(facts: &Facts, rate: Money) -> Result<(Vec<Line>, bool)> {
    let mut by: BTreeMap<&str, (u64, BTreeSet<&str>)> = BTreeMap::new();
    for charge in &facts.charges {
        let (Some(person), Some(service)) = (&charge.person, charge.service) else { continue };
        let label = facts.services.get(&service).map_or("Sessions", String::as_str);
        let (sessions, persons) = by.entry(label).or_default();
        *sessions += 1;
        persons.insert(person);
    }
    let few = by.values().any(|(_, persons)| persons.len() < facts.smallest);
    let lines = by.into_iter().map(|(label, (sessions, _))| {
        let amount = rate.times(count(sessions)?).map_err(wrong)?;
        Ok(Line { label: label.into(), quantity: sessions, unit_price: rate, amount })
    });
    Ok((lines.collect::<Result<_>>()?, few))
}

fn line(label: &str, quantity: u64, amount: Money) -> Result<Line> {
    Ok(Line { label: label.into(), quantity, unit_price: amount, amount })
}

/// Of a period that is cut short, the days that it covers.
fn part(whole: Money, facts: &Facts) -> Result<Money> {
    let period = &facts.period;
    whole.share(period.days(), period.whole_days(), Rounding::HalfUp).map_err(wrong)
}

fn span(facts: &Facts) -> String {
    format!("{} – {}", facts.period.from, facts.period.to)
}

fn count(n: u64) -> Result<i64> {
    i64::try_from(n).map_err(Error::internal)
}

fn wrong(e: kernel::money::MoneyError) -> Error {
    Error::Invalid(vec![e.fault("/lines")])
}

#[cfg(test)]
mod tests;
