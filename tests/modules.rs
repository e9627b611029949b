//! Where imports lead: each table row is a file, what it imports, and the target.

use std::collections::BTreeMap;

use seamcheck::extract::build::Builder;
use seamcheck::facts::{BlockId, Expr, ExprId, ExprKind, Facts, Import, ImportId, ImportKind, Language, Span};
use seamcheck::finding::FileId;
use seamcheck::link::modules::{Modules, resolve};
use seamcheck::names::Name;
use seamcheck::program::Target;

/// A repository in a few lines: empty files, manifests with their text, configuration files with aliases.
#[derive(Default)]
struct Repository {
    files: BTreeMap<String, Vec<(String, Vec<Name>)>>,
    texts: BTreeMap<String, String>,
    others: Vec<String>,
    aliases: BTreeMap<String, Vec<(String, Vec<String>)>>,
}

impl Repository {
    fn new(files: &[&str]) -> Self {
        let mut repository = Self::default();
        for file in files {
            repository.files.entry((*file).to_owned()).or_default();
        }
        repository
    }

    /// A manifest; it is no program file.
    fn text(mut self, path: &str, text: &str) -> Self {
        self.texts.insert(path.to_owned(), text.to_owned());
        self
    }

    fn other(mut self, path: &str) -> Self {
        self.others.push(path.to_owned());
        self
    }

    /// A configuration file that says `alias: { name: resolve(...texts) }`.
    fn alias(mut self, path: &str, name: &str, texts: &[&str]) -> Self {
        self.files.entry(path.to_owned()).or_default();
        let texts = texts.iter().map(ToString::to_string).collect();
        self.aliases.entry(path.to_owned()).or_default().push((name.to_owned(), texts));
        self
    }

    fn import(&mut self, importer: &str, specifier: &str, names: &[&str]) -> ImportId {
        let imports = self.files.entry(importer.to_owned()).or_default();
        imports.push((specifier.to_owned(), names.iter().map(|name| Name::new(name)).collect()));
        ImportId(imports.len() as u32 - 1)
    }

    fn id(&self, path: &str) -> FileId {
        FileId(self.files.keys().position(|file| file == path).unwrap_or_else(|| panic!("no file {path}")) as u32)
    }

    fn path(&self, id: FileId) -> &str {
        self.files.keys().nth(id.index()).expect("a file")
    }

    fn resolve(&self) -> Modules {
        let paths: Vec<Name> = self.files.keys().map(|path| Name::new(path)).collect();
        let facts: Vec<Option<Facts>> = self.files.keys().map(|path| self.facts(path)).collect();
        let others: Vec<Name> = self.others.iter().chain(self.texts.keys()).map(|path| Name::new(path)).collect();
        resolve(&paths, &facts, &others, &|path| self.texts.get(path).cloned())
    }

    fn facts(&self, path: &str) -> Option<Facts> {
        let language = match path.rsplit('.').next() {
            Some("py") => Language::Python,
            Some("json" | "css" | "svg" | "png") => return None,
            _ => Language::Tsx,
        };
        let mut builder = Builder::new(language, "");
        for (specifier, names) in &self.files[path] {
            builder.import(Import {
                specifier: Name::new(specifier),
                kind: ImportKind::Static,
                span: Span::default(),
                block: BlockId(0),
                names: names.clone(),
            });
        }
        let entries: Vec<(Name, ExprId)> = self
            .aliases
            .get(path)
            .into_iter()
            .flatten()
            .map(|(name, texts)| {
                let callee = builder.reference(Span::default(), "resolve");
                let texts = texts.iter().map(|text| builder.text(Span::default(), text));
                let args = texts.map(|value| seamcheck::facts::Arg { name: None, value }).collect::<Vec<_>>();
                (Name::new(name), builder.call(Span::default(), callee, args, false, false))
            })
            .collect();
        let aliases = builder.expr(Span::default(), ExprKind::Object(entries.into()));
        let whole = ExprKind::Object(Box::new([(Name::new("alias"), aliases)]));
        builder.facts().exprs.push(Expr { span: Span::default(), kind: whole });
        Some(builder.finish())
    }

