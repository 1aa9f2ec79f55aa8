"""Learns from reviewed patches, starting from a bundle, and refuses to write a worse one.

    python finetune.py --bundle shoreland --labels FOLDER --out shoreland-reviewed --data ../../../shared/data

The folder is what `shorewatch labels export` writes (see `reviews.py`). Half of each batch are reviews, half
the chips the parent was trained on, so that nothing is forgotten. A fifth of the reviews is held back.
Parent and child are compared on the fixed hold-out and on the reviews held back; a child that is
worse than `TOLERATED` is not written, and the command exits with 3, unless `--allow-worse` is given.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper
import torch
from torch import Tensor

import augment
import finishing
import fitting
import reviews
import scoring
from bundle import fused
from calibration import Calibration
from chips import IGNORE
from classes import CLASS_COUNT, ROLES, head_slice
from compose import CONTRAST
from data import Data, load
from fitting import Batch, Plan, fit
from network import ShoreNetwork
from textures import sources

HERE = Path(__file__).resolve().parent
EXIT_WORSE = 3
SIDE_PX = 128
TOLERATED = {"mean_iou": 0.005, "water_iou": 0.005, "object_recall": 0.02, "object_precision": 0.02, "reviews_right": 0.0}
"""How much each figure may fall; reviews held back may not fall at all."""


def parent_network(folder: Path) -> ShoreNetwork:
    """The network of a bundle, read from its ONNX form: batch normalisation is folded in already."""
    path = folder / "weights.onnx"
    if not path.exists():
        raise FileNotFoundError(f"{path}: fine-tuning starts from the ONNX form; this bundle has none")
    stored = {t.name: torch.from_numpy(onnx.numpy_helper.to_array(t).copy()) for t in onnx.load(str(path)).graph.initializer}
    widths = tuple(stored[f"lift.{k}.weight"].shape[0] for k in range(3)) + (stored["lift.2.weight"].shape[1],)
    network = fused(ShoreNetwork(len(ROLES), CLASS_COUNT, widths))
    network.load_state_dict({k: stored[k] for k in network.state_dict()})
    return network


def parent_calibration(manifest: dict) -> dict[str, Calibration]:
    """Calibration of each head from the manifest."""
    return {h["name"]: Calibration(h["temperature"], tuple(h["bias"])) for h in manifest["output"]["heads"]}


def mixed_batches(data: Data, painted, learnt: list[reviews.Review], plan: Plan):
    """Half of the batch from the reviews, half as in training."""
    ordinary = fitting.batches(data, painted, replace(plan, batch=plan.batch // 2, composites=((0, 4),)))

    def batch(step: int) -> Batch:
        generator, rng = fitting.generators(plan, step + 1_000_000)
        base, parts = ordinary(step), []
        for _ in range(plan.batch - plan.batch // 2):
            review = learnt[int(rng.integers(len(learnt)))]
            room = [max(1, n - SIDE_PX + 1) for n in review.mask.shape]
            reflectance, mask = reviews.window(review, SIDE_PX, int(rng.integers(room[0])), int(rng.integers(room[1])))
            seen = ~torch.isnan(reflectance)
            filled = torch.where(seen, reflectance, data.mean.view(-1, 1, 1))
            changed = augment.sensor(filled[None], 0.5, 0.6, generator)
            bands = data.normalise(changed)[0] * seen
            turn = int(rng.integers(4))
            labels = {head: torch.full((SIDE_PX, SIDE_PX), IGNORE) for head in ("land_cover", "object")}
            labels[review.head] = torch.rot90(mask.long(), turn)
            parts.append((torch.rot90(bands, turn, (1, 2)), labels["land_cover"], labels["object"], review.weight))
        bands, land, objects, weights = zip(*parts)
        return Batch(
            torch.cat([base.bands, torch.stack(bands)]), torch.cat([base.land, torch.stack(land)]),
            torch.cat([base.objects, torch.stack(objects)]), torch.cat([base.weights, torch.tensor(weights)]),
        )

    return batch


@torch.no_grad()
def reviews_right(network, data: Data, held: list[reviews.Review], fitted: dict[str, Calibration]) -> float:
    """Mean over the reviews held back of the share of their known pixels that come out as reviewed."""
    shares = []
    for review in held:
        side = -(-max(review.mask.shape) // 8) * 8
        reflectance, mask = reviews.window(review, side, 0, 0)
        bands: Tensor = torch.nan_to_num(data.normalise(reflectance[None]), nan=0.0)
        winner = fitted[review.head].probabilities(network(bands)[:, head_slice(review.head)]).argmax(1)[0]
        known = mask != IGNORE
        shares.append(float((winner == mask)[known].float().mean()) if known.any() else 1.0)
    return float(np.mean(shares)) if shares else 0.0


def figures(network, data: Data, held_sources, held: list[reviews.Review], fitted: dict[str, Calibration]) -> dict[str, float]:
    """What parent and child are compared by: the hold-out by mask hash, composites, reviews held back."""
    parts = scoring.holdouts(data)
    land = scoring.land_cover(network, data, parts["by_mask"], fitted["land_cover"])
    six = scoring.objects(network, data, parts["unseen_places"], held_sources, fitted["object"])["by_band_set"]["six_bands"]
    return {
        "mean_iou": land["mean_iou"], "water_iou": land["water_iou_labelled_pixels"],
        "object_recall": six["recall"], "object_precision": six["precision"],
        "reviews_right": reviews_right(network, data, held, fitted),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", required=True, help="name of the parent, in --bundles")
    parser.add_argument("--labels", type=Path, required=True, help="folder of reviewed patches")
    parser.add_argument("--out", required=True, help="name of the child, not that of the parent")
    parser.add_argument("--data", type=Path, required=True, help="as for train.py")
    parser.add_argument("--bundles", type=Path, default=HERE.parent)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--allow-worse", action="store_true", help="write the child even if it is worse")
    arguments = parser.parse_args()
    if arguments.out == arguments.bundle:
        parser.error("--out must be another name than --bundle: a bundle is never overwritten by its child")
    torch.set_num_threads(arguments.threads)
    parent_folder = arguments.bundles / arguments.bundle
    manifest = tomllib.loads((parent_folder / "manifest.toml").read_text())
    fitted = parent_calibration(manifest)
    bands = manifest["input"]["bands"]
    data = replace(
        load(arguments.data),
        mean=torch.tensor([b["mean"] for b in bands]), deviation=torch.tensor([b["standard_deviation"] for b in bands]),
    )
    known = reviews.read(arguments.labels)
    learnt, held = [r for r in known if not r.held_back], [r for r in known if r.held_back]
    if not learnt:
        sys.exit(f"{arguments.labels}: all {len(known)} reviews are held back for the comparison; give more of them")
    print(f"{len(learnt)} reviews to learn from, {len(held)} held back")
    painted, held_sources = (sources(arguments.data, data, held_out=side) for side in (False, True))
    plan = Plan(
        seed=arguments.seed, steps=arguments.steps, learning_rate=arguments.learning_rate, average_decay=0.98, report_every=100,
        pace=((0, 0.0), (arguments.steps, 1.0)), contrast=((0, CONTRAST),), object_smoothing=((0, 0.0),), severity=((0, 0.7),), augmented=((0, 0.6),),
    )
    folder = HERE / "runs" / arguments.out
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "checkpoint.pt").unlink(missing_ok=True)
    network = parent_network(parent_folder)
    before = figures(network, data, held_sources, held, fitted)
    child, history = fit(
        network, mixed_batches(data, painted, learnt, plan), data.labels[data.index("train")], plan, folder,
        lambda _: {}, lambda: parent_network(parent_folder),
    )
    refitted = scoring.calibrate(child, data, painted)
    after = figures(child, data, held_sources, held, refitted)
    worse = []
    for key, tolerated in TOLERATED.items():
        fell = before[key] - after[key] > tolerated
        worse += [key] if fell else []
        print(f"{key:18s} parent {before[key]:.4f}  child {after[key]:.4f}{'  worse' if fell else ''}")
    (folder / "comparison.json").write_text(json.dumps({"parent": before, "child": after, "worse": worse}, indent=1) + "\n")
    if worse and not arguments.allow_worse:
        print(f"not written: {', '.join(worse)} fell too far; give more reviews, fewer steps, or --allow-worse", file=sys.stderr)
        sys.exit(EXIT_WORSE)
    finishing.finish(arguments.out, child, data, arguments.data, plan, plan.steps, history, folder, arguments.bundles)


if __name__ == "__main__":
    main()
