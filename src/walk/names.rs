//! What a file's name says: manifest, environment, document; or lockfile, minified, vendored copy.

use super::{FileKind, Reason};
use crate::manifest::lockfile;

/// Manifests by their whole name.
const MANIFESTS: &[&str] = &[
    ".replit",
    "Pipfile",
    "Procfile",
    "_redirects",
    "angular.json",
    "app.json",
    "deno.json",
    "deno.jsonc",
    "firebase.json",
    "fly.toml",
    "import_map.json",
    "importmap.json",
    "lerna.json",
    "netlify.toml",
    "nixpacks.toml",
    "nx.json",
    "package.json",
    "pnpm-workspace.yaml",
    "pyproject.toml",
    "railway.json",
    "railway.toml",
    "render.yaml",
    "render.yml",
    "setup.cfg",
    "staticwebapp.config.json",
    "turbo.json",
    "vercel.json",
    "wrangler.json",
    "wrangler.jsonc",
    "wrangler.toml",
];

/// Lockfiles that are not read: of other languages, and those that are no text.
const LOCKFILES: &[&str] = &["Cargo.lock", "Gemfile.lock", "bun.lockb", "composer.lock", "deno.lock"];

/// Libraries that are copied into repositories. Only a copy's name counts: the bare name of the first two, a
/// version or a build's name ("slim", "umd") behind the others. A hand-written `chart.js` stays.
const LIBRARIES: &[&str] = &[
    "alpine",
    "angular",
    "aos",
    "axios",
    "backbone",
    "bootstrap",
    "chart",
    "d3",
    "datatables",
    "gsap",
    "handlebars",
    "htmx",
    "jquery",
    "lodash",
    "modernizr",
    "moment",
    "popper",
    "react",
    "react-dom",
    "require",
    "select2",
    "socket.io",
    "swiper",
    "three",
    "underscore",
    "vue",
];

const BUILDS: &[&str] =
    &["bundle", "cjs", "core", "development", "dev", "esm", "global", "iife", "prod", "production", "slim", "umd"];

/// Whether a file is a page, or a template that a server makes one of.
pub fn is_page(path: &str) -> bool {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    ["html", "htm"].iter().chain(TEMPLATES).any(|page| extension.eq_ignore_ascii_case(page))
}

/// How files end that servers make pages of.
pub const TEMPLATES: &[&str] =
    &["ejs", "handlebars", "hbs", "j2", "jinja", "jinja2", "liquid", "mustache", "njk", "nunjucks", "twig"];

/// The kinds that a name decides before its extension does.
pub fn special(path: &str) -> Option<FileKind> {
    let name = path.rsplit('/').next().unwrap_or(path);
    if is_env(name) {
        return Some(FileKind::Env);
    }
    if is_manifest(path, name) {
        return Some(FileKind::Manifest);
    }
    if lockfile::is_read(name) {
        return Some(FileKind::Lock);
    }
    let extension = name.rsplit_once('.')?.1;
    ["html", "htm", "vue", "svelte", "astro"]
        .iter()
        .chain(TEMPLATES)
        .any(|document| extension.eq_ignore_ascii_case(document))
        .then_some(FileKind::Document)
}

/// `.env`, `.env.production`, `.env.example`, and their kin; `.envrc` is a shell script but written the same.
pub fn is_env(name: &str) -> bool {
    name == ".env"
        || name.starts_with(".env.")
        || matches!(name, ".envrc" | ".flaskenv" | "env.example")
        || name.starts_with(".dev.vars")
        || (name.ends_with(".env") && name.len() > 4)
}

/// Text in which people leave credentials: notes, documentation, SQL, notebooks, settings, shell scripts, keys.
pub fn is_prose(path: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "bash",
        "cfg",
        "conf",
        "http",
        "ini",
        "ipynb",
        "json",
        "jsonc",
        "key",
        "log",
        "md",
        "mdx",
        "pem",
        "properties",
        "ps1",
        "rest",
        "rst",
        "sh",
        "sql",
        "tf",
        "tfvars",
        "toml",
        "txt",
        "xml",
        "yaml",
        "yml",
        "zsh",
    ];
    let name = path.rsplit('/').next().unwrap_or(path);
    if is_key_file(name) {
        return true;
    }
    match name.rsplit_once('.') {
        // What a deployment sets, and the sheet in which a cloud hands out its keys.
        Some((_, "config")) => path.contains(".ebextensions/"),
        Some((stem, "csv")) => {
            let stem = stem.to_ascii_lowercase();
            ["key", "credential", "secret", "password"].iter().any(|word| stem.contains(word))
        }
        Some((_, ending)) => ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)),
        None => matches!(name, "Makefile" | "Justfile"),
    }
}

