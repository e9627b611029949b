//! The linked program: the questions a rule may ask.

use std::sync::{Arc, OnceLock};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::catalogue::{Catalogue, VendorId};
use crate::facts::{CallId, ClassId, DefId, ExprId, Facts, FunctionId, Token};
use crate::finding::{FileId, Place};
use crate::link::entries::KnownRoute;
use crate::link::eval::{Contexts, Eval, Memo};
use crate::link::jumps::Jumps;
use crate::link::modules::Modules;
use crate::link::projects::Projects;
use crate::link::sides::units::Units;
use crate::manifest::Manifests;
use crate::names::Name;

pub mod added;
pub mod apps;
pub mod by_file;
pub mod callers;
pub mod data;
pub mod failures;
pub mod graph;
pub mod hints;
pub mod idioms;
pub mod keys;
pub mod money;
pub mod never;
pub mod origins;
pub mod outbound;
pub mod own_domains;
pub mod page_scripts;
pub mod paths;
pub mod repeats;
pub mod secrets;
pub mod sign_in;
pub mod switches;
pub mod terms;
pub mod time;
pub mod uncalled;
pub mod value;
pub mod values;
pub mod verify;
pub mod versions;
pub mod webhooks;

pub use graph::{Edge, EdgeKind};
pub use outbound::{Destination, HttpUse, Leaves, VendorUse, Via};
pub use value::{External, Value};

/// A file of the program.
#[derive(Debug)]
pub struct File {
    /// Path from the repository's root, with forward slashes.
    pub path: Name,
    /// What it says; none when it is no code.
    pub facts: Option<Facts>,
}

macro_rules! refs {
    ($($(#[$doc:meta])* $name:ident, $field:ident: $id:ty);* $(;)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name {
            /// The file.
            pub file: FileId,
            /// What in it.
            pub $field: $id,
        }
        impl $name {
            /// Names it.
            pub fn new(file: FileId, $field: $id) -> Self { Self { file, $field } }
        }
    )*};
}

refs! {
    /// A function of the program.
    FunctionRef, function: FunctionId;
    /// A call of the program.
    CallRef, call: CallId;
    /// An expression of the program.
    ExprRef, expr: ExprId;
    /// A class of the program.
    ClassRef, class: ClassId;
    /// A definition of the program.
    DefRef, def: DefId;
}

/// Where an import leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file of the repository.
    File(FileId),
    /// A package: `npm:stripe`, `npm:@scope/name`, `node:crypto`, `pypi:stripe` (the top-level import name),
    /// `py:hmac` (standard library). URL imports (`https://esm.sh/stripe@14`) and `jsr:` come out as the npm
    /// package they serve, other URLs as `url:HOST/PATH`.
    Package {
        /// Its name.
        name: Name,
        /// The rest: JavaScript `lib/x` as one segment, Python's dotted rest as one segment a part.
        path: Box<[Name]>,
        /// The version a URL or `npm:` specifier names.
        version: Option<Name>,
    },
    /// A folder of Python modules without `__init__.py`: only its modules can be taken from it, see
    /// [`crate::link::modules::Modules::submodule`].
    Folder,
    /// A file of the repository that is no code: an image, a style sheet, JSON.
    Asset,
    /// A relative or aliased specifier that leads to nothing in the repository.
    Missing,
}

/// Where code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Side {
    /// It can reach the browser bundle.
    pub client: bool,
    /// It runs on a server.
    pub server: bool,
    /// Tests, scripts, configuration, stories, seeds.
    pub tooling: bool,
    /// Nothing that is deployed imports it and no framework loads it.
    pub dead: bool,
}

