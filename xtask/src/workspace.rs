//! What cargo knows of the workspace.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// The crates of the workspace and what they stand on.
pub(crate) struct Workspace {
    pub(crate) members: Vec<Package>,
    pub(crate) others: Vec<Package>,
    /// Where cargo builds.
    pub(crate) target: PathBuf,
    /// The names of all examples.
    pub(crate) examples: Vec<String>,
    /// Whether there are model checks.
    pub(crate) has_loom: bool,
}

/// A crate.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) licence: Option<String>,
    /// The oldest compiler it says it works with.
    pub(crate) rust_version: Option<String>,
    /// The oldest compiler that it has to work with: that of the members that stand on it; `None` if none says.
    pub(crate) oldest: Option<String>,
    /// Where it comes from; `None` for a path.
    pub(crate) source: Option<String>,
    /// The features of its library, without `default`; none if it has no library.
    pub(crate) features: Vec<String>,
    /// Whether it has features that are on by themselves.
    pub(crate) has_default: bool,
    /// Features that are checked together, where not each is checked alone: `package.metadata.checked`.
    pub(crate) checked: Vec<String>,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn read() -> Result<Self, String> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["metadata", "--format-version", "1", "--all-features"])
            .output()
            .map_err(|error| format!("`cargo metadata` can't be run: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        let metadata: Value = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("`cargo metadata` is not understood: {error}"))?;
        Ok(Self::from_metadata(&metadata))
    }

    fn from_metadata(metadata: &Value) -> Self {
        let ours = |package: &Value| list(&metadata["workspace_members"]).contains(&package["id"]);
        let (members, others): (Vec<_>, Vec<_>) = list(&metadata["packages"]).iter().partition(|package| ours(package));
        let examples = members
            .iter()
            .flat_map(|package| list(&package["targets"]))
            .filter(|target| list(&target["kind"]).iter().any(|kind| kind == "example"));
        let mut examples: Vec<_> = examples.filter_map(|target| text(&target["name"])).collect();
        examples.sort();
        let oldest = oldest(metadata, &members);
        let package = |package: &Value| Package {
            oldest: package["id"].as_str().and_then(|id| oldest.get(id)).map(|version| (*version).to_owned()),
            ..Package::from_metadata(package)
        };
        let mut dependencies = members.iter().flat_map(|package| list(&package["dependencies"]));
        Self {
            has_loom: dependencies.any(|dependency| dependency["name"] == "loom"),
            examples,
            target: text(&metadata["target_directory"]).unwrap_or_default().into(),
            members: members.into_iter().map(package).collect(),
            others: others.into_iter().map(package).collect(),
        }
    }
}

impl Package {
    fn from_metadata(package: &Value) -> Self {
        let is_library =
            |target: &Value| list(&target["kind"]).iter().any(|kind| kind == "lib" || kind == "proc-macro");
        let has_library = list(&package["targets"]).iter().any(is_library);
        let features = package["features"].as_object().filter(|_| has_library);
        let has_default = features.is_some_and(|features| features.contains_key("default"));
        let checked = list(&package["metadata"]["checked"]).iter().filter_map(text).collect();
        let features = features.into_iter().flat_map(|features| features.keys());
        Self {
            name: text(&package["name"]).unwrap_or_default(),
            version: text(&package["version"]).unwrap_or_default(),
            licence: text(&package["license"]),
            rust_version: text(&package["rust_version"]),
            oldest: None,
            source: text(&package["source"]),
            features: features.filter(|name| *name != "default").cloned().collect(),
            has_default,
            checked,
        }
    }
}

/// Returns for each package, by its id, the lowest `rust-version` of the members that stand on it, directly or not.
fn oldest<'a>(metadata: &'a Value, members: &[&'a Value]) -> HashMap<&'a str, &'a str> {
    let nodes = list(&metadata["resolve"]["nodes"]);
    let below: HashMap<_, _> =
        nodes.iter().filter_map(|node| Some((node["id"].as_str()?, list(&node["dependencies"])))).collect();
    let mut oldest: HashMap<&str, &str> = HashMap::new();
    for member in members {
        let (Some(id), Some(version)) = (member["id"].as_str(), member["rust_version"].as_str()) else { continue };
        let (mut seen, mut left) = (HashSet::new(), vec![id]);
        while let Some(id) = left.pop() {
            if !seen.insert(id) {
                continue;
            }
            let known = oldest.entry(id).or_insert(version);
            if release(version) < release(known) {
                *known = version;
            }
            left.extend(below.get(id).into_iter().flat_map(|ids| ids.iter()).filter_map(Value::as_str));
        }
    }
    oldest
}

/// Reads a version for comparison: `1.90` as 1, 90, 0.
pub(crate) fn release(version: &str) -> [u32; 3] {
    let mut parts = version.split(['.', '-', '+']).map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_must_work_with_the_oldest_compiler_of_all_that_stand_on_it() {
        let metadata = serde_json::json!({
            "packages": [
                { "id": "library", "name": "library", "rust_version": "1.90" },
                { "id": "program", "name": "program", "rust_version": "1.100" },
                { "id": "both", "name": "both" },
                { "id": "mine", "name": "mine" },
            ],
            "workspace_members": ["program", "library"],
            "resolve": { "nodes": [
                { "id": "program", "dependencies": ["library", "mine"] },
                { "id": "library", "dependencies": ["both"] },
                { "id": "both", "dependencies": [] },
                { "id": "mine", "dependencies": ["both"] },
            ] },
        });
        let workspace = Workspace::from_metadata(&metadata);
        let oldest: Vec<_> =
            workspace.others.iter().map(|package| (package.name.as_str(), package.oldest.as_deref())).collect();
        assert_eq!(oldest, [("both", Some("1.90")), ("mine", Some("1.100"))]);
    }

    #[test]
    fn this_workspace_is_understood() {
        let workspace = Workspace::read().unwrap();
        let cachex = workspace.members.iter().find(|package| package.name == "cachex").unwrap();
        assert!(cachex.features.iter().any(|feature| feature == "toml"));
        assert!(!cachex.features.iter().any(|feature| feature == "default"));
        assert!(cachex.rust_version.is_some());
        assert!(workspace.target.is_dir());
        assert!(workspace.others.iter().any(|package| package.name == "serde_json"));
    }
}
