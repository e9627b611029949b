//! Takes suppressions that suppress nothing out of the files they stand in.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};

use crate::error::count;
use crate::finding::FileId;
use crate::pipeline::Judged;
use crate::settle::ignores::Ignore;
use crate::settle::mend;

/// Rewrites the files, and tells how many suppressions are gone.
pub fn remove_unused(outcome: &Judged, messages: &mut dyn Write) -> io::Result<()> {
    let mut by_file: BTreeMap<FileId, Vec<&Ignore>> = BTreeMap::new();
    for ignore in &outcome.settled.unused {
        by_file.entry(ignore.place.file).or_default().push(ignore);
    }
    let (mut gone, mut files) = (0, 0);
    for (file, unused) in by_file {
        let path = outcome.repository.files[file.index()].path;
        let place = outcome.repository.root.join(path.as_str());
        let bytes = fs::read(&place).unwrap_or_default();
        let (mark, rest) = bytes.split_at(if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 });
        // What is not plain UTF-8 could not be written back as it was.
        let same = |text: &&str| outcome.repository.read(&path).is_ok_and(|read| read == *text);
        let Some(text) = std::str::from_utf8(rest).ok().filter(same) else {
            writeln!(messages, "seamcheck: {path} is left as it is: it is not plain UTF-8")?;
            continue;
        };
        let mended = [mark, mend::without(text, &unused).as_bytes()].concat();
        match fs::write(&place, mended) {
            Ok(()) => (gone, files) = (gone + unused.len(), files + 1),
            Err(why) => writeln!(messages, "seamcheck: {path} cannot be written: {}", crate::walk::said(&why))?,
        }
    }
    writeln!(messages, "{} removed from {}", count(gone, "unused suppression"), count(files, "file"))
}
