//! Which package a specifier names when the repository has no say: URLs of module servers, `npm:`, `jsr:`,
//! built-in modules, plain package names.

use crate::names::Name;
use crate::program::Target;

/// Modules that Node.js brings.
const BUILTINS: &[&str] = &[
    "assert",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "console",
    "constants",
    "crypto",
    "dgram",
    "diagnostics_channel",
    "dns",
    "domain",
    "events",
    "fs",
    "http",
    "http2",
    "https",
    "inspector",
    "module",
    "net",
    "os",
    "path",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "readline",
    "repl",
    "stream",
    "string_decoder",
    "sys",
    "timers",
    "tls",
    "trace_events",
    "tty",
    "url",
    "util",
    "v8",
    "vm",
    "wasi",
    "worker_threads",
    "zlib",
];

/// What built-in modules offer below their name.
const BUILTIN_PARTS: &[&str] = &["promises", "strict", "posix", "win32", "consumers", "web", "types"];

/// First path segments of module servers that say how to serve, not what.
const SERVING: &[&str] = &["stable", "pin", "-", "npm", "*"];

/// The package a specifier names outright: by scheme, or as a built-in module. None when that is for the
/// repository to say.
pub(super) fn outright(specifier: &str) -> Option<Target> {
    // A path into the installed packages names one of them.
    if let Some((_, inside)) = specifier.rsplit_once("node_modules/") {
        return Some(bare(inside));
    }
    let target = if let Some(rest) = specifier.strip_prefix("npm:").or_else(|| specifier.strip_prefix("jsr:")) {
        package(rest.trim_start_matches('/'))
    } else if let Some(rest) = specifier.strip_prefix("https://").or_else(|| specifier.strip_prefix("http://")) {
        url(rest)
    } else if let Some(rest) = specifier.strip_prefix("//") {
        url(rest)
    } else if let Some(rest) = specifier.strip_prefix("node:") {
        builtin(rest)
    } else if is_builtin(specifier) {
        builtin(specifier)
    } else if specifier.starts_with("file:") {
        Target::Missing
    } else if scheme(specifier) {
        // `virtual:pwa`, `astro:content`, `bun:sqlite`: made by the build tool or runtime.
        bare(specifier)
    } else {
        return None;
    };
    Some(target)
}

/// The package a plain specifier names: `name/lib/x`, `@scope/name`, with a version in `npm:` specifiers.
pub(super) fn package(specifier: &str) -> Target {
    let (name, version, rest) = split(specifier);
    make(&format!("npm:{name}"), version, rest)
}

/// A package written without version: everything up to the first path separator is its name.
pub(super) fn bare(specifier: &str) -> Target {
    let (name, rest) = name_of(specifier);
    make(&format!("npm:{name}"), "", rest)
}

/// The name of the package in a plain specifier, and the rest after the slash.
pub(super) fn name_of(specifier: &str) -> (&str, &str) {
    let from = if specifier.starts_with('@') { specifier.find('/').map_or(specifier.len(), |at| at + 1) } else { 0 };
    match specifier[from..].find('/') {
        Some(at) => (&specifier[..from + at], &specifier[from + at + 1..]),
        None => (specifier, ""),
    }
}

/// Whether `specifier` names a built-in module without `node:`.
fn is_builtin(specifier: &str) -> bool {
    let (head, rest) = specifier.split_once('/').map_or((specifier, None), |(head, rest)| (head, Some(rest)));
    // Other parts are folders of the app (`constants/routes`); `events/` asks for the npm package of that name.
    BUILTINS.binary_search(&head).is_ok() && rest.is_none_or(|rest| BUILTIN_PARTS.contains(&rest))
}

fn builtin(specifier: &str) -> Target {
    let (name, rest) = name_of(specifier);
    make(&format!("node:{name}"), "", rest)
}

/// Whether a specifier starts with a scheme; a Windows drive is none.
fn scheme(specifier: &str) -> bool {
    specifier.split_once(':').is_some_and(|(head, _)| {
        head.len() > 1 && head.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    })
}

