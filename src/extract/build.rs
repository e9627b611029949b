//! The facts of one file under construction: what the languages' visitors call.
//!
//! Visitors know a grammar; this knows what the shapes mean: scopes, the order of calls, which call is
//! awaited or dropped, how strings fold, which member reads are environment reads.

use crate::facts::{
    Arg, Block, BlockId, BlockKind, Call, CallId, Class, ClassId, Def, DefId, DefKind, Expr, ExprId, ExprKind, Facts,
    Field, Function, FunctionId, Import, ImportId, Language, Op, Param, Span, Step,
};
use crate::names::Name;

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
    blocks: Vec<BlockId>,
    functions: Vec<FunctionId>,
    classes: Vec<ClassId>,
    scope: FxHashMap<(BlockId, Name), DefId>,
}

impl<'s> Builder<'s> {
    /// An empty file: function 0 and block 0 are open.
    pub fn new(language: Language, text: &'s str) -> Self {
        let whole = Span { start: 0, end: text.len() as u32 };
        let body =
            Block { kind: BlockKind::Body, parent: None, function: FunctionId::MODULE, span: whole, steps: vec![] };
        let module = Function {
            name: None,
            span: whole,
            params: Box::new([]),
            body: BlockId(0),
            parent: None,
            class: None,
            is_async: false,
            use_server: false,
            decorators: Box::new([]),
        };
        let lines = std::iter::once(0)
            .chain(text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(at, _)| at as u32 + 1))
            .collect();
        let facts = Facts {
            language,
            directives: vec![],
            imports: vec![],
            exports: vec![],
            functions: vec![module],
            classes: vec![],
            blocks: vec![body],
            defs: vec![],
            exprs: vec![],
            calls: vec![],
            tokens: vec![],
            lines,
            syntax_errors: 0,
            too_deep: false,
            scope: vec![],
        };
        Self {
            text,
            facts,
            blocks: vec![BlockId(0)],
            functions: vec![FunctionId::MODULE],
            classes: vec![],
            scope: FxHashMap::default(),
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
        self.expr(span, ExprKind::Text(Name::new(&text[..end])))
    }

    /// A string of parts; neighbours that are texts are joined, one text alone stays a text.
    pub fn template(&mut self, span: Span, parts: Vec<ExprId>) -> ExprId {
        let mut joined: Vec<ExprId> = Vec::with_capacity(parts.len());
        for part in parts {
            let flat = match self.kind(part) {
                ExprKind::Template(inner) => inner.to_vec(),
                _ => vec![part],
            };
            for part in flat {
                let merged = match (joined.last().map(|&last| self.kind(last)), self.kind(part)) {
                    (Some(ExprKind::Text(left)), ExprKind::Text(right)) => Some(format!("{left}{right}")),
                    _ => None,
                };
                match merged {
                    Some(text) => {
                        let id = self.text(span, &text);
                        joined.pop();
                        joined.push(id);
                    }
                    None => joined.push(part),
                }
            }
        }
        match joined[..] {
            [] => self.text(span, ""),
            [only] if matches!(self.kind(only), ExprKind::Text(_)) => only,
            _ => self.expr(span, ExprKind::Template(joined.into())),
        }
    }

    /// `left + right`: a template when either side is text, else an addition.
    pub fn add(&mut self, span: Span, left: ExprId, right: ExprId) -> ExprId {
        let is_text = |kind: &ExprKind| matches!(kind, ExprKind::Text(_) | ExprKind::Template(_));
        if is_text(self.kind(left)) || is_text(self.kind(right)) {
            self.template(span, vec![left, right])
        } else {
            self.expr(span, ExprKind::Op(Op::Add, Box::new([left, right])))
        }
    }

    /// A name read in the current block.
    pub fn reference(&mut self, span: Span, name: &str) -> ExprId {
        let block = self.block();
        self.expr(span, ExprKind::Ref(Name::new(name), block))
    }

