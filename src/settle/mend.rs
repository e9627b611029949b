//! Takes suppressions that suppress nothing out of a text.

use std::collections::BTreeMap;

use super::ignores::{Ignore, MARKER};

/// The text of a file without the suppressions in `unused`, all of which stand in it. Of a comment that names several
/// rules only those that nothing is found of go; a comment alone on its line goes with the line.
pub fn without(text: &str, unused: &[&Ignore]) -> String {
    let mut comments: BTreeMap<u32, Vec<&Ignore>> = BTreeMap::new();
    for ignore in unused {
        comments.entry(ignore.comment.start).or_default().push(ignore);
    }
    let mut out = text.to_owned();
    // From the end, so that what comes before keeps its place.
    for ignores in comments.into_values().rev() {
        let first = ignores[0];
        let (start, end) = (first.comment.start as usize, first.comment.end as usize);
        let Some(comment) = out.get(start..end) else { continue };
        let gone: Vec<&str> = ignores.iter().map(|ignore| ignore.rule.as_str()).collect();
        match kept(comment, &gone) {
            Some(kept) => out.replace_range(start..end, &kept),
            None if first.alone => {
                let from = out[..start].rfind('\n').map_or(0, |at| at + 1);
                let to = out[end..].find('\n').map_or(out.len(), |at| end + at + 1);
                out.replace_range(from..to, "");
            }
            None => {
                let from = out[..start].trim_end_matches([' ', '\t']).len();
                // Code on both sides keeps a blank between.
                let goes_on = !out[end..].split('\n').next().unwrap_or_default().trim().is_empty();
                out.replace_range(from..end, "");
                if goes_on && from > 0 && !out[from..].starts_with([' ', '\t']) {
                    out.insert(from, ' ');
                }
            }
        }
    }
    out
}

/// A comment with the rules that stay; none when none does.
fn kept(comment: &str, gone: &[&str]) -> Option<String> {
    let open = comment.find(MARKER)? + comment[comment.find(MARKER)?..].find('[')?;
    let close = open + comment[open..].find(']')?;
    let rules: Vec<&str> = comment[open + 1..close].split(',').map(str::trim).filter(|rule| !rule.is_empty()).collect();
    let stay: Vec<&str> = rules.into_iter().filter(|rule| !gone.contains(rule)).collect();
    (!stay.is_empty()).then(|| format!("{}[{}{}", &comment[..open], stay.join(", "), &comment[close..]))
}
