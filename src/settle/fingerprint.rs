//! What makes a finding the same finding tomorrow.
//!
//! A fingerprint is a hash of the rule, the path, the subject, the first line of the place with its blanks squeezed
//! and secrets masked, the name of the function around it, and a number that tells equal ones apart in the order they
//! stand. It survives edits above and below, reformatting of the line, and renames of what stands nearby; it changes
//! when the line itself says something else. It is FNV-1a over 128 bits: a name, not a proof, so no cryptography.

use rustc_hash::FxHashMap;

use crate::finding::Finding;
use crate::masking;
use crate::texts::Texts;

/// The fingerprints of sorted findings, in their order.
pub fn all(findings: &[Finding], texts: &Texts<'_>) -> Vec<String> {
    let mut seen: FxHashMap<u128, u64> = FxHashMap::default();
    let fingerprint = |finding| {
        let base = base(finding, texts);
        let ordinal = seen.entry(base).or_default();
        let hash = Hash(base).bytes(&ordinal.to_le_bytes());
        *ordinal += 1;
        format!("{:032x}", hash.0)
    };
    findings.iter().map(fingerprint).collect()
}

fn base(finding: &Finding, texts: &Texts<'_>) -> u128 {
    let place = finding.place;
    let facts = texts.facts(place.file);
    let line = texts.of(place.file).map_or_else(String::new, |text| {
        let number = text.line_of(place.span.start);
        let start = text.line_start(number).unwrap_or(0);
        masking::mask_line(text.line(number), start, facts)
    });
    let function = facts.and_then(|facts| {
        let around =
            facts.functions.iter().filter(|function| function.name.is_some() && function.span.contains(place.span));
        around.min_by_key(|function| function.span.end - function.span.start).and_then(|function| function.name)
    });
    Hash::default()
        .text(finding.rule)
        .text(texts.path(place.file))
        .text(&masking::mask(&finding.subject))
        .text(&squeeze(&line))
        .text(function.as_deref().unwrap_or(""))
        .0
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
