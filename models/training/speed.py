"""Measures the stored forms of a bundle: megapixels a second, 512 x 512 px, six bands, median of 9.

    python speed.py --bundle shoreland --threads 2

Prints Markdown and writes `runs/BUNDLE/speed.json`. On a busy machine the figure is too low.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from bundle import measure_speed

HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", required=True)
    parser.add_argument("--bundles", type=Path, default=HERE.parent)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    busy = os.getloadavg()[0]
    speeds = measure_speed(arguments.bundles / arguments.bundle, arguments.threads)
    folder = HERE / "runs" / arguments.bundle
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "speed.json").write_text(json.dumps({"threads": arguments.threads, "load": busy, **speeds}, indent=1) + "\n")
    print(f"| stored form | Mpx/s, {arguments.threads} threads (load before: {busy:.1f}) |\n|---|---|")
    for form, speed in speeds.items():
        print(f"| {form} | {speed:.2f} |")


if __name__ == "__main__":
    main()
