//! What parameters are worth: what the callers hand in, and what the elements that render a component put in.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::catalogue::Seg;
use crate::facts::ExprKind;
use crate::finding::FileId;
use crate::link::eval::Eval;
use crate::names::Name;
use crate::program::{CallRef, ExprRef, FunctionRef, Program, Value};

impl Program {
    /// `value` with parameters replaced by what the callers hand in, four calls up at most.
    pub fn expand(&self, value: &Value) -> Value {
        Expander::new(self).expand(value)
    }

    /// What the elements that render a component put into a property.
    fn property(&self, component: FunctionRef, name: Name) -> Option<Value> {
        let elements = self.graph.elements.get(&component)?;
        let mut values = Vec::new();
        for element in elements.iter().take(12) {
            if let ExprKind::Element(shape) = self.facts(element.file).expr(element.expr)
                && let Some(&(_, value)) = shape.attributes.iter().find(|(key, _)| *key == name)
            {
                values.push(self.value(ExprRef::new(element.file, value)));
            }
        }
        (!values.is_empty()).then(|| Value::one_of(values))
    }
}

/// Replaces parameters by what callers hand in. What a parameter is worth is asked once: ways up through callers
/// branch, and meet again.
pub struct Expander<'p> {
    program: &'p Program,
    /// What parameters are worth, so many calls up.
    known: FxHashMap<(FunctionRef, u16, usize), Value>,
}

impl<'p> Expander<'p> {
    /// Most calls up.
    const HIGHEST: usize = 4;
    /// More callers than this say nothing together.
    const MOST_CALLERS: usize = 12;
    /// Tests among them included.
    const MOST_ASKED: usize = 100;

    /// Nothing is known yet; good as long as the call graph stays as it is.
    pub fn new(program: &'p Program) -> Self {
        Self { program, known: FxHashMap::default() }
    }

    /// `value` with its parameters replaced, four calls up at most.
    pub fn expand(&mut self, value: &Value) -> Value {
        self.expand_to(value, Self::HIGHEST)
    }

    fn expand_to(&mut self, value: &Value, depth: usize) -> Value {
        if depth == 0 {
            return value.clone();
        }
        match value {
            Value::Param(function, index) => self.param(*function, *index, depth).unwrap_or_else(|| value.clone()),
            Value::Member(base, name) => {
                if let Value::Param(function, 0) = **base
                    && let Some(property) = self.program.property(function, *name)
                {
                    return self.expand_to(&property, depth - 1);
                }
                let expanded = self.expand_to(base, depth);
                if expanded == **base { value.clone() } else { self.program.member(&expanded, *name) }
            }
            Value::Template(parts) => {
                Value::template(parts.iter().map(|part| self.expand_to(part, depth)).collect::<Vec<_>>())
            }
            Value::OneOf(parts) => {
                Value::one_of(parts.iter().map(|part| self.expand_to(part, depth)).collect::<Vec<_>>())
            }
            Value::Result(call) => self.result(*call, depth).unwrap_or_else(|| value.clone()),
            other => other.clone(),
        }
    }

    /// What the callers hand in; none where there are none or too many.
    fn param(&mut self, function: FunctionRef, index: u16, depth: usize) -> Option<Value> {
        if let Some(known) = self.known.get(&(function, index, depth)) {
            return Some(known.clone());
        }
        // What tests hand in is not what the app does.
        let program = self.program;
        let is_test = |file: FileId| program.tests[file.index()];
        let in_test = is_test(function.file);
        let all = program.callers(function).iter().copied().take(Self::MOST_ASKED);
        let callers: Vec<CallRef> = all.filter(|caller| in_test || !is_test(caller.file)).collect();
        if callers.is_empty() || callers.len() > Self::MOST_CALLERS {
            return None;
        }
        let handed: Vec<Value> = callers
            .iter()
            .map(|&caller| {
                let argument = Eval::new(self.program).argument_for(function, index, caller);
                self.expand_to(&argument, depth - 1)
            })
            .collect();
        let value = Value::one_of(handed);
        self.known.insert((function, index, depth), value.clone());
        Some(value)
    }

    /// What a call of something handed in gives, when a package provides it.
    fn result(&mut self, call: CallRef, depth: usize) -> Option<Value> {
        let program = self.program;
        let callee = program.graph.callee(call);
        if !matches!(callee, Value::Member(..)) || !is_open(program, callee, depth) {
            return None;
        }
        let callee = self.expand_to(callee, depth - 1);
        let given = callee.externals().map(|external| {
            let seg = if program.facts(call.file).call(call.call).is_new { Seg::New } else { Seg::Call };
            Value::External(Arc::new(external.then(seg, Some(call))))
        });
        let given: Vec<Value> = given.collect();
        (!given.is_empty()).then(|| Value::one_of(given))
    }
}

/// Whether a value rests on a parameter, also through calls: `db.from("orders").insert` with `db` handed in.
pub fn is_open(program: &Program, value: &Value, depth: usize) -> bool {
    value.any(|part| match part {
        Value::Param(..) => true,
        Value::Result(call) => depth > 0 && is_open(program, program.graph.callee(*call), depth - 1),
        _ => false,
    })
}
