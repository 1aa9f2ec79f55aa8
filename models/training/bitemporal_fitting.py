"""Batches of pairs with planted changes, and the loop that the bitemporal network learns in."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

import augment
import nuisance
import pairs
import planting
from bitemporal_network import WIDTHS, ChangeNetwork
from chips import IGNORE
from classes import ROLES
from data import Data, chance_of_drawing, load
from fitting import CPU, follow, generators, learning_rate, on_processor, save, show_progress
from losses import overlap_loss
from network import parameter_count
from pairs import RealPair
from textures import Sources, sources

CLASSES = ("unchanged", "changed")
SERIES = ("naip-prairie", "landsat-ucayali")
UNKNOWN_COVER, DOUBT_CODE = 6, 8
"""Codes of a label while it is turned and zoomed: unknown land cover, and what is added where the pair is doubtful."""


@dataclass(frozen=True)
class ChangePlan:
    """Everything that decides the result besides the data."""

    seed: int = 20261125
    widths: tuple[int, int, int, int] = WIDTHS
    steps: int = 1300
    batch: int = 12
    shares: tuple[float, ...] = (0.5, 0.22, 0.16, 0.12)
    """Of pairs of one chip with itself, of two dates of chips, of `SERIES`."""
    planted: float = 0.75
    """Share of the pairs on which something is planted; the others have not changed at all."""
    pace: tuple[tuple[int, float], ...] = ((0, 0.0), (1300, 1.0))
    learning_rate: float = 5e-3
    warm_up: float = 0.05
    weight_decay: float = 1e-3
    severity: float = 0.8
    augmented: float = 0.8
    """Factor on the share of pairs that are zoomed or seen by other sensors."""
    changed_weight: float = 2.0
    """Weight of a changed pixel in cross-entropy; an unchanged one has 1."""
    average_decay: float = 0.995
    report_every: int = 100


@dataclass(frozen=True)
class PairBatch:
    """Normalised bands of both dates (batch, 2 x band, row, col), int64 labels (batch, row, col)."""

    bands: Tensor
    labels: Tensor

    def to(self, device: torch.device) -> PairBatch:
        """The same batch in the memory of a device."""
        return PairBatch(self.bands.to(device, non_blocking=True), self.labels.to(device, non_blocking=True))


@dataclass(frozen=True)
class Grounds:
    """Everything that pairs of one part are drawn from."""

    data: Data
    chosen: np.ndarray
    chance: Tensor
    dates: list[tuple[int, int]]
    """Pairs of chips of the same ground."""
    series: list[list[RealPair]]
    sources: Sources


def training_grounds(folder: Path) -> Grounds:
    """Training chips, and the series without their last dates."""
    data = load(folder)
    train = data.index("train")
    return Grounds(
        data, train, chance_of_drawing(data, train),
        pairs.same_ground_within(pairs.same_ground(data, folder), train),
        [pairs.training_pairs(pairs.read_series(folder, name, data)) for name in SERIES],
        sources(folder, data, held_out=False),
    )


def draw_pair(grounds: Grounds, shares: tuple[float, ...], rng: np.random.Generator) -> tuple[RealPair, bool]:
    """A pair of windows, and whether its two dates really differ."""
    kind = int(rng.choice(len(shares), p=shares))
    if kind == 0 or (kind == 1 and not grounds.dates):
        chance = grounds.chance.numpy().astype(float)
        one = int(grounds.chosen[rng.choice(len(chance), p=chance / chance.sum())])
        return pairs.pair_of_chips(grounds.data, one, one), False
    if kind == 1:
        return pairs.pair_of_chips(grounds.data, *grounds.dates[rng.integers(len(grounds.dates))]), True
    of_series = grounds.series[kind - 2]
    pair = of_series[rng.integers(len(of_series))]
    return pairs.cut(pair, pairs.window(rng, *pair.land.shape)), True


def turned_and_zoomed(drawn: list[RealPair], share: float, generator: torch.Generator) -> list[RealPair]:
    """Both dates of each pair in the same other geometry."""
    images = torch.from_numpy(np.stack([np.concatenate([p.earlier, p.later]) for p in drawn]))
    codes = np.stack([np.where(p.land == IGNORE, UNKNOWN_COVER, p.land) + DOUBT_CODE * p.doubtful for p in drawn])
    images, codes = augment.geometry(images, torch.from_numpy(codes.astype(np.uint8)), share, generator)
    out, bands = [], len(ROLES)
    for image, code, pair in zip(images.numpy(), codes.numpy(), drawn):
        land = (code % DOUBT_CODE).astype(np.uint8)
        land[land == UNKNOWN_COVER] = IGNORE
        out.append(RealPair(image[:bands], image[bands:], land, code >= DOUBT_CODE, pair.roles))
    return out


def make_pairs(
    grounds: Grounds, drawn: list[RealPair], really: list[bool], planted: float, rng: np.random.Generator
) -> tuple[Tensor, np.ndarray, np.ndarray]:
    """Reflectance (image, 2 x band, row, col) with differences of the date and planted changes, labels and kinds (image,
    row, col)."""
    images, labels, kinds = [], [], []
    for pair, differs in zip(drawn, really):
        other = int(rng.choice(grounds.chosen))
        other_image, other_land = grounds.data.visible([other])[0].numpy(), grounds.data.labels[other].numpy()
        earlier, later = pair.earlier, pair.later
        if rng.random() < 0.5:  # things that stand on both dates
            standing, stands = planting.planted_kinds(
                earlier, pair.land, other_image, other_land, grounds.sources, rng, np.zeros(pair.land.shape, bool),
                int(rng.integers(1, 4)), int(rng.integers(0, 2)),
            )
            where = (stands != 0)[None]
            later = np.where(where, later + standing - earlier, later)
            earlier = standing
        later = nuisance.another_date(later, pair.land, grounds.sources, rng, mildly=differs)
        kind = np.zeros(pair.land.shape, np.uint8)
        if rng.random() < planted:
            earlier, later, kind = planting.plant(earlier, later, pair.land, other_image, other_land, grounds.sources, rng)
        images.append(np.concatenate([earlier, later]).astype(np.float32))
        labels.append(planting.change_label(kind, pair.doubtful))
        kinds.append(kind)
    return torch.from_numpy(np.stack(images)), np.stack(labels), np.stack(kinds)


def seen_by_sensors(images: Tensor, severity: float, share: float, generator: torch.Generator) -> Tensor:
    """Each date from a sensor, sky and file of its own."""
    each = images.reshape(-1, len(ROLES), *images.shape[2:])
    each = augment.sensor(nuisance.own_radiometry(each, generator), severity, share, generator)
    return each.reshape(images.shape)


def normalise(data: Data, images: Tensor) -> Tensor:
    """Both dates with the mean and the deviation of each band."""
    return data.normalise(images.reshape(-1, len(ROLES), *images.shape[2:])).reshape(images.shape)


def hide(bands: Tensor, labels: Tensor, generator: torch.Generator) -> None:
    """Holes and edges of scenes: on both dates alike, or in one of them alone. In place."""
    augment.holes(bands, [labels], generator)
    augment.edges(bands, [labels], generator)
    count = len(ROLES)
    augment.holes(bands[:, :count], [labels], generator)
    augment.holes(bands[:, count:], [labels], generator)


def batches(grounds: Grounds, plan: ChangePlan) -> Callable[[int], PairBatch]:
    """Draws the batch of a step."""

    def batch(step: int) -> PairBatch:
        generator, rng = generators(plan, step)
        drawn = [draw_pair(grounds, plan.shares, rng) for _ in range(plan.batch)]
        turned = turned_and_zoomed([d[0] for d in drawn], plan.augmented, generator)
        images, labels, _ = make_pairs(grounds, turned, [d[1] for d in drawn], plan.planted, rng)
        bands = normalise(grounds.data, seen_by_sensors(images, plan.severity, plan.augmented, generator))
        labels = torch.from_numpy(labels).long()
        hide(bands, labels, generator)
        return PairBatch(nuisance.drop_bands(bands, [d[0].roles for d in drawn], generator), labels)

    return batch


_drawing: Callable[[int], PairBatch]


def begin_drawing(folder: Path, plan: ChangePlan) -> None:
    """In the other process: everything that batches are drawn from."""
    global _drawing
    torch.set_num_threads(1)
    _drawing = batches(training_grounds(folder), plan)


def draw(step: int) -> tuple[np.ndarray, ...]:
    """In the other process: one batch as arrays."""
    batch = _drawing(step)
    return batch.bands.numpy(), batch.labels.numpy()


def build(plan: ChangePlan) -> ChangeNetwork:
    """A network that has learnt nothing."""
    return ChangeNetwork(len(ROLES), len(CLASSES), plan.widths)


def change_loss(logits: Tensor, labels: Tensor, changed_weight: float) -> Tensor:
    """Weighted cross-entropy over the known pixels, and half of the overlap that it leaves out."""
    weights = torch.tensor([1.0, changed_weight], device=logits.device)
    entropy = functional.cross_entropy(logits, labels, weight=weights, ignore_index=IGNORE)
    return entropy + 0.5 * overlap_loss(functional.softmax(logits, 1), labels)


def fit(
    make_batch: Callable[[int], PairBatch], plan: ChangePlan, folder: Path,
    validate: Callable[[ChangeNetwork], dict[str, float]], device: torch.device = CPU,
) -> tuple[ChangeNetwork, list[dict]]:
    """Trains from the checkpoint of `folder`, or from nothing; returns the averaged network, in the memory of the processor,
    and the curves."""
    torch.manual_seed(plan.seed)
    network, average = build(plan).to(device), build(plan).to(device)
    network.to(memory_format=torch.channels_last)
    average.load_state_dict(network.state_dict())
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay)
    first, history, checkpoint = 0, [], folder / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True, map_location="cpu")
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        first, history = state["step"], json.loads(state["history"])
        print(f"going on from step {first} of {plan.steps}")
    print(f"{parameter_count(network)} parameters", flush=True)
    started, recent = time.monotonic(), []
    for step in range(first, plan.steps):
        batch = make_batch(step).to(device)
        network.train()
        loss = change_loss(network(batch.bands), batch.labels, plan.changed_weight)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, plan)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        follow(average, network, min(plan.average_decay, (step + 1) / (step + 10)))
        recent.append((loss.detach(),))
        show_progress(step + 1, plan.steps, first, started, recent)
        if (step + 1) % plan.report_every == 0 or step + 1 == plan.steps:
            row = {"step": step + 1, "loss": np.mean([float(r[0]) for r in recent])} | validate(on_processor(average, lambda: build(plan)))
            history.append({k: round(float(v), 4) for k, v in row.items()})
            recent = []
            print(f"\r{time.monotonic() - started:6.0f} s  {history[-1]}", flush=True)
            save(checkpoint, network, average, optimiser, step + 1, history, None)
    return on_processor(average, lambda: build(plan)).eval(), history
