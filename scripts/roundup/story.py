"""Tells the story of scripts/demo: story.py SHOREWATCH. Needs nothing but the standard library and the tracker's."""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "out/demo/findings"
CONFIG = "configs/demo-findings.toml"
TRACKER, DESK, BACK = "http://127.0.0.1:8918", "http://127.0.0.1:8391", "http://127.0.0.1:8748"
SECRET = "whsec_" + base64.b64encode(b"painted, not real").decode()
PASSWORD = "river-chief-office-2024"
SHOREWATCH = sys.argv[1]

# what was painted, and what the fourth pass must say of its closure: the building was cleared away; the others are still there,
# and the network no longer sees the pit
WANTED = {
    "building": "finding.closure_supported",
    "sand_pit": "finding.closure_contradicted",
    "dump": "finding.closure_contradicted",
}


def say(text):
    print(f"\n== {text}", flush=True)


def shorewatch(*arguments, fine=(0,)):
    done = subprocess.run([SHOREWATCH, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode not in fine:
        sys.exit(f"shorewatch {' '.join(arguments)}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def start(*command, log):
    file = open(OUT / log, "w")
    return subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT)


def until(what, holds):
    for _ in range(150):
        try:
            answer = holds()
            if answer:
                return answer
        except (OSError, urllib.error.URLError):
            pass
        time.sleep(0.2)
    sys.exit(f"{what}: not within 30 s")


def ask(method, url, body=None, headers=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    if data:
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request) as answer:
            text = answer.read().decode()
            cookie = (answer.headers.get("Set-Cookie") or "").split(";")[0]
    except urllib.error.HTTPError as fault:
        sys.exit(f"{method} {url}: {fault.code} {fault.read().decode()}")
    return (json.loads(text) if text.strip().startswith(("{", "[")) else text), cookie


class Reviewer:
    """Logs in with a one-time password, changes it, and decides."""

    def __init__(self, account, password):
        view, cookie = ask("POST", f"{DESK}/api/session", {"account": account, "password": password})
        headers = {"Cookie": cookie, "x-csrf-token": view["csrf"]}
        view, cookie = ask("POST", f"{DESK}/api/password", {"old": password, "new": PASSWORD}, headers)
        self.headers = {"Cookie": cookie, "x-csrf-token": view["csrf"]}

    def ask(self, method, path, body=None):
        return ask(method, f"{DESK}{path}", body, self.headers)[0]


def tracker(path):
    login = base64.b64encode(b"admin:hush").decode()
    headers = {"Authorization": f"Basic {login}", "X-Requested-With": "rest", "Accept": "application/json"}
    return ask("GET", f"{TRACKER}/rest/data/{path}", None, headers)[0]["data"]


def report(number, finding, state, at):
    """What an issue system posts to us, signed by the Standard Webhooks scheme."""
    body = json.dumps({"finding_id": finding, "state": state, "at": at}).encode()
    identity, now = f"story-{number}", str(int(time.time()))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    code = base64.b64encode(hmac.new(key, f"{identity}.{now}.".encode() + body, hashlib.sha256).digest()).decode()
    headers = {"webhook-id": identity, "webhook-timestamp": now, "webhook-signature": f"v1,{code}"}
    request = urllib.request.Request(f"{BACK}/reports/roundup", data=body, method="POST", headers=headers)
    with urllib.request.urlopen(request) as answer:
        print(f"  {finding} {state}: {answer.read().decode()}")


def photograph(patch, pages):
    """The desk at a patch, and pages by name, into out/demo/pictures."""
    folder = ROOT / "out/demo/pictures"
    command = ["node", "pipeline/review/page/tests/browser/photograph.js", str(folder), DESK, "r-07", PASSWORD, patch]
    subprocess.run([*command, *(f"{name}={url}" for name, url in pages.items())], cwd=ROOT, check=True, timeout=120)
    for picture in sorted(folder.glob("*.png")):
        print(f"  {picture.relative_to(ROOT)}")


def inspect(number):
    for path in sorted((OUT / "imagery").glob("*.tif"))[:number]:
        shutil.copy(path, OUT / "passes")
    shorewatch("run", "--config", CONFIG, fine=(0, 3))


def messages(finding):
    issues = tracker(f"issue?title={finding}&@fields=title,status,messages")["collection"]
    assert len(issues) == 1, f"{finding}: {len(issues)} issues, expected 1"
    texts = [tracker(f"msg/{message['id']}/content")["data"] for message in issues[0]["messages"]]
    return issues[0], texts


def main():
    os.environ["SHOREWATCH_DEMO_TRACKER_PASSWORD"] = "hush"
    os.environ["SHOREWATCH_DEMO_REPORT_SECRET"] = SECRET
    shutil.rmtree(OUT, ignore_errors=True)
    (OUT / "passes").mkdir(parents=True)
    say("painting four passes (not real imagery); three of them arrive")
    shorewatch("synth", "--scene", "closures", "--out", str(OUT / "imagery"))
    inspect(3)
    shorewatch("export", "--config", CONFIG, "--format", "geojson")
    patches = json.loads((OUT / "patches.geojson").read_text())
    print(f"  {len(patches['features'])} suspected patches")

    running = [
        start("out/roundup/venv/bin/python", "scripts/roundup/serve.py", "out/roundup/tracker", "8918", log="tracker.log"),
        start(SHOREWATCH, "deliver", "receive", "--config", CONFIG, log="receive.log"),
    ]
    try:
        added = json.loads(shorewatch("--json", "review", "account", "add", "r-07", "--role", "reviewer", "--config", CONFIG))
        running.append(start(SHOREWATCH, "review", "serve", "--config", CONFIG, "--listen", "127.0.0.1:8391", "--hold-minutes", "0", log="review.log"))
        until("the review server", lambda: ask("GET", f"{DESK}/health"))
        until("the tracker", lambda: tracker("status"))
        story(added["password"])
    finally:
        for process in running:
            process.terminate()


def story(password):
    say("a reviewer decides through the API")
    reviewer = Reviewer("r-07", password)
    truth = json.loads((OUT / "imagery/truth.geojson").read_text())
    findings = decide(reviewer, truth)
    say("the findings reach the tracker")
    print(shorewatch("deliver", "--config", CONFIG))
    for finding in findings.values():
        issue, texts = messages(finding)
        print(f"  issue {issue['id']}: {issue['title']}")
        assert len(texts) == 1 and "finding.confirmed" in texts[0], texts

    say("the tracker asks for closure of all; a fourth pass arrives")
    for number, finding in enumerate(findings.values()):
        report(number, finding, "closure_requested", "2024-08-01T00:00:00Z")
    print(shorewatch("deliver", "status", "--config", CONFIG, fine=(0, 6)))
    inspect(4)
    print(shorewatch("deliver", "--config", CONFIG))
    pages = {"tracker-list": f"{TRACKER}/issue?@columns=id,title,status&@sort=id&@filter="}
    for kind, finding in findings.items():
        issue, texts = messages(finding)
        print(f"  {kind}: {[text.splitlines()[0].split()[0] for text in texts]}")
        assert any(WANTED[kind] in text for text in texts), (kind, texts)
        pages[f"tracker-{kind}"] = f"{TRACKER}/issue{issue['id']}"
    if shutil.which("chromium"):
        photograph(findings["dump"].removeprefix("finding-"), pages)
    else:
        print("  no chromium: no photographs (apt-get install chromium)")

    say("a package of evidence")
    package = OUT / "evidence.zip"
    print(shorewatch("evidence", "pack", findings["dump"], "--out", str(package), "--config", CONFIG))
    print(shorewatch("evidence", "verify", str(package)))
    print(shorewatch("doctor", "--config", CONFIG, fine=(0, 3)))


def decide(reviewer, truth):
    """Confirms the patch over each painted event that is followed here, and rejects what is left."""
    painted = {feature["properties"]["kind"]: box(feature) for feature in truth["features"]}
    decided = {}
    queue = reviewer.ask("GET", "/api/queue?limit=100")
    for entry in queue["rows"]:
        patch_id = entry["patch_id"]
        detail = reviewer.ask("GET", f"/api/patches/{patch_id}")
        kind = next((kind for kind in WANTED if kind not in decided and inside(detail, painted[kind])), None)
        body = {"decision_id": f"decision-{patch_id}", "on_version": 0, "verdict": "problem" if kind else "not_a_problem"}
        if not kind:
            body["reason"] = "permitted"
        reviewer.ask("POST", f"/api/patches/{patch_id}/lease")
        reviewer.ask("POST", f"/api/patches/{patch_id}/decisions", body)
        print(f"  {patch_id}: {body['verdict']}")
        if kind:
            case = (detail.get("case") or {}).get("case_id", f"case-{patch_id}")
            decided[kind] = "finding-" + case.removeprefix("case-")
    assert decided.keys() == WANTED.keys(), f"confirmed {decided}"
    return decided


def box(feature):
    ring = feature["geometry"]["coordinates"][0]
    return min(x for x, _ in ring), max(x for x, _ in ring), min(y for _, y in ring), max(y for _, y in ring)


def inside(detail, bounds):
    west, east, south, north = bounds
    patch = detail.get("patch", detail)
    x, y = patch.get("centre") or (patch["centre_longitude"], patch["centre_latitude"])
    return west <= x <= east and south <= y <= north


main()
