"""Draws class maps of real imagery beside the image, to look at: the last test of a model.

    python preview.py --model landcover-grn --data ../../../shared/data --out runs/preview

Digital numbers become pseudo-reflectance by `low + (high - low) x (DN / 255) ** gamma` per band.
"""

from __future__ import annotations

import argparse
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
import torch
from PIL import Image
from torch.nn import functional


@dataclass(frozen=True)
class Source:
    """Images of one sensor: where each band lies and the reflectances of DN 0 and DN 255."""

    files: tuple[str, ...]
    index: dict[str, int]
    low_high: dict[str, tuple[float, float]]
    gamma: float = 1.0
    alpha: int | None = None
    enlarge: int = 1


LANDSAT = {"green": (0.02, 0.36), "red": (0.00, 0.38), "nir": (0.005, 0.40)}
NAIP = {"green": (-0.04, 0.34), "red": (-0.03, 0.36), "nir": (0.01, 0.50)}
DRONE = {"red": (0.0, 0.6), "green": (0.0, 0.6), "blue": (0.0, 0.5)}
GALLERY = {"red": (-0.015, 0.275), "green": (-0.03, 0.26), "blue": (-0.06, 0.23)}
UCAYALI_INDEX = {"swir1": 0, "nir": 1, "red": 2, "green": 3}
RGB_INDEX = {"red": 0, "green": 1, "blue": 2, "nir": 3}
GALLERIES = ("dredge_mining", "alluvial_mining", "riverbank", "aquaculture_ponds", "industrial", "landslide", "random")
SOURCES = {
    "landsat": Source(("landsat-ucayali/1985.tif", "landsat-ucayali/2000.tif", "landsat-ucayali/2020.tif"), UCAYALI_INDEX, LANDSAT),
    "naip": Source(
        tuple(f"naip-prairie/m_4709963_se_14_1_{d}.tif" for d in ("20100629", "20120731", "20140720", "20170827")),
        RGB_INDEX, NAIP,
    ),
    "naip_rgb": Source(
        tuple(f"naip-prairie/m_4709963_se_14_1_{d}.tif" for d in ("20120731", "20170827")),
        RGB_INDEX, {"red": (-0.03, 0.36), "green": (-0.04, 0.34), "blue": (-0.06, 0.32)},
    ),
    "drone": Source(("drone-ortho/pix4d_alpha_nodata.tif",), RGB_INDEX, DRONE, gamma=2.2, alpha=3),
    "gallery": Source(tuple(f"mining-gallery/{g}.png" for g in GALLERIES), RGB_INDEX, GALLERY),
}


@dataclass(frozen=True)
class Model:
    """A bundle as the program would run it."""

    script: torch.jit.ScriptModule
    manifest: dict

    @classmethod
    def load(cls, folder: Path) -> "Model":
        """Reads manifest and weights."""
        manifest = tomllib.loads((folder / "manifest.toml").read_text())
        return cls(torch.jit.load(str(folder / manifest["weights"]["file"])), manifest)

    @property
    def roles(self) -> list[str]:
        """Band roles in the order of the input."""
        return [b["role"] for b in self.manifest["input"]["bands"]]

    @torch.no_grad()
    def probabilities(self, reflectance: np.ndarray, observed: np.ndarray) -> np.ndarray:
        """(class, row, col) of a whole image (band, row, col), padded by the halo with band means."""
        bands = self.manifest["input"]["bands"]
        mean = np.array([b["mean"] for b in bands], np.float32)[:, None, None]
        deviation = np.array([b["standard_deviation"] for b in bands], np.float32)[:, None, None]
        normal = np.where(observed, (reflectance - mean) / deviation, 0).astype(np.float32)
        rows, cols = observed.shape
        halo, step = self.manifest["input"]["halo_px"], self.manifest["input"]["alignment_px"]
        padding = (halo, halo + -cols % step, halo, halo + -rows % step)
        logits = self.script(functional.pad(torch.from_numpy(normal)[None], padding))
        logits = logits[..., halo : halo + rows, halo : halo + cols]
        return functional.softmax(logits / self.manifest["output"]["temperature"], 1)[0].numpy()

    def palette(self) -> np.ndarray:
        """RGB of each class."""
        return np.array([[int(c["colour"][i : i + 2], 16) for i in (1, 3, 5)] for c in self.manifest["classes"]], np.uint8)


def read(path: Path) -> np.ndarray:
    """Digital numbers (row, col, band)."""
    if path.suffix == ".png":
        return np.asarray(Image.open(path).convert("RGB"))
    raw = tifffile.imread(path)
    return raw if raw.shape[-1] <= 4 else np.moveaxis(raw, 0, -1)


def reflectance_of(numbers: np.ndarray, source: Source, roles: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Pseudo-reflectance (band, row, col) and observed pixels (row, col)."""
    observed = numbers[..., source.alpha] > 0 if source.alpha is not None else (numbers > 0).any(-1)
    planes = []
    for role in roles:
        low, high = source.low_high[role]
        planes.append(low + (high - low) * (numbers[..., source.index[role]] / 255.0) ** source.gamma)
    return np.stack(planes).astype(np.float32), observed


def draw(model: Model, source: Source, data: Path, out: Path) -> None:
    """One PNG: each image and its class map in a column."""
    columns, maps = [], []
    for file in source.files:
        numbers = read(data / file)
        reflectance, observed = reflectance_of(numbers, source, model.roles)
        probability = model.probabilities(reflectance, observed)
        winner = probability.argmax(0)
        maps.append(winner)
        shown = [role for role in ("nir", "red", "green", "blue") if role in model.roles][:3]
        picture = numbers[..., [source.index[r] for r in shown]]
        classes = model.palette()[winner]
        classes[~observed] = 0
        columns.append(np.concatenate([picture, classes]))
        shares = np.bincount(winner[observed], minlength=len(model.manifest["classes"])) / observed.sum()
        names = [c["name"] for c in model.manifest["classes"]]
        print(f"{file:55s} " + " ".join(f"{n} {s:.1%}" for n, s in zip(names, shares)))
    if len({m.shape for m in maps}) == 1 and "gallery" not in str(out):
        print(f"  class differs between neighbouring dates: {[f'{(a != b).mean():.1%}' for a, b in zip(maps, maps[1:])]}")
    height = max(c.shape[0] for c in columns)
    columns = [np.pad(c, ((0, height - c.shape[0]), (0, 6), (0, 0))) for c in columns]
    Image.fromarray(np.concatenate(columns, 1)).save(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--bundles", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds landsat-ucayali and so on")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--source", choices=sorted(SOURCES), action="append")
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    model = Model.load(arguments.bundles / arguments.model)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.source or SOURCES:
        if set(model.roles) <= set(SOURCES[name].low_high):
            draw(model, SOURCES[name], arguments.data, arguments.out / f"{arguments.model}_{name}.png")


if __name__ == "__main__":
    main()
