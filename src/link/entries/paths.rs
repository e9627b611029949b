//! Route paths in one spelling: `:name` for one segment, `:name?` for an optional one, `*` for any rest.

/// A path of a router in any of the usual spellings: Express (`:id`, `:id(\\d+)`, `/*splat`), Fastify and FastAPI
/// (`{id}`, `{rest:path}`), Flask and Django (`<int:id>`, `<path:rest>`).
pub fn normal(path: &str) -> String {
    let mut parts = Vec::new();
    for part in split(path) {
        let part = segment(&part);
        if part == "*" {
            parts.push(part);
            break;
        }
        parts.push(part);
    }
    format!("/{}", parts.join("/"))
}

/// Splits at slashes that stand outside of parentheses and angle brackets.
fn split(path: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0usize;
    let end = path.find(['#']).unwrap_or(path.len());
    for c in path[..end].chars() {
        match c {
            '(' | '<' | '{' | '[' => depth += 1,
            ')' | '>' | '}' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        match (c, parts.last_mut()) {
            ('/', _) if depth == 0 => parts.push(String::new()),
            (_, Some(last)) => last.push(c),
            _ => {}
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn segment(part: &str) -> String {
    if let Some(inner) = part.strip_prefix('<').and_then(|part| part.strip_suffix('>')) {
        let (kind, name) = inner.split_once(':').unwrap_or(("", inner));
        return if kind == "path" { "*".to_owned() } else { format!(":{name}") };
    }
    if let Some(inner) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        if inner.starts_with('*') || inner.ends_with(":path") {
            return "*".to_owned();
        }
        let name = inner.split(':').next().unwrap_or(inner).trim_start_matches(['/', ':']);
        return format!(":{name}");
    }
    if part.starts_with(['*', '(']) || part == ".*" {
        return "*".to_owned();
    }
    if let Some(name) = part.strip_prefix(':') {
        let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
        let rest = &name[end..];
        if rest.ends_with('*') || rest.ends_with('+') || rest.contains("(.*") || rest.contains("(.+") {
            return "*".to_owned();
        }
        return if rest.ends_with('?') { format!(":{}?", &name[..end]) } else { format!(":{}", &name[..end]) };
    }
    // A parameter inside a segment (`file-{id}.json`) makes the whole segment one.
    match part.find(['<', '{', ':', '*', '(']) {
        Some(_) => ":part".to_owned(),
        None => part.to_owned(),
    }
}

/// A path after a prefix, both in the normal spelling.
pub fn join(prefix: &str, path: &str) -> String {
    let prefix = prefix.trim_end_matches('/');
    let prefix = prefix.strip_suffix("/*").unwrap_or(prefix);
    let path = path.trim_matches('/');
    match (prefix.is_empty(), path.is_empty()) {
        (true, true) => "/".to_owned(),
        (false, true) => prefix.to_owned(),
        _ => format!("{prefix}/{path}"),
    }
}

/// The path of a folder of file-system routes in Next's, Nuxt's, SvelteKit's and Astro's spelling:
/// `(group)` and `@slot` are not part of it, `[id]`, `[...rest]`, `[[...rest]]`, `[[id]]` are parameters.
pub fn folders<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let mut route = String::new();
    for part in parts {
        if (part.starts_with('(') && part.ends_with(')')) || part.starts_with('@') {
            continue;
        }
        // Intercepted routes: `(.)photo`, `(..)photo`.
        let part = part.rsplit_once(')').map_or(part, |(head, tail)| if head.starts_with("(.") { tail } else { part });
        let part = match bracketed(part) {
            Some((name, _, true)) if !name.is_empty() || part.contains("...") => "*".to_owned(),
            Some((name, true, false)) => format!(":{name}?"),
            Some((name, false, false)) => format!(":{name}"),
            _ if part.contains('[') => ":part".to_owned(),
            _ => part.to_owned(),
        };
        route.push('/');
        route.push_str(&part);
        if part == "*" {
            break;
        }
    }
    if route.is_empty() { "/".to_owned() } else { route }
}

/// `[name]`: its name, whether it may be missing, whether it takes the rest.
fn bracketed(part: &str) -> Option<(&str, bool, bool)> {
    let (inner, optional) = match part.strip_prefix("[[").and_then(|part| part.strip_suffix("]]")) {
        Some(inner) => (inner, true),
        None => (part.strip_prefix('[')?.strip_suffix(']')?, false),
    };
    let inner = inner.split('=').next().unwrap_or(inner);
    match inner.strip_prefix("...") {
        Some(rest) => Some((rest, optional, true)),
        None => Some((inner, optional, false)),
    }
}

/// The path that a file name of Remix's flat routes stands for: `users.$id_.edit`, `_auth.login`, `files.$`.
pub fn flat(name: &str) -> String {
    let mut route = String::new();
    let mut parts: Vec<String> = vec![String::new()];
    let mut depth = 0usize;
    for c in name.chars() {
        match (c, parts.last_mut()) {
            ('[', _) => depth += 1,
            (']', _) => depth = depth.saturating_sub(1),
            ('.' | '/', _) if depth == 0 => parts.push(String::new()),
            (_, Some(last)) => last.push(c),
            _ => {}
        }
    }
    for part in parts {
        let part = part.strip_suffix('_').unwrap_or(&part);
        if part.is_empty() || part.starts_with('_') || part == "index" || part == "route" {
            continue;
        }
        let (part, optional) = match part.strip_prefix('(').and_then(|part| part.strip_suffix(')')) {
            Some(inner) => (inner, "?"),
            None => (part, ""),
        };
        match part.strip_prefix('$') {
            Some("") => {
                route.push_str("/*");
                break;
            }
            Some(name) => route.push_str(&format!("/:{name}{optional}")),
            None => route.push_str(&format!("/{part}")),
        }
    }
    if route.is_empty() { "/".to_owned() } else { route }
}

/// A path that a regular expression of Django's spells: `^users/(?P<id>\d+)/$`.
pub fn regex(pattern: &str) -> String {
    let pattern = pattern.trim_start_matches('^').trim_end_matches('$').trim_end_matches("\\Z");
    let mut path = String::new();
    let mut chars = pattern.chars().peekable();
    let mut depth = 0usize;
    let mut group = String::new();
    while let Some(c) = chars.next() {
        match c {
            '(' => {
                depth += 1;
                group.push(c);
            }
            ')' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    let name = group.split_once("?P<").and_then(|(_, rest)| rest.split_once('>')).map(|(name, _)| name);
                    path.push_str(&format!("<{}>", name.unwrap_or("part")));
                    group.clear();
                }
            }
            _ if depth > 0 => group.push(c),
            '\\' => path.extend(chars.next().filter(|next| !next.is_alphanumeric())),
            '?' | '+' | '*' | '.' => {}
            other => path.push(other),
        }
    }
    path
}

