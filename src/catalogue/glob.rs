//! Texts with `*` for any run of characters: hosts, environment variables, event names, path segments.

/// Whether `text` has the form of `glob`. Linear for the usual one or two stars, never exponential.
pub(super) fn matches(glob: &str, text: &str) -> bool {
    let (glob, text) = (glob.as_bytes(), text.as_bytes());
    let (mut g, mut t) = (0, 0);
    // Where to go on after the last star when what follows it does not fit.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        if glob.get(g) == Some(&b'*') {
            retry = Some((g + 1, t));
            g += 1;
        } else if glob.get(g) == Some(&text[t]) {
            g += 1;
            t += 1;
        } else if let Some((after, from)) = retry {
            retry = Some((after, from + 1));
            g = after;
            t = from + 1;
        } else {
            return false;
        }
    }
    glob[g..].iter().all(|&byte| byte == b'*')
}

/// Whether it has a star at all.
pub(super) fn is_glob(text: &str) -> bool {
    text.contains('*')
}

/// How many characters of it are fixed: the more, the more specific.
pub(super) fn fixed(glob: &str) -> usize {
    glob.bytes().filter(|&byte| byte != b'*').count()
}
