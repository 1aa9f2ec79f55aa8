"""Writes a model bundle, version 2: the network in its stored forms, each checked against it, and the manifest."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from blake3 import blake3
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from calibration import Calibration
from classes import BAND_SETS, HEADS, ROLES
from network import ALIGNMENT_PX, ShoreNetwork

TILE_PX = 512
TOLERANCE = 1e-3
"""Largest difference of a probability between two stored forms, and between a tile and the whole image."""
INT8_AGREEMENT = 0.99
"""Share of pixels whose class the 8-bit network must share with the full one, in each head, to be shipped."""
OPSET = 17
APPEARANCE = {
    "water": ("water", "#2b6cb0"),
    "trees": ("vegetation", "#276749"),
    "low_vegetation": ("vegetation", "#9ac46b"),
    "crops": ("vegetation", "#e2c044"),
    "built_up": ("built", "#c53030"),
    "bare": ("bare", "#c4a484"),
    "no_object": ("none", "#000000"),
    "pit": ("object", "#d69e2e"),
    "stockpile": ("object", "#dd6b20"),
    "dump": ("object", "#805ad5"),
    "building": ("object", "#e53e3e"),
    "greenhouse": ("object", "#38b2ac"),
    "fish_cage": ("object", "#4299e1"),
    "dike": ("object", "#d53f8c"),
    "unchanged": ("none", "#000000"),
    "changed": ("object", "#e53e3e"),
}
"""Group and colour of each class."""
TRAINING_DATA = """
[[training_data]]
name = "Water-Segmentation-project chips (surface reflectance, quality bits, hand-made water masks)"
licence = "MIT by its README; the repository has no licence file and does not state the origin of the imagery"
source = "https://github.com/shahed137003/Water-Segmentation-project"
note = "306 chips, 128 x 128 px, about 30 m, 65 distinct places; the quality bits have the layout of NASA HLS"

[[training_data]]
name = "ESA WorldCover"
licence = "CC BY 4.0"
source = "https://esa-worldcover.org"
note = "land-cover codes as band 11 of the chips; contains modified Copernicus Sentinel data, processed by the ESA WorldCover consortium"

[[training_data]]
name = "earthrise-media/mining-detector, sample gallery"
licence = "CC BY 4.0"
source = "https://github.com/earthrise-media/mining-detector"
note = "textures of mines, works, river banks and random ground, painted on the chips; contains modified Copernicus Sentinel data"

