//! Unified diffs, as git and others write them: which lines of which files are new.

use std::borrow::Cow;

use super::Changes;

/// Reads a unified diff. Paths lose their `a/` and `b/`; what is no part of a diff is skipped.
pub fn parse(text: &str) -> Changes {
    let mut changes = Changes::default();
    let mut file: Option<String> = None;
    let mut old = None;
    let mut from = None;
    // Lines of the new and the old side that the hunk still has, and the number of the next new line.
    let (mut news, mut olds, mut next) = (0u32, 0u32, 0u32);
    let mut prefixes = Prefixes::default();
    for line in text.lines() {
        let line = &*uncoloured(line);
        if news > 0 || olds > 0 {
            match line.as_bytes().first() {
                Some(b'+') => {
                    note(&mut changes, file.as_deref(), next);
                    next += 1;
                    news = news.saturating_sub(1);
                }
                Some(b'-') => {
                    gap(&mut changes, file.as_deref(), next);
                    olds = olds.saturating_sub(1);
                }
                Some(b'\\') => {}
                _ => {
                    next += 1;
                    news = news.saturating_sub(1);
                    olds = olds.saturating_sub(1);
                }
            }
            continue;
        }
        if line.starts_with("diff ") {
            (file, old, from) = (None, None, None);
            prefixes = line.strip_prefix("diff --git ").map_or(Prefixes::default(), Prefixes::of);
        } else if let Some(path) = line.strip_prefix("rename from ") {
            from = Some(unquoted(path));
        } else if let Some(path) = line.strip_prefix("rename to ") {
            let path = unquoted(path);
            changes.files.entry(path.clone()).or_default();
            if let Some(from) = from.take() {
                changes.renamed.insert(path, from);
            }
        } else if let Some(path) = line.strip_prefix("--- ") {
            old = name(path, prefixes.old);
        } else if let Some(path) = line.strip_prefix("+++ ") {
            file = name(path, prefixes.new).or_else(|| old.take());
            if let Some(file) = &file {
                changes.files.entry(file.clone()).or_default();
            }
        } else if let Some((before, after)) = hunk(line) {
            olds = before.1;
            (next, news) = after;
            // Git counts an empty side from the line before it.
            next += u32::from(news == 0);
        }
    }
    changes
}

fn note(changes: &mut Changes, file: Option<&str>, line: u32) {
    let Some(touched) = file.and_then(|file| changes.files.get_mut(file)) else { return };
    match touched.lines.last_mut() {
        Some((_, last)) if *last + 1 == line => *last = line,
        _ => touched.lines.push((line, line)),
    }
}

fn gap(changes: &mut Changes, file: Option<&str>, line: u32) {
    let touched = file.and_then(|file| changes.files.get_mut(file));
    touched.into_iter().filter(|it| it.gaps.last() != Some(&line)).for_each(|touched| touched.gaps.push(line));
}

/// `@@ -1,2 +3,4 @@`: start and count of both sides.
fn hunk(line: &str) -> Option<((u32, u32), (u32, u32))> {
    let inside = line.strip_prefix("@@ -")?.split(" @@").next()?;
    let (before, after) = inside.split_once(" +")?;
    let side = |text: &str| {
        let (start, count) = text.split_once(',').unwrap_or((text, "1"));
        Some((start.parse().ok()?, count.parse().ok()?))
    };
    Some((side(before)?, side(after)?))
}

/// The letters that stand before the paths of both sides; none where there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Prefixes {
    old: Option<char>,
    new: Option<char>,
}

impl Default for Prefixes {
    fn default() -> Self {
        Self { old: Some('a'), new: Some('b') }
    }
}

impl Prefixes {
    /// As the line `diff --git OLD NEW` shows them: `a/` and `b/`; `i/`, `w/`, `c/`, `o/` with `diff.mnemonicPrefix`;
    /// none with `--no-prefix`, also where a folder has such a name.
    fn of(paths: &str) -> Self {
        let letter = |path: &str| {
            let mut chars = path.trim_start_matches('"').chars();
            chars.next().filter(|char| "abciow".contains(*char) && matches!(chars.next(), Some('/' | '\\')))
        };
        let old = letter(paths);
        let halves = (paths.len() % 2 == 1).then(|| paths.split_at_checked(paths.len() / 2)).flatten();
        let new = match halves.and_then(|(old, rest)| Some((old, rest.strip_prefix(' ')?))) {
            Some((old, new)) if old == new => None,
            Some((_, new)) => letter(new),
            // A rename: the second path begins behind some blank.
            None => paths.match_indices(' ').filter_map(|(at, _)| letter(&paths[at + 1..])).find(|it| Some(*it) != old),
        };
        if old.is_some() && new.is_some() { Self { old, new } } else { Self { old: None, new: None } }
    }
}

/// A line without the colours of a terminal.
fn uncoloured(line: &str) -> Cow<'_, str> {
    if !line.contains('\u{1b}') {
        return line.into();
    }
    let mut parts = line.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    let coloured = parts.map(|part| {
        let end = part.find(|char: char| !matches!(char, '0'..='9' | ';'));
        end.map_or("", |end| part[end..].strip_prefix(['m', 'K']).unwrap_or(part))
    });
    coloured.fold(first, |line, part| line + part).into()
}

/// The path of a header line; none for `/dev/null`. Paths that are not quoted may be those of Windows.
fn name(text: &str, prefix: Option<char>) -> Option<String> {
    // Other tools than git write a time behind a tab.
    let text = text.split('\t').next().unwrap_or(text).trim_end();
    let path = if text.starts_with('"') { unquoted(text) } else { text.replace('\\', "/") };
    if path == "/dev/null" {
        return None;
    }
    let own = prefix.and_then(|prefix| path.strip_prefix(prefix)?.strip_prefix('/'));
    let path = own.unwrap_or(&path);
    Some(path.strip_prefix("./").unwrap_or(path).to_owned())
}

