//! Writing to the person helped: by the way that they called safe, in words that tell nobody what it is about, and from
//! nobody by name. The module writes itself, since no event may name a beneficiary. Whoever has not said how, or wants to
//! be called or left alone, is not written to.

use crate::beneficiary::{Beneficiary, Channel};
use jiff::{SignedDuration, Timestamp};
use kernel::{Result, country::Country, phone::E164};
use web::{Ctx, Letter, Sms};

/// Where somebody may be written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    Mailbox(String),
    /// E.164.
    Telephone(String),
}

impl Way {
    /// None for who has not said how, or named an address that cannot be read.
    pub fn of(ctx: &Ctx, person: &Beneficiary) -> Option<Self> {
        let home = ctx.tenant().ok().and_then(|t| t.country.parse().ok()).unwrap_or(Country::NG);
        Self::from(person, home)
    }

    pub fn from(person: &Beneficiary, home: Country) -> Option<Self> {
        let safe = &person.safe_contact.as_ref()?.0;
        let own = match safe.channel {
            Channel::Email => person.email.as_ref(),
            Channel::Sms => person.phone.as_ref(),
            Channel::Phone | Channel::None => return None,
        };
        let address = safe.address.as_ref().or(own.map(|own| &own.0))?;
        match safe.channel {
            Channel::Sms => E164::parse(address, home).ok().map(|n| Self::Telephone(n.as_str().into())),
            _ => kernel::text::email(address).ok().map(Self::Mailbox),
        }
    }

    /// Sends it. It may arrive twice; an SMS is of no use any more after `until`.
    pub async fn tell(self, ctx: &Ctx, subject: &str, text: String, until: Timestamp) -> Result<()> {
        let good_for = until.duration_since(ctx.now()).max(SignedDuration::from_mins(5));
        match self {
            Self::Mailbox(to) => ctx.app().mail().send(Letter { to, subject: subject.into(), text }).await,
            Self::Telephone(to) => {
                let sms = Sms::new(ctx.store(), &to, text.trim_end().into(), good_for).unnamed();
                sms.send(ctx.app(), ctx.store()).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::beneficiary::SafeContact;
    use seal::Sealed;

    #[test]
    fn nobody_is_written_to_by_another_way_than_they_called_safe() {
        let person = |channel: Option<Channel>, address: Option<&str>| Beneficiary {
            email: Some("ada@zenith.example".into()),
            phone: Some("0803 123 4567".into()),
            safe_contact: channel
                .map(|channel| Sealed(SafeContact { channel, address: address.map(Into::into), when: None })),
            ..crate::beneficiary::tests::ada()
        };
        let way = |channel, address| Way::from(&person(channel, address), Country::NG);
        assert_eq!(way(None, None), None);
        assert_eq!(way(Some(Channel::Phone), None), None);
        assert_eq!(way(Some(Channel::None), Some("ada@home.example")), None);
        assert_eq!(way(Some(Channel::Email), None), Some(Way::Mailbox("ada@zenith.example".into())));
        let home = Some(Way::Mailbox("ada@home.example".into()));
        assert_eq!(way(Some(Channel::Email), Some("ada@home.example")), home);
        assert_eq!(way(Some(Channel::Sms), None), Some(Way::Telephone("+2348031234567".into())));
        assert_eq!(way(Some(Channel::Sms), Some("my sister")), None);
    }
}
