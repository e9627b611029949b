//! Source text to [`Facts`]: one parse, one cursor pass, tree dropped. Cannot fail; what it cannot read is counted.
//!
//! Only this module and [`crate::lang`] know tree-sitter.

use std::cell::RefCell;

use tree_sitter::{Parser, Point, Range, Tree};

use crate::facts::{Facts, Language, Span};
use crate::lang;
use crate::walk::names::is_page;

pub mod build;
pub mod embedded;
mod javascript;
mod loads;
mod lost;
mod mend;
pub mod python;
mod tables;
mod taken;
mod types;

pub use lost::conflict;

/// Extracts the facts of one file; none when its extension is of no language of ours.
pub fn extract(path: &str, text: &str) -> Option<Facts> {
    if let Some(language) = lang::language_of(path) {
        return Some(extract_parts(language, text, None, false));
    }
    let embedded::Scripts { language, spans, head, apart } = embedded::scripts(path, text)?;
    let own = |span: &Span| apart && head != Some(*span);
    let mut facts = extract_sections(language, text, Some(&spans), is_page(path), &own);
    facts.head = head;
    (facts.loads, facts.script_tags) = loads::loads(path, text);
    Some(facts)
}

/// The facts of a file that is not looked into: where its lines begin.
pub fn outline(path: &str, text: &str) -> Option<Facts> {
    Some(build::Builder::new(lang::language_of(path)?, text).finish())
}

/// Extracts the facts of a text in a language; of some spans of it where only those hold code.
pub fn extract_parts(language: Language, text: &str, spans: Option<&[Span]>, page: bool) -> Facts {
    extract_sections(language, text, spans, page, &|_| false)
}

/// The same, with the parts that are modules of their own: no other part sees their names.
fn extract_sections(
    language: Language,
    text: &str,
    spans: Option<&[Span]>,
    page: bool,
    own: &dyn Fn(&Span) -> bool,
) -> Facts {
    let mut builder = build::Builder::new(language, text);
    let whole = [Span { start: 0, end: text.len() as u32 }];
    for &span in spans.unwrap_or(&whole) {
        let parsed = match spans {
            None => parse_script(language, text, &builder.facts().lines),
            Some(_) => parse(language, text, Some(span), page),
        };
        let Some(parsed) = parsed else {
            // The parser gives up on nothing but a cancelled parse, which nobody asks for.
            builder.facts().syntax_errors += 1;
            continue;
        };
        builder.facts().syntax_errors += parsed.errors;
        if parsed.errors > 0 && builder.facts().lost.is_none() {
            builder.facts().lost = lost::lost(&parsed.tree, text);
        }
        builder.facts().language = parsed.language;
        let syntax = lang::syntax(parsed.language);
        let section = own(&span);
        if section {
            builder.open_section(span);
        }
        match parsed.language {
            Language::Python => python::visit(&mut builder, syntax, parsed.tree.root_node()),
            _ => javascript::visit(&mut builder, syntax, parsed.tree.root_node()),
        }
        if section {
            builder.close_section();
        }
    }
    builder.finish()
}

struct Parsed {
    tree: Tree,
    language: Language,
    errors: u32,
}

/// Parses a whole file: without its long declarations of types, if it has any and is sound.
fn parse_script(language: Language, text: &str, lines: &[u32]) -> Option<Parsed> {
    if matches!(language, Language::TypeScript | Language::Tsx)
        && let Some(parts) = types::parts_without(text.as_bytes(), lines)
        && let Some(tree) = parse_bytes(language, text.as_bytes(), &parts, None)
        && !tree.root_node().has_error()
    {
        return Some(Parsed { tree, language, errors: 0 });
    }
    parse(language, text, None, false)
}

/// Parses a text, in the way that leaves the fewest syntax errors: as it is, with what the grammar is known
/// not to read painted over, and for JavaScript with the types that some tools add to it.
fn parse(language: Language, text: &str, part: Option<Span>, page: bool) -> Option<Parsed> {
    let tree = parse_bytes(language, text.as_bytes(), part.as_slice(), None)?;
    let mut best = Parsed { tree, language, errors: 0 };
    if !best.tree.root_node().has_error() {
        return Some(best);
    }
    let mut errors = mend::errors(&best.tree);
    best.errors = errors.len() as u32;
    if language == Language::Python {
        return Some(best);
    }
    // Errors hide others: what mends one may show the next.
    for _ in 0..3 {
        let Some((mended, places)) = mend::mend(text.as_bytes(), &errors, part.filter(|_| page)) else { break };
        let mut old = best.tree.clone();
        mend::mark(&mut old, text.as_bytes(), &places);
        let Some(tree) = parse_bytes(best.language, &mended, part.as_slice(), Some(&old)) else { break };
        let left = mend::errors(&tree);
        let better = left.len() < errors.len();
        if better {
            best = Parsed { tree, language: best.language, errors: left.len() as u32 };
        }
        if !better || left.is_empty() {
            break;
        }
        errors.extend(left);
    }
    if language == Language::JavaScript && best.errors > 0 {
        let tree = parse_bytes(Language::Tsx, text.as_bytes(), part.as_slice(), None)?;
        let left = mend::errors(&tree).len() as u32;
        if left < best.errors {
            best = Parsed { tree, language: Language::Tsx, errors: left };
        }
    }
    Some(best)
}

thread_local! {
    static PARSERS: [RefCell<Option<Parser>>; 4] = const { [const { RefCell::new(None) }; 4] };
}

/// Gives up what a thread keeps from file to file, once nothing more is extracted: later stages need the room.
pub fn let_go() {
    PARSERS.with(|parsers| parsers.iter().for_each(|parser| drop(parser.take())));
    tables::let_go();
}

fn parse_bytes(language: Language, text: &[u8], parts: &[Span], old: Option<&Tree>) -> Option<Tree> {
    PARSERS.with(|parsers| {
        let mut slot = parsers[language as usize].borrow_mut();
        let parser = match &mut *slot {
            Some(parser) => parser,
            empty => {
                let mut parser = Parser::new();
                parser.set_language(&lang::grammar(language)).ok()?;
                empty.insert(parser)
            }
        };
        let ranges: Vec<Range> = parts.iter().map(range).collect();
        parser.set_included_ranges(&ranges).ok()?;
        parser.parse(text, old)
    })
}

fn range(span: &Span) -> Range {
    // Only bytes are ever asked for.
    let (start_point, end_point) = (Point::new(0, 0), Point::new(usize::MAX >> 33, 0));
    Range { start_byte: span.start as usize, end_byte: span.end as usize, start_point, end_point }
}

/// Parses a text as [`extract`] would and drops the tree: the floor that the benchmark compares with.
pub fn parse_only(path: &str, text: &str) {
    let Some(language) = lang::language_of(path) else { return };
    std::hint::black_box(parse_bytes(language, text.as_bytes(), &[], None));
}
