//! One organisation, exported, erased, restored: byte for byte what it was, its trail unbroken, its neighbour
//! untouched. On the table of the tests, where it has something of everything; and on the local platform ([`runbook`]).

mod runbook;

use journeys::{
    Senders,
    house::{House, MORNING},
    with_ways_out,
};
use kernel::Result;
use seal::LocalMaster;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};
use store::chain::{Evidence, Head, Kept, Link, Verdict, verify};
use testkit::World;
use web::files::Bucket;
use xtask::tenant::{self, Account, Accounts, Bundle, Made, Place};

/// A user pool in memory that chooses a login's identity, or lets it be given.
#[derive(Default)]
struct Pool {
    accounts: Mutex<BTreeMap<String, Account>>,
    chooses: bool,
}

type Calling<'a, T> = tenant::Calling<'a, T>;

impl Accounts for Pool {
    fn show<'a>(&'a self, user: &'a str) -> Calling<'a, Option<Account>> {
        Box::pin(async move { Result::Ok(self.accounts.lock().unwrap().get(user).cloned()) })
    }
    fn remove<'a>(&'a self, user: &'a str) -> Calling<'a, ()> {
        Box::pin(async move {
            self.accounts.lock().unwrap().remove(user);
            Ok(())
        })
    }
    fn make<'a>(&'a self, account: &'a Account) -> Calling<'a, Made> {
        Box::pin(async move {
            self.accounts.lock().unwrap().insert(account.user.clone(), account.clone());
            Ok(if self.chooses { Made::Stranger } else { Made::Same })
        })
    }
}

struct Scene {
    world: World,
    grace: House,
    mercy: House,
    place: Place,
    pool: Arc<Pool>,
    folder: PathBuf,
}

impl Scene {
    async fn set(chooses: bool) -> Self {
        let senders = Arc::<Senders>::default();
        let world = World::with(with_ways_out(senders.channels(), senders.clone())).await;
        world.clock.set(MORNING.parse().unwrap());
        let grace = House::furnish(&world, "grace", "Quibrello", "4417731").await;
        let mercy = House::furnish(&world, "mercy", "Zanthrope", "8829964").await;
        world.deliver().await;
        // A day's trail, anchored and signed.
        for queue in [web::Queue::Audit, web::Queue::Access] {
            for letter in world.letters.take(queue) {
                world.hand_over_other(&letter).await;
            }
        }
        let pool = Arc::new(Pool { chooses, ..Pool::default() });
        for item in world.scan().await.iter().filter(|i| i["sub"].is_string() && i["sk"] == ".") {
            let words: Vec<&str> = item["pk"].as_str().unwrap().split('#').collect();
            let (tenant, user) = (words[0].to_string(), words[2].to_string());
            let account = Account {
                sub: item["sub"].as_str().unwrap().into(),
                user: user.clone(),
                enabled: true,
                second_factor: true,
                attributes: BTreeMap::from([("custom:tenant".into(), tenant)]),
            };
            pool.accounts.lock().unwrap().insert(user, account);
        }
        let (sdk, table) = world.table();
        let place = Place {
            sdk: sdk.clone(),
            table: table.into(),
            files: world.files.clone(),
            keys: Arc::new(LocalMaster::new([7; 32])),
            accounts: pool.clone(),
        };
        let folder = std::env::temp_dir().join(format!("lumina-restore-{}", kernel::Ulid::new()));
        Self { world, grace, mercy, place, pool, folder }
    }
    fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
    async fn export(&self, name: &str) -> tenant::Done {
        tenant::export(&self.place, self.grace.tenant.id, &self.at(name), "2026-11-23").await.unwrap()
    }
    async fn erase(&self, name: &str) -> tenant::Done {
        tenant::erase(&self.place, self.grace.tenant.id, &self.at(name)).await.unwrap()
    }
    async fn restore(&self, name: &str) -> tenant::Done {
        tenant::restore(&self.place, self.grace.tenant.id, &self.at(name)).await.unwrap()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Every file of a folder by its path.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => all.extend(files(&path)),
            false => drop(all.insert(path.clone(), std::fs::read(&path).unwrap())),
        }
    }
    all
}

/// Two exports with the same bytes.
fn same(one: &Path, other: &Path) {
    let by_name = |folder: &Path| {
        let all = files(folder).into_iter();
        all.map(|(path, bytes)| (path.strip_prefix(folder).unwrap().to_path_buf(), bytes))
            .collect::<BTreeMap<_, _>>()
    };
    let (one, other) = (by_name(one), by_name(other));
    assert!(one.keys().eq(other.keys()), "{:?} and {:?}", one.keys(), other.keys());
    for (path, bytes) in one {
        assert!(bytes == other[&path], "{} differs", path.display());
    }
}

fn judged(bundle: &Bundle, tenant: &str) -> Verdict {
    let mut evidence =
        Evidence { tenant: tenant.into(), whole: true, heads: Some(vec![]), ..Evidence::default() };
    for line in bundle.lines() {
        let item: Value = serde_json::from_str(line).unwrap();
        if let Some(link) = Link::read(&item) {
            evidence.links.push(link);
        } else if let Some(kept) = Kept::read(&item) {
            evidence.access.push(kept);
        } else if let Some(head) = Head::read(&item) {
            evidence.heads.get_or_insert_default().push(head);
        }
    }
    verify(&evidence)
}

