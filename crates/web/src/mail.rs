//! Letters that modules write themselves: codes and invitations, which nobody can prefer not to get. All other
//! messages go through the notifications module.

use crate::access::Posted;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    pub to: String,
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// Who carries letters: SES in the cloud and locally, memory in tests. Sending is repeated by queues, so a
/// letter may arrive twice.
pub trait Mail: Send + Sync {
    fn send<'a>(&'a self, letter: Letter) -> Posted<'a>;
}
