"""Trains three sizes of the network for the same minutes of the processor and compares score, speed and parameters.

    python compare_sizes.py --data ../../../shared/data --minutes 6

Short runs: they rank the sizes at this budget, and are no substitute for the scores of a whole training. A
fourth run teaches the middle size nothing but the hand-made masks as they are (water or not, on clear
pixels), to see how much of them a network can tell from the bands at all. Prints Markdown; writes
`runs/sizes.json`.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import finishing
import fitting
import scoring
from bundle import fused, megapixels_per_second
from calibration import Calibration
from chips import CLASSES, CROPS, IGNORE, WATER
from classes import CLASS_COUNT, ROLES
from compose import CONTRAST
from data import load
from fitting import Plan, fit
from metrics import confusion, iou, mask_iou
from network import SIZES, ShoreNetwork, parameter_count
from textures import sources

HERE = Path(__file__).resolve().parent
NEVER = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=6.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", choices=[*SIZES, "hand-masks"], help="one of the runs")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    data = load(arguments.data)
    painted = sources(arguments.data, data, held_out=False)
    held = sources(arguments.data, data, held_out=True)
    path = HERE / "runs" / "sizes.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    for name in [arguments.only] if arguments.only else [*SIZES, "hand-masks"]:
        size = "middle" if name == "hand-masks" else name
        # The schedule follows the clock; the number of steps is only its scale.
        plan = Plan(
            size=size, steps=NEVER, report_every=NEVER, pace=((0, 0.0), (NEVER, 1.0)), composites=((0, 8),),
            contrast=((0, CONTRAST),), object_smoothing=((0, 0.0),),
        )
        taught = data
        if name == "hand-masks":
            labels = torch.where(data.hand_water, WATER, CROPS).where(data.clear, torch.tensor(IGNORE)).to(torch.uint8)
            taught, plan = replace(data, labels=labels), replace(plan, composites=((0, 0),))

        def build() -> ShoreNetwork:
            return ShoreNetwork(len(ROLES), CLASS_COUNT, SIZES[size])

        torch.manual_seed(plan.seed)
        done = []
        make_batch = fitting.batches(taught, painted, plan)
        network, _ = fit(
            build(), lambda step: done.append(step) or make_batch(step), taught.labels[data.index("train")], plan,
            HERE / "runs", lambda _: {}, build, time_limit_s=60 * arguments.minutes,
        )
        row = {"minutes": arguments.minutes, "steps": len(done), "parameters": parameter_count(network)}
        row |= scores(network, taught, held, name == "hand-masks")
        quick = fused(network)
        row["mpx_per_s_python_one_thread"] = megapixels_per_second(quick, 1)
        results[name] = row
        print(name, json.dumps(row), flush=True)
        path.write_text(json.dumps(results, indent=1) + "\n")
    print(finishing.sizes_table(results))


@torch.no_grad()
def scores(network, data, held, hand_masks: bool) -> dict:
    """Uncalibrated figures of the hold-outs."""
    out = {}
    for name in ("by_mask", "unseen_places"):
        chosen = scoring.holdouts(data)[name]
        winner = scoring.logits_of(network, data.normalise(data.visible(chosen)), scoring.LAND).argmax(1)
        if hand_masks:
            water, seen = (winner == WATER).numpy(), data.clear[chosen].numpy()
            out[f"water_iou_clear_{name}"] = mask_iou(water, data.hand_water[chosen].numpy(), seen)
        else:
            out[f"mean_iou_{name}"] = float(np.nanmean(iou(confusion(winner, data.labels[chosen], len(CLASSES)))))
    if not hand_masks:
        plain = Calibration(1.0, (0.0,) * (CLASS_COUNT - len(CLASSES)))
        six = scoring.objects(network, data, scoring.holdouts(data)["unseen_places"], held, plain)["by_band_set"]["six_bands"]
        out |= {"object_recall": six["recall"], "object_precision": six["precision"]}
    return out


if __name__ == "__main__":
    main()
