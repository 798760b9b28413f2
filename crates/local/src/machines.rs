//! Partners' machines on this machine: clients with secrets and tokens, as Cognito keeps them when deployed, and the
//! gateway's API keys. The emulator knows no client credentials, so they are kept here, in `keys.json`; the tokens are
//! signed by a key of our own that the gateway trusts beside the emulated pool's.

mod door;

pub use door::{Door, router};

use crate::{
    folder::Folder,
    gateway::{Key, Keys, throttle::Plan},
    trouble,
    trouble::{Outcome, While},
};
use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize, PublicKeyComponents},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64_URL};
use integrations::gateway::{ApiKey, Calling, Gateway, Machine, Secret};
use kernel::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
};

const FILE: &str = "keys.json";
const KEY_ID: &str = "machines";

/// What is kept between two starts.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Kept {
    /// PKCS #8, base 64: what tokens are signed with.
    #[serde(default)]
    signing: String,
    /// Secrets by client: id and SHA-256.
    #[serde(default)]
    clients: BTreeMap<String, Vec<(String, String)>>,
    /// Names by client.
    #[serde(default)]
    names: BTreeMap<String, String>,
    /// Name, value and usage plan by id.
    #[serde(default)]
    keys: BTreeMap<String, Given>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Given {
    name: String,
    value: String,
    plan: String,
}

pub struct Machines {
    file: PathBuf,
    kept: Mutex<Kept>,
    signing: KeyPair,
    plans: Vec<Plan>,
    /// The gateway's own view of the keys.
    keys: Arc<Keys>,
}

impl Machines {
    pub fn open(folder: &Folder, plans: &[Plan], keys: Arc<Keys>) -> Outcome<Self> {
        let file = folder.join(FILE);
        let mut kept: Kept = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).whilst(format_args!("read {}", file.display()))?,
            Err(_) => Kept::default(),
        };
        let signing = match BASE64_URL.decode(&kept.signing) {
            Ok(der) if !der.is_empty() => KeyPair::from_pkcs8(&der)
                .map_err(|_| trouble!("The key in {} cannot be read.", file.display()))?,
            _ => KeyPair::generate(KeySize::Rsa2048)
                .map_err(|_| trouble!("This machine gives no random numbers."))?,
        };
        let der: Pkcs8V1Der = signing.as_der().map_err(|_| trouble!("Could not write a new key."))?;
        kept.signing = BASE64_URL.encode(der.as_ref());
        let machines = Self { file, kept: Mutex::new(kept), signing, plans: plans.to_vec(), keys };
        let all: Vec<(String, Given)> = machines.kept().keys.clone().into_iter().collect();
        all.iter().for_each(|(id, given)| machines.let_in(id, given));
        machines.save(&machines.kept()).whilst("keep the machines' keys")?;
        Ok(machines)
    }

    /// The key that the gateway is to trust, as a pool publishes its own.
    pub fn jwks(&self) -> Value {
        let parts = PublicKeyComponents::<Vec<u8>>::from(self.signing.public_key());
        json!({"keys": [{"kty": "RSA", "kid": KEY_ID, "n": BASE64_URL.encode(parts.n), "e": BASE64_URL.encode(parts.e)}]})
    }

    /// Whether this is one of the client's secrets.
    fn knows(&self, client: &str, secret: &str) -> bool {
        let digest = hash(secret);
        self.kept().clients.get(client).is_some_and(|all| all.iter().any(|(_, known)| *known == digest))
    }

    fn sign(&self, claims: &Value) -> Option<String> {
        let part = |v: &Value| BASE64_URL.encode(v.to_string());
        let signed =
            format!("{}.{}", part(&json!({"alg": "RS256", "kid": KEY_ID, "typ": "JWT"})), part(claims));
        let mut signature = vec![0; self.signing.public_modulus_len()];
        self.signing.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
        Some(format!("{signed}.{}", BASE64_URL.encode(signature)))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Changes what is kept, on the disk before it is answered.
    fn change<T>(&self, change: impl FnOnce(&mut Kept) -> T) -> Result<T> {
        let mut kept = self.kept();
        let answer = change(&mut kept);
        self.save(&kept).map_err(Error::internal)?;
        Ok(answer)
    }

    fn save(&self, kept: &Kept) -> std::io::Result<()> {
        let text = serde_json::to_vec_pretty(kept)?;
        crate::folder::write(&self.file, &text, true)
    }

    fn let_in(&self, id: &str, given: &Given) {
        let plan = self.plans.iter().find(|plan| plan.name == given.plan).cloned().unwrap_or_default();
        let mut keys = self.keys.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        keys.insert(given.value.clone(), Key { id: id.into(), plan });
    }

    fn shut_out(&self, id: &str) {
        let mut keys = self.keys.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        keys.retain(|_, key| key.id != id);
    }
}

