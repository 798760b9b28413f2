//! Requests without a token still belong to an organisation: it is named by its slug, its own domain, or a
//! personal link, which opens one record for one purpose until it expires.
//!
//! A link is sealed with the organisation's own key, so nobody can make or change one, and it needs no item in
//! the table. Whoever must be able to withdraw one keeps its id with the record and compares.

use crate::{Anyone, App, gate::TenantGate};
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use kernel::{Error, Id, Result, TenantId, Ulid};
use std::fmt::Display;
use store::{Scope, Store};

/// What a personal link says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Names the link in change records: `public:<id>`.
    pub id: String,
    /// A word of the module that made it: `context.allow`.
    pub purpose: String,
    /// The one record it opens.
    pub record: String,
    pub expires_at: Timestamp,
}

/// A link just made.
#[derive(Clone, Debug)]
pub struct Minted {
    pub link: Link,
    /// The address to send.
    pub url: String,
}

const PLACE: &str = "link";
const SEPARATOR: char = '\n';

impl App {
    /// A link to one record of the organisation that `store` has open.
    pub fn mint(
        &self,
        store: &Store,
        purpose: &str,
        record: impl Display,
        expires_at: Timestamp,
    ) -> Result<Minted> {
        let tenant = store.scope().tenant().ok_or_else(|| Error::internal("a link needs an organisation"))?;
        let id = Ulid::new().to_string();
        let link = Link { id, purpose: purpose.into(), record: record.to_string(), expires_at };
        let words =
            [link.id.clone(), expires_at.as_second().to_string(), link.purpose.clone(), link.record.clone()];
        let sealed = store.seal(PLACE, words.join("\n").into_bytes());
        let url =
            format!("{}/p/{}.{}", self.place().public_url, tenant.prefix(), BASE64URL_NOPAD.encode(&sealed));
        Ok(Minted { link, url })
    }
}

impl App {
    /// What a personal link of the organisation that `store` has open says, for somebody who is signed in there. 404
    /// for whatever is not (or no longer) one.
    pub fn open_link(&self, store: &Store, token: &str) -> Result<Link> {
        let (tenant, sealed) = token.split_once('.').ok_or(Error::Missing)?;
        let own = store.scope().tenant().is_some_and(|t| t.prefix() == tenant);
        let link = read(store, sealed).filter(|l| own && l.expires_at > store.now());
        link.ok_or(Error::Missing)
    }
}

fn read(store: &Store, sealed: &str) -> Option<Link> {
    let bytes = BASE64URL_NOPAD.decode(sealed.as_bytes()).ok()?;
    let text = String::from_utf8(store.unseal(PLACE, &bytes).ok()?).ok()?;
    let mut words = text.split(SEPARATOR).map(String::from);
    let id = words.next()?;
    let expires_at = Timestamp::from_second(words.next()?.parse().ok()?).ok()?;
    Some(Link { id, expires_at, purpose: words.next()?, record: words.next()? })
}

impl Anyone {
    /// Opens the organisation that a personal link belongs to, for the link. 404 for whatever is not (or no
    /// longer) a link of ours. A suspended organisation's links still open: its bill is paid by one.
    pub async fn link(&self, token: &str) -> Result<(Link, Store)> {
        let (tenant, sealed) = token.split_once('.').ok_or(Error::Missing)?;
        let scope = Scope::Tenant(TenantId::from_prefix(tenant).ok_or(Error::Missing)?);
        let store = self.open(scope, "public").await?;
        let link = read(&store, sealed).filter(|l| l.expires_at > self.now()).ok_or(Error::Missing)?;
        let gate = self.app().gates().of(&store).await?;
        let tenant = gate.tenant.as_ref().ok_or(Error::Missing)?;
        match tenant.open(true).map_err(|e| e.code()) {
            Ok(()) | Err("tenant-suspended") => {}
            Err(_) => return Err(Error::Missing),
        }
        let caller = store::Caller { by: format!("public:{}", link.id), ..self.caller().clone() };
        Ok((link, store.acting(caller)))
    }

    /// Opens the organisation that a token of a module's own names by its prefix, acting as `public:<record>`. 404
    /// for whatever is no open organisation of ours, as for every other wrong token.
    pub async fn guest(&self, prefix: &str, record: impl Display) -> Result<(Store, TenantGate)> {
        let scope = Scope::Tenant(TenantId::from_prefix(prefix).ok_or(Error::Missing)?);
        let store = self.open(scope, &format!("public:{record}")).await?;
        let gate = self.app().gates().of(&store).await?;
        let tenant = gate.tenant.clone().ok_or(Error::Missing)?;
        tenant.open(true).map_err(|_| Error::Missing)?;
        Ok((store, tenant))
    }

    /// Opens the organisation that has this slug, or this domain of its own. 404 if there is none (yet), 423
    /// if it is not open.
    pub async fn organisation(&self, name: &str) -> Result<(TenantId, Store)> {
        let name = name.trim().to_ascii_lowercase();
        let field = if name.contains('.') { "domain" } else { "slug" };
        let holder: Option<TenantId> = self.platform().await?.holder(field, &name).await?;
        let tenant = holder.ok_or(Error::Missing)?;
        let store = self.open(Scope::Tenant(tenant), "public").await?;
        let gate = self.app().gates().of(&store).await?;
        match gate.tenant.as_ref().ok_or(Error::Missing)?.open(true) {
            Err(e) if matches!(e.code(), "tenant-not-ready" | "tenant-closed") => Err(Error::Missing),
            Err(e) => Err(e),
            Ok(()) => Ok((tenant, store)),
        }
    }
}

/// For handlers that serve one purpose.
impl Link {
    pub fn is_of<I: Id>(&self, purpose: &str) -> Result<I> {
        if self.purpose != purpose {
            return Err(Error::Missing);
        }
        self.record.parse()
    }
}
