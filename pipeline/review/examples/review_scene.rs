//! Serves a painted scene for browser tests, load and trying things out: `review_scene FOLDER [--patches N] [--listen ADDRESS]
//! [--lease-seconds N] [--two-persons] [--provider]` (an identity provider that lets `review-1` in). Accounts and their password stand in `tests/scene/mod.rs`. Not for real work.

#[path = "../tests/scene/mod.rs"]
mod scene;

#[path = "../tests/identity_provider/mod.rs"]
mod identity_provider;

use std::io::Write as _;
use std::path::PathBuf;

use identity_provider::IdentityProvider;
use jiff::{SignedDuration, Timestamp};
use shorewatch_domain::decision::SeverityGrade;
use shorewatch_domain::decision::state::TwoPersonRule;
use shorewatch_review::server::asked_to_end;
use shorewatch_review::{App, serve};
use shorewatch_store::Store;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().expect("a folder"));
    let (mut patches, mut listen) = (60, "127.0.0.1:0".to_owned());
    let mut with_provider = false;
    let (mut lease, mut two_persons) = (SignedDuration::from_mins(5), TwoPersonRule::Never);
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().expect("a value");
        match name.as_str() {
            "--patches" => patches = value().parse().expect("a number"),
            "--listen" => listen = value(),
            "--lease-seconds" => lease = SignedDuration::from_secs(value().parse().expect("a number")),
            "--two-persons" => two_persons = TwoPersonRule::From(SeverityGrade::Major),
            "--provider" => with_provider = true,
            other => panic!("unknown argument {other}"),
        }
    }
    let scene = scene::build(&folder, patches);
    let mut settings = scene.settings();
    settings.lease = lease;
    settings.rules.two_persons = two_persons;
    let listener = std::net::TcpListener::bind(listen).expect("an address");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if with_provider {
        let provider = runtime.block_on(IdentityProvider::begin_for_browsers());
        let mut store = Store::open_existing(&scene.store, Timestamp::now()).expect("a store");
        store.link_account("review-1", &provider.issuer, "scene", Timestamp::now()).expect("linked");
        let page = format!("http://{}", listener.local_addr().expect("an address"));
        settings.provider = Some(identity_provider::settings(&provider.issuer, &page));
    }
    let app = App::open(settings, Timestamp::now()).expect("a store");
    let mut out = std::io::stdout().lock();
    writeln!(out, "http://{}", listener.local_addr().expect("an address")).expect("told");
    out.flush().expect("told");
    drop(out);
    serve(&app, listener, asked_to_end(), || {}).expect("served");
}