/// What kind of thing starts an entry point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntryKind {
    /// An HTTP route of the app's server.
    Route,
    /// An edge / serverless function with its own URL (`/functions/v1/NAME`).
    EdgeFunction,
    /// A server action.
    ServerAction,
    /// An RPC procedure.
    Procedure,
    /// A hook that a vendor's library calls: auth callbacks and events.
    Hook,
    /// A scheduled job.
    Job,
    /// A queue worker, a durable function.
    Worker,
    /// A page or layout rendered on the server, a loader.
    Page,
    /// A browser event handler or form.
    Event,
    /// A browser effect that runs on mount.
    Effect,
    /// Middleware that covers routes.
    Middleware,
    /// A script run by hand.
    Script,
    /// What runs when the module is loaded by a server.
    Load,
}

/// What something outside starts.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What starts it.
    pub kind: EntryKind,
    /// What runs.
    pub function: FunctionRef,
    /// HTTP methods in upper case; empty for any.
    pub methods: Vec<Name>,
    /// The route with `:name` for a parameter and `*` for a rest: `/api/users/:id`.
    pub route: Option<Name>,
    /// The function's, action's, procedure's or job's name: `send-welcome-email`, `user.create`.
    pub name: Option<Name>,
    /// What runs before it on the way in (router and route middleware, decorators, `Depends`), outermost first.
    pub middleware: Vec<Gate>,
    /// Where it is registered.
    pub place: Place,
    /// The framework: `next-app`, `express`, `flask`, `supabase-functions`.
    pub framework: &'static str,
}

/// Something in front of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// A function of the program.
    Function(FunctionRef),
    /// An expression that is no function of the program: a library's middleware or decorator.
    Library(ExprRef),
    /// Something that could not be resolved.
    Unknown,
}

/// The linked program.
pub struct Program {
    /// Every walked file, sorted by path.
    pub files: Vec<File>,
    /// What is known of vendors and libraries.
    pub catalogue: Arc<Catalogue>,
    /// Where imports lead.
    pub modules: Modules,
    /// What the manifests say, environment files among them.
    pub manifests: Arc<Manifests>,
    /// Where each file runs.
    pub sides: Vec<Side>,
    /// What something outside starts, sorted by place.
    pub entries: Vec<Entry>,
    /// Routes that exist though no function of the program serves them.
    pub known_routes: Vec<KnownRoute>,
    /// The day that rules judge by: `YYYY-MM-DD`.
    pub as_of: Name,
    /// The projects of the repository: folders with a manifest.
    pub projects: Projects,
    pub(crate) brought: Vec<Option<Option<(FileId, Place)>>>,
    pub(crate) units: Units,
    pub(crate) jumps: Jumps,
    pub(crate) apps: apps::Apps,
    pub(crate) untracked: FxHashSet<FileId>,
    /// Whether each file is a test or its like, by its path.
    pub(crate) tests: Vec<bool>,
    pub(crate) bundling: OnceLock<secrets::bundling::Bundling>,
    pub(crate) key_uses: OnceLock<Vec<secrets::credentials::KeyUse>>,
    pub(crate) flask_settings: OnceLock<FxHashMap<Name, Vec<ExprRef>>>,
    pub(crate) env_defaults: OnceLock<secrets::defaults::EnvDefaults>,
    pub(crate) own_domains: OnceLock<FxHashSet<String>>,
    pub(crate) around: Vec<terms::Around>,
    pub(crate) memos: Vec<Memo>,
    pub(crate) contexts: Contexts,
    pub(crate) graph: graph::Graph,
    pub(crate) assigned: values::assigned::Assigned,
    pub(crate) incoming: std::sync::OnceLock<origins::Incoming>,
    pub(crate) timers: std::sync::OnceLock<time::timing::timers::Timers>,
    pub(crate) outbound: outbound::Outbound,
    /// The files without code that hold credentials, in order.
    pub(crate) written: Vec<Written>,
    /// Variables, and the files that tell whoever deploys of them.
    pub(crate) mentioned: FxHashMap<Name, Vec<FileId>>,
    pub(crate) database: crate::sql::Database,
    /// The vendors that notes and documentation name, and where.
    pub(crate) documented: FxHashMap<VendorId, Vec<FileId>>,
    /// The calls that core paths exist for, in order.
    pub(crate) core_calls: Vec<money::core_paths::CoreCall>,
    /// Who starts what, for core paths.
    pub(crate) starters: OnceLock<money::core_paths::Callers>,
    pub(crate) retries: OnceLock<Vec<repeats::retries::Retry>>,
    pub(crate) iterations: OnceLock<Vec<time::iterations::Iteration>>,
    pub(crate) schedules: OnceLock<Vec<time::schedules::Schedule>>,
    pub(crate) table_uses: OnceLock<data::records::TableUses>,
    function_links: OnceLock<Vec<(ExprRef, Name)>>,
    pub(crate) hook_mounts: OnceLock<callers::passage::HookMounts>,
    pub(crate) paid_doors: OnceLock<std::collections::BTreeMap<usize, money::spending::PaidDoor>>,
    /// What each entry does, filled when it is asked for.
    pub(crate) accounts: Vec<OnceLock<verify::Account>>,
    pub(crate) reasons: verify::Reasons,
    webhooks: OnceLock<Vec<webhooks::handlers::WebhookHandler>>,
    readers: Vec<OnceLock<values::readers::Readers>>,
    left_out: Vec<OnceLock<Vec<callers::left_out::LeftOut>>>,
    pub(crate) hints: hints::Known,
    pub(crate) change: Option<added::Change>,
}

