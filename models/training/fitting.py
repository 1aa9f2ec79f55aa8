"""The training loop: batches, schedule, running average, checkpoints, curves."""

from __future__ import annotations

import json
import math
import multiprocessing
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import augment
from compose import CONTRAST, EASY_CONTRAST, compose, object_background
from data import Data, chance_of_drawing, load
from classes import head_slice
from losses import class_weights, distance, loss_of
from network import ShoreNetwork, parameter_count
from textures import Sources, sources

CPU = torch.device("cpu")

Staged = tuple[tuple[int, object], ...]
"""Values, each from its step on."""


def staged(values: Staged, step: int):
    """The value that holds at the step."""
    return [value for start, value in values if start <= step][-1]


@dataclass(frozen=True)
class Plan:
    """Everything that decides the result besides the data."""

    seed: int = 20240611
    size: str = "middle"
    steps: int = 9000
    batch: int = 16
    composites: Staged = ((0, 6), (1000, 8))
    """Images of each batch that carry painted objects."""
    contrast: Staged = ((0, EASY_CONTRAST), (1000, CONTRAST))
    """How much an object must differ from the ground to be painted."""
    object_smoothing: Staged = ((0, 0.04), (1000, 0.0))
    """Share of each object label that is given to all kinds alike."""
    pace: tuple[tuple[int, float], ...] = ((0, 0.0), (6000, 1.0), (6001, 0.7), (9000, 1.0))
    """How far the schedule of the learning rate has come at some steps, linear between."""
    teacher_from: int = 6000
    """From this step on the network also learns from the averaged network of this step, which is shown the same ground
    with all bands, from the sensor of the chips, without holes: half-right labels are smoothed by what the whole set of
    chips says, and fewer bands learn what six can tell."""
    teacher_share: float = 0.5
    """Weight of the teacher beside the labels."""
    learning_rate: float = 4e-3
    warm_up: float = 0.05
    """Share of the steps over which the learning rate rises; then it falls as a cosine."""
    weight_decay: float = 1e-3
    severity: Staged = ((0, 1.0), (3000, 0.7))
    augmented: Staged = ((0, 1.0), (3000, 0.6))
    """Factor on the share of images that are zoomed or seen by another sensor: the end belongs to the chips as they are."""
    class_balance: float = 0.5
    average_decay: float = 0.995
    """The weights that are kept are a running average over the steps."""
    report_every: int = 200


@dataclass(frozen=True)
class Batch:
    """Normalised bands (batch, band, row, col), int64 labels (batch, row, col), weights (batch)."""

    bands: Tensor
    land: Tensor
    objects: Tensor
    weights: Tensor
    clean: Tensor | None = None
    """As `bands`, before another sensor, holes and missing bands: what a teacher is shown."""

    def to(self, device: torch.device) -> Batch:
        """The same batch in the memory of a device."""
        moved = (t if t is None else t.to(device, non_blocking=True) for t in vars(self).values())
        return Batch(*moved)


def generators(plan: Plan, step: int) -> tuple[torch.Generator, np.random.Generator]:
    """Each step draws from (seed, step) alone: a resumed run equals a whole one."""
    return (
        torch.Generator().manual_seed(plan.seed * 1_000_003 + step),
        np.random.default_rng((plan.seed, step)),
    )


def batches(data: Data, sources: Sources, plan: Plan) -> Callable[[int], Batch]:
    """Draws the batch of a step from the training chips."""
    train = data.index("train")
    chance = chance_of_drawing(data, train)

    def batch(step: int) -> Batch:
        generator, rng = generators(plan, step)
        chosen = train[torch.multinomial(chance, plan.batch, replacement=False, generator=generator).numpy()]
        images, land = augment.geometry(data.visible(chosen), data.labels[chosen], staged(plan.augmented, step), generator)
        return finish_batch(data, sources, plan, step, images, land, generator, rng)

    return batch


