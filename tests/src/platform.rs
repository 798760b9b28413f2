//! The local platform as `cargo run` starts it, in a folder of its own, with its first operator.

use local::{
    arguments::Arguments,
    demo::{Login, Organisation, Visitor, Wanted, organisation},
    operator::{self, Operator},
    platform::{self, Front, Platform},
};
use std::path::Path;

pub struct World {
    pub platform: Platform,
    pub door: Visitor,
    /// The operator's login, and the operator signed in.
    pub root: Login,
    pub operator: Visitor,
}

/// On what lies in a data folder.
pub async fn running(data: &Path, front: Option<Front>) -> Platform {
    let data = Some(data.to_path_buf());
    let arguments = Arguments { fresh: false, port: 0, data, loopback_webhooks: true, token: None };
    Box::pin(platform::start_behind(front, &arguments, &|line| println!("{line}"))).await.unwrap()
}

impl World {
    /// In an empty folder, behind a layer in front of its table.
    pub async fn start(front: Option<Front>) -> World {
        let data = std::env::temp_dir().join(format!("lumina-world-{}", kernel::Ulid::new()));
        Self::of(running(&data, front).await).await
    }

    /// Appoints the first operator of a platform that has none.
    pub async fn of(platform: Platform) -> World {
        let door = Visitor::at(&platform.address).unwrap();
        let first = Operator {
            username: "root".into(),
            email: "root@lumina.example".into(),
            given_name: "Olu".into(),
            family_name: "Ade".into(),
        };
        let mut root = operator::appoint(&platform.around, &platform.app, &first).await.unwrap();
        let operator = root.enter(&door, &platform.around.clock).await.unwrap();
        assert!(root.totp_secret.is_some(), "an operator has a second factor");
        World { platform, door, root, operator }
    }

    /// An organisation, and its administrator.
    pub async fn open(&self, wanted: &Wanted) -> (Organisation, Visitor) {
        organisation::open(&self.door, &self.operator, wanted, &self.platform.around.clock).await.unwrap()
    }

    pub async fn stop(self) {
        let data = self.platform.folder.path().to_path_buf();
        self.platform.stop().await;
        std::fs::remove_dir_all(data).unwrap();
    }
}
