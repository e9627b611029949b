//! Whom a call reaches, in the ways apps write it: one small module a row, with the request at the far end.

#![allow(clippy::unwrap_used)]

use std::fs;

use seamcheck::finding::Persona;
use seamcheck::program::{Destination, EdgeKind, FunctionRef, Program};
use seamcheck::{Options, scan, settle, walk};

fn program(files: &[(&str, &str)]) -> Program {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let options = Options {
        walk: walk::Choices {
            paths: vec![folder.path().to_owned()],
            honour_ignores: true,
            threads: 1,
            ignored: vec![],
        },
        rules: vec![],
        settle: settle::Choices::new(Persona::Regular),
        jobs: 1,
        progress: false,
        own: Default::default(),
        cache: None,
    };
    scan(&options).unwrap().program
}

fn function(program: &Program, name: &str) -> FunctionRef {
    let found = program.code().find_map(|(file, facts)| {
        let at = facts.functions.iter().position(|function| function.name.is_some_and(|found| found == name))?;
        Some(FunctionRef::new(file, seamcheck::facts::FunctionId(at as u32)))
    });
    found.unwrap_or_else(|| panic!("there is no function {name}"))
}

/// Whether `entry` comes to `goal`, on ways that it waits for.
fn reaches(files: &[(&str, &str)], entry: &str, goal: &str) -> bool {
    let program = program(files);
    let goal = function(&program, goal);
    let reach = program.reach(function(&program, entry), |edge| edge.kind != EdgeKind::Deferred);
    reach.stops.iter().any(|stop| stop.function == goal)
}

const SEND: &str = "async function send(mail) { await fetch('https://mail.example/send'); }\n";

fn entry_reaches(top: &str, call: &str) -> bool {
    let text = format!("{SEND}{top}\nexport async function entry(body) {{ {call} }}\n");
    reaches(&[("src/main.ts", text.as_str())], "entry", "send")
}

#[test]
fn functions_handed_to_own_wrappers() {
    for (top, call) in [
        (
            "const retried = (fn) => async (mail) => { return await fn(mail); };\nconst go = retried(send);",
            "await go(1);",
        ),
        (
            "function retried(fn) { return async (...args) => { for (;;) { return await fn(...args); } }; }\nconst go = retried(send);",
            "await go(1);",
        ),
        (
            "function retried(fn) { async function inner(mail) { return fn(mail); } return inner; }\nconst go = retried(send);",
            "await go(1);",
        ),
        ("async function retry(fn) { return await fn(); }", "await retry(() => send(1));"),
        ("async function retry(options) { return await options.run(); }", "await retry({ run: send });"),
        ("", "await send.call(null, body);"),
        ("", "await send.apply(null, [body]);"),
        ("const bound = send.bind(null, 1);", "await bound();"),
        ("import { cache } from 'react';\nconst cached = cache(async () => send(1));", "await cached();"),
        (
            "import { unstable_cache } from 'next/cache';\nconst cached = unstable_cache(async () => send(1));",
            "await cached();",
        ),
    ] {
        assert!(entry_reaches(top, call), "{top} {call}");
    }
}

#[test]
fn a_wrapper_runs_what_its_own_maker_was_handed() {
    let top = "async function other() {}\nfunction wrapped(fn) { return async () => { await fn(); }; }\n\
               const good = wrapped(other);\nconst bad = wrapped(send);";
    assert!(!entry_reaches(top, "await good();"), "one wrapper's function is not another's");
    assert!(entry_reaches(top, "await bad();"));
    let left = "function later(fn) { return async () => { fn(); }; }\nconst go = later(send);";
    assert!(!entry_reaches(left, "await go();"), "nobody waits for what is left running");
}

#[test]
fn clients_and_instances() {
    for (top, call) in [
        (
            "class Mail { async go() { await this.raw(); } async raw() { await send(1); } }\nconst mail = new Mail();",
            "await mail.go();",
        ),
        ("class Mail { static async go() { await send(1); } }", "await Mail.go();"),
        ("class Base { async go() { await send(1); } }\nclass Mail extends Base {}", "await new Mail().go();"),
        (
            "class Mail { async go() { await send(1); } }\nlet made;\nfunction mailer() { if (!made) made = new Mail(); return made; }",
            "await mailer().go();",
        ),
        (
            "class Mail { async go() { await send(1); } }\nclass App { constructor(private mail: Mail) {} async run() { await this.mail.go(); } }",
            "const app = new App(new Mail()); await app.run();",
        ),
        (
            "class Mail { async go() { await send(1); } }\nasync function by(mail) { await mail.go(); }",
            "await by(new Mail());",
        ),
        (
            "class Mail { async go() { await send(1); } }\nasync function by({ mail }) { await mail.go(); }",
            "await by({ mail: new Mail() });",
        ),
        (
            "class Mail { #inner = new Inner(); async go() { await this.#inner.go(); } }\nclass Inner { async go() { await send(1); } }",
            "await new Mail().go();",
        ),
        (
            "class Mail { static one; static get() { if (!Mail.one) Mail.one = new Mail(); return Mail.one; } async go() { await send(1); } }",
            "await Mail.get().go();",
        ),
        ("const tools = { mail: { go: () => send(1) } };", "await tools.mail.go();"),
        (
            "const tools = { async a() { await this.b(); }, async b() { await send(1); } };",
            "const { a } = tools; await tools.a();",
        ),
        ("const kinds = { a: send, b: async () => {} };", "await kinds[body.kind](1);"),
    ] {
        assert!(entry_reaches(top, call), "{top} {call}");
    }
}

