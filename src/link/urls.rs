//! Where a URL leads: from the value of a URL to hosts and paths.

use crate::catalogue::Catalogue;
use crate::names::Name;
use crate::program::{Destination, ExprRef, External, Program, Value};

/// A piece of a URL.
#[derive(Debug, Clone)]
enum Piece {
    Text(Name),
    Hole(Value),
}

impl Program {
    /// Where a URL value leads: one destination for each alternative.
    pub fn destinations(&self, url: &Value) -> Vec<Destination> {
        self.destinations_as_written(&self.expand(url))
    }

    /// The same, with what arrives in parameters left open.
    pub fn destinations_as_written(&self, url: &Value) -> Vec<Destination> {
        let mut found = Vec::new();
        for alternative in url.alternatives() {
            for pieces in self.spellings(alternative, 6) {
                let destination = destination(&self.catalogue, &pieces);
                if !found.contains(&destination) {
                    found.push(destination);
                }
            }
        }
        // `base || "https://.."`: what is not known beside something known says nothing more.
        if found.len() > 1 {
            found.retain(|destination| !matches!(destination, Destination::Unknown(path) if path.is_empty()));
        }
        if found.is_empty() { vec![Destination::Unknown(Name::new(""))] } else { found }
    }

    /// The texts a URL value can be; alternatives inside a template multiply, eight at most.
    fn spellings(&self, url: &Value, depth: usize) -> Vec<Vec<Piece>> {
        // `url = new URL(next, url)` is made of itself.
        if depth == 0 {
            return vec![vec![Piece::Hole(Value::Unknown)]];
        }
        let mut all: Vec<Vec<Piece>> = vec![vec![]];
        match url {
            Value::Template(parts) => {
                for part in parts.iter() {
                    let choices: Vec<Vec<Piece>> =
                        part.alternatives().iter().flat_map(|part| self.spellings(part, depth - 1)).take(8).collect();
                    if choices.is_empty() || all.len() * choices.len() > 8 {
                        all.iter_mut().for_each(|pieces| pieces.push(Piece::Hole(Value::Unknown)));
                        continue;
                    }
                    let mut next = Vec::with_capacity(all.len() * choices.len());
                    for pieces in &all {
                        for choice in &choices {
                            next.push(pieces.iter().chain(choice).cloned().collect());
                        }
                    }
                    all = next;
                }
                all
            }
            Value::Text(text) => vec![vec![Piece::Text(*text)]],
            Value::External(external) => match self.url_object(external, depth - 1) {
                Some(spellings) => spellings,
                None => vec![vec![Piece::Hole(url.clone())]],
            },
            other => vec![vec![Piece::Hole(other.clone())]],
        }
    }

    /// `new URL(path, base)`, its `.href` and `.toString()`, `new Request(url)`, `Request.url` of an incoming one not;
    /// `urljoin(base, path)`.
    fn url_object(&self, external: &External, depth: usize) -> Option<Vec<Vec<Piece>>> {
        let makes_one = matches!(external.package.as_str(), "global:URL" | "global:Request" | "node:url")
            || external.dotted() == "urllib.request.Request";
        let joins = external.dotted() == "urllib.parse.urljoin";
        if !makes_one && !joins {
            return None;
        }
        let made = *external.sites.first()?;
        let args = &self.facts(made.file).call(made.call).args;
        let value = |at: usize| args.get(at).map(|arg| self.expand(&self.value(ExprRef::new(made.file, arg.value))));
        let path = value(usize::from(joins))?;
        let starts_absolute = |value: &Value| match value {
            Value::Text(text) => text.contains("://"),
            Value::Template(parts) => matches!(parts.first(), Some(Value::Text(text)) if text.contains("://")),
            _ => false,
        };
        let whole = match value(usize::from(!joins)) {
            Some(base) if !starts_absolute(&path) => Value::template([base, Value::Text(Name::new("/")), path]),
            _ => path,
        };
        Some(whole.alternatives().iter().flat_map(|url| self.spellings(url, depth)).take(8).collect())
    }
}

