"""An office with a store of its own, for the stories that are told with real issue systems: passes are painted and worked, a
reviewer decides through the API. Needs nothing but the standard library and the program."""

import base64
import hashlib
import hmac
import json
import pathlib
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
DESK = "http://127.0.0.1:8391"
PASSWORD = "river-chief-office-2024"

# kinds of the things that are painted, and what the fourth pass must say of their closure: the building was cleared away; the
# others are still there, and the network no longer sees the pit
WANTED = {
    "building": "finding.closure_supported",
    "sand_pit": "finding.closure_contradicted",
    "dump": "finding.closure_contradicted",
}


def say(text):
    print(f"\n== {text}", flush=True)


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
    """What an interface answers, read as JSON where it is some, and the cookie that it sets."""
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


def report(url, secret, identity, finding, state, at):
    """What an issue system posts to us, signed by the Standard Webhooks scheme."""
    body = json.dumps({"finding_id": finding, "state": state, "at": at}).encode()
    now = str(int(time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    code = base64.b64encode(hmac.new(key, f"{identity}.{now}.".encode() + body, hashlib.sha256).digest()).decode()
    headers = {"webhook-id": identity, "webhook-timestamp": now, "webhook-signature": f"v1,{code}"}
    request = urllib.request.Request(url, data=body, method="POST", headers=headers)
    with urllib.request.urlopen(request) as answer:
        print(f"  {finding} {state}: {answer.read().decode()}")


class Office:
    """The program at a configuration whose passes and products lie in `out`; what it starts ends with `close`."""

    def __init__(self, program, config, out):
        self.program, self.config, self.out, self.running = program, config, out, []

    def shorewatch(self, *arguments, fine=(0,)):
        done = subprocess.run([self.program, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        if done.returncode not in fine:
            sys.exit(f"shorewatch {' '.join(arguments)}: exit code {done.returncode}\n{done.stdout}")
        return done.stdout

    def start(self, *command, log):
        file = open(self.out / log, "w")
        self.running.append(subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT))

    def close(self):
        for process in self.running:
            process.terminate()

    def paint(self):
        shutil.rmtree(self.out / "passes", ignore_errors=True)
        (self.out / "passes").mkdir(parents=True)
        self.shorewatch("synth", "--scene", "closures", "--out", str(self.out / "imagery"))

    def inspect(self, number):
        """So many of the painted passes have arrived."""
        for path in sorted((self.out / "imagery").glob("*.tif"))[:number]:
            shutil.copy(path, self.out / "passes")
        self.shorewatch("run", "--config", self.config, fine=(0, 3))

    def reviewer(self):
        """Starts the review server, and comes in as a reviewer."""
        added = self.shorewatch("--json", "review", "account", "add", "r-07", "--role", "reviewer", "--config", self.config)
        listen = DESK.removeprefix("http://")
        self.start(self.program, "review", "serve", "--config", self.config, "--listen", listen, "--hold-minutes", "0", log="review.log")
        until("the review server", lambda: ask("GET", f"{DESK}/health"))
        return Reviewer("r-07", json.loads(added)["password"])

    def decide(self, reviewer):
        """Confirms the patch over each painted thing of `WANTED`, and rejects what is left: findings by kind."""
        truth = json.loads((self.out / "imagery/truth.geojson").read_text())
        painted = {feature["properties"]["kind"]: box(feature) for feature in truth["features"]}
        decided = {}
        for entry in reviewer.ask("GET", "/api/queue?limit=100")["rows"]:
            patch_id = entry["patch_id"]
            detail = reviewer.ask("GET", f"/api/patches/{patch_id}")
            kind = next((kind for kind in WANTED if kind not in decided and inside(detail, painted[kind])), None)
            if kind:
                reviewer.decide(patch_id, "problem")
                case = (detail.get("case") or {}).get("case_id", f"case-{patch_id}")
                decided[kind] = "finding-" + case.removeprefix("case-")
            else:
                reviewer.decide(patch_id, "not_a_problem", reason="permitted")
        assert decided.keys() == WANTED.keys(), f"confirmed {decided}"
        return decided


class Reviewer:
    """Logs in with a one-time password, changes it, and decides."""

    def __init__(self, account, password):
        view, cookie = ask("POST", f"{DESK}/api/session", {"account": account, "password": password})
        headers = {"Cookie": cookie, "x-csrf-token": view["csrf"]}
        view, cookie = ask("POST", f"{DESK}/api/password", {"old": password, "new": PASSWORD}, headers)
        self.headers = {"Cookie": cookie, "x-csrf-token": view["csrf"]}
        self.versions = {}

    def ask(self, method, path, body=None):
        return ask(method, f"{DESK}{path}", body, self.headers)[0]

    def decide(self, patch_id, verdict, **more):
        """The first decision on a patch, or a new one after those that were made here."""
        version = self.versions.get(patch_id, 0)
        body = {"decision_id": f"decision-{patch_id}-{version}", "on_version": version, "verdict": verdict, **more}
        self.ask("POST", f"/api/patches/{patch_id}/lease")
        self.ask("POST", f"/api/patches/{patch_id}/decisions", body)
        self.versions[patch_id] = version + 1
        print(f"  {patch_id}: {verdict}")


def box(feature):
    ring = feature["geometry"]["coordinates"][0]
    return min(x for x, _ in ring), max(x for x, _ in ring), min(y for _, y in ring), max(y for _, y in ring)


def inside(detail, bounds):
    west, east, south, north = bounds
    patch = detail.get("patch", detail)
    x, y = patch.get("centre") or (patch["centre_longitude"], patch["centre_latitude"])
    return west <= x <= east and south <= y <= north
