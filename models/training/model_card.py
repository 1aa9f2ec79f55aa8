"""The model card: what a bundle was made of, how well it does, where it fails."""

from __future__ import annotations

from chips import CLASSES
from network import parameter_count

CARD = """# {title} (`{name}`)

A small U-Net ({parameters} parameters, three poolings) that gives each pixel the probability of six classes:
{classes}. Input: {bands}, surface reflectance 0..1 (or what a sensor profile maps to it), normalised with the
figures in `manifest.toml`; output: logits. Written by `models/training/train.py`; this file too.

## Made from

- **Imagery and water masks**: 306 chips of 128 x 128 px at about 30 m, seven surface-reflectance bands with quality
  bits in the layout of NASA HLS, from `shahed137003/Water-Segmentation-project`. Its README says MIT; **the repository
  has no licence file and does not state where the imagery comes from**. Whoever needs a clean chain of rights has to
  settle that first.
- **Land cover**: ESA WorldCover (CC BY 4.0), the code of each pixel, inside the chips. © ESA WorldCover project,
  contains modified Copernicus Sentinel data processed by the ESA WorldCover consortium.

Labels (`chips.py`): the hand-made mask decides on water if one more witness agrees (WorldCover, quality bit, or green
brighter than short-wave infrared), else the pixel is ignored. WorldCover decides the rest (shrub, grass, wetland, moss
→ low vegetation; mangrove → trees; snow ignored). **Bright ground with few leaves is relabelled `bare`** by a spectral
rule, wider beside water, because WorldCover calls river bars crops: `bare` is in part what that rule says, on the
test chips as well. Clouds, shadows and their surroundings are ignored. The code 64 alone ("clear") would have dropped
83 % of the hand-made water: bit 5 *is* the water bit.

## Trained

AdamW, cosine schedule, cross-entropy on two radiometric views of each augmented chip, plus the symmetric divergence
between their probabilities, so that a change of radiometry is not taken for a change of the ground. The class weight of
built-up is half taken back at the end, because shores came out as built-up (seen on unlabelled imagery, with the test
scores of four variants of that correction already printed: a lower IoU of built-up was accepted for cleaner shores).
The step count was cut short by a busy machine: longer training would help. Augmentation: zoom
0.33-3.3x, rotation, gain and offset per image and band, gamma, haze, shading, blur, sub-pixel shift, grain, clipping,
8-bit steps, holes. The kept weights are a running average. One command:

    python train.py --model {name} --data ../../../shared/data/worldcover-chips

## Scores

On {test_chips} chips ({test_pixels} labelled pixels) of **places that training never saw**. Places, not water masks: by
elevation and land cover the 306 chips show 65 places, and splitting by identical masks (248 groups) leaks. The
temperature was fitted on other places, the validation part. Printed at the end of the command above, kept in `runs/{name}/scores.json`.

| | |
|---|---|
| overall accuracy | {accuracy:.3f} |
| mean IoU | {mean_iou:.3f} |
{iou_rows}
| water IoU against the hand-made masks, every clear pixel, disputed ones included | {hand:.3f} |
| the same, NDWI > 0 (green, near infrared) | {ndwi_all:.3f} |
| the same, MNDWI > 0 (green, short-wave infrared) | {mndwi_all:.3f} |
| water IoU on labelled pixels, model | {water_iou:.3f} |
| the same, NDWI > 0 | {ndwi:.3f} |
| the same, MNDWI > 0 (its evidence also took part in the labels) | {mndwi:.3f} |
| expected calibration error, 15 bins, before the temperature | {before:.4f} |
| the same, at temperature {temperature} | {after:.4f} |

Confusion, pixels (rows: label, columns: predicted):

| | {heads} |
|---|{dashes}|
{confusion}

Stability: the same test chips disturbed without a change of the ground.

| disturbance | class differs | probability mass moved, mean |
|---|---|---|
{stability}

The script against the Python network: at most {script:.1e} in the logits. A tile with its halo against the whole image:
{tile:.1e} in the probabilities. Reach {reach} px (exact, by gradient), halo {halo} px.

## Where it fails

- **Trained at 30 m, run at 2-100 m.** Finer and coarser imagery was only imitated by resampling. Nothing below 10 m was
  scored: there are no labels. At 5 m and finer a roof, a furrow or a tree crown is larger than anything it has learnt.
- **Crops, low vegetation and built-up are weak** (see the table); villages and roads at 30 m are mixed pixels, and
  WorldCover's 10 m labels are of another year than the chips. Crops against grass is close to a guess in one image.
- Labels lag behind the image: floods and harvests of the chip's date against a map of 2020-2021.
- Display stretches must be mapped to reflectance roughly right (see `models/training/README.md`); a far-off black
  point moves classes. Dark terrain shadow and burnt ground can read as water; snow and clouds have no class.
- Places: the chips carry no coordinates, and a fifth of them show one place on a large turbid river. Nobody has checked
  how well the tropics, mountains, coasts or any given country are covered.
{own}
## Must not be used

As a verdict on anybody's land or works; for areas in a legal record without a reviewer; for depth, quality or level of
water; for flood warning; on frames that are not georeferenced.
"""

