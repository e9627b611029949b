//! From what the rules found to what is told: levels, suppressions, persona, severity, baseline, change, order.
//!
//! Every finding gets its fingerprint before anything is left out, so that neither a persona nor a suppression
//! elsewhere changes it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::baseline::Baseline;
use crate::diff::{Changes, Scope};
use crate::finding::{FileId, Finding, Persona, Severity};
use crate::program::{File, added};
use crate::rules::RULES;
use crate::texts::Texts;
use crate::walk::{FileKind, Repository};

pub mod fingerprint;
pub mod ignores;
pub mod mend;

use fingerprint::Address;
use ignores::{Ignore, Scan};
pub use ignores::{IgnoreProblem, Problem};

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Choices {
    /// For whom.
    pub persona: Persona,
    /// Nothing below this is told.
    pub min_severity: Severity,
    /// Whether suppression comments count.
    pub honour_suppressions: bool,
    /// The day that rules judge by: `YYYY-MM-DD`.
    pub as_of: String,
    /// The ids a suppression may name.
    pub known: Vec<&'static str>,
    /// The rules that ran: suppressions of others are never called unused.
    pub ran: Vec<&'static str>,
    /// The files whose text holds [`ignores::MARKER`], if the walk kept note of it. Without it, files with findings
    /// are searched, for the auditor all files.
    pub marked: Option<Vec<FileId>>,
    /// Rules with another level than their own, or left out; the last that applies counts.
    pub levels: Vec<Level>,
    /// What is due, in words, to be told with the findings.
    pub reminders: Vec<String>,
    /// Findings that are not told again.
    pub baseline: Option<Arc<Baseline>>,
    /// Tell only what a change concerns.
    pub change: Option<Change>,
    /// Whether [`Settled::addresses`] is wanted.
    pub addresses: bool,
    /// Whether suppressions that suppress nothing are told: not when only a part of the repository is looked at.
    pub unused: bool,
}

/// What a change is to be told of.
#[derive(Debug, Clone)]
pub struct Change {
    /// What it touches.
    pub touched: Arc<Changes>,
    /// Which findings are told.
    pub scope: Scope,
    /// What was there before, when that is what counts.
    pub before: Option<Arc<Baseline>>,
    /// Finds out which vendors were in use before.
    pub vendors: added::Before,
    /// What decides what was there before; empty when nothing is known of it.
    pub from: String,
}

impl Change {
    /// A change of which only the lines are known.
    pub fn of(touched: Changes, scope: Scope) -> Self {
        Self { touched: Arc::new(touched), scope, before: None, vendors: added::Before::default(), from: String::new() }
    }

    /// What is known of it, in words that are the same for the same change.
    pub fn name(&self) -> String {
        let files: BTreeMap<_, _> = self.touched.files.iter().collect();
        let renamed: BTreeMap<_, _> = self.touched.renamed.iter().collect();
        format!("{files:?} {renamed:?} {}", self.from)
    }

    /// What rules may know of it.
    pub fn brings(&self) -> added::Change {
        added::Change { touched: Arc::clone(&self.touched), before: self.vendors.clone() }
    }
}

/// What the configuration says of a rule.
#[derive(Debug, Clone)]
pub struct Level {
    /// The folder it holds in; empty for everywhere.
    pub folder: String,
    /// The rule.
    pub rule: &'static str,
    /// The severity of its findings.
    pub severity: Option<Severity>,
    /// Why its findings are left out.
    pub skip: Option<String>,
}

impl Choices {
    /// The defaults for a persona: every rule ran, suppressions count.
    pub fn new(persona: Persona) -> Self {
        let ids: Vec<_> = RULES.iter().map(|rule| rule.id).collect();
        Self {
            persona,
            min_severity: Severity::Note,
            honour_suppressions: true,
            as_of: crate::day::today(),
            ran: ids.clone(),
            known: ids,
            marked: None,
            levels: vec![],
            reminders: vec![],
            baseline: None,
            change: None,
            addresses: false,
            unused: true,
        }
    }
}