/// Whether a middleware's path covers a route: a prefix of whole segments, with parameters and `*`.
pub fn covers(pattern: &str, route: &str) -> bool {
    let mut route = route.split('/').filter(|part| !part.is_empty());
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        match (part, route.next()) {
            ("*", _) => return true,
            (part, _) if part.ends_with('?') => {}
            (_, None) => return false,
            (part, Some(given)) => {
                if part != given && !part.starts_with(':') && given != "*" {
                    return false;
                }
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_become_one() {
        assert_eq!(normal("/users/:id(\\d+)/edit"), "/users/:id/edit");
        assert_eq!(normal("users/{user_id}/"), "/users/:user_id");
        assert_eq!(normal("/files/{rest:path}"), "/files/*");
        assert_eq!(normal("/a/<int:id>"), "/a/:id");
        assert_eq!(normal("/a/<path:rest>/x"), "/a/*");
        assert_eq!(normal("/api/*splat"), "/api/*");
        assert_eq!(normal("/x/:id?"), "/x/:id?");
        assert_eq!(normal(""), "/");
    }

    #[test]
    fn folders_name_routes() {
        let route = |path: &str| folders(path.split('/').filter(|part| !part.is_empty()));
        assert_eq!(route("(marketing)/blog/[slug]"), "/blog/:slug");
        assert_eq!(route("shop/[[...rest]]"), "/shop/*");
        assert_eq!(route("@modal/(.)photo/[id]"), "/photo/:id");
        assert_eq!(route(""), "/");
        assert_eq!(flat("users.$id_.edit"), "/users/:id/edit");
        assert_eq!(flat("_auth.login"), "/login");
        assert_eq!(flat("files.$"), "/files/*");
        assert_eq!(flat("_index"), "/");
        assert_eq!(normal(&regex(r"^users/(?P<id>\d+)/$")), "/users/:id");
    }

    #[test]
    fn prefixes_cover_whole_segments() {
        assert!(covers("/api", "/api/users/:id"));
        assert!(!covers("/api", "/apinine"));
        assert!(covers("/", "/x"));
        assert!(covers("/api/*", "/api/x"));
        assert!(!covers("/api/admin", "/api"));
    }
}
