//! Keys that the server hands to the app's own pages, which give them to a script made for browsers: whoever opens the
//! page has them anyway.

use crate::catalogue::Runs;
use crate::facts::{ExprId, ExprKind};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::secrets::bundling::Nature;
use crate::program::verify::words;
use crate::program::{EdgeKind, ExprRef, FunctionRef, Program, Value};

impl Program {
    /// Whether a function answers with a variable, under the keys of `answered`, for a page of the app's own that asks it
    /// and hands that to what is made for browsers: the key of a map. What is known to be secret is not meant.
    pub(super) fn is_key_of_pages(&self, function: FunctionRef, variable: Name, answered: &[ExprRef]) -> bool {
        let open = match self.variable(&variable) {
            (Nature::ByUse, _) => true,
            (_, vendor) => vendor.is_none() && !words(&variable).iter().any(|word| word == "secret"),
        };
        let keys: Vec<Name> = answered.iter().flat_map(|&part| self.names_in_answer(part, variable)).collect();
        open && !keys.is_empty()
            && self.asking_pages(function).into_iter().any(|file| {
                let facts = self.facts(file);
                let reads = facts
                    .exprs
                    .iter()
                    .any(|expr| matches!(&expr.kind, ExprKind::Member(_, name) if keys.contains(name)));
                let handed = || {
                    let importers = self.modules.importers(file).iter().map(|&(file, _)| file);
                    importers.chain([file]).any(|file| self.hands_key_to_browsers_sdk(file))
                };
                reads && handed()
            })
    }

    /// The keys of an answer under which a variable stands.
    fn names_in_answer(&self, answered: ExprRef, variable: Name) -> Vec<Name> {
        let ExprKind::Object(entries) = self.facts(answered.file).expr(answered.expr) else { return vec![] };
        let holds = |value: ExprId| self.value(ExprRef::new(answered.file, value)).envs().contains(&variable);
        entries.iter().filter(|(_, value)| holds(*value)).map(|(key, _)| *key).collect()
    }

    /// The files of the app's pages that ask what a function serves.
    fn asking_pages(&self, function: FunctionRef) -> Vec<FileId> {
        let entries = self.origins(function).into_iter().map(|origin| self.entries[origin.entry].function);
        let asked = entries.flat_map(|entry| self.incoming(entry)).filter(|edge| edge.kind == EdgeKind::Jump);
        let mut files: Vec<FileId> = asked.map(|edge| edge.call.file).filter(|&file| self.side(file).client).collect();
        files.sort_unstable();
        files.dedup();
        files
    }

    /// Whether a file hands a key that is no text of its own to a package made for browsers, or puts one into the address
    /// of a script that others serve to pages.
    fn hands_key_to_browsers_sdk(&self, file: FileId) -> bool {
        let facts = self.facts(file);
        let clients = self.clients().iter().filter(|client| client.at.file == file).any(|client| {
            let packages = &self.catalogue.vendor(client.vendor).packages;
            let known = packages.iter().find(|known| known.name == client.package.as_str());
            let key = known.filter(|known| known.runs == Runs::Browser).and_then(|known| known.key.as_ref());
            key.is_some_and(|key| {
                let arg = facts.call(client.at.call).args.get(key.arg);
                arg.is_some_and(|arg| match (facts.expr(arg.value), &key.option) {
                    (ExprKind::Object(entries), Some(option)) => entries
                        .iter()
                        .any(|(name, value)| name == option.as_str() && self.comes_from_elsewhere(file, *value)),
                    (_, None) => self.comes_from_elsewhere(file, arg.value),
                    _ => false,
                })
            })
        });
        clients
            || facts.exprs.iter().any(|expr| match &expr.kind {
                ExprKind::Template(parts) => {
                    let url = parts.first().and_then(|&part| match facts.expr(part) {
                        ExprKind::Text(text) => Some(*text),
                        _ => None,
                    });
                    parts.len() > 1 && url.is_some_and(|url| self.catalogue.page_script(&url).is_some())
                }
                _ => false,
            })
    }

    fn comes_from_elsewhere(&self, file: FileId, value: ExprId) -> bool {
        !matches!(self.value(ExprRef::new(file, value)), Value::Text(_) | Value::Env(_) | Value::Null)
    }
}
