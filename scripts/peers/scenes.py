#!/usr/bin/env python3
"""Paints the scenes that ``scripts/bench`` measures with, into a folder; what this version painted is kept.

A landscape of water, trees, fields, town and bare ground in patches of some hundred metres, with texture and
sensor noise: four bands (blue, green, red, near infrared), uint16, reflectance x 10000, tiles of 512, DEFLATE
with predictor 2. The noise of each band makes neighbours differ as much as in the real surface reflectance of
``worldcover-chips`` (median 23, 32, 43, 80), so that it compresses and decodes about as that does. Painted, not real.

* ``large.tif`` 10980 x 10980 on the 10 m grid of EPSG:32650; ``small.tif`` 2048 x 2048; ``model.tif`` 4096 x 4096
* ``model_again.tif`` the pixels of ``model.tif`` three per cent brighter, with 0.3 of the noise once more: a quiet later pass
* ``shifted.tif`` the pixels of ``large.tif`` with the origin shifted by 3.7 m and 6.1 m: off the grid
* ``zone.tif`` the pixels of ``large.tif`` at the eastern edge of EPSG:32650, where the grid is that of EPSG:32651
* ``small_shifted.tif``, ``small_zone.tif`` the same of ``small.tif``

Each has ``NAME.geojson`` beside it: one reach that covers it all.
"""

import hashlib
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import rasterio
from rasterio.crs import CRS
from rasterio.transform import Affine
from rasterio.warp import transform as to_crs

PIXEL_M = 10.0
TILE = 512
SEED = 20_260_301
# blue, green, red, near infrared
CLASSES = np.array(
    [
        [620, 700, 480, 300],  # water
        [350, 520, 330, 2600],  # trees
        [480, 760, 560, 2500],  # grass
        [450, 820, 480, 3900],  # crops
        [1250, 1350, 1420, 1900],  # town
        [1150, 1550, 1900, 2500],  # bare ground
    ],
    dtype=np.float32,
)
# standard deviation in each band: a median difference of neighbours is 0.95 of it
NOISE = [22.0, 32.0, 43.0, 83.0]
PATCH_PX = 48
# a corner of the 1024-pixel squares of the grid
ORIGIN = (604_160.0, 3_399_680.0)


def upsampled(field, rows, columns, step):
    """Bilinear values of a coarse field at the pixels ``rows`` x ``columns``."""
    top, left = rows // step, columns // step
    v = ((rows % step) / step).astype(np.float32)[:, None]
    u = ((columns % step) / step).astype(np.float32)[None, :]
    at = lambda r, c: field[np.ix_(r, c)]
    upper = at(top, left) * (1 - u) + at(top, left + 1) * u
    lower = at(top + 1, left) * (1 - u) + at(top + 1, left + 1) * u
    return upper * (1 - v) + lower * v


def paint(path, size, origin):
    rng = np.random.default_rng(SEED)
    coarse = size // PATCH_PX + 3
    fields = rng.normal(size=(len(CLASSES), coarse, coarse)).astype(np.float32)
    shade = rng.normal(size=(size // 16 + 3, size // 16 + 3)).astype(np.float32)
    profile = {
        "driver": "GTiff",
        "height": size,
        "width": size,
        "count": 4,
        "dtype": "uint16",
        "nodata": 0,
        "crs": CRS.from_epsg(32650),
        "transform": Affine(PIXEL_M, 0, origin[0], 0, -PIXEL_M, origin[1]),
        "tiled": True,
        "blockxsize": TILE,
        "blockysize": TILE,
        "compress": "deflate",
        "predictor": 2,
        "interleave": "pixel",
        "photometric": "minisblack",
        "num_threads": 2,
    }
    columns = np.arange(size)
    partial = path.with_name(path.name + ".tmp")
    with rasterio.open(partial, "w", **profile) as file:
        for top in range(0, size, TILE):
            rows = np.arange(top, min(top + TILE, size))
            heights = np.stack([upsampled(field, rows, columns, PATCH_PX) for field in fields])
            classes = heights.argmax(axis=0)
            light = 1 + 0.08 * upsampled(shade, rows, columns, 16)
            light += rng.normal(scale=0.008, size=light.shape).astype(np.float32)
            pixels = np.empty((4, len(rows), size), dtype=np.uint16)
            for band in range(4):
                values = CLASSES[classes, band] * light
                values += rng.normal(scale=NOISE[band], size=light.shape).astype(np.float32)
                pixels[band] = np.clip(values, 1, 20000)
            file.write(pixels, window=((top, top + len(rows)), (0, size)))
    partial.rename(path)


def again(source, path):
    rng = np.random.default_rng(SEED + 1)
    partial = path.with_name(path.name + ".tmp")
    with rasterio.open(source) as file:
        profile = {**file.profile, "predictor": 2, "photometric": "minisblack", "num_threads": 2}
        with rasterio.open(partial, "w", **profile) as later:
            for _, window in file.block_windows(1):
                pixels = file.read(window=window) * 1.03
                for band, noise in zip(pixels, NOISE):
                    band += rng.normal(scale=0.3 * noise, size=band.shape)
                later.write(np.clip(pixels, 1, 20000).astype(np.uint16), window=window)
    partial.rename(path)


def moved(source, path, origin):
    partial = path.with_name(path.name + ".tmp")
    shutil.copyfile(source, partial)
    with rasterio.open(partial, "r+") as file:
        file.transform = Affine(PIXEL_M, 0, origin[0], 0, -PIXEL_M, origin[1])
    partial.rename(path)


def write_reach(scene, path):
    """The outline of a scene, with a corner every 64 pixels, so that it stays on the scene in any projection."""
    with rasterio.open(scene) as file:
        size, transform, crs = file.width, file.transform, file.crs
    along = np.linspace(0, size, size // 64 + 1)
    edge = [
        *((0, y) for y in along),
        *((x, size) for x in along[1:]),
        *((size, y) for y in along[-2::-1]),
        *((x, 0) for x in along[-2::-1]),
    ]
    x, y = zip(*(transform * corner for corner in edge))
    longitude, latitude = to_crs(crs, CRS.from_epsg(4326), x, y)
    ring = [[round(lon, 9), round(lat, 9)] for lon, lat in zip(longitude, latitude)]
    feature = {
        "type": "Feature",
        "properties": {"reach_id": "scene", "name": "The whole scene"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))


def main():
    folder = Path(sys.argv[1])
    stamp, version = folder / "painted-by", hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != version:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    large = folder / "large.tif"
    scenes = {
        "small": lambda path: paint(path, 2048, ORIGIN),
        "model": lambda path: paint(path, 4096, ORIGIN),
        "model_again": lambda path: again(folder / "model.tif", path),
        "large": lambda path: paint(path, 10_980, ORIGIN),
        "shifted": lambda path: moved(large, path, (ORIGIN[0] + 3.7, ORIGIN[1] - 6.1)),
        "zone": lambda path: moved(large, path, (770_000.0, 3_400_000.0)),
        "small_shifted": lambda path: moved(folder / "small.tif", path, (ORIGIN[0] + 3.7, ORIGIN[1] - 6.1)),
        "small_zone": lambda path: moved(folder / "small.tif", path, (770_000.0, 3_400_000.0)),
    }
    for name, make in scenes.items():
        path = folder / f"{name}.tif"
        if not path.exists():
            make(path)
        write_reach(path, path.with_suffix(".geojson"))
    stamp.write_text(version)


if __name__ == "__main__":
    main()
