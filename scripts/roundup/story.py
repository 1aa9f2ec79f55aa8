"""Tells the story of scripts/demo: story.py SHOREWATCH. Needs nothing but the standard library and the tracker's."""

import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "findings"))

from office import DESK, PASSWORD, ROOT, WANTED, Office, ask, report, say, until

OUT = ROOT / "out/demo/findings"
CONFIG = "configs/demo-findings.toml"
TRACKER, BACK = "http://127.0.0.1:8918", "http://127.0.0.1:8748"
SECRET = "whsec_" + base64.b64encode(b"painted, not real").decode()


def tracker(path):
    login = base64.b64encode(b"admin:hush").decode()
    headers = {"Authorization": f"Basic {login}", "X-Requested-With": "rest", "Accept": "application/json"}
    return ask("GET", f"{TRACKER}/rest/data/{path}", None, headers)[0]["data"]


def photograph(patch, pages):
    """The desk at a patch, and pages by name, into out/demo/pictures."""
    folder = ROOT / "out/demo/pictures"
    command = ["node", "pipeline/review/page/tests/browser/photograph.js", str(folder), DESK, "r-07", PASSWORD, patch]
    subprocess.run([*command, *(f"{name}={url}" for name, url in pages.items())], cwd=ROOT, check=True, timeout=120)
    for picture in sorted(folder.glob("*.png")):
        print(f"  {picture.relative_to(ROOT)}")


def messages(finding):
    issues = tracker(f"issue?title={finding}&@fields=title,status,messages")["collection"]
    assert len(issues) == 1, f"{finding}: {len(issues)} issues, expected 1"
    texts = [tracker(f"msg/{message['id']}/content")["data"] for message in issues[0]["messages"]]
    return issues[0], texts


def main():
    os.environ["SHOREWATCH_DEMO_TRACKER_PASSWORD"] = "hush"
    os.environ["SHOREWATCH_DEMO_REPORT_SECRET"] = SECRET
    shutil.rmtree(OUT, ignore_errors=True)
    office = Office(sys.argv[1], CONFIG, OUT)
    say("painting four passes (not real imagery); three of them arrive")
    office.paint()
    office.inspect(3)
    office.shorewatch("export", "--config", CONFIG, "--format", "geojson")
    patches = json.loads((OUT / "patches.geojson").read_text())
    print(f"  {len(patches['features'])} suspected patches")
    try:
        serve = ("out/roundup/venv/bin/python", "scripts/roundup/serve.py", "out/roundup/tracker", "8918")
        office.start(*serve, log="tracker.log")
        office.start(office.program, "deliver", "receive", "--config", CONFIG, log="receive.log")
        reviewer = office.reviewer()
        until("the tracker", lambda: tracker("status"))
        story(office, reviewer)
    finally:
        office.close()


def story(office, reviewer):
    say("a reviewer decides through the API")
    findings = office.decide(reviewer)
    say("the findings reach the tracker")
    print(office.shorewatch("deliver", "--config", CONFIG))
    for finding in findings.values():
        issue, texts = messages(finding)
        print(f"  issue {issue['id']}: {issue['title']}")
        assert len(texts) == 1 and "finding.confirmed" in texts[0], texts

    say("the tracker asks for closure of all; a fourth pass arrives")
    for number, finding in enumerate(findings.values()):
        report(f"{BACK}/reports/roundup", SECRET, f"story-{number}", finding, "closure_requested", "2024-08-01T00:00:00Z")
    print(office.shorewatch("deliver", "status", "--config", CONFIG, fine=(0, 6)))
    office.inspect(4)
    print(office.shorewatch("deliver", "--config", CONFIG))
    pages = {"tracker-list": f"{TRACKER}/issue?@columns=id,title,status&@sort=id&@filter="}
    for kind, finding in findings.items():
        issue, texts = messages(finding)
        print(f"  issue {issue['id']}, {kind}: {', '.join(sorted(set(re.findall(r'finding[.][a-z_]+', ' '.join(texts)))))}")
        assert any(WANTED[kind] in text for text in texts), (kind, texts)
        pages[f"tracker-{kind}"] = f"{TRACKER}/issue{issue['id']}"
    if shutil.which("chromium"):
        photograph(findings["dump"].removeprefix("finding-"), pages)
    else:
        print("  no chromium: no photographs (apt-get install chromium)")

    say("a package of evidence")
    package = OUT / "evidence.zip"
    print(office.shorewatch("evidence", "pack", findings["dump"], "--out", str(package), "--config", CONFIG))
    print(office.shorewatch("evidence", "verify", str(package)))
    print(office.shorewatch("doctor", "--config", CONFIG, fine=(0, 3)))


main()
