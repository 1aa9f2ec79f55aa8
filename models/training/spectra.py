"""Prints and writes the reflectance of each class: median and spread per band.

    python spectra.py --data ../../../shared/data/worldcover-chips
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from chips import BANDS, CLASSES, read_chips

REPORTED = ("blue", "green", "red", "nir", "swir1")
PERCENTILES = (5, 25, 50, 75, 95)


def class_spectra(folder: Path) -> dict:
    """Reflectance (0..1) of the labelled pixels: percentiles per class and band."""
    chips = read_chips(folder)
    classes = {}
    for class_id, name in enumerate(CLASSES):
        pixels = np.concatenate([c.reflectance[:, c.label == class_id] for c in chips], axis=1)
        bands = {}
        for band in REPORTED:
            values = np.percentile(pixels[BANDS[band]], PERCENTILES).round(4).tolist()
            bands[band] = {f"p{p:02d}": v for p, v in zip(PERCENTILES, values)}
            bands[band]["median"] = values[2]
            bands[band]["spread"] = round((values[3] - values[1]) / 1.349, 4)
        within = [c.reflectance[:, c.label == class_id] for c in chips if (c.label == class_id).sum() > 200]
        classes[name] = {
            "pixels": pixels.shape[1],
            "bands": bands,
            "spread_within_a_chip": {
                b: round(float(np.median([np.std(w[BANDS[b]]) for w in within])), 4) for b in REPORTED
            },
        }
    return {
        "units": "surface reflectance, 0..1",
        "spread": "robust standard deviation: (p75 - p25) / 1.349",
        "spread_within_a_chip": "median over chips of the standard deviation inside one chip (30 m pixels)",
        "classes": classes,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("class_spectra.json"))
    arguments = parser.parse_args()
    spectra = class_spectra(arguments.data)
    arguments.out.write_text(json.dumps(spectra, indent=1) + "\n")
    for name, entry in spectra["classes"].items():
        medians = "  ".join(f"{b} {entry['bands'][b]['median']:.3f}±{entry['bands'][b]['spread']:.3f}" for b in REPORTED)
        print(f"{name:15s} {entry['pixels']:8d}  {medians}")


if __name__ == "__main__":
    main()
