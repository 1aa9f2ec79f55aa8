//! The receiver: it keeps what it took, does nothing for an id that it knows, and fails by dice.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use serde_json::Value;
use shorewatch_findings::secret::Secret;
use shorewatch_findings::signature;
use tokio::net::TcpListener;

use super::{Dice, SECRET_TEXT};

type Body = BoxBody<Bytes, Infallible>;

/// What the receiver did with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    None,
    ResetBefore,
    LostAfterCommit,
    Error500,
    TooMany,
    Unavailable,
    Redirect,
    SlowBody,
    HangAfterCommit,
    SkewedClock,
    Twice,
    Late,
}

/// A finding as the receiver has it.
#[derive(Debug, Clone, Default)]
pub struct Issue {
    /// Types of messages in the order of their first arrival.
    pub told: Vec<String>,
    /// Times of these messages.
    pub times: Vec<Timestamp>,
    /// Revisions of these messages.
    pub revisions: Vec<u64>,
    /// Issues that were opened for it.
    pub opened: u32,
    /// It stands.
    pub stands: bool,
    /// What was last said of its severity.
    pub severity: String,
}

/// What the receiver keeps.
#[derive(Debug, Default)]
pub struct Kept {
    pub ids: BTreeSet<String>,
    pub issues: BTreeMap<String, Issue>,
    /// Requests that came with a known id.
    pub repeats: u64,
    /// Requests.
    pub requests: u64,
    /// Requests that nobody should have sent here (a redirect that was followed).
    pub strays: u64,
    /// Faults by kind.
    pub faults: BTreeMap<Fault, u64>,
    /// Requests whose signature did not hold.
    pub bad_signatures: u64,
    /// The first message that was taken.
    pub sample: Option<Value>,
    /// As it came: id, timestamp, signature, body.
    pub raw: Option<[String; 4]>,
    /// Every path and status by plan, for scripted answers.
    pub seen: Vec<String>,
}