/// A file without code that holds credentials.
#[derive(Debug)]
pub struct Written {
    /// The file.
    pub file: FileId,
    /// What it holds.
    pub tokens: Vec<Token>,
    /// Where its lines begin.
    pub lines: Vec<u32>,
}

impl Program {
    /// A program whose files are known and nothing else yet: [`crate::link`] fills it stage by stage.
    pub(crate) fn new(
        files: Vec<File>,
        catalogue: Arc<Catalogue>,
        modules: Modules,
        memos: Vec<Memo>,
        around: Vec<terms::Around>,
    ) -> Self {
        Self {
            readers: files.iter().map(|_| OnceLock::new()).collect(),
            left_out: files.iter().map(|_| OnceLock::new()).collect(),
            files,
            catalogue,
            modules,
            manifests: Arc::default(),
            untracked: FxHashSet::default(),
            tests: vec![],
            bundling: OnceLock::new(),
            key_uses: OnceLock::new(),
            flask_settings: OnceLock::new(),
            env_defaults: OnceLock::new(),
            own_domains: OnceLock::new(),
            sides: vec![],
            entries: vec![],
            known_routes: vec![],
            as_of: Name::new(&crate::day::today()),
            projects: Projects::default(),
            brought: vec![],
            units: Units::default(),
            jumps: Jumps::default(),
            apps: apps::Apps::default(),
            around,
            memos,
            contexts: Contexts::default(),
            graph: graph::Graph::default(),
            assigned: values::assigned::Assigned::default(),
            incoming: std::sync::OnceLock::new(),
            timers: std::sync::OnceLock::new(),
            outbound: outbound::Outbound::default(),
            retries: OnceLock::new(),
            iterations: OnceLock::new(),
            schedules: OnceLock::new(),
            table_uses: OnceLock::new(),
            function_links: OnceLock::new(),
            hook_mounts: OnceLock::new(),
            paid_doors: OnceLock::new(),
            accounts: vec![],
            reasons: verify::Reasons::default(),
            webhooks: OnceLock::new(),
            written: vec![],
            mentioned: FxHashMap::default(),
            database: crate::sql::Database::default(),
            documented: FxHashMap::default(),
            core_calls: vec![],
            starters: OnceLock::new(),
            hints: hints::Known::default(),
            change: None,
        }
    }

    /// A file.
    pub fn file(&self, id: FileId) -> &File {
        &self.files[id.index()]
    }

