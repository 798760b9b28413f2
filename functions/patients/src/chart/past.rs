//! What an entry was before: its versions and what they differ in, for whoever sees the whole of it.

use super::{Entry, both, seen};
use authz::Only;
use axum::extract::RawQuery;
use kernel::{Error, PatientId, Result};
use store::Record;
use web::{
    Answer, Ctx, PartVersion, Within,
    noun::{self, History},
};

/// The entry, for who may know what it was before.
async fn before<E: Entry>(ctx: &Ctx, id: PatientId, part: E::Id) -> Result<Record<E>> {
    whole(ctx)?;
    let (patient, entry) = both::<E>(ctx, id, part).await?;
    seen(ctx, &patient, vec![entry]).await?.pop().ok_or(Error::Missing)
}

/// 403 to whoever sees a part of an entry only.
pub fn whole(ctx: &Ctx) -> Result<()> {
    match ctx.only() {
        None | Some(Only::Reason) => Ok(()),
        Some(_) => Err(Error::forbidden("forbidden", "your role sees the entry as it is, not its history")),
    }
}

pub async fn version<E: Entry>(
    ctx: Ctx,
    PartVersion(id, part, version): PartVersion<PatientId, E::Id>,
) -> Answer {
    let entry = before::<E>(&ctx, id, part).await?;
    noun::version_of(&ctx, &entry, version).await
}

pub async fn diff<E: Entry>(
    ctx: Ctx,
    Within(id, part): Within<PatientId, E::Id>,
    RawQuery(query): RawQuery,
) -> Answer {
    let between = noun::between(query.as_deref())?;
    before::<E>(&ctx, id, part).await?;
    noun::diff_of::<E>(&ctx, part, between).await
}

pub async fn history<E: Entry>(ctx: Ctx, Within(id, part): Within<PatientId, E::Id>) -> Answer {
    before::<E>(&ctx, id, part).await?;
    let data = ctx.store().history::<E>(part, None, 100).await?;
    web::ok(&History { data, next: None })
}
