//! Facts for people: what `seamcheck facts FILE` shows and tests compare.
//!
//! First what the module takes and gives, then classes, then every function with its steps indented, values in a
//! little language, and below them its calls with line, path and flags.

use std::fmt::Write;

use super::{
    BlockId, BlockKind, Call, Def, DefKind, ExportValue, ExprId, ExprKind, Facts, FunctionId, ImportKind, Imported, Op,
    Step,
};
use crate::names::Name;

/// Deepest value and longest line written out; beyond that stands `…`.
const DEEPEST: usize = 10;
const LONGEST: usize = 160;

/// The facts of a file as text.
pub fn print(facts: &Facts) -> String {
    let mut printer = Printer { facts, out: String::new(), stepped: vec![false; facts.exprs.len()] };
    for step in facts.blocks.iter().flat_map(|block| &block.steps) {
        if let Step::Bind(_, value) = step {
            printer.stepped[value.index()] = true;
        }
    }
    printer.module();
    printer.classes();
    for at in 0..facts.functions.len() {
        printer.function(FunctionId(at as u32));
    }
    printer.out
}

/// One value as text.
pub fn print_value(facts: &Facts, id: ExprId) -> String {
    Printer { facts, out: String::new(), stepped: vec![] }.value(id)
}

struct Printer<'f> {
    facts: &'f Facts,
    out: String,
    /// Values that a `Bind` step gives; other values of a definition are shown where it is defined.
    stepped: Vec<bool>,
}

