//! A user pool in memory: logins by their user, with what was set.

use identity::logins::{Calling, Logins, NewLogin};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Login {
    pub password: Option<String>,
    pub alias: Option<String>,
    pub disabled: bool,
    pub totp: bool,
    pub signed_out: u32,
}

#[derive(Default)]
pub struct Memory(Mutex<BTreeMap<String, Login>>);

impl Memory {
    pub fn all(&self) -> MutexGuard<'_, BTreeMap<String, Login>> {
        self.0.lock().expect("never poisoned")
    }
    fn set<'a>(&'a self, user: &'a str, change: impl FnOnce(&mut Login) + Send + 'a) -> Calling<'a, ()> {
        Box::pin(async move {
            change(self.all().entry(user.into()).or_default());
            Ok(())
        })
    }
}

impl Logins for Memory {
    fn create<'a>(&'a self, new: &'a NewLogin) -> Calling<'a, String> {
        Box::pin(async move {
            self.all().entry(new.user.clone()).or_default();
            Ok(format!("sub-of-{}", new.user))
        })
    }
    fn set_password<'a>(&'a self, user: &'a str, password: &'a str) -> Calling<'a, ()> {
        self.set(user, |login| login.password = Some(password.into()))
    }
    fn set_alias<'a>(&'a self, user: &'a str, alias: &'a str, _: Option<&'a str>) -> Calling<'a, ()> {
        self.set(user, |login| login.alias = Some(alias.into()))
    }
    fn sign_out<'a>(&'a self, user: &'a str) -> Calling<'a, ()> {
        self.set(user, |login| login.signed_out += 1)
    }
    fn disable<'a>(&'a self, user: &'a str) -> Calling<'a, ()> {
        self.set(user, |login| login.disabled = true)
    }
    fn enable<'a>(&'a self, user: &'a str) -> Calling<'a, ()> {
        self.set(user, |login| login.disabled = false)
    }
    fn prefer_totp<'a>(&'a self, user: &'a str, on: bool) -> Calling<'a, ()> {
        self.set(user, move |login| login.totp = on)
    }
    fn associate_totp<'a>(&'a self, _: &'a str) -> Calling<'a, String> {
        Box::pin(async { Ok("JBSWY3DPEHPK3PXP".into()) })
    }
    fn verify_totp<'a>(&'a self, _: &'a str, code: &'a str) -> Calling<'a, bool> {
        Box::pin(async move { Ok(code == "123456") })
    }
    fn delete<'a>(&'a self, user: &'a str) -> Calling<'a, ()> {
        Box::pin(async move {
            self.all().remove(user);
            Ok(())
        })
    }
}