    /// Asserts every row `(importer, specifier, target)`, all resolved in one program.
    #[track_caller]
    fn check(mut self, rows: &[(&str, &str, &str)]) {
        let imports: Vec<_> =
            rows.iter().map(|(importer, specifier, _)| self.import(importer, specifier, &[])).collect();
        let modules = self.resolve();
        let said: Vec<_> = rows
            .iter()
            .zip(imports)
            .map(|(&(importer, specifier, _), import)| {
                (importer, specifier, self.say(modules.target(self.id(importer), import)))
            })
            .collect();
        let said: Vec<_> =
            said.iter().map(|(importer, specifier, target)| (*importer, *specifier, &**target)).collect();
        assert_eq!(said, rows);
    }

    /// A target in one word: a path, `npm:name@version path`, `asset`, `folder`, `missing`.
    fn say(&self, target: &Target) -> String {
        match target {
            Target::File(file) => self.path(*file).to_owned(),
            Target::Package { name, path, version } => {
                let version = version.map(|version| format!("@{version}")).unwrap_or_default();
                let path: Vec<_> = path.iter().map(|part| part.as_str()).collect();
                format!("{name}{version} {}", path.join(" ")).trim_end().to_owned()
            }
            Target::Folder => "folder".to_owned(),
            Target::Asset => "asset".to_owned(),
            Target::Missing => "missing".to_owned(),
        }
    }
}

