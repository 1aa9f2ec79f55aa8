//! The served review page, asked over plain sockets.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use super::Place;

/// What a server answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    /// The body where it is JSON, else null.
    pub(crate) json: Value,
    pub(crate) body: Vec<u8>,
}

/// Asks a server; `None` where it gave no whole answer.
pub(crate) fn ask(host: &str, method: &str, path: &str, headers: &str, body: &Value) -> Option<Answer> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut stream = TcpStream::connect(host).ok()?;
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: application/json\r\n");
    write!(stream, "{head}{headers}content-length: {length}\r\n\r\n{body}").ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let body = answer.split_off(end + 4);
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    if length.is_some_and(|length| length != body.len()) {
        return None;
    }
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, head, json: serde_json::from_slice(&body).unwrap_or_default(), body })
}

/// The headers of a session, from the answer that began it.
pub(crate) fn session_headers(answer: &Answer) -> String {
    let cookie = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
    let cookie = cookie.split(';').next().expect("its value");
    format!("cookie: {cookie}\r\nx-csrf-token: {}\r\n", answer.json["csrf"].as_str().expect("a token"))
}

/// A served page; killed if the test ends early.
pub(crate) struct Served {
    process: Child,
    /// What it said when it was ready.
    pub(crate) first: Value,
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.process.kill());
    }
}

impl Served {
    pub(crate) fn begin(place: &Place, config: &str) -> Self {
        let arguments = ["review", "serve", "--config", config, "--listen", "127.0.0.1:0", "--json"];
        let mut process = place.command(&arguments).stdout(Stdio::piped()).spawn().expect("the binary runs");
        let mut output = BufReader::new(process.stdout.take().expect("its output"));
        let (mut told, mut first) = (String::new(), Value::Null);
        while first.is_null() {
            let read = output.read_line(&mut told).expect("a line");
            assert!(read > 0, "it ended: {told}");
            first = serde_json::from_str(&told).unwrap_or_default();
        }
        Self { process, first }
    }

    /// Host and port that it listens at.
    pub(crate) fn host(&self) -> &str {
        self.first["page"].as_str().expect("an address").trim_start_matches("http://")
    }

    pub(crate) fn ask(&self, method: &str, path: &str, headers: &str, body: &Value) -> Answer {
        ask(self.host(), method, path, headers, body).expect("answered")
    }

    /// Logs a new account in, with a password of its own; gives the headers of its session.
    pub(crate) fn log_in(&self, account: &str, one_time: &Value) -> String {
        let first = self.ask("POST", "/api/session", "", &json!({ "account": account, "password": one_time }));
        assert_eq!((first.status, &first.json["password_due"]), (200, &json!(true)), "{}", first.head);
        let new = json!({ "old": one_time, "new": "quiet water under bridges" });
        let changed = self.ask("POST", "/api/password", &session_headers(&first), &new);
        assert_eq!(changed.status, 200, "{}", changed.json);
        session_headers(&changed)
    }

    /// Ends it as an operator does.
    pub(crate) fn end(&mut self) {
        let pid = self.process.id().to_string();
        assert!(std::process::Command::new("kill").arg(pid).status().expect("kill runs").success());
        assert!(self.process.wait().expect("ended").success());
    }

    /// Ends it in the middle of whatever it does (SIGKILL).
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("killed");
        assert!(!self.process.wait().expect("ended").success(), "it was at work when it was killed");
    }
}