[[training_data]]
name = "reglab/aquaculture, boxes of fish cages"
licence = "MIT"
source = "https://github.com/reglab/aquaculture"
note = "sizes and layout of the cages that are painted on water"
"""


@dataclass(frozen=True)
class Design:
    """What the stored forms and the manifest have to know of a network besides its weights."""

    kind: str = "segmentation"
    heads: dict[str, tuple[str, ...]] = field(default_factory=lambda: HEADS)
    dates: int = 1
    """Dates whose bands lie one after another in the channels of the input."""
    narrow: Callable[[], nn.Module] = lambda: ShoreNetwork(1, 1, (2, 2, 2, 2))
    """The architecture with one band a date and few features: what its reach is measured on."""
    minimum_program_version: str = "0.1.0"
    training_data: str = TRAINING_DATA
    with_int8: bool = True

    @property
    def channels(self) -> int:
        """Channels of the input."""
        return self.dates * len(ROLES)

    def slices(self) -> dict[str, slice]:
        """Channels of the output that belong to each head."""
        ends = np.cumsum([len(members) for members in self.heads.values()]).tolist()
        return {head: slice(end - len(members), end) for end, (head, members) in zip(ends, self.heads.items())}


SHORELAND = Design()


def fused(network: nn.Module) -> nn.Module:
    """A copy with each batch normalisation folded into its convolution."""
    network = copy.deepcopy(network).eval()
    for parent in list(network.modules()):
        children = list(parent.named_children())
        for (name, convolution), (next_name, norm) in zip(children, children[1:]):
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(parent, name, fuse_conv_bn_eval(convolution, norm))
                setattr(parent, next_name, nn.Identity())
    return network.to(memory_format=torch.channels_last)


def reach_px(design: Design = SHORELAND) -> int:
    """How far, in rows or columns, an output pixel can see: exact for the architecture.

    Gradient of every phase of the alignment on a narrow network of positive weights without ReLU
    and with average instead of maximum pooling, so that no path is switched off.
    """
    network = fused(design.narrow()).double()
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
            image = torch.ones(1, design.dates, size, size, dtype=torch.float64, requires_grad=True)
            network(image)[0, 0, middle + phase, middle + phase].backward()
            rows, cols = torch.nonzero(image.grad[0].abs().sum(0) > 0, as_tuple=True)
            reach = max(reach, *(int((line - middle - phase).abs().max()) for line in (rows, cols)))
    finally:
        functional.max_pool2d = maximum_pool
    return reach


def save_script(network: nn.Module, path: Path, design: Design = SHORELAND) -> torch.jit.ScriptModule:
    """Traces, freezes and saves; leaves out the debug records, which name files of this machine."""
    example = torch.randn(1, design.channels, 128, 128, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        script = torch.jit.freeze(torch.jit.trace(fused(network), example))
    torch.jit.save(script, str(path))
    reader = torch._C.PyTorchFileReader(str(path))
    records = {
        name: reader.get_record(name)
        for name in reader.get_all_records()
        if not name.endswith(".debug_pkl") and name not in ("version", "byteorder") and not name.startswith(".")
    }
    del reader
    temporary = path.with_suffix(".tmp")
    writer = torch._C.PyTorchFileWriter(str(temporary))
    for name, content in records.items():
        writer.write_record(name, content, len(content))
    writer.write_end_of_file()
    temporary.replace(path)
    return script


def save_onnx(network: nn.Module, path: Path, design: Design = SHORELAND) -> None:
    """Exports with free batch, rows and columns: input "reflectance" (normalised), output "logits"."""
    example = torch.randn(1, design.channels, 128, 128, generator=torch.Generator().manual_seed(0))
    free = {0: "batch", 2: "row", 3: "col"}
    torch.onnx.export(
        fused(network), (example,), str(path), dynamo=False, opset_version=OPSET, do_constant_folding=True,
        input_names=["reflectance"], output_names=["logits"], dynamic_axes={"reflectance": free, "logits": free},
    )
    model = onnx.load(str(path))
    for node in model.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def session(path: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """The stored network in ONNX Runtime, on the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def run_onnx(loaded: onnxruntime.InferenceSession, bands: Tensor) -> Tensor:
    """Logits of normalised bands."""
    return torch.cat(
        [torch.from_numpy(loaded.run(None, {"reflectance": part.numpy()})[0]) for part in bands.split(8)]
    )


class Chips(CalibrationDataReader):
    """Chips one after another, for the ranges of the 8-bit network."""

    def __init__(self, bands: Tensor):
        self.parts = iter(bands.split(1))

    def get_next(self):
        part = next(self.parts, None)
        return None if part is None else {"reflectance": part.contiguous().numpy()}


def full_resolution(graph: onnx.GraphProto) -> list[str]:
    """Names of the nodes that work on whole pixels: the first and the last convolutions, and what joins them."""
    ends = ("down.0.", "lift.0.", "up.0.", "heads.")
    convolutions = [n.name for n in graph.node if n.op_type == "Conv" and n.input[1].startswith(ends)]
    joins = [[n.name for n in graph.node if n.op_type == kind][-1] for kind in ("Resize", "Add")]
    return convolutions + joins


def save_int8(full: Path, path: Path, bands: Tensor) -> None:
    """Static 8-bit quantisation (QDQ, weights per channel), with ranges from the given normalised chips.

    What works on whole pixels stays in single precision: it holds few of the sums, and 8 bits there cost most of the
    agreement (98.3 % instead of 99.3 %) and, by the conversions, some of the speed.
    """
    prepared = path.with_suffix(".tmp")
    quant_pre_process(str(full), str(prepared), skip_symbolic_shape=True)
    quantize_static(
        str(prepared), str(path), Chips(bands), quant_format=QuantFormat.QDQ, per_channel=True,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, extra_options={"WeightSymmetric": True},
        nodes_to_exclude=full_resolution(onnx.load(str(prepared)).graph),
    )
    prepared.unlink()


def agreement(one: Tensor, other: Tensor, fitted: dict[str, Calibration], design: Design) -> dict[str, float]:
    """Share of pixels with the same winning class in each head."""
    out = {}
    for head, channels in design.slices().items():
        winners = [fitted[head].probabilities(l[:, channels]).argmax(1) for l in (one, other)]
        out[head] = float((winners[0] == winners[1]).float().mean())
    return out


