//! The repository as the module resolver sees it: paths and manifests in memory, packages of the
//! repository linked where an installation would put them. Nothing here touches the disk.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use oxc_resolver::{
    FileMetadata, FileSystem, ResolveContext, ResolveError, ResolveOptions, ResolverGeneric, TsConfig,
    TsconfigDiscovery,
};
use rustc_hash::{FxHashMap, FxHashSet};

use super::manifests::Manifests;
use super::{paths, specifier};
use crate::finding::FileId;
use crate::names::Name;

/// The folder that stands for the repository's root.
const ROOT: &str = if cfg!(windows) { r"C:\repository" } else { "/repository" };

/// Extensions tried in turn, sources before what is built from them, declarations last.
const EXTENSIONS: &[&str] = &[
    ".ts",
    ".tsx",
    ".js",
    ".jsx",
    ".mjs",
    ".mts",
    ".cjs",
    ".cts",
    ".json",
    ".vue",
    ".svelte",
    ".astro",
    ".d.ts",
    ".web.ts",
    ".web.tsx",
    ".native.ts",
    ".native.tsx",
    ".ios.tsx",
    ".android.tsx",
];

/// Extensions as written, and what they may stand for.
const STAND_FOR: &[(&str, &[&str])] = &[
    (".js", &[".ts", ".tsx", ".js", ".jsx"]),
    (".jsx", &[".tsx", ".jsx"]),
    (".mjs", &[".mts", ".mjs"]),
    (".cjs", &[".cts", ".cjs"]),
];

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// A file that holds code.
    Code(FileId),
    /// Any other file.
    Other,
}

/// The repository and a resolver that looks into it.
pub(super) struct Tree {
    files: Arc<Files>,
    resolver: ResolverGeneric<InMemory>,
}

/// Every path, and the manifests' texts.
struct Files {
    paths: FxHashMap<&'static str, Found>,
    folders: FxHashSet<&'static str>,
    manifests: FxHashMap<String, String>,
    /// `node_modules/NAME` and the folder of the repository that holds the package.
    links: FxHashMap<String, String>,
    /// `node_modules` and the scopes in it.
    link_folders: FxHashSet<String>,
}

impl Tree {
    /// `code` says whether a program file holds code; `others` are paths that are no program files.
    pub fn new(paths: &[Name], others: &[Name], code: impl Fn(usize) -> bool, manifests: &Manifests) -> Self {
        let mut all: FxHashMap<&'static str, Found> = FxHashMap::default();
        all.extend(others.iter().map(|path| (path.as_str(), Found::Other)));
        all.extend(paths.iter().enumerate().map(|(index, path)| {
            (path.as_str(), if code(index) { Found::Code(FileId(index as u32)) } else { Found::Other })
        }));
        let mut folders: FxHashSet<&'static str> = FxHashSet::default();
        for path in all.keys() {
            // A folder already known has its ancestors known.
            for folder in paths::ancestors(paths::parent(path)) {
                if !folders.insert(folder) {
                    break;
                }
            }
        }
        folders.insert("");
        let mut texts = manifests.configs.clone();
        for (folder, package) in &manifests.packages {
            texts.extend(paths::join(folder, "package.json").map(|path| (path, package.to_string())));
        }
        let links: FxHashMap<String, String> =
            manifests.local.iter().map(|(name, folder)| (format!("node_modules/{name}"), folder.clone())).collect();
        let link_folders = links.keys().map(|link| paths::parent(link).to_owned());
        let link_folders = link_folders.chain((!links.is_empty()).then(|| "node_modules".to_owned())).collect();
        let files = Arc::new(Files { paths: all, folders, manifests: texts, links, link_folders });
        let resolver = ResolverGeneric::new_with_file_system(InMemory(Arc::clone(&files)), options());
        Self { files, resolver }
    }

    /// The file at exactly this path.
    pub fn at(&self, path: &str) -> Option<Found> {
        self.files.paths.get(path).copied()
    }

    /// Whether there is such a folder.
    pub fn is_folder(&self, path: &str) -> bool {
        self.files.folders.contains(path)
    }

    /// What `specifier` leads to from `folder`: a relative path, a package, `#name`.
    pub fn resolve(&self, folder: &str, specifier: &str) -> Option<Found> {
        let resolution = self.resolver.resolve(absolute(folder), specifier).ok()?;
        self.at(&relative(resolution.path())?)
    }

