//! Figures for Prometheus, in its text format.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the histogram of answer times, in seconds.
const BOUNDS: [f64; 8] = [0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0];

/// What was counted since the start.
#[derive(Default)]
pub struct Metrics {
    answers: Mutex<BTreeMap<(String, String, u16), u64>>,
    times: [AtomicU64; BOUNDS.len()],
    time_count: AtomicU64,
    time_micros: AtomicU64,
    /// Decisions that were recorded.
    pub decisions: AtomicU64,
    /// Decisions that met a conflict.
    pub conflicts: AtomicU64,
    /// Log-ins that failed.
    pub failed_log_ins: AtomicU64,
}

impl Metrics {
    /// Counts an answer.
    pub fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let key = (method.to_owned(), route.to_owned(), status);
        *self.answers.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default() += 1;
        for (bound, count) in BOUNDS.iter().zip(&self.times) {
            if took.as_secs_f64() <= *bound {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.time_count.fetch_add(1, Ordering::Relaxed);
        self.time_micros.fetch_add(took.as_micros() as u64, Ordering::Relaxed);
    }

    /// All of it as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::from("# TYPE shorewatch_review_answers_total counter\n");
        for ((method, route, status), count) in &*self.answers.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = writeln!(
                text,
                "shorewatch_review_answers_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}} {count}"
            );
        }
        text.push_str("# TYPE shorewatch_review_answer_seconds histogram\n");
        for (bound, count) in BOUNDS.iter().zip(&self.times) {
            let count = count.load(Ordering::Relaxed);
            let _ = writeln!(text, "shorewatch_review_answer_seconds_bucket{{le=\"{bound}\"}} {count}");
        }
        let count = self.time_count.load(Ordering::Relaxed);
        let seconds = self.time_micros.load(Ordering::Relaxed) as f64 / 1e6;
        let _ = writeln!(text, "shorewatch_review_answer_seconds_bucket{{le=\"+Inf\"}} {count}");
        let _ = writeln!(text, "shorewatch_review_answer_seconds_sum {seconds}");
        let _ = writeln!(text, "shorewatch_review_answer_seconds_count {count}");
        for (name, counter) in [
            ("decisions_total", &self.decisions),
            ("conflicts_total", &self.conflicts),
            ("failed_log_ins_total", &self.failed_log_ins),
        ] {
            let value = counter.load(Ordering::Relaxed);
            let _ = writeln!(text, "# TYPE shorewatch_review_{name} counter\nshorewatch_review_{name} {value}");
        }
        text
    }
}
