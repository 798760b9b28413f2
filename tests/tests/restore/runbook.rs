//! The runbook's commands (`docs/restore.md`) on a local platform's data folder: everything of an organisation goes, and
//! comes back, and its people work on.

use journeys::platform::{World, running};
use local::{
    accounts::Restored,
    arguments::workspace,
    demo::{Login, Organisation, Staff, Visitor, Wanted, login::now},
    platform::Platform,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};
use store::Scope;
use web::files::{File, Files};
use xtask::tenant;

fn door(platform: &Platform) -> Visitor {
    Visitor::at(&platform.address).unwrap()
}

async fn enters(platform: &Platform, login: &Login) -> Option<Visitor> {
    door(platform).sign_in(login, now(&platform.around.clock)).await.ok()
}

/// An organisation, and its receptionist, whom no `demo.json` knows.
async fn open(world: &World) -> (Organisation, Login) {
    let (grace, admin) = world.open(&Wanted::hospital("grace", "ada@grace.example")).await;
    let desk = Staff {
        given_name: "Ngozi".into(),
        family_name: "Okeke".into(),
        roles: vec!["receptionist".into()],
        sites: vec!["*".into()],
        books: None,
    };
    let clock = &world.platform.around.clock;
    let desk = grace.invite(&world.door, &admin, &desk, "grace.example", clock).await.unwrap();
    (grace, desk)
}

const PAPER: &[u8] = b"%PDF-1.7\n% a paper\n%%EOF\n";

/// The receptionist's own paper, uploaded, and held for a claim.
async fn files_a_paper(admin: &Visitor, of: &Login) -> String {
    let announced = json!({
        "title": "A paper", "category": "dbs_certificate", "number": "001234567890", "file_name": "paper.pdf",
        "content_type": "application/pdf", "size": PAPER.len(), "sha256": hex::encode(seal::sha256(PAPER)),
        "subject": of.user,
    });
    let made = admin.post("/v1/documents", announced).await.unwrap();
    let upload = &made["upload"];
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut put = client.put(upload["url"].as_str().unwrap()).body(PAPER);
    for (name, value) in upload["headers"].as_object().unwrap() {
        put = put.header(name, value.as_str().unwrap());
    }
    assert!(put.send().await.unwrap().status().is_success());
    let id = made["id"].as_str().unwrap().to_string();
    let covers = json!({"documents": [id]});
    let hold = json!({"matter": "Obi v Grace", "reason": "claim form received", "covers": covers});
    admin.post("/v1/documents/holds", hold).await.unwrap();
    id
}

async fn reads_the_paper(admin: &Visitor, id: &str) -> Vec<u8> {
    let link = admin.get(&format!("/v1/documents/{id}/content")).await.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let read = client.get(link["url"].as_str().unwrap()).send().await.unwrap();
    read.bytes().await.unwrap().to_vec()
}

/// Its files, and whether the storage holds them.
async fn files(platform: &Platform, scope: Scope) -> BTreeMap<String, bool> {
    let (shelf, root) = (&platform.around.shelf, File::document(scope, ""));
    let mut found = BTreeMap::new();
    for key in shelf.list(&root, None).await.unwrap() {
        let held = shelf.stat(&root.at(key.clone())).await.unwrap().unwrap().held;
        found.insert(key, held);
    }
    found
}

