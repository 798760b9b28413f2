//! What proves the trail: the form that a change's hash covers, the tree over a day's hashes, and the verifier.
//! Pure: items in, findings out. The same code runs in the audit function, in `xtask verify-audit` and in tests,
//! and needs no key of a tenant.
//!
//! Items are given in the database's own JSON (`{"pk": {"S": "…"}, …}`), as the stream, exports and the local
//! table have them.

mod access;
mod day;
mod finding;
mod form;
mod link;
mod merkle;
mod typed;
mod whole;

pub use access::{AccessLeaf, Entry, Kept, accesses};
pub use day::{Day, DayDigest, Sealed, Summary, days, genesis_of_digests, lines, to_lines};
pub use finding::{Broken, Finding, sorted};
pub use form::{Content, Form, canonical, genesis, hex_digest};
pub use link::{Chain, Head, Leaf, Link, Seen, record};
pub use merkle::{Side, Step, holds, proof, root};
pub(crate) use typed::typed_digest;
pub use typed::{item_digest, typed};
pub use whole::{Checked, Evidence, Verdict, verify};
