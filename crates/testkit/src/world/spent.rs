//! What a story counts by hand: what the budget of a route does not say.

use super::World;

impl World {
    /// Round trips to the table since the last time this was asked; none where that means nothing, since faults,
    /// simulation or chaos do everything often, and with cold caches.
    pub fn trips(&self) -> Option<u64> {
        let trips = self.trips.take();
        self.counts().then_some(trips)
    }
    /// Waves of round trips since the last time this was asked: requests made together count once. What a
    /// route states as its budget is rounds; meaningful only while one request at a time is made.
    pub fn rounds(&self) -> Option<u64> {
        let rounds = self.trips.take_rounds();
        self.counts().then_some(rounds)
    }
    fn counts(&self) -> bool {
        self.chaos.is_none() && self.proving.is_none()
    }
    /// Since rounds were asked for last there were so many, if they mean anything here.
    #[track_caller]
    pub fn spends(&self, rounds: u64, what: &str) {
        if let Some(spent) = self.rounds() {
            assert_eq!(spent, rounds, "{what}: rounds");
        }
    }
    /// There were some, and no more than so many.
    #[track_caller]
    pub fn spends_at_most(&self, rounds: u64, what: &str) {
        if let Some(spent) = self.rounds() {
            assert!((1..=rounds).contains(&spent), "{what}: {spent} rounds of {rounds}");
        }
    }
    /// Since trips were asked for last there were so many, side by side or not, if they mean anything here.
    #[track_caller]
    pub fn calls(&self, trips: u64, what: &str) {
        if let Some(made) = self.trips() {
            assert_eq!(made, trips, "{what}: trips");
        }
    }
}
