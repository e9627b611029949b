//! A repository made up for measuring: components, hooks, API routes, edge functions and Python views in the
//! proportions of real apps. The same number of files gives the same bytes.
//!
//! Two hundred megabytes of AI-built apps hold, a thousand bytes, 49 expressions, 5 calls, 3 blocks, 5 definitions
//! and 1.3 functions: the rest is markup, class names, prose, comments and types, which [`filler`] stands for.

use std::fmt::Write;
use std::path::Path;

/// Writes `files` code files below `root`, and their manifests.
pub fn generate(root: &Path, files: usize) {
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("package.json", PACKAGE);
    write("tsconfig.json", TSCONFIG);
    write(".gitignore", "node_modules\ndist\n");
    for number in 0..files {
        let mut random = Random(number as u64 * 0x9e37_79b9 + 1);
        match number % 20 {
            0..=10 => {
                write(&format!("src/components/area{}/Card{number}.tsx", number % 17), &component(number, &mut random))
            }
            11..=13 => write(&format!("src/hooks/useThing{number}.ts"), &hook(number, &mut random)),
            14 => write(&format!("src/lib/thing{number}.ts"), &library(number, &mut random)),
            15 | 16 => write(&format!("src/app/api/thing{number}/route.ts"), &route(number, &mut random)),
            17 | 18 => write(&format!("supabase/functions/job-{number}/index.ts"), &edge(number, &mut random)),
            _ => write(&format!("service/views_{number}.py"), &view(number, &mut random)),
        }
    }
}

/// xorshift: the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn word(&mut self) -> &'static str {
        const WORDS: [&str; 16] = [
            "order", "user", "invoice", "amount", "status", "title", "email", "total", "created", "plan", "team",
            "note", "price", "event", "ticket", "profile",
        ];
        WORDS[self.below(16) as usize]
    }
}

/// A sentence.
fn prose(random: &mut Random) -> String {
    let words: Vec<&str> = (0..8 + random.below(10)).map(|_| random.word()).collect();
    format!("Every {} is kept for the whole team.", words.join(" "))
}

/// What says much and does little.
enum Filler {
    /// Elements with their classes and texts.
    Markup,
    /// Types and comments.
    Types,
    /// Comments only.
    Comments,
}

fn filler(what: &Filler, pieces: u64, random: &mut Random) -> String {
    let mut text = String::new();
    for at in 0..pieces {
        let (word, other, sentence) = (random.word(), random.word(), prose(random));
        let _ = match what {
            Filler::Markup => write!(
                text,
                "      <div className=\"rounded-2xl border border-slate-200 bg-white/80 p-6 shadow-sm backdrop-blur transition hover:shadow-md\">\n\
                 \x20       <h3 className=\"text-lg font-semibold tracking-tight text-slate-900\">The {word} and the {other}</h3>\n\
                 \x20       <p className=\"mt-2 text-sm leading-6 text-slate-600\">\n          {sentence}\n        </p>\n      </div>\n"
            ),
            Filler::Types => write!(
                text,
                "/** {sentence} */\nexport interface Row{at} {{\n  {word}_id: string;\n  {other}_name: string | null;\n\
                 \x20 {word}_at: Record<string, number>;\n  {other}s: Array<{{ {word}: number; {other}: boolean }}>;\n}}\n\n"
            ),
            Filler::Comments => writeln!(text, "# {sentence}"),
        };
    }
    text
}

const PACKAGE: &str = r#"{
  "name": "made-up", "private": true, "type": "module",
  "scripts": { "dev": "vite", "build": "vite build" },
  "dependencies": { "react": "^18.3.0", "next": "^14.2.0", "stripe": "^16.0.0", "openai": "^4.0.0", "resend": "^3.0.0" }
}
"#;

const TSCONFIG: &str = r#"{
  // the alias every app builder writes
  "compilerOptions": { "strict": true, "jsx": "react-jsx", "baseUrl": ".", "paths": { "@/*": ["./src/*"] } }
}
"#;

