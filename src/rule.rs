//! A rule is a value; a [`Report`] is where it says what it found.

use crate::finding::{Confidence, Finding, Place, Remark, Severity};
use crate::names::Name;
use crate::program::Program;

/// A rule.
pub struct Rule {
    /// Its stable id.
    pub id: &'static str,
    /// The default severity.
    pub severity: Severity,
    /// The default confidence.
    pub confidence: Confidence,
    /// The section of the catalogue it belongs to: "Secrets".
    pub section: &'static str,
    /// GitHub's `security-severity` (0.1 to 10.0), on security rules only.
    pub security_severity: Option<f32>,
    /// The first version that has it.
    pub since: &'static str,
    /// Markdown: a title line, why it bites, `Silent when ..`, the cure.
    pub docs: &'static str,
    /// Looks at the program and reports.
    pub check: fn(&Program, &mut Report),
}

impl Rule {
    /// The title: the first line of its docs.
    pub fn title(&self) -> &'static str {
        self.docs.trim_start().lines().next().unwrap_or(self.id).trim()
    }
}

/// Declares `pub static RULE: Rule` with the doc comment as its docs.
///
/// ```ignore
/// rule! {
///     /// Title line.
///     ///
///     /// Why it bites ...
///     id: "missing-timeout", severity: Warning, confidence: High, section: "Timeouts, retries, limits",
///     security: None, since: "0.1.0", check: check
/// }
/// ```
#[macro_export]
macro_rules! rule {
    ($(#[doc = $doc:literal])+ id: $id:literal, severity: $severity:ident, confidence: $confidence:ident,
     section: $section:literal, security: $security:expr, since: $since:literal, check: $check:path $(,)?) => {
        $(#[doc = $doc])+
        pub static RULE: $crate::rule::Rule = $crate::rule::Rule {
            id: $id,
            severity: $crate::finding::Severity::$severity,
            confidence: $crate::finding::Confidence::$confidence,
            section: $section,
            security_severity: $security,
            since: $since,
            docs: concat!($($doc, "\n"),+),
            check: $check,
        };
    };
}

/// What one rule found. Add-only.
pub struct Report {
    rule: &'static Rule,
    findings: Vec<Finding>,
}

impl Report {
    /// An empty report of a rule.
    pub fn new(rule: &'static Rule) -> Self {
        Self { rule, findings: vec![] }
    }

    /// Reports at a place with the rule's default severity and confidence; the draft takes the rest.
    /// `subject` is the call or variable concerned, stable against edits around it.
    pub fn at(&mut self, place: Place, subject: impl Into<String>, message: impl Into<String>) -> Draft<'_> {
        self.findings.push(Finding {
            rule: self.rule.id,
            severity: self.rule.severity,
            confidence: self.rule.confidence,
            auditor_only: false,
            place,
            message: message.into(),
            related: vec![],
            trace: vec![],
            help: String::new(),
            vendors: vec![],
            subject: subject.into(),
        });
        let at = self.findings.len() - 1;
        Draft(&mut self.findings[at])
    }

    /// What was found.
    pub fn into_findings(self) -> Vec<Finding> {
        self.findings
    }
}

/// A finding being written.
pub struct Draft<'r>(&'r mut Finding);

impl Draft<'_> {
    /// Another place that matters.
    pub fn because(self, place: Place, text: impl Into<String>) -> Self {
        self.0.related.push(Remark { place, text: text.into() });
        self
    }

    /// The way to the place.
    pub fn trace(self, steps: Vec<Remark>) -> Self {
        self.0.trace = steps;
        self
    }

    /// How to mend it.
    pub fn help(self, text: impl Into<String>) -> Self {
        self.0.help = text.into();
        self
    }

    /// The vendor concerned.
    pub fn vendor(self, vendor: Name) -> Self {
        if !self.0.vendors.contains(&vendor) {
            self.0.vendors.push(vendor);
        }
        self
    }

    /// A severity other than the rule's.
    pub fn severity(self, severity: Severity) -> Self {
        self.0.severity = severity;
        self
    }

    /// A confidence other than the rule's.
    pub fn confidence(self, confidence: Confidence) -> Self {
        self.0.confidence = confidence;
        self
    }

    /// For auditors only.
    pub fn auditor_only(self) -> Self {
        self.0.auditor_only = true;
        self
    }
}
