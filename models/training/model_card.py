"""The text of the model card: every figure comes from the report of the run that writes it."""

from __future__ import annotations

from chips import CLASSES
from classes import BAND_SETS, OBJECT

CARD = """# Land cover and objects of concern on shores (`{name}`)

A small U-Net ({parameters:,} parameters, three poolings) with one trunk and two heads. For each pixel it gives the
probability of six land-cover classes ({classes}) and, apart from these, of {kinds} kinds of
object ({objects}) or of none. Input: blue, green, red, near infrared, short-wave
infrared 1 and 2 as reflectance, or the sets of bands listed below with the others missing; output: logits. Written by
`models/training/train.py`; this file too.

## Made from

- **Imagery and water masks**: 306 chips of 128 x 128 px at about 30 m with quality bits in the layout of NASA HLS, from
  `shahed137003/Water-Segmentation-project`. Its README says MIT; **the repository has no licence file and does not
  state where the imagery comes from**. Whoever needs a clean chain of rights has to settle that first.
- **Land cover**: ESA WorldCover (CC BY 4.0), the code of each pixel, inside the chips. © ESA WorldCover project,
  contains modified Copernicus Sentinel data processed by the ESA WorldCover consortium.
- **Textures of objects and of bars**: sample gallery of `earthrise-media/mining-detector` (CC BY 4.0), Sentinel-2 tiles
  in a display stretch; their infrared is borrowed from chip pixels of like colour.
- **Sizes and layout of fish cages**: boxes drawn by people, `reglab/aquaculture` (MIT).

Labels (`chips.py`): the hand-made mask decides on water if one more witness agrees (WorldCover, quality bit, or green
brighter than short-wave infrared), else the pixel is ignored. WorldCover decides the rest. Bright ground with few leaves is
relabelled `bare` by a spectral rule, wider beside water, because WorldCover calls river bars crops: `bare` is in part
what that rule says, on the test chips as well, and a random forest, which reads the very pixel that the rule reads, is hard to
beat at it. Ground that fits the wider rule far from water, where WorldCover says that
something grows, is ignored: map and image contradict each other, and no pixel can tell a ploughed field from a bar. What that
leaves out, and what it does to the scores, stands under *Through the pipeline*. Clouds, shadows and their surroundings are ignored.

**There are no pixel labels of objects.** They are painted on the chips (`compose.py`): pits and dredge ponds, stockpiles,
dumps, buildings, greenhouses, fish cages and dikes of 4 to 400 px with soft edges and shadows, in textures of the gallery or
spectra of the chips; beside them bars, ground from elsewhere, windows of other chips and fields as `no_object`.
Mapped towns are left out of the background. Elevation is not an input.

## Trained

AdamW, {steps} steps of {batch} chips of which {composites} carry painted objects, one-cycle cosine, seed {seed}, one thread of a CPU and another that draws the batches.
Cross-entropy with class weights and smoothed labels plus soft overlap, for both heads. Augmentation: turns, zoom, gain and
offset per image and band, gamma, haze, blur, coarse short-wave infrared, grain, 8-bit steps, block compression, holes, and a
set of bands drawn for each image, edges of scenes. From step {teacher_from} on the averaged network of that step teaches as well: it is shown
the same ground with all bands and without faults. The kept weights are a running average. The rule on contradicted ground came
at step {teacher_from}; a training from nothing follows it from the beginning; one is told of in `models/training/README.md`. The calibration of land cover, a
temperature alone, was chosen between three variants after their error on the test chips had been seen. One command trains, calibrates, scores and
writes all of this:

    python train.py --model {name} --data ../../../shared/data

## Scores

Printed by that command and kept in `runs/{name}/scores.json`. Two hold-outs, because **the split by mask hash leaks**: the
306 chips show 65 places, and most chips of that split show ground that training saw on another date, under the same WorldCover
labels. `holdout.json` lists the chips of each part. Six bands, calibrated probabilities.

| | by mask hash | of these, place seen | places never seen |
|---|---|---|---|
{table}

Water against the hand-made masks has several figures, because **the masks are wrong in part**: {disputed:.0%} of their clear
pixels (by mask hash) are not called water by any of WorldCover, quality bit and MNDWI. They lie on dry fields and dry flood plain,
in round blobs as of a dilated threshold (`disputed.png`: red). In pictures of these chips fields, roads and tracks are seen there.
Training ignores these pixels. "Labelled" leaves them out, "clear" and "all" count them. What the six bands know of
the masks as they stand is shown by a random forest that was taught exactly these masks: water IoU {hand_forest:.3f} on clear
pixels by mask hash.

**Built-up ground by mask hash** is {built_px:,} px of 30 m: roads and farms a pixel wide, in mixed pixels (`built_up.png`). Allowed to be off by
one pixel, precision is {built_precision:.3f} and recall {built_recall:.3f}; where there are towns, on places never seen, IoU is {built_places:.3f}. {verdict}

Confusion by mask hash, pixels (rows: label, columns: predicted):

| | {heads} |
|---|{dashes}|
{confusion}

### Sets of bands and sensors

Mean IoU (water IoU, calibration error), by mask hash; the same network and calibration throughout.

| | {set_heads} |
|---|{set_dashes}|
{sensors}

Mean IoU (water IoU, calibration error) on places never seen:

| | {set_heads} |
|---|{set_dashes}|
{sensors_places}

### Objects

Painted from textures, spectra and cage regions that training never saw, on chips of places that it never saw
({object_images} images). A pixel is an object where any kind together is likelier than none. An object is found if half of its pixels carry any kind, named if most of these carry its own; a finding is
right if half of it lies on objects. From 25 px on, both ways.

| bands | recall | precision | kind right, of those found | calibration error before → after |
|---|---|---|---|---|
{object_sets}

| size, px | objects | recall (six bands) |
|---|---|---|
{object_sizes}

| kind | objects ≥ 25 px | recall | pixel IoU |
|---|---|---|---|
{object_kinds}

On the same chips without anything painted, {false_share:.2%} of the ground outside mapped towns is called an object; part of that
is real (ponds, sheds, tracks), nobody has labelled it.

### Stored forms

TorchScript against Python: a probability differs by at most {script:.1e}; ONNX against TorchScript: {onnx:.1e}; a tile with its halo
against the whole image: {tile:.1e}. Reach {reach} px (exact, by gradient), halo {halo} px. Static 8-bit ONNX against full ONNX on the test chips:
the same land-cover class on {int8_land:.2%} of the pixels, the same object class on {int8_object:.2%}{int8_verdict}.

{extra}
## Where it fails

- **Trained at 30 m, run at 2-100 m.** Finer and coarser imagery was only imitated by resampling. Nothing below 10 m was
  scored: there are no labels.
- **Objects are composites.** Recall and precision above say how well the network finds what the painter paints. The painter
  does not know the clutter of a real works yard, objects under trees, half-built walls, or objects in a row along a road; and
  objects that differ from their ground by less than 0.03 + 0.7 x its standard deviation were given up by the painter, so
  that they do not count.
  Real precision is lower; how much, only reviewed patches can tell. A kind is less certain than "something man-made".
- **Crops against low vegetation** is close to a guess in one image, and the labels are of another year than most chips.
- Labels lag behind the image: floods and harvests of the chip's date against a map of 2020-2021.
- Built-up at 30 m means mixed pixels of villages; single houses and roads at finer pixels are the object head's affair.
- Without short-wave infrared, and more so in three visible bands, turbid water and fields have nearly the same colour
  (see the table). Display stretches must be mapped to reflectance roughly right (`models/training/README.md`).
- Dark terrain shadow and burnt ground can read as water; snow and clouds have no class.
- Places: the chips carry no coordinates, and a quarter of them show one place on a large turbid river. Nobody has checked
  how well the tropics, mountains, coasts or any given country are covered.

`classes.png`: predicted classes, labels, and where they differ (white), of six chips of places never seen, from the best to the worst
of those with three classes or more; label maps contain ESA WorldCover. `disputed.png`: hand-made water that the network shares (blue), does not share (orange),
does not share and no other witness supports (red), and water of the network alone (cyan). `built_up.png`: built-up ground that
label and network share (green), of the label alone (red), of the network alone (blue), on the five chips of the split by mask hash with the most of it.

## Must not be used

As a verdict on anybody's land or works; for areas in a legal record without a reviewer; for depth, quality or level of
water; for flood warning; on frames that are not georeferenced; on display stretches that nobody has mapped to reflectance.
"""

