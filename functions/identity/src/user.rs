//! A user: somebody with a login in one organisation, and what they may do there. The same person in two
//! organisations is two users, and neither knows of the other.

pub mod api;
pub mod card;
pub mod change;
pub mod command;
pub mod delegation;
pub mod due;
pub mod life;
pub mod profile;
pub mod standing;

pub use life::Status;
pub use profile::{Accessibility, ContactPreference, Method, Mfa};

use jiff::{SignedDuration, Timestamp, civil::Date};
use kernel::{DepartmentId, DocumentId, UserId};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Due, Entity, List, Record, Row, Token, Unique};
use web::{Actor, Ctx, Noun, Reach, noun::possible};

/// An invitation's link works this long (`spec/identity.md` §5.1).
pub const INVITED: SignedDuration = SignedDuration::from_hours(7 * 24);

kernel::words! {
    /// How the record came to be.
    pub enum Source { Invite = "invite", Signup = "signup", Scim = "scim", Sso = "sso", Import = "import" }
}
kernel::words! {
    /// The login in the user pool: not made yet, made, or usable since the person has set a password.
    pub enum Login { Pending = "pending", Made = "made", Ready = "ready" }
}
kernel::words! {
    pub enum Gender { Female = "female", Male = "male", Other = "other", Unknown = "unknown" }
}

/// Somebody with a login.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// What they sign in with: the e-mail address, or the username where there is none.
    #[schemars(extend("readOnly" = true))]
    pub login_name: Sealed<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-z0-9._-]{3,40}$"))]
    pub username: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(email, length(max = 254))]
    pub email: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub email_verified_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 40))]
    pub phone: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub phone_verified_at: Option<Timestamp>,
    #[schemars(length(min = 1, max = 60))]
    pub given_name: Sealed<String>,
    #[schemars(length(min = 1, max = 60))]
    pub family_name: Sealed<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub preferred_name: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<Sealed<Date>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gender: Option<Sealed<Gender>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<DocumentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1000))]
    pub bio: Option<Sealed<String>>,
    /// BCP 47.
    #[schemars(regex(pattern = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"), length(max = 35))]
    pub language: String,
    /// IANA.
    #[schemars(length(min = 1, max = 60))]
    pub time_zone: String,
    #[serde(default)]
    pub contact_preference: ContactPreference,
    #[serde(default)]
    pub accessibility: Accessibility,
    #[schemars(length(min = 1, max = 10), inner(length(max = 40)), extend("uniqueItems" = true))]
    pub roles: Vec<String>,
    /// `sit_…`, or `*` for all.
    #[schemars(length(max = 30), inner(length(max = 40)), extend("uniqueItems" = true))]
    pub sites: Vec<String>,
    /// Names of modules, or `*` for all.
    #[schemars(length(max = 40), inner(length(max = 40)), extend("uniqueItems" = true))]
    pub modules: Vec<String>,
    #[serde(default)]
    #[schemars(length(max = 30), extend("uniqueItems" = true))]
    pub departments: Vec<DepartmentId>,
    /// The record about this person elsewhere: an employee, a patient, a service user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-z]{3}_[0-7][0-9A-HJKMNP-TV-Z]{25}$"))]
    pub person: Option<String>,
    /// Who leads them: told and asked where a rule, a task or a sequence says "manager".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<UserId>,
    #[schemars(extend("readOnly" = true))]
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub status_reason: Option<Sealed<String>>,
    /// Who gave the first of the two words that bar somebody for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub barred_by: Option<String>,
    #[serde(default)]
    #[schemars(extend("readOnly" = true))]
    pub mfa: Mfa,
    #[serde(default)]
    #[schemars(extend("readOnly" = true))]
    pub failed_attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub locked_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub last_login_at: Option<Timestamp>,
    /// Raised by every change of rights; tokens of an older one have ended.
    #[schemars(extend("readOnly" = true))]
    pub generation: u64,
    #[schemars(extend("readOnly" = true))]
    pub source: Source,
    #[schemars(extend("readOnly" = true))]
    pub login: Login,
    /// The login's `sub`; the token trigger compares it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub sub: Option<String>,
    #[schemars(extend("readOnly" = true))]
    pub created_by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub invited_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub joined_at: Option<Timestamp>,
}

