//! debug
use seamcheck::{Options, scan, settle, walk};
use seamcheck::finding::Persona;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let options = Options {
        walk: walk::Choices { paths: vec![args[1].clone().into()], honour_ignores: true, threads: 0 },
        rules: vec![],
        settle: settle::Choices::new(Persona::Auditor),
        jobs: 2,
        progress: false,
    };
    let o = scan(&options).unwrap();
    let p = &o.program;
    let needle = args.get(2).cloned().unwrap_or_default();
    for e in &p.entries {
        let f = p.file(e.place.file).path;
        if f.contains(&needle) && args.get(3).is_none_or(|l| p.line(e.place).to_string()==*l) { println!("entry {:?} {:?} {:?} {f}:{} fn {} mw {}", e.kind, e.route, e.name, p.line(e.place), p.function_name(e.function), e.middleware.len()); }
    }
    for (file, facts) in p.code() {
        if !p.file(file).path.contains(&needle) { continue }
        println!("{} side {:?}", p.file(file).path, p.side(file));
        for c in p.calls_of(file) {
            let line = p.line(p.call_place(c));
            if let Some(l) = args.get(3) && l.split(',').all(|l| l != line.to_string()) { continue }
            let core = p.core_call_debug(c);
            println!("{line}: {:?} callee {:?} core {core:?} v {:?} h {:?} edges {:?} fl {} g {:?}", facts.expr(facts.call(c.call).callee), p.callee(c), p.vendors_at(c).iter().map(|v| v.name.clone()).collect::<Vec<_>>(), p.requests_at(c).iter().map(|h| h.to.clone()).collect::<Vec<_>>(), p.edges(c).iter().map(|e| (e.kind, p.function_name(e.target))).collect::<Vec<_>>(), p.is_floating(c), p.guards(c));
        }
    }
}
