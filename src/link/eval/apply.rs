//! What calls give: results of functions in terms of their parameters, and arguments put in their place.

use std::sync::Arc;

use super::{Eval, Key};
use crate::catalogue::Seg;
use crate::extract::build::is_env_call;
use crate::facts::ExprKind;
use crate::link::builtins;
use crate::names::Name;
use crate::program::{CallRef, ExprRef, FunctionRef, Value};

impl Eval<'_> {
    /// What a call gives.
    pub(super) fn call(&mut self, at: CallRef) -> Value {
        let Some(facts) = self.facts(at.file) else { return Value::Unknown };
        let callee = facts.call(at.call).callee;
        let callee = self.expr(ExprRef::new(at.file, callee));
        self.apply(&callee, at)
    }

    /// What calling `callee` at a call gives.
    pub fn apply(&mut self, callee: &Value, at: CallRef) -> Value {
        let Some(facts) = self.facts(at.file) else { return Value::Unknown };
        let call = facts.call(at.call);
        match callee {
            Value::Function(function) => {
                let result = self.result(*function);
                self.substitute(&result, *function, at)
            }
            Value::Class(class) => Value::Instance(*class),
            // `cls()` in a class method, `new this()` in a static one.
            Value::Instance(class) if matches!(facts.expr(call.callee), ExprKind::This(_)) => Value::Instance(*class),
            Value::External(external) => match builtins::call(self, external, at) {
                Some(value) => value,
                None => {
                    let dotted = external.dotted();
                    if is_env_call(&dotted) || self.program.catalogue.reads_env(external.package, &external.segs) {
                        return match self.argument(at, 0) {
                            Value::Text(name) => match call.args.len() {
                                0 | 1 => Value::Env(name),
                                _ => {
                                    let fallback = self.argument(at, 1);
                                    Value::one_of([Value::Env(name), fallback])
                                }
                            },
                            _ => Value::Unknown,
                        };
                    }
                    let seg = if call.is_new { Seg::New } else { Seg::Call };
                    Value::External(Arc::new(external.then(seg, Some(at))))
                }
            },
            Value::Member(base, method) => builtins::method(self, base, *method, at).unwrap_or(Value::Result(at)),
            Value::OneOf(callees) => {
                let results: Vec<Value> = callees.iter().map(|callee| self.apply(callee, at)).collect();
                Value::one_of(results)
            }
            Value::Module(file) => match self.export(*file, Name::new("default")) {
                Some(callee) if !matches!(callee, Value::Module(_)) => self.apply(&callee, at),
                _ => Value::Unknown,
            },
            Value::Unknown | Value::Null => Value::Unknown,
            _ => Value::Result(at),
        }
    }

    /// The value of an argument; unknown when there is none or a spread stands before it.
    pub fn argument(&mut self, at: CallRef, index: usize) -> Value {
        let Some(facts) = self.facts(at.file) else { return Value::Unknown };
        match facts.call(at.call).args.get(index) {
            Some(arg) if arg.name.is_none() => self.expr(ExprRef::new(at.file, arg.value)),
            _ => Value::Unknown,
        }
    }

    /// What a function returns, in terms of its own parameters.
    pub fn result(&mut self, function: FunctionRef) -> Value {
        let Some(memo) = self.program.memos.get(function.file.index()) else { return Value::Unknown };
        let cell = memo.results.get(function.function.index());
        self.guarded(Key::Result(function), cell, |eval| {
            let returns = memo.returns.of(function.function).take(16);
            let values: Vec<Value> = returns.map(|value| eval.expr(ExprRef::new(function.file, value))).collect();
            Value::one_of(values)
        })
    }

    /// `value` with the function's parameters replaced by the arguments of a call.
    pub fn substitute(&mut self, value: &Value, function: FunctionRef, at: CallRef) -> Value {
        match value {
            Value::Param(of, index) if *of == function => self.argument_for(function, *index, at),
            Value::Template(parts) => {
                let parts: Vec<Value> = parts.iter().map(|part| self.substitute(part, function, at)).collect();
                Value::template(parts)
            }
            Value::OneOf(parts) => {
                let parts: Vec<Value> = parts.iter().map(|part| self.substitute(part, function, at)).collect();
                Value::one_of(parts)
            }
            Value::Member(base, name) => {
                let base = self.substitute(base, function, at);
                self.member(&base, *name)
            }
            other => other.clone(),
        }
    }

    /// The argument of a call that arrives in a parameter: by position, by keyword, or the parameter's default.
    pub fn argument_for(&mut self, function: FunctionRef, index: u16, at: CallRef) -> Value {
        let (Some(facts), Some(callee)) = (self.facts(at.file), self.facts(function.file)) else {
            return Value::Unknown;
        };
        let Some(param) = callee.function(function.function).params.get(index as usize) else { return Value::Unknown };
        let args = &facts.call(at.call).args;
        let keyword = args.iter().find(|arg| arg.name.is_some() && arg.name == param.name);
        let positional = args.iter().take(index as usize + 1).nth(index as usize).filter(|arg| arg.name.is_none());
        let spread =
            args.iter().take(index as usize + 1).any(|arg| matches!(facts.expr(arg.value), ExprKind::Spread(_)));
        match keyword.or(positional) {
            _ if spread || param.rest => Value::Unknown,
            Some(arg) => self.expr(ExprRef::new(at.file, arg.value)),
            None => match param.default {
                Some(default) => self.expr(ExprRef::new(function.file, default)),
                None => Value::Null,
            },
        }
    }

    /// Any value of an object literal.
    pub fn any_key(&mut self, object: ExprRef) -> Value {
        let Some(ExprKind::Object(entries)) = self.facts(object.file).map(|facts| facts.expr(object.expr)) else {
            return Value::Unknown;
        };
        let values: Vec<Value> =
            entries.iter().take(24).map(|&(_, value)| self.expr(ExprRef::new(object.file, value))).collect();
        Value::one_of(values)
    }
}
