//! What a file's path alone says: tests, stories, configuration, scripts, old copies.

/// Folders of tests, stories and their like.
const TEST_FOLDERS: &[&str] = &[
    "__tests__",
    "__test__",
    "__mocks__",
    "__fixtures__",
    "tests",
    "test",
    "testing",
    "e2e",
    "cypress",
    "playwright",
    "stories",
    ".storybook",
    "spec",
    "fixtures",
];

/// Folders of what is run by hand.
const SCRIPT_FOLDERS: &[&str] = &[
    "scripts",
    "script",
    "migrations",
    "seeds",
    "seeders",
    "seed",
    "tools",
    "bin",
    "examples",
    "example",
    "docs",
    "drizzle",
    "prisma",
    "alembic",
];

/// Folders of what is kept but not used.
const OLD_FOLDERS: &[&str] = &[
    "backup",
    "backups",
    "_backup",
    "old",
    "_old",
    "archive",
    "_archive",
    "archived",
    "deprecated",
    "legacy_backup",
    "attached_assets",
];

/// What a path says a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Tests, stories, fixtures: never part of what is deployed.
    Test,
    /// Configuration of tools.
    Config,
    /// Run by hand.
    Script,
    /// An old copy.
    Old,
    /// Nothing special.
    Plain,
}

/// What a path within a project says; everything in a project that is a copy is old.
pub fn in_project(folder: &str, inner: &str) -> Use {
    if is_copy(folder) { Use::Old } else { of(inner) }
}

/// Whether a folder is, or stands in, a copy that is kept but not used.
pub fn is_copy(folder: &str) -> bool {
    folder.split('/').any(is_old_folder)
}

/// `backup`, `backup-2025-10-08`, `app_old`.
fn is_old_folder(folder: &str) -> bool {
    let (name, length) = (folder.as_bytes(), folder.len());
    let starts =
        |start: &&str| name.get(..start.len()).is_some_and(|first| first.eq_ignore_ascii_case(start.as_bytes()));
    let ends = |end: &&str| length >= end.len() && name[length - end.len()..].eq_ignore_ascii_case(end.as_bytes());
    OLD_FOLDERS.iter().any(|old| folder.eq_ignore_ascii_case(old))
        || ["backup-", "backup_", "old-", "old_"].iter().any(starts)
        || ["-backup", "_backup", "-old", "_old"].iter().any(ends)
}

/// Whether a file's name alone says that it is a test or a story, wherever it stands: nothing of the app loads it.
pub fn is_test(path: &str) -> bool {
    let lower = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let Some((stem, extension)) = lower.rsplit_once('.') else { return false };
    match extension {
        "py" => stem.ends_with("_test"),
        _ => [".test", ".spec", ".stories", ".story", ".cy", ".e2e"].iter().any(|ending| stem.ends_with(ending)),
    }
}

/// Whether a Python file's name says that it looks at something, or mends it, once: `check_orders.py`. A job of this
/// name has functions, what is run by hand is one run of lines.
pub fn is_look(path: &str) -> bool {
    const VERBS: &[&str] = &["check_", "debug_", "fix_", "inspect_", "verify_", "diagnose_", "try_"];
    let name = path.rsplit('/').next().unwrap_or(path);
    name.ends_with(".py") && VERBS.iter().any(|verb| name.starts_with(verb))
}

/// What a path says.
pub fn of(path: &str) -> Use {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let lower = name.to_ascii_lowercase();
    let stem = lower.rsplit_once('.').map_or(lower.as_str(), |(stem, _)| stem);
    let is_python = lower.ends_with(".py");
    let in_any = |known: &[&str]| folders.split('/').any(|folder| known.contains(&folder));
    if is_old(name) || folders.split('/').any(is_old_folder) {
        return Use::Old;
    }
    if in_any(TEST_FOLDERS)
        || is_test(path)
        || matches!(stem, "setuptests" | "conftest" | "jest.setup" | "vitest.setup" | "test-setup" | "test-utils")
        || is_python && (stem.starts_with("test_") || stem == "tests")
    {
        return Use::Test;
    }
    if stem.ends_with(".config")
        || stem.starts_with('.')
        || matches!(stem, "gulpfile" | "gruntfile" | "setup" if is_python || stem != "setup")
    {
        return Use::Config;
    }
    if in_any(SCRIPT_FOLDERS)
        || stem == "seed"
        || ["seed-", "seed_", "migrate-", "migrate_"].iter().any(|start| stem.starts_with(start))
    {
        return Use::Script;
    }
    Use::Plain
}

/// `x.disabled.ts`, `x_OLD.ts`, `x.bak`, `x_backup.py`, `x copy.ts`.
fn is_old(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let mut parts: Vec<&str> = lower.split('.').collect();
    // The last part is the ending, unless that itself says it.
    if parts.len() > 1 && !matches!(parts.last(), Some(&"bak" | &"old" | &"disabled" | &"backup" | &"orig")) {
        parts.pop();
    }
    parts.iter().enumerate().any(|(at, part)| {
        let whole = at > 0 && matches!(*part, "disabled" | "old" | "bak" | "backup" | "orig" | "deprecated" | "unused");
        let tail =
            ["_old", "-old", "_bak", "-bak", "_backup", "-backup", " copy", "_deprecated", "-deprecated", "_unused"];
        whole
            || tail.iter().any(|tail| part.ends_with(tail))
            || (*part != "old" && part.strip_suffix("old").is_some_and(|head| name.contains("OLD") && !head.is_empty()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell() {
        assert_eq!(of("src/a.test.ts"), Use::Test);
        assert_eq!(of("tests/test_x.py"), Use::Test);
        assert_eq!(of("vite.config.ts"), Use::Config);
        assert_eq!(of("scripts/seed.ts"), Use::Script);
        assert_eq!(of("src/pay_OLD.ts"), Use::Old);
        assert_eq!(in_project("backup-2025-10-08", "src/pay.ts"), Use::Old);
        assert_eq!(of("src/pay.disabled.ts"), Use::Old);
        assert_eq!(of("src/App copy.tsx"), Use::Old);
        assert_eq!(of("app.py.bak"), Use::Old);
        assert_eq!(of("src/threshold.ts"), Use::Plain);
        assert_eq!(of("src/old.ts"), Use::Plain);
        assert_eq!(of("src/gold.ts"), Use::Plain);
    }
}
