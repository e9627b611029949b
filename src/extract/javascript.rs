//! JavaScript's, TypeScript's and TSX's syntax tree to facts, in one pass.
//!
//! This file walks; those below know what the shapes mean: `statements` fill blocks, `expressions` make values,
//! `patterns` take values apart, `functions` and `classes` open bodies, `modules` import and export, `elements` read JSX.

use tree_sitter::{Node, TreeCursor};

use super::build::Builder;
use crate::facts::{Arg, ClassId, ExprId, ExprKind, FunctionId, Span, Step};
use crate::lang::{Role, Shape, Syntax};
use crate::names::Name;

mod classes;
mod elements;
mod expressions;
mod functions;
mod literals;
mod modules;
mod patterns;
mod statements;

/// Deepest nesting followed. Chains of operators, of calls and of `else if` count as one level.
const DEEPEST: u32 = 300;

/// Longest chain of operators, of calls or of `else if` followed: what reads the facts may go down them.
const LONGEST: usize = 1000;

/// Fills `builder` with what the tree says.
pub fn visit(builder: &mut Builder<'_>, syntax: &Syntax, root: Node<'_>) {
    let cursor = root.walk();
    let mut visitor = Visitor {
        builder,
        syntax,
        cursor,
        nodes: vec![],
        ids: vec![],
        args: vec![],
        pairs: vec![],
        this: vec![],
        methods: vec![],
        depth: 0,
        namespaces: 0,
    };
    visitor.program(root);
}

/// The pass over one tree.
struct Visitor<'v, 's, 't> {
    builder: &'v mut Builder<'s>,
    syntax: &'v Syntax,
    /// One cursor for all children lists: making one allocates.
    cursor: TreeCursor<'t>,
    /// Stacks of what is collected at the moment, shared by all levels.
    nodes: Vec<Node<'t>>,
    ids: Vec<ExprId>,
    args: Vec<Arg>,
    pairs: Vec<(Name, ExprId)>,
    /// What `this` means, innermost last.
    this: Vec<This>,
    /// The methods being opened, with their class: parameters of constructors need it.
    methods: Vec<(FunctionId, ClassId)>,
    depth: u32,
    /// How many namespaces are around: exports in them are none of the module's.
    namespaces: u32,
}

/// What `this` means.
#[derive(Clone, Copy)]
enum This {
    /// A class.
    Class(ClassId),
    /// An object literal with methods, which becomes a class when one of them says `this`.
    Object(Option<ClassId>, Span),
    /// Whatever the caller says.
    Caller,
}

/// Where a node stands.
fn span(node: Node<'_>) -> Span {
    Span { start: node.start_byte() as u32, end: node.end_byte() as u32 }
}

impl<'s, 't> Visitor<'_, 's, 't> {
    fn shape(&self, node: Node<'t>) -> Shape {
        self.syntax.shape(node)
    }

    fn child(&self, node: Node<'t>, role: Role) -> Option<Node<'t>> {
        self.syntax.child(node, role)
    }

    fn text(&self, node: Node<'t>) -> &'s str {
        self.builder.source(span(node))
    }

    /// Visits the children that concern us, in order.
    fn each(&mut self, node: Node<'t>, mut visit: impl FnMut(&mut Self, Node<'t>)) {
        let start = self.nodes.len();
        self.cursor.reset(node);
        if self.cursor.goto_first_child() {
            loop {
                let child = self.cursor.node();
                if self.syntax.shape(child) != Shape::Skip {
                    self.nodes.push(child);
                }
                if !self.cursor.goto_next_sibling() {
                    break;
                }
            }
        }
        let end = self.nodes.len();
        for at in start..end {
            visit(self, self.nodes[at]);
        }
        self.nodes.truncate(start);
    }

    /// The first child that concerns us; what could not be read before it is walked through.
    fn first(&mut self, node: Node<'t>) -> Option<Node<'t>> {
        let mut found = None;
        self.each(node, |this, child| {
            if child.is_error() {
                this.fragments(child);
            } else if found.is_none() {
                found = Some(child);
            }
        });
        found
    }

    /// Whether a child is the given keyword or sign.
    fn has_token(&mut self, node: Node<'t>, token: &str) -> bool {
        self.cursor.reset(node);
        let mut more = self.cursor.goto_first_child();
        while more {
            let child = self.cursor.node();
            if !child.is_named() && child.kind() == token {
                return true;
            }
            more = self.cursor.goto_next_sibling();
        }
        false
    }

    /// Goes one level deeper, or notes that the file is deeper than that.
    fn deeper<T>(&mut self, visit: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth >= DEEPEST {
            self.builder.facts().too_deep = true;
            return None;
        }
        self.depth += 1;
        let result = visit(self);
        self.depth -= 1;
        Some(result)
    }

    fn unknown(&mut self, node: Node<'t>) -> ExprId {
        self.builder.expr(span(node), ExprKind::Unknown)
    }

    /// What is left of code that could not be read: its statements and values still say something.
    fn fragments(&mut self, node: Node<'t>) {
        self.deeper(|this| {
            this.each(node, |this, child| match this.shape(child) {
                Shape::Other
                | Shape::Hole
                | Shape::Parameter
                | Shape::Pair
                | Shape::Method
                | Shape::Field
                | Shape::Decorator => {
                    this.fragments(child);
                }
                Shape::Identifier | Shape::Shorthand | Shape::Text | Shape::Number | Shape::This | Shape::Super => {}
                Shape::Attribute => this.attribute_fragment(child),
                Shape::OpeningTag => this.fragments(child),
                Shape::Case | Shape::ImportCall | Shape::Opaque | Shape::Meta | Shape::Property => {}
                _ => this.statement(child),
            });
        });
    }

    /// An attribute that lost its element.
    fn attribute_fragment(&mut self, node: Node<'t>) {
        self.each(node, |this, part| {
            if this.shape(part) != Shape::Property {
                this.evaluate(part);
            }
        });
    }

    /// Evaluates something for what it does; only calls and functions in it make that worth a step.
    fn evaluate(&mut self, node: Node<'t>) {
        let before = self.weight();
        let value = self.expression(node);
        self.builder.mark_dropped(value);
        if self.weight() != before {
            self.builder.step(Step::Eval(value));
        }
    }

    /// Grows with every call and function seen.
    fn weight(&mut self) -> usize {
        let facts = self.builder.facts();
        facts.calls.len() + facts.functions.len() + facts.imports.len()
    }
}