#[tokio::test]
async fn an_organisation_that_was_erased_comes_back_byte_for_byte() {
    let s = Scene::set(false).await;
    let neighbour = s.mercy.tenant.dump().await;
    let patient = format!("/v1/patients/{}", s.grace.kept["patient"]);
    let nurse = s.grace.people["nurse"].clone();
    let before = nurse.get(&patient).await.ok();
    let read = s.world.letters.take(web::Queue::Access);
    assert!(!read.is_empty());
    let held = s.world.files.held(Bucket::Documents);
    assert!(!held.is_empty(), "a file under the storage's own hold");
    let out = s.export("one").await;
    assert!(out.items > 200 && out.files > 1 && out.logins > 0, "{out:?}");

    let gone = s.erase("one").await;
    assert_eq!((gone.items, gone.logins, gone.locked), (out.items, out.logins, out.locked));
    assert_eq!(s.grace.tenant.dump().await, "", "nothing of it is in the table");
    let documents = s.world.files.keys(Bucket::Documents);
    assert!(documents.iter().all(|key| !key.contains(&s.grace.tenant.id.prefix())), "{documents:?}");
    s.world.app.vault().forget(s.grace.tenant.scope());
    s.world.app.gates().forget(s.grace.tenant.scope());
    nurse.get(&patient).await.refused(401, "organisation-unknown");
    assert_eq!(s.mercy.tenant.dump().await, neighbour, "its neighbour is untouched");

    let back = s.restore("one").await;
    assert_eq!((back.items, back.files, back.logins), (out.items, out.files, out.logins));
    assert_eq!(s.world.files.held(Bucket::Documents), held, "under hold again");
    s.world.app.vault().forget(s.grace.tenant.scope());
    s.export("two").await;
    same(&s.at("one"), &s.at("two"));
    assert_eq!(nurse.get(&patient).await.ok(), before, "sealed values open again");
    let bundle = Bundle::open(&s.at("two"), s.grace.tenant.id).unwrap();
    let verdict = judged(&bundle, &s.grace.tenant.id.prefix());
    assert!(verdict.is_intact() && verdict.checked.changes > 60, "{verdict:?}");
    println!("COUNTED {} items\nCOUNTED {} files\nCOUNTED {} logins", out.items, out.files, out.logins);
    assert_eq!(s.mercy.tenant.dump().await, neighbour);
}

#[tokio::test]
async fn a_restore_that_was_interrupted_goes_on_where_it_stopped() {
    let s = Scene::set(true).await;
    let out = s.export("one").await;
    s.erase("one").await;
    // Half of it is back: without its key, since that comes last.
    let bundle = Bundle::open(&s.at("one"), s.grace.tenant.id).unwrap();
    let (sdk, table) = s.world.table();
    let half = bundle.lines().iter().filter(|line| !line.contains("#key#")).take(out.items / 2);
    for line in half {
        let item: Value = serde_json::from_str(line).unwrap();
        let item: std::collections::HashMap<_, _> = tenant::attributes(&item).unwrap();
        sdk.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
    }
    let back = s.restore("one").await;
    assert_eq!(back.strangers.len(), out.logins, "this pool chooses identities: they are named");
    s.export("two").await;
    same(&s.at("one"), &s.at("two"));
    // And once more changes nothing.
    s.restore("one").await;
    assert_eq!(s.pool.accounts.lock().unwrap().len(), 2 * out.logins);
}

#[tokio::test]
async fn what_would_lose_or_mix_something_is_refused() {
    let s = Scene::set(false).await;
    let id = s.grace.tenant.id;
    s.export("one").await;
    let refused =
        |what: std::result::Result<tenant::Done, local::trouble::Trouble>| what.unwrap_err().to_string();
    // Somebody worked on meanwhile.
    let nurse = &s.grace.people["nurse"];
    let task =
        json!({"title": "Count", "category": "clinical", "assignee": {"kind": "role", "value": "nurse"}});
    nurse.post("/v1/workflow/tasks", task).await.created();
    let why = refused(tenant::erase(&s.place, id, &s.at("one")).await);
    assert!(why.contains("has changed since"), "{why}");
    let why = refused(tenant::restore(&s.place, id, &s.at("one")).await);
    assert!(why.contains("Nothing was done"), "{why}");
    // Another organisation's export, a changed one, an unfinished one, one of another installation.
    let why = refused(tenant::restore(&s.place, s.mercy.tenant.id, &s.at("one")).await);
    assert!(why.contains("is an export of"), "{why}");
    s.export("three").await;
    let elsewhere = Place {
        sdk: s.place.sdk.clone(),
        table: s.place.table.clone(),
        files: s.place.files.clone(),
        keys: Arc::new(LocalMaster::new([8; 32])),
        accounts: s.place.accounts.clone(),
    };
    let why = refused(tenant::restore(&elsewhere, id, &s.at("three")).await);
    assert!(why.contains("another installation"), "{why}");
    let table = s.at("three").join("table.ndjson");
    let text = std::fs::read_to_string(&table).unwrap();
    std::fs::write(&table, text.replace("active", "closed")).unwrap();
    let why = refused(tenant::restore(&s.place, id, &s.at("three")).await);
    assert!(why.contains("not as it was exported"), "{why}");
    std::fs::remove_file(s.at("one").join("manifest.json")).unwrap();
    refused(tenant::restore(&s.place, id, &s.at("one")).await);
}
