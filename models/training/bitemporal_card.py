"""The text of the card of the bitemporal bundle: every figure comes from the report of the run that writes it."""

from __future__ import annotations

from classes import BAND_SETS

CARD = """# Change between two dates on shores (`{name}`)

A Siamese network ({parameters:,} parameters): one encoder for both dates, the size of the difference of its features at four
scales, a small decoder. For each pixel it gives the probability that **the ground changed**, whatever it was or became.
Input (batch, 12, row, col): blue, green, red, near infrared, short-wave infrared 1 and 2 of the earlier date, then
the same of the later one, as normalised reflectance; missing bands, on both dates, and unobserved pixels are 0. Output: logits of
`unchanged` and `changed`. Exchanging the dates changes nothing: a thing built and a thing removed look alike to it.
Written by `models/training/bitemporal.py`; this file too.

## Made from

- **Imagery**: 306 chips of about 30 m from `shahed137003/Water-Segmentation-project`. Its README says MIT; **the repository
  has no licence file and does not state where the imagery comes from**. Land cover inside them: ESA WorldCover (CC BY 4.0), © ESA WorldCover
  project, contains modified Copernicus Sentinel data processed by the ESA WorldCover consortium.
- **Two series**, `naip-prairie` (5 m) and `landsat-ucayali` (about 90 m), from `opengeos/data` (MIT; USDA and USGS, public domain).
  Both are display stretches, mapped to reflectance by one straight line a band.
- **Textures**: sample gallery of `earthrise-media/mining-detector` (CC BY 4.0). **Fish cages**: boxes of `reglab/aquaculture` (MIT).

**There is no labelled change in any of it.** What is called changed was planted on one of the two dates (`planting.py`): pits,
stockpiles, dumps, buildings, greenhouses, dikes and fish cages of 4 to 400 px, and patches of 20 to 2,500 px of another land cover
(vegetation or water to bare, crops to built, land far from water to water, trees to crops). What is called unchanged: one chip
shown twice with another season, other fields, other water, a water's edge moved by up to 3 px, a shift of up to 1.5 px,
things that stand on both dates, and per date a gain, offset, haze, gamma, blur, grain, 8-bit steps and compression of its own
(`nuisance.py`); and real pairs of dates, of chips with the same ground in every pixel and of the two series. Where length and direction of the change
of the spectrum both stand out in a real pair, and in the strongest 5 % of the change vectors of a series, it is not said what is
true (`pairs.py`).

## Trained

AdamW, {steps} steps of {batch} pairs, one-cycle cosine, seed {seed}, one thread of a CPU and another process that draws the batches.
Cross-entropy, changed pixels x {weight:g}, plus soft overlap; the kept weights are a running average. A set of at least three
bands is drawn for each pair. Split by place as for `shoreland`; the last two dates of each series were kept for the
scores below, but **their ground was seen in training on earlier dates**. The committed weights were made in three
parts: 400 steps with outlines of covers drawn on a finer grid, 500 at the learning rate of a run that ends at step 900, the rest as
the plan says; a run
from nothing has not been repeated. The scores below had been seen at steps 200 and 900: the way of calibrating was chosen after the
first, the run was lengthened after the second. Everything is done by

    python bitemporal.py --data ../../../shared/data

## Scores

Printed by that command and kept in `runs/{name}/scores.json`. All changes are planted, with textures, spectra and
cage regions that training never saw, but **by the same painter as in training**. Average precision of pixels / recall of planted things of 25 px and more (half of
their pixels) where {false:.0%} of the unchanged area is called changed. *Change vector*: each band of each date standardised over the
scene, length of the difference, mean of 3 x 3. *Class difference*: one minus the chance that both dates carry one class, by
`shoreland`. *Product*: change vector x network.

The last three tables leave out the ground that two witnesses call changed, and in the series the strongest 5 % of the change vectors: that
spares the change vector its own false alarms. The three before count all of it as unchanged, real changes among it, which
punishes whoever finds them.

{tables}

Six bands, chips twice, by what was planted (recall at that false area):

| | number | network | change vector | class difference | product |
|---|---|---|---|---|---|
{kinds}

### Between real dates on which nothing was planted

The last two dates of each series, whole; share of the area above the threshold that calls {false:.0%} of the unchanged
area of *chips twice* changed: in all / outside what the change vectors themselves call doubtful, which favours them. Real change is among it; nobody has
labelled how much. Even odds: calibrated probability above one half, and patches of 25 px and more.

| | network | change vector | class difference | product | network, even odds | patches |
|---|---|---|---|---|---|---|
{untouched}

### Calibration

A temperature ({temperature}) and a bias ({bias}) fitted on planted validation chips; scores on chips twice. {share:.1%} of their known area is
changed; where change is rarer, and it is, **the probability is too high**.

| bands | calibration error before → after | IoU changed | mean IoU |
|---|---|---|---|
{calibration}

### Stored forms

TorchScript against Python: a probability differs by at most {script:.1e}; ONNX against TorchScript: {onnx:.1e}; a tile with its halo
against the whole image: {tile:.1e}. Reach {reach} px (exact, by gradient), halo {halo} px. Speed, 512 x 512 px, six bands a date, one thread, median of 9:
{speed}; the machine was shared (load before it: {load}).

## Where it fails

- **It knows no real change.** A real works yard, a slow erosion, a half-built wall are not what the painter paints; nothing of the
  recall above was measured on real changes.
- **It was taught that season, harvest, ploughing of a whole field, the colour of water and an edge of water that moves by a few
  pixels are no change.** Clearing a field along its outline may be missed for that.
- **Where two dates really differ it is far worse than on chips twice.** On naip-prairie with all ground counted, red green blue nir:
  average precision {naip_precision:.3f}, recall {naip_recall:.3f}; and with the threshold of chips twice it calls {naip_calm:.2%} of the calm ground between the last
  two dates changed, where {false:.0%} was aimed at (change vector {naip_calm_vector:.2%}). A threshold has to be set for each sensor.
- On landsat-ucayali with all ground counted its recall ({ucayali_recall:.3f}) is about that of the change vector
  ({ucayali_recall_vector:.3f}): the river really moves there.
- Meanders, sandbars and floods are change to it, or are not, as it happens: in training the strongest of them were left unsaid.
- Clouds and shadows that a mask misses are change to it.
- Trained at 5 to 90 m, finer and coarser by resampling only. Dates that differ in their sensor's resolution were imitated by blur.
- Both dates must have the same bands.

## Must not be used

As a verdict on anybody's land or works, or alone, without a reviewer; for what changed or in which direction; for areas in a
legal record; on dates that are off by more than two pixels; on display stretches that nobody has mapped to reflectance.
"""

