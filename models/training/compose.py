"""Objects of concern painted on real chips, with exact masks: there are no pixel labels of them.

Each object has a kind, a size of about 4 to 400 px, a material (a texture of the gallery, or
spectra of the chips), soft edges of half a pixel to a pixel, and a shadow where it has height. Natural
bars, ground of elsewhere and pasted fields are painted as `no_object`, so that a pasted edge
alone gives nothing away. Pixels of an edge, of a shadow and of mapped towns say nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates, shift

import shapes
from chips import BARE, BUILT_UP, CROPS, IGNORE, LOW_VEGETATION, TREES, WATER
from classes import BUILDING, DIKE, DUMP, FISH_CAGE, GREENHOUSE, NO_OBJECT, PIT, STOCKPILE
from textures import Sources

LAND_KINDS = (PIT, STOCKPILE, DUMP, BUILDING, GREENHOUSE, DIKE)
OBVIOUS = {BUILDING: BUILT_UP, STOCKPILE: BARE}
"""Land cover of objects about which there is no doubt; that of the others is not learnt."""
CONTRAST, EASY_CONTRAST = (0.03, 0.7), (0.022, 0.0)
"""An object must differ from the ground beside it by the first number plus the second x the standard
deviation of that ground (mean over the visible and near infrared bands, its own spread included); one that
differs less is painted anew, and given up after the third time: nobody could see it."""
TRUTH_COVERAGE, DOUBT_COVERAGE = 0.5, 0.12


@dataclass(frozen=True)
class Painted:
    """A thing in its own square: coverage and shadow (row, col) 0..1, colour (band, row, col)."""

    kind: int
    cover: np.ndarray
    colour: np.ndarray
    shadow: np.ndarray | None = None


def draw_area(rng: np.random.Generator) -> float:
    """4 to 400 px, log-uniform."""
    return math.exp(rng.uniform(math.log(4), math.log(400)))


def square_for(span: float) -> int:
    """Side of the square that holds a thing of the span, with room for edge and shadow."""
    return int(math.ceil(span)) + 8


def spectrum(sources: Sources, class_id: int, rng: np.random.Generator) -> np.ndarray:
    """Reflectance (band, 1, 1) of one pixel of the class."""
    known = sources.spectra[class_id]
    return known[rng.integers(len(known))][:, None, None]


def rough(size: int, strength: float, grain: float, rng: np.random.Generator) -> np.ndarray:
    """Multiplicative texture (row, col) around one, correlated over `grain` px."""
    noise = gaussian_filter(rng.normal(size=(size, size)), grain) if grain > 0.3 else rng.normal(size=(size, size))
    return (1 + strength * noise / max(noise.std(), 1e-6)).clip(0.3, 2.0).astype(np.float32)


def texture(chips: list[np.ndarray], size: int, rng: np.random.Generator, bright: bool) -> np.ndarray:
    """A window (band, row, col) of a texture chip, turned and scaled; of six draws the brightest in
    its middle if `bright` (spoil and roofs rather than the forest around them)."""
    best, best_score = None, -np.inf
    for _ in range(6 if bright else 1):
        chip = chips[rng.integers(len(chips))]
        scale = math.exp(rng.uniform(-0.7, 0.3))  # texture pixels per pixel painted
        side = min(size * scale, chip.shape[1] - 1)
        row, col = rng.uniform(0, chip.shape[1] - side, 2)
        score = chip[:3, int(row + side / 4) : int(row + 3 * side / 4) + 1, int(col + side / 4) : int(col + 3 * side / 4) + 1].mean()
        if score > best_score:
            best, best_score = (chip, row, col, side), score
    chip, row, col, side = best
    line = np.linspace(0, side, size)
    where = np.meshgrid(row + line, col + line, indexing="ij")
    window = np.stack([map_coordinates(b, where, order=1, mode="nearest") for b in chip])
    return np.rot90(window, rng.integers(4), (1, 2)).copy()


def cast(cover: np.ndarray, sun: float, length: float) -> np.ndarray:
    """Shadow of a thing: its coverage dragged away from the sun (an angle), without the thing itself."""
    dark = np.zeros_like(cover)
    for part in np.linspace(0.4, 1.0, 3):
        moved = shift(cover, (-math.sin(sun) * length * part, -math.cos(sun) * length * part), order=1)
        dark = np.maximum(dark, moved)
    return (dark * (1 - cover)).clip(0, 1)


def hillshade(height: np.ndarray, sun: float, strength: float) -> np.ndarray:
    """Brightness (row, col) of a relief lit from the sun's side."""
    fall_y, fall_x = np.gradient(height)
    return (1 - strength * (fall_x * math.cos(sun) + fall_y * math.sin(sun))).clip(0.35, 1.6)