/// How many of each severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Errors.
    pub error: usize,
    /// Warnings.
    pub warning: usize,
    /// Notes.
    pub note: usize,
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, severity: Severity) {
        match severity {
            Severity::Error => self.error += 1,
            Severity::Warning => self.warning += 1,
            Severity::Note => self.note += 1,
        }
    }

    /// All together.
    pub fn total(self) -> usize {
        self.error + self.warning + self.note
    }
}

/// A finding that is told.
#[derive(Debug, Clone)]
pub struct SettledFinding {
    /// What was found.
    pub finding: Finding,
    /// Its stable name; see [`fingerprint`].
    pub fingerprint: String,
}

/// What suppresses a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A comment at the place.
    Comment,
    /// A comment for the whole file.
    FileComment,
    /// The configuration.
    Configuration,
}

impl By {
    /// A stable word for machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Comment => "comment",
            Self::FileComment => "file-comment",
            Self::Configuration => "configuration",
        }
    }
}

/// A finding that a comment or the configuration suppresses.
#[derive(Debug, Clone)]
pub struct Suppressed {
    /// What was found.
    pub finding: Finding,
    /// Its stable name.
    pub fingerprint: String,
    /// The reason that is given.
    pub reason: String,
    /// What suppresses it.
    pub by: By,
}

/// A rule that broke down: its findings are missing.
#[derive(Debug, Clone)]
pub struct FailedRule {
    /// The rule's id.
    pub rule: &'static str,
    /// What it said.
    pub message: String,
}

/// What is told.
#[derive(Debug, Clone, Default)]
pub struct Settled {
    /// Findings in the order they are told.
    pub findings: Vec<SettledFinding>,
    /// Those a comment or the configuration suppresses, among what the choices would show.
    pub suppressed: Vec<Suppressed>,
    /// Suppressions that do not do what their authors wanted, or that suppress nothing.
    pub ignore_problems: Vec<IgnoreProblem>,
    /// The suppressions that suppress nothing, for [`mend`].
    pub unused: Vec<Ignore>,
    /// How many only an auditor is shown.
    pub hidden_by_persona: Counts,
    /// How many are below the chosen severity.
    pub hidden_by_severity: Counts,
    /// How many the baseline covers.
    pub hidden_by_baseline: Counts,
    /// How many the change does not concern.
    pub hidden_by_change: Counts,
    /// For each entry of the baseline, whether it still stands for a finding.
    pub baseline_alive: Vec<bool>,
    /// The entries of the baseline whose file was moved, each with where it is now.
    pub baseline_moved: Vec<(usize, String)>,
    /// What every finding that nothing suppresses is known by, when that is wanted, told or not.
    pub addresses: Vec<Address>,
    /// What is due, in words.
    pub reminders: Vec<String>,
    /// Configurations in the scanned folders that do not count, by path; the runner adds them.
    pub unheeded: Vec<String>,
    /// What is told, by severity.
    pub counts: Counts,
    /// Rules that broke down; the pipeline adds them.
    pub failed: Vec<FailedRule>,
}

impl Settled {
    /// How many entries of the baseline stand for nothing any more.
    pub fn mended(&self) -> usize {
        self.baseline_alive.iter().filter(|alive| !**alive).count()
    }

    /// The worst that is told.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|settled| settled.finding.severity).max()
    }
}

