//! The first wall is taken away: our own code mixes two organisations up, and the credentials alone have to hold.

use crate::street::{Street, silent};
use journeys::{
    policy::{self, Template},
    probe::{Ask, Resources, paths},
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};
use store::Scope;
use testkit::{Judge, Session};

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
fn everything(street: &Street, theirs: &Resources) -> Vec<Ask> {
    let mut all = vec![];
    for route in street.private() {
        for position in paths(route, theirs, theirs).into_iter().take(1) {
            all.push(position.foreign);
        }
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

#[tokio::test]
async fn with_the_first_wall_away_the_credentials_alone_let_nothing_through() {
    let (bench, judge) = bench();
    // Two organisations come to life under these policies: they let through what has to pass.
    let street = Street::judged(Some(judge)).await;
    let refused: Vec<_> = bench.verdicts.lock().unwrap().drain(..).filter(|v| !v.3).collect();
    assert!(refused.is_empty(), "refused in honest work: {refused:?}");
    let theirs = Resources::of(&street.mercy, &street.routes).await;
    let asks = everything(&street, &theirs);
    let (who, words) = (street.grace.everybody(), street.mercy.canaries());
    let before = street.mercy.tenant.dump().await;
    let (from, to) = (street.grace.tenant.scope(), street.mercy.tenant.scope());
    street.world.app.vault().confuse(Some((from, to)));
    bench.verdicts.lock().unwrap().clear();
    for ask in &asks {
        let reply = ask.by(&who).await;
        silent(&reply, &words, &ask.path);
    }
    street.world.app.vault().confuse(None);
    let verdicts = std::mem::take(&mut *bench.verdicts.lock().unwrap());
    let prefix = format!("{}#", street.mercy.tenant.id.prefix());
    let at_theirs: Vec<_> = verdicts.iter().filter(|v| v.2.iter().any(|k| k.starts_with(&prefix))).collect();
    let kinds: BTreeSet<&str> = at_theirs.iter().map(|v| v.1.as_str()).collect();
    println!(
        "COUNTED {} requests without the first wall\nCOUNTED {} calls judged",
        asks.len(),
        at_theirs.len()
    );
    assert!(at_theirs.iter().all(|v| !v.3), "let through");
    assert!(at_theirs.len() > 100 && kinds.len() >= 3, "{} calls of {kinds:?}", at_theirs.len());
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
        seen += usize::from(words.found(&ask.by(&who).await.bytes).is_some());
    }
    street.world.app.vault().confuse(None);
    assert!(seen > 10, "{seen} answers with the other's words: the probe would see a leak");
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