def largest_difference(one: Tensor, other: Tensor, fitted: dict[str, Calibration], design: Design = SHORELAND) -> float:
    """Largest difference of a probability in any head."""
    return max(
        float((fitted[head].probabilities(one[:, channels]) - fitted[head].probabilities(other[:, channels])).abs().max())
        for head, channels in design.slices().items()
    )


@torch.no_grad()
def seam(script, fitted: dict[str, Calibration], halo: int, design: Design = SHORELAND) -> float:
    """Largest difference of a probability between tiles with their halo and the whole image, on noise."""
    core, count = 128, 3
    noise = torch.randn(1, design.channels, count * core, count * core, generator=torch.Generator().manual_seed(1))
    scene = functional.pad(noise, (halo,) * 4)
    whole = script(scene)[..., halo:-halo, halo:-halo]
    worst = 0.0
    for row in range(0, count * core, core):
        for col in range(0, count * core, core):
            tile = scene[..., row : row + core + 2 * halo, col : col + core + 2 * halo]
            part = script(tile)[..., halo:-halo, halo:-halo]
            worst = max(worst, largest_difference(part, whole[..., row : row + core, col : col + core], fitted, design))
    return worst


def megapixels_per_second(call, threads: int, side: int = TILE_PX, turns: int = 9, channels: int = len(ROLES)) -> float:
    """Median speed over the turns for one image of `side` px and the channels."""
    image = torch.randn(1, channels, side, side, generator=torch.Generator().manual_seed(2))
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    seconds = []
    with torch.no_grad():
        for _ in range(turns + 2):
            started = time.perf_counter()
            call(image)
            seconds.append(time.perf_counter() - started)
    torch.set_num_threads(before)
    return side * side / 1e6 / float(np.median(seconds[2:]))


def store(
    folder: Path, network: nn.Module, fitted: dict[str, Calibration], chips: Tensor, test: Tensor, design: Design = SHORELAND
) -> dict:
    """Writes the weights in every form; returns the checks. `chips` set the ranges of the 8-bit form and
    `test` chips compare it; both are normalised. A form that differs too much is not left behind."""
    folder.mkdir(parents=True, exist_ok=True)
    reach = reach_px(design)
    halo = math.ceil(reach / ALIGNMENT_PX) * ALIGNMENT_PX
    save_script(network, folder / "weights.pt", design)
    save_onnx(network, folder / "weights.onnx", design)
    script = torch.jit.load(str(folder / "weights.pt"))
    full = session(folder / "weights.onnx")
    with torch.no_grad():
        python, stored = (torch.cat([form(part) for part in test.split(8)]) for form in (network, script))
    by_onnx = run_onnx(full, test)
    checks = {
        "reach_px": reach,
        "halo_px": halo,
        "script_against_python": largest_difference(stored, python, fitted, design),
        "onnx_against_script": largest_difference(by_onnx, stored, fitted, design),
        "tile_against_whole": seam(script, fitted, halo, design),
        "int8_shipped": False,
    }
    for name in ("script_against_python", "onnx_against_script", "tile_against_whole"):
        if checks[name] > TOLERANCE:
            raise ValueError(f"{folder}: {name}: a probability differs by {checks[name]:.2e}, expected at most {TOLERANCE}")
    if design.with_int8:
        save_int8(folder / "weights.onnx", folder / "weights.int8.onnx", chips)
        small = session(folder / "weights.int8.onnx")
        checks["int8_agreement"] = agreement(run_onnx(small, test), by_onnx, fitted, design)
        checks["int8_shipped"] = min(checks["int8_agreement"].values()) >= INT8_AGREEMENT
        if not checks["int8_shipped"]:
            (folder / "weights.int8.onnx").unlink()
    return checks


def measure_speed(folder: Path, threads: int = 2, design: Design = SHORELAND) -> dict[str, float]:
    """Megapixels a second of each stored form, 512 x 512 px, six bands a date."""
    script = torch.jit.load(str(folder / "weights.pt"))
    speeds = {"torchscript": megapixels_per_second(script, threads, channels=design.channels)}
    for name, file in (("onnx", "weights.onnx"), ("onnx_int8", "weights.int8.onnx")):
        if (folder / file).exists():
            loaded = session(folder / file, threads)
            speeds[name] = megapixels_per_second(lambda image: loaded.run(None, {"reflectance": image.numpy()}), threads, channels=design.channels)
    return speeds


