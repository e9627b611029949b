//! How deep code reaches into answers whose form nobody checked, and whether anything catches a miss.

use rustc_hash::FxHashSet;

use crate::catalogue::KnownRole;
use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Op, Step};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::money::core_paths::says::{answers_error, answers_refusal};
use crate::program::terms::{Ending, ending};
use crate::program::values::answers::{Deed, Look};
use crate::program::values::readers::Use;
use crate::program::{CallRef, EdgeKind, ExprRef, FunctionRef, HttpUse, Program, Value};

impl Program {
    /// Where what a call gives is read as JSON text: `JSON.parse(..)`, `json.loads(..)`.
    pub fn parsed_as_json(&self, call: CallRef) -> Vec<CallRef> {
        let mut found = Vec::new();
        for look in self.looks(call).iter().filter(|look| look.deed == Deed::Handed) {
            for used in self.readers(look.at.file).uses(look.at.expr) {
                let Use::Arg(taker, 0) = used else { continue };
                let taker = CallRef::new(look.at.file, *taker);
                let parses = self.external(taker).is_some_and(|external| {
                    let dotted = external.dotted();
                    dotted == "JSON.parse" || dotted == "json.loads" || dotted == "loads"
                });
                if parses && !found.contains(&taker) {
                    found.push(taker);
                }
            }
        }
        found
    }

    /// Whether the form of what a call gives is checked by a schema.
    pub fn form_is_checked(&self, call: CallRef) -> bool {
        let facts = self.facts(call.file);
        let whole = Look { part: vec![], deed: Deed::Handed, at: ExprRef::new(call.file, facts.call(call.call).expr) };
        // That one field is asked for says nothing of the rest, nor of a text that cannot be parsed.
        let asked = |part: Option<&Name>| part.is_some_and(|part| *part == "get()");
        self.is_handed_to_check(&whole)
            || self.looks(call).iter().any(|look| {
                (if asked(look.part.last()) { self.is_handed_to_check(look) } else { self.is_validated(look) })
                    || self.readers(look.at.file).uses(look.at.expr).iter().any(|used| {
                        matches!(used, Use::Arg(taker, _) if self.has_role(CallRef::new(look.at.file, *taker), KnownRole::Validate))
                    })
            })
    }

    /// Whether a failure of a call is caught on every way to it, also when the handler throws something of its own.
    pub fn failure_is_met(&self, call: CallRef) -> bool {
        self.is_met(call, &mut FxHashSet::default(), 5)
    }

    /// Whether the failure of what is done with a call's answer ends in a stand-in or a log: nobody gets an error.
    pub fn falls_back(&self, call: CallRef, at: ExprRef) -> bool {
        let facts = self.facts(call.file);
        at.file == call.file
            && self.guards(call).iter().any(|guard| {
                let around = guard.body.is_some_and(|body| facts.block(body).span.contains(facts.span(at.expr)));
                let goes_on = match guard.ending {
                    Ending::Throws => false,
                    Ending::GoesOn => self.entries_of(self.function_of(call)).is_empty(),
                    Ending::Returns(Some(value)) => {
                        !answers_error(self, call.file, value) && self.entries_of(self.function_of(call)).is_empty()
                    }
                    Ending::Returns(None) => true,
                };
                around && goes_on
            })
    }

    fn is_met(&self, call: CallRef, seen: &mut FxHashSet<FunctionRef>, depth: usize) -> bool {
        let facts = self.facts(call.file);
        let shape = facts.call(call.call);
        let function = facts.function_of(shape.block);
        let mut around = facts.enclosing(shape.block).take_while(|(_, block)| block.function == function);
        let inside =
            around.any(|(id, block)| block.kind == BlockKind::Try && !self.around(call).handlers(id).is_empty());
        if inside || !self.guards(call).is_empty() {
            return true;
        }
        let function = self.function_of(call);
        let Some(depth) = depth.checked_sub(1) else { return true };
        if !seen.insert(function) {
            return true;
        }
        let edges = self.incoming(function);
        let edges: Vec<_> = edges.iter().filter(|edge| edge.kind != EdgeKind::Jump).collect();
        !edges.is_empty()
            && self.entries_of(function).is_empty()
            && edges.iter().all(|edge| edge.kind == EdgeKind::Deferred || self.is_met(edge.call, seen, depth))
    }

