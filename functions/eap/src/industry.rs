//! Industries (EAP-1): a tree of at most six levels, by which clients are grouped.

mod tree;

use axum::{extract::RawQuery, http::Method, routing::get};
use kernel::{Error, Id, IndustryId, Result, text::folded};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use store::{Commit, Entity, Key, List, Record, Row, Unique, Wanted, is};
use web::{
    Answer, Ctx, Noun, Route,
    noun::{self, Hooks, Pages, Paths, View, Written},
    ok, route,
};

use crate::place::{self, none};

const PATH: &str = "/v1/eap/industries";

/// A branch of trade.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Industry {
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 50))]
    pub code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2000))]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<IndustryId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub external_id: Option<String>,
    /// 0 at the top.
    #[serde(default)]
    #[schemars(range(max = 5), extend("readOnly" = true))]
    pub level: u8,
    /// Stays where it is used, and is given to no client any more.
    #[serde(default)]
    pub retired: bool,
}

impl Entity for Industry {
    type Id = IndustryId;
    const NOUN: &'static str = "industry";
    const LISTS: &'static [List<Self>] = &[
        // The source's order: level, then name.
        List::<Self>::by("level", &[], |r| {
            vec![Row::new(&[], &[&r.body.level, &folded(&r.body.name), &r.id])]
        })
        .oldest_first(),
        List::<Self>::by("parent", &["parent"], |r| {
            r.body.parent.iter().map(|p| Row::new(&[p], &[&folded(&r.body.name), &r.id])).collect()
        })
        .oldest_first(),
    ];
    const UNIQUE: &'static [Unique<Self>] = &[
        Unique::of("code", "duplicate", |i| i.code.iter().map(|c| c.to_lowercase()).collect()),
        Unique::of("external_id", "duplicate", |i| i.external_id.iter().cloned().collect()),
    ];
}

impl Noun for Industry {}

impl Hooks for Industry {
    async fn prepare(
        ctx: &Ctx,
        action: &str,
        old: Option<&Record<Self>>,
        new: &mut Record<Self>,
    ) -> Result<()> {
        if action != "delete" {
            new.body.level = tree::level(ctx, old.map(|o| o.id), new.body.parent).await?;
        }
        Ok(())
    }
    async fn on_write(
        ctx: &Ctx,
        Written { action, old, new }: Written<'_, Self>,
        commit: Commit,
    ) -> Result<Commit> {
        if action == "delete" {
            let used = |counts: Option<Value>| {
                let detail = "clients or branches hang on it: move them first, or retire it";
                Error::conflict("in-use", detail).with("counts", counts.unwrap_or_default())
            };
            let commit = commit.check(&used_by(new.id), none("children").and(none("clients")), used);
            return Ok(tree::hung(commit, new.body.parent, None));
        }
        tree::placed(ctx, old, new, commit).await
    }
}

/// How many clients and branches hang on it: `clients`, `children`.
fn used_by(id: IndustryId) -> Key {
    Key::item(IndustryId::KIND, id, "n")
}

/// A client comes to an industry, or leaves it: whichever it comes to is there and not retired.
pub fn counted(mut commit: Commit, was: Option<IndustryId>, is_now: Option<IndustryId>) -> Commit {
    if was == is_now {
        return commit;
    }
    if let Some(left) = was {
        commit = commit.add(&used_by(left), "clients", -1);
    }
    if let Some(come) = is_now {
        commit = commit.add(&used_by(come), "clients", 1);
        commit = place::live(commit, come, is("retired", false), || {
            Error::field("unknown-industry", "/industry", "there is no such industry in use")
        });
    }
    commit
}

/// Clients by industry, of the first thousand industries.
pub async fn counts(ctx: &Ctx) -> Result<BTreeMap<IndustryId, i64>> {
    let all = ctx.store().list(&Industry::LISTS[0], &Wanted::all(1000)).await?;
    let keys: Vec<Key> = all.data.iter().map(|i| used_by(i.id)).collect();
    let counted = ctx.store().read_many(&keys).await?;
    let clients = |c: Option<Value>| c.and_then(|c| c["clients"].as_i64()).unwrap_or_default();
    Ok(all.data.iter().map(|i| i.id).zip(counted.into_iter().map(clients)).filter(|(_, n)| *n > 0).collect())
}

pub fn routes() -> Vec<Route> {
    let (view, edit) = ("industry.view", "industry.edit");
    let mut routes = noun::crud::<Industry>(Paths { path: PATH, view, create: edit, edit, delete: edit });
    routes.retain(|r| r.operation != "industry.list");
    // A branch moves with all that hangs on it.
    routes.iter_mut().filter(|r| r.operation == "industry.update").for_each(|r| r.trips = 12);
    // Everybody of an organisation's reads the tree, whatever their reach: it is about nobody.
    routes.push(
        route(Method::GET, PATH, view, "industry.list", get(list))
            .asks_shape(noun::list_shape::<Industry>)
            .gives::<Pages<View<'static, Industry>>>(200)
            .trips(1)
            .says("A page of industries, by level and name, or the branches of one"),
    );
    routes
}

async fn list(ctx: Ctx, RawQuery(query): RawQuery) -> Answer {
    let (list, wanted) = noun::wanted::<Industry>(query.as_deref().unwrap_or_default())?;
    if wanted.deleted {
        ctx.need("industry.edit")?;
    }
    let page = ctx.list(list, &wanted).await?;
    ok(&Pages::from(page.map(|record| View::owned(&ctx, record))))
}
