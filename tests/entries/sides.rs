//! Where files run.

use super::{app, sides};

#[test]
fn a_vite_app_with_functions_and_old_copies() {
    let program = app(&[
        ("package.json", r#"{"dependencies": {"react": "19", "vite": "6"}}"#),
        (
            "index.html",
            "<!-- <script src=\"/src/old.ts\"></script> --><script type=\"module\" src=\"/src/main.tsx\"></script>",
        ),
        ("vite.config.ts", "export default {};\n"),
        (
            "src/main.tsx",
            "import { App } from './App';\nimport type { Shape } from './types';\nconst pages = import.meta.glob('./pages/*.tsx');\nexport const x = <App/>;\n",
        ),
        (
            "src/App.tsx",
            "import { lazy } from 'react';\nimport { price } from '../shared/price';\nconst Late = lazy(() => import('./Late'));\nnew Worker(new URL('./worker.ts', import.meta.url));\nexport function App() { return <Late/>; }\n",
        ),
        ("src/Late.tsx", "export default function Late() { return <p/>; }\n"),
        ("src/pages/Home.tsx", "export default function Home() { return <p/>; }\n"),
        ("src/worker.ts", "export const w = 1;\n"),
        ("src/types.ts", "export const SHAPES = [];\nexport type Shape = string;\n"),
        ("src/Unused.tsx", "export function Unused() { return <p/>; }\n"),
        ("src/pay.disabled.ts", "export const pay = 1;\n"),
        ("src/pay.test.ts", "import { App } from './App';\n"),
        ("App.tsx", "export function App() { return <p/>; }\n"),
        ("create-checkout.js", "import { serve } from 'x';\nserve(() => {});\n"),
        ("fix-db.js", "run();\n"),
        ("shared/price.ts", "export const price = 1;\n"),
        ("scripts/seed.ts", "console.log('seed');\n"),
        ("public/sw.js", "self.addEventListener('fetch', () => {});\n"),
        (
            "supabase/functions/test-mail/index.ts",
            "import { price } from '../../../shared/price.ts';\nimport { cors } from '../_shared/cors.ts';\nDeno.serve(() => new Response(''));\n",
        ),
        ("supabase/functions/test-mail/legacy.ts", "Deno.serve(() => new Response(''));\n"),
        ("supabase/functions/_shared/cors.ts", "export const cors = {};\n"),
    ]);
    insta::assert_snapshot!(sides(&program));
    let price = program.files.iter().position(|file| file.path == "shared/price.ts").expect("it is there");
    let chain = program.client_chain(seamcheck::finding::FileId(price as u32));
    let chain: Vec<String> = chain
        .iter()
        .map(|(file, place)| format!("{}:{}", program.file(*file).path, place.map_or(0, |place| program.line(place))))
        .collect();
    assert_eq!(chain, ["index.html:1", "src/main.tsx:1", "src/App.tsx:2", "shared/price.ts:0"]);
    let cors =
        program.files.iter().position(|file| file.path == "supabase/functions/_shared/cors.ts").expect("it is there");
    let units: Vec<&str> = program
        .units(seamcheck::finding::FileId(cors as u32))
        .iter()
        .map(|unit| program.unit_name(*unit).as_str())
        .collect();
    assert_eq!(units, ["supabase/functions/test-mail"]);
}

#[test]
fn a_next_app() {
    let program = app(&[
        ("package.json", r#"{"dependencies": {"next": "15"}}"#),
        (
            "app/page.tsx",
            "import { Form } from './form';\nimport { db } from '../lib/db';\nexport default function Page() { return <Form/>; }\n",
        ),
        (
            "app/form.tsx",
            "'use client';\nimport { save } from './actions';\nimport { format } from '../lib/format';\nimport { guarded } from '../lib/guarded';\nexport function Form() { return <form action={save}/>; }\n",
        ),
        ("app/actions.ts", "'use server';\nimport { db } from '../lib/db';\nexport async function save() { db(); }\n"),
        ("lib/db.ts", "export const db = () => {};\n"),
        ("lib/format.ts", "export const format = 1;\n"),
        ("lib/guarded.ts", "import 'server-only';\nexport const guarded = 1;\n"),
        ("app/api/x/route.ts", "import { format } from '../../../lib/format';\nexport async function POST() {}\n"),
        (
            "pages/legacy.tsx",
            "import { onlyData } from '../lib/data';\nimport { shown } from '../lib/shown';\nexport async function getServerSideProps() { return onlyData(); }\nexport default function Legacy() { return <p>{shown}</p>; }\n",
        ),
        ("lib/data.ts", "export const onlyData = () => {};\n"),
        ("lib/shown.ts", "export const shown = 1;\n"),
        ("next.config.ts", "export default {};\n"),
    ]);
    insta::assert_snapshot!(sides(&program));
}

#[test]
fn a_server_and_its_client() {
    let program = app(&[
        (
            "package.json",
            r#"{"dependencies": {"express": "5", "react": "19"}, "scripts": {"dev": "NODE_ENV=development tsx server/index.ts", "start": "node dist/index.js"}}"#,
        ),
        ("client/index.html", "<script type=\"module\" src=\"/src/main.tsx\"></script>"),
        ("client/src/main.tsx", "import { schema } from '../../shared/schema';\nexport const x = schema;\n"),
        ("shared/schema.ts", "export const schema = 1;\n"),
        (
            "server/index.ts",
            "import express from 'express';\nimport { schema } from '../shared/schema';\nimport { used } from './used';\nconst app = express();\napp.get('/', used);\n",
        ),
        ("server/used.ts", "export function used(req, res) {}\n"),
        (
            "server/unused.ts",
            "import type { Express } from 'express';\nexport function setup(app: Express) { app.get('/gone', (req, res) => {}); }\n",
        ),
        ("worker/app.py", "print('x')\n"),
        ("worker/test_app.py", "import app\n"),
    ]);
    insta::assert_snapshot!(sides(&program));
    assert!(program.entries.iter().all(|entry| entry.route.is_none_or(|route| !route.contains("gone"))));
}

#[test]
fn what_platforms_keep_running_is_no_script() {
    let program = app(&[
        ("package.json", r#"{"dependencies": {"bullmq": "5"}}"#),
        (
            "Procfile",
            "release: python scripts/seed.py\nworker: npx tsx scripts/worker.ts\nbot: python -m scripts.bot\n",
        ),
        ("scripts/worker.ts", "import { send } from '../lib/send';\nsend();\n"),
        ("scripts/other.ts", "console.log(1);\n"),
        ("scripts/bot.py", "def main():\n    pass\n\nif __name__ == '__main__':\n    main()\n"),
        ("scripts/seed.py", "def main():\n    pass\n\nif __name__ == '__main__':\n    main()\n"),
        ("lib/send.ts", "export const send = () => fetch('https://mail.example.com');\n"),
    ]);
    insta::assert_snapshot!(sides(&program), @r"
    server lib/send.ts
    server scripts/bot.py
    tooling scripts/other.ts
    tooling scripts/seed.py
    server scripts/worker.ts
    ");
    let kinds: Vec<String> = program.entries.iter().map(|entry| format!("{:?}", entry.kind)).collect();
    assert_eq!(kinds, ["Worker", "Script"]);
}