def finish_batch(data: Data, sources: Sources, plan: Plan, step: int, images: Tensor, land: Tensor, generator, rng) -> Batch:
    """Paints objects on the first images, then sensor, normalisation, holes and band dropout."""
    objects = torch.from_numpy(np.stack([object_background(l) for l in land.numpy()])).long()
    contrast = staged(plan.contrast, step)
    for i in range(staged(plan.composites, step)):
        other = images[int(rng.integers(len(images)))].numpy()
        image, label, thing = compose(images[i].numpy(), land[i].numpy(), other, sources, rng, contrast)
        images[i], land[i], objects[i] = torch.from_numpy(image), torch.from_numpy(label), torch.from_numpy(thing)
    clean = data.normalise(images)
    bands = data.normalise(augment.sensor(images, staged(plan.severity, step), staged(plan.augmented, step), generator))
    augment.holes(bands, [land, objects], generator)
    augment.edges(bands, [land, objects], generator)
    return Batch(augment.drop_bands(bands, generator), land, objects, torch.ones(len(bands)), clean)


class BatchesAhead:
    """The same batches, drawn by other processes while the network learns from the one before.

    A step draws from (seed, step) alone, so that it does not matter who draws it, or when.
    """

    AHEAD = 3
    """Batches that wait for each process."""

    def __init__(
        self, folder: Path, plan: Plan, begin: Callable | None = None, draw: Callable | None = None, kind: type = Batch,
        processes: int = 1,
    ):
        """`begin(folder, plan)` readies another process, `draw(step)` gives the arrays of a batch of the `kind` there."""
        self.steps, self.draw, self.kind, self.ahead = plan.steps, draw or _draw, kind, 1 + self.AHEAD * processes
        self.waiting: dict[int, Future] = {}
        # A fresh process, not a fork: a fork would inherit the locks of the other threads.
        context = multiprocessing.get_context("spawn")
        self.pool = ProcessPoolExecutor(processes, context, initializer=begin or _begin_drawing, initargs=(folder, plan))

    def __call__(self, step: int) -> Batch:
        for ahead in range(step, min(step + self.ahead, self.steps)):
            if ahead not in self.waiting:
                self.waiting[ahead] = self.pool.submit(self.draw, ahead)
        return self.kind(*map(torch.from_numpy, self.waiting.pop(step).result()))

    def close(self) -> None:
        """Ends the other processes."""
        self.pool.shutdown(cancel_futures=True)


_drawing: Callable[[int], Batch]


def _begin_drawing(folder: Path, plan: Plan) -> None:
    """In the other process: everything that batches are drawn from."""
    global _drawing
    torch.set_num_threads(1)
    data = load(folder)
    _drawing = batches(data, sources(folder, data, held_out=False), plan)


def _draw(step: int) -> tuple[np.ndarray, ...]:
    """In the other process: one batch as arrays, which travel without shared memory."""
    batch = _drawing(step)
    return tuple(t.numpy() for t in (batch.bands, batch.land, batch.objects, batch.weights, batch.clean))


def learning_device(name: str) -> torch.device:
    """The device of that name; `auto` is the first CUDA device where there is one. On the processor every sum is done in the
    same order on every run; on a CUDA device the last digits differ from run to run, as some of its kernels add in any order."""
    device = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name)
    torch.use_deterministic_algorithms(device == CPU)
    print(f"learning on {torch.cuda.get_device_name(device) if device.type == 'cuda' else 'the processor'}", flush=True)
    return device


def learning_rate(step: int, plan: Plan) -> float:
    """Linear warm-up, then a cosine to a hundredth."""
    progress = float(np.interp(step, *zip(*plan.pace)))
    if progress < plan.warm_up:
        return plan.learning_rate * max(progress / plan.warm_up, 1e-3)
    phase = (progress - plan.warm_up) / (1 - plan.warm_up)
    return plan.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * phase)))


