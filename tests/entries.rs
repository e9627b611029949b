//! Entry points, sides and jumps of small invented apps, through the real extract and link.

use std::fmt::Write;
use std::fs;

use seamcheck::finding::{FileId, Persona};
use seamcheck::program::{CallRef, EntryKind, FunctionRef, Gate, Program};
use seamcheck::{Options, settle, walk};

#[path = "entries/javascript.rs"]
mod javascript;
#[path = "entries/jumps.rs"]
mod jumps;
#[path = "entries/python.rs"]
mod python;
#[path = "entries/sides.rs"]
mod sides;

/// Links an app given as paths and texts.
fn app(files: &[(&str, &str)]) -> Program {
    let folder = tempfile::tempdir().expect("a folder for the app");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("files lie in folders")).expect("folders can be made");
        fs::write(path, text).expect("files can be written");
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
    seamcheck::scan(&options).expect("the app can be scanned").program
}

fn function(program: &Program, function: FunctionRef) -> String {
    let name = program.facts(function.file).function(function.function).name;
    let name = name.map_or_else(|| program.line(program.function_place(function)).to_string(), |name| name.to_string());
    format!("{}:{name}", program.file(function.file).path)
}

fn gate(program: &Program, gate: Gate) -> String {
    match gate {
        Gate::Function(at) => function(program, at),
        Gate::Library(at) => match program.value(at).externals().next() {
            Some(external) => external.dotted(),
            None => "library".to_owned(),
        },
        Gate::Unknown => "?".to_owned(),
    }
}

/// One line an entry: kind, methods, route, name, function, gates. Browser events are left out unless asked for.
fn entries(program: &Program, with_browser: bool) -> String {
    let mut text = String::new();
    for entry in &program.entries {
        if matches!(entry.kind, EntryKind::Event | EntryKind::Effect) != with_browser {
            continue;
        }
        let methods: Vec<&str> = entry.methods.iter().map(|method| method.as_str()).collect();
        let _ =
            write!(text, "{:?} {}", entry.kind, if methods.is_empty() { "*".to_owned() } else { methods.join(",") });
        let _ = write!(text, " {}", entry.route.map_or("-", |route| route.as_str()));
        if let Some(name) = entry.name {
            let _ = write!(text, " '{name}'");
        }
        let _ = write!(text, " {}", function(program, entry.function));
        if !entry.middleware.is_empty() {
            let gates: Vec<String> = entry.middleware.iter().map(|at| gate(program, *at)).collect();
            let _ = write!(text, " behind {}", gates.join(", "));
        }
        text.push('\n');
    }
    for known in &program.known_routes {
        let _ = writeln!(text, "known {}", known.route);
    }
    text
}

/// One line a call that jumps, and one a jump to nowhere.
fn jumps(program: &Program) -> String {
    let mut text = String::new();
    let calls: Vec<CallRef> = program.code().flat_map(|(file, _)| program.calls_of(file)).collect();
    for call in calls {
        for entry in program.entries_for_jump(call) {
            let place = program.call_place(call);
            let to = function(program, program.entries[entry].function);
            let _ = writeln!(text, "{}:{} -> {to}", program.file(call.file).path, program.line(place));
        }
    }
    for unmatched in program.unmatched_jumps() {
        let place = program.call_place(unmatched.at);
        let _ = writeln!(
            text,
            "{}:{} -> nothing serves {}",
            program.file(place.file).path,
            program.line(place),
            unmatched.asked
        );
    }
    text
}

/// One line a file that holds code.
fn sides(program: &Program) -> String {
    let code = program.code().map(|(file, _)| file);
    code.map(|file: FileId| format!("{} {}\n", program.side_name(file), program.file(file).path)).collect()
}
