//! What is kept changes nothing but the time a scan takes: not when a file changes, not when what is kept is broken.

#![allow(clippy::unwrap_used)]

#[path = "cache/judged.rs"]
mod judged;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const LEAK: &str = "export async function order(total) {\n  const answer = await fetch('https://api.stripe.com/v1/charges', {\n    method: 'POST',\n    headers: { Authorization: `Bearer ${process.env.STRIPE_SECRET_KEY}` },\n    body: new URLSearchParams({ amount: String(total), currency: 'eur' }),\n  });\n  return answer.json();\n}\n";

/// An app of enough files that facts are kept.
fn app() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for at in 0..60 {
        let text =
            format!("import {{ order }} from './orders.js';\nexport const pay{at} = (total) => order(total + {at});\n");
        fs::write(dir.path().join(format!("pay{at}.js")), text).unwrap();
    }
    fs::write(dir.path().join("orders.js"), LEAK).unwrap();
    fs::write(dir.path().join("server.js"), server(0)).unwrap();
    dir
}

fn server(at: usize) -> String {
    format!(
        "import express from 'express';\nimport {{ pay{at} }} from './pay{at}.js';\nconst app = express();\n\
         app.post('/pay', async (req, res) => res.json(await pay{at}(req.body.total)));\napp.listen(3000);\n"
    )
}

fn command(app: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seamcheck"));
    command
        .env_remove("SEAMCHECK_CACHE_DIR")
        .current_dir(app)
        .args(["--format", "json", "--persona", "auditor"])
        .args(args);
    command
}

fn report(app: &Path, cache: Option<&Path>) -> String {
    let mut command = match cache {
        None => command(app, &["--no-cache"]),
        Some(folder) => command(app, &["--cache-dir", folder.to_str().unwrap()]),
    };
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The one file that facts are kept in.
fn log(cache: &Path) -> PathBuf {
    kept(cache, "facts")
}

/// The one file of an ending that something is kept in.
fn kept(cache: &Path, ending: &str) -> PathBuf {
    let mut logs: Vec<PathBuf> = fs::read_dir(cache)
        .unwrap()
        .flatten()
        .flat_map(|builds| fs::read_dir(builds.path()).into_iter().flatten().flatten())
        .map(|log| log.path())
        .filter(|path| path.extension().is_some_and(|it| it == ending))
        .collect();
    assert_eq!(logs.len(), 1, "{logs:?}");
    logs.remove(0)
}

#[test]
fn a_kept_program_reads_like_a_fresh_one() {
    let (app, cache) = (app(), tempfile::tempdir().unwrap());
    let fresh = report(app.path(), None);
    assert!(fresh.contains("missing-timeout") && fresh.contains("orders.js"), "{fresh}");
    assert_eq!(report(app.path(), Some(cache.path())), fresh, "the run that fills the cache");
    let size = fs::metadata(log(cache.path())).unwrap().len();
    assert!(size > 0);
    assert_eq!(report(app.path(), Some(cache.path())), fresh, "the run that reads it");
    assert_eq!(fs::metadata(log(cache.path())).unwrap().len(), size, "what is kept is not kept twice");
}

#[test]
fn what_changed_is_read_anew() {
    let (app, cache) = (app(), tempfile::tempdir().unwrap());
    report(app.path(), Some(cache.path()));
    fs::write(app.path().join("orders.js"), LEAK.replace("charges", "refunds")).unwrap();
    fs::write(app.path().join("server.js"), server(7)).unwrap();
    let (kept, fresh) = (report(app.path(), Some(cache.path())), report(app.path(), None));
    assert_eq!(kept, fresh);
    assert!(fresh.contains("refunds"), "{fresh}");
}

#[test]
fn what_is_broken_is_read_anew_and_kept_again() {
    let (app, cache) = (app(), tempfile::tempdir().unwrap());
    let fresh = report(app.path(), None);
    report(app.path(), Some(cache.path()));
    let log = log(cache.path());
    let whole = fs::read(&log).unwrap();
    let mut flipped = whole.clone();
    for at in (40..flipped.len()).step_by(97) {
        flipped[at] ^= 0x55;
    }
    let cut = whole[..whole.len() - whole.len() / 3].to_vec();
    for broken in [flipped, cut, b"no facts".to_vec(), vec![]] {
        for _ in 0..2 {
            fs::write(&log, &broken).unwrap();
            fs::remove_file(kept(cache.path(), "judged")).unwrap();
            assert_eq!(report(app.path(), Some(cache.path())), fresh);
        }
        assert!(fs::metadata(&log).unwrap().len() as usize >= whole.len(), "nothing was kept again");
    }
}

#[test]
fn runs_beside_each_other_do_not_disturb() {
    let (app, cache) = (app(), tempfile::tempdir().unwrap());
    let fresh = report(app.path(), None);
    for _ in 0..3 {
        let runs: Vec<_> = (0..6)
            .map(|_| {
                let mut command = command(app.path(), &["--cache-dir", cache.path().to_str().unwrap()]);
                command.stdout(std::process::Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for run in runs {
            assert_eq!(String::from_utf8(run.wait_with_output().unwrap().stdout).unwrap(), fresh);
        }
    }
}

#[test]
fn what_nobody_asks_for_goes() {
    let (app, cache) = (app(), tempfile::tempdir().unwrap());
    // Long enough that a few versions are more than the log may waste.
    let long =
        |version: usize| (0..20_000).map(|at| format!("export const value{at} = 'v{version}';\n")).collect::<String>();
    let mut most = 0;
    for version in 0..12 {
        fs::write(app.path().join("values.js"), long(version)).unwrap();
        report(app.path(), Some(cache.path()));
        most = most.max(fs::metadata(log(cache.path())).unwrap().len());
    }
    let one = fs::metadata(log(cache.path())).unwrap().len();
    assert!(most < 8_000_000, "the log grew to {most} bytes");
    assert!(one <= most);
    assert_eq!(report(app.path(), Some(cache.path())), report(app.path(), None));
}

#[test]
fn a_folder_that_cannot_be_used_is_refused() {
    let app = app();
    fs::write(app.path().join("taken"), "").unwrap();
    let output = command(app.path(), &["--cache-dir", "taken"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("cache folder") && said.contains("--no-cache"), "{said}");
}
