//! Who reads what within one file: the places an expression's value goes to next.

use crate::facts::{BlockKind, CallId, DefId, ExprId, ExprKind, Facts, FunctionId, Op, Step};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::Program;

/// Where the value of an expression goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Use {
    /// It is an operand of a larger expression.
    In(ExprId),
    /// It stands under a key of an object; `...` when it is spread into it.
    Key(ExprId, Name),
    /// It stands in a list, at a position.
    Item(ExprId, usize),
    /// It is handed to a call, at a position.
    Arg(CallId, usize),
    /// It is called.
    Callee(CallId),
    /// A definition holds it.
    Kept(DefId),
    /// It is put into something: `this.x = ..`, `rows[i] = ..`.
    Put,
    /// The function ends with it.
    Returned(FunctionId),
    /// It is thrown.
    Thrown,
    /// It decides what runs.
    Tested,
    /// It is evaluated, and nothing takes it.
    Dropped,
}

/// What belongs to each position of a table, in flat lists: files hold as many uses as expressions.
#[derive(Debug)]
struct Table<V> {
    /// Where the values of each position begin; one more than there are positions.
    runs: Vec<u32>,
    values: Vec<V>,
}

impl<V: PartialEq + Copy> Table<V> {
    /// Keeps the order in which the values of a position came.
    fn new(positions: usize, pairs: &[(u32, V)]) -> Self {
        let mut runs = vec![0; positions + 1];
        pairs.iter().for_each(|&(at, _)| runs[at as usize + 1] += 1);
        (0..positions).for_each(|at| runs[at + 1] += runs[at]);
        let Some(&(_, any)) = pairs.first() else { return Self { runs, values: vec![] } };
        let mut values = vec![any; pairs.len()];
        let mut next = runs.clone();
        for &(at, value) in pairs {
            let slot = &mut next[at as usize];
            values[*slot as usize] = value;
            *slot += 1;
        }
        Self { runs, values }
    }

    fn of(&self, at: usize) -> &[V] {
        match (self.runs.get(at), self.runs.get(at + 1)) {
            (Some(&from), Some(&to)) => &self.values[from as usize..to as usize],
            _ => &[],
        }
    }
}

/// Who reads what in one file.
#[derive(Debug)]
pub struct Readers {
    uses: Table<Use>,
    reads: Table<ExprId>,
    /// The parameters that stand somewhere, in order.
    params: Vec<((FunctionId, u16), ExprId)>,
}

/// What is noted while a file is read.
#[derive(Default)]
struct Notes {
    uses: Vec<(u32, Use)>,
    reads: Vec<(u32, ExprId)>,
    params: Vec<((FunctionId, u16), ExprId)>,
}

impl Readers {
    /// Reads a file.
    pub fn new(facts: &Facts) -> Self {
        let Notes { uses, reads, mut params } = Notes::of(facts);
        params.sort_unstable();
        let (uses, reads) = (Table::new(facts.exprs.len(), &uses), Table::new(facts.defs.len(), &reads));
        Self { uses, reads, params }
    }

    /// Where an expression's value goes.
    pub fn uses(&self, value: ExprId) -> &[Use] {
        self.uses.of(value.index())
    }

    /// Where a definition is read.
    pub fn reads(&self, def: DefId) -> &[ExprId] {
        self.reads.of(def.index())
    }

    /// What stands for the value that arrives in a parameter.
    pub fn param(&self, function: FunctionId, position: u16) -> impl Iterator<Item = ExprId> + '_ {
        let key = (function, position);
        let from = self.params.partition_point(|&(of, _)| of < key);
        self.params[from..].iter().take_while(move |&&(of, _)| of == key).map(|&(_, at)| at)
    }
}

impl Notes {
    fn of(facts: &Facts) -> Self {
        let mut readers = Self { uses: Vec::with_capacity(facts.exprs.len()), ..Self::default() };
        for at in 0..facts.exprs.len() as u32 {
            readers.expression(facts, ExprId(at));
        }
        for (at, call) in facts.calls.iter().enumerate() {
            let id = CallId(at as u32);
            readers.note(call.callee, Use::Callee(id));
            for (position, arg) in call.args.iter().enumerate() {
                readers.note(arg.value, Use::Arg(id, position));
            }
        }
        for (at, def) in facts.defs.iter().enumerate() {
            for &value in &def.values {
                readers.note(value, Use::Kept(DefId(at as u32)));
            }
        }
        for class in &facts.classes {
            for value in class.fields.iter().filter_map(|field| field.value) {
                readers.note(value, Use::Put);
            }
        }
        for block in &facts.blocks {
            if let BlockKind::Loop(Some(value)) | BlockKind::Case(value, _) = block.kind {
                readers.note(value, Use::Tested);
            }
            for step in &block.steps {
                match step {
                    Step::Eval(value) => readers.note(*value, Use::Dropped),
                    Step::Assign(_, value) => readers.note(*value, Use::Put),
                    Step::Return(Some(value)) => readers.note(*value, Use::Returned(block.function)),
                    Step::Throw(Some(value)) => readers.note(*value, Use::Thrown),
                    Step::If { condition, .. } => readers.note(*condition, Use::Tested),
                    Step::Switch(value, _) => readers.note(*value, Use::Tested),
                    _ => {}
                }
            }
        }
        readers
    }

    fn note(&mut self, value: ExprId, used: Use) {
        self.uses.push((value.0, used));
    }

    fn expression(&mut self, facts: &Facts, at: ExprId) {
        match facts.expr(at) {
            ExprKind::Template(parts) => parts.iter().for_each(|&part| self.note(part, Use::In(at))),
            ExprKind::Op(op, operands) => {
                for (position, &operand) in operands.iter().enumerate() {
                    match (op, position) {
                        (Op::Choose, 0) => self.note(operand, Use::Tested),
                        (Op::Assign, 1) => self.note(operand, Use::Put),
                        (Op::Assign, _) => {}
                        _ => self.note(operand, Use::In(at)),
                    }
                }
            }
            ExprKind::Member(base, _)
            | ExprKind::Await(base)
            | ExprKind::Spread(base)
            | ExprKind::ElementOf(base)
            | ExprKind::Index(base, _) => {
                self.note(*base, Use::In(at));
                if let ExprKind::Index(_, index) = facts.expr(at) {
                    self.note(*index, Use::In(at));
                }
            }
            ExprKind::Object(entries) => {
                entries.iter().for_each(|&(key, value)| self.note(value, Use::Key(at, key)));
            }
            ExprKind::List(items) => {
                items.iter().enumerate().for_each(|(position, &item)| self.note(item, Use::Item(at, position)));
            }
            ExprKind::Element(element) => {
                let values = element.attributes.iter().map(|&(_, value)| value).chain(element.children.iter().copied());
                values.for_each(|value| self.note(value, Use::Put));
            }
            ExprKind::Ref(name, block) => {
                if let Some(def) = facts.lookup(*block, *name) {
                    self.reads.push((def.0, at));
                }
            }
            ExprKind::Param(function, position) => self.params.push(((*function, *position), at)),
            _ => {}
        }
    }
}

impl Program {
    /// Who reads what in a file that holds code.
    pub fn readers(&self, file: FileId) -> &Readers {
        self.readers[file.index()].get_or_init(|| Readers::new(self.facts(file)))
    }
}
