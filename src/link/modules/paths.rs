//! Repository paths as text: forward slashes, no leading slash, the root is the empty path.

use std::iter::successors;

/// The folder a path lies in.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The last segment of a path.
pub(super) fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// A folder and the folders around it, innermost first, the root last.
pub(super) fn ancestors(folder: &str) -> impl Iterator<Item = &str> {
    successors(Some(folder), |folder| (!folder.is_empty()).then(|| parent(folder)))
}

/// `relative` seen from `folder`, without `.` and `..`; none when it leaves the repository.
pub(super) fn join(folder: &str, relative: &str) -> Option<String> {
    let mut segments: Vec<&str> = folder.split('/').filter(|segment| !segment.is_empty()).collect();
    for segment in relative.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()?),
            segment => segments.push(segment),
        }
    }
    Some(segments.join("/"))
}

/// Whether `path` is `folder` or lies in it.
pub(super) fn within(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a path is that of the settings of a Python web app, and not only of those of developers and tests.
pub(super) fn is_settings(path: &str) -> bool {
    let Some(path) = path.strip_suffix(".py") else { return false };
    let stem = name(path);
    let for_trying = ["dev", "test", "local", "ci"].iter().any(|word| stem.contains(word));
    !for_trying && (stem == "settings" || name(parent(path)) == "settings")
}

/// Whether a workspace pattern (`packages/*`, `apps/**`) names a folder.
pub(super) fn matches(pattern: &str, folder: &str) -> bool {
    fn segments(pattern: &[&str], folder: &[&str]) -> bool {
        match (pattern, folder) {
            ([], []) => true,
            (["**", rest @ ..], _) => (0..=folder.len()).any(|skip| segments(rest, &folder[skip..])),
            ([first, rest @ ..], [name, others @ ..]) => segment(first, name) && segments(rest, others),
            _ => false,
        }
    }
    fn segment(pattern: &str, name: &str) -> bool {
        match pattern.split_once('*') {
            Some((head, tail)) => name.strip_prefix(head).is_some_and(|rest| rest.ends_with(tail)),
            None => pattern == name,
        }
    }
    let pattern: Vec<&str> = pattern.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let folder: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    segments(&pattern, &folder)
}
