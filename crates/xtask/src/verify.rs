//! `cargo xtask verify-audit`: the trail of a local platform, or of an export that proves itself, judged without a
//! network by the very code that the audit function runs.

use jiff::civil::Date;
use kernel::Clock;
use local::{
    signing::{self, Pen},
    table::Table,
    template::Template,
    trouble,
    trouble::{Outcome, While},
};
use serde_json::Value;
use std::{collections::BTreeMap, fs, path::Path};
use store::chain::{Day, Evidence, Head, Kept, Link, Verdict, lines, verify};

/// Findings told of one organisation.
const TOLD: usize = 20;

/// What lies in a folder of exports: one organisation's evidence a file.
pub fn exports(folder: &Path) -> Outcome<()> {
    let mut all = vec![];
    for path in files(folder)?.iter().filter(|p| p.extension().is_some_and(|e| e == "ndjson")) {
        let text = fs::read_to_string(path).whilst(format_args!("read {}", path.display()))?;
        all.push(
            read(&text).ok_or_else(|| trouble!("{} is not an export that proves itself.", path.display()))?,
        );
    }
    if all.is_empty() {
        return Err(trouble!("No *.ndjson lies in {}.", folder.display()));
    }
    tell(&all)
}

fn read(text: &str) -> Option<Evidence> {
    let mut evidence = Evidence::default();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).ok()?;
        evidence.take(&line).then_some(())?;
    }
    (!evidence.tenant.is_empty()).then_some(evidence)
}

/// The data folder of a local platform, running or not.
pub fn data(root: &Path, folder: &Path) -> Outcome<()> {
    let template = Template::load(&root.join("template.yaml"))?;
    let file = folder.join("table.db");
    if !file.exists() {
        return Err(trouble!("{} holds no table.db.", folder.display()));
    }
    let runtime = tokio::runtime::Runtime::new().whilst("start")?;
    let items = runtime.block_on(async {
        let table = Table::open(&file, &template.table).await?;
        let items = table.items().await;
        table.close().await;
        items
    })?;
    let pen = Pen::read(&folder.join(signing::FILE)).ok();
    let settled = store::stamp(Clock::default().now() - jiff::SignedDuration::from_mins(15));
    let mut of: BTreeMap<String, Evidence> = BTreeMap::new();
    for item in &items {
        let Some(tenant) = item["pk"]["S"].as_str().and_then(|pk| pk.split('#').next()) else { continue };
        let evidence = of.entry(tenant.into()).or_insert_with(|| Evidence {
            tenant: tenant.into(),
            whole: true,
            heads: Some(vec![]),
            settled: settled.clone(),
            keys: pen.iter().map(|pen| (pen.id(), pen.public())).collect(),
            ..Evidence::default()
        });
        if let Some(link) = Link::read(item) {
            evidence.links.push(link);
        } else if let Some(kept) = Kept::read(item) {
            evidence.access.push(kept);
        } else if let Some(head) = Head::read(item) {
            evidence.heads.get_or_insert_default().push(head);
        }
    }
    for (tenant, evidence) in &mut of {
        let audit = folder.join("files/digests/audit").join(tenant);
        for day in days(&audit)? {
            evidence.day(day);
        }
    }
    tell(&of.into_values().filter(|e| !e.links.is_empty()).collect::<Vec<_>>())
}

/// A tenant's days as they lie under `audit/{tenant}/`.
fn days(audit: &Path) -> Outcome<Vec<Day>> {
    let mut found = vec![];
    if !audit.exists() {
        return Ok(found);
    }
    for path in files(audit)? {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let Ok(folder) = name.parse::<Date>() else { continue };
        let own = contents(&path)?;
        let of = |name: &str| own.iter().find(|(n, _)| n == name).map(|(_, bytes)| bytes.as_slice());
        let sealed = of("digest.json").and_then(|bytes| serde_json::from_slice(bytes).ok());
        let (leaves, access) = match (of("leaves.ndjson"), of("access.ndjson")) {
            (Some(leaves), access) => (lines(leaves), access.map(lines).unwrap_or_default()),
            _ => (segments(&path.join("seg"))?, segments(&path.join("access"))?),
        };
        found.push(Day { folder, sealed, leaves, access });
    }
    Ok(found)
}

/// The first word about each thing stands first.
fn segments<T: serde::de::DeserializeOwned + Ord>(folder: &Path) -> Outcome<Vec<T>> {
    if !folder.is_dir() {
        return Ok(vec![]);
    }
    let mut all: Vec<T> = contents(folder)?.iter().flat_map(|(_, bytes)| lines::<T>(bytes)).collect();
    all.sort();
    all.dedup();
    Ok(all)
}

/// Files by the names that they were given: the local storage marks a name and adds the digest of its bytes.
fn contents(folder: &Path) -> Outcome<Vec<(String, Vec<u8>)>> {
    let mut found = vec![];
    for path in files(folder)?.into_iter().filter(|p| p.is_file()) {
        let Some(name) = path.file_name().and_then(|n| n.to_str()) else { continue };
        let Some(name) = given(name) else { continue };
        found.push((name.to_string(), fs::read(&path).whilst(format_args!("read {}", path.display()))?));
    }
    Ok(found)
}

fn given(name: &str) -> Option<&str> {
    let Some(marked) = name.strip_prefix('=') else { return Some(name) };
    let (name, digest) = marked.rsplit_once('.')?;
    (digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit())).then_some(name)
}

fn files(folder: &Path) -> Outcome<Vec<std::path::PathBuf>> {
    let entries = fs::read_dir(folder).whilst(format_args!("look into {}", folder.display()))?;
    let mut all: Vec<_> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
    all.sort();
    Ok(all)
}

fn tell(all: &[Evidence]) -> Outcome<()> {
    let mut broken = vec![];
    for evidence in all {
        let verdict = verify(evidence);
        println!("{}", sentence(&evidence.tenant, &verdict));
        if let Some(first) = verdict.first_broken() {
            broken.push(format!("{}: {} {}", evidence.tenant, first.finding, place(first)));
        }
        for finding in verdict.findings.iter().take(TOLD) {
            println!("  {} {}: {}", finding.finding, place(finding), finding.detail);
        }
        if verdict.findings.len() > TOLD {
            println!("  … and {} more", verdict.findings.len() - TOLD);
        }
    }
    match &broken[..] {
        [] => Ok(()),
        broken => Err(trouble!("The first broken link of each:\n  {}", broken.join("\n  "))),
    }
}

fn sentence(tenant: &str, verdict: &Verdict) -> String {
    let checked = verdict.checked;
    format!(
        "{tenant}: {}; {} changes of {} records, {} access entries, {} digests",
        if verdict.is_intact() { "intact" } else { "broken" },
        checked.changes,
        checked.records,
        checked.access,
        checked.digests
    )
}

fn place(finding: &store::chain::Finding) -> String {
    let version = finding.version.map(|v| format!(" v{v}")).unwrap_or_default();
    let member = finding.member.as_ref().map(|m| format!(" ({m})")).unwrap_or_default();
    let record = if finding.record.is_empty() { "" } else { " " };
    format!("{}{record}{}{version}{member}", finding.day, finding.record)
}

#[cfg(test)]
mod tests;
