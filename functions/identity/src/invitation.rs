//! An invitation: a signed link, good for seven days and for one use. It stands nowhere: its parts name the
//! organisation, the user and the end, and the signature is the organisation's own. It ends by being taken up,
//! by running out, or by a newer one.

pub mod api;

use crate::user::{Login, Status, User};
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use kernel::{Error, Id, Result, TenantId, Ulid, UserId};
use store::{Record, Scope, Store};

/// What a link says, before anything of it is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimed {
    pub tenant: TenantId,
    pub user: UserId,
    pub until: Timestamp,
}

/// tenant 16 | user 16 | end, seconds 8 | signature 16
const LENGTH: usize = 56;
const SIGNED: usize = 40;

fn parts(claimed: Claimed) -> Vec<u8> {
    let mut bytes = claimed.tenant.ulid().to_bytes().to_vec();
    bytes.extend(claimed.user.ulid().to_bytes());
    bytes.extend(claimed.until.as_second().to_be_bytes());
    bytes
}

fn signature(store: &Store, bytes: &[u8]) -> String {
    store.blind("identity.invitation", &BASE64URL_NOPAD.encode(bytes))
}

/// The link's last part, for a user that was invited.
pub fn token(store: &Store, tenant: TenantId, user: &Record<User>) -> Result<String> {
    let until = user.body.lapses_at().ok_or_else(|| Error::internal("nobody was invited"))?;
    let mut bytes = parts(Claimed { tenant, user: user.id, until });
    let signature =
        data_encoding::BASE32_NOPAD.decode(signature(store, &bytes).as_bytes()).map_err(Error::internal)?;
    bytes.extend(signature);
    Ok(BASE64URL_NOPAD.encode(&bytes))
}

pub fn read(token: &str) -> Option<Claimed> {
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok().filter(|b| b.len() == LENGTH)?;
    let ulid = |at: usize| Some(Ulid::from_bytes(bytes[at..at + 16].try_into().ok()?));
    let seconds = i64::from_be_bytes(bytes[32..40].try_into().ok()?);
    Some(Claimed {
        tenant: TenantId::of(ulid(0)?),
        user: UserId::of(ulid(16)?),
        until: Timestamp::from_second(seconds).ok()?,
    })
}

/// Whether the organisation itself has signed it; compared by digest, so that time tells nothing.
pub fn signed(store: &Store, token: &str) -> bool {
    let Ok(bytes) = BASE64URL_NOPAD.decode(token.as_bytes()) else { return false };
    if bytes.len() != LENGTH || !matches!(store.scope(), Scope::Tenant(_)) {
        return false;
    }
    let expected = signature(store, &bytes[..SIGNED]);
    seal::sha256(expected.as_bytes())
        == seal::sha256(data_encoding::BASE32_NOPAD.encode(&bytes[SIGNED..]).as_bytes())
}

/// Whether the link is this user's present one and not taken up.
pub fn open(user: &Record<User>, claimed: Claimed, now: Timestamp) -> Result<()> {
    let current = user.body.lapses_at().is_some_and(|until| until.as_second() == claimed.until.as_second());
    if user.deleted_at.is_some()
        || !matches!(user.body.status, Status::Invited | Status::Lapsed | Status::Active)
    {
        return Err(Error::Missing);
    }
    if user.body.login == Login::Ready {
        return Err(Error::conflict("invitation-used", "this invitation was taken up; sign in"));
    }
    if !current || claimed.until <= now {
        return Err(Error::conflict(
            "invitation-ended",
            "this invitation does not work any more; ask for a new one",
        ));
    }
    Ok(())
}
