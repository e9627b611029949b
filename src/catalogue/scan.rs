//! What credentials are looked for by, and the automata that find it.
//!
//! Each format holds something fixed: its prefix, or a text of its pattern. A format without any (32 hex digits)
//! is looked for by what its context must say. Patterns are compiled when what they are looked for by occurs.

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Anchored, Input, MatchKind, StartKind};
use regex_automata::meta;
use regex_automata::util::syntax;

use super::shape::{Check, Shape};
use super::{Credential, CredentialKind, Vendor};
use crate::names::Name;

/// What a format is looked for by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Anchors {
    /// Texts of the value, as written.
    Value(Vec<String>),
    /// Words of the context, in any case.
    Context(Vec<String>),
}

/// What a format is looked for by; none when nothing of it is fixed.
pub(super) fn anchors(credential: &Credential) -> Option<Anchors> {
    if let Some(prefix) = &credential.prefix {
        return Some(Anchors::Value(vec![prefix.clone()]));
    }
    let fixed = |pattern: &str| Shape::parse(pattern).ok()?.fixed_texts();
    let value = fixed(&credential.pattern).map(Anchors::Value);
    value.or_else(|| fixed(credential.context.as_ref()?).map(Anchors::Context))
}

/// A credential format ready to be looked for.
#[derive(Debug)]
pub(super) struct Format {
    /// The vendor's id.
    pub(super) vendor: Name,
    /// The credential's name.
    pub(super) name: Name,
    pub(super) kind: CredentialKind,
    /// It is looked for by its context.
    pub(super) by_context: bool,
    /// It is told by the name that the value has: any other format says more.
    pub(super) nameless: bool,
    pub(super) test_prefix: Option<String>,
    /// Words that name the vendor, in small letters.
    pub(super) vendor_words: Vec<String>,
    /// No match starts inside a word: it is `\b` and then the prefix.
    pub(super) starts_a_word: bool,
    anchor: Option<String>,
    pattern: String,
    context: Option<String>,
    checks: Vec<String>,
    compiled: OnceLock<Option<Compiled>>,
}

/// A format's regular expressions and what is derived from them.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) pattern: meta::Regex,
    pub(super) context: Option<meta::Regex>,
    /// Fixed texts that matches start with: what may be shown of them.
    pub(super) heads: Vec<String>,
    /// Matches start where the prefix stands.
    pub(super) anchored: bool,
    /// The fewer, the more specific.
    pub(super) bits: f64,
    pub(super) checks: Vec<Check>,
}

impl Format {
    fn new(vendor: &Vendor, credential: &Credential, by_context: bool) -> Self {
        let mut words = vec![vendor.id.to_ascii_lowercase()];
        words.extend(vendor.name.split_whitespace().next().map(str::to_ascii_lowercase).filter(|word| word.len() > 3));
        Self {
            vendor: Name::new(&vendor.id),
            name: Name::new(&credential.name),
            kind: credential.kind,
            by_context,
            nameless: vendor.nameless,
            test_prefix: credential.test_prefix.clone(),
            vendor_words: words,
            starts_a_word: credential.prefix.as_ref().is_some_and(|prefix| starts_a_word(&credential.pattern, prefix)),
            anchor: credential.prefix.clone(),
            pattern: credential.pattern.clone(),
            context: credential.context.clone(),
            checks: credential.checks.clone(),
            compiled: OnceLock::new(),
        }
    }

    /// The compiled form; none when the pattern is broken (reported when the file was checked).
    pub(super) fn compiled(&self) -> Option<&Compiled> {
        self.compiled.get_or_init(|| self.compile()).as_ref()
    }

    fn compile(&self) -> Option<Compiled> {
        let shape = Shape::parse(&self.pattern).ok()?;
        let heads = shape.heads();
        let at_head = |anchor: &String| !heads.is_empty() && heads.iter().all(|head| head.starts_with(anchor.as_str()));
        Some(Compiled {
            pattern: regex(&self.pattern, false)?,
            context: match &self.context {
                Some(context) => Some(regex(context, true)?),
                None => None,
            },
            anchored: self.anchor.as_ref().is_some_and(at_head),
            heads,
            bits: shape.bits(),
            checks: self.checks.iter().map(|text| Check::parse(text).ok()).collect::<Option<_>>()?,
        })
    }
}

/// Whether a pattern is `\b` and then the prefix, so that no match starts where the prefix stands inside a word.
fn starts_a_word(pattern: &str, prefix: &str) -> bool {
    pattern.strip_prefix(r"\b").is_some_and(|rest| rest.starts_with(prefix))
}

fn regex(pattern: &str, any_case: bool) -> Option<meta::Regex> {
    let syntax = syntax::Config::new().unicode(false).utf8(false).case_insensitive(any_case);
    let config = meta::Config::new().utf8_empty(false).nfa_size_limit(Some(4 << 20));
    meta::Regex::builder().syntax(syntax).configure(config).build(pattern).ok()
}

