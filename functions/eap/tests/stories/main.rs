//! The module's stories, told by its actors against the real table engine (`spec/eap.md`, Stories).

mod asks;
mod beneficiaries;
mod bills;
mod care;
mod cases;
mod clients;
mod contracts;
mod imports;
mod industries;
mod past;
mod providers;
mod reports;
mod rounds;
mod sessions;
mod stage;
mod told;
mod walls;
