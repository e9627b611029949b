//! What a file takes from modules it loads while running: `import()` and `require()` are values, so the names
//! taken show only in how the value is used, whatever the syntax.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{
    BlockKind, Element, ExprId, ExprKind, Facts, FunctionId, ImportId, ImportKind, Imported, Param, Step,
};
use crate::names::Name;

/// Functions that take a loader and use the default export of what it loads.
const LAZY: &[&str] = &["lazy", "dynamic", "loadable", "defineAsyncComponent"];

/// Fills [`crate::facts::Import::names`] of every import that is a value.
pub(super) fn fill_names(facts: &mut Facts) {
    let is_value = |kind| matches!(kind, ImportKind::Dynamic | ImportKind::Require);
    if !facts.imports.iter().any(|import| is_value(import.kind) && import.names.is_empty()) {
        return;
    }
    let mut uses = Uses { facts, names: FxHashMap::default(), lazy: FxHashSet::default(), handed: vec![] };
    uses.collect();
    let Uses { names: found, handed, .. } = uses;
    for (import, function) in handed {
        for expr in facts.exprs.iter_mut().filter(|expr| matches!(expr.kind, ExprKind::Param(of, 0) if of == function))
        {
            expr.kind = ExprKind::Imported(import, Imported::Module);
        }
    }
    for (import, mut names) in found {
        let import = &mut facts.imports[import.index()];
        if is_value(import.kind) && import.names.is_empty() {
            if names.contains(&Name::new("*")) {
                names = vec![Name::new("*")];
            }
            names.sort_unstable();
            names.dedup();
            import.names = names;
        }
    }
}

struct Uses<'f> {
    facts: &'f Facts,
    names: FxHashMap<ImportId, Vec<Name>>,
    /// Functions handed to one of [`LAZY`].
    lazy: FxHashSet<FunctionId>,
    /// Functions that `.then` hands a module: their parameter is the module.
    handed: Vec<(ImportId, FunctionId)>,
}

impl Uses<'_> {
    /// The module an expression is, through `await`.
    fn module(&self, id: ExprId) -> Option<ImportId> {
        match *self.facts.expr(id) {
            ExprKind::Imported(import, Imported::Module) => Some(import),
            ExprKind::Await(inner) => match *self.facts.expr(inner) {
                ExprKind::Imported(import, Imported::Module) => Some(import),
                _ => None,
            },
            _ => None,
        }
    }

    fn take(&mut self, import: ImportId, name: Name) {
        self.names.entry(import).or_default().push(name);
    }

    /// The value is used in a way that keeps all of it.
    fn keep(&mut self, id: ExprId) {
        if let Some(import) = self.module(id) {
            self.take(import, Name::new("*"));
        }
    }

    fn collect(&mut self) {
        let facts = self.facts;
        for expr in &facts.exprs {
            match expr.kind {
                ExprKind::Member(base, name) => {
                    if let Some(import) = self.module(base)
                        && !matches!(name.as_str(), "then" | "catch" | "finally")
                    {
                        self.take(import, name);
                    }
                }
                ExprKind::Index(base, index) => [base, index].into_iter().for_each(|id| self.keep(id)),
                ExprKind::Template(ref parts) | ExprKind::List(ref parts) | ExprKind::Op(_, ref parts) => {
                    parts.iter().for_each(|&part| self.keep(part));
                }
                ExprKind::Object(ref pairs) => pairs.iter().for_each(|&(_, value)| self.keep(value)),
                ExprKind::Spread(inner) | ExprKind::ElementOf(inner) => self.keep(inner),
                ExprKind::Element(ref element) => {
                    let Element { tag: _, attributes, children } = &**element;
                    attributes
                        .iter()
                        .map(|&(_, value)| value)
                        .chain(children.iter().copied())
                        .for_each(|id| self.keep(id));
                }
                _ => {}
            }
        }
        for call in &facts.calls {
            call.args.iter().for_each(|arg| self.keep(arg.value));
            if let Some(arg) = call.args.first()
                && let ExprKind::Function(function) = *facts.expr(arg.value)
            {
                match *facts.expr(call.callee) {
                    ExprKind::Member(base, name) if name == "then" => {
                        if let Some(import) = self.module(base) {
                            self.parameter(import, function);
                            self.handed.push((import, function));
                        }
                    }
                    ExprKind::Ref(name, _) | ExprKind::Member(_, name) if LAZY.contains(&name.as_str()) => {
                        self.lazy.insert(function);
                    }
                    _ => {}
                }
            }
        }
        for def in &facts.defs {
            def.values.iter().for_each(|&value| self.keep(value));
        }
        for block in &facts.blocks {
            for step in &block.steps {
                match *step {
                    Step::Return(Some(value)) => match self.module(value) {
                        Some(import) if block.kind == BlockKind::Body && self.lazy.contains(&block.function) => {
                            self.take(import, Name::new("default"));
                        }
                        _ => self.keep(value),
                    },
                    Step::Assign(_, value) => self.keep(value),
                    _ => {}
                }
            }
        }
        for export in &facts.exports {
            if let crate::facts::ExportValue::Local(value) = export.value {
                self.keep(value);
            }
        }
    }

    /// `.then(module => ..)`: the names taken of the parameter.
    fn parameter(&mut self, import: ImportId, function: FunctionId) {
        let facts = self.facts;
        let body = facts.function(function).body;
        let Some(Param { name, .. }) = facts.function(function).params.first() else { return };
        let span = facts.function(function).span;
        let inside = facts.exprs.iter().enumerate().filter(|(_, expr)| span.contains(expr.span));
        match *name {
            None => {
                for (_, expr) in inside {
                    if let ExprKind::Member(base, name) = expr.kind
                        && matches!(*facts.expr(base), ExprKind::Param(of, 0) if of == function)
                    {
                        self.take(import, name);
                    }
                }
            }
            Some(parameter) => {
                let is_module = |id: ExprId| match *facts.expr(id) {
                    ExprKind::Ref(name, block) => {
                        name == parameter && facts.lookup(block, name) == facts.defined_in(body, name)
                    }
                    _ => false,
                };
                let (mut uses, mut members) = (0, 0);
                for (at, expr) in inside {
                    uses += usize::from(is_module(ExprId(at as u32)));
                    if let ExprKind::Member(base, name) = expr.kind
                        && is_module(base)
                    {
                        members += 1;
                        self.take(import, name);
                    }
                }
                if uses > members {
                    self.take(import, Name::new("*"));
                }
            }
        }
    }
}
