//! One thing that is tried with every fault.

use super::{AtRest, Form, Moment, Proving, Stands, Told, Work};
use crate::{
    chance,
    proof::{ledger, likeness, state::State, whole},
    table::layer::{Fault, Kind, Watched},
};

/// Calls of one piece of work that the quick form breaks: jobs of many steps make the same ones again and again.
const CALLS: usize = 12;
/// Tries of a client that is told to try again.
const TRIES: usize = 5;

/// What came of one fault.
struct Ran {
    watched: Watched,
    now: State,
    /// It was alike, but not at once.
    later: bool,
}

/// One thing that is tried with every fault.
pub(super) struct Trial<'a> {
    pub proving: &'a Proving,
    pub name: &'a str,
    /// Which of the story's writes it is.
    pub begun: usize,
    pub keyed: bool,
    pub before: &'a Moment,
    pub wanted: String,
    pub after: &'a Moment,
    /// What the run without a fault has changed.
    pub change: Vec<String>,
    /// And what that has become once it was waited for.
    pub at_rest: AtRest<'a>,
}

impl Trial<'_> {
    /// All kinds at all calls: how many runs that were, and how many of them were alike only later.
    pub async fn all<'a, T: Send>(
        &self,
        work: &(impl Fn() -> Work<'a, T> + Sync),
        read: fn(&T) -> Told,
    ) -> (u64, u64) {
        if let Form::Only(_, fault) = &self.proving.0.form {
            let run = self.one(*fault, &self.after.table, work, read).await;
            return (1, run.later.into());
        }
        let (mut runs, mut later, mut at, mut now) = (0, 0, 1, self.after.table.clone());
        loop {
            let mut target: Option<String> = None;
            for kind in Kind::ALL {
                if target.as_ref().is_some_and(|target| !kind.concerns(target)) {
                    continue;
                }
                let run = self.one(Fault { kind, at }, &now, work, read).await;
                now = run.now;
                runs += u64::from(run.watched.struck);
                later += u64::from(run.later);
                target = target.or(run.watched.calls.get(at - 1).cloned());
                if target.is_none() {
                    return (runs, later);
                }
            }
            at += 1;
            if at > CALLS && self.proving.0.form == Form::Quick {
                return (runs, later);
            }
        }
    }

    async fn one<'a, T: Send>(
        &self,
        fault: Fault,
        now: &State,
        work: &(impl Fn() -> Work<'a, T> + Sync),
        read: fn(&T) -> Told,
    ) -> Ran {
        let proving = self.proving;
        proving.back(now, self.before);
        chance::ids_of(&format!("{} {fault}", self.begun));
        let (first, watched) = proving.under(fault, work()).await;
        if !watched.struck {
            return Ran { watched, now: proving.table(), later: false };
        }
        let mut told = first.as_ref().map(read);
        for _ in 1..TRIES {
            let open = told.as_ref().is_none_or(|told| told.stands == Stands::Again);
            // Who has no key looks before sending it again.
            if !open || (!self.keyed && self.is_done(&proving.table())) {
                break;
            }
            told = Some(read(&work().await));
        }
        let now = proving.table();
        let found = self.judge(told.as_ref(), &now);
        if found.is_empty() {
            return Ran { watched, now, later: false };
        }
        let different = self.is_different_later(told.as_ref()).await;
        let environment = format!("FAULTS='{} {fault}'", self.name);
        for what in &found {
            match &different {
                None => ledger::later("faults", self.name, &format!("{fault} {what}"), &environment),
                Some(still) => {
                    ledger::found("faults", self.name, &format!("{fault} {what}{still}"), &environment)
                }
            }
        }
        Ran { watched, now: proving.table(), later: different.is_none() }
    }

    /// What is different even once it was waited for; nothing, if it is alike then.
    async fn is_different_later(&self, told: Option<&Told>) -> Option<String> {
        let unversioned = likeness::unversioned;
        if told.is_some_and(|told| unversioned(&told.words) != unversioned(&self.wanted)) {
            return Some(String::new());
        }
        self.at_rest.difference().await
    }

    fn is_done(&self, now: &State) -> bool {
        likeness::of_change(&self.before.table, now) == self.change
    }

    fn judge(&self, told: Option<&Told>, now: &State) -> Vec<String> {
        let mut found = vec![];
        // Who looked and saw it done has no answer.
        let looked = !self.keyed && self.is_done(now);
        if let Some(Told { words, stands }) = told.filter(|told| told.words != self.wanted && !looked) {
            let how = match stands {
                Stands::Again => "is never answered",
                Stands::Refused => "is refused when it is sent again",
                Stands::Done | Stands::Waits => "is answered otherwise",
            };
            found.push(format!("{how}: {words} instead of {}", self.wanted));
        }
        let difference = likeness::difference(&self.change, &likeness::of_change(&self.before.table, now));
        if !difference.is_empty() {
            found.push(format!("leaves another table: {}", difference.join("; ")));
        }
        found.extend(whole::broken_since(&self.before.table, now));
        found
    }
}
