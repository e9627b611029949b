//! What makes a finding the same finding tomorrow.
//!
//! A fingerprint is a hash of the rule, the path, the subject, the first line of the place with its blanks squeezed
//! and secrets masked, the name of the function around it, and a number that tells equal ones apart in the order they
//! stand. It survives edits above and below, reformatting of the line, and renames of what stands nearby; it changes
//! when the line itself says something else. It is FNV-1a over 128 bits: a name, not a proof, so no cryptography.
//!
//! Baselines want more: that a formatter may break the line, and that the function may be renamed. They go by
//! [`Address`].

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::masking;
use crate::texts::Texts;

/// How much of the code at a place counts, in characters that are left of it: what follows says little of which call
/// it is and is edited often.
const CODE: usize = 120;

/// What a finding is known by in a baseline.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Address {
    /// Where it is.
    pub path: String,
    /// Which rule found it.
    pub rule: String,
    /// The subject, secrets masked.
    pub about: String,
    /// A hash of the subject and the code at the place, without what formatters change.
    pub code: String,
    /// A hash of the name of the function around it.
    pub around: String,
    /// Short hashes of the words that `code` counts, sorted: what is added to a call leaves them where they are.
    pub words: Vec<u16>,
    /// The same of all words at the place. A baseline does not hold them.
    pub all_words: Vec<u16>,
}

/// The address of a finding.
pub fn address(finding: &Finding, texts: &Texts<'_>) -> Address {
    let about = masking::mask(&finding.subject).into_owned();
    let written = code(finding, texts);
    let code = Hash::default().text(&about).text(&unformatted(&written));
    let around = Hash::default().text(&function(finding, texts));
    Address {
        path: texts.path(finding.place.file).to_owned(),
        rule: finding.rule.to_owned(),
        code: short(&code),
        around: short(&around),
        words: words(&written, CODE),
        all_words: words(&written, usize::MAX),
        about,
    }
}

fn short(hash: &Hash) -> String {
    format!("{:016x}", (hash.0 >> 64) as u64 ^ hash.0 as u64)
}

/// The code at the place, secrets masked, as many lines as may count.
fn code(finding: &Finding, texts: &Texts<'_>) -> String {
    let place = finding.place;
    let facts = texts.facts(place.file);
    let Some(text) = texts.of(place.file) else { return String::new() };
    let (first, last) = (text.line_of(place.span.start), text.line_of(place.span.end));
    let mut code = String::new();
    for line in first..=last.min(first + CODE as u32) {
        let start = text.line_start(line).unwrap_or(0);
        let masked = masking::mask_line(text.line(line), start, facts);
        // As many characters as before: the place's own columns hold.
        let from = text.clamp(place.span.start).saturating_sub(start);
        let until = text.clamp(place.span.end).saturating_sub(start);
        let bytes = text.line(line).char_indices().zip(masked.chars());
        code.extend(bytes.filter(|((at, _), _)| (from..until).contains(at)).map(|(_, char)| char));
        code.push('\n');
    }
    code
}

/// Short hashes of the words in code, sorted, each once: of those that begin within so many characters that count.
fn words(code: &str, most: usize) -> Vec<u16> {
    let (mut counted, mut words) = (0, vec![]);
    for word in code.split(|char: char| !char.is_alphanumeric() && char != '_') {
        if counted < most && !word.is_empty() {
            let hash = Hash::default().text(word).0;
            words.push((hash >> 64) as u16 ^ hash as u16);
        }
        // Of what stands between two words something mostly counts, too.
        counted += word.chars().count() + 1;
    }
    words.sort_unstable();
    words.dedup();
    words
}

/// Code without what formatters add, drop and change: blanks, brackets, commas, semicolons, the kind of quotes.
fn unformatted(code: &str) -> String {
    let kept = squeeze(code);
    let kept = kept.chars().filter(|char| !matches!(char, ';' | ',' | '(' | ')' | '\\'));
    kept.map(|char| if matches!(char, '\'' | '`') { '"' } else { char }).take(CODE).collect()
}

/// The fingerprints of sorted findings, in their order.
pub fn all(findings: &[Finding], texts: &Texts<'_>) -> Vec<String> {
    let mut seen: FxHashMap<u128, u64> = FxHashMap::default();
    let bases: Vec<u128> = findings.par_iter().map(|finding| base(finding, texts)).collect();
    let fingerprint = |base| {
        let ordinal = seen.entry(base).or_default();
        let hash = Hash(base).bytes(&ordinal.to_le_bytes());
        *ordinal += 1;
        format!("{:032x}", hash.0)
    };
    bases.into_iter().map(fingerprint).collect()
}

fn base(finding: &Finding, texts: &Texts<'_>) -> u128 {
    let place = finding.place;
    let facts = texts.facts(place.file);
    let line = texts.of(place.file).map_or_else(String::new, |text| {
        let number = text.line_of(place.span.start);
        let start = text.line_start(number).unwrap_or(0);
        masking::mask_line(text.line(number), start, facts)
    });
    Hash::default()
        .text(finding.rule)
        .text(texts.path(place.file))
        .text(&masking::mask(&finding.subject))
        .text(&squeeze(&line))
        .text(&function(finding, texts))
        .0
}

/// The name of the function around a finding; empty when there is none.
fn function(finding: &Finding, texts: &Texts<'_>) -> String {
    let place = finding.place;
    let function = texts.facts(place.file).and_then(|facts| {
        let around =
            facts.functions.iter().filter(|function| function.name.is_some() && function.span.contains(place.span));
        around.min_by_key(|function| function.span.end - function.span.start).and_then(|function| function.name)
    });
    function.as_deref().unwrap_or("").to_owned()
}

/// Blanks dropped, and runs of stars made one, so that neither layout nor the length of a secret counts.
fn squeeze(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for char in line.chars().filter(|char| !char.is_whitespace()) {
        if !(char == '*' && out.ends_with('*')) {
            out.push(char);
        }
    }
    out
}

struct Hash(u128);

impl Default for Hash {
    fn default() -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }
}

impl Hash {
    fn bytes(mut self, bytes: &[u8]) -> Self {
        for &byte in bytes {
            self.0 = (self.0 ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
        self
    }

    /// The length goes first, so that two texts never run into each other.
    fn text(self, text: &str) -> Self {
        self.bytes(&(text.len() as u64).to_le_bytes()).bytes(text.as_bytes())
    }
}
