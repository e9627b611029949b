//! Writes a first configuration.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{Stop, output_error};
use crate::config::{Config, OWN, Wanted, init};
use crate::error::Error;
use crate::finding::Persona;
use crate::pipeline::{Options, scan};
use crate::rules::RULES;
use crate::{settle, walk};

/// Looks at the repository and writes what fits it.
pub fn init(folder: Option<&Path>, print: bool, out: &mut dyn Write, messages: &mut dyn Write) -> Result<(), Stop> {
    let paths: Vec<PathBuf> = folder.map(Path::to_owned).into_iter().collect();
    let config = Config::load(&Wanted::Found, &paths, &crate::day::today())?;
    let path = walk::root_of(&paths)?.join(OWN);
    if let Some(file) = config.file.filter(|_| !print) {
        let what = format!("there is a configuration already: {file}");
        let help = "`seamcheck init --print` shows what would be written".to_owned();
        return Err(Error::Config { what, help }.into());
    }
    let outcome = scan(&Options {
        walk: walk::Choices { paths, honour_ignores: true, threads: 0, ignored: vec![] },
        rules: RULES.to_vec(),
        settle: settle::Choices::new(Persona::Regular),
        jobs: 0,
        progress: false,
        own: config.own,
        cache: crate::cache::default_folder(),
    })?;
    let text = init::text(&outcome);
    if print {
        out.write_all(text.as_bytes())?;
    } else {
        fs::write(&path, text).map_err(|why: io::Error| output_error(&path, &why))?;
        writeln!(messages, "{OWN} written; everything in it is a proposal, commented out")?;
    }
    Ok(())
}
