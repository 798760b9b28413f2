//! Who calls: the verified claims of the access token, as API Gateway hands them over (all strings).

use crate::gate::AccessGate;
use authz::{Decision, Holder, Reach};
use jiff::Timestamp;
use kernel::{Error, Id, Result, SiteId};
use serde_json::{Map, Value};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Mutex,
};
use store::Scope;

/// Values of a claim that lists things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reached<T> {
    /// `*`
    All,
    These(BTreeSet<T>),
}

impl<T: Ord> Reached<T> {
    pub fn has(&self, value: &T) -> bool {
        match self {
            Self::All => true,
            Self::These(set) => set.contains(value),
        }
    }
    pub fn within(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::All) => true,
            (Self::All, Self::These(_)) => false,
            (Self::These(a), Self::These(b)) => a.is_subset(b),
        }
    }
}

/// The caller.
#[derive(Clone, Debug)]
pub struct Actor {
    pub scope: Scope,
    /// `usr_…`, `opr_…`, `pky_…`; `system:<what>` for reactions.
    pub user: String,
    pub roles: Vec<String>,
    pub sites: Reached<SiteId>,
    pub modules: Reached<String>,
    /// Raised by every change of rights; older tokens are stale.
    pub generation: u64,
    /// When the session was last seen, and how long it may be idle.
    pub seen: Option<Timestamp>,
    pub idle_minutes: Option<i64>,
    pub session: String,
    pub signed_in_at: Option<Timestamp>,
    /// The second factor still has to be set up.
    pub enrolling: bool,
    pub client: String,
    /// Roles lent to this user now.
    pub elevated: Vec<String>,
    /// What a partner's key names.
    pub scopes: Vec<String>,
    /// The gateway's key that belongs to a partner's: the call must have come with it.
    pub gateway_key: String,
    /// An operator inside a customer's organisation.
    pub context: Option<authz::Context>,
}

impl Actor {
    /// From `requestContext.authorizer.claims`.
    pub fn from_claims(claims: &Map<String, Value>) -> Result<Self> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|v| !v.is_empty());
        let stranger = || {
            Error::stranger(
                "token-unreadable",
                "this token does not name an organisation and a user; sign in again",
            )
        };
        let words = |name: &str| -> Vec<String> {
            text(name)
                .unwrap_or_default()
                .split([' ', ','])
                .filter(|w| !w.is_empty())
                .map(Into::into)
                .collect()
        };
        let scope = text("tenant").and_then(Scope::from_claim).ok_or_else(stranger)?;
        // A person, an operator or a partner's key: `system:` and `public:` are no names that a token can carry.
        let named = |u: &&str| ["usr_", "opr_", "pky_"].iter().any(|kind| u.starts_with(kind));
        let user =
            text("user").filter(|u| u.len() <= 40 && !u.contains('#')).filter(named).ok_or_else(stranger)?;
        let number = |name: &str| text(name).and_then(|v| v.parse::<i64>().ok());
        let moment = |name: &str| number(name).and_then(|s| Timestamp::from_second(s).ok());
        Ok(Self {
            scope,
            user: user.into(),
            roles: words("roles"),
            sites: reached(&words("sites"), |s| s.parse().ok()),
            modules: reached(&words("modules"), |s| Some(s.to_string())),
            generation: number("gen").unwrap_or_default().unsigned_abs(),
            seen: moment("seen"),
            idle_minutes: number("idle"),
            session: text("origin_jti").or(text("jti")).unwrap_or_default().into(),
            signed_in_at: moment("auth_time"),
            enrolling: text("enrol") == Some("mfa"),
            client: text("client").unwrap_or_default().into(),
            elevated: vec![],
            scopes: words("scopes"),
            gateway_key: text("gateway_key").unwrap_or_default().into(),
            context: None,
        })
    }

    /// A part of the product acting by itself.
    pub fn system(scope: Scope, what: &str) -> Self {
        Self {
            scope,
            user: format!("system:{what}"),
            roles: vec![],
            sites: Reached::All,
            modules: Reached::All,
            generation: 0,
            seen: None,
            idle_minutes: None,
            session: String::new(),
            signed_in_at: None,
            enrolling: false,
            client: "system".into(),
            elevated: vec![],
            scopes: vec![],
            gateway_key: String::new(),
            context: None,
        }
    }

    /// A partner's key.
    pub fn is_machine(&self) -> bool {
        self.user.starts_with("pky_")
    }

    /// 401 unless a machine's call came with the gateway key that belongs to its token.
    pub(crate) fn same_key(&self, sent: Option<&str>) -> Result<()> {
        let same = !self.is_machine() || (!self.gateway_key.is_empty() && sent == Some(&self.gateway_key));
        let detail = "x-api-key and the token must be of the same partner key";
        if same { Ok(()) } else { Err(Error::stranger("key-mismatch", detail)) }
    }

    /// Where a key names its sites, nothing reaches further than them, whatever the matrix says of machines.
    pub(crate) fn at_own_sites(&self, mut decision: Decision) -> Decision {
        if self.is_machine() && self.sites != Reached::All {
            decision.reach = decision.reach.min(Reach::Site);
            decision.held.iter_mut().for_each(|held| held.reach = held.reach.min(Reach::Site));
        }
        decision
    }

    pub(crate) fn holder<'a>(&'a self, access: &'a AccessGate) -> Holder<'a> {
        Holder {
            roles: &self.roles,
            custom: &access.custom,
            overrides: &access.overrides,
            elevated: &self.elevated,
            scopes: &self.scopes,
            context: self.context,
        }
    }

    /// The caller as an id of one kind: `actor.id::<UserId>()`.
    pub fn id<I: Id>(&self) -> Option<I> {
        self.user.parse().ok()
    }

    /// Whether a record of this site lies within a reach (which is at least `Site`).
    pub fn at_site(&self, reach: Reach, site: SiteId) -> bool {
        match reach {
            Reach::All => true,
            Reach::Site | Reach::Team => self.sites.has(&site),
            _ => false,
        }
    }

    /// 401 if the token is older than the last change of rights, or its session idle.
    pub(crate) fn current(&self, access: &AccessGate, seen: &Seen, now: Timestamp) -> Result<()> {
        if let Some(ended) = access.ended(&self.user, self.generation, self.signed_in_at) {
            return Err(ended);
        }
        if access.sessions.contains_key(&self.session) {
            return Err(Error::stranger("session-ended", "this session was ended; sign in again"));
        }
        let (Some(at), Some(idle)) = (self.seen, self.idle_minutes) else { return Ok(()) };
        let last = seen.last(&self.session).unwrap_or(at).max(at);
        if now.duration_since(last).as_mins() > idle {
            return Err(Error::stranger(
                "session-idle",
                "this session was idle for too long; refresh it or sign in again",
            ));
        }
        Ok(())
    }
}

