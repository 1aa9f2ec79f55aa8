"""Trains the network and writes its bundle, in one command, the same on every run with one seed.

    python train.py --model shoreland --data ../../../shared/data

A run stopped half-way goes on from `runs/NAME/checkpoint.pt`; a finished one only scores and writes
again. `--restart` begins anew, `--export-now` writes the bundle of the checkpoint as it stands.
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
from chips import CLASSES
from classes import BAND_SETS, CLASS_COUNT, ROLES, head_slice
from compose import compose
from data import Data, load
from fitting import Plan, fit
from metrics import confusion, iou, objects_found, objects_of, recall_and_precision
from network import SIZES, ShoreNetwork
from textures import sources

HERE = Path(__file__).resolve().parent
MODELS = {"shoreland": Plan()}


def validation(data: Data, painted) -> callable:
    """Quick figures on the validation chips for the curves: six bands, three visible bands, objects.

    The objects are painted with training textures on validation chips.
    """
    chosen = data.index("validation")
    bands, labels = data.normalise(data.visible(chosen)), data.labels[chosen]
    visible_only = bands * torch.tensor([float(r in BAND_SETS["red_green_blue"]) for r in ROLES]).view(1, -1, 1, 1)
    rng = np.random.default_rng(5)
    composites = [
        compose(data.visible([i])[0].numpy(), data.labels[i].numpy(), data.visible([chosen[0]])[0].numpy(), painted, rng)
        for i in chosen
    ]
    images = data.normalise(torch.from_numpy(np.stack([c[0] for c in composites])))
    truth = np.stack([c[2] for c in composites])

    @torch.no_grad()
    def figures(network: ShoreNetwork) -> dict[str, float]:
        network.eval()
        out = {}
        for name, view in (("six_bands", bands), ("red_green_blue", visible_only)):
            winner = network(view)[:, head_slice("land_cover")].argmax(1)
            out[f"mean_iou_{name}"] = np.nanmean(iou(confusion(winner, labels, len(CLASSES))))
        winner = objects_of(network(images)[:, head_slice("object")].softmax(1)).numpy()
        out["object_recall"], out["object_precision"] = recall_and_precision(objects_found(winner, truth))
        return out

    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=sorted(MODELS), required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder with worldcover-chips, mining-gallery and fish-cages")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--steps", type=int, help="fewer, for a trial")
    parser.add_argument("--threads", type=int, default=1, help="another number changes the order of sums")
    parser.add_argument("--device", default="auto", help="auto (CUDA where there is one), cpu or cuda")
    parser.add_argument("--processes", type=int, default=1, help="that draw batches; any number gives the same")
    parser.add_argument("--restart", action="store_true", help="ignore an earlier checkpoint")
    parser.add_argument("--export-now", action="store_true", help="no further training: write the bundle of the checkpoint")
    parser.add_argument("--card-only", action="store_true", help="write the card anew from the scores of the last run")
    parser.add_argument("--bundles", type=Path, default=HERE.parent, help="where NAME/ is written")
    arguments = parser.parse_args()
    plan = MODELS[arguments.model]
    plan = replace(plan, seed=arguments.seed or plan.seed)
    if arguments.steps:
        plan = replace(plan, steps=arguments.steps, pace=((0, 0.0), (arguments.steps, 1.0)))
    torch.set_num_threads(arguments.threads)
    device = fitting.learning_device(arguments.device)
    folder = HERE / "runs" / arguments.model
    folder.mkdir(parents=True, exist_ok=True)
    if arguments.restart:
        (folder / "checkpoint.pt").unlink(missing_ok=True)

    if arguments.card_only:
        finishing.write_card(arguments.model, plan, folder, arguments.bundles)
        return
    data = load(arguments.data)
    painted = sources(arguments.data, data, held_out=False)

    def build() -> ShoreNetwork:
        return ShoreNetwork(len(ROLES), CLASS_COUNT, SIZES[plan.size])

    torch.manual_seed(plan.seed)
    network = build()
    if arguments.export_now:
        state = torch.load(folder / "checkpoint.pt", weights_only=True, map_location="cpu")
        network.load_state_dict(state["average"])
        network, history, steps = network.eval(), json.loads(state["history"]), state["step"]
    else:
        labels = data.labels[data.index("train")]
        make_batch = fitting.BatchesAhead(arguments.data, plan, processes=arguments.processes)
        network, history = fit(network, make_batch, labels, plan, folder, validation(data, painted), build, device=device)
        make_batch.close()
        steps = plan.steps

    finishing.finish(arguments.model, network, data, arguments.data, plan, steps, history, folder, arguments.bundles)


if __name__ == "__main__":
    main()