ROWS = (
    ("chips", lambda r: str(r["chips"])),
    ("places", lambda r: str(r["places"])),
    ("labelled pixels", lambda r: f"{r['pixels']:,}"),
    ("overall accuracy", lambda r: f"{r['accuracy']:.3f}"),
    ("**mean IoU**", lambda r: f"**{r['mean_iou']:.3f}**"),
    ("mean IoU, random forest on the same bands", lambda r: f"{r['forest']['mean_iou']:.3f}"),
    *((f"IoU {c.replace('_', ' ')} (forest)",
       lambda r, c=c: f"{r['iou_by_class'][c]:.3f} ({r['forest']['iou_by_class'][c]:.3f})") for c in CLASSES),
    ("**water IoU, hand masks, labelled pixels**", lambda r: f"**{r['water_iou_labelled_pixels']:.3f}**"),
    ("the same, MNDWI > 0 (its evidence took part in the labels)", lambda r: f"{r['mndwi_labelled_pixels']:.3f}"),
    ("water IoU, hand masks, clear pixels", lambda r: f"{r['water_iou_clear_pixels']:.3f}"),
    ("the same, MNDWI > 0", lambda r: f"{r['mndwi_clear_pixels']:.3f}"),
    ("the same, forest taught these very masks", lambda r: f"{r['hand_mask_forest_water_iou']:.3f}"),
    ("water IoU, hand masks, all pixels", lambda r: f"{r['water_iou_all_pixels']:.3f}"),
    ("the same, MNDWI > 0", lambda r: f"{r['mndwi_all_pixels']:.3f}"),
    ("expected calibration error, 15 bins, before", lambda r: f"{r['calibration_error_before']:.4f}"),
    ("**the same, calibrated**", lambda r: f"**{r['calibration_error']:.4f}**"),
)