impl Printer<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        let cut: String = match text.char_indices().nth(LONGEST) {
            Some((at, _)) => format!("{}…", &text[..at]),
            None => text.to_owned(),
        };
        self.out.extend(std::iter::repeat_n("  ", depth));
        self.out.push_str(&cut);
        self.out.push('\n');
    }

    fn module(&mut self) {
        let facts = self.facts;
        let mut head = format!("{:?}", facts.language).to_lowercase();
        if facts.syntax_errors > 0 {
            let _ = write!(head, ", {} syntax errors", facts.syntax_errors);
        }
        if facts.too_deep {
            head.push_str(", too deep in places");
        }
        self.line(0, &head);
        for directive in &facts.directives {
            self.line(0, &format!("directive {directive:?}"));
        }
        for import in &facts.imports {
            let kind = match import.kind {
                ImportKind::Static => "import",
                ImportKind::Type => "import type",
                ImportKind::Dynamic => "import()",
                ImportKind::Require => "require",
                ImportKind::ReExport => "re-export",
            };
            let names: Vec<&str> = import.names.iter().map(|name| name.as_str()).collect();
            let names = if names.is_empty() { String::new() } else { format!(" {{ {} }}", names.join(", ")) };
            self.line(0, &format!("{kind} {:?}{names}", import.specifier));
        }
        for export in &facts.exports {
            let value = match export.value {
                ExportValue::Local(value) => self.value(value),
                ExportValue::From(import, what) => self.imported(import.index(), what),
            };
            self.line(0, &format!("export {} = {value}", export.name));
        }
    }

    fn classes(&mut self) {
        let facts = self.facts;
        for (at, class) in facts.classes.iter().enumerate() {
            let bases = self.values(class.bases.iter().copied());
            let extends = if bases.is_empty() { String::new() } else { format!(" extends {bases}") };
            self.decorators(0, &class.decorators);
            self.line(0, &format!("class#{at} {}{extends}", class.name.map_or("", Name::as_str)));
            for field in &class.fields {
                let mut text = format!("{}{}", if field.is_static { "static " } else { "" }, field.name);
                if let Some(ty) = field.ty {
                    let _ = write!(text, ": {}", self.value(ty));
                }
                if let Some(value) = field.value {
                    let _ = write!(text, " = {}", self.value(value));
                }
                self.line(1, &text);
            }
            for method in &class.methods {
                let is_static = if method.is_static { "static " } else { "" };
                let getter = if method.is_getter { "get " } else { "" };
                self.line(1, &format!("{is_static}{getter}{}() fn#{}", method.name, method.function.0));
            }
        }
    }

    fn decorators(&mut self, depth: usize, decorators: &[ExprId]) {
        for &decorator in decorators {
            let text = format!("@{}", self.value(decorator));
            self.line(depth, &text);
        }
    }

    fn function(&mut self, id: FunctionId) {
        let facts = self.facts;
        let function = facts.function(id);
        if id != FunctionId::MODULE {
            self.decorators(0, &function.decorators);
            let params: Vec<String> = function.params.iter().map(|param| self.param(param)).collect();
            let mut head = format!("fn#{} {}({})", id.0, function.name.map_or("", Name::as_str), params.join(", "));
            if function.is_async {
                head.push_str(" async");
            }
            if function.use_server {
                head.push_str(" use server");
            }
            if function.use_cache {
                head.push_str(" use cache");
            }
            if let Some(class) = function.class {
                let _ = write!(head, " in class#{}", class.0);
            }
            self.line(0, &head);
        } else {
            self.line(0, "module");
        }
        self.block(function.body, 1);
        let calls: Vec<&Call> = facts.calls.iter().filter(|call| facts.function_of(call.block) == id).collect();
        if !calls.is_empty() {
            self.line(1, "calls");
        }
        for call in calls {
            let (line, column) = facts.line_column(facts.span(call.expr).start);
            let mut text = format!("{line}:{column} {}", self.path(call.callee));
            let flags =
                [(call.is_new, "new"), (call.tagged, "tagged"), (call.awaited, "awaited"), (call.dropped, "dropped")];
            for (_, flag) in flags.iter().filter(|(set, _)| *set) {
                let _ = write!(text, " {flag}");
            }
            self.line(2, &text);
        }
    }

    fn param(&self, param: &super::Param) -> String {
        let mut text = format!("{}{}", if param.rest { "..." } else { "" }, param.name.map_or("_", Name::as_str));
        if let Some(ty) = param.ty {
            let _ = write!(text, ": {}", self.value(ty));
        }
        if let Some(default) = param.default {
            let _ = write!(text, " = {}", self.value(default));
        }
        text
    }

    fn block(&mut self, id: BlockId, depth: usize) {
        if depth > 40 {
            return self.line(depth, "…");
        }
        let facts = self.facts;
        let mut defs: Vec<&Def> = facts.defs.iter().filter(|def| def.block == id).collect();
        defs.sort_by_key(|def| def.span);
        for def in defs {
            for &value in &def.values {
                let is_plain = match facts.expr(value) {
                    ExprKind::Param(..) => {
                        facts.function(facts.function_of(id)).params.iter().any(|p| p.name == Some(def.name))
                    }
                    _ => matches!(def.kind, DefKind::Import),
                };
                if !is_plain && !self.stepped[value.index()] {
                    let value = self.value(value);
                    self.line(depth, &format!("{} := {value}", def.name));
                }
            }
        }
        for step in &facts.block(id).steps {
            self.step(step, depth);
        }
    }

    fn step(&mut self, step: &Step, depth: usize) {
        let facts = self.facts;
        match *step {
            Step::Eval(value) => {
                let value = self.value(value);
                self.line(depth, &value);
            }
            Step::Bind(def, value) => {
                let value = self.value(value);
                let ty = facts.def(def).ty.map_or(String::new(), |ty| format!(": {}", self.value(ty)));
                self.line(depth, &format!("{}{ty} = {value}", facts.def(def).name));
            }
            Step::Assign(target, value) => {
                let text = format!("{} = {}", self.value(target), self.value(value));
                self.line(depth, &text);
            }
            Step::Return(value) => self.ending(depth, "return", value),
            Step::Throw(value) => self.ending(depth, "throw", value),
            Step::Jump => self.line(depth, "jump"),
            Step::Break => self.line(depth, "break"),
            Step::If { condition, then, otherwise } => {
                let condition = self.value(condition);
                self.line(depth, &format!("if {condition}"));
                self.block(then, depth + 1);
                if let Some(otherwise) = otherwise {
                    self.line(depth, "else");
                    self.block(otherwise, depth + 1);
                }
            }
            Step::Switch(subject, ref cases) => {
                let subject = self.value(subject);
                self.line(depth, &format!("switch {subject}"));
                for &case in cases {
                    self.headed(case, depth + 1);
                }
            }
            Step::Loop(block) | Step::Block(block) => self.headed(block, depth),
            Step::Try { body, ref handlers, finally } => {
                self.headed(body, depth);
                for &handler in handlers {
                    self.headed(handler, depth);
                }
                if let Some(finally) = finally {
                    self.headed(finally, depth);
                }
            }
        }
    }

    fn ending(&mut self, depth: usize, word: &str, value: Option<ExprId>) {
        let text = value.map_or(word.to_owned(), |value| format!("{word} {}", self.value(value)));
        self.line(depth, &text);
    }

    fn headed(&mut self, block: BlockId, depth: usize) {
        let head = match self.facts.block(block).kind {
            BlockKind::Body => "body".to_owned(),
            BlockKind::Then(condition) => format!("then {}", self.value(condition)),
            BlockKind::Else(condition) => format!("else {}", self.value(condition)),
            BlockKind::Loop(None) => "loop".to_owned(),
            BlockKind::Loop(Some(over)) => format!("loop {}", self.value(over)),
            BlockKind::Try => "try".to_owned(),
            BlockKind::Catch(None) => "catch".to_owned(),
            BlockKind::Catch(Some(ty)) => format!("catch {}", self.value(ty)),
            BlockKind::Finally => "finally".to_owned(),
            BlockKind::Case(_, None) => "default".to_owned(),
            BlockKind::Case(_, Some(value)) => format!("case {}", self.value(value)),
            BlockKind::With(value) => format!("with {}", self.value(value)),
            BlockKind::Plain => "block".to_owned(),
        };
        self.line(depth, &head);
        self.block(block, depth + 1);
    }

    // ---- values -----------------------------------------------------------------------------------------

    fn value(&self, id: ExprId) -> String {
        let mut text = String::new();
        self.write(&mut text, id, 0);
        text
    }

    fn values(&self, ids: impl Iterator<Item = ExprId>) -> String {
        let values: Vec<String> = ids.map(|id| self.value(id)).collect();
        values.join(", ")
    }

    fn imported(&self, import: usize, what: Imported) -> String {
        let specifier = self.facts.imports[import].specifier;
        match what {
            Imported::Module => format!("import({specifier:?})"),
            Imported::Name(name) => format!("import({specifier:?}).{name}"),
        }
    }

    /// A callee: what it is chained on without arguments.
    fn path(&self, id: ExprId) -> String {
        let mut links = Vec::new();
        let mut at = id;
        loop {
            at = match *self.facts.expr(at) {
                ExprKind::Member(base, name) => {
                    links.push(format!(".{name}"));
                    base
                }
                ExprKind::Call(call) if !self.facts.call(call).is_new => {
                    links.push("()".to_owned());
                    self.facts.call(call).callee
                }
                _ => break,
            };
        }
        links.push(self.value(at));
        links.reverse();
        links.concat()
    }

    fn list(&self, out: &mut String, ids: impl Iterator<Item = ExprId>, separator: &str, depth: usize) {
        for (at, id) in ids.enumerate() {
            if at > 0 {
                out.push_str(separator);
            }
            self.write(out, id, depth);
        }
    }

    fn pairs(&self, out: &mut String, pairs: &[(Name, ExprId)], sign: &str, separator: &str, depth: usize) {
        for (at, &(name, value)) in pairs.iter().enumerate() {
            if at > 0 {
                out.push_str(separator);
            }
            out.push_str(&name);
            if name != "..." {
                out.push_str(sign);
            }
            self.write(out, value, depth);
        }
    }

    fn write(&self, out: &mut String, id: ExprId, depth: usize) {
        if depth > DEEPEST || out.len() > 4 * LONGEST {
            return out.push('…');
        }
        let depth = depth + 1;
        // Writing to a string cannot fail.
        let _ = match *self.facts.expr(id) {
            ExprKind::Unknown => write!(out, "?"),
            ExprKind::Text(text) => write!(out, "{text:?}"),
            ExprKind::Number(number) => write!(out, "{number}"),
            ExprKind::Bool(value) => write!(out, "{value}"),
            ExprKind::Null => write!(out, "null"),
            ExprKind::Template(ref parts) => {
                out.push('`');
                for &part in parts {
                    match *self.facts.expr(part) {
                        ExprKind::Text(text) => out.push_str(&text.escape_debug().to_string()),
                        _ => {
                            out.push_str("${");
                            self.write(out, part, depth);
                            out.push('}');
                        }
                    }
                }
                out.push('`');
                Ok(())
            }
            ExprKind::Ref(name, _) => write!(out, "{name}"),
            ExprKind::Member(base, name) => {
                self.base(out, base, depth);
                write!(out, ".{name}")
            }
            ExprKind::Index(base, index) => {
                self.base(out, base, depth);
                out.push('[');
                self.write(out, index, depth);
                write!(out, "]")
            }
            ExprKind::Env(name) => write!(out, "env({name})"),
            ExprKind::Call(call) => {
                let call = self.facts.call(call);
                out.push_str(if call.is_new { "new " } else { "" });
                self.write(out, call.callee, depth);
                out.push('(');
                for (at, arg) in call.args.iter().enumerate() {
                    out.push_str(if at > 0 { ", " } else { "" });
                    if let Some(name) = arg.name {
                        let _ = write!(out, "{name}=");
                    }
                    self.write(out, arg.value, depth);
                }
                write!(out, ")")
            }
            ExprKind::Function(function) => write!(out, "fn#{}", function.0),
            ExprKind::Class(class) => write!(out, "class#{}", class.0),
            ExprKind::Object(ref pairs) => {
                out.push('{');
                self.pairs(out, pairs, ": ", ", ", depth);
                write!(out, "}}")
            }
            ExprKind::List(ref items) => {
                out.push('[');
                self.list(out, items.iter().copied(), ", ", depth);
                write!(out, "]")
            }
            ExprKind::Spread(inner) => self.prefixed(out, "...", inner, depth),
            ExprKind::Await(inner) => self.prefixed(out, "await ", inner, depth),
            ExprKind::Op(op, ref operands) => {
                self.operator(out, op, operands, depth);
                Ok(())
            }
            ExprKind::Param(function, position) => write!(out, "param({}, {position})", function.0),
            ExprKind::Imported(import, what) => write!(out, "{}", self.imported(import.index(), what)),
            ExprKind::This(class) => write!(out, "this#{}", class.0),
            ExprKind::Super(class) => write!(out, "super#{}", class.0),
            ExprKind::Element(ref element) => {
                let tag = match *self.facts.expr(element.tag) {
                    ExprKind::Text(text) => text.to_string(),
                    _ => self.value(element.tag),
                };
                let _ = write!(out, "<{tag}");
                if !element.attributes.is_empty() {
                    out.push(' ');
                    self.pairs(out, &element.attributes, "=", " ", depth);
                }
                out.push('>');
                if !element.children.is_empty() {
                    self.list(out, element.children.iter().copied(), " ", depth);
                    out.push_str("</>");
                }
                Ok(())
            }
            ExprKind::ElementOf(list) => {
                out.push_str("each(");
                self.write(out, list, depth);
                write!(out, ")")
            }
            ExprKind::Caught => write!(out, "caught"),
        };
    }

    fn base(&self, out: &mut String, base: ExprId, depth: usize) {
        match self.facts.expr(base) {
            ExprKind::Await(_) => {
                out.push('(');
                self.write(out, base, depth);
                out.push(')');
            }
            _ => self.write(out, base, depth),
        }
    }

    fn prefixed(&self, out: &mut String, sign: &str, inner: ExprId, depth: usize) -> std::fmt::Result {
        out.push_str(sign);
        self.write(out, inner, depth);
        Ok(())
    }

    fn operator(&self, out: &mut String, op: Op, operands: &[ExprId], depth: usize) {
        let sign = match op {
            Op::Not => "!",
            Op::And => " && ",
            Op::Or => " || ",
            Op::Nullish => " ?? ",
            Op::Equal => " == ",
            Op::Unequal => " != ",
            Op::Compare => " <> ",
            Op::In => " in ",
            Op::Instance => " instanceof ",
            Op::TypeOf => "typeof ",
            Op::Add => " + ",
            Op::Arithmetic => " ± ",
            Op::Void => "void ",
            Op::Yield => "yield ",
            Op::Assign => " = ",
            Op::Choose => " ? ",
            Op::Other => "other",
        };
        match *operands {
            [condition, then, otherwise] if op == Op::Choose => {
                out.push('(');
                self.write(out, condition, depth);
                out.push_str(" ? ");
                self.write(out, then, depth);
                out.push_str(" : ");
                self.write(out, otherwise, depth);
                out.push(')');
            }
            [inner] if op != Op::Other => {
                out.push_str(sign.trim_start());
                self.write(out, inner, depth);
            }
            _ if op == Op::Other => {
                out.push_str("other(");
                self.list(out, operands.iter().copied(), ", ", depth);
                out.push(')');
            }
            _ => {
                out.push('(');
                self.list(out, operands.iter().copied(), sign, depth);
                out.push(')');
            }
        }
    }
}
