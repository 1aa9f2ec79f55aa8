"""Delivers findings to a running Redmine with the ready configuration, and checks there what it has: check.py SHOREWATCH REDMINE.
Needs nothing but the standard library; scripts/check-redmine starts it."""

import base64
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "findings"))

from office import ROOT, WANTED, Office, ask, report, say

OUT = ROOT / "out/redmine/run"
CONFIG = "scripts/redmine/run.toml"
REDMINE = sys.argv[2]
KEYS = json.loads((ROOT / "out/redmine/keys.json").read_text())
ENTRANCE, BACK = ("127.0.0.1", 8922), "http://127.0.0.1:8749"
SECRET = "whsec_" + base64.b64encode(b"painted, not real").decode()


class LosesAnswers(http.server.BaseHTTPRequestHandler):
    """Hands requests on to Redmine, and loses the answers to those that make or change something as long as `to_lose` lasts."""

    to_lose, lock = 0, threading.Lock()

    def hand_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        upstream = http.client.HTTPConnection(urllib.parse.urlsplit(REDMINE).netloc, timeout=60)
        upstream.request(self.command, self.path, body or None, dict(self.headers))
        answer = upstream.getresponse()
        content = answer.read()
        with self.lock:
            lost = self.command != "GET" and LosesAnswers.to_lose > 0
            LosesAnswers.to_lose -= lost
        if lost:
            self.close_connection = True
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers.get("Content-Type") or "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = hand_on

    def log_message(self, *_):
        pass


def redmine(method, path, body=None, key="office"):
    return ask(method, f"{REDMINE}/{path}", body, {"X-Redmine-API-Key": KEYS[key]})[0]


def issue_of(finding):
    """The one issue of a finding, with what was noted."""
    query = f"issues.json?project_id=shorewatch&status_id=*&limit=100&subject=~{finding}"
    found = redmine("GET", query)["issues"]
    expect(f"{finding}: one issue", len(found), 1)
    return redmine("GET", f"issues/{found[0]['id']}.json?include=journals")["issue"]


def notes(issue):
    return [journal["notes"] for journal in issue["journals"] if journal.get("notes")]