fn destination(catalogue: &Catalogue, pieces: &[Piece]) -> Destination {
    let pieces: Vec<&Piece> =
        pieces.iter().filter(|piece| !matches!(piece, Piece::Text(text) if text.is_empty())).collect();
    match pieces.first() {
        // `https://${HOST}/path`: the host that a variable holds.
        Some(Piece::Text(scheme))
            if matches!(scheme.as_str(), "https://" | "http://") && held(&pieces[1..]).is_some() =>
        {
            match held(&pieces[1..]) {
                Some(name) => from_env(catalogue, name, path_of(&holes(&pieces[2..]))),
                None => Destination::Unknown(Name::new("")),
            }
        }
        Some(Piece::Text(head)) => {
            let rest = holes(&pieces[1..]);
            let text = format!("{head}{rest}");
            if let Some(after) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) {
                absolute(catalogue, after)
            } else if let Some(after) = text.strip_prefix("//") {
                absolute(catalogue, after)
            } else if text.starts_with('/') || text.starts_with("./") {
                Destination::Own(path_of(text.trim_start_matches('.')))
            } else if text.starts_with("data:") || text.starts_with("blob:") || text.starts_with("file:") {
                Destination::Local
            } else if !text.contains("://") && !text.contains("{}") {
                // `fetch("api/x")`: relative to the page.
                Destination::Own(path_of(&format!("/{text}")))
            } else {
                Destination::Unknown(path_of(""))
            }
        }
        Some(Piece::Hole(base)) => {
            let rest = path_of(&holes(&pieces[1..]));
            match base {
                Value::Env(name) => from_env(catalogue, *name, rest),
                Value::External(external) if is_own_origin(external) => Destination::Own(rest),
                _ => Destination::Unknown(rest),
            }
        }
        None => Destination::Unknown(Name::new("")),
    }
}

/// The variable that holds the whole host.
fn held(pieces: &[&Piece]) -> Option<Name> {
    match pieces {
        [Piece::Hole(Value::Env(name))] => Some(*name),
        [Piece::Hole(Value::Env(name)), Piece::Text(path), ..] if path.starts_with(['/', ':', '?']) => Some(*name),
        _ => None,
    }
}

fn from_env(catalogue: &Catalogue, name: Name, path: Name) -> Destination {
    match catalogue.env_entry(&name) {
        Some((vendor, _)) => Destination::Vendor(vendor, Name::new(""), path),
        None => Destination::Env(name, path),
    }
}

/// The page's or the request's own origin.
fn is_own_origin(external: &External) -> bool {
    let dotted = external.dotted();
    matches!(
        dotted.as_str(),
        "location.origin" | "window.location.origin" | "location.href" | "location.pathname" | "location.protocol"
    ) || dotted.ends_with("nextUrl.origin")
}

fn absolute(catalogue: &Catalogue, after_scheme: &str) -> Destination {
    let end = after_scheme.find(['/', '?', '#']).unwrap_or(after_scheme.len());
    let (mut authority, mut path) = after_scheme.split_at(end);
    // `https://api.x.com${path}`: after a whole host only a path can follow.
    if let Some(open) = authority.find("{}")
        && is_whole_host(&authority[..open])
    {
        (authority, path) = after_scheme.split_at(open);
    }
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let bare = host.split(':').next().unwrap_or(host).to_ascii_lowercase();
    if matches!(bare.as_str(), "localhost" | "127.0.0.1" | "0.0.0.0" | "[")
        || bare.ends_with(".local")
        || bare.ends_with(".localhost")
        || bare.ends_with(".internal")
        || bare.ends_with(".svc")
        || is_own_network(&bare)
    {
        return Destination::Local;
    }
    if bare == "{}" {
        return Destination::Unknown(path_of(path));
    }
    let path = path_of(path);
    match catalogue.vendor_of_path(&bare, &path) {
        Some(vendor) => Destination::Vendor(vendor, Name::new(&bare), path),
        None => Destination::Host(Name::new(&bare), path),
    }
}

/// A name without a dot is known in the app's own network only: `http://parser:8100` of a compose file.
fn is_own_network(host: &str) -> bool {
    host.len() > 1
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && host.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// Whether a host is written to its end: `api.x.com`, not `api.` or `https://x-`.
fn is_whole_host(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or("");
    host.contains('.') && last.len() >= 2 && last.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// The pieces as text, `{}` for each hole.
fn holes(pieces: &[&Piece]) -> String {
    pieces.iter().map(|piece| if let Piece::Text(text) = piece { text.as_str() } else { "{}" }).collect()
}

/// A path without query and fragment, doubled slashes made one.
fn path_of(text: &str) -> Name {
    let end = text.find(['?', '#']).unwrap_or(text.len());
    let mut path = String::with_capacity(end);
    for c in text[..end].chars() {
        if c != '/' || !path.ends_with('/') {
            path.push(c);
        }
    }
    Name::new(&path)
}