fn component(number: usize, random: &mut Random) -> String {
    let mut text = format!(
        "\"use client\";\nimport {{ useEffect, useMemo, useState }} from \"react\";\n\
         import {{ Button }} from \"@/components/ui/button\";\nimport {{ useThing11 }} from \"@/hooks/useThing11\";\n\
         import {{ format14 }} from \"@/lib/thing14\";\n\n\
         interface Card{number}Props {{\n  id: string;\n  onSave?: (value: Record<string, unknown>) => Promise<void>;\n}}\n\n\
         export function Card{number}({{ id, onSave }}: Card{number}Props) {{\n\
         \x20 const [value, setValue] = useState<Record<string, string>>({{}});\n\
         \x20 const [busy, setBusy] = useState(false);\n  const {{ data, error }} = useThing11(id);\n\
         \x20 useEffect(() => {{\n    if (!data) return;\n    setValue((old) => ({{ ...old, ...data }}));\n  }}, [data]);\n\
         \x20 const shown = useMemo(() => Object.entries(value).filter(([key]) => key !== \"id\"), [value]);\n\n\
         \x20 const save = async () => {{\n    setBusy(true);\n    try {{\n\
         \x20     const response = await fetch(`/api/thing{}/${{id}}`, {{\n        method: \"POST\",\n\
         \x20       headers: {{ \"Content-Type\": \"application/json\" }},\n        body: JSON.stringify(value),\n      }});\n\
         \x20     if (!response.ok) throw new Error(`failed with ${{response.status}}`);\n\
         \x20     await onSave?.(await response.json());\n    }} catch (problem) {{\n      console.error(problem);\n\
         \x20   }} finally {{\n      setBusy(false);\n    }}\n  }};\n\n  if (error) return <p className=\"text-red-500\">{{error.message}}</p>;\n\
         \x20 return (\n    <section className=\"grid gap-4 rounded-xl border p-6 shadow-sm\">\n",
        15 + number % 2
    );
    for _ in 0..8 + random.below(24) {
        let (field, other) = (random.word(), random.word());
        let _ = write!(
            text,
            "      <label className=\"flex flex-col gap-1 text-sm font-medium\">\n        {field}\n        <input\n\
             \x20         value={{value.{field} ?? \"\"}}\n          placeholder=\"Your {other}\"\n\
             \x20         onChange={{(event) => setValue((old) => ({{ ...old, {field}: event.target.value }}))}}\n\
             \x20         disabled={{busy || value.{other} === \"done\"}}\n        />\n      </label>\n"
        );
    }
    let pieces = 10 + random.below(12);
    text += &filler(&Filler::Markup, pieces, random);
    text + "      {shown.length > 0 ? shown.map(([key, item]) => <span key={key}>{format14(item)}</span>) : null}\n\
            \x20     <Button onClick={save} disabled={busy}>{busy ? \"Saving\" : \"Save\"}</Button>\n    </section>\n  );\n}\n"
}

fn hook(number: usize, random: &mut Random) -> String {
    let mut text = format!(
        "import {{ useEffect, useState }} from \"react\";\n\nexport type Thing{number} = {{ id: string; [key: string]: string }};\n\n\
         export function useThing{number}(id: string) {{\n  const [data, setData] = useState<Thing{number} | null>(null);\n\
         \x20 const [error, setError] = useState<Error | null>(null);\n  useEffect(() => {{\n    let live = true;\n\
         \x20   fetch(`${{import.meta.env.VITE_API_URL}}/things/${{id}}`)\n      .then((response) => response.json())\n\
         \x20     .then((json) => live && setData(json))\n      .catch((problem) => live && setError(problem));\n\
         \x20   return () => {{\n      live = false;\n    }};\n  }}, [id]);\n"
    );
    for at in 0..4 + random.below(10) {
        let word = random.word();
        let _ = write!(
            text,
            "  const {word}{at} = data?.{word} && data.{word}.length > {at} ? data.{word}.trim() : \"\";\n  if ({word}{at} === \"x\") console.log({word}{at});\n"
        );
    }
    let pieces = 2 + random.below(3);
    text + "  return { data, error };\n}\n\n" + &filler(&Filler::Types, pieces, random)
}

fn library(number: usize, random: &mut Random) -> String {
    let mut text = String::from("const LIMIT = Number(process.env.LIMIT ?? 10);\n\n");
    for at in 0..10 + random.below(20) {
        let (word, other) = (random.word(), random.word());
        let _ = write!(
            text,
            "/** Works out the {word} of a {other}. */\nexport function {word}{at}({other}: {{ {word}?: number; list: number[] }}) {{\n\
             \x20 const total = {other}.list.reduce((sum, item) => sum + item, 0);\n\
             \x20 if (total > LIMIT || !{other}.{word}) return null;\n  return total / {other}.{word};\n}}\n\n"
        );
    }
    let pieces = 4 + random.below(6);
    text += &filler(&Filler::Types, pieces, random);
    text + &format!("export const format{number} = (value: string) => value.toUpperCase().slice(0, LIMIT);\n")
}

