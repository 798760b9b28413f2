//! The module's stories, told by its actors against the real table engine (`spec/documents.md` §10).

mod expiring;
mod keeping;
mod rights;
mod rounds;
mod sharing;
mod signing;
mod stage;
mod templates;
mod uploading;
mod verifying;
