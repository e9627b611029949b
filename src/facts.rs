//! What one file says: plain data without tree, lifetimes or judgement, the same for every language.
//!
//! A file is an arena of expressions, a tree of blocks that hold steps in the order they run, and
//! tables of functions, classes, definitions, imports, exports and calls. Ids index their table.
//! Everything that runs at load belongs to function 0, the *module body*.

use serde::{Deserialize, Serialize};

use crate::names::Name;

mod kinds;
pub mod print;
pub mod shape;
mod told;

pub use shape::{
    Arg, Block, BlockKind, Call, Class, Def, DefKind, Element, Export, ExportValue, Expr, ExprKind, Field, Function,
    Import, ImportKind, Imported, Member, Op, Param, Step,
};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u32);
        impl $name {
            /// The position in the file's table.
            pub fn index(self) -> usize { self.0 as usize }
        }
    )*};
}

ids! {
    /// An expression of a file: index into [`Facts::exprs`].
    ExprId,
    /// A block of a file: index into [`Facts::blocks`].
    BlockId,
    /// A call of a file: index into [`Facts::calls`], in evaluation order within a function.
    CallId,
    /// A function of a file: index into [`Facts::functions`]; 0 is the module body.
    FunctionId,
    /// A class of a file: index into [`Facts::classes`].
    ClassId,
    /// A definition of a file: index into [`Facts::defs`].
    DefId,
    /// An import of a file: index into [`Facts::imports`].
    ImportId,
}

impl FunctionId {
    /// The function that stands for the code that runs when the module is loaded.
    pub const MODULE: Self = Self(0);
}

/// A byte range of the outer file, end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// Whether `other` lies within.
    pub fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// The language a file (or the scripts inside it) is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// JavaScript, with JSX.
    JavaScript,
    /// TypeScript.
    TypeScript,
    /// TypeScript with JSX.
    Tsx,
    /// Python.
    Python,
}

impl Language {
    /// Whether it is JavaScript or one of its typed forms.
    pub fn is_script(self) -> bool {
        !matches!(self, Self::Python)
    }
}

/// Everything known of one file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Facts {
    /// The language read.
    pub language: Language,
    /// String directives at the head of the module: `use client`, `use server`.
    pub directives: Vec<Name>,
    /// Imports of every form, in source order.
    pub imports: Vec<Import>,
    /// Exports of every form, in source order. Python: empty (every module-level definition is visible).
    pub exports: Vec<Export>,
    /// Functions; the first is the module body.
    pub functions: Vec<Function>,
    /// Classes, also object types that Python writes as classes.
    pub classes: Vec<Class>,
    /// Blocks; the first is the module body's.
    pub blocks: Vec<Block>,
    /// Definitions: variables, parameters, imports, functions, classes.
    pub defs: Vec<Def>,
    /// The expression arena.
    pub exprs: Vec<Expr>,
    /// Every call and construction, in evaluation order within each function.
    pub calls: Vec<Call>,
    /// Credentials seen in the text, comments included.
    pub tokens: Vec<Token>,
    /// What a document makes a browser load: the `src` of its scripts, and the names of the components that an
    /// Astro page starts there (`<Cart client:load />`).
    pub loads: Vec<Name>,
    /// The tags by which a document loads scripts of other hosts.
    pub script_tags: Vec<ScriptTag>,
    /// The head of an Astro page, between the lines of three dashes: it runs on the server, the scripts after it run in
    /// browsers.
    pub head: Option<Span>,
    /// Environment variables that are read in a way that fails at once when they are unset: `os.environ["X"]`,
    /// `import { X } from "$env/static/private"`.
    pub strict_reads: Vec<Name>,
    /// Byte offsets at which lines start; the first is 0.
    pub lines: Vec<u32>,
    /// How many places the grammar could not read (ERROR or MISSING nodes).
    pub syntax_errors: u32,
    /// What could not be parsed so that functions and calls may be missing.
    pub lost: Option<Lost>,
    /// Set when nesting was deeper than the extractor follows: facts below that depth are missing.
    pub too_deep: bool,
    /// The names each block defines, for [`Facts::lookup`].
    #[serde(skip)]
    pub scope: Scope,
}

/// A stretch of code that could not be parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// Its first line.
    pub line: u32,
    /// Whether it is one of a merge that was not finished.
    pub conflict: bool,
}

/// A tag by which a document loads a script of another host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptTag {
    /// Where the script is, as it is written.
    pub src: Name,
    /// The tag.
    pub span: Span,
    /// It stands in the document's head.
    pub in_head: bool,
    /// Nothing lets the page go on meanwhile: neither `async` nor `defer`, and no module.
    pub blocks: bool,
    /// `integrity` holds it to what it was: a browser runs no other.
    pub held: bool,
}

/// The names that blocks define: one run of entries a block.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    entries: Vec<(Name, DefId)>,
    /// Where each block's run begins; one more than there are blocks.
    runs: Vec<u32>,
}

