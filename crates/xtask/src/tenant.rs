//! `cargo xtask tenant export|erase|restore`: one organisation, taken out whole, removed, and put back byte for byte.
//!
//! What is copied: every item under the organisation's prefix of the table as it lies there (sealed values stay
//! sealed, its wrapped keys are among them), its files in both buckets, and its logins without their secrets. What
//! is not: passwords, second factors and sessions, which a user pool never gives out; and the platform's register
//! (sign-up, plan, short name), which is the platform's and stays when a customer's data goes. `docs/restore.md` is
//! the runbook.

mod accounts;
mod bundle;
mod items;
mod place;

pub use accounts::{Account, Accounts, Calling, Cognito, Made};
pub use bundle::{Bundle, Lain, Manifest};
pub use items::attributes;
pub use place::{local, stack};

use kernel::{Id, TenantId};
use local::{
    trouble,
    trouble::{Outcome, While},
};
use seal::KeyService;
use std::{path::Path, sync::Arc};
use store::{Scope, sdk};
use web::files::{Bucket, File, Files};

/// Where an organisation lives: on a laptop, in a stack, in a test.
pub struct Place {
    pub sdk: sdk::Client,
    pub table: String,
    pub files: Arc<dyn Files>,
    pub keys: Arc<dyn KeyService>,
    pub accounts: Arc<dyn Accounts>,
}

/// What was done, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    pub items: usize,
    pub files: usize,
    pub logins: usize,
    /// Under Object Lock: they stay when all else goes.
    pub locked: usize,
    /// Whose login could not get its old `sub`: they need a new invitation.
    pub strangers: Vec<String>,
}

/// Everything of the organisation into a new folder.
pub async fn export(place: &Place, tenant: TenantId, to: &Path, at: &str) -> Outcome<Done> {
    let items = items::all(place, tenant).await?;
    if items.is_empty() {
        return Err(trouble!("There is nothing of {tenant} here."));
    }
    let mut bundle = Bundle::create(to)?;
    let mut done = Done { items: items.len(), ..Done::default() };
    for user in accounts::named(&items) {
        if let Some(account) = place.accounts.show(&user).await.whilst("look at a login")? {
            bundle.account(&account);
            done.logins += 1;
        }
    }
    bundle.items(items);
    for file in files(place, tenant).await? {
        done.files += 1;
        done.locked += usize::from(file.bucket() == Bucket::Digests);
        bundle.file(&file, &read(place, &file).await?)?;
    }
    bundle.close(tenant, at)?;
    Ok(done)
}

/// Removes what an export holds, if that is all there is. Digests stay as long as they are locked.
pub async fn erase(place: &Place, tenant: TenantId, exported: &Path) -> Outcome<Done> {
    let bundle = Bundle::open(exported, tenant)?;
    let there = items::all(place, tenant).await?;
    // Less is what an interrupted erasure leaves; anything new or other would be lost.
    if let Some(other) = there.iter().find(|line| bundle.lines().binary_search(line).is_err()) {
        return Err(trouble!(
            "The table has changed since {} was written, first at {}; export again, and erase with that.",
            exported.display(),
            items::place_of(other)
        ));
    }
    let now = files(place, tenant).await?;
    if let Some(new) = now.iter().find(|file| !bundle.has(file)) {
        return Err(trouble!("The file {} is not in {}; export again.", new.key(), exported.display()));
    }
    let mut done = Done::default();
    for account in bundle.accounts() {
        place.accounts.remove(&account.user).await.whilst("remove a login")?;
        done.logins += 1;
    }
    for file in now {
        match file.bucket() {
            Bucket::Digests => done.locked += 1,
            Bucket::Documents => {
                // The storage's own flag would keep bytes of an organisation that is not there; the export knows it.
                place.files.hold(&file, false).await.whilst("release a file")?;
                place.files.remove(&file).await.whilst("remove a file")?;
                done.files += 1;
            }
        }
    }
    done.items = items::remove(place, &there).await?;
    Ok(done)
}

/// Puts back what an export holds, and compares. What lies there already must be the same; so it may be repeated.
pub async fn restore(place: &Place, tenant: TenantId, exported: &Path) -> Outcome<Done> {
    let bundle = Bundle::open(exported, tenant)?;
    items::unwrap(place, tenant, bundle.lines()).await?;
    let there = items::all(place, tenant).await?;
    if let Some(other) = there.iter().find(|line| bundle.lines().binary_search(line).is_err()) {
        let key = items::place_of(other);
        return Err(trouble!(
            "{tenant} lives here, and otherwise: {key} is not as in the export. Nothing was done."
        ));
    }
    let mut done = Done::default();
    for (file, Lain { bytes, content_type, held }) in bundle.files(tenant)? {
        done.locked += usize::from(file.bucket() == Bucket::Digests);
        place.files.write(&file, &content_type, bytes).await.whilst("write a file")?;
        if held {
            place.files.hold(&file, true).await.whilst("hold a file")?;
        }
        done.files += 1;
    }
    for account in bundle.accounts() {
        if place.accounts.make(account).await.whilst("make a login")? == Made::Stranger {
            done.strangers.push(account.user.clone());
        }
        done.logins += 1;
    }
    done.items = items::put(place, bundle.lines()).await?;
    compare(place, tenant, &bundle).await?;
    Ok(done)
}

/// Whether what lies there is what the export says, byte for byte.
pub async fn compare(place: &Place, tenant: TenantId, bundle: &Bundle) -> Outcome<()> {
    let there = items::all(place, tenant).await?;
    if there != *bundle.lines() {
        let missing = bundle.lines().iter().find(|line| there.binary_search(line).is_err());
        let which = missing.map(|line| items::place_of(line)).unwrap_or_else(|| "something more".into());
        return Err(trouble!("The table differs from the export, first at {which}."));
    }
    for (file, lain) in bundle.files(tenant)? {
        if read(place, &file).await? != lain {
            return Err(trouble!("The file {} differs from the export.", file.key()));
        }
    }
    Ok(())
}

/// Every file of the organisation, in the order of its keys.
async fn files(place: &Place, tenant: TenantId) -> Outcome<Vec<File>> {
    let scope = Scope::Tenant(tenant);
    let mut all = vec![];
    for root in [File::document(scope, ""), File::warehouse(scope, ""), File::digest(scope, "")] {
        let mut after: Option<String> = None;
        loop {
            let keys = place.files.list(&root, after.as_deref()).await.whilst("list files")?;
            let Some(last) = keys.last().cloned() else { break };
            all.extend(keys.into_iter().map(|key| root.at(key)));
            after = Some(last);
        }
    }
    Ok(all)
}

async fn read(place: &Place, file: &File) -> Outcome<Lain> {
    let gone = || trouble!("The file {} went away while it was read.", file.key());
    let stored = place.files.stat(file).await.whilst("look at a file")?.ok_or_else(gone)?;
    let bytes = place.files.read(file, None).await.whilst("read a file")?.ok_or_else(gone)?;
    Ok(Lain { bytes, content_type: stored.content_type, held: stored.held })
}

/// `ten_…`, as the platform's pages show it.
pub fn named(text: &str) -> Outcome<TenantId> {
    text.parse().map_err(|_| trouble!("{text} is no organisation's id ({}_…).", TenantId::KIND))
}