#[test]
fn modules_of_every_form() {
    let mail = format!("export {SEND}export default send;\n");
    for (import, call) in [
        ("import { send as go } from './mail';", "await go(1);"),
        ("import go from './mail.js';", "await go(1);"),
        ("import * as mail from './mail';", "await mail.send(1);"),
        ("import { send as go } from './index';", "await go(1);"),
        ("import { again } from './index';", "await again(1);"),
        ("import { box } from './index';", "await box.send(1);"),
        ("", "const { send: go } = await import('./mail'); await go(1);"),
        ("", "const mail = await import('./mail'); await mail.send(1);"),
        ("", "const go = (await import('./mail')).default; await go(1);"),
        ("", "await import('./mail').then(({ send: go }) => go(1));"),
        ("", "const mail = await import('./mail').then((loaded) => loaded); await mail.send(1);"),
        ("", "const go = await import('./mail').then((mail) => mail.send); await go(1);"),
        ("const { send: go } = require('./mail');", "await go(1);"),
        ("const { other } = require('./common');", "await other(1);"),
    ] {
        let main = format!("{import}\nexport async function entry() {{ {call} }}\n");
        let files = [
            ("src/mail.ts", mail.as_str()),
            (
                "src/index.ts",
                "export * from './mail';\nexport { default as again } from './mail';\nexport * as box from './mail';\n",
            ),
            (
                "src/common.js",
                "const { send } = require('./mail');\nmodule.exports = { other: async () => send(1) };\n",
            ),
            ("src/main.ts", main.as_str()),
        ];
        assert!(reaches(&files, "entry", "send"), "{import} {call}");
    }
}

/// Whether any call of the program asks this host's vendor.
fn asks(files: &[(&str, &str)], host: &str) -> bool {
    let program = program(files);
    program.code().any(|(file, _)| {
        program.calls_of(file).any(|call| {
            program.requests_at(call).iter().any(|http| {
                http.to.iter().any(|to| match to {
                    Destination::Vendor(vendor, ..) => {
                        program.catalogue.vendor(*vendor).hosts.iter().any(|known| format!("{known:?}").contains(host))
                    }
                    _ => false,
                })
            })
        })
    })
}

#[test]
fn addresses_are_computed() {
    const OTHER: &str = "export const BASE = process.env.HUB || 'https://api.hubapi.com';\n\
                         export const paths = { contacts: `${BASE}/crm/v3/objects/contacts` };\n";
    for text in [
        "fetch('https://api.hubapi.com/x');",
        "import { BASE } from './other';\nfetch(`${BASE}/x`);",
        "import { BASE } from './other';\nfetch(BASE + '/x');",
        "import { BASE } from './other';\nfetch([BASE, 'crm', 'v3'].join('/'));",
        "import { BASE } from './other';\nfetch(new URL('/x', BASE));",
        "const url = new URL('/x', 'https://api.hubapi.com');\nurl.searchParams.set('a', 'b');\nfetch(url.toString());",
        "import { paths } from './other';\nfetch(paths.contacts, { method: 'POST' });",
        "export function go(live) { const base = live ? 'https://api.hubapi.com' : 'https://other.example'; fetch(base + '/x'); }",
        "export function go(kind) { let base; switch (kind) { case 'a': base = 'https://api.hubapi.com'; break; default: base = 'https://other.example'; } fetch(`${base}/x`); }",
        "import { BASE } from './other';\nfetch(`${BASE.replace(/\\/$/, '')}/x`);",
        "fetch(new Request('https://api.hubapi.com/x'));",
        "class Hub { base = 'https://api.hubapi.com'; go() { return fetch(`${this.base}/x`); } }",
        "class Hub { constructor(base = 'https://api.hubapi.com') { this.base = base; } go() { return fetch(this.base + '/x'); } }",
        "const call = (path, options) => fetch(`https://api.hubapi.com${path}`, options);\ncall('/x', { method: 'POST' });",
        "const call = (base, path) => fetch(base + path);\ncall('https://api.hubapi.com', '/x');",
        "class Hub { constructor(base = '/api') { this.base = base; } call(path, options) { return fetch(`${this.base}${path}`, options); } post(path) { return this.call(path, { method: 'POST' }); } }\nconst hub = new Hub('https://api.hubapi.com');\nhub.post('/x');",
        "import axios from 'axios';\naxios.post('https://api.hubapi.com/x');",
        "import axios from 'axios';\nconst api = axios.create({ baseURL: 'https://api.hubapi.com' });\napi.post('/x');",
        "import axios from 'axios';\naxios({ method: 'post', url: 'https://api.hubapi.com/x' });",
        "import axios from 'axios';\naxios.request({ method: 'post', url: 'https://api.hubapi.com/x' });",
        "import axios from 'axios';\naxios.request({ method: 'post', baseURL: 'https://api.hubapi.com', url: '/x' });",
        "import axios from 'axios';\naxios.get('/x', { baseURL: 'https://api.hubapi.com' });",
        "import ky from 'ky';\nconst api = ky.create({ prefixUrl: 'https://api.hubapi.com' });\napi.post('x');",
    ] {
        assert!(asks(&[("src/main.ts", text), ("src/other.ts", OTHER)], "hubapi"), "{text}");
    }
    for text in [
        "import os, requests\nBASE = os.getenv('HUB', 'https://api.hubapi.com')\nrequests.post(f'{BASE}/x', json={})\n",
        "import requests\nrequests.post('%s/x' % 'https://api.hubapi.com')\n",
        "import requests\nrequests.post('{}/x'.format('https://api.hubapi.com'))\n",
        "import requests\nfrom urllib.parse import urljoin\nrequests.post(urljoin('https://api.hubapi.com', '/x'))\n",
        "import httpx\nclient = httpx.Client(base_url='https://api.hubapi.com')\nclient.post('/x')\n",
        "import httpx\nasync def go():\n    async with httpx.AsyncClient(base_url='https://api.hubapi.com') as client:\n        await client.post('/x')\n",
        "import requests\nsession = requests.Session()\nsession.post('https://api.hubapi.com/x')\n",
        "import requests\nclass Hub:\n    BASE = 'https://api.hubapi.com'\n    def go(self):\n        return requests.post(f'{self.BASE}/x')\n",
        "import requests\nclass Hub:\n    def __init__(self, base='https://api.hubapi.com'):\n        self.base = base\n    def call(self, path):\n        return requests.post(self.base + path)\n    def go(self):\n        return self.call('/x')\n",
        "import aiohttp\nasync def go():\n    async with aiohttp.ClientSession() as session:\n        async with session.post('https://api.hubapi.com/x') as answer:\n            return await answer.json()\n",
        "import urllib.request\nurllib.request.urlopen('https://api.hubapi.com/x')\n",
    ] {
        assert!(asks(&[("main.py", text)], "hubapi"), "{text}");
    }
}