impl Scope {
    /// Sorts definitions into runs.
    pub fn new(mut defs: Vec<(BlockId, Name, DefId)>, blocks: usize) -> Self {
        defs.sort_unstable_by_key(|&(block, name, def)| (block, name.rank(), def));
        let mut runs = Vec::with_capacity(blocks + 1);
        let mut at = 0;
        for block in 0..blocks as u32 {
            runs.push(at as u32);
            while defs.get(at).is_some_and(|&(of, ..)| of.0 == block) {
                at += 1;
            }
        }
        runs.push(at as u32);
        Self { entries: defs.into_iter().map(|(_, name, def)| (name, def)).collect(), runs }
    }

    fn find(&self, block: BlockId, name: Name) -> Option<DefId> {
        let (from, to) = (*self.runs.get(block.index())?, *self.runs.get(block.index() + 1)?);
        let run = self.entries.get(from as usize..to as usize)?;
        // Names compare by address, their ranks lie behind it.
        if run.len() <= 16 {
            return run.iter().find(|(defined, _)| *defined == name).map(|&(_, def)| def);
        }
        let at = run.partition_point(|(defined, _)| defined.rank() < name.rank());
        run[at..]
            .iter()
            .take_while(|(defined, _)| defined.rank() == name.rank())
            .find(|(defined, _)| *defined == name)
            .map(|&(_, def)| def)
    }
}

/// A credential-shaped text found in a file. The text itself is never kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Token {
    /// Where it stands.
    pub span: Span,
    /// The vendor's id in the catalogue.
    pub vendor: Name,
    /// The credential's name in the catalogue ("secret key").
    pub credential: Name,
    /// What the catalogue says it is, after checksum or decoded claims.
    pub kind: TokenKind,
    /// Whether it reaches test data only, where its form says so.
    pub test: Option<bool>,
    /// A form safe to print: prefix and length only.
    pub masked: Name,
    /// Equal for equal values, says nothing of the value: joins one credential in many places.
    pub hash: u64,
}

/// Who may see a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenKind {
    /// Must stay on the server.
    Secret,
    /// Must stay on the server, but reaches test data only.
    TestSecret,
    /// Made for browsers and repositories.
    Publishable,
    /// Secret or publishable by its use: the shape alone does not say (Google's `AIza` keys).
    ByUse,
}

impl Facts {
    /// Makes anew what is not written down with the facts.
    pub fn restore(&mut self) {
        let defs = self.defs.iter().enumerate().map(|(at, def)| (def.block, def.name, DefId(at as u32))).collect();
        self.scope = Scope::new(defs, self.blocks.len());
    }

    /// The expression `id` stands for.
    pub fn expr(&self, id: ExprId) -> &ExprKind {
        &self.exprs[id.index()].kind
    }

    /// Where the expression stands.
    pub fn span(&self, id: ExprId) -> Span {
        self.exprs[id.index()].span
    }

    /// The call `id`.
    pub fn call(&self, id: CallId) -> &Call {
        &self.calls[id.index()]
    }

    /// The block `id`.
    pub fn block(&self, id: BlockId) -> &Block {
        &self.blocks[id.index()]
    }

    /// The function `id`.
    pub fn function(&self, id: FunctionId) -> &Function {
        &self.functions[id.index()]
    }

    /// The definition `id`.
    pub fn def(&self, id: DefId) -> &Def {
        &self.defs[id.index()]
    }

    /// `block` and the blocks around it, innermost first, across function borders up to the module body.
    pub fn enclosing(&self, block: BlockId) -> impl Iterator<Item = (BlockId, &Block)> {
        let mut next = Some(block);
        std::iter::from_fn(move || {
            let id = next?;
            let block = self.block(id);
            next = block.parent;
            Some((id, block))
        })
    }

    /// What `name` means when it is read in `block`: the innermost definition around it.
    pub fn lookup(&self, block: BlockId, name: Name) -> Option<DefId> {
        self.enclosing(block).find_map(|(id, _)| self.defined_in(id, name))
    }

    /// The definition of `name` that belongs to `block` itself.
    pub fn defined_in(&self, block: BlockId, name: Name) -> Option<DefId> {
        self.scope.find(block, name)
    }

    /// One-based line and column (in characters of UTF-8 bytes) of a byte offset.
    pub fn line_column(&self, offset: u32) -> (u32, u32) {
        let line = self.lines.partition_point(|&start| start <= offset);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or(0);
        (line.max(1) as u32, offset - start + 1)
    }

    /// The last name of a value as it is written: `sum` of `sum` and of `order.sum`.
    pub fn last_name(&self, expr: ExprId) -> Option<Name> {
        match *self.expr(expr) {
            ExprKind::Ref(name, _) | ExprKind::Member(_, name) => Some(name),
            _ => None,
        }
    }

    /// What a function gives back, in source order; functions written inside it give for themselves.
    pub fn returned(&self, function: FunctionId) -> impl Iterator<Item = ExprId> {
        let own = self.blocks.iter().filter(move |block| block.function == function);
        own.flat_map(|block| &block.steps).filter_map(|step| if let Step::Return(value) = step { *value } else { None })
    }

    /// The function whose body holds `block`.
    pub fn function_of(&self, block: BlockId) -> FunctionId {
        self.block(block).function
    }
}
