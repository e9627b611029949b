//! Whether what a grammar could not read takes functions and calls with it.
//!
//! Most syntax errors are a word of new syntax in code that is otherwise read whole. What is lost is told by an error
//! that reaches over many lines, or that holds what opens a function which the tree then lacks.

use tree_sitter::{Node, Tree};

use crate::facts::Lost;

/// An error over this many lines holds more than a slip.
const LONG: usize = 10;

/// What opens a function or a class.
const OPENERS: &[&str] = &["=>", "async", "function", "def", "class"];

/// The first loss in a text that has syntax errors; of a merge that was not finished before any other.
pub(super) fn lost(tree: &Tree, text: &str) -> Option<Lost> {
    if let Some(at) = conflict(text) {
        return Some(Lost { line: at, conflict: true });
    }
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        if node.is_error() {
            if loses(node, tree.root_node()) {
                return Some(Lost { line: node.start_position().row as u32 + 1, conflict: false });
            }
        } else if node.has_error() && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return None;
            }
        }
    }
}

/// Whether an error is more than a word that the grammar does not know.
fn loses(error: Node<'_>, root: Node<'_>) -> bool {
    let rows = |node: Node<'_>| node.end_position().row - node.start_position().row + 1;
    let lines = rows(error);
    let is_opener = |node: Node<'_>| OPENERS.contains(&node.kind());
    lines >= LONG || lines >= 3 && lines * 4 >= rows(root) || error.children(&mut error.walk()).any(is_opener)
}

/// The line on which a merge that was not finished left its first mark.
pub fn conflict(text: &str) -> Option<u32> {
    const MARK: &str = "<<<<<<< ";
    let at = if text.starts_with(MARK) { 0 } else { text.find("\n<<<<<<< ")? + 1 };
    Some(text[..at].bytes().filter(|&byte| byte == b'\n').count() as u32 + 1)
}
