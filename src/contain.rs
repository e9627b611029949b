//! Panics stay where they arise: one file, one rule. What was lost is told, nothing else is.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::{Mutex, Once, PoisonError};

/// What the name of each of our worker threads begins with.
pub const WORKER: &str = "seamcheck-";

/// The first panic on a worker that was helping a contained call of another thread.
static HELPER_SAID: Mutex<Option<String>> = Mutex::new(None);

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
            let helps = || std::thread::current().name().is_some_and(|name| name.starts_with(WORKER));
            if DEPTH.get() > 0 {
                SAID.set(Some(words(panic)));
            } else if helps() {
                HELPER_SAID.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| words(panic));
            } else {
                outer(panic);
            }
        }));
    });
    DEPTH.set(DEPTH.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(work));
    DEPTH.set(DEPTH.get() - 1);
    result.map_err(|_| {
        let helper = || HELPER_SAID.lock().unwrap_or_else(PoisonError::into_inner).take();
        SAID.take().or_else(helper).unwrap_or_else(|| "a panic without words".to_owned())
    })
}

fn words(panic: &PanicHookInfo<'_>) -> String {
    let what = panic.payload_as_str().unwrap_or("a panic without words");
    let place = panic.location().map(|place| format!(" ({}:{})", place.file(), place.line()));
    format!("{what}{}", place.unwrap_or_default())
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

    #[test]
    fn a_panic_on_a_helping_worker_becomes_words_too() {
        let pool = rayon::ThreadPoolBuilder::new().thread_name(|at| format!("{WORKER}{at}")).build().unwrap();
        let error = contained(|| pool.install(|| -> u8 { panic!("lost elsewhere") })).unwrap_err();
        assert!(error.starts_with("lost elsewhere ("), "{error}");
    }
}
