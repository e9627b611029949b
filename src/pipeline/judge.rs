//! What is found in a repository, from what was kept when nothing that an analysis reads has changed since.
//!
//! The name of a kept judgement is a digest of everything that is handed to extraction, linking and the rules: the
//! walked tree with what was left out and missed, the text of every file that is read, vendors, hints, the day, this
//! build, and the change that is looked at. Settling and reporting are done anew each time, from the same excerpt of
//! the facts whether the analysis was kept or not.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::judgement::{Found, Judgement};
use super::look::Looked;
use super::{Clock, Options, Walked, on_workers};
use crate::cache::Key;
use crate::cache::judgements::{Digest, Judgements};
use crate::error::Error;
use crate::names::Name;
use crate::program::hints::Idle;
use crate::program::{File, Program};
use crate::settle::{self, FailedRule, Settled};
use crate::walk::{GapReason, Repository, SourceFile};

/// What is told of a repository.
pub struct Judged {
    /// What was walked, left out and missed.
    pub repository: Repository,
    /// The files, with as much of their facts as reports ask for.
    pub files: Vec<File>,
    /// What was found, and the rules that failed.
    pub settled: Settled,
    /// Manifests that hold a configuration of ours.
    pub configured: Vec<Name>,
    /// What the configuration says in vain.
    pub idle: Vec<Idle>,
    /// How long each stage took, in order.
    pub timings: Vec<(&'static str, Duration)>,
    /// What was understood, when it had to be.
    pub program: Option<Program>,
}

/// Finds what [`super::scan`] finds, without an analysis when one of the same tree was kept.
pub fn judge(options: &Options) -> Result<Judged, Error> {
    Looked::at(options, &AtomicBool::new(false))?.judge(options)
}

impl Looked {
    /// Judges what was looked at: `options` are those it was looked at with, and may name a change by now.
    pub fn judge(self, options: &Options) -> Result<Judged, Error> {
        on_workers(options, || Ok(self.judged(options)))
    }

    fn judged(self, options: &Options) -> Judged {
        let Self { mut walked, kept, files, mut clock } = self;
        if options.settle.change.is_some() {
            clock.lap("git");
        }
        let Some(kept) = kept else {
            let read = files.understood(&mut walked, options);
            let (judgement, failed, program) = Judgement::make(&mut walked, read, options, &mut clock);
            return tell(walked.repository, judgement, failed, Some(program), options, clock);
        };
        let names = Names::of(&walked, files.keys(), options);
        if let Some(judgement) = names.find(&kept, &walked.repository, options) {
            clock.lap("read");
            kept.used();
            judgement.gaps.iter().for_each(|gap| walked.repository.not_understood(gap.clone()));
            return tell(walked.repository, judgement, vec![], None, options, clock);
        }
        let read = files.understood(&mut walked, options);
        // A file may have been another one when it was read again.
        let names = Names::of(&walked, read.iter().map(|file| file.as_ref().and_then(|file| file.key)), options);
        let (judgement, failed, program) = Judgement::make(&mut walked, read, options, &mut clock);
        let crashed = judgement.gaps.iter().any(|gap| matches!(gap.reason, GapReason::Crashed(_)));
        if failed.is_empty() && !crashed {
            let name = if judgement.is_beside(&walked.repository, options) { &names.tree } else { &names.change };
            kept.put(name, &judgement);
            clock.lap("keep");
        }
        tell(walked.repository, judgement, failed, Some(program), options, clock)
    }
}

/// Settles what was found.
fn tell(
    repository: Repository,
    judgement: Judgement,
    failed: Vec<FailedRule>,
    program: Option<Program>,
    options: &Options,
    mut clock: Clock,
) -> Judged {
    let Judgement { findings, marked, facts, configured, idle, .. } = judgement;
    let wanted = |found: &Found| options.rules.iter().any(|rule| rule.id == found.rule.as_str());
    let findings = findings.into_iter().filter(wanted).filter_map(Found::into_finding).collect();
    let mut files: Vec<File> = repository.files.iter().map(|file| File { path: file.path, facts: None }).collect();
    for (file, facts) in facts {
        files[file.index()].facts = Some(facts);
    }
    let choices = settle::Choices { marked: Some(marked), ..options.settle.clone() };
    let mut settled = settle::settle(&files, &repository, findings, &choices);
    settled.failed = failed;
    clock.lap("settle");
    Judged { repository, files, settled, configured, idle, timings: clock.laps, program }
}

/// The names of a judgement: of the tree alone, and with the change that is looked at.
struct Names {
    tree: Key,
    change: Key,
}

impl Names {
    /// `keys` name what is read of each file.
    fn of(walked: &Walked, keys: impl Iterator<Item = Option<Key>>, options: &Options) -> Self {
        let repository = &walked.repository;
        let mut digest = Digest::default();
        digest.key(&walked.keys.key("", false, ""));
        digest.text(&format!("{:?} {}", options.own.hints, options.settle.as_of));
        digest.numbers([repository.files.len() as u64, repository.everything.len() as u64]);
        for (SourceFile { path, kind, size, tracked, named, generated }, key) in repository.files.iter().zip(keys) {
            digest.text(path);
            digest.text(&format!("{kind:?}"));
            let is_read = key.is_some();
            digest.numbers([*size, u64::from(*tracked), u64::from(*named), u64::from(*generated), u64::from(is_read)]);
            digest.key(&key.unwrap_or_default());
        }
        repository.everything.iter().for_each(|path| digest.text(path));
        digest.text(&format!("{:?} {:?} {:?}", repository.left_out, repository.gaps, repository.context));
        let tree = digest.name();
        if let Some(change) = &options.settle.change {
            digest.text(&change.name());
        }
        Self { tree, change: digest.name() }
    }

