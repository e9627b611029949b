//! What FastAPI hands in: `db: DB` where `DB = Annotated[Session, Depends(get_db)]`, and `db=Depends(get_db)` without
//! a type.

use super::Eval;
use crate::facts::{ExprId, ExprKind, FunctionId, Imported, Op};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::{ExprRef, FunctionRef, Target, Value};

/// Through how many names an alias is followed.
const FARTHEST: usize = 4;

impl Eval<'_> {
    /// The type that an alias annotates, where a name stands for one.
    pub(super) fn annotated(&self, ty: ExprRef) -> Option<ExprRef> {
        let mut at = ty;
        for _ in 0..FARTHEST {
            let facts = self.facts(at.file)?;
            let here = |expr: ExprId| ExprRef::new(at.file, expr);
            at = match facts.expr(at.expr) {
                ExprKind::Ref(name, block) => match facts.def(facts.lookup(*block, *name)?).values[..] {
                    [only] => here(only),
                    _ => return None,
                },
                ExprKind::Imported(import, Imported::Name(name)) => {
                    match self.program.modules.target(at.file, *import) {
                        Target::File(target) => self.defined(*target, *name)?,
                        _ => return None,
                    }
                }
                ExprKind::Index(wrapper, index) => {
                    let is_annotated = facts.last_name(*wrapper).is_some_and(|name| name == "Annotated");
                    return match facts.expr(*index) {
                        ExprKind::List(parts) if is_annotated => parts.first().map(|&first| here(first)),
                        _ => None,
                    };
                }
                _ => return None,
            };
        }
        None
    }

    /// The only value of a name of a module.
    fn defined(&self, file: FileId, name: Name) -> Option<ExprRef> {
        let facts = self.facts(file)?;
        let def = facts.defined_in(facts.function(FunctionId::MODULE).body, name)?;
        match facts.def(def).values[..] {
            [only] => Some(ExprRef::new(file, only)),
            _ => None,
        }
    }

    /// What a parameter's dependency makes, where that takes nothing itself: a session or a client, the same for everyone
    /// who asks. What looks at the request may find anything.
    pub(super) fn depended(&mut self, function: FunctionRef, index: u16) -> Option<Value> {
        let facts = self.facts(function.file)?;
        if facts.language.is_script() {
            return None;
        }
        let default = facts.function(function.function).params.get(index as usize)?.default?;
        let ExprKind::Call(call) = *facts.expr(default) else { return None };
        let call = facts.call(call);
        if facts.last_name(call.callee).is_none_or(|name| name != "Depends") {
            return None;
        }
        let given = call.args.first().filter(|arg| arg.name.is_none_or(|name| name == "dependency"))?;
        let Value::Function(maker) = self.expr(ExprRef::new(function.file, given.value)) else { return None };
        let value = self.yielded(maker)?;
        value.alternatives().iter().all(|value| matches!(value, Value::External(_))).then_some(value)
    }

    /// What a function without parameters yields, or else returns.
    fn yielded(&mut self, maker: FunctionRef) -> Option<Value> {
        let facts = self.facts(maker.file)?;
        let shape = facts.function(maker.function);
        if !shape.params.is_empty() {
            return None;
        }
        let yields = facts.exprs.iter().filter(|expr| shape.span.contains(expr.span));
        let yielded: Vec<ExprId> = yields
            .filter_map(|expr| match &expr.kind {
                ExprKind::Op(Op::Yield, parts) => parts.first().copied(),
                _ => None,
            })
            .collect();
        match yielded[..] {
            [] => Some(self.result(maker)),
            [only] => Some(self.expr(ExprRef::new(maker.file, only))),
            _ => None,
        }
    }
}
