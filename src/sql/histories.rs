//! Which files build a database together, and in which order they run.
//!
//! Folders of migrations, as the platform's own tool, Drizzle, Prisma and Knex keep them, are histories. Where there
//! is none, scripts that make tables (`schema.sql`, `database/*.sql`) are read as one, without a known order; a folder
//! of scripts that no number orders is no history either. Beside one, they say of which tables it takes for made. Seeds
//! are data, and what says that it is for a sandbox or written down from a running database builds none. A copy of a history beside the real one (another `supabase` folder without settings) is left aside.

use std::collections::BTreeMap;

use super::Script;
use super::model::History;
use super::statement::{Statement, What};
use crate::finding::FileId;

/// A history before it runs: its head, the positions of its files in order, and of the scripts beside them that make
/// tables too.
pub(super) struct Found {
    pub history: History,
    pub files: Vec<usize>,
    pub beside: Vec<usize>,
    /// Only its jobs count, where nothing else makes them: somebody runs it in an editor.
    pub by_hand: bool,
}

/// Whether statements have the database's clock start something.
fn schedules(statements: &[Statement]) -> bool {
    statements.iter().any(|statement| match &statement.what {
        What::Maybe(inner) => schedules(inner),
        What::Block(block) => schedules(&block.body),
        What::Schedule(_) => true,
        _ => false,
    })
}

/// The folder of the history that a file belongs to by its path.
pub(super) fn folder(path: &str) -> Option<&str> {
    let (folder, name) = path.rsplit_once('/')?;
    let base = |folder: &str| folder.rsplit('/').next().unwrap_or(folder).to_ascii_lowercase();
    // `migrations/20240101_init/migration.sql`
    if name == "migration.sql"
        && let Some((above, _)) = folder.rsplit_once('/')
        && base(above) == "migrations"
    {
        return Some(above);
    }
    let numbered = name.bytes().take_while(u8::is_ascii_digit).count() >= 3;
    match base(folder).as_str() {
        "migrations" => {
            (folder.ends_with("supabase/migrations") || numbered || folder == "migrations").then_some(folder)
        }
        "drizzle" | "migration" => numbered.then_some(folder),
        _ => None,
    }
}

/// The folder `migrations` of one app among several: it lies beside the app's manifest, as at a repository's root.
fn of_an_app<'p>(path: &'p str, exists: &dyn Fn(&str) -> bool) -> Option<&'p str> {
    let (folder, _) = path.rsplit_once('/')?;
    let app = folder.strip_suffix("/migrations")?;
    ["package.json", "pyproject.toml", "requirements.txt"]
        .iter()
        .any(|manifest| exists(&format!("{app}/{manifest}")))
        .then_some(folder)
}

/// Finds the histories of a repository. Scripts come sorted by path. What one app holds says nothing of another one's
/// database: `app` gives the app that a file belongs to alone, none where it counts for all.
pub(super) fn histories(
    scripts: &[(FileId, &str, &Script)],
    exists: &dyn Fn(&str) -> bool,
    app: &dyn Fn(FileId) -> Option<usize>,
) -> Vec<Found> {
    let mut of_apps: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::from([(None, vec![])]);
    for (at, (file, ..)) in scripts.iter().enumerate() {
        of_apps.entry(app(*file)).or_default().push(at);
    }
    let mut found: Vec<(Option<usize>, Found)> = vec![];
    let mut loose: Vec<(Option<usize>, Vec<usize>)> = vec![];
    for (app, files) in of_apps {
        let (ordered, other) = in_folders(scripts, &files, exists);
        found.extend(ordered.into_iter().map(|found| (app, found)));
        loose.push((app, other));
    }
    let meets = |one: Option<usize>, other: Option<usize>| one.is_none() || other.is_none() || one == other;
    // Beside the platform's own migrations, others are for another database, or are run by hand at some time.
    let own: Vec<Option<usize>> =
        found.iter().filter(|(_, found)| of_platform(&found.history.folder)).map(|(app, _)| *app).collect();
    for (app, found) in found.iter_mut().filter(|(_, found)| !of_platform(&found.history.folder)) {
        if own.iter().any(|other| meets(*app, *other)) {
            found.history.exposed = false;
        }
    }
    let makes = |at: &usize| makes(scripts[*at].2);
    for (app, mut files) in loose {
        let there = found.iter().filter(|(other, _)| meets(app, *other)).count();
        // Beside migrations, or alone, they say by which clock what is run.
        let jobs: Vec<usize> = files.iter().copied().filter(|&at| schedules(&scripts[at].2.statements)).collect();
        let by_hand = Found { by_hand: true, ..head(scripts, "", jobs.clone(), false) };
        if !files.iter().any(makes) {
            found.extend((!jobs.is_empty()).then_some((app, by_hand)));
            continue;
        }
        // What makes tables runs before what changes them; where people have numbered what they run, as they say.
        let is_series = files.iter().any(|at| makes(at) && number(scripts[*at].1).is_some());
        files.sort_by_key(|at| match number(scripts[*at].1).filter(|_| is_series) {
            Some(number) => (1, number, *at),
            None if makes(at) => (2 * rank(scripts[*at].1), 0, *at),
            None => (3 + rank(scripts[*at].1), 0, *at),
        });
        if there == 0 {
            found.push((app, head(scripts, "", files, false)));
            continue;
        }
        // Which of several histories they are for is not known.
        let mut exposed = found.iter_mut().filter(|(other, found)| meets(app, *other) && found.history.exposed);
        if let (Some((_, only)), None) = (exposed.next(), exposed.next()) {
            only.beside.extend(files);
        }
        found.extend((!jobs.is_empty()).then_some((app, by_hand)));
    }
    found.into_iter().map(|(_, found)| found).collect()
}

