//! The facts of one file under construction: what the languages' visitors call.
//!
//! Visitors know a grammar; this knows what the shapes mean: scopes, the order of calls, which call is
//! awaited or dropped, how strings fold, which member reads are environment reads.

use crate::facts::{
    Arg, Block, BlockId, BlockKind, Call, CallId, Class, ClassId, Def, DefId, DefKind, Expr, ExprId, ExprKind, Facts,
    Field, Function, FunctionId, Import, ImportId, Language, Op, Param, Scope, Span, Step,
};
use crate::names::Name;

use super::tables::{Emptied, exact};
use rustc_hash::FxHashMap;

/// Longest constant text kept whole, in bytes; of a longer one only this much of its head is kept.
pub const TEXT_LIMIT: usize = 400;

/// The environment objects a member of which is a variable, and the calls whose first argument names one.
const ENV_OBJECTS: &[&str] = &["process.env", "import.meta.env", "os.environ", "Bun.env", "Netlify.env"];
const ENV_CALLS: &[&str] =
    &["Deno.env.get", "os.getenv", "os.environ.get", "Netlify.env.get", "process.env.get", "environ.get"];

/// Whether a dotted global path is an environment object (`process.env`).
pub fn is_env_object(path: &str) -> bool {
    ENV_OBJECTS.contains(&path)
}

/// Whether a dotted global path is a call that reads an environment variable (`Deno.env.get`).
pub fn is_env_call(path: &str) -> bool {
    ENV_CALLS.contains(&path)
}

/// Facts under construction.
pub struct Builder<'s> {
    text: &'s str,
    facts: Facts,
    /// The open blocks, each with where its steps begin in `steps`.
    blocks: Vec<(BlockId, usize)>,
    /// The steps of the open blocks, innermost last: a block keeps as many as it has, no more.
    steps: Vec<Step>,
    functions: Vec<FunctionId>,
    classes: Vec<ClassId>,
    scope: FxHashMap<(BlockId, Name), DefId>,
    /// Definitions whose value is an environment object: `const env = process.env`.
    env_aliases: Vec<DefId>,
    /// Steps that assign to a name not defined so far: (block, position in it).
    unsettled: Vec<(BlockId, usize)>,
}

impl<'s> Builder<'s> {
    /// An empty file: function 0 and block 0 are open.
    pub fn new(language: Language, text: &'s str) -> Self {
        let whole = Span { start: 0, end: text.len() as u32 };
        let body = Block {
            kind: BlockKind::Body,
            parent: None,
            function: FunctionId::MODULE,
            span: whole,
            steps: Box::new([]),
        };
        let module = Function::empty(None, whole, BlockId(0), None);
        let Emptied { mut functions, mut blocks, defs, exprs, calls, mut lines, steps, scope } = Emptied::take();
        functions.push(module);
        blocks.push(body);
        lines.push(0);
        lines.extend(text.match_indices('\n').map(|(at, _)| at as u32 + 1));
        let facts = Facts {
            language,
            directives: vec![],
            imports: vec![],
            exports: vec![],
            functions,
            classes: vec![],
            blocks,
            defs,
            exprs,
            calls,
            tokens: vec![],
            loads: vec![],
            script_tags: vec![],
            head: None,
            strict_reads: vec![],
            lines,
            syntax_errors: 0,
            lost: None,
            too_deep: false,
            scope: Scope::default(),
        };
        Self {
            text,
            facts,
            blocks: vec![(BlockId(0), 0)],
            steps,
            functions: vec![FunctionId::MODULE],
            classes: vec![],
            scope,
            env_aliases: vec![],
            unsettled: vec![],
        }
    }

    /// The facts so far, for what a visitor records directly (imports, exports, directives, gaps).
    pub fn facts(&mut self) -> &mut Facts {
        &mut self.facts
    }

    /// The source text of a span.
    pub fn source(&self, span: Span) -> &'s str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// Interns a name.
    pub fn name(&mut self, text: &str) -> Name {
        Name::new(text)
    }

    // ---- expressions ------------------------------------------------------------------------------------

