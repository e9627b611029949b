//! Jumps: which entry point serves a request of the app's own code.

use seamcheck::program::EdgeKind;

use super::{app, function, jumps};

#[test]
fn requests_to_routes() {
    let program = app(&[
        (
            "package.json",
            r#"{"dependencies": {"express": "5", "react": "19", "vite": "6", "axios": "1"}, "scripts": {"start": "tsx server.ts"}}"#,
        ),
        ("index.html", "<script type=\"module\" src=\"/src/main.tsx\"></script>"),
        (
            "src/main.tsx",
            "import axios from 'axios';\nimport { useQuery } from '@tanstack/react-query';\nimport { apiRequest } from './api';\nconst client = axios.create({ baseURL: '/api' });\nexport async function all(id: string) {\n  await fetch('/api/users');\n  await fetch(`/api/users/${id}`, { method: 'DELETE' });\n  await fetch('/api/users/me');\n  await axios.post('/api/users', {});\n  await client.get('/users/me');\n  await apiRequest('POST', '/api/users?x=1');\n  await fetch(`${import.meta.env.VITE_API}/users`, { method: 'POST' });\n  await fetch('/api/missing', { method: 'POST' });\n  await fetch('/api/users', { method: 'PATCH' });\n  await fetch('/logo.svg');\n  useQuery({ queryKey: ['/api/users', id] });\n}\n",
        ),
        (
            "src/api.ts",
            "export async function apiRequest(method: string, url: string, body?: unknown) {\n  return fetch(url, { method, body: JSON.stringify(body) });\n}\n",
        ),
        (
            "server.ts",
            "import express from 'express';\nconst app = express();\napp.get('/api/users', function list(req, res) {});\napp.post('/api/users', function create(req, res) {});\napp.get('/api/users/me', function me(req, res) {});\napp.get('/api/users/:id', function one(req, res) {});\napp.delete('/api/users/:id', function remove(req, res) {});\napp.get('/api/users', function again(req, res) {});\napp.listen(3000);\n",
        ),
    ]);
    insta::assert_snapshot!(jumps(&program));
}

#[test]
fn functions_by_name() {
    let program = app(&[
        ("package.json", r#"{"dependencies": {"@supabase/supabase-js": "2", "vite": "6"}}"#),
        ("index.html", "<script type=\"module\" src=\"/src/main.ts\"></script>"),
        (
            "src/main.ts",
            "import { createClient } from '@supabase/supabase-js';\nconst url = import.meta.env.VITE_SUPABASE_URL;\nexport const supabase = createClient(url, import.meta.env.VITE_SUPABASE_ANON_KEY);\nconst name = 'send-mail';\nexport async function all() {\n  await supabase.functions.invoke('pay', { body: {} });\n  await supabase.functions.invoke(`${name}?a=1`);\n  await fetch(`${url}/functions/v1/pay`, { method: 'POST' });\n  await supabase.functions.invoke('not-there');\n  await supabase.functions.invoke('multi/send/7');\n}\n",
        ),
        ("supabase/functions/pay/index.ts", "Deno.serve(async function pay(req) { return new Response(''); });\n"),
        (
            "supabase/functions/send-mail/index.ts",
            "Deno.serve(async function mail(req) { return new Response(''); });\n",
        ),
        (
            "supabase/functions/multi/index.ts",
            "import { Hono } from 'npm:hono';\nconst app = new Hono().basePath('/multi');\napp.post('/send/:id', function send(c) { return c.text(''); });\napp.post('/other', function other(c) { return c.text(''); });\nDeno.serve(app.fetch);\n",
        ),
    ]);
    insta::assert_snapshot!(jumps(&program));
}

#[test]
fn procedures_and_actions() {
    let program = app(&[
        ("package.json", r#"{"dependencies": {"next": "15", "@trpc/server": "11", "@trpc/react-query": "11"}}"#),
        (
            "server/root.ts",
            "import { initTRPC } from '@trpc/server';\nconst t = initTRPC.create();\nexport const appRouter = t.router({ user: t.router({ create: t.procedure.mutation(async function create() {}), list: t.procedure.query(async function list() {}) }) });\n",
        ),
        (
            "app/api/trpc/[trpc]/route.ts",
            "import { appRouter } from '../../../../server/root';\nimport { fetchRequestHandler } from '@trpc/server/adapters/fetch';\nconst handler = (req) => fetchRequestHandler({ router: appRouter, req });\nexport { handler as GET, handler as POST };\n",
        ),
        (
            "lib/trpc.ts",
            "import { createTRPCReact } from '@trpc/react-query';\nexport const trpc = createTRPCReact();\n",
        ),
        ("app/actions.ts", "'use server';\nexport async function save(data) {}\n"),
        ("app/page.tsx", "import { Form } from './form';\nexport default function Page() { return <Form/>; }\n"),
        (
            "app/form.tsx",
            "'use client';\nimport { trpc } from '../lib/trpc';\nimport { save } from './actions';\nexport function Form() {\n  const list = trpc.user.list.useQuery();\n  const create = trpc.user.create.useMutation();\n  const submit = async () => {\n    create.mutate({});\n    await save({});\n  };\n  return <form onSubmit={submit}/>;\n}\n",
        ),
    ]);
    let mut text = jumps(&program);
    for (file, _) in program.code() {
        for call in program.calls_of(file) {
            for edge in program.edges(call).iter().filter(|edge| edge.kind == EdgeKind::Jump) {
                let place = program.call_place(call);
                text.push_str(&format!(
                    "edge {}:{} -> {}\n",
                    program.file(file).path,
                    program.line(place),
                    function(&program, edge.target)
                ));
            }
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn what_hosts_and_proxies_lead_on_is_followed() {
    let program = app(&[
        ("package.json", r#"{"dependencies": {"react": "19", "vite": "6", "firebase-functions": "6"}}"#),
        ("index.html", "<script type=\"module\" src=\"/src/main.ts\"></script>"),
        (
            "src/main.ts",
            "fetch('/api/mail', { method: 'POST' });\nfetch('/old/7');\nfetch('/py/rates');\nfetch('/cloud/any/path');\nfetch('/nowhere');\n",
        ),
        ("netlify.toml", "[[redirects]]\nfrom = \"/api/*\"\nto = \"/.netlify/functions/:splat\"\nstatus = 200\n"),
        ("public/_redirects", "/old/:id  /v2/items/:id  301\n"),
        ("firebase.json", r#"{"hosting": {"rewrites": [{"source": "/cloud/**", "function": "web"}]}}"#),
        (
            "vite.config.ts",
            "export default { server: { proxy: { '/py': { target: 'http://localhost:8000', rewrite: (p) => p.replace(/^\\/py/, '/v2') } } } };\n",
        ),
        ("netlify/functions/mail.ts", "export const handler = async () => ({ statusCode: 200 });\n"),
        (
            "functions/index.js",
            "const functions = require('firebase-functions');\nexports.web = functions.https.onRequest((req, res) => res.send('ok'));\n",
        ),
        (
            "api/main.py",
            "from fastapi import FastAPI\napp = FastAPI()\n\n@app.get('/v2/items/{id}')\ndef item(id):\n    pass\n\n@app.get('/v2/rates')\ndef rates():\n    pass\n",
        ),
    ]);
    insta::assert_snapshot!(jumps(&program), @r"
    src/main.ts:1 -> netlify/functions/mail.ts:handler
    src/main.ts:2 -> api/main.py:item
    src/main.ts:3 -> api/main.py:rates
    src/main.ts:4 -> functions/index.js:2
    src/main.ts:5 -> nothing serves /nowhere
    ");
}