fn named<T>(all: &BTreeMap<String, T>, is: impl Fn(&T) -> bool) -> Vec<String> {
    all.iter().filter(|(_, one)| is(one)).map(|(id, _)| id.clone()).collect()
}

fn hash(secret: &str) -> String {
    BASE64_URL.encode(seal::sha256(secret.as_bytes()))
}

/// 32 random bytes.
fn random() -> Result<String> {
    let mut bytes = [0u8; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::internal("no random numbers"))?;
    Ok(BASE64_URL.encode(bytes))
}

fn new_id(kind: &str) -> String {
    format!("{kind}{}", ulid::Ulid::new().to_string().to_lowercase())
}

fn new_secret() -> Result<(Secret, (String, String))> {
    let secret = Secret { id: new_id(""), value: random()? };
    let known = (secret.id.clone(), hash(&secret.value));
    Ok((secret, known))
}

impl Gateway for Machines {
    fn create_client<'a>(&'a self, name: &'a str) -> Calling<'a, Machine> {
        Box::pin(async move {
            let (secret, known) = new_secret()?;
            let client_id = new_id("");
            self.change(|kept| {
                kept.clients.insert(client_id.clone(), vec![known]);
                kept.names.insert(client_id.clone(), name.into());
            })?;
            Ok(Machine { client_id, secret })
        })
    }
    fn add_secret<'a>(&'a self, client: &'a str) -> Calling<'a, Option<Secret>> {
        Box::pin(async move {
            let (secret, known) = new_secret()?;
            let found = self.change(|kept| {
                let all = kept.clients.get_mut(client)?;
                let room = all.len() < 2;
                if room {
                    all.push(known);
                }
                Some(room)
            })?;
            let room = found.ok_or_else(|| Error::internal("there is no such client"))?;
            Ok(room.then_some(secret))
        })
    }
    fn keep_secrets<'a>(&'a self, client: &'a str, keep: &'a [String]) -> Calling<'a, ()> {
        Box::pin(async move {
            self.change(|kept| {
                if let Some(all) = kept.clients.get_mut(client) {
                    all.retain(|(id, _)| keep.contains(id));
                }
            })
        })
    }
    fn drop_secret<'a>(&'a self, client: &'a str, secret: &'a str) -> Calling<'a, ()> {
        Box::pin(async move {
            self.change(|kept| {
                if let Some(all) = kept.clients.get_mut(client) {
                    all.retain(|(id, _)| id != secret);
                }
            })
        })
    }
    fn delete_client<'a>(&'a self, client: &'a str) -> Calling<'a, ()> {
        Box::pin(async move {
            self.change(|kept| {
                kept.clients.remove(client);
                kept.names.remove(client);
            })
        })
    }
    fn create_key<'a>(&'a self, name: &'a str, plan: &'a str) -> Calling<'a, ApiKey> {
        Box::pin(async move {
            let (id, value) = (new_id(""), random()?);
            let given = Given { name: name.into(), value: value.clone(), plan: plan.into() };
            self.change(|kept| kept.keys.insert(id.clone(), given.clone()))?;
            self.let_in(&id, &given);
            Ok(ApiKey { id, value })
        })
    }
    fn move_key<'a>(&'a self, key: &'a str, _: &'a str, to: &'a str) -> Calling<'a, ()> {
        Box::pin(async move {
            let moved = self.change(|kept| {
                let given = kept.keys.get_mut(key)?;
                given.plan = to.into();
                Some(given.clone())
            })?;
            if let Some(given) = moved {
                self.let_in(key, &given);
            }
            Ok(())
        })
    }
    fn delete_key<'a>(&'a self, key: &'a str) -> Calling<'a, ()> {
        Box::pin(async move {
            self.change(|kept| kept.keys.remove(key))?;
            self.shut_out(key);
            Ok(())
        })
    }
    fn clear<'a>(&'a self, name: &'a str) -> Calling<'a, ()> {
        Box::pin(async move {
            let keys = self.change(|kept| {
                let clients: Vec<String> = named(&kept.names, |n| n == name);
                for client in clients {
                    kept.clients.remove(&client);
                    kept.names.remove(&client);
                }
                let keys = named(&kept.keys, |k| k.name == name);
                keys.iter().for_each(|id| drop(kept.keys.remove(id)));
                keys
            })?;
            keys.iter().for_each(|id| self.shut_out(id));
            Ok(())
        })
    }
}
