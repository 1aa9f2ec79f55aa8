//! Delivery under load: writes `faults.json`. `load_delivery OUT [FINDINGS] [QUEUED]`; see `scripts/load-delivery`.
#![allow(clippy::print_stdout, reason = "it tells its figures")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::path::Path;
use std::time::Duration;

use common::storm;

fn main() {
    if storm::be_sender() {
        return;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let out = Path::new(arguments.first().expect("usage: load_delivery OUT [FINDINGS] [QUEUED]")).to_owned();
    let number =
        |place: usize, default: usize| arguments.get(place).map_or(default, |text| text.parse().expect("a number"));
    let (findings, queued) = (number(1, 10_000), number(2, 1_000_000));
    std::fs::create_dir_all(&out).expect("a folder");
    let folder = || tempfile::TempDir::new().expect("a folder");
    let sender = storm::own_sender(&[]);

    println!("a storm over {findings} findings ...");
    let figures = storm::storm(folder().path(), findings, Duration::from_millis(600), &sender);
    println!("{figures:?}");
    println!("throughput ...");
    let events_per_s = storm::throughput(folder().path(), 10_000);
    println!("{events_per_s:.0} events/s\nmemory with 1,000 queued, and with {queued} ...");
    let (small, _) = storm::memory(folder().path(), 1_000, Duration::from_secs(10), &sender);
    let (large, delivered) = storm::memory(folder().path(), queued, Duration::from_secs(60), &sender);
    println!("{small:.0} MiB and {large:.0} MiB ({delivered} delivered meanwhile)");

    let mut told = serde_json::to_value(&figures).expect("figures");
    told["events_per_s"] = events_per_s.round().into();
    told["queued"] = queued.into();
    told["memory_mib_with_1000_queued"] = small.round().into();
    told["memory_mib_with_all_queued"] = large.round().into();
    let file = out.join("faults.json");
    std::fs::write(&file, format!("{told:#}\n")).expect("written");
    println!("{}", file.display());
    let clean = figures.lost == 0 && figures.doubled == 0 && figures.out_of_order == 0;
    assert!(clean && events_per_s >= 500.0 && large < 2.0 * small + 32.0, "not as promised: see {}", file.display());
}
