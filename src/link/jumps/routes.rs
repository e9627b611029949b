//! Which route a path belongs to: literal segments beat parameters, parameters beat rests.

use rustc_hash::FxHashMap;

use super::{is_known, takes_requests};
use crate::finding::FileId;
use crate::link::entries::KnownRoute;
use crate::names::Name;
use crate::program::{Entry, EntryKind, Program};

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

/// A segment of a path that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// All of it is known.
    Literal(Name),
    /// Nothing of it is known.
    Hole,
    /// What it starts and ends with: `report-{}`.
    Around(&'static str, &'static str),
}

impl Part {
    fn of(text: &str) -> Self {
        if text == HOLE {
            return Self::Hole;
        }
        let name = Name::new(text);
        name.as_str().split_once(HOLE).map_or(Self::Literal(name), |(head, tail)| Self::Around(head, tail))
    }
}

/// A segment of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    /// Written as it stands.
    Literal(Name),
    /// Any one segment; or none, when it is optional.
    Param { optional: bool },
    /// A literal that may be left out.
    Optional(Name),
    /// Any number of segments.
    Rest,
    /// Whatever follows.
    Any,
}

impl Piece {
    fn of(text: &str) -> Self {
        match text {
            "**" => Self::Rest,
            "*" => Self::Any,
            _ if text.starts_with(':') => Self::Param { optional: text.ends_with('?') },
            _ if text.ends_with('?') => Self::Optional(Name::new(text)),
            _ => Self::Literal(Name::new(text)),
        }
    }
}

/// A request for a path.
#[derive(Debug, Clone)]
pub struct Asked {
    segments: Vec<Part>,
    /// The method in upper case, when known.
    pub method: Option<Name>,
    /// What stands before the path is not known.
    is_tail: bool,
}

impl Asked {
    /// Of a path with `{}` holes.
    pub fn new(path: &str, method: Option<Name>, is_tail: bool) -> Self {
        let segments = path.split('/').filter(|part| !part.is_empty()).map(Part::of).collect();
        Self { segments, method, is_tail }
    }

    /// Whether enough of it is constant to look for a route.
    pub fn says_enough(&self) -> bool {
        self.segments.iter().any(|part| matches!(part, Part::Literal(_)))
    }

    /// Whether its head is constant, so that a route that does not exist is a finding.
    pub fn is_certain(&self) -> bool {
        let literals =
            || self.segments.iter().filter_map(|part| if let Part::Literal(name) = part { Some(*name) } else { None });
        // A template's own expressions (`{{ url_for(..) }}`, `{% url .. %}`) say where it goes elsewhere.
        matches!(self.segments.first(), Some(Part::Literal(_)))
            && !literals().any(|part| part.contains("{{") || part.contains("{%"))
            && !matches!(self.segments.last(), Some(Part::Literal(last)) if is_asset(last))
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
    all: Vec<(usize, Vec<Piece>, Vec<Name>, FileId)>,
    /// Positions of routes by the last literal that every path they serve holds, or a hole in its place.
    by_word: FxHashMap<Option<Name>, Vec<usize>>,
    known: Vec<KnownRoute>,
    /// Where routes are registered whose path is not known.
    unknown: Vec<FileId>,
}

impl Routes {
    /// Of a program's entries.
    pub fn new(program: &Program) -> Self {
        let entries = program.entries.iter().enumerate();
        let all: Vec<(usize, Vec<Piece>, Vec<Name>, FileId)> = entries
            .filter(|(_, entry)| takes_requests(entry))
            .filter_map(|(at, entry)| Some((at, pieces(&entry.route?), entry.methods.clone(), entry.place.file)))
            .collect();
        let unknown = program.entries.iter().filter(|entry| entry.kind == EntryKind::Route && entry.route.is_none());
        let unknown = unknown.map(|entry| entry.place.file).collect();
        let mut by_word: FxHashMap<Option<Name>, Vec<usize>> = FxHashMap::default();
        for (position, (_, route, ..)) in all.iter().enumerate() {
            by_word.entry(word(route)).or_default().push(position);
        }
        Self { all, by_word, known: program.known_routes.clone(), unknown }
    }

