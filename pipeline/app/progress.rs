//! Progress: bars on a terminal, sparse log lines elsewhere.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Seconds between two log lines of one task where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(15);

/// Where progress goes.
pub struct Progress {
    bars: Option<MultiProgress>,
    quiet: bool,
}

impl Progress {
    /// Bars if standard error is a terminal, lines if not; neither if `quiet`.
    #[must_use]
    pub fn new(bars: MultiProgress, quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self { bars: (terminal && !quiet).then_some(bars), quiet }
    }

    /// A task of so many steps.
    #[must_use]
    pub fn units(&self, count: usize, name: &str) -> Task {
        let bar = self.bars.as_ref().map(|bars| {
            let style = ProgressStyle::with_template("{msg:24!} [{bar:32}] {pos}/{len} {elapsed} eta {eta}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            bars.add(ProgressBar::new(count as u64).with_style(style).with_message(name.to_owned()))
        });
        let lines = (bar.is_none() && !self.quiet).then(|| Mutex::new(Lines { done: 0, last: Instant::now() }));
        Task { bar, lines, name: name.to_owned(), count }
    }

    /// One line of news.
    pub fn say(&self, text: &str) {
        match &self.bars {
            Some(bars) => {
                // a terminal that is gone is no reason to stop
                if let Err(fault) = bars.println(text) {
                    tracing::debug!(%fault, "progress could not be shown");
                }
            }
            None => tracing::info!("{text}"),
        }
    }
}

struct Lines {
    done: usize,
    last: Instant,
}

/// One task with a known number of steps.
pub struct Task {
    bar: Option<ProgressBar>,
    lines: Option<Mutex<Lines>>,
    name: String,
    count: usize,
}

impl Task {
    /// One step is done.
    pub fn advance(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
        if let Some(lines) = &self.lines {
            let mut lines = lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            lines.done += 1;
            if lines.last.elapsed() >= LINE_EVERY {
                lines.last = Instant::now();
                tracing::info!(task = self.name, done = lines.done, of = self.count, "working");
            }
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
