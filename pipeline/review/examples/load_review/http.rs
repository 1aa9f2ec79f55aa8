//! Many reviewers at once, over real connections to a server in a process of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::many::Chance;
use crate::{p99, round};

/// A reviewer looks at a patch for about this long before deciding.
const LOOKS_FOR: Duration = Duration::from_millis(1_500);

/// One connection that is kept.
struct Connection {
    stream: BufReader<TcpStream>,
    token: String,
}

impl Connection {
    fn new(address: SocketAddr, code: &str) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(Self { stream: BufReader::new(stream), token: format!("token of {code}") })
    }

    fn ask(&mut self, method: &str, path: &str, body: Option<&Value>) -> std::io::Result<(u16, Value)> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: load\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        let mut length = 0;
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes)?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }
}

/// A review server in a process of its own, ended when it is dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn of(store: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .arg("--serve")
            .arg(store)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a server");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("its output")).read_line(&mut line).expect("an address");
        let address = line.trim().parse().expect("an address");
        Self { process, address }
    }

    /// A field of the kernel's word on its memory (`VmRSS`, `VmHWM`), in whole MiB.
    fn memory_mib(&self, field: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap_or("");
        let kib: f64 = line.split_whitespace().nth(1).and_then(|word| word.parse().ok()).unwrap_or(0.0);
        (kib / 1024.0).round()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        Command::new("kill").arg(self.process.id().to_string()).status().expect("asked to end");
        self.process.wait().expect("ended");
    }
}

/// Reviewers at work for a while: errors, decisions, the time that 99 of 100 answers stay below, memory after each tenth.
pub(crate) fn load(store: &Path, reviewers: usize, duration: Duration) -> Value {
    let server = Server::of(store);
    let address = server.address;
    let (errors, decisions) = (AtomicU64::new(0), AtomicU64::new(0));
    let begun = Instant::now();
    let (times, memory) = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..reviewers)
            .map(|i| {
                let (errors, decisions) = (&errors, &decisions);
                scope.spawn(move || reviewer(address, i, begun + duration, errors, decisions))
            })
            .collect();
        let memory: Vec<f64> = (0..10)
            .map(|_| {
                std::thread::sleep(duration / 10);
                server.memory_mib("VmRSS:")
            })
            .collect();
        let times: Vec<Duration> = workers.into_iter().flat_map(|worker| worker.join().expect("a reviewer")).collect();
        (times, memory)
    });
    let (requests, seconds) = (times.len(), begun.elapsed().as_secs_f64());
    json!({
        "errors": errors.load(Ordering::Relaxed),
        "decisions": decisions.load(Ordering::Relaxed),
        "requests": requests,
        "requests_per_s": round(requests as f64 / seconds),
        "p99_ms": round(p99(times)),
        "memory_mib": server.memory_mib("VmHWM:"),
        "memory_each_tenth_mib": memory,
    })
}

fn reviewer(address: SocketAddr, i: usize, until: Instant, errors: &AtomicU64, decisions: &AtomicU64) -> Vec<Duration> {
    let mut chance = Chance::new(100 + i as u64);
    let mut times = Vec::new();
    let mut connection = Connection::new(address, &format!("load-{i}")).expect("a connection");
    let mut number = 0_u64;
    // they do not all begin at once
    std::thread::sleep(LOOKS_FOR.mul_f64(share(&mut chance)));
    while Instant::now() < until {
        let mut ask = |method: &str, path: &str, body: Option<&Value>| {
            let begun = Instant::now();
            let answer = connection.ask(method, path, body);
            times.push(begun.elapsed());
            match answer {
                Ok((200, value)) => Some(value),
                other => {
                    crate::eprintln_if(&format!("{method} {path}: {other:?}"));
                    errors.fetch_add(1, Ordering::Relaxed);
                    None
                }
            }
        };
        let Some(next) = ask("POST", "/api/next", Some(&json!({}))) else { continue };
        let Some(id) = next["patch"]["patch_id"].as_str().map(str::to_owned) else { continue };
        let Some(detail) = ask("GET", &format!("/api/patches/{id}"), None) else { continue };
        ask("GET", &format!("/api/patches/{id}/layers"), None);
        std::thread::sleep(LOOKS_FOR.mul_f64(0.5 + share(&mut chance)));
        number += 1;
        let decision = json!({
            "decision_id": format!("load-{i}-{number}-{}", std::process::id()),
            "verdict": if number.is_multiple_of(3) { "problem" } else { "under_watch" },
            "on_version": detail["review"]["version"],
            "seconds": 1.5,
        });
        if ask("POST", &format!("/api/patches/{id}/decisions"), Some(&decision)).is_some() {
            decisions.fetch_add(1, Ordering::Relaxed);
        }
        if number.is_multiple_of(10) {
            ask("GET", "/api/queue?limit=60", None);
        }
    }
    times
}

fn share(chance: &mut Chance) -> f64 {
    crate::many::place(chance).0.fract()
}
