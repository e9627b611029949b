//! Finds credentials in a text and says whose they are, what they are, and nothing of their random part.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;

use regex_automata::{Anchored, Input};

use super::scan::{Compiled, Format, Scanner};
use super::{Catalogue, CredentialKind, Example, plausible};
use crate::facts::{Span, Token, TokenKind};
use crate::names::Name;

/// No credential is longer, with its line breaks.
const LONGEST: usize = 8192;
/// How far a match may start before its fixed text.
const FURTHEST_BACK: usize = 128;
/// How much of a line is looked at for context.
const CONTEXT: usize = 256;
/// How far back context may stand on another line.
const CONTEXT_BEFORE: usize = 80;
/// After so many vain attempts in one unbroken run of characters the rest of the run is passed over: it is data.
const MOST_ATTEMPTS: usize = 64;

impl Catalogue {
    /// The credentials in a text, by place. Stand-ins (`sk_live_xxxx`, `your-key-here`) are none. A text of
    /// several formats is one token: of the format whose context or claims fit, else whose vendor the line names,
    /// else of the longest and then the most specific one.
    pub fn tokens(&self, text: &str) -> Vec<Token> {
        // Spans count in 32 bits.
        if u32::try_from(text.len()).is_err() {
            return Vec::new();
        }
        let scanner = self.scanner.get_or_init(|| Scanner::new(self.vendors()));
        let found = Search { scanner, text, done: Vec::new(), found: Vec::new() }.run();
        if found.is_empty() { Vec::new() } else { settle(found, text) }
    }
}

impl Example {
    /// The code as it would stand in an app: the `{}` that split its credentials removed.
    pub fn snippet(&self) -> String {
        let mut code = String::with_capacity(self.code.len());
        let mut rest = self.code.as_str();
        while let Some(at) = rest.find("{}") {
            let (before, after) = (&rest[..at], &rest[at + 2..]);
            code.push_str(before);
            let inside =
                |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+' | '/' | '=' | ':' | '|');
            if !(before.ends_with(inside) && after.starts_with(inside)) {
                code.push_str("{}");
            }
            rest = after;
        }
        code.push_str(rest);
        code
    }
}

/// A match that passed every check.
struct Candidate<'c> {
    span: Range<usize>,
    format: &'c Format,
    compiled: &'c Compiled,
    /// Position of the format: the catalogue's order.
    order: usize,
    /// Its context or claims say whose it is.
    decided: bool,
    /// The line names its vendor.
    named: bool,
}

impl Candidate<'_> {
    /// The one that says more goes first.
    fn rank(&self, other: &Self) -> Ordering {
        (self.format.nameless.cmp(&other.format.nameless))
            .then(other.decided.cmp(&self.decided))
            .then(other.named.cmp(&self.named))
            .then(other.span.len().cmp(&self.span.len()))
            .then(self.compiled.bits.total_cmp(&other.compiled.bits))
            .then(self.order.cmp(&other.order))
            .then(self.span.start.cmp(&other.span.start))
    }
}

/// A walk over the hits in a text.
struct Search<'c, 't> {
    scanner: &'c Scanner,
    text: &'t str,
    /// Per format, up to where the text is dealt with; made at the first hit.
    done: Vec<usize>,
    found: Vec<Candidate<'c>>,
}

