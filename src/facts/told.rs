//! What of a file's facts reports and suppressions ask for: little enough to be kept with what was found.

use super::{ExprKind, Facts, Scope};

impl Facts {
    /// The functions that have names, the credentials and the lines; with `strings` also where texts stand. All else
    /// is left out.
    pub fn told(&self, strings: bool) -> Self {
        let is_string = |kind: &ExprKind| matches!(kind, ExprKind::Text(_) | ExprKind::Template(_));
        let mut told = Self {
            language: self.language,
            directives: vec![],
            imports: vec![],
            exports: vec![],
            functions: self.functions.iter().filter(|function| function.name.is_some()).cloned().collect(),
            classes: vec![],
            blocks: vec![],
            defs: vec![],
            exprs: vec![],
            calls: vec![],
            tokens: self.tokens.clone(),
            loads: vec![],
            script_tags: vec![],
            head: None,
            strict_reads: vec![],
            lines: self.lines.clone(),
            syntax_errors: 0,
            lost: None,
            too_deep: self.too_deep,
            scope: Scope::default(),
        };
        for function in &mut told.functions {
            (function.params, function.decorators) = (Box::default(), Box::default());
        }
        if strings {
            told.exprs = self.exprs.iter().filter(|expr| is_string(&expr.kind)).cloned().collect();
        }
        told
    }
}
