//! One record's chain: what lies there, against what was anchored, link by link.

use super::{
    finding::{Broken, Finding},
    form::{Content, Form, genesis, hex_digest},
    typed::{bytes, item_digest, number, text, texts, value_digest},
};
use crate::{
    change::{AFTER, CHECKS, record_at, sort},
    schema::TRAIL,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A change as it lies there.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    pub kind: String,
    pub record: String,
    /// The version that its place says.
    pub place: u64,
    /// As the item states it, its content by what lies there.
    pub form: Form,
    pub hash: String,
    /// Beginnings of the digests that its content had ([`Content::checks`]).
    pub checks: Vec<u8>,
    pub redacted: Option<Redacted>,
}

/// What was taken out of a change.
#[derive(Clone, Debug, PartialEq)]
pub struct Redacted {
    pub erasure: String,
    pub members: Vec<&'static str>,
}

impl Link {
    /// `None` if the item is no change record.
    pub fn read(item: &Value) -> Option<Self> {
        let given = |name: &str| text(item, name).unwrap_or_default().to_string();
        let some = |name: &str| text(item, name).map(String::from);
        let digest = |name: &str| bytes(item, name).map(hex::encode).unwrap_or_default();
        let pk = text(item, "pk")?;
        let (kind, record) = record_at(pk)?;
        let version = number(item, "version").unwrap_or_default();
        // The time begins the place in the trail; one that is not this version's own is no time.
        let place = given(TRAIL);
        let at = place.split('#').next().filter(|at| sort(at, record, version) == place);
        let blob = |name: &str| bytes(item, name).map(|b| hex_digest(&b));
        let there = Content {
            patch: blob("patch"),
            snapshot: blob("snapshot"),
            context: blob("context"),
            event: item.get("event").map(value_digest),
            record: bytes(item, AFTER).map(hex::encode),
        };
        let (content, redacted) = with_redacted(there, &item["redacted"]["M"]);
        let form = Form {
            pk: pk.into(),
            version,
            at: at.unwrap_or(&place).into(),
            by: given("by"),
            roles: texts(item, "roles"),
            elevated: some("elevated"),
            on_behalf: some("on_behalf"),
            request: given("request"),
            session: some("session"),
            route: some("route"),
            action: given("action"),
            content,
            prev: digest("prev"),
        };
        Some(Self {
            kind: kind.into(),
            record: record.into(),
            place: text(item, "sk")?.strip_prefix("v#")?.parse().ok()?,
            form,
            hash: digest("hash"),
            checks: bytes(item, CHECKS).unwrap_or_default(),
            redacted,
        })
    }

    pub fn tenant(&self) -> &str {
        self.form.pk.split('#').next().unwrap_or_default()
    }
}

/// Content, with the digests that an erasure left of what it took: `{erasure, <member>: digest}`.
fn with_redacted(there: Content, redacted: &Value) -> (Content, Option<Redacted>) {
    let Some(erasure) = text(redacted, "erasure") else { return (there, None) };
    let mut members = vec![];
    let mut or_left = |name: &'static str, there: Option<String>| {
        there.or_else(|| {
            let left = hex::encode(bytes(redacted, name)?);
            members.push(name);
            Some(left)
        })
    };
    let Content { patch, snapshot, context, event, record } = there;
    let content = Content {
        patch: or_left("patch", patch),
        snapshot: or_left("snapshot", snapshot),
        context: or_left("context", context),
        event: or_left("event", event),
        record,
    };
    (content, Some(Redacted { erasure: erasure.into(), members }))
}

/// What stands in the anchors of a change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Leaf {
    pub at: String,
    /// `<kind>#<record>#<version>`
    pub id: String,
    pub record: String,
    pub version: u64,
    pub hash: String,
}

impl Leaf {
    pub fn kind(&self) -> &str {
        self.id.split('#').next().unwrap_or_default()
    }
    /// UTC day.
    pub fn day(&self) -> &str {
        self.at.get(..10).unwrap_or_default()
    }
}

/// A record as it lies there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    pub kind: String,
    pub record: String,
    pub version: u64,
    pub head: String,
    /// Digest of the item.
    pub item: String,
}

impl Head {
    pub fn read(item: &Value) -> Option<Self> {
        let mut words = text(item, "pk")?.split('#').skip(1);
        let (kind, record, None) = (words.next()?, words.next()?, words.next()) else { return None };
        (text(item, "sk") == Some(".")).then_some(())?;
        Some(Self {
            kind: kind.into(),
            record: record.into(),
            version: number(item, "version")?,
            head: text(item, "head")?.into(),
            item: item_digest(item),
        })
    }
}

/// What is known of the record itself.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    /// Nobody looked.
    Not,
    /// It does not lie there.
    Gone,
    At(&'a Head),
}

/// Everything needed to judge one record.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a> {
    pub tenant: &'a str,
    pub record: &'a str,
    /// By their place, ascending; from `from - 1` on, if it is above 1.
    pub links: &'a [Link],
    /// By version, from `from` on.
    pub anchored: &'a BTreeMap<u64, Leaf>,
    pub head: Seen<'a>,
    /// The first version that is judged.
    pub from: u64,
    /// The last one; what lies behind it only tells whether the chain goes on.
    pub to: u64,
    /// Changes between these two times have to be anchored.
    pub since: &'a str,
    pub settled: &'a str,
}

/// Clocks of two environments may differ by this much.
const SKEW: SignedDuration = SignedDuration::from_secs(5);