def manifest(folder: Path, name: str, version: str, title: str, description: str, normalisation, fitted, report, checks) -> str:
    """The text of `manifest.toml` of a segmentation; normalisation: (mean, deviation) of each band."""
    plain = report["sensors"]["as it is (30 m)"]
    by_set = {set_name: plain[set_name]["mean_iou"] for set_name in BAND_SETS}
    text = description_of(folder, name, version, title, description, normalisation, fitted, checks, by_set, SHORELAND)
    mask, places = report["by_mask"], report["unseen_places"]
    six = report["objects"]["by_band_set"]["six_bands"]
    numbers = {
        "water_iou": mask["water_iou_labelled_pixels"],
        "water_iou_clear_pixels": mask["water_iou_clear_pixels"],
        "mean_iou": mask["mean_iou"],
        "expected_calibration_error": mask["calibration_error"],
        "mean_iou_unseen_places": places["mean_iou"],
        "water_iou_unseen_places": places["water_iou_labelled_pixels"],
        "expected_calibration_error_unseen_places": places["calibration_error"],
        "object_recall": six["recall"],
        "object_precision": six["precision"],
        "object_expected_calibration_error": six["calibration_error"],
        "int8_agreement": min(checks["int8_agreement"].values()),
    }
    note = "six bands, hold-out by mask hash unless the name says otherwise"
    return text + scores_of(numbers, mask["iou_by_class"], note)


def description_of(
    folder: Path, name: str, version: str, title: str, description: str, normalisation, fitted: dict[str, Calibration],
    checks: dict, mean_iou: dict[str, float], design: Design,
) -> str:
    """Everything of a manifest but its scores; `mean_iou` of each of `BAND_SETS`."""
    text = [
        "schema_version = 2", f'name = "{name}"', f'version = "{version}"', f"title = {json.dumps(title)}",
        f"description = {json.dumps(description)}", f'kind = "{design.kind}"',
        f'minimum_program_version = "{design.minimum_program_version}"', "",
    ]
    for form, file in (("torchscript", "weights.pt"), ("onnx", "weights.onnx"), ("onnx_int8", "weights.int8.onnx")):
        path = folder / file
        if path.exists():
            digest = blake3(path.read_bytes()).hexdigest()
            text += ["[[weights]]", f'format = "{form}"', f'file = "{file}"', f"size_bytes = {path.stat().st_size}", f'blake3 = "{digest}"', ""]
    axes = "(batch, band, row, col)" if design.dates == 1 else f"(batch, {design.dates} x band, row, col): all bands of the earlier date, then those of the later"
    text += [
        "[input]", f'units = "reflectance"       # 0..1, float32, {axes}',
        "ground_sampling_distance_min_m = 2.0", "ground_sampling_distance_max_m = 100.0",
        f"tile_px = {TILE_PX}", f"halo_px = {checks['halo_px']}", f"alignment_px = {ALIGNMENT_PX}", "",
    ]
    for role, mean, deviation in zip(ROLES, *normalisation):
        text += ["[[input.bands]]", f'role = "{role}"', f"mean = {mean:.6f}", f"standard_deviation = {deviation:.6f}", ""]
    for set_name, roles in BAND_SETS.items():
        text += ["[[input.band_sets]]", f'name = "{set_name}"', f"roles = {json.dumps(list(roles))}", f"mean_iou = {mean_iou[set_name]:.4f}", ""]
    for head, calibrated in fitted.items():
        text += [
            "[[output.heads]]", f'name = "{head}"',
            f"temperature = {calibrated.temperature}           # probabilities = softmax(logits / temperature + bias)",
            f"bias = {json.dumps(list(calibrated.bias))}", "",
        ]
    named = [(head, member) for head, members in design.heads.items() for member in members]
    for number, (head, member) in enumerate(named):
        group, colour = APPEARANCE[member]
        text += ["[[classes]]", f"id = {number}", f'name = "{member}"', f'head = "{head}"', f'group = "{group}"', f'colour = "{colour}"', ""]
    return "\n".join([*text, design.training_data.strip(), "", ""])


def scores_of(numbers: dict[str, float], iou_by_class: dict[str, float], note: str) -> str:
    """The last part of a manifest."""
    text = [f"[scores]                    # {note}"] + [f"{key} = {value:.4f}" for key, value in numbers.items()]
    text += ["", "[scores.iou_by_class]"] + [f"{key} = {value:.4f}" for key, value in iou_by_class.items()]
    return "\n".join(text) + "\n"
