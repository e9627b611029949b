//! The layouts and packages of platforms that run functions: which folders are deployed as functions, and which
//! packages declare functions to be run elsewhere. Some of them are vendors too; as platforms they are named here
//! and nowhere else in the linker.

/// A folder whose children are each deployed as a function.
pub struct Functions {
    /// The folder, wherever in the path.
    pub folder: &'static str,
    /// The framework's name.
    pub framework: &'static str,
    /// The URL path before the function's name.
    pub route: &'static str,
}

/// Folders of functions with a URL of their own.
pub const FUNCTIONS: &[Functions] = &[
    Functions { folder: "supabase/functions", framework: "supabase-functions", route: "/functions/v1/" },
    Functions { folder: "netlify/functions", framework: "netlify-functions", route: "/.netlify/functions/" },
    Functions { folder: "netlify/edge-functions", framework: "netlify-functions", route: "/" },
    Functions { folder: "insforge/functions", framework: "edge-functions", route: "/functions/" },
];

/// URL paths under which functions are reached by name.
pub const FUNCTION_PATHS: &[&str] = &["/functions/v1/", "/.netlify/functions/", "/functions/"];

/// Packages whose exports are functions deployed by name.
pub const DECLARED: &[&str] = &["npm:firebase-functions"];

/// How a declared function is started: the last member that makes it, the kind of start.
pub const DECLARATIONS: &[(&str, Start)] = &[
    ("onRequest", Start::Http),
    ("onCall", Start::Call),
    ("onCallGenkit", Start::Call),
    ("onSchedule", Start::Schedule),
    ("onRun", Start::Schedule),
    ("beforeCreate", Start::Auth),
    ("beforeSignIn", Start::Auth),
    ("beforeUserCreated", Start::Auth),
    ("beforeUserSignedIn", Start::Auth),
];

/// What starts a declared function. Any other `on..` is an event that a queue delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// An HTTP request.
    Http,
    /// A call by name from the app's own clients.
    Call,
    /// The clock.
    Schedule,
    /// A sign-up or sign-in that waits for it.
    Auth,
}

/// Packages whose configuration object holds callbacks of sign-up and sign-in.
pub const AUTH_CONFIGS: &[&str] = &[
    "npm:next-auth",
    "npm:@auth/core",
    "npm:@auth/express",
    "npm:@auth/sveltekit",
    "npm:better-auth",
    "npm:lucia",
    "npm:convex-auth",
];

/// Names of the types that annotate such a configuration.
pub const AUTH_CONFIG_TYPES: &[&str] =
    &["NextAuthOptions", "NextAuthConfig", "AuthOptions", "AuthConfig", "BetterAuthOptions"];

/// Packages whose `use(new Strategy(.., verify))` runs `verify` at login.
pub const STRATEGIES: &[&str] = &["npm:passport", "npm:koa-passport", "npm:@fastify/passport"];