fn route(number: usize, random: &mut Random) -> String {
    let mut text = String::from(
        "import { NextResponse } from \"next/server\";\nimport Stripe from \"stripe\";\nimport OpenAI from \"openai\";\n\
         import { format14 } from \"@/lib/thing14\";\n\n\
         const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);\nconst openai = new OpenAI();\n\n\
         export async function POST(request: Request) {\n  const body = await request.json();\n\
         \x20 if (!body.email) return NextResponse.json({ error: \"email is missing\" }, { status: 400 });\n  try {\n",
    );
    for at in 0..4 + random.below(12) {
        let word = random.word();
        let _ = write!(
            text,
            "    const {word}{at} = body.{word} ?? (await openai.chat.completions.create({{\n      model: \"small\",\n\
             \x20     messages: [{{ role: \"user\", content: `Tell of ${{format14(body.{word})}} {number}` }}],\n    }}));\n"
        );
    }
    let pieces = 3 + random.below(3);
    text.insert_str(0, &filler(&Filler::Types, pieces, random));
    text + "    const session = await stripe.checkout.sessions.create({\n      mode: \"payment\",\n\
            \x20     line_items: [{ price: body.price, quantity: 1 }],\n      success_url: `${process.env.SITE_URL}/done`,\n    });\n\
            \x20   return NextResponse.json({ url: session.url });\n  } catch (error) {\n    console.error(error);\n\
            \x20   return NextResponse.json({ error: \"failed\" }, { status: 500 });\n  }\n}\n"
}

fn edge(number: usize, random: &mut Random) -> String {
    let mut text = String::from(
        "import { serve } from \"https://deno.land/std@0.190.0/http/server.ts\";\n\
         import { createClient } from \"https://esm.sh/@supabase/supabase-js@2\";\n\
         import { Resend } from \"npm:resend@2.0.0\";\n\nconst resend = new Resend(Deno.env.get(\"RESEND_API_KEY\"));\n\
         const corsHeaders = { \"Access-Control-Allow-Origin\": \"*\" };\n\nserve(async (req) => {\n\
         \x20 if (req.method === \"OPTIONS\") return new Response(null, { headers: corsHeaders });\n\
         \x20 const supabase = createClient(Deno.env.get(\"SUPABASE_URL\")!, Deno.env.get(\"SUPABASE_SERVICE_ROLE_KEY\")!);\n\
         \x20 const { email, name } = await req.json();\n",
    );
    for at in 0..4 + random.below(10) {
        let word = random.word();
        let _ = write!(
            text,
            "  const {{ data: {word}{at}, error: error{at} }} = await supabase.from(\"{word}s\").select(\"*\").eq(\"name\", name).limit({at}1);\n\
             \x20 if (error{at}) throw error{at};\n  for (const row of {word}{at} ?? []) console.log(row.{word});\n"
        );
    }
    let pieces = 3 + random.below(4);
    text.insert_str(0, &filler(&Filler::Types, pieces, random));
    text + &format!(
        "  await resend.emails.send({{ from: \"a@b.test\", to: email, subject: `Job {number}`, html: `<p>${{name}}</p>` }});\n\
         \x20 return new Response(JSON.stringify({{ ok: true }}), {{ headers: corsHeaders }});\n}});\n"
    )
}

fn view(number: usize, random: &mut Random) -> String {
    let mut text = String::from(
        "import os\nimport requests\nfrom flask import Blueprint, jsonify, request\n\nbp = Blueprint(\"views\", __name__)\nAPI = os.environ.get(\"API_URL\", \"https://api.shop.test\")\n\n\n",
    );
    for at in 0..5 + random.below(8) {
        let (word, other) = (random.word(), random.word());
        let _ = write!(
            text,
            "@bp.route(\"/{word}/{number}/{at}\", methods=[\"POST\"])\ndef {word}_{at}():\n    \"\"\"Makes a {word}.\"\"\"\n\
             \x20   body = request.get_json()\n    if not body.get(\"{other}\"):\n        return jsonify({{\"error\": \"{other} is missing\"}}), 400\n\
             \x20   try:\n        answer = requests.post(f\"{{API}}/{word}s\", json={{\"{other}\": body[\"{other}\"]}})\n\
             \x20       answer.raise_for_status()\n    except requests.RequestException as error:\n        return jsonify({{\"error\": str(error)}}), 502\n\
             \x20   return jsonify(answer.json())\n\n\n"
        );
        text += &filler(&Filler::Comments, 3, random);
    }
    text
}
