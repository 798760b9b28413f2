//! States as an enum with a transition table. One row becomes a command's route, its documentation,
//! its condition in the table and the tests that every other state refuses it.

use crate::{Error, Result};
use jiff::civil::Date;
use std::fmt::{Debug, Display};

/// One row of a noun's transition table.
pub struct Step<E: Lifecycle> {
    pub command: &'static str,
    pub permission: &'static str,
    pub from: &'static [E::State],
    pub to: E::State,
    /// `X-Reason` (or `reason` in the body) is required.
    pub reason: bool,
    /// A pure rule over the record and the tenant's local day.
    pub guard: fn(&E, Date) -> Result<()>,
}

impl<E: Lifecycle> Step<E> {
    pub const fn of(
        command: &'static str,
        permission: &'static str,
        from: &'static [E::State],
        to: E::State,
    ) -> Self {
        Self { command, permission, from, to, reason: false, guard: always }
    }
    /// Whoever takes it says why.
    pub const fn reason(mut self) -> Self {
        self.reason = true;
        self
    }
    pub const fn guard(mut self, guard: fn(&E, Date) -> Result<()>) -> Self {
        self.guard = guard;
        self
    }
}

pub trait Lifecycle: Sized + 'static {
    type State: Copy + PartialEq + Debug + Display + Send + Sync + 'static;
    const STATES: &'static [Self::State];
    const STEPS: &'static [Step<Self>];

    fn state(&self) -> Self::State;
    fn set_state(&mut self, state: Self::State);

    /// Takes one step, or says in words why not.
    fn advance(&mut self, step: &Step<Self>, today: Date) -> Result<()> {
        if !step.from.contains(&self.state()) {
            return Err(Error::State { command: step.command, state: self.state().to_string() });
        }
        (step.guard)(self, today)?;
        self.set_state(step.to);
        Ok(())
    }
}

/// In an `impl Lifecycle`: the field that holds the state, and its words.
#[macro_export]
macro_rules! state_of {
    ($field:ident: $state:ty) => {
        type State = $state;
        const STATES: &'static [$state] = <$state>::ALL;
        fn state(&self) -> $state {
            self.$field
        }
        fn set_state(&mut self, state: $state) {
            self.$field = state;
        }
    };
}

/// The guard of a step that has none.
pub fn always<E>(_: &E, _: Date) -> Result<()> {
    Ok(())
}
