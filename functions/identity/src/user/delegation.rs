//! Who may give what to whom (IDN-2): nobody gives what they lack, and nobody touches those above them.

use super::User;
use authz::{Excess, Granter, Only, Wanted, grant_faults};
use kernel::{Error, Result, SiteId};
use store::{Commit, Record, facts};
use web::{Ctx, Reached};

fn names<T: ToString>(reached: &Reached<T>) -> Vec<String> {
    match reached {
        Reached::All => vec!["*".into()],
        Reached::These(some) => some.iter().map(T::to_string).collect(),
    }
}

/// What is asked of the caller as a granter; the borrowed parts live in here.
pub struct Giving {
    sites: Vec<String>,
    modules: Vec<String>,
}

impl Giving {
    pub fn by(ctx: &Ctx) -> Self {
        Self { sites: names(&ctx.actor().sites), modules: names(&ctx.actor().modules) }
    }

    pub fn granter<'a>(&'a self, ctx: &'a Ctx) -> Granter<'a> {
        let edition = ctx.gate().tenant.as_ref().map(|tenant| tenant.edition);
        Granter { holder: ctx.holder(), edition, sites: &self.sites, modules: &self.modules }
    }
}

/// 403 `grant-too-wide` with all that exceeds the caller.
pub fn may_give(ctx: &Ctx, roles: &[String], sites: &[String], modules: &[String]) -> Result<()> {
    let giving = Giving::by(ctx);
    refuse(grant_faults(&giving.granter(ctx), &Wanted { roles, sites, modules }, ctx.now()))
}

/// The one refusal that fits what was found.
pub fn refuse(found: Vec<Excess>) -> Result<()> {
    if found.is_empty() {
        return Ok(());
    }
    let unknown = |e: &Excess| matches!(e, Excess::UnknownRole { .. } | Excess::UnknownPermission { .. });
    let error = if found.iter().any(unknown) {
        Error::unprocessable("unknown-right", "there is no such role or permission in this organisation")
    } else if found.iter().any(|e| matches!(e, Excess::Ceiling { .. })) {
        Error::unprocessable("above-ceiling", "no organisation may give this role so much")
    } else {
        Error::forbidden("grant-too-wide", "this is more than you may give")
    };
    Err(error.with("exceeds", found))
}

/// 403 unless the caller may change this user: not themselves, and nobody whose roles they could not give.
pub fn may_touch(ctx: &Ctx, user: &Record<User>) -> Result<()> {
    if user.id.to_string() == ctx.actor().user {
        return Err(Error::forbidden("own-account", "somebody else has to do this for you"));
    }
    if ctx.only() != Some(Only::MayGrant) {
        return Ok(());
    }
    may_give(ctx, &user.body.roles, &[], &[])
}

/// Sites that are named must be there.
pub fn require_sites(mut commit: Commit, sites: &[String]) -> Result<Commit> {
    for site in sites.iter().filter(|site| *site != "*") {
        let unknown = || Error::field("site-unknown", "/sites", "there is no such site in this organisation");
        let id: SiteId = site.parse().map_err(|_| unknown())?;
        commit = commit.require(facts::SITE, id, unknown);
    }
    Ok(commit)
}
