//! Keys. A segment never contains `#`; the tenant is the first segment and is written here alone.

use data_encoding::BASE32_NOPAD;
use kernel::{Id, TenantId};
use std::fmt::{self, Display};

/// Whose part of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    Tenant(TenantId),
    /// The platform's own records: tenants, plans, operators, look-ups.
    Platform,
}

impl Display for Scope {
    /// The first segment of every key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant(id) => f.write_str(&id.prefix()),
            Self::Platform => f.write_str("platform"),
        }
    }
}

impl Scope {
    /// From the `tenant` claim.
    pub fn from_claim(claim: &str) -> Option<Self> {
        if claim == "platform" {
            Some(Self::Platform)
        } else {
            TenantId::from_prefix(claim).map(Self::Tenant)
        }
    }
    pub fn tenant(self) -> Option<TenantId> {
        match self {
            Self::Tenant(id) => Some(id),
            Self::Platform => None,
        }
    }
}

/// A place in one scope's part of the table, without the scope.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

/// Joins segments. A `#` inside one would move everything behind it into another meaning.
pub(crate) fn join(segments: &[&dyn Display]) -> String {
    let mut out = String::new();
    for (n, segment) in segments.iter().enumerate() {
        if n > 0 {
            out.push('#');
        }
        let from = out.len();
        fmt::write(&mut out, format_args!("{segment}")).expect("writing to a string");
        assert!(!out[from..].contains('#'), "a key segment contains '#': {}", &out[from..]);
    }
    out
}

/// Text that callers send may hold any character: as a segment it is percent-encoded where it must be.
pub fn segment(text: &str) -> String {
    text.replace('%', "%25").replace('#', "%23")
}

pub(crate) fn base32(bytes: &[u8]) -> String {
    BASE32_NOPAD.encode(bytes)
}

impl Key {
    pub fn record<I: Id>(id: I) -> Self {
        Self { pk: join(&[&I::KIND, &id]), sk: ".".into() }
    }
    /// A part of an aggregate: lies under its record, read with it in one query.
    pub fn part<I: Id>(id: I, part: &str, n: impl Display) -> Self {
        Self { pk: join(&[&I::KIND, &id]), sk: join(&[&part, &segment(&n.to_string())]) }
    }
    /// An item that is no record: its family (a word of design's table, or a kind), its name, its place.
    pub fn item(family: &str, name: impl Display, sk: impl Display) -> Self {
        Self { pk: join(&[&family, &segment(&name.to_string())]), sk: sk.to_string() }
    }
    pub(crate) fn new(segments: &[&dyn Display], sk: impl Display) -> Self {
        Self { pk: join(segments), sk: sk.to_string() }
    }
    /// Change records are written by commits of their records, access entries by [`Store::keep_access`](crate::Store), and
    /// neither by anything else.
    pub(crate) fn is_audit(&self) -> bool {
        self.pk.starts_with("chg#") || self.pk.starts_with("access#")
    }
    pub(crate) fn untouchable(&self) -> kernel::Error {
        kernel::Error::internal("change and access records are written once, and never again")
    }
    pub fn sk(&self) -> &str {
        &self.sk
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{PatientId, Ulid};

    #[test]
    fn the_key_of_a_record_and_of_its_parts_share_a_partition() {
        let id = PatientId::of(Ulid::from_parts(1, 2));
        assert_eq!(Key::record(id).pk, Key::part(id, "line", 1).pk);
        assert_eq!(Key::record(id).pk, format!("pat#{id}"));
    }

    #[test]
    #[should_panic(expected = "contains '#'")]
    fn a_segment_never_smuggles_a_separator() {
        join(&[&"pat", &"a#b"]);
    }

    #[test]
    fn text_of_callers_becomes_one_segment() {
        assert_eq!(segment("a#b%23"), "a%23b%2523");
        assert_ne!(segment("a#b"), segment("a%23b"));
    }

    #[test]
    fn no_tenants_prefix_begins_anothers() {
        let (a, b) =
            (TenantId::of(Ulid::from_parts(7_000_000_000, 2)), TenantId::of(Ulid::from_parts(1, u128::MAX)));
        assert_eq!(a.prefix().len(), b.prefix().len());
        assert_eq!(Scope::from_claim(&a.prefix()), Some(Scope::Tenant(a)));
        assert_eq!(Scope::from_claim("platform"), Some(Scope::Platform));
        assert_eq!(Scope::from_claim(&b.prefix().to_lowercase()), None);
        assert_eq!(Scope::from_claim(""), None);
        assert_eq!((Scope::Tenant(a).tenant(), Scope::Platform.tenant()), (Some(a), None));
    }
}
