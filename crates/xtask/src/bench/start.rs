//! One start of a function, from the call to exec until it asks for its first event.

use super::runtime_api::{RuntimeApi, SilentPort};
use local::{
    trouble,
    trouble::{Outcome, While},
};
use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(10);

pub struct Bench {
    api: RuntimeApi,
    /// Where every address that a function could dial leads.
    silent: SilentPort,
}

pub struct Start {
    pub took: Duration,
    /// Bytes: the most that was resident until then.
    pub memory: u64,
    /// Connections to anywhere but the runtime API.
    pub dialled: usize,
}

impl Bench {
    pub fn open() -> Outcome<Bench> {
        let open = "open a port on 127.0.0.1";
        Ok(Bench { api: RuntimeApi::open().whilst(open)?, silent: SilentPort::open().whilst(open)? })
    }

    pub fn start(&self, binary: &Path, name: &str, environment: &BTreeMap<String, String>) -> Outcome<Start> {
        let before = self.silent.count();
        let mut command = self.command(binary, name, environment);
        let begun = Instant::now();
        let mut child = command.spawn().whilst(format_args!("start {}", binary.display()))?;
        let polled = self.api.first_poll(PATIENCE);
        let memory = peak(&child);
        let _ = child.kill();
        let _ = child.wait();
        let (at, _connection) = polled.map_err(|why| trouble!("{name} {why}"))?;
        Ok(Start { took: at - begun, memory: memory?, dialled: self.silent.count() - before })
    }

    /// With Lambda's environment and the template's, and every service at the port that counts.
    fn command(&self, binary: &Path, name: &str, environment: &BTreeMap<String, String>) -> Command {
        self.command_at(self.api.address, binary, name, environment)
    }

    /// The same, with a runtime API at another address.
    pub fn command_at(
        &self,
        api: SocketAddr,
        binary: &Path,
        name: &str,
        environment: &BTreeMap<String, String>,
    ) -> Command {
        let nowhere = format!("http://{}", self.silent.address);
        let mut command = Command::new(binary);
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::null());
        command.envs(environment).envs([
            ("AWS_LAMBDA_RUNTIME_API", api.to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", name.into()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".into()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1".into()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", name.into()),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "bench".into()),
            ("AWS_REGION", "af-south-1".into()),
            ("AWS_ACCESS_KEY_ID", "bench".into()),
            ("AWS_SECRET_ACCESS_KEY", "bench".into()),
            ("AWS_SESSION_TOKEN", "bench".into()),
            ("AWS_ENDPOINT_URL", nowhere.clone()),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", nowhere.clone()),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", nowhere),
        ]);
        command
    }
}

/// `VmHWM` of Linux, in bytes.
pub(super) fn peak(child: &Child) -> Outcome<u64> {
    let status =
        fs::read_to_string(format!("/proc/{}/status", child.id())).whilst("read the function's memory")?;
    high_water(&status).ok_or_else(|| trouble!("The function ended before its memory could be read."))
}

fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_water_mark_is_read_in_bytes() {
        assert_eq!(high_water("Name:\tx\nVmPeak:\t  9 kB\nVmHWM:\t    8192 kB\n"), Some(8_388_608));
        assert_eq!(high_water("Name:\tx\n"), None, "a zombie has no memory");
    }

    #[test]
    fn a_program_that_is_no_function_is_named() {
        let bench = Bench::open().unwrap();
        let Err(trouble) = bench.start(Path::new("/nonexistent/rooms"), "rooms", &BTreeMap::new()) else {
            panic!("started")
        };
        assert!(trouble.0.contains("/nonexistent/rooms"), "{trouble}");
    }
}
