//! Who is under way in a world. The embedded table never refuses for contention; so where two write at once the world
//! has to be one in which transactions contend, and nobody has to remember that.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

/// How what is done in a world comes to its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Traffic {
    OneByOne,
    /// At once, and whoever meets another in a transaction is refused.
    Contended,
    /// At once, and nobody is refused: time is measured, and nothing is claimed about guards.
    Free,
}

#[derive(Clone, Debug)]
pub(crate) struct Turnstile {
    traffic: Traffic,
    inside: Arc<AtomicUsize>,
}

/// As long as it is held, somebody is under way.
pub(crate) struct Inside(Arc<AtomicUsize>);

impl Turnstile {
    pub fn new(traffic: Traffic) -> Self {
        Self { traffic, inside: Arc::default() }
    }

    pub fn enter(&self, what: &str) -> Inside {
        let others = self.inside.fetch_add(1, SeqCst);
        let inside = Inside(self.inside.clone());
        assert!(
            others == 0 || self.traffic != Traffic::OneByOne,
            "{what} comes while another write is under way: a story in which things happen at once needs World::contended"
        );
        inside
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}
