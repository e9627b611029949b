//! Panics stay where they arise: one file, one rule. What was lost is told, nothing else is.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    /// Depth of [`contained`] calls on this thread.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// What the last contained panic said and where.
    static SAID: Cell<Option<String>> = const { Cell::new(None) };
}

/// Runs `work`; a panic in it becomes an error that says what and where, and prints nothing.
pub fn contained<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let outer = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if DEPTH.get() == 0 {
                return outer(panic);
            }
            let what = panic.payload_as_str().unwrap_or("a panic without words");
            let place = panic.location().map(|place| format!(" ({}:{})", place.file(), place.line()));
            SAID.set(Some(format!("{what}{}", place.unwrap_or_default())));
        }));
    });
    DEPTH.set(DEPTH.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(work));
    DEPTH.set(DEPTH.get() - 1);
    result.map_err(|_| SAID.take().unwrap_or_else(|| "a panic without words".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_words() {
        let error = contained(|| -> u8 { panic!("lost {}", 3) }).unwrap_err();
        assert!(error.starts_with("lost 3 (src/contain.rs:"), "{error}");
        assert_eq!(contained(|| 5), Ok(5));
    }
}
