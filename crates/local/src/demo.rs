//! The demo organisations of an empty data folder, made through the public API by the same steps that real people
//! take, and `demo.json`, which tells scripts how to log in.

pub mod login;
pub mod organisation;
pub mod partner;
pub mod script;
pub mod secret;
pub mod visitor;

pub use login::Login;
pub use organisation::{Organisation, Staff, Wanted};
pub use partner::Partner;
pub use script::Step;
pub use visitor::Visitor;

use crate::{
    arguments,
    folder::Folder,
    operator::{self, Operator},
    platform::Platform,
    trouble,
    trouble::{Outcome, While},
};
use serde::{Deserialize, Serialize};

pub const FILE: &str = "demo.json";
/// Stands beside the data while the demo organisations are being made; a start that finds it starts clean.
pub const UNFINISHED: &str = "demo.unfinished";

/// What `demo.json` holds. For the owner's eyes only: passwords and second factors are in it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Demo {
    pub api: String,
    pub sign_in: String,
    pub mail: String,
    pub docs: String,
    pub operator: Login,
    pub organisations: Vec<Organisation>,
    /// Keys of partners.
    pub keys: Vec<Partner>,
}

/// What is to be made.
#[derive(Deserialize)]
struct World {
    operator: Operator,
    organisations: Vec<House>,
}

#[derive(Deserialize)]
struct House {
    #[serde(flatten)]
    wanted: Wanted,
    /// What its administrator keeps from the first day, in this order.
    #[serde(default)]
    records: Vec<Step>,
}

impl Demo {
    /// What stands in a folder's `demo.json`; `None` without one.
    pub fn read(folder: &std::path::Path) -> Outcome<Option<Demo>> {
        let path = folder.join(FILE);
        match std::fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).whilst(format_args!("read {}", path.display())).map(Some)
            }
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(trouble!("Could not read {}: {cause}", path.display())),
        }
    }

    pub fn write(&self, folder: &Folder) -> Outcome<()> {
        let text = serde_json::to_vec_pretty(self).whilst("write demo.json")?;
        folder.write(FILE, &text, true)
    }

    fn located(mut self, base: &str) -> Demo {
        self.api = format!("{base}/v1");
        self.sign_in = format!("{base}/local/login");
        self.mail = format!("{base}/local/mail");
        self.docs = format!("{base}/docs");
        self.keys.iter_mut().for_each(|key| key.located(base));
        self
    }

    /// Everybody who can log in, operators first.
    pub fn logins(&self) -> impl Iterator<Item = &Login> {
        std::iter::once(&self.operator).chain(self.organisations.iter().flat_map(|o| &o.users))
    }

    pub fn logins_mut(&mut self) -> impl Iterator<Item = &mut Login> {
        std::iter::once(&mut self.operator).chain(self.organisations.iter_mut().flat_map(|o| &mut o.users))
    }

    /// `grace/receptionist` or `grace/ngozi.okeke@grace.example`: the first who fits.
    pub fn who(&self, words: &str) -> Option<&Login> {
        let (slug, who) = words.split_once('/')?;
        self.logins()
            .find(|l| l.slug == slug && (l.login_name == who || l.roles.iter().any(|role| role == who)))
    }
}

/// The folder's demo, made now if nobody is there yet. `None`: there is data, but no `demo.json`.
pub async fn ready(platform: &Platform, progress: &dyn Fn(&str)) -> Outcome<Option<Demo>> {
    if let Some(known) = Demo::read(platform.folder.path())? {
        let known = known.located(&platform.address);
        known.write(&platform.folder)?;
        return Ok(Some(known));
    }
    if !platform.around.table.items_of_kind("opr").await?.is_empty() {
        return Ok(None);
    }
    platform.folder.write(UNFINISHED, b"", false)?;
    let demo = make(platform, progress).await?.located(&platform.address);
    demo.write(&platform.folder)?;
    std::fs::remove_file(platform.folder.join(UNFINISHED)).whilst("finish the demo")?;
    Ok(Some(demo))
}

async fn make(platform: &Platform, progress: &dyn Fn(&str)) -> Outcome<Demo> {
    let world: World =
        serde_json::from_str(include_str!("demo/world.json")).whilst("read the demo's world")?;
    let (door, clock) = (Visitor::at(&platform.address)?, &platform.around.clock);
    progress("appointing the platform's first operator");
    let mut operator = operator::appoint(&platform.around, &platform.app, &world.operator).await?;
    let signed_in = operator.enter(&door, clock).await?;
    let mut demo = Demo { operator, ..Demo::default() };
    for House { wanted, records } in &world.organisations {
        let name = wanted.signup["organisation_name"].as_str().unwrap_or_default();
        progress(&format!("{name}: sign-up, approval, first administrator"));
        let (mut organisation, admin) = organisation::open(&door, &signed_in, wanted, clock).await?;
        progress(&format!("{name}: {} people take up their invitations", wanted.staff.len()));
        organisation.furnish(&door, &admin, wanted, clock).await?;
        script::play(&admin, &organisation, records, clock).await?;
        if wanted.partner {
            demo.keys.push(Partner::make(&door, &admin, &organisation).await?);
        }
        demo.organisations.push(organisation);
    }
    Ok(demo)
}

/// The logins of a folder as a person at the terminal wants to see them.
pub fn told(demo: &Demo, folder: &std::path::Path) -> String {
    let usual =
        arguments::workspace().is_ok_and(|w| w.join(".local").canonicalize().is_ok_and(|w| w == folder));
    let data = if usual { String::new() } else { format!(" --data {}", folder.display()) };
    let mut lines = vec!["Demo logins (all in demo.json, with the authenticators' secrets):".to_string()];
    for login in demo.logins() {
        let factor = if login.totp_secret.is_some() { "+ code" } else { "" };
        let (roles, password) = (login.roles.join(" "), &login.password);
        lines.push(format!(
            "  {:<9} {:<34} {roles:<15} {password:<21} {factor}",
            login.slug, login.login_name
        ));
    }
    lines.push("Ready to paste:".into());
    for organisation in &demo.organisations {
        let slug = &organisation.slug;
        let own = |role: &str| demo.who(&format!("{slug}/{role}")).is_some();
        let role =
            ["receptionist", "eap_manager"].into_iter().find(|role| own(role)).unwrap_or("tenant_admin");
        lines.push(format!("  TOKEN=$(cargo run -q -- --token {slug}/{role}{data})"));
    }
    for key in &demo.keys {
        lines.push(format!("  {} of {}: its client and API key are `keys` in demo.json", key.name, key.slug));
    }
    lines.push(format!("  curl -H \"authorization: Bearer $TOKEN\" {}/me", demo.api));
    lines.join("\n")
}
