//! Whether a text of a credential's format can be a real one, or stands in for one: `xxxx`, `your-key-here`.

/// Words that stand in for a value. Only whole-lower or whole-upper ones count: chance writes them mixed.
const STAND_INS: [&str; 24] = [
    "your",
    "example",
    "placeholder",
    "changeme",
    "change_me",
    "change-me",
    "replace",
    "insert",
    "dummy",
    "sample",
    "xxxx",
    "redacted",
    "fake",
    "todo",
    "secret_key",
    "secretkey",
    "apikey",
    "api_key",
    "api-key",
    "goes_here",
    "goeshere",
    "notreal",
    "not_real",
    "testtest",
];

/// Whether a text in small letters holds a word that stands in for a value.
pub(super) fn stands_in(lower: &str) -> bool {
    STAND_INS.iter().any(|word| lower.contains(word))
}

/// Whether the random part of a credential was made up.
pub(super) fn is_stand_in(random: &str) -> bool {
    // In a long text chance writes short words.
    if random.len() < 200
        && STAND_INS.iter().any(|word| random.contains(word) || random.contains(&word.to_ascii_uppercase()))
    {
        return true;
    }
    let letters = random.bytes().filter(u8::is_ascii_alphabetic).count();
    if random.len() < 10 || letters + random.bytes().filter(u8::is_ascii_digit).count() < 10 {
        // Too short to judge.
        return longest_run(random, |a, b| a == b) >= 4;
    }
    // Words with no digit and of one case, joined by `_` or `-`: an identifier, not a key.
    let lower = random.bytes().any(|b| b.is_ascii_lowercase());
    let upper = random.bytes().any(|b| b.is_ascii_uppercase());
    if random.bytes().all(|b| !b.is_ascii_digit()) && lower != upper {
        return true;
    }
    // Bytes of nothing stand in the head of a key that a program wrote: in base64 they are a row of `A`.
    let long = random.len() >= 200;
    longest_run(random, |a, b| a == b && !(long && a == b'A')) >= 6
        || longest_run(random, |a, b| b == a.wrapping_add(1)) >= 6
        || longest_run(random, |a, b| a == b.wrapping_add(1)) >= 6
        || counts_in_turns(random)
        || counts_in_runs(random)
        || entropy(random) < least_entropy(random)
}

/// Whether a text was drawn at random rather than written by somebody: in base 62 its neighbours differ in kind (small,
/// capital, digit) three times in five, in words hardly ever; what changes each time was typed in turn.
pub(super) fn is_drawn(text: &str) -> bool {
    let kinds: Vec<u8> = text
        .bytes()
        .filter_map(|byte| match byte {
            b'a'..=b'z' => Some(0),
            b'A'..=b'Z' => Some(1),
            b'0'..=b'9' => Some(2),
            _ => None,
        })
        .collect();
    let count = |kind: u8| kinds.iter().filter(|&&other| other == kind).count();
    let (small, capital, digits) = (count(0), count(1), count(2));
    let changes = kinds.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let numbers = kinds.windows(2).filter(|pair| pair[0] != 2 && pair[1] == 2).count();
    if kinds.len() < 20 || digits < 2 || small + capital < 4 || numbers < 2 {
        return false;
    }
    let share = changes as f64 / (kinds.len() - 1) as f64;
    // Of one case the letters of a word do not differ in kind: more of the changes are with digits.
    let least = if small > 2 && capital > 2 { 0.45 } else { 0.25 };
    share >= least && share < 0.85
}

/// Bits a character that a random text of this length and alphabet is hardly ever below.
fn least_entropy(random: &str) -> f64 {
    let decimal = random.bytes().all(|b| !b.is_ascii_alphabetic());
    let length = random.len().min(32) as f64;
    // Of hexadecimal 32 have 3.6 on average, of letters and digits 4.5; half of that is no accident.
    let share = if decimal { 0.35 } else { 0.5 };
    length.log2() * share
}

/// The length of the longest stretch whose neighbours are in a relation, at least 1.
fn longest_run(text: &str, follows: impl Fn(u8, u8) -> bool) -> usize {
    let (mut longest, mut current) = (1, 1);
    for pair in text.as_bytes().windows(2) {
        current = if follows(pair[0], pair[1]) { current + 1 } else { 1 };
        longest = longest.max(current);
    }
    longest
}

/// Whether letters and digits are counted in turns: `a1b2c3d4`.
fn counts_in_turns(text: &str) -> bool {
    let turns = text.as_bytes().windows(3).map(|three| {
        three[0].is_ascii_alphabetic() != three[1].is_ascii_alphabetic() && three[2] == three[0].wrapping_add(1)
    });
    let (mut longest, mut current) = (0, 0);
    for turn in turns {
        current = if turn { current + 1 } else { 0 };
        longest = longest.max(current);
    }
    longest >= 5
}

/// Whether a text is counted from end to end in runs of three and more: `abc123def456`.
pub(super) fn counts_in_runs(text: &str) -> bool {
    let bytes: Vec<u8> = text.bytes().filter(u8::is_ascii_alphanumeric).collect();
    let runs = bytes.chunk_by(|first, second| *second == first.wrapping_add(1));
    let counted: usize = runs.map(<[u8]>::len).filter(|&length| length >= 3).sum();
    // From nine on it begins anew, and the length that is asked for may cut a run short.
    counted >= 6 && counted * 6 >= bytes.len() * 5
}

/// Shannon's entropy of a text's bytes, in bits a byte.
pub(super) fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text.bytes() {
        counts[byte as usize] += 1;
    }
    let length = text.len() as f64;
    let share = |count: u32| f64::from(count) / length;
    counts.iter().filter(|&&count| count > 0).map(|&count| -share(count) * share(count).log2()).sum()
}
