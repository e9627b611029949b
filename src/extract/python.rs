//! Python's tree to facts: one pass that decides what each node means in the shared shapes.
//!
//! Scopes are Python's: a name assigned anywhere in a function belongs to the function's body block,
//! `global` and `nonlocal` send it outwards, comprehensions keep their own, and what a class body defines
//! is not visible in its methods (their blocks hang on the block around the class).

use std::num::NonZeroU16;

use rustc_hash::FxHashMap;
use tree_sitter::{Node, Parser, TreeCursor};

use super::build::Builder;
use crate::facts::{BlockId, BlockKind, ClassId, DefId, DefKind, ExprId, ExprKind, Facts, Language, Op, Span, Step};
use crate::lang::{self, Shape, Syntax};
use crate::names::Name;

mod assign;
mod branches;
mod calls;
mod classes;
mod expressions;
mod functions;
mod handed;
mod imports;
mod loops;
mod match_case;
mod operators;
mod settings;
mod strings;

use imports::Known;

/// How deep nodes, and the blocks and expressions made of them, may nest. Python itself stops at about a
/// hundred blocks and two hundred brackets; the rest is room for chains of calls and `elif`.
const DEPTH_LIMIT: usize = 400;

/// Reads a Python tree into the builder: the module body is its open function.
pub fn visit(builder: &mut Builder<'_>, syntax: &Syntax, root: Node<'_>) {
    let mut visitor = Visitor::new(builder, syntax, root);
    visitor.statements(root);
}

/// The facts of one Python text: parse, visit, finish.
pub fn extract(text: &str) -> Facts {
    let mut builder = Builder::new(Language::Python, text);
    let mut parser = Parser::new();
    if parser.set_language(&lang::grammar(Language::Python)).is_ok()
        && let Some(tree) = parser.parse(text, None)
    {
        visit(&mut builder, lang::syntax(Language::Python), tree.root_node());
        builder.facts().syntax_errors = count_errors(tree.root_node());
    }
    builder.finish()
}

/// How many ERROR and MISSING nodes a tree holds; costs nothing for a clean one.
fn count_errors(root: Node<'_>) -> u32 {
    let mut count = 0;
    let mut cursor = root.walk();
    loop {
        let node = cursor.node();
        count += u32::from(node.is_error() || node.is_missing());
        if node.has_error() && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return count;
            }
        }
    }
}

/// Where names go.
struct Scope {
    /// The block that assigned names are defined in.
    block: BlockId,
    kind: ScopeKind,
    /// What functions written here see around them: not the class's block in a class body.
    visible: Option<BlockId>,
    /// The name that stands for the instance or class in a method.
    receiver: Option<Receiver>,
    /// Names that `global` and `nonlocal` send to another block.
    elsewhere: Vec<(Name, BlockId)>,
}

#[derive(Clone, Copy, PartialEq)]
enum ScopeKind {
    Function,
    Class(ClassId),
    Comprehension,
}

#[derive(Clone, Copy)]
struct Receiver {
    name: Name,
    class: ClassId,
    /// The class itself, as in a class method.
    is_class: bool,
}

struct Visitor<'v, 's, 't> {
    builder: &'v mut Builder<'s>,
    syntax: &'v Syntax,
    /// The grammar's field of an operator, an anonymous node that the table cannot name.
    operator: Option<NonZeroU16>,
    cursor: TreeCursor<'t>,
    /// Children of the nodes being visited, a stack: spares a cursor and a list for every node.
    nodes: Vec<Node<'t>>,
    scopes: Vec<Scope>,
    /// What imports and plain assignments made a name for: `import os as _os`.
    known: FxHashMap<DefId, Known>,
    known_names: Vec<Name>,
    depth: usize,
    /// Under `if TYPE_CHECKING`.
    types_only: bool,
}

impl<'v, 's, 't> Visitor<'v, 's, 't> {
    fn new(builder: &'v mut Builder<'s>, syntax: &'v Syntax, root: Node<'t>) -> Self {
        let module = Scope {
            block: builder.block(),
            kind: ScopeKind::Function,
            visible: None,
            receiver: None,
            elsewhere: vec![],
        };
        Self {
            builder,
            syntax,
            operator: root.language().field_id_for_name("operator"),
            cursor: root.walk(),
            nodes: Vec::with_capacity(64),
            scopes: vec![module],
            known: FxHashMap::default(),
            known_names: vec![],
            depth: 0,
            types_only: false,
        }
    }

