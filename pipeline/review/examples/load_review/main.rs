//! Load: a store with many patches, the queries of the page on it, and many reviewers at once.
//! `load_review FOLDER RESULT.json [--patches N] [--reviewers N] [--seconds N] [--page SCRIPT]`; `scripts/load-review` runs it. The
//! script (`tests/browser/usable.js`) times the page in a browser: it prints milliseconds.

#[path = "../../tests/scene/mod.rs"]
mod scene;

mod http;
mod many;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};
use shorewatch_domain::access::Scope;
use shorewatch_review::server::asked_to_end;
use shorewatch_review::{App, Settings, serve};
use shorewatch_store::Store;
use shorewatch_store::decisions::queue::QueueFilter;
use shorewatch_store::features::{FeatureLayer, FeatureQuery};

struct Asked {
    folder: PathBuf,
    result: PathBuf,
    patches: usize,
    reviewers: usize,
    seconds: u64,
    page: Option<PathBuf>,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let first = arguments.next().expect("a folder");
    if first == "--serve" {
        return serve_store(Path::new(&arguments.next().expect("a store")));
    }
    let mut asked = Asked {
        folder: first.into(),
        result: arguments.next().expect("a file for the result").into(),
        patches: 1_000_000,
        reviewers: 100,
        seconds: 300,
        page: None,
    };
    while let Some(name) = arguments.next() {
        let value = arguments.next().expect("a value");
        if name == "--page" {
            asked.page = Some(value.into());
            continue;
        }
        let number: u64 = value.parse().expect("a number");
        match name.as_str() {
            "--patches" => asked.patches = number as usize,
            "--reviewers" => asked.reviewers = number as usize,
            "--seconds" => asked.seconds = number,
            other => panic!("unknown argument {other}"),
        }
    }
    let store = asked.folder.join("load.gpkg");
    let begun = Instant::now();
    many::fill(&store, asked.patches, asked.reviewers);
    eprintln_if(&format!("{} patches after {:.0} s", asked.patches, begun.elapsed().as_secs_f64()));
    let (queue, bbox) = queries(&store);
    eprintln_if(&format!("queue p99 {queue:.1} ms, box p99 {bbox:.1} ms"));
    let usable = asked.page.map(|script| page_usable_ms(&store, &script));
    let load = http::load(&store, asked.reviewers, Duration::from_secs(asked.seconds));
    let mut told = json!({
        "patches": asked.patches,
        "queue_p99_ms": round(queue),
        "bbox_p99_ms": round(bbox),
        "page_usable_ms": usable,
        "reviewers": asked.reviewers,
        "seconds": asked.seconds,
    });
    if let (Some(told), Value::Object(load)) = (told.as_object_mut(), load) {
        told.extend(load);
    }
    std::fs::create_dir_all(asked.result.parent().expect("a folder")).expect("a folder");
    std::fs::write(&asked.result, format!("{told:#}\n")).expect("written");
    eprintln_if(&format!("{told:#}"));
}

/// Progress for who runs it.
fn eprintln_if(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

fn round(milliseconds: f64) -> f64 {
    (milliseconds * 10.0).round() / 10.0
}

/// The time that 99 of 100 stay below, in milliseconds.
fn p99(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len().saturating_sub(1) * 99 / 100).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}

/// Pages of the queue by every filter, and boxes of many sizes, as the page asks them.
fn queries(store: &Path) -> (f64, f64) {
    let store = Store::open_read_only(store).expect("a store");
    let now = Timestamp::now();
    let mut chance = many::Chance::new(11);
    let (mut queue, mut boxes) = (Vec::new(), Vec::new());
    for i in 0..2_000 {
        let scopes = ["all", "unit:4601", "unit:460107", "reach:LOAD-R07", "unit:460107,reach:LOAD-R03"];
        let mut filter =
            QueueFilter { scope: scopes[i % scopes.len()].parse().expect("a scope"), ..QueueFilter::default() };
        match i % 6 {
            1 => filter.issue_class = Some("mining".to_owned()),
            2 => filter.severity = Some("major".to_owned()),
            3 => filter.county = Some(format!("4601{:02}", i % 30)),
            4 => filter.reach_id = Some(format!("LOAD-R{:02}", i % 20)),
            5 => filter.since = now.checked_sub(jiff::SignedDuration::from_hours(24 * 400)).ok(),
            _ => {}
        }
        let begun = Instant::now();
        let page = store.queue(&filter, "r-1", now, 50).expect("a page");
        queue.push(begun.elapsed());
        filter.after = page.last().map(|row| row.key);
        let begun = Instant::now();
        store.queue(&filter, "r-1", now, 50).expect("a page");
        queue.push(begun.elapsed());
        let (x, y) = many::place(&mut chance);
        let edge = [0.005, 0.02, 0.1, 0.5][i % 4];
        let query =
            FeatureQuery { scope: Scope::all(), bbox: Some([x, y, x + edge, y + edge]), ..FeatureQuery::default() };
        let begun = Instant::now();
        store.feature_page(FeatureLayer::Patches, &query, 100).expect("a page");
        boxes.push(begun.elapsed());
    }
    (p99(queue), p99(boxes))
}

/// How long a browser takes from asking for the page until a reviewer can decide, told by the script.
fn page_usable_ms(store: &Path, script: &Path) -> f64 {
    let server = http::Server::of(store);
    let told = std::process::Command::new("node")
        .arg(script)
        .args([&format!("http://{}", server.address), "load-0", scene::PASSWORD])
        .output()
        .expect("node");
    let text = String::from_utf8_lossy(&told.stdout);
    text.trim().parse().unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&told.stderr)))
}

fn serve_store(store: &Path) {
    let settings = Settings { requests_per_second: 10_000, ..Settings::of_store(store.to_owned()) };
    let app = App::open(settings, Timestamp::now()).expect("a store");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("an address");
    let mut out = std::io::stdout().lock();
    std::io::Write::write_all(&mut out, format!("{}\n", listener.local_addr().expect("an address")).as_bytes())
        .and_then(|()| std::io::Write::flush(&mut out))
        .expect("told");
    drop(out);
    serve(&app, listener, asked_to_end(), || {}).expect("served");
}