    /// The facts of a file that is known to hold code: every id that names a call, function or expression does.
    pub fn facts(&self, id: FileId) -> &Facts {
        self.files[id.index()].facts.as_ref().expect("ids of calls, functions and expressions name files with facts")
    }

    /// Every file.
    pub fn file_ids(&self) -> impl Iterator<Item = FileId> + use<> {
        (0..self.files.len() as u32).map(FileId)
    }

    /// The files that hold code.
    pub fn code(&self) -> impl Iterator<Item = (FileId, &Facts)> {
        self.files.iter().enumerate().filter_map(|(at, file)| Some((FileId(at as u32), file.facts.as_ref()?)))
    }

    /// Where a file runs.
    pub fn side(&self, file: FileId) -> Side {
        self.sides.get(file.index()).copied().unwrap_or_default()
    }

    /// A file by its path.
    pub fn file_at(&self, path: &str) -> Option<FileId> {
        let at = self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()?;
        Some(FileId(at as u32))
    }

    /// Every credential that is written in a file, of any kind: code, settings, notes. In no order.
    pub fn credentials(&self) -> impl Iterator<Item = (FileId, &Token)> {
        let in_code = self.code().flat_map(|(file, facts)| facts.tokens.iter().map(move |token| (file, token)));
        let elsewhere = self.written.iter().flat_map(|text| text.tokens.iter().map(move |token| (text.file, token)));
        in_code.chain(elsewhere)
    }

    /// What the migrations of the repository build.
    pub fn database(&self) -> &crate::sql::Database {
        &self.database
    }

    /// Whether git tracks a file; true where there is no git repository to ask.
    pub fn is_tracked(&self, file: FileId) -> bool {
        !self.untracked.contains(&file)
    }

    /// One-based line of a place in code, or in a file that holds variables or credentials; 1 in any other file.
    pub fn line(&self, place: Place) -> u32 {
        let file = self.file(place.file);
        match &file.facts {
            Some(facts) => facts.line_column(place.span.start).0,
            None => match self.written.binary_search_by_key(&place.file, |text| text.file) {
                Ok(at) => self.written[at].lines.partition_point(|&start| start <= place.span.start).max(1) as u32,
                Err(_) => match (self.manifests.text(&file.path), self.manifests.env(&file.path)) {
                    (Some(text), _) => {
                        let before = text.as_bytes().iter().take(place.span.start as usize);
                        before.filter(|byte| **byte == b'\n').count() as u32 + 1
                    }
                    (None, Some(env)) => env.line(place.span.start),
                    (None, None) => self.database.line(place).unwrap_or(1),
                },
            },
        }
    }

    /// What an expression can be.
    pub fn value(&self, at: ExprRef) -> Value {
        Eval::new(self).expr(at)
    }

    /// `value.name`.
    pub fn member(&self, value: &Value, name: Name) -> Value {
        Eval::new(self).member(value, name)
    }

    /// What a call calls.
    pub fn callee(&self, call: CallRef) -> &Value {
        self.graph.callee(call)
    }

    /// The last name of what a call calls, as it is written: `insert` of `db.from("orders").insert(..)`.
    pub fn called_name(&self, call: CallRef) -> Option<Name> {
        let facts = self.facts(call.file);
        facts.last_name(facts.call(call.call).callee)
    }

    /// The place of an expression.
    pub fn place(&self, at: ExprRef) -> Place {
        Place { file: at.file, span: self.facts(at.file).span(at.expr) }
    }

    /// The place of a call.
    pub fn call_place(&self, call: CallRef) -> Place {
        let facts = self.facts(call.file);
        Place { file: call.file, span: facts.span(facts.call(call.call).expr) }
    }

    /// The function a call stands in.
    pub fn function_of(&self, call: CallRef) -> FunctionRef {
        let facts = self.facts(call.file);
        FunctionRef::new(call.file, facts.function_of(facts.call(call.call).block))
    }
}
