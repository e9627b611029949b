//! What a credential's format says by itself: its fixed parts, how specific it is, and the checks beside it.

use std::ops::Range;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::literal::{ExtractKind, Extractor};
use regex_syntax::hir::{Class, Hir, HirKind};

use super::{jwt, plausible};

/// A parsed format. Its classes mean ASCII: no credential holds anything else.
pub(super) struct Shape {
    hir: Hir,
}

/// Why a pattern is none.
pub(super) struct ShapeError {
    pub(super) message: String,
    /// The part of the pattern that is wrong.
    pub(super) part: Option<Range<usize>>,
}

impl Shape {
    pub(super) fn parse(pattern: &str) -> Result<Self, ShapeError> {
        // The same syntax as the engine is built with.
        let parsed = ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern);
        parsed.map(|hir| Self { hir }).map_err(|error| {
            let (message, span) = match &error {
                regex_syntax::Error::Parse(error) => (error.kind().to_string(), Some(*error.span())),
                regex_syntax::Error::Translate(error) => (error.kind().to_string(), Some(*error.span())),
                _ => (error.to_string(), None),
            };
            ShapeError { message, part: span.map(|span| span.start.offset..span.end.offset) }
        })
    }

    /// The fixed texts that matches start with, `sk_live_` and `sk_test_`; none when it starts with anything else.
    pub(super) fn heads(&self) -> Vec<String> {
        self.literals(ExtractKind::Prefix)
    }

    /// Fixed texts of which every match holds one, of at least three bytes each.
    pub(super) fn fixed_texts(&self) -> Option<Vec<String>> {
        let long = |texts: &Vec<String>| !texts.is_empty() && texts.iter().all(|text| text.len() >= 3);
        let both = [ExtractKind::Prefix, ExtractKind::Suffix].map(|kind| Some(self.literals(kind)).filter(long));
        let [head, tail] = both;
        head.or(tail).or_else(|| {
            let mut inner = Vec::new();
            inner_literals(&self.hir, &mut inner);
            inner.into_iter().max_by_key(String::len).map(|text| vec![text]).filter(long)
        })
    }

    fn literals(&self, kind: ExtractKind) -> Vec<String> {
        let mut extractor = Extractor::new();
        // No class is spelled out: what varies is no part of the type.
        extractor.kind(kind).limit_class(1).limit_total(64);
        let found = extractor.extract(&self.hir);
        let texts = found.literals().unwrap_or_default().iter();
        let texts: Option<Vec<String>> = texts.map(|text| String::from_utf8(text.as_bytes().to_vec()).ok()).collect();
        texts.unwrap_or_default()
    }

    /// About how many texts have this format, as a power of two: the fewer, the more a match says.
    pub(super) fn bits(&self) -> f64 {
        bits(&self.hir)
    }
}

/// Fixed texts that every match holds somewhere.
fn inner_literals(hir: &Hir, found: &mut Vec<String>) {
    match hir.kind() {
        HirKind::Literal(text) => found.extend(String::from_utf8(text.0.to_vec()).ok()),
        HirKind::Concat(parts) => parts.iter().for_each(|part| inner_literals(part, found)),
        HirKind::Capture(capture) => inner_literals(&capture.sub, found),
        HirKind::Repetition(repeated) if repeated.min > 0 => inner_literals(&repeated.sub, found),
        _ => {}
    }
}

fn bits(hir: &Hir) -> f64 {
    /// What `{20,}` counts as beyond its least.
    const UNBOUNDED: u32 = 512;
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) => 0.0,
        HirKind::Class(Class::Bytes(class)) => {
            class.iter().map(|range| f64::from(range.end()) - f64::from(range.start()) + 1.0).sum::<f64>().log2()
        }
        HirKind::Class(Class::Unicode(class)) => {
            let size = |start: char, end: char| f64::from(u32::from(end)) - f64::from(u32::from(start)) + 1.0;
            class.iter().map(|range| size(range.start(), range.end())).sum::<f64>().log2()
        }
        HirKind::Repetition(repeated) => {
            let most = repeated.max.unwrap_or(repeated.min.saturating_add(UNBOUNDED));
            bits(&repeated.sub) * f64::from(most) + f64::from(most.saturating_sub(repeated.min) + 1).log2()
        }
        HirKind::Capture(capture) => bits(&capture.sub),
        HirKind::Concat(parts) => parts.iter().map(bits).sum(),
        HirKind::Alternation(parts) => parts.iter().map(bits).fold(0.0, f64::max) + (parts.len().max(1) as f64).log2(),
    }
}

