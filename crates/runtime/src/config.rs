//! Configuration: the environment that `template.yaml` gives every function.

use kernel::{Error, Result};

#[derive(Clone, Debug)]
pub struct Config {
    pub table: String,
    pub stage: String,
    /// `af-south-1` or `eu-west-1`.
    pub region: String,
    pub key_id: String,
    /// Assumed with the session tag `tenant`; not used while `isolate` is off.
    pub tenant_role: String,
    pub platform_role: String,
    /// URL of the queue for access records; the other queues lie beside it.
    pub access_queue: String,
    pub bus: String,
    /// Tenants' files under `{tenant}/` and `warehouse/{tenant}/`.
    pub documents_bucket: String,
    /// What stands under Object Lock, under `audit/{tenant}/`.
    pub digests_bucket: String,
    /// ARN of the key that digests and signed documents are signed with; only some functions have it.
    pub signing_key: String,
    pub sender: String,
    /// SES tells of letters of this set what became of them; empty = it tells nobody.
    pub configuration_set: String,
    /// Where connections of the WebSocket API are reached; empty = there is none.
    pub socket_endpoint: String,
    pub public_url: String,
    pub backup_region: Option<String>,
    /// The second wall: every tenant's requests use credentials of their own.
    pub isolate: bool,
    pub user_pool: String,
    pub app_client: String,
    pub admin_client: String,
    /// Ids of the usage plans by tier: `basic=abc123,professional=…`.
    pub usage_plans: String,
}

impl Config {
    /// An error names the variable that is missing.
    pub fn from_env() -> Result<Self> {
        Self::read(|name| std::env::var(name).ok())
    }

    /// From any source of variables: `xtask` asks which ones there are, and whether the template gives them.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let given = |name: &str| get(name).filter(|v| !v.is_empty());
        let needed = |name: &str| {
            given(name).ok_or_else(|| Error::internal(format!("the variable {name} is not set")))
        };
        let or_empty = |name: &str| given(name).unwrap_or_default();
        let isolate = or_empty("ISOLATE") != "false";
        let role = |name: &str| if isolate { needed(name) } else { Ok(or_empty(name)) };
        Ok(Self {
            table: needed("TABLE")?,
            stage: needed("STAGE")?,
            region: needed("REGION_NAME")?,
            key_id: needed("KEY_ID")?,
            tenant_role: role("TENANT_ROLE")?,
            platform_role: role("PLATFORM_ROLE")?,
            access_queue: or_empty("ACCESS_QUEUE"),
            bus: or_empty("BUS"),
            documents_bucket: or_empty("DOCUMENTS_BUCKET"),
            digests_bucket: or_empty("DIGESTS_BUCKET"),
            signing_key: or_empty("SIGNING_KEY"),
            sender: or_empty("SENDER"),
            configuration_set: or_empty("CONFIGURATION_SET"),
            socket_endpoint: or_empty("SOCKET_ENDPOINT"),
            public_url: or_empty("PUBLIC_URL"),
            backup_region: given("BACKUP_REGION"),
            isolate,
            user_pool: or_empty("USER_POOL"),
            app_client: or_empty("APP_CLIENT"),
            admin_client: or_empty("ADMIN_CLIENT"),
            usage_plans: or_empty("USAGE_PLANS"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(without: &str, isolate: &str) -> Result<Config> {
        Config::read(|name| match name {
            n if n == without => None,
            "ISOLATE" => Some(isolate.into()),
            "TABLE" | "STAGE" | "REGION_NAME" | "KEY_ID" | "TENANT_ROLE" | "PLATFORM_ROLE" => {
                Some(name.to_lowercase())
            }
            _ => None,
        })
    }

    #[test]
    fn a_missing_variable_is_named() {
        let Err(Error::Internal(e)) = environment("TABLE", "true") else { panic!("read without a table") };
        assert!(e.to_string().contains("TABLE"));
    }

    #[test]
    fn without_a_role_there_is_no_isolation_by_accident() {
        assert!(environment("TENANT_ROLE", "true").is_err());
        assert!(environment("TENANT_ROLE", "").is_err(), "isolation is the default");
        assert!(!environment("TENANT_ROLE", "false").unwrap().isolate);
    }
}