/// Every finding of one record.
pub fn record(chain: &Chain) -> Vec<Finding> {
    let mut found = missing(chain);
    let mut broken: BTreeSet<u64> = BTreeSet::new();
    for (n, link) in chain.links.iter().enumerate() {
        if !(chain.from..=chain.to).contains(&link.place) {
            continue;
        }
        let before = n.checked_sub(1).map(|n| &chain.links[n]).filter(|l| l.place + 1 == link.place);
        let said = judge(chain, link, before, before.is_some_and(|b| broken.contains(&b.place)));
        if said.iter().any(|f| f.finding == Broken::Reordered) {
            broken.insert(link.place);
        }
        found.extend(said);
    }
    found.extend(head(chain));
    found
}

fn at_of(chain: &Chain, version: u64) -> String {
    let own = chain.anchored.get(&version).map(|l| l.at.clone());
    let near = || chain.links.iter().rev().find(|l| l.place < version).map(|l| l.form.at.clone());
    let next = || chain.links.first().map(|l| l.form.at.clone());
    own.or_else(near).or_else(next).unwrap_or_default()
}

/// Versions that were anchored, or that others are numbered around, and do not lie there.
fn missing(chain: &Chain) -> Vec<Finding> {
    let last = chain.links.last().map_or(0, |l| l.place);
    let promised = match chain.head {
        Seen::At(head) => head.version,
        _ => 0,
    };
    let most = last.max(promised).max(chain.anchored.keys().last().copied().unwrap_or_default());
    let there: BTreeSet<u64> = chain.links.iter().map(|l| l.place).collect();
    let gone = (chain.from..=most.min(chain.to)).filter(|v| !there.contains(v));
    gone.map(|version| {
        let (finding, detail) = if version > last {
            (Broken::Truncated, "the chain ends before this version")
        } else {
            (Broken::Deleted, "this version does not lie there and later ones do")
        };
        Finding::of_change(finding, &at_of(chain, version), chain.record, version, detail)
    })
    .collect()
}

fn judge(chain: &Chain, link: &Link, before: Option<&Link>, before_moved: bool) -> Vec<Finding> {
    let anchor = chain.anchored.get(&link.place);
    let at = anchor.map_or(link.form.at.as_str(), |a| a.at.as_str());
    let say = |finding, detail: &str| Finding::of_change(finding, at, chain.record, link.place, detail);
    if moved(chain, link, before.filter(|_| !before_moved)) {
        return vec![say(Broken::Reordered, "another version of the record lies in this place")];
    }
    let mut found = vec![];
    if let Some(Redacted { erasure, members }) = &link.redacted {
        let told = say(Broken::Redacted, &format!("taken away by erasure {erasure}"));
        found.extend(members.iter().map(|name| told.clone().in_member(name)));
    }
    let whole = link.form.hash() == link.hash;
    let unlike = link.form.content.unlike(&link.checks);
    let altered = |member: &str, detail: &str| say(Broken::Altered, detail).in_member(member);
    match (whole, unlike.is_empty()) {
        (true, true) => {}
        (true, false) => found.push(altered(CHECKS, "its checks are not those of its content")),
        (false, true) => found.push(altered("form", "its hash is not that of what it says")),
        (false, false) => {
            found.extend(unlike.iter().map(|name| altered(name, "its content is not what was hashed")));
        }
    }
    let prev = if link.place == 1 {
        Some(genesis(chain.tenant, chain.record))
    } else {
        before.filter(|_| !before_moved).map(|b| b.hash.clone())
    };
    if whole && prev.is_some_and(|prev| prev != link.form.prev) {
        found.push(say(Broken::Relinked, "it does not follow the version before it"));
    }
    match anchor {
        Some(anchor) if whole && anchor.hash != link.hash => {
            found.push(say(Broken::Rewritten, "its hash was computed again after it had been anchored"));
        }
        None if at >= chain.since && at < chain.settled => {
            found.push(say(Broken::Inserted, "it was never anchored"));
        }
        _ => {}
    }
    found
}

/// Whether another version lies in this place, renumbered or not.
fn moved(chain: &Chain, link: &Link, before: Option<&Link>) -> bool {
    let elsewhere = chain.anchored.iter().any(|(v, leaf)| *v != link.place && leaf.hash == link.hash);
    let read = |at: &str| at.parse::<Timestamp>().ok();
    let earlier = before.is_some_and(|b| {
        let times = read(&b.form.at).zip(read(&link.form.at));
        // A time that was altered is an alteration, not another order.
        link.form.hash() == link.hash && times.is_some_and(|(b, l)| b.duration_since(l) > SKEW)
    });
    link.form.version != link.place || elsewhere || earlier
}

/// The record against its last change.
fn head(chain: &Chain) -> Vec<Finding> {
    let Some(last) = chain.links.last() else { return vec![] };
    let at = |link: &Link| link.form.at.clone();
    let say = |link: &Link, detail: &str| {
        vec![Finding::of_change(Broken::RecordAltered, &at(link), chain.record, link.place, detail)]
    };
    let head = match chain.head {
        Seen::Not => return vec![],
        Seen::Gone => return say(last, "the record does not lie there and its changes do"),
        Seen::At(head) => head,
    };
    let Some(link) = chain.links.iter().find(|l| l.place == head.version) else { return vec![] };
    if last.place > head.version && last.form.at.as_str() < chain.settled {
        return say(last, "the record stands at an earlier version than its last change");
    }
    if head.head != link.hash {
        return say(link, "the record names another last change");
    }
    if link.form.content.record.as_ref().is_some_and(|item| *item != head.item) {
        return say(link, "the record was changed without a change record");
    }
    vec![]
}
