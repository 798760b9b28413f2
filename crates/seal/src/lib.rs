//! Sealed fields and blind indexes: AES-256-GCM and HMAC-SHA256 under keys that derive from one wrapped key
//! per tenant. No AWS here: who wraps and unwraps is a port ([`KeyService`]).

mod field;
mod ring;
mod wrapping;

pub use field::{MARK, Sealed, open, table};
pub use ring::{Ring, Sha256, WrappedKey, is_signed, sha256};
pub use wrapping::{KeyService, LocalMaster, Unwrapping};
