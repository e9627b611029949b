//! Compiles `queries/<language>/shapes.scm` into a table from node kind to shape.
//!
//! The files are plain tree-sitter queries of one pattern a node kind,
//! `(call_expression function: (_) @callee arguments: (_) @arguments) @call`: the last capture is the shape,
//! those inside are roles. Running a query over every tree would cost half a parse; a table that one cursor
//! pass consults costs nothing. A test compiles the same text as real queries, so it cannot drift from the grammar.

use std::num::NonZeroU16;

use rustc_hash::FxHashMap;
use tree_sitter::{Language as Grammar, Node};

macro_rules! captures {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $variant),* }
        impl $name {
            /// Every one of them, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];
            /// The capture name in `queries/`.
            pub fn capture(self) -> &'static str { match self { $(Self::$variant => $text),* } }
            fn from_capture(text: &str) -> Option<Self> { match text { $($text => Some(Self::$variant),)* _ => None } }
        }
    };
}

captures! {
    /// What a node is, in terms shared by all languages. `Other` nodes are walked through for what they hold.
    Shape {
        /// Not described: its named children are visited.
        Other = "other",
        /// Nothing in it concerns us: comments, types, regular expressions.
        Skip = "skip",
        /// A name.
        Identifier = "identifier",
        /// A constant string.
        Text = "text",
        /// A string with parts that are computed.
        Template = "template",
        /// A number.
        Number = "number",
        /// `true`.
        True = "true",
        /// `false`.
        False = "false",
        /// `null`, `undefined`, `None`.
        Null = "null",
        /// A call.
        Call = "call",
        /// A construction with `new`.
        New = "new",
        /// `base.name`.
        Member = "member",
        /// `base[index]`.
        Index = "index",
        /// An object or dict literal.
        Object = "object",
        /// A list, array, tuple or set literal.
        List = "list",
        /// A function in place: arrow, function expression, lambda.
        Function = "function",
        /// A function declaration.
        FunctionDeclaration = "function.declaration",
        /// A class in place.
        Class = "class",
        /// A class declaration.
        ClassDeclaration = "class.declaration",
        /// `await`.
        Await = "await",
        /// An operator with one operand.
        Unary = "unary",
        /// An operator with two operands.
        Binary = "binary",
        /// A conditional expression.
        Choose = "choose",
        /// A value that is not modelled: a regular expression.
        Opaque = "opaque",
        /// `x++`, `--x`.
        Update = "update",
        /// `a, b`.
        Sequence = "sequence",
        /// `import.meta`, `new.target`.
        Meta = "meta",
        /// What is called in `import("x")`.
        ImportCall = "import.call",
        /// The name of a member, key or attribute.
        Property = "property",
        /// A computed part of a template.
        Hole = "hole",
        /// An attribute of a JSX element.
        Attribute = "attribute",
        /// The opening tag of a JSX element.
        OpeningTag = "tag",
        /// A key and its value in an object.
        Pair = "pair",
        /// A key that is its own value.
        Shorthand = "shorthand",
        /// A method of a class or object.
        Method = "method",
        /// A field of a class.
        Field = "field",
        /// Statements that run when the class is made.
        StaticBlock = "static",
        /// A decorator.
        Decorator = "decorator",
        /// Takes an object apart.
        ObjectPattern = "pattern.object",
        /// Takes an array apart.
        ArrayPattern = "pattern.array",
        /// A key and its target in an object pattern.
        PairPattern = "pattern.pair",
        /// A target with its default.
        DefaultPattern = "pattern.default",
        /// The rest of an object or array.
        RestPattern = "pattern.rest",
        /// One name of a declaration.
        Declarator = "declarator",
        /// A parameter around its pattern.
        Parameter = "parameter",
        /// A statement with a label.
        Labeled = "labeled",
        /// One case of a `switch`.
        Case = "case",
        /// An enumeration.
        Enum = "enum",
        /// A namespace.
        Namespace = "namespace",
        /// An assignment.
        Assign = "assign",
        /// An assignment with an operator.
        Augment = "augment",
        /// Spread of a list or of keywords.
        Spread = "spread",
        /// Something around a value that does not change it: parentheses, casts, non-null.
        Wrap = "wrap",
        /// `this`.
        This = "this",
        /// `super`.
        Super = "super",
        /// A JSX element.
        Element = "element",
        /// `yield`.
        Yield = "yield",
        /// A comprehension or generator.
        Comprehension = "comprehension",
        /// A block of statements.
        Block = "block",
        /// An expression as a statement.
        Statement = "statement",
        /// A variable declaration.
        Declaration = "declaration",
        /// `if`.
        If = "if",
        /// A loop over a condition.
        While = "while",
        /// A loop over elements.
        Each = "each",
        /// A loop with a counter.
        For = "for",
        /// `switch`, `match`.
        Switch = "switch",
        /// `try`.
        Try = "try",
        /// `return`.
        Return = "return",
        /// `throw`, `raise`.
        Throw = "throw",
        /// `break`, `continue`.
        Jump = "jump",
        /// `with`.
        With = "with",
        /// An import declaration.
        Import = "import",
        /// An export declaration.
        Export = "export",
        /// A declaration with decorators around it.
        Decorated = "decorated",
    }
}