    /// What is kept under them.
    fn find(&self, kept: &Judgements, repository: &Repository, options: &Options) -> Option<Judgement> {
        let answers = |judgement: &Judgement| judgement.answers(repository, options);
        let of_tree = kept.get(&self.tree).filter(answers);
        let of_tree = of_tree.filter(|judgement| judgement.is_beside(repository, options));
        if options.settle.change.is_none() {
            of_tree
        } else {
            of_tree.or_else(|| kept.get(&self.change).filter(answers))
        }
    }
}

/// All that decides what a scan finds and tells besides what it reads, in words that are the same wherever the tree
/// lies: `place` says where a path is.
pub fn question(options: &Options, place: impl Fn(&std::path::Path) -> String) -> String {
    let Options { walk, rules, settle, own, .. } = options;
    let rules: Vec<&str> = rules.iter().map(|rule| rule.id).collect();
    let paths: Vec<String> = walk.paths.iter().map(|path| place(path)).collect();
    let ignored: Vec<_> = walk.ignored.iter().map(|(folder, patterns)| (place(folder), patterns)).collect();
    let settle::Choices { persona, min_severity, honour_suppressions, as_of, levels, addresses, unused, .. } = settle;
    let settled = (persona, min_severity, honour_suppressions, as_of, levels, addresses, unused);
    format!(
        "{rules:?} {paths:?} {} {ignored:?} {settled:?} {:?} {:?} {}",
        walk.honour_ignores, own.hints, own.vendors, own.isolated
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Own;
    use crate::finding::Persona;
    use crate::pipeline::scan;
    use crate::rules::RULES;
    use crate::walk;

    #[test]
    fn files_that_were_not_held_are_read_again() {
        let (app, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for at in 0..60 {
            let text = format!("export const call{at} = () => fetch('https://api.stripe.com/v1/charges/{at}');\n");
            std::fs::write(app.path().join(format!("a{at}.js")), text).unwrap();
        }
        let options = Options {
            walk: walk::Choices {
                paths: vec![app.path().to_owned()],
                honour_ignores: true,
                threads: 1,
                ignored: vec![],
            },
            rules: RULES.to_vec(),
            settle: settle::Choices::new(Persona::Auditor),
            jobs: 2,
            progress: false,
            own: Own::default(),
            cache: Some(cache.path().to_owned()),
        };
        let told = |settled: &Settled| -> Vec<String> {
            settled.findings.iter().map(|found| format!("{:?} {}", found.finding, found.fingerprint)).collect()
        };
        let same = |kept: bool| {
            let judged = judge(&options).unwrap();
            assert_eq!(judged.program.is_none(), kept);
            assert_eq!(told(&judged.settled), told(&scan(&options).unwrap().settled));
            assert!(!judged.settled.findings.is_empty());
        };
        same(false);
        same(true);
        std::fs::write(app.path().join("a7.js"), "export const call7 = 1;\n").unwrap();
        same(false);
        same(true);
    }
}
