//! What is left to others when something is interrupted: both runs are waited for, and have to be alike then.

use super::{Moment, Proving};
use crate::proof::{likeness, state::State, whole};
use tokio::sync::OnceCell;

pub(crate) struct AtRest<'a> {
    proving: &'a Proving,
    before: &'a State,
    /// Where what was done once and in order has led to.
    after: &'a Moment,
    /// What that has become.
    wanted: OnceCell<Vec<String>>,
}

impl<'a> AtRest<'a> {
    pub fn of(proving: &'a Proving, before: &'a State, after: &'a Moment) -> Self {
        Self { proving, before, after, wanted: OnceCell::new() }
    }

    /// What the table as it lies there is different in even once it was waited for; nothing, if it is alike then.
    pub async fn difference(&self) -> Option<String> {
        let got = self.waited().await;
        let broken = whole::broken_since(self.before, &self.proving.table());
        let wanted = self.wanted.get_or_init(|| async {
            self.proving.back_to(self.after);
            self.waited().await
        });
        let mut all = likeness::difference(wanted.await, &got);
        all.extend(broken);
        (!all.is_empty()).then(|| format!(" – and once it was waited for: {}", all.join("; ")))
    }

    async fn waited(&self) -> Vec<String> {
        self.proving.rest(self.before).await;
        likeness::of_end(self.before, &self.proving.table())
    }
}
