//! The first wall is taken away: our own code mixes two organisations up, and the credentials alone have to hold.

use crate::street::{Street, silent};
use journeys::{
    policy::{self, Template},
    probe::{Ask, Resources, paths, queries},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};
use store::Scope;
use testkit::{Actor, Judge, Reply, Session};

/// Whose session asked for which operation on which keys, and whether the policies let it.
type Verdict = (Session, String, Vec<String>, bool);

/// What was asked of the table, by whom, and what the policies said.
#[derive(Default)]
struct Bench {
    verdicts: Mutex<Vec<Verdict>>,
    /// Lets everything pass, to see what would be seen.
    asleep: std::sync::atomic::AtomicBool,
}

fn bench() -> (Arc<Bench>, Judge) {
    let (bench, template) = (Arc::<Bench>::default(), Template::default());
    let kept = bench.clone();
    let judge: Judge = Arc::new(move |session: Session, operation: &str, body: &Value| {
        let role = template.of(session);
        let asked = policy::asked(operation, body);
        let allowed = asked.iter().all(|(action, resource, context)| role.may(action, resource, context));
        let keys: Vec<String> = asked.iter().flat_map(|(_, _, c)| c.values().flatten().cloned()).collect();
        kept.verdicts.lock().unwrap().push((session, operation.into(), keys, allowed));
        allowed || kept.asleep.load(std::sync::atomic::Ordering::SeqCst)
    });
    (bench, judge)
}

/// Every route, with what the other organisation has at its places, and bodies as that organisation itself sends them.
fn everything(street: &Street, theirs: &Resources, ours: &Resources) -> Vec<Ask> {
    let mut all = vec![];
    for route in street.private() {
        // The first of them has the other's at all places of the path.
        all.extend(paths(route, theirs, ours).into_iter().take(1).map(|position| position.foreign));
        all.extend(queries(route, theirs, ours).into_iter().map(|position| position.foreign));
        if !route.path.contains('{') && route.method == "GET" {
            all.push(Ask { method: "GET".into(), path: route.path.clone(), body: None, sent: vec![] });
        }
    }
    let asked = street.mercy.asked.iter();
    all.extend(asked.map(|a| Ask {
        method: a.method.clone(),
        path: a.path.clone(),
        body: Some(a.body.clone()),
        sent: vec![],
    }));
    all
}

/// Which requests came as far as the table, by module.
#[derive(Default)]
struct Reached {
    /// Came there, and all.
    modules: BTreeMap<String, (usize, usize)>,
    /// What was answered to those that did not.
    others: BTreeMap<String, Vec<String>>,
}

impl Reached {
    fn note(&mut self, ask: &Ask, there: bool, reply: &Reply) {
        let module = ask.path.split(['/', '?']).nth(2).unwrap_or_default();
        let (came, all) = self.modules.entry(module.into()).or_default();
        *all += 1;
        if there {
            *came += 1;
            return;
        }
        let code = reply.body["type"].as_str().and_then(|t| t.rsplit('/').next()).unwrap_or_default();
        let answered = format!("{} {code}", reply.status);
        self.others.entry(answered).or_default().push(format!("{} {}", ask.method, ask.path));
    }
    /// Whoever is turned away by something else than the request itself shows nothing of the second wall.
    fn judge(&self) {
        let fine =
            |answered: &&String| ["200", "400", "403", "404", "422"].iter().any(|s| answered.starts_with(s));
        let other: Vec<_> = self.others.keys().filter(|a| !fine(a)).collect();
        assert!(other.is_empty(), "stopped before the table by {other:?}");
        for (module, (came, all)) in &self.modules {
            assert!(came * 2 >= *all, "{module}: only {came} of {all} requests came as far as the table");
        }
    }
    fn print(&self) {
        for (module, (came, all)) in &self.modules {
            println!("COUNTED {module}: {came} of {all} requests came as far as the table");
        }
        for (answered, asked) in &self.others {
            println!("{answered}: {}\n    {}", asked.len(), asked.join("\n    "));
        }
    }
}

/// With a reason, so that none is missing.
async fn asked(ask: &Ask, who: &Actor) -> Reply {
    let call = who.call(&ask.method, &ask.path).because("what another has");
    match &ask.body {
        Some(body) => call.body(body.clone()).send().await,
        None => call.send().await,
    }
}

