//! Which runs a SARIF report has: one for each workspace, whatever folder a scan starts from, so that the report of one
//! never closes the alerts of another.

use std::path::{Path, PathBuf};

use crate::cli::Scan;
use crate::config::{Config, folders};
use crate::error::Error;
use crate::walk;

/// The runs of a report.
#[derive(Debug, Default)]
pub struct Runs {
    /// The workspaces that are looked at, by their paths from the top of the repository.
    pub workspaces: Vec<String>,
    /// Whether nothing else is looked at.
    pub only: bool,
    /// Whether the category that was asked for is that of the only run, and not of the whole repository.
    pub named: bool,
}

impl Runs {
    /// The runs of a scan. Workspaces are those that the configuration names, else those of the package manager, and a
    /// folder below the top that has a configuration of its own.
    pub fn of(typed: &Scan, config: &Config) -> Result<Self, Error> {
        let root = walk::root_of(&typed.paths)?;
        let top = walk::repository_top(&root).unwrap_or_else(|| root.clone());
        let mut all = config.workspace_folders.clone();
        if all.is_empty() {
            all = declared(&top);
        }
        if config.file.is_some() && config.folder != top && config.folder.starts_with(&top) {
            all.push(config.folder.clone());
        }
        all.sort();
        all.dedup();
        let scanned = walk::folders_of(&typed.paths)?;
        let seen = |folder: &Path| scanned.iter().any(|it| it.starts_with(folder) || folder.starts_with(it));
        let is_in_one = |it: &PathBuf| all.iter().any(|folder| it.starts_with(folder));
        let only = scanned.iter().all(is_in_one);
        let below = |folder: &PathBuf| Some(folder.strip_prefix(&top).ok()?.to_str()?.replace('\\', "/"));
        let workspaces: Vec<String> =
            all.iter().filter(|folder| seen(folder)).filter_map(below).filter(|path| !path.is_empty()).collect();
        let only = only && !workspaces.is_empty();
        Ok(Self { named: only && workspaces.len() == 1, workspaces, only })
    }
}

/// The workspaces that the package manager's files at the top name.
fn declared(top: &Path) -> Vec<PathBuf> {
    let read =
        |name: &str| Some(top.join(name)).filter(|path| path.is_file()).and_then(|path| walk::read_named(&path).ok());
    let mut patterns: Vec<String> = vec![];
    if let Some(package) = read("package.json").and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok()) {
        let listed = &package["workspaces"];
        let listed = listed.as_array().or_else(|| listed["packages"].as_array());
        patterns.extend(listed.into_iter().flatten().filter_map(|it| it.as_str().map(str::to_owned)));
    }
    let yaml = read("pnpm-workspace.yaml").unwrap_or_default();
    let items = yaml.lines().skip_while(|line| !line.starts_with("packages:")).skip(1);
    let items = items.take_while(|line| line.starts_with([' ', '\t', '-', '#']) || line.trim().is_empty());
    let items = items.filter_map(|line| line.trim().strip_prefix('-'));
    patterns.extend(items.map(|item| item.trim().trim_matches(['"', '\'']).to_owned()));
    let (not, patterns): (Vec<String>, Vec<String>) = patterns.into_iter().partition(|it| it.starts_with('!'));
    let not: Vec<PathBuf> = not.iter().flat_map(|pattern| folders(top, &pattern[1..])).collect();
    let all = patterns.iter().flat_map(|pattern| folders(top, pattern.trim_end_matches("/**")));
    all.filter(|folder| folder.join("package.json").is_file() && !not.contains(folder)).collect()
}
