"""Writes a model bundle: TorchScript weights, manifest and model card, each checked on the way."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path

import torch
from blake3 import blake3
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from chips import CLASSES
from model_card import model_card
from network import ALIGNMENT_PX, LandCoverNetwork

VERSION = "0.1.0"
TILE_PX = 512
TOLERANCE = 1e-4
"""Largest difference of a probability between a tile and the whole image."""
APPEARANCE = {
    "water": ("water", "#2b6cb0"),
    "trees": ("vegetation", "#276749"),
    "low_vegetation": ("vegetation", "#9ac46b"),
    "crops": ("vegetation", "#e2c044"),
    "built_up": ("built", "#c53030"),
    "bare": ("bare", "#c4a484"),
}
"""Group and colour of each class."""
TITLES = {
    "landcover-grn": "Land cover from green, red and near infrared",
    "landcover-rgb": "Land cover from red, green and blue",
}
TRAINING_DATA = """
[[training_data]]
name = "Water-Segmentation-project chips (surface reflectance, quality bits, hand-made water masks)"
licence = "MIT by its README; the repository has no licence file and does not state the origin of the imagery"
source = "https://github.com/shahed137003/Water-Segmentation-project"
note = "306 chips, 128 x 128 px, about 30 m, some 65 distinct places; the quality bits have the layout of NASA HLS"

