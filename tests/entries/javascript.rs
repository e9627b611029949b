//! Entry points of JavaScript and TypeScript frameworks.

use seamcheck::program::EntryKind;

use super::{app, entries};

const NEXT: (&str, &str) = ("package.json", r#"{"dependencies": {"next": "15", "react": "19"}}"#);

#[test]
fn next_app_router() {
    let program = app(&[
        NEXT,
        ("tsconfig.json", r#"{"compilerOptions": {"paths": {"@/*": ["./*"]}}}"#),
        (
            "lib/auth.ts",
            "export function withAuth(handler) { return async (req) => { if (!req.headers.get('x')) return; return handler(req); }; }",
        ),
        (
            "app/api/orders/[id]/route.ts",
            "import { withAuth } from '@/lib/auth';\nexport async function GET(req) {}\nexport const POST = withAuth(async (req) => {});\n",
        ),
        ("app/(shop)/api/both/route.ts", "async function handler() {}\nexport { handler as GET, handler as PUT };\n"),
        ("app/api/files/[...rest]/route.ts", "export { GET } from '../../../lib/files';\n"),
        ("lib/files.ts", "export const GET = async () => {};\n"),
        ("app/api/made/route.ts", "import { make } from 'made';\nexport const { GET, POST } = make();\n"),
        ("app/_private/route.ts", "export async function GET() {}\n"),
        ("app/page.tsx", "import Form from './form';\nexport default async function Home() { return <main/>; }\n"),
        ("app/@modal/(.)photo/[id]/page.tsx", "export default function Photo() { return <i/>; }\n"),
        (
            "middleware.ts",
            "export function middleware(req) {}\nexport const config = { matcher: ['/((?!api/orders|_next).*)'] };\n",
        ),
        (
            "app/actions.ts",
            "'use server';\nexport async function save(data) {}\nexport const remove = guarded(async (id) => {});\nfunction guarded(f) { return f; }\n",
        ),
        (
            "app/form.tsx",
            "export default function Form() { async function send() { 'use server'; } return <form action={send}/>; }\n",
        ),
    ]);
    insta::assert_snapshot!(entries(&program, false));
}

#[test]
fn next_pages_router() {
    let program = app(&[
        NEXT,
        ("pages/api/users/[id].ts", "export default async function handler(req, res) {}\n"),
        (
            "pages/api/chained.ts",
            "import nc from 'next-connect';\nconst auth = (req, res, next) => next();\nexport default nc().use(auth).get((req, res) => {}).post(async (req, res) => {});\n",
        ),
        (
            "pages/shop/[slug].tsx",
            "export async function getServerSideProps() { return { props: {} }; }\nexport default function Shop() { return <p/>; }\n",
        ),
        (
            "pages/api/auth/[...nextauth].ts",
            "import NextAuth from 'next-auth';\nimport Credentials from 'next-auth/providers/credentials';\nexport const authOptions = { providers: [Credentials({ async authorize(c) { return null; } })], callbacks: { async signIn({ user }) { return true; } }, events: { createUser: async () => {} } };\nexport default NextAuth(authOptions);\n",
        ),
    ]);
    insta::assert_snapshot!(entries(&program, false));
}

#[test]
fn express_through_files() {
    let program = app(&[
        ("package.json", r#"{"dependencies": {"express": "5"}, "scripts": {"start": "tsx server/index.ts"}}"#),
        (
            "server/index.ts",
            "import express from 'express';\nimport { registerRoutes } from './routes';\nimport { log } from './log';\nconst app = express();\napp.post('/hook', express.raw({ type: '*/*' }), async (req, res) => {});\napp.use(express.json());\napp.use(log);\n(async () => {\n  await registerRoutes(app, log);\n  app.use((err, req, res, next) => {});\n  app.get('/last', (req, res) => {});\n})();\n",
        ),
        ("server/log.ts", "export function log(req, res, next) { next(); }\n"),
        (
            "server/routes.ts",
            "import type { Express } from 'express';\nimport { users } from './users';\nimport admin from './admin';\nimport * as items from './items';\nconst limiter = (req, res, next) => next();\nexport async function registerRoutes(app: Express, given: any) {\n  app.use('/api/users', limiter);\n  app.use('/api/users', users);\n  app.use('/api/admin', given, admin);\n  app.get('/api/items', items.list);\n  app.post('/api/items', items.create);\n  app.route('/api/both').get(items.list).post(limiter, items.create);\n  app.use('/api/late', late);\n}\nfunction late(req, res, next) {}\n",
        ),
        (
            "server/users.ts",
            "import { Router } from 'express';\nexport const users = Router();\nconst mine = (req, res, next) => next();\nusers.get('/', (req, res) => {});\nusers.use(mine);\nusers.post('/:id(\\\\d+)', [mine, mine], async function create(req, res) {});\n",
        ),
        (
            "server/admin.ts",
            "import express from 'express';\nimport deep from './deep';\nconst router = express.Router();\nrouter.use('/deep', deep);\nclass Controller { constructor() { this.one = this.one.bind(this); } one(req, res) {} two = async (req, res) => {}; }\nconst controller = new Controller();\nrouter.get('/one', controller.one);\nrouter.get('/two', controller.two);\nexport default router;\n",
        ),
        (
            "server/deep.ts",
            "const { Router } = require('express');\nconst router = Router();\nrouter.delete('/x', (req, res) => {});\nmodule.exports = router;\n",
        ),
        (
            "server/items.ts",
            "const asyncHandler = (fn) => (req, res, next) => Promise.resolve(fn(req, res, next)).catch(next);\nexport const list = asyncHandler(async (req, res) => {});\nconst handler = async (req, res) => {};\nexport { handler as create };\n",
        ),
        (
            "server/old.ts",
            "import { Router } from 'express';\nexport const old = Router();\nold.get('/gone', (req, res) => {});\n",
        ),
    ]);
    insta::assert_snapshot!(entries(&program, false));
}

#[test]
fn other_routers() {
    let program = app(&[
        ("package.json", r#"{"dependencies": {"hono": "4", "fastify": "5", "koa": "2"}}"#),
        (
            "src/hono.ts",
            "import { Hono } from 'hono';\nconst auth = async (c, next) => next();\nconst books = new Hono().get('/', (c) => c.text('')).post('/:id', (c) => c.text(''));\nconst app = new Hono().basePath('/v1');\napp.use('/books/*', auth);\napp.route('/books', books);\napp.on(['PUT', 'POST'], '/on', (c) => c.text(''));\nexport default app;\n",
        ),
        (
            "src/fastify.ts",
            "import Fastify from 'fastify';\nimport type { FastifyInstance } from 'fastify';\nimport fp from 'fastify-plugin';\nconst server = Fastify();\nasync function check(req) {}\nasync function orders(fastify: FastifyInstance) {\n  fastify.addHook('preHandler', check);\n  fastify.post('/', { schema: {} }, async (req) => {});\n  fastify.route({ method: ['GET', 'HEAD'], url: '/:id', preHandler: [check], handler: async (req) => {} });\n}\nserver.register(orders, { prefix: '/orders' });\nserver.register(fp(async (app) => { app.get('/health', async () => {}); }));\nserver.get('/plain', async () => {});\nserver.listen({ port: 1 });\n",
        ),
        (
            "src/koa.ts",
            "import Koa from 'koa';\nimport Router from '@koa/router';\nconst app = new Koa();\nconst router = new Router({ prefix: '/k' });\nconst first = async (ctx, next) => next();\nrouter.get('named', '/a', first, async (ctx) => {});\napp.use(first);\napp.use(router.routes());\n",
        ),
    ]);
    insta::assert_snapshot!(entries(&program, false));
}

#[test]
fn functions_of_platforms() {
    let program = app(&[
        ("package.json", r#"{"dependencies": {"react": "19"}}"#),
        ("supabase/functions/pay/index.ts", "Deno.serve(async (req) => new Response('ok'));\n"),
        (
            "supabase/functions/old-style/index.ts",
            "import { serve } from 'https://deno.land/std@0.168.0/http/server.ts';\nimport { handle } from '../_shared/handle.ts';\nserve(handle);\n",
        ),
        (
            "supabase/functions/_shared/handle.ts",
            "export async function handle(req: Request) { return new Response(''); }\n",
        ),
        (
            "supabase/functions/test-mail/index.ts",
            "export default { async fetch(req) { return new Response(''); } };\n",
        ),
        (
            "supabase/functions/router/index.ts",
            "import { Hono } from 'npm:hono';\nconst app = new Hono().basePath('/router');\napp.post('/send/:id', (c) => c.text(''));\nDeno.serve(app.fetch);\n",
        ),
        ("netlify/functions/hello.ts", "export const handler = async (event) => ({ statusCode: 200 });\n"),
        ("api/report.js", "module.exports = async (req, res) => {};\n"),
        ("worker/wrangler.toml", "name = \"w\"\n"),
        (
            "worker/src/index.ts",
            "export default { async fetch(req, env, ctx) {}, async scheduled(event, env) {}, async queue(batch, env) {} };\n",
        ),
        (
            "functions/index.js",
            "const functions = require('firebase-functions');\nconst { onCall } = require('firebase-functions/v2/https');\nexports.charge = functions.https.onRequest(async (req, res) => {});\nexports.ask = onCall(async (request) => {});\nexports.nightly = functions.pubsub.schedule('0 0 * * *').onRun(async () => {});\nexports.made = functions.firestore.document('x/{id}').onCreate(async () => {});\n",
        ),
    ]);
    insta::assert_snapshot!(entries(&program, false));
}

#[test]
fn decorated_controllers() {
    let program = app(&[
        ("package.json", r#"{"dependencies": {"@nestjs/common": "11", "@nestjs/core": "11"}}"#),
        (
            "src/main.ts",
            "import { NestFactory } from '@nestjs/core';\nasync function start() { const app = await NestFactory.create({}); app.setGlobalPrefix('api'); }\nstart();\n",
        ),
        (
            "src/users.controller.ts",
            "import { Controller, Get, Post, UseGuards } from '@nestjs/common';\nimport { AuthGuard } from './auth.guard';\n@Controller('users')\n@UseGuards(AuthGuard)\nexport class UsersController {\n  @Get(':id') one() {}\n  @Post() @UseGuards(RolesGuard) create() {}\n}\nclass RolesGuard { canActivate() { return true; } }\n",
        ),
        ("src/auth.guard.ts", "export class AuthGuard { canActivate(context) { return true; } }\n"),
        (
            "src/jobs.ts",
            "import { Injectable } from '@nestjs/common';\nimport { Cron } from '@nestjs/schedule';\n@Injectable()\nexport class Jobs { @Cron('0 * * * *') hourly() {} }\n",
        ),
    ]);
    insta::assert_snapshot!(entries(&program, false));
}

#[test]
fn meta_frameworks() {
    let svelte = app(&[
        ("package.json", r#"{"devDependencies": {"@sveltejs/kit": "2"}}"#),
        ("src/routes/api/[id]/+server.ts", "export async function GET() {}\nexport const POST = async () => {};\n"),
        (
            "src/routes/(app)/login/+page.server.ts",
            "export const load = async () => {};\nexport const actions = { default: async () => {}, reset: async () => {} };\n",
        ),
        ("src/hooks.server.ts", "export const handle = async ({ event, resolve }) => resolve(event);\n"),
    ]);
    let remix = app(&[
        ("package.json", r#"{"dependencies": {"@remix-run/node": "2"}}"#),
        (
            "app/routes/shop.$id_.edit.tsx",
            "export async function loader() {}\nexport async function action() {}\nexport default function Edit() { return <p/>; }\n",
        ),
        ("app/routes/hooks.pay.ts", "export const action = async ({ request }) => {};\n"),
    ]);
    let nuxt = app(&[
        ("package.json", r#"{"dependencies": {"nuxt": "3"}}"#),
        ("server/api/users/[id].post.ts", "export default defineEventHandler(async (event) => {});\n"),
        ("server/middleware/auth.ts", "export default defineEventHandler((event) => {});\n"),
    ]);
    let astro = app(&[
        ("package.json", r#"{"dependencies": {"astro": "5"}}"#),
        ("src/pages/api/[id].ts", "export const POST = async ({ request }) => {};\nexport async function ALL() {}\n"),
    ]);
    let all = [("svelte", svelte), ("remix", remix), ("nuxt", nuxt), ("astro", astro)];
    let text: String = all.iter().map(|(name, program)| format!("== {name}\n{}", entries(program, false))).collect();
    insta::assert_snapshot!(text);
}

#[test]
fn procedures_hooks_and_jobs() {
    let program = app(&[
        (
            "package.json",
            r#"{"dependencies": {"@trpc/server": "11", "express": "5"}, "scripts": {"start": "node src/server.ts"}}"#,
        ),
        (
            "src/trpc.ts",
            "import { initTRPC } from '@trpc/server';\nconst t = initTRPC.create();\nconst signedIn = t.middleware(({ next }) => next());\nexport const router = t.router;\nexport const open = t.procedure;\nexport const closed = t.procedure.use(signedIn).use(async ({ next }) => next());\n",
        ),
        (
            "src/users.ts",
            "import { router, open, closed } from './trpc';\nexport const users = router({ list: open.query(async () => []), create: closed.input({}).mutation(async ({ input }) => {}) });\n",
        ),
        (
            "src/server.ts",
            "import { router } from './trpc';\nimport { users } from './users';\nimport './auth';\nimport './jobs';\nexport const app = router({ users, nested: { ping: router({}) } });\n",
        ),
        (
            "src/auth.ts",
            "import passport from 'passport';\nimport { Strategy as LocalStrategy } from 'passport-local';\nimport { betterAuth } from 'better-auth';\npassport.use(new LocalStrategy({ usernameField: 'email' }, async (email, password, done) => {}));\nexport const auth = betterAuth({ databaseHooks: { user: { create: { after: async (user) => {} } } }, emailAndPassword: { enabled: true, sendResetPassword: async () => {} } });\n",
        ),
        (
            "src/jobs.ts",
            "import cron from 'node-cron';\nimport { Worker } from 'bullmq';\nimport { inngest } from './inngest';\ncron.schedule('0 * * * *', async () => {});\nsetInterval(sweep, 1000);\nfunction sweep() {}\nnew Worker('mail', async (job) => {});\nexport const welcome = inngest.createFunction({ id: 'welcome' }, { event: 'user/made' }, async ({ step }) => {});\nexport const daily = inngest.createFunction({ id: 'daily' }, { cron: '0 0 * * *' }, async () => {});\n",
        ),
        ("src/inngest.ts", "import { Inngest } from 'inngest';\nexport const inngest = new Inngest({ id: 'app' });\n"),
    ]);
    insta::assert_snapshot!(entries(&program, false));
}

#[test]
fn what_a_browser_starts() {
    let program = app(&[
        ("package.json", r#"{"dependencies": {"react": "19", "vite": "6"}}"#),
        ("index.html", "<script type=\"module\" src=\"/src/main.tsx\"></script>"),
        (
            "src/main.tsx",
            "import { useEffect } from 'react';\nimport { useForm } from 'react-hook-form';\nimport { useQuery } from '@tanstack/react-query';\nexport function Form() {\n  const form = useForm();\n  const save = async () => {};\n  useEffect(() => { save(); }, []);\n  useQuery({ queryKey: ['a'], queryFn: async () => [] });\n  window.addEventListener('online', save);\n  return <form onSubmit={form.handleSubmit(save)}><Button onClick={() => save()} /></form>;\n}\nfunction Button(p) { return <button onClick={p.onClick} />; }\n",
        ),
    ]);
    insta::assert_snapshot!(entries(&program, true));
}

#[test]
fn functions_folder_of_a_sites_host() {
    let program = app(&[
        ("package.json", r#"{"dependencies": {"react": "19"}}"#),
        ("functions/api/users/[id].ts", "export const onRequestPost = async (context) => new Response('');\n"),
        ("functions/files/[[path]].ts", "export async function onRequest(context) { return new Response(''); }\n"),
        ("functions/admin/_middleware.ts", "export const onRequest = async (context) => context.next();\n"),
        ("functions/admin/index.ts", "export async function onRequestGet() { return new Response(''); }\n"),
        ("functions/lib/mail.ts", "export async function send() {}\n"),
    ]);
    let routes: Vec<String> = program
        .entries
        .iter()
        .filter(|entry| entry.kind == EntryKind::Route)
        .map(|entry| {
            format!("{:?} {} {}", entry.methods, entry.route.expect("routes have one"), entry.middleware.len())
        })
        .collect();
    assert_eq!(routes, [r#"["GET"] /admin 1"#, r#"["POST"] /api/users/:id 0"#, "[] /files/* 0"]);
}
