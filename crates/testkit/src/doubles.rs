//! What stands in for others in tests: files, keys, the post, queues, and a judge of credentials.

pub(crate) mod files;
pub(crate) mod judged;
pub(crate) mod keys;
pub(crate) mod post;
pub mod queues;

pub use files::Cabinet;
pub use judged::{Judge, Session};
pub use post::Letterbox;
pub use queues::Queues;
