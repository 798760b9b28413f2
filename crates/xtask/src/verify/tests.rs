use super::*;
use crate::workspace;
use kernel::SiteId;
use local::{folder::Folder, functions::place};
use schemars::JsonSchema;
use seal::{LocalMaster, Sealed};
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, sync::Arc};
use store::{
    Caller, Entity, List, Record, Scope, Vault,
    chain::{Leaf, to_lines},
    sdk::types::AttributeValue as Av,
};

#[test]
fn a_stored_name_is_read_as_it_was_given() {
    let digest = "a".repeat(64);
    assert_eq!(given(&format!("=digest.json.{digest}")), Some("digest.json"));
    assert_eq!(given("=digest.json.json"), None, "its label");
    assert_eq!(given("leaves.ndjson"), Some("leaves.ndjson"));
}

#[test]
fn what_is_no_export_is_told() {
    assert!(read("{\"x\": 1}").is_none() && read("").is_none() && read("no").is_none());
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Note {
    text: Sealed<String>,
    share: f64,
}

impl Entity for Note {
    type Id = SiteId;
    const NOUN: &'static str = "note";
    const LISTS: &'static [List<Self>] = &[List::newest()];
}

struct Scene {
    folder: PathBuf,
    id: SiteId,
}

impl Scene {
    /// A record of three versions in a data folder, as the local platform keeps it.
    async fn set() -> Self {
        let folder = std::env::temp_dir().join(format!("lumina-verify-{}", ulid::Ulid::new()));
        Pen::of(&Folder::open(&folder, false).unwrap()).unwrap();
        let (table, client) = table(&folder).await;
        let own = client.clone();
        let keys = Arc::new(LocalMaster::new([7; 32]));
        let vault = Vault::new(table.name(), move |_| own.clone(), keys, Clock::default());
        let store = vault.open(Scope::Platform, Caller::default()).await.unwrap();
        let first = Record::new(store.now(), Note { text: "one".into(), share: 1.0 });
        store.commit().create(&first).run().await.unwrap();
        for share in [0.5, 100.0] {
            let old = store.fresh::<Note>(first.id).await.unwrap();
            let mut new = old.next(store.now());
            new.body.share = share;
            store
                .commit()
                .update("update", &old, &new)
                .emit(serde_json::json!({"share": share}))
                .run()
                .await
                .unwrap();
        }
        table.close().await;
        Self { folder, id: first.id }
    }

    /// What dispatch and audit would have anchored.
    async fn anchor(&self) {
        let (table, _) = table(&self.folder).await;
        let items = table.items().await.unwrap();
        table.close().await;
        let leaf = |l: Link| Leaf {
            at: l.form.at,
            id: format!("{}#{}#{}", l.kind, l.record, l.place),
            record: l.record,
            version: l.place,
            hash: l.hash,
        };
        let leaves: Vec<Leaf> = items.iter().filter_map(Link::read).map(leaf).collect();
        let seg = self.folder.join("files/digests/audit/platform").join(leaves[0].day()).join("seg");
        fs::create_dir_all(&seg).unwrap();
        fs::write(seg.join("1.ndjson"), to_lines(&leaves)).unwrap();
    }

    async fn remove(&self, version: u64) {
        let (table, client) = table(&self.folder).await;
        let key = |text: String| Av::S(text);
        let gone = client.delete_item().table_name(table.name());
        let gone = gone.key("pk", key(format!("platform#chg#sit#{}", self.id)));
        gone.key("sk", key(format!("v#{version:010}"))).send().await.unwrap();
        table.close().await;
    }

    fn verdict(&self) -> Result<(), String> {
        data(&workspace::root(), &self.folder).map_err(|trouble| trouble.to_string())
    }
}

async fn table(folder: &Path) -> (Table, store::sdk::Client) {
    let template = Template::load(&workspace::root().join("template.yaml")).unwrap();
    let table = Table::open(&folder.join("table.db"), &template.table).await.unwrap();
    #[expect(clippy::disallowed_methods, reason = "tampers with what the store wrote")]
    let client = store::sdk::Client::new(&place(&format!("http://{}", table.address)));
    (table, client)
}

#[test]
fn the_local_platforms_data_is_judged_and_the_first_broken_link_is_named() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let scene = runtime.block_on(Scene::set());
    assert_eq!(
        scene.verdict(),
        Ok(()),
        "nothing is anchored yet, and everything is younger than its anchor may be"
    );
    runtime.block_on(scene.anchor());
    assert_eq!(scene.verdict(), Ok(()));
    runtime.block_on(scene.remove(2));
    let told = scene.verdict().unwrap_err();
    assert!(told.contains("deleted") && told.contains(&format!("{} v2", scene.id)), "{told}");
    runtime.block_on(scene.remove(3));
    assert!(scene.verdict().unwrap_err().contains("truncated"), "the end is gone too");
    fs::remove_dir_all(&scene.folder).unwrap();
}
