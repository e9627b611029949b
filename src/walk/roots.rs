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
    /// One folder is its own root, unless it is a part of a project of the same git repository: then the project is;
    /// several have their common ancestor. Of a named file the root is the current folder when the file lies below
    /// it, else the file's folder.
    pub fn of(typed: &[PathBuf]) -> Result<Self, Error> {
        let here = [PathBuf::from(".")];
        let typed = if typed.is_empty() { &here[..] } else { typed };
        let current = std::env::current_dir().and_then(|path| path.canonicalize()).ok();
        let mut roots: Vec<PathBuf> = vec![];
        let (mut folders, mut files) = (vec![], BTreeSet::new());
        for path in typed {
            let path = Named::find(path)?;
            if path.is_folder {
                roots.push(project_of(&path.path).unwrap_or_else(|| path.path.clone()));
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

/// Files that make a folder a project of its own.
const PROJECT: &[&str] =
    &["package.json", "pyproject.toml", "requirements.txt", "manage.py", "Pipfile", "wrangler.toml", "wrangler.jsonc"];

/// The project that a folder is a part of, in the same git repository; none when it is one itself, or the top.
fn project_of(folder: &Path) -> Option<PathBuf> {
    let (top, _) = super::git::repository(folder)?;
    let is_project = |folder: &&Path| PROJECT.iter().any(|name| folder.join(name).is_file());
    if folder == top || is_project(&folder) {
        return None;
    }
    let above = || folder.ancestors().skip(1).take_while(|above| above.starts_with(&top));
    // Functions of a backend are told of beside their folder.
    let backend = || above().find(|above| above.join("supabase/config.toml").is_file());
    above().find(is_project).or_else(backend).map(Path::to_owned)
}

fn common(a: &Path, b: &Path) -> PathBuf {
    a.components().zip(b.components()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_project_has_the_project_as_its_root() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().canonicalize().unwrap().join(name);
        for folder in ["app/.git", "app/supabase/functions", "app/packages/web/src", "other/src"] {
            std::fs::create_dir_all(at(folder)).unwrap();
        }
        for file in ["app/package.json", "app/packages/web/package.json", "other/package.json"] {
            std::fs::write(at(file), "{}").unwrap();
        }
        let root = |folder: &str| Roots::of(&[at(folder)]).unwrap().root;
        assert_eq!(root("app/supabase/functions"), at("app"));
        assert_eq!(root("app/packages/web/src"), at("app/packages/web"));
        assert_eq!(root("app/packages/web"), at("app/packages/web"));
        assert_eq!(root("app"), at("app"));
        // Without a repository nobody says where the project ends.
        assert_eq!(root("other/src"), at("other/src"));
    }

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
