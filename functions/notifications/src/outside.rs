//! Mailboxes and telephones outside of the organisation that rules may name as recipients: a council's safeguarding
//! desk, an insurer's claims office. Rules and their events name the id alone, since they carry nothing personal; who is
//! deleted here is told nothing any more, whatever rules still say.

use kernel::{Fault, OutsideAddressId, Result, country::Country, error::faultless, phone::E164, text};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Commit, Entity, List, Record, facts};
use web::{
    Actor, Ctx, Noun, Reach, Route,
    noun::{self, Hooks, Paths, Written},
};

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OutsideAddress {
    /// Who reads it.
    #[schemars(length(min = 1, max = 120))]
    pub name: Sealed<String>,
    #[schemars(length(min = 3, max = 254))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Sealed<String>>,
    /// As it is dialled in the organisation's country.
    #[schemars(length(min = 5, max = 40))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Sealed<String>>,
    /// BCP 47.
    #[schemars(regex(pattern = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"), length(max = 35))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

impl Entity for OutsideAddress {
    type Id = OutsideAddressId;
    const NOUN: &'static str = "outside_address";
    const PERSONAL: bool = true;
    const LISTS: &'static [List<Self>] = &[List::newest()];
}

impl Noun for OutsideAddress {
    fn within(_: &Record<Self>, reach: Reach, _: &Actor) -> bool {
        reach > Reach::None
    }
    fn check(&self) -> Vec<Fault> {
        let reached = self.email.is_some() || self.phone.is_some();
        let detail = "an e-mail address or a telephone is needed, or both";
        if reached { vec![] } else { vec![Fault::new("/email", "required", detail)] }
    }
}

/// As people's contacts are published.
#[derive(Serialize)]
struct Contact<'a> {
    name: &'a Sealed<String>,
    email: Option<&'a Sealed<String>>,
    phone: Option<&'a Sealed<String>>,
    language: Option<Sealed<String>>,
}

impl Hooks for OutsideAddress {
    /// In the one spelling that is kept.
    fn before(ctx: &Ctx, _: &str, _: Option<&Record<Self>>, new: &mut Record<Self>) -> Result<()> {
        let home: Country = ctx.tenant()?.country.parse().unwrap_or(Country::NG);
        let mut faults = vec![];
        if let Some(email) = &mut new.body.email {
            match text::email(email) {
                Ok(read) => email.0 = read,
                Err(e) => faults.push(e.fault("/email")),
            }
        }
        if let Some(phone) = &mut new.body.phone {
            match E164::parse(phone, home) {
                Ok(read) => phone.0 = read.as_str().into(),
                Err(e) => faults.push(e.fault("/phone")),
            }
        }
        faultless(faults)
    }
    async fn on_write(_: &Ctx, Written { new, .. }: Written<'_, Self>, commit: Commit) -> Result<Commit> {
        if new.deleted_at.is_some() {
            return Ok(commit.drop_fact(facts::CONTACT, new.id));
        }
        let OutsideAddress { name, email, phone, language } = &new.body;
        let language = language.clone().map(Sealed);
        let contact = Contact { name, email: email.as_ref(), phone: phone.as_ref(), language };
        Ok(commit.fact(facts::CONTACT, new.id, &contact))
    }
}

/// Whoever sees to whom nothing is sent sees to these too.
pub fn routes() -> Vec<Route> {
    let (view, edit) = ("suppression.view", "suppression.edit");
    noun::crud::<OutsideAddress>(Paths {
        path: "/v1/notifications/outside_addresses",
        view,
        create: edit,
        edit,
        delete: edit,
    })
}
