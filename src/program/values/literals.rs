//! Where a text that a value is made of is written: a constant above, the default of a setting in another file.

use rustc_hash::FxHashSet;

use crate::facts::{ExprId, ExprKind, Imported};
use crate::finding::FileId;
use crate::link::entries::handlers::export;
use crate::names::Name;
use crate::program::{CallRef, ExprRef, FunctionRef, HttpUse, Program, Target};

/// So many expressions are looked at.
const MOST: usize = 300;

/// So many callers are asked what they hand in.
const CALLERS: usize = 8;

/// An expression to look into, and the member of it that is wanted.
type Open = (ExprRef, Option<Name>);

impl Program {
    /// The text that a request's address holds, where it is written: the first that holds a part of the address.
    pub fn text_of_request(&self, http: &HttpUse, part: &str) -> Option<ExprRef> {
        let args = |at: CallRef| {
            let facts = self.facts(at.file);
            let call = facts.call(at.call);
            // `this.http.get(path)`: the client holds the rest of the address.
            call.args
                .iter()
                .map(|arg| arg.value)
                .chain([call.callee])
                .map(move |expr| (ExprRef::new(at.file, expr), None))
        };
        let mut open: Vec<Open> = args(http.at).collect();
        if http.inner != http.at {
            open.extend(args(http.inner));
        }
        if let Some(made) = http.instance {
            open.extend(args(made));
        }
        self.text_within(open, part)
    }

    fn text_within(&self, mut open: Vec<Open>, part: &str) -> Option<ExprRef> {
        let mut seen: FxHashSet<Open> = FxHashSet::default();
        open.reverse();
        while let Some((at, member)) = open.pop() {
            if !seen.insert((at, member)) || seen.len() > MOST {
                continue;
            }
            if matches!(self.facts(at.file).expr(at.expr), ExprKind::Text(text) if text.contains(part)) {
                return Some(at);
            }
            let mut next = self.made_of(at, member);
            next.reverse();
            open.extend(next);
        }
        None
    }

    /// What an expression is made of, in source order.
    fn made_of(&self, at: ExprRef, member: Option<Name>) -> Vec<Open> {
        let facts = self.facts(at.file);
        let here = |expr: &ExprId| (ExprRef::new(at.file, *expr), member);
        match facts.expr(at.expr) {
            ExprKind::Template(parts) | ExprKind::Op(_, parts) | ExprKind::List(parts) => {
                parts.iter().map(here).collect()
            }
            ExprKind::Await(inner) | ExprKind::Spread(inner) => vec![here(inner)],
            ExprKind::Object(entries) => {
                let wanted = |key: &Name| member.is_none_or(|member| member == *key || *key == "...");
                entries
                    .iter()
                    .filter(|(key, _)| wanted(key))
                    .map(|(key, value)| (ExprRef::new(at.file, *value), if *key == "..." { member } else { None }))
                    .collect()
            }
            ExprKind::Member(base, name) => match facts.expr(*base) {
                ExprKind::This(class) => {
                    let fields = facts.classes[class.index()].fields.iter().filter(|field| field.name == *name);
                    fields.filter_map(|field| field.value).map(|value| (ExprRef::new(at.file, value), None)).collect()
                }
                _ => vec![(ExprRef::new(at.file, *base), Some(*name))],
            },
            ExprKind::Ref(name, block) => {
                let def = facts.lookup(*block, *name).map(|def| facts.def(def));
                def.map_or_else(Vec::new, |def| def.values.iter().map(here).collect())
            }
            ExprKind::Param(function, index) => {
                let param = facts.function(*function).params.get(usize::from(*index));
                let default = param.and_then(|param| param.default).iter().map(here).collect::<Vec<Open>>();
                // What callers hand in, as far as one looks.
                let handed =
                    self.callers(FunctionRef::new(at.file, *function)).iter().take(CALLERS).filter_map(|call| {
                        let arg = self.facts(call.file).call(call.call).args.get(usize::from(*index))?;
                        Some((ExprRef::new(call.file, arg.value), member))
                    });
                default.into_iter().chain(handed).collect()
            }
            ExprKind::Imported(import, what) => match (self.modules.target(at.file, *import), what) {
                (Target::File(file), Imported::Name(name)) => self.exported(*file, *name, member),
                (Target::File(file), Imported::Module) => {
                    member.map_or_else(Vec::new, |name| self.exported(*file, name, None))
                }
                _ => vec![],
            },
            ExprKind::Call(call) => {
                let shape = facts.call(*call);
                let args = shape.args.iter().map(|arg| (ExprRef::new(at.file, arg.value), None));
                let given = self.edges(CallRef::new(at.file, *call)).iter().flat_map(|edge| {
                    let facts = self.facts(edge.target.file);
                    facts.returned(edge.target.function).map(move |expr| (ExprRef::new(edge.target.file, expr), member))
                });
                // `"..".replace(..)`
                given.chain(args).chain([here(&shape.callee)]).collect()
            }
            _ => vec![],
        }
    }

    fn exported(&self, file: FileId, name: Name, member: Option<Name>) -> Vec<Open> {
        export(self, file, name).map(|found| (found, member)).into_iter().collect()
    }
}
