//! The shapes every language's syntax becomes: expressions, blocks and steps, functions, imports.

use serde::{Deserialize, Serialize};

use super::{BlockId, CallId, ClassId, DefId, ExprId, FunctionId, ImportId, Span};
use crate::names::Name;

/// An expression and where it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Expr {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: ExprKind,
}

/// The small value language.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExprKind {
    /// Something the extractor does not model.
    Unknown,
    /// A constant string; over 400 bytes only its head is kept (see [`crate::extract::build::TEXT_LIMIT`]).
    Text(Name),
    /// A number.
    Number(f64),
    /// `true` / `false`.
    Bool(bool),
    /// `null`, `undefined`, `None`.
    Null,
    /// A template literal, f-string, `%` / `.format` string or `+` chain with a text in it: parts in order.
    Template(Box<[ExprId]>),
    /// A name read in a block; [`super::Facts::lookup`] says what it means, none means a global.
    Ref(Name, BlockId),
    /// `base.name`, `base?.name`, `base["name"]`, and what destructuring takes out of `base`.
    Member(ExprId, Name),
    /// `base[index]` with an index that is not a constant string.
    Index(ExprId, ExprId),
    /// A read of the environment variable (`process.env.X`, `import.meta.env.X`, `Deno.env.get("X")`, `os.environ["X"]`).
    Env(Name),
    /// A call or construction.
    Call(CallId),
    /// A function written in place, or a function declaration's value.
    Function(FunctionId),
    /// A class written in place, or a class declaration's value.
    Class(ClassId),
    /// An object or dict literal; a spread has the key `...`, a computed key `[]`.
    Object(Box<[(Name, ExprId)]>),
    /// An array, list, tuple or set literal; spreads are [`ExprKind::Spread`].
    List(Box<[ExprId]>),
    /// `...x`, `*x`, `**x`.
    Spread(ExprId),
    /// `await x`.
    Await(ExprId),
    /// An operator with its operands.
    Op(Op, Box<[ExprId]>),
    /// The value that arrives in a parameter.
    Param(FunctionId, u16),
    /// What an import binds.
    Imported(ImportId, Imported),
    /// `this` in a class or object, `self` / `cls` in Python.
    This(ClassId),
    /// `super`.
    Super(ClassId),
    /// A JSX element.
    Element(Box<Element>),
    /// One element of what is looped over: `for (const x of xs)`, and the parameter of `xs.map(x => ..)` is a `Param`.
    ElementOf(ExprId),
    /// What a `catch` or `except .. as e` receives.
    Caught,
}

/// Operators that matter to flow and values; everything else is [`Op::Other`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// `!x`, `not x`.
    Not,
    /// `a && b`, `a and b`: the second runs only if the first holds.
    And,
    /// `a || b`, `a or b`: the second is the fallback.
    Or,
    /// `a ?? b`.
    Nullish,
    /// `cond ? a : b`, `a if cond else b`: operands condition, then, else.
    Choose,
    /// `==`, `===`, `is`.
    Equal,
    /// `!=`, `!==`, `is not`.
    Unequal,
    /// `<`, `<=`, `>`, `>=`.
    Compare,
    /// `in`, `not in` with [`Op::Not`] around it.
    In,
    /// `instanceof`.
    Instance,
    /// `typeof x`.
    TypeOf,
    /// `a + b` where no operand is known to be text.
    Add,
    /// `-`, `*`, `/`, `%`, `**`, bit operations.
    Arithmetic,
    /// `delete x`, `void x`, `yield x`, sequence, and others.
    Other,
    /// `void x`.
    Void,
    /// `yield x`, `yield* x`.
    Yield,
    /// `a = b` or `a += b` inside an expression: operands target, value.
    Assign,
}

/// A JSX element: `<Form onSubmit={save} />`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Element {
    /// The tag: a `Text` for a lower-case one, else a `Ref` or `Member`. A fragment has the text "".
    pub tag: ExprId,
    /// Attributes; a spread has the key `...`. `className`, `class` and `style` are left out.
    pub attributes: Box<[(Name, ExprId)]>,
    /// Child elements and `{expression}` children (text is left out).
    pub children: Box<[ExprId]>,
}