    /// Positions of the routes that fit a request without a hole in the place of their word, in order.
    fn by_words(&self, asked: &Asked) -> Vec<usize> {
        let literals = asked.segments.iter().filter_map(|part| match part {
            Part::Literal(name) => Some(Some(*name)),
            _ => None,
        });
        let words = literals.chain([None]).filter_map(|word| self.by_word.get(&word));
        let mut found: Vec<usize> = words.flatten().copied().collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// What serves a request that a file sends: of several apps its own, else what another one serves.
    pub fn serve(&self, program: &Program, from: FileId, asked: &Asked) -> Served {
        let own = self.serve_by(asked, &|file| program.share_app(file, from));
        if own.exists || !program.has_several_apps() {
            return own;
        }
        let other = self.serve_by(asked, &|_| true);
        if other.entries.is_empty() { own } else { other }
    }

    /// What serves a request, among what is registered in some of the files.
    fn serve_by(&self, asked: &Asked, counts: &dyn Fn(FileId) -> bool) -> Served {
        let served = self.best(asked, counts);
        let is_api = asked.segments.first().is_some_and(|first| *first == Part::of("api"));
        if served.exists || !is_api || asked.segments.len() < 2 {
            return served;
        }
        // A proxy in front takes the head of the path away.
        let behind = Asked { segments: asked.segments[1..].to_vec(), ..asked.clone() };
        if behind.says_enough() { self.best(&behind, counts) } else { served }
    }

    fn position(&self, entry: usize) -> usize {
        self.all.partition_point(|(at, ..)| *at < entry)
    }

    fn best(&self, asked: &Asked, counts: &dyn Fn(FileId) -> bool) -> Served {
        let (served, best) = self.best_of(asked, counts, self.by_words(asked).into_iter());
        let has_holes = asked.segments.iter().any(|part| !matches!(part, Part::Literal(_)));
        // With a hole in the place of a literal no route fits better than a whole and sure one.
        if !has_holes || best.is_some_and(|best| best.whole && best.sure) {
            return served;
        }
        self.best_of(asked, counts, 0..self.all.len()).0
    }

    /// What serves a request best of some routes, given by position and in order, and how well.
    fn best_of(
        &self,
        asked: &Asked,
        counts: &dyn Fn(FileId) -> bool,
        routes: impl Iterator<Item = usize>,
    ) -> (Served, Option<Rank>) {
        /// A hole that stands for more literal routes than this says which of them none.
        const MOST_GUESSED: usize = 4;
        let mut best: Option<Rank> = None;
        let mut entries: Vec<usize> = Vec::new();
        let mut exists = self.unknown.iter().any(|&file| counts(file));
        let routes = routes.map(|position| &self.all[position]).filter(|(.., file)| counts(*file));
        for (at, route, methods, in_file) in routes {
            let Some(rank) = rank_pieces(route, asked) else { continue };
            let fits = methods.is_empty() || asked.method.is_none_or(|method| methods.contains(&method));
            // The page that answers any GET with the app itself takes nothing that is sent.
            exists |= fits;
            // Below a base that is not known, a route that takes any path says nothing.
            if asked.is_tail && rank.literal == 0 {
                continue;
            }
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
        exists |= is_known(self.known.iter().filter(|known| counts(known.file)), asked);
        (Served { entries, exists }, best)
    }
}

/// The last segment of a route that every path it serves holds as it stands.
fn word(route: &[Piece]) -> Option<Name> {
    let fixed = route.iter().take_while(|piece| **piece != Piece::Any);
    let literals = fixed.filter_map(|piece| if let Piece::Literal(name) = piece { Some(*name) } else { None });
    literals.last()
}

/// How well a route fits a request; none when it does not.
pub fn rank(route: &str, asked: &Asked) -> Option<Rank> {
    rank_pieces(&pieces(route), asked)
}

fn pieces(route: &str) -> Vec<Piece> {
    route.split('/').filter(|part| !part.is_empty()).map(Piece::of).collect()
}

fn rank_pieces(route: &[Piece], asked: &Asked) -> Option<Rank> {
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
        .take_while(|&skipped| matches!(route[skipped - 1], Piece::Literal(_) | Piece::Optional(_)))
        // Not `${OTHER}/sql/execute` for `/api/jobs/:id/execute`: a word after a base of its own is no id.
        .filter(|&skipped| {
            !matches!((route.get(skipped), given.first()), (Some(Piece::Param { .. }), Some(Part::Literal(_))))
        })
        .find_map(|skipped| fit(&route[skipped..], given, Rank { whole: false, ..whole }))
        .filter(|rank| rank.literal > 0)
}

/// How well a part of a function's path fits one of its routes, whatever stands before.
pub fn rank_tail(entry: &Entry, asked: &Asked) -> Option<Rank> {
    let route = entry.route?;
    let (_, own) = route.split_once(entry.name?.as_str())?;
    rank(if own.is_empty() { "/" } else { own }, asked)
}

fn fit(route: &[Piece], given: &[Part], rank: Rank) -> Option<Rank> {
    let (piece, rest) = match route.split_first() {
        None => return given.is_empty().then_some(rank),
        Some((Piece::Any, _)) => return Some(rank),
        Some((Piece::Rest, rest)) => {
            let unsure = Rank { whole: false, ..rank };
            return (0..=given.len()).find_map(|skip| fit(rest, &given[skip..], unsure));
        }
        Some(found) => found,
    };
    let may_miss = matches!(piece, Piece::Optional(_) | Piece::Param { optional: true });
    let Some((asked, others)) = given.split_first() else {
        return if may_miss { fit(rest, given, rank) } else { None };
    };
    let taken = match (piece, asked) {
        (Piece::Param { .. }, _) => fit(rest, others, Rank { params: rank.params + 1, ..rank }),
        (Piece::Literal(text) | Piece::Optional(text), Part::Literal(asked)) if text == asked => {
            return fit(rest, others, Rank { literal: rank.literal + 1, ..rank });
        }
        (_, Part::Hole) => return fit(rest, others, Rank { sure: false, ..rank }),
        // `report-{}` for `report-daily`.
        (Piece::Literal(text) | Piece::Optional(text), Part::Around(head, tail)) => {
            let fits = text.starts_with(head) && text.ends_with(tail) && text.len() >= head.len() + tail.len();
            return if fits { fit(rest, others, Rank { sure: false, ..rank }) } else { None };
        }
        _ => return None,
    };
    if may_miss { taken.or_else(|| fit(rest, given, rank)) } else { taken }
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
        assert!(rank("/api/jobs/:id/run", &tail("/jobs/7/run")).is_some());
        assert!(rank("/api/jobs/:id/run", &tail("/sql/run")).is_none());
    }
}