/// Decides what is told. `files` are the program's.
pub fn settle(files: &[File], repository: &Repository, mut findings: Vec<Finding>, choices: &Choices) -> Settled {
    let texts = Texts::new(files, repository);
    // Severity and subject only break ties that would otherwise depend on the order in which rules ran.
    findings
        .sort_by(|a, b| a.order(b).then_with(|| b.severity.cmp(&a.severity)).then_with(|| a.subject.cmp(&b.subject)));
    findings.dedup_by(|b, a| (a.place, a.rule, &a.message) == (b.place, b.rule, &b.message));
    let fingerprints = fingerprint::all(&findings, &texts);
    let mut settled = Settled { reminders: choices.reminders.clone(), ..Settled::default() };
    let mut ignores = vec![];
    if choices.honour_suppressions {
        (ignores, settled.ignore_problems) = read_ignores(&texts, repository, choices);
    }
    let mut open = vec![];
    for (mut finding, fingerprint) in findings.into_iter().zip(fingerprints) {
        let level = level(&finding, &texts, choices);
        finding.severity = level.and_then(|level| level.severity).unwrap_or(finding.severity);
        let comment = suppression(&finding, &texts, &mut ignores);
        let skip = level.and_then(|level| level.skip.clone()).filter(|_| choices.honour_suppressions);
        match comment.or(skip.map(|reason| (reason, By::Configuration))) {
            Some((reason, by)) if finding.is_for(choices.persona) && finding.severity >= choices.min_severity => {
                settled.suppressed.push(Suppressed { finding, fingerprint, reason, by });
            }
            Some(_) => {}
            None => open.push(SettledFinding { finding, fingerprint }),
        }
    }
    let hidden = Hidden::of(&open, &texts, repository, choices, &mut settled);
    for (at, found) in open.into_iter().enumerate() {
        let (finding, severity) = (&found.finding, found.finding.severity);
        let (known, apart) = (hidden.by_baseline.get(at) == Some(&true), hidden.by_change.get(at) == Some(&true));
        let counts = if !finding.is_for(choices.persona) || severity < choices.min_severity {
            // Of those that another choice would show.
            match (known || apart, finding.is_for(choices.persona), severity < choices.min_severity) {
                (false, false, false) => &mut settled.hidden_by_persona,
                (false, true, true) => &mut settled.hidden_by_severity,
                _ => continue,
            }
        } else if known {
            &mut settled.hidden_by_baseline
        } else if apart {
            &mut settled.hidden_by_change
        } else {
            settled.findings.push(found);
            &mut settled.counts
        };
        counts.add(severity);
    }
    tell_unused(ignores, &texts, repository, choices, &mut settled);
    settled
}

/// What is not told because it was known before.
struct Hidden {
    by_baseline: Vec<bool>,
    by_change: Vec<bool>,
}

impl Hidden {
    fn of(
        open: &[SettledFinding],
        texts: &Texts<'_>,
        repository: &Repository,
        choices: &Choices,
        settled: &mut Settled,
    ) -> Self {
        let before = choices.change.as_ref().and_then(|change| change.before.as_ref());
        let addresses: Vec<Address> = match choices.baseline.is_some() || before.is_some() || choices.addresses {
            true => open.iter().map(|found| fingerprint::address(&found.finding, texts)).collect(),
            false => vec![],
        };
        let mut by_baseline = vec![];
        if let Some(baseline) = &choices.baseline {
            let cover = baseline.cover(&addresses, |path| texts.exists(path));
            let moved = cover.moved.iter().map(|&(entry, finding)| (entry, addresses[finding].path.clone()));
            settled.baseline_moved = moved.collect();
            // Of a rule that did not run, and of a file that was not read, nothing is known.
            let is_left_out = |entry: &Address| {
                let rule = entry.rule.as_str();
                choices.known.contains(&rule) && !choices.ran.contains(&rule) || repository.is_unread(&entry.path)
            };
            let alive = cover.alive.into_iter().zip(baseline.entries());
            settled.baseline_alive = alive.map(|(alive, entry)| alive || is_left_out(entry)).collect();
            by_baseline = cover.covered;
        }
        let by_change = match (&choices.change, before) {
            (None, _) => vec![],
            (Some(_), Some(before)) => before.cover_edited(&addresses).covered,
            (Some(change), None) => {
                let concerned = |it: &SettledFinding| change.touched.concerns(&it.finding, change.scope, texts);
                open.iter().map(|found| !concerned(found)).collect()
            }
        };
        if choices.addresses {
            let wanted = |it: &SettledFinding| it.finding.is_for(choices.persona);
            let addresses = open.iter().zip(addresses).filter(|(found, _)| wanted(found));
            settled.addresses = addresses.map(|(_, address)| address).collect();
        }
        Self { by_baseline, by_change }
    }
}

