//! What an organisation says about itself; the same block in the sign-up, the register and its own record.

use kernel::{
    Fault,
    country::{Country, nigerian_state},
    phone::E164,
    text,
};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::LazyLock};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Details {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 100))]
    pub legal_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 300))]
    pub address: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub city: Option<Sealed<String>>,
    /// In Nigeria the two letters of ISO 3166-2 (`LA`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub state: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20))]
    pub postal_code: Option<Sealed<String>>,
    /// Kept in E.164.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 5, max = 40))]
    pub phone: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 254), extend("format" = "email"))]
    pub email: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 300), extend("format" = "uri"))]
    pub website: Option<String>,
    /// Medical registration; the CQC provider id in home care.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 50))]
    pub registration_number: Option<String>,
    /// TIN in Nigeria, VAT number or UTR in the United Kingdom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 30))]
    pub tax_id: Option<String>,
}

impl Details {
    /// Puts what was typed into the form that is kept, and tells what cannot be.
    pub fn settle(&mut self, country: Country) -> Vec<Fault> {
        let mut faults = vec![];
        if let Some(phone) = &mut self.phone {
            match E164::parse(phone, country) {
                Ok(e164) => *phone = Sealed(e164.as_str().into()),
                Err(e) => faults.push(e.fault("/phone")),
            }
        }
        if let Some(email) = &mut self.email {
            match text::email(email) {
                Ok(plain) => *email = Sealed(plain),
                Err(e) => faults.push(e.fault("/email")),
            }
        }
        if let Some(state) =
            self.state.as_ref().filter(|s| country == Country::NG && nigerian_state(s).is_none())
        {
            let detail = format!("{:?} is no state of Nigeria: write its two letters, such as LA", state.0);
            faults.push(Fault::new("/state", "state-unknown", detail));
        }
        if let Some(fault) = self.tax_id.as_deref().and_then(|id| tax_fault(country, id)) {
            faults.push(fault);
        }
        faults
    }

    /// The value that no two organisations share.
    pub fn registration(&self, country: Country) -> Option<String> {
        let plain =
            |n: &String| n.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_uppercase();
        self.registration_number.as_ref().map(|n| format!("{country}:{}", plain(n)))
    }
}

#[derive(Deserialize)]
struct TaxIds {
    formats: BTreeMap<String, Format>,
    other: Format,
}
#[derive(Deserialize)]
struct Format {
    pattern: String,
    says: String,
}

static TAX_IDS: LazyLock<TaxIds> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../data/tax_ids.json")).expect("read by this crate's tests")
});

fn tax_fault(country: Country, id: &str) -> Option<Fault> {
    let format = TAX_IDS.formats.get(country.code()).unwrap_or(&TAX_IDS.other);
    let fits = regex_lite::Regex::new(&format.pattern).expect("read by this crate's tests").is_match(id);
    (!fits).then(|| Fault::new("/tax_id", "tax-id", format!("expected {}", format.says)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tax_number_has_the_form_of_its_country() {
        for (country, id, fits) in [
            (Country::NG, "12345678-0001", true),
            (Country::NG, "1234567890123", true),
            (Country::NG, "GB123456789", false),
            (Country::GB, "GB123456789", true),
            (Country::GB, "1234567890", true),
            (Country::GB, "12345678-0001", false),
            (Country::ZA, "9012/345", true),
            (Country::ZA, "!", false),
        ] {
            assert_eq!(tax_fault(country, id).is_none(), fits, "{country} {id}");
        }
    }

    #[test]
    fn one_registration_has_many_spellings() {
        let of = |n: &str| {
            Details { registration_number: Some(n.into()), ..Details::default() }.registration(Country::NG)
        };
        assert_eq!(of("RC 12-34"), of("rc1234"));
        assert_ne!(of("RC1234"), of("RC1235"));
    }

    #[test]
    fn what_was_typed_becomes_what_is_kept() {
        let mut details = Details {
            phone: Some("0803 123 4567".into()),
            email: Some("Desk@Grace.example".into()),
            state: Some("LA".into()),
            ..Details::default()
        };
        assert!(details.settle(Country::NG).is_empty());
        assert_eq!(
            (details.phone.unwrap().0, details.email.unwrap().0),
            ("+2348031234567".into(), "desk@grace.example".into())
        );
        let mut wrong =
            Details { phone: Some("12".into()), state: Some("Lagos".into()), ..Details::default() };
        let codes: Vec<String> = wrong.settle(Country::NG).iter().map(|f| f.pointer.clone()).collect();
        assert_eq!(codes, ["/phone", "/state"]);
    }
}
