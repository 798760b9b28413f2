//! TEN-10: an organisation lives in one region, and this deployment keeps its own region's only.

use kernel::{
    Error, Result,
    country::{Country, Region},
};
use web::Place;

kernel::words! {
    /// The ground on which records leave the organisation's country: Nigeria Data Protection Act 2023,
    /// sections 41 to 43; UK GDPR, articles 45 to 49 (as of November 2026).
    pub enum TransferBasis {
        Adequacy = "adequacy",
        ContractClauses = "contract_clauses",
        BindingRules = "binding_rules",
        Certification = "certification",
        Consent = "consent",
        Contract = "contract",
        PublicInterest = "public_interest",
        LegalClaims = "legal_claims",
        VitalInterests = "vital_interests",
    }
}

/// The region of this deployment.
pub fn here(place: &Place) -> Result<Region> {
    place
        .region
        .parse()
        .map_err(|()| Error::internal(format!("the region {:?} is not one of ours", place.region)))
}

/// 422 for an organisation that belongs elsewhere: nothing of it is stored here.
pub fn belongs_here(place: &Place, country: Country, wanted: Region) -> Result<()> {
    let here = here(place)?;
    let home = if wanted == here { country.region() } else { wanted };
    if home == here {
        return Ok(());
    }
    let detail = format!("organisations in {} live in {home}; this is {here}: sign up there", country.name());
    Err(Error::field("wrong-region", "/region", detail).with("region", home).with("host", host(place, home)))
}

/// The same service in another region: hosts begin with the region's own label.
fn host(place: &Place, region: Region) -> String {
    let label = |region: Region| match region {
        Region::Africa => "africa.",
        Region::Europe => "eu.",
    };
    let base = place.public_url.trim_start_matches("https://");
    let base = Region::ALL.iter().find_map(|r| base.strip_prefix(label(*r))).unwrap_or(base);
    format!("https://{}{base}", label(region))
}

/// Records cross a border when the machines stand in another country, and always where they are replicated.
pub fn needs_basis(place: &Place, country: Country) -> Result<bool> {
    Ok(country != here(place)?.country() || place.backup_region.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn africa(backup: Option<&str>) -> Place {
        Place {
            stage: "prod".into(),
            region: "af-south-1".into(),
            backup_region: backup.map(Into::into),
            public_url: "https://africa.lumina.health".into(),
        }
    }

    #[test]
    fn an_organisation_of_another_region_is_sent_there() {
        assert!(belongs_here(&africa(None), Country::NG, Region::Africa).is_ok());
        for (country, region) in
            [(Country::GB, Region::Europe), (Country::GB, Region::Africa), (Country::NG, Region::Europe)]
        {
            let Err(Error::Refused(refusal)) = belongs_here(&africa(None), country, region) else {
                panic!("{country} {region}")
            };
            assert_eq!(refusal.code, "wrong-region");
            assert_eq!(refusal.extra["host"], "https://eu.lumina.health");
        }
    }

    #[test]
    fn a_basis_is_needed_across_a_border_and_wherever_records_are_replicated() {
        assert!(needs_basis(&africa(None), Country::NG).unwrap());
        assert!(!needs_basis(&africa(None), Country::ZA).unwrap());
        assert!(needs_basis(&africa(Some("eu-west-1")), Country::ZA).unwrap());
    }
}