[[training_data]]
name = "ESA WorldCover"
licence = "CC BY 4.0"
source = "https://esa-worldcover.org"
note = "land-cover codes as band 11 of the chips; contains modified Copernicus Sentinel data, processed by the ESA WorldCover consortium"
"""


def fused(network: LandCoverNetwork) -> LandCoverNetwork:
    """A copy with each batch normalisation folded into its convolution."""
    network = copy.deepcopy(network).eval()
    for parent in list(network.modules()):
        children = list(parent.named_children())
        for (name, convolution), (next_name, norm) in zip(children, children[1:]):
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(parent, name, fuse_conv_bn_eval(convolution, norm))
                setattr(parent, next_name, nn.Identity())
    return network.to(memory_format=torch.channels_last)


def reach_px(bands: int) -> int:
    """How far, in rows or columns, an output pixel can see: exact for the architecture.

    Gradient of every phase of the alignment on a network of positive weights without ReLU and
    with average instead of maximum pooling, so that no path is switched off.
    """
    network = fused(LandCoverNetwork(bands, len(CLASSES))).double()
    for module in network.modules():
        for name, child in list(module.named_children()):
            if isinstance(child, nn.ReLU):
                setattr(module, name, nn.Identity())
    for parameter in network.parameters():
        parameter.data.abs_().add_(1e-3)
    size, middle, reach = 24 * ALIGNMENT_PX, 12 * ALIGNMENT_PX, 0
    maximum_pool = functional.max_pool2d
    functional.max_pool2d = functional.avg_pool2d
    try:
        for phase in range(ALIGNMENT_PX):
            image = torch.ones(1, bands, size, size, dtype=torch.float64, requires_grad=True)
            network(image)[0, 0, middle + phase, middle + phase].backward()
            rows, cols = torch.nonzero(image.grad[0].abs().sum(0) > 0, as_tuple=True)
            reach = max(reach, *(int((line - middle - phase).abs().max()) for line in (rows, cols)))
    finally:
        functional.max_pool2d = maximum_pool
    return reach


def save_script(network: LandCoverNetwork, bands: int, path: Path) -> torch.jit.ScriptModule:
    """Traces, freezes and saves; leaves out the debug records, which name files of this machine."""
    example = torch.randn(1, bands, 128, 128, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        script = torch.jit.freeze(torch.jit.trace(fused(network), example))
    torch.jit.save(script, str(path))
    reader = torch._C.PyTorchFileReader(str(path))
    records = {
        name: reader.get_record(name)
        for name in reader.get_all_records()
        if not name.endswith(".debug_pkl") and name not in ("version", "byteorder")
        and not name.startswith(".")
    }
    del reader
    temporary = path.with_suffix(".tmp")
    writer = torch._C.PyTorchFileWriter(str(temporary))
    for name, content in records.items():
        writer.write_record(name, content, len(content))
    writer.write_end_of_file()
    temporary.replace(path)
    return script


@torch.no_grad()
def check_script(script, network: LandCoverNetwork, bands: int, halo: int, temperature: float) -> dict[str, float]:
    """Reloaded script against the network on several sizes, tiles against the whole, shifts."""
    generator = torch.Generator().manual_seed(1)
    worst = 0.0
    for rows, cols in ((128, 128), (64, 200), (256, 136)):
        image = torch.randn(2, bands, rows, cols, generator=generator)
        worst = max(worst, float((script(image) - network(image)).abs().max()))

    def probabilities(image: Tensor) -> Tensor:
        return functional.softmax(script(image) / temperature, 1)

    core, count = 128, 3
    scene = functional.pad(torch.randn(1, bands, count * core, count * core, generator=generator), (halo,) * 4)
    whole = probabilities(scene)[..., halo:-halo, halo:-halo]
    seam = 0.0
    for row in range(0, count * core, core):
        for col in range(0, count * core, core):
            tile = scene[..., row : row + core + 2 * halo, col : col + core + 2 * halo]
            part = probabilities(tile)[..., halo:-halo, halo:-halo]
            seam = max(seam, float((part - whole[..., row : row + core, col : col + core]).abs().max()))
    moved = probabilities(scene[..., ALIGNMENT_PX:, ALIGNMENT_PX:])
    inner = slice(halo, -halo)
    shift = (moved[..., inner, inner] - probabilities(scene)[..., ALIGNMENT_PX:, ALIGNMENT_PX:][..., inner, inner]).abs().max()
    result = {"script_against_network_logits": worst, "tile_against_whole": seam, "aligned_shift": float(shift)}
    for name in ("tile_against_whole", "aligned_shift"):
        if result[name] > TOLERANCE:
            raise RuntimeError(f"{name}: probabilities differ by {result[name]}, more than {TOLERANCE}")
    if worst > 1e-2:
        raise RuntimeError(f"the script differs from the network by {worst} in the logits")
    return result


def manifest(name, bands, mean, deviation, temperature, report, weights: Path, halo: int) -> str:
    """The manifest as TOML."""
    content = weights.read_bytes()
    quoted = json.dumps
    lines = [
        "schema_version = 1",
        f"name = {quoted(name)}",
        f"version = {quoted(VERSION)}",
        f"title = {quoted(TITLES[name])}",
        'description = "Six land-cover classes for river shores; a small U-Net hardened against radiometric differences between dates."',
        'kind = "segmentation"',
        'minimum_program_version = "0.1.0"',
        "",
        "[weights]",
        'format = "torchscript"',
        f"file = {quoted(weights.name)}",
        f"size_bytes = {len(content)}",
        f"blake3 = {quoted(blake3(content).hexdigest())}",
        "",
        "[input]",
        'units = "reflectance"       # 0..1, float32, (batch, band, row, col)',
        "ground_sampling_distance_min_m = 2.0",
        "ground_sampling_distance_max_m = 100.0",
        f"tile_px = {TILE_PX}",
        f"halo_px = {halo}",
        f"alignment_px = {ALIGNMENT_PX}",
    ]
    for role, m, s in zip(bands, mean, deviation):
        lines += ["", "[[input.bands]]", f"role = {quoted(role)}", f"mean = {m:.6f}", f"standard_deviation = {s:.6f}"]
    lines += [
        "", "[output]", 'activation = "logits"',
        f"temperature = {temperature}           # probabilities = softmax(logits / temperature)",
    ]
    for number, class_name in enumerate(CLASSES):
        group, colour = APPEARANCE[class_name]
        lines += ["", "[[classes]]", f"id = {number}", f"name = {quoted(class_name)}", f"group = {quoted(group)}", f"colour = {quoted(colour)}"]
    lines += [TRAINING_DATA.rstrip(), "", "[scores]                    # measured on the hold-out by models/training/train.py"]
    lines += [f"{key} = {report[key]:.4f}" for key in ("water_iou", "mean_iou", "expected_calibration_error")]
    lines += ["", "[scores.iou_by_class]"] + [f"{k} = {v:.4f}" for k, v in report["iou_by_class"].items()]
    return "\n".join(lines) + "\n"


def write(folder: Path, name: str, network, bands, mean, deviation, temperature: float, report: dict) -> None:
    """Writes and verifies the bundle `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / "weights.pt"
    save_script(network, len(bands), weights)
    reach = reach_px(len(bands))
    halo = math.ceil(reach / ALIGNMENT_PX) * ALIGNMENT_PX
    checks = check_script(torch.jit.load(str(weights)), network, len(bands), halo, temperature)
    # The manifest's rounded figures are what the program applies.
    text = manifest(name, bands, mean, deviation, temperature, report, weights, halo)
    (folder / "manifest.toml").write_text(text)
    (folder / "README.md").write_text(model_card(name, TITLES[name], bands, report, reach, halo, checks, network))
    print(f"{folder.name}: {weights.stat().st_size} bytes, reach {reach} px, halo {halo} px, {checks}")
