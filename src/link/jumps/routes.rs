//! Which route a path belongs to: literal segments beat parameters, parameters beat rests.

use super::{is_known, takes_requests};
use crate::finding::FileId;
use crate::link::entries::KnownRoute;
use crate::names::Name;
use crate::program::{Entry, Program};

/// A hole in a path that is asked for.
const HOLE: &str = "{}";

/// How well a route fits; greater is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// The path was asked for as it stands, not below a base that is not known.
    whole: bool,
    /// No hole was taken for a literal segment.
    sure: bool,
    /// Segments that fit literally.
    literal: usize,
    /// Segments that fit a parameter.
    params: usize,
}

/// A request for a path.
#[derive(Debug, Clone)]
pub struct Asked {
    segments: Vec<Name>,
    /// The method in upper case, when known.
    pub method: Option<Name>,
    /// What stands before the path is not known.
    is_tail: bool,
}

impl Asked {
    /// Of a path with `{}` holes.
    pub fn new(path: &str, method: Option<Name>, is_tail: bool) -> Self {
        let segments = path.split('/').filter(|part| !part.is_empty()).map(Name::new).collect();
        Self { segments, method, is_tail }
    }

    /// Whether enough of it is constant to look for a route.
    pub fn says_enough(&self) -> bool {
        self.segments.iter().any(|part| !part.contains(HOLE))
    }

    /// Whether its head is constant, so that a route that does not exist is a finding.
    pub fn is_certain(&self) -> bool {
        // A template's own expressions (`{{ url_for(..) }}`, `{% url .. %}`) say where it goes elsewhere.
        self.segments.first().is_some_and(|part| !part.contains(HOLE))
            && !self.segments.iter().any(|part| part.contains("{{") || part.contains("{%"))
            && !self.segments.last().is_some_and(|part| is_asset(part))
    }
}

fn is_asset(name: &str) -> bool {
    let Some((_, end)) = name.rsplit_once('.') else { return false };
    ["json", "csv", "png", "jpg", "svg", "html", "css", "js", "txt", "pdf", "xml", "md", "wasm", "webmanifest"]
        .contains(&end)
}

/// What serves a request.
#[derive(Debug, Default)]
pub struct Served {
    /// The entries, all of the best rank.
    pub entries: Vec<usize>,
    /// Whether anything serves the path, be it in a way that does not say which.
    pub exists: bool,
}

/// The routes of a program.
pub struct Routes {
    /// Entry, route, methods and the file of the registration; sorted by entry.
    all: Vec<(usize, Vec<&'static str>, Vec<Name>, FileId)>,
    known: Vec<KnownRoute>,
    /// Whether a route is there whose path is not known.
    has_unknown: bool,
}

impl Routes {
    /// Of a program's entries.
    pub fn new(program: &Program) -> Self {
        let entries = program.entries.iter().enumerate();
        let all = entries
            .filter(|(_, entry)| takes_requests(entry))
            .filter_map(|(at, entry)| Some((at, split(entry.route?), entry.methods.clone(), entry.place.file)))
            .collect();
        let has_unknown =
            program.entries.iter().any(|entry| entry.kind == crate::program::EntryKind::Route && entry.route.is_none());
        Self { all, known: program.known_routes.clone(), has_unknown }
    }

    /// What serves a request.
    pub fn serve(&self, asked: &Asked) -> Served {
        let served = self.best(asked);
        if served.exists || asked.segments.first().is_none_or(|first| first != "api") || asked.segments.len() < 2 {
            return served;
        }
        // A proxy in front takes the head of the path away.
        let behind = Asked { segments: asked.segments[1..].to_vec(), ..asked.clone() };
        if behind.says_enough() { self.best(&behind) } else { served }
    }

    fn position(&self, entry: usize) -> usize {
        self.all.partition_point(|(at, ..)| *at < entry)
    }