/// All formats, and an automaton over the texts that they are looked for by.
#[derive(Debug)]
pub(super) struct Scanner {
    pub(super) formats: Vec<Format>,
    /// The texts, asked where one may start; none when there is nothing to look for. It knows no case: one pass
    /// serves values and contexts.
    automaton: Option<AhoCorasick>,
    starts: Starts,
    /// The formats that each text leads to.
    leads_to: Vec<Vec<usize>>,
}

impl Scanner {
    pub(super) fn new(vendors: &[Vendor]) -> Self {
        let mut formats = Vec::new();
        let mut texts: Vec<(String, usize)> = Vec::new();
        for vendor in vendors {
            for credential in &vendor.credentials {
                let Some(anchors) = anchors(credential) else { continue };
                let by_context = matches!(anchors, Anchors::Context(_));
                let (Anchors::Value(words) | Anchors::Context(words)) = anchors;
                texts.extend(words.into_iter().map(|word| (word.to_ascii_lowercase(), formats.len())));
                formats.push(Format::new(vendor, credential, by_context));
            }
        }
        texts.sort();
        texts.dedup();
        // A text that starts with another one is found where that one is.
        let mut kept: Vec<String> = Vec::new();
        let mut leads_to: Vec<Vec<usize>> = Vec::new();
        for (text, format) in texts {
            if !kept.last().is_some_and(|last| text.starts_with(last.as_str())) {
                kept.push(text);
                leads_to.push(Vec::new());
            }
            if let Some(formats) = leads_to.last_mut()
                && !formats.contains(&format)
            {
                formats.push(format);
            }
        }
        let mut builder = AhoCorasick::builder();
        builder.match_kind(MatchKind::LeftmostFirst).start_kind(StartKind::Anchored);
        builder.ascii_case_insensitive(true).kind(Some(AhoCorasickKind::DFA));
        let automaton = if kept.is_empty() { None } else { builder.build(&kept).ok() };
        Self { formats, automaton, starts: Starts::new(&kept), leads_to }
    }

    /// Every place where one of the texts stands, also inside another, with the formats it leads to.
    pub(super) fn hits<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (usize, &'a [usize])> + 'a {
        let automaton = self.automaton.as_ref();
        automaton.into_iter().flat_map(move |automaton| {
            self.starts.places(text.as_bytes()).filter_map(move |at| {
                let here = Input::new(text).range(at..).anchored(Anchored::Yes);
                let hit = automaton.find(here)?;
                Some((at, self.leads_to[hit.pattern().as_usize()].as_slice()))
            })
        })
    }
}

/// Where one of the texts may start, by the first four characters: a set of what these hash to. Source code is
/// long and texts are rare in it; this costs a fraction of what an automaton costs at every byte.
#[derive(Debug)]
struct Starts {
    /// A bit for each hash.
    set: Vec<u64>,
}

impl Starts {
    const HASH_BITS: u32 = 16;
    /// The low bits of a byte, which do not tell small letters from capitals.
    const LOW: u8 = 0x1f;

    fn new(texts: &[String]) -> Self {
        let mut starts = Self { set: vec![0; (1 << Self::HASH_BITS) / 64] };
        for text in texts {
            starts.add(text.as_bytes());
        }
        starts
    }

    /// A text of less than four characters may go on with anything.
    fn add(&mut self, text: &[u8]) {
        match text {
            &[a, b, c, d, ..] => {
                let hash = Self::hash([a, b, c, d]);
                self.set[hash / 64] |= 1 << (hash % 64);
            }
            short => (0..=Self::LOW).for_each(|next| self.add(&[short, &[next]].concat())),
        }
    }

    fn hash(head: [u8; 4]) -> usize {
        Self::slot(u32::from_le_bytes(head) & u32::from_le_bytes([Self::LOW; 4]))
    }

    /// The bit of four characters, their low bits side by side, the first one lowest.
    fn slot(low: u32) -> usize {
        (low.wrapping_mul(0x9e37_79b1) >> (32 - Self::HASH_BITS)) as usize
    }

    /// One character after the other moves in at the top; past the end of the text, zeros do.
    fn places<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
        let (mut low, mut read) = (0, 0);
        std::iter::from_fn(move || {
            while read < text.len() + 3 {
                let next = text.get(read).map_or(0, |byte| u32::from(byte & Self::LOW));
                low = low >> 8 | next << 24;
                read += 1;
                let slot = Self::slot(low);
                if self.set[slot / 64] >> (slot % 64) & 1 == 1 && read > 3 {
                    return Some(read - 4);
                }
            }
            None
        })
    }
}