OWN = {
    "landcover-grn": "- Looked at, not scored: on 5 m prairie imagery shores still carry a thin seam of built-up, and crops, grass and bare\n"
    "  fields swap between years; on 90 m Landsat of the Ucayali the town of Pucallpa comes out as crops. Water, forest\n"
    "  and sand bars are sound in both. Differences between crops, low vegetation and built-up of two dates need a reviewer.\n",
    "landcover-rgb": "- **This model is a stopgap: read its water score above before trusting any of its maps.** In three visible bands\n"
    "  the turbid water and the fields of these chips have the same colour (medians within 0.005 of each other), and\n"
    "  dark forest, shadow and clear water resemble each other as well. On the drone orthomosaic, dark fields come out\n"
    "  as trees and water; on hazy display stretches forest comes out as water. It serves to exercise the program on\n"
    "  RGB imagery, not to find anything. Where near infrared exists, use `landcover-grn`.\n",
}


def model_card(name, title, bands, report, reach, halo, checks, network) -> str:
    """The card as Markdown, every figure from `report` and `checks`."""
    readable = [c.replace("_", " ") for c in CLASSES]
    on_labelled = report["baseline_water_iou"]
    on_clear = report["baseline_water_iou_hand_masks_all_clear_pixels"]
    return CARD.format(
        title=title, name=name, parameters=f"{parameter_count(network):,}", classes=", ".join(readable), bands=", ".join(bands),
        test_chips=report["test_chips"], test_pixels=f"{report['test_pixels']:,}", accuracy=report["overall_accuracy"],
        mean_iou=report["mean_iou"], water_iou=report["water_iou"],
        iou_rows="\n".join(f"| IoU {c.replace('_', ' ')} | {v:.3f} |" for c, v in report["iou_by_class"].items()),
        hand=report["water_iou_hand_masks_all_clear_pixels"],
        ndwi=on_labelled["ndwi_green_nir"], mndwi=on_labelled["mndwi_green_swir1"],
        ndwi_all=on_clear["ndwi_green_nir"], mndwi_all=on_clear["mndwi_green_swir1"],
        before=report["expected_calibration_error_before"], after=report["expected_calibration_error"],
        temperature=report["temperature"], heads=" | ".join(readable), dashes="---|" * (len(CLASSES) - 1) + "---",
        confusion="\n".join(
            f"| **{c}** | " + " | ".join(f"{n:,}" for n in row) + " |"
            for c, row in zip(readable, report["confusion_true_by_predicted"])
        ),
        stability="\n".join(
            f"| {k.replace('_', ' ')} | {s['class_changed']:.1%} | {s['mean_probability_moved']:.3f} |"
            for k, s in report["stability"].items()
        ),
        script=checks["script_against_network_logits"], tile=checks["tile_against_whole"], reach=reach, halo=halo, own=OWN[name],
    )
