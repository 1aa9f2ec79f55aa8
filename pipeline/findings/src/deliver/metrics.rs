//! Figures in the text format of Prometheus.

use std::fmt::Write as _;

use jiff::Timestamp;
use shorewatch_store::outbox::deliveries::TargetStanding;

/// Reads one figure of a target.
type Figure<'a> = &'a dyn Fn(&TargetStanding) -> Option<f64>;

/// The figures of all targets.
#[must_use]
pub fn metrics(targets: &[TargetStanding], now: Timestamp) -> String {
    let age = |target: &TargetStanding| target.oldest_waiting.map(|since| now.duration_since(since).as_secs_f64());
    let figures: [(&str, &str, &str, Figure<'_>); 8] = [
        ("waiting", "gauge", "Messages that wait.", &|target| Some(target.waiting as f64)),
        ("delivered_total", "counter", "Messages that the target took.", &|target| Some(target.delivered as f64)),
        ("joined_total", "counter", "Messages that others said.", &|target| Some(target.joined as f64)),
        ("attempts_total", "counter", "Tries.", &|target| Some(target.attempts as f64)),
        ("dead_letters", "gauge", "Messages that cannot be delivered as they are.", &|target| Some(target.dead as f64)),
        ("failures_in_a_row", "gauge", "Failures since the last success.", &|target| Some(f64::from(target.failures))),
        ("disabled", "gauge", "1 where the target wants nothing any more.", &|target| {
            Some(f64::from(u8::from(target.disabled_reason.is_some())))
        }),
        ("oldest_waiting_seconds", "gauge", "Age of the oldest message that waits.", &age),
    ];
    let mut text = String::new();
    for (name, kind, help, figure) in figures {
        let _ = writeln!(text, "# HELP shorewatch_delivery_{name} {help}\n# TYPE shorewatch_delivery_{name} {kind}");
        for target in targets {
            if let Some(value) = figure(target) {
                let label = target.name.replace('\\', "\\\\").replace('"', "\\\"");
                let _ = writeln!(text, "shorewatch_delivery_{name}{{target=\"{label}\"}} {value}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_target() {
        let now: Timestamp = "2024-06-01T00:01:00Z".parse().expect("a time");
        let target = TargetStanding {
            name: "tracker".to_owned(),
            waiting: 3,
            oldest_waiting: Some("2024-06-01T00:00:00Z".parse().expect("a time")),
            ..TargetStanding::default()
        };
        let text = metrics(&[target], now);
        assert!(text.contains("shorewatch_delivery_waiting{target=\"tracker\"} 3\n"), "{text}");
        assert!(text.contains("shorewatch_delivery_oldest_waiting_seconds{target=\"tracker\"} 60\n"), "{text}");
    }
}