/// `name@version/rest`, where the name may have a scope.
fn split(specifier: &str) -> (&str, &str, &str) {
    let (name, rest) = name_of(specifier);
    match name.get(1..).and_then(|tail| tail.find('@')) {
        Some(at) => (&name[..=at], &name[at + 2..], rest),
        None => (name, "", rest),
    }
}

fn make(name: &str, version: &str, rest: &str) -> Target {
    let version = version.trim_start_matches(['v', '^', '~', '=']);
    let rest = rest.trim_matches('/');
    Target::Package {
        name: Name::new(name),
        path: if rest.is_empty() { Box::new([]) } else { Box::new([Name::new(rest)]) },
        version: (!version.is_empty()).then(|| Name::new(version)),
    }
}

/// What a URL (without its scheme) serves.
fn url(address: &str) -> Target {
    let address = address.split(['?', '#']).next().unwrap_or(address);
    let (host, path) = address.split_once('/').unwrap_or((address, ""));
    let path = path.trim_matches('/');
    match host {
        "deno.land" => deno(path),
        "esm.sh" | "cdn.esm.sh" | "esm.run" | "cdn.skypack.dev" | "unpkg.com" | "jspm.dev" | "ga.jspm.io"
        | "bundle.run" | "npm.tfl.dev" => served(path).unwrap_or_else(|| plain(address)),
        "cdn.jsdelivr.net" | "fastly.jsdelivr.net" if path.starts_with("npm/") => {
            served(path).unwrap_or_else(|| plain(address))
        }
        _ => plain(address),
    }
}

/// A path of a server of npm packages; none when it serves something else (`/gh/user/repository`).
fn served(path: &str) -> Option<Target> {
    let mut path = path;
    loop {
        let (head, rest) = path.split_once('/').unwrap_or((path, ""));
        // `v135` and the like pin the server's own build.
        let build = head.strip_prefix('v').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        if (build || SERVING.contains(&head)) && !rest.is_empty() {
            path = rest;
        } else if head == "jsr" && !rest.is_empty() {
            return Some(package(rest));
        } else if matches!(head, "gh" | "pr" | "github.com" | "") {
            return None;
        } else {
            break;
        }
    }
    let path = path.strip_prefix("npm:").unwrap_or(path);
    let (name, version, rest) = split(path.trim_start_matches('*'));
    // `x@1.2.3&deps=y` and skypack's `x@v1.2.3-HASH` carry more than a version.
    let version = version.split('&').next().unwrap_or("");
    let version = match version.strip_prefix('v').and_then(|version| version.rsplit_once('-')) {
        Some((number, hash)) if hash.len() >= 16 => number,
        _ => version,
    };
    let (rest, served_as) = (rest.trim_end_matches("+esm"), rest.starts_with("mode="));
    Some(make(&format!("npm:{name}"), version, if served_as { "" } else { rest }))
}

/// A path of Deno's registry of URLs: `x/NAME@VERSION/..` or `std@VERSION/..`.
fn deno(path: &str) -> Target {
    let (folder, path) = match path.strip_prefix("x/") {
        Some(path) => ("x/", path),
        None => ("", path),
    };
    let (head, rest) = path.split_once('/').unwrap_or((path, ""));
    let (name, version) = head.split_once('@').unwrap_or((head, ""));
    // Older functions take Node's modules from the standard library: `std@0.177.0/node/crypto.ts`.
    if let ("", "std", Some(module)) = (folder, name, rest.strip_prefix("node/")) {
        let module = module.strip_suffix(".ts").unwrap_or(module);
        return make(&format!("node:{}", module.strip_suffix("/mod").unwrap_or(module)), version, "");
    }
    let rest = if folder.is_empty() || rest != "mod.ts" { rest } else { "" };
    make(&format!("url:deno.land/{folder}{name}"), version, rest)
}

fn plain(address: &str) -> Target {
    make(&format!("url:{}", address.trim_end_matches('/')), "", "")
}

#[cfg(test)]
mod tests {
    #[test]
    fn builtins_are_sorted() {
        assert!(super::BUILTINS.is_sorted());
    }
}