/// A path as git quotes those with odd characters: `"caf\303\251.ts"`.
pub(super) fn unquoted(text: &str) -> String {
    let Some(inside) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else { return text.to_owned() };
    let mut bytes = vec![];
    let mut rest = inside.bytes().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(b'n') => bytes.push(b'\n'),
            Some(b't') => bytes.push(b'\t'),
            Some(b'r') => bytes.push(b'\r'),
            Some(digit @ b'0'..=b'7') => {
                let mut value = u32::from(digit - b'0');
                for _ in 0..2 {
                    if let Some(digit) = rest.next_if(|byte| (b'0'..=b'7').contains(byte)) {
                        value = value * 8 + u32::from(digit - b'0');
                    }
                }
                bytes.push(value as u8);
            }
            Some(other) => bytes.push(other),
            None => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_lines_are_found() {
        let text = "diff --git a/src/a.ts b/src/a.ts\nindex 1..2 100644\n--- a/src/a.ts\n+++ b/src/a.ts\n\
                    @@ -1,3 +1,4 @@\n one\n+two\n three\n-old\n+new\n@@ -9 +10,2 @@ fn()\n-x\n+y\n+z\n";
        let changes = parse(text);
        let touched = &changes.files["src/a.ts"];
        assert_eq!(
            (touched.lines.as_slice(), touched.gaps.as_slice()),
            (&[(2, 2), (4, 4), (10, 11)][..], &[4, 10][..])
        );
        assert!(touched.touches(3, 4) && !touched.touches(1, 1) && !touched.touches(5, 9));
    }

    #[test]
    fn files_come_go_and_move() {
        let text = "diff --git a/gone.ts b/gone.ts\n--- a/gone.ts\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n\
                    diff --git a/new.ts b/new.ts\n--- /dev/null\n+++ b/new.ts\n@@ -0,0 +1,2 @@\n+++ b/fake\n+-- x\n\
                    diff --git \"a/caf\\303\\251.ts\" b/b.ts\nsimilarity index 90%\nrename from \"caf\\303\\251.ts\"\nrename to b.ts\n";
        let changes = parse(text);
        assert_eq!(changes.files["new.ts"].lines, [(1, 2)]);
        assert!(changes.files["gone.ts"].lines.is_empty() && !changes.files.contains_key("fake"));
        assert_eq!(changes.renamed["b.ts"], "café.ts");
    }

    #[test]
    fn paths_come_with_and_without_prefixes() {
        let of = |old: &str, new: &str| {
            let text = format!("diff --git {old} {new}\n--- {old}\n+++ {new}\n@@ -1 +1 @@\n-x\n+y\n");
            parse(&text).files.into_keys().collect::<Vec<_>>()
        };
        for (old, new, path) in [
            ("a/src/x.ts", "b/src/x.ts", "src/x.ts"),
            ("i/src/x.ts", "w/src/x.ts", "src/x.ts"),
            ("c/a b/x.ts", "i/a b/x.ts", "a b/x.ts"),
            ("src/x.ts", "src/x.ts", "src/x.ts"),
            ("a/x.ts", "a/x.ts", "a/x.ts"),
            ("b/x.ts", "b/x.ts", "b/x.ts"),
            ("\"a/caf\\303\\251.ts\"", "\"b/caf\\303\\251.ts\"", "café.ts"),
            ("a\\src\\x.ts", "b\\src\\x.ts", "src/x.ts"),
            ("./src/x.ts", "./src/x.ts", "src/x.ts"),
        ] {
            assert_eq!(of(old, new), [path], "{old} {new}");
        }
        let moved = "diff --git a/one.ts b/lib/two.ts\nsimilarity index 90%\nrename from one.ts\nrename to lib/two.ts\n\
                     --- a/one.ts\n+++ b/lib/two.ts\n@@ -1 +1 @@\n-x\n+y\n";
        assert_eq!(parse(moved).files.into_keys().collect::<Vec<_>>(), ["lib/two.ts"]);
    }

    #[test]
    fn line_ends_and_colours_do_not_count() {
        let plain = "diff --git a/src/a.ts b/src/a.ts\n--- a/src/a.ts\n+++ b/src/a.ts\n@@ -1,2 +1,3 @@ fn()\n one\n+two\n three\n\
                     diff --git a/new.ts b/new.ts\n--- /dev/null\n+++ b/new.ts\n@@ -0,0 +1 @@\n+x\n\\ No newline at end of file\n";
        let told = |text: &str| {
            let mut files: Vec<_> = parse(text).files.into_iter().collect();
            files.sort_by(|a, b| a.0.cmp(&b.0));
            files
        };
        assert_eq!(told(&plain.replace('\n', "\r\n")), told(plain));
        let coloured = |line: &str| format!("\u{1b}[1m{line}\u{1b}[m\u{1b}[K\n");
        assert_eq!(told(&plain.lines().map(coloured).collect::<String>()), told(plain));
        let windows = plain.replace("src/a.ts", "src\\a.ts").replace('\n', "\r\n");
        assert_eq!(told(&windows), told(plain));
    }

    #[test]
    fn plain_diffs_are_read_too() {
        let text = "--- old/a.py\t2026-01-01 00:00:00\n+++ a.py\t2026-01-02 00:00:00\n@@ -1 +1 @@\n-x\n+y\n";
        assert_eq!(parse(text).files["a.py"].lines, [(1, 1)]);
        assert!(parse("nothing of the kind\n").files.is_empty());
    }
}
