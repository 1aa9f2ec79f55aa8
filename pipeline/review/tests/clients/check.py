"""Outside clients against a served scene: GDAL's OAPIF driver (pyogrio, and ogrinfo where there is one), OWSLib, and schemathesis.

    check.py REVIEW_SCENE    where REVIEW_SCENE is the built example of that name
"""

import json
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import pyogrio
from owslib.ogcapi.features import Features

PASSWORD = "several words by the river"


def ask(origin, method, path, body=None, headers=None):
    request = urllib.request.Request(origin + path, method=method, headers=headers or {})
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("content-type", "application/json")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer), answer.headers


def token(origin, account):
    """A bearer token of an account, made by the administrator."""
    session, headers = ask(origin, "POST", "/api/session", {"account": "admin-1", "password": PASSWORD})
    cookie = headers["set-cookie"].split(";")[0]
    made, _ = ask(origin, "POST", f"/api/accounts/{account}/tokens", {"label": "outside clients", "days": 1},
                  {"cookie": cookie, "x-csrf-token": session["csrf"]})
    return made["token"]


def gdal(origin, secret, folder):
    # a file, since the driver sends headers of its own and then forgets GDAL_HTTP_HEADERS
    headers = Path(folder, "headers")
    headers.write_text(f"Authorization: Bearer {secret}\n")
    pyogrio.set_gdal_config_options({"GDAL_HTTP_HEADER_FILE": str(headers)})
    source = f"OAPIF:{origin}/ogc"
    layers = {name for name, _ in pyogrio.list_layers(source)}
    assert layers == {"patches", "cases", "reaches", "coverage"}, layers
    everything = ask(origin, "GET", "/ogc/collections/patches/items?limit=1000", None, {"authorization": f"Bearer {secret}"})[0]
    wanted = {feature["id"]: feature["geometry"]["coordinates"][0] for feature in everything["features"]}
    info = pyogrio.read_info(source, layer="patches", force_feature_count=True)
    assert info["features"] == len(wanted) == everything["numberMatched"], (info["features"], len(wanted))
    assert "4490" in str(info["crs"]) or "CRS84" in str(info["crs"]) or "4326" in str(info["crs"]), info["crs"]
    # pages of seven add up, and the axes are where they belong
    meta, _, geometry, fields = pyogrio.raw.read(source, layer="patches", PAGE_SIZE="7")
    assert len(geometry) == len(wanted), (len(geometry), len(wanted))
    assert "reach_id" in list(meta["fields"]), meta["fields"]
    west, south, east, north = pyogrio.read_bounds(source, layer="patches")[1][:, 0]
    assert 107 < west < east < 109 and 17 < south < north < 19, (west, south, east, north)
    xs = [corner[0] for ring in wanted.values() for corner in ring]
    middle = (min(xs) + max(xs)) / 2
    half = pyogrio.raw.read(source, layer="patches", bbox=(min(xs) - 1, 17, middle, 19))[2]
    assert 0 < len(half) < len(wanted), len(half)
    if shutil.which("ogrinfo"):
        told = subprocess.run(["ogrinfo", "-so", "--config", "GDAL_HTTP_HEADER_FILE", str(headers), source, "patches"],
                              check=True, capture_output=True, text=True).stdout
        assert f"Feature Count: {len(wanted)}" in told, told
    print(f"GDAL {pyogrio.__gdal_version_string__}: {len(layers)} layers, {len(wanted)} patches, pages add up, axes hold")


def owslib(origin, secret):
    service = Features(f"{origin}/ogc", headers={"Authorization": f"Bearer {secret}"})
    assert "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs" in service.conformance()["conformsTo"]
    assert set(service.feature_collections()) == {"patches", "cases", "reaches", "coverage"}
    first = service.collection_items("patches", limit=5)
    assert first["numberReturned"] == 5 and any(link["rel"] == "next" for link in first["links"])
    one = service.collection_item("patches", first["features"][0]["id"])
    assert one["geometry"] == first["features"][0]["geometry"]
    print("OWSLib: conformance, collections, items and one item")


def schemathesis(origin, secret):
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{origin}/openapi.json", "--url", origin,
               "--header", f"Authorization: Bearer {secret}", "--checks", "not_a_server_error,status_code_conformance,content_type_conformance",
               "--max-examples", "15", "--exclude-path-regex", "tiles|session|password", "--workers", "2", "--seed", "1"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    print("schemathesis:", done.stdout.strip().splitlines()[-1].strip("= "))


def main():
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen([sys.argv[1], f"{folder}/scene"], stdout=subprocess.PIPE, text=True)
        try:
            origin = server.stdout.readline().strip()
            secret = token(origin, "viewer-1")
            gdal(origin, secret, folder)
            owslib(origin, secret)
            schemathesis(origin, token(origin, "super-1"))
        finally:
            server.terminate()
            server.wait()


main()
