//! A progress bar, on a terminal and on long scans only.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// A scan that is done sooner shows no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// How far the scan is.
pub struct Progress {
    total: usize,
    done: AtomicUsize,
    start: Instant,
    bar: Option<OnceLock<ProgressBar>>,
}

impl Progress {
    /// For `total` files; `wanted` says that the terminal may be written to.
    pub fn new(total: usize, wanted: bool) -> Self {
        Self { total, done: AtomicUsize::new(0), start: Instant::now(), bar: wanted.then(OnceLock::new) }
    }

    /// One file is done.
    pub fn tick(&self) {
        let Some(bar) = &self.bar else { return };
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if self.start.elapsed() > PATIENCE {
            bar.get_or_init(|| self.draw()).set_position(done as u64);
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = self.bar.as_ref().and_then(OnceLock::get) {
            bar.finish_and_clear();
        }
    }

    fn draw(&self) -> ProgressBar {
        let style =
            ProgressStyle::with_template("{bar:30} {pos}/{len} files").unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::new(self.total as u64).with_style(style)
    }
}