    /// Adds an expression.
    pub fn expr(&mut self, span: Span, kind: ExprKind) -> ExprId {
        self.facts.exprs.push(Expr { span, kind });
        ExprId(self.facts.exprs.len() as u32 - 1)
    }

    /// What an expression is.
    pub fn kind(&self, id: ExprId) -> &ExprKind {
        self.facts.expr(id)
    }

    /// A constant text, cut at [`TEXT_LIMIT`].
    pub fn text(&mut self, span: Span, text: &str) -> ExprId {
        let mut end = text.len().min(TEXT_LIMIT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let name = self.name(&text[..end]);
        self.expr(span, ExprKind::Text(name))
    }

    /// A string of parts; neighbours that are texts are joined, one text alone stays a text.
    pub fn template(&mut self, span: Span, parts: Vec<ExprId>) -> ExprId {
        let nested = parts.iter().any(|&part| matches!(self.kind(part), ExprKind::Template(_)));
        let flat = if nested {
            let inner = |&part: &ExprId| match self.kind(part) {
                ExprKind::Template(inner) => inner.to_vec(),
                _ => vec![part],
            };
            parts.iter().flat_map(inner).collect()
        } else {
            parts
        };
        let is_text = |builder: &Self, id: ExprId| matches!(builder.kind(id), ExprKind::Text(_));
        let mut joined: Vec<ExprId> = Vec::with_capacity(flat.len());
        let mut at = 0;
        while at < flat.len() {
            let texts = flat[at..].iter().take_while(|&&part| is_text(self, part)).count();
            if texts > 1 {
                let mut text = String::new();
                for &part in &flat[at..at + texts] {
                    if let ExprKind::Text(name) = self.kind(part)
                        && text.len() <= TEXT_LIMIT
                    {
                        text.push_str(name);
                    }
                }
                joined.push(self.text(span, &text));
            } else {
                joined.push(flat[at]);
            }
            at += texts.max(1);
        }
        match joined[..] {
            [] => self.text(span, ""),
            [only] if is_text(self, only) => only,
            _ => self.expr(span, ExprKind::Template(joined.into())),
        }
    }

    /// `left + right`: a template when either side is text, else an addition.
    pub fn add(&mut self, span: Span, left: ExprId, right: ExprId) -> ExprId {
        self.sum(span, vec![left, right])
    }

    /// `a + b + c`: a template when any of them is text, else one addition of them all.
    pub fn sum(&mut self, span: Span, operands: Vec<ExprId>) -> ExprId {
        let is_text = |id: &ExprId| matches!(self.kind(*id), ExprKind::Text(_) | ExprKind::Template(_));
        if operands.iter().any(is_text) {
            self.template(span, operands)
        } else {
            self.expr(span, ExprKind::Op(Op::Add, operands.into()))
        }
    }

    /// A name read in the current block.
    pub fn reference(&mut self, span: Span, name: &str) -> ExprId {
        let block = self.block();
        let name = self.name(name);
        self.expr(span, ExprKind::Ref(name, block))
    }

    /// `base.name`; a member of an environment object is an environment read.
    pub fn member(&mut self, span: Span, base: ExprId, name: &str) -> ExprId {
        let name = self.name(name);
        let kind = match name != "get" && self.is_environment(base) {
            true => ExprKind::Env(name),
            false => ExprKind::Member(base, name),
        };
        self.expr(span, kind)
    }

    /// Whether an expression is an object that holds the environment, by itself or through a constant's name.
    fn is_environment(&self, id: ExprId) -> bool {
        match *self.kind(id) {
            ExprKind::Member(_, name) => {
                matches!(name.as_str(), "env" | "environ") && self.dotted(id).is_some_and(|path| is_env_object(&path))
            }
            ExprKind::Ref(name, block) if !self.env_aliases.is_empty() => {
                self.resolve(block, name).is_some_and(|def| self.env_aliases.contains(&def))
            }
            _ => false,
        }
    }

    /// What `name` means in `block`, as far as it is defined yet.
    pub fn resolve(&self, block: BlockId, name: Name) -> Option<DefId> {
        let mut around = Some(block);
        while let Some(id) = around {
            if let Some(&def) = self.scope.get(&(id, name)) {
                return Some(def);
            }
            around = self.facts.block(id).parent;
        }
        None
    }

    /// `base[index]`: a member when the index is a constant text.
    pub fn index(&mut self, span: Span, base: ExprId, index: ExprId) -> ExprId {
        match *self.kind(index) {
            ExprKind::Text(name) => self.member(span, base, &name),
            _ => self.expr(span, ExprKind::Index(base, index)),
        }
    }

    /// The dotted path of a chain of members on a name, for short chains only: `process.env`.
    pub fn dotted(&self, id: ExprId) -> Option<String> {
        match *self.kind(id) {
            ExprKind::Ref(name, _) if name.len() <= 12 => Some(name.as_str().to_owned()),
            ExprKind::Member(base, name) if matches!(name.as_str(), "env" | "environ" | "get" | "getenv" | "meta") => {
                Some(format!("{}.{name}", self.dotted(base)?))
            }
            _ => None,
        }
    }

    /// A call. An environment read written as a call becomes one (with its default as fallback).
    pub fn call(
        &mut self,
        span: Span,
        callee: ExprId,
        args: impl Into<Box<[Arg]>>,
        is_new: bool,
        tagged: bool,
    ) -> ExprId {
        let args = args.into();
        if !is_new
            && matches!(self.kind(callee), ExprKind::Member(_, name) if matches!(name.as_str(), "get" | "getenv"))
            && let Some(path) = self.dotted(callee)
            && is_env_call(&path)
            && let Some(&ExprKind::Text(name)) = args.first().map(|arg| self.kind(arg.value))
        {
            let read = self.expr(span, ExprKind::Env(name));
            return match args.get(1) {
                Some(fallback) => self.expr(span, ExprKind::Op(Op::Or, Box::new([read, fallback.value]))),
                None => read,
            };
        }
        let id = CallId(self.facts.calls.len() as u32);
        let expr = self.expr(span, ExprKind::Call(id));
        let block = self.block();
        self.facts.calls.push(Call { callee, args, is_new, awaited: false, dropped: false, tagged, block, expr });
        expr
    }

    /// A call that was made before.
    pub fn made(&self, call: CallId) -> &Call {
        self.facts.call(call)
    }

    /// Marks what an `await` waits for: the call, and the calls it is chained on through `.then` / `.catch` / `.finally`.
    pub fn mark_awaited(&mut self, id: ExprId) {
        self.mark(id, |call| call.awaited = true);
    }

    /// Marks what an expression statement throws away, in the same way.
    pub fn mark_dropped(&mut self, id: ExprId) {
        self.mark(id, |call| call.dropped = true);
    }

    fn mark(&mut self, mut id: ExprId, set: fn(&mut Call)) {
        loop {
            match *self.kind(id) {
                ExprKind::Call(call) => {
                    let callee = self.facts.call(call).callee;
                    set(&mut self.facts.calls[call.index()]);
                    match *self.kind(callee) {
                        ExprKind::Member(base, name) if matches!(name.as_str(), "then" | "catch" | "finally") => {
                            id = base;
                        }
                        _ => return,
                    }
                }
                ExprKind::Await(inner) => id = inner,
                // What an operator passes on is what its operands are: `await (a ?? b())`, `ready && start()`.
                ExprKind::Op(Op::Void | Op::And | Op::Or | Op::Nullish, ref operands) => match operands[..] {
                    [only] => id = only,
                    [left, right] => {
                        self.mark(right, set);
                        id = left;
                    }
                    _ => return,
                },
                ExprKind::Op(Op::Choose, ref operands) => match operands[..] {
                    [_, then, otherwise] => {
                        self.mark(then, set);
                        id = otherwise;
                    }
                    _ => return,
                },
                _ => return,
            }
        }
    }

    // ---- blocks and steps -------------------------------------------------------------------------------

    /// The block being filled.
    pub fn block(&self) -> BlockId {
        // The module body is never closed, so there is always one.
        self.blocks.last().map_or(BlockId(0), |&(block, _)| block)
    }

    /// Opens a block inside the current one.
    pub fn open_block(&mut self, kind: BlockKind, span: Span) -> BlockId {
        let id = BlockId(self.facts.blocks.len() as u32);
        let (parent, function) = (Some(self.block()), self.function());
        self.facts.blocks.push(Block { kind, parent, function, span, steps: Box::new([]) });
        self.blocks.push((id, self.steps.len()));
        id
    }

    /// Opens a part of the file that sees no names of the others, nor they its own.
    pub fn open_section(&mut self, span: Span) {
        let id = self.open_block(BlockKind::Plain, span);
        self.facts.blocks[id.index()].parent = None;
        self.facts.functions[0].body = id;
    }

    /// Closes such a part: it runs when the file does.
    pub fn close_section(&mut self) {
        let section = std::mem::replace(&mut self.facts.functions[0].body, BlockId(0));
        self.close_block();
        self.step(Step::Block(section));
    }

    /// Says why a block runs, when that is known only from within (a loop's condition).
    pub fn set_block_kind(&mut self, block: BlockId, kind: BlockKind) {
        self.facts.blocks[block.index()].kind = kind;
    }

    /// Closes the current block.
    pub fn close_block(&mut self) {
        if let Some((block, from)) = self.blocks.pop() {
            self.facts.blocks[block.index()].steps = self.steps.drain(from..).collect();
        }
    }

    /// Adds a step to the current block.
    pub fn step(&mut self, step: Step) {
        self.steps.push(step);
    }

    // ---- definitions ------------------------------------------------------------------------------------

    /// Defines `name` in `block`, or finds the definition it already has there.
    pub fn define_in(&mut self, block: BlockId, name: &str, kind: DefKind, span: Span) -> DefId {
        let name = self.name(name);
        if let Some(&def) = self.scope.get(&(block, name)) {
            return def;
        }
        let def = DefId(self.facts.defs.len() as u32);
        self.facts.defs.push(Def { name, block, kind, span, values: vec![], ty: None });
        self.scope.insert((block, name), def);
        def
    }

    /// The definition `name` has in `block` itself so far.
    pub fn defined(&self, block: BlockId, name: Name) -> Option<DefId> {
        self.scope.get(&(block, name)).copied()
    }

    /// Defines `name` in the current block.
    pub fn define(&mut self, name: &str, kind: DefKind, span: Span) -> DefId {
        self.define_in(self.block(), name, kind, span)
    }

    /// The body block of the current function: where `var` and Python's variables live.
    pub fn function_block(&self) -> BlockId {
        self.facts.function(self.function()).body
    }

    /// Gives a definition a value, as a step of the current block.
    pub fn bind(&mut self, def: DefId, value: ExprId) {
        self.give(def, value);
        self.step(Step::Bind(def, value));
    }

    /// Gives a definition a value without a step (parameters, imports, function declarations, parts of a pattern).
    pub fn give(&mut self, def: DefId, value: ExprId) {
        if self.is_environment(value) {
            self.env_aliases.push(def);
        }
        let values = &mut self.facts.defs[def.index()].values;
        if values.is_empty() {
            // Most have one.
            values.reserve_exact(1);
        }
        values.push(value);
    }

    /// Records the annotated type of a definition.
    pub fn set_type(&mut self, def: DefId, ty: ExprId) {
        self.facts.defs[def.index()].ty = Some(ty);
    }

    /// Gives what an expression names a value without a step (assignments inside expressions). Whether it was a name.
    pub fn give_name(&mut self, target: ExprId, value: ExprId) -> bool {
        match *self.kind(target) {
            ExprKind::Ref(name, block) => {
                if let Some(def) = self.resolve(block, name) {
                    self.give(def, value);
                }
                true
            }
            _ => false,
        }
    }

    /// Assigns to a plain name: a step that binds its definition, or an assignment to a global.
    /// A definition written further down is found when the file is finished.
    pub fn assign_name(&mut self, target: ExprId, value: ExprId) {
        if let ExprKind::Ref(name, block) = *self.kind(target) {
            if let Some(def) = self.resolve(block, name) {
                return self.bind(def, value);
            }
            let (here, from) = self.blocks.last().copied().unwrap_or((BlockId(0), 0));
            self.unsettled.push((here, self.steps.len() - from));
        }
        self.step(Step::Assign(target, value));
    }

    // ---- functions and classes --------------------------------------------------------------------------

    /// The function being filled.
    pub fn function(&self) -> FunctionId {
        self.functions.last().copied().unwrap_or(FunctionId::MODULE)
    }

    /// Opens a function and its body block; parameters are defined next, then the body visited.
    pub fn open_function(&mut self, name: Option<&str>, span: Span) -> FunctionId {
        let id = FunctionId(self.facts.functions.len() as u32);
        let parent = Some(self.function());
        let body = BlockId(self.facts.blocks.len() as u32);
        self.facts.functions.push(Function::empty(name.map(Name::new), span, body, parent));
        self.functions.push(id);
        self.open_block(BlockKind::Body, span);
        id
    }

    /// Closes the current function with its parameters.
    pub fn close_function(&mut self, params: Vec<Param>) {
        self.close_block();
        if let Some(id) = self.functions.pop() {
            self.facts.functions[id.index()].params = params.into();
        }
    }

    /// A function of this file, to set what the visitor learns of it.
    pub fn function_mut(&mut self, id: FunctionId) -> &mut Function {
        &mut self.facts.functions[id.index()]
    }

    /// Opens a class: `this` / `self` now mean it.
    pub fn open_class(&mut self, name: Option<&str>, span: Span) -> ClassId {
        let id = ClassId(self.facts.classes.len() as u32);
        self.facts.classes.push(Class {
            name: name.map(Name::new),
            span,
            bases: Box::new([]),
            methods: vec![],
            fields: vec![],
            decorators: Box::new([]),
            field_decorators: vec![],
        });
        self.classes.push(id);
        id
    }

    /// Closes the current class.
    pub fn close_class(&mut self) {
        self.classes.pop();
    }

    /// The class being filled.
    pub fn class(&self) -> Option<ClassId> {
        self.classes.last().copied()
    }

    /// A class of this file.
    pub fn class_mut(&mut self, id: ClassId) -> &mut Class {
        &mut self.facts.classes[id.index()]
    }

    /// Adds a field value to a class.
    pub fn field(&mut self, class: ClassId, field: Field) {
        self.facts.classes[class.index()].fields.push(field);
    }

    /// Records an import.
    pub fn import(&mut self, import: Import) -> ImportId {
        self.facts.imports.push(import);
        ImportId(self.facts.imports.len() as u32 - 1)
    }

    /// The specifier of an import.
    pub fn specifier(&self, import: ImportId) -> Name {
        self.facts.imports[import.index()].specifier
    }

    /// Says that a definition holds the environment: its members are variables.
    pub fn holds_environment(&mut self, def: DefId) {
        self.env_aliases.push(def);
    }

    /// The finished facts.
    pub fn finish(mut self) -> Facts {
        while !self.blocks.is_empty() {
            self.close_block();
        }
        for (block, at) in std::mem::take(&mut self.unsettled) {
            if let Step::Assign(target, value) = self.facts.blocks[block.index()].steps[at]
                && let ExprKind::Ref(name, around) = *self.kind(target)
                && let Some(def) = self.resolve(around, name)
            {
                self.facts.blocks[block.index()].steps[at] = Step::Bind(def, value);
                let values = &mut self.facts.defs[def.index()].values;
                values.push(value);
                // Expressions are numbered in source order.
                values.sort_unstable();
            }
        }
        let defs = self.scope.drain().map(|((block, name), def)| (block, name, def)).collect();
        self.facts.scope = Scope::new(defs, self.facts.blocks.len());
        super::taken::fill_names(&mut self.facts);
        let Self { mut facts, steps, scope, .. } = self;
        let (functions, blocks, defs) = (exact(&mut facts.functions), exact(&mut facts.blocks), exact(&mut facts.defs));
        let (exprs, calls, lines) = (exact(&mut facts.exprs), exact(&mut facts.calls), exact(&mut facts.lines));
        Emptied {
            functions: facts.functions,
            blocks: facts.blocks,
            defs: facts.defs,
            exprs: facts.exprs,
            calls: facts.calls,
            lines: facts.lines,
            steps,
            scope,
        }
        .keep();
        Facts { functions, blocks, defs, exprs, calls, lines, ..facts }
    }
}
