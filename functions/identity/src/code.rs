//! Six digits by e-mail or SMS: for one purpose, 15 minutes, five tries.

use jiff::{SignedDuration, Timestamp};
use kernel::{Error, Result};
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Commit, Key, Store, When};

pub const LASTS: SignedDuration = SignedDuration::from_mins(15);
const TRIES: i64 = 5;
/// Codes of one purpose that a user may ask for in an hour.
const HOURLY: u64 = 5;

#[derive(Serialize, Deserialize)]
struct Pending {
    digest: String,
    until: Timestamp,
    tries: i64,
    /// The address that the code confirms, if it is a new one.
    #[serde(default)]
    address: Option<Sealed<String>>,
}

fn place(purpose: &str, user: &str) -> Key {
    Key::item("code", format!("{purpose}~{user}"), ".")
}

fn digest(store: &Store, purpose: &str, user: &str, code: &str) -> String {
    store.blind("identity.code", &format!("{purpose}~{user}~{}", code.trim()))
}

/// A new code; an older one of the same purpose ends. 429 beyond five an hour.
pub async fn issue(store: &Store, purpose: &str, user: &str, address: Option<&str>) -> Result<String> {
    let now = store.now();
    let hour = now.strftime("%Y-%m-%dT%H").to_string();
    let asked = Key::item("rate", format!("code~{purpose}~{user}"), &hour);
    if store.count(&asked, now + SignedDuration::from_hours(2)).await? > HOURLY {
        return Err(Error::too_many(
            "too-many-codes",
            "five codes were sent within the hour; try again later",
            3600,
        ));
    }
    let code = format!("{:06}", rand::random_range(0..1_000_000));
    let pending = Pending {
        digest: digest(store, purpose, user, &code),
        until: now + LASTS,
        tries: 0,
        address: address.map(Into::into),
    };
    store.commit().put(&place(purpose, user), &pending).run().await?;
    Ok(code)
}

/// The confirmed address, if the code is right, and the part of a commit that ends it: whoever is interrupted before what
/// it is for is done has it still. Each wrong one counts.
pub async fn redeem(
    store: &Store,
    purpose: &str,
    user: &str,
    code: &str,
) -> Result<(Commit, Option<String>)> {
    let wrong = || {
        Error::field(
            "wrong-code",
            "/code",
            "this code is not right, or not valid any more; ask for a new one",
        )
    };
    let key = place(purpose, user);
    let pending: Pending = store.read(&key).await?.ok_or_else(wrong)?;
    if pending.until <= store.now() {
        return Err(wrong());
    }
    if pending.digest != digest(store, purpose, user, code) {
        // Counted under a condition, so that tries at the same moment are no more than five either.
        let below = When::Below("tries", TRIES);
        store.commit().add_if(&key, "tries", 1, below, move |_| wrong()).run().await?;
        return Err(wrong());
    }
    let unused = store::is("digest", &pending.digest).and(When::Below("tries", TRIES));
    let ended = store.commit().delete_if(&key, unused, move |_| wrong());
    Ok((ended, pending.address.map(|a| a.0)))
}