/// The histories that some scripts make by their folders, and the scripts that lie in none.
fn in_folders(
    scripts: &[(FileId, &str, &Script)],
    files: &[usize],
    exists: &dyn Fn(&str) -> bool,
) -> (Vec<Found>, Vec<usize>) {
    let mut folders: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut loose: Vec<usize> = vec![];
    for &at in files {
        let path = scripts[at].1;
        match folder(path).or_else(|| of_an_app(path, exists)) {
            Some(folder) => folders.entry(folder).or_default().push(at),
            None if is_loose(path) && !scripts[at].2.is_copy => loose.push(at),
            None => {}
        }
    }
    folders.retain(|folder, files| {
        let kept = of_platform(folder)
            || files.iter().any(|&at| is_ordered(scripts[at].1))
            || !files.iter().any(|&at| makes(scripts[at].2));
        if !kept {
            loose.extend(files.iter().filter(|&&at| is_loose(scripts[at].1) && !scripts[at].2.is_copy));
            loose.sort_unstable();
        }
        kept
    });
    leave_copies(&mut folders, exists);
    (folders.into_iter().map(|(folder, files)| head(scripts, folder, files, true)).collect(), loose)
}

/// Whether a script makes tables.
fn makes(script: &Script) -> bool {
    script.statements.iter().any(|statement| matches!(statement.what, What::CreateTable(_)))
}

/// Whether a file says when it runs: by a number, that of a version, or that of the folder it lies in alone.
fn is_ordered(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name == "migration.sql" || number(name.trim_start_matches(['v', 'V'])).is_some()
}

/// Whether a folder is the platform's own.
fn of_platform(folder: &str) -> bool {
    folder.split('/').any(|part| part == "supabase")
}

fn head(scripts: &[(FileId, &str, &Script)], folder: &str, files: Vec<usize>, ordered: bool) -> Found {
    let exposed = of_platform(folder) || files.iter().any(|&at| scripts[at].2.of_platform);
    Found { history: History::new(folder, ordered, exposed), files, beside: vec![], by_hand: false }
}

/// Of several folders of the platform's own tool those count that lie beside its settings; without any, the ones
/// nearest to the root.
fn leave_copies(folders: &mut BTreeMap<&str, Vec<usize>>, exists: &dyn Fn(&str) -> bool) {
    let ours: Vec<&str> = folders.keys().filter(|folder| folder.ends_with("supabase/migrations")).copied().collect();
    let configured =
        |folder: &&str| exists(&format!("{}config.toml", folder.strip_suffix("migrations").unwrap_or(folder)));
    let depth = |folder: &str| folder.matches('/').count();
    let nearest = ours.iter().map(|folder| depth(folder)).min();
    let any = ours.iter().any(&configured);
    for folder in ours {
        let keep = if any { configured(&folder) } else { Some(depth(folder)) == nearest };
        if !keep {
            folders.remove(folder);
        }
    }
}

/// Whether a script outside of migrations may build the database: not seeds, tests, or what undoes.
fn is_loose(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let not = [
        "seed",
        "test",
        "backup",
        "rollback",
        "node_modules",
        "example",
        "sample",
        "dump",
        "archive",
        "query",
        "queries",
    ];
    // A database beside the live one: to try things out, to show them, or a picture of what was there.
    const ASIDE: &[&str] =
        &["sandbox", "demo", "fixture", "fixtures", "local", "scratch", "playground", "snapshot", "snapshots"];
    !not.iter().any(|word| lower.contains(word))
        && !lower.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| ASIDE.contains(&word))
}

/// Which of a numbered series a script is: 44 for `044-policies.sql`.
fn number(path: &str) -> Option<u64> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let end = name.find(|c: char| !c.is_ascii_digit())?;
    name.get(..end)?.parse().ok()
}

fn rank(path: &str) -> u8 {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    u8::from(!["schema", "init", "setup", "create", "tables"].iter().any(|word| name.contains(word)))
}
