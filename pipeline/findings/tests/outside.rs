//! What we sign is verified by the public libraries of Standard Webhooks in Python and Node: `scripts/check-webhooks` installs them
//! and names them in `SHOREWATCH_PYTHON` and `SHOREWATCH_NODE_PACKAGES`. Without them nothing is tested, and the test says so.

mod common;

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;

use common::receiver::Receiver;
use common::{SECRET_TEXT, decided, set_secret, settings, store, webhook};
use jiff::Timestamp;
use shorewatch_findings::deliver::{Mode, deliver};
use shorewatch_findings::secret::SecretSource;
use shorewatch_findings::settings::TargetKind;
use tempfile::TempDir;

/// Both take [secret, id, timestamp, signature, body] as JSON and fail where the signature does not hold.
const PYTHON: &str = "
import json, sys
from standardwebhooks.webhooks import Webhook
secret, i, t, s, body = json.load(sys.stdin)
Webhook(secret).verify(body, {'webhook-id': i, 'webhook-timestamp': t, 'webhook-signature': s})
";
const NODE: &str = "
const { Webhook } = require('standardwebhooks');
const [secret, i, t, s, body] = JSON.parse(require('fs').readFileSync(0, 'utf8'));
new Webhook(secret).verify(body, { 'webhook-id': i, 'webhook-timestamp': t, 'webhook-signature': s });
";

fn believes(mut command: Command, message: &[String]) -> bool {
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().expect("an interpreter");
    let text = serde_json::to_string(message).expect("JSON");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("written");
    child.wait().expect("an end").success()
}

#[test]
#[ignore = "run by scripts/check-webhooks: it needs the public libraries"]
fn public_libraries_believe_our_signatures_and_no_others() {
    let set =
        |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run scripts/check-webhooks"));
    let (python, packages) = (set("SHOREWATCH_PYTHON"), set("SHOREWATCH_NODE_PACKAGES"));
    set_secret();
    let folder = TempDir::new().expect("a folder");
    let mut office = store(folder.path());
    let now = Timestamp::now();
    office.decide_findings(&[decided(1, "p1", "problem", "general")], now, now).expect("decided");
    let receiver = Receiver::start(0);
    let mut settings = settings(folder.path(), vec![webhook("tracker", &receiver.url())], vec![receiver.host()]);
    // while the secret is being replaced: the message carries two signatures
    let new = folder.path().join("new-secret");
    std::fs::write(&new, "whsec_bmV3IHNlY3JldCBvZiBhIHRlc3Q=").expect("written");
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o600)).expect("a mode");
    if let TargetKind::Webhook { secrets, .. } = &mut settings.targets[0].kind {
        secrets.insert(0, SecretSource::File(new));
    }
    deliver(office, settings, Mode::Once, Arc::default()).expect("delivered");
    let [id, at, signature, body] = receiver.kept.lock().expect("kept").raw.clone().expect("a message");
    assert_eq!(signature.split(' ').count(), 2);

    let ask = |message: &[String]| {
        let mut in_python = Command::new(&python);
        in_python.args(["-c", PYTHON]);
        let mut in_node = Command::new("node");
        in_node.args(["-e", NODE]).env("NODE_PATH", &packages);
        (believes(in_python, message), believes(in_node, message))
    };
    let message = |secret: &str, body: &str| [secret, &id, &at, &signature, body].map(str::to_owned);
    for secret in [SECRET_TEXT, "whsec_bmV3IHNlY3JldCBvZiBhIHRlc3Q="] {
        assert_eq!(ask(&message(secret, &body)), (true, true), "{secret}");
    }
    assert_eq!(ask(&message("whsec_b3RoZXIgc2VjcmV0", &body)), (false, false));
    assert_eq!(ask(&message(SECRET_TEXT, &body.replace("p1", "p2"))), (false, false));
}
