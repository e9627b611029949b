//! From the paths that were typed to one root and the places to start from.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Where to walk.
pub struct Roots {
    /// All paths are relative to it.
    pub root: PathBuf,
    /// Folders to walk, none inside another.
    pub folders: Vec<PathBuf>,
    /// Files that were named.
    pub files: BTreeSet<PathBuf>,
}

impl Roots {
    /// One folder is its own root; several have their common ancestor. Of a named file the root is the current
    /// folder when the file lies below it, else the file's folder.
    pub fn of(typed: &[PathBuf]) -> Result<Self, Error> {
        let here = [PathBuf::from(".")];
        let typed = if typed.is_empty() { &here[..] } else { typed };
        let current = std::env::current_dir().and_then(|path| path.canonicalize()).ok();
        let mut roots: Vec<PathBuf> = vec![];
        let (mut folders, mut files) = (vec![], BTreeSet::new());
        for path in typed {
            let path = Named::find(path)?;
            if path.is_folder {
                roots.push(path.path.clone());
                folders.push(path.path);
            } else {
                let below = current.as_ref().filter(|current| path.path.starts_with(current)).cloned();
                roots.extend(below.or_else(|| path.path.parent().map(Path::to_owned)));
                files.insert(path.path);
            }
        }
        let root = roots.into_iter().reduce(|a, b| common(&a, &b)).unwrap_or_default();
        folders.sort();
        // A folder sorts before what lies in it.
        folders.dedup_by(|inner, outer| inner.starts_with(outer));
        Ok(Self { root, folders, files })
    }
}

struct Named {
    path: PathBuf,
    is_folder: bool,
}

impl Named {
    fn find(typed: &Path) -> Result<Self, Error> {
        let shown = typed.display().to_string();
        let unreadable = |why: std::io::Error| Error::Unreadable { path: shown.clone(), why: super::text::said(&why) };
        let metadata = match typed.metadata() {
            Ok(metadata) => metadata,
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::missing_path(&shown, crate::cli::COMMANDS.iter().copied()));
            }
            Err(why) => return Err(unreadable(why)),
        };
        if metadata.is_dir() {
            std::fs::read_dir(typed).map_err(unreadable)?;
            return Ok(Self { path: typed.canonicalize().map_err(unreadable)?, is_folder: true });
        }
        if !metadata.is_file() {
            return Err(Error::Unreadable { path: shown, why: "neither a file nor a folder".to_owned() });
        }
        std::fs::File::open(typed).map_err(unreadable)?;
        // The link itself keeps its name: only the folder is made canonical.
        let name = typed.file_name().unwrap_or_default();
        let folder = match typed.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        Ok(Self { path: folder.canonicalize().map_err(unreadable)?.join(name), is_folder: false })
    }
}

fn common(a: &Path, b: &Path) -> PathBuf {
    a.components().zip(b.components()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_folders_have_their_common_ancestor() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().canonicalize().unwrap().join(name);
        for folder in ["app/src/deep", "app/supabase"] {
            std::fs::create_dir_all(at(folder)).unwrap();
        }
        std::fs::write(at("app/x.ts"), "").unwrap();
        let roots = Roots::of(&[at("app/src"), at("app/src/deep"), at("app/supabase")]).unwrap();
        assert_eq!(roots.root, at("app"));
        assert_eq!(roots.folders, [at("app/src"), at("app/supabase")]);
        let roots = Roots::of(&[at("app/x.ts")]).unwrap();
        assert_eq!((roots.root, roots.files.len()), (at("app"), 1));
    }
}