    /// `base.name`; a member of an environment object is an environment read.
    pub fn member(&mut self, span: Span, base: ExprId, name: &str) -> ExprId {
        let kind = match self.dotted(base) {
            Some(path) if is_env_object(&path) && name != "get" => ExprKind::Env(Name::new(name)),
            _ => ExprKind::Member(base, Name::new(name)),
        };
        self.expr(span, kind)
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
    pub fn call(&mut self, span: Span, callee: ExprId, args: Vec<Arg>, is_new: bool, tagged: bool) -> ExprId {
        if !is_new
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
        self.facts.calls.push(Call {
            callee,
            args: args.into(),
            is_new,
            awaited: false,
            dropped: false,
            tagged,
            block,
            expr,
        });
        expr
    }

    /// What a call calls.
    pub fn callee(&self, call: CallId) -> ExprId {
        self.facts.call(call).callee
    }

    /// Marks what an `await` waits for: the call, and the calls it is chained on through `.then` / `.catch` / `.finally`.
    pub fn mark_awaited(&mut self, id: ExprId) {
        self.mark(id, |call| call.awaited = true);
    }

    /// Marks what an expression statement throws away, in the same way.
    pub fn mark_dropped(&mut self, id: ExprId) {
        self.mark(id, |call| call.dropped = true);
    }

    fn mark(&mut self, id: ExprId, set: fn(&mut Call)) {
        match *self.kind(id) {
            ExprKind::Call(call) => {
                let callee = self.facts.call(call).callee;
                set(&mut self.facts.calls[call.index()]);
                if let ExprKind::Member(base, name) = *self.kind(callee)
                    && matches!(name.as_str(), "then" | "catch" | "finally")
                {
                    self.mark(base, set);
                }
            }
            ExprKind::Await(inner) => self.mark(inner, set),
            ExprKind::Op(Op::Void, ref operands) => {
                let operand = operands[0];
                self.mark(operand, set);
            }
            _ => {}
        }
    }

    // ---- blocks and steps -------------------------------------------------------------------------------

    /// The block being filled.
    pub fn block(&self) -> BlockId {
        // The module body is never closed, so there is always one.
        self.blocks.last().copied().unwrap_or(BlockId(0))
    }

    /// Opens a block inside the current one.
    pub fn open_block(&mut self, kind: BlockKind, span: Span) -> BlockId {
        let id = BlockId(self.facts.blocks.len() as u32);
        let (parent, function) = (Some(self.block()), self.function());
        self.facts.blocks.push(Block { kind, parent, function, span, steps: vec![] });
        self.blocks.push(id);
        id
    }

    /// Closes the current block.
    pub fn close_block(&mut self) {
        self.blocks.pop();
    }

    /// Adds a step to the current block.
    pub fn step(&mut self, step: Step) {
        let block = self.block();
        self.facts.blocks[block.index()].steps.push(step);
    }

    // ---- definitions ------------------------------------------------------------------------------------

    /// Defines `name` in `block`, or finds the definition it already has there.
    pub fn define_in(&mut self, block: BlockId, name: &str, kind: DefKind, span: Span) -> DefId {
        let name = Name::new(name);
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
        self.facts.defs[def.index()].values.push(value);
    }

    /// Assigns to a plain name: a step that binds its definition, or an assignment to a global.
    /// Definitions written further down are found at link time; assignments to them count as plain ones.
    pub fn assign_name(&mut self, target: ExprId, value: ExprId) {
        if let ExprKind::Ref(name, block) = *self.kind(target) {
            let mut around = Some(block);
            while let Some(id) = around {
                if let Some(&def) = self.scope.get(&(id, name)) {
                    return self.bind(def, value);
                }
                around = self.facts.block(id).parent;
            }
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
        self.facts.functions.push(Function {
            name: name.map(Name::new),
            span,
            params: Box::new([]),
            body,
            parent,
            class: None,
            is_async: false,
            use_server: false,
            decorators: Box::new([]),
        });
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

    /// The finished facts.
    pub fn finish(mut self) -> Facts {
        self.facts.scope = self.scope.into_iter().map(|((block, name), def)| (block, name, def)).collect();
        self.facts.scope.sort_unstable();
        self.facts
    }
}
