//! Prints entries, sides, jumps of a repository.
use seamcheck::{Options, finding, program::*, settle, walk};
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let options = Options {
        walk: walk::Choices { paths: vec![args[0].clone().into()], honour_ignores: true, threads: 2 },
        rules: vec![],
        settle: settle::Choices::new(finding::Persona::Regular),
        jobs: 2,
        progress: false,
    };
    let want = args.get(1).map(String::as_str).unwrap_or("ejsu");
    let o = seamcheck::scan(&options).unwrap();
    let p = &o.program;
    eprintln!("{:?}", o.timings);
    let f = |r: FunctionRef| format!("{}:{}:{}", p.file(r.file).path, p.line(p.function_place(r)), p.function_name(r));
    if want.contains('e') {
        for e in &p.entries {
            if matches!(e.kind, EntryKind::Event | EntryKind::Effect) && !want.contains('b') {
                continue;
            }
            let gates: Vec<String> = e
                .middleware
                .iter()
                .map(|g| match g {
                    Gate::Function(g) => f(*g),
                    Gate::Library(at) => {
                        format!("lib {:?}", p.value(*at).externals().map(|e| e.dotted()).collect::<Vec<_>>())
                    }
                    Gate::Unknown => "?".into(),
                })
                .collect();
            println!(
                "{:?} {} [{}] {} {} -> {}  gates {:?}",
                e.kind,
                e.framework,
                e.methods.iter().map(|m| m.as_str()).collect::<Vec<_>>().join(","),
                e.route.map_or("-", |r| r.as_str()),
                e.name.map_or("-", |r| r.as_str()),
                f(e.function),
                gates
            );
        }
        for k in &p.known_routes {
            println!("known {:?} {}", k.methods, k.route);
        }
    }
    if want.contains('j') {
        for h in p.requests() {
            let to: Vec<String> = p.entries_for_jump(h.at).iter().map(|&e| f(p.entries[e].function)).collect();
            let place = p.call_place(h.at);
            println!("request {}:{} {:?} {:?} -> {:?}", p.file(place.file).path, p.line(place), h.method, h.to, to);
        }
        for u in p.unmatched_jumps() {
            let place = p.call_place(u.at);
            println!(
                "unmatched {}:{} {:?} {} fn={}",
                p.file(place.file).path,
                p.line(place),
                u.method,
                u.asked,
                u.is_function
            );
        }
    }
    if want.contains('i') {
        for v in p.vendor_uses() {
            if p.operation(v).is_some_and(|o| o.effect == seamcheck::catalogue::Effect::Invoke) {
                let place = p.call_place(v.at);
                println!(
                    "invoke {}:{} -> {:?}",
                    p.file(place.file).path,
                    p.line(place),
                    p.entries_for_jump(v.at).iter().map(|&e| f(p.entries[e].function)).collect::<Vec<_>>()
                );
            }
        }
    }
    if want.contains('s') {
        for (at, file) in p.files.iter().enumerate() {
            if file.facts.is_some() {
                println!("side {} {}", p.side_name(finding::FileId(at as u32)), file.path);
            }
        }
    }
    let _ = finding::FileId(0);
}
