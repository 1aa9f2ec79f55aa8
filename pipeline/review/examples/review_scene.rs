//! Serves a painted scene for browser tests, load and trying things out: `review_scene FOLDER [--patches N] [--listen ADDRESS]
//! [--lease-seconds N] [--two-persons] [--shown-again] [--without-sensors] [--provider]` (an identity provider that lets
//! `review-1` in). Accounts and their password stand in `tests/scene/mod.rs`. Not for real work.

#[path = "../tests/scene/mod.rs"]
mod scene;

#[path = "../tests/identity_provider/mod.rs"]
mod identity_provider;

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use identity_provider::IdentityProvider;
use jiff::{SignedDuration, Timestamp};
use shorewatch_domain::decision::DecisionVerdict;
use shorewatch_domain::decision::state::TwoPersonRule;
use shorewatch_domain::law::assessment::Severity;
use shorewatch_imagery::blocks::BlockCache;
use shorewatch_review::imagery::{CACHE_BYTES, Imagery};
use shorewatch_review::server::asked_to_end;
use shorewatch_review::{App, Settings, serve};
use shorewatch_store::outbox::Decided;
use shorewatch_store::{PatchFilter, Store};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().expect("a folder"));
    let (mut patches, mut listen) = (60, "127.0.0.1:0".to_owned());
    let mut with_provider = false;
    let (mut lease, mut two_persons) = (SignedDuration::from_mins(5), TwoPersonRule::Never);
    let (mut shown_again, mut without_sensors) = (false, false);
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().expect("a value");
        match name.as_str() {
            "--patches" => patches = value().parse().expect("a number"),
            "--listen" => listen = value(),
            "--lease-seconds" => lease = SignedDuration::from_secs(value().parse().expect("a number")),
            "--shown-again" => shown_again = true,
            "--without-sensors" => without_sensors = true,
            "--two-persons" => two_persons = TwoPersonRule::From(Severity::Major),
            "--provider" => with_provider = true,
            other => panic!("unknown argument {other}"),
        }
    }
    let scene = scene::build(&folder, patches);
    if shown_again {
        show_again(&scene);
    }
    let mut settings = scene.settings();
    settings.lease = lease;
    settings.rules.two_persons = two_persons;
    if without_sensors {
        settings.sensors.clear();
    } else {
        leave_first_pictures(&settings);
    }
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

/// Cuts the first pictures of the patches, as a run does at its end.
fn leave_first_pictures(settings: &Settings) {
    let store = Store::open_read_only(&settings.store).expect("a store");
    let passes = store.passes().expect("passes");
    let cache = Arc::new(BlockCache::new(CACHE_BYTES));
    let imagery = Imagery::new(settings.sensors.clone(), settings.limits, settings.folder(), cache);
    for stored in store.patches(&PatchFilter::default()).expect("patches").iter().take(200) {
        let pass = |id| passes.iter().find(|pass| pass.id == id).expect("a pass");
        let pair = [pass(stored.patch.pre_pass_id), pass(stored.patch.post_pass_id)];
        imagery.leave_first(&stored.patch, pair).expect("cut");
    }
}

/// A closure of the first patch that imagery contradicts, as findings leave it.
fn show_again(scene: &scene::Scene) {
    let patch_id = &scene.patch_ids[0];
    let now = Timestamp::now();
    let confirmed = Decided {
        decision_id: "confirmed-before".to_owned(),
        patch_id: patch_id.clone(),
        verdict: Some(DecisionVerdict::Problem),
        decided_at: now,
        ..Decided::default()
    };
    let mut store = Store::open_existing(&scene.store, now).expect("a store");
    store.decide_findings(&[confirmed], now, now).expect("confirmed");
    let finding_id = store.finding_or_refuse(patch_id).expect("a finding").finding_id;
    drop(store);
    let connection = rusqlite::Connection::open(&scene.store).expect("opened");
    let (closed, pass) = ("2024-06-30T00:00:00.000Z", scene.pass_ids.last().expect("a pass"));
    connection
        .execute(
            "INSERT INTO reimaging (finding_id, reason, since, created_at, answer, answered_by, answered_at)
             VALUES (?1, 'closure', ?2, ?2, 'contradicted', ?3, ?2)",
            rusqlite::params![finding_id, closed, pass],
        )
        .expect("asked for");
    connection
        .execute(
            "INSERT INTO review_requests (patch_id, finding_id, reason, pass_id, created_at)
             VALUES (?1, ?2, 'finding.closure_contradicted', ?3, ?4)",
            rusqlite::params![patch_id, finding_id, pass, closed],
        )
        .expect("shown again");
}
