//! The register of patients, told by those who use it.

mod desk;
mod emergency;
mod front_page;
mod life;
mod merging;
mod registration;
mod rounds;
mod search;
mod timeline;
