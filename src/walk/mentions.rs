//! Where people look for what a deployment has to set, and which variables are named there.

use crate::names::Name;

/// Whether a file tells whoever deploys which variables to set: notes, examples, settings of platforms.
pub fn tells_what_to_set(path: &str) -> bool {
    const ENDINGS: &[&str] =
        &["md", "mdx", "rst", "txt", "yml", "yaml", "toml", "sh", "tf", "cfg", "ini", "example", "sample", "template"];
    let name = path.rsplit('/').next().unwrap_or(path);
    super::names::is_env(name)
        || matches!(
            name,
            "Makefile"
                | "Justfile"
                | "Procfile"
                | "app.json"
                | "vercel.json"
                | "railway.json"
                | ".replit"
                | "turbo.json"
        )
        || crate::manifest::processes::is_dockerfile(name)
        || name.starts_with("wrangler.")
        || name
            .rsplit_once('.')
            .is_some_and(|(_, ending)| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// Whether a file is written for people who look after the app: notes and documentation.
pub fn is_documentation(path: &str) -> bool {
    const ENDINGS: &[&str] = &["md", "mdx", "rst", "adoc", "txt"];
    let name = path.rsplit('/').next().unwrap_or(path);
    let ends =
        name.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)));
    ends && !name.starts_with("requirements") && !matches!(name, "robots.txt" | "llms.txt" | "ads.txt")
}

/// The names in a text that are written like environment variables: capitals and at least one underscore.
pub fn variables(text: &str) -> Vec<Name> {
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let mut found: Vec<&str> = text
        .split(|c: char| !is_part(c))
        .filter(|word| word.len() >= 4 && word.contains('_') && word.starts_with(|c: char| c.is_ascii_uppercase()))
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(Name::new).collect()
}