METHODS = {
    "network": "network", "change_vector": "change vector", "class_difference": "class difference",
    "change_vector_x_network": "product",
}
TESTS = {
    "planted_chips": "Chips twice: places never seen, every difference of the dates imitated",
    "planted_dates_all": "Two real dates of chips, places never seen",
    "planted_naip-prairie_all": "The last two dates of naip-prairie",
    "planted_landsat-ucayali_all": "The last two dates of landsat-ucayali",
    "planted_dates": "Two real dates of chips, without doubtful ground",
    "planted_naip-prairie": "The last two dates of naip-prairie, without doubtful ground",
    "planted_landsat-ucayali": "The last two dates of landsat-ucayali, without doubtful ground",
}


def readable(set_name: str) -> str:
    """Name of a set of bands."""
    return set_name.replace("_", " ")


def number(value: float | None) -> str:
    """Three digits, or a dash for what could not be counted."""
    return "–" if value is None else f"{value:.3f}"


def test_table(report: dict, test: str) -> str:
    """One row a set of bands, one column a method."""
    first = next(iter(report[test].values()))["network"]
    lines = [
        f"**{TESTS[test]}** ({report['pairs'][test]} pairs, {first['objects']} objects and {first['covers']} covers of 25 px and more):", "",
        "| bands | " + " | ".join(METHODS.values()) + " |", "|---|" + "---|" * len(METHODS),
    ]
    for set_name, row in report[test].items():
        cells = (f"{number(row[m]['average_precision'])} / {number(row[m]['recall'])}" for m in METHODS)
        lines.append(f"| {readable(set_name)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def kind_rows(report: dict) -> str:
    """Recall by what was planted, six bands."""
    six = report["planted_chips"]["six_bands"]
    count = six["network"]
    rows = [("objects ≥ 25 px", count["objects"], lambda f: f["recall_objects"]), ("covers ≥ 25 px", count["covers"], lambda f: f["recall_covers"])]
    rows += [(f"{size} px, both kinds", "", lambda f, size=size: f["recall_by_size_px"][size]) for size in count["recall_by_size_px"]]
    return "\n".join(f"| {title} | {things} | " + " | ".join(number(get(six[m])) for m in METHODS) + " |" for title, things, get in rows)


def untouched_rows(report: dict) -> str:
    """One row a series and set of bands."""
    lines = []
    for series, sets in report["untouched"].items():
        for set_name, row in sets.items():
            cells = [f"{row[m]['all']:.2%} / {row[m]['calm']:.2%}" for m in (*METHODS, "network_even_odds")]
            lines.append(f"| {series}, {readable(set_name)} | " + " | ".join(cells) + f" | {row['network_even_odds']['patches']} |")
    return "\n".join(lines)


def change_card(name: str, plan, report: dict) -> str:
    """The card as Markdown."""
    checks = report["checks"]
    naip = report["planted_naip-prairie_all"]["red_green_blue_nir"]
    ucayali = report["planted_landsat-ucayali_all"]["green_red_nir_swir1"]
    quiet = report["untouched"]["naip-prairie"]["red_green_blue_nir"]
    return CARD.format(
        name=name, parameters=report["parameters"], steps=report["steps"], batch=plan.batch, seed=report["seed"],
        weight=plan.changed_weight, false=report["false_share"], tables="\n\n".join(test_table(report, test) for test in TESTS),
        kinds=kind_rows(report), untouched=untouched_rows(report),
        temperature=report["calibration"]["temperature"], bias=", ".join(f"{b:g}" for b in report["calibration"]["bias"]),
        share=report["changed_share"]["planted_chips"],
        calibration="\n".join(
            f"| {readable(s)} | {report['called'][s]['calibration_error_before']:.4f} → {report['called'][s]['calibration_error']:.4f} | "
            f"{report['called'][s]['iou'][1]:.3f} | {report['called'][s]['mean_iou']:.3f} |" for s in BAND_SETS
        ),
        naip_precision=naip["network"]["average_precision"], naip_recall=naip["network"]["recall"],
        naip_calm=quiet["network"]["calm"], naip_calm_vector=quiet["change_vector"]["calm"],
        ucayali_recall=ucayali["network"]["recall"], ucayali_recall_vector=ucayali["change_vector"]["recall"],
        script=checks["script_against_python"], onnx=checks["onnx_against_script"], tile=checks["tile_against_whole"],
        reach=checks["reach_px"], halo=checks["halo_px"],
        speed=", ".join(f"{form} {value:.2f} Mpx/s" for form, value in report["speed"].items()), load=report["load"],
    )
