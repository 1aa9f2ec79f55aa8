"""Trains the bitemporal network on planted changes and writes its bundle, in one command, the same on every run with one seed.

    python bitemporal.py --data ../../../shared/data

A run stopped half-way goes on from `runs/shorechange/checkpoint.pt`; a finished one only scores and writes
again. `--restart` begins anew, `--export-now` writes the bundle of the checkpoint as it stands.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import torch

import bitemporal_finishing as finishing
import bitemporal_fitting as fitting
import bitemporal_scoring as scoring
from bitemporal_fitting import ChangePlan
from data import load
from fitting import BatchesAhead, learning_device

HERE = Path(__file__).resolve().parent
NAME = "shorechange"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, required=True,
        help="folder with worldcover-chips, mining-gallery, fish-cages, naip-prairie and landsat-ucayali",
    )
    parser.add_argument("--seed", type=int)
    parser.add_argument("--steps", type=int, help="fewer, for a trial")
    parser.add_argument("--threads", type=int, default=1, help="another number changes the order of sums")
    parser.add_argument("--device", default="auto", help="auto (CUDA where there is one), cpu or cuda")
    parser.add_argument("--processes", type=int, default=1, help="that draw batches; any number gives the same")
    parser.add_argument("--restart", action="store_true", help="ignore an earlier checkpoint")
    parser.add_argument("--export-now", action="store_true", help="no further training: write the bundle of the checkpoint")
    parser.add_argument("--card-only", action="store_true", help="write the card anew from the scores of the last run")
    parser.add_argument("--bundles", type=Path, default=HERE.parent, help="where shorechange/ is written; shoreland/ is read")
    arguments = parser.parse_args()
    plan = ChangePlan()
    plan = replace(plan, seed=arguments.seed or plan.seed)
    if arguments.steps:
        plan = replace(plan, steps=arguments.steps, pace=((0, 0.0), (arguments.steps, 1.0)))
    torch.set_num_threads(arguments.threads)
    device = learning_device(arguments.device)
    folder = HERE / "runs" / NAME
    folder.mkdir(parents=True, exist_ok=True)
    if arguments.card_only:
        finishing.write_card(NAME, plan, folder, arguments.bundles)
        return
    if arguments.restart:
        (folder / "checkpoint.pt").unlink(missing_ok=True)
    if arguments.export_now:
        network = fitting.build(plan)
        state = torch.load(folder / "checkpoint.pt", weights_only=True, map_location="cpu")
        network.load_state_dict(state["average"])
        network, history, steps = network.eval(), json.loads(state["history"]), state["step"]
        data = load(arguments.data)
    else:
        data = load(arguments.data)
        make_batch = BatchesAhead(arguments.data, plan, fitting.begin_drawing, fitting.draw, fitting.PairBatch, arguments.processes)
        network, history = fitting.fit(make_batch, plan, folder, scoring.quick(data, arguments.data, plan.seed), device)
        make_batch.close()
        steps = plan.steps
    finishing.finish(NAME, network, data, arguments.data, plan, steps, history, folder, arguments.bundles)


if __name__ == "__main__":
    main()