def pit(sources: Sources, area: float, feather: float, sun: float, rng: np.random.Generator) -> Painted:
    """A pit or a dredge pond in its spoil."""
    size = square_for(2.6 * math.sqrt(area))
    x, y = shapes.frame(size)
    field = shapes.blob(x, y, area, rng)
    cover = shapes.coverage(field < 0, feather)
    radius = math.sqrt(area / math.pi)
    if rng.random() < 0.5:
        colour = texture(sources.textures["spoil"], size, rng, True)
    else:
        rim = spectrum(sources, BARE if rng.random() < 0.7 else BUILT_UP, rng) * rng.uniform(1.0, 1.7)
        colour = rim * rough(size, 0.12, 0.8, rng)
    floor = shapes.coverage(field < -rng.uniform(0.2, 0.45) * radius, feather)
    if rng.random() < 0.65:  # under water: turbid, or green and blue as pits are
        water = spectrum(sources, WATER, rng)
        tint = np.array([rng.uniform(0.8, 1.8), rng.uniform(0.9, 1.9), rng.uniform(0.6, 1.2), 1, 1, 1])[:, None, None]
        colour = colour * (1 - floor) + water * tint * floor
    else:
        depth = gaussian_filter(-floor, max(0.6, radius / 3))
        colour = colour * hillshade(depth, sun, rng.uniform(0.8, 1.8)) * (1 - rng.uniform(0.2, 0.5) * floor)
    return Painted(PIT, cover, colour)


def stockpile(sources: Sources, area: float, feather: float, sun: float, rng: np.random.Generator) -> Painted:
    """One to four cones of one material, lit on one side, with a shadow on the other."""
    size = square_for(2.6 * math.sqrt(area))
    x, y = shapes.frame(size)
    cones = int(rng.integers(1, 5)) if area > 20 else 1
    radius, along = math.sqrt(area / math.pi / cones) * 1.1, rng.uniform(0, math.pi)
    height = np.zeros_like(x)
    for k in range(cones):
        offset = (k - (cones - 1) / 2) * radius * 1.2
        distance = np.hypot(x - offset * math.cos(along), y - offset * math.sin(along))
        height = np.maximum(height, 1 - distance / (radius * rng.uniform(0.85, 1.15)))
    cover = shapes.coverage(height > 0, feather)
    material = spectrum(sources, BARE if rng.random() < 0.6 else BUILT_UP, rng) * math.exp(rng.uniform(-0.9, 0.7))
    if rng.random() < 0.2:  # coal, slag
        material = np.full((6, 1, 1), rng.uniform(0.03, 0.09)) * rng.uniform(0.9, 1.1, (6, 1, 1))
    small = height.reshape(size, shapes.OVERSAMPLING, size, -1).mean((1, 3)).clip(0)
    lit = hillshade(small * radius, sun, rng.uniform(0.45, 0.85))
    colour = material * lit * rough(size, 0.05, 0.5, rng)
    return Painted(STOCKPILE, cover, colour, cast(cover, sun, rng.uniform(0.2, 0.6) * radius))


def dump(sources: Sources, area: float, feather: float, sun: float, rng: np.random.Generator) -> Painted:
    """A heap of mixed things: patches of several materials, a pixel or two across."""
    size = square_for(2.8 * math.sqrt(area))
    x, y = shapes.frame(size)
    cover = shapes.coverage(shapes.blob(x, y, area, rng, 0.45) < 0, feather)
    if rng.random() < 0.3:
        colour = texture(sources.textures["works"], size, rng, True)
    else:
        colour = np.zeros((6, size, size))
        best = np.full((size, size), -np.inf)
        for _ in range(int(rng.integers(3, 6))):
            material = spectrum(sources, BUILT_UP if rng.random() < 0.5 else BARE, rng) * math.exp(rng.uniform(-0.8, 0.9))
            if rng.random() < 0.25:
                material = np.full((6, 1, 1), rng.uniform(0.25, 0.5))
            level = gaussian_filter(rng.normal(size=(size, size)), 0.7)
            colour = np.where(level > best, material, colour)
            best = np.maximum(best, level)
    colour = colour * rough(size, 0.18, 0.6, rng)
    return Painted(DUMP, cover, colour, cast(cover, sun, rng.uniform(0.3, 1.2)))


