"""After training: calibration, scores, stored forms, manifest, hold-out list, card, pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

import bundle
import pictures
import scoring
from chips import BUILT_UP, CLASSES, IGNORE, WATER
from classes import BAND_SETS
from data import Data
from model_card import model_card
from network import ShoreNetwork, parameter_count
from scoring import LAND, logits_of
from sensors import keep_bands
from textures import HELD_OUT_SHARE, TILE_PX, sources

VERSION = "0.3.0"
TITLE = "Land cover and objects of concern on shores"
DESCRIPTION = (
    "Six land-cover classes and seven kinds of object from up to six bands; a small U-Net for many sensors. "
    "Objects were learnt from composites only. See README.md for scores, and for where it fails."
)
TARGETS = (
    ("water IoU against hand masks, labelled pixels", "at least", 0.88, lambda r: r["by_mask"]["water_iou_labelled_pixels"]),
    ("water IoU against hand masks, clear pixels", "at least", 0.88, lambda r: r["by_mask"]["water_iou_clear_pixels"]),
    ("mean IoU", "at least", 0.60, lambda r: r["by_mask"]["mean_iou"]),
    ("IoU built-up", "at least", 0.45, lambda r: r["by_mask"]["iou_by_class"]["built_up"]),
    ("IoU bare", "at least", 0.60, lambda r: r["by_mask"]["iou_by_class"]["bare"]),
    ("expected calibration error", "at most", 0.03, lambda r: r["by_mask"]["calibration_error"]),
    ("object recall, 25 px and more", "at least", 0.85, lambda r: r["objects"]["by_band_set"]["six_bands"]["recall"]),
    ("object precision, 25 px and more", "at least", 0.80, lambda r: r["objects"]["by_band_set"]["six_bands"]["precision"]),
)


def finish(name: str, network: ShoreNetwork, data: Data, folder_of_data: Path, plan, steps: int, history, folder: Path, bundles: Path) -> None:
    """Writes `bundles/NAME/` and what belongs to the run into `folder`; prints the scores."""
    painted, held = (sources(folder_of_data, data, held_out=side) for side in (False, True))
    parameters, network = parameter_count(network), bundle.fused(network)
    report, fitted = scoring.full(network, data, painted, held, plan.seed)
    target = bundles / name
    train, test = data.index("train"), scoring.holdouts(data)["by_mask"]
    by_set = [data.normalise(data.visible(train[i::9])) for i in range(len(BAND_SETS))]
    ranges = torch.cat([keep_bands(b, roles) for b, roles in zip(by_set, BAND_SETS.values())])
    checks = bundle.store(target, network, fitted, ranges, data.normalise(data.visible(test)))
    normalisation = (data.mean.tolist(), data.deviation.tolist())
    text = bundle.manifest(target, name, VERSION, TITLE, DESCRIPTION, normalisation, fitted, report, checks)
    (target / "manifest.toml").write_text(text)
    (target / "holdout.json").write_text(json.dumps(holdout(data), indent=1) + "\n")
    report |= {"checks": checks, "targets": targets(report), "parameters": parameters, "steps": steps}
    (folder / "scores.json").write_text(json.dumps(report, indent=1) + "\n")
    write_card(name, plan, folder, bundles)
    draw(network, data, fitted, history, report, folder, target)
    print(target_table(report["targets"]))
    print(summary(report))


def write_card(name: str, plan, folder: Path, bundles: Path) -> None:
    """The card, from what the commands left in `folder` and beside it."""
    report = json.loads((folder / "scores.json").read_text())
    verdict = "Bars to be met, and what was reached:\n\n" + target_table(report["targets"])
    card = model_card(name, report["parameters"], plan, report["steps"], report, report["checks"], verdict, extras(folder))
    (bundles / name / "README.md").write_text(card)


def extras(folder: Path) -> str:
    """Speed and sizes, as far as their commands were run."""
    text = through_the_pipeline(folder / "eval.json")
    speed, sizes = folder / "speed.json", folder.parent / "sizes.json"
    if speed.exists():
        figures = json.loads(speed.read_text())
        threads, busy = figures.pop("threads"), figures.pop("load")
        rows = "\n".join(f"| {form} | {value:.2f} |" for form, value in figures.items())
        text += (
            f"Speed, 512 x 512 px, six bands, float32 in and out, {threads} threads, median of 9 (`python speed.py --bundle "
            f"{folder.name}`; load of the machine before it: {busy:.1f}):\n\n| stored form | Mpx/s |\n|---|---|\n{rows}\n\n"
        )
    if sizes.exists():
        figures = json.loads(sizes.read_text())
        minutes = max(row["minutes"] for row in figures.values())
        text += (
            f"### Size against score\n\nThree sizes, each trained for {minutes:g} minutes of one processor, uncalibrated "
            f"(`python compare_sizes.py --minutes {minutes:g}`). So short a training ranks them at this budget only. "
            "Measured with the recipe and the labels of version 0.2.0, on "
            f"another, slower machine, and not repeated since.\n\n{sizes_table(figures)}\n\n"
        )
        if "hand-masks" in figures:
            row = figures["hand-masks"]
            text += (
                f"The middle size taught nothing but the hand-made masks as they stand, for as long: water IoU on clear pixels "
                f"{row['water_iou_clear_by_mask']:.3f} by mask hash, {row['water_iou_clear_unseen_places']:.3f} on places never seen.\n\n"
            )
    return text


def through_the_pipeline(path: Path) -> str:
    """What `shorewatch eval` measured, if it was run with `--out` the folder of the run."""
    if not path.exists():
        return ""
    figures = json.loads(path.read_text())
    rows = [
        f"| {g['what']} | {'at least' if 'at_least' in g else 'at most'} {g.get('at_least', g.get('at_most'))} | "
        f"{g['reached']:.3f} | {'met' if g['met'] else '**missed**'} |"
        for g in figures["goals"]
    ]
    mask, places, forest = figures["holdouts"]["by_mask"], figures["holdouts"]["unseen_places"], figures["baselines"]["random_forest"]
    return (
        "### Through the pipeline\n\nPrinted by `shorewatch eval --bundle " + figures["bundle"]["name"] + "` (form "
        f"{figures['bundle']['format']}): the same chips, admitted as passes, read with their halo (nothing is observed beyond a "
        "chip), kept in 8 bits; objects planted by another painter (`pipeline/synth/src/plant`), which the network never saw.\n\n"
        "| | bar | reached | |\n|---|---|---|---|\n" + "\n".join(rows) + "\n\n"
        f"Mean IoU on places never seen: {places['mean_iou']:.3f} (water {places['iou']['water']:.3f}, built up "
        f"{places['iou']['built_up']:.3f}, bare {places['iou']['bare']:.3f}). Random forest by mask hash: mean IoU "
        f"{forest['mean_iou']:.3f}.\n\nLabels left out because the image contradicts the map: "
        f"{1 - mask['labelled_px'] / mask['labelled_px_as_mapped']:.1%} by mask hash, "
        f"{1 - places['labelled_px'] / places['labelled_px_as_mapped']:.1%} on places never seen. With the map's word for these: mean IoU "
        f"{mask['mean_iou_as_mapped']:.3f} (bare {mask['iou_as_mapped']['bare']:.3f}) by mask hash, "
        f"{places['mean_iou_as_mapped']:.3f} (bare {places['iou_as_mapped']['bare']:.3f}) on places never seen.\n\n"
    )


def sizes_table(figures: dict) -> str:
    """Sizes as Markdown."""
    lines = [
        "| size | parameters | steps | mean IoU by mask hash | places never seen | object recall / precision | Mpx/s, one thread, Python |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {r['parameters']:,} | {r['steps']} | {r['mean_iou_by_mask']:.3f} | {r['mean_iou_unseen_places']:.3f} | "
        f"{r['object_recall']:.3f} / {r['object_precision']:.3f} | {r['mpx_per_s_python_one_thread']:.2f} |"
        for name, r in figures.items() if "object_recall" in r
    ]
    return "\n".join(lines)


def summary(report: dict) -> str:
    """The report without its long lists, for a terminal."""
    short = {k: {n: v for n, v in report[k].items() if n not in ("reliability", "confusion_true_by_predicted")} for k in ("by_mask", "unseen_places")}
    return json.dumps(short | {"objects": report["objects"]["by_band_set"], "checks": report["checks"]}, indent=1)


def targets(report: dict) -> list[dict]:
    """Each bar with the figure reached, by mask hash or on held-out composites."""
    return [
        {"what": what, "bar": f"{word} {bar}", "reached": reached(report),
         "met": reached(report) >= bar if word == "at least" else reached(report) <= bar}
        for what, word, bar, reached in TARGETS
    ]


def target_table(rows: list[dict]) -> str:
    """As Markdown."""
    lines = [f"| {r['what']} | {r['bar']} | {r['reached']:.3f} | {'met' if r['met'] else '**missed**'} |" for r in rows]
    return "\n".join(["| | bar | reached | |", "|---|---|---|---|", *lines])


def holdout(data: Data) -> dict:
    """Which chips and which sources belong to which part, for any other program that scores."""
    seen = set(data.place[data.index("train")].tolist())
    return {
        "chips": {
            n: {"part": str(p), "place": int(q), "place_seen_in_training": int(q) in seen}
            for n, p, q in zip(data.names, data.parts, data.place)
        },
        "labelled_px": {name: int((data.labels == number).sum()) for number, name in enumerate(CLASSES)},
        "galleries": {
            "held_out_from_share": round(1 - HELD_OUT_SHARE, 6),
            "held_out": f"the last rows of {TILE_PX} px of each picture: from row round(rows * {1 - HELD_OUT_SHARE:.4f}) on"
        },
    }


@torch.no_grad()
def draw(network, data: Data, fitted, history, report: dict, folder: Path, target: Path) -> None:
    """Curves and reliability of the run; class maps and disputed masks for the card."""
    pictures.curves(history, folder / "curves.png")
    pictures.reliability(report["by_mask"]["reliability"], folder / "reliability.png")
    parts = scoring.holdouts(data)
    winners = {}
    for name in ("by_mask", "unseen_places"):
        logits = logits_of(network, data.normalise(data.visible(parts[name])), LAND)
        winners[name] = fitted["land_cover"].probabilities(logits).argmax(1)
    chosen, winner = parts["unseen_places"], winners["unseen_places"]
    labels = data.labels[chosen]
    accuracy = ((winner == labels) & (labels != IGNORE)).float().mean((1, 2)) / (labels != IGNORE).float().mean((1, 2))
    several = torch.tensor([len(l[l != IGNORE].unique()) >= 3 for l in labels])
    order = torch.nonzero(several).view(-1)[accuracy[several].argsort(descending=True)]
    picked = order[torch.linspace(0, len(order) - 1, 6).long()]
    pictures.class_maps(winner[picked].numpy(), labels[picked].numpy(), target / "classes.png")
    chosen, winner = parts["by_mask"], winners["by_mask"]
    hand, clear = data.hand_water[chosen].numpy(), data.clear[chosen].numpy()
    disputed = hand & clear & (data.labels[chosen] == IGNORE).numpy()
    worst = np.argsort(-disputed.sum((1, 2)))[:8]
    built, known = (data.labels[chosen] == BUILT_UP).numpy(), (data.labels[chosen] != IGNORE).numpy()
    most = np.argsort(-built.sum((1, 2)), kind="stable")[:5]
    pictures.agreement((winner == BUILT_UP).numpy()[most], built[most], known[most], target / "built_up.png")
    pictures.disputed_masks(hand[worst], disputed[worst], (winner == WATER).numpy()[worst], target / "disputed.png")