/// What the configuration says of a finding's rule, for its file.
fn level<'c>(finding: &Finding, texts: &Texts<'_>, choices: &'c Choices) -> Option<&'c Level> {
    let path = texts.path(finding.place.file);
    let is_in = |folder: &str| folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    choices.levels.iter().rev().find(|level| level.rule == finding.rule && is_in(&level.folder))
}

/// Names the suppressions that suppress nothing, and leaves out problems that a change does not concern.
fn tell_unused(
    ignores: Vec<Ignore>,
    texts: &Texts<'_>,
    repository: &Repository,
    choices: &Choices,
    settled: &mut Settled,
) {
    if choices.unused {
        let is_unused = |ignore: &Ignore| {
            let looked_at = || !repository.is_unread(texts.path(ignore.place.file));
            !ignore.used && choices.ran.contains(&ignore.rule.as_str()) && looked_at()
        };
        settled.unused = ignores.into_iter().filter(is_unused).collect();
        let problem = |it: &Ignore| IgnoreProblem { place: it.place, problem: Problem::Unused(it.rule.clone()) };
        settled.ignore_problems.extend(settled.unused.iter().map(problem));
    }
    if let Some(change) = &choices.change {
        settled.ignore_problems.retain(|problem| change.touched.touches(problem.place, change.scope, texts));
    }
    settled.ignore_problems.sort_by_key(|problem| problem.place);
}

fn read_ignores(texts: &Texts<'_>, repository: &Repository, choices: &Choices) -> (Vec<Ignore>, Vec<IgnoreProblem>) {
    let read = repository.files.iter().enumerate().filter(|(_, file)| file.kind != FileKind::Other);
    let searched: BTreeSet<FileId> = match &choices.marked {
        Some(marked) => marked.iter().copied().collect(),
        None => read.map(|(at, _)| FileId(at as u32)).collect(),
    };
    let (mut ignores, mut problems) = (vec![], vec![]);
    for file in searched {
        let Some(text) = texts.holding(file, ignores::MARKER) else { continue };
        let scan = Scan {
            file,
            path: texts.path(file),
            text: &text,
            facts: texts.facts(file),
            known: &choices.known,
            as_of: &choices.as_of,
        };
        let (found, wrong) = ignores::scan(&scan);
        ignores.extend(found);
        problems.extend(wrong);
    }
    (ignores, problems)
}

/// The reason for which a comment suppresses a finding. A comment at the place goes before one for the file.
fn suppression(finding: &Finding, texts: &Texts<'_>, ignores: &mut [Ignore]) -> Option<(String, By)> {
    let from = ignores.partition_point(|ignore| ignore.place.file < finding.place.file);
    let to = ignores.partition_point(|ignore| ignore.place.file <= finding.place.file);
    if from == to {
        return None;
    }
    let line = texts.region(finding.place).start.line;
    let here = |it: &Ignore| !it.whole_file && (it.covers == line || it.line == line);
    let of_rule = |it: &Ignore| it.rule == finding.rule;
    let ignores = &mut ignores[from..to];
    let at = ignores.iter().position(|it| of_rule(it) && here(it));
    let at = at.or_else(|| ignores.iter().position(|it| of_rule(it) && it.whole_file))?;
    let found = &mut ignores[at];
    found.used = true;
    Some((found.reason.clone(), if found.whole_file { By::FileComment } else { By::Comment }))
}
