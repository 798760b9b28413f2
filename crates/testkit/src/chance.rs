//! Chance that comes again: the same seed, the same run.

use crate::proof::ledger;
use std::{
    cell::Cell,
    hash::{DefaultHasher, Hash, Hasher},
};

/// From here on the ids of this thread follow from the story's name and this moment of it.
pub(crate) fn ids_of(moment: &str) {
    let mut hasher = DefaultHasher::new();
    (ledger::story(), moment).hash(&mut hasher);
    let mut chance = Chance::seeded(hasher.finish());
    kernel::chance::of_ids(move || u128::from(chance.next()) << 64 | u128::from(chance.next()));
}

/// The number of a moment of this story at which something begins: a world, a write, a delivery. Its ids follow from
/// that, whatever was tried before it, and no two worlds have the same ones.
pub(crate) fn begins() -> usize {
    thread_local! { static BEGUN: Cell<usize> = const { Cell::new(0) } }
    let number = BEGUN.replace(BEGUN.get() + 1);
    ids_of(&number.to_string());
    number
}

/// SplitMix64.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    /// Below `bound`, evenly enough for tests.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }
    /// True in so many of a hundred cases.
    pub fn percent(&mut self, of_a_hundred: u64) -> bool {
        self.below(100) < of_a_hundred
    }
    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for n in (1..all.len()).rev() {
            all.swap(n, self.below(n as u64 + 1) as usize);
        }
    }
}
