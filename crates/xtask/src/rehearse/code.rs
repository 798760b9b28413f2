//! The functions' programs, packed and put where the templates say that they are.

use super::{aws::Aws, options::Options};
use crate::workspace::Workspace;
use local::{
    trouble,
    trouble::{Outcome, While},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

pub const BUCKET: &str = "rehearsal";

/// Points every function of the template at its program in the bucket; answers the programs' names.
pub fn point(template: &mut Value) -> Vec<String> {
    let mut names = vec![];
    for resource in template["Resources"].as_object_mut().into_iter().flat_map(|all| all.values_mut()) {
        if resource["Type"] == "AWS::Serverless::Function" {
            let name = resource["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap_or_default();
            names.push(name.to_string());
            resource["Properties"]["CodeUri"] = json!(format!("s3://{BUCKET}/{name}.zip"));
        }
    }
    names
}

/// Uploads them, packed in `folder` if they are not yet.
pub async fn upload(
    aws: &Aws,
    options: &Options,
    python: &Path,
    folder: &Path,
    names: &[String],
) -> Outcome<()> {
    let workspace = Workspace::read(&options.root)?;
    let home = options.binaries.clone().unwrap_or_else(|| match options.profile.as_str() {
        "dev" => workspace.target.join("debug"),
        _ => workspace.target.join("lambda"),
    });
    let zips = packed(&home, python, folder, names)?;
    for (name, zip) in names.iter().zip(zips) {
        let content = fs::read(&zip).whilst(format_args!("read {}", zip.display()))?;
        aws.rest("s3", Method::PUT, &format!("/{BUCKET}/{name}.zip"), content).await?;
        for made in [folder.join(name), folder.join(format!("{name}.zip"))] {
            let _ = fs::remove_file(made);
        }
    }
    Ok(())
}

/// `<home>/<name>/bootstrap.zip` as `cargo xtask package` leaves it, or the program `<home>/<name>`.
fn packed(home: &Path, python: &Path, folder: &Path, names: &[String]) -> Outcome<Vec<PathBuf>> {
    let (mut zips, mut to_pack) = (vec![], Vec::<OsString>::new());
    for name in names {
        let (zip, program) = (home.join(name).join("bootstrap.zip"), home.join(name));
        if zip.is_file() {
            zips.push(zip);
        } else if program.is_file() {
            let target = folder.join(format!("{name}.zip"));
            to_pack.extend([
                "bootstrap".into(),
                stripped(&program, folder, name)?.into(),
                target.clone().into(),
            ]);
            zips.push(target);
        } else {
            return Err(trouble!(
                "There is neither {} nor {}: build the functions first (cargo xtask package, or cargo build with --profile dev).",
                zip.display(),
                program.display()
            ));
        }
    }
    if !to_pack.is_empty() {
        pack(python, &to_pack)?;
    }
    Ok(zips)
}

/// Triples: the name within, the file, the zip.
pub fn pack(python: &Path, files: &[OsString]) -> Outcome<()> {
    let packing = Command::new(python).args(["-c", include_str!("zip.py")]).args(files).status();
    match packing.whilst("pack the programs")?.success() {
        true => Ok(()),
        false => Err(trouble!("Could not pack the programs.")),
    }
}

/// Without what only a debugger reads, most of a debug build: the emulator keeps every program in memory.
fn stripped(program: &Path, folder: &Path, name: &str) -> Outcome<PathBuf> {
    let target = folder.join(name);
    let done = Command::new("strip").arg("-o").arg(&target).arg(program).status();
    match done.is_ok_and(|status| status.success()) {
        true => Ok(target),
        false => Ok(program.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_points_at_its_own_program() {
        let function = json!({
            "Type": "AWS::Serverless::Function", "Metadata": {"BuildProperties": {"Binary": "beds"}},
            "Properties": {"CodeUri": "functions/beds"},
        });
        let mut template = json!({"Resources": {"Beds": function, "Queue": {"Type": "AWS::SQS::Queue"}}});
        assert_eq!(point(&mut template), ["beds"]);
        assert_eq!(template["Resources"]["Beds"]["Properties"]["CodeUri"], "s3://rehearsal/beds.zip");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let nowhere = Path::new("/nowhere");
        let missing = packed(nowhere, nowhere, nowhere, &["beds".to_string()]).unwrap_err();
        assert!(missing.0.contains("/nowhere/beds/bootstrap.zip"), "{missing}");
    }
}