captures! {
    /// What a child is to its node.
    Role {
        /// What is called.
        Callee = "callee",
        /// Its arguments.
        Arguments = "arguments",
        /// What a member or index is taken of.
        Base = "base",
        /// A name being declared or taken.
        Name = "name",
        /// An index.
        Index = "index_of",
        /// What is asked.
        Condition = "condition",
        /// What runs or results when it holds.
        Then = "then",
        /// What runs or results when not.
        Otherwise = "otherwise",
        /// What runs.
        Body = "body",
        /// A value.
        Value = "value",
        /// The left operand or target.
        Left = "left",
        /// The right operand or value.
        Right = "right",
        /// The operator.
        Operator = "operator",
        /// Parameters.
        Params = "params",
        /// The only parameter, without parentheses.
        Param = "param",
        /// What runs before a loop.
        Start = "start",
        /// What runs after each turn of a loop.
        Next = "next",
        /// The handler of a `try`.
        Handler = "handler",
        /// The finalizer of a `try`.
        Finally = "finally",
        /// A type annotation.
        Type = "type",
        /// The module an import names.
        Source = "source",
    }
}

const ROLES: usize = Role::ALL.len();

/// The compiled table of one language.
pub struct Syntax {
    shapes: Vec<Shape>,
    fields: Vec<[Option<NonZeroU16>; ROLES]>,
}

impl Syntax {
    /// Compiles the pattern texts; later texts win. Kinds and fields that this grammar lacks are passed over
    /// (TypeScript's table is JavaScript's plus its own), which the drift test makes up for.
    pub fn compile(grammar: &Grammar, texts: &[&str]) -> Self {
        let kinds = grammar.node_kind_count();
        let mut table = Self { shapes: vec![Shape::Other; kinds], fields: vec![[None; ROLES]; kinds] };
        let mut ids: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
        for id in 0..kinds {
            match grammar.node_kind_for_id(id as u16) {
                Some(kind) if grammar.node_kind_is_named(id as u16) => ids.entry(kind).or_default().push(id),
                // Keywords and punctuation: no visitor looks for anything in them.
                _ => table.shapes[id] = Shape::Skip,
            }
        }
        for pattern in texts.iter().flat_map(|text| patterns(text)) {
            for &id in ids.get(pattern.kind).map_or(&[][..], Vec::as_slice) {
                table.shapes[id] = pattern.shape;
                for &(field, role) in &pattern.roles {
                    table.fields[id][role as usize] = grammar.field_id_for_name(field);
                }
            }
        }
        table
    }

    /// The shape of a node.
    pub fn shape(&self, node: Node<'_>) -> Shape {
        // ERROR nodes carry an id outside the grammar's range: they are walked through like any other node.
        self.shapes.get(node.kind_id() as usize).copied().unwrap_or(Shape::Other)
    }

    /// The child that plays `role` in a node.
    pub fn child<'t>(&self, node: Node<'t>, role: Role) -> Option<Node<'t>> {
        let field = self.fields.get(node.kind_id() as usize)?[role as usize]?;
        node.child_by_field_id(field.get())
    }
}

/// One pattern: `(kind field: (_) @role ...) @shape`.
struct Pattern<'t> {
    kind: &'t str,
    roles: Vec<(&'t str, Role)>,
    shape: Shape,
}

/// Reads the patterns of a file. The text ships with the program, so a malformed one is a bug that the
/// first test run shows: hence the panics.
fn patterns(text: &str) -> Vec<Pattern<'_>> {
    let lines = text.lines().map(|line| line.split(';').next().unwrap_or("").trim()).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let malformed = || panic!("queries: malformed pattern: {line}");
            let (inside, shape) = line.rsplit_once(") @").unwrap_or_else(malformed);
            let mut words = inside.trim_start_matches('(').split_whitespace();
            let kind = words.next().unwrap_or_else(|| panic!("queries: no node kind: {line}"));
            let mut roles = Vec::new();
            while let Some(field) = words.next() {
                let (Some("(_)" | "_"), Some(role)) = (words.next(), words.next()) else {
                    panic!("queries: want `field: (_) @role`, or `_` for a sign: {line}")
                };
                let role = Role::from_capture(role.trim_start_matches('@'));
                roles.push((
                    field.trim_end_matches(':'),
                    role.unwrap_or_else(|| panic!("queries: unknown role: {line}")),
                ));
            }
            let shape = Shape::from_capture(shape).unwrap_or_else(|| panic!("queries: unknown shape: {line}"));
            Pattern { kind, roles, shape }
        })
        .collect()
}