def building(sources: Sources, area: float, feather: float, sun: float, rng: np.random.Generator) -> Painted:
    """A rectangle or an L with a roof of one colour, two-toned along its ridge, and a shadow."""
    ratio = math.exp(rng.uniform(0, 1.2))
    length, width = math.sqrt(area * ratio), math.sqrt(area / ratio)
    size = square_for(1.5 * length + 2)
    x, y = shapes.frame(size)
    angle = rng.uniform(0, math.pi)
    field = shapes.rectangle(x, y, length, width, angle)
    if rng.random() < 0.25 and area > 30:
        dx, dy = math.cos(angle) * length / 3 - math.sin(angle) * width / 2, math.sin(angle) * length / 3 + math.cos(angle) * width / 2
        field = np.minimum(field, shapes.rectangle(x - dx, y - dy, length / 3, width, angle))
    cover = shapes.coverage(field < 0, feather)
    draw = rng.random()
    if draw < 0.35 and area >= 9:
        roof = texture(sources.textures["works"], size, rng, True)
    else:
        level = rng.uniform(0.28, 0.6) if draw < 0.7 else rng.uniform(0.1, 0.28)
        tone = {0: (1, 1, 1, 1.05, 1.0, 0.9), 1: (0.45, 0.6, 1.0, 1.15, 1.2, 1.0), 2: (1.15, 1.0, 0.85, 0.8, 0.7, 0.6)}
        shade = np.array(tone[int(rng.choice(3, p=(0.6, 0.25, 0.15)))]) * rng.uniform(0.9, 1.1, 6)
        roof = (level * shade)[:, None, None] * rough(size, 0.03, 0.5, rng)
    _, across = shapes.turned(*np.meshgrid(np.arange(size) - size / 2, np.arange(size) - size / 2), angle)
    roof = roof * np.where(across > 0, 1 + rng.uniform(0, 0.12), 1 - rng.uniform(0, 0.12))
    return Painted(BUILDING, cover, roof, cast(cover, sun, rng.uniform(0.3, 1.6)))


def greenhouse(sources: Sources, area: float, feather: float, sun: float, rng: np.random.Generator) -> Painted:
    """Parallel strips of film or glass over plants: bright in the visible, weak in short-wave infrared."""
    ratio = math.exp(rng.uniform(0, 1.0))
    length, width = math.sqrt(area * ratio), math.sqrt(area / ratio)
    size = square_for(1.5 * length)
    x, y = shapes.frame(size)
    angle = rng.uniform(0, math.pi)
    cover = shapes.coverage(shapes.rectangle(x, y, length, width, angle) < 0, feather)
    film = np.array([0.30, 0.30, 0.29, 0.40, 0.24, 0.14]) * rng.uniform(0.7, 1.5) * rng.uniform(0.92, 1.08, 6)
    under = spectrum(sources, CROPS if rng.random() < 0.5 else LOW_VEGETATION, rng)
    open_share = rng.uniform(0, 0.4)
    period = rng.uniform(1.6, 4.0)
    along, across = shapes.turned(*np.meshgrid(np.arange(size) - size / 2, np.arange(size) - size / 2), angle)
    stripes = 1 + rng.uniform(0.05, 0.2) * np.sign(np.sin(2 * math.pi * across / period))
    colour = (film[:, None, None] * (1 - open_share) + under * open_share) * gaussian_filter(stripes, 0.4)
    return Painted(GREENHOUSE, cover, colour * rough(size, 0.04, 0.5, rng), None)


def dike(sources: Sources, area: float, feather: float, sun: float, rng: np.random.Generator) -> Painted:
    """A straight or bent strip of earth or rock, 1 to 3.5 px wide, one flank lit."""
    width = rng.uniform(1.0, min(3.5, max(1.2, math.sqrt(area / 4))))
    length = max(area / width, 3 * width)
    length = min(length, 70.0)
    size = square_for(1.2 * length)
    x, y = shapes.frame(size)
    angle, bend = rng.uniform(0, math.pi), rng.uniform(-0.15, 0.15)
    field = shapes.band(x, y, length, width, angle, bend)
    cover = shapes.coverage(field < 0, feather)
    if rng.random() < 0.35:
        material = rng.uniform(0.14, 0.34) * np.array([0.9, 1.0, 1.05, 1.15, 1.2, 1.05])[:, None, None] * rng.uniform(0.93, 1.07, (6, 1, 1))
    else:
        material = spectrum(sources, BARE, rng) * rng.uniform(0.8, 1.6)
    lit = hillshade(gaussian_filter(cover, 0.7), sun, rng.uniform(0.0, 0.5))
    return Painted(DIKE, cover, material * lit * rough(size, 0.05, 0.5, rng), cast(cover, sun, rng.uniform(0.0, 0.7)))