    fn best(&self, asked: &Asked) -> Served {
        /// A hole that stands for more literal routes than this says which of them none.
        const MOST_GUESSED: usize = 4;
        let mut best: Option<Rank> = None;
        let mut entries: Vec<usize> = Vec::new();
        let mut exists = self.has_unknown;
        for (at, route, methods, in_file) in &self.all {
            let Some(rank) = rank_split(route, asked) else { continue };
            exists = true;
            let fits = methods.is_empty() || asked.method.is_none_or(|method| methods.contains(&method));
            if !fits || best.is_some_and(|best| rank < best) {
                continue;
            }
            if best != Some(rank) {
                entries.clear();
                best = Some(rank);
            }
            // Of two that are registered alike the first one serves.
            let is_again = entries.iter().any(|other| {
                let (_, other_route, other_methods, file) = &self.all[self.position(*other)];
                (other_route, other_methods, file) == (route, methods, in_file)
            });
            if !is_again {
                entries.push(*at);
            }
        }
        if best.is_some_and(|best| !best.sure) && entries.len() > MOST_GUESSED {
            entries.clear();
        }
        exists |= is_known(&self.known, asked);
        Served { entries, exists }
    }
}

/// How well a route fits a request; none when it does not.
pub fn rank(route: &str, asked: &Asked) -> Option<Rank> {
    let route: Vec<&str> = route.split('/').filter(|part| !part.is_empty()).collect();
    rank_split(&route, asked)
}

fn split(route: Name) -> Vec<&'static str> {
    route.as_str().split('/').filter(|part| !part.is_empty()).collect()
}

fn rank_split(route: &[&str], asked: &Asked) -> Option<Rank> {
    let given = &asked.segments[..];
    let whole = Rank { whole: true, sure: true, literal: 0, params: 0 };
    if let Some(rank) = fit(route, given, whole) {
        return Some(rank);
    }
    if !asked.is_tail {
        return None;
    }
    // The base may hold the head of the route: `${BASE}/users` for `/api/v1/users`.
    (1..=3.min(route.len()))
        .take_while(|&skipped| !route[skipped - 1].starts_with([':', '*']))
        .find_map(|skipped| fit(&route[skipped..], given, Rank { whole: false, ..whole }))
        .filter(|rank| rank.literal > 0)
}

/// How well a part of a function's path fits one of its routes, whatever stands before.
pub fn rank_tail(entry: &Entry, asked: &Asked) -> Option<Rank> {
    let route = entry.route?;
    let (_, own) = route.split_once(entry.name?.as_str())?;
    rank(if own.is_empty() { "/" } else { own }, asked)
}

fn fit(route: &[&str], given: &[Name], rank: Rank) -> Option<Rank> {
    match (route.split_first(), given.split_first()) {
        (None, None) => Some(rank),
        (Some((&"**", rest)), _) => {
            (0..=given.len()).find_map(|skip| fit(rest, &given[skip..], Rank { whole: false, ..rank }))
        }
        (Some((&"*", _)), _) => Some(rank),
        (Some((part, rest)), None) => {
            if part.ends_with('?') {
                fit(rest, given, rank)
            } else {
                None
            }
        }
        (None, Some(_)) => None,
        (Some((part, rest)), Some((asked, others))) => {
            if *part == asked.as_str() {
                return fit(rest, others, Rank { literal: rank.literal + 1, ..rank });
            }
            if part.starts_with(':') {
                let taken = fit(rest, others, Rank { params: rank.params + 1, ..rank });
                return if part.ends_with('?') { taken.or_else(|| fit(rest, given, rank)) } else { taken };
            }
            if *asked == HOLE {
                return fit(rest, others, Rank { sure: false, ..rank });
            }
            // `report-{}` for `report-daily`.
            let (head, tail) = asked.split_once(HOLE)?;
            let fits = part.starts_with(head) && part.ends_with(tail) && part.len() >= head.len() + tail.len();
            if fits { fit(rest, others, Rank { sure: false, ..rank }) } else { None }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(route: &str, path: &str) -> Option<Rank> {
        rank(route, &Asked::new(path, None, false))
    }

    #[test]
    fn literals_beat_parameters() {
        assert!(of("/api/users/me", "/api/users/me") > of("/api/users/:id", "/api/users/me"));
        assert!(of("/api/users/:id", "/api/users/{}") > of("/api/users/me", "/api/users/{}"));
        assert!(of("/api/users/:id", "/api/users/7") > of("/api/*", "/api/users/7"));
        assert_eq!(of("/api/users", "/api/orders"), None);
        assert!(of("/x/:id?", "/x").is_some());
        assert!(of("/**/pay", "/api/v1/pay").is_some());
    }

    #[test]
    fn a_tail_may_miss_the_head() {
        let tail = |path: &str| Asked::new(path, None, true);
        assert!(rank("/api/v1/users", &tail("/users")).is_some());
        assert!(rank("/api/v1/users", &tail("/orders")).is_none());
        assert!(rank("/:tenant/users", &tail("/users")).is_none());
    }
}