impl<'c> Search<'c, '_> {
    fn run(mut self) -> Vec<Candidate<'c>> {
        let (scanner, bytes) = (self.scanner, self.text.as_bytes());
        // The run of characters that hits fall into, and vain attempts in it.
        let (mut run_end, mut attempts) = (0, 0);
        let mut pictures = vec![];
        for (at, formats) in scanner.hits(self.text) {
            if self.done.is_empty() {
                self.done.resize(scanner.formats.len(), 0);
                pictures = embedded(self.text);
            }
            let before = pictures.partition_point(|picture: &Range<usize>| picture.end <= at);
            if pictures.get(before).is_some_and(|picture| picture.start <= at) {
                continue;
            }
            if at >= run_end {
                run_end = at + run_length(&bytes[at..]);
                attempts = 0;
            }
            if attempts >= MOST_ATTEMPTS {
                continue;
            }
            attempts += 1;
            // Nearly all formats start at the start of a word; nearly all hits are inside one.
            let inside = at > 0 && is_word(bytes[at - 1]) && is_word(bytes[at]);
            for &order in formats {
                let format = &scanner.formats[order];
                if at < self.done[order] || (inside && format.starts_a_word) {
                    continue;
                }
                let Some(compiled) = format.compiled() else { continue };
                let before = self.found.len();
                if format.by_context {
                    self.by_context(at, format, compiled, order);
                } else {
                    self.by_value(at, format, compiled, order);
                }
                if self.found.len() > before {
                    attempts = 0;
                }
            }
        }
        self.found
    }

    fn by_value(&mut self, at: usize, format: &'c Format, compiled: &'c Compiled, order: usize) {
        let text = self.text;
        let Some(span) = match_at(compiled, text, at) else { return };
        self.done[order] = span.end;
        let (value, context) = (&text[span.clone()], before(text, span.start, true));
        let after = &text[span.end..line_end(text, span.end)];
        let fits = |context: &str| compiled.context.as_ref().is_none_or(|regex| regex.is_match(context));
        if is_real(compiled, value, &text[span.end..]) && (fits(context) || fits(after)) {
            self.found.push(candidate(format, compiled, order, span, text));
        }
    }

    /// A format with nothing fixed: its context names the vendor, and the value stands alone, quoted or after
    /// `NAME=`.
    fn by_context(&mut self, at: usize, format: &'c Format, compiled: &'c Compiled, order: usize) {
        let text = self.text;
        let Some(context) = &compiled.context else { return };
        let mut line = line_start(text, at)..line_end(text, at);
        // `const secret =` and the value on the next line; `name: SECRET`, and `value: ..` on the next.
        let rest = text.get(line.end + 1..).unwrap_or_default();
        if line.end < text.len() && (text[line.clone()].trim_end().ends_with(['=', ':', '(']) || begins_value(rest)) {
            line.end = line_end(text, line.end + 1);
        }
        self.done[order] = line.end;
        for matched in compiled.pattern.find_iter(Input::new(text).range(line.clone())) {
            let mut span = matched.range();
            // `${NAME:-value}`: the dash is not the value's.
            span.start += usize::from(text[..span.start].ends_with(':') && text[span.start..].starts_with('-'));
            let Some(value) = text.get(span.clone()).filter(|value| !value.is_empty()) else { continue };
            if stands_alone(&text[line.start..span.start], &text[span.end..line.end])
                && context.is_match(before(text, span.start, false))
                && value.bytes().any(|byte| byte.is_ascii_digit())
                && is_real(compiled, value, &text[span.end..])
            {
                self.found.push(candidate(format, compiled, order, span, text));
            }
        }
    }
}

/// What a text holds of other files, a picture mostly: `data:image/png;base64,..`. Any three letters occur in them.
fn embedded(text: &str) -> Vec<Range<usize>> {
    const MARK: &str = ";base64,";
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let one = |(at, _)| {
        let start = at + MARK.len();
        start..start + text.as_bytes()[start..].iter().take_while(|byte| is_base64(byte)).count()
    };
    text.match_indices(MARK).map(one).collect()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// How far the unbroken run of printing ASCII goes.
fn run_length(bytes: &[u8]) -> usize {
    bytes.iter().take(LONGEST).take_while(|byte| byte.is_ascii_graphic()).count()
}

/// The match of a format that holds the fixed text at `at`.
fn match_at(compiled: &Compiled, text: &str, at: usize) -> Option<Range<usize>> {
    let end = text.len().min(at + LONGEST);
    let span = if compiled.anchored {
        compiled.pattern.search(&Input::new(text).range(at..end).anchored(Anchored::Yes))?.range()
    } else {
        let start = line_start(text, at).max(at.saturating_sub(FURTHEST_BACK));
        let mut from = start;
        loop {
            let span = compiled.pattern.search(&Input::new(text).range(from..end))?.range();
            if span.start > at || span.is_empty() {
                return None;
            }
            if span.end > at {
                break span;
            }
            from = span.end;
        }
    };
    // A class like `[^"]` may end inside a character.
    (!span.is_empty() && text.get(span.clone()).is_some()).then_some(span)
}

/// Whether the text between is a whole literal, or the value of a line `NAME=value`.
fn stands_alone(before: &str, after: &str) -> bool {
    for quote in ['"', '\'', '`'] {
        if before.ends_with(quote) {
            return after.starts_with(quote);
        }
    }
    // `NAME=value`, `NAME: value`, `value: value`
    // `${NAME:-value}`, what holds where nobody sets it
    if let Some(name) = before.strip_suffix(":-") {
        return after.starts_with('}') && name.contains("${");
    }
    let Some(name) = before.strip_suffix('=').or_else(|| before.strip_suffix(": ")) else { return false };
    let named = name.bytes().rev().take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_').count();
    (named >= 3 || name.ends_with("value")) && after.trim().is_empty()
}

/// Whether a text begins with what goes under a name that stood before: `value: ..`, `"value": ".."`.
fn begins_value(text: &str) -> bool {
    let text = text.trim_start_matches([' ', '\t']).trim_start_matches(['"', '\'']);
    let value = text.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("value"));
    value && text[5..].trim_start_matches(['"', '\'', ' ']).starts_with([':', '='])
}

