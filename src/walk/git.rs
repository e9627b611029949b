//! What git tracks, from its index file. Reads versions 2, 3 and 4; of anything odd nothing is known.

use std::fs;
use std::path::{Path, PathBuf};

/// The paths git tracks below `root`, relative to it and sorted; none when there is no index to ask.
pub fn tracked(root: &Path) -> Option<Vec<String>> {
    let (top, folder) = repository(root)?;
    let bytes = fs::read(folder.join("index")).ok()?;
    let paths = paths(&bytes, 20).or_else(|| paths(&bytes, 32))?;
    let prefix = root.strip_prefix(&top).ok()?.to_str()?.replace('\\', "/");
    let mut below: Vec<String> = if prefix.is_empty() {
        paths
    } else {
        let prefix = prefix + "/";
        paths.iter().filter_map(|path| path.strip_prefix(&prefix)).map(str::to_owned).collect()
    };
    below.sort_unstable();
    below.dedup();
    Some(below)
}

/// The working tree's top and git's own folder for it, looking upwards from `root`.
pub fn repository(root: &Path) -> Option<(PathBuf, PathBuf)> {
    let top = root.ancestors().find(|folder| folder.join(".git").exists())?;
    let git = top.join(".git");
    if git.is_dir() {
        return Some((top.to_owned(), git));
    }
    // A worktree or submodule: a file that says where.
    let text = fs::read_to_string(&git).ok()?;
    Some((top.to_owned(), top.join(text.strip_prefix("gitdir:")?.trim())))
}

/// The paths of an index whose object names are `hash` bytes long.
fn paths(bytes: &[u8], hash: usize) -> Option<Vec<String>> {
    let number = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    if bytes.get(..4)? != b"DIRC" {
        return None;
    }
    let version = number(4)?;
    let count = number(8)? as usize;
    if !(2..=4).contains(&version) || count > bytes.len() / 40 {
        return None;
    }
    let mut paths = Vec::with_capacity(count);
    let mut at = 12;
    let mut previous: Vec<u8> = vec![];
    for _ in 0..count {
        let start = at;
        let flags = u16::from_be_bytes(bytes.get(at + 40 + hash..at + 42 + hash)?.try_into().ok()?);
        at += 42 + hash + if flags & 0x4000 != 0 { 2 } else { 0 };
        if version == 4 {
            let (strip, length) = variable(bytes.get(at..)?)?;
            at += length;
            previous.truncate(previous.len().checked_sub(strip)?);
        } else {
            previous.clear();
        }
        let length = bytes.get(at..)?.iter().position(|&byte| byte == 0)?;
        previous.extend_from_slice(&bytes[at..at + length]);
        at += length + 1;
        if version < 4 {
            // Padded with NULs to a multiple of eight, at least one.
            at = start + (at - start).div_ceil(8) * 8;
        }
        paths.push(String::from_utf8_lossy(&previous).into_owned());
    }
    // A split index keeps most entries elsewhere; what is here would mislead.
    let end = bytes.len().checked_sub(hash)?;
    while at + 8 <= end {
        if bytes.get(at..at + 4)? == b"link" {
            return None;
        }
        at += 8 + number(at + 4)? as usize;
    }
    (at == end).then_some(paths)
}

/// Git's offset encoding: the value and how many bytes it took.
fn variable(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = (bytes.first()? & 0x7f) as usize;
    let mut at = 1;
    while bytes[at - 1] & 0x80 != 0 {
        let next = *bytes.get(at)?;
        value = value.checked_add(1)?.checked_mul(128)? | (next & 0x7f) as usize;
        at += 1;
    }
    Some((value, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(version: u32, entries: &[(usize, &str)]) -> Vec<u8> {
        let mut bytes = b"DIRC".to_vec();
        bytes.extend(version.to_be_bytes());
        bytes.extend((entries.len() as u32).to_be_bytes());
        for &(strip, path) in entries {
            let start = bytes.len();
            bytes.extend([0; 60]);
            bytes.extend(0u16.to_be_bytes());
            if version == 4 {
                bytes.push(strip as u8);
            }
            bytes.extend(path.bytes());
            bytes.push(0);
            while version < 4 && !(bytes.len() - start).is_multiple_of(8) {
                bytes.push(0);
            }
        }
        bytes.extend([0; 20]);
        bytes
    }

    #[test]
    fn versions_two_and_four() {
        assert_eq!(paths(&index(2, &[(0, ".env"), (0, "src/a.ts")]), 20).unwrap(), [".env", "src/a.ts"]);
        assert_eq!(paths(&index(4, &[(0, "src/a.ts"), (4, "b.ts")]), 20).unwrap(), ["src/a.ts", "src/b.ts"]);
    }

    #[test]
    fn odd_ones_tell_nothing() {
        let whole = index(2, &[(0, ".env"), (0, "src/a.ts")]);
        for end in 0..whole.len() {
            assert_eq!(paths(&whole[..end], 20), None, "cut at {end}");
        }
        assert_eq!(paths(&index(9, &[]), 20), None);
        assert_eq!(paths(b"not an index at all", 20), None);
    }
}