def fish_cages(sources: Sources, ground: np.ndarray, rng: np.random.Generator) -> list[tuple[float, float, Painted]]:
    """Cages of one farm with their true sizes and layout, at 2 to 8 m per pixel: offset row, col (px), cage.
    Inside a cage the water is darker or, with a net cover, lighter; its ring is bright."""
    form, boxes = sources.cages[rng.integers(len(sources.cages))]
    span = np.median(boxes[:, 2:])
    metres = min(max(math.exp(rng.uniform(math.log(2), math.log(8))), span / 9), span / 2)
    middle = boxes[rng.integers(len(boxes)), :2]
    water = np.median(ground, (1, 2))[:, None, None]
    inner, ring = rng.uniform(0.55, 1.5), rng.uniform(0.10, 0.35) * np.array([1, 1, 1, 0.95, 0.8, 0.7])[:, None, None]
    ring_px = rng.uniform(0.35, 0.9)
    feather = rng.uniform(0.2, 0.5)
    out = []
    for x_m, y_m, width_m, height_m in boxes:
        col, row = (x_m - middle[0]) / metres, -(y_m - middle[1]) / metres
        if max(abs(col), abs(row)) > 40 or len(out) >= 30:
            continue
        across = max(width_m, height_m) / metres
        size = square_for(across)
        x, y = shapes.frame(size)
        field = np.hypot(x, y) - across / 2 if form == "circle" else shapes.rectangle(x, y, width_m / metres, height_m / metres, 0.0)
        cover, core = shapes.coverage(field < 0, feather), shapes.coverage(field < -ring_px, feather)
        colour = ring * (1 - core) + (water * inner + (0.03 if inner > 1.1 else 0)) * core
        out.append((row, col, Painted(FISH_CAGE, cover, np.broadcast_to(colour, (6, size, size)))))
    return out


PAINTERS = {PIT: pit, STOCKPILE: stockpile, DUMP: dump, BUILDING: building, GREENHOUSE: greenhouse, DIKE: dike}


def decoy(sources: Sources, feather: float, other: np.ndarray, at_water: bool, rng: np.random.Generator) -> Painted:
    """Something natural: a bar at the water, else ground from elsewhere or a window of another chip,
    which fade into the ground over some pixels, or a field."""
    area = math.exp(rng.uniform(math.log(10), math.log(700)))
    if at_water and rng.random() < 0.6:  # a bar: a bent, tapering strip of river sand
        width = math.sqrt(area / rng.uniform(2, 6))
        length = area / width
        size = square_for(1.3 * length)
        x, y = shapes.frame(size)
        angle = rng.uniform(0, math.pi)
        along, _ = shapes.turned(x, y, angle)
        field = shapes.band(x, y, length, width, angle, rng.uniform(-0.25, 0.25)) + width / 2 * (2 * along / length) ** 2
        cover = shapes.coverage(field < 0, rng.uniform(0.5, 1.2))
        if rng.random() < 0.5:
            return Painted(NO_OBJECT, cover, texture(sources.textures["bar"], size, rng, True))
        return Painted(NO_OBJECT, cover, spectrum(sources, BARE, rng) * rng.uniform(0.85, 1.2) * rough(size, 0.06, 2.0, rng))
    size = square_for(2.6 * math.sqrt(area)) + 4
    x, y = shapes.frame(size)
    if rng.random() < 0.5:
        cover = shapes.coverage(shapes.blob(x, y, area, rng) < 0, rng.uniform(1.2, 2.5))
        if rng.random() < 0.5:
            return Painted(NO_OBJECT, cover, texture(sources.textures["ground"], size, rng, False))
        size = min(size, other.shape[1])
        row, col = rng.integers(0, other.shape[1] - size + 1, 2)
        return Painted(NO_OBJECT, cover[:size, :size], other[:, row : row + size, col : col + size])
    ratio = math.exp(rng.uniform(0, 1.2))
    cover = shapes.coverage(shapes.rectangle(x, y, math.sqrt(area * ratio), math.sqrt(area / ratio), rng.uniform(0, 3.2)) < 0, feather)
    class_id = int(rng.choice([TREES, LOW_VEGETATION, CROPS], p=(0.2, 0.35, 0.45)))
    return Painted(NO_OBJECT, cover, spectrum(sources, class_id, rng) * rough(size, 0.05, 1.0, rng))


