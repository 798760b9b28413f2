//! The table's attributes and indexes. `infra/data.yaml` declares the same; a test compares the two.

use std::collections::BTreeSet;

pub const PK: &str = "pk";
pub const SK: &str = "sk";
pub const TTL: &str = "ttl";

/// A global secondary index: its name, its two keys, and what its entries hold beside keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Index {
    pub name: &'static str,
    pub pk: &'static str,
    pub sk: &'static str,
    /// None: all attributes.
    pub holds: Option<&'static [&'static str]>,
}

macro_rules! index {
    ($konst:ident, $name:literal, $holds:expr) => {
        pub const $konst: Index =
            Index { name: $name, pk: concat!($name, "pk"), sk: concat!($name, "sk"), holds: $holds };
    };
}
index!(GSI1, "gsi1", None);
index!(GSI2, "gsi2", None);
index!(GSI3, "gsi3", Some(&["version"]));

/// The order of the trail, `{time}#…`: one attribute for the three indexes that are read in it.
pub const TRAIL: &str = "trailsk";

macro_rules! trail {
    ($konst:ident, $name:literal) => {
        pub const $konst: Index = Index {
            name: $name,
            pk: concat!($name, "pk"),
            sk: TRAIL,
            holds: Some(&["by", "hash", "version"]),
        };
    };
}
trail!(GSI4, "gsi4");
trail!(GSI5, "gsi5");
trail!(GSI6, "gsi6");

/// Lists, second lists, due rows, audit by day, by actor, by action.
pub const INDEXES: [Index; 6] = [GSI1, GSI2, GSI3, GSI4, GSI5, GSI6];

/// Attributes of the table itself and of [`crate::Record`]; no noun may have a field of one of these names.
pub const RESERVED: &[&str] = &[
    "pk",
    "sk",
    "gsi1pk",
    "gsi1sk",
    "gsi2pk",
    "gsi2sk",
    "gsi3pk",
    "gsi3sk",
    "gsi4pk",
    "gsi5pk",
    "gsi6pk",
    "trailsk",
    "ttl",
    "id",
    "version",
    "created_at",
    "updated_at",
    "deleted_at",
    "head",
    "actions",
];

/// The attributes that keys are made of, each once.
pub fn keys() -> BTreeSet<&'static str> {
    [PK, SK].into_iter().chain(INDEXES.iter().flat_map(|index| [index.pk, index.sk])).collect()
}

/// Shards of a day's audit list: a partition takes 1,000 write units a second, an entry one.
pub const DAY_SHARDS: u32 = 4;