    /// What a path from the root leads to, with or without extension, file or folder.
    pub fn lookup(&self, path: &str) -> Option<Found> {
        self.resolve("", &format!("./{path}"))
    }

    /// What `specifier` leads to under a project's path aliases and base folder.
    pub fn aliased(&self, folder: &str, specifier: &str, config: &TsConfig) -> Option<Found> {
        let mut dependencies = ResolveContext::default();
        let resolution =
            self.resolver.resolve_with_context(absolute(folder), specifier, Some(config), &mut dependencies).ok()?;
        self.at(&relative(resolution.path())?)
    }

    /// A project's configuration with what it extends.
    pub fn config(&self, path: &str) -> Option<Arc<TsConfig>> {
        self.resolver.resolve_tsconfig(absolute(path)).ok()
    }
}

/// How bundlers find modules: TypeScript's extensions, sources before builds, the import conditions.
fn options() -> ResolveOptions {
    let list = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
    ResolveOptions {
        cwd: Some(PathBuf::from(ROOT)),
        tsconfig: Some(TsconfigDiscovery::Auto),
        condition_names: list(&["source", "development", "node", "import", "module", "browser", "require", "default"]),
        extension_alias: STAND_FOR.iter().map(|(written, meant)| ((*written).to_owned(), list(meant))).collect(),
        extensions: list(EXTENSIONS),
        main_fields: list(&["source", "module", "main", "types"]),
        allow_package_exports_in_directory_resolve: true,
        node_path: false,
        ..ResolveOptions::default()
    }
}

fn absolute(path: &str) -> PathBuf {
    let mut whole = PathBuf::from(ROOT);
    if !path.is_empty() {
        whole.extend(path.split('/'));
    }
    whole
}

/// A path of the repository's as text; none for what lies outside.
pub(super) fn relative(path: &Path) -> Option<Cow<'_, str>> {
    let path = path.strip_prefix(ROOT).ok()?.to_str()?;
    Some(if cfg!(windows) { path.replace('\\', "/").into() } else { path.into() })
}

/// The file system handed to the resolver.
struct InMemory(Arc<Files>);

impl InMemory {
    fn text(&self, path: &Path) -> io::Result<&str> {
        let found = relative(path).and_then(|path| self.0.manifests.get(self.0.followed(&path).as_ref()));
        found.map(String::as_str).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Files {
    /// A path with the link at its head followed.
    fn followed<'a>(&self, path: &'a str) -> Cow<'a, str> {
        let Some(inside) = path.strip_prefix("node_modules/") else { return path.into() };
        let (name, rest) = specifier::name_of(inside);
        match self.links.get(&path[..path.len() - inside.len() + name.len()]) {
            Some(folder) => paths::join(folder, rest).map_or(path.into(), Cow::Owned),
            None => path.into(),
        }
    }
}

impl FileSystem for InMemory {
    fn new() -> Self {
        Self(Arc::new(Files {
            paths: FxHashMap::default(),
            folders: FxHashSet::default(),
            manifests: FxHashMap::default(),
            links: FxHashMap::default(),
            link_folders: FxHashSet::default(),
        }))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.text(path).map(|text| text.as_bytes().to_vec())
    }

    fn read_to_string(&self, path: &Path) -> io::Result<String> {
        self.text(path).map(str::to_owned)
    }

    fn metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        let path = relative(path).ok_or(io::ErrorKind::NotFound)?;
        let path = self.0.followed(&path);
        let path = path.as_ref();
        if self.0.paths.contains_key(path) {
            Ok(FileMetadata::new(true, false, false))
        } else if self.0.folders.contains(path) || self.0.link_folders.contains(path) {
            Ok(FileMetadata::new(false, true, false))
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    fn symlink_metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        match relative(path) {
            Some(path) if self.0.links.contains_key(path.as_ref()) => Ok(FileMetadata::new(false, false, true)),
            _ => self.metadata(path),
        }
    }

    fn read_link(&self, path: &Path) -> Result<PathBuf, ResolveError> {
        let link = relative(path).and_then(|path| self.0.links.get(path.as_ref()));
        link.map(|folder| absolute(folder)).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound).into())
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_path_buf())
    }
}
