//! Lists of the whole program, sorted by place, that say where each file's part begins: what stands at a call is then
//! looked for among its file's items only.

use std::ops::{Deref, Range};

use crate::finding::FileId;

/// Items in the order of their files.
#[derive(Debug)]
pub struct ByFile<T> {
    items: Vec<T>,
    /// Where the items of each file begin; one more than there are files.
    starts: Vec<u32>,
}

impl<T> ByFile<T> {
    /// Notes where each file begins. The items have to be sorted by file already.
    pub fn new(items: Vec<T>, file: impl Fn(&T) -> FileId) -> Self {
        debug_assert!(items.is_sorted_by_key(&file), "items of files are sorted by file");
        let mut starts = vec![0];
        for (at, item) in items.iter().enumerate() {
            starts.resize(starts.len().max(file(item).index() + 1), at as u32);
        }
        starts.push(items.len() as u32);
        Self { items, starts }
    }

    /// The items of a file.
    pub fn of(&self, file: FileId) -> &[T] {
        &self.items[self.range(file)]
    }

    /// The items of a file whose sorted key is `key`.
    pub fn at<K: Ord>(&self, file: FileId, key: K, of: impl Fn(&T) -> K) -> &[T] {
        &self.items[self.range_at(file, key, of)]
    }

    /// Where in the list the items of a file are whose sorted key is `key`.
    pub fn range_at<K: Ord>(&self, file: FileId, key: K, of: impl Fn(&T) -> K) -> Range<usize> {
        let Range { start, end } = self.range(file);
        let here = &self.items[start..end];
        let from = here.partition_point(|item| of(item) < key);
        let many = here[from..].iter().take_while(|item| of(item) == key).count();
        start + from..start + from + many
    }

    fn range(&self, file: FileId) -> Range<usize> {
        match self.starts.get(file.index()..) {
            Some(&[from, to, ..]) => from as usize..to as usize,
            _ => 0..0,
        }
    }

    /// The items, no longer by file: to add to them.
    pub fn into_items(self) -> Vec<T> {
        self.items
    }
}

impl<T> Default for ByFile<T> {
    fn default() -> Self {
        Self { items: vec![], starts: vec![0] }
    }
}

impl<T> Deref for ByFile<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<'i, T> IntoIterator for &'i ByFile<T> {
    type Item = &'i T;
    type IntoIter = std::slice::Iter<'i, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_its_own() {
        let items = vec![(1, 'a'), (1, 'b'), (1, 'b'), (4, 'c')];
        let all = ByFile::new(items.clone(), |&(file, _)| FileId(file));
        for file in 0..7 {
            let own: Vec<_> = items.iter().copied().filter(|&(of, _)| of == file).collect();
            assert_eq!(all.of(FileId(file)), own, "{file}");
        }
        assert_eq!(all.at(FileId(1), 'b', |&(_, key)| key).len(), 2);
        assert!(all.at(FileId(1), 'c', |&(_, key)| key).is_empty());
        assert!(ByFile::<u8>::default().of(FileId(0)).is_empty());
    }
}