    /// Where code takes the first element of a list in a request's answer, and something of that, though nobody asked
    /// whether there is one; with the place that the value ends in.
    pub fn reached_into(&self, http: &HttpUse) -> Option<(ExprRef, Look)> {
        let looks = self.looks(http.inner);
        let json = |look: &Look| look.part.first().is_some_and(|part| *part == "json()");
        let list_of = |look: &Look| {
            let at = look.part.iter().position(|part| *part == "[]")?;
            Some(at.checked_sub(1).and_then(|at| look.part.get(at)).copied())
        };
        // `if (data.members[0].plan === "gold")` asks for the plan, not whether there is a member.
        let lets_in = |look: &Look| {
            look.part.last().is_some_and(|last| *last != "[]")
                && list_of(look).is_some_and(|list| self.first_element(look.at, list, 14).is_some())
                && self.lets_in(look.at)
        };
        let tested = |look: &Look| look.deed == Deed::Tested && look.part.len() > 1 && !lets_in(look);
        let asked = looks.iter().any(|look| json(look) && (tested(look) || self.is_validated(look)));
        if asked {
            return None;
        }
        // `if not shops: raise`: an empty list is none there. Elsewhere it counts as something.
        let script = self.facts(http.inner.file).language.is_script();
        let none_is_met = !script && looks.iter().any(|look| json(look) && look.deed == Deed::Tested);
        let deep = looks.into_iter().filter(|look| {
            json(look)
                && !matches!(look.deed, Deed::Logged | Deed::Called)
                && look.part.iter().any(|part| *part == "[]")
        });
        let reached = deep.filter_map(|look| {
            let list = list_of(&look)?;
            if none_is_met && look.part.get(1).is_some_and(|part| *part == "[]") {
                return None;
            }
            Some((self.first_element(look.at, list, 14)?, look))
        });
        let mut reached: Vec<(ExprRef, Look)> = reached.collect();
        let worst = reached.iter().position(|(_, look)| self.is_kept(look.at) || self.lets_in(look.at));
        (!reached.is_empty()).then(|| reached.swap_remove(worst.unwrap_or(0)))
    }

    /// Whether a value is asked in a condition one way of which turns away who asks: with 401, 402 or 403.
    pub fn lets_in(&self, at: ExprRef) -> bool {
        let facts = self.facts(at.file);
        let asked = facts.span(at.expr);
        let refuses = |block: BlockId| {
            let thrown = facts
                .block(block)
                .steps
                .iter()
                .any(|step| matches!(*step, Step::Throw(Some(value)) if answers_refusal(self, at.file, value)));
            thrown
                || matches!(ending(facts, block), Ending::Returns(Some(value)) if answers_refusal(self, at.file, value))
        };
        facts.blocks.iter().any(|block| {
            block.steps.iter().enumerate().any(|(index, step)| {
                let Step::If { condition, then, otherwise } = *step else { return false };
                // Otherwise: what comes after one who was let in and answered.
                let after = || match block.steps[index + 1..].last() {
                    Some(Step::Return(Some(value)) | Step::Throw(Some(value))) => {
                        ending(facts, then) != Ending::GoesOn && answers_refusal(self, at.file, *value)
                    }
                    _ => false,
                };
                facts.span(condition).contains(asked) && (refuses(then) || otherwise.is_some_and(refuses) || after())
            })
        })
    }

    /// `..[0].name` on the way to a value, without `?.`; `list` is what the list is called.
    fn first_element(&self, at: ExprRef, list: Option<Name>, depth: usize) -> Option<ExprRef> {
        let depth = depth.checked_sub(1)?;
        let facts = self.facts(at.file);
        let on = |expr: ExprId| self.first_element(ExprRef::new(at.file, expr), list, depth);
        match facts.expr(at.expr) {
            ExprKind::Member(base, _) if self.is_first(at, *base, list) => self.is_plain(at, *base).then_some(at),
            ExprKind::Member(base, _) | ExprKind::Index(base, _) | ExprKind::Await(base) => on(*base),
            ExprKind::Ref(name, block) => match facts.def(facts.lookup(*block, *name)?).values[..] {
                [only] => on(only),
                _ => None,
            },
            ExprKind::Call(call) => match facts.expr(facts.call(*call).callee) {
                ExprKind::Member(base, _) => on(*base),
                _ => None,
            },
            ExprKind::Op(_, parts) | ExprKind::Template(parts) | ExprKind::List(parts) => {
                parts.iter().find_map(|&part| on(part))
            }
            ExprKind::Object(entries) => entries.iter().find_map(|&(_, value)| on(value)),
            _ => None,
        }
    }