def expect(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: expected {wanted!r}, got {got!r}")


def contains(what, text, *wanted):
    for part in wanted:
        if part not in text:
            sys.exit(f"{what}: expected {part!r} in:\n{text}")


def deliver(office, key="shorewatch", dead=0):
    """Delivers until nothing waits: what had no answer is tried again after some seconds."""
    os.environ["SHOREWATCH_CHECK_REDMINE_KEY"] = KEYS[key]
    for _ in range(12):
        told = office.shorewatch("deliver", "--config", CONFIG, fine=(0, 6))
        waiting, dead_now = (int(re.search(rf"redmine: .*?(\d+) {word}", told)[1]) for word in ("waiting", "dead"))
        if waiting == 0:
            break
        time.sleep(3)
    print("  " + told.splitlines()[0])
    expect("messages that wait", waiting, 0)
    expect("answers still to be lost", LosesAnswers.to_lose, 0)
    if dead_now != dead:
        sys.exit(f"dead letters: expected {dead}, got {dead_now}\n" + office.shorewatch("deliver", "status", "--config", CONFIG, fine=(0, 6)))


def our_state(finding):
    """What our store knows of the state of the issue."""
    with contextlib.closing(sqlite3.connect(f"file:{OUT}/shorewatch.gpkg?mode=ro", uri=True)) as store:
        rows = store.execute("SELECT issue_state FROM findings WHERE finding_id = ?", (finding,)).fetchall()
    expect(f"{finding}: rows in the store", len(rows), 1)
    return rows[0][0]


def photograph(issue, name):
    """The page of an issue as somebody of the office sees it, into out/redmine/pictures."""
    if not shutil.which("chromium"):
        print("  no chromium: no photograph (apt-get install chromium)")
        return
    folder = ROOT / "out/redmine/pictures"
    folder.mkdir(exist_ok=True)
    address = f"{REDMINE}/issues/{issue['id']}?key={KEYS['office']}"
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1400,1500", f"--user-data-dir={OUT}/browser"]
    command = ["chromium", *options, f"--screenshot={folder / name}", address]
    subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    print(f"  {(folder / name).relative_to(ROOT)}")


def main():
    os.environ["SHOREWATCH_CHECK_LINKS_SECRET"] = os.environ["SHOREWATCH_CHECK_REPORT_SECRET"] = SECRET
    os.environ["SHOREWATCH_CHECK_REDMINE_KEY"] = KEYS["shorewatch"]
    shutil.rmtree(OUT, ignore_errors=True)
    server = http.server.ThreadingHTTPServer(ENTRANCE, LosesAnswers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    office = Office(sys.argv[1], CONFIG, OUT)
    say("painting four passes (not real imagery); three of them arrive, and a reviewer confirms what they show")
    office.paint()
    office.inspect(3)
    try:
        reviewer = office.reviewer()
        office.start(office.program, "deliver", "receive", "--config", CONFIG, log="receive.log")
        check(office, reviewer, office.decide(reviewer))
    finally:
        office.close()


def check(office, reviewer, findings):
    patches = {kind: finding.removeprefix("finding-") for kind, finding in findings.items()}

    say("each finding becomes one issue, though the answers to the making of two are lost")
    LosesAnswers.to_lose = 2
    deliver(office)
    for kind, finding in findings.items():
        issue = issue_of(finding)
        print(f"  #{issue['id']} {issue['subject']}")
        expect(f"{kind}: author", issue["author"]["name"], "Shorewatch inspection")
        expect(f"{kind}: status", issue["status"]["name"], "New")
        expect(f"{kind}: priority of a major one", issue["priority"]["name"], "Urgent")
        expect(f"{kind}: notes", notes(issue), [])
        told = ["青川", "m²", "CGCS2000", f"first answer by {issue['due_date']}", finding, "Painted imagery"]
        contains(f"{kind}: description", issue["description"], *told)
        picture = re.search(r"http://127\.0\.0\.1:8749/\S+/after\S+", issue["description"])
        with urllib.request.urlopen(picture[0]) as answer:
            expect(f"{kind}: picture by link", answer.read(4), b"\x89PNG")

    say("closure of all is asked for; a fourth pass says what it shows")
    for kind, finding in findings.items():
        redmine("PUT", f"issues/{issue_of(finding)['id']}.json", {"issue": {"status_id": 3}})
        # signed, since what is polled would carry today's date and the painted passes are older
        report(f"{BACK}/reports/redmine", SECRET, f"check-{kind}", finding, "closure_requested", "2024-08-01T00:00:00Z")
    office.inspect(4)
    LosesAnswers.to_lose = 1
    deliver(office)
    for kind, finding in findings.items():
        issue = issue_of(finding)
        supported = WANTED[kind] == "finding.closure_supported"
        expect(f"{kind}: status", issue["status"]["name"], "Resolved" if supported else "In Progress")
        expect(f"{kind}: notes", len(notes(issue)), 1)
        contains(f"{kind}: note", notes(issue)[0], "2024-09-10", "supports" if supported else "contradicts")
        print(f"  {kind}: {notes(issue)[0].splitlines()[0]}")

    say("a correction changes the issue of its finding, and is noted once though the answer is lost")
    before = issue_of(findings["building"])
    reviewer.decide(patches["building"], "problem", corrected={"severity": "serious", "issue_class": "occupation"})
    LosesAnswers.to_lose = 1
    deliver(office)
    issue = issue_of(findings["building"])
    expect("notes after a correction", len(notes(issue)), 2)
    contains("subject after a correction", issue["subject"], "occupation")
    contains("note of a correction", notes(issue)[1], "occupation", "serious")
    expect("priority of a serious one", issue["priority"]["name"], "High")
    photograph(issue, "issue-corrected.png")
    if issue["subject"] == before["subject"]:
        sys.exit("the subject was not changed")

    say("what is withdrawn is rejected in Redmine; confirmed again it is open again")
    reviewer.decide(patches["dump"], "not_a_problem", reason="permitted")
    LosesAnswers.to_lose = 1
    deliver(office)
    issue = issue_of(findings["dump"])
    expect("status of what is withdrawn", issue["status"]["name"], "Rejected")
    expect("notes of what is withdrawn", len(notes(issue)), 2)
    photograph(issue, "issue-withdrawn.png")
    if not issue["closed_on"]:
        sys.exit("what is withdrawn was not closed")
    reviewer.decide(patches["dump"], "problem")
    deliver(office)
    expect("status of what is confirmed again", issue_of(findings["dump"])["status"]["name"], "In Progress")

    say("states of Redmine come back")
    for status, name, state in [(2, "In Progress", "rectifying"), (6, "Rejected", "returned"), (3, "Resolved", "closure_requested")]:
        for finding in findings.values():
            redmine("PUT", f"issues/{issue_of(finding)['id']}.json", {"issue": {"status_id": status}})
        deliver(office)
        for finding in findings.values():
            expect(f"{finding}: our state after {name}", our_state(finding), state)
        print(f"  {name}: {state}")

    redmine("PUT", f"issues/{issue_of(findings['building'])['id']}.json", {"issue": {"status_id": 5}})
    deliver(office)
    expect("our state after Closed", our_state(findings["building"]), "closed")

    say("an account that may not set the status is told of: Redmine says that all is well, and leaves it")
    reviewer.decide(patches["sand_pit"], "not_a_problem", reason="permitted")
    deliver(office, key="narrow", dead=1)
    expect("status that was left", issue_of(findings["sand_pit"])["status"]["name"], "Resolved")
    told = office.shorewatch("deliver", "status", "--config", CONFIG, fine=(0, 6))
    contains("deliver status", told, "/issue/status/id")
    office.shorewatch("deliver", "replay", "redmine", "--config", CONFIG)
    deliver(office)
    issue = issue_of(findings["sand_pit"])
    expect("status after the account was mended", issue["status"]["name"], "Rejected")
    expect("notes of the withdrawal", sum("Withdrawn" in note for note in notes(issue)), 1)
    say("all of it holds")


main()
