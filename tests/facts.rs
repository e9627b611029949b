//! What the extractor understands of JavaScript, TypeScript and the files that embed them.

use seamcheck::extract::extract;
use seamcheck::facts::print::print;
use seamcheck::facts::{ExprKind, Facts, Language};
use seamcheck::lang::{Role, Shape};

fn facts(path: &str, text: &str) -> Facts {
    extract(path, text).expect("a language of ours")
}

/// The printed facts without the first line.
fn said(path: &str, text: &str) -> String {
    print(&facts(path, text)).lines().skip(1).fold(String::new(), |all, line| all + line + "\n")
}

/// Asserts that every wanted line stands in the printed facts, in order.
#[track_caller]
fn says(path: &str, text: &str, wanted: &[&str]) {
    let all = said(path, text);
    let mut lines = all.lines().map(str::trim);
    for want in wanted {
        assert!(lines.any(|line| line == *want), "no line {want:?} (in this order) in:\n{all}\nof:\n{text}");
    }
}

#[test]
fn a_page_in_full() {
    let text = r#""use client";
import React, { useState, type FC } from "react";
import { db as base } from "@/lib/db";
const { KEY, OTHER: other = "d" } = process.env;
export default async function Page({ id, opts: { deep = 1 } = {} }: Props, stripe: Stripe | null = null) {
  const [open, setOpen] = useState(false);
  try {
    const reply = await fetch(`${base.url}/x?id=${id}`, { method: "POST" }).then((r) => r.json());
    if (!reply.ok && deep) throw new Error("bad"); else save(reply);
  } catch (e) { console.error(e) } finally { void stop(); }
  return <Form className={skip()} onSubmit={async () => { await send() }}>{open && <b>text</b>}</Form>;
}
"#;
    insta::assert_snapshot!(print(&facts("page.tsx", text)), @r#"
    tsx
    directive "use client"
    import "react" { default, useState }
    import "@/lib/db" { db }
    export default = fn#1
    module
      KEY := env(KEY)
      other := (env(OTHER) || "d")
      Page := fn#1
    fn#1 Page(_: Props, stripe: Stripe = null) async
      id := param(1, 0).id
      deep := ((param(1, 0).opts || {}).deep || 1)
      stripe := (param(1, 1) || null)
      open := useState(false)[0]
      setOpen := useState(false)[1]
      useState(false)
      try
        reply = await fetch(`${base.url}/x?id=${id}`, {method: "POST"}).then(fn#2)
        if (!reply.ok && deep)
          throw new Error("bad")
        else
          save(reply)
      catch
        e := caught
        console.error(e)
      finally
        void stop()
      return <Form onSubmit=fn#3>(open && <b>)</>
      calls
        6:27 useState
        8:25 fetch awaited
        8:25 fetch().then awaited
        9:34 Error new
        9:57 save dropped
        10:17 console.error dropped
        10:51 stop dropped
    fn#2 (r)
      return r.json()
      calls
        8:89 r.json
    fn#3 onSubmit() async
      await send()
      calls
        11:65 send awaited dropped
    "#);
}

#[test]
fn module_forms() {
    for (text, wanted) in [
        ("import a, * as b from 'x'", &["import \"x\" { default, * }"][..]),
        ("import { type A, b as c } from 'x'", &["import \"x\" { b }"]),
        ("import { type A } from 'x'", &["import type \"x\" { A }"]),
        ("import type A from 'x'", &["import type \"x\" { default }"]),
        ("import 'x'", &["import \"x\""]),
        ("import x = require('x')", &["require \"x\" { * }"]),
        ("const { a, b: { c } } = require('x')", &["require \"x\" { a, b }", "a := import(\"x\").a"]),
        ("require('x').config()", &["require \"x\" { config }"]),
        ("require('x')", &["require \"x\""]),
        ("const x = await import('x')", &["import() \"x\" { * }", "x = await import(\"x\")"]),
        ("const { a } = await import('x')", &["import() \"x\" { a }", "a := (await import(\"x\")).a"]),
        ("const Page = lazy(() => import('./page'))", &["import() \"./page\" { default }"]),
        ("import('x').then((m) => m.go(m.a))", &["import() \"x\" { a, go }"]),
        ("import('x').then(({ go, b }) => go())", &["import() \"x\" { b, go }"]),
        ("import('x').then((m) => ({ default: m.Foo }))", &["import() \"x\" { Foo }"]),
        ("import('x').then((m) => keep(m))", &["import() \"x\" { * }"]),
        ("export * from 'x'", &["re-export \"x\" { * }", "export * = import(\"x\")"]),
        ("export * as ns from 'x'", &["export ns = import(\"x\")"]),
        (
            "export { a as b, default as c } from 'x'",
            &["export b = import(\"x\").a", "export c = import(\"x\").default"],
        ),
        ("const a = 1; export { a as b }", &["export b = a"]),
        ("export default { a: 1 }", &["export default = {a: 1}"]),
        ("export default async () => 1", &["export default = fn#1", "fn#1 default() async"]),
        ("export default function () {}", &["export default = fn#1"]),
        ("export default class A {}", &["export default = class#0"]),
        ("export const { a, b: [c] } = f()", &["export a = a", "export c = c", "a := f().a", "c := f().b[0]"]),
        ("export function f() {}", &["export f = f", "f := fn#1"]),
        ("export class A {}", &["export A = A"]),
        ("export enum E { A }", &["export E = E", "E = {A: 0}"]),
        ("namespace N { export const a = f() }", &["a = f()"]),
        ("export = x", &["export = = x"]),
        ("module.exports = { a }", &["export = = {a: a}"]),
        ("module.exports.a = exports.b = c", &["export b = c", "export a = c", "module.exports.a = c"]),
        ("exports.handler = async () => 1", &["export handler = fn#1", "fn#1 handler() async"]),
        (
            "@Inject() export class A { @Get('x') m() {} }",
            &["@Inject()", "class#0 A", "m() fn#1", "@Get(\"x\")", "fn#1 m() in class#0"],
        ),
    ] {
        says("a.ts", text, wanted);
    }
}

#[test]
fn environment_reads() {
    for (text, name) in [
        ("f(process.env.A)", "A"),
        ("f(process.env['A'])", "A"),
        ("f(process.env?.A)", "A"),
        ("f(process.env.A!)", "A"),
        ("f((process.env as any).A)", "A"),
        ("f(import.meta.env.VITE_A)", "VITE_A"),
        ("f(Deno.env.get('A')!)", "A"),
        ("f(Bun.env.A)", "A"),
        ("const env = process.env; f(env.A)", "A"),
        ("const { A: a } = process.env; f(a)", "A"),
        ("function g({ A } = process.env) {} const { A } = import.meta.env; f(A)", "A"),
    ] {
        let all = said("a.ts", text);
        assert!(all.contains(&format!("env({name})")), "{text}:\n{all}");
    }
    says("a.ts", "const k = Deno.env.get('A') ?? ''", &["k = (env(A) ?? \"\")"]);
    says("a.js", "const { A = 'x', ...rest } = process.env", &["A := (env(A) || \"x\")", "rest := process.env"]);
}

#[test]
fn values() {
    for (text, wanted) in [
        ("x = a.b as A.B.C", "x = a.b"),
        ("x = (a as A.B).c", "x = a.c"),
        ("x = 'a' + 'b' + c", "x = `ab${c}`"),
        ("x = 1 + a + 2", "x = (1 + a + 2)"),
        ("x = `a${b}c` + 'd'", "x = `a${b}cd`"),
        (r"x = 'a\n\x41\u{1F600}\u0042'", "x = \"a\\nA😀B\""),
        ("x = a?.b?.[0]?.c()", "x = a.b[0].c()"),
        ("x = a['b'].c[d]", "x = a.b.c[d]"),
        ("x = a ? b : c ?? d", "x = (a ? b : (c ?? d))"),
        ("x = { a, b() {}, ['c']: 1, [d]: 2, 'e-f': 3, ...g }", "x = {a: a, b: fn#1, c: 1, []: 2, e-f: 3, ...g}"),
        ("x = [1, ...a, /re/, -2, 0x10, 1_000]", "x = [1, ...a, ?, -2, 16, 1000]"),
        ("x = typeof a === 'b' && !(c in d)", "x = ((typeof a == \"b\") && !(c in d))"),
        ("x = a instanceof B || delete c.d", "x = ((a instanceof B) || other(c.d))"),
        ("x ||= f()", "x = (x || f())"),
        ("x ??= f()", "x = (x ?? f())"),
        ("x += 'a'", "x = `${x}a`"),
        ("x = (y = f())", "x = f()"),
        ("x = sql`a ${b}`", "x = sql(`a ${b}`)"),
        ("x = <any>y as unknown as Z", "x = y"),
        ("x = y satisfies Z", "x = y"),
        ("x = new A.B(1)", "x = new A.B(1)"),
        ("x = new A", "x = new A()"),
        ("x = (a, b())", "x = other(a, b())"),
        ("x = f<T>(a)", "x = f(a)"),
    ] {
        says("a.ts", text, &[wanted]);
    }
}

#[test]
fn call_flags() {
    for (text, wanted) in [
        ("await f()", "1:7 f awaited dropped"),
        ("f()", "1:1 f dropped"),
        ("void f()", "1:6 f dropped"),
        ("const a = f()", "1:11 f"),
        ("await f().then(g).catch(() => {})", "1:7 f awaited dropped"),
        ("f().catch(g)", "1:1 f dropped"),
        ("ok && f()", "1:7 f dropped"),
        ("const a = await (ok ? f() : g())", "1:23 f awaited"),
        ("const a = await (f() as any)", "1:18 f awaited"),
        ("new F()", "1:1 F new dropped"),
        ("const r = await p.$queryRaw<User[]>`a`", "1:17 p.$queryRaw tagged awaited"),
        ("const r = await p.$queryRaw<User>`a`", "1:17 p.$queryRaw tagged awaited"),
        ("await f<void>('x')", "1:7 f awaited dropped"),
        ("const r = await api.f<T>(1)", "1:17 api.f awaited"),
        ("await api.f<T>(1).then(g)", "1:7 api.f awaited dropped"),
        ("const r = (await f)<T>(1)", "1:11 await f"),
        ("const a = !check<T>(1)", "1:12 check"),
        ("if (!await check<T>(1)) g()", "1:12 check awaited"),
        ("void send<T>(1)", "1:6 send dropped"),
    ] {
        says("a.ts", text, &[wanted]);
    }
}

#[test]
fn flow() {
    says(
        "a.ts",
        "async function f(xs) { for (const { id } of xs) { if (a) continue; else if (b) return id; else { c() } }
           for (let i = 0; i < 3; i++) await g(i); do { h() } while (i); outer: while (j) break outer;
           for await (const x of s()) {} for (const k in o) {}
           switch (t) { case 'a': return; default: throw new E() } let late; }",
        &[
            "loop xs",
            "id := each(xs).id",
            "if a",
            "jump",
            "else",
            "if b",
            "return id",
            "else",
            "c()",
            "loop (i <> 3)",
            "i = 0",
            "await g(i)",
            "i = (i + 1)",
            "loop i",
            "h()",
            "loop j",
            "break",
            "loop s()",
            "x := each(s())",
            "loop o",
            "k := ?",
            "switch t",
            "case \"a\"",
            "return",
            "default",
            "throw new E()",
        ],
    );
    // Assigned before it is declared, and inside an expression.
    let facts = facts("a.ts", "function get() { if (!(made = find())) made = make(); return made } let made;");
    let def = facts.defs.iter().find(|def| def.name == "made").expect("defined");
    assert_eq!(def.values.len(), 1);
    says("a.ts", "let m; while ((m = next())) use(m)", &["m := next()", "loop (m = next())", "use(m)"]);
    says("a.ts", "let a, b; [a, b.c] = f()", &["f()", "a = f()[0]", "b.c = f()[1]"]);
}

#[test]
fn classes() {
    says(
        "a.ts",
        "abstract class A extends B<C> implements I { static k = 1; #p = f(); private readonly c?: N.T;
           constructor(private readonly stripe: Stripe, other: Foo<X>) { super(other); this.d = other; }
           get g() { return 1 } static async make() {} over(a: string): void; over(a) { return this.#p } h = () => this.stripe }",
        &[
            "class#0 A extends B",
            "static k = 1",
            "#p = f()",
            "c: N.T",
            "stripe: Stripe = param(1, 0)",
            "d = other",
            "h = fn#5",
            "constructor() fn#1",
            "get g() fn#2",
            "static make() fn#3",
            "over() fn#4",
            "A := class#0",
            "fn#1 constructor(stripe: Stripe, other: Foo) in class#0",
            "super#0(other)",
            "this#0.d = other",
            "fn#4 over(a) in class#0",
            "return this#0.#p",
            "fn#5 h()",
            "return this#0.stripe",
        ],
    );
    // An object whose methods say `this`.
    says(
        "a.js",
        "const api = { base: '/x', get(p) { return fetch(this.base + p) }, on: function () { return this } }",
        &["class#0", "base = \"/x\"", "get() fn#1", "on() fn#2", "return fetch((this#0.base + p))", "return this#0"],
    );
    says("a.ts", "class A { m() { f({ ...this.o, k: this.v }) } }", &["f({...this#0.o, k: this#0.v})"]);
    says("a.ts", "function use() { 'use server'; f() }", &["fn#1 use() use server"]);
}

#[test]
fn elements() {
    says(
        "a.tsx",
        "const a = <><Ctx.Provider value={v} on:x='1' {...rest} off style={s()}>a & b {/* c */}{list.map((x) => <li key={x}>{x}</li>)}</Ctx.Provider><my-tag href='/a?b=1&c=2'/></>; after();",
        &[
            "a = <><Ctx.Provider value=v on:x=\"1\" ...rest off=true>list.map(fn#1)</> <my-tag href=\"/a?b=1&c=2\"></>",
            "after()",
            "return <li key=x>x</>",
        ],
    );
}

#[test]
fn broken_code_keeps_what_is_around_it() {
    for text in [
        "async function a() { const x = await db.q<User[], { a: string }>`s ${y}`; after(x); }",
        "const a = await q<typeof import('x')>(); function g(b: import('x').T[]): Promise<import('y').U> { after() }",
        "export type * from './x'; after();",
        "const P = () => <p>npm && run {after()}</p>;",
        "const P = () => <p title='a & b' href='/x?a=1&b=2' onClick={() => after(1)}>Terms & Conditions {f()} q&a</p>;",
    ] {
        let found = facts("a.tsx", text);
        assert_eq!(found.syntax_errors, 0, "{text}");
        assert!(print(&found).contains("after dropped") || print(&found).contains("after\n"), "{}", print(&found));
    }
    let found = facts("a.ts", "function a() { before(); let = = ; } ) function b() { await after(); }");
    assert!(found.syntax_errors > 0);
    let all = print(&found);
    assert!(all.contains("before dropped") && all.contains("after awaited dropped"), "{all}");
    // Types in JavaScript.
    let found = facts("a.js", "function a(x: string): void { g(x) }");
    assert_eq!((found.syntax_errors, found.language), (0, Language::Tsx));
}

#[test]
fn embedded_scripts() {
    let html = "<html><!-- <script>no()</script> --><SCRIPT type=module async>a()</SCRIPT>\n<script src=x></script>\
        <script type='application/ld+json'>{\"b\":1}</script><script>const t = '<p>'; c()</script></html>";
    let found = facts("a.html", html);
    let all = print(&found);
    assert!(found.calls.len() == 2 && all.contains("2:") && all.contains(" c dropped"), "{all}");
    assert_eq!(found.syntax_errors, 0);
    let at = found.span(found.calls[0].expr);
    assert_eq!(&html[at.start as usize..at.end as usize], "a()");
    says(
        "a.vue",
        "<template><p/></template>\n<script setup lang=\"ts\">\nconst a: T = f()\n</script>",
        &["a: T = f()"],
    );
    says("a.svelte", "<script lang='ts'>let a = f() as B</script><p>{a}</p>", &["a = f()"]);
    let astro = "---\nimport A from './A.astro';\nconst a: T = await f();\n---\n<A/><script>g()</script>";
    says("a.astro", astro, &["import \"./A.astro\" { default }", "a: T = await f()", "g()"]);
    // The head and each script are modules of their own; of a page they are one.
    let parts =
        "---\nconst a = 1;\nsee(a);\n---\n<script>const b = 2; var c = 3; see(a, b)</script><script>see(b, c)</script>";
    let seen = |path: &str| {
        let found = facts(path, parts);
        let refs = found.exprs.iter().filter_map(|expr| match expr.kind {
            ExprKind::Ref(name, block) if name != "see" => {
                Some((name.to_string(), found.lookup(block, name).is_some()))
            }
            _ => None,
        });
        refs.map(|(name, known)| format!("{name}{}", if known { "" } else { "?" })).collect::<Vec<_>>()
    };
    assert_eq!(seen("a.astro"), ["a", "a?", "b", "b?", "c?"]);
    assert_eq!(seen("a.html"), ["a?", "b", "b", "c"]);
    assert!(extract("a.css", "a {}").is_none());
    for cut in 0..html.len() {
        extract("a.html", &html[..cut]);
    }
}

/// Runs with the stack the scan's threads have.
fn on_scan_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(test);
    thread.expect("a thread").join().expect("no panic");
}

#[test]
fn depth_is_bounded_and_length_is_not() {
    on_scan_stack(|| {
        let deep = |open: &str, close: &str, times: usize| {
            format!("x = {}1{}; after()", open.repeat(times), close.repeat(times))
        };
        for text in [
            deep("[", "]", 100_000),
            deep("f(", ")", 20_000),
            deep("() => {", "}", 5_000),
            deep("!", "", 20_000),
            deep("<a>{", "}</a>", 2_000),
            deep("a ? b : ", "", 3_000),
        ] {
            let found = facts("a.tsx", &text);
            assert!(found.too_deep, "{}", &text[..20]);
        }
        let sum = facts("a.ts", &format!("x = a{}; after()", " + b".repeat(5_000)));
        assert!(!sum.too_deep);
        let text = facts("a.ts", &format!("x = 'a'{}; after()", " + b + 'c'".repeat(5_000)));
        assert!(!text.too_deep && text.exprs.len() < 40_000);
        let chain = facts("a.ts", &format!("q{}; after()", ".then(f)".repeat(800)));
        assert!(!chain.too_deep && chain.calls.len() == 801);
        let ladder = facts("a.ts", &format!("if (a) b(); {}", "else if (a) b(); ".repeat(800)));
        assert!(!ladder.too_deep && ladder.calls.len() == 801);
        facts("a.ts", &format!("x = a{}", " && b".repeat(20_000)));
        facts("a.ts", &format!("if (a) b(); {}", "else if (a) b(); ".repeat(5_000)));
        facts("a.ts", &format!("x{}", ".a()".repeat(20_000)));
    });
}

#[test]
fn no_prefix_panics() {
    let text = "'use client'; import a, { type B as c } from 'x'; @D() export default class É<T> extends (f()) { #p = 1; \
        constructor(private s: S | null = null, ...r) { super() } static { q() } get ['k']() { return `a${b`\\u{1F600}`}c` } }\n\
        const { a: [x, , y = 2], ...z } = await import('m'); for await (const [k, v] of Object.entries(o)) { if (k) break; }\n\
        export * as ns from 'y'; const El = () => <A.B x='é & y' {...p} on={() => void f?.()}>t & {i++ ?? j--}<></></A.B>;\n\
        try { m.exports = n ??= <T,>(w) => w satisfies U } catch { throw 1 } finally { q<R[]>`z` } switch (s) { case 1: default: } enum E { A = 'b', C }";
    for path in ["a.tsx", "a.ts", "a.js"] {
        for cut in (0..text.len()).step_by(7).filter(|&cut| text.is_char_boundary(cut)) {
            let found = facts(path, &text[..cut]);
            print(&found);
            let end = cut as u32;
            assert!(found.exprs.iter().all(|expr| expr.span.start <= expr.span.end && expr.span.end <= end));
        }
    }
}

#[test]
fn syntax_tables_are_queries_of_their_grammars() {
    let javascript = include_str!("../queries/javascript/shapes.scm");
    let typescript = include_str!("../queries/typescript/shapes.scm");
    // What TypeScript's grammar calls otherwise.
    let renamed = ["field_definition", "html_comment", "using_declaration"];
    for (language, text, exempt) in [
        (Language::JavaScript, javascript, &[][..]),
        (Language::Tsx, javascript, &renamed),
        (Language::TypeScript, javascript, &["field_definition", "html_comment", "using_declaration", "jsx_", "html_"]),
        (Language::TypeScript, typescript, &[]),
        (Language::Tsx, typescript, &["type_assertion"]),
    ] {
        let grammar = seamcheck::lang::grammar(language);
        for line in text.lines().filter(|line| line.starts_with('(')) {
            if exempt.iter().any(|kind| line[1..].starts_with(kind)) {
                continue;
            }
            let query = tree_sitter::Query::new(&grammar, line);
            let query = query.unwrap_or_else(|error| panic!("{language:?}: {line}: {error}"));
            for name in query.capture_names() {
                let known = Shape::ALL.iter().any(|shape| shape.capture() == *name)
                    || Role::ALL.iter().any(|role| role.capture() == *name);
                assert!(known, "{line}: {name}");
            }
        }
    }
}