/// Nothing of it in the table, the stream, the storage, the user pool.
async fn nothing_is_left(platform: &Platform, scope: Scope, people: [&Login; 2]) {
    let own = format!("{scope}#");
    let around = &platform.around;
    let items = around.table.items().await.unwrap();
    let found = items.iter().find(|i| i["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with(&own)));
    assert_eq!(found, None);
    let mut place = 0;
    while let Some(last) = around.table.records(place, 1000).await.unwrap().last().map(|r| r.place) {
        for record in around.table.records(place, 1000).await.unwrap() {
            let pk = &record.record["dynamodb"]["Keys"]["pk"]["S"];
            assert!(!pk.as_str().unwrap().starts_with(&own), "the stream remembers {pk}");
        }
        place = last;
    }
    assert!(files(platform, scope).await.is_empty());
    let users = around.emulator.cognito("ListUsers", &json!({"UserPoolId": around.pool.id})).await.unwrap();
    let names: Vec<&Value> = users["Users"].as_array().unwrap().iter().map(|u| &u["Username"]).collect();
    for login in people {
        assert!(!names.contains(&&json!(login.user)), "{names:?}");
        assert!(enters(platform, login).await.is_none(), "{} signs in", login.login_name);
    }
}

/// `cargo xtask tenant …`, as a process of its own would do it.
async fn command(data: &Path, verb: &'static str, organisation: &str, folder: &Path) {
    let (data, id, folder) = (data.to_path_buf(), organisation.to_string(), folder.to_path_buf());
    let run = move || tenant::local(&workspace().unwrap(), &data, verb, &id, &folder).unwrap();
    tokio::task::spawn_blocking(run).await.unwrap();
}

/// Somebody gives one whose login came back without a password a new invitation, and they take it up.
async fn renews(platform: &Platform, by: &Visitor, context: Option<&str>, lost: &Login) -> Visitor {
    let path = format!("/v1/identity/users/{}/renew-login", lost.user);
    let because = json!({"reason": "restored from an export"});
    let context: Vec<(&str, &str)> = context.map(|id| ("x-tenant-context", id)).into_iter().collect();
    by.send(Method::POST, &path, &context, Some(&because)).await.unwrap().fine().unwrap();
    let (door, clock) = (door(platform), &platform.around.clock);
    for _ in 0..60 {
        // Until the new letter is there, the old one's link is refused.
        if let Ok((_, person)) = Login::take_up(&door, &lost.login_name, clock).await {
            return person;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("the new invitation never came");
}

/// An operator enters an organisation to change its configuration.
async fn enters_for_support(operator: &Visitor, tenant: &str) -> String {
    let wish = json!({
        "reason": "restored from an export, nobody there has a login", "ticket": "OPS-1",
        "scope": "configuration", "read_only": false,
    });
    let opened = operator.post(&format!("/v1/tenants/{tenant}/contexts"), wish).await.unwrap();
    opened["id"].as_str().unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organisation_of_the_local_platform_goes_and_comes_back_by_the_commands() {
    let folder = std::env::temp_dir().join(format!("lumina-runbook-{}", kernel::Ulid::new()));
    let (data, one, two) = (folder.join("data"), folder.join("one"), folder.join("two"));
    let world = World::of(running(&data, None).await).await;
    let (grace, desk) = open(&world).await;
    let (started, root) = (world.platform, world.root);
    let scope = Scope::Tenant(grace.tenant.parse().unwrap());
    let ada = grace.users[0].clone();
    let admin = enters(&started, &ada).await.unwrap();
    let paper = files_a_paper(&admin, &desk).await;
    for _ in 0..120 {
        if files(&started, scope).await.values().any(|held| *held) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let held = files(&started, scope).await;
    assert!(held.values().any(|held| *held), "{held:?}");
    let reception = enters(&started, &desk).await.unwrap();
    let person = json!({
        "given_names": "Ngozi", "family_name": "Okonkwo", "birth_date": "1990-05-17", "gender": "female",
        "phones": [{"number": "+2348035550100"}],
    });
    let patient = reception.post("/v1/patients", person).await.unwrap();
    let path = format!("/v1/patients/{}", patient["id"].as_str().unwrap());
    let before = reception.get(&path).await.unwrap();
    // In the middle of what follows from it: the stop hands it on.
    started.stop().await;

    command(&data, "export", &grace.tenant, &one).await;
    command(&data, "erase", &grace.tenant, &one).await;
    let started = running(&data, None).await;
    assert_eq!(local::accounts::restore(&started, None).await.unwrap(), Restored::default());
    nothing_is_left(&started, scope, [&ada, &desk]).await;
    enters(&started, &root).await.unwrap().get("/v1/me").await.unwrap();
    started.stop().await;

    // Which verifies every trail of the folder at its end.
    command(&data, "restore", &grace.tenant, &one).await;
    command(&data, "export", &grace.tenant, &two).await;
    for name in ["table.ndjson", "files.ndjson"] {
        assert!(std::fs::read(one.join(name)).unwrap() == std::fs::read(two.join(name)).unwrap(), "{name}");
    }
    let started = running(&data, None).await;
    let lost = local::accounts::restore(&started, None).await.unwrap().bare;
    assert_eq!(BTreeSet::from_iter(lost), BTreeSet::from([ada.user.clone(), desk.user.clone()]));
    for login in [&ada, &desk] {
        assert!(enters(&started, login).await.is_none(), "the old password is gone");
    }
    let operator = enters(&started, &root).await.unwrap();
    let context = enters_for_support(&operator, &grace.tenant).await;
    let admin = renews(&started, &operator, Some(&context), &ada).await;
    assert_eq!(reads_the_paper(&admin, &paper).await, PAPER);
    assert_eq!(files(&started, scope).await, held, "under hold as before");
    let because = [("x-reason", "tidy")];
    let gone = admin.send(Method::DELETE, &format!("/v1/documents/{paper}"), &because, None).await.unwrap();
    assert_eq!((gone.status, gone.problem()), (409, "legal-hold"));
    let reception = renews(&started, &admin, None, &desk).await;
    assert_eq!(reception.get(&path).await.unwrap(), before);
    started.stop().await;
    std::fs::remove_dir_all(folder).unwrap();
}
