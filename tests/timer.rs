//! The examples for timers: they parse, and what they start is a command of this program.

#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod common;

use std::fs;
use std::process::Command;

use clap::Parser;
use common::{SHOREWATCH, root, text};
use shorewatch::cli::{self, Cli};

const INSTALLED: &str = "/usr/local/bin/shorewatch";

fn example(name: &str) -> String {
    fs::read_to_string(root().join("configs").join(name)).expect(name)
}

/// True for a scheduled run of the installed program.
fn is_scheduled_run(command: &str) -> bool {
    let words: Vec<&str> = command.split_whitespace().collect();
    let parsed = Cli::try_parse_from(&words).unwrap_or_else(|fault| panic!("{command}: {fault}"));
    words[0] == INSTALLED && matches!(parsed.command, cli::Command::Run { due: true, today: None, .. })
}

#[test]
fn the_service_starts_a_scheduled_run_with_little_power() {
    let service = example("shorewatch.service");
    let value = |key: &str| {
        let prefix = format!("{key}=");
        service
            .lines()
            .find_map(|line| line.strip_prefix(prefix.as_str()))
            .unwrap_or_else(|| panic!("{key} is missing"))
    };
    assert!(is_scheduled_run(value("ExecStart")));
    for (key, expected) in [
        ("Type", "oneshot"),
        ("User", "shorewatch"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateNetwork", "yes"),
        ("NoNewPrivileges", "yes"),
        ("CapabilityBoundingSet", ""),
    ] {
        assert_eq!(value(key), expected, "{key}");
    }
    assert!(example("shorewatch.timer").contains("OnCalendar=hourly"));
}

#[test]
fn systemd_accepts_the_units() {
    let version = Command::new("systemd-analyze").arg("--version").output();
    if !version.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: systemd-analyze is not here, so the units were only read as text");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    // the program is not installed on this machine: the one under test stands in
    let service = example("shorewatch.service").replace(INSTALLED, SHOREWATCH);
    let verify = |service: &str| {
        let path = |name: &str| folder.path().join(name);
        fs::write(path("shorewatch.service"), service).expect("written");
        fs::write(path("shorewatch.timer"), example("shorewatch.timer")).expect("written");
        let mut command = Command::new("systemd-analyze");
        command.args(["verify", "--man=no"]).args([path("shorewatch.service"), path("shorewatch.timer")]);
        text(&command.output().expect("systemd-analyze runs"))
    };
    // what it says of other units of the machine does not matter
    let about_ours =
        |said: &str| said.lines().any(|line| line.contains("shorewatch.service") || line.contains("shorewatch.timer"));
    let said = verify(&service);
    assert!(!about_ours(&said), "{said}");
    let said = verify(&service.replace("ProtectSystem=strict", "ProtectSystem=rather"));
    assert!(about_ours(&said), "a wrong unit would be seen: {said}");
}

#[test]
fn the_line_for_cron_starts_a_scheduled_run() {
    let file = example("shorewatch.cron");
    let jobs: Vec<&str> = file
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#') && !line.starts_with("MAILTO="))
        .collect();
    let [job] = jobs.as_slice() else { panic!("one job: {jobs:?}") };
    let fields: Vec<&str> = job.splitn(7, ' ').collect();
    assert!(fields[..5].iter().all(|field| *field == "*" || field.parse::<u8>().is_ok_and(|number| number < 60)));
    assert_eq!(fields[5], "shorewatch", "the user");
    assert!(!fields[6].contains('%'), "cron makes a new line of it");
    let command = fields[6].strip_suffix(" >/dev/null").expect("the summary is dropped");
    assert!(is_scheduled_run(command));
}