def paste(image, land, objects, taken, thing: Painted, row: int, col: int, least: tuple[float, float] = CONTRAST) -> bool:
    """Paints the thing with its middle at row, col; False if it would touch another one. In place."""
    size = thing.cover.shape[0]
    top, left = row - size // 2, col - size // 2
    r0, c0, r1, c1 = max(top, 0), max(left, 0), min(top + size, image.shape[1]), min(left + size, image.shape[2])
    if r1 - r0 < 3 or c1 - c0 < 3:
        return False
    inner = np.s_[r0 - top : r1 - top, c0 - left : c1 - left]
    outer = np.s_[r0:r1, c0:c1]
    cover = thing.cover[inner]
    if (taken[outer] & (cover > 0.05)).any():
        return False
    colour = thing.colour[(slice(None), *inner)].clip(0.002, 0.95)
    ground = image[(slice(None), *outer)]
    truth = cover >= TRUTH_COVERAGE
    if thing.kind != NO_OBJECT:
        ring = (cover < 0.05)
        if truth.sum() < 3 or not ring.any():
            return False
        contrast = np.abs(colour[:4, truth].mean(1) - np.median(ground[:4, ring], 1)).mean()
        spread = np.abs(colour[:4, truth] - colour[:4, truth].mean(1, keepdims=True)).mean()
        if contrast + spread < least[0] + least[1] * ground[:4, ring].std(1).mean():
            return False
    doubt = (cover > DOUBT_COVERAGE) & ~truth
    if thing.shadow is not None:
        shadow = thing.shadow[inner]
        ground = ground * (1 - 0.6 * shadow)
        doubt |= (shadow > 0.25) & ~truth
    image[(slice(None), *outer)] = ground * (1 - cover) + colour * cover
    objects[outer][truth] = thing.kind
    land[outer][truth] = OBVIOUS.get(thing.kind, IGNORE)
    land[outer][doubt] = IGNORE
    if thing.kind != NO_OBJECT:
        objects[outer][doubt] = IGNORE
    taken[outer] |= cover > 0.05
    return True


def object_background(land: np.ndarray) -> np.ndarray:
    """Object label (row, col) of ground without painted things: towns and unknown pixels say nothing."""
    objects = np.full(land.shape, NO_OBJECT, np.uint8)
    objects[(land == BUILT_UP) | (land == IGNORE)] = IGNORE
    return objects


def compose(
    image: np.ndarray, land: np.ndarray, other: np.ndarray, sources: Sources, rng: np.random.Generator,
    least: tuple[float, float] = CONTRAST,
):
    """Image (band, row, col), land-cover label and object label (row, col) with things painted on.

    `other` is a chip of elsewhere, for pasted windows. The inputs are not changed.
    """
    image, land = image.copy(), land.copy()
    objects = object_background(land)
    taken = np.zeros(land.shape, bool)
    water = land == WATER
    sun = rng.uniform(0, 2 * math.pi)
    dry = np.argwhere((land != WATER) & (land != IGNORE))
    near = np.argwhere((distance_transform_edt(~water) < 14) & ~water) if water.sum() > 50 else dry
    deep = distance_transform_edt(water)
    feather = rng.uniform(0.3, 0.6)
    if (deep > 6).sum() > 60 and rng.random() < 0.6:
        places = np.argwhere(deep > 6)
        row, col = places[rng.integers(len(places))]
        r, c = max(row - 5, 0), max(col - 5, 0)
        for down, right, cage in fish_cages(sources, image[:, r : r + 10, c : c + 10], rng):
            at_row, at_col = round(row + down), round(col + right)
            if 0 <= at_row < land.shape[0] and 0 <= at_col < land.shape[1] and deep[at_row, at_col] > 2:
                paste(image, land, objects, taken, cage, at_row, at_col, least)
    if not len(dry):
        return image, land, objects
    for _ in range(int(rng.integers(3, 9))):
        kind = int(rng.choice(LAND_KINDS))
        area = draw_area(rng)
        for _ in range(3):
            places = near if len(near) and rng.random() < 0.5 else dry
            row, col = places[rng.integers(len(places))]
            if paste(image, land, objects, taken, PAINTERS[kind](sources, area, feather, sun, rng), row, col, least):
                break
    for _ in range(int(rng.integers(1, 5))):
        at_water = water.sum() > 50 and len(near) > 0 and rng.random() < 0.6
        places = near if at_water else dry
        row, col = places[rng.integers(len(places))]
        paste(image, land, objects, taken, decoy(sources, feather, other, at_water, rng), row, col)
    return image, land, objects
