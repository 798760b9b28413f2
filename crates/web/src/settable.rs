//! Fields that rules of an organisation may set: a module declares them, and answers every wish with what became of
//! it. Never clinical, financial, state, permission or identity fields: they are not declared.

use crate::{
    Ctx, Reaction, again, check, done,
    noun::{self, Hooks},
    rule_answer::RuleAnswer,
};
use events::{
    Envelope, WorkflowEvent,
    workflow::{FieldAnswer, FieldWish},
};
use futures::future::BoxFuture;
use kernel::{Error, Id, Result, error::faultless};
use serde_json::{Value, json};
use std::sync::Arc;

type Apply = fn(Ctx, FieldWish, String) -> BoxFuture<'static, Result<()>>;

/// A noun's fields that rules may set.
#[derive(Clone)]
pub struct Settable {
    pub noun: &'static str,
    /// Dotted paths; `custom.*` is every field within `custom`.
    pub fields: &'static [&'static str],
    kind: &'static str,
    apply: Apply,
}

impl Settable {
    pub fn of<E: Hooks>(fields: &'static [&'static str]) -> Self {
        let apply: Apply = |ctx, wish, event| Box::pin(async move { set::<E>(&ctx, &wish, &event).await });
        Self { noun: E::NOUN, fields, kind: E::Id::KIND, apply }
    }
    /// Whether a rule may set this field.
    pub fn has(&self, field: &str) -> bool {
        self.fields.iter().any(|f| match f.strip_suffix('*') {
            Some(within) => {
                field.strip_prefix(within).is_some_and(|rest| !rest.is_empty() && !rest.contains('.'))
            }
            None => *f == field,
        })
    }
}

/// Answers the wishes of rules for a module's nouns.
pub fn settable(all: Vec<Settable>) -> Reaction {
    let all = Arc::new(all);
    Reaction::on("rule.field_requested", move |ctx, event| {
        let all = all.clone();
        async move { on(&ctx, &event, &all).await }
    })
}

async fn on(ctx: &Ctx, event: &Envelope, all: &[Settable]) -> Result<()> {
    let Some(WorkflowEvent::RuleFieldRequested(wish)) = event.read() else { return Ok(()) };
    let ours = |s: &&Settable| wish.record.split('_').next() == Some(s.kind);
    let Some(settable) = all.iter().find(ours) else { return Ok(()) };
    let mut cause = event.cause.clone();
    if !cause.contains(&wish.rule.to_string()) {
        cause.push(wish.rule.to_string());
    }
    let acting = ctx.on_behalf(format!("rule:{}", wish.rule), wish.owner.clone(), cause);
    if settable.has(&wish.field) {
        return (settable.apply)(acting, wish, event.id.clone()).await;
    }
    answer(&acting, acting.store().commit(), &wish, &event.id, Some("field-not-settable"), false).await
}

/// The ordinary validation and the ordinary version guard, as for anybody else.
async fn set<E: Hooks>(ctx: &Ctx, wish: &FieldWish, event: &str) -> Result<()> {
    let set = again(ctx.store(), || try_set::<E>(ctx, wish, event)).await;
    match done(set) {
        Ok(()) => Ok(()),
        Err(passing) if passing.may_pass() => Err(passing),
        Err(refused) => answer(ctx, ctx.store().commit(), wish, event, Some(refused.code()), false).await,
    }
}

async fn try_set<E: Hooks>(ctx: &Ctx, wish: &FieldWish, event: &str) -> Result<()> {
    let old = ctx.store().fresh::<E>(wish.record.parse()?).await?;
    if old.deleted_at.is_some() {
        return Err(Error::Missing);
    }
    let body = check::merge_patch(&old.body, &patch(&wish.field, &wish.value))?;
    faultless(body.check())?;
    let open = |body: &E| seal::open(|| serde_json::to_value(body)).map_err(Error::internal);
    if open(&old.body)? == open(&body)? {
        return answer(ctx, ctx.store().commit(), wish, event, None, true).await;
    }
    let mut new = old.next(ctx.now());
    new.body = body;
    let commit = noun::commit_of(ctx, "set_field", Some(&old), &mut new, None).await?;
    answer(ctx, commit, wish, event, None, false).await
}

async fn answer(
    ctx: &Ctx,
    commit: store::Commit,
    wish: &FieldWish,
    event: &str,
    problem: Option<&str>,
    same: bool,
) -> Result<()> {
    let problem = problem.map(String::from);
    let of = (wish.rule, wish.firing, wish.action);
    let record = RuleAnswer::record(ctx, of, &wish.record, problem.clone());
    let said = FieldAnswer {
        rule: wish.rule,
        firing: wish.firing,
        action: wish.action,
        record: wish.record.clone(),
        same,
        problem,
    };
    let said = match said.problem {
        Some(_) => WorkflowEvent::RuleFieldRefused(said),
        None => WorkflowEvent::RuleFieldApplied(said),
    };
    let commit = commit.create(&record).emit(said);
    ctx.once_for(commit, "set_field", event).run().await
}

/// `{"custom": {"vip": true}}` for `custom.vip`.
fn patch(path: &str, value: &Value) -> Value {
    path.rsplit('.').fold(value.clone(), |inner, name| json!({ name: inner }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_patch() {
        assert_eq!(patch("custom.vip", &json!(true)), json!({"custom": {"vip": true}}));
        assert_eq!(patch("note", &json!("x")), json!({"note": "x"}));
    }
}