/// A call or construction.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Call {
    /// What is called.
    pub callee: ExprId,
    /// Arguments in order.
    pub args: Box<[Arg]>,
    /// `new X(..)`.
    pub is_new: bool,
    /// Directly under an `await`, or the head of a `.then/.catch/.finally` chain that is awaited.
    pub awaited: bool,
    /// The whole value is thrown away (an expression statement), also at the end of such a chain, also under `void`.
    pub dropped: bool,
    /// A tagged template: the only argument is the template.
    pub tagged: bool,
    /// The block it runs in (the arm of a conditional expression is no block of its own).
    pub block: BlockId,
    /// The expression that stands for it.
    pub expr: ExprId,
}

/// An argument.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Arg {
    /// Python's keyword, if given; `**` for a spread of keywords.
    pub name: Option<Name>,
    /// Its value; [`ExprKind::Spread`] for `...x`.
    pub value: ExprId,
}

/// A block: a scope and the steps that run in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Block {
    /// Why it runs.
    pub kind: BlockKind,
    /// The block around it; for a function's body the block the function is written in.
    pub parent: Option<BlockId>,
    /// The function it belongs to.
    pub function: FunctionId,
    /// Where it stands.
    pub span: Span,
    /// What runs, in order.
    pub steps: Box<[Step]>,
}

/// Why a block runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// A function's body, or the module's.
    Body,
    /// The condition holds.
    Then(ExprId),
    /// The condition does not hold.
    Else(ExprId),
    /// A loop: the condition, or what is iterated.
    Loop(Option<ExprId>),
    /// Guarded by the `Try` step that holds it.
    Try,
    /// The handler of a `Try` step; the exception's type where one is named.
    Catch(Option<ExprId>),
    /// Runs either way.
    Finally,
    /// A case of a switch / match: subject and value, none for the default.
    Case(ExprId, Option<ExprId>),
    /// Python's `with`: the context expression.
    With(ExprId),
    /// A bare `{ }`, Python's class body.
    Plain,
}

/// What happens in a block, in order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// An expression is evaluated and dropped.
    Eval(ExprId),
    /// A definition gets a value (declaration with value, or assignment to a plain name).
    Bind(DefId, ExprId),
    /// Anything else is assigned: `a.b = c`, `a[i] += c`.
    Assign(ExprId, ExprId),
    /// The function ends with a value.
    Return(Option<ExprId>),
    /// The function ends with an error.
    Throw(Option<ExprId>),
    /// `continue`.
    Jump,
    /// `break`: it leaves the loop or the case around it.
    Break,
    /// A decision.
    If {
        /// What is asked.
        condition: ExprId,
        /// Runs when it holds.
        then: BlockId,
        /// Runs when not.
        otherwise: Option<BlockId>,
    },
    /// One of several cases ([`BlockKind::Case`] each).
    Switch(ExprId, Box<[BlockId]>),
    /// A loop.
    Loop(BlockId),
    /// `try`.
    Try {
        /// What is guarded. Python's `else` part is its last steps.
        body: BlockId,
        /// The handlers.
        handlers: Box<[BlockId]>,
        /// `finally`.
        finally: Option<BlockId>,
    },
    /// A bare block or `with`.
    Block(BlockId),
}

/// A function, method, arrow or lambda.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Function {
    /// Its own name, or the name of the variable, key or field it is assigned to.
    pub name: Option<Name>,
    /// The whole function.
    pub span: Span,
    /// Parameters in order (Python: without `self` / `cls` in methods).
    pub params: Box<[Param]>,
    /// The block of its body. An arrow with an expression body holds one `Return`.
    pub body: BlockId,
    /// The function it is written in.
    pub parent: Option<FunctionId>,
    /// The class it is a method of.
    pub class: Option<ClassId>,
    /// `async`.
    pub is_async: bool,
    /// Has its own `"use server"`.
    pub use_server: bool,
    /// Has its own `"use cache"`: what it gives is kept for later calls.
    pub use_cache: bool,
    /// Decorators, outermost first.
    pub decorators: Box<[ExprId]>,
}

impl Function {
    /// A function of which no more is known yet.
    pub fn empty(name: Option<Name>, span: Span, body: BlockId, parent: Option<FunctionId>) -> Self {
        Self {
            name,
            span,
            params: Box::new([]),
            body,
            parent,
            class: None,
            is_async: false,
            use_server: false,
            use_cache: false,
            decorators: Box::new([]),
        }
    }
}

