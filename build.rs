//! Turns the catalogue's files into JSON for the binary to carry, which every start reads in a third of the time that
//! TOML takes; and names the build: facts that another build kept are not read.

use std::fmt::Write;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let mut text = String::new();
    for (list, folder) in [("VENDORS", "catalogue/vendors"), ("LIBRARIES", "catalogue/libraries")] {
        let _ = writeln!(text, "pub(super) const {list}: &[(&str, &str)] = &[");
        for path in toml_files(&root.join(folder))? {
            let path = format!("{folder}/{path}");
            let json = json(&root.join(&path))?;
            let _ = writeln!(text, "    ({path:?}, {json:?}),");
        }
        text.push_str("];\n");
    }
    fs::write(out.join("catalogue.rs"), text)?;

    let mut build = DefaultHasher::new();
    for folder in ["catalogue", "queries", "src"] {
        println!("cargo:rerun-if-changed={folder}");
        hash(&root.join(folder), &mut build)?;
    }
    println!("cargo:rustc-env=SEAMCHECK_BUILD={:016x}", build.finish());
    Ok(())
}

/// A TOML file as JSON.
fn json(path: &Path) -> io::Result<String> {
    let broken = |why: &dyn std::fmt::Display| io::Error::other(format!("{}: {why}", path.display()));
    let value: serde_json::Value = toml::from_str(&fs::read_to_string(path)?).map_err(|why| broken(&why))?;
    Ok(value.to_string())
}

/// What decides the facts of a file: code, queries and catalogue, whatever the version says.
fn hash(path: &Path, build: &mut DefaultHasher) -> io::Result<()> {
    if path.is_dir() {
        let mut entries: Vec<PathBuf> =
            fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
        entries.sort();
        return entries.iter().try_for_each(|entry| hash(entry, build));
    }
    build.write(path.file_name().unwrap_or_default().as_encoded_bytes());
    build.write(&fs::read(path)?);
    Ok(())
}

/// The names of the TOML files in `folder`, sorted; none when there is no such folder.
fn toml_files(folder: &Path) -> io::Result<Vec<String>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "toml")
            && let Some(name) = path.file_name().and_then(|name| name.to_str())
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}