    // ---- the tree -----------------------------------------------------------------------------------------

    fn shape(&self, node: Node<'_>) -> Shape {
        self.syntax.shape(node)
    }

    fn source(&self, node: Node<'_>) -> &'s str {
        self.builder.source(span(node))
    }

    /// Calls `each` with every child that is not a comment; anonymous ones only where asked for.
    fn children_of(&mut self, node: Node<'t>, anonymous: bool, mut each: impl FnMut(&mut Self, Node<'t>)) {
        let start = self.nodes.len();
        self.cursor.reset(node);
        let mut more = self.cursor.goto_first_child();
        while more {
            let child = self.cursor.node();
            // What the parser skipped is an error node and "extra" like a comment, but may hold code.
            if (anonymous || child.is_named()) && (child.is_error() || !child.is_extra()) {
                self.nodes.push(child);
            }
            more = self.cursor.goto_next_sibling();
        }
        for at in start..self.nodes.len() {
            let child = self.nodes[at];
            each(self, child);
        }
        self.nodes.truncate(start);
    }

    /// Calls `each` with every named child that is not a comment.
    fn children(&mut self, node: Node<'t>, each: impl FnMut(&mut Self, Node<'t>)) {
        self.children_of(node, false, each);
    }

    /// The first named child that is not a comment.
    fn only_child(&self, node: Node<'t>) -> Option<Node<'t>> {
        (0..node.named_child_count() as u32).filter_map(|at| node.named_child(at)).find(|child| !child.is_extra())
    }

    /// One level down, if there is room for it.
    fn enter(&mut self) -> bool {
        if self.depth >= DEPTH_LIMIT {
            self.builder.facts().too_deep = true;
            return false;
        }
        self.depth += 1;
        true
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    // ---- names --------------------------------------------------------------------------------------------

    fn scope(&self) -> &Scope {
        // The module's scope is never popped.
        &self.scopes[self.scopes.len() - 1]
    }

    fn push_scope(&mut self, kind: ScopeKind, receiver: Option<Receiver>) {
        let block = self.builder.block();
        let visible = match kind {
            ScopeKind::Class(_) => self.builder.facts().block(block).parent,
            _ => None,
        };
        self.scopes.push(Scope { block, kind, visible, receiver, elsewhere: vec![] });
    }

    fn pop_scope(&mut self) {
        self.scopes.pop();
    }

    /// Makes a block just opened in a class body hang on the block around the class.
    fn hide_class_body(&mut self, opened: BlockId, written_in: Option<BlockId>) {
        if let Some(visible) = written_in {
            self.builder.facts().blocks[opened.index()].parent = Some(visible);
        }
    }

    /// Defines a name where assignments in the current scope put it.
    fn define(&mut self, name: &str, kind: DefKind, at: Span) -> DefId {
        let scope = self.scope();
        let interned = Name::new(name);
        let elsewhere = scope.elsewhere.iter().find(|&&(other, _)| other == interned);
        let block = elsewhere.map_or(scope.block, |&(_, block)| block);
        self.builder.define_in(block, name, kind, at)
    }

    /// The definition a name read here means, as far as the file was read.
    fn find(&self, name: Name) -> Option<DefId> {
        let innermost = self.scopes.len() - 1;
        let seen = |&(at, scope): &(usize, &Scope)| at == innermost || !matches!(scope.kind, ScopeKind::Class(_));
        self.scopes.iter().enumerate().rev().filter(seen).find_map(|(_, scope)| self.builder.defined(scope.block, name))
    }

    /// The instance or class that a name stands for in the methods around.
    fn receiver(&self, name: &str) -> Option<Receiver> {
        // Asked for every name read, so settled without a look-up for nearly all.
        if !self.scopes.iter().any(|scope| scope.receiver.is_some_and(|receiver| receiver.name == name)) {
            return None;
        }
        for scope in self.scopes.iter().rev() {
            match scope.receiver {
                Some(receiver) if receiver.name == name => return Some(receiver),
                _ if matches!(scope.kind, ScopeKind::Class(_)) => {}
                _ if self.builder.defined(scope.block, Name::new(name)).is_some() => return None,
                _ => {}
            }
        }
        None
    }

    /// `global` and `nonlocal`.
    fn outer_names(&mut self, node: Node<'t>, global: bool) {
        self.children(node, |v, child| {
            let name = Name::new(v.source(child));
            let functions = || v.scopes.iter().rev().skip(1).filter(|scope| scope.kind == ScopeKind::Function);
            let block = if global {
                Some(v.scopes[0].block)
            } else {
                let holder = functions().find(|scope| v.builder.defined(scope.block, name).is_some());
                holder.or_else(|| functions().next()).map(|scope| scope.block)
            };
            let at = v.scopes.len() - 1;
            if let Some(block) = block.filter(|&block| block != v.scopes[at].block) {
                v.scopes[at].elsewhere.push((name, block));
            }
        });
    }

    // ---- statements ---------------------------------------------------------------------------------------

    fn statements(&mut self, node: Node<'t>) {
        self.children(node, Self::statement);
    }

    /// Fills a new block with the statements of a suite.
    fn suite(&mut self, kind: BlockKind, node: Node<'t>) -> BlockId {
        let block = self.builder.open_block(kind, span(node));
        self.statements(node);
        self.builder.close_block();
        block
    }

    fn statement(&mut self, node: Node<'t>) {
        if !self.enter() {
            return;
        }
        match self.shape(node) {
            Shape::Skip => {}
            Shape::Statement => self.children(node, Self::simple),
            Shape::Assign | Shape::Augment => self.simple(node),
            Shape::Block => self.statements(node),
            Shape::If => self.if_else(node),
            Shape::While => self.while_loop(node),
            Shape::Each => self.for_loop(node),
            Shape::Try => self.try_except(node),
            Shape::With => self.with(node),
            Shape::Switch => self.match_case(node),
            Shape::Return => {
                let value = self.only_child(node).map(|child| self.expr(child));
                self.builder.step(Step::Return(value));
            }
            Shape::Throw => self.raise(node),
            Shape::Jump => {
                let leaves = node.kind() == "break_statement";
                self.builder.step(if leaves { Step::Break } else { Step::Jump });
            }
            Shape::Import => self.import(node),
            Shape::Decorated => self.decorated(node),
            Shape::FunctionDeclaration => self.function(node, vec![]),
            Shape::ClassDeclaration => self.class(node, vec![]),
            Shape::Other => self.other_statement(node),
            _ => self.evaluate(node),
        }
        self.leave();
    }

    /// What an expression statement holds: an assignment, a text nobody reads, or a value thrown away.
    fn simple(&mut self, node: Node<'t>) {
        match self.shape(node) {
            Shape::Skip | Shape::Text | Shape::Template => {}
            Shape::Assign => self.assignment(node),
            Shape::Augment => self.augment(node),
            _ => self.evaluate(node),
        }
    }

    fn evaluate(&mut self, node: Node<'t>) {
        let value = self.expr(node);
        self.builder.mark_dropped(value);
        self.builder.step(Step::Eval(value));
    }

    fn other_statement(&mut self, node: Node<'t>) {
        match node.kind() {
            "assert_statement" => self.assert(node),
            "delete_statement" => self.children(node, |v, child| {
                let target = v.expr(child);
                let value = v.builder.expr(span(child), ExprKind::Op(Op::Other, Box::new([target])));
                v.builder.step(Step::Eval(value));
            }),
            "global_statement" => self.outer_names(node, true),
            "nonlocal_statement" => self.outer_names(node, false),
            "print_statement" => self.print(node),
            // An error, or a part torn from its statement: what it holds may still be whole.
            _ => self.statements(node),
        }
    }

    fn unknown(&mut self, node: Node<'t>) -> ExprId {
        self.builder.expr(span(node), ExprKind::Unknown)
    }
}

fn span(node: Node<'_>) -> Span {
    Span { start: node.start_byte() as u32, end: node.end_byte() as u32 }
}