/// A parameter.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Param {
    /// Its name; none when destructured.
    pub name: Option<Name>,
    /// The annotated type, when it is a plain (dotted) name: `stripe: Stripe`.
    pub ty: Option<ExprId>,
    /// Its default.
    pub default: Option<ExprId>,
    /// `...rest`, `*args`, `**kwargs`.
    pub rest: bool,
}

/// A class.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Class {
    /// Its name.
    pub name: Option<Name>,
    /// The whole class.
    pub span: Span,
    /// What it extends.
    pub bases: Box<[ExprId]>,
    /// Methods, accessors and the constructor (`constructor`, `__init__`).
    pub methods: Vec<Member>,
    /// Fields: declared, assigned through `this.x = ..` / `self.x = ..` anywhere, or constructor parameter properties.
    pub fields: Vec<Field>,
    /// Decorators, outermost first.
    pub decorators: Box<[ExprId]>,
    /// Decorators of its fields, in order.
    pub field_decorators: Vec<(Name, ExprId)>,
}

/// A method.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Member {
    /// Its name.
    pub name: Name,
    /// Its code.
    pub function: FunctionId,
    /// `static`, `@staticmethod`, `@classmethod`.
    pub is_static: bool,
    /// `get x()`, `@property`.
    pub is_getter: bool,
}

/// A field of a class.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Field {
    /// Its name.
    pub name: Name,
    /// A value it gets; a field assigned twice stands twice.
    pub value: Option<ExprId>,
    /// The annotated type, when it is a plain (dotted) name.
    pub ty: Option<ExprId>,
    /// `static`, or written in a Python class body.
    pub is_static: bool,
}

/// A definition: what a name means in a block.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Def {
    /// Its name.
    pub name: Name,
    /// The block it belongs to.
    pub block: BlockId,
    /// What kind of thing it is.
    pub kind: DefKind,
    /// Where the name is written first.
    pub span: Span,
    /// Every value it gets, in source order; none for `let x;`.
    pub values: Vec<ExprId>,
    /// The annotated type, when it is a plain (dotted) name.
    pub ty: Option<ExprId>,
}

/// What kind of thing a definition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DefKind {
    /// `const`.
    Constant,
    /// `let`, `var`, a Python variable, a loop variable.
    Variable,
    /// A parameter or a part of one.
    Param,
    /// Bound by an import.
    Import,
    /// A function declaration.
    Function,
    /// A class declaration.
    Class,
    /// The variable of a `catch`.
    Caught,
}

/// An import of any form.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Import {
    /// The specifier as written. Python: dotted, relative ones with their leading dots (`..lib.mail`).
    pub specifier: Name,
    /// How it is written.
    pub kind: ImportKind,
    /// Where it stands.
    pub span: Span,
    /// The block it stands in (an import inside a function runs when that runs).
    pub block: BlockId,
    /// What is taken by name, `default` and `*` among them; empty for effects only. For `import()` and
    /// `require` the names destructured from it, `*` when the whole module is kept.
    pub names: Vec<Name>,
}

/// How an import is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImportKind {
    /// `import .. from`, Python's `import` and `from .. import`.
    Static,
    /// `import type`, or every name of it is a type; Python under `if TYPE_CHECKING`.
    Type,
    /// `await import(..)`, `React.lazy(() => import(..))`, `importlib.import_module("..")`.
    Dynamic,
    /// `require(..)`.
    Require,
    /// `export .. from`.
    ReExport,
}

/// Which part of a module an import names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Imported {
    /// The module object: `* as x`, `import()`, `require()`, Python's `import x`.
    Module,
    /// One name of it; `default` for the default export.
    Name(Name),
}

/// An export.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Export {
    /// The name outside; `default`; `*` for `export * from`; `module.exports = x` is `=`.
    pub name: Name,
    /// What it is.
    pub value: ExportValue,
    /// Where it stands.
    pub span: Span,
}

/// What an export stands for.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportValue {
    /// An expression of this file.
    Local(ExprId),
    /// Taken from another module.
    From(ImportId, Imported),
}