/// An answer by script: status and headers.
pub type Scripted = (u16, Vec<(&'static str, String)>);

/// A running receiver.
#[derive(Clone)]
pub struct Receiver {
    pub address: SocketAddr,
    pub kept: Arc<Mutex<Kept>>,
    /// Faults in a thousand requests; 0 is a receiver without fault.
    pub per_mille: Arc<std::sync::atomic::AtomicU64>,
    /// Scripted answers, used up one a request: status and headers.
    pub script: Arc<Mutex<Vec<Scripted>>>,
}

impl Receiver {
    /// Starts one, in a runtime of its own.
    pub fn start(per_mille: u64) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let receiver = Self {
            address: listener.local_addr().expect("an address"),
            kept: Arc::default(),
            per_mille: Arc::new(per_mille.into()),
            script: Arc::default(),
        };
        let own = receiver.clone();
        std::thread::spawn(move || runtime.block_on(own.serve(listener)));
        receiver
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub fn host(&self) -> String {
        self.address.to_string()
    }

    async fn serve(self, listener: TcpListener) {
        let seed = Arc::new(Mutex::new(Dice(7)));
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let _ = stream.set_nodelay(true);
            let (own, seed) = (self.clone(), Arc::clone(&seed));
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let (own, seed) = (own.clone(), Arc::clone(&seed));
                    async move { own.answer(request, &seed).await }
                });
                let _ =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }

    async fn answer(&self, request: Request<Incoming>, dice: &Mutex<Dice>) -> Result<Response<Body>, &'static str> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| "cut off")?.to_bytes();
        let fault = self.draw(dice);
        {
            let mut kept = self.kept.lock().expect("kept");
            kept.requests += 1;
            *kept.faults.entry(fault).or_default() += 1;
            if head.uri.path() != "/hook" {
                kept.strays += 1;
                return Ok(plain(200));
            }
        }
        let scripted = self.script.lock().expect("a script").pop();
        if let Some((status, headers)) = scripted.filter(|(status, _)| *status != 0) {
            let mut response = plain(status);
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().expect("a value"));
            }
            return Ok(response);
        }
        let header =
            |name: &'static str| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        match fault {
            Fault::ResetBefore => return Err("reset"),
            Fault::Error500 => return Ok(plain(500)),
            Fault::TooMany => return Ok(with(429, "retry-after", "0")),
            Fault::Unavailable => return Ok(with(503, "retry-after", "0")),
            Fault::Redirect => return Ok(with(307, "location", &format!("http://{}/elsewhere", self.address))),
            Fault::Late => tokio::time::sleep(Duration::from_millis(60)).await,
            _ => {}
        }
        let skew =
            if fault == Fault::SkewedClock { jiff::SignedDuration::from_mins(11) } else { jiff::SignedDuration::ZERO };
        let now = Timestamp::now() + skew;
        let secrets = [Secret::new(SECRET_TEXT)];
        let Ok(id) = signature::verify(&secrets, header, &body, now) else {
            if fault != Fault::SkewedClock {
                self.kept.lock().expect("kept").bad_signatures += 1;
            }
            return Ok(plain(401));
        };
        let message: Value = serde_json::from_slice(&body).map_err(|_| "no JSON")?;
        let part = |name| header(name).unwrap_or_default();
        let raw = [part(signature::ID), part(signature::TIMESTAMP), part(signature::SIGNATURE)];
        let [first, second, third] = raw;
        let text = String::from_utf8_lossy(&body).into_owned();
        self.kept.lock().expect("kept").raw.get_or_insert([first, second, third, text]);
        self.commit(&id, &message);
        match fault {
            Fault::Twice => self.commit(&id, &message),
            Fault::LostAfterCommit => return Err("lost"),
            Fault::HangAfterCommit => tokio::time::sleep(Duration::from_millis(2_500)).await,
            Fault::SlowBody => return Ok(slow()),
            _ => {}
        }
        Ok(plain(200))
    }

    fn draw(&self, dice: &Mutex<Dice>) -> Fault {
        let mut dice = dice.lock().expect("dice");
        let per_mille = self.per_mille.load(std::sync::atomic::Ordering::Relaxed);
        if dice.roll(1_000) >= per_mille {
            return Fault::None;
        }
        match dice.roll(100) {
            0..=17 => Fault::ResetBefore,
            18..=37 => Fault::LostAfterCommit,
            38..=52 => Fault::Error500,
            53..=60 => Fault::TooMany,
            61..=66 => Fault::Unavailable,
            67..=71 => Fault::Redirect,
            72..=76 => Fault::SlowBody,
            77..=78 => Fault::HangAfterCommit,
            79..=82 => Fault::SkewedClock,
            83..=90 => Fault::Twice,
            _ => Fault::Late,
        }
    }

    /// What a good receiver does: nothing for an id that it knows.
    fn commit(&self, id: &str, message: &Value) {
        let mut kept = self.kept.lock().expect("kept");
        if !kept.ids.insert(id.to_owned()) {
            kept.repeats += 1;
            return;
        }
        kept.sample.get_or_insert_with(|| message.clone());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (kind, data) = (text(&message["type"]), &message["data"]);
        let issue = kept.issues.entry(text(&message["subject"])).or_default();
        issue.told.push(kind.clone());
        issue.times.push(text(&message["time"]).parse().expect("a time"));
        issue.revisions.push(data["revision"].as_u64().unwrap_or_default());
        match kind.as_str() {
            "finding.confirmed" => {
                issue.opened += u32::from(!issue.stands);
                issue.stands = true;
            }
            "finding.withdrawn" => issue.stands = false,
            _ => {}
        }
        issue.severity = text(&data["ledger"]["severity"]);
    }
}

fn plain(status: u16) -> Response<Body> {
    let body = Full::new(Bytes::from_static(b"{}")).boxed();
    let mut response = Response::new(body);
    *response.status_mut() = hyper::StatusCode::from_u16(status).expect("a status");
    response
}

fn with(status: u16, name: &'static str, value: &str) -> Response<Body> {
    let mut response = plain(status);
    response.headers_mut().insert(name, value.parse().expect("a value"));
    response
}

/// 200 at once, and a body that takes its time.
fn slow() -> Response<Body> {
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Frame<Bytes>, Infallible>>(1);
    tokio::spawn(async move {
        for _ in 0..8 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if sender.send(Ok(Frame::data(Bytes::from_static(b"x")))).await.is_err() {
                return;
            }
        }
    });
    Response::new(BodyExt::boxed(StreamBody::new(Parts(receiver))))
}

struct Parts(tokio::sync::mpsc::Receiver<Result<Frame<Bytes>, Infallible>>);

impl futures_core::Stream for Parts {
    type Item = Result<Frame<Bytes>, Infallible>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}
