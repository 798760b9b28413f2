//! What can stop the local platform, each as one clear sentence for the person at the keyboard.

use std::fmt;

/// One sentence that says what is wrong and what to do about it.
#[derive(Debug)]
pub struct Trouble(pub String);

pub type Outcome<T> = Result<T, Trouble>;

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Trouble {}

/// `trouble!("The port {port} is taken.")`
#[macro_export]
macro_rules! trouble {
    ($($word:tt)*) => { $crate::trouble::Trouble(format!($($word)*)) };
}

/// Puts the deed before the cause: "Could not open .local/table.db: permission denied".
pub trait While<T> {
    fn whilst(self, deed: impl fmt::Display) -> Outcome<T>;
}

impl<T, E: fmt::Display> While<T> for Result<T, E> {
    fn whilst(self, deed: impl fmt::Display) -> Outcome<T> {
        self.map_err(|cause| Trouble(format!("Could not {deed}: {cause}")))
    }
}
