//! Numbers of patients: the organisation's format, filled from a counter that never gives one twice. A
//! registration that fails after taking one leaves a gap, which means nothing.

use jiff::civil::Date;
use kernel::{Error, Result, SiteId};
use serde::Deserialize;
use store::facts;
use web::Ctx;

/// `numbering.<noun>` of the settings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Numbering {
    /// Tokens `{YYYY} {YY} {MM} {SITE} {FAC} {SEQ:n}`.
    pub format: String,
    #[serde(default)]
    pub reset: Reset,
}

kernel::words! {
    /// When the running part begins anew.
    #[derive(Default)]
    pub enum Reset { Never = "never", #[default] Year = "year", Month = "month" }
}

impl Numbering {
    /// What the tenant has set, or `PT-2026-00001`.
    pub fn of_patients(ctx: &Ctx) -> Self {
        Self::set(ctx, "numbering.patient")
            .unwrap_or(Self { format: "PT-{YYYY}-{SEQ:5}".into(), reset: Reset::Year })
    }
    /// A pattern for hospital numbers, where the tenant has one.
    pub fn of_hospital(ctx: &Ctx) -> Option<Self> {
        Self::set(ctx, "numbering.hospital").filter(|n| n.format.contains("{SEQ"))
    }
    /// `same` gives every patient its own number as hospital number.
    pub fn hospital_is_same(ctx: &Ctx) -> bool {
        let policy = ctx.tenant().ok().and_then(|t| t.policies.get("numbering.hospital"));
        let word = policy.and_then(|p| p.as_str().or_else(|| p["format"].as_str()));
        word == Some("same")
    }
    fn set(ctx: &Ctx, policy: &str) -> Option<Self> {
        let value = ctx.tenant().ok()?.policies.get(policy)?;
        match value.as_str() {
            Some(format) => Some(Self { format: format.into(), reset: Reset::Year }),
            None => serde_json::from_value(value.clone()).ok(),
        }
    }

    pub fn by_site(&self) -> bool {
        self.format.contains("{SITE}")
    }
    /// The counter's scope: its period, and the site where the number names one.
    pub fn scope(&self, day: Date, site: &str) -> String {
        let period = match self.reset {
            Reset::Never => "all".into(),
            Reset::Year => format!("{:04}", day.year()),
            Reset::Month => format!("{:04}-{:02}", day.year(), day.month()),
        };
        if self.by_site() { format!("{period}~{site}") } else { period }
    }
    /// `{SEQ:5}` widens where five digits no longer suffice.
    pub fn render(&self, value: u64, day: Date, site: &str, facility: &str) -> String {
        let mut text = self
            .format
            .replace("{YYYY}", &format!("{:04}", day.year()))
            .replace("{YY}", &format!("{:02}", day.year() % 100))
            .replace("{MM}", &format!("{:02}", day.month()))
            .replace("{SITE}", site)
            .replace("{FAC}", facility);
        for width in 1..=9usize {
            text = text.replace(&format!("{{SEQ:{width}}}"), &format!("{value:0width$}"));
        }
        text.replace("{SEQ}", &value.to_string())
    }
    /// Whether a text looks like one of these numbers.
    pub fn fits(&self, text: &str) -> bool {
        let (mut rest, mut format) = (text, self.format.as_str());
        while let Some((literal, after)) = format.split_once('{') {
            let Some((token, behind)) = after.split_once('}') else { return false };
            let Some(tail) = rest.strip_prefix(literal) else { return false };
            let digits = tail.bytes().take_while(u8::is_ascii_digit).count();
            let taken = match token {
                "YYYY" if digits >= 4 => 4,
                "YY" | "MM" if digits >= 2 => 2,
                "SITE" | "FAC" => tail.bytes().take_while(u8::is_ascii_alphanumeric).count(),
                seq if seq.starts_with("SEQ") && digits > 0 => digits,
                _ => return false,
            };
            (rest, format) = (&tail[taken..], behind);
        }
        rest == format
    }
}

/// 422 where hospital numbers are given by the system.
pub fn by_hand(ctx: &Ctx) -> Result<()> {
    if Numbering::hospital_is_same(ctx) || Numbering::of_hospital(ctx).is_some() {
        let detail =
            "hospital numbers are given by the system here; an administrator can set them to `manual`";
        return Err(Error::field("number-is-given", "/hospital_number", detail));
    }
    Ok(())
}

/// What numbers name beside the counter.
#[derive(Clone, Debug)]
pub struct Place {
    pub day: Date,
    pub site: String,
    pub facility: String,
}

impl Place {
    /// Reads the site's code only where a number names it.
    pub async fn of(ctx: &Ctx, numbering: &Numbering, site: SiteId) -> Result<Self> {
        #[derive(Deserialize)]
        struct Site {
            code: String,
        }
        let facility = ctx.tenant()?.slug.to_ascii_uppercase();
        let site = if numbering.by_site() {
            let fact: Option<Site> = ctx.store().fact(facts::SITE, site).await?;
            fact.ok_or_else(|| Error::unprocessable("site-unknown", "this site is not open"))?.code
        } else {
            String::new()
        };
        Ok(Self { day: ctx.today(), site, facility })
    }
}

/// The next number of a kind; `name` is the counter's.
pub async fn next(ctx: &Ctx, name: &str, numbering: &Numbering, place: &Place) -> Result<String> {
    let value = ctx.store().next_number(name, numbering.scope(place.day, &place.site)).await?;
    Ok(numbering.render(value, place.day, &place.site, &place.facility))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbering(format: &str) -> Numbering {
        Numbering { format: format.into(), reset: Reset::Year }
    }
    fn day() -> Date {
        "2026-11-20".parse().unwrap()
    }

    #[test]
    fn the_running_part_widens_when_it_is_full() {
        let n = numbering("PT-{YYYY}-{SEQ:5}");
        assert_eq!(n.render(1, day(), "", ""), "PT-2026-00001");
        assert_eq!(n.render(99_999, day(), "", ""), "PT-2026-99999");
        assert_eq!(n.render(100_000, day(), "", ""), "PT-2026-100000");
        assert_eq!(numbering("{FAC}/{YY}/{SEQ:6}").render(7, day(), "", "GRACE"), "GRACE/26/000007");
        assert_eq!(numbering("{SITE}{MM}-{SEQ:3}").render(7, day(), "HQ", ""), "HQ11-007");
    }

    #[test]
    fn a_counter_begins_anew_with_its_period_and_counts_by_site_where_the_number_names_one() {
        let mut n = numbering("PT-{YYYY}-{SEQ:5}");
        assert_eq!(n.scope(day(), "HQ"), "2026");
        n.reset = Reset::Month;
        assert_eq!(n.scope(day(), "HQ"), "2026-11");
        n.reset = Reset::Never;
        assert_eq!(n.scope(day(), "HQ"), "all");
        assert_eq!(numbering("{SITE}-{SEQ:5}").scope(day(), "HQ"), "2026~HQ");
    }

    #[test]
    fn a_number_is_known_by_its_form() {
        let n = numbering("PT-{YYYY}-{SEQ:5}");
        for yes in ["PT-2026-00001", "PT-2026-100000", "PT-1999-7"] {
            assert!(n.fits(yes), "{yes}");
        }
        for no in ["PT-26-1", "PT-2026-", "XX-2026-00001", "PT-2026-00001x", "Okonkwo", "{", ""] {
            assert!(!n.fits(no), "{no}");
        }
        assert!(numbering("{FAC}/{YY}/{SEQ:6}").fits("GRACE/26/000007"));
    }
}