/// Whether a match of the shape is a real one: not made up, not cut short, and all checks pass.
fn is_real(compiled: &Compiled, value: &str, after: &str) -> bool {
    let random = &value[head(compiled, value).len()..];
    let decoded = compiled.checks.iter().any(super::shape::Check::decides);
    if !decoded && !random.is_empty() {
        let cut = ["...", "\u{2026}", "***", "<", "${"].iter().any(|mark| after.starts_with(mark));
        if cut || plausible::is_stand_in(random) {
            return false;
        }
    }
    compiled.checks.iter().all(|check| check.passes(value, random))
}

/// The part of a value that says its type and may be shown.
fn head<'v>(compiled: &Compiled, value: &'v str) -> &'v str {
    let heads = compiled.heads.iter().filter(|head| value.starts_with(head.as_str()));
    &value[..heads.map(String::len).max().unwrap_or(0)]
}

fn candidate<'c>(
    format: &'c Format,
    compiled: &'c Compiled,
    order: usize,
    span: Range<usize>,
    text: &str,
) -> Candidate<'c> {
    let context = before(text, span.start, true).to_ascii_lowercase();
    Candidate {
        named: format.vendor_words.iter().any(|word| context.contains(word.as_str())),
        decided: compiled.context.is_some() || compiled.checks.iter().any(super::shape::Check::decides),
        span,
        format,
        compiled,
        order,
    }
}

/// What stands before a place on its line; with `reach`, at least [`CONTEXT_BEFORE`] bytes of whatever stands there.
/// On a line that says nothing before the place, the line before counts.
fn before(text: &str, at: usize, reach: bool) -> &str {
    let mut start = line_start(text, at);
    let own = &text[start..at];
    if (!own.bytes().any(|byte| byte.is_ascii_alphanumeric()) || begins_value(own)) && start > 0 {
        start = line_start(text, start - 1);
    }
    let start = if reach { start.min(at.saturating_sub(CONTEXT_BEFORE)) } else { start };
    text.get(floor(text, start)..at).unwrap_or_default()
}

/// The start of the line, or of the stretch before `at` that is looked at.
fn line_start(text: &str, at: usize) -> usize {
    let least = at.saturating_sub(CONTEXT);
    let start =
        text.as_bytes()[least..at].iter().rposition(|&byte| byte == b'\n').map_or(least, |found| least + found + 1);
    floor(text, start)
}

/// The end of the line, or of the stretch after `at` that is looked at.
fn line_end(text: &str, at: usize) -> usize {
    let most = text.len().min(at + CONTEXT);
    let end = text.as_bytes()[at..most].iter().position(|&byte| byte == b'\n').map_or(most, |found| at + found);
    floor(text, end)
}

/// The last border between characters at or before a place.
fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// One token for each place: the best of the candidates that overlap.
fn settle(mut found: Vec<Candidate<'_>>, text: &str) -> Vec<Token> {
    found.sort_by(Candidate::rank);
    let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
    let mut tokens = Vec::new();
    for candidate in found {
        let Range { start, end } = candidate.span;
        // Taken spans do not overlap, so the last that starts before this ends is the only one to ask.
        if taken.range(..end).next_back().is_some_and(|(_, &taken_end)| taken_end > start) {
            continue;
        }
        taken.insert(start, end);
        tokens.push(token(&candidate, text));
    }
    tokens.sort_unstable();
    tokens
}

fn token(candidate: &Candidate<'_>, text: &str) -> Token {
    let Candidate { span, format, compiled, .. } = candidate;
    let value = &text[span.clone()];
    let test = format.test_prefix.as_ref().is_some_and(|prefix| value.starts_with(prefix.as_str()));
    Token {
        span: Span { start: span.start as u32, end: span.end as u32 },
        vendor: format.vendor,
        credential: given_name(candidate, text).unwrap_or(format.name),
        kind: match format.kind {
            CredentialKind::Secret if test => TokenKind::TestSecret,
            CredentialKind::Secret => TokenKind::Secret,
            CredentialKind::Publishable => TokenKind::Publishable,
            CredentialKind::ByUse => TokenKind::ByUse,
        },
        test: format.test_prefix.is_some().then_some(test),
        masked: Name::new(&format!("{}\u{2026} ({} characters)", head(compiled, value), value.chars().count())),
        hash: fnv1a(value.as_bytes()),
    }
}

/// The name that a secret of an unknown service is given where it stands.
fn given_name(candidate: &Candidate<'_>, text: &str) -> Option<Name> {
    let context = candidate.compiled.context.as_ref().filter(|_| candidate.format.nameless)?;
    let before = before(text, candidate.span.start, false);
    let at = context.find(before)?.start();
    let is_part = |byte: &u8| is_word(*byte) || *byte == b'-';
    let start = at - before.as_bytes()[..at].iter().rev().take_while(|byte| is_part(byte)).count();
    let length = before.as_bytes()[start..].iter().take_while(|byte| is_part(byte)).count();
    before.get(start..start + length).map(Name::new)
}

/// FNV-1a, 64 bits: the same on every machine and in every version.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