#[tokio::test]
async fn with_the_first_wall_away_the_credentials_alone_let_nothing_through() {
    let (bench, judge) = bench();
    // Two organisations come to life under these policies: they let through what has to pass.
    let street = Street::judged(Some(judge)).await;
    let refused: Vec<_> = bench.verdicts.lock().unwrap().drain(..).filter(|v| !v.3).collect();
    assert!(refused.is_empty(), "refused in honest work: {refused:?}");
    let theirs = Resources::of(&street.mercy, &street.routes).await;
    let ours = Resources::of(&street.grace, &street.routes).await;
    let asks = everything(&street, &theirs, &ours);
    let (who, words) = (street.grace.everybody(), street.mercy.canaries());
    let before = street.mercy.tenant.dump().await;
    let (from, to) = (street.grace.tenant.scope(), street.mercy.tenant.scope());
    street.world.app.vault().confuse(Some((from, to)));
    bench.verdicts.lock().unwrap().clear();
    let prefix = format!("{}#", street.mercy.tenant.id.prefix());
    let (mut reached, mut at_theirs) = (Reached::default(), vec![]);
    for (n, ask) in asks.iter().enumerate() {
        if n % 20 == 0 {
            // What every request stands on is kept for half a minute; read anew behind the second wall, it would stop
            // everything there, and no other call would be tried.
            street.world.app.vault().confuse(None);
            street.world.app.gates().forget(to);
            street.mercy.everybody().get("/v1/patients?q=Zan").await.ok();
            street.world.app.vault().confuse(Some((from, to)));
            bench.verdicts.lock().unwrap().clear();
        }
        let reply = asked(ask, &who).await;
        silent(&reply, &words, &ask.path);
        let verdicts = std::mem::take(&mut *bench.verdicts.lock().unwrap());
        let there = verdicts.into_iter().filter(|v| v.2.iter().any(|k| k.starts_with(&prefix)));
        let before = at_theirs.len();
        at_theirs.extend(there);
        reached.note(ask, at_theirs.len() > before, &reply);
    }
    street.world.app.vault().confuse(None);
    reached.print();
    reached.judge();
    let kinds: BTreeSet<&str> = at_theirs.iter().map(|v| v.1.as_str()).collect();
    println!(
        "COUNTED {} requests without the first wall\nCOUNTED {} calls judged",
        asks.len(),
        at_theirs.len()
    );
    assert!(at_theirs.iter().all(|v| !v.3), "let through");
    assert!(at_theirs.len() > 800 && kinds.len() >= 3, "{} calls of {kinds:?}", at_theirs.len());
    assert_eq!(before, street.mercy.tenant.dump().await, "nothing was written");
    without_both_walls_it_shows(&street, &bench, &asks, (from, to)).await;
}

/// The same requests with the judge asleep: what the wall that stood above has kept from being seen.
async fn without_both_walls_it_shows(
    street: &Street,
    bench: &Bench,
    asks: &[Ask],
    (from, to): (Scope, Scope),
) {
    bench.asleep.store(true, std::sync::atomic::Ordering::SeqCst);
    street.world.app.vault().confuse(Some((from, to)));
    let (who, words) = (street.grace.everybody(), street.mercy.canaries());
    let mut seen = 0;
    for ask in asks.iter().filter(|a| a.method == "GET") {
        seen += usize::from(words.found(&asked(ask, &who).await.bytes).is_some());
    }
    street.world.app.vault().confuse(None);
    println!("COUNTED {seen} answers with the other's words when both walls are away");
    assert!(seen > 100, "{seen} answers with the other's words: the probe would see a leak");
}

/// Files and keys, which no test calls through credentials: every place that the code can name in another's part.
#[test]
fn credentials_of_one_organisation_reach_no_file_and_no_key_of_another() {
    use web::files::{Bucket, File};
    let template = Template::default();
    let [ours, theirs] = [1, 2].map(|n| <kernel::TenantId as kernel::Id>::of(kernel::Ulid::from_parts(n, 1)));
    let role = template.of(Session::Of(Scope::Tenant(ours)));
    let none = policy::Context::new();
    let at = |file: &File| match file.bucket() {
        Bucket::Documents => format!("{}/{}", policy::DOCUMENTS, file.key()),
        Bucket::Digests => format!("{}/{}", policy::DIGESTS, file.key()),
    };
    let makes: [fn(Scope) -> File; 3] =
        [|s| File::document(s, "x/y"), |s| File::warehouse(s, "x/y"), |s| File::digest(s, "x/y")];
    for make in makes {
        let [own, other] = [ours, theirs].map(|t| at(&make(Scope::Tenant(t))));
        for action in ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"] {
            assert!(role.may(action, &own, &none), "{action} {own}");
        }
        for action in [
            "s3:GetObject",
            "s3:GetObjectVersion",
            "s3:PutObject",
            "s3:DeleteObject",
            "s3:DeleteObjectVersion",
        ] {
            assert!(!role.may(action, &other, &none), "{action} {other}");
            assert!(!role.may(action, &at(&make(Scope::Platform)), &none), "{action} of the platform");
        }
    }
    let listing = |prefix: String| policy::Context::from([("s3:prefix", vec![prefix])]);
    assert!(role.may("s3:ListBucket", policy::DOCUMENTS, &listing(format!("{}/a", ours.prefix()))));
    for prefix in [format!("{}/a", theirs.prefix()), String::new(), "warehouse/".into(), "audit/".into()] {
        assert!(!role.may("s3:ListBucket", policy::DOCUMENTS, &listing(prefix.clone())), "{prefix}");
    }
    let of = |tenant: String| policy::Context::from([("kms:EncryptionContext:tenant", vec![tenant])]);
    for action in ["kms:Decrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"] {
        assert!(role.may(action, policy::KEY, &of(ours.prefix())));
        for other in [of(theirs.prefix()), of("platform".into()), none.clone()] {
            assert!(!role.may(action, policy::KEY, &other), "{action} {other:?}");
        }
    }
    for action in ["dynamodb:Scan", "dynamodb:PartiQLSelect", "dynamodb:ExportTableToPointInTime"] {
        assert!(!role.may(action, policy::TABLE, &none), "{action}");
    }
}