impl User {
    pub fn has(&self, role: &str) -> bool {
        self.roles.iter().any(|r| r == role)
    }
    pub fn called(&self) -> String {
        let given = self.preferred_name.as_ref().unwrap_or(&self.given_name);
        format!("{} {}", **given, *self.family_name)
    }
    /// When the invitation's link stops working; none while none was sent or it was taken up.
    pub fn lapses_at(&self) -> Option<Timestamp> {
        let waits = self.status == Status::Invited && self.login != Login::Ready;
        self.invited_at.filter(|_| waits).map(|at| at + INVITED)
    }
    /// What may be signed in with, as the pool knows it.
    pub fn alias(&self, slug: &str) -> String {
        format!("{slug}/{}", *self.login_name).to_lowercase()
    }
    /// Rights have changed: tokens given out before have ended.
    pub fn raise(&mut self) {
        self.generation += 1;
    }
}

const fn listed(
    name: &'static str,
    by: &'static [&'static str],
    rows: fn(&Record<User>) -> Vec<Row>,
) -> List<User> {
    List::by(name, by, rows)
}

impl Entity for User {
    type Id = UserId;
    const NOUN: &'static str = "user";
    const PERSONAL: bool = true;
    const LISTS: &'static [List<Self>] = &[
        List::newest(),
        listed("status", &["status"], |r| vec![Row::new(&[&r.body.status], &[&r.id])]),
        listed("role", &["role"], |r| r.body.roles.iter().map(|role| Row::new(&[role], &[&r.id])).collect()),
        listed("site", &["site"], |r| r.body.sites.iter().map(|site| Row::new(&[site], &[&r.id])).collect()),
    ];
    /// Held as long as the record is there, so that a barred person's name and address stay blocked.
    const UNIQUE: &'static [Unique<Self>] = &[
        Unique::of("email", "duplicate", |u| u.email.iter().map(|e| e.to_lowercase()).collect()),
        Unique::of("username", "duplicate", |u| u.username.iter().map(|n| n.to_lowercase()).collect()),
    ];

    fn due(record: &Record<Self>) -> Vec<Due> {
        record.body.lapses_at().into_iter().map(|at| Due { at, what: "lapse" }).collect()
    }

    fn tokens(&self) -> Vec<Token> {
        let names = [Some(&self.given_name), Some(&self.family_name), self.preferred_name.as_ref()];
        let words = names.into_iter().flatten().flat_map(|name| words(name));
        let addresses = [&self.email, &self.username].into_iter().flatten().map(|a| a.to_lowercase());
        let digits = self.phone.iter().map(|p| p.trim_start_matches('+').to_string());
        words.chain(addresses).chain(digits).map(Token::Word).collect()
    }
}

/// A name's words as they are searched by: small letters, without marks.
pub fn words(name: &str) -> Vec<String> {
    let spelt = |word: &str| -> String {
        word.chars().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()).collect()
    };
    name.split([' ', '-', '\'']).map(spelt).filter(|word| !word.is_empty()).collect()
}

impl Noun for User {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        match reach {
            Reach::All => true,
            Reach::Site | Reach::Team => {
                let shares = |site: &String| {
                    site == "*" || site.parse().is_ok_and(|site| actor.at_site(Reach::Site, site))
                };
                record.body.sites.iter().any(shares) || record.id.to_string() == actor.user
            }
            Reach::None => false,
            _ => record.id.to_string() == actor.user,
        }
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        match record.id.to_string() == ctx.actor().user {
            true => vec![],
            false => possible(record, ctx),
        }
    }
}