#[test]
fn functions_of_the_own_backend() {
    const HANDLER: &str =
        "async function goal() {}\nDeno.serve(async () => { await goal(); return new Response(''); });\n";
    for base in [
        "`${Deno.env.get('SUPABASE_URL')}/functions/v1`",
        "Deno.env.get('SUPABASE_URL')!.replace('.supabase.co', '.supabase.co/functions/v1')",
        "`https://${Deno.env.get('PROJECT')}.supabase.co`.replace('.supabase.co', '.supabase.co/functions/v1')",
    ] {
        let text =
            format!("export async function entry() {{ await fetch(`${{{base}}}/thanks`, {{ method: 'POST' }}); }}");
        let files =
            [("supabase/functions/thanks/index.ts", HANDLER), ("supabase/functions/pay/index.ts", text.as_str())];
        assert!(reaches(&files, "entry", "goal"), "{base}");
    }
}

#[test]
fn python_calls() {
    const MAIL: &str = "class Mail:\n    one = None\n    @classmethod\n    def get(cls):\n        if cls.one is None:\n            cls.one = cls()\n        return cls.one\n    def go(self):\n        goal()\n    @property\n    def inner(self):\n        return Mail()\n\ndef goal():\n    pass\n\nmail = Mail()\n\ndef wrapped(job):\n    def inner(*args):\n        return job(*args)\n    return inner\n\n@wrapped\ndef decorated():\n    goal()\n\nclass App:\n    def __init__(self, mail):\n        self.mail = mail\n    def run(self):\n        self.mail.go()\n";
    for (import, call) in [
        ("from services.mail import goal", "goal()"),
        ("from services import mail", "mail.goal()"),
        ("import services.mail", "services.mail.goal()"),
        ("import services.mail as post", "post.goal()"),
        ("from services import again", "again()"),
        ("from .services.mail import goal", "goal()"),
        ("from services.mail import *", "goal()"),
        ("", "from services.mail import goal\n    goal()"),
        ("from services.mail import Mail", "Mail().go()"),
        ("from services.mail import Mail", "Mail.get().go()"),
        ("from services.mail import Mail", "Mail().inner.go()"),
        ("from services.mail import mail", "mail.go()"),
        ("from services.mail import decorated", "decorated()"),
        ("from services.mail import goal, wrapped", "wrapped(goal)()"),
        ("from services.mail import App, Mail", "App(Mail()).run()"),
    ] {
        let main = format!("{import}\n\ndef entry():\n    {call}\n");
        let files = [
            ("services/__init__.py", "from .mail import goal as again\n"),
            ("services/mail.py", MAIL),
            ("main.py", main.as_str()),
        ];
        assert!(reaches(&files, "entry", "goal"), "{import} {call}");
    }
}