/// Whether a file is a private key by the name that programs give it, or that somebody typed where they asked for one.
fn is_key_file(name: &str) -> bool {
    const KEYS: &[&str] = &["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "deploy_key", "ssh_host_", "ssh-keygen"];
    let lower = name.to_ascii_lowercase();
    KEYS.iter().any(|key| lower.starts_with(key))
        && crate::lang::language_of(name).is_none()
        && !lower.ends_with(".pub")
}

fn is_manifest(path: &str, name: &str) -> bool {
    let config = |stem: &str| name.starts_with(stem) && name.ends_with(".json");
    MANIFESTS.contains(&name)
        || config("tsconfig")
        || config("jsconfig")
        || (name.starts_with("requirements") && name.ends_with(".txt"))
        || path.ends_with("requirements/base.txt")
        || crate::manifest::schedules::is_workflow(path)
        || crate::manifest::processes::is_dockerfile(name)
        || crate::manifest::processes::is_compose(name)
        || path == "supabase/config.toml"
        || path.ends_with("/supabase/config.toml")
        || name == "config.toml" && path.contains("supabase/functions/")
        || name.ends_with(".rules")
        || name.ends_with(".rules.json")
        || name.ends_with(".prisma")
}

/// Whether a name says that the file is to be left out.
pub fn left_out(name: &str) -> Option<Reason> {
    if LOCKFILES.contains(&name) {
        return Some(Reason::Lockfile);
    }
    let stem = [".js", ".mjs", ".cjs"].iter().find_map(|end| name.strip_suffix(end))?;
    if stem.ends_with(".min") || stem.ends_with("-min") {
        return Some(Reason::Minified);
    }
    is_copy(&stem.to_ascii_lowercase()).then_some(Reason::Vendored)
}

fn is_copy(stem: &str) -> bool {
    if matches!(stem, "jquery" | "bootstrap") || stem.starts_with("jquery.") {
        return true;
    }
    let rest = LIBRARIES.iter().filter_map(|library| stem.strip_prefix(library));
    rest.filter(|rest| rest.starts_with(['.', '-', '@', '_'])).any(|rest| {
        let mut parts = rest.split(['.', '-', '@', '_']).filter(|part| !part.is_empty()).peekable();
        let known = |part: &str| {
            let version = part.strip_prefix('v').unwrap_or(part);
            BUILDS.contains(&part) || (!version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()))
        };
        parts.peek().is_some() && parts.all(known)
    })
}

/// Whether a file above a walked folder says how what lies there is loaded, or what a deployment has to set.
pub fn is_context(name: &str) -> bool {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    matches!(name, ".env.example" | ".env.sample" | ".env.template" | "env.example" | "README.md" | "index.html")
        || crate::lang::language_of(name).is_some()
            && (stem.ends_with(".config") || matches!(stem, "middleware" | "proxy" | "instrumentation"))
}

/// Hidden files and folders that matter; the others are not looked at. `.server` and `.client` are folders of
/// code by a framework's convention, `.well-known` may be a route, and a builder of apps keeps its plans in `.lovable`.
pub fn hidden_but_wanted(name: &str) -> bool {
    is_env(name)
        || matches!(
            name,
            ".github"
                | ".replit"
                | ".seamcheck"
                | ".seamcheck.toml"
                | ".server"
                | ".client"
                | ".well-known"
                | ".ebextensions"
                | ".lovable"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_a_file_is() {
        for env in [".env", ".env.local", "config/.env.example", ".dev.vars", "prod.env"] {
            assert_eq!(special(env), Some(FileKind::Env), "{env}");
        }
        for manifest in ["package.json", "a/tsconfig.app.json", "supabase/config.toml", "requirements-dev.txt"] {
            assert_eq!(special(manifest), Some(FileKind::Manifest), "{manifest}");
        }
        assert_eq!(special("other/config.toml"), None);
        assert_eq!(special("src/environment.ts"), None);
        assert_eq!(special("index.html"), Some(FileKind::Document));
    }

    #[test]
    fn copies_go_and_hand_written_namesakes_stay() {
        for copy in ["jquery.js", "jquery-3.6.0.js", "bootstrap.bundle.js", "vue.global.js", "d3.v7.js"] {
            assert_eq!(left_out(copy), Some(Reason::Vendored), "{copy}");
        }
        for own in ["chart.js", "react.js", "three-scene.js", "bootstrap.ts", "bootstrap-app.js", "vue-router.js"] {
            assert_eq!(left_out(own), None, "{own}");
        }
        assert_eq!(left_out("app.min.js"), Some(Reason::Minified));
        assert_eq!(left_out("bun.lockb"), Some(Reason::Lockfile));
        assert_eq!((left_out("pnpm-lock.yaml"), special("web/pnpm-lock.yaml")), (None, Some(FileKind::Lock)));
        assert_eq!(left_out("admin.js"), None);
    }
}
