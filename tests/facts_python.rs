//! What the extractor makes of Python.
#![allow(clippy::unwrap_used)]

use seamcheck::extract::python::extract;
use seamcheck::facts::{
    BlockId, BlockKind, CallId, DefKind, ExportValue, ExprId, ExprKind, Facts, ImportKind, Imported, Step,
};
use seamcheck::names::Name;

// ---- a small printer -----------------------------------------------------------------------------------------

fn list(facts: &Facts, ids: &[ExprId]) -> String {
    ids.iter().map(|&id| show(facts, id)).collect::<Vec<_>>().join(", ")
}

fn show_call(facts: &Facts, id: CallId) -> String {
    let call = facts.call(id);
    let args = call.args.iter().map(|arg| match arg.name {
        Some(name) => format!("{name}={}", show(facts, arg.value)),
        None => show(facts, arg.value),
    });
    format!("{}({})", show(facts, call.callee), args.collect::<Vec<_>>().join(", "))
}

fn show(facts: &Facts, id: ExprId) -> String {
    match facts.expr(id) {
        ExprKind::Unknown => "?".into(),
        ExprKind::Text(text) => format!("{:?}", text.as_str()),
        ExprKind::Number(number) => number.to_string(),
        ExprKind::Bool(value) => value.to_string(),
        ExprKind::Null => "none".into(),
        ExprKind::Template(parts) => format!("`{}`", list(facts, parts)),
        ExprKind::Ref(name, _) => name.to_string(),
        ExprKind::Member(base, name) => format!("{}.{name}", show(facts, *base)),
        ExprKind::Index(base, index) => format!("{}[{}]", show(facts, *base), show(facts, *index)),
        ExprKind::Env(name) => format!("${name}"),
        ExprKind::Call(call) => show_call(facts, *call),
        ExprKind::Function(id) => format!("fn#{}", id.0),
        ExprKind::Class(id) => format!("class#{}", id.0),
        ExprKind::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| format!("{key}: {}", show(facts, *value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        ExprKind::List(items) => format!("[{}]", list(facts, items)),
        ExprKind::Spread(inner) => format!("*{}", show(facts, *inner)),
        ExprKind::Await(inner) => format!("await {}", show(facts, *inner)),
        ExprKind::Op(op, operands) => format!("{op:?}({})", list(facts, operands)),
        ExprKind::Param(function, at) => format!("param#{}.{at}", function.0),
        ExprKind::Imported(import, Imported::Module) => format!("import#{}", import.0),
        ExprKind::Imported(import, Imported::Name(name)) => format!("import#{}.{name}", import.0),
        ExprKind::This(class) => format!("this#{}", class.0),
        ExprKind::Super(class) => format!("super#{}", class.0),
        ExprKind::Element(_) => "element".into(),
        ExprKind::ElementOf(of) => format!("each({})", show(facts, *of)),
        ExprKind::Caught => "caught".into(),
    }
}

/// A block's steps on one line: `x = f(); if(x){ return x } else { .. }`.
fn steps(facts: &Facts, block: BlockId) -> String {
    let steps = &facts.block(block).steps;
    steps.iter().map(|step| show_step(facts, step)).collect::<Vec<_>>().join("; ")
}

fn show_step(facts: &Facts, step: &Step) -> String {
    let opt = |id: &Option<ExprId>| id.map_or(String::new(), |id| format!(" {}", show(facts, id)));
    let inside = |id: BlockId| format!("{{{}}}", steps(facts, id));
    match step {
        Step::Eval(id) => show(facts, *id),
        Step::Bind(def, value) => format!("{} = {}", facts.def(*def).name, show(facts, *value)),
        Step::Assign(target, value) => format!("{} := {}", show(facts, *target), show(facts, *value)),
        Step::Return(value) => format!("return{}", opt(value)),
        Step::Throw(value) => format!("throw{}", opt(value)),
        Step::Jump => "jump".into(),
        Step::Break => "break".into(),
        Step::If { condition, then, otherwise } => {
            assert!(matches!(facts.block(*then).kind, BlockKind::Then(c) if c == *condition));
            let otherwise = otherwise.map_or(String::new(), |id| format!(" else {}", inside(id)));
            format!("if {} {}{otherwise}", show(facts, *condition), inside(*then))
        }
        Step::Switch(subject, cases) => {
            let cases = cases.iter().map(|&case| {
                let BlockKind::Case(_, value) = facts.block(case).kind else { panic!("no case") };
                format!("case{} {}", opt(&value), inside(case))
            });
            format!("switch {} {}", show(facts, *subject), cases.collect::<Vec<_>>().join(" "))
        }
        Step::Loop(block) => {
            let BlockKind::Loop(of) = facts.block(*block).kind else { panic!("no loop") };
            format!("loop{} {}", opt(&of), inside(*block))
        }
        Step::Try { body, handlers, finally } => {
            let handlers = handlers.iter().map(|&handler| {
                let BlockKind::Catch(ty) = facts.block(handler).kind else { panic!("no catch") };
                format!(" catch{} {}", opt(&ty), inside(handler))
            });
            let finally = finally.map_or(String::new(), |id| format!(" finally {}", inside(id)));
            format!("try {}{}{finally}", inside(*body), handlers.collect::<String>())
        }
        Step::Block(block) => match facts.block(*block).kind {
            BlockKind::With(value) => format!("with {} {}", show(facts, value), inside(*block)),
            _ => inside(*block),
        },
    }
}

/// The module's steps of a text.
fn module(text: &str) -> String {
    let facts = extract(text);
    assert_eq!(facts.syntax_errors, 0, "{text}");
    steps(&facts, BlockId(0))
}

/// The steps of the function so named.
fn body(facts: &Facts, name: &str) -> String {
    let function = facts.functions.iter().find(|function| function.name.is_some_and(|own| own == name)).unwrap();
    steps(facts, function.body)
}

/// The value of a one-line expression.
fn value(text: &str) -> String {
    let shown = module(&format!("x = {text}\n"));
    shown.rsplit_once("x = ").map(|(_, value)| value.to_owned()).unwrap()
}

/// What a name means at module level: its values.
fn values(facts: &Facts, block: BlockId, name: &str) -> String {
    let def = facts.lookup(block, Name::new(name)).unwrap_or_else(|| panic!("{name} is not defined"));
    list(facts, &facts.def(def).values)
}

fn calls(facts: &Facts) -> Vec<String> {
    (0..facts.calls.len() as u32).map(|id| show_call(facts, CallId(id))).collect()
}

/// The block a call runs in.
fn block_of(facts: &Facts, callee: &str) -> BlockId {
    facts.calls.iter().find(|call| show(facts, call.callee) == callee).unwrap().block
}

// ---- values ----------------------------------------------------------------------------------------------------

#[test]
fn literals() {
    for (text, want) in [
        ("'a' \"b\" f'{c}d' 'e'", r#"`"ab", c, "de"`"#),
        (r"'\n\x41\u00e9\'\101\q'", r#""\nAé'A\\q""#),
        (r"r'\n' rb'\d'", r#""\\n\\d""#),
        ("'''a\n'b' '''", r#""a\n'b' ""#),
        ("f'{a!r:>10}{b:{w()}} {{x}} {c[\"k\"]}'", r#"`a, b, " {x} ", c.k`"#),
        ("f'plain'", r#""plain""#),
        ("'a' + b + 'c'", r#"`"a", b, "c"`"#),
        ("a + b + c", "Add(a, b, c)"),
        ("-1 + 0x10 - 1_000.5", "Arithmetic(Add(-1, 16), 1000.5)"),
        ("'%s/%(x)d%%' % 1", r#"`1, "/", 1.x, "%"`"#),
        ("'%s-%5.2f' % (a, b)", r#"`a, "-", b`"#),
        ("'%(a)s.' % {'a': v}", r#"`v, "."`"#),
        ("'x' % v", r#"`"x", v`"#),
        ("'{}/{b}/{0.c}{{'.format(a, b=1)", r#"`a, "/", 1, "/", a.c, "{"`"#),
        ("'{k}:{0:{1}}'.format(a, w, **d)", r#"`d.k, ":", a, w`"#),
        ("[1, *xs, (2,)]", "[1, *xs, [2]]"),
        ("{'a': 1, **d, k: 2, 3: 4}", "{a: 1, ...: d, []: 2, 3: 4}"),
        ("d['k'][0][1:n()]", "d.k[0][Other(1, n())]"),
        ("a if c else b", "Choose(c, a, b)"),
        ("a or b or c and not d", "Or(Or(a, b), And(c, Not(d)))"),
        ("a < b <= c", "And(Compare(a, b), Compare(b, c))"),
        ("a is not None", "Unequal(a, none)"),
        ("'k' not in d", r#"Not(In("k", d))"#),
        ("f(a, *b, k=1, **c)", "f(a, *b, k=1, **=*c)"),
        ("(y := f())", "Assign(y, f())"),
        ("lambda a, *b: a", "fn#1"),
        ("...", "?"),
        ("', '.join([a])", r#"", ".join([a])"#),
    ] {
        assert_eq!(value(text), want, "{text}");
    }
}

#[test]
fn environment() {
    let facts = extract(
        "import os\nimport os as _os\nfrom os import environ, getenv as g\nfrom decouple import config\nimport environ as dj\n\
         env = dj.Env()\nvars = os.environ\n\
         a = os.environ['A']\nb = os.environ.get('B', 'x')\nc = _os.getenv('C')\nd = environ['D']\ne = g('E', None)\n\
         f = environ.get('F')\nh = config('H', default='', cast=str)\ni = env('I')\nj = env.bool('J', default=False)\n\
         k = vars['K']\nl = os.environ.copy()\nm = os.getenv(name)\nos.environ['N'] = '1'\n\
         def q(os, config):\n    return config('no')\n",
    );
    let want = r#"env = import#5.Env(); vars = os.environ; a = $A; b = Or($B, "x"); c = $C; d = $D; e = Or($E, none); f = $F; h = Or($H, ""); i = $I; j = Or($J, false); k = $K; l = os.environ.copy(); m = os.getenv(name); $N := "1""#;
    assert_eq!(steps(&facts, BlockId(0)), want.replace("import#5", "dj"));
    assert_eq!(body(&facts, "q"), r#"return config("no")"#);
}

#[test]
fn comprehensions() {
    assert_eq!(
        module("x = [f(u) for u in g(us) if ok(u)]\n"),
        "loop g(us) {u = each(g(us)); if ok(u) {f(u)}}; x = [*[f(u)]]"
    );
    assert_eq!(value("{k: v for k, v in d.items()}"), "{[]: v}");
    assert_eq!(value("sum(y for y in ys)"), "sum([*[y]])");
    let facts = extract("r = await_all(get(i, n) for i, u in enumerate(us))\ni = 1\n");
    let inner = block_of(&facts, "get");
    assert_eq!(values(&facts, inner, "u"), "each(us)");
    assert_eq!(values(&facts, BlockId(0), "i"), "1");
}

// ---- statements -------------------------------------------------------------------------------------------------

#[test]
fn flow() {
    for (text, want) in [
        ("if a: b()\nelif c: d()\nelse: e()\n", "if a {b()} else {if c {d()} else {e()}}"),
        ("while f():\n  g()\n  break\nelse:\n  h()\n", "loop f() {g(); break}; {h()}"),
        ("for i, (a, b) in xs:\n  f(a)\n", "loop xs {i = each(xs)[0]; a = each(xs)[1][0]; b = each(xs)[1][1]; f(a)}"),
        (
            "try:\n  a()\nexcept (B, C) as e:\n  d(e)\nexcept:\n  raise\nelse:\n  g()\nfinally:\n  h()\n",
            "try {a(); g()} catch [B, C] {d(e)} catch {throw} finally {h()}",
        ),
        ("raise X('a') from e\n", r#"throw X("a")"#),
        ("assert a == b, 'no'\n", r#"if Equal(a, b) {} else {throw "no"}"#),
        ("with open(a) as f, g():\n  h(f)\n", "with open(a) {f = open(a); with g() {h(f)}}"),
        (
            "with (open(a) as f, g() as (h, i)):\n  j()\n",
            "with open(a) {f = open(a); with g() {h = g()[0]; i = g()[1]; j()}}",
        ),
        ("x += 'a'\nx -= 1\no.y += z\n", r#"x = `x, "a"`; x = Arithmetic(x, 1); o.y := Add(o.y, z)"#),
        ("a = b = f()\n", "a = f(); b = f()"),
        ("a, b = b, a\n", "a = b; b = a"),
        ("a, *b, c = f()\n", "a = f()[0]; b = f()[?]; c = f()[-1]"),
        ("a, *b, c = [1, 2, 3, 4]\n", "a = 1; b = [2, 3]; c = 4"),
        ("x: int\ny: str = 'a'\ndel d['k']\n", r#"y = "a"; Other(d.k)"#),
        ("'doc'\nprint('a')\n...\npass\n", r#"print("a")"#),
        (
            "match f():\n  case 'a' | 'b': g()\n  case P(x=1, y=z) if z: h(z)\n  case {'k': v}: i()\n  case A.B: k()\n  case other: j(other)\n",
            r#"switch f() case ["a", "b"] {g()} case P {z = f()[?]; if z {h(z)}} case ? {v = f()[?]; i()} case A.B {k()} case {other = f(); j(other)}"#,
        ),
    ] {
        assert_eq!(module(text), want, "{text}");
    }
}

#[test]
fn awaited_and_dropped() {
    let facts = extract(
        "async def f():\n  await a()\n  x = await b()\n  c()\n  y = d()\n  async with e() as z: pass\n  async for i in g(): h(i)\n",
    );
    assert!(facts.functions[1].is_async);
    let marks = facts.calls.iter().map(|call| (show(&facts, call.callee), call.awaited, call.dropped));
    let marks: Vec<String> = marks.map(|(name, a, d)| format!("{name}{}{}", i32::from(a), i32::from(d))).collect();
    assert_eq!(marks.join(" "), "a11 b10 c01 d00 e10 g10 h01");
}

// ---- scopes, functions, classes --------------------------------------------------------------------------------

#[test]
fn scopes() {
    let facts = extract(
        "client = None\ndef get():\n  global client\n  client = make()\n  return client\n\
         def outer():\n  n = 1\n  def inner():\n    nonlocal n\n    n = 2\n    use(n)\n  if n:\n    late = 3\n  read(late)\n\
         def other():\n  client = 5\n  own(client)\n",
    );
    assert_eq!(values(&facts, BlockId(0), "client"), "none, make()");
    assert_eq!(values(&facts, block_of(&facts, "use"), "n"), "1, 2");
    assert_eq!(values(&facts, block_of(&facts, "read"), "late"), "3");
    assert_eq!(values(&facts, block_of(&facts, "own"), "client"), "5");
    assert_eq!(facts.def(facts.lookup(BlockId(0), Name::new("get")).unwrap()).kind, DefKind::Function);
}

#[test]
fn functions() {
    let facts = extract(
        "@app.post('/x', methods=['POST'])\n@login\nasync def f(a, b: Stripe = None, *rest, c: Optional[x.Y] = 1, \
         d: Annotated[S, Depends(get)], e: 'Q | None', g: list[int], **kw) -> int:\n  '''doc'''\n  return a\n\
         h = lambda v=w(): v\n",
    );
    let f = &facts.functions[1];
    assert_eq!(list(&facts, &f.decorators), r#"app.post("/x", methods=["POST"]), login"#);
    let params = f.params.iter().map(|param| {
        let opt = |id: Option<ExprId>| id.map_or("-".into(), |id| show(&facts, id));
        format!("{}:{}={}{}", param.name.unwrap(), opt(param.ty), opt(param.default), if param.rest { "*" } else { "" })
    });
    assert_eq!(
        params.collect::<Vec<_>>().join(" "),
        "a:-=- b:Stripe=none rest:-=-* c:x.Y=1 d:S=Depends(get) e:Q=- g:-=- kw:-=-*"
    );
    assert_eq!(values(&facts, f.body, "b"), "param#1.1, none");
    assert_eq!(facts.functions[2].name.unwrap(), "h");
    assert_eq!(steps(&facts, facts.functions[2].body), "return v");
    assert_eq!(calls(&facts), ["app.post(\"/x\", methods=[\"POST\"])", "Depends(get)", "w()"]);
    assert!(facts.calls.iter().all(|call| call.block == BlockId(0)));
}

#[test]
fn classes() {
    let facts = extract(
        "@dataclass\nclass Pay(Base, x.Mixin, metaclass=M):\n  url = 'u'\n  timeout: int = 5\n  client: Optional[Stripe]\n\
         \x20 def __init__(self, key):\n    super().__init__(key)\n    self.http: Client = Client(key, self.url)\n    self.a, self.b = 1, 2\n\
         \x20   def later():\n      return self.http\n\
         \x20 @property\n  def c(self): return self.client\n\
         \x20 @classmethod\n  def make(cls, k): return cls(k)\n\
         \x20 @staticmethod\n  def json(data): return json.dumps(data)\n\
         \x20 def shadow(this, self): return this.x(self.y)\n",
    );
    let class = &facts.classes[0];
    assert_eq!(list(&facts, &class.bases), "Base, x.Mixin");
    assert_eq!(list(&facts, &class.decorators), "dataclass");
    let methods = class
        .methods
        .iter()
        .map(|m| format!("{}{}{}", m.name, if m.is_static { "!" } else { "" }, if m.is_getter { "?" } else { "" }));
    assert_eq!(methods.collect::<Vec<_>>().join(" "), "__init__ c? make! json! shadow");
    let fields = class.fields.iter().map(|field| {
        let opt = |id: Option<ExprId>| id.map_or("-".into(), |id| show(&facts, id));
        format!("{}:{}={}{}", field.name, opt(field.ty), opt(field.value), if field.is_static { "!" } else { "" })
    });
    assert_eq!(
        fields.collect::<Vec<_>>().join(" "),
        "url:-=\"u\"! timeout:int=5! client:Stripe=-! http:Client=Client(key, this#0.url) a:-=1 b:-=2"
    );
    let init = "super#0.__init__(key); this#0.http := Client(key, this#0.url); this#0.a := 1; this#0.b := 2";
    assert_eq!(body(&facts, "__init__"), init);
    assert_eq!(body(&facts, "later"), "return this#0.http");
    assert_eq!(body(&facts, "make"), "return this#0(k)");
    assert_eq!(body(&facts, "shadow"), "return this#0.x(self.y)");
    assert_eq!(facts.functions[1].params.len(), 1);
    assert_eq!(facts.functions[1].class.map(|class| class.0), Some(0));
    // The method `json` is not what `json` means in it.
    assert!(facts.lookup(block_of(&facts, "json.dumps"), Name::new("json")).is_none());
}

#[test]
fn imports() {
    let facts = extract(
        "from __future__ import annotations\nimport a.b.c, d\nimport e.f as g\nfrom h import i as j, k\nfrom . import mail\n\
         from ..lib.mail import (\n  send,  # why\n  x as y,\n)\nfrom star import *\nif TYPE_CHECKING:\n  from t import T\n\
         def f():\n  import stripe\n  m = importlib.import_module('plug.in')\nimport importlib\n\
         try:\n  import q\nexcept ImportError:\n  q = None\n",
    );
    let imports = facts.imports.iter().map(|import| {
        let names = import.names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(",");
        format!("{}[{names}]", import.specifier)
    });
    assert_eq!(
        imports.collect::<Vec<_>>().join(" "),
        "a.b.c[] a[*] d[*] e.f[*] h[i,k] .[mail] ..lib.mail[send,x] star[*] t[T] stripe[*] importlib[*] q[*]"
    );
    assert_eq!(values(&facts, BlockId(0), "a"), "import#1");
    assert_eq!(values(&facts, BlockId(0), "j"), "import#4.i");
    assert_eq!(values(&facts, BlockId(0), "y"), "import#6.x");
    assert_eq!(values(&facts, BlockId(0), "q"), "import#11, none");
    assert_eq!(facts.imports[8].kind, ImportKind::Type);
    assert_ne!(facts.imports[9].block, BlockId(0));
    assert!(matches!(facts.exports[..], [only] if matches!(only.value, ExportValue::From(id, _) if id.0 == 7)));
    let dynamic = extract("import importlib as il\nm = il.import_module('plug.in')\n");
    assert_eq!(dynamic.imports[1].kind, ImportKind::Dynamic);
    assert_eq!(steps(&dynamic, BlockId(0)), "m = import#1");
}

// ---- what must not break it ------------------------------------------------------------------------------------

const TRICKY: &str = "# -*- coding: utf-8 -*-\r\nimport os, a.b as c\r\n\r\n@app.route(f\"/é/{x:>{w}}\", methods=['POST'])\r\n\
    async def hook(req: Annotated[R, Depends(g)], *a, k: 'S|None' = None, **kw):\r\n\tglobal z\r\n\ttry:\r\n\t\tz, *y = [i async for i in q(u) if i], {**kw, 'é': 1}\r\n\
    \texcept (A, B) as e:\r\n\t\traise X('%(a)s {} %' % e, \"{0[k]!r:{1}}\".format(1, 2)) from e\r\n\telse:\r\n\t\tawait s.post(url=f'{b}/x', json={'a': a if b else c, 'd': lambda p=1: p})\r\n\
    \tfinally:\r\n\t\twith (open(p) as f, g()): del f[1:2, ...]\r\n\tmatch z:\r\n\t\tcase {'k': [1, *r], **o} | P(q=-1) as w if (n := len(r)) > 1: return w\r\n\
    \t\tcase _: pass\r\n\tassert x is not None and y not in z, '\\N{DASH}\\x4'\r\nclass K(B, m=M):\r\n    v: Optional['K'] = field(default_factory=list)\r\n    @property\r\n    def w(self): return super().w[os.environ['É']]\r\n\
    if a: b = 1; c += '''x\r\ny'''\r\nelif d: print >>sys.stderr, 'x'\r\nelse: pass\r\n";

#[test]
fn every_prefix_extracts() {
    for end in (0..=TRICKY.len()).step_by(5).filter(|&end| TRICKY.is_char_boundary(end)) {
        extract(&TRICKY[..end]);
    }
    for start in (0..TRICKY.len()).step_by(7).filter(|&start| TRICKY.is_char_boundary(start)) {
        extract(&TRICKY[start..]);
    }
}

#[test]
fn python_2_and_errors() {
    let facts = extract("print 'a', f(x)\ntry:\n  g()\nexcept E, e:\n  h(e)\nexec 'code'\nprint >>err, k()\n");
    assert_eq!(calls(&facts), ["f(x)", "print(\"a\", f(x))", "g()", "h(e)", "k()", "print(Other(err), k())"]);
    let facts = extract("import a\ndef f(:\n  b()\n\nc(\n\ndef g():\n  d()\n");
    assert!(facts.syntax_errors > 0);
    let calls = calls(&facts);
    assert!(
        calls.iter().any(|call| call.starts_with("b(")) && calls.iter().any(|call| call.starts_with("d(")),
        "{calls:?}"
    );
}

#[test]
fn deep_nesting_is_a_gap_and_no_crash() {
    let run = || {
        let sum = format!("x = {}1\n", "a + ".repeat(20_000));
        let text = format!("x = {}1\n", "'a' + b + ".repeat(5_000));
        let mixed = format!("x = {}1\n", "a + b - ".repeat(20_000));
        let lists = format!("x = {}{}\n", "[".repeat(5_000), "]".repeat(5_000));
        let calls = format!("x = a{}\n", ".f(1)".repeat(5_000));
        let ladder = format!("if a:\n  b()\n{}", "elif c:\n  d()\n".repeat(5_000));
        let nots = format!("x = {}a\n", "not ".repeat(20_000));
        let power = format!("x = {}1\n", "a ** ".repeat(20_000));
        let types = format!("x: {}int{}\n", "Optional[".repeat(5_000), "]".repeat(5_000));
        let mut blocks = String::new();
        for depth in 0..600 {
            blocks.push_str(&format!("{}if a:\n", " ".repeat(depth)));
        }
        for (text, deep) in [
            (sum, false),
            (text, false),
            (mixed, true),
            (lists, true),
            (calls, true),
            (ladder, true),
            (nots, true),
            (power, true),
            (types, true),
            (blocks, true),
        ] {
            let facts = extract(&text);
            assert_eq!(facts.too_deep, deep, "{}", &text[..40]);
        }
        let hundreds = format!("if a:\n  b()\n{}else:\n  last()\n", "elif c:\n  d()\n".repeat(300));
        let facts = extract(&hundreds);
        assert!(!facts.too_deep && facts.calls.len() == 302);
    };
    std::thread::Builder::new().stack_size(4 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn errors_add_no_arguments() {
    let facts = extract("f(a, b c)\nd()\n");
    assert!(facts.syntax_errors > 0);
    assert!(facts.calls.iter().all(|call| call.args.len() <= 2), "{:?}", calls(&facts));
}

#[test]
fn the_table_is_a_valid_query() {
    let text = include_str!("../queries/python/shapes.scm");
    let grammar = seamcheck::lang::grammar(seamcheck::facts::Language::Python);
    let query = tree_sitter::Query::new(&grammar, text).unwrap_or_else(|error| panic!("{error}"));
    let patterns = text.lines().filter(|line| line.starts_with('(')).count();
    assert_eq!(query.pattern_count(), patterns);
}
