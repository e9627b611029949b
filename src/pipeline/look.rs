//! What is there, before anything is judged: the files of a repository, read and named, and understood unless what came
//! of them may be kept.
//!
//! Nothing of this depends on the change that is looked at, so it is done while git is asked for it.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::{Clock, Options, Read, Said, Walked, cache, files_of_code, finish, home, on_workers, understand};
use crate::cache::judgements::Judgements;
use crate::cache::{Cache, Key, Keys};
use crate::error::Error;
use crate::progress::Progress;
use crate::walk::{Repository, SourceFile};

/// How many bytes of text are held between a look at what is there and an analysis of it; of a larger repository the
/// files are read twice.
const HELD: u64 = if cfg!(test) { 1 << 10 } else { 64 << 20 };

/// A repository that was looked at.
pub struct Looked {
    pub(super) walked: Walked,
    /// What earlier analyses came to; none where nothing is kept.
    pub(super) kept: Option<Judgements>,
    pub(super) files: Files,
    pub(super) clock: Clock,
}

/// What was read.
pub(super) enum Files {
    /// Read and named: they may have been judged before.
    Opened { files: Vec<Option<Opened>>, cache: Option<Cache> },
    /// Read and understood.
    Understood(Vec<Option<Read>>),
}

/// A file that was read and not looked into.
pub(super) struct Opened {
    key: Key,
    /// None when what it says is kept, or all texts would be too much.
    text: Option<String>,
}

impl Looked {
    /// Walks a repository and reads its files. Once it is `unwanted`, the rest is passed over, and what comes is not to
    /// be judged.
    pub fn at(options: &Options, unwanted: &AtomicBool) -> Result<Self, Error> {
        on_workers(options, || {
            let mut clock = Clock::new();
            let look = |repository: &mut Repository, keys: &Keys| {
                let open = |folder| Judgements::open(folder, home(repository, options), files_of_code(repository));
                let kept = options.cache.as_deref().and_then(open);
                let may_be_judged = kept.as_ref().is_some_and(|kept| !kept.is_empty());
                let opened = may_be_judged.then(|| Files::open(repository, keys, options, unwanted));
                (kept, opened)
            };
            let (mut walked, (kept, opened)) = Walked::and(options, look)?;
            clock.lap("walk");
            let files = match opened {
                Some(opened) => opened,
                None if unwanted.load(Ordering::Relaxed) => Files::Understood(vec![]),
                None => Files::Understood(walked.read(options)),
            };
            Ok(Self { walked, kept, files, clock })
        })
    }
}

impl Files {
    /// Reads every file, and names it.
    fn open(repository: &mut Repository, keys: &Keys, options: &Options, unwanted: &AtomicBool) -> Self {
        let cache = cache(repository, options);
        let holds = repository.files.iter().map(|file| file.size).sum::<u64>() <= HELD;
        let open = |file: &SourceFile, text: &str| {
            if unwanted.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let key = keys.key(&file.path, file.named, text);
            let is_kept = file.kind.holds_code() && cache.as_ref().is_some_and(|cache| cache.holds(&key));
            Ok(Some(Opened { key, text: (holds && !is_kept).then(|| text.to_owned()) }))
        };
        Self::Opened { files: repository.load(open), cache }
    }

    /// What names the files by what they hold.
    pub(super) fn keys(&self) -> Box<dyn Iterator<Item = Option<Key>> + '_> {
        match self {
            Self::Opened { files, .. } => Box::new(files.iter().map(|file| file.as_ref().map(|file| file.key))),
            Self::Understood(files) => Box::new(files.iter().map(|file| file.as_ref().and_then(|file| file.key))),
        }
    }

    /// What the files say.
    pub(super) fn understood(self, walked: &mut Walked, options: &Options) -> Vec<Option<Read>> {
        match self {
            Self::Opened { files, cache } => walked.understand(files, cache, options),
            Self::Understood(read) => read,
        }
    }
}

impl Walked {
    /// Understands the files that were read.
    fn understand(
        &mut self,
        opened: Vec<Option<Opened>>,
        cache: Option<Cache>,
        options: &Options,
    ) -> Vec<Option<Read>> {
        let progress = Progress::new(opened.len(), options.progress);
        let Self { catalogue, repository, keys } = self;
        let understand = |(file, opened): (&SourceFile, Option<Opened>)| {
            let opened = opened?;
            progress.tick();
            if opened.text.is_none()
                && let Some(said) = cache.as_ref().and_then(|cache| Said::kept(file, cache, &opened.key))
            {
                return Some(Read { key: Some(opened.key), said });
            }
            let read = match opened.text {
                Some(text) => Ok((opened.key, text)),
                // It may be another file by now, and is named by what it holds now.
                None => repository.read(&file.path).map(|text| (keys.key(&file.path, file.named, &text), text)),
            };
            Some(match read {
                Ok((key, text)) => {
                    let said = understand(file, &text, catalogue, cache.as_ref().map(|cache| (cache, &key)));
                    Read { key: Some(key), said }
                }
                Err(reason) => Read { key: None, said: Said { gap: Some(reason), ..Said::default() } },
            })
        };
        let read = repository.files.par_iter().zip(opened).with_max_len(8).map(understand).collect();
        progress.finish();
        finish(cache);
        read
    }
}