#[test]
fn relative_imports_find_files_as_bundlers_do() {
    Repository::new(&[
        "src/a.ts",
        "src/b.tsx",
        "src/c.js",
        "src/d.d.ts",
        "src/e.mts",
        "src/ui/index.tsx",
        "src/ui/button.tsx",
        "src/both.ts",
        "src/both/index.ts",
        "src/data.json",
        "src/App.vue",
        "src/page.web.tsx",
        "src/[id]/page.tsx",
        "kit/lib/start.ts",
    ])
    .text("kit/package.json", r#"{"main": "lib/start.js"}"#)
    .other("src/logo.svg")
    .check(&[
        ("src/a.ts", "./b", "src/b.tsx"),
        ("src/a.ts", "./b.js", "src/b.tsx"),
        ("src/a.ts", "./b.jsx", "src/b.tsx"),
        ("src/a.ts", "./b.tsx", "src/b.tsx"),
        ("src/a.ts", "./c", "src/c.js"),
        ("src/a.ts", "./d", "src/d.d.ts"),
        ("src/a.ts", "./e.mjs", "src/e.mts"),
        ("src/a.ts", "./ui", "src/ui/index.tsx"),
        ("src/a.ts", "./ui/", "src/ui/index.tsx"),
        ("src/a.ts", "./both", "src/both.ts"),
        ("src/a.ts", "./both/", "src/both/index.ts"),
        ("src/ui/button.tsx", ".", "src/ui/index.tsx"),
        ("src/ui/button.tsx", "..", "missing"),
        ("src/ui/button.tsx", "../a", "src/a.ts"),
        ("src/a.ts", "./data.json", "asset"),
        ("src/a.ts", "./logo.svg", "asset"),
        ("src/a.ts", "./logo.svg?react", "asset"),
        ("src/a.ts", "./b?worker", "src/b.tsx"),
        ("src/a.ts", "./b.tsx?raw", "asset"),
        ("src/a.ts", "raw-loader!./b.tsx", "src/b.tsx"),
        ("src/a.ts", "./App.vue", "src/App.vue"),
        ("src/a.ts", "./page", "src/page.web.tsx"),
        ("src/a.ts", "./[id]/page", "src/[id]/page.tsx"),
        ("src/a.ts", "../kit", "kit/lib/start.ts"),
        ("src/a.ts", "./gone", "missing"),
        ("src/a.ts", "../../outside", "missing"),
        ("src/a.ts", "./$types", "npm:$types"),
        ("src/a.ts", "/src/c.js", "src/c.js"),
    ]);
}

#[test]
fn packages_and_builtins() {
    Repository::new(&["a.ts", "constants/routes.ts"]).check(&[
        ("a.ts", "left", "npm:left"),
        ("a.ts", "left/lib/x", "npm:left lib/x"),
        ("a.ts", "@scope/left", "npm:@scope/left"),
        ("a.ts", "@scope/left/x/y.js", "npm:@scope/left x/y.js"),
        ("a.ts", "crypto", "node:crypto"),
        ("a.ts", "node:crypto", "node:crypto"),
        ("a.ts", "fs/promises", "node:fs promises"),
        ("a.ts", "node:test", "node:test"),
        ("a.ts", "constants/routes", "constants/routes.ts"),
        ("a.ts", "events/", "npm:events"),
        ("a.ts", "$app/stores", "npm:$app stores"),
        ("a.ts", "#imports", "npm:#imports"),
        ("a.ts", "virtual:pwa-register/react", "npm:virtual:pwa-register react"),
        ("a.ts", "astro:content", "npm:astro:content"),
        ("a.ts", "bun:sqlite", "npm:bun:sqlite"),
        ("a.ts", "../node_modules/@scope/left/dist/x.js", "npm:@scope/left dist/x.js"),
        ("a.ts", "file:///home/someone/x.js", "missing"),
    ]);
}

#[test]
fn urls_name_the_package_they_serve() {
    Repository::new(&["f/index.ts"]).check(&[
        ("f/index.ts", "npm:left@14.21.0", "npm:left@14.21.0"),
        ("f/index.ts", "npm:left@^14/lib/x", "npm:left@14 lib/x"),
        ("f/index.ts", "npm:/left", "npm:left"),
        ("f/index.ts", "npm:@scope/left@2", "npm:@scope/left@2"),
        ("f/index.ts", "jsr:@scope/left@2", "npm:@scope/left@2"),
        ("f/index.ts", "jsr:@scope/left@2/x.d.ts", "npm:@scope/left@2 x.d.ts"),
        ("f/index.ts", "https://esm.sh/left@14.21.0?target=deno", "npm:left@14.21.0"),
        ("f/index.ts", "https://esm.sh/left@14.21.0&deps=x@1?target=deno", "npm:left@14.21.0"),
        ("f/index.ts", "https://esm.sh/v135/@scope/left@2", "npm:@scope/left@2"),
        ("f/index.ts", "https://esm.sh/*left", "npm:left"),
        ("f/index.ts", "https://esm.sh/stable/left@1.0.0/es2022/left.mjs", "npm:left@1.0.0 es2022/left.mjs"),
        ("f/index.ts", "https://esm.sh/jsr/@std/left", "npm:@std/left"),
        ("f/index.ts", "https://esm.sh/gh/someone/left", "url:esm.sh/gh/someone/left"),
        ("f/index.ts", "https://cdn.skypack.dev/left", "npm:left"),
        (
            "f/index.ts",
            "https://cdn.skypack.dev/-/left@v1.2.3-AAAAbbbbCCCCdddd1111/dist=es2020,mode=imports/optimized/left.js",
            "npm:left@1.2.3 dist=es2020,mode=imports/optimized/left.js",
        ),
        ("f/index.ts", "https://cdn.jsdelivr.net/npm/left@1/+esm", "npm:left@1"),
        ("f/index.ts", "https://cdn.jsdelivr.net/npm/@scope/left@1.2/dist/x.js", "npm:@scope/left@1.2 dist/x.js"),
        ("f/index.ts", "https://cdn.jsdelivr.net/gh/a/b", "url:cdn.jsdelivr.net/gh/a/b"),
        ("f/index.ts", "https://unpkg.com/left", "npm:left"),
        ("f/index.ts", "https://ga.jspm.io/npm:left@1.0.0/index.js", "npm:left@1.0.0 index.js"),
        ("f/index.ts", "https://deno.land/x/left@v1.4.0/mod.ts", "url:deno.land/x/left@1.4.0"),
        ("f/index.ts", "https://deno.land/std@0.168.0/http/server.ts", "url:deno.land/std@0.168.0 http/server.ts"),
        ("f/index.ts", "https://deno.land/std@0.177.0/node/crypto.ts", "node:crypto@0.177.0"),
        ("f/index.ts", "https://js.example.com/v3/", "url:js.example.com/v3"),
        ("f/index.ts", "//js.example.com/v3?x=1", "url:js.example.com/v3"),
    ]);
}

#[test]
fn the_nearest_tsconfig_decides() {
    Repository::new(&[
        "src/main.tsx",
        "src/lib/api.ts",
        "old/src/main.tsx",
        "old/app/lib/api.ts",
        "functions/hello/index.ts",
        "index.d.ts",
    ])
    .text("tsconfig.json", r#"{"compilerOptions": {"baseUrl": ".", "paths": {"@/*": ["./src/*"]}}}"#)
    .text("old/tsconfig.json", "{ // comments,\n\"compilerOptions\": {\"paths\": {\"@/*\": [\"./app/*\",]}},\n}")
    .check(&[
        ("src/main.tsx", "@/lib/api", "src/lib/api.ts"),
        ("src/main.tsx", "@/lib/api.js", "src/lib/api.ts"),
        ("src/main.tsx", "src/lib/api", "src/lib/api.ts"),
        ("src/main.tsx", "@/lib/gone", "missing"),
        ("src/main.tsx", "react", "npm:react"),
        ("old/src/main.tsx", "@/lib/api", "old/app/lib/api.ts"),
        ("old/src/main.tsx", "@/lib/gone", "missing"),
        ("functions/hello/index.ts", "@/lib/api", "src/lib/api.ts"),
    ]);
}

#[test]
fn project_references_and_extends() {
    let references =
        r#"{"files": [], "references": [{"path": "./tsconfig.app.json"}, {"path": "./tsconfig.node.json"}]}"#;
    Repository::new(&["src/main.tsx", "src/lib/api.ts", "vite.config.ts"])
        .text("tsconfig.json", references)
        .text("tsconfig.app.json", r#"{"extends": "./config/base", "include": ["src"]}"#)
        .text("config/base.json", r#"{"compilerOptions": {"paths": {"@/*": ["../src/*"]}}}"#)
        .text("tsconfig.node.json", r#"{"include": ["vite.config.ts"]}"#)
        .check(&[("src/main.tsx", "@/lib/api", "src/lib/api.ts"), ("vite.config.ts", "@/lib/api", "src/lib/api.ts")]);
}

#[test]
fn a_broken_or_absent_base_costs_no_aliases() {
    let config = r#"{"extends": ["expo/tsconfig.base", "./.gen/tsconfig.json"], "references": [{"path": "./gone"}],
        "compilerOptions": {"strict": "yes", "paths": {"~lib/*": ["./source/*"], "bad": 3}}}"#;
    Repository::new(&["app/a.ts", "source/b.ts", "web/a.ts", "web/source/b.ts"])
        .text("tsconfig.json", config)
        .text("package.json", "{ not json")
        .text("web/tsconfig.json", "{{{")
        .check(&[
            ("app/a.ts", "~lib/b", "source/b.ts"),
            ("app/a.ts", "../source/b", "source/b.ts"),
            ("web/a.ts", "~lib/b", "source/b.ts"),
        ]);
}

#[test]
fn bundlers_declare_aliases() {
    Repository::new(&["client/source/main.tsx", "client/source/api.ts", "shared/schema.ts", "vite.config.ts"])
        .alias("vite.config.ts", "@", &["client", "source"])
        .alias("vite.config.ts", "@shared", &["shared"])
        .alias("vite.config.ts", "@assets", &["attached_assets"])
        .other("attached_assets/logo.png")
        .check(&[
            ("client/source/main.tsx", "@/api", "client/source/api.ts"),
            ("client/source/main.tsx", "@shared/schema", "shared/schema.ts"),
            ("client/source/main.tsx", "@assets/logo.png", "asset"),
            ("client/source/main.tsx", "@assets/gone.png", "missing"),
            ("client/source/main.tsx", "@sharedx/schema", "npm:@sharedx/schema"),
        ]);
}

#[test]
fn undeclared_aliases_are_guessed_where_the_file_is_there() {
    Repository::new(&[
        "client/src/pages/home.tsx",
        "client/src/lib/api.ts",
        "client/src/pages/lib/api.ts",
        "server/index.ts",
        "shared/schema.ts",
        "kit/src/routes/page.ts",
        "kit/src/lib/db.ts",
    ])
    .text("package.json", r#"{"dependencies": {"@declared/schema": "1", "lib": "1"}}"#)
    .text("kit/package.json", "{}")
    .check(&[
        ("client/src/pages/home.tsx", "@/lib/api", "client/src/lib/api.ts"),
        ("client/src/pages/home.tsx", "~/lib/api", "client/src/lib/api.ts"),
        ("client/src/pages/home.tsx", "@/lib/gone", "missing"),
        ("server/index.ts", "@shared/schema", "shared/schema.ts"),
        ("server/index.ts", "#shared/schema", "shared/schema.ts"),
        ("server/index.ts", "shared/schema", "shared/schema.ts"),
        ("server/index.ts", "@declared/schema", "npm:@declared/schema"),
        ("server/index.ts", "lib/api", "npm:lib api"),
        ("server/index.ts", "@other/schema", "npm:@other/schema"),
        ("kit/src/routes/page.ts", "$lib/db", "kit/src/lib/db.ts"),
        ("kit/src/routes/page.ts", "@/gone", "missing"),
        ("kit/src/routes/page.ts", "@shared/schema", "npm:@shared/schema"),
    ]);
}

#[test]
fn workspaces_and_package_imports() {
    Repository::new(&[
        "apps/web/a.ts",
        "apps/web/config/x.ts",
        "packages/ui/src/index.ts",
        "packages/ui/src/button.tsx",
        "packages/db/index.ts",
        "packages/db/client.ts",
        "packages/tools/src/main.ts",
        "loose/src/index.ts",
        "mocks/left/index.ts",
    ])
    .text("pnpm-workspace.yaml", "packages:\n  # all\n  - \"apps/*\"\n  - packages/*\n\ncatalog:\n  - loose\n")
    .text(
        "apps/web/package.json",
        r##"{"imports": {"#config/*": "./config/*.ts"}, "dependencies": {"loose": "file:../../loose"}}"##,
    )
    .text(
        "packages/ui/package.json",
        r#"{"name": "@repo/ui", "exports": {".": "./dist/index.js", "./*": "./dist/*.js"}}"#,
    )
    .text("packages/db/package.json", r#"{"name": "@repo/db", "exports": {".": "./index.ts", "./c": "./client.ts"}}"#)
    .text("packages/tools/package.json", r#"{"name": "@repo/tools", "main": "./dist/main.js"}"#)
    .text("loose/package.json", r#"{"name": "loose"}"#)
    .text("mocks/left/package.json", r#"{"name": "left"}"#)
    .check(&[
        ("apps/web/a.ts", "@repo/ui", "packages/ui/src/index.ts"),
        ("apps/web/a.ts", "@repo/ui/button", "packages/ui/src/button.tsx"),
        ("apps/web/a.ts", "@repo/db", "packages/db/index.ts"),
        ("apps/web/a.ts", "@repo/db/c", "packages/db/client.ts"),
        ("apps/web/a.ts", "@repo/tools", "packages/tools/src/main.ts"),
        ("apps/web/a.ts", "@repo/ui/gone", "missing"),
        ("apps/web/a.ts", "loose", "loose/src/index.ts"),
        ("apps/web/a.ts", "left", "npm:left"),
        ("apps/web/a.ts", "#config/x", "apps/web/config/x.ts"),
    ]);
}

#[test]
fn import_maps() {
    Repository::new(&["fns/pay/index.ts", "fns/mail/index.ts", "fns/_shared/cors.ts", "src/main.ts"])
        .text("fns/import_map.json", r#"{"imports": {"left": "https://esm.sh/left@14.21.0", "shared/": "./_shared/"}}"#)
        .text("fns/mail/deno.jsonc", "{ // own\n \"imports\": {\"left\": \"npm:left@15\", \"@std/\": \"jsr:@std/\"} }")
        .check(&[
            ("fns/pay/index.ts", "left", "npm:left@14.21.0"),
            ("fns/pay/index.ts", "shared/cors.ts", "fns/_shared/cors.ts"),
            ("fns/pay/index.ts", "shared/gone.ts", "missing"),
            ("fns/mail/index.ts", "left", "npm:left@15"),
            ("fns/mail/index.ts", "left/lib/x", "npm:left@15 lib/x"),
            ("fns/mail/index.ts", "@std/http", "npm:@std/http"),
            ("fns/mail/index.ts", "shared/cors.ts", "fns/_shared/cors.ts"),
            ("src/main.ts", "left", "npm:left"),
        ]);
}

#[test]
fn python_modules() {
    Repository::new(&[
        "backend/main.py",
        "backend/requests_helper.py",
        "backend/app/__init__.py",
        "backend/app/api.py",
        "backend/app/core/config.py",
        "backend/services/mailer.py",
        "backend/services/left.py",
        "backend/services/types.py",
        "src/pkg/__init__.py",
        "src/pkg/a.py",
        "scripts/one.py",
        "scripts/two.py",
        "tests/test_app.py",
        "right.py",
        "top.py",
    ])
    .text("backend/requirements.txt", "fastapi==0.1\nleft>=2 # pinned\n")
    .check(&[
        ("backend/main.py", "app", "backend/app/__init__.py"),
        ("backend/main.py", "app.api", "backend/app/api.py"),
        ("backend/main.py", "app.core", "folder"),
        ("backend/main.py", "app.core.config", "backend/app/core/config.py"),
        ("backend/main.py", "app.gone", "missing"),
        ("backend/main.py", "services", "folder"),
        ("backend/main.py", "services.mailer", "backend/services/mailer.py"),
        ("backend/app/api.py", "services.mailer", "backend/services/mailer.py"),
        ("backend/app/api.py", "backend.services.mailer", "backend/services/mailer.py"),
        ("backend/app/api.py", ".core.config", "backend/app/core/config.py"),
        ("backend/app/api.py", ".", "backend/app/__init__.py"),
        ("backend/app/__init__.py", ".api", "backend/app/api.py"),
        ("backend/app/__init__.py", ".", "backend/app/__init__.py"),
        ("backend/app/core/config.py", "..api", "backend/app/api.py"),
        ("backend/app/core/config.py", "....x", "missing"),
        ("backend/app/core/config.py", ".gone", "missing"),
        ("backend/services/mailer.py", "left", "pypi:left"),
        ("backend/services/left.py", "left", "pypi:left"),
        ("backend/services/mailer.py", "types", "py:types"),
        ("src/pkg/a.py", "pkg", "src/pkg/__init__.py"),
        ("tests/test_app.py", "app.api", "backend/app/api.py"),
        ("tests/test_app.py", "pkg.a", "src/pkg/a.py"),
        ("scripts/one.py", "two", "scripts/two.py"),
        ("top.py", "right", "right.py"),
        ("right.py", "right", "pypi:right"),
        ("top.py", "hmac", "py:hmac"),
        ("top.py", "os.path", "py:os path"),
        ("top.py", "google.cloud.storage", "pypi:google cloud storage"),
    ]);
}

#[test]
fn names_of_packages_are_modules() {
    let mut repository =
        Repository::new(&["main.py", "services/mailer.py", "lib/__init__.py", "lib/db.py", "lib/x/__init__.py"]);
    let services = repository.import("main.py", "services", &["mailer"]);
    let lib = repository.import("main.py", "lib", &["db", "connect"]);
    let dot = repository.import("lib/db.py", ".", &["x"]);
    let modules = repository.resolve();
    let (main, mailer, db) =
        (repository.id("main.py"), repository.id("services/mailer.py"), repository.id("lib/db.py"));
    let (package, x) = (repository.id("lib/__init__.py"), repository.id("lib/x/__init__.py"));
    assert_eq!(modules.submodule(main, services, "mailer".into()), Some(mailer));
    assert_eq!(modules.submodule(main, services, "gone".into()), None);
    assert_eq!(modules.submodule(main, lib, "db".into()), Some(db));
    assert_eq!(modules.submodule(main, lib, "connect".into()), None);
    assert_eq!(modules.submodule(db, dot, "x".into()), Some(x));
    assert_eq!(modules.child(package, "db".into()), Some(db));
    assert_eq!(modules.child(main, "db".into()), None);
    assert_eq!(modules.importers(mailer), [(main, services)]);
    assert_eq!(modules.importers(package), [(db, dot), (main, lib)]);
    assert_eq!(modules.importers(db), [(main, lib)]);
}

#[test]
fn installed_packages_come_before_folders_of_their_name() {
    let files = &["main.py", "left/functions/pay/tool.py", "right/x/tool.py", "own/tool.py", "own/deep/tool.py"];
    let mut repository = Repository::new(files).text("requirements-dev.txt", "# tools\nother\n").text(
        "pyproject.toml",
        "[project]\nname = 'own'\ndependencies = [\"Right[extra]>=1\"]\n[tool.isort]\nfirst = ['own']",
    );
    let imports = [
        ("left", vec!["create_client"], "pypi:left"),
        ("left", vec!["*"], "pypi:left"),
        ("left.functions.pay", vec!["tool"], "folder"),
        ("right.x", vec!["tool"], "pypi:right x"),
        ("own", vec!["*"], "folder"),
        ("own", vec!["deep"], "folder"),
        ("own", vec!["gone"], "pypi:own"),
    ];
    let ids: Vec<_> = imports.iter().map(|(from, names, _)| repository.import("main.py", from, names)).collect();
    let (modules, main) = (repository.resolve(), repository.id("main.py"));
    for (id, (from, names, target)) in ids.into_iter().zip(imports) {
        assert_eq!(repository.say(modules.target(main, id)), target, "from {from} import {names:?}");
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let names: Vec<String> = (0..200).map(|n| format!("src/part{n:03}/index.ts")).collect();
    let mut repository = Repository::new(&names.iter().map(String::as_str).collect::<Vec<_>>())
        .text("tsconfig.json", r#"{"compilerOptions": {"baseUrl": ".", "paths": {"@/*": ["src/*"]}}}"#);
    for (n, name) in names.iter().enumerate() {
        for specifier in [
            format!("@/part{:03}", n / 2),
            format!("../part{:03}", n + 7),
            "left".to_owned(),
            format!("src/part{n:03}"),
        ] {
            repository.import(name, &specifier, &[]);
        }
    }
    let said = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let modules = pool.install(|| repository.resolve());
        let files = (0..names.len() as u32).map(FileId);
        let targets = files.map(|file| {
            let targets: Vec<_> = (0..4).map(|import| repository.say(modules.target(file, ImportId(import)))).collect();
            (targets, modules.importers(file).to_vec())
        });
        targets.collect::<Vec<_>>()
    };
    assert_eq!(said(1), said(8));
    assert_eq!(said(1)[150].0, ["src/part075/index.ts", "src/part157/index.ts", "npm:left", "src/part150/index.ts"]);
}
