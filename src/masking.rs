//! The last line of defence: whatever is printed, no secret is printed whole.
//!
//! What the extractor knows to be a credential is masked wherever source text is quoted. Besides, anything that
//! looks like a credential is masked in every text, so that a message, a reason or a neighbouring line cannot leak
//! one. A masked text keeps a short head ("sk_live_") and, in code frames, its length.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::facts::{Facts, TokenKind};

/// Shorter words are no credentials, or are caught by the name they are assigned to.
const SHORTEST: usize = 16;

static WORD: LazyLock<Regex> = LazyLock::new(|| pattern(r"[A-Za-z0-9_\-]{16,}"));
static BASE64: LazyLock<Regex> = LazyLock::new(|| pattern(r"[A-Za-z0-9+/]{32,}={0,2}"));
static CLAIMS: LazyLock<Regex> = LazyLock::new(|| pattern(r"eyJ[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*){0,4}"));
static PASSWORD_IN_URL: LazyLock<Regex> = LazyLock::new(|| pattern(r#"://[^\s/:@'"`]*:([^\s/@'"`$<{%][^\s/@'"`]*)@"#));
static ASSIGNED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?i)(?:secret|passwd|password|token|api_?key|private_?key|credential)[a-z0-9_]*["']?\s*[:=]{1,3}\s*["'`]([^"'`\s]{8,})["'`]"#,
    )
});
static ENV_LINE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?m)^\s*(?:export\s+)?[A-Z0-9_]*(?:SECRET|PASSWORD|TOKEN|KEY|CREDENTIAL)[A-Z0-9_]*[ \t]*=[ \t]*([^\s"'`#$.(\[<]{8,})\s*$"#,
    )
});
/// A line of an environment file whose name says password: any word may be one.
static ENV_PASSWORD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r#"(?i)^\s*(?:export\s+)?[a-z0-9_]*(?:secret|passw|passphrase|pwd)[a-z0-9_]*\s*=\s*["']?([^\s"'#$<]+)"#)
});
static UUID: LazyLock<Regex> =
    LazyLock::new(|| pattern("[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"));
static NAME_PART: LazyLock<Regex> = LazyLock::new(|| pattern("[A-Za-z][a-z]{2,}"));
static HEAD: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(?:[A-Za-z]{2,8}[0-9]{0,2}[_\-]){1,3}"));

fn pattern(text: &'static str) -> Regex {
    Regex::new(text).expect("a constant pattern that the tests compile")
}

/// A text in which whatever looks like a credential is cut to its head.
pub fn mask(text: &str) -> Cow<'_, str> {
    let ranges = suspicious(text);
    if ranges.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for range in ranges {
        out.push_str(&text[at..range.start]);
        out.push_str("********");
        at = range.end;
    }
    out.push_str(&text[at..]);
    Cow::Owned(out)
}

/// The byte ranges of a line of a file that must not be shown. `start` is where the line begins in the file.
pub fn hidden(line: &str, start: usize, facts: Option<&Facts>) -> Vec<Range<usize>> {
    let mut hidden = suspicious(line);
    if facts.is_none()
        && let Some(value) = ENV_PASSWORD.captures(line).and_then(|found| found.get(1))
    {
        hidden.push(value.range());
    }
    let tokens = facts.map_or(&[][..], |facts| &facts.tokens);
    for token in tokens {
        let (from, to) = (token.span.start as usize, token.span.end as usize);
        if to <= start || from >= start + line.len() {
            continue;
        }
        let first = from.saturating_sub(start);
        let here = floor(line, first)..floor(line, (to - start).min(line.len()));
        if token.kind == TokenKind::Publishable {
            hidden.retain(|range| range.end <= here.start || range.start >= here.end);
        } else if from < start {
            hidden.push(here);
        } else {
            hidden.push(here.start + head(&line[here.clone()])..here.end);
        }
    }
    merge(hidden)
}

/// A line of a file with stars in place of what must not be shown, as many as there were characters.
pub fn mask_line(line: &str, start: usize, facts: Option<&Facts>) -> String {
    let hidden = hidden(line, start, facts);
    line.char_indices()
        .map(|(at, char)| if hidden.iter().any(|range| range.contains(&at)) { '*' } else { char })
        .collect()
}

fn suspicious(text: &str) -> Vec<Range<usize>> {
    let mut ranges = vec![];
    let words = WORD.find_iter(text).chain(BASE64.find_iter(text).filter(|word| !reads_like_a_path(word.as_str())));
    for word in words.filter(|word| looks_random(word.as_str())) {
        ranges.push(word.start() + head(word.as_str())..word.end());
    }
    ranges.extend(CLAIMS.find_iter(text).map(|claims| claims.start() + 3..claims.end()));
    for found in PASSWORD_IN_URL.captures_iter(text) {
        ranges.extend(found.get(1).map(|password| password.range()));
    }
    for pattern in [&ASSIGNED, &ENV_LINE] {
        let values = pattern.captures_iter(text).filter_map(|found| found.get(1));
        for value in values.filter(|value| mixes_digits(value.as_str()) && !value.as_str().contains("://")) {
            // Of a password not even the beginning is shown; a key's prefix says what it is.
            let shown = if looks_random(value.as_str()) { head(value.as_str()) } else { 0 };
            ranges.push(value.start() + shown..value.end());
        }
    }
    merge(ranges)
}