def fit(
    network: ShoreNetwork,
    make_batch: Callable[[int], Batch],
    labels: Tensor,
    plan: Plan,
    folder: Path,
    validate: Callable[[ShoreNetwork], dict[str, float]],
    build: Callable[[], ShoreNetwork],
    time_limit_s: float = math.inf,
    device: torch.device = CPU,
) -> tuple[ShoreNetwork, list[dict]]:
    """Trains from the checkpoint of `folder`, or from the given network; returns the averaged one, in the memory of the
    processor, and the curves.

    With a time limit the schedule follows the time of the processor (s) instead of the steps, and nothing is resumed.
    """
    network.to(device, memory_format=torch.channels_last)
    average = build().to(device)
    average.load_state_dict(network.state_dict())
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay)
    weights = class_weights(labels, plan.class_balance).to(device)
    history: list[dict] = []
    first, checkpoint, teacher = 0, folder / "checkpoint.pt", None
    if checkpoint.exists() and math.isinf(time_limit_s):
        state = torch.load(checkpoint, weights_only=True, map_location="cpu")
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        first, history = state["step"], json.loads(state["history"])
        if "teacher" in state:
            teacher = frozen(state["teacher"], build, device)
        print(f"going on from step {first} of {plan.steps}")
    print(f"{parameter_count(network)} parameters; class weights {[round(w, 2) for w in weights.tolist()]}", flush=True)
    started, began, recent = time.monotonic(), time.process_time(), []
    for step in range(first, plan.steps):
        elapsed = time.process_time() - began
        if elapsed >= time_limit_s:
            break
        batch = make_batch(step).to(device)
        network.train()
        logits = network(batch.bands)
        land_loss, object_loss = loss_of(logits, batch.land, batch.objects, weights, batch.weights, staged(plan.object_smoothing, step))
        if step >= plan.teacher_from and batch.clean is not None:
            teacher = teacher or frozen(average.state_dict(), build, device)
            with torch.no_grad():
                taught = teacher(batch.clean)
            land_loss = land_loss + plan.teacher_share * distance(logits, taught, batch.land, head_slice("land_cover"))
            object_loss = object_loss + plan.teacher_share * distance(logits, taught, batch.objects, head_slice("object"))
        phase = step if math.isinf(time_limit_s) else round(elapsed / time_limit_s * plan.pace[-1][0])
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(phase, plan)
        optimiser.zero_grad()
        (land_loss + object_loss).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        follow(average, network, min(plan.average_decay, (step + 1) / (step + 10)))
        recent.append((land_loss.detach(), object_loss.detach()))
        show_progress(step + 1, plan.steps, first, started, recent)
        if (step + 1) % plan.report_every == 0 or step + 1 == plan.steps:
            row = {"step": step + 1}
            row |= {name: np.mean([float(r[n]) for r in recent]) for n, name in enumerate(("land_cover_loss", "object_loss"))}
            row |= validate(on_processor(average, build))
            history.append({k: round(float(v), 4) for k, v in row.items()})
            recent = []
            print(f"\r{time.monotonic() - started:6.0f} s  {history[-1]}", flush=True)
            if math.isinf(time_limit_s):
                save(checkpoint, network, average, optimiser, step + 1, history, teacher)
    return on_processor(average, build).eval(), history


def on_processor(network: torch.nn.Module, build: Callable[[], torch.nn.Module]) -> torch.nn.Module:
    """The network itself, or its copy in the memory of the processor."""
    if next(network.parameters()).device == CPU:
        return network
    copy = build()
    copy.load_state_dict(network.state_dict())
    return copy


def frozen(state: dict, build: Callable[[], ShoreNetwork], device: torch.device = CPU) -> ShoreNetwork:
    """A network of these weights that learns nothing more."""
    network = build()
    network.load_state_dict(state)
    return network.eval().to(device, memory_format=torch.channels_last)


def save(checkpoint: Path, network, average, optimiser, step: int, history: list[dict], teacher) -> None:
    """Writes the checkpoint whole or not at all."""
    temporary = checkpoint.with_suffix(".tmp")
    state = {"network": network.state_dict(), "average": average.state_dict(), "step": step,
             "optimiser": optimiser.state_dict(), "history": json.dumps(history)}
    torch.save(state | ({"teacher": teacher.state_dict()} if teacher else {}), temporary)
    temporary.replace(checkpoint)


def show_progress(done: int, steps: int, first: int, started: float, recent: list) -> None:
    """A bar on a terminal; nothing elsewhere. `recent`: losses of the last steps, whose sum is shown."""
    if not sys.stderr.isatty():
        return
    left = (time.monotonic() - started) / (done - first) * (steps - done)
    filled = 30 * done // steps
    bar = "█" * filled + "░" * (30 - filled)
    print(f"\r{bar} {done}/{steps}  loss {sum(recent[-1]):.3f}  {left / 60:.0f} min left ", end="", file=sys.stderr)


@torch.no_grad()
def follow(average: torch.nn.Module, network: torch.nn.Module, decay: float) -> None:
    """Moves the running average towards the network, batch statistics included."""
    for mine, theirs in zip(average.state_dict().values(), network.state_dict().values()):
        if mine.dtype.is_floating_point:
            mine.lerp_(theirs, 1 - decay)
        else:
            mine.copy_(theirs)