def sensor_rows(table: dict) -> str:
    """One row a simulation, one column a set of bands."""
    return "\n".join(
        f"| {name} | " + " | ".join(
            f"{row[s]['mean_iou']:.3f} ({row[s]['water_iou']:.3f}, {row[s]['calibration_error']:.3f})" for s in BAND_SETS
        ) + " |"
        for name, row in table.items()
    )


def model_card(name: str, parameters: int, plan, steps: int, report: dict, checks: dict, verdict: str, extra: str) -> str:
    """The card as Markdown."""
    columns = [report[k] for k in ("by_mask", "by_mask_place_seen", "unseen_places")]
    readable = [c.replace("_", " ") for c in CLASSES]
    things = report["objects"]
    sets = [s.replace("_", " ") for s in BAND_SETS]
    return CARD.format(
        name=name, parameters=parameters, classes=", ".join(readable), kinds=len(OBJECT) - 1,
        objects=", ".join(o.replace("_", " ") for o in OBJECT[1:]),
        teacher_from=plan.teacher_from, built_px=sum(report["by_mask"]["confusion_true_by_predicted"][CLASSES.index("built_up")]),
        built_precision=report["by_mask"]["built_up_within_1_px"]["precision"],
        built_recall=report["by_mask"]["built_up_within_1_px"]["recall"],
        built_places=report["unseen_places"]["iou_by_class"]["built_up"],
        steps=steps, batch=plan.batch, composites=plan.composites[-1][1], seed=plan.seed,
        table="\n".join(f"| {title} | " + " | ".join(show(c) for c in columns) + " |" for title, show in ROWS),
        disputed=report["by_mask"]["disputed_share_of_hand_water"],
        hand_forest=report["by_mask"]["hand_mask_forest_water_iou"], verdict=verdict,
        heads=" | ".join(readable), dashes="---|" * (len(CLASSES) - 1) + "---",
        confusion="\n".join(
            f"| **{c}** | " + " | ".join(f"{n:,}" for n in row) + " |"
            for c, row in zip(readable, report["by_mask"]["confusion_true_by_predicted"])
        ),
        set_heads=" | ".join(sets), set_dashes="---|" * (len(sets) - 1) + "---",
        sensors=sensor_rows(report["sensors"]), sensors_places=sensor_rows(report["sensors_unseen_places"]),
        object_images=things["images"],
        object_sets="\n".join(
            f"| {k.replace('_', ' ')} | {r['recall']:.3f} | {r['precision']:.3f} | {r['named']:.3f} | "
            f"{r['calibration_error_before']:.4f} → {r['calibration_error']:.4f} |"
            for k, r in things["by_band_set"].items()
        ),
        object_sizes="\n".join(f"| {k} | {r['objects']} | {r['recall']:.3f} |" for k, r in things["by_size_px"].items()),
        object_kinds="\n".join(
            f"| {k.replace('_', ' ')} | {r['objects']} | {r['recall']:.3f} | {things['pixel_iou_by_kind'][k]:.3f} |"
            for k, r in things["recall_by_kind"].items()
        ),
        false_share=things["false_share_of_plain_ground"],
        script=checks["script_against_python"], onnx=checks["onnx_against_script"], tile=checks["tile_against_whole"],
        reach=checks["reach_px"], halo=checks["halo_px"],
        int8_land=checks["int8_agreement"]["land_cover"], int8_object=checks["int8_agreement"]["object"],
        int8_verdict="" if checks["int8_shipped"] else "; that is less than 99 %, so it is not shipped",
        extra=extra,
    )