/// How many bytes of a credential may be shown: a prefix made of words, else at most a quarter and four letters.
fn head(credential: &str) -> usize {
    let prefix = HEAD.find(credential).map_or(0, |prefix| prefix.end());
    if prefix > 0 && prefix <= 14 && credential.len() >= prefix + 8 {
        return prefix;
    }
    floor(credential, (credential.len() / 4).min(4))
}

/// Whether a word looks drawn by lot: it turns from lower to upper case and between letters and digits more often
/// than a name or a path does, and does not fall into capitalised words. Ids of the common 8-4-4-4-12 form are no
/// secrets by their look; those that are have been recognised by where they stand.
fn looks_random(word: &str) -> bool {
    let word = &*UUID.replace_all(word, "");
    let (mut letters, mut digits, mut turns) = (0, 0, 0);
    let mut before = b'-';
    for byte in word.bytes() {
        letters += usize::from(byte.is_ascii_alphabetic());
        digits += usize::from(byte.is_ascii_digit());
        let rises = before.is_ascii_lowercase() && byte.is_ascii_uppercase();
        let mixes = (before.is_ascii_digit() && byte.is_ascii_alphabetic())
            || (before.is_ascii_alphabetic() && byte.is_ascii_digit());
        turns += usize::from(rises || mixes);
        before = byte;
    }
    let enough = digits >= 1 && letters >= 2 && letters + digits >= SHORTEST;
    enough && turns * 5 >= letters + digits && !(mixes_case(word) && in_words(word) * 5 >= (letters + digits) * 3)
}

/// A run of path segments rather than base64, which has slashes too.
fn reads_like_a_path(word: &str) -> bool {
    word.contains('/') && (!mixes_case(word) || in_words(word) * 5 >= word.len() * 2)
}

/// How many letters belong to words as names are made of: three letters or more, only the first of them a capital.
fn in_words(text: &str) -> usize {
    NAME_PART.find_iter(text).map(|part| part.len()).sum()
}

fn mixes_case(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_uppercase()) && text.bytes().any(|byte| byte.is_ascii_lowercase())
}

fn mixes_digits(value: &str) -> bool {
    value.bytes().any(|byte| byte.is_ascii_digit()) && value.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

fn merge(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.retain(|range| range.start < range.end);
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = vec![];
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_cut_to_their_head() {
        let key = ["sk", "_live_", "51HqLyjWDarjtT1zdp7dcXyZ"].concat();
        assert_eq!(mask(&format!("got {key}!")), "got sk_live_********!");
        let word = ["AK", "IAIOSFODNN7EXAMP1E"].concat();
        assert!(!mask(&word).contains(&word[8..]));
        let claims = ["eyJhbGciOiJIUzI1NiJ9", ".eyJyb2xlIjoic2VydmljZSJ9", ".c2lnbmF0dXJl"].concat();
        assert_eq!(mask(&claims), "eyJ********");
        assert_eq!(mask("postgres://app:hunter2@db.example.com/x"), "postgres://app:********@db.example.com/x");
        assert_eq!(mask("const password = \"correct4horse\""), "const password = \"********\"");
        assert_eq!(mask("DB_PASSWORD=correct4horse"), "DB_PASSWORD=********");
    }

    #[test]
    fn code_is_left_alone() {
        for text in [
            "await supabase.functions.invoke('create-checkout-session-v2')",
            "handleStripeWebhookSubscriptionUpdatedEvent2",
            "src/pages/api/v1/webhooks/payment_intent_succeeded.ts:12:3",
            "supabase/migrations/20250115120000_add_profiles_table.sql",
            "postgres://user:${PASSWORD}@host/db",
            "const apiKey = process.env.PAYMENTS_SECRET_KEY_2",
            "2025-01-15T12:00:00Z",
            "const keyBuffer = stringToUint8Array(getBase64FromDataUrl(useStaffProfilesV3))",
            "S3_SECRET_ACCESS_KEY=\nS3_PUBLIC_URL=\n",
            "captured2dSessionId Day18BuildYourMVP sentLast24hBeforeRun",
            "supabase/migrations/20260408203205_2c7ea4c6-d4d7-4a98-904d-7e85a69e88df.sql",
            "tokenUrl: 'https://graph.example/v18.0/oauth/access_token'",
        ] {
            assert_eq!(mask(text), text);
        }
    }

    #[test]
    fn a_line_keeps_its_length() {
        let key = ["whsec", "_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"].concat();
        let line = format!("const s = '{key}'; // é");
        let masked = mask_line(&line, 0, None);
        assert_eq!(masked.chars().count(), line.chars().count());
        assert!(masked.starts_with("const s = 'whsec_****") && masked.ends_with("*'; // é"));
    }

    #[test]
    fn what_is_drawn_by_lot_looks_it() {
        let alphabets: [&[u8]; 4] = [
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
            b"0123456789abcdef",
            b"abcdefghijklmnopqrstuvwxyz0123456789",
        ];
        let mut state = 7_u64;
        let mut draw = move |from: &[u8]| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(from[(state >> 33) as usize % from.len()])
        };
        for alphabet in alphabets {
            for length in [24, 32, 40] {
                let words = (0..1000).map(|_| (0..length).map(|_| draw(alphabet)).collect::<String>());
                let caught = words.filter(|word| mask(&format!("x(\"{word}\")")).contains("********")).count();
                assert!(caught >= 930, "{caught} of 1000 at {length}: {}", String::from_utf8_lossy(alphabet));
            }
        }
    }
}
