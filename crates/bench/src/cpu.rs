//! Processor time by thread, as Linux counts it.

use std::{fs, time::Duration};

/// Name of the table engine's threads.
pub const TABLE: &str = "table";

/// Since the process began.
#[derive(Clone, Copy, Debug)]
pub struct Spent {
    pub table: Duration,
    pub ours: Duration,
}

impl Spent {
    pub fn now() -> Self {
        let mut spent = Self { table: Duration::ZERO, ours: Duration::ZERO };
        for task in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
            let read = |file: &str| fs::read_to_string(task.path().join(file)).unwrap_or_default();
            // Nanoseconds on a processor come first: Documentation/scheduler/sched-stats.rst.
            let ran = read("schedstat").split_whitespace().next().and_then(|n| n.parse().ok());
            let ran = Duration::from_nanos(ran.unwrap_or_default());
            if read("comm").trim().starts_with(TABLE) { spent.table += ran } else { spent.ours += ran }
        }
        spent
    }
    pub fn since(self, before: Self) -> Self {
        Self { table: self.table.saturating_sub(before.table), ours: self.ours.saturating_sub(before.ours) }
    }
}
