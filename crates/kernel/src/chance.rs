//! Where the random part of an id comes from: the system, unless a test gives the thread a source of its own, so that a
//! run with all its ids can be had again. What is shipped (built without debug assertions) listens to no such source.

use std::cell::RefCell;

type Source = Box<dyn FnMut() -> u128>;

thread_local! { static SOURCE: RefCell<Option<Source>> = const { RefCell::new(None) } }

/// From now on ids that are made on this thread get their random part (the lower 80 bits) from here.
pub fn of_ids(source: impl FnMut() -> u128 + 'static) {
    SOURCE.set(Some(Box::new(source)));
}

/// None: the system's.
pub(crate) fn random() -> Option<u128> {
    if cfg!(debug_assertions) {
        SOURCE.with_borrow_mut(|source| source.as_mut().map(|next| next()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::{Id, PatientId};

    #[test]
    fn the_same_source_makes_the_same_ids_and_without_one_no_two_are_alike() {
        let at = "2026-11-20T09:00:00Z".parse().unwrap();
        let made = || (0..3).map(|_| PatientId::at(at)).collect::<Vec<_>>();
        assert_ne!(made(), made());
        let seeded = || {
            let mut n = 7;
            super::of_ids(move || {
                n += 1;
                n
            });
            made()
        };
        assert_eq!(seeded(), seeded());
        assert!(seeded().is_sorted());
    }
}