fn reached<T: Ord>(words: &[String], read: impl Fn(&str) -> Option<T>) -> Reached<T> {
    if words.iter().any(|w| w == "*") {
        Reached::All
    } else {
        Reached::These(words.iter().filter_map(|w| read(w)).collect())
    }
}

/// When this environment last saw each session, and when it last told identity so.
#[derive(Default)]
pub struct Seen(Mutex<HashMap<String, (Timestamp, Timestamp)>>);

/// Sessions remembered; the oldest half is dropped beyond it.
const SESSIONS: usize = 10_000;

impl Seen {
    fn last(&self, session: &str) -> Option<Timestamp> {
        self.0.lock().expect("never poisoned").get(session).map(|(last, _)| *last)
    }

    /// Notes the session; true if identity should be told (at most once a minute).
    pub(crate) fn mark(&self, session: &str, now: Timestamp) -> bool {
        if session.is_empty() {
            return false;
        }
        let mut all = self.0.lock().expect("never poisoned");
        if all.len() >= SESSIONS {
            let mut times: Vec<_> = all.values().map(|(last, _)| *last).collect();
            times.sort_unstable();
            let middle = times[times.len() / 2];
            all.retain(|_, (last, _)| *last >= middle);
        }
        match all.get_mut(session) {
            Some((last, told)) => {
                *last = now;
                let tell = now.duration_since(*told).as_secs() >= 60;
                if tell {
                    *told = now;
                }
                tell
            }
            None => {
                all.insert(session.into(), (now, now));
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claims(v: Value) -> Map<String, Value> {
        v.as_object().unwrap().clone()
    }

    #[test]
    fn a_token_without_a_tenant_is_a_strangers() {
        let no_tenant = claims(json!({"user": "usr_01J00000000000000000000000"}));
        assert_eq!(Actor::from_claims(&no_tenant).unwrap_err().code(), "token-unreadable");
        let odd = claims(json!({"tenant": "platform#x", "user": "usr_1"}));
        assert!(Actor::from_claims(&odd).is_err());
        for user in ["system:identity", "public:1", "usr_#", ""] {
            let forged = claims(json!({"tenant": "platform", "user": user}));
            assert_eq!(Actor::from_claims(&forged).unwrap_err().code(), "token-unreadable", "{user}");
        }
    }

    #[test]
    fn a_star_reaches_all_and_a_list_what_it_names() {
        let c = claims(
            json!({"tenant": "platform", "user": "opr_1", "modules": "patients scheduling", "sites": "*"}),
        );
        let actor = Actor::from_claims(&c).unwrap();
        assert_eq!(actor.sites, Reached::All);
        assert!(actor.modules.has(&"patients".to_string()) && !actor.modules.has(&"billing".to_string()));
        assert!(!Reached::<String>::All.within(&actor.modules));
    }

    #[test]
    fn a_session_is_told_of_once_a_minute() {
        let seen = Seen::default();
        let at: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let after = |s: i64| at + jiff::SignedDuration::from_secs(s);
        assert!(seen.mark("a", at));
        assert!(!seen.mark("a", after(59)));
        assert!(seen.mark("a", after(60)));
        assert!(!seen.mark("a", after(61)));
    }
}