    /// Whether an expression is `list[0]`.
    fn is_first(&self, whole: ExprRef, item: ExprId, wanted: Option<Name>) -> bool {
        let facts = self.facts(whole.file);
        let ExprKind::Index(list, index) = facts.expr(item) else { return false };
        let named = match facts.expr(*list) {
            ExprKind::Member(_, name) => wanted == Some(*name),
            ExprKind::Ref(..) => true,
            _ => false,
        };
        named && matches!(facts.expr(*index), ExprKind::Number(_))
    }

    /// Whether it is as long as `[0].name`, and not as `?.[0]?.name`.
    fn is_plain(&self, whole: ExprRef, item: ExprId) -> bool {
        let facts = self.facts(whole.file);
        let (ExprKind::Member(_, name), ExprKind::Index(list, index)) = (facts.expr(whole.expr), facts.expr(item))
        else {
            return false;
        };
        let end = |expr: ExprId| facts.span(expr).end;
        let dot = end(whole.expr).checked_sub(end(item)) == Some(name.len() as u32 + 1);
        let bracket = facts.span(*index).start.checked_sub(end(*list)) == Some(1);
        dot && bracket || !facts.language.is_script()
    }

    /// Whether a value is written to a database or moves money: it is, or stands in, what such a call is given.
    pub fn is_kept(&self, at: ExprRef) -> bool {
        self.climbs_to_write(at.file, at.expr, 8)
    }

    fn climbs_to_write(&self, file: FileId, expr: ExprId, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(file);
        let next = |expr: ExprId| self.climbs_to_write(file, expr, depth);
        self.readers(file).uses(expr).iter().any(|used| match *used {
            Use::Key(object, _) => next(object),
            Use::Item(list, _) => next(list),
            // What is reckoned from it.
            Use::In(outer) => matches!(facts.expr(outer), ExprKind::Op(Op::Add | Op::Arithmetic, _)) && next(outer),
            Use::Kept(def) => self.readers(file).reads(def).iter().any(|&read| next(read)),
            // `row.position = first` before the row is stored.
            Use::Put => facts.blocks.iter().flat_map(|block| &block.steps).any(|step| match *step {
                Step::Assign(target, value) if value == expr => {
                    matches!(facts.expr(target), ExprKind::Member(row, _) if self.is_kept_row(ExprRef::new(file, *row)))
                }
                _ => false,
            }),
            Use::Arg(call, _) if self.gives_number_or_row(CallRef::new(file, call)) => next(facts.call(call).expr),
            Use::Arg(call, _) => {
                let call = CallRef::new(file, call);
                self.has_role(call, KnownRole::Write)
                    || self.vendors_at(call).iter().any(|used| {
                        self.operation(used).is_some_and(|operation| {
                            operation.money
                                || self.catalogue.vendor(used.vendor).own_backend
                                    && matches!(
                                        operation.effect,
                                        crate::catalogue::Effect::Create | crate::catalogue::Effect::Update
                                    )
                        })
                    })
            }
            _ => false,
        })
    }

    /// Whether a call gives the number that it is given in another form, or a row that holds what it is given.
    fn gives_number_or_row(&self, call: CallRef) -> bool {
        let facts = self.facts(call.file);
        let shape = facts.call(call.call);
        let name = facts.last_name(shape.callee);
        let is_number = |name: &str| {
            matches!(
                name,
                "round"
                    | "floor"
                    | "ceil"
                    | "trunc"
                    | "Number"
                    | "parseFloat"
                    | "parseInt"
                    | "int"
                    | "float"
                    | "Decimal"
            )
        };
        name.is_some_and(|name| is_number(&name))
            || !facts.language.is_script() && matches!(self.callee(call), Value::Class(_) | Value::Instance(_))
    }
}
