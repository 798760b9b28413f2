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
    ($konst:ident, $name:literal, $sk:expr, $holds:expr) => {
        pub const $konst: Index = Index { name: $name, pk: concat!($name, "pk"), sk: $sk, holds: $holds };
    };
}
index!(GSI1, "gsi1", "gsi1sk", None);
index!(GSI2, "gsi2", "gsi2sk", None);
index!(GSI3, "gsi3", "gsi3sk", Some(&["version"]));
index!(GSI4, "gsi4", TRAIL, Some(&["by", "hash", "version"]));
index!(GSI5, "gsi5", TRAIL, Some(&["by", "hash", "version"]));
index!(GSI6, "gsi6", TRAIL, Some(&["by", "hash", "version"]));

/// The order of the trail, `{time}#…`: one attribute for the three indexes that are read in it.
pub const TRAIL: &str = "trailsk";

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
