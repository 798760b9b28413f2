//! Client organisations (EAP-1): who buys the programme, with contacts, verification, tags and eligible population.

mod api;
mod contact;
mod list;
mod population;
mod tax;
pub mod write;

pub use api::routes;
pub use contact::Contact;
pub use population::headcounts;

use crate::place::{self, Capitals, Outward};
use jiff::Timestamp;
use kernel::{ClientOrgId, Error, Fault, IndustryId, Lifecycle, Result, Step, text::folded};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::{Commit, Entity, List, Record, Row, Token, Unique, When};
use web::{
    Actor, Ctx, Noun, Reach,
    noun::{Hooks, Written},
};

kernel::words! {
    #[derive(Default)]
    pub enum Status { Active = "active", Inactive = "inactive", #[default] Pending = "pending" }
}
kernel::words! {
    pub enum Method { Email = "email", Phone = "phone", Sms = "sms", Whatsapp = "whatsapp", Other = "other" }
}
kernel::words! {
    /// Who may register themselves as a beneficiary: nobody, whoever has the code, or whoever has it and is listed.
    #[derive(Default)]
    pub enum SelfRegistration { #[default] Off = "off", CodeOnly = "code_only", CodeAndList = "code_and_list" }
}

/// A part of the organisation that reports may break down by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ReportingUnit")]
pub struct Unit {
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{1,40}$"))]
    pub code: String,
    #[schemars(length(min = 1, max = 120))]
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 40))]
    pub parent: Option<String>,
}

/// The headcount that was stated last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "StatedHeadcount")]
pub struct Stated {
    #[schemars(length(max = 7))]
    pub month: String,
    #[schemars(range(max = 10_000_000))]
    pub headcount: u64,
}

/// An organisation that buys the programme.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ClientOrg")]
pub struct Client {
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 254), extend("format" = "email"))]
    pub email: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 50))]
    pub phone: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500), regex(pattern = r"^https?://[^\s/]+\.[^\s]+$"))]
    pub website: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2000))]
    pub address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2000))]
    pub billing_address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub tax_id: Option<String>,
    /// These three show the primary contact, and write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub contact_person: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 254), extend("format" = "email"))]
    pub contact_email: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 50))]
    pub contact_phone: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_contact_method: Option<Method>,
    /// The client's own people with whom we deal; one of them is the primary one.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub contacts: Vec<Contact>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub industry: Option<IndustryId>,
    /// Given at creation; later by the commands `activate` and `deactivate`.
    #[serde(default)]
    #[schemars(extend("x-kept" = true))]
    pub status: Status,
    /// Set by holders of `client_org.verify`, here or by command.
    #[serde(default)]
    #[schemars(extend("x-kept" = true))]
    pub is_verified: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub verified_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 40), extend("readOnly" = true))]
    pub verified_by: Option<String>,
    /// IANA; the tenant's where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 50))]
    pub timezone: Option<String>,
    /// Ours: the client's contacts never see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 10_000))]
    pub notes: Option<Sealed<String>>,
    /// At most 50 keys and 8 KB; nothing of it is searched.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 50, "propertyNames" = {"pattern": "^[a-z0-9_]{1,40}$"}))]
    pub metadata: Map<String, Value>,
    #[serde(default)]
    #[schemars(length(max = 20), inner(length(min = 1, max = 40)))]
    pub tags: Vec<String>,
    /// What employees register with; a new one by command.
    #[serde(default)]
    #[schemars(length(max = 8), extend("readOnly" = true))]
    pub join_code: String,
    #[serde(default)]
    pub self_registration: SelfRegistration,
    /// May raise the tenant's smallest cell of reports, never lower it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 5, max = 1000))]
    pub min_cell: Option<u32>,
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub reporting_units: Vec<Unit>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub population: Option<Stated>,
}

/// Bytes of a name that it is sorted by.
const SORTED: usize = 120;

impl Client {
    /// What it is sorted by, each differing from every other.
    fn sort_name(&self, id: ClientOrgId) -> String {
        let name = folded(&self.name);
        format!("{} {id}", &name[..name.floor_char_boundary(SORTED)])
    }
    fn contact_words(&self) -> impl Iterator<Item = &Sealed<String>> {
        let listed = self.contacts.iter().map(|c| &c.name);
        self.contact_person.iter().chain(listed)
    }
    /// The least number of persons behind a figure that this client is shown; never below 5.
    pub fn smallest_cell(&self, tenant: i64) -> i64 {
        tenant.max(5).max(i64::from(self.min_cell.unwrap_or_default()))
    }
    /// Where its days begin.
    pub fn zone<'a>(&'a self, tenant: &'a str) -> &'a str {
        self.timezone.as_deref().unwrap_or(tenant)
    }
}

/// Telephone numbers are found by their digits, with or without the code of the country.
pub(crate) fn digits(phone: &str) -> Vec<String> {
    let all: String = phone.chars().filter(char::is_ascii_digit).collect();
    let bare = all.trim_start_matches('0').to_string();
    let local = (bare.len() > 10).then(|| bare[bare.len() - 10..].to_string());
    let mut found: Vec<String> = [bare].into_iter().chain(local).filter(|d| d.len() >= 3).collect();
    found.dedup();
    found
}