/// What a match must pass besides its shape.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Check {
    /// It is a JWT whose claim has this value, or has not.
    Claim { claim: String, value: String, wanted: bool },
    /// Its random part has this many bits a character.
    Entropy(f64),
    /// Its characters come in no order that people write: letters and digits change all the time.
    Drawn,
    /// Its last six characters are the CRC-32 of those between the last `_` and them, in base 62.
    Crc32,
    /// It is a URL with a password that nobody made up, to a host that others reach.
    UrlPassword,
    /// Always on anyway.
    Plausible,
}

impl Check {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once(':').unwrap_or((text, ""));
        match name {
            "jwt" | "jwt-not" => match value.split_once('=') {
                Some((claim, value)) if !claim.is_empty() && !value.is_empty() => {
                    Ok(Self::Claim { claim: claim.to_owned(), value: value.to_owned(), wanted: name == "jwt" })
                }
                _ => Err(format!("`{text}` names no claim and value")),
            },
            "entropy" => match value.parse::<f64>() {
                Ok(bits) if bits > 0.0 && bits < 8.0 => Ok(Self::Entropy(bits)),
                _ => Err(format!("`{value}` is no number of bits a character can have")),
            },
            "drawn" => Ok(Self::Drawn),
            "crc32-base62" => Ok(Self::Crc32),
            "url-password" => Ok(Self::UrlPassword),
            "not-all-one-letter" => Ok(Self::Plausible),
            _ => Err(format!("there is no check `{name}`")),
        }
    }

    /// Whether it looks into the value: a match that passes is surely of this format.
    pub(super) fn decides(&self) -> bool {
        matches!(self, Self::Claim { .. } | Self::Crc32 | Self::UrlPassword)
    }

    /// Whether a value passes; `random` is the value without its type's prefix.
    pub(super) fn passes(&self, value: &str, random: &str) -> bool {
        match self {
            Self::Claim { claim, value: expected, wanted } => jwt::claims(value)
                .is_some_and(|claims| (jwt::claim(&claims, claim).as_ref() == Some(expected)) == *wanted),
            Self::Entropy(bits) => plausible::entropy(random) >= *bits,
            Self::Drawn => plausible::is_drawn(random),
            Self::Crc32 => crc32_fits(value),
            Self::UrlPassword => url_password_is_real(value),
            Self::Plausible => true,
        }
    }
}

/// Whether a URL's password looks like one that is in use: no word that stands in for it, no part left to fill in,
/// and a host that is not this machine or a container beside it.
fn url_password_is_real(url: &str) -> bool {
    const WORDS: &[&str] = &[
        "password", "passw0rd", "pass", "secret", "postgres", "root", "admin", "user", "mysql", "redis", "mongo",
        "test", "dev", "local", "1234", "pwd", "abc",
    ];
    let Some((_, rest)) = url.split_once("://") else { return false };
    let (Some((login, host)), host_end) = (rest.rsplit_once('@'), |c: char| matches!(c, '/' | '?' | ':')) else {
        return false;
    };
    let password = login.split_once(':').map_or("", |(_, password)| password);
    let host = host.split(host_end).next().unwrap_or("").to_ascii_lowercase();
    let lower = password.to_ascii_lowercase();
    let letters: String = lower.chars().filter(char::is_ascii_alphabetic).collect();
    // `NEW_PASSWORD`: a name in capitals for what goes there.
    let capitals = password.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    let names_itself = capitals && lower.contains("pass");
    let filled = password.len() >= 6
        && !password.contains(['$', '{', '}', '[', ']', '%', '*', '(', '#'])
        && !WORDS.iter().any(|word| letters == *word || lower == *word)
        && !names_itself
        && !plausible::stands_in(&lower)
        && !plausible::counts_in_runs(&lower);
    let reached = host.contains('.')
        && !host.starts_with("127.")
        && !["0.0.0.0", "localhost.localdomain", "host.docker.internal"].contains(&host.as_str())
        && ![".local", ".internal", ".example", ".invalid", ".localhost"].iter().any(|end| host.ends_with(end))
        && !["example.", "your", "hostname", "host."].iter().any(|word| host.starts_with(word))
        && !host.contains("example.");
    filled && reached
}

fn crc32_fits(value: &str) -> bool {
    let body = value.rsplit('_').next().unwrap_or(value);
    let Some((body, sum)) = body.len().checked_sub(6).and_then(|at| body.split_at_checked(at)) else { return false };
    let mut number = crc32(body.as_bytes());
    sum.bytes().rev().all(|digit| {
        let expected = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[(number % 62) as usize];
        number /= 62;
        digit == expected
    })
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum: u32, _| (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg()))
    })
}
