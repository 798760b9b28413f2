//! What stands before the API, in memory: clients and keys by their number.

use integrations::gateway::{ApiKey, Calling, Gateway, Machine, Secret};
use kernel::Result;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

#[derive(Default)]
pub struct Doors(AtomicU32);

impl Doors {
    fn next(&self, kind: &str) -> String {
        format!("{kind}{}", self.0.fetch_add(1, SeqCst))
    }
    fn secret(&self) -> Secret {
        Secret { id: self.next("secret"), value: self.next("value-of-") }
    }
}

fn now<'a, T: Send + 'a>(value: T) -> Calling<'a, T> {
    Box::pin(async move { Result::Ok(value) })
}

impl Gateway for Doors {
    fn create_client<'a>(&'a self, _: &'a str) -> Calling<'a, Machine> {
        now(Machine { client_id: self.next("client"), secret: self.secret() })
    }
    fn add_secret<'a>(&'a self, _: &'a str) -> Calling<'a, Option<Secret>> {
        now(Some(self.secret()))
    }
    fn keep_secrets<'a>(&'a self, _: &'a str, _: &'a [String]) -> Calling<'a, ()> {
        now(())
    }
    fn drop_secret<'a>(&'a self, _: &'a str, _: &'a str) -> Calling<'a, ()> {
        now(())
    }
    fn delete_client<'a>(&'a self, _: &'a str) -> Calling<'a, ()> {
        now(())
    }
    fn create_key<'a>(&'a self, _: &'a str, _: &'a str) -> Calling<'a, ApiKey> {
        now(ApiKey { id: self.next("key"), value: self.next("value-of-") })
    }
    fn move_key<'a>(&'a self, _: &'a str, _: &'a str, _: &'a str) -> Calling<'a, ()> {
        now(())
    }
    fn delete_key<'a>(&'a self, _: &'a str) -> Calling<'a, ()> {
        now(())
    }
    fn clear<'a>(&'a self, _: &'a str) -> Calling<'a, ()> {
        now(())
    }
}