impl Entity for Client {
    type Id = ClientOrgId;
    const NOUN: &'static str = "client_org";
    const PERSONAL: bool = true;
    // Every filter of the source is a set of partitions of one of these; see `list`.
    const LISTS: &'static [List<Self>] = &[
        List::<Self>::by("created", &[], |r| vec![Row::new(&[], &[&r.id])]).range(),
        List::<Self>::by("name", &[], |r| vec![Row::new(&[], &[&r.body.sort_name(r.id)])]).oldest_first(),
        List::<Self>::by("state", &["status", "is_verified"], |r| {
            vec![Row::new(&[&r.body.status, &r.body.is_verified], &[&r.id])]
        })
        .range(),
        List::<Self>::by("state_name", &["status", "is_verified"], |r| {
            vec![Row::new(&[&r.body.status, &r.body.is_verified], &[&r.body.sort_name(r.id)])]
        })
        .oldest_first(),
        List::<Self>::by("industry", &["industry_id", "status", "is_verified"], |r| {
            let row = |i: &IndustryId| Row::new(&[i, &r.body.status, &r.body.is_verified], &[&r.id]);
            r.body.industry.iter().map(row).collect()
        })
        .range(),
        List::<Self>::by("industry_name", &["industry_id", "status", "is_verified"], |r| {
            let name = r.body.sort_name(r.id);
            let row = |i: &IndustryId| Row::new(&[i, &r.body.status, &r.body.is_verified], &[&name]);
            r.body.industry.iter().map(row).collect()
        })
        .oldest_first(),
    ];
    const UNIQUE: &'static [Unique<Self>] = &[
        Unique::of("email", "duplicate", |c| c.email.iter().map(|e| e.to_lowercase()).collect()),
        Unique::of("join_code", "duplicate", |c| vec![c.join_code.clone()]),
    ];
    fn tokens(&self) -> Vec<Token> {
        let mut words: Vec<String> = vec![];
        let names = [self.name.as_str()].into_iter().chain(self.contact_words().map(|s| s.as_str()));
        words.extend(names.flat_map(|n| folded(n).split(' ').map(String::from).collect::<Vec<_>>()));
        let mails = self.contacts.iter().filter_map(|c| c.email.as_ref());
        words.extend(self.email.iter().chain(&self.contact_email).chain(mails).map(|m| m.to_lowercase()));
        words.extend(self.phone.iter().chain(&self.contact_phone).flat_map(|p| digits(p)));
        words.sort();
        words.dedup();
        let tags = self.tags.iter().map(|t| Token::Exact("tag", folded(t)));
        words.into_iter().filter(|w| !w.is_empty()).map(Token::Word).chain(tags).collect()
    }
}

impl Lifecycle for Client {
    kernel::state_of!(status: Status);
    const STEPS: &'static [Step<Self>] = &[
        Step::<Self>::of("activate", "client_org.edit", &[Status::Pending, Status::Inactive], Status::Active)
            .reason(),
        Step::<Self>::of("deactivate", "client_org.edit", &[Status::Active], Status::Inactive).reason(),
    ];
}

impl Noun for Client {
    fn within(_: &Record<Self>, reach: Reach, _: &Actor) -> bool {
        reach == Reach::All
    }
    async fn proven(ctx: &Ctx, record: &Record<Self>) -> Result<bool> {
        place::near(ctx, record.id).await
    }
    fn check(&self) -> Vec<Fault> {
        write::faults(self)
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let mut actions = web::noun::possible(record, ctx);
        if ctx.may("client_org.verify") > Reach::None {
            actions.push(if record.body.is_verified { "unverify" } else { "verify" });
        }
        actions
    }
}

impl Capitals for Client {
    const WORDS: &'static [&'static str] = &["status", "preferred_contact_method"];
}

impl Outward for Client {
    fn outward(&mut self) {
        (self.notes, self.metadata, self.tags) = (None, Map::new(), vec![]);
    }
}

impl Hooks for Client {
    fn before(ctx: &Ctx, action: &str, old: Option<&Record<Self>>, new: &mut Record<Self>) -> Result<()> {
        write::before(ctx, action, old, new)
    }
    async fn on_write(
        _: &Ctx,
        Written { action, old, new }: Written<'_, Self>,
        commit: Commit,
    ) -> Result<Commit> {
        let commit = commit.emit(api::said(action, old, new));
        Ok(write::around(old, new, write::idle(action, new.id, commit)))
    }
}

fn unknown() -> Error {
    Error::field("unknown-client", "/client", "there is no such client")
}

/// The client that a record of its names, as it is now.
pub async fn known(ctx: &Ctx, id: ClientOrgId) -> Result<Record<Client>> {
    web::known(ctx, id, unknown).await
}

/// The same as a condition of the commit.
pub fn required(commit: Commit, id: ClientOrgId) -> Commit {
    place::live(commit, id, When::Present, unknown)
}
