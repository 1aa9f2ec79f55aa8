"""Trains one model and writes its bundle, in one command, the same on every run with one seed.

    python train.py --model landcover-grn --data ../../../shared/data/worldcover-chips

A run stopped half-way goes on from `runs/NAME/checkpoint.pt`; `--restart` begins anew.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

import augment
import bundle
import scores
from chips import BANDS, BUILT_UP, CLASSES, IGNORE, Chip, read_chips
from network import LandCoverNetwork, parameter_count
from split import places, split

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Plan:
    """Everything that decides the result besides the data."""

    seed: int = 20240611
    steps: int = 800
    warm_up_steps: int = 36
    horizon: int = 1200
    """The learning rate follows a cosine of this many steps, times the cool-down."""
    cool_down: tuple[tuple[int, float], ...] = ((0, 1.0), (400, 1.0), (800, 0.0))
    """Factor of the learning rate at some steps, linear between, never below 0.02."""
    severity: tuple[tuple[int, float], ...] = ((0, 1.0),)
    """Severity of the radiometric augmentation from each step on."""
    consistency_ramp_steps: int = 240
    batch: int = 8
    window_px: int = 96
    learning_rate: float = 4e-3
    weight_decay: float = 1e-4
    consistency_weight: float = 1.0
    """Weight of the divergence between the two radiometric views of one chip."""
    class_balance: float = 0.5
    """Class weight = frequency ** -class_balance."""
    average_decay: float = 0.99
    """The weights that are kept are a running average over the steps."""


MODELS = {"landcover-grn": ("green", "red", "nir"), "landcover-rgb": ("red", "green", "blue")}
PLANS = {
    "landcover-grn": Plan(),
    # Without near infrared brightness has to say more, and shape: milder radiometry, more steps.
    "landcover-rgb": Plan(
        steps=900, cool_down=((0, 1.0), (400, 1.0), (600, 0.5), (900, 0.0)), severity=((0, 0.7), (600, 0.35))
    ),
}


@dataclass(frozen=True)
class Samples:
    """Chips as tensors: reflectance (chip, band, row, col), labels (chip, row, col)."""

    reflectance: Tensor
    labels: Tensor
    mean: Tensor
    deviation: Tensor
    chance: Tensor
    """How often each chip is drawn, relative."""

    def normalise(self, reflectance: Tensor) -> Tensor:
        """Subtracts the mean and divides by the deviation of each band."""
        return (reflectance - self.mean.view(1, -1, 1, 1)) / self.deviation.view(1, -1, 1, 1)


def stack(chips: list[Chip], bands: tuple[str, ...]) -> tuple[Tensor, Tensor]:
    """Reflectance and labels of chips as tensors."""
    order = [BANDS[b] for b in bands]
    return (
        torch.from_numpy(np.stack([c.reflectance[order] for c in chips])),
        torch.from_numpy(np.stack([c.label for c in chips]).astype(np.int64)),
    )


def training_samples(chips: list[Chip], place: list[int], bands: tuple[str, ...]) -> Samples:
    """Training tensors; chips of often-seen places are drawn less, chips with rare classes more."""
    reflectance, labels = stack(chips, bands)
    clear = torch.from_numpy(np.stack([c.clear for c in chips]))
    pixels = reflectance.permute(1, 0, 2, 3)[:, clear]
    mean, deviation = pixels.mean(1), pixels.std(1)
    visible = torch.where(clear.unsqueeze(1), reflectance, mean.view(1, -1, 1, 1))
    times_seen = torch.tensor([place.count(p) for p in place], dtype=torch.float32)
    rare = torch.stack([((labels == k).float().mean((1, 2)) / 0.1).clamp(max=1.0) for k in (0, 4, 5)]).sum(0)
    return Samples(visible, labels, mean, deviation, times_seen**-0.5 * (1 + 1.5 * rare))


def class_weights(labels: Tensor, balance: float) -> Tensor:
    """Weight of each class, one on average over the pixels."""
    counts = torch.bincount(labels[labels != IGNORE], minlength=len(CLASSES)).float()
    weights = (counts / counts.sum()) ** -balance
    return weights * counts.sum() / (weights * counts).sum()


def loss_of_views(logits: tuple[Tensor, Tensor], labels: tuple[Tensor, Tensor], weights: Tensor, share: float):
    """Cross-entropy of both views plus `share` x symmetric divergence between them."""
    supervised = sum(
        functional.cross_entropy(one, label, weight=weights, ignore_index=IGNORE, label_smoothing=0.03)
        for one, label in zip(logits, labels)
    )
    first, second = (functional.log_softmax(one, 1) for one in logits)
    seen = ((labels[0] != IGNORE) & (labels[1] != IGNORE)).float()
    divergence = ((first.exp() - second.exp()) * (first - second)).sum(1)
    agreement = 0.5 * (divergence * seen).sum() / seen.sum().clamp(min=1)
    return 0.5 * supervised + share * agreement, float(agreement.detach())


def learning_rate(step: int, plan: Plan) -> float:
    """Linear warm-up, a cosine of `horizon` steps, and the cool-down."""
    if step < plan.warm_up_steps:
        return plan.learning_rate * (step + 1) / plan.warm_up_steps
    phase = (step - plan.warm_up_steps) / max(1, plan.horizon - plan.warm_up_steps)
    cosine = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(phase, 1.0)))
    steps, factors = zip(*plan.cool_down)
    return plan.learning_rate * cosine * max(float(np.interp(step, steps, factors)), 0.02)


def fit(samples: Samples, bands: tuple[str, ...], plan: Plan, folder: Path, validate) -> LandCoverNetwork:
    """Trains from the checkpoint of `folder`, or from nothing, and returns the averaged network.

    Each step draws from a generator seeded with (seed, step): a resumed run equals a whole one.
    """
    torch.manual_seed(plan.seed)
    network = LandCoverNetwork(len(bands), len(CLASSES)).to(memory_format=torch.channels_last)
    average = LandCoverNetwork(len(bands), len(CLASSES))
    average.load_state_dict(network.state_dict())
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay)
    weights = class_weights(samples.labels, plan.class_balance)
    airlight = torch.tensor([augment.AIRLIGHT[b] for b in bands])
    history: list[dict] = []
    first, checkpoint = 0, folder / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        first, history = state["step"], json.loads(state["history"])
        print(f"going on from step {first}")
    print(f"{parameter_count(network)} parameters, {len(samples.labels)} chips, class weights {weights.tolist()}")
    started, recent = time.monotonic(), []
    for step in range(first, plan.steps):
        generator = torch.Generator().manual_seed(plan.seed * 1_000_003 + step)
        network.train()
        chosen = torch.multinomial(samples.chance, plan.batch, replacement=False, generator=generator)
        images, labels = augment.geometry(
            samples.reflectance[chosen], samples.labels[chosen], plan.window_px, generator
        )
        severity = [value for start, value in plan.severity if start <= step][-1]
        views = []
        for _ in range(2):
            view = samples.normalise(augment.radiometry(images, airlight, severity, generator))
            views.append(augment.holes(view, labels, generator))
        logits = network(torch.cat([views[0][0], views[1][0]])).chunk(2)
        ramp = min(1.0, step / plan.consistency_ramp_steps)
        loss, agreement = loss_of_views(
            logits, (views[0][1], views[1][1]), weights, plan.consistency_weight * ramp
        )
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, plan)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        follow(average, network, min(plan.average_decay, (step + 1) / (step + 10)))
        recent.append((float(loss.detach()), agreement))
        if (step + 1) % 100 == 0 or step + 1 == plan.steps:
            row = {"step": step + 1, "loss": np.mean([r[0] for r in recent]), "divergence": np.mean([r[1] for r in recent])}
            row |= validate(average)
            history.append({k: round(float(v), 4) for k, v in row.items()})
            recent = []
            print(f"{time.monotonic() - started:6.0f} s  {history[-1]}", flush=True)
            torch.save(
                {"network": network.state_dict(), "average": average.state_dict(), "step": step + 1,
                 "optimiser": optimiser.state_dict(), "history": json.dumps(history)},
                checkpoint.with_suffix(".tmp"),
            )
            checkpoint.with_suffix(".tmp").replace(checkpoint)
            scores.draw_curves(history, folder / "curves.png")
    with torch.no_grad():
        # The class weight of built-up helps to learn it, but favours it ever after: shores, which are
        # mixed pixels, come out as built-up. Undone by half: undone wholly, towns vanish too.
        average.head.bias[BUILT_UP] -= 0.5 * weights[BUILT_UP].log()
    return average.eval()


@torch.no_grad()
def follow(average: torch.nn.Module, network: torch.nn.Module, decay: float) -> None:
    """Moves the running average towards the network, batch statistics included."""
    for mine, theirs in zip(average.state_dict().values(), network.state_dict().values()):
        if mine.dtype.is_floating_point:
            mine.lerp_(theirs, 1 - decay)
        else:
            mine.copy_(theirs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=sorted(MODELS), required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder of chips")
    parser.add_argument("--steps", type=int, help="fewer, for a trial")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--restart", action="store_true", help="ignore an earlier checkpoint")
    parser.add_argument("--bundles", type=Path, default=HERE.parent, help="where NAME/ is written")
    arguments = parser.parse_args()
    plan = PLANS[arguments.model]
    if arguments.steps is not None:
        plan = replace(plan, steps=arguments.steps)
    torch.set_num_threads(arguments.threads)
    torch.use_deterministic_algorithms(True)
    folder = HERE / "runs" / arguments.model
    folder.mkdir(parents=True, exist_ok=True)
    if arguments.restart:
        (folder / "checkpoint.pt").unlink(missing_ok=True)

    bands = MODELS[arguments.model]
    chips = read_chips(arguments.data)
    place, part = places(chips), split(chips)
    held = {p: [c for c, q in zip(chips, part) if q == p] for p in ("validation", "test")}
    train = [i for i, q in enumerate(part) if q == "train"]
    samples = training_samples([chips[i] for i in train], [place[i] for i in train], bands)

    def validate(network: LandCoverNetwork) -> dict[str, float]:
        return scores.quick(network, held["validation"], bands, samples)

    network = fit(samples, bands, plan, folder, validate)
    temperature = scores.fit_temperature(network, held["validation"], bands, samples)
    report = scores.full(network, held["test"], bands, samples, temperature)
    (folder / "scores.json").write_text(json.dumps(report, indent=1) + "\n")
    print(scores.as_text(report))
    bundle.write(
        arguments.bundles / arguments.model, arguments.model, network, bands,
        samples.mean.tolist(), samples.deviation.tolist(), temperature, report,
    )


if __name__ == "__main__":
    main()
